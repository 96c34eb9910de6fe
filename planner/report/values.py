"""Values of a report's tables: what kind of figure each is, and how every format shows it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, isfinite, isnan
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from planner import wording
from planner.report.phrase import Phrase

if TYPE_CHECKING:
    from layers.messages import Language

Kind = Literal[
    "words", "code", "figure", "people", "count", "rate", "points", "band", "metres", "minutes",
    "number", "year", "degrees",
]  # fmt: skip
"""What a value is: words, codes, figures each with its own unit; people, things counted, parts
of a whole, percentage points, a band around a rate, distances, minutes, any other number, a
year, degrees."""

NONE = "–"
"""Shown where there is no figure."""

FORMATS: dict[Kind, str] = {
    "people": "#,##0",
    "count": "#,##0",
    # A rate just below one is never shown as the whole.
    "rate": '[>=1]0.0%;[>=0.9995]"99.9%";0.0%',
    "points": "+0.0;-0.0;0.0",
    "band": "0.0%",
    "metres": "#,##0",
    "minutes": "#,##0.0",
    "number": "#,##0.0##",
    "year": "0",
    "degrees": "0.000000",
}
"""How a spreadsheet shows each kind of number."""


@dataclass(frozen=True)
class Band:
    """Least and greatest rate."""

    low: float
    high: float


@dataclass(frozen=True)
class Figure:
    """A number that goes with its own unit, unlike those above and below it.

    Attributes
    ----------
    number
        The number; a part of one for a rate.
    words
        How documents show it.
    kind
        How a spreadsheet shows it.
    """

    number: float
    words: Phrase
    kind: Kind = "number"


Value = Phrase | Band | Figure | float | int | None
"""What a cell holds; None where there is no figure."""


def value_of(found: Any) -> Value:
    """Turn a cell of a data frame into a plain value; NaN and NA become None."""
    if isinstance(found, Phrase | Band | Figure):
        return found
    if isinstance(found, str):
        return Phrase(found, found)
    if pd.isna(found):
        return None
    number = float(found)
    if not isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def shown(value: Value, kind: Kind, lang: Language) -> str:
    """Show a value as every document does.

    Parameters
    ----------
    value
        The value.
    kind
        What it is.
    lang
        Language.

    Examples
    --------
    >>> shown(0.8239, "rate", "zh"), shown(1281601, "people", "zh"), shown(None, "rate", "zh")
    ('82.4%', '1,281,601', '–')
    >>> shown(Band(0.7951, 0.8402), "band", "en"), shown(-1.25, "points", "en")
    ('79–85%', '-1.2')
    """
    if value is None or (isinstance(value, Band) and isnan(value.low)):
        return NONE
    if isinstance(value, Phrase | Figure):
        return (value.words if isinstance(value, Figure) else value).said(lang)
    if isinstance(value, Band):
        # Rounded outwards; a hair's breadth keeps a whole per cent as it is.
        return f"{floor(value.low * 100 + 1e-9)}–{ceil(value.high * 100 - 1e-9)}%"
    return _number(value, kind)


_DECIMALS: dict[Kind, str] = {
    "people": ",.0f",
    "count": ",.0f",
    "metres": ",.0f",
    "minutes": ",.1f",
    "degrees": ".6f",
    "year": ".0f",
    "code": ".0f",
}


def _number(value: float, kind: Kind) -> str:
    if kind == "rate":
        return wording.rate(value)
    if kind == "points":
        rounded = round(value, 1)
        return f"{rounded:+.1f}" if rounded else "0.0"
    if kind in _DECIMALS:
        return format(value, _DECIMALS[kind])
    return f"{value:,.3f}".rstrip("0").rstrip(".")
