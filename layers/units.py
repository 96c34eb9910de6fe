"""The units: city, districts, townships, communities, each within its parent."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import pandera.pandas as pa
import shapely

from layers.findings import Finding
from layers.schema import conformed, layer_findings, one_of, words

Level = Literal["city", "district", "township", "community"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""Coarse to fine."""
Numbered = dict[Level, tuple[list[str], np.ndarray[Any, np.dtype[np.int64]]]]
"""Of each level: codes of its units in their order, and the number of each point's."""

_MANY = 100_000
"""Points that are worth asking in several threads."""

# Two simplified borders may cross by slivers; more than this is a wrong border.
_SLIVER_KM2 = 0.05
_SLIVER_SHARE = 0.01

SCHEMA = pa.DataFrameSchema(
    {
        "code": pa.Column(checks=words(), unique=True),
        "name": pa.Column(checks=words()),
        "name_en": pa.Column(checks=words()),
        "level": pa.Column(checks=one_of(LEVELS)),
        "parent": pa.Column(checks=words(), nullable=True),
    },
)
"""Columns: code (GB/T 2260, 9 digits for townships), names, level, parent's code."""


def conform(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make a unit layer with every column in its type, in EPSG:4326.

    ``name_en`` defaults to the name, ``parent`` to none.
    """
    if "name_en" not in frame and "name" in frame:
        frame = frame.assign(name_en=frame["name"])
    return conformed(frame, SCHEMA, {"parent": None})


def check(units: gpd.GeoDataFrame) -> list[Finding]:
    """Find what stops the work: schema, geometry, parents that are no unit."""
    found = layer_findings(
        "units",
        units,
        SCHEMA,
        kinds=("Polygon", "MultiPolygon"),
        label="code",
    )
    if found:
        return found
    rank = units["level"].map(LEVELS.index)
    above = units["parent"].map(dict(zip(units["code"], rank, strict=True)))
    orphan = units["parent"].notna() & above.isna()
    for code, rows in (("parent_unknown", orphan), ("parent_not_coarser", above >= rank)):
        if rows.any():
            named = ", ".join(sorted(set(units.loc[rows, "parent"])))
            found.append(
                Finding(
                    layer="units",
                    code=code,
                    severity="error",
                    rows=tuple(units.loc[rows, "code"]),
                    values={"found": named},
                )
            )
    return found


def review(units: gpd.GeoDataFrame, crs: Any) -> list[Finding]:
    """Find how units overlap within a level.

    Parameters
    ----------
    units
        Valid unit layer.
    crs
        Projected reference system to measure areas in.
    """
    found: list[Finding] = []
    for level in LEVELS:
        same = units[units["level"] == level].to_crs(crs)
        if len(same) < 2:  # noqa: PLR2004 - an overlap takes two
            continue
        shapes = same.geometry.to_numpy()
        left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        once = left < right
        left, right = left[once], right[once]
        area = shapely.area(shapely.intersection(shapes[left], shapes[right])) / 1e6
        smaller = np.minimum(shapely.area(shapes[left]), shapely.area(shapes[right])) / 1e6
        wrong = (area > _SLIVER_KM2) | (area > _SLIVER_SHARE * smaller)
        if not wrong.any():
            continue
        codes = same["code"].to_numpy()
        pairs = [f"{codes[a]}–{codes[b]}" for a, b in zip(left[wrong], right[wrong], strict=True)]
        rows = dict.fromkeys(np.concatenate([codes[left[wrong]], codes[right[wrong]]]).tolist())
        grave = bool((area > _SLIVER_SHARE * smaller).any())
        found.append(
            Finding(
                layer="units",
                code="units_overlap",
                severity="error" if grave else "warning",
                rows=tuple(rows),
                values={"area": float(area[wrong].max()), "found": ", ".join(pairs[:6])},
            )
        )
    return found


def assign(points: gpd.GeoSeries, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """Tell in which unit of each level each point lies.

    The finest unit decides and its parents follow, so that figures of townships add up
    to those of their districts. On a shared border the lower code counts.

    Parameters
    ----------
    points
        Point a row, in the units' reference system.
    units
        Unit layer.

    Returns
    -------
    A column a level that the layer has, coarse to fine, with the unit's code or None;
    aligned to the points' index.
    """
    return named(numbers(points, units), points.index)


def named(numbered: Numbered, index: pd.Index) -> pd.DataFrame:
    """Put the units' codes, as `assign` gives them, in place of `numbers`."""
    columns = {
        level: np.array([*codes, None], dtype=object)[number]
        for level, (codes, number) in numbered.items()
    }
    return pd.DataFrame(columns, index, dtype=object)


def numbers(points: gpd.GeoSeries, units: gpd.GeoDataFrame) -> Numbered:
    """Tell in which unit of each level each point lies, by number.

    Parameters
    ----------
    points, units
        As `assign` takes them.

    Returns
    -------
    For each level that the layer has, coarse to fine: the codes of its units in their
    order, and the number of each point's unit among them, -1 for none.
    """
    have = set(units["level"])
    levels = [level for level in LEVELS if level in have]
    parent = dict(zip(units["code"], units["parent"], strict=True))
    shapes = np.asarray(points.array)
    found: dict[Level, tuple[list[str], Any]] = {}
    codes: list[str] = []
    number = np.zeros(len(points), dtype=np.int64)
    for level in reversed(levels):
        at_level = units[units["level"] == level].sort_values("code")
        known = {code: row for row, code in enumerate(at_level["code"])}
        # The unit above each finer one, -1 where there is none; the last is for no unit.
        above = np.array([*(known.get(parent[code], -1) for code in codes), -1])
        codes, number = list(known), above[number]
        rest = np.flatnonzero(number < 0)
        number[rest] = _first(shapes[rest], np.asarray(at_level.geometry.array))
        found[level] = codes, number
    return {level: found[level] for level in levels}


def _first(points: Any, areas: Any) -> Any:
    """Find the first area that each point lies in, -1 for none."""
    tree = shapely.STRtree(points)
    first = np.full(len(points), len(areas))
    if len(points) and len(areas):
        # The tree is built by the first question, and then answers several at a time.
        tree.query(areas[0], predicate="intersects")

    def ask(rows: Any) -> Any:
        unit, point = tree.query(areas[rows], predicate="intersects")
        return rows[unit], point

    workers = min(os.cpu_count() or 1, len(areas)) if len(points) > _MANY else 1
    parts = [np.arange(part, len(areas), workers) for part in range(max(workers, 1))]
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        for unit, point in pool.map(ask, parts):
            np.minimum.at(first, point, unit)
    return np.where(first < len(areas), first, -1)
