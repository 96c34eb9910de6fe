"""Where streets meet water: they end at the bank, and a road follows it."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from layers.sources.modelled.net import Lines, grouped_lines, straight

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SETBACK: Final = 30.0
"""Metres between the water and the road along it."""

_DETAIL: Final = 10.0


@dataclass(frozen=True)
class Banked:
    """Streets cut at the water.

    Attributes
    ----------
    xy
        Nodes; those on a bank come after the others.
    ends
        Nodes of each edge that is left, oriented as before.
    edge
        The edge that each comes from.
    links
        Nodes of each stretch of road along a bank.
    link_lines
        Their geometry.
    spans
        Nodes of streets' continuations over the water, bank to bank.
    span_edge
        The edge that each comes from.
    beside
        Whether an edge that is left was cut.
    """

    xy: Floats
    ends: Ints
    edge: Ints
    links: Ints
    link_lines: Lines
    spans: Ints
    span_edge: Ints
    beside: Bools


def cut(xy: Floats, ends: Ints, water: Any, *, longest_link: float) -> Banked:
    """Cut straight edges where they would enter the water.

    Parameters
    ----------
    xy
        Nodes in metres.
    ends
        First and second node of each edge.
    water
        The water as one area in metres.
    longest_link
        Longest stretch of road along a bank between two streets, in metres.

    Returns
    -------
    Banked
        Streets on dry land, roads along the banks, and where streets might span the water.
    """
    wet = shapely.simplify(shapely.buffer(water, SETBACK, quad_segs=3), _DETAIL)
    lines = straight(xy, *ends)
    tree = shapely.STRtree(shapely.get_parts(_pieces(wet)))
    touched = np.unique(tree.query(lines, predicate="intersects")[0])
    shapely.prepare(wet)
    drowned = np.zeros(len(xy), dtype=bool)
    near = np.unique(ends[:, touched])
    drowned[near] = shapely.intersects_xy(wet, xy[near])
    rings = shapely.get_rings(shapely.get_parts(wet))
    shore = _Shore.of(rings)
    where, hit_edge, hit_ring = shore.meet(lines[touched])
    hit_edge = touched[hit_edge]

    # The first bank seen from either end that is dry.
    order = np.lexsort(
        (shapely.line_locate_point(lines[hit_edge], shapely.points(where)), hit_edge)
    )
    where, hit_edge, hit_ring = where[order], hit_edge[order], hit_ring[order]
    change = np.flatnonzero(np.diff(hit_edge, prepend=-1))
    first = change[~drowned[ends[0, hit_edge[change]]]] if len(change) else change
    last_of = np.append(change[1:], len(hit_edge)) - 1
    last = last_of[~drowned[ends[1, hit_edge[change]]]] if len(change) else change
    bank = np.concatenate([first, last])
    number = len(xy) + np.arange(len(bank))
    from_first, from_last = number[: len(first)], number[len(first) :]

    dry = np.ones(ends.shape[1], dtype=bool)
    dry[hit_edge] = False
    dry &= ~drowned[ends].any(axis=0)
    kept = np.flatnonzero(dry)
    out = np.concatenate(
        [
            ends[:, kept],
            np.stack([ends[0, hit_edge[first]], from_first]),
            np.stack([from_last, ends[1, hit_edge[last]]]),
        ],
        axis=1,
    )
    edge = np.concatenate([kept, hit_edge[first], hit_edge[last]])
    both, at_first, at_last = np.intersect1d(
        hit_edge[first], hit_edge[last], assume_unique=True, return_indices=True
    )
    places = np.concatenate([xy, where[bank]])
    links, link_lines = shore.links(where[bank], hit_ring[bank], number, longest_link)
    return Banked(
        xy=places,
        ends=out,
        edge=edge,
        links=links,
        link_lines=link_lines,
        spans=np.stack([from_first[at_first], from_last[at_last]]),
        span_edge=both,
        beside=np.arange(len(edge)) >= len(kept),
    )


@dataclass(frozen=True)
class _Shore:
    """The banks as short straight stretches, ring by ring."""

    start: Floats
    end: Floats
    ring: Ints
    along: Floats

    @classmethod
    def of(cls, rings: Any) -> "_Shore":
        corners, ring = shapely.get_coordinates(rings, return_index=True)
        same = ring[1:] == ring[:-1]
        start, end = corners[:-1][same], corners[1:][same]
        metres = np.hypot(*(end - start).T)
        total = np.cumsum(metres) - metres
        of_ring = ring[:-1][same]
        first = np.flatnonzero(np.diff(of_ring, prepend=-1))
        offset = np.repeat(total[first], np.diff(np.append(first, len(of_ring))))
        return cls(start, end, of_ring.astype(np.int64), total - offset)

    def meet(self, lines: Lines) -> tuple[Floats, Ints, Ints]:
        """Return where straight lines cross the banks: point, line, stretch."""
        tree = shapely.STRtree(shapely.linestrings(np.stack([self.start, self.end], axis=1)))
        line, stretch = tree.query(lines, predicate="crosses")
        a = shapely.get_coordinates(shapely.get_point(lines[line], 0))
        b = shapely.get_coordinates(shapely.get_point(lines[line], -1))
        c, d = self.start[stretch], self.end[stretch]
        across = _cross(b - a, d - c)
        share = _cross(c - a, d - c) / across
        return a + share[:, None] * (b - a), line, stretch

    def links(
        self, where: Floats, stretch: Ints, number: Ints, longest: float
    ) -> tuple[Ints, Lines]:
        """Return the roads along the banks between neighbouring bank nodes."""
        along = self.along[stretch] + np.hypot(*(where - self.start[stretch]).T)
        ring = np.concatenate([self.ring[stretch], self.ring])
        place = np.concatenate([along, self.along])
        points = np.concatenate([where, self.start])
        node = np.concatenate([number, np.full(len(self.ring), -1)])
        order = np.lexsort((node < 0, place, ring))
        ring, place, points, node = ring[order], place[order], points[order], node[order]
        at = np.flatnonzero(node >= 0)
        a, b = at[:-1], at[1:]
        metres = place[b] - place[a]
        good = (ring[a] == ring[b]) & (metres > 1.0) & (metres <= longest)
        a, b = a[good], b[good]
        count = b - a + 1
        run = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        lines = grouped_lines(points[np.repeat(a, count) + run], count)
        return np.stack([node[a], node[b]]), lines


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _pieces(area: Any) -> Any:
    """Cut a large area into smaller ones that are quicker to search."""
    west, south, east, north = shapely.bounds(area)
    x, y = np.arange(west, east, 4000.0), np.arange(south, north, 4000.0)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    cells = shapely.box(grid[:, 0], grid[:, 1], grid[:, 0] + 4000.0, grid[:, 1] + 4000.0)
    shapely.prepare(area)
    cells = cells[shapely.intersects(area, cells)]
    parts = shapely.intersection(cells, area)
    return shapely.geometrycollections(parts[~shapely.is_empty(parts)])
