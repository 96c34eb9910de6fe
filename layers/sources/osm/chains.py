"""Streets out of ways: split where ways meet, joined where nothing changes."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """Stretches along one run of points, each from one node to another.

    Attributes
    ----------
    node
        Node at each point of the run, numbered from zero.
    xy
        Its place.
    first, last
        Points at which each piece begins and ends.
    run
        Run of the ways that each piece is a part of.
    """

    node: Ints
    xy: Floats
    first: Ints
    last: Ints
    run: Ints

    def take(self, kept: Flags) -> "Pieces":
        """Return the pieces under a mask."""
        if kept.all():
            return self
        return replace(self, first=self.first[kept], last=self.last[kept], run=self.run[kept])


@dataclass(frozen=True, kw_only=True, eq=False)
class Chains:
    """Pieces joined end to end.

    Attributes
    ----------
    u, v
        Node at each chain's beginning and end.
    kind
        What each chain is, as seen from its beginning.
    xy
        Places along the chains, one after the other.
    owner
        Chain of each place.
    """

    u: Ints
    v: Ints
    kind: Ints
    xy: Floats
    owner: Ints


def split(node: Ints, xy: Floats, way: Ints) -> Pieces:
    """Split ways at the nodes that they share.

    Parameters
    ----------
    node
        Node at each point of the ways, numbered from zero.
    xy
        Its place.
    way
        The way that each point belongs to, ascending.

    Returns
    -------
    The pieces. A way that goes nowhere has none. Neighbours along a way that lie at one
    place become one node, so that no piece has length zero.
    """
    same = way[1:] == way[:-1]
    still = same & (xy[1:] == xy[:-1]).all(axis=1)
    stacked = still & (node[1:] != node[:-1])
    if stacked.any():
        node = _merged(node, node[:-1][stacked], node[1:][stacked])
    kept = np.concatenate([[True], ~still]) if len(node) else np.zeros(0, bool)
    node, xy, way = node[kept], xy[kept], way[kept]
    begins = np.ones(len(way), bool)
    begins[1:] = way[1:] != way[:-1]
    ends = np.roll(begins, -1)
    stop = (np.bincount(node) > 1)[node] if len(node) else begins
    at = np.flatnonzero(stop | begins | ends)
    on = way[at[1:]] == way[at[:-1]]
    first, last = at[:-1][on], at[1:][on]
    return Pieces(node=node, xy=xy, first=first, last=last, run=way[first])


def lone(pieces: Pieces, outline: Flags, walked: Flags) -> Flags:
    """Tell which pieces are outlines of areas that meet nothing but outlines.

    Parameters
    ----------
    pieces
        The pieces.
    outline, walked
        Of each run, whether it is an outline and whether people may walk along it.
    """
    edge = outline[pieces.run]
    if not edge.any():
        return edge
    u, v = pieces.node[pieces.first], pieces.node[pieces.last]
    on_foot = walked[pieces.run]
    size = int(pieces.node.max()) + 1
    pairs = (np.ones(int(on_foot.sum()), bool), (u[on_foot], v[on_foot]))
    label = connected_components(coo_array(pairs, shape=(size, size)), directed=False)[1]
    met = np.zeros(label.max() + 1, bool)
    met[label[u[on_foot & ~edge]]] = True
    alone: Flags = edge & ~met[label[u]]
    return alone


def join(pieces: Pieces, ahead: Ints, back: Ints, *, joined: bool = True) -> Chains:
    """Join pieces at nodes where only two meet and nothing changes.

    Parameters
    ----------
    pieces
        The pieces.
    ahead, back
        What each piece is, a number, as seen from its beginning and from its end.
    joined
        False leaves every piece a chain of its own.
    """
    u, v = pieces.node[pieces.first], pieces.node[pieces.last]
    count = len(u)
    # Arc 2e goes along piece e, arc 2e + 1 against it.
    arcs = np.arange(2 * count)
    kind = np.stack([ahead, back], axis=1).ravel()
    head = np.stack([v, u], axis=1).ravel()
    follows = _follows(head, kind) if joined else arcs.copy()
    end, steps = _terminals(follows)
    rings = follows[end] != end
    if rings.any():
        _open_rings(follows, head, rings)
        end, steps = _terminals(follows)
    start = end[arcs ^ 1] ^ 1
    # Of the two directions of a chain keep the one in which more of it was drawn.
    drawn = np.bincount(start[::2], minlength=2 * count)
    other = end ^ 1
    keep = (drawn[start] > drawn[other]) | ((drawn[start] == drawn[other]) & (start <= other))
    chosen = arcs[keep]
    chosen = chosen[np.lexsort((-steps[chosen], start[chosen]))]
    fresh = np.ones(len(chosen), bool)
    fresh[1:] = start[chosen[1:]] != start[chosen[:-1]]
    owner = np.cumsum(fresh) - 1
    points, per_arc = _points(pieces, chosen, fresh)
    leads = chosen[fresh]
    return Chains(
        u=head[leads ^ 1],
        v=head[end[leads]],
        kind=kind[leads],
        xy=pieces.xy[points],
        owner=np.repeat(owner, per_arc),
    )


def _merged(node: Ints, one: Ints, other: Ints) -> Ints:
    """Give nodes that belong together the number of the lowest."""
    size = int(node.max()) + 1
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(size, size))
    label = connected_components(graph, directed=False)[1]
    lowest = np.full(label.max() + 1, size)
    np.minimum.at(lowest, label, np.arange(size))
    merged: Ints = lowest[label][node]
    return merged


def _follows(head: Ints, kind: Ints) -> Ints:
    """Arc that continues each arc; itself where it ends."""
    follows = np.arange(len(head))
    two = np.flatnonzero((np.bincount(head) == 2)[head]) if len(head) else follows  # noqa: PLR2004 - two ends meet
    # Both arcs that arrive at such a node, side by side.
    one, other = two[np.argsort(head[two], kind="stable")].reshape(-1, 2).T
    on = (kind[one] == kind[other ^ 1]) & (one >> 1 != other >> 1)
    follows[one[on]] = other[on] ^ 1
    follows[other[on]] = one[on] ^ 1
    return follows


def _terminals(follows: Ints) -> tuple[Ints, Ints]:
    """Last arc of each arc's chain and the steps there, by doubling the stride."""
    steps = (follows != np.arange(len(follows))).astype(np.int64)
    end = follows
    for _ in range(int(np.ceil(np.log2(max(len(follows), 2)))) + 1):
        further = end[end]
        if (further == end).all():
            break
        steps = steps + steps[end]
        end = further
    return end, steps


def _open_rings(follows: Ints, head: Ints, rings: Flags) -> None:
    """Let each ring that hangs on nothing begin and end at its lowest node."""
    size = len(follows)
    graph = coo_array((np.ones(size, bool), (np.arange(size), follows)), shape=(size, size))
    label = connected_components(graph, directed=False)[1]
    lowest = np.full(label.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(lowest, label[rings], head[rings])
    last = np.flatnonzero(rings & (head == lowest[label]))
    follows[last] = last


def _points(pieces: Pieces, chosen: Ints, fresh: Flags) -> tuple[Ints, Ints]:
    """Points along the chosen arcs and how many each has, shared ends told once."""
    piece, back = chosen >> 1, (chosen & 1).astype(bool)
    first, last = pieces.first[piece], pieces.last[piece]
    skip = (~fresh).astype(np.int64)
    per_arc = last - first + 1 - skip
    sign = np.where(back, -1, 1)
    begin = np.where(back, last, first) + sign * skip
    within = np.arange(per_arc.sum()) - np.repeat(np.cumsum(per_arc) - per_arc, per_arc)
    return np.repeat(begin, per_arc) + within * np.repeat(sign, per_arc), per_arc
