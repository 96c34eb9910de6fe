"""Measures: values of a plan's targets, year by year, from a city's layers."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from layers import facilities as facility_layer
from layers.units import LEVELS, assign
from planner.coverage import coverage, heads, whole
from planner.settlement import settlement
from planner.standards import unknown_name

if TYPE_CHECKING:
    from layers.population import Group
    from layers.units import Level
    from planner.coverage import Coverage
    from planner.plan import Plan
    from planner.targets import Goal, Selection, Target
    from planner.workbench import Workbench

UNIT_COLUMNS = (
    *("code", "name", "name_en", "level", "value", "goal", "met"),
    *("facilities", "quota", "missing", "planned", "candidates"),
    *("units", "units_met", "people", "served"),
)
"""Columns of every table by unit, in order; those without meaning for a target are NA."""

PART_COLUMNS = ("kind", "key", "value", "counted", "whole")
"""Columns of every table of parts, in order."""

_MEN: dict[tuple[Group, Group], str] = {
    ("residents", "women"): "men",
    ("age_60_plus", "women_60_plus"): "men_60_plus",
}
"""Whoever of the first group is not of the second."""


class Measures:
    """Values of a plan's targets in a city, each facility and home placed once.

    Facilities that lie in no unit count for no unit and not for the city either.

    Parameters
    ----------
    bench
        The city, with the plan's services.
    plan
        The plan.
    limit
        Greatest access leg in metres.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner.plan import load_plan
    >>> from planner.workbench import Workbench
    >>> plan = load_plan()
    >>> measures = Measures(Workbench(embedded("small"), services=plan.services), plan)
    >>> measures.value(plan["clinics_in_city"], 2023)
    32.0
    """

    def __init__(self, bench: Workbench, plan: Plan, *, limit: float = 300.0) -> None:
        self.bench, self.plan, self.limit = bench, plan, limit
        self.city = bench.city
        have = set(self.city.units["level"])
        self.levels: list[Level] = [level for level in LEVELS if level in have]
        self._coverages: dict[Any, Coverage] = {}
        self._heads: dict[Level, pd.DataFrame] = {}
        self._rows: dict[Selection, pd.DataFrame] = {}
        self._tables: dict[Any, pd.DataFrame] = {}

    @cached_property
    def sites(self) -> pd.DataFrame:
        """Facilities in any unit, once each: columns of the layer and one a level."""
        every = self.city.facilities
        if "entrance_of" in every:
            every = every[every["entrance_of"].isna()]
        placed = every.drop(columns="geometry").join(assign(every.geometry, self.city.units))
        return pd.DataFrame(placed[placed[self.levels].notna().any(axis=1)])

    @cached_property
    def _services(self) -> frozenset[str]:
        """Services of which the layer has any row."""
        return frozenset(self.sites["service"].unique())

    def is_measurable(self, target: Target) -> bool:
        """Tell whether the layers hold what the target speaks of.

        A service without any row, open or not, is one of which nothing is known: none is
        counted as nought.
        """
        if target.chosen is None:
            return False
        known = self._services
        asked = [target.chosen, *([] if target.whole is None else [target.whole])]
        if target.kind == "share":
            return target.whole is not None and target.whole.service in known
        levels = set(target.tiers.values()) if target.tiers else {target.level}
        return all(part.service in known for part in asked) and levels <= {"city", *self.levels}

    def value(self, target: Target, year: int, goal: Goal | None = None) -> float | None:
        """Value of the whole city at the end of a year; None where it cannot be measured.

        Parameters
        ----------
        target
            The target.
        year
            Year at whose end facilities are counted.
        goal
            Goal whose quota decides what a unit is to have; the last when None.
        """
        if not self.is_measurable(target):
            return None
        if target.kind == "reach":
            return _plain(self._reach(target, year).total(self._groups(target)[0])["rate"])
        table = self._head("city")
        self._fill(table, target, year, "city", goal)
        return _plain(table["value"].iloc[0])

    def resolution(self, target: Target, goal: Goal | None) -> float:
        """Step between one value and the next possible: one facility, or its part of a share."""
        if target.kind == "quota":
            asked = len(self._units(target.level)) * _quota(goal)
            return 1.0 / max(asked, 1)
        return 1.0 if target.kind == "count" and target.measure == "facilities" else 0.0

    def by(self, target: Target, year: int, level: Level, goal: Goal | None = None) -> pd.DataFrame:
        """Figures of each unit of a level at the end of a year.

        Parameters
        ----------
        target, year, goal
            As `value` takes them.
        level
            A level of the city's.

        Returns
        -------
        A row a unit in the order of codes with `UNIT_COLUMNS`: ``value`` of the unit, the
        ``goal`` for it and whether it is ``met`` (both NA where the target sets the unit
        none), ``facilities`` open, ``quota`` and ``missing`` (facilities short of it within
        the unit), ``planned`` (to open by the goal's year, or this one if later, or with no
        year stated), ``candidates``, ``units`` of the target's level within the unit that
        must have a quota and ``units_met``; of targets by reach ``people`` of the group and
        ``served``.

        Raises
        ------
        UnknownNameError
            The city has no unit of that level.
        """
        if level not in {"city", *self.levels}:
            raise unknown_name("level", level, self.levels)
        key = (target.key, year, level, goal)
        if key not in self._tables:
            self._tables[key] = self._by(target, year, level, goal)
        return self._tables[key].copy()

    def parts(self, target: Target, year: int) -> pd.DataFrame:
        """Values of parts: kinds of venue, tiers, groups and sexes, town and country.

        Returns
        -------
        A row a part with `PART_COLUMNS`: ``kind`` (``venue``, ``tier``, ``group``,
        ``settlement``), ``key``, ``value``, and what it is the quotient of.
        """
        rows: list[tuple[Any, ...]] = []
        if target.kind == "tiers" and target.service in self._services:
            # Those of a level without units are listed without a value.
            rows = self._tier_parts(target, year)
        elif self.is_measurable(target):
            if target.kind == "venues":
                rows = self._venue_parts(target, year)
            elif target.kind == "share":
                rows = self._share_parts(target, year)
            elif target.kind == "reach":
                rows = self._reach_parts(target, year)
        table = pd.DataFrame(rows, columns=list(PART_COLUMNS))
        return table.astype({"value": "float64", "counted": "float64", "whole": "float64"})

    def without_capacity(self, target: Target, year: int) -> int:
        """Count the facilities that a value by capacity leaves out: they state none."""
        if target.chosen is None or not (target.kind == "capacity" or target.measure == "capacity"):
            return 0
        asked = [target.chosen, *([] if target.whole is None else [target.whole])]
        return sum(int(self._open(part, year)["capacity"].isna().sum()) for part in asked)

    def coverage(self, target: Target, year: int) -> Coverage | None:
        """Coverage that a target's service gives at the end of a year, or None."""
        return self._reach(target, year) if self.is_measurable(target) else None

    def _by(self, target: Target, year: int, level: Level, goal: Goal | None) -> pd.DataFrame:
        table = self._head(level)
        codes = pd.Index(table["code"])
        if target.chosen is not None:
            by = max(goal.year, year) if goal is not None else self.plan.last_year
            for name, rows in (
                ("facilities", self._open(target.chosen, year)),
                ("planned", self._planned(target.chosen, by)),
                ("candidates", self._of(target.chosen, "candidate")),
            ):
                table[name] = self._count(rows, level, codes)
        if self.is_measurable(target):
            self._fill(table, target, year, level, goal)
        for name in UNIT_COLUMNS:
            if name not in table:
                table[name] = pd.NA
        return _typed(table[list(UNIT_COLUMNS)])

    def _units(self, level: Level) -> pd.DataFrame:
        if level not in self._heads:
            self._heads[level] = pd.DataFrame(heads(self.city, level).iloc[:-1])
        return self._heads[level].copy()

    def _head(self, level: Level) -> pd.DataFrame:
        if level == "city" and level not in self.levels:
            return whole(self.city)
        return self._units(level)

    def _select(self, chosen: Selection) -> pd.Series:
        rows = self.sites["service"] == chosen.service
        if chosen.tiers:
            rows &= self.sites["tier"].isin(chosen.tiers)
        if chosen.venues:
            rows &= self.sites["venue"].isin(chosen.venues)
        return pd.Series(rows)

    def _all(self, chosen: Selection) -> pd.DataFrame:
        if chosen not in self._rows:
            self._rows[chosen] = self.sites[self._select(chosen)]
        return self._rows[chosen]

    def _open(self, chosen: Selection, year: int) -> pd.DataFrame:
        return pd.DataFrame(facility_layer.open_in(self._all(chosen), year))

    def _of(self, chosen: Selection, status: str) -> pd.DataFrame:
        rows = self._all(chosen)
        return rows[rows["status"] == status]

    def _planned(self, chosen: Selection, by: int) -> pd.DataFrame:
        rows = self._of(chosen, "planned")
        return rows[(rows["opened"] <= by).fillna(value=True)]

    def _count(
        self, rows: pd.DataFrame, level: Level, codes: pd.Index, weight: pd.Series | None = None
    ) -> Any:
        """Add up rows, or a column of them, by unit of a level."""
        weights = None if weight is None else weight.to_numpy(dtype=np.float64)
        if level == "city" and level not in self.levels:
            return [len(rows) if weights is None else float(weights.sum())]
        at = codes.get_indexer(pd.Index(rows[level]))
        inside = at >= 0
        return np.bincount(
            at[inside],
            weights=None if weights is None else weights[inside],
            minlength=len(codes),
        )

    def _fill(
        self, table: pd.DataFrame, target: Target, year: int, level: Level, goal: Goal | None
    ) -> None:
        fill = {
            "quota": self._fill_quota,
            "count": self._fill_count,
            "share": self._fill_share,
            "venues": self._fill_share,
            "tiers": self._fill_tiers,
            "reach": self._fill_reach,
            "capacity": self._fill_capacity,
        }[target.kind]
        fill(table, target, year, level, goal)
        if goal is None or table["value"].isna().all():
            return
        if target.kind == "quota":
            bound = table["units"] > 0
        else:
            bound = pd.Series(level == target.level, table.index)
        table["goal"] = pd.Series(goal.value, table.index).where(bound)
        reached = pd.Series(
            [pd.notna(value) and target.is_met(value, goal) for value in table["value"]],
            table.index,
            dtype="boolean",
        )
        table["met"] = reached.where(bound & table["value"].notna())

    def _fill_quota(
        self, table: pd.DataFrame, target: Target, year: int, level: Level, goal: Goal | None
    ) -> None:
        quota = _quota(goal)
        own = self._units(target.level) if target.level in self.levels else self._head("city")
        if LEVELS.index(level) > LEVELS.index(target.level):
            table["value"] = np.nan
            table["units"] = 0
            return
        chosen = target.chosen
        assert chosen is not None
        count = pd.Series(
            self._count(self._open(chosen, year), target.level, pd.Index(own["code"]))
        )
        filled = count.clip(upper=quota)
        at = self._within(own["code"], target.level, level, table["code"])
        inside = at >= 0

        def summed(values: Any) -> Any:
            return np.bincount(
                at[inside],
                weights=np.asarray(values, dtype=np.float64)[inside],
                minlength=len(table),
            )

        units = summed(np.ones(len(own)))
        with np.errstate(invalid="ignore", divide="ignore"):
            table["value"] = np.where(units > 0, summed(filled) / (units * quota), np.nan)
        table["units"], table["units_met"] = units, summed(count >= quota)
        table["missing"] = summed(quota - filled)
        if level == target.level:
            table["quota"] = quota

    def _fill_count(
        self, table: pd.DataFrame, target: Target, year: int, level: Level, goal: Goal | None
    ) -> None:
        assert target.chosen is not None
        rows = self._open(target.chosen, year)
        weight = rows["capacity"].fillna(0.0) if target.measure == "capacity" else None
        table["value"] = np.asarray(
            self._count(rows, level, pd.Index(table["code"]), weight), dtype=np.float64
        )
        if goal is not None and level == "city" and target.direction == "at_least":
            if target.measure == "facilities":
                table["quota"] = goal.value
            table["missing"] = (goal.value - table["value"]).clip(lower=0)

    def _fill_share(
        self, table: pd.DataFrame, target: Target, year: int, level: Level, _: Goal | None
    ) -> None:
        counted, of = self._share_rows(target, year)
        codes = pd.Index(table["code"])
        part, base = (
            np.asarray(self._count(rows, level, codes, weight), dtype=np.float64)
            for rows, weight in ((counted, _weight(target, counted)), (of, _weight(target, of)))
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            table["value"] = np.where(base > 0, part / base, np.nan)

    def _fill_tiers(
        self, table: pd.DataFrame, target: Target, year: int, level: Level, _: Goal | None
    ) -> None:
        shares, units, met = [], np.zeros(len(table)), np.zeros(len(table))
        for tier, own in target.tiers.items():
            if LEVELS.index(own) < LEVELS.index(level):
                continue
            has, at = self._has_tier(target, tier, own, year, level, table["code"])
            inside = at >= 0
            every = np.bincount(at[inside], minlength=len(table))
            having = np.bincount(at[inside], weights=has[inside], minlength=len(table))
            with np.errstate(invalid="ignore", divide="ignore"):
                shares.append(np.where(every > 0, having / every, np.nan))
            units, met = units + every, met + having
        table["units"], table["units_met"] = units, met
        stacked = np.array(shares) if shares else np.full((1, len(table)), np.nan)
        # A unit without units of the tiers' levels below has no share; nor a warning of it.
        table["value"] = np.where(
            np.isnan(stacked).all(axis=0), np.nan, np.fmin.reduce(stacked, axis=0)
        )

    def _fill_reach(
        self, table: pd.DataFrame, target: Target, year: int, level: Level, _: Goal | None
    ) -> None:
        rates = self._reach(target, year).by(level, self._groups(target)[0])
        rates = rates.set_index("code").reindex(table["code"])
        for name, column in (("value", "rate"), ("people", "people"), ("served", "served")):
            table[name] = rates[column].to_numpy()

    def _fill_capacity(
        self, table: pd.DataFrame, target: Target, year: int, level: Level, _: Goal | None
    ) -> None:
        assert target.chosen is not None
        rows = self._open(target.chosen, year)
        codes = pd.Index(table["code"])
        places = np.asarray(self._count(rows, level, codes, rows["capacity"].fillna(0.0)))
        people = self._people(target.groups[0], level, codes)
        table["people"] = people
        known = len(rows) == 0 or bool(rows["capacity"].notna().any())
        with np.errstate(invalid="ignore", divide="ignore"):
            table["value"] = np.where((people > 0) & known, 1000 * places / people, np.nan)

    def _people(self, group: Group, level: Level, codes: pd.Index) -> Any:
        home = self.city.population_units
        people = self.city.population[group].to_numpy(dtype=np.float64)
        if level == "city" and level not in self.levels:
            return np.array([people[home.notna().any(axis=1).to_numpy()].sum()])
        at = codes.get_indexer(pd.Index(home[level]))
        return np.bincount(at[at >= 0], weights=people[at >= 0], minlength=len(codes))

    def _within(self, codes: pd.Series, own: Level, level: Level, among: pd.Series) -> Any:
        """Row among a level's units that each unit of a finer or the same level lies in."""
        if level == "city" and level not in self.levels:
            return np.zeros(len(codes), dtype=np.int64)
        parent = dict(zip(self.city.units["code"], self.city.units["parent"], strict=True))
        levels = dict(zip(self.city.units["code"], self.city.units["level"], strict=True))
        if own == level:
            return pd.Index(among).get_indexer(codes)
        above = []
        for code in codes:
            at: Any = code
            while at is not None and pd.notna(at) and levels.get(at) != level:
                at = parent.get(at)
            above.append(at)
        return pd.Index(among).get_indexer(pd.Index(above, dtype=object))

    def _share_rows(self, target: Target, year: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        assert target.chosen is not None
        counted = self._open(target.chosen, year)
        if target.kind == "venues":
            # A venue without a facility stands in the layer as a candidate, or as one that
            # is planned, closed or not open yet.
            return counted, self._all(target.chosen)
        assert target.whole is not None
        return counted, self._open(target.whole, year)

    def _venue_parts(self, target: Target, year: int) -> list[tuple[Any, ...]]:
        counted, of = self._share_rows(target, year)
        assert target.chosen is not None
        return [
            _part("venue", venue, (counted["venue"] == venue).sum(), (of["venue"] == venue).sum())
            for venue in target.chosen.venues
        ]

    def _share_parts(self, target: Target, year: int) -> list[tuple[Any, ...]]:
        counted, of = self._share_rows(target, year)
        venues = [venue for venue in dict.fromkeys(of["venue"]) if venue]
        made = []
        for venue in sorted(venues):
            part, base = (
                float(
                    (rows["venue"] == venue).sum()
                    if target.measure == "facilities"
                    else rows.loc[rows["venue"] == venue, "capacity"].sum()
                )
                for rows in (counted, of)
            )
            made.append(_part("venue", venue, part, base))
        return made

    def _tier_parts(self, target: Target, year: int) -> list[tuple[Any, ...]]:
        made = []
        for tier, own in target.tiers.items():
            if own not in {"city", *self.levels}:
                made.append(("tier", tier, np.nan, np.nan, np.nan))
                continue
            head = self._head("city")
            has, _ = self._has_tier(target, tier, own, year, "city", head["code"])
            made.append(_part("tier", tier, has.sum(), len(has)))
        return made

    def _has_tier(
        self, target: Target, tier: str, own: Level, year: int, level: Level, among: pd.Series
    ) -> tuple[Any, Any]:
        """Whether each unit of a tier's level has a facility of it, and where the unit lies."""
        assert target.chosen is not None
        rows = self._open(replace(target.chosen, tiers=(tier,)), year)
        units = self._head(own)
        has = np.asarray(self._count(rows, own, pd.Index(units["code"]))) > 0
        return has, self._within(units["code"], own, level, among)

    def _groups(self, target: Target) -> tuple[Group, ...]:
        assert target.service is not None
        standard = self.plan.services[target.service].standard
        return target.groups or (standard.group, *standard.also)

    def _reach(self, target: Target, year: int) -> Coverage:
        chosen = target.chosen
        assert chosen is not None
        rows = self._open(chosen, year)
        key = (chosen, tuple(sorted(rows["id"])))
        if key not in self._coverages:
            self._coverages[key] = self._cover(chosen, year)
        # Two years with the same facilities have the same coverage.
        return self._coverages[key]

    def _cover(self, chosen: Selection, year: int) -> Coverage:
        if not (chosen.tiers or chosen.venues):
            return self.bench.coverage(chosen.service, year=year, limit=self.limit)
        layer = self.city.facilities
        owners = facility_layer.owners(layer)
        kept = layer[owners.isin(self.sites.loc[self._select(chosen), "id"])]
        service = self.bench.services[chosen.service]
        return coverage(
            replace(self.city, facilities=kept),
            service,
            year=year,
            network=self.bench.network(service.standard),
            homes=self.bench.homes(service.standard, limit=self.limit),
            limit=self.limit,
        )

    def _reach_parts(self, target: Target, year: int) -> list[tuple[Any, ...]]:
        result = self._reach(target, year)
        groups = self._groups(target)
        totals = {group: result.total(group) for group in groups}
        made = [
            _part("group", group, total["served"], total["people"])
            for group, total in totals.items()
        ]
        for (whole_of, women), men in _MEN.items():
            if whole_of in totals and women in totals:
                every, some = totals[whole_of], totals[women]
                made.append(
                    _part(
                        "group",
                        men,
                        every["served"] - some["served"],
                        every["people"] - some["people"],
                    )
                )
        if "township" in self.levels:
            table = result.by("township", groups[0])
            kinds = settlement(table["name"])
            for kind in ("town", "country"):
                own = table[kinds == kind]
                if len(own):
                    made.append(_part("settlement", kind, own["served"].sum(), own["people"].sum()))
        return made


def _quota(goal: Goal | None) -> int:
    return 1 if goal is None or goal.quota is None else goal.quota


def _weight(target: Target, rows: pd.DataFrame) -> pd.Series | None:
    return rows["capacity"].fillna(0.0) if target.measure == "capacity" else None


def _part(kind: str, key: str, counted: Any, of: Any) -> tuple[Any, ...]:
    return kind, key, float(counted) / float(of) if of else np.nan, float(counted), float(of)


def _plain(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    counts = ("facilities", "quota", "planned", "candidates", "units", "units_met")
    return table.astype(
        {
            **dict.fromkeys(("value", "goal", "missing", "people", "served"), "Float64"),
            **dict.fromkeys(counts, "Int64"),
            "met": "boolean",
        }
    )
