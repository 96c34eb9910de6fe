"""Rows that findings name, in words: on the page of a check, at the desk, and as a table."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import pandas as pd

from layers.facilities import STATUSES
from layers.formulas import defused
from layers.messages import Language, language, text
from layers.units import LEVELS
from planner.standards import load_services

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from layers import City
    from layers.findings import Finding
    from planner.standards import Services

ROWS_HELD = 5_000
"""Rows written into the page for each finding; more would make it slow to open."""

_COLUMNS = {
    "streets": ("name", "highway", "length", "speed_kmh"),
    "units": ("name", "level", "parent"),
    "population": ("residents",),
    "facilities": ("name", "service", "status", "opened", "closed"),
    "water": ("name",),
}
"""What tells a reader which row it is."""
_KEYS = {"units": "code", "facilities": "id"}


@dataclass(frozen=True)
class RowWords:
    """What values of the layers are called.

    Attributes
    ----------
    lang
        Language.
    services
        Names of services by their keys.
    """

    lang: Language
    services: Mapping[str, str]

    def of(self, column: str, value: Any) -> str:
        """Words of a value."""
        if pd.isna(value):
            return ""
        if column == "service":
            return self.services.get(value, str(value))
        if column == "level" and value in LEVELS:
            return text(f"level.{value}", self.lang)
        if column == "status" and value in STATUSES:
            return text(f"status.{value}", self.lang)
        return f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def rows_of(city: City, finding: Finding) -> gpd.GeoDataFrame | None:
    """Rows of the layer that a finding names, None where they cannot be found."""
    layer = city.layers().get(finding.layer)
    if layer is None or not finding.rows or getattr(layer, "active_geometry_name", None) is None:
        return None
    labels = pd.Index(finding.rows, dtype=object)
    key = _KEYS.get(finding.layer)
    known = pd.Index(layer.get(key, layer.index), dtype=object)
    if not known.is_unique:
        # Labels that are there twice stand for every row that has them.
        rows = layer[known.isin(labels)]
        same = sorted(map(str, known[known.isin(labels)])) == sorted(map(str, labels))
        return rows if same else None
    at = known.get_indexer(labels)
    return layer.iloc[at] if len(at) and (at >= 0).all() else None


def described(
    finding: Finding,
    rows: gpd.GeoDataFrame | None,
    words: RowWords,
    *,
    most: int | None = ROWS_HELD,
) -> pd.DataFrame:
    """Labels of a finding's rows with what tells a reader which they are, as words.

    Parameters
    ----------
    finding
        The finding.
    rows
        What `rows_of` found.
    words
        What values are called.
    most
        Rows told at most.
    """
    lang = words.lang
    labels = [str(label) for label in finding.rows[:most]]
    table = pd.DataFrame({text("page.row", lang): labels}, dtype=object)
    if rows is None:
        return table
    key = _KEYS.get(finding.layer)
    own = rows.get(key, rows.index)
    table[text("page.row", lang)] = [str(label) for label in own[:most]]
    rows = rows.iloc[:most]
    for column in _COLUMNS[finding.layer]:
        if column in rows and not (rows[column].isna() | (rows[column].astype(str) == "")).all():
            table[text(f"page.column.{column}", lang)] = [
                words.of(column, value) for value in rows[column]
            ]
    if rows.crs is not None and rows.crs.is_geographic:
        middle = rows.geometry.make_valid().representative_point()
        table[text("page.column.lon", lang)] = [f"{x:.6f}" for x in middle.x]
        table[text("page.column.lat", lang)] = [f"{y:.6f}" for y in middle.y]
    return table


def findings_csv(
    city: City,
    findings: Sequence[Finding],
    *,
    services: Services | None = None,
    lang: Language | None = None,
) -> str:
    """Write findings as a table, a line for each row that one names.

    Parameters
    ----------
    city, findings, services, lang
        As `planner.report.check.check_page` takes them.

    Returns
    -------
    CSV; a finding that names no rows has a line of its own. No cell is a formula.

    Examples
    --------
    >>> from layers import Finding, embedded
    >>> found = [Finding(layer="streets", code="no_crs", severity="error")]
    >>> findings_csv(embedded("small"), found, lang="en").splitlines()[0]
    'severity,layer,code,finding,what to do,row,name,longitude,latitude'
    """
    lang = lang or language()
    names = {key: one.title(lang) for key, one in (services or load_services()).items()}
    words = RowWords(lang, names)
    heads = [text(f"page.column.{name}", lang) for name in ("name", "lon", "lat")]
    first = [text(f"page.csv.{name}", lang) for name in ("severity", "layer", "code", "finding")]
    remedy = text("page.csv.remedy", lang)
    written = StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow([*first, remedy, text("page.row", lang), *heads])
    for one in findings:
        told = [
            text(f"severity.{one.severity}", lang),
            text(f"layer.{one.layer}", lang),
            one.code,
            one.words("message", lang),
            one.words("remedy", lang),
        ]
        held = described(one, rows_of(city, one), words, most=None)
        wanted = held.reindex(columns=[text("page.row", lang), *heads], fill_value="")
        lines = wanted.to_numpy().tolist() or [["", *[""] * len(heads)]]
        writer.writerows([[defused(cell) for cell in (*told, *line)] for line in lines])
    return written.getvalue()
