"""Which projected reference system coordinates in metres may be in."""

import numpy as np
from numpy.typing import ArrayLike
from pyproj import CRS, Transformer

Bounds = tuple[float, float, float, float]

# CGCS2000 Gauss-Kruger: 3-degree zones with the number before the easting are EPSG:4513
# (25) to 4533 (45), 6-degree ones EPSG:4491 (13) to 4501 (23); without the number
# 3-degree ones are EPSG:4534 (75° E) to 4554 (135° E).
_NUMBERED = ((25, 45, 4513), (13, 23, 4491))
_PLAIN = range(4534, 4555)
_MILLION = 1_000_000
_NORTHINGS = (4e5, 6.2e6)


def are_metres(x: ArrayLike, y: ArrayLike) -> bool:
    """Tell whether most coordinates are too large for degrees in either order.

    Examples
    --------
    >>> are_metres([514_000.0], [3_350_000.0]), are_metres([30.2], [120.1])
    (True, False)
    """
    greatest = np.fmax(np.abs(np.asarray(x, float)), np.abs(np.asarray(y, float)))
    # A degree too many is a slip of the pen; a thousand are not degrees.
    return bool(len(greatest) and np.median(greatest) > 1000)  # noqa: PLR2004 - see above


def guess(x: ArrayLike, y: ArrayLike, near: Bounds | None = None) -> list[int]:
    """Systems of CGCS2000 that coordinates may be in, as EPSG codes.

    Parameters
    ----------
    x, y
        Coordinates in metres, in either order.
    near
        Where they should lie: west, south, east, north in degrees.

    Returns
    -------
    The one whose zone number stands before the eastings; else those that put the middle
    of the coordinates where it should lie; nothing if that cannot be told.

    Examples
    --------
    >>> guess([40_514_000.0], [3_350_000.0])
    [4528]
    >>> guess([3_350_000.0], [514_000.0], near=(118.3, 29.2, 120.7, 30.6))
    [4549]
    """
    first, second = (float(np.nanmedian(np.asarray(one, float))) for one in (x, y))
    for east, north in ((first, second), (second, first)):
        low, high = _NORTHINGS
        if not low <= north <= high:
            continue
        zone = int(east // _MILLION)
        for least, most, code in _NUMBERED:
            if least <= zone <= most:
                return [code + zone - least]
        if near is not None and 0 < east < _MILLION:
            return [code for code in _PLAIN if _lies_in(code, east, north, near)]
    return []


def named(codes: list[int]) -> str:
    """Write systems as a user would name them.

    Examples
    --------
    >>> named([4549])
    'EPSG:4549 (CGCS2000 / 3-degree Gauss-Kruger CM 120E)'
    """
    return ", ".join(f"EPSG:{code} ({CRS.from_epsg(code).name})" for code in codes)


def _lies_in(code: int, east: float, north: float, near: Bounds) -> bool:
    lon, lat = Transformer.from_crs(code, 4326, always_xy=True).transform(east, north)
    west, south, far_east, far_north = near
    return bool(west <= lon <= far_east and south <= lat <= far_north)
