"""Lattices: the cells of a grid, found again in the points of a table."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.review.readings import READINGS, Reading

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_APART = 2e-5
"""Degrees between two columns of a lattice at least: two metres."""
_TRUE = 0.02
"""Share of a cell by which a point may miss its lattice."""
_FEWEST = 8
"""Columns and rows at least: fewer may look regular by chance."""
_MOST = 20_000
"""Points looked at; of more, those nearest to their middle."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """The cells of a regular grid, those without a row too.

    Attributes
    ----------
    lon, lat
        Middle of each cell in the layer's coordinates, degrees, columns by rows.
    held
        Sum of the weights in each cell, 0 where the table has no row.
    step
        Width and height of a cell in degrees of the datum that the grid was drawn in.
    """

    lon: Floats
    lat: Floats
    held: Floats
    step: tuple[float, float]


def find_lattice(lon: Floats, lat: Floats, weights: Floats) -> Lattice | None:
    """Find the grid whose cells' middles the points are, or None where they are of none.

    A grid that was drawn in one datum and moved into another is no longer quite regular;
    it is looked for in every datum that it may have come from.

    Parameters
    ----------
    lon, lat
        Degrees.
    weights
        What each point holds.

    Examples
    --------
    >>> lon, lat = (axis.ravel() for axis in 0.005 * np.mgrid[24000:24020, 6000:6020])
    >>> find_lattice(lon, lat, np.ones(len(lon))).held.shape
    (20, 20)
    """
    if len(lon) > _MOST:
        away = np.maximum(np.abs(lon - np.median(lon)), np.abs(lat - np.median(lat)))
        some = np.sort(np.argpartition(away, _MOST)[:_MOST])
        lon, lat, weights = lon[some], lat[some], weights[some]
    for reading in READINGS:
        x, y = reading.drawn(lon, lat)
        column, row = _ticks(x), _ticks(y)
        if column is None or row is None:
            continue
        return _cut(reading, column, row, weights)
    return None


def _cut(reading: Reading, column: Any, row: Any, weights: Floats) -> Lattice:
    (i, west, wide), (j, south, high) = column, row
    left, bottom = i.min(), j.min()
    cells = np.zeros((i.max() - left + 1, j.max() - bottom + 1))
    np.add.at(cells, (i - left, j - bottom), weights)
    x = west + wide * np.arange(left, i.max() + 1)
    y = south + high * np.arange(bottom, j.max() + 1)
    lon, lat = reading.reverse.drawn(x[:, None], y[None, :])
    return Lattice(lon, lat, cells, (wide, high))


def _ticks(values: Floats) -> tuple[Ints, float, float] | None:
    """Give each value its number on a regular scale, and the scale's beginning and step."""
    ordered = np.sort(values)
    marks = ordered[np.diff(ordered, prepend=-np.inf) > _APART]
    # On a lattice many points share each column.
    if not _FEWEST <= len(marks) <= len(values) / 2:
        return None
    step = float(np.median(np.diff(marks)))
    number = np.rint((marks - marks[0]) / step)
    # The step of two neighbours is known to a few digits, that of the whole to many more.
    step, begin = np.polyfit(number, marks, 1)
    number = np.rint((values - begin) / step)
    if np.abs(values - begin - number * step).max() > _TRUE * step:
        return None
    return number.astype(np.int64), float(begin), float(step)
