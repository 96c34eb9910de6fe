"""Fair cover: raise the worst area's rate first, then the next worst, and so on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from layers.errors import InputError
from layers.messages import text
from planner.siting.allocation import allocated
from planner.siting.answer import IMPOSSIBLE, Found, answer, unsolved
from planner.siting.conflict import explain
from planner.siting.control import Watch
from planner.siting.covering import checked
from planner.siting.maximal import DIRECT
from planner.siting.reduction import allocatable, reduced, served, without_dominated
from planner.siting.site_program import Model
from planner.siting.worst import Areas, bound, raised

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from planner.siting.control import Control
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits
    from planner.siting.program import Outcome
    from planner.siting.solution import Solution

# A level is kept to this part of a rate, so that rounding does not forbid it.
_KEPT = 1e-8


@dataclass(frozen=True)
class Level:
    """One level of a fair cover.

    Attributes
    ----------
    rate
        Rate of the area that is worst but for the levels before.
    bound
        No choice that keeps the levels before has a higher one.
    """

    rate: float
    bound: float


@dataclass(frozen=True, eq=False, repr=False)
class FairCover:
    """What fair cover gives.

    Attributes
    ----------
    solution
        Its objective and bound are of the worst area's rate; ``optimal`` if every level
        is proved.
    areas
        (a,) areas where people live.
    rates
        (a,) their rates.
    levels
        From the worst area up, as far as they were solved.
    """

    solution: Solution
    areas: Ints
    rates: Floats
    levels: tuple[Level, ...]

    def __repr__(self) -> str:
        proved = ", ".join(f"{level.rate:.1%}" for level in self.levels[:3])
        return f"<FairCover of {len(self.areas)} areas: worst {proved}; {self.solution!r}>"


def fair_cover(
    instance: Instance,
    limits: Limits,
    *,
    levels: int | None = None,
    value: ArrayLike | None = None,
    control: Control | None = None,
) -> FairCover:
    """Raise the worst area's rate as far as it goes, then the second worst, and so on.

    The lexicographic maximum of the sorted rates. Level by level the sum of the k lowest
    rates is maximised while the sums before are kept (Ogryczak and Śliwiński 2006): that
    is exact for single choices, where fixing the worst area would not be. What people
    live in no area, or in areas beyond the levels asked for, is maximised last.

    Parameters
    ----------
    instance
        Demand and sites; `Instance.area` says which people live together. Every pair
        counts as near.
    limits
        What the choice must keep.
    levels
        How many of the worst areas are raised in turn; all when None.
    value
        As in `planner.siting.covering.maximal_cover`.
    control
        Time, gap, progress and interrupts.

    Raises
    ------
    InputError
        Nobody lives in any area.

    Examples
    --------
    >>> from planner.siting.instance import Instance, Pairs
    >>> from planner.siting.limits import Limits
    >>> far = float("inf")
    >>> near = Pairs.from_dense([[1, far], [1, far], [far, 1], [far, far]])
    >>> here = Instance.of(near, people=[5, 5, 2, 2], area=[0, 0, 1, 1])
    >>> fair_cover(here, Limits(number=2)).rates
    array([1. , 0.5])
    """
    shares = checked(instance, limits, value)
    areas = np.unique(instance.area[(instance.area >= 0) & (instance.people > 0)])
    if not len(areas):
        raise InputError(text("siting.no_areas"))
    with Watch(control) as watch:
        if np.isfinite(instance.capacity).any():
            cover = allocatable(instance, limits, value=shares, by_area=True)
        else:
            cover = reduced(instance, limits, value=shares, by_area=True)
            cover = without_dominated(cover, instance, limits, costs=False)
        ladder = _Ladder(Model(instance, limits, cover, sense="max"), areas, shares)
        return ladder.climb(watch, len(areas) if levels is None else min(levels, len(areas)))


class _Ladder:
    """The program of fair cover, and what its levels came to."""

    def __init__(self, model: Model, areas: Ints, value: Floats | None) -> None:
        self._model, self._areas, self._value = model, areas, value
        instance, terms, program = model.instance, model.terms, model.program
        self._people = np.array([instance.people[instance.area == one].sum() for one in areas])
        base = instance.people * model.cover.base
        self._base = np.array([base[instance.area == one].sum() for one in areas])
        first = program.add_columns(np.zeros(len(areas)))
        self._rate = first + np.arange(len(areas))
        for at, area in enumerate(areas):
            here = terms.area == area
            part = self._base[at] / self._people[at]
            program.add_rows(
                [0, 1 + int(here.sum())],
                np.append(self._rate[at], terms.column[here]),
                np.append(1.0, -terms.people[here] / self._people[at]),
                lower=part,
                upper=part,
            )

    def climb(self, watch: Watch, levels: int) -> FairCover:
        """Maximise the sums of the lowest rates one after the other."""
        model, program = self._model, self._model.program
        instance, limits = model.instance, model.limits
        values: Floats | None = None
        sums, bounds, nodes, proved = [0.0], [0.0], 0, True
        start, ceiling = self._begin(watch)
        for level in range(1, levels + 1):
            column, weight = self._lowest(level)
            outcome = self._maximise(watch, column, weight, start if level == 1 else values)
            nodes += outcome.nodes
            if level == 1:
                outcome = self._at_least(outcome, start, ceiling)
            if level == 1 and outcome.values is None:
                return self._nothing(outcome, watch)
            if outcome.values is None:
                proved = False
                break
            values = outcome.values
            now = float(np.sort(self._rates(values))[:level].sum())
            bounds.append(max(now, min(outcome.bound, float(level))))
            sums.append(now)
            if watch.stopped in {"time", "interrupt"}:
                proved = False
                break
            program.add_rows([0, len(column)], column, weight, lower=now - _KEPT)
        assert values is not None
        if proved and (levels < len(self._areas) or (instance.area < 0).any()):
            outcome = self._maximise(watch, model.terms.column, model.terms.people, values)
            proved = outcome.found == "optimal"
            values = values if outcome.values is None else outcome.values
        rates = self._rates(values)
        worst = np.sort(rates)
        found = Found(model.opened(values), bounds[1], nodes=nodes)
        share, assigned = allocated(model, values) if model.allocates else (None, None)
        solution = answer(
            *("fair_cover", "max", instance, limits, found, watch),
            objective=float(worst[0]),
            share=share,
            assigned=assigned,
            value=self._value,
        )
        ladder = tuple(
            Level(float(worst[k]), max(float(worst[k]), bounds[k + 1] - float(worst[:k].sum())))
            for k in range(len(sums) - 1)
        )
        close = all(level.bound - level.rate <= 10 * _KEPT for level in ladder)
        if solution.status == "optimal" and not (proved and close):
            solution = replace(solution, status="feasible", stopped=watch.stopped or "gap")
        return FairCover(solution, self._areas, rates, ladder)

    def _begin(self, watch: Watch) -> tuple[Floats | None, float]:
        """Values of a good choice to begin with, and a bound on the worst rate."""
        model = self._model
        if model.allocates or len(model.cover.site) <= DIRECT:
            return None, 1.0
        areas = Areas(model.cover, self._areas, self._people, self._base)
        opened = raised(areas, model.instance, model.limits, watch)
        best = 0.0 if opened is None else float(areas.rates(opened).min())
        known = best if opened is not None else None
        watch.tell(known, 1.0, "greedy")
        ceiling = bound(
            *(areas, model.instance, model.limits),
            best=best,
            watch=watch,
            heard=lambda value: watch.tell(known, value, "prices"),
        )
        if opened is None:
            return None, ceiling
        return model.start(opened), ceiling

    def _at_least(self, outcome: Outcome, start: Floats | None, ceiling: float) -> Outcome:
        """Keep what was known before the program was solved, where that is better."""
        if outcome.found == "infeasible":
            return outcome
        outcome = replace(outcome, bound=min(outcome.bound, ceiling))
        if start is None:
            return outcome
        known = outcome.values
        if known is None or self._rates(start).min() > self._rates(known).min():
            return replace(outcome, found="feasible", values=start)
        return outcome

    def _nothing(self, outcome: Outcome, watch: Watch) -> FairCover:
        model = self._model
        found = IMPOSSIBLE if outcome.found == "infeasible" else Found(None, min(outcome.bound, 1))
        conflict = None
        if found.infeasible:
            conflict = explain(model.instance, model.limits, watch, value=self._value)
        solution = unsolved("fair_cover", "max", model.instance, found, watch, conflict)
        return FairCover(solution, self._areas, np.full(len(self._areas), np.nan), ())

    def _lowest(self, level: int) -> tuple[Ints, Floats]:
        """Add columns that come to the sum of the lowest rates: their numbers and weights.

        It is the greatest value of k t - sum of (t - rate) over the rates below t.
        """
        program, many = self._model.program, len(self._areas)
        ceiling = program.add_columns(0.0)
        below = program.add_columns(np.zeros(many)) + np.arange(many)
        column = np.column_stack([np.full(many, ceiling), below, self._rate]).ravel()
        weight = np.tile([1.0, -1.0, -1.0], many)
        program.add_rows(3 * np.arange(many + 1), column, weight, upper=0.0)
        return np.append(ceiling, below), np.append(float(level), np.full(many, -1.0))

    def _maximise(
        self, watch: Watch, column: Ints, weight: Floats, before: Floats | None
    ) -> Outcome:
        program = self._model.program
        program.price(np.arange(program.columns), 0.0)
        program.price(column, weight)
        start = None
        if before is not None:
            start = np.full(program.columns, np.nan)
            start[: len(before)] = before
        return program.solve(watch, what="level", start=start)

    def _rates(self, values: Floats) -> Floats:
        """Rates that a choice comes to, (a,), by plain arithmetic."""
        model, instance = self._model, self._model.instance
        if model.allocates:
            share, _ = allocated(model, values)
        else:
            share = served(instance, model.opened(values), self._value)
        reached = instance.people * share
        return np.array(
            [
                reached[instance.area == one].sum() / people
                for one, people in zip(self._areas, self._people, strict=True)
            ]
        )
