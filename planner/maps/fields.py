"""Fields: distances along every street, drawn as tiles that the browser colours.

A tile does not say who is served: it says how far each place on a street is from the
nearest facility. The browser compares that with the cutoff, so a slider moves over the map
without asking the server for anything.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.ops import substring

from layers.datum import wgs84_to_gcj02
from planner._curve import along_curve
from planner.maps import shapes

if TYPE_CHECKING:
    import pandas as pd

    from layers.datum import Datum
    from planner._search import Floats, Ints
    from planner.network import Network
    from planner.reach import Reach, Unit

STEPS: dict[Unit, float] = {"m": 1.0, "min": 0.005}
"""Distance that one step of a tile's numbers stands for: a metre, a third of a second."""

_MOST = 65_534
_BLOCK = 128
_LINE_ZOOMS = (7.0, 9.0, 11.0, 13.0, 15.0, 17.0, 19.0)
# Widths in pixels at those zooms, by rank: motorways first, lanes last.
_LINE_WIDTHS = np.array(
    [
        [1.2, 1.7, 2.2, 3.0, 5.0, 9.0, 16.0],
        [1.0, 1.4, 1.9, 2.7, 4.4, 8.0, 14.0],
        [0.7, 1.0, 1.5, 2.3, 3.8, 7.0, 12.0],
        [0.4, 0.6, 1.1, 1.9, 3.2, 6.0, 10.0],
        [0.12, 0.25, 0.6, 1.3, 2.4, 4.6, 8.0],
    ]
)


def widths(zoom: float, *, count: int = 1_000_000) -> Floats:
    """Width of streets in pixels at a zoom, by rank.

    Parameters
    ----------
    zoom
        Zoom.
    count
        Lines in all: where there are few, the least of them are not made so faint.

    Examples
    --------
    >>> widths(13).tolist()
    [3.0, 2.7, 2.3, 1.9, 1.3]
    """
    least = np.interp(count, (30_000, 300_000), (0.9, 0.0))
    return np.maximum([np.interp(zoom, _LINE_ZOOMS, row) for row in _LINE_WIDTHS], least)


def mercator(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Web Mercator in parts of the world from its north-west corner, as tiles count.

    Examples
    --------
    >>> [float(part) for part in mercator(np.array(0.0), np.array(0.0))]
    [0.5, 0.5]
    """
    sine = np.sin(np.radians(np.clip(lat, -85.05112878, 85.05112878)))
    return lon / 360.0 + 0.5, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)


def box_of(zoom: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, north, east, south of a tile in parts of the world."""
    side = 1.0 / 2**zoom
    return x * side, y * side, (x + 1) * side, (y + 1) * side


@dataclass(frozen=True, eq=False, repr=False)
class Streets:
    """Lines of a network, ready to be drawn: main ones last, near ones together.

    Attributes
    ----------
    order
        Row of the network's street of each line.
    x, y
        Vertices in parts of the world.
    along
        Metres of each vertex along its line.
    first
        Vertex at which each line begins, one more than there are lines.
    rank
        How main each line is; see `shapes.rank`.
    length
        Metres of each line.
    """

    order: Ints
    x: Floats
    y: Floats
    along: Floats
    first: Ints
    rank: Ints
    length: Floats

    @classmethod
    def of(cls, network: Network, *, datum: Datum = "wgs84") -> Streets:
        """Make a network's lines ready."""
        streets = network.streets
        lines = np.asarray(streets.geometry.array)
        return cls.layer(lines, streets["highway"], network.length, datum=datum)

    @classmethod
    def layer(
        cls, lines: Any, highway: pd.Series, length: Floats, *, datum: Datum = "wgs84"
    ) -> Streets:
        """Make streets in degrees ready, given OpenStreetMap's classes and metres."""
        rank = shapes.rank(highway)
        middle = shapely.get_coordinates(
            shapely.line_interpolate_point(lines, 0.5, normalized=True)
        )
        curve = np.empty(len(lines), dtype=np.int64)
        curve[along_curve(middle)] = np.arange(len(lines))
        order = np.lexsort((curve, -rank))
        return cls.lines(lines[order], order, rank[order], length[order], datum=datum)

    @classmethod
    def lines(
        cls, lines: Any, order: Ints, rank: Ints, length: Floats, *, datum: Datum = "wgs84"
    ) -> Streets:
        """Make lines in degrees ready, in the order given."""
        from planner.maps import _raster  # noqa: PLC0415 - numba is slow to import

        lon, lat = shapely.get_coordinates(lines).T
        if datum != "wgs84":
            lon, lat = wgs84_to_gcj02(lon, lat)
        x, y = mercator(lon, lat)
        first = np.append(0, np.cumsum(shapely.get_num_coordinates(lines)))
        along = np.empty(len(x))
        _raster.lengthen(x, y, first, length, along)
        return cls(order, x, y, along, first, rank, length)

    @cached_property
    def boxes(self) -> tuple[Floats, Floats]:
        """West, north, east, south of each line, and of each block of lines."""
        if not len(self.order):
            return np.empty((0, 4)), np.empty((0, 4))
        starts = self.first[:-1]
        box = np.column_stack(
            [
                np.minimum.reduceat(self.x, starts),
                np.minimum.reduceat(self.y, starts),
                np.maximum.reduceat(self.x, starts),
                np.maximum.reduceat(self.y, starts),
            ]
        )
        blocks = np.arange(0, len(box), _BLOCK)
        block = np.column_stack(
            [np.minimum.reduceat(box[:, side], blocks) for side in (0, 1)]
            + [np.maximum.reduceat(box[:, side], blocks) for side in (2, 3)]
        )
        return box, block


@dataclass(frozen=True, eq=False, repr=False)
class Field:
    """Distances along streets, as much as tiles need of them.

    Attributes
    ----------
    streets
        Their lines; those that carry an origin are in `parts` instead.
    near_u, near_v
        Distance of each line's beginning and end in steps, inf for no way over it.
    up, down
        Steps a metre, going up from the beginning and down from the end.
    parts
        Pieces of the streets that carry origins, cut there, with the same of them.
    step
        What a step is, in the unit of the distances.
    """

    streets: Streets
    near_u: np.ndarray
    near_v: np.ndarray
    up: np.ndarray
    down: np.ndarray
    parts: Field | None
    step: float

    @classmethod
    def of(cls, reach: Reach, streets: Streets, *, datum: Datum = "wgs84") -> Field:
        """Make the field of distances from the nearest of a reach's origins.

        Parameters
        ----------
        reach
            Distances; beyond its cutoff there is no way.
        streets
            What `Streets.of` made of its network.
        datum
            What it was made for.
        """
        network, step = reach.network, STEPS[reach.unit]
        every = np.arange(len(network.length))
        there, back = network.paces(reach.unit, every)
        leaving = reach.towards == "from"
        over_u, up = (network.forward, there) if leaving else (network.backward, back)
        over_v, down = (network.backward, back) if leaving else (network.forward, there)
        distance, delay = reach.node_distance, network.delays(reach.unit)
        if delay is not None:
            distance = distance + delay
        from_u = np.where(over_u, distance[network.u], np.inf)
        from_v = np.where(over_v, distance[network.v], np.inf)
        parts = _cut(reach, from_u, from_v, over_u, over_v, up, down, datum)
        whole = [_steps(values, step) for values in (from_u, from_v, up, down)]
        here = [np.ascontiguousarray(values[streets.order]) for values in whole]
        return cls(streets, here[0], here[1], here[2], here[3], parts, step)

    @classmethod
    def flat(cls, streets: Streets) -> Field:
        """Make a field that says nothing of distance: nought everywhere."""
        nought = np.zeros(len(streets.order), dtype=np.float32)
        return cls(streets, nought, nought, nought, nought, None, 1.0)

    @cached_property
    def key(self) -> str:
        """Name of its content: fields of the same distances have the same."""
        told = hashlib.blake2b(digest_size=12)
        for array in (self.near_u, self.near_v, self.up, self.down):
            told.update(array.tobytes())
        told.update(np.ascontiguousarray(self.streets.x[::97]).tobytes())
        told.update(b"" if self.parts is None else self.parts.key.encode())
        told.update(str(self.step).encode())
        return told.hexdigest()

    def tile(self, zoom: int, x: int, y: int, *, side: int = 256) -> bytes | None:
        """Draw a tile.

        Parameters
        ----------
        zoom, x, y
            Which tile, as web maps count.
        side
            Pixels; 512 for screens of double sharpness.

        Returns
        -------
        Three planes of `side` × `side` bytes: covered part of the pixel, then the high and
        the low byte of the distance in steps plus one, rounded up, where 0 is no way. None
        where no street is near.
        """
        planes = self.planes(zoom, x, y, side=side)
        if planes is None:
            return None
        covered = np.rint(planes[0] * 255).astype(np.uint8)
        # Rounding up never puts a place within a cutoff that it lies beyond.
        number = np.where(planes[1] > _MOST - 1, 0, np.ceil(planes[1] - 1e-3) + 1).astype(np.uint16)
        number[covered == 0] = 0
        # Small differences that no eye sees would only make the tile heavier.
        coarse = _coarse(zoom, self.step)
        if coarse > 1:
            number = np.where(number, np.minimum(((number - 1) // coarse) * coarse + 1, _MOST), 0)
            number = number.astype(np.uint16)
        halves = ((number >> 8).astype(np.uint8), (number & 255).astype(np.uint8))
        return b"".join(plane.tobytes() for plane in (covered, *halves))

    def planes(self, zoom: int, x: int, y: int, *, side: int = 256) -> np.ndarray | None:
        """Covered part and distance in steps of each pixel of a tile, None if all is bare."""
        from planner.maps import _raster  # noqa: PLC0415 - numba is slow to import

        planes = np.zeros((2, side, side), dtype=np.float32)
        touched = np.zeros((side, side, 4), dtype=np.float32)
        half = widths(zoom, count=len(self.streets.order)) * (side / 512)
        for field in (self, self.parts):
            if field is None or not len(field.streets.order):
                continue
            lines = field.streets
            box, block = lines.boxes
            touched[:, :, 0] = 0
            _raster.draw(
                planes,
                lines.x,
                lines.y,
                lines.along,
                lines.first,
                box,
                block,
                _BLOCK,
                np.array(box_of(zoom, x, y)),
                (lines.rank, half),
                field.near_u,
                field.near_v,
                field.up,
                field.down,
                touched,
            )
        return planes if planes[0].any() else None


def _coarse(zoom: int, step: float) -> int:
    """Count the steps that are one to the eye: about a quarter of what a pixel is wide."""
    metres = 40_075_017 * 0.86 / 2**zoom / 256 / 4
    steps = metres / step if step >= 1 else metres / 500 / step
    return 1 << max(0, int(np.floor(np.log2(max(steps, 1)))))


def _steps(values: Any, step: float) -> np.ndarray:
    return np.asarray(values / step, dtype=np.float32)


def _cut(
    reach: Reach,
    from_u: Floats,
    from_v: Floats,
    over_u: np.ndarray,
    over_v: np.ndarray,
    up: Floats,
    down: Floats,
    datum: Datum,
) -> Field | None:
    """Pieces of the streets that carry origins; their streets then have no way themselves."""
    network, origins = reach.network, reach.origins
    on = np.flatnonzero(origins.edge >= 0)
    leg = origins.access[on] * network.access_pace(reach.unit)
    near = leg <= reach.cutoff
    on, leg = on[near], leg[near]
    if not len(on):
        return None
    edges = np.unique(origins.edge[on])
    lines = np.asarray(network.streets.geometry.array)[edges]
    ranks = shapes.rank(network.streets["highway"].iloc[edges])
    made: list[tuple[Any, int, int, float, float, float]] = []
    for edge, line, rank in zip(edges.tolist(), lines, ranks.tolist(), strict=True):
        here = origins.edge[on] == edge
        at, cost = origins.offset[on][here], leg[here]
        length = float(network.length[edge])
        ends = np.unique(np.concatenate([[0.0], at, [length]]))
        for begin, stop in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
            low, high = from_u[edge] + begin * up[edge], from_v[edge] + (length - stop) * down[edge]
            before, after = at <= begin, at >= stop
            if over_u[edge] and before.any():
                low = min(low, float((cost[before] + (begin - at[before]) * up[edge]).min()))
            if over_v[edge] and after.any():
                high = min(high, float((cost[after] + (at[after] - stop) * down[edge]).min()))
            piece = substring(line, begin / length, stop / length, normalized=True)
            if piece.geom_type == "LineString":
                made.append((piece, edge, rank, stop - begin, low, high))
    if not made:
        return None
    pieces, edge_of, rank_of, long, low_of, high_of = zip(*made, strict=True)
    rows = np.array(edge_of)
    streets = Streets.lines(
        np.array(pieces, dtype=object),
        np.arange(len(made)),
        np.array(rank_of),
        np.array(long, dtype=np.float64),
        datum=datum,
    )
    step = STEPS[reach.unit]
    values = (np.array(low_of), np.array(high_of), up[rows], down[rows])
    near_u, near_v, rising, falling = (_steps(value, step) for value in values)
    return Field(streets, near_u, near_v, rising, falling, None, step)
