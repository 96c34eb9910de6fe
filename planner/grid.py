"""A grid of cells over lines, to find the nearest to many points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner._search import kernels
from planner._threads import in_threads

if TYPE_CHECKING:
    from planner._search import Floats, Ints

_MOST_CELLS = 4096
"""Of a grid, along either side."""
_AT_ONCE = 50_000
"""Points that one thread places at a time."""
_BLOCK = 16
"""Cells along a side of the blocks by which points are ordered."""
_SEGMENT = np.dtype(
    [
        *((name, np.float64) for name in ("x", "y", "dx", "dy")),
        *((name, np.int32) for name in ("line", "vertex")),
    ]
)


class Grid:
    """Lines in a grid of cells, to find the nearest to many points.

    Parameters
    ----------
    xy
        Vertices of all lines, one line after another, in metres.
    line
        Row of the line that each vertex belongs to.
    """

    def __init__(self, xy: Floats, line: Ints) -> None:
        made = kernels("_grid")
        segment = np.flatnonzero(line[1:] == line[:-1])
        self._along = np.empty(len(xy))
        made.measure(xy, line, self._along)
        corner, far = xy.min(axis=0), xy.max(axis=0)
        wide, high = far - corner
        # About as many cells as segments, so that a cell holds a handful where it holds any.
        cell = max(np.sqrt(wide * high / len(segment)), max(wide, high) / _MOST_CELLS, 1.0)
        shape = int(high / cell) + 1, int(wide / cell) + 1
        self._frame = float(corner[0]), float(corner[1]), float(cell), shape
        self._cells = made.fill(xy, segment, *self._frame)
        self._segments = np.empty(len(segment), dtype=_SEGMENT)
        made.gather(xy, segment, line[segment], self._cells[1], self._segments)

    def nearest(self, points: Floats, usable: Any, limit: float) -> tuple[Ints, Floats, Floats]:
        """Nearest line to each point; of exactly equally near ones the first.

        Parameters
        ----------
        points
            Two coordinates each, NaN for nowhere.
        usable
            Whether each line counts.
        limit
            Greatest distance, inclusive.

        Returns
        -------
        Row of the line or -1, distance, share of the line's length; NaN without a line.
        """
        count = len(points)
        edge = np.empty(count, dtype=np.int64)
        access, share = np.empty(count), np.empty(count)
        made = kernels("_grid")
        order = np.empty(count, dtype=np.int32)
        made.by_block(points, *self._frame, _BLOCK, order)

        def place(part: slice) -> None:
            made.nearest(
                *(self._segments, self._along, *self._cells, *self._frame),
                *(usable, points, order[part], limit, edge, access, share),
            )

        in_threads(place, count, _AT_ONCE)
        return edge, access, share
