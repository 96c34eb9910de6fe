"""Groups: which columns of a table hold them, and those that a source lacks."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from layers import units
from layers.errors import SourceError
from layers.findings import Finding
from layers.messages import text
from layers.population import GROUPS, Group
from layers.sources import census
from layers.sources.columns import BRACKETS
from layers.sources.files import Source, lines

USUAL: Final[Mapping[Group, tuple[str, ...]]] = {
    "residents": (
        "residents", "常住人口", "常住人口数", "总人口", "总人口数", "人口", "人口数", "居民",
        "合计", "population", "people", "pop", "total",
    ),
    "women": ("women", "女性", "女性人口", "女", "女性人数", "female", "females"),
    "women_15_49": ("women_15_49", "15-49岁女性", "女性15-49岁", "育龄妇女", "育龄女性"),
    "women_45_59": ("women_45_59", "45-59岁女性", "女性45-59岁"),
    "age_60_plus": (
        "age_60_plus", "60岁及以上", "60岁以上", "60岁及以上人口", "60岁以上人口", "60+",
        "老年人口", "老年人",
    ),
    "women_60_plus": (
        "women_60_plus", "60岁及以上女性", "60岁以上女性", "女性60岁及以上", "老年女性",
    ),
    "children_0_3": ("children_0_3", "0-3岁", "0-3岁儿童", "0-3岁人口", "婴幼儿", "0至3岁"),
}  # fmt: skip
"""Names that columns of each group usually have."""

_TIMES: Final = {
    "百": 1e2, "千": 1e3, "万": 1e4, "十万": 1e5, "百万": 1e6, "亿": 1e8,
    "thousand": 1e3, "thousands": 1e3, "'000": 1e3, "million": 1e6, "millions": 1e6,
}  # fmt: skip
"""Units of people that a column's name may carry, and how many one stands for."""
_GAPS = re.compile(r"[\s_:/]+")

_SHOWN = 6


def columns(source: Source, frame: pd.DataFrame) -> dict[str, str]:
    """Tell which column holds each group, under its usual names or as an option says.

    Parameters
    ----------
    source
        Where it comes from; options named as the groups name columns.
    frame
        The table.

    Returns
    -------
    Names of columns by group, ``residents`` among them.

    Raises
    ------
    SourceError
        A column that an option names, or the residents, are not there.
    """
    folded = {_folded(name): str(name) for name in reversed(frame.columns)}
    found: dict[str, str] = {}
    for group in GROUPS:
        usual = next((folded[_folded(n)] for n in USUAL[group] if _folded(n) in folded), None)
        if group in source.options or group == "residents" or usual:
            found[group] = source.column(frame, group, (usual,) if usual else USUAL[group][:2])
    return found


def counts(source: Source, frame: pd.DataFrame, named: Mapping[str, str]) -> pd.DataFrame:
    """Take the columns of groups out of a table.

    Parameters
    ----------
    source
        Where it comes from.
    frame
        The table, of text or not.
    named
        What `columns` tells.

    Returns
    -------
    A column a group, in people whatever unit the names of the columns carry; aligned to the
    table's index.

    Raises
    ------
    SourceError
        A cell is no number, empty or below nought; the message names the line.
    """
    found = {}
    for group, column in named.items():
        values = source.numbers(frame, column) if source.is_table else _numbers(frame[column])
        for key, wrong in (("count_missing", np.isnan(values)), ("counts_negative", values < 0)):
            if wrong.any():
                told = {"path": str(source.path), "column": column, "rows": lines(frame, wrong)}
                raise SourceError(text(f"error.{key}", **told))
        found[group] = values * times(column)
    return pd.DataFrame(found, index=frame.index)


def times(column: str) -> float:
    """How many people one stands for in a column, by what its name says.

    Examples
    --------
    >>> times("常住人口（万人）"), times("人口_千人"), times("Residents (thousands)")
    (10000.0, 1000.0, 1000.0)
    >>> times("常住人口"), times("万人小区人口")
    (1.0, 1.0)
    """
    folded = unicodedata.normalize("NFKC", column).lower()
    # A unit stands in brackets or at the end: elsewhere it is part of a name.
    last = _GAPS.split(BRACKETS.sub("", folded).strip())[-1]
    for words in (*(bracket[1:-1] for bracket in BRACKETS.findall(folded)), last):
        unit = words.strip().removeprefix("in ").removesuffix("人")
        if unit in _TIMES:
            return _TIMES[unit]
    return 1.0


def people(source: Source, frame: pd.DataFrame, column: str) -> Any:
    """Take one column out of a table, in people, and leave its faults to the layer's checks.

    Raises
    ------
    SourceError
        A cell of a table of text is no number; the message names the line.
    """
    counts = frame[column]
    is_text = pd.api.types.is_string_dtype(counts)
    values = source.numbers(frame, column) if is_text else counts.array
    each = times(column)
    return values if each == 1.0 else values * each


def scaled(named: Mapping[str, str]) -> list[Finding]:
    """Tell of columns that are not in single people.

    Parameters
    ----------
    named
        What `columns` tells.
    """
    found = {column: times(column) for column in named.values()}
    told = ", ".join(f"{name} × {people:,.0f}" for name, people in found.items() if people != 1.0)
    if not told:
        return []
    values = {"found": told}
    return [Finding(layer="population", code="counts_scaled", severity="info", values=values)]


def complete(
    given: pd.DataFrame, points: gpd.GeoSeries, areas: gpd.GeoDataFrame, source: Source
) -> tuple[pd.DataFrame, list[Finding]]:
    """Fill in the groups that a source lacks by the census of each place's district.

    Parameters
    ----------
    given
        A column a group, ``residents`` among them.
    points
        Where each row lies, aligned to `given`.
    areas
        Unit layer.
    source
        For messages.

    Returns
    -------
    Every group, what was given as it was; and what is to be told of it.

    Raises
    ------
    SourceError
        The census does not know a district that has people.
    """
    lacking = [group for group in GROUPS if group not in given]
    if not lacking:
        return given[list(GROUPS)], []
    atoms = census.atoms()
    nowhere = pd.Series(None, index=points.index, dtype=object)
    home = units.assign(points, areas).get("district", nowhere)
    known = home.isin(atoms.index)
    # Whoever lives in no district has the mix of all; checks tell who is in no unit.
    unknown = home.notna() & ~known & (given["residents"] > 0)
    if unknown.any() or not known.any():
        names = areas.set_index("code")["name"]
        codes = pd.unique(home[unknown])[:_SHOWN]
        told = {"groups": ", ".join(lacking), "found": ", ".join(names[codes]) or "–"}
        raise SourceError(text("error.groups_unknown", path=str(source.path), **told))
    everywhere = atoms.loc[home[known].unique()].sum()
    mix = atoms.reindex(home.where(known)).fillna(everywhere)
    filled = census.complete(given, mix.set_axis(given.index))
    values = {"found": ", ".join(lacking)}
    return filled[list(GROUPS)], [
        Finding(layer="population", code="groups_by_census", severity="warning", values=values)
    ]


def _numbers(values: pd.Series) -> npt.NDArray[np.float64]:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy("float64", na_value=np.nan)
    return np.asarray(numbers)


def _folded(name: object) -> str:
    """Strip a column's name of what people write differently."""
    words = str(name).strip().lower().replace("—", "-").replace("–", "-").replace("~", "-")
    for mark in (" ", "(人)", "（人）", "_人"):
        words = words.replace(mark, "")
    return words
