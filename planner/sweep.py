"""A sweep: the figures of a coverage under any cutoff, at once.

Distances do not depend on the cutoff. Sorted once by unit and distance, with running sums,
they give the figures of every unit under another cutoff by looking up one place a unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from planner.certainty import spread_m
from planner.coverage import PART, heads, in_parts, whole
from planner.memo import Memo
from planner.reach import SLACK
from planner.standards import unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from layers.population import Group
    from layers.units import Level
    from planner._search import Floats, Ints
    from planner.coverage import Coverage

_SURE = 8.5
"""Standard deviations beyond which Φ is 0 or 1 to the last digit of a double."""

_MOST = 6
_FIGURES = ("served", "rate_low", "rate_high", "mean", "median", "p90")


class _Sorted(NamedTuple):
    """Demand of a level and group by unit and distance, those without a way left out."""

    start: Ints
    distance: Floats
    parts: Ints
    moment: Floats
    square: Floats
    people: Ints
    unplaced: Ints
    all_square: Floats


class Sweep:
    """Figures of a coverage under other cutoffs; equal to those of `coverage` itself.

    Parameters
    ----------
    result
        The coverage; its own cutoff does not matter.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import coverage
    >>> result = coverage(embedded("small"), "menopause_clinic")
    >>> sweep = Sweep(result)
    >>> bool((sweep.by(30.0)["served"] == result.by()["served"]).all())
    True
    >>> bool(sweep.total(20.0)["served"] < sweep.total(40.0)["served"])
    True
    """

    def __init__(self, result: Coverage) -> None:
        self.result = result
        self._tables: Memo[_Sorted] = Memo(most=_MOST)
        self._frames: Memo[pd.DataFrame] = Memo(most=_MOST)

    def by(
        self, cutoff: float, level: Level = "district", group: Group | None = None
    ) -> pd.DataFrame:
        """Figures of each unit under a cutoff; columns as in `Coverage.by`.

        Parameters
        ----------
        cutoff
            In the standard's unit, inclusive.
        level, group
            As `Coverage.by` takes them.

        Raises
        ------
        UnknownNameError
            The city has no unit of that level.
        """
        result = self.result
        if level == "city" and level not in result.levels:
            return self._table(lambda: whole(result.city), "city", cutoff, group)
        if level not in result.levels:
            raise unknown_name("level", level, result.levels)
        table = self._table(lambda: heads(result.city, level), level, cutoff, group)
        last = table.iloc[-1]
        return table if last["people"] or last["facilities"] else table.iloc[:-1]

    def total(self, cutoff: float, group: Group | None = None) -> pd.Series:
        """Figures of the whole city under a cutoff."""
        return self._table(lambda: whole(self.result.city), "", cutoff, group).iloc[0]

    def ready(self, level: Level, group: Group | None = None) -> bool:
        """Whether figures of a level and group need no more sorting."""
        group = group or self.result.standard.group
        return all(self._tables.peek((name, group)) is not None for name in (level, ""))

    def curve(
        self,
        cutoffs: Floats,
        unit: int | None = None,
        level: Level = "district",
        group: Group | None = None,
    ) -> Floats:
        """People served under each of some cutoffs.

        Parameters
        ----------
        cutoffs
            In the standard's unit.
        unit
            Number of the unit in the order of codes; the whole city when None.
        level, group
            As `by` takes them.
        """
        held = self._sorted("" if unit is None else level, group)
        row = unit or 0
        run = slice(held.start[row], held.start[row + 1])
        at = np.searchsorted(held.distance[run], np.asarray(cutoffs) + SLACK, side="right")
        return np.append(0, held.parts[run])[at] * PART

    def _table(
        self, head: Callable[[], pd.DataFrame], own: str, cutoff: float, group: Group | None
    ) -> pd.DataFrame:
        held = self._sorted(own, group)
        key = own, group or self.result.standard.group
        frame = self._frames.get(key, lambda: self._frame(head(), own, held))
        count = len(held.people)
        people = held.people * PART
        made = np.empty((count, len(_FIGURES)))
        for row in range(count):
            made[row] = self._unit(held, row, cutoff)
        figures = dict(zip(_FIGURES, made.T, strict=True))
        with np.errstate(invalid="ignore"):
            rate = figures["served"] / np.where(people > 0, people, np.nan)
        return frame.assign(**figures, gap=people - figures["served"], rate=rate)

    def _frame(self, head: pd.DataFrame, own: str, held: _Sorted) -> pd.DataFrame:
        """Make a table of what no cutoff changes, with room for what it does."""
        result, level = self.result, own or "city"
        quota = result.standard.quota(level, result.year)  # type: ignore[arg-type]
        bound = head["level"] == "city" if level == "city" else head["code"] != ""
        wanted = pd.Series(quota.facilities if quota else pd.NA, head.index, dtype="Int64")
        table = head.assign(
            people=held.people * PART,
            served=np.nan,
            gap=np.nan,
            rate=np.nan,
            rate_low=np.nan,
            rate_high=np.nan,
            unplaced=held.unplaced * PART,
            facilities=self._sites(own, head),
            quota=wanted.where(bound),
        )
        table["missing"] = (table["quota"] - table["facilities"]).clip(lower=0)
        return table.assign(mean=np.nan, median=np.nan, p90=np.nan)

    def _unit(self, held: _Sorted, row: int, cutoff: float) -> tuple[float, ...]:
        """Tell served people, band, mean, median and 90th percentile of one unit."""
        begin, stop = int(held.start[row]), int(held.start[row + 1])
        distance = held.distance[begin:stop]
        parts = held.parts[begin:stop]
        at = int(np.searchsorted(distance, cutoff + SLACK, side="right"))
        served = int(parts[at - 1]) if at else 0
        low, high = self._band(held, row, cutoff, served)
        if not served:
            return 0.0, low, high, np.nan, np.nan, np.nan
        mean = float(held.moment[begin + at - 1]) / (served * PART)
        middle, far = (
            float(distance[np.searchsorted(parts[:at], (share - 1e-12) * served, side="left")])
            for share in (0.5, 0.9)
        )
        return served * PART, low, high, mean, middle, far

    def _band(self, held: _Sorted, row: int, cutoff: float, served: int) -> tuple[float, float]:
        """Band around the rate; see `planner.certainty.band`, whose sums these are."""
        total = float(held.people[row] * PART)
        if total <= 0:
            return np.nan, np.nan
        doubt, spread = self.result.doubt, self._spread
        begin, stop = int(held.start[row]), int(held.start[row + 1])
        distance = held.distance[begin:stop]
        cumulative = np.append(0, held.parts[begin:stop])
        squares = np.append(0.0, held.square[begin:stop])
        u = doubt.people**2

        def window(limit: float) -> tuple[int, int, Floats, Floats]:
            reach = _SURE * spread if spread > SLACK else 0.0
            first = int(np.searchsorted(distance, limit - reach + (0 if reach else SLACK), "right"))
            last = int(np.searchsorted(distance, limit + reach + (0 if reach else SLACK), "right"))
            weight = np.diff(cumulative[first : last + 1]) * (PART / total)
            part = ndtr((limit - distance[first:last]) / spread) if last > first else weight
            return first, last, weight, part

        def rate(limit: float) -> float:
            first, _, weight, part = window(limit)
            return float(cumulative[first]) * PART / total + float(weight @ part)

        first, last, weight, part = window(cutoff)
        middle = float(cumulative[first]) * PART / total + float(weight @ part)
        speed = doubt.speed if self.result.standard.unit == "min" else 0.0
        slow, fast = (
            (middle, middle)
            if not speed
            else (rate(cutoff * (1 - speed)), rate(cutoff * (1 + speed)))
        )
        near = float(squares[first]) / total**2
        far = (float(held.all_square[row]) - float(squares[last])) / total**2
        parts = (1 + u) * part * (1 - part) + u * (part - middle) ** 2
        variance = float(weight**2 @ parts) + u * ((1 - middle) ** 2 * near + middle**2 * far)
        square = float(ndtri((1 + doubt.level) / 2)) ** 2 * variance
        exact = served * PART / total
        low = min(middle - np.sqrt((middle - slow) ** 2 + square), exact)
        high = max(middle + np.sqrt((fast - middle) ** 2 + square), exact)
        return max(0.0, float(low)), min(1.0, float(high))

    @property
    def _spread(self) -> float:
        """Standard deviation of the distances, in the standard's unit."""
        metres, network = spread_m(self.result.position_m), self.result.network
        if self.result.standard.unit == "m":
            return metres
        return metres * float(network.minutes.sum() / network.length.sum())

    def _sites(self, own: str, head: pd.DataFrame) -> Ints:
        inside = self.result.facilities
        inside = inside[inside[self.result.levels].notna().any(axis=1)]
        if own not in self.result.levels:
            where = np.zeros(len(inside), dtype=np.int64)
        else:
            where = pd.Index(head["code"].iloc[:-1]).get_indexer(inside[own])
        return np.bincount(where % len(head), minlength=len(head))

    def _sorted(self, level: str, group: Group | None) -> _Sorted:
        group = group or self.result.standard.group
        return self._tables.get((level, group), lambda: self._sort(level, group))

    def _sort(self, level: str, group: Group) -> _Sorted:
        result = self.result
        demand = result.demand
        inside = demand[result.levels].notna().any(axis=1).to_numpy()
        people = np.asarray(result.city.population[group], dtype=np.float64)[inside]
        distance = demand["distance"].to_numpy()[inside]
        lost = demand["reason"].notna().to_numpy()[inside]
        home, count = np.zeros(len(people), dtype=np.int64), 1
        if level and level in result.levels:
            codes = pd.Index(heads(result.city, level)["code"].iloc[:-1])
            count = len(codes) + 1
            home = codes.get_indexer(demand[level].to_numpy()[inside]) % count
        parts = in_parts(people)

        def added(rows: Any) -> Ints:
            sums = np.zeros(count, dtype=np.int64)
            np.add.at(sums, home[rows], parts[rows])
            return sums

        all_square = np.bincount(home, people**2, minlength=count)
        every, unplaced = added(slice(None)), added(lost)
        there = np.flatnonzero(np.isfinite(distance) & (parts > 0))
        order = there[np.lexsort((distance[there], home[there]))]
        start = np.searchsorted(home[order], np.arange(count + 1))

        def running(values: Any) -> Any:
            """Add up along each unit's run."""
            sums = np.cumsum(values)
            before = np.append(0, sums)[start[:-1]]
            return sums - np.repeat(before, np.diff(start))

        weight = parts[order] * PART
        return _Sorted(
            start,
            distance[order],
            running(parts[order]),
            running(weight * distance[order]),
            running(people[order] ** 2),
            every,
            unplaced,
            np.asarray(all_square, dtype=np.float64),
        )
