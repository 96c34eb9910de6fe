"""Phases: which of a good end's sites to open in which year."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from layers.errors import InputError
from layers.messages import text
from planner.siting.control import Watch
from planner.siting.covering import checked, most_people
from planner.siting.instance import Role
from planner.siting.limits import Limits, slack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from planner.siting.control import Control
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.solution import Solution


_Count = TypeVar("_Count", int, float)


@dataclass(frozen=True)
class Year:
    """What may be opened in a year.

    Attributes
    ----------
    year
        The year.
    number
        How many new sites; None for no limit of its own.
    budget
        Money for them; None for no limit of its own. What a year leaves, of money or
        number, later years may use.
    """

    year: int
    number: int | None = None
    budget: float | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Phases:
    """A plan by years.

    Attributes
    ----------
    years
        The years.
    solutions
        The state at the end of each: all sites opened up to then. The last is the end;
        each earlier one is the best subset of the next that its years can pay for, which
        is what its bound is about.
    """

    years: tuple[Year, ...]
    solutions: tuple[Solution, ...]

    @property
    def opened(self) -> dict[int, Ints]:
        """Sites opened in each year."""
        before = np.empty(0, dtype=np.int64)
        found = {}
        for year, solution in zip(self.years, self.solutions, strict=True):
            found[year.year] = np.setdiff1d(solution.sites, before)
            before = solution.sites
        return found

    @property
    def objectives(self) -> dict[int, float]:
        """People served at the end of each year."""
        return {
            year.year: solution.objective
            for year, solution in zip(self.years, self.solutions, strict=True)
        }

    def __repr__(self) -> str:
        told = ", ".join(f"{year}: {people:,.6g}" for year, people in self.objectives.items())
        return f"<Phases: {told}>"


def phased_cover(
    instance: Instance,
    limits: Limits,
    years: Sequence[Year],
    *,
    end: ArrayLike | None = None,
    value: ArrayLike | None = None,
    control: Control | None = None,
) -> Phases:
    """Plan by years: the best end first, then each earlier year's best part of it.

    Sites once opened stay. Years are limited by what has come together up to them: a
    year may leave money to the next, not the other way round.

    Parameters
    ----------
    instance
        Demand and sites, as in `planner.siting.covering.maximal_cover`.
    limits
        What the end must keep. Floors, required sites and least numbers hold at the end
        alone; greatest numbers and distances hold throughout.
    years
        The years in their order.
    end
        Sites of an end already chosen; the maximal cover when None.
    value
        As in `planner.siting.covering.maximal_cover`.
    control
        Time, gap, progress and interrupts, for all together.

    Raises
    ------
    InputError
        No years, years out of order, or an end beyond what all years can pay for.
    PlannerError
        An end given that breaks the limits.

    Examples
    --------
    >>> from planner.siting.instance import Instance, Pairs
    >>> from planner.siting.limits import Limits
    >>> far = float("inf")
    >>> near = Pairs.from_dense([[1, far], [far, 1]])
    >>> here = Instance.of(near, people=[3, 8])
    >>> plan = phased_cover(here, Limits(), [Year(2026, 1), Year(2027, 1)])
    >>> plan
    <Phases: 2026: 8, 2027: 11>
    >>> plan.opened
    {2026: array([1]), 2027: array([0])}
    """
    shares = checked(instance, limits, value)
    _check(years)
    number, budget = _together(years)
    total = number[-1]
    if limits.exactly and limits.number is not None and total is not None:
        _affordable(limits.number, total)
    last = replace(
        limits,
        number=_least(number[-1], limits.number),
        budget=_least(budget[-1], limits.budget),
    )
    with Watch(control) as watch:
        if end is None:
            state = most_people(instance, last, watch, shares)
        else:
            state = _given(instance, last, np.unique(np.asarray(end, np.int64)), watch, shares)
        states = [state]
        for at in range(len(years) - 2, -1, -1):
            if state.found:
                within = Limits(number=number[at], budget=budget[at])
                state = most_people(_part_of(instance, state.sites), within, watch, shares)
            states.append(state)
    return Phases(tuple(years), tuple(reversed(states)))


def _check(years: Sequence[Year]) -> None:
    if not years:
        raise InputError(text("siting.no_years"))
    for before, after in pairwise(years):
        if after.year <= before.year:
            raise InputError(text("siting.year_order", found=after.year, before=before.year))
    for year in years:
        # They are refused as limits are.
        Limits(number=year.number, budget=year.budget)


def _together(years: Sequence[Year]) -> tuple[list[int | None], list[float | None]]:
    """Numbers and budgets that have come together up to each year."""
    numbers: list[int | None] = []
    budgets: list[float | None] = []
    number: int | None = 0
    budget: float | None = 0.0
    for year in years:
        number = None if number is None or year.number is None else number + year.number
        budget = None if budget is None or year.budget is None else budget + year.budget
        numbers.append(number)
        budgets.append(budget)
    return numbers, budgets


def _least(one: _Count | None, other: _Count | None) -> _Count | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _affordable(found: float, most: float | None) -> None:
    if most is not None and found > most + slack(most):
        raise InputError(text("siting.end_too_much", found=f"{found:g}", most=f"{most:g}"))


def _part_of(instance: Instance, sites: Ints) -> Instance:
    """Let only some sites be opened, none of them by force."""
    role = np.where(instance.existing, Role.EXISTING, Role.FORBIDDEN).astype(np.int8)
    role[sites] = Role.CANDIDATE
    return replace(instance, role=role)


def _given(
    instance: Instance, limits: Limits, end: Ints, watch: Watch, value: Floats | None
) -> Solution:
    """Solve for who is served by an end already chosen."""
    _affordable(len(end), limits.number)
    _affordable(float(instance.cost[end].sum()), limits.budget)
    role = np.where(instance.existing, Role.EXISTING, Role.FORBIDDEN).astype(np.int8)
    role[end] = Role.REQUIRED
    return most_people(replace(instance, role=role), limits, watch, value)
