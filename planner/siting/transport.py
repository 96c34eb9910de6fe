"""Transport: everyone sent to open sites within their capacities, well or at the least cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.siting.bounds import kernels
from planner.siting.limits import slack
from planner.siting.program import INF, Program

if TYPE_CHECKING:
    from planner.siting.control import Watch
    from planner.siting.instance import Floats, Ints
    from planner.siting.loads import Loads
    from planner.siting.program import Outcome

_FIRST = 6
"""Nearest open sites of each row that are looked at from the start."""
_ROUNDS = 30
_TOLERANCE = 1e-9
_DEAR = 10.0
"""What leaving somebody out costs, in multiples of the dearest way."""
_WORK, _MOVES = 300_000_000, 30


class _Open(NamedTuple):
    """Entries at open sites: where they stand, and what they weigh in each limit."""

    entry: Ints
    owner: Ints
    cost: Floats
    site: Ints
    held: Floats
    """Part of the site's capacity that the whole row takes; 0 where there is none."""
    floor: Ints
    """Floor that counts the entry, -1 for none."""
    people: Floats
    """Part of the floor's people."""


def allotted(loads: Loads, opened: Ints, watch: Watch, *, quickly: bool = False) -> Floats | None:
    """Allocate everyone to the open sites, well; None where that is not found.

    In parts it is the best allocation but where ``quickly`` is asked for.
    """
    if loads.split:
        return _in_parts(loads, opened, watch, quickly=quickly)
    rows = loads.rows
    places = np.flatnonzero(loads.is_open(opened))
    place = np.full(len(loads.sites), -1, dtype=np.int64)
    place[places] = np.arange(len(places))
    there = np.flatnonzero(place[rows.site] >= 0)
    table = np.full((len(loads.load), len(places)), np.inf)
    table[rows.owner[there], place[rows.site[there]]] = rows.cost[there]
    far = rows.penalised
    if len(places) > 1:
        two = np.minimum(np.partition(table, 1, axis=1)[:, :2], far[:, None])
        order = np.argsort(two[:, 0] - two[:, 1], kind="stable")
    else:
        order = np.arange(len(far))
    at = np.full(len(far), -1, dtype=np.int64)
    room = loads.room[places].copy()
    work = max(1, len(far) ** 2 * len(places))
    rounds = int(min(_MOVES, _WORK // work))
    kernels().allot(table, far, loads.load, room, order, rounds, at)
    if (np.isinf(rows.far) & (at < 0)).any():
        return None
    parts = np.zeros(len(rows.cost))
    parts[there[place[rows.site[there]] == at[rows.owner[there]]]] = 1.0
    return parts


def _in_parts(loads: Loads, opened: Ints, watch: Watch, *, quickly: bool) -> Floats | None:
    """Allocate everyone to the open sites in parts, well; None where that is not found.

    Rows are poured into their nearest sites with room; then a program of few columns is
    solved, and those that its prices call for are added until none is (column generation),
    which makes it the best allocation. Stopped before that, what was poured stands.

    Parameters
    ----------
    loads, opened
        The problem, and the sites opened.
    watch
        Clock.
    quickly
        Leave it at what was poured.
    """
    parts, short = _poured(loads, opened)
    poured = None if short else parts
    if quickly or watch.should_stop():
        return poured
    there = _entries(loads, opened)
    nearest = np.arange(len(there.entry)) - np.searchsorted(there.owner, there.owner)
    taken = (nearest < _FIRST) | (parts[there.entry] > 0)
    dear = _DEAR * float(np.abs(there.cost).max(initial=1.0)) + 1.0
    for _ in range(_ROUNDS):
        some = np.flatnonzero(taken)
        program = _Program(loads, there, some, dear)
        outcome = program.solve(watch)
        if outcome.found == "infeasible":
            # Floors alone are not softened: more columns may keep them.
            if taken.all():
                return None
            taken[:] = True
            continue
        if outcome.found != "optimal" or outcome.values is None or outcome.row_duals is None:
            return poured
        wanted = ~taken & program.wanted(outcome.row_duals)
        if not wanted.any():
            values = np.clip(outcome.values, 0.0, 1.0)
            if values[len(some) :].max(initial=0.0) > _TOLERANCE:
                return poured
            found = np.zeros(len(loads.rows.cost))
            found[there.entry[some]] = values[: len(some)]
            return found
        taken |= wanted
    return poured


def _poured(loads: Loads, opened: Ints) -> tuple[Floats, int]:
    rows = loads.rows
    is_open = loads.is_open(opened)
    slot = np.where(is_open, 0, -1).astype(np.int64)
    two = np.empty(len(rows.far))
    # Halfway between the cheapest two open sites, less the cheapest, is half the regret.
    kernels().halfway(rows.start, rows.site, rows.cost, rows.penalised, slot, two)
    order = np.argsort(rows.cheapest(is_open) - two, kind="stable")
    parts, room = np.zeros(len(rows.cost)), loads.room.copy()
    given = (rows.start, rows.site, is_open, loads.load, room, order)
    kernels().pour(*given, parts)
    lost = np.isinf(rows.far) & (loads.share(parts) < 1 - _TOLERANCE)
    return parts, int(lost.sum())


def _entries(loads: Loads, opened: Ints) -> _Open:
    rows, instance = loads.rows, loads.instance
    entry = np.flatnonzero(loads.is_open(opened)[rows.site])
    owner, site = rows.owner[entry], rows.site[entry].astype(np.int64)
    most = np.bincount(site, weights=loads.load[owner], minlength=len(loads.sites))
    tight = (loads.room < most)[site]
    scale = np.maximum(1.0, np.where(np.isfinite(loads.room), loads.room, 1.0))
    held = np.where(tight, loads.load[owner] / scale[site], 0.0)
    far = np.where(np.isinf(rows.far), 0.0, rows.far)
    people, area = instance.people[rows.row], instance.area[rows.row]
    floor = np.full(len(people), -1, dtype=np.int64)
    total = np.ones(len(people))
    for number, key in enumerate(loads.limits.floors):
        floor[area == key] = number
        total[area == key] = max(1.0, float(people[area == key].sum()))
    counts = np.where(loads.near[entry], floor[owner], -1)
    cost = rows.cost[entry] - far[owner]
    return _Open(entry, owner, cost, site, held, counts, (people / total)[owner])


class _Program:
    """The program of some of the entries."""

    def __init__(self, loads: Loads, there: _Open, some: Ints, dear: float) -> None:
        self._there, self._some = there, some
        self._program = program = Program("min")
        must = np.isinf(loads.rows.far)
        program.add_columns(there.cost[some], upper=INF)
        forced = np.flatnonzero(must)
        column = program.add_columns(np.full(len(forced), dear)) + np.arange(len(forced))
        owner = np.concatenate([there.owner[some], forced])
        columns = np.concatenate([np.arange(len(some)), column])
        self._rows = self._group(owner, columns, np.ones(len(owner)), len(must))
        start, entry, value = self._rows
        program.add_rows(start, entry, value, lower=must.astype(float), upper=1.0)
        self._sites = len(must)
        tight = there.held > 0
        start, entry, value = self._group(
            there.site[some][tight[some]],
            np.flatnonzero(tight[some]),
            there.held[some][tight[some]],
            len(loads.sites),
        )
        scale = np.maximum(1.0, np.where(np.isfinite(loads.room), loads.room, 1.0))
        room = np.where(np.isfinite(loads.room), loads.room / scale, INF)
        program.add_rows(start, entry, value, upper=room)
        self._floors = self._sites + len(loads.sites)
        self._promise(loads)

    @staticmethod
    def _group(row: Ints, column: Ints, value: Floats, many: int) -> tuple[Ints, Ints, Floats]:
        order = np.argsort(row, kind="stable")
        start = np.searchsorted(row[order], np.arange(many + 1))
        return start, column[order], value[order]

    def _promise(self, loads: Loads) -> None:
        there, some, instance = self._there, self._some, loads.instance
        for number, (key, share) in enumerate(loads.limits.floors.items()):
            total = float(instance.people[instance.area == key].sum())
            mine = np.flatnonzero(there.floor[some] == number)
            least = (share * total - slack(total) / 2) / max(1.0, total)
            value = there.people[some][mine]
            self._program.add_rows([0, len(mine)], mine, value, lower=least)

    def solve(self, watch: Watch) -> Outcome:
        """Solve it."""
        return self._program.solve(watch, what="exchange", tell=lambda *_: None)

    def wanted(self, dual: Floats) -> np.ndarray:
        """Which entries at open sites would make it cheaper at its prices."""
        there = self._there
        floors = np.append(dual[self._floors :], 0.0)
        reduced = there.cost - dual[there.owner] - there.held * dual[self._sites + there.site]
        reduced -= there.people * floors[there.floor]
        return np.asarray(reduced < -_TOLERANCE * (1.0 + np.abs(there.cost)))
