"""A report as JSON: every word and figure, unrounded, for machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from planner.report.model import Chart, Paragraph, Picture, Table
from planner.report.outline import Captioned, Heading, outline
from planner.report.phrase import Phrase
from planner.report.values import Band, Figure

if TYPE_CHECKING:
    from planner.report.model import Report
    from planner.report.values import Value


def write_json(report: Report) -> bytes:
    """Write a report as JSON.

    Parameters
    ----------
    report
        The report.

    Returns
    -------
    Content of the file, in UTF-8: ``sections`` with headings, paragraphs, tables and
    charts in order, ``sheets`` with the whole tables, and the provenance of the layers.
    Words stand in both languages; a band is its two ends; figures are not rounded.
    """
    told = {
        "kind": report.kind,
        "title": _words(report.title),
        "year": report.year,
        "made": report.made.isoformat(timespec="seconds"),
        "version": report.version,
        "labels": [_words(words) for words in report.labels],
        "city": report.city.describe(),
        "contents": [item for found in outline(report) if (item := _item(found))],
        "sheets": [
            {
                "key": sheet.key,
                "title": _words(sheet.title),
                "lines": [_words(line) for line in sheet.lines],
                "tables": [table_dict(table) for table in sheet.tables],
            }
            for sheet in report.sheets
        ],
    }
    return (json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def table_dict(table: Table) -> dict[str, Any]:
    """Turn a table into plain values."""
    return {
        "key": table.key,
        "caption": _words(table.caption),
        "columns": [
            {"key": column.key, "head": _words(column.head), "kind": column.kind}
            for column in table.columns
        ],
        "rows": [[_plain(value) for value in row] for row in table.rows],
        "notes": [_words(note) for note in table.notes],
    }


def _item(item: Any) -> dict[str, Any] | None:
    if isinstance(item, Heading):
        return {"heading": _words(item.words), "depth": item.depth}
    if isinstance(item, Paragraph):
        return {"paragraph": _words(item.words), "role": item.role}
    if isinstance(item, Captioned) and isinstance(item.block, Table):
        return {"table": {**table_dict(item.block), "caption": _words(item.caption)}}
    if isinstance(item, Captioned) and isinstance(item.block, Picture):
        content = item.block.content
        chart = _chart(content) if isinstance(content, Chart) else None
        caption = _words(item.caption)
        return {"picture": {"key": item.block.key, "caption": caption, "chart": chart}}
    return None


def _chart(chart: Chart) -> dict[str, Any]:
    return {
        "x": _words(chart.x_label),
        "y": _words(chart.y_label),
        "lines": [
            {
                "label": _words(line.label),
                "style": line.style,
                "x": list(line.x),
                "y": list(line.y),
                "low": list(line.low),
                "high": list(line.high),
            }
            for line in chart.lines
        ],
    }


def _words(words: Phrase) -> dict[str, str]:
    return {"zh": words.zh, "en": words.en}


def _plain(value: Value) -> Any:
    if isinstance(value, Phrase):
        return _words(value)
    if isinstance(value, Figure):
        return {"number": value.number, **_words(value.words)}
    if isinstance(value, Band):
        return [value.low, value.high]
    return value
