"""Shortest-path search over compressed rows, and nothing else."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from itertools import pairwise
from math import ceil, log2
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from layers.messages import text
from planner._folded import LEAST_PART, MOST_BUCKETS, Folded, Tiles, widths
from planner._threads import each, in_turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]
_Seeds = tuple[Ints, Floats, Ints]
"""Nodes, costs and origins."""
_Reached = tuple[int, int, Shorts]
"""A range of nodes, and those that have a label; the range is empty if they lie anywhere."""

_ARC = np.dtype([("cost", np.float64), ("head", np.int32)])
_PREVAIL = 0.6
"""Share of nodes with two arcs from which on it pays to fold a graph, measured on cities."""
_SPARSE = 8
"""A search that reaches fewer than every so manieth node has its outcome filled in singly."""
_PART = 0.5
"""Width of a bucket in common arcs: half of one searches fewer nodes twice."""
_LITTLE = 1 << 13
"""Once so few nodes are left to find, they are one search: threads would wake later."""
_SPARE = 16
"""How many times too large a thread's room may be before it is given back."""
_own = threading.local()
_log = logging.getLogger("planner")


@dataclass(frozen=True, eq=False)
class Rows:
    """A directed graph as compressed rows; of parallel arcs the cheapest.

    Attributes
    ----------
    start
        Where each node's arcs begin, one more than there are nodes.
    arcs
        ``cost`` and ``head`` (the end) of each arc, side by side in memory.
    """

    start: Ints
    arcs: NDArray[Any]

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.start) - 1

    @property
    def head(self) -> Ints:
        """End of each arc."""
        return self.arcs["head"].astype(np.int64)

    @property
    def cost(self) -> Floats:
        """Cost of each arc."""
        return np.ascontiguousarray(self.arcs["cost"])

    @cached_property
    def widths(self) -> tuple[float, float]:
        """Cost of a common arc and of the dearest; neither is zero."""
        return widths(self.cost)

    @cached_property
    def tiles(self) -> Tiles:
        """Ranges of nodes that are searched each for itself."""
        return Tiles.over(self.start, self.arcs, kernels("_folds"))

    @cached_property
    def folded(self) -> Folded | None:
        """The graph without the nodes at which there is nothing to choose, if they prevail."""
        if np.count_nonzero(np.diff(self.start) == 2) < _PREVAIL * self.nodes:  # noqa: PLR2004
            return None
        return Folded.of(self.start, self.arcs, kernels("_folds"))


@dataclass(frozen=True, eq=False)
class Ball:
    """What some origins reach, each alone, as compressed rows.

    Attributes
    ----------
    first
        The first of the origins.
    start
        Where each origin's nodes begin, one more than there are origins.
    node, distance
        The nodes within the limit, in no order, and their distances.
    """

    first: int
    start: Ints
    node: Ints
    distance: Floats


def compress(nodes: int, tail: Ints, head: Ints, cost: Floats) -> Rows:
    """Sort arcs into compressed rows, keeping the cheapest of parallel ones.

    Parameters
    ----------
    nodes
        Number of nodes; ends count from zero.
    tail, head, cost
        Ends and cost of each arc, costs at least zero.
    """
    start = np.zeros(nodes + 1, dtype=np.int64)
    arcs = np.empty(len(tail), dtype=_ARC)
    filled = np.empty(nodes, dtype=np.int64)
    kept = kernels("_kernels").compress(tail, head, cost, start, filled, arcs)
    return Rows(start, arcs if kept == len(arcs) else arcs[:kept].copy())


def nearest_origin(
    rows: Rows, seed_node: Ints, seed_cost: Floats, seed_origin: Ints, origins: int, limit: float
) -> tuple[Floats, Ints]:
    """Distance from the nearest origin to every node, and which origin that is.

    Parameters
    ----------
    rows
        The graph.
    seed_node, seed_cost, seed_origin
        Nodes that an origin reaches at once, at which cost, and which origin it is.
    origins
        Number of origins.
    limit
        Greatest distance that is searched, inclusive.

    Returns
    -------
    distance
        Per node; inf where no origin comes within the limit.
    origin
        Per node, of equally near ones the first; -1 where none does.
    """
    assert not len(seed_origin) or seed_origin.max() < origins
    seeds, limit, folded = (seed_node, seed_cost, seed_origin), float(limit), rows.folded
    if folded is not None:
        return _unfolded(folded, seeds, limit)
    made, nodes = kernels("_tiles"), rows.nodes
    label, touched = kept = _labels(rows.tiles)
    outcome = _Outcome(nodes, nodes // _SPARSE)
    reached = _label(rows, seeds, limit, label, touched, outcome)
    distance, which, blank = outcome.room(sum(len(own) for _, _, own in reached))

    def take(part: _Reached) -> None:
        made.harvest(*part, touched[:0], label, blank, distance, which)
        made.clear(*part, label, blank)

    # Few nodes take less time than to wake a thread.
    (in_turn if blank and nodes < _SPARSE * LEAST_PART else each)(take, reached)
    _own.labels = kept
    return distance, which


def _unfolded(folded: Folded, seeds: _Seeds, limit: float) -> tuple[Floats, Ints]:
    """As `nearest_origin`, for a graph that has been folded."""
    made, unfold = kernels("_tiles"), kernels("_folds")
    core, chains, trees = folded.core, folded.chains, folded.trees
    entries = chains.start, chains.ends, chains.legs, folded.legs, trees.parent, trees.up
    come = unfold.enter(folded.place, *entries, limit, *seeds)
    node, cost, origin, *held = come
    order = np.argsort(held[0], kind="stable")
    held = [column[order] for column in held]
    label, touched = kept = _labels(folded.tiles)
    # What is folded is most: it is quicker to leave out what cannot have been reached.
    outcome = _Outcome(len(folded.place), len(core) // 2)
    reached = _label(folded, (node, cost, origin), limit, label, touched, outcome)
    distance, which, blank = outcome.room(sum(len(own) for _, _, own in reached))
    into = limit, *held, blank, distance, which
    along = chains.start, chains.ends, chains.legs, folded.legs, chains.inner, label
    hung = len(chains.inner), trees.node, trees.parent, trees.down
    turns = range(max(len(chains.parts), len(trees.parts), len(reached)))

    def near(turn: int) -> None:
        for first, last in chains.parts[turn : turn + 1]:
            unfold.chains(first, last, *along, *into)
        for part in reached[turn : turn + 1]:
            made.harvest(*part, core, label, blank, distance, which)

    def far(turn: int) -> None:
        for first, last in trees.parts[turn : turn + 1]:
            unfold.trees(first, last, *hung, *into)
        for part in reached[turn : turn + 1]:
            made.clear(*part, label, blank)

    each(near, turns)
    # Trees hang on what stands then.
    each(far, turns)
    _own.labels = kept
    return distance, which


class _Outcome:
    """Room for the outcome of a search, left blank where few of its nodes are reached."""

    def __init__(self, nodes: int, least: int) -> None:
        self._distance, self._which = np.empty(nodes), np.empty(nodes, dtype=np.int64)
        self._least, self._blank = least, False

    def prepare(self, reached: int) -> None:
        """Make it blank if it looks as if few nodes were reached: some time during the search."""
        if reached < self._least:
            self._distance.fill(np.inf)
            self._which.fill(-1)
            self._blank = True

    def room(self, reached: int) -> tuple[Floats, Ints, bool]:
        """Distances, origins and whether these are blank, which few nodes do not change much."""
        if not self._blank:
            self.prepare(reached)
        return self._distance, self._which, self._blank and reached < self._least


def _label(
    graph: Rows | Folded,
    seeds: _Seeds,
    limit: float,
    label: Floats,
    touched: Shorts,
    outcome: _Outcome,
) -> list[_Reached]:
    """Label a graph, tile by tile; whoever is done first prepares the outcome's room."""
    made, tiles, nodes = kernels("_tiles"), graph.tiles, len(graph.start) - 1
    ranges = tiles.ranges
    reached = [0] * tiles.count
    legs = (graph.leg, graph.legs) if isinstance(graph, Folded) else (touched[:0], label[:0])
    rooms = [touched[low + tile :] for tile, (low, _) in enumerate(ranges)]
    come, rest, buckets = len(seeds[0]), touched[:0], (1.0, 1)

    def search(seeds: _Seeds, low: int, high: int, own: Shorts, known: int) -> int:
        count: int = made.nearest(
            graph.start, graph.arcs, *legs, low, high, *seeds, limit, *buckets, label, own, known
        )
        return count

    def within(job: tuple[int, _Seeds] | None) -> None:
        if job is None:
            outcome.prepare(sum(reached))
            return
        tile, own = job
        reached[tile] = search(own, *ranges[tile], rooms[tile], reached[tile])

    while come:
        # Those that cross from tile to tile are few: all else is found within them.
        few, before = come, sum(reached)
        jobs = _jobs(tiles, seeds, limit)
        dearest = np.array([own[1][-1] for _, own in jobs])
        buckets = buckets_for(graph, dearest, least=2.0**-40, part=_PART)
        each(within, jobs if before else [*jobs, None])
        count = len(tiles.tail)
        out = np.empty(count, dtype=np.int64), np.empty(count), np.empty(count, dtype=np.int64)
        between = tiles.arc, tiles.tail, graph.arcs, *legs
        come = made.crossing(*between, limit, label, *out)
        seeds, new = _part(out, slice(come)), sum(reached) - before
        # As many again for each seed are more than there will be, beside labels.
        if come and come * new < few * _LITTLE:
            rest = np.empty(nodes + 1, dtype=np.int32)
            buckets = buckets_for(graph, seeds[1], least=2.0**-40, part=_PART)
            ((_, seeds),) = _by_tile(np.array([0, nodes]), seeds, limit)
            rest = rest[: search(seeds, 0, nodes, rest, 0)]
            break
    own = [room[:count] for room, count in zip(rooms, reached, strict=True)]
    found = [(*ends, nodes) for ends, nodes in zip(ranges, own, strict=True)]
    return [*found, (0, 0, rest)] if len(rest) else found


def nearest_origins(
    rows: Rows,
    seed_node: Ints,
    seed_cost: Floats,
    seed_origin: Ints,
    count: int,
    limit: float,
) -> tuple[Floats, Ints]:
    """Distances from the nearest few origins to every node, and which origins they are.

    Parameters
    ----------
    rows, seed_node, seed_cost, seed_origin, limit
        As `nearest_origin` takes them.
    count
        How many origins to keep for each node.

    Returns
    -------
    distance, origin
        A row a node, a column a rank, nearest first; inf and -1 where there are fewer.
    """
    made, limit, tiles = kernels("_kernels"), float(limit), rows.tiles
    distance = np.empty((rows.nodes, count))
    origin = np.empty((rows.nodes, count), dtype=np.int64)
    room = np.diff(tiles.ends).tolist()
    given: list[list[_Seeds]] = [[] for _ in room]
    seeds: _Seeds = seed_node, seed_cost, seed_origin

    def clear(tile: int) -> None:
        own = slice(tiles.ends[tile], tiles.ends[tile + 1])
        made.blank(distance[own], origin[own])

    def search(job: tuple[int, _Seeds]) -> None:
        tile, new = job
        given[tile].append(new)
        bounds = rows.start, rows.arcs, tiles.ends[tile], tiles.ends[tile + 1]
        while not made.several(
            *(*bounds, *new, limit, *buckets_for(rows, new[1], least=2.0**-40)),
            *(room[tile], distance, origin),
        ):
            # Again with more room, from all that has ever come into the tile.
            room[tile] *= 2
            clear(tile)
            nodes, costs, whose = zip(*given[tile], strict=True)
            ever = np.concatenate(nodes), np.concatenate(costs), np.concatenate(whose)
            ((_, new),) = _by_tile(np.array([0, rows.nodes]), ever, limit)

    each(clear, range(tiles.count))
    while count and len(seeds[0]):
        each(search, _jobs(tiles, seeds, limit))
        most = len(tiles.tail) * count
        out = np.empty(most, dtype=np.int64), np.empty(most), np.empty(most, dtype=np.int64)
        come = made.crossing(tiles.arc, tiles.tail, rows.arcs, limit, distance, origin, *out)
        seeds = _part(out, slice(come))
    return distance, origin


def within(
    rows: Rows,
    seed_node: Ints,
    seed_cost: Floats,
    seed_origin: Ints,
    origins: int,
    limit: float,
    *,
    at_once: int = 4_000_000,
) -> Iterator[Ball]:
    """Stream what each origin alone reaches, some origins at a time, in their order.

    Parameters
    ----------
    rows, seed_node, seed_cost, seed_origin, origins, limit
        As `nearest_origin` takes them.
    at_once
        Pairs of an origin and a node that are held in memory at one time; a single
        origin may exceed it.
    """
    start, own_node, own_cost = by_origin(seed_node, seed_cost, seed_origin, origins, limit)
    width, buckets = buckets_for(rows, own_cost, least=2.0**-16)
    first, room, held = 0, rows.nodes + len(own_node) + 1, max(at_once, 1)
    search = kernels("_kernels").balls
    while first < origins:
        node, cost = np.empty(held, dtype=np.int64), np.empty(held)
        ends = np.zeros(origins - first + 1, dtype=np.int64)
        rest = start[first:], own_node, own_cost
        how = limit, width, buckets, room
        done = search(rows.start, rows.arcs, *rest, *how, ends[1:], node, cost)
        if done < 0:
            room *= 2
        elif not done:
            held *= 2
        else:
            ends = ends[: done + 1]
            yield Ball(first, ends, node[: ends[-1]], cost[: ends[-1]])
            first, held = first + done, max(at_once, 1)


def _jobs(tiles: Tiles, seeds: _Seeds, limit: float) -> list[tuple[int, _Seeds]]:
    """Seeds by tile, the longest searches first: whoever is done then finds short ones."""
    found = _by_tile(tiles.ends, seeds, limit)
    return sorted(found, key=lambda job: -len(job[1][0]) * tiles.crowd[job[0]])


def _by_tile(ends: Ints, seeds: _Seeds, limit: float) -> list[tuple[int, _Seeds]]:
    """Sort the seeds within the limit by range of nodes, then cost; those that have any."""
    begin, *kept = kernels("_tiles").in_order(ends, *seeds, limit)
    return [
        (turn, _part(kept, slice(*pair)))
        for turn, pair in enumerate(pairwise(begin.tolist()))
        if pair[0] < pair[1]
    ]


def _part(seeds: Sequence[Any], own: slice) -> _Seeds:
    node, cost, origin = seeds
    return node[own], cost[own], origin[own]


def _labels(tiles: Tiles) -> tuple[Floats, Shorts]:
    """Room for the labels of nodes, which each thread keeps: a search leaves it as it was.

    It is taken away until then, so that a search that breaks off leaves nothing behind.
    """
    nodes = int(tiles.ends[-1])
    # Each tile lists its nodes in room for one more.
    listed = nodes + tiles.count
    kept: tuple[Floats, Shorts] | None = getattr(_own, "labels", None)
    _own.labels = None
    if kept is None or len(kept[1]) < listed or len(kept[1]) > _SPARE * listed:
        label = np.empty(2 * listed)
        label[::2], label[1::2] = np.inf, -1.0
        kept = label, np.empty(listed, dtype=np.int32)
    return kept


def by_origin(
    node: Ints, cost: Floats, origin: Ints, origins: int, limit: float
) -> tuple[Ints, Ints, Floats]:
    """Where each origin's seeds begin, and its seeds."""
    near = np.flatnonzero(np.isfinite(cost) & (cost <= limit))
    near = near[np.argsort(origin[near], kind="stable")]
    start = np.zeros(origins + 1, dtype=np.int64)
    np.cumsum(np.bincount(origin[near], minlength=origins), out=start[1:])
    return start, node[near], cost[near]


def buckets_for(
    rows: Rows | Folded, seed_cost: Floats, *, least: float, part: float = 1.0
) -> tuple[float, int]:
    """Width of a bucket, and a power of two of them that holds the dearest arc.

    A bucket is as wide as a common arc, or a part of that.
    Where seeds wait in buckets from the start, these have to hold the dearest seed too,
    and `least`, the narrowest bucket in parts of it, keeps them from being too many.
    """
    width, most = rows.widths
    dearest = float(seed_cost.max(initial=0.0))
    width = max(width, dearest * least) * part
    held = max(most, dearest) if least * MOST_BUCKETS >= 1.0 else most
    return width, 1 << ceil(log2(held / width + 3.0))


@cache
def kernels(name: str) -> ModuleType:
    """Import a module of compiled kernels; the first says when they are being compiled."""
    module = import_module(f"planner.{name}")
    _listen()
    return module


@cache
def _listen() -> None:
    told: list[bool] = []

    def tell() -> None:
        if not told:
            told.append(True)
            _log.warning(text("search.compiling"))

    import_module("planner._compiled").on_compiling(tell)
