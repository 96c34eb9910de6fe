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
from planner.siting.instance import Instance
from planner.siting.program import Program
from planner.siting.search import Search
from planner.siting.solution import verified

if TYPE_CHECKING:
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
        What the choice must keep. Everyone is served, so floors always are.
    weighted
        Count people times distance rather than distance.
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
        search = _Search(instance, limits, watch, weighted=weighted)
        search.run()
        search.explain()
        return search.answer()


class _Search(Search):
    """One solve: its bound is the least distance that was not shown to be too short."""

    def __init__(self, instance: Instance, limits: Limits, watch: Watch, *, weighted: bool) -> None:
        super().__init__(Choice(instance, limits), watch, whole=False)
        self.instance, self.limits = instance, limits
        self.weight = instance.people if weighted else (instance.people > 0).astype(np.float64)
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
        objective, _ = farthest(self.instance, self.weight, sites)
        served = np.ones(self.instance.demands)
        if objective < self.best and not self.limits.broken(self.instance, sites, served):
            self.best, self.opened = objective, opened
            self.tell("exchange")

    def explain(self) -> None:
        """Find out why there is no choice, if there is none."""
        if self.infeasible:
            roomy = replace(self.instance, capacity=np.full(self.instance.sites, np.inf))
            self.conflict = explain(roomy, self.limits, self.watch, share=1.0)

    def answer(self) -> Solution:
        """Give what was found, measured anew."""
        sites = np.empty(0, dtype=np.int64)
        assigned = np.full(self.instance.demands, -1, dtype=np.int64)
        served, objective = np.zeros(self.instance.demands), float("nan")
        if self.opened is not None:
            sites = np.sort(self.choice.sites[self.opened])
            objective, assigned = farthest(self.instance, self.weight, sites)
            verified(self.instance, self.limits, sites, np.ones(self.instance.demands))
            served = (assigned >= 0).astype(np.float64)
        return self.solution(
            "p_centre", sites=sites, objective=objective, assigned=assigned, served=served
        )


def farthest(instance: Instance, weight: Floats, opened: Ints) -> tuple[float, Ints]:
    """Measure the greatest distance by plain arithmetic: it, and (n,) who serves each row.

    Parameters
    ----------
    instance
        The problem.
    weight
        (n,) by which each row's distance is multiplied; 0 where it does not count.
    opened
        Sites opened anew.
    """
    site, distance = instance.pairs.nearest(instance.is_open(opened))
    counts = weight > 0
    return float((weight[counts] * distance[counts]).max(initial=0.0)), site


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
