"""The check of a city as one page: what was looked at, what was found, where, what to do."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from io import StringIO
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from layers.facilities import STATUSES
from layers.findings import Finding, Severity
from layers.messages import Language, language, text
from layers.units import LEVELS
from planner.report.sketch import Sketches
from planner.report.style import STYLE
from planner.standards import load_services

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from layers import City
    from planner.standards import Services

_ROWS_SHOWN = 8
_ROWS_HELD = 5_000
"""Rows written into the page for each finding; more would make it slow to open."""

_COLUMNS = {
    "streets": ("name", "highway", "length", "speed_kmh"),
    "units": ("name", "level", "parent"),
    "population": ("residents",),
    "facilities": ("name", "service", "status", "opened", "closed"),
    "water": ("name",),
}
"""What tells a reader which row it is."""
_SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_UNDRAWN = frozenset(
    {
        "column_missing", "column_duplicated", "column_type", "empty", "geometry_invalid",
        "geometry_kind", "index_duplicated", "no_crs", "other_crs", "outside_world",
    }
)  # fmt: skip
"""Faults of a layer that no map can be drawn with."""
_KEYS = {"units": "code", "facilities": "id"}


def check_page(
    city: City,
    findings: Sequence[Finding],
    *,
    services: Services | None = None,
    lang: Language | None = None,
    when: datetime | None = None,
) -> str:
    """Make a page of what was found in a city, whole in itself.

    Parameters
    ----------
    city
        The city, which may hold errors.
    findings
        What was found, errors first.
    services
        What services are called; those of ``services.toml`` when None.
    lang
        Language; the one in force when None.
    when
        When it was looked at; now when None.

    Returns
    -------
    HTML that asks for nothing from elsewhere and may be printed.

    Examples
    --------
    >>> from layers import embedded
    >>> page = check_page(embedded("small"), [], lang="en")
    >>> "<h1>Check of the city Hangzhou (modelled)</h1>" in page
    True
    """
    lang = lang or language()
    name = city.name_en if lang == "en" else city.name
    title = escape(text("page.title", lang, city=name))
    # Without sound streets and units there is nothing to draw a map on.
    broken = {one.layer for one in findings if one.severity == "error" and one.code in _UNDRAWN}
    sketches = None if broken & {"streets", "units", "water"} else Sketches(city, lang)
    # In the order in which they stand on the page.
    numbered = list(
        enumerate((one for key in _SEVERITIES for one in findings if one.severity == key), 1)
    )
    names = {key: one.title(lang) for key, one in (services or load_services()).items()}
    words = _Words(lang, names)
    groups = "".join(
        _group(
            city,
            severity,
            [one for one in numbered if one[1].severity == severity],
            sketches,
            words,
        )
        for severity in _SEVERITIES
    )
    moment = when or datetime.now(UTC).astimezone()
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body>"
        f"{sketches.symbol() if sketches else ''}<header><h1>{title}</h1>{_badges(city, lang)}"
        f"<p>{_said('page.made', lang, moment=f'{moment:%Y-%m-%d %H:%M}', version=_version())}</p>"
        f"{_summary(city, findings, lang)}{_overview(numbered, lang)}</header>"
        f"<main>{groups or _nothing(lang)}{_origins(city, lang)}</main></body></html>\n"
    )


def _summary(city: City, findings: Sequence[Finding], lang: Language) -> str:
    total = Counter(one.severity for one in findings)
    counts = "".join(
        f'<li class="{severity}"><b>{total[severity]}</b> '
        f"{_said(f'page.count.{severity}', lang)}</li>"
        for severity in _SEVERITIES
    )
    verdict = "errors" if total["error"] else "warnings" if total["warning"] else "sound"
    judged = _said(
        f"page.verdict.{verdict}", lang, **{f"{key}s": total[key] for key in _SEVERITIES}
    )
    told = _said(
        "page.city",
        lang,
        streets=len(city.streets),
        units=len(city.units),
        points=len(city.population),
        facilities=len(city.facilities),
        crs=city.crs.to_string(),
    )
    return f'<ul class="counts">{counts}</ul><p class="verdict {verdict}">{judged}</p><p>{told}</p>'


def _overview(numbered: Sequence[tuple[int, Finding]], lang: Language) -> str:
    """List what was found, each a line that leads to where it is told."""
    lines = "".join(
        f'<li class="{one.severity}"><a href="#f{number}"><span class="tag">'
        f"{_said(f'severity.{one.severity}', lang)}</span><span>"
        f"{_said(f'layer.{one.layer}', lang)}</span><span>"
        f"{escape(one.words('message', lang))}</span></a></li>"
        for number, one in numbered
    )
    return f'<ol class="overview">{lines}</ol>' if lines else ""


@dataclass(frozen=True)
class _Words:
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
        if pd.isna(value):
            return ""
        if column == "service":
            return self.services.get(value, str(value))
        if column == "level" and value in LEVELS:
            return text(f"level.{value}", self.lang)
        if column == "status" and value in STATUSES:
            return text(f"status.{value}", self.lang)
        return f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def _group(
    city: City,
    severity: str,
    findings: list[tuple[int, Finding]],
    sketches: Sketches | None,
    words: _Words,
) -> str:
    if not findings:
        return ""
    lang = words.lang
    told = "".join(_finding(city, number, one, sketches, words) for number, one in findings)
    meaning = _said(f"page.means.{severity}", lang)
    head = f"{_said(f'page.count.{severity}', lang)} · {len(findings)}"
    return (
        f'<section class="{severity}"><h2>{head}</h2><p class="means">{meaning}</p>{told}</section>'
    )


def _finding(
    city: City, number: int, finding: Finding, sketches: Sketches | None, words: _Words
) -> str:
    lang = words.lang
    rows = _rows_of(city, finding)
    places = finding.places
    if places is None and rows is not None:
        places = rows.geometry
    drawn = ""
    if sketches and places is not None and places.crs is not None:
        drawn = sketches.draw(places, label=finding.words("message", lang))
    figure = f"<figure>{drawn}</figure>" if drawn else ""
    return (
        f'<article id="f{number}" class="{"with-map" if drawn else "plain"}"><div class="words">'
        f"<h3>{number} · {_said(f'layer.{finding.layer}', lang)}</h3>"
        f"<p>{escape(finding.words('message', lang))}</p>"
        f'<p class="remedy"><b>{_said("page.remedy", lang)}</b> '
        f"{escape(finding.words('remedy', lang))}</p>"
        f"</div>{figure}{_table(finding, rows, words)}</article>"
    )


def _rows_of(city: City, finding: Finding) -> gpd.GeoDataFrame | None:
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


def _table(finding: Finding, rows: gpd.GeoDataFrame | None, words: _Words) -> str:
    """Show the first rows as a table, and all of them to copy into a spreadsheet."""
    if not finding.rows:
        return ""
    count, lang = len(finding.rows), words.lang
    held = _described(finding, rows, words)
    head = "".join(f"<th>{escape(str(column))}</th>" for column in held.columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for row in held.head(_ROWS_SHOWN).itertuples(index=False)
    )
    shown = (
        f"<table><caption>{_said('page.rows', lang, count=count)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
    if count <= _ROWS_SHOWN:
        return shown
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(held.columns)
    writer.writerows(held.itertuples(index=False))
    key = "page.all" if count <= _ROWS_HELD else "page.first"
    told = _said(key, lang, count=min(count, _ROWS_HELD))
    listed = f"<pre>{escape(written.getvalue())}</pre>"
    return f"{shown}<details><summary>{told}</summary>{listed}</details>"


def _described(finding: Finding, rows: gpd.GeoDataFrame | None, words: _Words) -> pd.DataFrame:
    """Labels of a finding's rows with what tells a reader which they are, as words."""
    lang = words.lang
    labels = [str(label) for label in finding.rows[:_ROWS_HELD]]
    table = pd.DataFrame({text("page.row", lang): labels}, dtype=object)
    if rows is None:
        return table
    key = _KEYS.get(finding.layer)
    own = rows.get(key, rows.index)
    table[text("page.row", lang)] = [str(label) for label in own[:_ROWS_HELD]]
    rows = rows.iloc[:_ROWS_HELD]
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


def _origins(city: City, lang: Language) -> str:
    """Where each layer comes from."""
    body = ""
    for key, entry in city.origins().items():
        labels = "".join(
            f' <span class="badge">{_said(f"label.{label}", lang)}</span>'
            for label in ("modelled", "stand_in")
            if entry[label]
        )
        notes = "".join(f"<li>{escape(_one_language(note, lang))}</li>" for note in entry["notes"])
        how = _stated(entry["made"], lang) + (f"<ul>{notes}</ul>" if notes else "")
        stated = {
            "source": _stated(entry["source"], lang),
            "licence": _stated(entry["licence"], lang),
            "date": _stated(entry["date"], lang),
            "how": how,
            "checksum": f"<code>{escape(entry['checksum'])}</code>",
        }
        told = "".join(
            f"<dt>{_said(f'page.origin.{column}', lang)}</dt><dd>{words}</dd>"
            for column, words in stated.items()
        )
        rows = _said("page.rows", lang, count=entry["rows"])
        body += f"<div><h3>{_said(f'layer.{key}', lang)} · {rows}{labels}</h3><dl>{told}</dl></div>"
    return f'<section class="origins"><h2>{_said("page.origins", lang)}</h2>{body}</section>'


def _stated(words: str, lang: Language) -> str:
    if words in {"", "not stated"}:
        return f'<span class="silent">{_said("page.not_stated", lang)}</span>'
    return escape(words)


def _one_language(note: str, lang: Language) -> str:
    """Part of a note, which holds both languages, Chinese first."""
    chinese, slash, english = note.partition(" / ")
    return english if slash and lang == "en" else chinese


def _badges(city: City, lang: Language) -> str:
    return "".join(
        f'<span class="badge">{_said(f"label.{label}", lang)}</span>' for label in city.labels()
    )


def _nothing(lang: Language) -> str:
    return f'<section><p class="none">{_said("cli.check.none", lang)}</p></section>'


def _version() -> str:
    return version("coverage-planner")


def _said(key: str, lang: Language, /, **values: Any) -> str:
    return escape(text(key, lang, **values))
