"""Settlement: which townships are town (街道) and which are country (镇, 乡)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

Settlement = Literal["town", "country"]
SETTLEMENTS: tuple[Settlement, ...] = get_args(Settlement)

_TOWN = ("街道", "街道办事处")
_COUNTRY = ("镇", "乡", "苏木", "镇政府", "乡政府")


def settlement(names: Iterable[str]) -> pd.Series:
    """Tell town from country by the names that China's townships bear.

    The Statistics Bureau's rules (统计上划分城乡的规定, 2008) go by communities; where these
    are not known, a subdistrict (街道) stands for town, a town (镇) or township (乡) for
    country. Hangzhou's suburban 街道 hold villages too: the difference is understated.

    Parameters
    ----------
    names
        Names of townships.

    Returns
    -------
    ``town``, ``country`` or NA for any other name, aligned to the names' index.

    Examples
    --------
    >>> settlement(["清波街道", "塘栖镇", "百江乡", "景区"]).tolist()
    ['town', 'country', 'country', <NA>]
    """
    series = names if isinstance(names, pd.Series) else pd.Series(list(names), dtype=object)
    bare = series.astype(str).str.strip()
    made = pd.Series(pd.NA, series.index, dtype="string")
    made[bare.str.endswith(_COUNTRY)] = "country"
    made[bare.str.endswith(_TOWN)] = "town"
    return made
