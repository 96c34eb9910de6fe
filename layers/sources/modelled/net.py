"""A street network in the making: arrays of nodes and edges in metres."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Lines = npt.NDArray[np.object_]

CLASSES: Final = (
    "motorway",
    "trunk",
    "motorway_link",
    "primary",
    "secondary",
    "tertiary",
    "unclassified",
    "residential",
    "service",
    "footway",
    "path",
)
"""Kinds of street, from the greatest to the least; an edge holds its place here."""

CLASS: Final = {name: place for place, name in enumerate(CLASSES)}

_PASSING: Final = 2
"""Degree of a node that only passes a street on."""

BOTH, FORWARD, BACKWARD = 0, 1, 2
"""Ways that vehicles may go along an edge."""


@dataclass(frozen=True)
class Edges:
    """Edges as arrays of one length.

    Attributes
    ----------
    u, v
        Numbers of the nodes.
    lines
        Geometry from `u` to `v`.
    kind
        Place of the street's class in `CLASSES`.
    way
        `BOTH`, `FORWARD` or `BACKWARD`.
    layer
        Height above (below) the ground; bridges and tunnels are not on 0.
    road
        Number of the named road it belongs to, or -1.
    walk
        Whether people on foot may use it.
    """

    u: Ints
    v: Ints
    lines: Lines
    kind: npt.NDArray[np.int8]
    way: npt.NDArray[np.int8]
    layer: npt.NDArray[np.int8]
    road: Ints
    walk: Bools

    @classmethod
    def of(
        cls,
        u: npt.ArrayLike,
        v: npt.ArrayLike,
        lines: Any,
        kind: npt.ArrayLike,
        *,
        way: npt.ArrayLike = BOTH,
        layer: npt.ArrayLike = 0,
        road: npt.ArrayLike = -1,
        walk: npt.ArrayLike = True,
    ) -> "Edges":
        """Make edges of arrays; a single value stands for all."""
        count = len(np.asarray(u))

        def column(values: npt.ArrayLike, kind_of: type) -> Any:
            return np.broadcast_to(np.asarray(values, dtype=kind_of), count).copy()

        return cls(
            u=column(u, np.int64),
            v=column(v, np.int64),
            lines=np.asarray(lines, dtype=object),
            kind=column(kind, np.int8),
            way=column(way, np.int8),
            layer=column(layer, np.int8),
            road=column(road, np.int64),
            walk=column(walk, np.bool_),
        )

    def __len__(self) -> int:
        return len(self.u)

    def take(self, rows: Any) -> "Edges":
        """Return some of the edges."""
        return replace(self, **{name: getattr(self, name)[rows] for name in self.__slots_of()})

    @classmethod
    def joined(cls, parts: Sequence["Edges"]) -> "Edges":
        """Return the edges of several sets as one."""
        return cls(
            **{name: np.concatenate([getattr(p, name) for p in parts]) for name in cls.__slots_of()}
        )

    @classmethod
    def __slots_of(cls) -> tuple[str, ...]:
        return tuple(cls.__dataclass_fields__)


@dataclass(frozen=True)
class Net:
    """Nodes and edges in metres.

    Attributes
    ----------
    xy
        Place of each node.
    edges
        The edges between them.
    """

    xy: Floats
    edges: Edges

    def with_edges(self, more: Edges, xy: Floats | None = None) -> "Net":
        """Return the network with more edges, and more nodes after its own."""
        places = self.xy if xy is None else np.concatenate([self.xy, xy])
        return Net(places, Edges.joined([self.edges, more]))

    def keeping(self, rows: Any) -> "Net":
        """Return the network with some of its edges."""
        return Net(self.xy, self.edges.take(rows))

    def pieces(self) -> Ints:
        """Return the number of the connected piece that each node belongs to."""
        return pieces(self.edges.u, self.edges.v, len(self.xy))

    def compact(self) -> "Net":
        """Return the network without nodes that no edge uses."""
        used, ends = np.unique(np.concatenate([self.edges.u, self.edges.v]), return_inverse=True)
        u, v = ends.reshape(2, -1)
        return Net(self.xy[used], replace(self.edges, u=u, v=v))


def pieces(u: Ints, v: Ints, count: int) -> Ints:
    """Return the number of the connected piece of each node."""
    graph = coo_array((np.ones(len(u), dtype=np.int8), (u, v)), (count, count))
    _, number = connected_components(graph, directed=False)
    return np.asarray(number, dtype=np.int64)


def chains(ends: Ints, degree: Ints) -> Ints:
    """Give edges that are joined by nodes of degree two the same number.

    Parameters
    ----------
    ends
        First and second node of each edge.
    degree
        Edges at each node.

    Returns
    -------
    NDArray
        A number for each edge, from nought without gaps.
    """
    count = ends.shape[1]
    edge = np.tile(np.arange(count), 2)
    node = ends.ravel()
    passing = degree[node] == _PASSING
    edge, node = edge[passing], node[passing]
    pair = edge[np.argsort(node, kind="stable")].reshape(-1, 2)
    return pieces(pair[:, 0], pair[:, 1], count)


def chain_ends(ends: Ints, degree: Ints, chain: Ints) -> tuple[Ints, Ints, Ints]:
    """Return chains that end at nodes, and the two nodes; rings that touch nothing have none."""
    side, edge = np.nonzero(degree[ends] != _PASSING)
    order = np.argsort(chain[edge], kind="stable")
    side, edge = side[order], edge[order]
    first = np.flatnonzero(chain[edge][1:] == chain[edge][:-1])
    a, b = ends[side[first], edge[first]], ends[side[first + 1], edge[first + 1]]
    return chain[edge[first]], a, b


def straight(xy: Floats, u: Ints, v: Ints) -> Lines:
    """Return straight lines between nodes."""
    lines: Lines = shapely.linestrings(np.stack([xy[u], xy[v]], axis=1))
    return lines


def grouped_lines(points: Floats, count: Ints) -> Lines:
    """Return lines of consecutive runs of points.

    Parameters
    ----------
    points
        All points, run after run.
    count
        Points in each run, two or more.

    Returns
    -------
    NDArray
        A line for each run.
    """
    lines: Lines = shapely.linestrings(points, indices=np.repeat(np.arange(len(count)), count))
    return lines


def crossings(edges: Edges) -> Ints:
    """Return pairs of edges of one layer that cross without a shared node."""
    tree = shapely.STRtree(edges.lines)
    first, second = tree.query(edges.lines, predicate="crosses")
    once = (first < second) & (edges.layer[first] == edges.layer[second])
    first, second = first[once], second[once]
    shared = (
        (edges.u[first] == edges.u[second])
        | (edges.u[first] == edges.v[second])
        | (edges.v[first] == edges.u[second])
        | (edges.v[first] == edges.v[second])
    )
    return np.stack([first[~shared], second[~shared]])


def planar(net: Net) -> Net:
    """Return the network without the lesser of any two edges that cross on one layer."""
    pair = crossings(net.edges)
    if not pair.size:
        return net
    kind = net.edges.kind
    lesser = np.where(kind[pair[0]] >= kind[pair[1]], pair[0], pair[1])
    keep = np.ones(len(net.edges), dtype=bool)
    keep[lesser] = False
    return net.keeping(keep)
