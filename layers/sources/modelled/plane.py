"""The plane the model is drawn in: EPSG:4549, metres."""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

Floats = npt.NDArray[np.float64]

CRS: Final = 4549
DECIMALS: Final = 7
"""Degrees are kept to a centimetre."""


def to_metres(degrees: Floats) -> Floats:
    """Project rows of longitude and latitude."""
    x, y = _transformer(4326, CRS).transform(degrees[:, 0], degrees[:, 1])
    return np.column_stack([x, y])


def to_wgs84(metres: Floats) -> Floats:
    """Return longitude and latitude of rows of metres."""
    lon, lat = _transformer(CRS, 4326).transform(metres[:, 0], metres[:, 1])
    return np.column_stack([lon, lat])


@cache
def _transformer(source: int, target: int) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)
