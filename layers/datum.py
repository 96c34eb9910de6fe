"""The three datums of Chinese maps: WGS-84, GCJ-02 and BD-09.

GCJ-02 shifts WGS-84 by 300 to 700 m inside China; BD-09 shifts GCJ-02 once more.
The forward formulas are the public ones (eviltransform, coordtransform, gcoord
all agree on them); neither has a closed inverse, so the inverses here iterate
until the forward formula returns the input.
"""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]

Datum = Literal["wgs84", "gcj02", "bd09"]
DATUMS: tuple[Datum, ...] = get_args(Datum)

# Krasovsky 1940, which the GCJ-02 formula is built on.
_SEMI_MAJOR = 6378245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_CLOSE = 1e-13
_BAIDU_PI = np.pi * 3000.0 / 180.0

# GCJ-02 leaves coordinates outside this box alone (the box of the public formula).
_WEST, _SOUTH, _EAST, _NORTH = 72.004, 0.8293, 137.8347, 55.8271


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift WGS-84 to GCJ-02.

    Parameters
    ----------
    lon, lat
        Degrees, any shape.

    Returns
    -------
    Longitude and latitude in degrees; points outside China are returned as they are.

    Examples
    --------
    >>> lon, lat = wgs84_to_gcj02(120.1551, 30.2741)
    >>> f"{lon:.6f} {lat:.6f}"
    '120.159794 30.271771'
    """
    x, y = _as_floats(lon, lat)
    inside = (x >= _WEST) & (x <= _EAST) & (y >= _SOUTH) & (y <= _NORTH)
    a, b = x - 105.0, y - 35.0
    root = np.sqrt(np.abs(a))
    waves = 20.0 * np.sin(6.0 * a * np.pi) + 20.0 * np.sin(2.0 * a * np.pi)
    east = (
        300.0
        + a
        + 2.0 * b
        + 0.1 * a * a
        + 0.1 * a * b
        + 0.1 * root
        + (waves + 20.0 * np.sin(a * np.pi) + 40.0 * np.sin(a / 3.0 * np.pi)) * 2.0 / 3.0
        + (150.0 * np.sin(a / 12.0 * np.pi) + 300.0 * np.sin(a / 30.0 * np.pi)) * 2.0 / 3.0
    )
    north = (
        -100.0
        + 2.0 * a
        + 3.0 * b
        + 0.2 * b * b
        + 0.1 * a * b
        + 0.2 * root
        + (waves + 20.0 * np.sin(b * np.pi) + 40.0 * np.sin(b / 3.0 * np.pi)) * 2.0 / 3.0
        + (160.0 * np.sin(b / 12.0 * np.pi) + 320.0 * np.sin(b / 30.0 * np.pi)) * 2.0 / 3.0
    )
    latitude = np.radians(y)
    magic = 1.0 - _ECCENTRICITY_SQUARED * np.sin(latitude) ** 2
    meridian = _SEMI_MAJOR * (1.0 - _ECCENTRICITY_SQUARED) / (magic * np.sqrt(magic))
    parallel = _SEMI_MAJOR / np.sqrt(magic) * np.cos(latitude)
    shifted_x = x + np.degrees(east / parallel)
    shifted_y = y + np.degrees(north / meridian)
    return np.where(inside, shifted_x, x), np.where(inside, shifted_y, y)


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift GCJ-02 to BD-09 (degrees, any shape).

    Examples
    --------
    >>> lon, lat = gcj02_to_bd09(120.1598, 30.271742)
    >>> f"{lon:.6f} {lat:.6f}"
    '120.166364 30.277570'
    """
    x, y = _as_floats(lon, lat)
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BAIDU_PI)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BAIDU_PI)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift GCJ-02 back to WGS-84 (degrees, any shape), exact to a micrometre.

    Examples
    --------
    >>> lon, lat = gcj02_to_wgs84(*wgs84_to_gcj02(120.1551, 30.2741))
    >>> f"{lon:.9f} {lat:.9f}"
    '120.155100000 30.274100000'
    """
    return _invert(wgs84_to_gcj02, lon, lat)


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift BD-09 back to GCJ-02 (degrees, any shape), exact to a micrometre."""
    return _invert(gcj02_to_bd09, lon, lat)


def wgs84_to_bd09(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift WGS-84 to BD-09 (degrees, any shape)."""
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


def bd09_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift BD-09 back to WGS-84 (degrees, any shape), exact to a micrometre."""
    return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def _identity(lon: ArrayLike, lat: ArrayLike) -> Pair:
    return _as_floats(lon, lat)


TO_WGS84: dict[str, Callable[[ArrayLike, ArrayLike], Pair]] = {
    "wgs84": _identity,
    "gcj02": gcj02_to_wgs84,
    "bd09": bd09_to_wgs84,
}
"""The way to WGS-84 from each datum by its name on the command line."""

FROM_WGS84: dict[str, Callable[[ArrayLike, ArrayLike], Pair]] = {
    "wgs84": _identity,
    "gcj02": wgs84_to_gcj02,
    "bd09": wgs84_to_bd09,
}
"""The way from WGS-84 into each datum."""


def _as_floats(lon: ArrayLike, lat: ArrayLike) -> Pair:
    x, y = np.broadcast_arrays(np.asarray(lon, np.float64), np.asarray(lat, np.float64))
    return x, y


def _invert(
    forward: Callable[[ArrayLike, ArrayLike], Pair], lon: ArrayLike, lat: ArrayLike
) -> Pair:
    """Solve ``forward(x, y) == (lon, lat)`` by fixed-point iteration.

    The shift changes by less than 1 % over its own length, so each round gains two
    digits or more; twenty rounds are far past the last digit of a double.
    """
    target_x, target_y = _as_floats(lon, lat)
    x, y = target_x.copy(), target_y.copy()
    for _ in range(20):
        there_x, there_y = forward(x, y)
        step_x, step_y = target_x - there_x, target_y - there_y
        x, y = x + step_x, y + step_y
        if max(np.max(np.abs(step), initial=0.0) for step in (step_x, step_y)) < _CLOSE:
            break
    return x, y
