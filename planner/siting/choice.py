"""Choice: which sets of sites the limits allow, whoever is served by them."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.siting.limits import slack
from planner.siting.program import INF, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from planner.siting.control import Watch
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits

_HALF = 0.5


class Row(NamedTuple):
    """A linear limit on the sites."""

    site: Ints
    value: Floats
    lower: float
    upper: float


class Best(NamedTuple):
    """The cheapest choice, in parts of sites if need be."""

    share: Floats
    """(s,) how far each site is chosen."""
    value: float
    """What it costs; no choice costs less."""
    reduced: Floats
    """(s,) what choosing a site left out would add at least; for one chosen, less what
    leaving it out would add at least."""


class Choice:
    """The sets of sites that may be opened, over those that are not open or forbidden.

    Floors are not looked at: they hang on who is served.

    Parameters
    ----------
    instance, limits
        The problem.

    Attributes
    ----------
    sites
        (s,) sites that may be opened, as the instance counts them.
    lower, upper
        (s,) 1 where a site must be opened, 0 where another that exists is too near.

    Raises
    ------
    InputError
        Limits that name sites which are not there.
    """

    def __init__(self, instance: Instance, limits: Limits) -> None:
        limits.check(instance)
        self.instance, self.limits = instance, limits
        self.sites = np.flatnonzero(instance.openable)
        self.lower = instance.required[self.sites].astype(float)
        self.upper = np.ones(len(self.sites))
        local = np.full(instance.sites, -1, dtype=np.int64)
        local[self.sites] = np.arange(len(self.sites))
        a, b = limits.too_near
        self.upper[local[a[instance.existing[b] & (local[a] >= 0)]]] = 0.0
        self.upper[local[b[instance.existing[a] & (local[b] >= 0)]]] = 0.0
        self.upper[local[a[(a == b) & (local[a] >= 0)]]] = 0.0
        both = (local[a] >= 0) & (local[b] >= 0) & (a != b)
        pairs = np.column_stack([local[a[both]], local[b[both]]])
        self.clashing: Ints = np.unique(np.sort(pairs, axis=1), axis=0).reshape(-1, 2)
        self.cost = instance.cost[self.sites]
        self.unit = instance.unit[self.sites]
        self.most = len(self.sites) if limits.number is None else limits.number

    def restricted(self, lower: Floats, upper: Floats) -> Choice:
        """Restrict the choices further: (s,) bounds of the sites."""
        part = copy(self)
        for made in ("contradictory", "_relaxed", "_whole"):
            part.__dict__.pop(made, None)
        part.lower, part.upper, part.impossible = lower, upper, False
        return part

    @cached_property
    def contradictory(self) -> bool:
        """Whether a site must be and must not be opened."""
        return bool((self.lower > self.upper).any())

    @cached_property
    def simple(self) -> bool:
        """Whether nothing but the number of sites is limited."""
        limits = self.limits
        other = limits.at_most or limits.at_least or len(self.clashing)
        return limits.budget is None and not other

    @property
    def budget(self) -> float:
        """What may be spent, with room for rounding."""
        budget = self.limits.budget
        return float("inf") if budget is None else budget + slack(budget) / 2

    def rows(self) -> Iterator[Row]:
        """Give each limit as a row."""
        every, limits = np.arange(len(self.sites)), self.limits
        if limits.number is not None:
            least = float(limits.number) if limits.exactly else -INF
            yield Row(every, np.ones(len(every)), least, float(limits.number))
        if limits.budget is not None:
            yield Row(every, self.cost, -INF, self.budget)
        for unit, most in limits.at_most.items():
            there = every[self.unit == unit]
            yield Row(there, np.ones(len(there)), -INF, float(most))
        for unit, least in limits.at_least.items():
            there = every[self.unit == unit]
            yield Row(there, np.ones(len(there)), float(least), INF)
        for pair in self.clashing:
            yield Row(pair, np.ones(2), -INF, 1.0)

    def add_to(self, program: Program, cost: Floats, *, integer: bool) -> None:
        """Put the sites into a program as its first columns, with the rows that limit them."""
        program.add_columns(cost, lower=self.lower, upper=self.upper, integer=integer)
        for row in self.rows():
            program.add_rows(
                [0, len(row.site)], row.site, row.value, lower=row.lower, upper=row.upper
            )

    def best(self, cost: Floats, watch: Watch) -> Best | None:
        """Find the cheapest choice; None if there is none, or if the watch says stop."""
        if self.contradictory:
            return None
        if self.simple:
            return self._cheapest(cost)
        program = self._relaxed
        program.price(np.arange(len(cost)), cost)
        outcome = program.solve(watch, what="bound", tell=_silent)
        self.impossible = outcome.found == "infeasible"
        if outcome.found != "optimal" or outcome.values is None or outcome.reduced_costs is None:
            return None
        return Best(outcome.values[: len(cost)], outcome.objective, outcome.reduced_costs)

    def pick(self, cost: Floats, watch: Watch, *, nodes: int | None = None) -> Ints | None:
        """Pick a cheap choice of whole sites; None if there is none, or none was found.

        Parameters
        ----------
        cost
            (s,) of each site; may be below nought.
        watch
            Clock.
        nodes
            Nodes to search at most; None for as many as it takes.
        """
        if self.contradictory:
            return None
        if self.simple:
            best = self._cheapest(cost)
            return None if best is None else np.flatnonzero(best.share > _HALF)
        program = self._whole
        program.set(mip_max_nodes=2**31 - 1 if nodes is None else nodes)
        program.price(np.arange(len(cost)), cost)
        outcome = program.solve(watch, what="bound", tell=_silent)
        self.impossible = outcome.found == "infeasible"
        if outcome.values is None:
            return None
        return np.flatnonzero(outcome.values[: len(cost)] > _HALF)

    impossible = False
    """Whether the last `best` or `pick` proved that there is no choice."""

    @cached_property
    def _relaxed(self) -> Program:
        program = Program("min")
        self.add_to(program, np.zeros(len(self.sites)), integer=False)
        return program

    @cached_property
    def _whole(self) -> Program:
        program = Program("min")
        self.add_to(program, np.zeros(len(self.sites)), integer=True)
        return program

    def _cheapest(self, cost: Floats) -> Best | None:
        must = self.lower > _HALF
        free = np.flatnonzero(~must & (self.upper > _HALF))
        room = self.most - int(must.sum())
        exactly = self.limits.exactly
        if room < 0 or (exactly and room > len(free)):
            self.impossible = True
            return None
        order = free[np.argsort(cost[free], kind="stable")]
        many = min(room, len(order))
        if not exactly:
            many = min(many, int((cost[order] < 0).sum()))
        share = must.astype(float)
        share[order[:many]] = 1.0
        # What the marginal site in, or out, is worth to an exchange.
        last_in = cost[order[many - 1]] if many else np.inf
        next_out = cost[order[many]] if many < len(order) else np.inf
        full = many == room
        reduced = np.full(len(cost), np.inf)
        reduced[must] = -np.inf
        out, taken = order[many:], order[:many]
        if full and not many:
            reduced[out] = np.inf
        else:
            reduced[out] = cost[out] - (last_in if full else 0.0)
        reduced[taken] = cost[taken] - (next_out if exactly else min(next_out, 0.0))
        return Best(share, float(cost @ share), reduced)

    def clashes(self) -> tuple[Ints, Ints]:
        """Compressed rows by site: those that may not be open beside it."""
        both = np.concatenate([self.clashing, self.clashing[:, ::-1]])
        order = np.lexsort((both[:, 1], both[:, 0]))
        start = np.searchsorted(both[order, 0], np.arange(len(self.sites) + 1))
        return start.astype(np.int64), both[order, 1].astype(np.int64)

    def units(self) -> tuple[Ints, Ints, Ints]:
        """Limited unit of each site, -1 for none, and the limits by unit."""
        limits = self.limits
        limited = np.array(sorted({*limits.at_most, *limits.at_least}), dtype=np.int64)
        at = np.searchsorted(limited, self.unit)
        at[at == len(limited)] = 0
        known: NDArray[np.bool_] = (
            limited[at] == self.unit if len(limited) else np.zeros(len(at), bool)
        )
        most = np.array([limits.at_most.get(int(u), 2**31) for u in limited], dtype=np.int64)
        least = np.array([limits.at_least.get(int(u), 0) for u in limited], dtype=np.int64)
        return np.where(known, at, -1), most, least


def _silent(_best: float | None, _bound: float) -> None:
    """Tell nobody: a part's figures are not the whole's."""
