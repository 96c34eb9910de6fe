"""The p-median: the least way for everybody together to the nearest site."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.siting.bounds import Dual, Rows, distances, exchange, spread, suggested, unlimited
from planner.siting.branching import branch
from planner.siting.choice import Choice
from planner.siting.conflict import explain
from planner.siting.control import Watch
from planner.siting.floors import Promises, distances_within
from planner.siting.radius import Radius, cut_down
from planner.siting.search import Search
from planner.siting.solution import verified

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from planner.siting.bounds import Point
    from planner.siting.control import Control
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits
    from planner.siting.solution import Solution

_STEPS = 3_000
_EVERY = 25
_ENTRIES = 4_000_000
"""Entries up to which a program is worth making: beyond, HiGHS takes too long to begin."""
_WHOLE = 1e-6
_HALF = 0.5
_NODES = 200
_PARTS = 1_000
"""Parts of the choices that are bounded before the rest is left to HiGHS."""
_SAMPLES = (20, 4)
"""Rows are sampled, one in so many, where that leaves enough of them."""
_SAMPLE, _SAMPLE_STEPS = 5_000, 600
_SHORT = 0.2


def p_median(
    instance: Instance,
    limits: Limits,
    *,
    beyond: ArrayLike | None = None,
    within: ArrayLike | None = None,
    control: Control | None = None,
) -> Solution:
    """Open sites so that the people's distances to the nearest open site add up to least.

    Existing sites serve as well. The dual's prices and exchanges close most of the gap; what
    they leave undecided goes to HiGHS.

    Parameters
    ----------
    instance
        Demand, sites and distances. Rows may be cut short: see ``beyond``.
    limits
        What the choice must keep. A floor counts the people with an open site in their row,
        no further than ``beyond`` and ``within``.
    beyond
        Distance at which people without an open site in their row are counted, for all
        or (n,) by row; a site further away serves nobody. None: everyone with people must be
        served. With rows cut to the nearest sites, the last distance of each row makes the
        bound one for the whole rows as well.
    within
        Distance up to which somebody counts as served, for all or (n,) by row; rows must
        not be cut shorter than that. None: as far as they go.
    control
        Time, gap and progress.

    Returns
    -------
    Objective in people times the distances' unit; ``assigned`` is -1 beyond, and ``served``
    tells who is within.

    Raises
    ------
    InputError
        ``beyond`` makes no sense.

    Examples
    --------
    >>> from planner.siting.instance import Instance, Pairs
    >>> from planner.siting.limits import Limits
    >>> near = Pairs.from_dense([[0.0, 4.0], [4.0, 0.0], [5.0, 1.0]])
    >>> found = p_median(Instance.of(near, people=[9, 2, 1]), Limits(number=1))
    >>> found.sites, found.objective, found.status
    (array([0]), 13.0, 'optimal')
    """
    with Watch(control) as watch:
        search = _Search(instance, limits, beyond, within, watch)
        search.run()
        search.explain(beyond)
        return search.answer()


class _Search(Search):
    """One solve."""

    def __init__(
        self,
        instance: Instance,
        limits: Limits,
        beyond: ArrayLike | None,
        within: ArrayLike | None,
        watch: Watch,
    ) -> None:
        self.instance, self.limits = instance, limits
        self.pairs, self.limit = distances(instance, beyond)
        self.within = distances_within(instance, within, self.limit)
        choice = Choice(instance, limits)
        rows = Rows.of(instance, self.pairs, self.limit, choice)
        super().__init__(choice, watch, whole=rows.whole)
        self.promises = Promises.of(instance, limits, rows, self.within)
        self.rows, self.constant = rows, 0.0
        self._tried: set[bytes] = set()

    def run(self) -> None:
        """Search until the best is proved, or the watch says stop."""
        first = self._first()
        if first is None:
            self.infeasible = self.choice.contradictory or self.choice.impossible
            return
        if self.rows.stuck.any() or self._beyond_all():
            self.infeasible = True
            return
        # Nobody can do better than with every site open; whatever stops it, this is known.
        every = self.rows.cheapest(self.choice.upper > 0)
        self.raise_bound(float(np.minimum(every, self.rows.penalised).sum()))
        if self.limits.floors:
            first = self._promised(first)
        price = self._begin(first)
        dual = Dual(self.rows, self._relaxed(self.choice), price)
        for step in (self._climb, self._branch, self._prove):
            if self.done or self.infeasible or self.watch.should_stop():
                return
            step(dual)

    def _relaxed(self, choice: Choice) -> Callable[[Floats], Point | None]:
        return unlimited(self.rows, choice, self.watch, self.constant)

    def _beyond_all(self) -> bool:
        """Whether some floor cannot be kept whatever is opened."""
        return bool((self.promises.short(self.choice.upper > 0) > 0).any())

    def _promised(self, opened: Ints) -> Ints:
        """Find a choice that keeps the floors, and put their prices on the rows."""

        def improve(rows: Rows, opened: Ints) -> Ints:
            better = exchange(rows, self.choice, opened)
            self._offer(better)
            return better

        sites = len(self.choice.sites)
        price, opened = self.promises.search(improve, opened, sites, self.watch)
        self.rows, self.constant = self.promises.priced(price), self.promises.constant(price)
        return opened

    def _begin(self, opened: Ints) -> Floats:
        """Improve a first choice and find prices, by way of samples where rows are many."""
        sites, people = len(self.choice.sites), self.instance.people
        below: tuple[Rows, Floats] | None = None
        for every in _SAMPLES:
            if len(self.rows.far) < every * _SAMPLE or self.watch.should_stop():
                continue
            sample = self.rows.sample(every)
            opened = exchange(sample, self.choice, opened)
            price = spread(*below, sample, people) if below else suggested(sample, opened, sites)
            dual = Dual(sample, unlimited(sample, self.choice, self.watch), price)
            is_open = np.zeros(sites, dtype=bool)
            is_open[opened] = True
            target = float(np.minimum(sample.cheapest(is_open), sample.penalised).sum())
            dual.climb(
                self.watch,
                target=target,
                steps=_SAMPLE_STEPS,
                every=_SAMPLE_STEPS,
                news=lambda *_, target=target: target,
                length=_SHORT if below else 1.0,
            )
            below = sample, dual.price
        self._length = _SHORT if below else 1.0
        if self.watch.should_stop():
            self._offer(opened)
            return suggested(self.rows, opened, sites)
        self._offer(exchange(self.rows, self.choice, opened))
        if below:
            return spread(*below, self.rows, people)
        return suggested(self.rows, opened if self.opened is None else self.opened, sites)

    def _first(self) -> Ints | None:
        """Pick sites that save much, each row counting those one would expect to be open."""
        rows = self.rows
        far = rows.penalised
        counts = rows.counts
        at = rows.start[:-1] + np.minimum(counts // (self.choice.most + 1), counts - 1)
        price = far.copy()
        price[counts > 0] = rows.cost[at[counts > 0]]
        saved = np.minimum(rows.cost - price[rows.owner], 0.0)
        cost = np.bincount(rows.site, weights=saved, minlength=len(self.choice.sites)).astype(
            np.float64
        )
        return self.choice.pick(cost, self.watch)

    def _climb(self, dual: Dual) -> None:
        ceiling = float(self.rows.penalised.sum()) + self.constant

        def news(point: Point, share: Floats) -> float | None:
            self._try(-share if self.choice.simple else point.saved)
            self.raise_bound(dual.bound)
            return None if self.done else min(self.best, ceiling)

        target = min(self.best, ceiling)
        dual.climb(
            self.watch, target=target, steps=_STEPS, every=_EVERY, news=news, length=self._length
        )
        self.raise_bound(dual.bound)

    def _try(self, cost: Floats) -> None:
        """Pick the sites that seem cheapest, and improve them by exchanges."""
        picked = self.choice.pick(cost, self.watch, nodes=_NODES)
        if picked is not None and (key := picked.tobytes()) not in self._tried:
            self._tried.add(key)
            self._offer(exchange(self.rows, self.choice, picked))

    def _branch(self, dual: Dual) -> bool:
        def settle(part: Choice, _: Dual) -> float:
            self._offer(np.flatnonzero(part.lower > _HALF))
            return float("inf")

        return branch(
            self,
            dual,
            relax=self._relaxed,
            settle=settle,
            tried=lambda share: self._try(-share),
            nodes=_PARTS,
        )

    def _prove(self, dual: Dual) -> None:
        left, lower, upper = cut_down(dual, self.choice, self.best, self.promises.rows)
        if len(left.cost) > _ENTRIES:
            return
        radius = Radius(self.promises, self.choice, left, lower, upper)
        if self.whole:
            radius.program.set(mip_abs_gap=1 - _WHOLE)
        outcome = radius.program.solve(
            self.watch,
            what="proof",
            start=None if self.opened is None else radius.start(self.opened),
            tell=lambda _, bound: self.tell("proof", bound + radius.constant),
            improved=lambda values, _: self._offer(radius.opened(values)),
        )
        self.nodes += outcome.nodes
        if outcome.values is not None:
            self._offer(radius.opened(outcome.values))
        if outcome.found == "infeasible":
            # Nothing as good as the best is left beside it; without one there is nothing at all.
            self.infeasible = self.opened is None
            self.raise_bound(self.best)
        else:
            self.raise_bound(min(self.best, outcome.bound + radius.constant))

    def _offer(self, opened: Ints) -> None:
        """Keep a choice if it keeps the limits and beats the best."""
        is_open = np.zeros(len(self.choice.sites), dtype=bool)
        is_open[opened] = True
        if not float(self.promises.rows.cheapest(is_open).sum()) < self.best:
            return
        sites = self.choice.sites[opened]
        objective, _, served = self._evaluated(sites)
        if objective < self.best and not self.limits.broken(self.instance, sites, served):
            self.best, self.opened = objective, opened
            self.tell("exchange")

    def explain(self, beyond: ArrayLike | None) -> None:
        """Find out why there is no choice, if there is none."""
        if self.infeasible:
            roomy = np.full(self.instance.sites, np.inf)
            near = replace(self.instance, pairs=self.pairs, capacity=roomy)
            if self.limits.floors:
                kept = self.pairs.distance <= np.repeat(self.within, self.pairs.counts)
                served = replace(near, pairs=self.pairs.keep(kept))
                self.conflict = explain(served, self.limits, self.watch)
            if self.conflict is None:
                limits = replace(self.limits, floors={})
                share = 1.0 if beyond is None else None
                self.conflict = explain(near, limits, self.watch, share=share)

    def answer(self) -> Solution:
        """Give what was found, added up anew."""
        sites = np.empty(0, dtype=np.int64)
        assigned = np.full(self.instance.demands, -1, dtype=np.int64)
        served, objective = np.zeros(self.instance.demands), float("nan")
        if self.opened is not None:
            sites = np.sort(self.choice.sites[self.opened])
            objective, assigned, served = self._evaluated(sites)
            verified(self.instance, self.limits, sites, served)
        return self.solution(
            "p_median",
            sites=sites,
            objective=objective,
            assigned=assigned,
            served=served,
        )

    def _evaluated(self, opened: Ints) -> tuple[float, Ints, Floats]:
        """Add up the people's distances by plain arithmetic.

        Parameters
        ----------
        opened
            Sites opened anew.

        Returns
        -------
        People times distance, inf if somebody must be served and is not; (n,) who serves
        each row, -1 beyond; and (n,) 1 where that counts for the floors.
        """
        people = self.instance.people
        site, distance = self.pairs.nearest(self.instance.is_open(opened))
        lives = people > 0
        away = np.where(site < 0, self.limit, distance)[lives]
        served = (site >= 0) & (distance <= self.within)
        return float((people[lives] * away).sum()), site, served.astype(np.float64)
