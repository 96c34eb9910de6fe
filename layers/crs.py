"""Reference systems: where layers lie and where they are measured."""

from typing import Any

import geopandas as gpd
from pyproj import CRS

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
    if not middle == middle:  # NaN: nothing in it
        raise CrsError(text("error.no_extent"))
    if _FIRST_MERIDIAN - 1.5 <= middle <= _LAST_MERIDIAN + 1.5 and 3 <= height <= 54:  # noqa: PLR2004 - the area of use of these systems
        return CRS.from_epsg(_FIRST_CODE + round((middle - _FIRST_MERIDIAN) / 3))
    return frame.estimate_utm_crs()


def in_degrees(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Copy of a layer in EPSG:4326, its geometry in a column of that name.

    Raises
    ------
    CrsError
        The layer has no reference system.
    """
    require_crs(frame)
    moved = frame.to_crs(GEOGRAPHIC)
    return moved if moved.geometry.name == "geometry" else moved.rename_geometry("geometry")


def require_crs(frame: Any) -> None:
    """Raise unless a layer says which reference system its coordinates are in.

    Raises
    ------
    CrsError
        It has none.
    """
    if getattr(frame, "crs", None) is None:
        raise CrsError(text("error.no_crs"))
