"""A siting: the sites chosen, how good they are, what each adds and who is left."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.messages import text
from planner.changes import Change, Open, Resize
from planner.coverage import PART, heads, in_parts, within
from planner.reach import measure
from planner.scenario import Scenario, compare
from planner.siting.control import relative_gap
from planner.siting.telling import conflict_words
from planner.wording import people as people_words
from planner.wording import rate as rate_words

if TYPE_CHECKING:
    from layers.messages import Language
    from layers.units import Level
    from planner.coverage import Coverage
    from planner.siting.instance import Floats, Ints
    from planner.siting.problem import Problem
    from planner.siting.setting import Setting
    from planner.siting.solving import Solved

_MEASURES = {
    "mclp": "people",
    "cmclp": "people",
    "lscp": "sites",
    "clscp": "sites",
    "lscpb": "sites",
    "fair": "rate",
    "p-median": "person_distance",
    "p-centre": "distance",
    "cp-median": "person_distance",
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Siting:
    """Where to open what, how good that is, and what it does.

    Attributes
    ----------
    setting
        The problem laid out on the city.
    solved
        What the solver gave.
    objective, bound
        Of the model, in `measure`; NaN without a solution. No choice among the candidates
        does better than the bound.
    sites
        The sites in the order in which they open, then of what each adds to those before:
        ``order``, ``id``, ``name``, ``kind``, ``role``, ``upgrades``, ``code, unit,
        unit_en`` (of `Problem.level`), ``part, part_en`` (names of the finest unit), a column
        a level, ``lon, lat``, ``cost``,
        ``capacity``, ``phase`` (year, NA without phases), ``people_new`` (newly reached
        under the standard), ``people_nearest`` (within the standard of whom it is the
        nearest afterwards), ``served`` and ``rate`` of the whole city once it is open,
        geometry.
    before, after
        Coverage as it is, and of the city with the scenario made.
    """

    setting: Setting
    solved: Solved
    objective: float
    bound: float
    sites: gpd.GeoDataFrame
    before: Coverage
    after: Coverage

    @property
    def problem(self) -> Problem:
        """The problem."""
        return self.setting.problem

    @property
    def status(self) -> str:
        """``optimal``, ``feasible``, ``infeasible`` or ``unknown``; see `Solution`."""
        status = self.solved.solution.status
        if status == "optimal" and self.gap > 1e-9:  # noqa: PLR2004 - rows were cut short
            return "feasible"
        return status

    @property
    def found(self) -> bool:
        """Whether there is a choice of sites at all."""
        return self.solved.solution.found

    @property
    def gap(self) -> float:
        """Relative gap between objective and bound; inf without a solution."""
        return relative_gap(self.objective, self.bound) if self.found else float("inf")

    @property
    def measure(self) -> str:
        """What objective and bound count.

        ``people``, ``sites``, ``cost``, ``rate`` (of the worst unit), ``person_distance``
        (people times the standard's unit) or ``distance`` (of whoever goes furthest).
        """
        return measure_of(self.problem)

    @property
    def mean(self) -> float:
        """Objective of the p-median and its like a person who gets anywhere; NaN of others."""
        instance = self.setting.instance
        people = float(instance.people[instance.pairs.counts > 0].sum())
        counts = self.measure == "person_distance" and people > 0
        return self.objective / people if counts else float("nan")

    def scenario(self) -> Scenario:
        """Make the scenario that opens the sites, in their order."""
        return scenario_of(self.setting, self.sites)

    def by(self, level: Level = "district") -> pd.DataFrame:
        """Set the rates of units before and after side by side.

        Returns
        -------
        As `planner.compare`, with ``sites`` opened in each unit, and where cover falls
        off with distance or capacities count ``counted``: people that the model counts.
        """
        table = compare(self.before, self.after, level)
        sites = self.sites[level] if level in self.sites else pd.Series(dtype=object)
        opened = sites.fillna("").value_counts()
        table["sites"] = table["code"].map(opened).fillna(0).astype(int)
        share = self.solved.solution.served
        partly = self.problem.decay is not None or self.problem.traits.holds
        if share is None or not partly or level not in self.setting.before.levels:
            return table
        counted = np.zeros(len(self.setting.homes))
        counted[self.setting.row] = self.setting.instance.people * share
        parts = self._sums(in_parts(counted), level)
        table["counted"] = table["code"].map(parts).fillna(0.0)
        return table

    @cached_property
    def _class(self) -> pd.Series:
        """Of each row of the population: served, reachable or beyond; None for others."""
        setting = self.setting
        openable = np.flatnonzero(setting.instance.openable[: setting.candidates])
        cutoff = setting.standard.cutoff
        minutes = setting.standard.unit == "min"
        reach = setting.network.reach(
            setting.positions.take(openable),
            towards=self.problem.towards,
            cutoff=None if minutes else cutoff,
            cutoff_min=cutoff if minutes else None,
        )
        could = within(measure(reach, setting.homes)[0], cutoff)
        served = self.after.demand["served"].to_numpy()
        names = np.where(served, "served", np.where(could, "reachable", "beyond")).astype(object)
        counts = np.zeros(len(names), dtype=bool)
        counts[setting.row] = True
        names[~counts] = None
        return pd.Series(names, self.after.demand.index).astype(object)

    def unreached(self, level: Level = "district") -> pd.DataFrame:
        """Tell of each unit who is served and whether any candidate could reach the rest.

        Returns
        -------
        A row a unit in the order of codes: ``code, name, name_en, level, people``, then
        ``served``, ``reachable`` (by a candidate that was not chosen) and ``beyond`` (of
        every candidate), which add up to the people. People in no unit of the level
        follow in a last row where there are any.
        """
        people = self._parts
        table = heads(self.setting.city, level).assign(people=0.0)
        table["people"] = table["code"].map(self._sums(people, level)).fillna(0.0)
        for name in ("served", "reachable", "beyond"):
            mine = np.where(self._class == name, people, 0)
            table[name] = table["code"].map(self._sums(mine, level)).fillna(0.0)
        return table if table["people"].iloc[-1] else table.iloc[:-1]

    def not_served(self) -> gpd.GeoDataFrame:
        """Demand points of those not served afterwards.

        Returns
        -------
        Rows of the population layer with ``people``, ``distance`` to the nearest
        facility, ``reason`` (why it could not be placed, else None), ``class``
        (``reachable`` or ``beyond``), a column a level, geometry.
        """
        rows = self._class.isin(["reachable", "beyond"]).to_numpy()
        table = self.after.demand[rows].drop(columns=["served", "facility"])
        table.insert(0, "people", self._people[rows])
        table["class"] = self._class[rows]
        return gpd.GeoDataFrame(table, geometry=self.setting.city.population.geometry[rows])

    def served_demand(self) -> gpd.GeoDataFrame:
        """Whom each new site serves.

        Returns
        -------
        Rows of the population layer whose nearest facility afterwards is a new site
        (under capacities: that are sent to one, most of them), with ``site`` (its id),
        ``people``, ``distance`` in the standard's unit, ``newly`` (not served before),
        geometry. Covering models tell of those within the standard.
        """
        site, distance = self._assigned
        rows = np.flatnonzero(pd.notna(site))
        population = self.setting.city.population
        table = pd.DataFrame(
            {
                "site": site[rows],
                "people": self._people[rows],
                "distance": distance[rows],
                "newly": ~self.before.demand["served"].to_numpy()[rows],
            },
            index=population.index[rows],
        )
        return gpd.GeoDataFrame(table, geometry=population.geometry.iloc[rows])

    def lines(self) -> gpd.GeoDataFrame:
        """Straight lines from each new site to those whom it serves; see `served_demand`."""
        table = self.served_demand()
        place = self.sites.set_index("id").geometry
        starts = shapely.get_coordinates(place.loc[table["site"]].to_numpy())
        ends = shapely.get_coordinates(np.asarray(table.geometry.array))
        shapes = shapely.linestrings(np.stack([starts, ends], axis=1)) if len(table) else []
        lines = gpd.GeoSeries(shapes, table.index, crs=table.crs)
        return gpd.GeoDataFrame(table.drop(columns="geometry"), geometry=lines)

    def layers(self) -> dict[str, gpd.GeoDataFrame]:
        """Layers for a GeoPackage: ``sites``, ``served``, ``lines``, ``unreached``."""
        return {
            "sites": self.sites,
            "served": self.served_demand(),
            "lines": self.lines(),
            "unreached": self.not_served(),
        }

    @property
    def years(self) -> pd.DataFrame:
        """What each phase comes to: ``year, sites, cost, people_new, served, rate``."""
        rows = []
        total = self.before.total()
        served, rate = float(total["served"]), float(total["rate"])
        for year in self.problem.phases:
            here = self.sites[(self.sites["phase"] == year.year).fillna(value=False)]
            if len(here):
                served, rate = here["served"].iloc[-1], here["rate"].iloc[-1]
            rows.append(
                {
                    "year": year.year,
                    "sites": len(here),
                    "cost": float(here["cost"].sum()),
                    "people_new": float(here["people_new"].sum()),
                    "served": float(served),
                    "rate": float(rate),
                }
            )
        return pd.DataFrame(rows, columns=["year", "sites", "cost", "people_new", "served", "rate"])

    def words(self, lang: Language | None = None) -> list[str]:
        """Say what came of it: status, objective, bound and gap, why there is nothing.

        Parameters
        ----------
        lang
            ``zh`` or ``en``; the reader's when None.
        """
        solution = self.solved.solution
        if not self.found:
            words = [text(f"site.status.{self.status}", lang)]
            if self.solved.shortage is not None:
                words.append(self.solved.shortage.told(lang))
            elif solution.conflict is not None:
                words += conflict_words(solution.conflict, self.setting, lang)
            elif self.status == "infeasible":
                words.append(text("site.conflict.unknown", lang))
            return words
        told = {
            "objective": self._figure(self.objective, lang),
            "bound": self._figure(self.bound, lang),
            "gap": f"{self.gap:.2%}",
        }
        words = [text(f"site.status.{self.status}", lang, **told), *self._why_none(lang)]
        if solution.stopped is not None and self.status == "feasible":
            words.append(text(f"site.stopped.{solution.stopped}", lang))
        if self.measure == "person_distance":
            unit = text(f"unit.{self.setting.standard.unit}", lang)
            words.append(text("site.mean", lang, value=f"{self.mean:,.1f}", unit=unit))
        backup = self.solved.backup
        if backup is not None and backup.found:
            figures = {
                "people": people_words(backup.objective),
                "bound": people_words(backup.bound),
            }
            words.append(text("site.backup", lang, **figures))
        if self.solved.levels:
            lowest = ", ".join(rate_words(level.rate) for level in self.solved.levels[:3])
            words.append(text("site.levels", lang, rates=lowest))
        refused = self.setting.refused
        if len(refused):
            words.append(text("site.refused", lang, count=len(refused)))
        return words

    def _why_none(self, lang: Language | None) -> list[str]:
        """Say why nothing opens where that is best."""
        nothing = self.status == "optimal" and not len(self.sites)
        key = {"people": "site.none_adds", "sites": "site.none_needed"}.get(self.measure)
        return [text(key, lang)] if nothing and key else []

    def as_dict(self, level: Level = "district") -> dict[str, Any]:
        """Plain values for JSON.

        ``sites``, ``objective``, ``bound``, ``gap``, ``status``, rates before and after by
        unit, who is left, the problem, the standard, and the provenance of each layer.
        """
        setting, solution = self.setting, self.solved.solution
        city = setting.city
        conflict = solution.conflict
        backup = self.solved.backup
        told: dict[str, Any] = plain(
            {
                "city": {
                    "name": city.name,
                    "name_en": city.name_en,
                    "modelled": city.modelled,
                    "stand_in": city.stand_in,
                },
                "service": setting.service.key,
                "name": setting.service.name,
                "name_en": setting.service.name_en,
                "problem": self.problem.as_dict(),
                "standard": setting.standard.as_dict(),
                "model": self.problem.model,
                "status": self.status,
                "stopped": solution.stopped,
                "sense": solution.sense,
                "measure": self.measure,
                "objective": self.objective,
                "bound": self.bound,
                "gap": self.gap,
                "mean": self.mean,
                "seconds": solution.seconds,
                "words": {"zh": self.words("zh"), "en": self.words("en")},
                "candidates": {
                    "count": setting.candidates,
                    "places": [repr(one) for one in setting.places],
                    "kinds": setting.sites["kind"].value_counts().to_dict(),
                    "unplaced": setting.refused["reason"].value_counts().to_dict(),
                },
                "sites": self.sites.drop(columns="geometry").to_dict("records"),
                "cost": float(self.sites["cost"].sum()),
                "years": self.years.to_dict("records"),
                "backup": None
                if backup is None
                else {"people": backup.objective, "bound": backup.bound, "gap": backup.gap},
                "levels": [vars(one) for one in self.solved.levels],
                "before": self.before.total().to_dict(),
                "after": self.after.total().to_dict(),
                "level": level,
                "units": self.by(level).to_dict("records"),
                "unreached": self.unreached(level).to_dict("records"),
                "conflict": None
                if conflict is None
                else {
                    "limits": [self._limit(one) for one in conflict.culprits],
                    "minimal": conflict.minimal,
                    "changes": [
                        {**self._limit(one.culprit), "to": one.value, "not": one.proved}
                        for one in conflict.changes
                    ],
                },
                "outside": self.before.outside,
                "scenario": self.scenario().as_dict(),
                "layers": city.origins(),
            }
        )
        return told

    def __repr__(self) -> str:
        head = f"<Siting of {self.setting.service.key} by {self.problem.model}"
        if not self.found:
            return f"{head}: {self.status}>"
        gap = "" if self.status == "optimal" else f", gap {self.gap:.2%}"
        rates = [which.total()["rate"] for which in (self.before, self.after)]
        return (
            f"{head}: {len(self.sites)} sites, {self.objective:,.6g} {self.measure} "
            f"({self.status}{gap}); rate {rates[0]:.1%} → {rates[1]:.1%}>"
        )

    def _limit(self, culprit: Any) -> dict[str, Any]:
        setting, kind, key = self.setting, culprit.kind, culprit.key
        named: Any = None
        if kind == "floor":
            named = setting.areas.codes[key]
        elif kind in {"at_most", "at_least"}:
            named = setting.units.codes[key]
        elif kind == "required":
            named = setting.sites["id"].iloc[key]
        elif kind == "apart":
            named = [setting.sites["id"].iloc[int(side[key])] for side in setting.limits.too_near]
        return {"kind": kind, "key": named, "value": culprit.value}

    def _figure(self, value: float, lang: Language | None) -> str:
        return figure(value, self.measure, self.setting.standard.unit, lang)

    @cached_property
    def _people(self) -> Floats:
        """People of the group in any unit, by row of the population."""
        setting = self.setting
        own = np.zeros(len(setting.homes))
        own[setting.row] = setting.instance.people
        return own

    @property
    def _parts(self) -> Ints:
        return in_parts(self._people)

    def _sums(self, parts: Ints, level: Level) -> dict[str, float]:
        """Add up parts of people by unit; those in none have an empty code."""
        codes = self.after.demand[level].fillna("") if level in self.after.demand else ""
        sums = pd.Series(parts, self.after.demand.index).groupby(codes).sum()
        return {str(code): float(whole * PART) for code, whole in sums.items()}

    @cached_property
    def _assigned(self) -> tuple[np.ndarray, Floats]:
        """New site that each row of the population goes to, None for others; how far."""
        setting, solution = self.setting, self.solved.solution
        demand = self.after.demand
        site = demand["facility"].to_numpy(dtype=object).copy()
        distance = demand["distance"].to_numpy().copy()
        new = set(self.sites["id"])
        if self.problem.traits.holds and self.found:
            ids = np.array([*setting.sites["id"], None], dtype=object)
            site = np.full(len(demand), None, dtype=object)
            distance = np.full(len(demand), np.nan)
            site[setting.row] = ids[solution.assigned]
            near = setting.instance.pairs
            at = np.flatnonzero(near.site == solution.assigned[near.rows])
            distance[setting.row[near.rows[at]]] = near.distance[at]
        elif self.problem.traits.covers:
            site[~demand["served"].to_numpy()] = None
        mine = np.array([one in new for one in site], dtype=bool) & (self._people > 0)
        site[~mine] = None
        return site, distance


def measure_of(problem: Problem) -> str:
    """Tell what objective and bound of a problem count; see `Siting.measure`."""
    measure = _MEASURES[problem.model]
    return "cost" if measure == "sites" and problem.cheapest else measure


def figure(value: float, measure: str, unit: str, lang: Language | None = None) -> str:
    """Say an objective or a bound in words.

    Parameters
    ----------
    value
        The objective or the bound.
    measure
        What it counts; see `Siting.measure`.
    unit
        Unit of distances, ``m`` or ``min``.
    lang
        ``zh`` or ``en``; the reader's when None.

    Examples
    --------
    >>> figure(0.5, "rate", "m", "en"), figure(12.0, "sites", "m", "en")
    ('lowest rate 50.0%', '12 new sites')
    """
    if measure == "rate":
        told = rate_words(value)
    elif measure == "distance":
        told = f"{value:,.1f}"
    elif measure == "cost":
        told = f"{value:,.6g}"
    else:
        told = people_words(value)
    return text(f"site.measure.{measure}", lang, value=told, unit=text(f"unit.{unit}", lang))


def scenario_of(setting: Setting, sites: gpd.GeoDataFrame) -> Scenario:
    """Make the scenario that opens sites, in their order."""
    changes: list[Change] = []
    title = setting.service.title()
    for row in sites.itertuples():
        capacity = float(row.capacity) if np.isfinite(row.capacity) else None
        if row.upgrades is not None:
            assert capacity is not None
            changes.append(Resize(id=row.upgrades, capacity=capacity))
            continue
        changes.append(
            Open(
                service=setting.service.key,
                place=(row.lon, row.lat),
                id=row.id,
                name=row.name or text("site.new_name", service=title, number=row.order),
                capacity=capacity,
            )
        )
    named = text("site.scenario", service=title, model=setting.problem.model, count=len(changes))
    return Scenario(tuple(changes), name=named)


def plain(value: Any) -> Any:
    """Values as JSON knows them; what is not a finite number is nothing."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA:
        return None
    if isinstance(value, float):
        if not np.isfinite(value):
            return None
        return int(value) if value.is_integer() else value
    return value
