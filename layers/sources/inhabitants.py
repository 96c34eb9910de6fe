"""Population out of a table or file of points with a column a group."""

import geopandas as gpd
import pandas as pd

from layers import population
from layers.findings import Finding
from layers.population import GROUPS
from layers.sources import coordinates, groups
from layers.sources.columns import find, usual
from layers.sources.files import Source
from layers.sources.points import OPTIONS, locate
from layers.sources.rejected import Rejected
from layers.sources.zones import Bounds


def read(
    source: Source, *, near: Bounds | None = None
) -> tuple[gpd.GeoDataFrame, list[Finding], Rejected]:
    """Read people of each group at points.

    Parameters
    ----------
    source
        Table or file of geometry. Options: those of `layers.sources.points`, and each
        group's own name for its column where that goes by an unusual one.
    near
        Where they should live: west, south, east, north in degrees.

    Returns
    -------
    Population layer, not yet checked; what was noticed; and the rows not placed.

    Raises
    ------
    SourceError
        The file cannot be read, a column that an option names is not there, or a count
        is no number.
    CrsError
        Coordinates are in metres and nothing says of which reference system.
    """
    source.allow(*GROUPS, *OPTIONS)
    located = locate(source, "population", near=near)
    named: dict[str, str] = {}
    for group in GROUPS:
        if group in source.options:
            column: str | None = source.column(located.table, group, ())
        else:
            column = find(located.table.columns, usual("group", group))
        if column is not None:
            named[group] = column
    made = {group: groups.people(source, located.table, own) for group, own in named.items()}
    people = gpd.GeoDataFrame(made, geometry=located.points.array)
    found = [*located.findings, *groups.scaled(named)]
    lost = _people(located.rejected, named["residents"]) if "residents" in named else 0.0
    if lost > 0:
        values = {"path": source.path.name, "people": lost}
        found.append(
            Finding(
                layer="population", code="people_in_rejected", severity="warning", values=values
            )
        )
    return population.conform(people), found, located.rejected


def _people(rejected: Rejected, column: str) -> float:
    """Residents in rows that were not placed, as far as they can be read."""
    values, _ = coordinates.numbers(rejected.rows[column].astype("str"))
    return float(pd.Series(values).sum()) * groups.times(column)
