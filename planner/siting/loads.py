"""Who is served where under capacities: bounds, good allocations and the exact program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.siting.bounds import Point, Rows, distances, kernels
from planner.siting.choice import Choice
from planner.siting.floors import distances_within
from planner.siting.limits import slack
from planner.siting.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from planner.siting.bounds import Dual, Flags
    from planner.siting.control import Watch
    from planner.siting.instance import Floats, Instance, Ints, Pairs
    from planner.siting.limits import Limits

_HALF = 0.5
_WHOLE = 1e-6
_TABLE = 50_000_000
"""Cells of a knapsack's table up to which sites are packed exactly."""


class BySite(NamedTuple):
    """Entries by site: compressed rows, and where each stands among the entries by row."""

    start: Ints
    row: Ints
    cost: Floats
    entry: Ints


@dataclass(frozen=True, eq=False, repr=False)
class Loads:
    """Demand rows, the sites near them and what these can hold.

    Sites that may be opened come first, as `Choice.sites` has them, then existing ones.
    Rows with neither people nor load are left out. An allocation is (k,) ``parts``: how
    far each entry's row is served by its site.
    """

    instance: Instance
    limits: Limits
    choice: Choice
    pairs: Pairs
    """Which sites are near enough to serve which demand."""
    rows: Rows
    sites: Ints
    """(s,) as the instance counts them."""
    load: Floats
    """(r,) of each row."""
    room: Floats
    """(s,) capacity of each site."""
    near: Flags
    """(k,) entries that count for the floors."""
    split: bool

    @classmethod
    def of(
        cls,
        instance: Instance,
        limits: Limits,
        load: Floats,
        beyond: ArrayLike | None,
        within: ArrayLike | None = None,
        *,
        split: bool,
    ) -> Loads:
        """Take an instance apart."""
        choice = Choice(instance, limits)
        pairs, limit = distances(instance, beyond)
        sites = np.concatenate([choice.sites, np.flatnonzero(instance.existing)])
        local = np.full(instance.sites, -1, dtype=np.int32)
        local[sites] = np.arange(len(sites))
        local[choice.sites[choice.upper < _HALF]] = -1
        counted = (instance.people > 0) | (load > 0)
        kept = (local[pairs.site] >= 0) & counted[pairs.rows]
        if not split:
            kept &= load[pairs.rows] <= instance.capacity[pairs.site] + _WHOLE
        slim = pairs.keep(kept)
        row = np.flatnonzero(counted)
        counts = slim.counts[row]
        people = instance.people[row]
        far = np.full(len(row), np.inf)
        lost = np.isfinite(limit[row])
        far[lost] = people[lost] * limit[row][lost]
        rows = Rows(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            local[slim.site],
            np.repeat(people, counts) * slim.distance,
            far,
            np.zeros(len(row), dtype=bool),
            row,
        )
        near = slim.distance <= distances_within(instance, within, limit)[slim.rows]
        room = instance.capacity[sites]
        return cls(*(instance, limits, choice, pairs, rows, sites, load[row], room, near, split))

    @cached_property
    def by_site(self) -> BySite:
        """The entries by site."""
        order = np.argsort(self.rows.site, kind="stable")
        start = np.searchsorted(self.rows.site[order], np.arange(len(self.sites) + 1))
        owner = self.rows.owner[order]
        return BySite(start.astype(np.int64), owner, self.rows.cost[order], order)

    @cached_property
    def exact(self) -> bool:
        """Whether sites can be packed exactly: whole loads, and tables that are not too large."""
        if self.split or (self.load != np.rint(self.load)).any():
            return False
        held = np.diff(self.by_site.start) * np.minimum(self.room, self.load.sum())
        return bool(held.max(initial=0.0) <= _TABLE)

    def is_open(self, opened: Ints) -> Flags:
        """(s,) which sites are open."""
        flags = np.ones(len(self.sites), dtype=bool)
        flags[: len(self.choice.sites)] = False
        flags[opened] = True
        return flags

    def usable(self, choice: Choice) -> Flags:
        """(s,) sites that are open or may be."""
        there = np.ones(len(self.sites), dtype=bool)
        there[: len(choice.sites)] = choice.upper > _HALF
        return there

    def share(self, parts: Floats) -> Floats:
        """(r,) how far each row is served."""
        count = np.bincount(self.rows.owner, weights=parts, minlength=len(self.load))
        return count.astype(np.float64)

    def objective(self, parts: Floats) -> float:
        """Add up the people's distances: inf if somebody must be served and is not."""
        left = np.maximum(1.0 - self.share(parts), 0.0)
        left[left < _WHOLE * 1e-3] = 0.0
        lost = left > 0
        return float(self.rows.cost @ parts + (self.rows.far[lost] * left[lost]).sum())

    def holds(self, opened: Ints, parts: Floats) -> bool:
        """Whether an allocation uses open sites only, none beyond its capacity."""
        site = self.rows.site
        used = np.bincount(
            site, weights=parts * self.load[self.rows.owner], minlength=len(self.sites)
        )
        fits = used <= self.room + slack(float(self.load.sum()))
        closed = parts[~self.is_open(opened)[site]]
        within = parts.min(initial=0.0) >= 0 and self.share(parts).max(initial=0.0) <= 1 + _WHOLE
        return bool(fits.all() and within and not closed.any())

    def served(self, parts: Floats, *, near: bool = False) -> Floats:
        """(n,) how far each of the instance's rows is served; wholly where nobody lives.

        With ``near`` only as far as that counts for the floors.
        """
        share = np.ones(self.instance.demands)
        share[self.rows.row] = self.share(parts * self.near if near else parts)
        return share

    def assigned(self, parts: Floats) -> Ints:
        """(n,) the site that serves most of each of the instance's rows, -1 for none."""
        site = np.full(self.instance.demands, -1, dtype=np.int64)
        some = np.flatnonzero(parts > 0)
        # The greatest part of a row comes last; of equal ones the nearest.
        order = some[np.lexsort((-some, parts[some]))]
        site[self.rows.row[self.rows.owner[order]]] = self.sites[self.rows.site[order]]
        return site

    def moved(self, opened: Ints, parts: Floats) -> Ints:
        """Move each new site to where those it serves would have the least way, if allowed."""
        choice, rows = self.choice, self.rows
        if not choice.simple:
            return opened
        chosen = list(opened)
        owner, many = rows.owner, len(choice.sites)
        for place, site in enumerate(opened):
            if choice.lower[site] > 0:
                continue
            mine = np.zeros(len(self.load), dtype=bool)
            mine[owner[(rows.site == site) & (parts > _HALF)]] = True
            theirs = mine[owner] & (rows.site < many)
            there = rows.site[theirs]
            total = np.bincount(there, weights=rows.cost[theirs], minlength=many).astype(np.float64)
            reach = np.bincount(there, minlength=many) == mine.sum()
            total[~reach | (self.room[:many] < self.load[mine].sum())] = np.inf
            total[[one for one in chosen if one != site]] = np.inf
            best = int(np.argmin(total))
            if np.isfinite(total[best]) and total[best] < total[site]:
                chosen[place] = best
        return np.sort(np.array(chosen, dtype=np.int64))


def priced(loads: Loads, choice: Choice, watch: Watch) -> Callable[[Floats], Point | None]:
    """Make the relaxation in which rows have prices and sites keep their capacities."""
    by, many = loads.by_site, len(choice.sites)
    usable = loads.usable(choice)

    def relaxed(price: Floats) -> Point | None:
        value, _, _, part = _packed(loads, price, usable)
        best = choice.best(-value[:many], watch)
        if best is None:
            return None
        share = np.append(best.share, np.ones(len(value) - many))
        taken = part * np.repeat(share, np.diff(by.start))
        short = 1.0 - np.bincount(by.row, weights=taken, minlength=len(price)).astype(np.float64)
        bound = float(price.sum() + best.value - value[many:].sum())
        return Point(bound, short, -value[:many], best)

    return relaxed


def _packed(loads: Loads, price: Floats, usable: Flags) -> tuple[Floats, Floats, Floats, Floats]:
    by, size = loads.by_site, len(loads.sites)
    value, relaxed, ratio = np.empty(size), np.empty(size), np.empty(size)
    part = np.empty(len(by.row))
    kernels().packed(
        by.start,
        by.row,
        by.cost,
        loads.load,
        loads.room,
        price,
        usable,
        loads.exact,
        value,
        relaxed,
        ratio,
        part,
    )
    return value, relaxed, ratio, part


def _hold(
    loads: Loads, program: Program, entry: Ints, column: Ints, *, sites: bool = False
) -> None:
    """Keep sites within their capacities, and with ``sites`` nobody at those not opened."""
    site, load = loads.rows.site[entry], loads.load[loads.rows.owner[entry]]
    order = np.argsort(site, kind="stable")
    start = np.searchsorted(site[order], np.arange(len(loads.sites) + 1))
    most = np.bincount(site, weights=load, minlength=len(loads.sites))
    for one in np.flatnonzero(loads.room < most):
        mine = order[start[one] : start[one + 1]]
        room = float(loads.room[one])
        scale = max(1.0, room)
        if sites and one < len(loads.choice.sites):
            program.add_rows(
                [0, len(mine) + 1],
                np.append(column[mine], one),
                np.append(load[mine], -room) / scale,
                upper=0.0,
            )
        else:
            program.add_rows([0, len(mine)], column[mine], load[mine] / scale, upper=room / scale)


def promise(loads: Loads, program: Program, entry: Ints, column: Ints) -> None:
    """Have enough people of each area served near enough."""
    instance, row, owner = loads.instance, loads.rows.row, loads.rows.owner[entry]
    people, area = instance.people[row], instance.area[row]
    for key, share in loads.limits.floors.items():
        total = float(people[area == key].sum())
        mine = (area == key)[owner] & loads.near[entry]
        scale = max(1.0, total)
        program.add_rows(
            [0, int(mine.sum())],
            column[mine],
            people[owner[mine]] / scale,
            lower=(share * total - slack(total) / 2) / scale,
        )


class Allocation:
    """Sites and who goes where, as a program, less what prices show to be of no use.

    Parameters
    ----------
    loads
        The problem.
    choice
        The choices of sites allowed.
    dual
        Their dual after its climb.
    best
        Objective of the best allocation known, inf without one.

    Attributes
    ----------
    program
        The program: sites, entries that are left, and rows that nobody serves.
    """

    def __init__(self, loads: Loads, choice: Choice, dual: Dual, best: float) -> None:
        self.loads, rows = loads, loads.rows
        self._many = many = len(choice.sites)
        kept, lower, upper, lost = _useful(loads, choice, dual, best)
        self.program = program = Program("min")
        choice.add_to(program, np.zeros(many), integer=True)
        program.bound_columns(np.arange(many), lower, upper)
        self._entry = entry = np.flatnonzero(kept)
        whole = not loads.split
        self._first = first = program.add_columns(rows.cost[entry], integer=whole)
        self._lost = np.flatnonzero(lost)
        self._unserved = program.add_columns(rows.far[self._lost], integer=whole)
        owner, column = rows.owner[entry], first + np.arange(len(entry))
        everyone = np.concatenate([owner, self._lost])
        order = np.argsort(everyone, kind="stable")
        start = np.searchsorted(everyone[order], np.arange(len(loads.load) + 1))
        columns = np.concatenate([column, self._unserved + np.arange(len(self._lost))])
        program.add_rows(start, columns[order], 1.0, lower=1.0, upper=1.0)
        _hold(loads, program, entry, column, sites=True)
        new = rows.site[entry] < many
        pairs = np.column_stack([column[new], rows.site[entry][new]]).ravel()
        size = int(new.sum())
        program.add_rows(2 * np.arange(size + 1), pairs, np.tile([1.0, -1.0], size), upper=0.0)
        promise(loads, program, entry, column)

    def start(self, opened: Ints, parts: Floats) -> Floats:
        """Values of an allocation to begin with."""
        values = np.zeros(self.program.columns)
        values[opened] = 1.0
        values[self._first : self._first + len(self._entry)] = parts[self._entry]
        left = 1.0 - self.loads.share(parts)[self._lost]
        values[self._unserved : self._unserved + len(self._lost)] = left
        return values

    def read(self, values: Floats) -> tuple[Ints, Floats]:
        """Sites opened and parts of a solution."""
        opened = np.flatnonzero(values[: self._many] > _HALF)
        found = np.clip(values[self._first : self._first + len(self._entry)], 0.0, 1.0)
        parts = np.zeros(len(self.loads.rows.cost))
        parts[self._entry] = found if self.loads.split else np.rint(found)
        # What rounding leaves at a site that is not opened is nobody.
        parts[~self.loads.is_open(opened)[self.loads.rows.site]] = 0.0
        return opened, parts


def _useful(
    loads: Loads, choice: Choice, dual: Dual, best: float
) -> tuple[Flags, Floats, Floats, Flags]:
    """Entries, bounds of the sites, and rows left unserved that a better choice may use."""
    rows, many = loads.rows, len(choice.sites)
    lower, upper = choice.lower.copy(), choice.upper.copy()
    lost = np.isfinite(rows.far)
    usable = loads.usable(choice)
    kept = usable[rows.site]
    if dual.point is None or not np.isfinite(best):
        return kept, lower, upper, lost
    gap = max(0.0, best - dual.bound) * (1 + 1e-9) + 1e-9 * abs(best)
    reduced = dual.point.best.reduced
    upper[(reduced > gap) & (lower < _HALF)] = 0.0
    lower[(reduced < -gap) & (upper > _HALF)] = 1.0
    closed = np.append(upper < _HALF, np.zeros(len(loads.sites) - many, dtype=bool))
    kept &= ~closed[rows.site]
    if loads.split:
        # A small part costs less than the whole: only whole rows can be ruled out.
        return kept, lower, upper, lost
    value, relaxed, ratio, _ = _packed(loads, dual.price, usable)
    owner, site = rows.owner, rows.site
    # Forcing a row in saves at most what packing in parts would, less its room elsewhere.
    dearer = np.maximum(ratio[site] * loads.load[owner] - dual.price[owner] + rows.cost, 0.0)
    opening = np.append(np.maximum(reduced, 0.0), np.zeros(len(loads.sites) - many))
    kept &= opening[site] + np.maximum((value - relaxed)[site] + dearer, 0.0) <= gap
    lost &= rows.far - dual.price <= gap
    return kept, lower, upper, lost
