"""What a planner asks of a siting model, as plain values, and the problem that it states."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self, cast

from layers import facilities as facility_layer
from layers.errors import InputError
from layers.messages import text
from planner.siting.models import MODELS, Model
from planner.siting.places import Listed, Points
from planner.siting.problem import Problem
from planner.siting.setting import usual_spacing

if TYPE_CHECKING:
    from layers import City
    from layers.units import Level
    from planner.network import Network
    from planner.siting.places import Places
    from planner.standards import Standard

OFFERED: tuple[Model, ...] = ("mclp", "lscp", "fair", "p-median", "p-centre")
"""Models to choose from, the usual first."""

MOST = 500
"""Most sites that may be asked for at once."""

_DEAREST = 1e9
_LONGEST = 300
_FLOOR = re.compile(r"(?:(?P<unit>[^=＝:：]+?)\s*[=＝:：]\s*)?(?P<rate>\d+(?:\.\d+)?)\s*[%％]?")
_PARTED = re.compile(r"[,，;；、\n]")


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is asked of a model.

    Attributes
    ----------
    model
        One of `OFFERED`.
    number
        Most new sites, or most facilities in all where existing ones may close.
    share
        Of set cover: per cent of all people to be served; all whom any site reaches when None.
    budget
        Greatest cost of all sites; without limit when None.
    cost_listed, cost_new
        Of a place that the city lists, or that stands already and stays, and of any other.
    floors
        Least rates in words: ``30`` for every unit, ``Chun'an=25; Lin'an=40`` for some.
    closing
        Whether existing facilities may close.
    """

    model: Model = "mclp"
    number: int = 5
    share: float | None = 90.0
    budget: float | None = None
    cost_listed: float = 1.0
    cost_new: float = 1.0
    floors: str = ""
    closing: bool = False

    def with_value(self, name: str, value: Any) -> Ask:
        """Take a value from the form."""
        if name == "closing":
            value = value == "may"
        elif name == "number":
            value = int(value)
        return replace(self, **{name: value})

    def spoken(self) -> str:
        """Say what differs from what is asked at first, as an address holds it.

        Examples
        --------
        >>> Ask(model="lscp", share=80.0).spoken()
        '{"model": "lscp", "share": 80.0}'
        """
        own = self.as_dict()
        return json.dumps(own, ensure_ascii=False) if own else ""

    @classmethod
    def read(cls, told: str) -> Self:
        """Read what `spoken` said.

        Raises
        ------
        ValueError
            It is no such thing, or holds what the form would not take.
        """
        return cls.from_dict(json.loads(told or "{}"))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON of what differs from what is asked at first."""
        own = {one.name: getattr(self, one.name) for one in fields(self)}
        return {one.name: own[one.name] for one in fields(self) if own[one.name] != one.default}

    @classmethod
    def from_dict(cls, table: Any) -> Self:
        """Make one of what `as_dict` gave.

        Raises
        ------
        ValueError
            It is no such thing, or holds what the form would not take.
        """
        if not isinstance(table, dict) or table.get("model", OFFERED[0]) not in OFFERED:
            raise ValueError(table)
        made = cls()
        for name, value in table.items():
            if name == "closing":
                fit = isinstance(value, bool)
            elif name in {"model", "floors"}:
                fit = isinstance(value, str) and len(value) <= _LONGEST
            else:
                fit = name in LEAST and _within(value, *LEAST[name])
            if not fit:
                raise ValueError(table)
            made = replace(made, **{name: value})
        return made


LEAST: dict[str, tuple[float, float, bool]] = {
    "number": (1, MOST, False),
    "share": (0, 100, True),
    "budget": (0, _DEAREST, True),
    "cost_listed": (0, _DEAREST, False),
    "cost_new": (0, _DEAREST, False),
}
"""Least and greatest of each number, and whether it may be left out."""


def _within(value: Any, least: float, most: float, empty: bool) -> bool:
    if value is None:
        return empty
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


@dataclass(frozen=True, kw_only=True, eq=False)
class Stated:
    """A problem as `planner.site` takes it, and the city that it is stated on.

    Attributes
    ----------
    city
        The city; without the service's facilities where these may close.
    problem
        The problem.
    movable
        Ids of the facilities that may close.
    """

    city: City
    problem: Problem
    movable: tuple[str, ...] = ()


def state(
    ask: Ask,
    city: City,
    service: str,
    *,
    year: int | None,
    level: Level,
    standard: Standard,
    network: Network,
) -> Stated:
    """State what is asked as a problem.

    Parameters
    ----------
    ask
        What is asked.
    city
        The city with what the scenario has changed already.
    service, year, standard
        What is sited.
    level
        Level of the units that floors are of, unless they say.
    network
        Streets of the standard's mode.

    Raises
    ------
    InputError
        What is asked makes no sense; the message says what does.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import Network, load_services
    >>> city, standard = embedded("small"), load_services()["menopause_clinic"].standard
    >>> network = Network.build(city.streets, standard.mode, **standard.pace)
    >>> about = {"year": None, "level": "district", "standard": standard, "network": network}
    >>> state(Ask(floors="20"), city, "menopause_clinic", **about).problem
    <Problem menopause_clinic: mclp, p ≤ 5, floors district 20%>
    """
    traits = MODELS[ask.model]
    given: dict[str, Any] = {"model": ask.model, "year": year, "level": level}
    if traits.spends:
        given |= {"p": ask.number, "budget": ask.budget}
    if traits.shares and ask.share is not None:
        given["share"] = ask.share / 100
    if ask.floors.strip():
        given["floors"] = floors(ask.floors, city, level)
    places: list[Places] = []
    movable: tuple[str, ...] = ()
    if ask.closing:
        there = facility_layer.open_in(city.facilities, year, entrances=True)
        there = there[there["service"] == service]
        own = there[facility_layer.owners(there) == there["id"]]
        movable = tuple(own["id"])
        city = replace(city, facilities=city.facilities.drop(index=there.index))
        if len(own):
            frame = own[["id", "name", "geometry"]]
            places.append(Points(frame=frame, cost=ask.cost_listed))
    if places or (traits.spends and ask.budget is not None):
        given["candidates"] = (*places, Listed(cost=ask.cost_listed))
        plain = Problem(service=service, model=ask.model, p=ask.number)
        given["spacing"] = usual_spacing(plain, standard, network)
        given["cost"] = ask.cost_new
    return Stated(city=city, problem=Problem(service=service, **given), movable=movable)


def floors(words: str, city: City, level: Level) -> dict[str, float]:
    """Read least rates out of words.

    Parameters
    ----------
    words
        Parts as ``30``, ``30%`` or ``name=30``, with commas or semicolons between them.
    city
        Whose units are named, in Chinese, in English or by code.
    level
        Whose units a part without a name means.

    Raises
    ------
    InputError
        A part that cannot be read, or a rate beyond 100 %.

    Examples
    --------
    >>> from layers import embedded
    >>> floors("330127=25；西湖区：40%", embedded("small"), "district")
    {'330127': 0.25, '西湖区': 0.4}
    """
    known = city.units.assign(name_en=city.units["name_en"].str.casefold())
    known = known.drop_duplicates("name_en", keep=False)
    english = dict(zip(known["name_en"], known["code"], strict=True))
    made = {}
    for part in filter(None, (part.strip() for part in _PARTED.split(words))):
        read = _FLOOR.fullmatch(part)
        if read is None or not 0 <= float(read["rate"]) <= 100:  # noqa: PLR2004 - per cent
            raise InputError(text("site.floor_wrong", found=part))
        unit = read["unit"]
        name = level if unit is None else english.get(unit.casefold(), unit)
        made[cast("str", name)] = float(read["rate"]) / 100
    return made
