"""Reference systems: where layers lie and where they are measured."""

import math
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from layers.errors import CrsError
from layers.messages import text

GEOGRAPHIC = CRS.from_epsg(4326)

# CGCS2000 3-degree Gauss-Kruger by central meridian: EPSG:4534 is 75° E, EPSG:4554 135° E.
_FIRST_MERIDIAN, _LAST_MERIDIAN, _FIRST_CODE = 75, 135, 4534


def measuring_crs(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> CRS:
    """Projected reference system in which a layer is measured, by where it lies.

    In China the 3-degree zone of CGCS2000 in whose middle it lies (what its planning
    offices use), elsewhere the UTM zone.

    Parameters
    ----------
    frame
        A layer with a reference system.

    Raises
    ------
    CrsError
        The layer has no reference system or no extent.

    Examples
    --------
    >>> from shapely import Point
    >>> measuring_crs(gpd.GeoSeries([Point(120.15, 30.27)], crs=4326)).to_epsg()
    4549
    """
    require_crs(frame)
    west, south, east, north = frame.to_crs(GEOGRAPHIC).total_bounds
    middle, height = (west + east) / 2, (south + north) / 2
    if math.isnan(middle):  # nothing in it
        raise CrsError(text("error.no_extent"))
    if _FIRST_MERIDIAN - 1.5 <= middle <= _LAST_MERIDIAN + 1.5 and 3 <= height <= 54:  # noqa: PLR2004 - the area of use of these systems
        return CRS.from_epsg(_FIRST_CODE + round((middle - _FIRST_MERIDIAN) / 3))
    try:
        zone: CRS = frame.estimate_utm_crs()
    except RuntimeError as nowhere:
        raise CrsError(text("error.no_extent")) from nowhere
    return zone


def transformed(shapes: gpd.GeoSeries, crs: CRS) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Coordinates of all vertices in another reference system.

    Parameters
    ----------
    shapes
        Geometries with a reference system.
    crs
        The reference system wanted.

    Returns
    -------
    Two columns, a row a vertex in the order of the geometries; inf where it cannot be told.
    """
    xy: np.ndarray[Any, np.dtype[np.float64]] = shapely.get_coordinates(np.asarray(shapes.array))
    if shapes.crs == crs:
        return xy
    return np.column_stack(_change(shapes.crs, crs).transform(xy[:, 0], xy[:, 1]))


@lru_cache(maxsize=16)
def _change(here: CRS, there: CRS) -> Transformer:
    return Transformer.from_crs(here, there, always_xy=True)


def projected(crs: Any) -> CRS:
    """Make a reference system to measure in of whatever names one.

    Raises
    ------
    CrsError
        It names none, or one of degrees.

    Examples
    --------
    >>> projected(4549).name
    'CGCS2000 / 3-degree Gauss-Kruger CM 120E'
    """
    found = known(crs)
    if not found.is_projected:
        raise CrsError(text("error.crs_not_projected", found=found.to_string()))
    return found


def known(crs: Any) -> CRS:
    """Make a reference system of whatever names one.

    Raises
    ------
    CrsError
        It names none.
    """
    try:
        return CRS.from_user_input(crs)
    except CRSError as wrong:
        raise CrsError(text("error.crs_unknown", found=crs)) from wrong


def in_degrees(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Copy of a layer in EPSG:4326.

    Raises
    ------
    CrsError
        The layer has no reference system.
    """
    require_crs(frame)
    return frame.to_crs(GEOGRAPHIC)


def require_crs(frame: Any) -> None:
    """Raise unless a layer says which reference system its coordinates are in.

    Raises
    ------
    CrsError
        It has none.
    """
    if getattr(frame, "crs", None) is None:
        raise CrsError(text("error.no_crs"))
