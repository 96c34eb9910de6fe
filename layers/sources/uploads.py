"""Files that a reader hands in over the network: which are taken, under which name."""

from __future__ import annotations

import io
import re
import sqlite3
import unicodedata
import zipfile
import zlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet

from layers.errors import SourceError
from layers.messages import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEGABYTE = 1 << 20
KINDS = (
    ".csv", ".tsv", ".txt", ".xlsx", ".geojson", ".json", ".gpkg", ".zip", ".parquet",
    ".geoparquet",
)  # fmt: skip
"""Endings of the files that are taken."""

_LONGEST = 80
_BLOCK = 1 << 20
_ABOVE = 10
# Ends of lines of text in two bytes a letter, by the mark that it begins with.
_WIDE = {b"\xff\xfe": (b"\n\0", b"\r\0"), b"\xfe\xff": (b"\0\n", b"\0\r")}
_SHX_HEAD, _SHX_ROW = 100, 8
# Names that Windows keeps for devices, whatever their ending.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LINK = 0o120000
_KIND_OF_ENTRY = 0o170000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a file that was handed in may be.

    Attributes
    ----------
    size
        Bytes of the file.
    unpacked
        Bytes that an archive, a workbook or a Parquet file unpacks into.
    entries
        Files in an archive.
    rows
        Rows of a table, or shapes of a layer.
    """

    size: int = 64 * MEGABYTE
    unpacked: int = 256 * MEGABYTE
    entries: int = 2_000
    rows: int = 200_000


USUAL = Limits()


def check_upload(name: str, content: bytes, *, limits: Limits = USUAL) -> str:
    """Refuse a file that should not be read, before anything reads it.

    Looked at are its name, its size, whether it is what its ending says, and of whatever
    is packed how much it unpacks into, so that nothing small fills the memory or the disk
    and nothing is written outside the folder that it is unpacked into.

    Parameters
    ----------
    name
        What the browser calls it; not to be trusted.
    content
        All of it.
    limits
        How much it may be.

    Returns
    -------
    The name to store it under: no part of a path, no sign that a system minds, the ending
    in small letters.

    Raises
    ------
    SourceError
        It is refused; the message says why and what to do.

    Examples
    --------
    >>> check_upload("../../etc/居家养老.CSV", "名称,经度,纬度".encode())
    '居家养老.csv'
    """
    safe = safe_name(name)
    ending = PurePosixPath(safe).suffix
    if ending not in KINDS:
        told = {"path": safe, "known": " ".join(KINDS)}
        raise SourceError(text("error.upload_kind", **told))
    refuse_size(safe, len(content), limits=limits)
    if not content:
        raise SourceError(text("error.upload_empty", path=safe))
    _LOOKS[ending](safe, content, limits)
    return safe


def refuse_size(name: str, size: int, *, limits: Limits = USUAL) -> None:
    """Refuse a file by its size alone, before it has been sent.

    Raises
    ------
    SourceError
        It is too large.
    """
    if size > limits.size:
        told = {"path": name, "size": size / MEGABYTE, "most": limits.size / MEGABYTE}
        raise SourceError(text("error.upload_too_large", **told))


def safe_name(name: str) -> str:
    r"""Name of a file without any path, and without signs that a system minds.

    Examples
    --------
    >>> safe_name("C:\\表\\点位 (1).XLSX"), safe_name("../a\n.csv"), safe_name("CON.csv")
    ('点位 (1).xlsx', 'a.csv', '_CON.csv')
    """
    last = PureWindowsPath(PurePosixPath(name.replace("\\", "/")).name).name
    kept = "".join(
        letter
        for letter in unicodedata.normalize("NFC", last)
        # Signs that steer the screen could make an ending look like another.
        if unicodedata.category(letter)[0] not in {"C", "Z"} or letter == " "
    )
    kept = re.sub(r'[<>:"/\\|?*]', "_", kept).strip(" ")
    stem, dot, ending = kept.rpartition(".")
    if not dot:
        stem, ending = ending, ""
    stem = stem[:_LONGEST].strip(" .") or "upload"
    if _DEVICES.fullmatch(stem):
        stem = f"_{stem}"
    return f"{stem}.{ending[:_LONGEST].lower()}" if ending else stem


def _look_at_text(name: str, content: bytes, limits: Limits) -> None:
    """Refuse what is no text, such as a program under the name of a table."""
    # A workbook under the name of a table is read as the workbook that it is.
    if content.startswith(b"PK\x03\x04"):
        _look_at_workbook(name, content, limits)
        return
    wide = next((ends for mark, ends in _WIDE.items() if content.startswith(mark)), None)
    if wide is None and b"\0" in content[:_BLOCK]:
        raise SourceError(text("error.table_binary", path=name))
    # Above the rows there may be a title and headings.
    lines = max(content.count(end) for end in wide or (b"\n", b"\r"))
    _refuse_rows(name, lines - _ABOVE, limits)


def _refuse_rows(name: str, rows: int, limits: Limits) -> None:
    if rows > limits.rows:
        told = {"path": name, "count": rows, "most": limits.rows}
        raise SourceError(text("error.upload_rows", **told))


def _look_at_json(name: str, content: bytes, limits: Limits) -> None:
    _look_at_text(name, content, limits)
    if not content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
        raise SourceError(text("error.upload_not_it", path=name, kind="GeoJSON"))
    _refuse_rows(name, content.count(b'"geometry"'), limits)


def _look_at_workbook(name: str, content: bytes, limits: Limits) -> None:
    names = [part.filename for part in _parts(name, content, limits, kind="XLSX")]
    if "[Content_Types].xml" not in names:
        raise SourceError(text("error.upload_not_it", path=name, kind="XLSX"))
    for part in names:
        if part.startswith("xl/worksheets/"):
            rows = sum(block.count(b"<row") for block in _blocks(name, content, part))
            _refuse_rows(name, rows - _ABOVE, limits)


def _blocks(name: str, content: bytes, part: str) -> Iterator[bytes]:
    """Unpack an entry of an archive piece by piece."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(part) as file:
            while block := file.read(_BLOCK):
                yield block
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError) as wrong:
        raise SourceError(text("error.upload_damaged", path=name, reason=str(wrong))) from wrong


def _look_at_archive(name: str, content: bytes, limits: Limits) -> None:
    for part in _parts(name, content, limits, kind="ZIP"):
        inner = PurePosixPath(part.filename.replace("\\", "/"))
        if part.is_dir() or "__MACOSX" in inner.parts:
            continue
        if inner.suffix.lower() in {".zip", ".gz", ".bz2", ".7z", ".rar", ".tar", ".xz"}:
            told = {"path": name, "part": part.filename}
            raise SourceError(text("error.upload_nested", **told))
        if inner.suffix.lower() == ".shx":
            _refuse_rows(name, (part.file_size - _SHX_HEAD) // _SHX_ROW, limits)


def _parts(name: str, content: bytes, limits: Limits, *, kind: str) -> list[zipfile.ZipInfo]:
    """Entries of an archive that may be unpacked."""
    if not content.startswith(b"PK\x03\x04"):
        raise SourceError(text("error.upload_not_it", path=name, kind=kind))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            _refuse_parts(name, parts, limits)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as wrong:
        raise SourceError(text("error.upload_damaged", path=name, reason=str(wrong))) from wrong
    return parts


def _refuse_parts(name: str, parts: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(parts) > limits.entries:
        told = {"path": name, "count": len(parts), "most": limits.entries}
        raise SourceError(text("error.upload_entries", **told))
    # Whoever unpacks an entry stops at the size that it claims.
    if sum(part.file_size for part in parts) > limits.unpacked:
        raise SourceError(_bomb(name, limits))
    for part in parts:
        inner = PurePosixPath(part.filename.replace("\\", "/"))
        leads_out = inner.is_absolute() or ".." in inner.parts or PureWindowsPath(inner).drive
        is_link = (part.external_attr >> 16) & _KIND_OF_ENTRY == _LINK
        if leads_out or is_link:
            told = {"path": name, "part": part.filename}
            raise SourceError(text("error.upload_leads_out", **told))
        if part.flag_bits & 1:
            raise SourceError(text("error.upload_locked", path=name))


def _bomb(name: str, limits: Limits) -> str:
    return text("error.upload_unpacks", path=name, most=limits.unpacked / MEGABYTE)


def _look_at_geopackage(name: str, content: bytes, limits: Limits) -> None:
    """Refuse what is no GeoPackage, or one whose layers are computed while they are read."""
    if not content.startswith(b"SQLite format 3\0"):
        raise SourceError(text("error.upload_not_it", path=name, kind="GeoPackage"))
    try:
        with closing(sqlite3.connect(":memory:")) as base:
            base.deserialize(content)
            base.execute("PRAGMA trusted_schema = OFF")
            rows = base.execute(
                "SELECT name FROM sqlite_master WHERE type = 'view' AND lower(name) IN"
                " (SELECT lower(table_name) FROM gpkg_contents)"
            ).fetchall()
            layers = base.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND lower(name) IN"
                " (SELECT lower(table_name) FROM gpkg_contents)"
            ).fetchall()
            most = max((_count(base, str(layer)) for (layer,) in layers), default=0)
    except sqlite3.Error as wrong:
        raise SourceError(text("error.upload_damaged", path=name, reason=str(wrong))) from wrong
    # A view can be made to yield rows without end.
    if rows:
        told = {"path": name, "part": ", ".join(str(row[0]) for row in rows[:4])}
        raise SourceError(text("error.upload_view", **told))
    _refuse_rows(name, most, limits)


def _count(base: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    return int(base.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0])  # noqa: S608 - quoted


def _look_at_parquet(name: str, content: bytes, limits: Limits) -> None:
    if not (content.startswith(b"PAR1") and content.endswith(b"PAR1")):
        raise SourceError(text("error.upload_not_it", path=name, kind="Parquet"))
    try:
        told = pyarrow.parquet.read_metadata(io.BytesIO(content))
        groups = [told.row_group(number) for number in range(told.num_row_groups)]
        unpacked = sum(group.total_byte_size for group in groups)
    except (pa.ArrowException, OSError) as wrong:
        raise SourceError(text("error.upload_damaged", path=name, reason=str(wrong))) from wrong
    _refuse_rows(name, told.num_rows, limits)
    if unpacked > limits.unpacked:
        raise SourceError(_bomb(name, limits))


_LOOKS: dict[str, Callable[[str, bytes, Limits], None]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), _look_at_text),
    **dict.fromkeys((".geojson", ".json"), _look_at_json),
    ".xlsx": _look_at_workbook,
    ".zip": _look_at_archive,
    ".gpkg": _look_at_geopackage,
    **dict.fromkeys((".parquet", ".geoparquet"), _look_at_parquet),
}
