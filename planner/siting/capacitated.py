"""The capacitated p-median: the least way, each site serving no more than it can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from layers.errors import InputError
from layers.messages import text
from planner.siting._allocation import Allocation, Loads, allotted, priced
from planner.siting._choice import Choice, verified
from planner.siting.bounds import Dual
from planner.siting.conflict import Conflict
from planner.siting.control import Watch
from planner.siting.limits import Culprit, slack
from planner.siting.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from layers.messages import Language
    from planner.siting.bounds import Point
    from planner.siting.control import Control
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits
    from planner.siting.solution import Status

_STEPS, _EVERY, _NODES = 1_500, 10, 200
_ROUNDING, _WHOLE = 1e-9, 1e-6


@dataclass(frozen=True)
class Shortage:
    """Too little capacity for everyone, whatever is opened.

    Attributes
    ----------
    load
        What has to be served.
    capacity
        What existing sites and those that the limits let open can serve at most.
    """

    load: float
    capacity: float

    def told(self, lang: Language | None = None) -> str:
        """Say so in a sentence."""
        return text(
            "siting.shortage",
            lang,
            load=f"{self.load:,.6g}",
            capacity=f"{self.capacity:,.6g}",
            short=f"{self.load - self.capacity:,.6g}",
        )


def shortage(
    instance: Instance, limits: Limits, *, load: ArrayLike | None = None
) -> Shortage | None:
    """Find out whether there is too little capacity for everyone; None if there is enough.

    Parameters
    ----------
    instance, limits
        The problem.
    load
        (n,) what each row takes of a site's capacity; its people when None.

    Examples
    --------
    >>> from planner.siting.instance import Instance, Pairs
    >>> from planner.siting.limits import Limits
    >>> near = Pairs.from_dense([[0.0, 4.0], [4.0, 0.0]])
    >>> shortage(Instance.of(near, people=[9, 2], capacity=[8, 8]), Limits(number=1))
    Shortage(load=11.0, capacity=8.0)
    """
    choice = Choice(instance, limits)
    whole = float(_loads(instance, load).sum())
    there = float(instance.capacity[instance.existing].sum())
    capacity = np.minimum(instance.capacity[choice.sites], whole)
    with Watch() as watch:
        best = choice.best(-capacity, watch)
    if best is None or there - best.value >= whole - slack(whole):
        return None
    return Shortage(whole, there - best.value)


def capacitated_p_median(
    instance: Instance,
    limits: Limits,
    *,
    load: ArrayLike | None = None,
    split: bool = False,
    beyond: ArrayLike | None = None,
    control: Control | None = None,
) -> Solution:
    """Open sites and allocate the people so that their distances add up to least.

    Parameters
    ----------
    instance
        Demand, sites, distances and capacities. People go where they are sent, which need not
        be the nearest site; existing sites have capacities as well.
    limits
        What the choice must keep. A floor counts the people allocated.
    load
        (n,) what each row takes of a site's capacity; its people when None.
    split
        Whether a row may be served by several sites in parts; else by one.
    beyond
        Distance at which people who are not served are counted, for all or (n,) by row; a
        site further away serves nobody. None: everyone must be served.
    control
        Time, gap and progress.

    Returns
    -------
    Objective in people times the distances' unit; ``assigned`` is who serves most of each
    row. Where capacities cannot hold everyone the conflict says so, and `shortage` by how
    much.

    Raises
    ------
    InputError
        ``load`` or ``beyond`` makes no sense.

    Examples
    --------
    >>> from planner.siting.instance import Instance, Pairs
    >>> from planner.siting.limits import Limits
    >>> near = Pairs.from_dense([[0.0, 4.0], [4.0, 0.0], [5.0, 1.0]])
    >>> instance = Instance.of(near, people=[9, 2, 3], capacity=[9, 4])
    >>> capacitated_p_median(instance, Limits(number=2)).status
    'infeasible'
    >>> capacitated_p_median(instance, Limits(number=2), beyond=9).objective
    21.0
    """
    with Watch(control) as watch:
        loads = Loads.of(instance, limits, _loads(instance, load), beyond, split=split)
        search = _Search(loads, watch)
        if beyond is None and (short := shortage(instance, limits, load=load)) is not None:
            search.conflict = _conflict(limits, short)
            search.infeasible = True
        else:
            search.run()
        return search.solution()


def _loads(instance: Instance, load: ArrayLike | None) -> Floats:
    values = instance.people if load is None else np.asarray(load, dtype=np.float64)
    if values.shape != (instance.demands,):
        raise InputError(
            text("siting.lengths", name="load", found=values.size, wanted=instance.demands)
        )
    wrong = np.flatnonzero(~(values >= 0) | np.isinf(values))
    if len(wrong):
        raise InputError(text("siting.load", rows=", ".join(str(row) for row in wrong[:5])))
    return values


def _conflict(limits: Limits, short: Shortage) -> Conflict:
    culprits = [Culprit("capacity", -1, short.capacity)]
    if limits.number is not None:
        culprits.append(Culprit("number", -1, limits.number))
    if limits.budget is not None:
        culprits.append(Culprit("budget", -1, limits.budget))
    return Conflict(tuple(culprits), ())


class _Search:
    """One solve: the best allocation so far and the best bound."""

    def __init__(self, loads: Loads, watch: Watch) -> None:
        self.loads, self.watch = loads, watch
        self.choice = loads.choice
        self.whole = not loads.split and loads.rows.whole
        self.opened: Ints | None = None
        self.parts: Floats | None = None
        self.best, self.bound = float("inf"), -float("inf")
        self.conflict: Conflict | None = None
        self.infeasible = False
        self.nodes = 0
        self._tried: set[bytes] = set()

    def run(self) -> None:
        """Search until the best is proved, or the watch says stop."""
        capacity = self.loads.room[: len(self.choice.sites)]
        whole = float(self.loads.load.sum())
        first = self.choice.pick(-np.minimum(capacity, whole), self.watch)
        if first is None:
            self.infeasible = self.choice.contradictory or self.choice.impossible
            return
        if self.loads.rows.stuck.any():
            self.infeasible = True
            return
        self._try(first)
        rows = self.loads.rows
        price = rows.penalised.copy()
        counts = rows.counts
        near = rows.start[:-1] + np.minimum(counts // (self.choice.most + 1), counts - 1)
        price[counts > 0] = rows.cost[near[counts > 0]]
        dual = Dual(rows, priced(self.loads, self.watch), price)
        if not self._done():
            self._climb(dual)
        if not self._done() and not self.watch.should_stop():
            self._prove(dual)

    def _climb(self, dual: Dual) -> None:
        ceiling = float(self.loads.rows.penalised.sum())

        def news(point: Point, share: Floats) -> float | None:
            cost = -share if self.choice.simple else point.saved
            picked = self.choice.pick(cost, self.watch, nodes=_NODES)
            if picked is not None:
                self._try(picked)
            self._raise(dual.bound)
            return None if self._done() else min(self.best, ceiling)

        target = min(self.best, ceiling)
        dual.climb(self.watch, target=target, steps=_STEPS, every=_EVERY, news=news)
        self._raise(dual.bound)

    def _try(self, opened: Ints) -> None:
        """Allocate everyone to a choice, move its sites amid those they serve, and again."""
        while opened.tobytes() not in self._tried and not self.watch.should_stop():
            self._tried.add(opened.tobytes())
            parts = allotted(self.loads, opened, self.watch)
            if parts is None:
                return
            self._offer(opened, parts)
            opened = self.loads.moved(opened, parts)

    def _prove(self, dual: Dual) -> None:
        program = Allocation(self.loads, dual, self.best)
        if self.whole:
            program.program.set(mip_abs_gap=1 - _WHOLE)
        start = None if self.parts is None or self.opened is None else (self.opened, self.parts)
        outcome = program.program.solve(
            self.watch,
            what="proof",
            start=None if start is None else program.start(*start),
            tell=lambda _, bound: self._tell(bound, "proof"),
            improved=lambda values, _: self._offer(*program.read(values)),
        )
        self.nodes = outcome.nodes
        if outcome.values is not None:
            self._offer(*program.read(outcome.values))
        if outcome.found == "infeasible":
            self.infeasible = self.opened is None
            self._raise(self.best)
        else:
            self._raise(min(self.best, outcome.bound))

    def _offer(self, opened: Ints, parts: Floats) -> None:
        """Keep an allocation if it keeps the limits and beats the best."""
        objective = self.loads.objective(parts)
        if not objective < self.best or not self.loads.holds(opened, parts):
            return
        sites = self.choice.sites[opened]
        served = self.loads.served(parts)
        if not self.loads.limits.broken(self.loads.instance, sites, served):
            self.best, self.opened, self.parts = objective, opened, parts
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
        """Give what was found."""
        loads = self.loads
        sites = np.empty(0, dtype=np.int64)
        assigned = np.full(loads.instance.demands, -1, dtype=np.int64)
        status: Status = "infeasible" if self.infeasible else "unknown"
        objective, bound = float("nan"), float("nan") if self.infeasible else self.bound
        if self.opened is not None and self.parts is not None:
            sites = np.sort(self.choice.sites[self.opened])
            verified(loads.instance, loads.limits, sites, loads.served(self.parts))
            objective, assigned = self.best, loads.assigned(self.parts)
            status = "optimal" if self._proved else "feasible"
            bound = objective if self._proved else min(bound, objective)
        return Solution(
            model="capacitated_p_median",
            sense="min",
            status=status,
            sites=sites,
            objective=objective,
            bound=bound,
            assigned=assigned,
            seconds=self.watch.seconds,
            nodes=self.nodes,
            stopped=None if self._proved or self.infeasible else self.watch.stopped,
            conflict=self.conflict,
        )
