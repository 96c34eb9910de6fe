"""Figures as a reader wants them."""

from math import ceil, floor, isnan

from layers.messages import Language, language, text


def people(value: float) -> str:
    """People with thousands separators.

    Examples
    --------
    >>> people(1281601.4)
    '1,281,601'
    """
    return f"{value:,.0f}"


def rate(value: float) -> str:
    """Rate with one decimal; a dash where nobody lives.

    A rate just below one is never rounded up to it.

    Examples
    --------
    >>> rate(0.8239), rate(0.99999), rate(float("nan"))
    ('82.4%', '99.9%', '–')
    """
    if isnan(value):
        return "–"
    shown = f"{value:.1%}"
    return "99.9%" if shown == "100.0%" and value < 1 else shown


def points(value: float, lang: Language | None = None) -> str:
    """Write a difference of rates in percentage points, with its sign.

    Examples
    --------
    >>> points(0.379, "zh"), points(-0.02, "en")
    ('+37.9个百分点', '-2.0 pts')
    """
    return text("wording.points", lang, value=f"{100 * value:+.1f}")


def banded(value: float, low: float, high: float) -> str:
    """Rate with the band around it in whole per cent, rounded outwards.

    Examples
    --------
    >>> banded(0.8239, 0.7951, 0.8402), banded(float("nan"), 0.0, 0.0)
    ('82.4% [79–85]', '–')
    """
    if isnan(value):
        return rate(value)
    # A hair's breadth keeps rounding from widening a band that ends on a whole per cent.
    least, most = floor(low * 100 + 1e-9), ceil(high * 100 - 1e-9)
    return f"{rate(value)} [{least}–{most}]"


def one_language(note: str, lang: Language | None = None) -> str:
    """Part of a layer's note, which holds both languages, Chinese first.

    Examples
    --------
    >>> one_language("街道为模拟 / streets are modelled", "en")
    'streets are modelled'
    """
    chinese, slash, english = note.partition(" / ")
    return english if slash and (lang or language()) == "en" else chinese
