"""Lists in the words of findings: the first few, and a sign that there are more."""

from collections.abc import Sequence

import geopandas as gpd

from layers.messages import Spoken

_SHOWN = 6


def some(words: Sequence[str]) -> str:
    """List the first few.

    Examples
    --------
    >>> some(["a", "b"]), some(list("abcdefgh"))
    ('a, b', 'a, b, c, d, e, f …')
    """
    return ", ".join(words[:_SHOWN]) + (" …" if len(words) > _SHOWN else "")


def names(units: gpd.GeoDataFrame) -> Spoken:
    """List the names of the first few units."""
    zh, en = (some([str(name) for name in units[column]]) for column in ("name", "name_en"))
    return Spoken(zh=zh, en=en)
