"""Words of maps and desk: figures as a reader wants them, safe to stand in HTML."""

from __future__ import annotations

from html import escape
from math import isinf, isnan
from typing import TYPE_CHECKING, Any

from layers.messages import Language, text

if TYPE_CHECKING:
    from planner.coverage import Coverage

_KILOMETRE = 1000


def said(key: str, lang: Language, /, **values: Any) -> str:
    """Words of the catalogue, filled in and escaped for HTML.

    Parameters
    ----------
    key, lang
        As `layers.messages.text` takes them.
    values
        What the words' ``{names}`` stand for; may come from data.
    """
    return escape(text(key, lang, **values))


def distance(value: float, unit: str, lang: Language) -> str:
    """Distance or time; metres below a kilometre.

    Parameters
    ----------
    value
        In the unit; inf where there is no way, NaN where nothing was measured.
    unit
        ``m`` or ``min``.
    lang
        Language.

    Examples
    --------
    >>> distance(1240, "m", "en"), distance(6.27, "min", "zh")
    ('1.24 km', '6.3 分钟')
    """
    if isnan(value):
        return "–"
    if isinf(value):
        return text("map.no_way", lang)
    if unit == "min":
        return f"{value:,.1f} {text('unit.min', lang)}"
    if value < _KILOMETRE:
        return f"{value:,.0f} {text('unit.m', lang)}"
    return f"{value / _KILOMETRE:,.2f} {text('map.km', lang)}"


def moment(year: int | None, lang: Language) -> str:
    """Name the year a result speaks of."""
    return text("map.now", lang) if year is None else text("map.year_end", lang, year=year)


def badges(result: Coverage, lang: Language) -> str:
    """Write what everything made from the city must say, as HTML."""
    return " ".join(
        f'<span class="badge">{said(f"label.{label}", lang)}</span>'
        for label in result.city.labels()
    )
