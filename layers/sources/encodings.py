"""Text in the encodings that Chinese offices write: UTF-8, UTF-16, GB18030."""

import codecs
from collections.abc import Iterable
from pathlib import Path

from layers.errors import SourceError
from layers.messages import text

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TRIED = ("utf-8", "gb18030")
# A text with a few damaged bytes still reads as its own encoding; as another, hardly.
_DAMAGED = 0.02
_SURE = 4
_LINES = 4
_NUL_SHARE = 0.1


def decode(path: Path, content: bytes, encoding: str = "") -> str:
    """Decode a file of text.

    Parameters
    ----------
    path
        The file, to name it.
    content
        What is in it.
    encoding
        Its encoding, if the user says so.

    Raises
    ------
    SourceError
        It is in none of the encodings, has damaged bytes (the message names the lines),
        or is no text.

    Examples
    --------
    >>> decode(Path("甲.csv"), "名称".encode("gb18030"))
    '名称'
    """
    named = encoding or _by_mark(content)
    if named:
        try:
            return _text_only(path, content.decode(named))
        except LookupError as unknown:
            told = {"path": str(path), "encoding": named}
            raise SourceError(text("error.encoding_unknown", **told)) from unknown
        except UnicodeError as wrong:
            raise _damaged(path, content, named) from wrong
    # Where a mark is missing, every other byte of a table in UTF-16 is nought.
    for wide, half in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
        if half.count(0) > _NUL_SHARE * max(len(half), 1) and not len(content) % 2:
            try:
                return _text_only(path, content.decode(wide))
            except UnicodeError:
                continue
    for one in _TRIED:
        try:
            return _text_only(path, content.decode(one))
        except UnicodeDecodeError as wrong:
            if _nearly(content, one, wrong):
                raise _damaged(path, content, one) from None
    raise SourceError(text("error.encoding_none", path=str(path)))


def readable(cells: Iterable[bytes], named: str = "") -> str:
    """Name the encoding in which most of a table's cells can be read.

    Parameters
    ----------
    cells
        Content of cells.
    named
        Encoding that the file claims, tried first.

    Examples
    --------
    >>> readable(["西湖".encode("gbk"), b"B1"], "utf-8")
    'gb18030'
    """
    every = [cell for cell in cells if not cell.isascii()]
    return min((named, *_TRIED) if named else _TRIED, key=lambda one: _failures(every, one))


def _failures(cells: list[bytes], encoding: str) -> int:
    try:
        return sum("\ufffd" in cell.decode(encoding, "replace") for cell in cells)
    except (LookupError, UnicodeError):
        return len(cells) + 1


def _by_mark(content: bytes) -> str:
    return next((name for mark, name in _BOMS if content.startswith(mark)), "")


def _nearly(content: bytes, encoding: str, wrong: UnicodeDecodeError) -> bool:
    """Whether a text is in an encoding but for a few bytes, or for being cut off."""
    words = content.decode(encoding, "replace")
    foreign = sum(not letter.isascii() for letter in words)
    is_cut = wrong.end == len(content) and foreign >= _SURE
    return is_cut or words.count("\ufffd") <= _DAMAGED * foreign


def _damaged(path: Path, content: bytes, encoding: str) -> SourceError:
    lines = content.decode(encoding, "replace").split("\n")
    wrong = [str(number) for number, line in enumerate(lines, 1) if "\ufffd" in line]
    rows = ", ".join(wrong[:_LINES]) + (", …" if len(wrong) > _LINES else "")
    told = {"path": str(path), "encoding": encoding.upper(), "rows": rows}
    return SourceError(text("error.encoding_damaged", **told))


def _text_only(path: Path, words: str) -> str:
    if "\0" in words:
        raise SourceError(text("error.table_binary", path=str(path)))
    return words.removeprefix("\ufeff")
