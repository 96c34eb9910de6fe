"""Counts of places in cells: weights to spread people by, or places themselves."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers import population, units
from layers.errors import SourceError
from layers.findings import Finding
from layers.messages import text
from layers.population import GROUPS
from layers.sources.census import apportion, groups_of
from layers.sources.files import Source, lines

OPTIONS = ("datum", "sheet", "header", "encoding")
"""Options of a table of cells."""

_CORNERS = ("x0", "y0", "x1", "y1")
_WHOLE = 0.98


@dataclass(frozen=True)
class Cells:
    """Cells with a count each.

    Attributes
    ----------
    count
        How many places lie in each cell.
    areas
        The cells in WGS-84.
    """

    count: np.ndarray
    areas: gpd.GeoSeries

    @property
    def middles(self) -> gpd.GeoSeries:
        """The middle of each cell."""
        return gpd.GeoSeries(shapely.centroid(self.areas.array), crs=self.areas.crs)


def read(source: Source, column: str) -> Cells:
    """Read cells given by the corners ``x0, y0, x1, y1`` and a column of counts.

    Parameters
    ----------
    source
        Table. Options: ``datum``, what the corners are in, and how to read the table.
    column
        The counts. An empty cell of the table counts as none.

    Raises
    ------
    SourceError
        A column is missing or holds something other than numbers, a cell has no
        corners or counts below zero.
    """
    frame = source.read_table()
    corners = [
        source.numbers(frame, source.column(frame, corner, (corner,))) for corner in _CORNERS
    ]
    lost = np.isnan(corners).any(axis=0)
    if lost.any():
        raise source.no_coordinates(frame, lost)
    west, south, east, north = corners
    count = np.nan_to_num(source.numbers(frame, source.column(frame, "column", (column,))))
    if (count < 0).any():
        told = {"path": str(source.path), "column": column, "rows": lines(frame, count < 0)}
        raise SourceError(text("error.counts_negative", **told))
    # Each corner moves by itself: a cell is not quite a rectangle in another datum.
    ring = [
        np.stack(source.to_wgs84(x, y), axis=-1)
        for x, y in ((west, south), (east, south), (east, north), (west, north))
    ]
    areas = shapely.polygons(np.stack(ring, axis=1))
    return Cells(count, gpd.GeoSeries(areas, crs=4326))


def spread(
    cells: Cells, districts: gpd.GeoDataFrame, atoms: pd.DataFrame
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Spread each district's people over its cells in proportion to their counts.

    Whole people, exact by district and group. What is spread are disjoint atoms of sex
    and age, so that in no cell a part exceeds its whole.

    Parameters
    ----------
    cells
        Weights.
    districts
        Units whose people are known.
    atoms
        People of each atom of the census, a row a district's code.

    Returns
    -------
    Population layer of the cells that got someone, and findings: districts without a
    cell, districts whose people are not known, cells outside all districts.

    Raises
    ------
    SourceError
        No cell lies in any district whose people are known, or there is no district.
    """
    if districts.empty:
        raise SourceError(text("error.no_districts"))
    middles = cells.middles
    home = units.assign(middles, districts)["district"].to_numpy()
    weighted = cells.count > 0
    found: list[Finding] = []
    lost = weighted & pd.isna(home)
    if lost.any():
        values = {"count": int(lost.sum())}
        found.append(
            Finding(layer="population", code="weights_outside", severity="info", values=values)
        )
    parts = []
    unspread: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for code, name in zip(districts["code"], districts["name"], strict=True):
        if code not in atoms.index:
            unknown[code] = name
            continue
        rows = np.flatnonzero(weighted & (home == code))
        if not len(rows):
            unspread[code] = f"{name} {atoms.loc[code].sum():,}"
            continue
        shares = np.stack(
            [apportion(cells.count[rows], int(people)) for people in atoms.loc[code].to_numpy()],
            axis=1,
        )
        parts.append(groups_of(pd.DataFrame(shares, index=rows, columns=atoms.columns)))
    for fault, names in (("people_unspread", unspread), ("people_unknown", unknown)):
        if names:
            found.append(
                Finding(
                    layer="population",
                    code=fault,
                    severity="warning",
                    rows=tuple(names),
                    values={"found": "; ".join(names.values())},
                )
            )
    if not parts:
        raise SourceError(text("error.nothing_spread"))
    table = pd.concat(parts).sort_index()
    table = table[table["residents"] > 0]
    layer = gpd.GeoDataFrame(
        table[list(GROUPS)], geometry=middles.iloc[table.index].to_numpy(), crs=4326
    ).reset_index(drop=True)
    return population.conform(layer), found


def covered_share(cells: Cells, districts: gpd.GeoDataFrame, crs: object) -> pd.Series:
    """Share of each district's area that the cells cover, by its code."""
    whole = shapely.union_all(cells.areas.to_crs(crs).array)
    shapes = districts.to_crs(crs).geometry.array
    share = shapely.area(shapely.intersection(shapes, whole)) / shapely.area(shapes)
    return pd.Series(share, index=districts["code"].to_numpy())


def squeezed(share: pd.Series, districts: gpd.GeoDataFrame) -> list[Finding]:
    """Name districts whose people are put into the part that the cells cover."""
    names = districts.set_index("code")["name"]
    partly = share[(share < _WHOLE) & (share > 0) & share.index.isin(names.index)]
    if partly.empty:
        return []
    told = ", ".join(f"{names[code]} {part:.0%}" for code, part in partly.items())
    return [
        Finding(
            layer="population",
            code="people_squeezed",
            severity="warning",
            rows=tuple(partly.index),
            values={"found": told},
        )
    ]
