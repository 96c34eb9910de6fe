"""How densely a raster's cells are lived in: people per square kilometre, and what cannot be."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer

from layers.errors import SourceError
from layers.messages import text
from layers.sources.files import Source

DENSEST = 1_000_000.0
"""People per km² that no ground holds: the densest blocks of towers have a fifth of it."""

PER = "per"
"""The option that says what values are: ``per=km2`` for densities, counts without it."""

# Cylindrical, and equal in area on the ellipsoid.
_EQUAL_AREA = "EPSG:6933"
_KM2 = 1e6


def is_density(source: Source) -> bool:
    """Whether a source's values are people per km², as its option ``per`` says.

    Raises
    ------
    SourceError
        The option says something else.

    Examples
    --------
    >>> is_density(Source.parse("people.tif,per=km2")), is_density(Source.parse("people.tif"))
    (True, False)
    """
    said = source.options.get(PER, "cell")
    if said not in {"cell", "km2"}:
        raise SourceError(text("error.density_per", path=str(source.path), found=said))
    return said == "km2"


def cells_km2(frame: Any, crs: CRS, column: Any, row: Any) -> npt.NDArray[np.float64]:
    """Areas of cells on the ellipsoid in km².

    Parameters
    ----------
    frame
        Affine transform of the raster.
    crs
        Its reference system.
    column, row
        Of each cell, from 0.

    Examples
    --------
    >>> from affine import Affine
    >>> frame = Affine(0.01, 0, 120, 0, -0.01, 30)
    >>> cells_km2(frame, CRS.from_epsg(4326), [0], [0]).round(4)
    array([1.0696])
    """
    across = np.array([0, 1, 1, 0])[:, np.newaxis] + np.asarray(column)
    down = np.array([0, 0, 1, 1])[:, np.newaxis] + np.asarray(row)
    x = frame.a * across + frame.b * down + frame.c
    y = frame.d * across + frame.e * down + frame.f
    to_equal = Transformer.from_crs(crs, _EQUAL_AREA, always_xy=True)
    x, y = to_equal.transform(x, y)
    ahead_x, ahead_y = np.roll(x, -1, axis=0), np.roll(y, -1, axis=0)
    area: npt.NDArray[np.float64] = np.abs((x * ahead_y - ahead_x * y).sum(axis=0)) / 2 / _KM2
    return area


def refuse_implausible(source: Source, per_km2: Any, column: Any, row: Any) -> None:
    """Refuse cells that hold more people than any ground.

    Raises
    ------
    SourceError
        There are some; the message names the worst, and what the option ``per`` would say.
    """
    wrong = np.asarray(per_km2) > DENSEST
    if not wrong.any():
        return
    worst = int(np.argmax(per_km2))
    key = "density_too_high" if is_density(source) else "count_too_high"
    raise SourceError(
        text(
            f"error.{key}",
            path=str(source.path),
            count=int(wrong.sum()),
            row=int(row[worst]),
            column=int(column[worst]),
            density=float(per_km2[worst]),
            most=DENSEST,
        )
    )
