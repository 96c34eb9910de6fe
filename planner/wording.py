"""Figures as a reader wants them."""

from math import isnan


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
