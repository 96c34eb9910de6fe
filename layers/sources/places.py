"""Facilities out of tables of points or of counted cells."""

import geopandas as gpd
import numpy as np
import pandas as pd

from layers import facilities
from layers.sources import cells
from layers.sources.files import Source

_NAME = ("name", "名称", "station", "站点")


def read(source: Source) -> gpd.GeoDataFrame:
    """Read the facilities of one service.

    Parameters
    ----------
    source
        Table of points or file of geometry. Options: ``service``; ``datum``, ``lon``,
        ``lat``, ``name``; ``unique`` (a column: of the rows that agree in it the first
        stays); ``column`` and ``min`` (the table holds counted cells, and a place
        stands in the middle of each cell that counts so many); ``stands_for`` (what the
        points really are, where they stand in for the service).

    Returns
    -------
    Facility layer, not yet checked.

    Raises
    ------
    SourceError
        The file cannot be read or an option is missing or unknown.
    """
    source.allow(
        "service", "datum", "lon", "lat", "name", "unique", "column", "min", "stands_for", "layer"
    )
    service = source.need("service")
    kind = source.options.get("stands_for", "")
    if "column" in source.options:
        column = source.options["column"]
        counted = cells.read(source, column)
        chosen = np.flatnonzero(counted.count >= source.number("min", 1))
        points = counted.middles.iloc[chosen].reset_index(drop=True)
        names = pd.Series([f"{column} {counted.count[row]:.0f}" for row in chosen], dtype="str")
    else:
        table, points = source.read_points()
        if "unique" in source.options:
            column = source.column(table, "unique", ())
            first = ~table[column].duplicated()
            table, points = table[first], points[first]
        points = points.reset_index(drop=True)
        names = table[source.column(table, "name", _NAME)].astype("str").reset_index(drop=True)
    layer = gpd.GeoDataFrame(
        {
            "id": [f"{service}-{number:05d}" for number in range(1, len(points) + 1)],
            "service": service,
            "name": names,
            "venue": kind,
            "source": source.path.name,
        },
        geometry=points, crs=4326,
    )
    return facilities.conform(layer)
