"""Limits: how many, for how much, where and how far apart sites may be opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from layers.errors import InputError
from layers.messages import text
from planner.reach import SLACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from planner.siting.instance import Floats, Instance, Ints


Kind = Literal[
    "number", "budget", "at_most", "at_least", "apart", "floor", "share", "required", "capacity"
]


@dataclass(frozen=True)
class Culprit:
    """One limit of a conflict.

    Attributes
    ----------
    kind
        Which limit: ``number``, ``budget``, ``at_most``, ``at_least``, ``apart``,
        ``floor``, ``share`` (of all people to be served) or ``required``.
    key
        The unit, area, site or row of `Limits.apart` concerned; -1 for the whole.
    value
        What the limit says.
    """

    kind: Kind
    key: int
    value: float


class Broken(NamedTuple):
    """A limit that a choice of sites does not keep."""

    kind: str
    """``role``, ``number``, ``budget``, ``at_most``, ``at_least``, ``apart`` or ``floor``."""
    key: int
    """The site, unit, area or row of `Limits.apart` concerned; -1 for the whole."""
    found: float
    """What the choice comes to."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Limits:
    """What a choice of sites must keep; None and empty mean no such limit.

    Attributes
    ----------
    number
        How many sites may be opened anew; existing ones do not count, required ones do.
    exactly
        Just so many must be opened rather than at most.
    budget
        Greatest cost of the sites opened, inclusive.
    at_most, at_least
        By unit, how many **new** sites may or must be opened in it.
    apart
        Two arrays (a, b): sites a[i] and b[i] are too near each other to be both open.
        A new site too near an existing one is not opened; two existing ones stay.
    floors
        By area, the least share of its people that must be served, existing sites
        counted. An area without people keeps any floor.

    Raises
    ------
    InputError
        A negative number or budget, a floor outside 0 to 1, or arrays of unequal length.

    Examples
    --------
    >>> Limits(number=3, floors={7: 0.9})
    <Limits: number 3, floors in 1 area>
    """

    number: int | None = None
    exactly: bool = False
    budget: float | None = None
    at_most: Mapping[int, int] = field(default_factory=dict)
    at_least: Mapping[int, int] = field(default_factory=dict)
    apart: tuple[ArrayLike, ArrayLike] = ((), ())
    floors: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("number", "budget"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise InputError(text("siting.limit_negative", name=name, found=value))
        if self.exactly and self.number is None:
            raise InputError(text("siting.exactly_without_number"))
        self._check_units()
        a, b = self.too_near
        if len(a) != len(b):
            raise InputError(text("siting.lengths", name="apart", found=len(b), wanted=len(a)))
        if (a == b).any():
            row = int(np.flatnonzero(a == b)[0])
            raise InputError(text("siting.apart_itself", row=row, site=int(a[row])))

    def _check_units(self) -> None:
        for name in ("at_most", "at_least"):
            for unit, value in getattr(self, name).items():
                if not value >= 0:
                    raise InputError(
                        text("siting.limit_negative", name=f"{name}[{unit}]", found=value)
                    )
        for unit in (*self.at_most, *self.at_least, *self.floors):
            if unit < 0:
                raise InputError(text("siting.limit_nowhere", unit=unit))
        for area, share in self.floors.items():
            if not 0 <= share <= 1:
                raise InputError(text("siting.floor_share", area=area, found=share))

    def check(self, instance: Instance) -> None:
        """Refuse pairs of sites that the instance does not have.

        Raises
        ------
        InputError
            `apart` names such a site.
        """
        for side in self.too_near:
            wrong = (side < 0) | (side >= instance.sites)
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                raise InputError(text("siting.apart_outside", row=row, site=int(side[row])))

    @property
    def too_near(self) -> tuple[Ints, Ints]:
        """`apart` as arrays of integers."""
        a, b = (np.asarray(side, dtype=np.int64).ravel() for side in self.apart)
        return a, b

    def broken(self, instance: Instance, opened: ArrayLike, served: Floats) -> list[Broken]:
        """Limits that a choice of sites does not keep, by plain arithmetic.

        Parameters
        ----------
        instance
            The demand and the sites.
        opened
            Sites opened anew.
        served
            (n,) share of each demand row that is served.
        """
        chosen = np.unique(np.asarray(opened, dtype=np.int64))
        new = np.zeros(instance.sites, dtype=bool)
        new[chosen] = True
        found = [Broken("role", int(site), 1.0) for site in chosen[~instance.openable[chosen]]]
        found += [Broken("role", int(s), 0.0) for s in np.flatnonzero(instance.required & ~new)]
        count, cost = len(chosen), float(instance.cost[chosen].sum())
        if self.number is not None and (
            count > self.number or (self.exactly and count < self.number)
        ):
            found.append(Broken("number", -1, count))
        if self.budget is not None and cost > self.budget + slack(self.budget):
            found.append(Broken("budget", -1, cost))
        for unit, most in self.at_most.items():
            there = int(new[instance.unit == unit].sum())
            if there > most:
                found.append(Broken("at_most", unit, there))
        for unit, least in self.at_least.items():
            there = int(new[instance.unit == unit].sum())
            if there < least:
                found.append(Broken("at_least", unit, there))
        a, b = self.too_near
        is_open = new | instance.existing
        clash = is_open[a] & is_open[b] & (new[a] | new[b])
        found += [Broken("apart", int(row), 2.0) for row in np.flatnonzero(clash)]
        for area, share in self.floors.items():
            inside = instance.area == area
            people = float(instance.people[inside].sum())
            reached = float((instance.people * served)[inside].sum())
            if reached < share * people - slack(people):
                found.append(Broken("floor", area, reached / people))
        return found

    def __repr__(self) -> str:
        parts = []
        if self.number is not None:
            parts.append(f"number {'exactly ' if self.exactly else ''}{self.number}")
        if self.budget is not None:
            parts.append(f"budget {self.budget:g}")
        parts.extend(
            f"{name} in {units} unit{'s' if units > 1 else ''}"
            for name in ("at_most", "at_least")
            if (units := len(getattr(self, name)))
        )
        if near := len(self.too_near[0]):
            parts.append(f"{near} pairs kept apart")
        if areas := len(self.floors):
            parts.append(f"floors in {areas} area{'s' if areas > 1 else ''}")
        return f"<Limits: {', '.join(parts) or 'none'}>"


def slack(scale: float) -> float:
    """How far a sum of that size may be off for the order of adding alone."""
    return SLACK * max(1.0, abs(scale) * 1e-6)
