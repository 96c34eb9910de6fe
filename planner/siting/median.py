"""The p-median: the least way for everybody together to the nearest site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.siting._choice import Choice, verified
from planner.siting._radius import Radius, cut_down
from planner.siting.bounds import Dual, Rows, distances, exchange, spread, suggested, unlimited
from planner.siting.control import Watch
from planner.siting.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from planner.siting.bounds import Point
    from planner.siting.control import Control
    from planner.siting.instance import Floats, Instance, Ints, Pairs
    from planner.siting.limits import Limits
    from planner.siting.solution import Status

_STEPS = 3_000
_EVERY = 25
_ENTRIES = 4_000_000
"""Entries up to which a program is worth making: beyond, HiGHS takes too long to begin."""
_ROUNDING = 1e-9
_WHOLE = 1e-6
_NODES = 200
_SAMPLES = (20, 4)
"""Rows are sampled, one in so many, where that leaves enough of them."""
_SAMPLE, _SAMPLE_STEPS = 5_000, 600
_SHORT = 0.2


def p_median(
    instance: Instance,
    limits: Limits,
    *,
    beyond: ArrayLike | None = None,
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
        no further than ``beyond``.
    beyond
        Distance at which people without an open site in their row are counted, for all
        or (n,) by row; a site further away serves nobody. None: everyone with people must be
        served. With rows cut to the nearest sites, the last distance of each row makes the
        bound one for the whole rows as well.
    control
        Time, gap and progress.

    Returns
    -------
    Objective in people times the distances' unit; ``assigned`` is -1 beyond.

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
        search = _Search(instance, limits, beyond, watch)
        search.run()
        return search.solution()


class _Search:
    """One solve: the best choice so far and the best bound."""

    def __init__(
        self, instance: Instance, limits: Limits, beyond: ArrayLike | None, watch: Watch
    ) -> None:
        self.instance, self.limits, self.watch = instance, limits, watch
        self.pairs, self.limit = distances(instance, beyond)
        self.choice = Choice(instance, limits)
        self.rows = Rows.of(instance, self.pairs, self.limit, self.choice)
        self.whole = self.rows.whole
        self.opened: Ints | None = None
        self.best, self.bound = float("inf"), -float("inf")
        self.infeasible = False
        self.nodes = 0
        self._tried: set[bytes] = set()

    def run(self) -> None:
        """Search until the best is proved, or the watch says stop."""
        first = self._first()
        if first is None:
            self.infeasible = self.choice.contradictory or self.choice.impossible
            return
        if self.rows.stuck.any():
            self.infeasible = True
            return
        price = self._begin(first)
        dual = Dual(self.rows, unlimited(self.rows, self.choice, self.watch), price)
        if not self._done():
            self._climb(dual)
        if not self._done() and not self.watch.should_stop():
            self._prove(dual)

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
        target = self.best if np.isfinite(self.best) else float(self.rows.penalised.sum())

        def news(point: Point, share: Floats) -> float | None:
            cost = -share if self.choice.simple else point.saved
            picked = self.choice.pick(cost, self.watch, nodes=_NODES)
            if picked is not None and (key := picked.tobytes()) not in self._tried:
                self._tried.add(key)
                self._offer(exchange(self.rows, self.choice, picked))
            self._raise(dual.bound)
            return None if self._done() else min(self.best, target)

        dual.climb(
            self.watch, target=target, steps=_STEPS, every=_EVERY, news=news, length=self._length
        )
        self._raise(dual.bound)

    def _prove(self, dual: Dual) -> None:
        left, lower, upper = cut_down(dual, self.choice, self.best)
        if len(left.cost) > _ENTRIES:
            return
        radius = Radius(self.instance, self.limits, self.choice, left, lower, upper)
        if self.whole:
            radius.program.set(mip_abs_gap=1 - _WHOLE)
        outcome = radius.program.solve(
            self.watch,
            what="proof",
            start=None if self.opened is None else radius.start(self.opened),
            tell=lambda _, bound: self._tell(bound + radius.constant, "proof"),
            improved=lambda values, _: self._offer(radius.opened(values)),
        )
        self.nodes = outcome.nodes
        if outcome.values is not None:
            self._offer(radius.opened(outcome.values))
        if outcome.found == "infeasible":
            # Nothing as good as the best is left beside it; without one there is nothing at all.
            self.infeasible = self.opened is None
            self._raise(self.best)
        else:
            self._raise(min(self.best, outcome.bound + radius.constant))

    def _offer(self, opened: Ints) -> None:
        """Keep a choice if it keeps the limits and beats the best."""
        is_open = np.zeros(len(self.choice.sites), dtype=bool)
        is_open[opened] = True
        if not float(self.rows.cheapest(is_open).sum()) < self.best:
            return
        sites = self.choice.sites[opened]
        objective, assigned = evaluated(self.instance, self.pairs, self.limit, sites)
        served = (assigned >= 0).astype(np.float64)
        if objective < self.best and not self.limits.broken(self.instance, sites, served):
            self.best, self.opened = objective, opened
            self._tell(self.bound, "exchange")

    def _raise(self, bound: float) -> None:
        if self.whole and np.isfinite(bound):
            bound = float(np.ceil(bound - _WHOLE * max(1.0, 1e-6 * abs(bound))))
        if bound > self.bound:
            self.bound = bound
            self._tell(bound, "bound")

    def _tell(self, bound: float, what: str) -> None:
        best = self.best if np.isfinite(self.best) else None
        known = max(bound, self.bound)
        self.watch.tell(best, min(known, self.best) if np.isfinite(known) else None, what)

    @property
    def _proved(self) -> bool:
        return self.opened is not None and self.best - self.bound <= _ROUNDING * abs(self.best)

    def _done(self) -> bool:
        if self._proved:
            return True
        return self.opened is not None and self.watch.near_enough(self.best, self.bound)

    def solution(self) -> Solution:
        """Give what was found, added up anew."""
        found = self.opened is not None
        nothing = np.empty(0, dtype=np.int64)
        sites = nothing if self.opened is None else np.sort(self.choice.sites[self.opened])
        objective, bound = float("nan"), self.bound
        assigned = np.full(self.instance.demands, -1, dtype=np.int64)
        status: Status = "infeasible" if self.infeasible else "unknown"
        if found:
            objective, assigned = evaluated(self.instance, self.pairs, self.limit, sites)
            served = (assigned >= 0).astype(np.float64)
            verified(self.instance, self.limits, sites, served)
            status = "optimal" if self._proved else "feasible"
            bound = objective if self._proved else min(bound, objective)
        elif self.infeasible:
            bound = float("nan")
        return Solution(
            model="p_median",
            sense="min",
            status=status,
            sites=sites,
            objective=objective,
            bound=bound,
            assigned=assigned,
            seconds=self.watch.seconds,
            nodes=self.nodes,
            stopped=None if self._proved or self.infeasible else self.watch.stopped,
        )


def evaluated(instance: Instance, pairs: Pairs, limit: Floats, opened: Ints) -> tuple[float, Ints]:
    """Add up the people's distances by plain arithmetic.

    Parameters
    ----------
    instance
        The problem.
    pairs, limit
        What `distances` gave.
    opened
        Sites opened anew.

    Returns
    -------
    People times distance, inf if somebody must be served and is not; and (n,) who serves
    each row, -1 beyond.
    """
    site, distance = pairs.nearest(instance.is_open(opened))
    lives = instance.people > 0
    away = np.where(site < 0, limit, distance)[lives]
    return float((instance.people[lives] * away).sum()), site
