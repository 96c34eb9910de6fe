"""Accounts: units that limits name, and what lies in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from layers.errors import InputError
from layers.messages import text
from layers.units import LEVELS, Level
from planner.standards import unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    import pandas as pd

    from planner.siting.instance import Ints

_Value = TypeVar("_Value", int, float)


@dataclass(frozen=True, eq=False, repr=False)
class Account:
    """Units, numbered, and in which of them each row lies.

    Attributes
    ----------
    codes
        Code of each.
    number
        (r,) unit of each row, -1 for none.
    """

    codes: tuple[str, ...]
    number: Ints

    def by_number(self, limits: Mapping[str, _Value], units: gpd.GeoDataFrame) -> dict[int, _Value]:
        """Limits by the units' numbers; what names a unit itself goes before its level."""
        where = {code: number for number, code in enumerate(self.codes)}
        return {where[code]: value for code, value in resolved(limits, units).items()}

    def __repr__(self) -> str:
        return f"<Account of {len(self.codes)} units, {int((self.number >= 0).sum()):,} rows>"


def account(
    named: Iterable[str],
    units: gpd.GeoDataFrame,
    rows: pd.DataFrame,
    *,
    level: Level | None = None,
) -> Account:
    """Give a number to each unit that limits name.

    Parameters
    ----------
    named
        Codes, names or levels.
    units
        The city's.
    rows
        A column a level with the code of the unit in which each row lies.
    level
        A level all of whose units count as well.

    Raises
    ------
    UnknownNameError
        There is no such unit.
    InputError
        Two of them lie in one another, for a row has one account.
    """
    keys = dict.fromkeys([*named, *([level] if level is not None else [])], 0)
    codes = list(resolved(keys, units))
    of = dict(zip(units["code"], units["level"], strict=True))
    number = np.full(len(rows), -1, dtype=np.int64)
    index = {code: at for at, code in enumerate(codes)}
    for one in LEVELS:
        here = {code: index[code] for code in codes if of[code] == one}
        if not here or one not in rows:
            continue
        found = rows[one].map(here).fillna(-1).to_numpy(dtype=np.int64)
        twice = np.flatnonzero((found >= 0) & (number >= 0))
        if len(twice):
            first = twice[0]
            raise InputError(
                text("site.nested", one=codes[number[first]], other=codes[found[first]])
            )
        number[found >= 0] = found[found >= 0]
    return Account(tuple(codes), number)


def resolved(limits: Mapping[str, _Value], units: gpd.GeoDataFrame) -> dict[str, _Value]:
    """Limits by unit code; what names a unit itself goes before its level.

    Raises
    ------
    UnknownNameError
        There is no unit of that code or name, or no unit of that level.
    """
    found: dict[str, _Value] = {}
    have = set(units["level"])
    for key, value in limits.items():
        if key in LEVELS:
            if key not in have:
                known = (level for level in LEVELS if level in have)
                raise unknown_name("level", key, known)
            at_level = units[units["level"] == key].sort_values("code")
            found = {**dict.fromkeys(at_level["code"], value), **found}
    for key, value in limits.items():
        if key in LEVELS:
            continue
        fits = (units["code"] == key) | (units["name"] == key) | (units["name_en"] == key)
        codes = units.loc[fits, "code"].tolist()
        if len(codes) != 1:
            if codes:
                raise InputError(text("site.unit_twice", found=key, codes=", ".join(codes)))
            raise unknown_name("unit", key, units.loc[units["level"] == "district", "code"])
        found[codes[0]] = value
    return found
