"""The check of a city as one page: what was looked at, what was found, where, what to do."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from io import StringIO
from typing import TYPE_CHECKING, Any, get_args

from layers.findings import Finding, Severity
from layers.formulas import defused
from layers.messages import Language, language, text
from planner.report.rows import ROWS_HELD, RowWords, described, rows_of
from planner.report.sketch import Sketches
from planner.report.style import STYLE
from planner.standards import load_services
from planner.wording import one_language

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from layers import City
    from planner.standards import Services

_ROWS_SHOWN = 8
_SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_UNDRAWN = frozenset(
    {
        "column_missing", "column_duplicated", "column_type", "empty", "geometry_invalid",
        "geometry_kind", "index_duplicated", "no_crs", "other_crs", "outside_world",
    }
)  # fmt: skip
"""Faults of a layer that no map can be drawn with."""


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
    words = RowWords(lang, names)
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


def counts_html(findings: Sequence[Finding], lang: Language) -> str:
    """Count findings by severity and say whether the city can be used, as HTML."""
    total = Counter(one.severity for one in findings)
    counts = "".join(
        f'<li class="{severity}"><b data-count="{severity}">{total[severity]}</b> '
        f"{_said(f'page.count.{severity}', lang)}</li>"
        for severity in _SEVERITIES
    )
    verdict = "errors" if total["error"] else "warnings" if total["warning"] else "sound"
    judged = _said(
        f"page.verdict.{verdict}", lang, **{f"{key}s": total[key] for key in _SEVERITIES}
    )
    return f'<ul class="counts">{counts}</ul><p class="verdict {verdict}">{judged}</p>'


def _summary(city: City, findings: Sequence[Finding], lang: Language) -> str:
    told = _said(
        "page.city",
        lang,
        streets=len(city.streets),
        units=len(city.units),
        points=len(city.population),
        facilities=len(city.facilities),
        crs=city.crs.to_string(),
    )
    return f"{counts_html(findings, lang)}<p>{told}</p>"


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


def _group(
    city: City,
    severity: str,
    findings: list[tuple[int, Finding]],
    sketches: Sketches | None,
    words: RowWords,
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
    city: City, number: int, finding: Finding, sketches: Sketches | None, words: RowWords
) -> str:
    lang = words.lang
    rows = rows_of(city, finding)
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


def _table(finding: Finding, rows: gpd.GeoDataFrame | None, words: RowWords) -> str:
    """Show the first rows as a table, and all of them to copy into a spreadsheet."""
    if not finding.rows:
        return ""
    count, lang = len(finding.rows), words.lang
    held = described(finding, rows, words)
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
    for row in held.itertuples(index=False):
        writer.writerow([defused(cell) for cell in row])
    key = "page.all" if count <= ROWS_HELD else "page.first"
    told = _said(key, lang, count=min(count, ROWS_HELD))
    listed = f"<pre>{escape(written.getvalue())}</pre>"
    return f"{shown}<details><summary>{told}</summary>{listed}</details>"


def _origins(city: City, lang: Language) -> str:
    """Where each layer comes from."""
    body = ""
    for key, entry in city.origins().items():
        labels = "".join(
            f' <span class="badge">{_said(f"label.{label}", lang)}</span>'
            for label in ("modelled", "stand_in")
            if entry[label]
        )
        notes = "".join(f"<li>{escape(one_language(note, lang))}</li>" for note in entry["notes"])
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
