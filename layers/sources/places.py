"""Facilities out of tables of points or of counted cells."""

import geopandas as gpd
import numpy as np
import pandas as pd

from layers import facilities
from layers.findings import Finding
from layers.sources import cells
from layers.sources.files import Source

_NAME = ("name", "名称", "station", "站点")


def read(source: Source) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Read the facilities of one service, or of all if the file says each one's service.

    Parameters
    ----------
    source
        Table of points or file of geometry. Options: ``service`` (without it the table
        has the columns of a facility layer); ``datum``, ``lon``, ``lat``, ``name``,
        ``layer``, ``crs``; ``unique`` (a column: of the rows that agree in it the first
        stays); ``column`` and ``min`` (the table holds counted cells, and a place
        stands in the middle of each cell that counts so many); ``stands_for`` (what the
        points really are, where they stand in for the service).

    Returns
    -------
    Facility layer, not yet checked, and how many rows ``unique`` left out.

    Raises
    ------
    SourceError
        The file cannot be read or an option is missing or unknown.
    """
    source.allow(
        "service",
        "datum",
        "lon",
        "lat",
        "name",
        "unique",
        "column",
        "min",
        "stands_for",
        "layer",
        "crs",
    )
    found: list[Finding] = []
    kind = source.options.get("stands_for", "")
    if "column" in source.options:
        column = source.options["column"]
        counted = cells.read(source, column)
        chosen = np.flatnonzero(counted.count >= source.number("min", 1))
        points = counted.middles.iloc[chosen].reset_index(drop=True)
        names = pd.Series([f"{column} {counted.count[row]:.0f}" for row in chosen], dtype="str")
    else:
        table, points = source.read_points()
        if "service" not in source.options and "service" in table:
            return _as_they_stand(table, points), found
        if "unique" in source.options:
            column = source.column(table, "unique", ())
            again = table[column].duplicated()
            table, points = table[~again], points[~again]
            if again.any():
                values = {"path": source.path.name, "column": column, "count": int(again.sum())}
                found = [
                    Finding(
                        layer="facilities", code="rows_repeated", severity="info", values=values
                    )
                ]
        points = points.reset_index(drop=True)
        names = table[source.column(table, "name", _NAME)].reset_index(drop=True)
    service = source.need("service")
    layer = gpd.GeoDataFrame(
        {
            "id": [f"{service}-{number:05d}" for number in range(1, len(points) + 1)],
            "service": service,
            "name": names,
            "venue": kind,
            "source": source.path.name,
        },
        geometry=points,
        crs=4326,
    )
    return facilities.conform(layer), found


def _as_they_stand(table: pd.DataFrame, points: gpd.GeoSeries) -> gpd.GeoDataFrame:
    """Facilities of a table that has a facility layer's columns."""
    known = [column for column in facilities.SCHEMA.columns if column in table]
    # Nothing in a cell of a table of text is a missing value.
    given = table[known].replace("", None)
    return facilities.conform(gpd.GeoDataFrame(given, geometry=points))
