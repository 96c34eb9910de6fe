"""The p-centre: the least way for whoever has the longest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from planner.siting.bounds import Rows, distances, exchange
from planner.siting.choice import Choice
from planner.siting.conflict import explain
from planner.siting.control import Watch
from planner.siting.floors import distances_within
from planner.siting.instance import Instance
from planner.siting.limits import slack
from planner.siting.program import Program
from planner.siting.reduction import reduced
from planner.siting.search import Search
from planner.siting.solution import verified

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from planner.siting.bounds import Flags
    from planner.siting.control import Control
    from planner.siting.instance import Floats, Ints
    from planner.siting.limits import Limits
    from planner.siting.solution import Solution

_HALF = 0.5
_POWER = 6
_COMPARED = 4_000
"""Rows up to which each is compared with each for holding another."""


def p_centre(
    instance: Instance,
    limits: Limits,
    *,
    weighted: bool = False,
    within: ArrayLike | None = None,
    lost: ArrayLike | None = None,
    control: Control | None = None,
) -> Solution:
    """Open sites so that the greatest distance to the nearest open site is least.

    Existing sites serve as well. The optimum is one of the distances: for one after another,
    halving what is left between the bounds, a covering program tells whether everyone can
    be reached within it, first relaxed and then in whole sites.

    Parameters
    ----------
    instance
        Demand, sites and distances; everyone with people must have an open site in their row,
        so rows cut short must be long enough.
    limits
        What the choice must keep. A floor counts the people served ``within``.
    weighted
        Count people times distance rather than distance.
    within
        Distance up to which somebody counts as served, for all or (n,) by row. None: as
        far as rows go.
    lost
        (n,) rows that need not be served, and count as not served. None for none.
    control
        Time, gap and progress.

    Returns
    -------
    Objective in the distances' unit, times people if weighted. Rows without people do not
    count.

    Examples
    --------
    >>> from planner.siting.instance import Instance, Pairs
    >>> from planner.siting.limits import Limits
    >>> near = Pairs.from_dense([[0.0, 4.0], [4.0, 0.0], [5.0, 1.0]])
    >>> found = p_centre(Instance.of(near, people=[9, 2, 1]), Limits(number=1))
    >>> found.sites, found.objective, found.status
    (array([1]), 4.0, 'optimal')
    """
    with Watch(control) as watch:
        search = _Search(instance, limits, watch, within, lost, weighted=weighted)
        search.run()
        search.explain()
        return search.answer()


class _Search(Search):
    """One solve: its bound is the least distance that was not shown to be too short."""

    def __init__(
        self,
        instance: Instance,
        limits: Limits,
        watch: Watch,
        within: ArrayLike | None,
        lost: ArrayLike | None,
        *,
        weighted: bool,
    ) -> None:
        super().__init__(Choice(instance, limits), watch, whole=False)
        self.instance, self.limits = instance, limits
        self.weight = instance.people if weighted else (instance.people > 0).astype(np.float64)
        if lost is not None:
            self.weight = np.where(lost, 0.0, self.weight)
        far = np.full(instance.demands, np.inf)
        self.within = distances_within(instance, within, far)
        self._floors = _Floors(instance, limits, self.within) if limits.floors else None
        counted = Instance.of(instance.pairs, people=self.weight, role=instance.role)
        self.rows = Rows.of(counted, *distances(instance, None), self.choice)

    def run(self) -> None:
        """Search until the best is proved, or the watch says stop."""
        rows = self.rows
        near = np.bincount(rows.site, minlength=len(self.choice.sites)).astype(np.float64)
        first = self.choice.pick(-near, self.watch)
        if first is None:
            self.infeasible = self.choice.contradictory or self.choice.impossible
            return
        if rows.stuck.any():
            self.infeasible = True
            return
        self._offer(first)
        if not self.watch.should_stop():
            self._offer(exchange(_steep(rows), self.choice, first))
        least = rows.far.copy()
        has = rows.counts > 0
        least[has] = np.minimum(least[has], rows.cost[rows.start[:-1][has]])
        self.raise_bound(float(least.max(initial=0.0)))
        ends = np.concatenate([rows.cost, rows.far[np.isfinite(rows.far)], [self.bound]])
        values = np.unique(ends[(ends >= self.bound) & (ends <= self.best)])
        low = self._halve(values, 0, whole=False)
        if not self.watch.should_stop():
            self._halve(values, low, whole=True)
        if self.opened is None and not self.watch.should_stop():
            self.infeasible = True

    def _halve(self, values: Floats, low: int, *, whole: bool) -> int:
        """Find the first distance that may do, from one on: its place among the values."""
        high = len(values)
        while low < high:
            # What is sure to do lies at the best; without one only the last may show it.
            if whole and np.isfinite(self.best):
                high = min(high, int(np.searchsorted(values, self.best)))
                if low >= high:
                    break
            middle = (low + high) // 2
            answer = self._reaches(float(values[middle]), whole=whole)
            if answer is None:
                break
            if answer:
                high = middle
            else:
                low = middle + 1
                self.raise_bound(float(values[low]) if low < len(values) else self.best)
            if self.done:
                break
        return low

    def _reaches(self, radius: float, *, whole: bool) -> bool | None:
        """Whether some choice reaches everyone; None if it was stopped first."""
        rows = self.rows
        wanting = np.flatnonzero(rows.far > radius)
        near = (rows.cost <= radius) & (rows.far > radius)[rows.owner]
        cover = sp.csr_array(
            (np.ones(int(near.sum()), np.float32), (rows.owner[near], rows.site[near])),
            shape=(len(rows.far), len(self.choice.sites)),
        )[wanting]
        cover = _hardest(cover)
        program = Program("min")
        self.choice.add_to(program, np.ones(len(self.choice.sites)), integer=whole)
        program.add_rows(cover.indptr, cover.indices, 1.0, lower=1.0)
        if self._floors is not None:
            self._floors.add_to(program, self.choice)
        if whole:
            program.set(mip_max_improving_sols=1)
        outcome = program.solve(self.watch, what="proof", tell=lambda *_: None)
        self.nodes += outcome.nodes
        if outcome.found == "infeasible":
            return False
        if outcome.values is None:
            return None
        values = outcome.values[: len(self.choice.sites)]
        chosen = values > _HALF
        if whole or np.abs(values - chosen).max(initial=0.0) < 1e-6:  # noqa: PLR2004 - rounding
            self._offer(np.flatnonzero(chosen))
        return True

    def _offer(self, opened: Ints) -> None:
        sites = self.choice.sites[opened]
        objective, _, served = self._measured(sites)
        if objective < self.best and not self.limits.broken(self.instance, sites, served):
            self.best, self.opened = objective, opened
            self.tell("exchange")

    def explain(self) -> None:
        """Find out why there is no choice, if there is none."""
        if self.infeasible:
            roomy = replace(self.instance, capacity=np.full(self.instance.sites, np.inf))
            if self.limits.floors:
                kept = roomy.pairs.distance <= np.repeat(self.within, roomy.pairs.counts)
                near = replace(roomy, pairs=roomy.pairs.keep(kept))
                self.conflict = explain(near, self.limits, self.watch)
            if self.conflict is None:
                counted = replace(roomy, people=np.where(self.weight > 0, roomy.people, 0.0))
                limits = replace(self.limits, floors={})
                self.conflict = explain(counted, limits, self.watch, share=1.0)

    def answer(self) -> Solution:
        """Give what was found, measured anew."""
        sites = np.empty(0, dtype=np.int64)
        assigned = np.full(self.instance.demands, -1, dtype=np.int64)
        served, objective = np.zeros(self.instance.demands), float("nan")
        if self.opened is not None:
            sites = np.sort(self.choice.sites[self.opened])
            objective, assigned, served = self._measured(sites)
            verified(self.instance, self.limits, sites, served)
        return self.solution(
            "p_centre", sites=sites, objective=objective, assigned=assigned, served=served
        )

    def _measured(self, opened: Ints) -> tuple[float, Ints, Floats]:
        """Measure by plain arithmetic: the greatest distance, and who serves each row.

        The last, (n,), is 1 where that counts for the floors.
        """
        site, distance = self.instance.pairs.nearest(self.instance.is_open(opened))
        counts = self.weight > 0
        served = (site >= 0) & (distance <= self.within)
        greatest = float((self.weight[counts] * distance[counts]).max(initial=0.0))
        return greatest, site, served.astype(np.float64)


class _Floors:
    """Floors as rows of a covering program: people, merged, who are near enough or not."""

    def __init__(self, instance: Instance, limits: Limits, within: Floats) -> None:
        kept = instance.pairs.distance <= np.repeat(within, instance.pairs.counts)
        near = replace(instance, pairs=instance.pairs.keep(kept))
        self._cover = cover = reduced(near, limits)
        self._short = []
        for area, share in limits.floors.items():
            inside = instance.area == area
            total = float(instance.people[inside].sum())
            there = float((instance.people * cover.base)[inside].sum())
            self._short.append((area, share * total - there - slack(total) / 2))

    def add_to(self, program: Program, choice: Choice) -> None:
        """Add the floors to a program whose first columns are the choice's sites."""
        cover = self._cover
        assert len(cover.sites) == len(choice.sites)
        column = program.add_columns(np.zeros(cover.rows)) + np.arange(cover.rows)
        program.add_rows(
            cover.start + np.arange(cover.rows + 1),
            np.insert(cover.site.astype(np.int64), cover.start[:-1], column),
            np.insert(np.ones(len(cover.site)), cover.start[:-1], -1.0),
            lower=0.0,
        )
        for area, short in self._short:
            here = cover.area == area
            if short > 0:
                people = cover.weight[here]
                scale = max(1.0, float(people.max(initial=1.0)))
                program.add_rows(
                    [0, len(people)], column[here], people / scale, lower=short / scale
                )


def _steep(rows: Rows) -> Rows:
    """Count long ways for much more than short ones, so that their sum is about the longest."""
    scale = float(rows.cost.max(initial=0.0)) or 1.0
    return replace(rows, cost=(rows.cost / scale) ** _POWER, far=(rows.far / scale) ** _POWER)


def _hardest(cover: sp.csr_array) -> sp.csr_array:
    """Drop rows that are covered whenever another is."""
    cover.sort_indices()
    counts = np.diff(cover.indptr)
    marks = np.random.default_rng(0).integers(1, 2**62, cover.shape[1])
    sums = np.concatenate([[0], np.cumsum(marks[cover.indices])])
    mark = sums[cover.indptr[1:]] - sums[cover.indptr[:-1]]
    # Rows of one mark are the same but for a collision, in which case both are kept.
    _, first, which = np.unique(mark, return_index=True, return_inverse=True)
    twin = first[which]
    same = counts == counts[twin]
    differs = np.zeros(len(counts), dtype=bool)
    owner = np.repeat(np.arange(len(counts)), counts)
    entry = np.arange(len(cover.indices))
    mirrored = entry - cover.indptr[owner] + cover.indptr[twin[owner]]
    held = same[owner]
    differs[owner[held][cover.indices[mirrored[held]] != cover.indices[held]]] = True
    kept = (twin == np.arange(len(counts))) | ~same | differs
    slim = cover[np.flatnonzero(kept)]
    if slim.shape[0] > _COMPARED:
        return slim
    sizes = np.diff(slim.indptr)
    order = np.argsort(sizes, kind="stable")
    slim, sizes = slim[order], sizes[order]
    common = (slim @ slim.T).tocoo()
    # A row that holds an earlier one whole adds nothing.
    row, other = common.coords
    holds: Flags = (common.data >= sizes[other]) & (other < row)
    idle = np.zeros(slim.shape[0], dtype=bool)
    idle[row[holds]] = True
    return slim[np.flatnonzero(~idle)]
