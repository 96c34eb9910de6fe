"""Workbooks of Excel, as rows of text."""

import io
import itertools
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from layers.errors import SourceError
from layers.messages import text

SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls"})

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_MARKUP = (b"<html", b"<!doctype", b"<?xml", b"<table", b"mime-version")
_GREATEST = 1 << 30
# What a sheet of Excel can have; a damaged file may claim any number.
_ROWS = 1 << 20
_LOOK = 50
_EXACT = 1e15


def is_workbook(content: bytes) -> bool:
    """Tell by the content whether a file is a workbook, be it one that cannot be read."""
    start = content[:512].lstrip().lower()
    return content.startswith((_ZIP, _OLE)) or start.startswith(_MARKUP)


def rows(path: Path, content: bytes, sheet: str = "") -> Iterator[tuple[int, list[str]]]:
    """Read the rows of a sheet, numbered as Excel shows them.

    Parameters
    ----------
    path
        The file, to name it.
    content
        What is in it.
    sheet
        The sheet's name, or its number from 1; unnamed, the only one that is visible and
        not empty.

    Raises
    ------
    SourceError
        It is no workbook of the present format or a damaged one, the sheet is not there,
        or there are several and none is named.
    """
    with _opened(path, content) as book:
        chosen = _choose(path, book, sheet)
        chosen.reset_dimensions()
        read = enumerate(chosen.iter_rows(values_only=True), 1)
        made = [
            (number, [words(cell) for cell in cells])
            for number, cells in itertools.islice(read, _ROWS)
            if any(cell is not None for cell in cells)
        ]
    yield from made


def sheets(path: Path, content: bytes) -> tuple[str, ...]:
    """Name the sheets that are visible and not empty.

    Raises
    ------
    SourceError
        It is no workbook of the present format, or a damaged one.
    """
    with _opened(path, content) as book:
        return tuple(one.title for one in _full(book))


def words(cell: Any) -> str:
    """Write a cell's value as Excel shows it unformatted.

    Examples
    --------
    >>> [words(value) for value in (None, 100072.0, 120.15, "甲", True)]
    ['', '100072', '120.15', '甲', 'TRUE']
    """
    if not pd.api.types.is_scalar(cell):
        return str(cell)
    if pd.isna(cell):
        return ""
    if pd.api.types.is_bool(cell):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT else repr(float(cell))
    if isinstance(cell, datetime):
        return str(cell.date() if cell.time() == time() else cell)
    return str(cell)


@contextmanager
def _opened(path: Path, content: bytes) -> Iterator[Any]:
    """Open a workbook; whatever goes wrong with it is an error of ours."""
    if not content.startswith(_ZIP):
        raise SourceError(text("error.workbook_old", path=str(path)))
    try:
        with warnings.catch_warnings():
            # Of styles and drop-down lists, which are nothing to us.
            warnings.simplefilter("ignore")
            _refuse_greatest(path, content)
            yield openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except SourceError:
        raise
    except Exception as wrong:  # a damaged workbook makes the library raise anything
        reason = f"{type(wrong).__name__}: {wrong}"
        raise SourceError(text("error.workbook_damaged", path=str(path), reason=reason)) from wrong


def _refuse_greatest(path: Path, content: bytes) -> None:
    """Refuse what claims to unpack into more than the machine has."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        if sum(part.file_size for part in parts.infolist()) > _GREATEST:
            raise SourceError(text("error.workbook_too_large", path=str(path)))


def _choose(path: Path, book: Any, sheet: str) -> Any:
    every = {one.title: one for one in book.worksheets}
    told = {"path": str(path), "sheets": ", ".join(every)}
    if sheet:
        by_number = dict(zip(map(str, range(1, len(every) + 1)), every.values(), strict=True))
        found = every.get(sheet) or by_number.get(sheet)
        if found is None:
            raise SourceError(text("error.sheet_missing", sheet=sheet, **told))
        return found
    full = _full(book)
    if not full:
        raise SourceError(text("error.table_empty", path=str(path)))
    if len(full) > 1:
        told["sheets"] = ", ".join(one.title for one in full)
        raise SourceError(text("error.sheets_several", **told))
    return full[0]


def _full(book: Any) -> list[Any]:
    return [one for one in book.worksheets if one.sheet_state == "visible" and _has_cells(one)]


def _has_cells(sheet: Any) -> bool:
    sheet.reset_dimensions()
    for number, cells in enumerate(sheet.iter_rows(values_only=True)):
        if any(cell is not None for cell in cells):
            return True
        if number > _LOOK:
            return False
    return False
