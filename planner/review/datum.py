"""The test of the datum: whether points fit the streets better where another datum puts them.

Points that were read in the wrong datum lie a few hundred metres off, all the same way.
How well they fit the streets is measured where they lie, where each possible mistake
would put them, and at a few dozen places all around that mean nothing. Those last tell
how well points fit that have nothing to do with the streets, and how much that varies.
A reading counts only when it stands clear of them and of every other reading; points that
keep away from streets, or that are too few, decide nothing.

Two measures of fit. Points: how near the street is, on average. The cells of a grid,
which are wider than the shift of a datum is exact: the correlation between how much a
cell holds, beyond its neighbourhood, and how much street lies in it, beyond its
neighbourhood.
"""

from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from planner.review.backdrop import FARTHEST_M, Backdrop
from planner.review.lattice import Lattice, find_lattice
from planner.review.readings import READINGS, Reading

Floats = NDArray[np.float64]

Kind = Literal["points", "cells"]

_CLEAR: dict[Kind, float] = {"points": 4.5, "cells": 3.3}
"""Standard deviations of the meaningless places by which a reading must stand out.

Tables moved to where no reading is right reached 2.8 (points) and 3.0 (cells) in some
hundreds of trials on Hangzhou's streets.
"""
_MARGIN: dict[Kind, float] = {"points": 3.0, "cells": 2.5}
"""The same, above every other reading."""
_CHANCES = 20
"""Meaningless places that a test needs."""
_FEWEST = 30
"""Points, or cells, that a test needs."""
_MOST = 3000
"""Points looked at; of more, every so manyth."""
_NEAR_M = 20.0
_NEAR_AT_ALL_M = 100.0
"""Beyond, a street is as good as none, and need not be looked for."""
_LOST_M = 500.0
_APART_M = 150.0
_PART = 10
"""Pixels along a cell."""
_AROUND = 5
"""Cells along a neighbourhood, of what cells hold."""
_WIDER = 1.2
"""Breadth of a neighbourhood, of streets: standard deviation in cells."""
_AWAY = 6
"""Cells that the meaningless places are away at most."""


@dataclass(frozen=True, eq=False)
class DatumTest:
    """What a test of the datum says.

    Attributes
    ----------
    kind
        What was measured: ``points`` or ``cells``.
    used
        Points, or cells, that lie far enough within the streets to be moved about.
    fits
        A row a reading: ``fit`` (points: share that lies near a street, each weighted by
        exp(-distance / 20 m); cells: correlation), ``median`` (m to the nearest street, at
        most 500, NaN for cells) and ``clear`` (standard deviations above points that mean
        nothing).
    reading
        The one reading that the streets confirm, None where they confirm none.
    """

    kind: Kind
    used: int
    fits: pd.DataFrame
    reading: Reading | None

    @property
    def wrong(self) -> bool:
        """Whether another datum clearly fits better than the one in force."""
        return self.reading is not None and not self.reading.right

    def __repr__(self) -> str:
        said = "undecided" if self.reading is None else " read as ".join(self.reading)
        return f"<DatumTest of {self.used:,} {self.kind}: {said}>"


def datum_test(
    points: gpd.GeoSeries, backdrop: Backdrop, *, weights: pd.Series | None = None
) -> DatumTest:
    """Test which datum fits a table of points to the streets.

    Parameters
    ----------
    points
        Points in EPSG:4326, as the layer has them.
    backdrop
        The streets.
    weights
        What each point holds, where the points are cells of a grid.

    Returns
    -------
    The test. It is undecided outside China, where the datums are the same.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner.ground import Ground
    >>> city = embedded("small")
    >>> datum_test(city.population.geometry, Backdrop(Ground.of(city.streets))).wrong
    False
    """
    lon, lat = shapely.get_coordinates(np.asarray(points.array)).T
    held = np.ones(len(lon)) if weights is None else weights.to_numpy(np.float64)
    lattice = find_lattice(lon, lat, held)
    if lattice is not None:
        return _decide("cells", *_of_cells(lattice, backdrop))
    return _decide("points", *_of_points(lon, lat, backdrop))


def _decide(
    kind: Kind,
    used: int,
    fit: Floats,
    median: Floats,
    chance: Floats,
) -> DatumTest:
    spread = chance.std() if len(chance) >= _CHANCES else 0.0
    clear = (fit - chance.mean()) / spread if spread > 0 else np.full(len(READINGS), np.nan)
    fits = pd.DataFrame(
        {"fit": fit, "median": median, "clear": clear},
        index=pd.Index(READINGS, name="reading", tupleize_cols=False),
    )
    reading = None
    if spread > 0:
        second, best = np.argsort(clear)[-2:]
        stands_out = clear[best] >= _CLEAR[kind] and fit[best] > chance.max()
        if stands_out and clear[best] - clear[second] >= _MARGIN[kind]:
            reading = READINGS[best]
    return DatumTest(kind, used, fits, reading)


_Measured = tuple[int, Floats, Floats, Floats]


def _of_points(lon: Floats, lat: Floats, backdrop: Backdrop) -> _Measured:
    lon, lat = np.unique(np.stack([lon, lat]), axis=1)
    here = backdrop.inside(backdrop.project(lon, lat))
    lon, lat = lon[here], lat[here]
    every = max(1, -(-len(lon) // _MOST))
    lon, lat = lon[::every], lat[::every]
    if len(lon) < _FEWEST:
        return _nothing(len(lon))
    places = [backdrop.project(*reading.mend(lon, lat)) for reading in READINGS]
    away = [backdrop.distance(place, limit=_LOST_M) for place in places]
    fit = np.array([_nearness(one) for one in away])
    chance = [
        _nearness(backdrop.distance(places[0] + step, limit=_NEAR_AT_ALL_M))
        for step in _aimless(places)
    ]
    return (
        len(lon),
        fit,
        np.array([np.median(np.minimum(one, _LOST_M)) for one in away]),
        np.array(chance),
    )


def _of_cells(lattice: Lattice, backdrop: Backdrop) -> _Measured:
    flat = lattice.lon.ravel(), lattice.lat.ravel()
    # Beside the table's own area nobody knows what a cell would hold.
    points = np.stack(flat, axis=1)[lattice.held.ravel() > 0]
    known = shapely.convex_hull(shapely.multipoints(points))
    xy = backdrop.project(*flat)
    here = (backdrop.inside(xy) & shapely.intersects_xy(known, *flat)).reshape(lattice.held.shape)
    used = int(here.sum())
    if used < _FEWEST:
        return _nothing(used)
    held = np.log1p(lattice.held)
    beyond = held - ndimage.uniform_filter(held, _AROUND)
    lon, lat = lattice.lon[here], lattice.lat[here]
    places = [backdrop.project(*reading.mend(lon, lat)) for reading in READINGS]
    side = _side(lattice, backdrop)
    pixel = side / _PART
    corner = places[0].min(axis=0) - 2 * FARTHEST_M
    metres = backdrop.density(corner, places[0].max(axis=0) + 2 * FARTHEST_M, pixel)
    # A sum of none may come out a hair below zero.
    own = np.sqrt(np.maximum(ndimage.uniform_filter(metres, _PART), 0.0))
    street = own - np.sqrt(ndimage.gaussian_filter(metres, _WIDER * _PART))

    def streets_at(place: Floats) -> Floats:
        column, row = np.floor((place - corner) / pixel).astype(np.int64).T
        there: Floats = street[column, row]
        return there

    fit = np.array([_correlation(beyond[here], streets_at(place)) for place in places])
    around = np.full(here.shape, np.nan)
    around[here] = streets_at(places[0])
    moves = [np.median(place - places[0], axis=0) / side for place in places]
    chance = _elsewhere(beyond, around, np.array(moves))
    return used, fit, np.full(len(READINGS), np.nan), chance


def _elsewhere(beyond: Floats, around: Floats, moves: Floats) -> Floats:
    """Correlations of cells with the streets of other cells, some cells away.

    Parameters
    ----------
    beyond
        What each cell holds beyond its neighbourhood.
    around
        Streets in each cell, NaN where they are not to be looked at.
    moves
        Where the readings put a cell, in cells; what is near them is left out.

    Returns
    -------
    As many standard deviations as there are moves that mean nothing, those of fewer cells
    brought down to the spread that all cells would have.
    """
    count = np.isfinite(around).sum()
    found = []
    for across in range(-_AWAY, _AWAY + 1):
        for up in range(-_AWAY, _AWAY + 1):
            if np.hypot(*(moves - (across, up)).T).min() < 1.2:  # noqa: PLR2004 - cells
                continue
            theirs = np.full(around.shape, np.nan)
            to, of = _overlap(around.shape, (across, up))
            theirs[of] = around[to]
            both = np.isfinite(theirs) & np.isfinite(around)
            if both.sum() >= count / 3:
                one = _correlation(beyond[both], theirs[both])
                found.append(one * np.sqrt(both.sum() / count))
    return np.array(found)


def _overlap(shape: tuple[int, ...], step: tuple[int, int]) -> tuple[Any, Any]:
    """Parts of an array a step away, and the parts that they are a step away from."""
    to = tuple(slice(max(s, 0), n + min(s, 0)) for n, s in zip(shape, step, strict=True))
    of = tuple(slice(max(-s, 0), n + min(-s, 0)) for n, s in zip(shape, step, strict=True))
    return to, of


def _correlation(one: Floats, other: Floats) -> float:
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _nothing(used: int) -> _Measured:
    blank = np.full(len(READINGS), np.nan)
    return used, blank, blank, np.empty(0)


def _nearness(away: Floats) -> float:
    near = away <= _NEAR_AT_ALL_M
    return float(np.where(near, np.exp(-away / _NEAR_M), 0.0).mean())


def _side(lattice: Lattice, backdrop: Backdrop) -> float:
    """Mean side of a cell in metres."""
    x, y = lattice.lon.mean(), lattice.lat.mean()
    wide, high = lattice.step
    ends = backdrop.project(np.array([x, x + wide, x]), np.array([y, y, y + high]))
    return float(np.hypot(*(ends[1:] - ends[0]).T).mean())


def _aimless(places: list[Floats]) -> list[Any]:
    """Shifts that mean nothing: as far as those of the readings, and away from all of them."""
    shifts = np.array([np.median(place - places[0], axis=0) for place in places])
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    steps = np.concatenate([ring * metres for metres in (550.0, 800.0, 1050.0, 1250.0)])
    away = np.hypot(*(steps[:, None] - shifts[None]).transpose(2, 0, 1)).min(axis=1)
    return list(steps[away > _APART_M])
