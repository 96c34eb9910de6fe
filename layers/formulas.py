"""Cells that a spreadsheet would take for formulas, and how words stay words in a CSV."""

import re

SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula when a cell begins with it."""

# A number, or signs alone, which stand for nothing.
_HARMLESS = re.compile(r"[+-]?[\d.,:°'\"\s]*(e[+-]?\d+)?|[=+\-@\s]*", re.IGNORECASE)


def defused(cell: str) -> str:
    """Put an apostrophe before what would be a formula; everything else stays as it is.

    Parameters
    ----------
    cell
        Words of a cell.

    Examples
    --------
    >>> defused("=HYPERLINK(1)"), defused("-120.155"), defused("-"), defused("甲")
    ("'=HYPERLINK(1)", '-120.155', '-', '甲')
    """
    if not cell.startswith(SIGNS) or _HARMLESS.fullmatch(cell):
        return cell
    return f"'{cell}"
