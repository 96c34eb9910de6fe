"""Coordinates and counts as people write them in cells, made numbers."""

import re
from typing import Any

import numpy as np
import pandas as pd

from layers.sources.columns import names

Floats = np.ndarray[Any, np.dtype[np.float64]]

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:[, ]\d{3})+(?:\.\d*)?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?")
_SPHERE = {"e": 1, "w": -1, "n": 1, "s": -1, "东经": 1, "西经": -1, "北纬": 1, "南纬": -1}
_EAST_WEST = ("e", "w", "东经", "西经")
_WORDS = "|".join(_SPHERE)
_ANGLE = re.compile(
    rf"(?P<before>{_WORDS})?\s*:?\s*(?P<sign>[+-])?(?P<degrees>\d+)\s*[°度:]\s*"
    r"(?P<minutes>\d+(?:\.\d+)?)\s*(?:['分:]\s*(?:(?P<seconds>\d+(?:\.\d+)?)\s*[\"秒]?)?)?"
    rf"\s*(?P<after>{_WORDS})?"
)
_LABELLED = re.compile(
    rf"(?P<before>{_WORDS})?\s*:?\s*(?P<number>[+-]?\d+(?:\.\d*)?)\s*[°度]?\s*(?P<after>{_WORDS})?"
)
_MARKS = str.maketrans(
    {"º": "°", "˚": "°", "′": "'", "’": "'", "‘": "'", "＇": "'", "`": "'", "´": "'"}
    | {
        "−": "-",
        "″": '"',
        "”": '"',
        "“": '"',
        "＂": '"',
        "〃": '"',
        "，": ",",
        "；": ";",
        "、": ",",
    }
)
_SHELL = re.compile(r"(?:point\s*z?\s*)?[(\[{【]?\s*(.*?)\s*[)\]}】]?", re.DOTALL)
_LABEL = re.compile(r"(?:经度|纬度|longitude|latitude|lng|lon|lat|[xy])\s*[:=]?\s*(?=[\d+.-])")


def plain(cells: pd.Series) -> pd.Series:
    """Cells in half-width forms without spaces around them; what means nothing is empty.

    Examples
    --------
    >>> plain(pd.Series([" １２．５ ", "暂无", None])).tolist()
    ['12.5', '', '']
    """
    text = cells.astype("str").fillna("")
    marked = text.str.translate(_MARKS).str.normalize("NFKC").str.lower().str.strip()
    return marked.mask(marked.isin(names()["cell"]["blank"]), "")


def numbers(cells: pd.Series) -> tuple[Floats, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Make numbers of cells: full-width digits, thousands separators and units understood.

    Parameters
    ----------
    cells
        Text.

    Returns
    -------
    The numbers, NaN where a cell is empty or no number; and which cells are no number.

    Examples
    --------
    >>> values, wrong = numbers(pd.Series(["1,234", "３２人", "", "many"]))
    >>> values.tolist(), wrong.tolist()
    ([1234.0, 32.0, nan, nan], [False, False, False, True])
    """
    words = plain(cells)
    values = _each(words)
    return values, np.isnan(values) & (words != "").to_numpy()


def degrees(cells: pd.Series) -> tuple[Floats, np.ndarray[Any, np.dtype[np.bool_]], Floats]:
    r"""Make coordinates of cells: decimal, or degrees, minutes and seconds, or metres.

    Parameters
    ----------
    cells
        Text.

    Returns
    -------
    The coordinates, NaN where there is none; which cells could not be read; and which
    way each says it runs, 1 for east and west, 2 for north and south, else 0.

    Examples
    --------
    >>> values, wrong, way = degrees(pd.Series(["120°09'18\"E", "北纬30.25°", "east"]))
    >>> values.round(4).tolist(), wrong.tolist(), way.tolist()
    ([120.155, 30.25, nan], [False, False, True], [1.0, 2.0, 0.0])
    """
    words = plain(cells)
    values = _each(words)
    wrong = np.isnan(values) & (words != "").to_numpy()
    way = np.zeros(len(words))
    for row in np.flatnonzero(wrong):
        values[row], way[row] = _angle(words.iloc[row])
        wrong[row] = not np.isfinite(values[row])
    return values, wrong, way


def halves(cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Cut cells that hold both coordinates in two, in the order they are written.

    A cell that cannot be cut stays whole in the first, so that it counts as unreadable.

    Examples
    --------
    >>> [half.tolist() for half in halves(pd.Series(["120.1，30.2", "POINT (120.1 30.2)"]))]
    [['120.1', '120.1'], ['30.2', '30.2']]
    """
    pairs = [_halves(cell) for cell in plain(cells)]
    first, second = (
        pd.Series([pair[end] for pair in pairs], cells.index, dtype="str") for end in (0, 1)
    )
    return first, second


def _each(words: pd.Series) -> Floats:
    values = pd.to_numeric(words, errors="coerce").to_numpy(np.float64, na_value=np.nan, copy=True)
    # What pandas reads as infinite is no number to us.
    values[~np.isfinite(values)] = np.nan
    for row in np.flatnonzero(np.isnan(values) & (words != "").to_numpy()):
        values[row] = _number(words.iloc[row])
    return values


def _number(word: str) -> float:
    for unit in names()["cell"]["units"]:
        if word.endswith(unit):
            word = word.removesuffix(unit).rstrip()
            break
    if _THOUSANDS.fullmatch(word):
        word = word.replace(",", "").replace(" ", "")
    if not _NUMBER.fullmatch(word):
        return np.nan
    value = float(word)
    return value if np.isfinite(value) else np.nan


def _angle(word: str) -> tuple[float, int]:
    word = word.replace("''", '"')
    match = _LABELLED.fullmatch(word)
    if match:
        value, sign = float(match["number"]), ""
    else:
        match = _ANGLE.fullmatch(word)
        if not match:
            return np.nan, 0
        minutes, seconds = (float(match[part] or 0) for part in ("minutes", "seconds"))
        # Sixty minutes are a degree, and only the last part has a fraction.
        if max(minutes, seconds) >= 60 or (match["seconds"] and "." in match["minutes"]):  # noqa: PLR2004 - see above
            return np.nan, 0
        value, sign = float(match["degrees"]) + minutes / 60 + seconds / 3600, match["sign"] or ""
    said = [word for word in (match["before"], match["after"]) if word]
    if len(said) > 1 or (said and (sign or value < 0)):
        return np.nan, 0
    if not said:
        return (-value if sign == "-" else value), 0
    return value * _SPHERE[said[0]], 1 if said[0] in _EAST_WEST else 2


def _halves(cell: str) -> tuple[str, str]:
    inner = _SHELL.fullmatch(cell)
    words = _LABEL.sub("", inner[1] if inner else cell)
    for parts in (re.split(r"\s*[,;|]\s*", words), words.split()):
        if len(parts) == 2:  # noqa: PLR2004 - two coordinates
            return parts[0], parts[1]
    return (cell, "") if cell else ("", "")
