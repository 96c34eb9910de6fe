"""A curve that fills the plane: what lies near on the map lies near along it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from planner._search import Floats, Ints

_BITS = 16


def along_curve(xy: Floats) -> Ints:
    """Rows of places in the order of Morton's curve; places in one spot keep their order.

    Parameters
    ----------
    xy
        Two coordinates a row.

    Examples
    --------
    >>> import numpy as np
    >>> along_curve(np.array([[0.0, 0.0], [9.0, 9.0], [0.1, 0.1], [9.0, 8.9]])).tolist()
    [0, 2, 3, 1]
    """
    corner = xy.min(axis=0)
    wide = np.maximum(xy.max(axis=0) - corner, np.finfo(np.float64).tiny)
    cell = ((xy - corner) / wide * (2**_BITS - 1)).astype(np.int64)
    east, north = (_spread(column) for column in cell.T)
    return np.argsort(east | north << 1, kind="stable")


def _spread(number: Ints) -> Ints:
    """Put a nought between every two bits of 16-bit numbers."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        number = (number | number << shift) & mask
    return number
