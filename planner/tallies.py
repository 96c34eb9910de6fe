"""Tallies: people and facilities by unit, added up once and then corrected."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from layers.population import GROUPS
from layers.units import LEVELS
from planner.coverage import PART, heads, in_parts, whole
from planner.standards import unknown_name

if TYPE_CHECKING:
    from layers import City
    from layers.population import Group
    from layers.units import Level
    from planner._search import Floats, Ints

Flags = np.ndarray[Any, np.dtype[np.bool_]]


class _Tally(NamedTuple):
    """Sums by unit in parts of a person, and what they are sums of."""

    home: Ints
    parts: Ints
    people: Ints
    served: Ints
    unplaced: Ints


class Tallies:
    """Figures of units: whole parts of people, so that sums stay exact however corrected.

    Parameters
    ----------
    city
        The city.
    served, unplaced
        Whether each row of its population is served, and could not be placed. Whoever
        keeps the tallies turns the first of these flags, and tells of it.
    """

    def __init__(self, city: City, served: Flags, unplaced: Flags) -> None:
        self._city, self._served, self._unplaced = city, served, unplaced.copy()
        have = set(city.units["level"])
        self.levels: list[Level] = [level for level in LEVELS if level in have]
        self._tallies: dict[tuple[Level | None, Group], _Tally] = {}
        self._heads: dict[Level | None, pd.DataFrame] = {}
        self._columns: dict[Level | None, dict[Any, Any]] = {}
        units = city.units.sort_values("code")
        self._units = list(zip(units["code"], units["level"], units["parent"], strict=True))
        self._tree = shapely.STRtree(units.geometry.array)
        self._number = {
            level: {code: row for row, code in enumerate(self._head(level)["code"])}
            for level in self.levels
        }
        self._parents = {code: parent for code, _, parent in self._units}

    def turned(self, rows: Ints) -> None:
        """Count some rows again, each once, whose flags of being served have turned."""
        self._turn("served", rows, self._served[rows])

    def placed(self, rows: Ints, unplaced: Flags) -> None:
        """Say of some rows, each once, whether they could not be placed."""
        other = self._unplaced[rows] != unplaced
        self._unplaced[rows] = unplaced
        self._turn("unplaced", rows[other], unplaced[other])

    def _turn(self, name: str, rows: Ints, now: Flags) -> None:
        sign = np.where(now, 1, -1)
        for tally in self._tallies.values():
            np.add.at(getattr(tally, name), tally.home[rows], sign * tally.parts[rows])

    def homes_of(self, places: Floats) -> Ints:
        """Units in which places lie, as `layers.units.assign` tells.

        Parameters
        ----------
        places
            Longitude and latitude of each; NaN for nowhere.

        Returns
        -------
        A row a place, a column a level: number of the unit in the order of codes, -1 for
        none. Quicker than `assign` for a handful of places.
        """
        found = np.full((len(places), len(self.levels)), -1, dtype=np.int64)
        for row, place in enumerate(places):
            if np.isnan(place).any():
                continue
            hits = np.sort(self._tree.query(shapely.Point(place), predicate="intersects"))
            codes: dict[Level, str | None] = dict.fromkeys(self.levels)
            # Backwards, so that the lowest code stays.
            for hit in hits[::-1]:
                code, level, _ = self._units[hit]
                codes[level] = code
            for coarse, fine in reversed(list(pairwise(self.levels))):
                above = self._parents.get(codes[fine])
                if above in self._number[coarse]:
                    codes[coarse] = above
            for column, level in enumerate(self.levels):
                found[row, column] = self._number[level].get(codes[level], -1)
        return found

    def table(self, level: Level, group: Group, sites: Ints) -> pd.DataFrame:
        """Figures of each unit of a level.

        Parameters
        ----------
        level, group
            As `planner.Coverage.by` takes them.
        sites
            Units of the facilities, as `homes_of` gives them.

        Raises
        ------
        UnknownNameError
            The city has no unit of that level, or there is no such group.
        """
        if level != "city" and level not in self.levels:
            raise unknown_name("level", level, self.levels)
        if group not in GROUPS:
            raise unknown_name("group", group, GROUPS)
        figures = self._figures(level, group, sites)
        # All at once: column after column takes longer than the change itself.
        head = self._head(level)
        table = pd.DataFrame({**self._columns[level], **figures}, index=head.index)
        # Whoever lies in no unit of the level, where there is anybody.
        alone = level in self.levels and not (figures["people"][-1] or figures["facilities"][-1])
        return table.iloc[:-1] if alone else table

    def whole(self, group: Group, sites: Ints) -> pd.DataFrame:
        """Figures of everyone who lies in any unit, in one row; as `table`."""
        if group not in GROUPS:
            raise unknown_name("group", group, GROUPS)
        figures, head = self._figures(None, group, sites), self._head(None)
        return pd.DataFrame({**self._columns[None], **figures}, index=head.index)

    def _figures(self, level: Level | None, group: Group, sites: Ints) -> dict[str, Any]:
        """Columns of figures, an item a unit of a level; of the whole city for None."""
        count = 1 if level is None else len(self._head(level))
        if (level, group) not in self._tallies:
            self._tallies[level, group] = self._tally(level, group, count)
        tally = self._tallies[level, group]
        people, served = tally.people * PART, tally.served * PART
        inside = sites[(sites >= 0).any(axis=1)]
        where = (
            inside[:, self.levels.index(level)]
            if level is not None and level in self.levels
            else np.zeros(len(inside), dtype=np.int64)
        )
        with np.errstate(invalid="ignore"):
            rate = served / np.where(people > 0, people, np.nan)
        return {
            "people": people,
            "served": served,
            "gap": people - served,
            "rate": rate,
            "unplaced": tally.unplaced * PART,
            "facilities": np.bincount(where % count, minlength=count),
        }

    def _head(self, level: Level | None) -> pd.DataFrame:
        """Codes and names of a level's units; of the whole city in one row for None."""
        if level not in self._heads:
            city = self._city
            if level is None or level not in self.levels:
                self._heads[level] = whole(city)
            else:
                self._heads[level] = heads(city, level)
            self._columns[level] = {
                name: column.array for name, column in self._heads[level].items()
            }
        return self._heads[level]

    def _tally(self, level: Level | None, group: Group, count: int) -> _Tally:
        units = self._city.population_units
        home = np.zeros(len(units), dtype=np.int64)
        if level is not None and level in self.levels:
            codes = pd.Index(self._head(level)["code"].iloc[:-1])
            home = codes.get_indexer(units[level]).astype(np.int64)
        parts = in_parts(np.asarray(self._city.population[group], dtype=np.float64))
        # Who lies in no unit at all counts for none.
        parts[units.isna().all(axis=1).to_numpy()] = 0
        sums = [np.zeros(count, dtype=np.int64) for _ in range(3)]
        every = np.ones(len(home), dtype=bool)
        for into, who in zip(sums, (every, self._served, self._unplaced), strict=True):
            np.add.at(into, home[who], parts[who])
        return _Tally(home, parts, *sums)
