"""On which line of a TOML file each of its keys stands, so that an error can name it."""

import tomllib
from bisect import bisect_right
from collections.abc import Iterator

Path = tuple[str | int, ...]

_QUOTES = ('"""', "'''", '"', "'")
_BARE_END = frozenset(",]}\n#\r")


def lines_of(document: str) -> dict[Path, int]:
    r"""Find the line of every table, key and element of an array.

    The document must be valid TOML: read it with `tomllib` first, which refuses what is
    not and names the line itself.

    Parameters
    ----------
    document
        Text of the file.

    Returns
    -------
    By the way to each value (names of keys, numbers of elements from nought), the line
    from 1 on which its key, or else it itself, begins.

    Examples
    --------
    >>> lines_of('a = 1\n[[b]]\nc = [\n  {d = 2}]')[("b", 0, "c", 0, "d")]
    4
    """
    return _Scanner(document).found


class _Scanner:
    """Walks over a valid document once."""

    def __init__(self, document: str) -> None:
        self._text, self._at = document, 0
        self._starts = [0, *(place + 1 for place, sign in enumerate(document) if sign == "\n")]
        self.found: dict[Path, int] = {}
        table: Path = ()
        while self._skip(lines=True):
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        line, many = self._line(), self._peek("[[")
        self._at += 2 if many else 1
        keys = list(self._keys())
        self._skip()
        self._at += 2 if many else 1
        path: Path = ()
        for key in keys[:-1]:
            path = self._last((*path, key))
        path = (*path, keys[-1])
        self.found.setdefault(path, line)
        if many:
            path = (*path, self._count(path))
            self.found[path] = line
        return path

    def _last(self, path: Path) -> Path:
        """Way into a table, or into the last one of an array of tables."""
        count = self._count(path)
        self.found.setdefault(path, self._line())
        return (*path, count - 1) if count else path

    def _count(self, path: Path) -> int:
        count = 0
        while (*path, count) in self.found:
            count += 1
        return count

    def _pair(self, table: Path) -> None:
        line, path = self._line(), table
        for key in self._keys():
            path = (*path, key)
            self.found.setdefault(path, line)
        self._skip()
        self._at += 1  # the sign =
        self._value(path)

    def _keys(self) -> Iterator[str]:
        while True:
            self._skip()
            yield self._key()
            self._skip()
            if not self._peek("."):
                return
            self._at += 1

    def _key(self) -> str:
        start = self._at
        if self._text[start] in "\"'":
            self._string()
            return str(tomllib.loads(f"key = {self._text[start : self._at]}")["key"])
        while self._at < len(self._text) and (
            self._text[self._at].isalnum() or self._text[self._at] in "_-"
        ):
            self._at += 1
        return self._text[start : self._at]

    def _value(self, path: Path) -> None:
        self._skip()
        if self._text[self._at] in "\"'":
            self._string()
        elif self._peek("["):
            self._array(path)
        elif self._peek("{"):
            self._inline(path)
        else:
            while self._at < len(self._text) and self._text[self._at] not in _BARE_END:
                self._at += 1

    def _array(self, path: Path) -> None:
        self._at += 1
        count = 0
        while self._skip(lines=True) and not self._peek("]"):
            if self._peek(","):
                self._at += 1
                continue
            self.found[(*path, count)] = self._line()
            self._value((*path, count))
            count += 1
        self._at += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while self._skip(lines=True) and not self._peek("}"):
            if self._peek(","):
                self._at += 1
            else:
                self._pair(path)
        self._at += 1

    def _string(self) -> None:
        mark = next(quote for quote in _QUOTES if self._peek(quote))
        self._at += len(mark)
        while not self._peek(mark):
            self._at += 2 if mark[0] == '"' and self._peek("\\") else 1
        self._at += len(mark)
        # A long string may end in quotes of its own, at most two.
        while len(mark) > 1 and self._peek(mark[0]):
            self._at += 1

    def _skip(self, *, lines: bool = False) -> bool:
        """Go to what comes next, over lines too if told; tell whether there is anything."""
        blank = " \t\r\n" if lines else " \t"
        while self._at < len(self._text):
            if self._text[self._at] in blank:
                self._at += 1
            elif lines and self._peek("#"):
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return True
        return False

    def _peek(self, sign: str) -> bool:
        return self._text.startswith(sign, self._at)

    def _line(self) -> int:
        return bisect_right(self._starts, self._at)
