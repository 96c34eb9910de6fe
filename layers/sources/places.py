"""Facilities out of tables of points or of counted cells."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from layers import facilities
from layers.errors import SourceError
from layers.findings import Finding, Severity
from layers.messages import text
from layers.sources import cells
from layers.sources.columns import usual
from layers.sources.files import Source
from layers.sources.points import OPTIONS, Located, locate
from layers.sources.rejected import Rejected
from layers.sources.zones import Bounds

_REPEATS = ("keep", "drop")
# Points closer than this, in degrees, are one: a hand's breadth.
_SAME_DEG = 1e-6


@dataclass(frozen=True, repr=False)
class Places:
    """Facilities of one file.

    Attributes
    ----------
    layer
        Facility layer, not yet checked.
    findings
        What was noticed while it was read.
    rejected
        The rows that could not be placed; None where the file holds counted cells.
    located
        The rows as they stood and where they were placed; None as before.
    named
        Column of the names; empty as before, or where there is none.
    """

    layer: gpd.GeoDataFrame
    findings: tuple[Finding, ...] = ()
    rejected: Rejected | None = None
    located: Located | None = None
    named: str = ""

    def __repr__(self) -> str:
        return f"<Places: {len(self.layer):,}; {len(self.findings)} findings; {self.rejected!r}>"


def read(source: Source, *, near: Bounds | None = None) -> Places:
    """Read the facilities of one service, or of all if the file says each one's service.

    Parameters
    ----------
    source
        Table of points or file of geometry. Options: ``service`` (without it the table
        has the columns of a facility layer); those of `layers.sources.points`; ``name``;
        ``unique`` (a column: of the rows that agree in it the first stays); ``repeats``
        (``drop``: of the rows that agree in name and place the first stays); ``column``
        and ``min`` (the table holds counted cells, and a place stands in the middle of
        each cell that counts so many); ``stands_for`` (what the points really are, where
        they stand in for the service).
    near
        Where they should lie: west, south, east, north in degrees.

    Raises
    ------
    SourceError
        The file cannot be read or an option is missing or unknown.
    CrsError
        Coordinates are in metres and nothing says of which reference system.
    """
    if "column" in source.options:
        source.allow("service", "column", "min", "stands_for", *cells.OPTIONS)
        return Places(_of_cells(source))
    source.allow("service", "name", "unique", "repeats", "stands_for", *OPTIONS)
    located = locate(source, "facilities", near=near)
    table, points = located.table, located.points
    given = "service" not in source.options and "service" in table
    named = "name" if given else source.column(table, "name", usual("place", "name"))
    kept, found = _once(source, table, points, named)
    table, points = table[kept], points[kept]
    layer = _as_they_stand(table, points) if given else _of_service(source, table[named], points)
    return Places(
        layer,
        (*located.findings, *found),
        located.rejected,
        located,
        named if named in table else "",
    )


def _of_cells(source: Source) -> gpd.GeoDataFrame:
    column = source.options["column"]
    counted = cells.read(source, column)
    chosen = np.flatnonzero(counted.count >= source.number("min", 1))
    names = pd.Series([f"{column} {counted.count[row]:.0f}" for row in chosen], dtype="str")
    return _of_service(source, names, counted.middles.iloc[chosen])


def _of_service(source: Source, names: pd.Series, points: gpd.GeoSeries) -> gpd.GeoDataFrame:
    service = source.need("service")
    layer = gpd.GeoDataFrame(
        {
            "id": [f"{service}-{number:05d}" for number in range(1, len(points) + 1)],
            "service": service,
            "name": names.to_numpy(),
            "venue": source.options.get("stands_for", ""),
            "source": source.path.name,
        },
        geometry=points.array,
        crs=4326,
    )
    return facilities.conform(layer)


def _as_they_stand(table: pd.DataFrame, points: gpd.GeoSeries) -> gpd.GeoDataFrame:
    """Facilities of a table that has a facility layer's columns."""
    known = [column for column in facilities.SCHEMA.columns if column in table]
    # Nothing in a cell of a table of text is a missing value.
    given = table[known].replace("", None)
    layer = gpd.GeoDataFrame(given, geometry=points)
    return facilities.conform(layer.reset_index(drop=True))


def _once(
    source: Source, table: pd.DataFrame, points: gpd.GeoSeries, named: str
) -> tuple[pd.Series, list[Finding]]:
    """Tell which rows stay, and what repeats: a column's value, a name and place, a place."""
    repeats = source.options.get("repeats", "keep")
    if repeats not in _REPEATS:
        part = f"repeats={repeats}"
        raise SourceError(text("error.option_wrong", words=str(source.path), part=part))
    found = []
    kept = pd.Series(data=True, index=table.index)

    def tell(code: str, rows: pd.Series, severity: Severity, **values: str) -> None:
        if rows.any():
            told = {"path": source.path.name, "count": int(rows.sum()), **values}
            numbers = tuple(int(row) for row in table.index[rows])
            found.append(
                Finding(layer="facilities", code=code, severity=severity, rows=numbers, values=told)
            )

    if "unique" in source.options:
        column = source.column(table, "unique", ())
        values = table[column].fillna("").astype("str").str.strip()
        # Rows that say nothing do not agree.
        again = values.duplicated() & (values != "")
        kept &= ~again
        tell("rows_repeated", again, "info", column=column)
    spot = pd.DataFrame({"x": points.x, "y": points.y}).div(_SAME_DEG).round()
    if "service" in table and "service" not in source.options:
        spot["service"] = table["service"]
    name = table[named].fillna("").astype("str").str.strip() if named in table else ""
    # Rows that went already repeat nothing.
    same = spot.assign(name=name)[kept].duplicated().reindex(table.index, fill_value=False)
    place = spot[kept & ~same].duplicated().reindex(table.index, fill_value=False)
    if repeats == "drop":
        kept &= ~same
        tell("rows_dropped", same, "info")
    else:
        tell("rows_same", same, "warning")
    tell("rows_one_place", place, "info")
    return kept, found
