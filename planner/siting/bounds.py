"""Bounds on distance models: costs as rows, the Lagrangian dual, and exchange."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError
from layers.messages import text

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from numpy.typing import ArrayLike

    from planner.siting.choice import Best, Choice
    from planner.siting.control import Watch
    from planner.siting.instance import Floats, Instance, Ints, Pairs, Small

Flags = NDArray[np.bool_]

_MOVES = 100_000
# Of a dual ascent: after so many steps without gain the step is cut by a third.
_PATIENCE = 15
_SHORTEST = 1e-4
_LONGER, _SHORTER = 1.1, 0.66
_LONGEST = 2.0
_SLOW = 1e-6
_NEIGHBOURS = 3
_STEADIER, _STEADIEST = 0.9, 0.01


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
            text("siting.lengths", name="beyond", found="×".join(map(str, given.shape)), wanted=n)
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
        return np.asarray(np.isinf(self.far) & (self.counts == 0))

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

    def sample(self, every: int) -> Rows:
        """Take one row in so many, at random but always the same ones."""
        taken = np.sort(np.random.default_rng(0).permutation(len(self.far))[::every])
        inside = np.zeros(len(self.far), dtype=bool)
        inside[taken] = True
        kept = np.repeat(inside, self.counts)
        start = np.concatenate([[0], np.cumsum(self.counts[taken])]).astype(np.int64)
        return Rows(
            start,
            self.site[kept],
            self.cost[kept],
            self.far[taken],
            self.served[taken],
            self.row[taken],
        )

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


class Point(NamedTuple):
    """The dual at some prices."""

    bound: float
    short: Floats
    """(r,) how far each row is from being served once."""
    saved: Floats
    """(s,) what each site would save, of at most nought."""
    best: Best
    """The cheapest choice at what they save."""


class Dual:
    """The Lagrangian dual of "everyone is served once", climbed by the volume algorithm.

    At any prices, their sum plus the cheapest choice of sites, each at what it saves, is
    a bound. Steps follow a running mean of the shortfalls, as the choices' mean tells how
    far each site is opened in the relaxation (Barahona and Anbil 2000, the volume
    algorithm).

    Parameters
    ----------
    rows
        The costs.
    relaxed
        Gives the dual at prices, or None to stop.
    price
        (r,) prices to begin with.

    Attributes
    ----------
    price
        (r,) the best prices so far.
    bound
        The bound they prove, -inf before any.
    point
        The dual there.
    """

    def __init__(
        self, rows: Rows, relaxed: Callable[[Floats], Point | None], price: Floats
    ) -> None:
        self.rows = rows
        self._relaxed = relaxed
        has = rows.counts > 0
        self._lowest = rows.far.copy()
        self._lowest[has] = np.minimum(self._lowest[has], rows.cost[rows.start[:-1][has]])
        self.price = np.clip(price, self._lowest, rows.far)
        self.bound = -np.inf
        self.point: Point | None = None

    def climb(  # noqa: C901 - one walk with its reasons to stop
        self,
        watch: Watch,
        *,
        target: float,
        steps: int,
        every: int,
        news: Callable[[Point, Floats], float | None],
        length: float = 1.0,
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
            Every so many steps, called with the dual and (s,) how far each site is chosen
            in the mean; returns a new target, or None to stop.
        length
            Of the first step, as a part of what would bring the bound to the target.
        """
        price, weight, idle = self.price, 0.1, 0
        short: Floats | None = None
        share: Floats | None = None
        for step in range(steps):
            if watch.should_stop() or length < _SHORTEST:
                return
            point = self._relaxed(price)
            if point is None:
                return
            if short is None or share is None:
                short, share = point.short, point.best.share
            else:
                short = weight * point.short + (1 - weight) * short
                share = weight * point.best.share + (1 - weight) * share
            if point.bound > self.bound:
                gained = point.bound - self.bound
                self.bound, self.point, self.price = point.bound, point, price
                if float(point.short @ short) > 0:
                    length = min(length * _LONGER, _LONGEST)
                idle = idle + 1 if gained < _SLOW * abs(point.bound) else 0
            else:
                idle += 1
            if idle >= _PATIENCE:
                length, idle = length * _SHORTER, 0
                weight = max(weight * _STEADIER, _STEADIEST)
            if step % every == every - 1:
                told = news(point, share)
                if told is None:
                    return
                target = told
            norm = float(short @ short)
            if norm <= 0:
                return
            span = max(target - self.bound, 1e-6 * abs(self.bound), 1e-9)
            price = np.clip(self.price + length * span / norm * short, self._lowest, self.rows.far)


def unlimited(
    rows: Rows, choice: Choice, watch: Watch, constant: float = 0.0
) -> Callable[[Floats], Point | None]:
    """Make the relaxation for sites without capacities, with a constant on every bound."""
    made = kernels()

    def relaxed(price: Floats) -> Point | None:
        saved, short = np.empty(len(choice.sites)), np.empty(len(price))
        made.saved(rows.start, rows.site, rows.cost, price, saved)
        best = choice.best(saved, watch)
        if best is None:
            return None
        made.shortfall(rows.start, rows.site, rows.cost, price, best.share, short)
        return Point(float(price.sum()) + best.value + constant, short, saved, best)

    return relaxed


def suggested(rows: Rows, opened: Ints, sites: int) -> Floats:
    """Prices that a choice suggests: halfway between each row's cheapest two sites."""
    slot = np.full(sites, -1, dtype=np.int64)
    slot[opened] = np.arange(len(opened))
    price = np.empty(len(rows.far))
    kernels().halfway(rows.start, rows.site, rows.cost, rows.penalised, slot, price)
    return price


def spread(sample: Rows, price: Floats, rows: Rows, people: Floats) -> Floats:
    """Carry the prices of a sample over to all rows, by way of the sites they lie near.

    Parameters
    ----------
    sample, price
        Some of the rows, and their prices.
    rows
        All of them.
    people
        (n,) of the instance: prices are alike by head.
    """
    many = int(max(sample.site.max(initial=0), rows.site.max(initial=0))) + 1
    owner, site = _first(sample)
    weight = people[sample.row[owner]]
    heads = np.bincount(site, weights=weight, minlength=many)
    worth = np.bincount(site, weights=price[owner], minlength=many)
    known = heads > 0
    usual = float(worth.sum() / max(heads.sum(), 1.0))
    by_head = np.full(many, usual)
    by_head[known] = worth[known] / heads[known]
    owner, site = _first(rows)
    size = len(rows.far)
    counts = np.bincount(owner, minlength=size)
    mean = np.full(size, usual)
    has = counts > 0
    mean[has] = np.bincount(owner, weights=by_head[site], minlength=size)[has] / counts[has]
    return mean * people[rows.row]


def _first(rows: Rows) -> tuple[Ints, Small]:
    """Give the first few entries of each row: row and site."""
    counts = np.minimum(rows.counts, _NEIGHBOURS)
    owner = np.repeat(np.arange(len(counts)), counts)
    begins = np.concatenate([[0], np.cumsum(counts)])[:-1]
    at = rows.start[:-1][owner] + np.arange(len(owner)) - begins[owner]
    return owner, rows.site[at]
