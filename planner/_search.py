"""Shortest-path search over compressed rows, and nothing else."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rows:
    """A directed graph as compressed rows; of parallel arcs the cheapest.

    Attributes
    ----------
    start
        Where each node's arcs begin, one more than there are nodes.
    head, cost
        End and cost of each arc.
    """

    start: Ints
    head: Ints
    cost: Floats

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.start) - 1


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
    return Rows(start, head[first], cost[first])


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
        Per node; -1 where none does.
    """
    nodes = rows.nodes
    if not len(seed_node):
        return np.full(nodes, np.inf), np.full(nodes, -1, dtype=np.int64)
    # Each origin becomes a node of its own with arcs to its seeds.
    fan = compress(origins, seed_origin, seed_node, seed_cost)
    graph = csr_array(
        (
            np.concatenate([rows.cost, fan.cost]),
            np.concatenate([rows.head, fan.head]),
            np.concatenate([rows.start, rows.start[-1] + fan.start[1:]]),
        ),
        shape=(nodes + origins, nodes + origins),
    )
    distance, _, source = dijkstra(
        graph,
        indices=np.arange(nodes, nodes + origins),
        limit=limit,
        min_only=True,
        return_predecessors=True,
    )
    found = np.isfinite(distance[:nodes])
    return distance[:nodes], np.where(found, source[:nodes] - nodes, -1).astype(np.int64)
