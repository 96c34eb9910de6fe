"""Bounds on distance models: costs as rows, the Lagrangian dual, and exchange."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError
from layers.messages import text

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from numpy.typing import ArrayLike

    from planner.siting._choice import Best, Choice
    from planner.siting.control import Watch
    from planner.siting.instance import Floats, Instance, Ints, Pairs, Small

Flags = NDArray[np.bool_]

_MOVES = 100_000
# Of a dual ascent: after so many steps without gain the step is cut by a third.
_PATIENCE = 15
_SHORTEST = 1e-4
_LONGER, _SHORTER = 1.1, 0.66
_LONGEST = 2.0


@cache
def kernels() -> ModuleType:
    """Import the compiled kernels when they are first wanted."""
    return import_module("planner.siting._kernels")


def distances(instance: Instance, beyond: ArrayLike | None) -> tuple[Pairs, Floats]:
    """Pairs that count, and the distance at which somebody unserved is counted.

    Parameters
    ----------
    instance
        The problem.
    beyond
        That distance, for all or (n,) by row; None if everyone must be served. A site
        further than it serves nobody.

    Returns
    -------
    The pairs no further than that, and (n,) the distance, inf where one must be served.

    Raises
    ------
    InputError
        A distance below nought, or the wrong number of them.
    """
    n = instance.demands
    given = np.asarray(np.inf if beyond is None else beyond, dtype=np.float64)
    if given.ndim and given.shape != (n,):
        raise InputError(
            text(
                "siting.lengths", name="beyond", found="×".join(map(str, given.shape)), wanted=n
            )
        )
    if not (given >= 0).all():
        raise InputError(text("siting.beyond", found=f"{given.min():g}"))
    limit = np.ascontiguousarray(np.broadcast_to(given, n))
    near = instance.pairs.distance <= np.repeat(limit, instance.pairs.counts)
    return (instance.pairs if near.all() else instance.pairs.keep(near)), limit


@dataclass(frozen=True, eq=False, repr=False)
class Rows:
    """Who may be served by which new site, at what cost: people times distance.

    Rows without people are left out, and so are sites that serve nobody better than what
    exists. Sites are counted as in `Choice.sites`.

    Attributes
    ----------
    start, site, cost
        Compressed rows, each sorted by cost.
    far
        (r,) cost of a row that no new site serves; inf if one must.
    served
        (r,) whether such a row is served by what exists.
    row
        (r,) rows of the instance.
    """

    start: Ints
    site: Small
    cost: Floats
    far: Floats
    served: Flags
    row: Ints

    @classmethod
    def of(cls, instance: Instance, pairs: Pairs, limit: Floats, choice: Choice) -> Rows:
        """Rows of an instance, given what `distances` gave."""
        _, there = pairs.nearest(instance.existing)
        served = there <= limit
        served &= np.isfinite(there)
        last = np.minimum(limit, there)
        local = np.full(instance.sites, -1, dtype=np.int32)
        open_to = choice.upper > 0
        local[choice.sites[open_to]] = np.flatnonzero(open_to)
        row = np.flatnonzero(instance.people > 0)
        owner = pairs.rows
        kept = (local[pairs.site] >= 0) & (instance.people[owner] > 0)
        # At the very distance that counts as unserved a site still serves.
        kept &= (pairs.distance < last[owner]) | (~served[owner] & (pairs.distance <= last[owner]))
        slim = pairs.keep(kept)
        counts = slim.counts[row]
        weight = instance.people[row]
        return cls(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            local[slim.site],
            np.repeat(weight, counts) * slim.distance,
            weight * last[row],
            served[row],
            row,
        )

    @property
    def counts(self) -> Ints:
        """(r,) sites near each row."""
        return np.diff(self.start)

    @property
    def owner(self) -> Ints:
        """(k,) row of each entry."""
        return np.repeat(np.arange(len(self.far)), self.counts)

    @property
    def stuck(self) -> Flags:
        """(r,) rows that must be served and cannot."""
        return np.isinf(self.far) & (self.counts == 0)

    @property
    def penalised(self) -> Floats:
        """`far` with something dear but finite for those who must be served."""
        dear = 10.0 * (1.0 + (float(self.cost.max()) if len(self.cost) else 0.0))
        return np.where(np.isinf(self.far), dear, self.far)

    @property
    def whole(self) -> bool:
        """Whether every cost is a whole number, and so every objective."""
        finite = self.far[np.isfinite(self.far)]
        return bool((self.cost == np.rint(self.cost)).all() and (finite == np.rint(finite)).all())

    def cheapest(self, is_open: Flags) -> Floats:
        """(r,) cost of each row once sites are open: (s,) flags."""
        found = np.flatnonzero(is_open[self.site])
        cost = self.far.copy()
        first = np.searchsorted(found, self.start[:-1])
        has = first < len(found)
        has[has] = found[first[has]] < self.start[1:][has]
        cost[has] = self.cost[found[first[has]]]
        return cost


def exchange(rows: Rows, choice: Choice, opened: Ints) -> Ints:
    """Improve a choice by opening and exchanging single sites while that helps.

    Parameters
    ----------
    rows, choice
        The costs, and the choices allowed.
    opened
        An allowed choice.

    Returns
    -------
    An allowed choice that no single move makes better, sorted.
    """
    room = min(max(choice.most, len(opened)), len(choice.sites))
    slots = np.zeros(room, dtype=np.int64)
    slots[: len(opened)] = opened
    unit, most, least = choice.units()
    clash_start, clash_site = choice.clashes()
    count, _ = kernels().exchange(
        rows.start,
        rows.site,
        rows.cost,
        rows.penalised,
        slots,
        len(opened),
        room,
        choice.upper > 0,
        choice.lower == 0,
        choice.cost,
        choice.budget,
        unit,
        most,
        least,
        clash_start,
        clash_site,
        _MOVES,
    )
    return np.sort(slots[:count])


@dataclass
class Dual:
    """The Lagrangian dual of "everyone is served once", climbed by the volume algorithm.

    At any prices, their sum plus the cheapest choice of sites, each at what it saves, is
    a bound. Steps follow a running mean of the shortfalls, which also tells how far each
    site is opened in the relaxation (Barahona and Anbil 2000, the volume algorithm).

    Attributes
    ----------
    rows, choice
        The costs, and the choices allowed.
    price
        (r,) the best prices so far.
    bound
        The bound they prove, -inf before any.
    best
        The cheapest choice at these prices.
    """

    rows: Rows
    choice: Choice
    price: Floats
    bound: float = -np.inf
    best: Best | None = None

    @classmethod
    def begun(cls, rows: Rows, choice: Choice, opened: Ints) -> Dual:
        """Begin with the prices that a choice suggests: between its nearest two sites."""
        is_open = np.zeros(len(choice.sites), dtype=bool)
        is_open[opened] = True
        far = rows.penalised
        slot = np.where(is_open, 0, -1)
        pair, price = np.empty(2), np.empty(len(far))
        nearest_two = kernels().nearest_two
        if len(far) <= _MOVES:
            for row in range(len(far)):
                nearest_two(rows.start, rows.site, rows.cost, far, slot, row, pair)
                price[row] = pair.mean()
        else:
            price = np.minimum(rows.cheapest(is_open), far) * 1.2
        return cls(rows, choice, np.minimum(price, rows.far))

    def _lowest(self) -> Floats:
        rows = self.rows
        lowest = rows.far.copy()
        has = rows.counts > 0
        lowest[has] = np.minimum(lowest[has], rows.cost[rows.start[:-1][has]])
        return lowest

    def climb(
        self,
        watch: Watch,
        *,
        target: float,
        steps: int,
        every: int = 25,
        news: Callable[[Floats, Floats], float | None] | None = None,
    ) -> None:
        """Climb.

        Parameters
        ----------
        watch
            Clock.
        target
            A value that no bound passes: the objective of the best choice known, or a guess.
        steps
            Steps at most.
        every, news
            Every so many steps, called with (s,) what each site saves and (s,) how far it is
            chosen in the mean; returns a new target, or None to stop.
        """
        rows, made = self.rows, kernels()
        floor = self._lowest()
        saved, short = np.empty(len(self.choice.sites)), np.empty(len(rows.far))
        mean_short: Floats | None = None
        mean_share: Floats | None = None
        price, length, weight, idle = self.price, 1.0, 0.1, 0
        for step in range(steps):
            if watch.should_stop() or length < _SHORTEST:
                return
            made.saved(rows.start, rows.site, rows.cost, price, saved)
            best = self.choice.best(saved, watch)
            if best is None:
                return
            bound = float(price.sum()) + best.value
            made.shortfall(rows.start, rows.site, rows.cost, price, best.share, short)
            if mean_short is None or mean_share is None:
                mean_short, mean_share = short.copy(), best.share
            else:
                mean_short = weight * short + (1 - weight) * mean_short
                mean_share = weight * best.share + (1 - weight) * mean_share
            if bound > self.bound:
                gained = bound - self.bound
                self.bound, self.best, self.price = bound, best, price
                if float(short @ mean_short) > 0:
                    length = min(length * _LONGER, _LONGEST)
                idle = idle if gained < 1e-6 * abs(bound) else 0
            else:
                idle += 1
            if idle >= _PATIENCE:
                length, idle = length * _SHORTER, 0
                weight = max(weight * 0.9, 0.01)
            if news is not None and step % every == every - 1:
                told = news(saved, mean_share)
                if told is None:
                    return
                target = told
            norm = float(mean_short @ mean_short)
            if norm <= 0:
                return
            span = max(target - self.bound, 1e-6 * abs(self.bound), 1e-9)
            price = np.clip(self.price + length * span / norm * mean_short, floor, rows.far)
