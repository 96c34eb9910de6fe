"""The backdrop: how near streets are, how dense, and where they surround a point."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import Transformer
from scipy import ndimage

from layers.crs import GEOGRAPHIC

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner._search import Floats
    from planner.ground import Ground

FARTHEST_M = 1300.0
"""A mistaken datum moves points by no more inside China."""
_PIXEL_M = 200.0
_GAP_M = 1500.0
"""Streets leave no wider gap within a city, but for water, which is filled in."""


class Backdrop:
    """The streets that points are held against.

    Parameters
    ----------
    ground
        The streets, made ready.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._plane = Transformer.from_crs(GEOGRAPHIC, ground.crs, always_xy=True)

    def project(self, lon: Floats, lat: Floats) -> Floats:
        """Degrees as metres, a row a point."""
        return np.stack(self._plane.transform(lon, lat), axis=-1)

    def inside(self, xy: Floats) -> NDArray[np.bool_]:
        """Whether streets surround points as far as a mistaken datum may move them."""
        corner, well = self._within
        column, row = np.floor((xy - corner) / _PIXEL_M).astype(np.int64).T
        fits = (column >= 0) & (row >= 0) & (column < well.shape[0]) & (row < well.shape[1])
        held = np.zeros(len(xy), dtype=bool)
        held[fits] = well[column[fits], row[fits]]
        return held

    def distance(self, xy: Floats, *, limit: float) -> Floats:
        """Metres to the nearest street, inf beyond the limit."""
        usable = np.ones(len(self._ground.lines), dtype=bool)
        _, away, _ = self._ground.grid.nearest(xy, usable, limit)
        return np.where(np.isnan(away), np.inf, away)

    def density(self, corner: Floats, far: Floats, pixel: float) -> Floats:
        """Metres of street in each pixel of a rectangle, columns by rows."""
        shape = np.ceil((far - corner) / pixel).astype(np.int64) + 1
        lines = self._ground.lines[self._tree.query(shapely.box(*corner, *far))]
        middle, metres = _pieces(lines, pixel / 2)
        column, row = np.floor((middle - corner) / pixel).astype(np.int64).T
        held = (column >= 0) & (row >= 0) & (column < shape[0]) & (row < shape[1])
        place = column[held] * shape[1] + row[held]
        total = np.bincount(place, metres[held], minlength=shape[0] * shape[1])
        return np.asarray(total.reshape(shape), dtype=np.float64)

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self._ground.lines)

    @cached_property
    def _within(self) -> tuple[Floats, NDArray[np.bool_]]:
        middle, _ = _pieces(self._ground.lines, _PIXEL_M)
        corner = middle.min(axis=0) - 2 * _GAP_M
        column, row = np.floor((middle - corner) / _PIXEL_M).astype(np.int64).T
        rim = int(2 * _GAP_M / _PIXEL_M)
        empty = np.ones((column.max() + rim, row.max() + rim), dtype=bool)
        empty[column, row] = False
        near = ndimage.distance_transform_edt(empty) * _PIXEL_M <= _GAP_M / 2
        deep = ndimage.distance_transform_edt(ndimage.binary_fill_holes(near)) * _PIXEL_M
        return corner, deep > _GAP_M / 2 + FARTHEST_M


def _pieces(lines: Any, step: float) -> tuple[Floats, Floats]:
    """Middle and length of pieces of lines no longer than a step, in metres."""
    xy, line = shapely.get_coordinates(shapely.segmentize(lines, step), return_index=True)
    same = line[1:] == line[:-1]
    start, end = xy[:-1][same], xy[1:][same]
    return (start + end) / 2, np.hypot(*(end - start).T)
