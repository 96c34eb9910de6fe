"""The population layer out of points, rasters, and tables by unit.

In all of them a column of a table is found under its usual Chinese or English name or
the one that an option named as the group gives it. Groups that the source lacks follow
the census by district, as `layers.sources.groups.complete` tells.
"""

from dataclasses import replace

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import CRS

from layers import population, units
from layers.database import Address, located
from layers.findings import Finding
from layers.population import GROUPS
from layers.sources import census, dasymetric, density, groups, raster
from layers.sources.files import Source

_WHOLE = 0.995
# Population grids and counts of one decade agree better than this.
_OFF = 1.5
_UNITS = (1e3, 1e4)

Read = tuple[gpd.GeoDataFrame, list[Finding]]


def from_points(source: Source, areas: gpd.GeoDataFrame) -> Read:
    """Read a row a place.

    Raises
    ------
    SourceError
        It cannot be read; a count is missing or none; a group is neither there nor known
        to the census.
    """
    source.allow("datum", "lon", "lat", "layer", "crs", *GROUPS)
    table, points = source.read_points()
    named = groups.columns(source, table)
    if len(named) < len(GROUPS):
        given = groups.counts(source, table, named).reset_index(drop=True)
        layer, found = _layer(given, points.reset_index(drop=True), areas, source)
        return layer, [*groups.scaled(named), *found]
    # Whole as it stands: the layer's own checks tell of its rows.
    whole = {group: groups.people(source, table, column) for group, column in named.items()}
    layer = population.conform(gpd.GeoDataFrame(whole, geometry=points.array))
    return layer, groups.scaled(named)


def from_units(
    source: Source, areas: gpd.GeoDataFrame, streets: gpd.GeoDataFrame, crs: CRS
) -> tuple[gpd.GeoDataFrame, list[Finding], "pd.Series[float]"]:
    """Read a table by unit and spread it over the weights that the option ``over`` names.

    Returns
    -------
    The layer, what was found, and the share of each unit that the weights reach.

    Raises
    ------
    SourceError
        The table or the weights cannot be read, or a row's unit is not known.
    """
    source.allow("over", "unit", "weight", "floors", "datum", "lon", "lat", "layer", "crs", *GROUPS)
    counts, told = dasymetric.read_counts(source, areas)
    told += _units_beside_census(counts["residents"], areas)
    weights = dasymetric.read_weights(source, areas, streets, crs)
    spread, points, found = dasymetric.spread(counts, weights, areas, streets=streets, crs=crs)
    layer, more = _layer(spread, points, areas, source)
    share = dasymetric.reach(weights, counts.index, areas, crs)
    return layer, [*told, *found, *more], share


def from_raster(
    source: Source,
    areas: gpd.GeoDataFrame,
    within: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    crs: CRS,
) -> Read:
    """Read a raster of people; or, with the option ``weight``, spread the census over it.

    Parameters
    ----------
    source
        The raster; options named as the groups say which band or file holds each, as
        `layers.sources.raster.bands_of_groups` tells.
    areas, within
        Unit layer, whole and as the study area clips it.
    streets
        Street layer.
    crs
        Projected reference system to measure in.

    Raises
    ------
    SourceError
        It cannot be read; a group is neither there nor known to the census.
    CrsError
        It has no reference system.
    """
    if "weight" not in source.options:
        source.allow("crs", density.PER, *GROUPS)
        pieces = raster.read(source, raster.bands_of_groups(source), within)
        layer, found = _layer(pieces.counts, pieces.points, within, source)
        whole = areas[areas["level"] == "district"].merge(
            within[["code", "geometry"]], on="code", suffixes=("", "_within")
        )
        cut = shapely.area(whole["geometry_within"]) < _WHOLE * shapely.area(whole.geometry)
        off = _beside_census(layer, gpd.GeoDataFrame(whole[~cut], geometry="geometry"))
        return layer, [*pieces.findings, *found, *off]
    source.allow("crs", "weight")
    atoms = census.atoms()
    districts = areas[areas["level"] == "district"]
    counts = atoms.loc[[code for code in districts["code"] if code in atoms.index]]
    weights = dasymetric.raster_weights(source, districts)
    spread, points, found = dasymetric.spread(counts, weights, districts, streets=streets, crs=crs)
    layer = gpd.GeoDataFrame(census.groups_of(spread), geometry=points.array)
    return population.conform(layer), found


def _beside_census(layer: gpd.GeoDataFrame, districts: gpd.GeoDataFrame) -> list[Finding]:
    """Hold a raster's sums against the census, where districts lie in it whole."""
    counted = census.atoms().sum(axis=1)
    known = districts[districts["code"].isin(counted.index)]
    if known.empty:
        return []
    home = units.assign(layer.geometry, known)["district"]
    here = float(layer["residents"][home.notna().to_numpy()].sum())
    return _off("raster_off", here, float(counted.loc[known["code"]].sum()))


def _units_beside_census(people: "pd.Series[float]", areas: gpd.GeoDataFrame) -> list[Finding]:
    """Hold a table's sums against the census, for districts that it has whole."""
    counted = census.atoms().sum(axis=1)
    levels, above = areas.set_index("code")["level"], areas.set_index("code")["parent"]
    home = pd.Series(people.index, people.index).where(levels.reindex(people.index) == "district")
    home = home.fillna(above.reindex(people.index))
    # Townships tell of a district where none of its own is missing.
    parts = areas.loc[areas["level"] == "township", "parent"].value_counts()
    listed = home[levels.reindex(people.index) == "township"].value_counts()
    whole = [
        code
        for code in dict.fromkeys(home.dropna())
        if code in counted.index and listed.get(code, 0) in (0, parts.get(code, 0))
    ]
    if not whole:
        return []
    here = float(people[home.isin(whole).to_numpy()].sum())
    there = float(counted.loc[whole].sum())
    found = _off("table_off", here, there)
    # Just so many thousands or 万 of people: it is another unit, and every figure is wrong.
    other = [
        one for one in found if any(1.0 / _OFF < here / there * unit < _OFF for unit in _UNITS)
    ]
    return [replace(one, severity="error") for one in other] or found


def _off(code: str, here: float, there: float) -> list[Finding]:
    if there / _OFF < here < there * _OFF:
        return []
    values = {"people": here, "census": there, "times": here / there}
    return [Finding(layer="population", code=code, severity="warning", values=values)]


def over(source: Source) -> str:
    """Name the weights of a table by unit, without a password."""
    place = located(source.need("over"))
    return place.name or str(place) if isinstance(place, Address) else place.name


def _layer(
    given: pd.DataFrame, points: gpd.GeoSeries, areas: gpd.GeoDataFrame, source: Source
) -> Read:
    filled, found = groups.complete(given, points, areas, source)
    return population.conform(gpd.GeoDataFrame(filled, geometry=points.array)), found
