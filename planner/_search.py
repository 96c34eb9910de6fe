"""Shortest-path search over compressed rows, and nothing else."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from layers.messages import text

if TYPE_CHECKING:
    from types import ModuleType

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ARC = np.dtype([("cost", np.float64), ("head", np.int64)])
_MOST_BUCKETS = 1 << 16
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
        return self.arcs["head"]

    @property
    def cost(self) -> Floats:
        """Cost of each arc."""
        return self.arcs["cost"]

    @cached_property
    def widths(self) -> tuple[float, float]:
        """Cost of a common arc and of the dearest; neither is zero."""
        finite = self.cost[np.isfinite(self.cost)]
        if not len(finite) or finite.max() == 0.0:
            return 1.0, 1.0
        most = float(finite.max())
        # The mean, not the median: all distances together then span no more buckets than
        # there are arcs, however unlike the arcs are.
        return max(float(finite.mean()), most / _MOST_BUCKETS), most


def compress(nodes: int, tail: Ints, head: Ints, cost: Floats) -> Rows:
    """Sort arcs into compressed rows, keeping the cheapest of parallel ones.

    Parameters
    ----------
    nodes
        Number of nodes; ends count from zero.
    tail, head, cost
        Ends and cost of each arc, costs at least zero.
    """
    order = np.lexsort((cost, head, tail))
    tail, head, cost = tail[order], head[order], cost[order]
    first = np.ones(len(tail), dtype=bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    start = np.zeros(nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(tail[first], minlength=nodes), out=start[1:])
    arcs = np.empty(int(start[-1]), dtype=_ARC)
    arcs["head"], arcs["cost"] = head[first], cost[first]
    return Rows(start, arcs)


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
    nodes = rows.nodes
    distance, origin = np.empty(nodes), np.empty(nodes, dtype=np.int64)
    near = np.flatnonzero(np.isfinite(seed_cost) & (seed_cost <= limit))
    near = near[np.argsort(seed_cost[near], kind="stable")]
    seeds = seed_node[near], seed_cost[near], seed_origin[near]
    width, buckets = _buckets(rows, seeds[1])
    room = nodes + len(near) + 1
    while not kernels("_kernels").nearest(
        rows.start, rows.arcs, *seeds, limit, width, buckets, room, distance, origin
    ):
        room *= 2
    return distance, origin


def _buckets(rows: Rows, seed_cost: Floats) -> tuple[float, int]:
    """Width of a bucket, and a power of two of them that holds the dearest arc."""
    width, most = rows.widths
    # Bucket numbers stay far below what an integer holds, whatever the seeds cost.
    width = max(width, float(seed_cost.max(initial=0.0)) * 2.0**-40)
    return width, 1 << int(np.ceil(np.log2(most / width + 3.0)))


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
