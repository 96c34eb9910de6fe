"""Tables of cells as offices send them: text in any usual encoding, workbooks."""

import csv
import io
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from layers.errors import SourceError
from layers.messages import text
from layers.sources import encodings, workbooks

_DELIMITERS = (",", "\t", ";", "|", "，")
_TOP = 20
_FULL = 0.6
_SAMPLE = 30
# Rows are filled up to the longest, and that of a broken table may be without end.
_WIDEST, _CELLS = 16_384, 100_000_000

Row = tuple[int, list[str]]


@dataclass(frozen=True, repr=False)
class Table:
    """A table of text.

    Attributes
    ----------
    frame
        Its rows without blank ones, every cell as it stands. The index is each row's
        number in the file, as a spreadsheet shows it. A column without a heading goes by
        its place: ``#9``.
    ragged
        Which rows have cells beyond the headings.
    header
        Number of the row of headings.
    titled
        Whether something stands above it.
    """

    frame: pd.DataFrame
    ragged: np.ndarray[Any, np.dtype[np.bool_]]
    header: int
    titled: bool

    def __repr__(self) -> str:
        columns = ", ".join(self.frame.columns)
        return f"<Table of {len(self.frame):,} rows below row {self.header}: {columns}>"


def is_table(path: Path) -> bool:
    """Tell by the name whether a file is a table of cells rather than one of geometry.

    Examples
    --------
    >>> is_table(Path("机构.XLSX")), is_table(Path("districts.geojson"))
    (True, False)
    """
    return path.suffix.lower() in {".csv", ".tsv", ".txt", ".tab", *workbooks.SUFFIXES}


def read(
    path: Path,
    *,
    is_heading: Callable[[str], bool],
    sheet: str = "",
    header: int = 0,
    encoding: str = "",
) -> Table:
    """Read a table.

    Parameters
    ----------
    path
        The file. What it is, its content decides: offices name a workbook ``.csv`` and
        a table of text ``.xls``.
    is_heading
        Whether a cell reads like a heading, to find the row of headings below a title.
    sheet
        Sheet of a workbook, by its name or its number from 1.
    header
        Number of the row of headings; found without it.
    encoding
        Of text; found without it.

    Raises
    ------
    SourceError
        It is not readable, or a workbook has several sheets and none is named.
    """
    content = path.read_bytes()
    if workbooks.is_workbook(content):
        rows = list(workbooks.rows(path, content, sheet))
    elif path.suffix.lower() in workbooks.SUFFIXES - {".xls"}:
        raise SourceError(text("error.workbook_none", path=str(path)))
    else:
        rows = list(_records(path, encodings.decode(path, content, encoding)))
    return _tabulate(path, rows, is_heading, header)


def of_frame(frame: pd.DataFrame) -> Table:
    """Make a table of text of a frame with columns of any type, rows numbered from 1.

    Examples
    --------
    >>> of_frame(pd.DataFrame({"名称": ["甲"], "经度": [120.5]})).frame.loc[1].tolist()
    ['甲', '120.5']
    """
    words = pd.DataFrame(
        {str(name): [workbooks.words(cell) for cell in frame[name]] for name in frame},
        index=pd.RangeIndex(1, len(frame) + 1),
        dtype="str",
    )
    return Table(words, np.zeros(len(frame), bool), header=0, titled=False)


def unlike(columns: Iterable[str]) -> list[str]:
    """Make names of which no two are alike: repeated ones are numbered, missing ones too.

    Examples
    --------
    >>> unlike(["名称", "", "名称"])
    ['名称', '#2', '名称 (2)']
    """
    made: list[str] = []
    for place, name in enumerate(columns, 1):
        own = name or f"#{place}"
        again = 1
        while own in made:
            again += 1
            own = f"{name or f'#{place}'} ({again})"
        made.append(own)
    return made


def _records(path: Path, words: str) -> Iterator[Row]:
    """Rows of a table of text, numbered from 1; cells may run over several lines."""
    words, delimiter = _delimiter(words, tabs=path.suffix.lower() in {".tsv", ".tab"})
    reader = csv.reader(io.StringIO(words, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            yield number, cells
    except csv.Error as wrong:
        row = number + 1
        told = {"path": str(path), "row": row, "line": reader.line_num, "reason": str(wrong)}
        raise SourceError(text("error.table_broken", **told)) from wrong


def _delimiter(words: str, *, tabs: bool) -> tuple[str, str]:
    """Take the delimiter that cuts the first rows into columns most evenly."""
    if words[:4].lower() == "sep=" and words[5:6] in {"\r", "\n"}:
        return words[6:].removeprefix("\n"), words[4]
    best, most = ",", (0, 0)
    order = sorted(_DELIMITERS, key=lambda one: one != "\t") if tabs else _DELIMITERS
    for delimiter in order:
        reader = csv.reader(io.StringIO(words[:65536], newline=""), delimiter=delimiter)
        widths = []
        try:
            for cells in reader:
                widths += [len(cells)] if any(cells) else []
                if len(widths) == _SAMPLE:
                    break
        except csv.Error:
            continue
        wide = [width for width in widths if width > 1]
        if not wide:
            continue
        usual = max(set(wide), key=lambda width: (wide.count(width), width))
        even = (wide.count(usual), usual)
        if even > most:
            best, most = delimiter, even
    return words, best


def _tabulate(path: Path, rows: list[Row], is_heading: Callable[[str], bool], header: int) -> Table:
    filled = [(number, cells) for number, cells in rows if any(cell.strip() for cell in cells)]
    if not filled:
        raise SourceError(text("error.table_empty", path=str(path)))
    at = _header(filled[:_TOP], is_heading)
    if header:
        places = [place for place, (number, _) in enumerate(filled) if number == header]
        if not places:
            raise SourceError(text("error.header_row_empty", path=str(path), row=header))
        at = places[0]
    headings = _headings(filled[: at + 1])
    body = filled[at + 1 :]
    width = len(headings)
    wide = [_extra(cells, width) for _, cells in body]
    most = max(wide, default=0)
    columns = headings + [""] * most
    full = len(columns)
    if full > _WIDEST or full * len(body) > _CELLS:
        told = {"path": str(path), "columns": full, "rows": len(body)}
        raise SourceError(text("error.table_wide", **told))
    cells = [(row + [""] * (full - len(row)))[:full] for _, row in body]
    frame = pd.DataFrame(cells, columns=unlike(columns), dtype="str")
    frame.index = pd.Index([number for number, _ in body], dtype="int64")
    nameless = [place for place, name in enumerate(columns) if not name]
    empty = [place for place in nameless if not frame.iloc[:, place].any()]
    kept = [place for place in range(full) if place not in empty]
    return Table(frame.iloc[:, kept], np.array(wide, dtype=int) > 0, filled[at][0], titled=at > 0)


def _header(top: list[Row], is_heading: Callable[[str], bool]) -> int:
    """Find the row of headings: above it offices put a title, a unit and a date."""
    read = [sum(is_heading(cell) for cell in cells if cell.strip()) > 1 for _, cells in top]
    if any(read):
        place = read.index(True)
        # Headings may stand in two rows, 坐标 above 经度 and 纬度.
        while read[place + 1 : place + 2] == [True]:
            place += 1
        return place
    filled = [sum(bool(cell.strip()) for cell in cells) for _, cells in top]
    # A long row is a slip, a short one a title: neither tells how many columns there are.
    enough = max(1.0, _FULL * statistics.median_high(filled))
    return next(place for place, count in enumerate(filled) if count >= enough)


def _headings(rows: list[Row]) -> list[str]:
    """Names of columns; where a cell of the last row is merged with the one above, that."""
    *above, (_, last) = rows
    names = [" ".join(cell.split()) for cell in last]
    while names and not names[-1]:
        names.pop()
    if above:
        upper = above[-1][1]
        # A lone cell above is a title.
        if sum(bool(cell.strip()) for cell in upper) > 1:
            for place, cell in enumerate(upper[: len(names)]):
                names[place] = names[place] or " ".join(cell.split())
    return names


def _extra(cells: list[str], width: int) -> int:
    """How many cells a row has beyond the headings, empty ones at its end aside."""
    return (
        max(
            (place + 1 for place in range(width, len(cells)) if cells[place].strip()), default=width
        )
        - width
    )
