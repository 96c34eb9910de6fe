"""A report as PDF, set by Typst with the program's own Chinese fonts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import typst

from layers.resources import data_path
from planner.report.fonts import font_files
from planner.report.model import Paragraph, Picture, Table
from planner.report.outline import Captioned, Heading, outline, page_words
from planner.report.phrase import phrase
from planner.report.values import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.messages import Language
    from planner.report.model import Report

_TEMPLATE = "report.typ"


def write_pdf(report: Report, pictures: Mapping[str, bytes], lang: Language) -> bytes:
    """Write a report as PDF.

    Parameters
    ----------
    report
        The report.
    pictures
        PNG of each picture, by its key.
    lang
        Language.

    Returns
    -------
    Content of the file.

    Raises
    ------
    InputError
        The fonts are not installed.
    """
    folders = sorted({str(path.parent) for path in font_files().values()})
    with TemporaryDirectory(prefix="planner-report-") as scratch:
        folder = Path(scratch)
        shutil.copyfile(data_path("report", _TEMPLATE), folder / _TEMPLATE)
        for key, content in pictures.items():
            (folder / f"{key}.png").write_bytes(content)
        words = json.dumps(_contents(report, lang), ensure_ascii=False, allow_nan=False)
        (folder / "report.json").write_text(words, encoding="utf-8")
        made = typst.compile(
            str(folder / _TEMPLATE),
            root=scratch,
            font_paths=folders,
            ignore_system_fonts=True,
            format="pdf",
            timestamp=report.made.astimezone().replace(microsecond=0),
        )
    assert isinstance(made, bytes)
    return made


def _contents(report: Report, lang: Language) -> dict[str, Any]:
    before, between, after = page_words(lang)
    return {
        "lang": lang,
        "region": "cn" if lang == "zh" else "gb",
        "title": report.title.said(lang),
        "subtitle": [words.said(lang) for words in report.subtitle],
        "labels": [words.said(lang) for words in report.labels],
        "contents": phrase("contents").said(lang),
        "page": {"before": before, "between": between, "after": after},
        "items": [made for item in outline(report) if (made := _item(item, lang))],
    }


def _item(item: Any, lang: Language) -> dict[str, Any] | None:
    if isinstance(item, Heading):
        return {
            "kind": "heading",
            "depth": item.depth,
            "words": item.words.said(lang),
            "opens": item.opens,
        }
    if isinstance(item, Paragraph):
        return {"kind": item.role, "words": item.words.said(lang)}
    if not isinstance(item, Captioned):
        return None
    caption = item.caption.said(lang)
    if isinstance(item.block, Picture):
        return {"kind": "picture", "caption": caption, "file": f"{item.block.key}.png"}
    return {"kind": "table", "caption": caption, **_table(item.block, lang)}


def _table(table: Table, lang: Language) -> dict[str, Any]:
    return {
        "columns": [
            {"head": column.head.said(lang), "words": column.is_text, "share": column.share}
            for column in table.columns
        ],
        "rows": [
            [
                shown(value, column.kind, lang)
                for value, column in zip(row, table.columns, strict=True)
            ]
            for row in table.rows
        ],
        "totals": sorted(table.totals),
        "notes": [note.said(lang) for note in table.notes],
    }
