"""People of units spread over weights within them: buildings, streets, cells.

Dasymetric mapping (Wright 1936): each unit's people go to the weights inside it in
proportion. Parts of a person are kept, so that every unit's sums are met to the rounding
of a double and groups nest wherever they nest in the table.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from layers import units
from layers.crs import GEOGRAPHIC
from layers.errors import SourceError
from layers.findings import Finding
from layers.messages import text
from layers.sources import cells, groups, raster
from layers.sources.files import Source, lines
from layers.sources.postgis import parse_source

_UNIT = (
    "code", "编码", "代码", "区划代码", "行政区划代码", "统计用区划代码",
    "unit", "name", "名称", "乡镇街道", "乡镇", "街道", "单元", "区县", "区",
)  # fmt: skip
_STEP_M = 100.0
_AROUND_M = 1000.0
_DIGITS = 12
_OF_WEIGHTS = ("weight", "datum", "lon", "lat", "layer", "crs", "floors")


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Places and how much each draws.

    Attributes
    ----------
    points
        Where, in EPSG:4326.
    amount
        How much, none below nought.
    findings
        What was noticed on the way.
    """

    points: gpd.GeoSeries
    amount: npt.NDArray[np.float64]
    findings: tuple[Finding, ...] = ()


def read_counts(source: Source, areas: gpd.GeoDataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Read a table of people by unit.

    Parameters
    ----------
    source
        The table. Option ``unit`` names the column of codes or names; options named as
        the groups name theirs; else the usual names serve.
    areas
        Unit layer.

    Returns
    -------
    A column a group that the table has, the index holding codes of units; and what is to
    be told of it.

    Raises
    ------
    SourceError
        A row's unit is unknown, has several namesakes, or is counted twice; a count is
        missing or none. The message names the lines.
    """
    if source.is_table:
        frame = source.read_table()
    else:
        features = source.read_features()
        frame = pd.DataFrame(features.drop(columns=features.geometry.name))
    column = source.column(frame, "unit", _UNIT)
    said = frame[column].astype("str").str.normalize("NFKC").str.strip()
    code = said.map(_codes(areas))

    def refuse(key: str, wrong: Any) -> None:
        if wrong.any():
            found = ", ".join(dict.fromkeys(said[wrong].iloc[:6]))
            told = {"path": str(source.path), "rows": lines(frame, wrong), "found": found}
            raise SourceError(text(f"error.{key}", **told))

    refuse("unit_unknown", code.isna().to_numpy())
    refuse("unit_ambiguous", (code == "").to_numpy())
    above = dict(zip(areas["code"], areas["parent"], strict=True))
    stated = set(code)
    refuse(
        "unit_twice",
        code.duplicated(keep=False).to_numpy()
        | np.array([bool(stated & set(_ancestors(one, above))) for one in code], dtype=bool),
    )
    named = groups.columns(source, frame)
    counts = groups.counts(source, frame, named)
    return counts.set_axis(pd.Index(code, name=None)), groups.scaled(named)


def read_weights(
    source: Source, areas: gpd.GeoDataFrame, streets: gpd.GeoDataFrame, crs: CRS
) -> Weights:
    """Read what the option ``over`` of a table names.

    ``streets`` for their length; a raster (option ``weight``: its band); a table of cells
    or points, or a file of points, lines or areas: option ``weight`` names a column, and
    without it a point counts one, a line its length, an area its ground times the column
    that ``floors`` names.

    Raises
    ------
    SourceError
        It cannot be read, or holds numbers that are no weights.
    """
    over = source.need("over")
    if over == "streets":
        return street_weights(streets, crs)
    options = {key: source.options[key] for key in _OF_WEIGHTS if key in source.options}
    named = parse_source(over)
    given = type(named)(**{**vars(named), "options": options})
    if raster.is_raster(given.path):
        return raster_weights(given, areas)
    if given.is_table and {"x0", "y0"} <= set(given.read_table().columns.str.lower()):
        counted = cells.read(given, given.need("weight"))
        return Weights(points=counted.middles, amount=counted.count)
    return _feature_weights(given, crs)


def raster_weights(source: Source, areas: gpd.GeoDataFrame) -> Weights:
    """Weights out of a raster's band, its first unless the option ``weight`` says which."""
    bands = raster.bands_of_groups(
        Source(source.path, {"residents": source.options.get("weight", "1")})
    )
    pieces = raster.read(source, bands, areas, people=False)
    amount = pieces.counts["residents"].to_numpy()
    return Weights(points=pieces.points, amount=amount, findings=pieces.findings)


def street_weights(streets: gpd.GeoDataFrame, crs: CRS) -> Weights:
    """Weights out of the length of streets that people may walk, 100 m or less a place.

    Bridges and tunnels carry nobody.
    """
    lived = (streets["walk_forward"] | streets["walk_backward"]) & ~(
        streets["bridge"] | streets["tunnel"]
    )
    lines_m = streets.geometry[lived].to_crs(crs).to_numpy()
    length = shapely.length(lines_m)
    parts = np.maximum(1, np.ceil(length / _STEP_M)).astype(int)
    line = np.repeat(np.arange(len(parts)), parts)
    nth = np.arange(len(line)) - np.repeat(np.cumsum(parts) - parts, parts)
    places = shapely.line_interpolate_point(
        lines_m[line], (nth + 0.5) / parts[line], normalized=True
    )
    points = gpd.GeoSeries(places, crs=crs).to_crs(GEOGRAPHIC)
    return Weights(points=points, amount=(length / parts)[line])


def spread(
    counts: pd.DataFrame,
    weights: Weights,
    areas: gpd.GeoDataFrame,
    *,
    streets: gpd.GeoDataFrame,
    crs: CRS,
) -> tuple[pd.DataFrame, gpd.GeoSeries, list[Finding]]:
    """Spread units' people over the weights inside them.

    Parameters
    ----------
    counts
        People by column; the index holds codes of units, none within another.
    weights
        What draws them.
    areas
        Unit layer; `layers.units.assign` tells in which unit a place lies.
    streets
        Street layer: where a unit holds no weight, they are spread along its streets.
    crs
        Projected reference system to measure in.

    Returns
    -------
    The same columns, a row a place; the places; and findings that name units without
    weights, at whose streets (or, without any, at one point inside) their people are.
    """
    first = _shares(counts.index, weights, areas)
    left = counts.index.difference(list(first[0]), sort=False)
    left = left[counts.loc[left].sum(axis=1) > 0]
    second = _shares(left, street_weights(streets, crs), areas) if len(left) else _nothing()
    alone = left.difference(list(second[0]), sort=False)
    shapes = areas.set_index("code").geometry
    third = (
        alone,
        shapely.point_on_surface(shapes.reindex(alone).to_numpy()),
        np.ones(len(alone)),
    )
    codes, places, share = (
        np.concatenate(parts) for parts in zip(first, second, third, strict=True)
    )
    rows = counts.loc[codes].to_numpy("float64") * share[:, np.newaxis]
    layer = pd.DataFrame(rows, columns=counts.columns)
    findings = [
        *weights.findings,
        *_named("people_on_streets", left.difference(alone, sort=False), areas),
        *_named("people_at_a_point", alone, areas),
        *_named("people_no_row", _without_row(counts.index, areas), areas),
    ]
    held = (layer > 0).any(axis=1).to_numpy()
    return (
        layer[held].reset_index(drop=True),
        gpd.GeoSeries(places[held], crs=GEOGRAPHIC),
        findings,
    )


def reach(
    weights: Weights, codes: Collection[str], areas: gpd.GeoDataFrame, crs: CRS
) -> "pd.Series[float]":
    """Share of each unit's area within a kilometre of the hull of the weights, by its code.

    Weights that were cut to a study area hold all people of a unit in a part of it.
    Units without any weight are left out: others are told of them.
    """
    used = weights.points[weights.amount > 0]
    with_any = set(_shares(codes, weights, areas)[0])
    stated = areas[areas["code"].isin(with_any)]
    hull = shapely.convex_hull(shapely.union_all(used.to_crs(crs).to_numpy())).buffer(_AROUND_M)
    shapes = stated.to_crs(crs).geometry.to_numpy()
    share = shapely.area(shapely.intersection(shapes, hull)) / shapely.area(shapes)
    return pd.Series(share, index=stated["code"].to_numpy())


_Shares = tuple[npt.NDArray[np.object_], npt.NDArray[np.object_], npt.NDArray[np.float64]]


def _shares(wanted: Iterable[str], weights: Weights, areas: gpd.GeoDataFrame) -> _Shares:
    """Find the unit of each weight in a wanted one, its place, and its share of the unit's."""
    home = units.assign(weights.points, areas)
    code = np.full(len(home), None, dtype=object)
    wanted = list(wanted)
    for level in home.columns:
        inside = home[level].isin(wanted).to_numpy()
        code[inside] = home.loc[inside, level].to_numpy(dtype=object)
    used = pd.notna(code) & (weights.amount > 0)
    code, amount = code[used], weights.amount[used]
    whole = pd.Series(amount).groupby(code).transform("sum").to_numpy()
    return code, weights.points.to_numpy()[used], amount / whole


def _nothing() -> _Shares:
    none = np.empty(0, dtype=object)
    return none, none, np.empty(0)


def _feature_weights(source: Source, crs: CRS) -> Weights:
    table, shapes = source.read_points()
    lost = shapes.isna().to_numpy() | shapes.is_empty.to_numpy()
    if lost.any():
        told = {"path": str(source.path), "rows": lines(table, lost)}
        raise SourceError(text("error.weights_geometry", **told))
    flat = shapely.make_valid(shapes.to_crs(crs).to_numpy())
    findings: tuple[Finding, ...] = ()
    if "weight" in source.options:
        column = source.column(table, "weight", ())
        amount = np.nan_to_num(_numbers(source, table, column))
        if (amount < 0).any():
            told = {"path": str(source.path), "column": column, "rows": lines(table, amount < 0)}
            raise SourceError(text("error.counts_negative", **told))
    else:
        kind = shapely.get_dimensions(flat)
        amount = np.select([kind == 0, kind == 1], [1.0, shapely.length(flat)], shapely.area(flat))
    if "floors" in source.options:
        storeys = _numbers(source, table, source.column(table, "floors", ()))
        unknown = ~(storeys > 0)
        amount = amount * np.where(unknown, 1.0, storeys)
        if unknown.any():
            findings = (
                Finding(
                    layer="population",
                    code="storeys_missing",
                    severity="warning",
                    values={"count": int(unknown.sum())},
                ),
            )
    places = gpd.GeoSeries(shapely.point_on_surface(flat), crs=crs).to_crs(GEOGRAPHIC)
    return Weights(points=places, amount=amount, findings=findings)


def _numbers(source: Source, table: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    if source.is_table:
        return source.numbers(table, column)
    values = pd.to_numeric(table[column], errors="coerce")
    return np.asarray(values.to_numpy("float64", na_value=np.nan))


def _codes(areas: gpd.GeoDataFrame) -> dict[str, str]:
    """Code of a unit by what a table may call it; empty where several share a name."""
    known: dict[str, str] = {}
    for column in ("name", "name_en"):
        for name, code in zip(areas[column], areas["code"], strict=True):
            if name:
                known[name] = code if known.get(name, code) == code else ""
    for code in areas["code"]:
        # Offices of statistics write codes of all levels in twelve digits.
        known[code.ljust(_DIGITS, "0")] = code
    return {**known, **{code: code for code in areas["code"]}}


def _ancestors(code: str, above: Mapping[str, Any]) -> Iterable[str]:
    parent = above.get(code)
    while isinstance(parent, str):
        yield parent
        parent = above.get(parent)


def _without_row(stated: Iterable[str], areas: gpd.GeoDataFrame) -> list[str]:
    """Tell units of the table's levels that neither they nor any above or below are in."""
    above = dict(zip(areas["code"], areas["parent"], strict=True))
    stated = set(stated)
    levels = set(areas.loc[areas["code"].isin(stated), "level"])
    covered = {parent for code in stated for parent in _ancestors(code, above)}
    codes: list[str] = [
        code
        for code, level in zip(areas["code"], areas["level"], strict=True)
        if level in levels
        and code not in stated | covered
        and not stated & set(_ancestors(code, above))
    ]
    return codes


def _named(fault: str, codes: Collection[str], areas: gpd.GeoDataFrame) -> list[Finding]:
    if not len(codes):
        return []
    names = areas.set_index("code")["name"]
    told = ", ".join(f"{names[code]}" for code in codes)
    return [
        Finding(
            layer="population",
            code=fault,
            severity="warning",
            rows=tuple(codes),
            values={"found": told},
        )
    ]
