"""Shapes as small numbers: what makes the page of a whole city's streets light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

PLACES = 5
"""Decimals of a degree kept: about a metre."""

MOST_COORDINATES = 300_000
"""More than these on one page and it no longer opens at once; see `thin`."""

SIMPLIFY_M = 5
"""Greatest shift of a line, in metres, when it is simplified to draw it."""

_DEGREE_M = 111_320.0

_RANKS = {"motorway": 0, "trunk": 0, "primary": 1, "secondary": 2, "tertiary": 3}
MINOR = 4
"""Rank of every street that is not at least tertiary."""

DECODE = """
function unpack(table) {
  var lines = [], x = 0, y = 0, k = 0;
  for (var i = 0; i < table.n.length; i++) {
    var line = [];
    for (var j = 0; j < table.n[i]; j++) {
      x += table.d[k++]; y += table.d[k++]; line.push([y / 1e5, x / 1e5]);
    }
    lines.push(line);
  }
  return lines;
}
"""
"""JavaScript that turns what `pack` made into Leaflet's lists of latitude and longitude."""


def pack(lines: Any) -> dict[str, list[int]]:
    """Lines as whole hundred-thousandths of a degree, each the step from the one before.

    Parameters
    ----------
    lines
        Array of lines or rings in degrees.

    Returns
    -------
    ``n``, points of each line, and ``d``, the steps: x, y, x, y, …

    Examples
    --------
    >>> pack(np.array([shapely.LineString([(120, 30), (120.00001, 30.00002)])]))
    {'n': [2], 'd': [12000000, 3000000, 1, 2]}
    """
    whole = np.rint(shapely.get_coordinates(lines) * 10**PLACES).astype(np.int64)
    steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    return {"n": shapely.get_num_coordinates(lines).tolist(), "d": steps.ravel().tolist()}


def pack_areas(areas: Any) -> tuple[dict[str, list[int]], list[list[int]]]:
    """Areas as packed rings, and how many rings each part of each area has.

    Parameters
    ----------
    areas
        Array of polygons or multi-polygons in degrees.
    """
    parts, of_area = shapely.get_parts(areas, return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    counts = np.bincount(of_part, minlength=len(parts))
    return pack(rings), [counts[of_area == number].tolist() for number in range(len(areas))]


def rank(highway: pd.Series) -> np.ndarray:
    """How main each street is: 0 motorway and trunk, …, 3 tertiary, `MINOR` the rest.

    Parameters
    ----------
    highway
        OpenStreetMap's classes.
    """
    known = {kind: _RANKS.get(kind.removesuffix("_link"), MINOR) for kind in highway.unique()}
    return highway.map(known).to_numpy(dtype=np.int64)


def thin(
    streets: gpd.GeoDataFrame, *, most: int = MOST_COORDINATES
) -> tuple[gpd.GeoDataFrame, dict[str, float]]:
    """Fewer coordinates to draw, where there are too many, and what was left out.

    First lines are simplified by at most `SIMPLIFY_M`; if that is not enough, the least
    main streets go, whole ranks at a time.

    Parameters
    ----------
    streets
        With ``rank`` and ``length_m``.
    most
        How many coordinates may stay.

    Returns
    -------
    The streets to draw, and nothing where all are drawn as they are, else ``drawn`` and
    ``whole`` in kilometres.
    """
    if shapely.get_num_coordinates(streets.geometry.array).sum() <= most:
        return streets, {}
    whole = float(streets["length_m"].sum()) / 1000
    plain = shapely.simplify(streets.geometry.array, SIMPLIFY_M / _DEGREE_M)
    streets = streets.set_geometry(plain, crs=streets.crs)
    for finest in range(MINOR, 0, -1):
        if shapely.get_num_coordinates(streets.geometry.array).sum() <= most:
            break
        streets = streets[streets["rank"] < finest]
    return streets, {"drawn": float(streets["length_m"].sum()) / 1000, "whole": whole}


def gather(points: gpd.GeoDataFrame, *, most: int) -> tuple[gpd.GeoDataFrame, float]:
    """Join points of people cell by cell, where there are too many to draw each.

    Parameters
    ----------
    points
        With ``people``, in degrees.
    most
        How many points may stay.

    Returns
    -------
    Points with ``people`` and ``points`` (how many were joined), each at the middle of
    its people, and the side of the cells in metres, 0 where none were joined.
    """
    if len(points) <= most:
        return points.assign(points=1), 0.0
    x, y = shapely.get_coordinates(points.geometry.array).T
    people = points["people"].to_numpy()
    narrow = np.cos(np.radians(y.mean()))
    side = 125.0
    while True:
        side *= 2
        column, row = np.floor(np.stack([x * narrow, y]) * (_DEGREE_M / side)).astype(np.int64)
        _, cell = np.unique(column * 2**32 + row, return_inverse=True)
        if cell.max() < most:
            break
    total = np.bincount(cell, people)
    middle = [np.bincount(cell, people * axis) / total for axis in (x, y)]
    joined = type(points)(
        {"people": total, "points": np.bincount(cell)},
        geometry=shapely.points(*middle),
        crs=points.crs,
    )
    return joined, side
