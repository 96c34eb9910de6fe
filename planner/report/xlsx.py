"""A report as XLSX: figures as numbers, a sheet a service, headings that stay in sight."""

from __future__ import annotations

import re
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from layers.formulas import SIGNS
from planner.report.phrase import Phrase, phrase
from planner.report.values import FORMATS, Band, Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layers.messages import Language
    from planner.report.model import Column, Report, Sheet, Table
    from planner.report.values import Value

_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_LONGEST_NAME = 31
_LEAST_WIDTH, _MOST_WIDTH = 8.0, 46.0
_ROWS_MEASURED = 60
_LINE_PT = 13.5

_SONG, _HEI = "宋体", "黑体"
_EDGE = Border(*[Side(style="thin", color="BFBFBF")] * 4)
_HEAD_FILL = PatternFill("solid", fgColor="E4EAF2")
_SUM_FILL = PatternFill("solid", fgColor="F4F4F2")


def write_xlsx(report: Report, lang: Language) -> bytes:
    """Write a report as XLSX.

    Parameters
    ----------
    report
        The report.
    lang
        Language.

    Returns
    -------
    Content of the file.
    """
    book = Workbook(write_only=True)
    taken: set[str] = set()
    for sheet in report.sheets:
        _Page(book, sheet, lang, taken).write()
    book.properties.title = report.title.said(lang)
    book.properties.creator = ""
    book.properties.description = "; ".join(words.said(lang) for words in report.labels)
    book.properties.created = book.properties.modified = report.made.replace(tzinfo=None)
    held = BytesIO()
    book.save(held)
    return held.getvalue()


class _Page:
    """One sheet, written from top to bottom."""

    def __init__(self, book: Any, sheet: Sheet, lang: Language, taken: set[str]) -> None:
        self._sheet, self._lang = sheet, lang
        self._page = book.create_sheet(sheet_name(sheet.title.said(lang), taken))
        self._row = 0
        self._wide: list[float] = []

    def write(self) -> None:
        """Write lines, then tables."""
        tables = self._sheet.tables
        lines = [line.said(self._lang) for line in self._sheet.lines]
        self._wide = list(self._widths(tables))
        for number, wide in enumerate(self._wide, 1):
            self._page.column_dimensions[get_column_letter(number)].width = wide
        if len(tables) == 1:
            # The heading of the one table and its first words stay in sight.
            table = tables[0]
            row = len(lines) + 2 + bool(lines)
            named = [column.key for column in table.columns]
            column = named.index("name") + 1 if "name" in named else 1
            self._page.freeze_panes = f"{get_column_letter(column + 1)}{row + 1}"
            last = get_column_letter(sum(len(_heads(one)) for one in table.columns))
            self._page.auto_filter.ref = f"A{row}:{last}{row + len(table.rows)}"
            self._page.print_title_rows = f"{row}:{row}"
        self._page.page_setup.orientation = "landscape"
        self._page.page_setup.paperSize = 9
        self._page.page_setup.fitToWidth, self._page.page_setup.fitToHeight = 1, 0
        self._page.sheet_properties.pageSetUpPr.fitToPage = True
        for line in lines:
            self._append([self._words(line, size=10)])
        if lines:
            self._append([])
        for number, table in enumerate(tables):
            if number:
                self._append([])
            self._table(table)

    def _table(self, table: Table) -> None:
        self._append([self._words(table.caption.said(self._lang), size=11, font=_HEI)])
        heads = [head.said(self._lang) for column in table.columns for head in _heads(column)]
        self._append([self._head(head) for head in heads])
        for number, row in enumerate(table.rows):
            strong = number in table.totals
            self._append(
                [
                    self._cell(value, column, strong=strong)
                    for held, column in zip(row, table.columns, strict=True)
                    for value in _parts(held, column)
                ]
            )
        for note in table.notes:
            self._append([self._words(note.said(self._lang), size=9)])

    def _append(self, cells: list[Any]) -> None:
        """Append a row, as high as its longest words need when they are broken into lines."""
        self._row += 1
        lines = 1
        for cell, wide in zip(cells, self._wide, strict=False):
            if cell.alignment.wrap_text and isinstance(cell.value, str):
                lines = max(lines, ceil(_measure(cell.value) / (wide - 1)))
        if lines > 1:
            self._page.row_dimensions[self._row].height = _LINE_PT * lines + 2
        self._page.append(cells)

    def _cell(self, value: Value, column: Column, *, strong: bool) -> Any:
        kind = value.kind if isinstance(value, Figure) else column.kind
        plain: str | float | None = None
        if isinstance(value, Phrase):
            plain = value.said(self._lang)
        elif isinstance(value, Figure):
            plain = value.number
        elif not isinstance(value, Band):
            plain = value
        cell = WriteOnlyCell(self._page, value=None if plain == "" else plain)
        cell.font = Font(name=_SONG, size=10, bold=strong)
        cell.border = _EDGE
        if strong:
            cell.fill = _SUM_FILL
        if isinstance(plain, str):
            _defuse(cell)
            cell.alignment = Alignment(vertical="center", wrap_text=column.share > 2)  # noqa: PLR2004
        else:
            cell.number_format = FORMATS.get(kind, "General")
            cell.alignment = Alignment(horizontal="right", vertical="center")
        return cell

    def _head(self, words: str) -> Any:
        cell = self._words(words, size=10, font=_HEI)
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        cell.fill, cell.border = _HEAD_FILL, _EDGE
        return cell

    def _words(self, words: str, *, size: float, font: str = _SONG) -> Any:
        cell = WriteOnlyCell(self._page, value=words)
        _defuse(cell)
        cell.font = Font(name=font, size=size)
        return cell

    def _widths(self, tables: tuple[Table, ...]) -> Iterator[float]:
        """Width of each column by what stands in it, within bounds."""
        told: list[float] = []
        for table in tables:
            place = 0
            for number, column in enumerate(table.columns):
                for head in _heads(column):
                    words = [_measure(head.said(self._lang)) / 1.5]
                    some = (row[number] for row in table.rows[:_ROWS_MEASURED])
                    words += [
                        _measure(value.said(self._lang)) if isinstance(value, Phrase) else 10.0
                        for value in some
                    ]
                    if place == len(told):
                        told.append(_LEAST_WIDTH)
                    told[place] = max(told[place], min(max(words) + 2, _MOST_WIDTH))
                    place += 1
        yield from told


def sheet_name(words: str, taken: set[str]) -> str:
    """Find a name that a spreadsheet allows, one of its own.

    Parameters
    ----------
    words
        What it is to be called.
    taken
        Names already given; this one is added.

    Examples
    --------
    >>> taken = set()
    >>> sheet_name("women's centres / all", taken), sheet_name("Women s centres   all", taken)
    ('women s centres   all', 'Women s centres   all (2)')
    """
    plain = _FORBIDDEN.sub(" ", words).strip()[:_LONGEST_NAME] or "-"
    name, number = plain, 1
    while name.casefold() in {one.casefold() for one in taken}:
        number += 1
        ending = f" ({number})"
        name = plain[: _LONGEST_NAME - len(ending)] + ending
    taken.add(name)
    return name


def _heads(column: Column) -> tuple[Phrase, ...]:
    """Headings of a column: two for a band, whose ends are figures of their own."""
    if column.kind != "band":
        return (column.head,)
    return tuple(phrase(f"alias.{end}", head=column.head) for end in ("low", "high"))


def _parts(value: Value, column: Column) -> tuple[Value, ...]:
    if column.kind != "band":
        return (value,)
    return (value.low, value.high) if isinstance(value, Band) else (None, None)


def _defuse(cell: Any) -> None:
    """Have words stay words, whatever they begin with."""
    cell.data_type = "s"
    if cell.value and cell.value.startswith(SIGNS):
        cell.quotePrefix = True


def _measure(words: str) -> float:
    longest = max(words.split("\n"), key=len, default="")
    return sum(2.1 if east_asian_width(letter) in "WF" else 1.1 for letter in longest)
