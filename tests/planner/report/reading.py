"""Reading figures back out of what a document shows."""

import math
import re

NONE = "–"


def number(shown):
    """The number that a cell shows, or None."""
    plain = shown.replace(",", "").strip()
    if plain == NONE:
        return None
    return float(plain[:-1]) / 100 if plain.endswith("%") else float(plain)


def agrees(shown, value, kind, lang):
    """Whether what a cell shows is the value, as far as its decimals go."""
    if value is None:
        return shown == NONE
    if isinstance(value, dict):
        # A figure with its own unit says in words what its number is.
        return shown == value[lang] and ("number" not in value or _says(shown, value["number"]))
    if kind == "band":
        low, _, high = shown.removesuffix("%").partition("–")
        # Rounded outwards to whole per cent.
        below, above = value[0] * 100 - int(low), int(high) - value[1] * 100
        return -1e-6 <= below < 1 + 1e-6 and -1e-6 <= above < 1 + 1e-6
    slack = {
        "rate": 0.00051,
        "people": 0.5,
        "count": 0,
        "metres": 0.5,
        "minutes": 0.0501,
        "points": 0.0501,
    }
    if kind == "rate" and 0.9995 <= value < 1:
        return shown == "99.9%"
    return math.isclose(number(shown), value, rel_tol=0, abs_tol=slack.get(kind, 0.00051) + 1e-9)


def _says(shown, value):
    found = float(re.match(r"[+-]?[\d,]+(?:\.\d+)?", shown)[0].replace(",", ""))
    part = "%" in shown or "百分点" in shown or "pts" in shown
    # Shares are parts of one, but the plan's own percentages are not.
    return any(math.isclose(found, value * scale, abs_tol=0.051) for scale in (1, 100)[: 1 + part])


def compare(shown, table, lang):
    """Compare the rows that a document shows with those of JSON, and say what differs."""
    heads = [column["head"][lang] for column in table["columns"]]
    assert shown[0] == heads, table["key"]
    assert len(shown) - 1 == len(table["rows"]), table["key"]
    for cells, values in zip(shown[1:], table["rows"], strict=True):
        for cell, value, column in zip(cells, values, table["columns"], strict=True):
            told = (table["key"], column["key"], cell, value)
            assert agrees(cell, value, column["kind"], lang), told
