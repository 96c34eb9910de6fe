"""The capacitated p-median: the least way, each site serving no more than it can."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from layers.errors import InputError
from layers.messages import text
from planner.siting.bounds import Dual, Rows, exchange, suggested, unlimited
from planner.siting.branching import branch
from planner.siting.choice import Choice
from planner.siting.conflict import explain
from planner.siting.control import Watch
from planner.siting.instance import Role
from planner.siting.limits import slack
from planner.siting.loads import Allocation, Loads, priced
from planner.siting.search import Search
from planner.siting.solution import verified
from planner.siting.transport import allotted

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from layers.messages import Language
    from planner.siting.bounds import Point
    from planner.siting.control import Control
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits
    from planner.siting.program import Outcome
    from planner.siting.solution import Solution

_STEPS, _EVERY, _NODES = 1_500, 10, 200
_WHOLE = 1e-6
_LARGE, _ROOMY, _NEAR = 200_000, 200, 1e-3
"""Entries from which sites are first looked at as if they held everyone; steps of that, and
how near its bound is to be before it is left."""
_ENTRIES = 2_000_000
"""Entries up to which a program is worth making: beyond, HiGHS takes too long to begin."""
_PARTS = 3000
"""Parts of the choices that are bounded before the rest is left to HiGHS."""


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
    within: ArrayLike | None = None,
    lost: ArrayLike | None = None,
    control: Control | None = None,
) -> Solution:
    """Open sites and allocate the people so that their distances add up to least.

    Parameters
    ----------
    instance
        Demand, sites, distances and capacities. People go where they are sent, which need not
        be the nearest site; existing sites have capacities as well.
    limits
        What the choice must keep. A floor counts the people allocated ``within``.
    load
        (n,) what each row takes of a site's capacity; its people when None.
    split
        Whether a row may be served by several sites in parts; else by one.
    beyond
        Distance at which people who are not served are counted, for all or (n,) by row; a
        site further away serves nobody. None: everyone must be served.
    within
        Distance up to which somebody counts as served, for all or (n,) by row. None: as
        far as rows go.
    control
        Time, gap and progress.

    Returns
    -------
    Objective in people times the distances' unit; ``assigned`` is who serves most of each
    row. Where capacities cannot hold everyone `shortage` says by how much.

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
        heavy, most = _loads(instance, load), beyond
        if lost is not None:
            heavy = np.where(lost, 0.0, heavy)
            most = np.where(lost, 0.0, np.inf if beyond is None else beyond)
        loads = Loads.of(instance, limits, heavy, most, within, split=split)
        search = _Search(loads, watch)
        if beyond is None and shortage(instance, limits, load=heavy) is not None:
            search.infeasible = True
        else:
            search.run()
        search.explain(everyone=beyond is None)
        return search.answer()


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


class _Search(Search):
    """One solve."""

    def __init__(self, loads: Loads, watch: Watch) -> None:
        super().__init__(loads.choice, watch, whole=not loads.split and loads.rows.whole)
        self.loads = loads
        self.parts: Floats | None = None
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
        rows = self.loads.rows
        # Nobody goes less far than to the nearest site there might be.
        self.raise_bound(float(rows.cheapest(self.loads.usable(self.choice)).sum()))
        large = self.loads.split and len(rows.cost) > _LARGE
        self._try(first, quickly=large)
        price = rows.penalised.copy()
        counts = rows.counts
        near = rows.start[:-1] + np.minimum(counts // (self.choice.most + 1), counts - 1)
        price[counts > 0] = rows.cost[near[counts > 0]]
        relaxed = priced(self.loads, self.choice, self.watch)
        if large and not self.watch.should_stop():
            price = self._roomy(first, price, relaxed)
        dual = Dual(rows, relaxed, price)
        for step in (self._climb, self._branch, self._prove):
            if self.done or self.infeasible or self.watch.should_stop():
                return
            step(dual)

    def _roomy(
        self, opened: Ints, price: Floats, relaxed: Callable[[Floats], Point | None]
    ) -> Floats:
        """Improve a choice and prices as if new sites held everyone, and existing ones nobody.

        That is far quicker, and near the truth where new sites are to serve most.
        """
        instance, rows = self.loads.instance, self.loads.rows
        limit = np.full(instance.demands, np.inf)
        limit[rows.row] = rows.far / np.maximum(instance.people[rows.row], 1e-300)
        role = np.where(instance.existing, Role.FORBIDDEN, instance.role).astype(np.int8)
        free = Rows.of(replace(instance, role=role), self.loads.pairs, limit, self.choice)
        better = exchange(free, self.choice, opened)
        self._try(better, quickly=True)
        dual = Dual(
            free,
            unlimited(free, self.choice, self.watch),
            suggested(free, better, len(self.choice.sites)),
        )
        is_open = np.zeros(len(self.choice.sites), dtype=bool)
        is_open[better] = True
        target = float(np.minimum(free.cheapest(is_open), free.penalised).sum())

        def news(_: Point, share: Floats) -> float | None:
            picked = self.choice.pick(-share, self.watch, nodes=_NODES)
            if picked is not None:
                self._try(exchange(free, self.choice, picked), quickly=True)
            return None if target - dual.bound <= _NEAR * abs(target) else target

        where = np.full(instance.demands, -1, dtype=np.int64)
        where[free.row] = np.arange(len(free.row))
        known = where[rows.row]
        for steps in (_ROOMY // 4, _ROOMY):
            dual.climb(self.watch, target=target, steps=steps, every=_ROOMY // 4, news=news)
            price = np.where(known >= 0, np.append(dual.price, 0.0)[known], price)
            point = relaxed(price)
            if point is not None:
                # Prices prove a bound wherever they come from.
                self.raise_bound(min(point.bound, self.best))
            if self.done or self.watch.should_stop():
                break
        return price

    def _climb(self, dual: Dual) -> None:
        ceiling = float(self.loads.rows.penalised.sum())

        def news(point: Point, share: Floats) -> float | None:
            self._rank(-share if self.choice.simple else point.saved)
            self.raise_bound(dual.bound)
            return None if self.done else min(self.best, ceiling)

        target = min(self.best, ceiling)
        dual.climb(self.watch, target=target, steps=_STEPS, every=_EVERY, news=news)
        self.raise_bound(dual.bound)

    def _branch(self, dual: Dual) -> bool:
        return branch(
            self,
            dual,
            relax=lambda part: priced(self.loads, part, self.watch),
            settle=self._settle,
            tried=lambda share: self._rank(-share),
            nodes=_PARTS,
        )

    def _settle(self, part: Choice, dual: Dual) -> float:
        """Find out who goes where once the sites are chosen; gives the bound, inf if proved."""
        program = Allocation(self.loads, part, dual, self.best)
        outcome = self._solve(program, None, lambda *_: None, gap=0.0)
        done = outcome.found in {"optimal", "infeasible"}
        return float("inf") if done else outcome.bound

    def _rank(self, cost: Floats) -> None:
        """Try the sites that seem cheapest."""
        picked = self.choice.pick(cost, self.watch, nodes=_NODES)
        if picked is not None:
            self._try(picked)

    def _try(self, opened: Ints, *, quickly: bool = False) -> None:
        """Allocate everyone to a choice, move its sites amid those they serve, and again."""
        while opened.tobytes() not in self._tried and not self.watch.should_stop():
            self._tried.add(opened.tobytes())
            parts = allotted(self.loads, opened, self.watch, quickly=quickly)
            if parts is None:
                return
            self._offer(opened, parts)
            if quickly:
                return
            opened = self.loads.moved(opened, parts)

    def _prove(self, dual: Dual) -> None:
        if len(self.loads.rows.cost) > _ENTRIES:
            return
        program = Allocation(self.loads, self.choice, dual, self.best)
        start = None
        if self.parts is not None and self.opened is not None:
            start = program.start(self.opened, self.parts)
        outcome = self._solve(program, start, lambda _, bound: self.tell("proof", bound))
        self.nodes += outcome.nodes
        if outcome.found == "infeasible":
            self.infeasible = self.opened is None
            self.raise_bound(self.best)
        else:
            self.raise_bound(min(self.best, outcome.bound))

    def _solve(
        self,
        program: Allocation,
        start: Floats | None,
        tell: Callable[[float | None, float], None],
        gap: float | None = None,
    ) -> Outcome:
        if self.whole:
            program.program.set(mip_abs_gap=1 - _WHOLE)
        outcome = program.program.solve(
            self.watch,
            what="proof",
            start=start,
            gap=gap,
            tell=tell,
            improved=lambda values, _: self._offer(*program.read(values)),
        )
        if outcome.values is not None:
            self._offer(*program.read(outcome.values))
        return outcome

    def _offer(self, opened: Ints, parts: Floats) -> None:
        """Keep an allocation if it keeps the limits and beats the best."""
        objective = self.loads.objective(parts)
        if not objective < self.best or not self.loads.holds(opened, parts):
            return
        sites = self.choice.sites[opened]
        served = self.loads.served(parts, near=True)
        if not self.loads.limits.broken(self.loads.instance, sites, served):
            self.best, self.opened, self.parts = objective, opened, parts
            self.tell("exchange")

    def explain(self, *, everyone: bool) -> None:
        """Find out why there is no choice, if there is none.

        Loads that are not the people cannot be told together with floors, which are of people.
        """
        loads = self.loads
        instance, load = loads.instance, np.zeros(loads.instance.demands)
        load[loads.rows.row] = loads.load
        if not self.infeasible or (loads.limits.floors and (load != instance.people).any()):
            return
        asked = replace(instance, people=load, pairs=loads.pairs)
        share = 1.0 if everyone else None
        self.conflict = explain(asked, loads.limits, self.watch, share=share, whole=not loads.split)

    def answer(self) -> Solution:
        """Give what was found."""
        loads = self.loads
        sites = np.empty(0, dtype=np.int64)
        assigned = np.full(loads.instance.demands, -1, dtype=np.int64)
        served, objective = np.zeros(loads.instance.demands), float("nan")
        if self.opened is not None and self.parts is not None:
            sites = np.sort(self.choice.sites[self.opened])
            served, assigned = loads.served(self.parts), loads.assigned(self.parts)
            verified(loads.instance, loads.limits, sites, loads.served(self.parts, near=True))
            objective = self.best
        return self.solution(
            "capacitated_p_median",
            sites=sites,
            objective=objective,
            assigned=assigned,
            served=served,
        )
