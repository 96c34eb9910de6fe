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
    "words", "code", "people", "count", "rate", "points", "band", "metres", "minutes", "number",
    "year",
]  # fmt: skip
"""What a value is: words and codes; people, things counted, parts of a whole, percentage
points, a band around a rate, distances, minutes, any other number, a year."""

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
}
"""How a spreadsheet shows each kind of number."""


@dataclass(frozen=True)
class Band:
    """Least and greatest rate."""

    low: float
    high: float


Value = Phrase | Band | float | int | None
"""What a cell holds; None where there is no figure."""


def value_of(found: Any) -> Value:
    """Turn a cell of a data frame into a plain value; NaN and NA become None."""
    if isinstance(found, Phrase | Band):
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
    if value is None:
        return NONE
    if isinstance(value, Phrase):
        return value.said(lang)
    if isinstance(value, Band):
        if isnan(value.low):
            return NONE
        # Rounded outwards; a hair's breadth keeps a whole per cent as it is.
        return f"{floor(value.low * 100 + 1e-9)}–{ceil(value.high * 100 - 1e-9)}%"
    return _number(value, kind)


def _number(value: float, kind: Kind) -> str:
    match kind:
        case "people" | "count" | "metres":
            return wording.people(value)
        case "rate":
            return wording.rate(value)
        case "points":
            rounded = round(value, 1)
            return f"{rounded:+.1f}" if rounded else "0.0"
        case "minutes":
            return f"{value:,.1f}"
        case "year" | "code":
            return f"{value:.0f}"
        case _:
            return f"{value:,.3f}".rstrip("0").rstrip(".")
