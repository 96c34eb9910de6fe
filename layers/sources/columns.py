"""Which column of a table is which, by the names that offices give them."""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from layers.resources import data_path

BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")
"""What stands in brackets, in a name without full-width forms."""
_FILLERS = re.compile(r"[\s_.,:;'\"/\\-]+")


@dataclass(frozen=True)
class Axes:
    """The columns that say where rows lie.

    Attributes
    ----------
    lon, lat
        Columns of longitude (or X) and latitude (or Y); the same one if it holds both.
    datum
        What the names say the coordinates are in, or nothing.
    """

    lon: str
    lat: str
    datum: str = ""

    @property
    def is_one(self) -> bool:
        """Whether one column holds both."""
        return self.lon == self.lat


@cache
def names() -> dict[str, dict[str, list[str]]]:
    """Return the table ``data/columns.toml``."""
    with data_path("columns.toml").open("rb") as file:
        return tomllib.load(file)


def usual(kind: str, role: str) -> tuple[str, ...]:
    """Names that a column of a role goes by, the preferred first.

    Examples
    --------
    >>> usual("place", "name")[1]
    '名称'
    """
    return tuple(names()[kind][role])


def bare(name: Any) -> str:
    """Name of a column without case, spaces, brackets and full-width forms.

    Examples
    --------
    >>> bare("Ｌｏｎｇｉｔｕｄｅ （°）")
    'longitude'

    What brackets say of the datum stays:

    >>> bare("经度（GCJ-02，度）")
    '经度gcj02'
    """
    folded = unicodedata.normalize("NFKC", str(name)).lower()
    plain = _FILLERS.sub("", BRACKETS.sub(_datum_within, folded))
    # A name that is all brackets keeps what is in them.
    return plain or _FILLERS.sub("", folded)


def find(columns: Iterable[Any], wanted: Iterable[str]) -> str | None:
    """Column that goes by one of the names, exactly before loosely; None if none does.

    Examples
    --------
    >>> find(["ID", "机构名称（全称）"], ("name", "机构名称"))
    '机构名称（全称）'
    """
    there = [str(column) for column in columns]
    wanted = list(wanted)
    for form in (str, str.lower, bare):
        by_form = {form(column): column for column in reversed(there)}
        for name in wanted:
            if form(name) in by_form:
                return by_form[form(name)]
    return None


def axes(columns: Iterable[Any], *, datum: str = "") -> Axes | None:
    """Find the columns of longitude and latitude, else one that holds both.

    Parameters
    ----------
    columns
        Names of a table's columns.
    datum
        What the user says the coordinates are in: a pair whose names say the same goes
        before one that says nothing. Without it WGS-84 does.

    Examples
    --------
    >>> axes(["名称", "bd_lon", "bd_lat", "lon", "lat"])
    Axes(lon='lon', lat='lat', datum='')
    >>> axes(["名称", "经度_84", "纬度_84"])
    Axes(lon='经度_84', lat='纬度_84', datum='wgs84')
    """
    there = [str(column) for column in columns]
    first = datum or "wgs84"
    marks = [first, "", *(mark for mark in names()["datum"] if mark != first)]
    for mark in marks:
        lon, lat = (_at(there, mark, role) for role in ("lon", "lat"))
        if lon is not None and lat is not None:
            return Axes(lon, lat, mark)
    for mark in marks:
        both = _at(there, mark, "coordinates")
        if both is not None:
            return Axes(both, both, mark)
    return None


def mark(column: str) -> str:
    """Datum that a column's name carries, or nothing.

    Examples
    --------
    >>> mark("百度经度"), mark("经度")
    ('bd09', '')
    """
    if _role(bare(column)):
        return ""
    carried = (
        one for one in names()["datum"] if any(map(_role, _without_datum(bare(column), one)))
    )
    return next(carried, "")


def alike(columns: Iterable[Any], column: str) -> list[str]:
    """Columns that cannot be told from one by their names, itself among them.

    Examples
    --------
    >>> alike(["经度", "纬度", "经度 (2)"], "经度")
    ['经度', '经度 (2)']
    """
    return [str(other) for other in columns if bare(other) == bare(column)]


def known(named: Iterable[str] = ()) -> Callable[[str], bool]:
    """Tell whether a cell reads like a heading: a usual name, or one the user gave."""
    every = _usual_headings() | {bare(name) for name in named if name}

    def is_heading(cell: str) -> bool:
        plain = bare(cell)
        return plain in every or any(word in every for word in _without_datum(plain))

    return is_heading


@cache
def _usual_headings() -> frozenset[str]:
    kinds = ("position", "place", "site", "unit", "group")
    return frozenset(
        bare(name) for kind in kinds for role in names()[kind].values() for name in role
    )


def _datum_within(bracket: re.Match[str]) -> str:
    """Return the datum that stands in brackets, or nothing."""
    inside = _FILLERS.sub("", bracket[0][1:-1])
    words = [word for one in names()["datum"].values() for word in one]
    # Figures alone may be a year or a unit's.
    said = (word for word in words if word == inside or (word in inside and not word.isdigit()))
    return next(said, "")


def _role(plain: str) -> bool:
    """Whether a bare name is one of a column with coordinates."""
    return any(plain in usual for usual in names()["position"].values())


def _at(columns: list[str], mark: str, role: str) -> str | None:
    """Column of a role whose name carries a datum, or none."""
    plain: Mapping[str, str] = {
        word: column
        for column in reversed(columns)
        for word in ([bare(column)] if not mark else _without_datum(bare(column), mark))
    }
    return next((plain[name] for name in usual("position", role) if name in plain), None)


def _without_datum(plain: str, mark: str = "") -> list[str]:
    """Return what is left of a name when a datum's mark is taken off either end."""
    marks = names()["datum"]
    words = marks[mark] if mark else [word for one in marks.values() for word in one]
    cut = [plain.removeprefix(word) for word in words if plain.startswith(word)]
    return cut + [plain.removesuffix(word) for word in words if plain.endswith(word)]
