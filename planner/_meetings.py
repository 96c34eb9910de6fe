"""What origins meet behind the nodes that they reach: targets, sums of weights, nearest few."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner._search import Ball, buckets_for, by_origin, kernels
from planner._threads import in_threads, processors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner._search import Floats, Ints, Rows

_ORIGINS_AT_ONCE = 4096
_LANES_PART = 0.25
"""Width of a bucket in common arcs where each node holds several distances, measured best."""
_TARGETS_AT_ONCE = 50_000


@dataclass(frozen=True, eq=False)
class Doors:
    """What lies behind each of some numbers, and at what cost: compressed rows.

    Attributes
    ----------
    start
        Where each number's doors begin, one more than there are numbers.
    to
        What lies behind each door.
    cost
        What it costs to get there.
    """

    start: Ints
    to: Ints
    cost: Floats

    @classmethod
    def sorted(cls, count: int, number: Ints, to: Ints, cost: Floats) -> Doors:
        """Sort doors by the numbers that they belong to."""
        order = np.argsort(number, kind="stable")
        start = np.zeros(count + 1, dtype=np.int64)
        np.cumsum(np.bincount(number, minlength=count), out=start[1:])
        return cls(start, to[order], cost[order])


def meetings(
    rows: Rows,
    seed_node: Ints,
    seed_cost: Floats,
    seed_origin: Ints,
    origins: int,
    limit: float,
    doors: Doors,
    beside: Doors,
    targets: int,
    *,
    at_once: int = 4_000_000,
    most: Floats | None = None,
    near: Floats | None = None,
) -> Iterator[Ball]:
    """Stream the targets that each origin alone reaches, some origins at a time.

    Parameters
    ----------
    rows, seed_node, seed_cost, seed_origin, origins, limit, at_once
        As `within` takes them.
    doors
        Targets behind each node.
    beside
        Targets that each origin reaches without passing a node.
    targets
        Number of targets.
    most, near
        Distance past which each node, and each target, is of no interest.

    Returns
    -------
    Balls with targets in place of nodes, in the order of the origins.
    """
    start, own_node, own_cost = by_origin(seed_node, seed_cost, seed_origin, origins, limit)
    width, buckets = buckets_for(rows, own_cost, least=2.0**-16)
    bounds = tuple(np.empty(0) if one is None else one for one in (most, near))
    held = max(at_once, 1)
    search = kernels("_kernels").meetings

    def part(own: slice) -> Ball:
        room, size = rows.nodes + len(own_node) + 1, 1 << 14
        count = own.stop - own.start
        while True:
            target, cost = np.empty(size, dtype=np.int64), np.empty(size)
            ends = np.zeros(count + 1, dtype=np.int64)
            done = search(
                *(rows.start, rows.arcs, start[own.start : own.stop + 1], own_node, own_cost),
                *(limit, width, buckets, room, doors.start, doors.to, doors.cost),
                *(beside.start[own.start : own.stop + 1], beside.to, beside.cost, targets),
                *(*bounds, ends[1:], target, cost),
            )
            if done == count:
                return Ball(own.start, ends, target[: ends[-1]], cost[: ends[-1]])
            room, size = (room * 2, size) if done < 0 else (room, size * 4)

    first, step = 0, 1
    threads = processors()
    with ThreadPoolExecutor(threads) as pool:
        while first < origins:
            last = min(first + step * threads, origins)
            made = list(
                pool.map(part, [slice(at, min(at + step, last)) for at in range(first, last, step)])
            )
            yield from made
            # As many origins next as the last ones let expect to fit.
            size = max(sum(len(ball.node) for ball in made) / (last - first), 1.0)
            first, step = last, int(np.clip(held / threads / size, 1, _ORIGINS_AT_ONCE))


def sums_within(
    rows: Rows,
    seed_node: Ints,
    seed_cost: Floats,
    seed_origin: Ints,
    origins: int,
    limit: float,
    weight: Floats,
) -> Floats:
    """Sum of the weights of all nodes that each origin alone reaches.

    Parameters
    ----------
    rows, seed_node, seed_cost, seed_origin, origins, limit
        As `nearest_origin` takes them.
    weight
        A row a node, a column a kind of weight.

    Returns
    -------
    A row an origin, a column a kind of weight.
    """
    every, none = np.arange(rows.nodes + 1), np.empty(0, dtype=np.int64)
    doors = Doors(every, every[:-1], np.zeros(rows.nodes))
    beside = Doors(np.zeros(origins + 1, dtype=np.int64), none, np.empty(0))
    return sums_met(
        *(rows, seed_node, seed_cost, seed_origin, origins, limit, doors, beside, weight)
    )


def sums_met(
    rows: Rows,
    seed_node: Ints,
    seed_cost: Floats,
    seed_origin: Ints,
    origins: int,
    limit: float,
    doors: Doors,
    beside: Doors,
    weight: Floats,
) -> Floats:
    """Sum of the weights of all targets that each origin alone reaches.

    Parameters
    ----------
    rows, seed_node, seed_cost, seed_origin, origins, limit, doors, beside
        As `meetings` takes them.
    weight
        A row a target, a column a kind of weight.

    Returns
    -------
    A row an origin, a column a kind of weight.
    """
    start, node, cost = by_origin(seed_node, seed_cost, seed_origin, origins, limit)
    width, buckets = buckets_for(rows, cost, least=2.0**-16, part=_LANES_PART)
    total = np.zeros((origins, weight.shape[1]))
    # Origins near each other follow one another: they are searched side by side.
    place = np.zeros(origins, dtype=np.int64)
    place[start[1:] > start[:-1]] = node[start[:-1][start[1:] > start[:-1]]]
    order = np.argsort(place, kind="stable")
    search = kernels("_lanes").sums

    def add(part: slice) -> None:
        search(
            *(rows.start, rows.arcs, start, node, cost, float(limit), width, buckets, order[part]),
            *(doors.start, doors.to, doors.cost, beside.start, beside.to, beside.cost),
            *(weight, total),
        )

    in_threads(add, origins, _ORIGINS_AT_ONCE)
    return total


def few_met(
    near: tuple[Floats, Ints], node: Ints, cost: Floats, beside: Doors, limit: float
) -> tuple[Floats, Ints]:
    """Nearest few origins of each target, from those of the nodes at its street's ends.

    Parameters
    ----------
    near
        What `nearest_origins` found.
    node, cost
        A row a target, a column an end: the node, and the cost from it.
    beside
        Origins that each target reaches without passing a node.
    limit
        Greatest distance, inclusive.

    Returns
    -------
    Distance and origin: a row a target, a column a rank; inf and -1 where there are fewer.
    """
    shape = len(node), near[0].shape[1]
    distance, origin = np.full(shape, np.inf), np.full(shape, -1, dtype=np.int64)
    fill = kernels("_kernels").few

    def part(own: slice) -> None:
        fill(
            *(near[0], near[1], node[own], cost[own], beside.start[own.start : own.stop + 1]),
            *(beside.to, beside.cost, limit, distance[own], origin[own]),
        )

    if shape[1]:
        in_threads(part, len(node), _TARGETS_AT_ONCE)
    return distance, origin
