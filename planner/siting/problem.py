"""The problem: what is to be sited, where it may stand, and what the plan must keep."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import geopandas as gpd

from layers.errors import InputError
from layers.messages import text
from layers.units import LEVELS, Level
from planner.siting.models import MODELS, Model, Traits, named
from planner.siting.places import Places, Points
from planner.standards import Standard, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layers.population import Group
    from planner.reach import Towards
    from planner.siting.decay import Decay
    from planner.siting.phases import Year

Along = Literal["straight", "network"]


@dataclass(frozen=True)
class Apart:
    """How far sites must lie from each other, and from what exists.

    Attributes
    ----------
    metres
        Least distance; exactly so far is far enough.
    along
        ``straight``: in a straight line; ``network``: along the streets of the
        standard's mode, the shorter of both directions, access legs counted.
    """

    metres: float
    along: Along = "straight"

    def __post_init__(self) -> None:
        if not 0 < self.metres < float("inf"):
            raise InputError(text("site.apart", found=self.metres))
        if self.along not in get_args(Along):
            raise unknown_name("along", self.along, get_args(Along))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Problem:
    """A siting problem, as a planner would state it.

    Attributes
    ----------
    service
        Key of the service.
    model
        ``mclp``, ``lscp``, ``lscpb``, ``fair``, ``cmclp``, ``clscp``, ``p-median``,
        ``p-centre`` or ``cp-median``, or an alias; see `planner.siting.models`.
    p, exactly
        Greatest number of new sites, or just so many.
    budget
        Greatest cost of the new sites.
    share
        Of set cover: least share of all people of the group to be served. Everyone whom
        any site can reach when None.
    cheapest
        Of set cover: least cost rather than fewest sites.
    standard
        How near counts as served; the service's own when None.
    group
        Group of people; the standard's own when None.
    year
        Year at whose end existing facilities are taken; None for all that have not closed.
    candidates
        Where new sites may be. When empty: what the city lists as planned or candidate,
        and junctions as far apart as `spacing` says.
    spacing
        Metres between those junctions; by the standard when None.
    within
        Areas outside which nothing new may open; everywhere when None.
    required, forbidden
        Ids of candidates that must be or must not be opened, besides what their table says.
    cost, capacity
        Of a new site that does not say: 1, and without limit.
    at_most, at_least
        How many new sites units may or must have, by a unit's code or name, or by level:
        ``{"district": 2}`` is two in every district.
    apart
        How far sites must lie from each other and from what exists.
    floors
        Least rate of units, by code, name or level. People who live off every street
        count as not served.
    phases
        Years with a number or a budget each; what a year leaves, later years may use.
    decay
        How cover falls off with distance; all or nothing at the cutoff when None.
    level
        Level whose worst unit ``fair`` raises first.
    reach
        Of the p-median, p-centre and their like: no one is counted as going further, in
        the standard's unit. None for no such limit.
    towards, limit
        As `planner.coverage` takes them.

    Raises
    ------
    UnknownNameError
        There is no such model or level.
    InputError
        A value makes no sense, or does not go with the model; the message says what does.

    Examples
    --------
    >>> Problem(service="home_care_centre", p=10, floors={"district": 0.3})
    <Problem home_care_centre: mclp, p ≤ 10, floors district 30%>
    """

    service: str
    model: Model = "mclp"
    p: int | None = None
    exactly: bool = False
    budget: float | None = None
    share: float | None = None
    cheapest: bool = False
    standard: Standard | None = None
    group: Group | None = None
    year: int | None = None
    candidates: tuple[Places, ...] = ()
    spacing: float | None = None
    within: gpd.GeoDataFrame | None = None
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    cost: float = 1.0
    capacity: float | None = None
    at_most: Mapping[str, int] = field(default_factory=dict)
    at_least: Mapping[str, int] = field(default_factory=dict)
    apart: Apart | None = None
    floors: Mapping[str, float] = field(default_factory=dict)
    phases: tuple[Year, ...] = ()
    decay: Decay | None = None
    level: Level = "district"
    reach: float | None = None
    towards: Towards = "facility"
    limit: float = 300.0

    def __post_init__(self) -> None:
        plain: dict[str, Any] = {
            "model": named(self.model),
            "candidates": _several(self.candidates),
            "required": tuple(self.required),
            "forbidden": tuple(self.forbidden),
            "phases": tuple(self.phases),
        }
        if isinstance(self.apart, int | float):
            plain["apart"] = Apart(float(self.apart))
        for name, value in plain.items():
            # Frozen, but not yet handed out: as everybody else will see it.
            object.__setattr__(self, name, value)
        self._refuse_values()
        self._refuse_clashes()

    @classmethod
    def of(cls, problem: Problem | str, **options: Any) -> Self:
        """Make one of a service's key and options, or change options of another.

        Raises
        ------
        InputError
            There is no such option.
        """
        known = [one.name for one in fields(cls)]
        stray = [name for name in options if name not in known]
        if stray:
            raise InputError(text("site.option", found=", ".join(stray), known=", ".join(known)))
        if isinstance(problem, str):
            return cls(service=problem, **options)
        made = replace(problem, **options)
        assert isinstance(made, cls)
        return made

    @property
    def traits(self) -> Traits:
        """What the model asks for and bears."""
        return MODELS[self.model]

    def _refuse_values(self) -> None:
        if self.level not in LEVELS:
            raise unknown_name("level", self.level, LEVELS)
        for name in ("p", "budget", "cost", "capacity", "spacing", "reach", "limit"):
            value = getattr(self, name)
            if value is not None and not (value >= 0 and isfinite(value)):
                raise InputError(text("siting.limit_negative", name=name, found=value))
        for name in ("p", "year"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or value != int(value)):
                raise InputError(text("site.whole", name=name, found=value))
        if self.share is not None and not 0 <= self.share <= 1:
            raise InputError(text("siting.share", found=self.share))
        self._refuse_units()

    def _refuse_units(self) -> None:
        for name in ("at_most", "at_least"):
            for unit, value in getattr(self, name).items():
                if not (value >= 0 and value == int(value)):
                    raise InputError(text("site.whole", name=f"{name} {unit}", found=value))
        for unit, rate in self.floors.items():
            if not 0 <= rate <= 1:
                raise InputError(text("site.floor", unit=unit, found=rate))
        both = sorted({*self.required} & {*self.forbidden})
        if both:
            raise InputError(text("site.required_forbidden", found=", ".join(both[:5])))

    def _refuse_clashes(self) -> None:
        """Refuse what does not go with the model."""
        traits = self.traits
        asked = {
            "share": (self.share is not None, traits.shares),
            "cheapest": (self.cheapest, not traits.spends),
            "decay": (self.decay is not None, traits.decays),
            "reach": (self.reach is not None, not traits.covers),
        }
        for name, (given, goes) in asked.items():
            if given and not goes:
                fitting = [model for model in MODELS if self._bears(name, MODELS[model])]
                raise InputError(
                    text("site.clash", name=name, model=self.model, known=", ".join(fitting))
                )
        if self.exactly and self.p is None:
            raise InputError(text("siting.exactly_without_number"))
        limited = self.p is not None or self.budget is not None or self.phases
        if traits.spends and not limited:
            raise InputError(text("site.no_limit", model=self.model))
        if self.model == "lscp" and self.decay is not None and self.share is None:
            raise InputError(text("siting.value_without_share"))

    @staticmethod
    def _bears(name: str, traits: Traits) -> bool:
        return {
            "share": traits.shares,
            "cheapest": not traits.spends,
            "decay": traits.decays,
            "reach": not traits.covers,
        }[name]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: what was asked."""
        plain = {
            name: getattr(self, name)
            for name in (
                *("service", "model", "p", "exactly", "budget", "share", "cheapest", "group"),
                *("year", "spacing", "cost", "capacity", "level", "reach", "towards", "limit"),
            )
        }
        return {
            **plain,
            "candidates": [repr(one) for one in self.candidates],
            "within": None if self.within is None else len(self.within),
            "required": list(self.required),
            "forbidden": list(self.forbidden),
            "at_most": dict(self.at_most),
            "at_least": dict(self.at_least),
            "floors": dict(self.floors),
            "apart": None if self.apart is None else vars(self.apart),
            "phases": [vars(year) for year in self.phases],
            "decay": None if self.decay is None else self.decay.as_dict(),
        }

    def __repr__(self) -> str:
        return f"<Problem {self.service}: {', '.join(_parts(self))}>"


def _parts(problem: Problem) -> Iterator[str]:
    """Say what a problem asks, part by part."""
    yield problem.model
    if problem.p is not None:
        yield f"p {'=' if problem.exactly else '≤'} {problem.p}"
    numbers = {
        "budget": ("{:g}", problem.budget),
        "share": ("{:.1%}", problem.share),
        "reach": ("{:g}", problem.reach),
        "spacing": ("{:g} m", problem.spacing),
    }
    for name, (form, value) in numbers.items():
        if value is not None:
            yield f"{name} {form.format(value)}"
    if problem.standard is not None:
        yield problem.standard.words("en")
    if problem.group is not None:
        yield problem.group
    if problem.decay is not None:
        yield f"{problem.decay.shape} decay to {problem.decay.none:g}"
    yield from map(repr, problem.candidates)
    if problem.within is not None:
        yield f"within {len(problem.within)} areas"
    yield from _limits(problem)


def _limits(problem: Problem) -> Iterator[str]:
    for name in ("required", "forbidden"):
        if ids := getattr(problem, name):
            yield f"{len(ids)} {name}"
    for name in ("at_most", "at_least"):
        if limits := getattr(problem, name):
            told = ", ".join(f"{unit} {value}" for unit, value in limits.items())
            yield f"{name.replace('_', ' ')} {told}"
    if problem.apart is not None:
        yield f"apart {problem.apart.metres:g} m {problem.apart.along}"
    if problem.floors:
        told = ", ".join(f"{unit} {rate * 100:.4g}%" for unit, rate in problem.floors.items())
        yield f"floors {told}"
    if problem.phases:
        yield "phases " + ", ".join(_told(year) for year in problem.phases)


def _several(given: Any) -> tuple[Places, ...]:
    """Several kinds of places out of one, some, or a table of points."""
    if isinstance(given, gpd.GeoDataFrame | gpd.GeoSeries) or hasattr(given, "on"):
        given = (given,)
    made = []
    for number, one in enumerate(given):
        if isinstance(one, gpd.GeoSeries):
            one = gpd.GeoDataFrame(geometry=one)  # noqa: PLW2901 - the same points as a table
        if isinstance(one, gpd.GeoDataFrame):
            made.append(Points(frame=one, prefix="P" if number == 0 else f"P{number + 1}-"))
        elif hasattr(one, "on"):
            made.append(one)
        else:
            raise InputError(text("site.candidates", found=type(one).__name__))
    return tuple(made)


def _told(year: Year) -> str:
    parts = [f"{year.number}"] if year.number is not None else []
    parts += [f"{year.budget:g} money"] if year.budget is not None else []
    return f"{year.year}={' / '.join(parts) or 'any'}"
