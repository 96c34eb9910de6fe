"""What all sessions of a desk share: the city and what was computed of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from layers.errors import PlannerError
from layers.messages import LANGUAGES, text
from layers.population import GROUPS
from layers.streets import MODES
from planner import wording
from planner.changes import Base
from planner.coverage import coverage
from planner.indicators import monitor
from planner.maps import live, words
from planner.maps.fields import Field, Streets
from planner.maps.live import plain_units
from planner.maps.tiles import Distances, Ground, Points, Tiles
from planner.memo import Memo
from planner.network import Network
from planner.plan import load_plan
from planner.scenario import Scenario
from planner.standards import Services, Standard, load_services
from planner.store import Store
from planner.sweep import Sweep
from planner.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import pandas as pd

    from layers import City
    from layers.datum import Datum
    from layers.messages import Language
    from layers.population import Group
    from layers.streets import Mode
    from layers.units import Level
    from planner.coverage import Coverage
    from planner.indicators import Monitoring
    from planner.jobs import Supervisor
    from planner.maps.basemaps import Basemap
    from planner.plan import Plan
    from planner.positions import Positions
    from planner.reach import Unit
    from planner.report.model import Report, ReportKind
    from planner.store.record import Record

YEARS = range(2020, 2026)
"""Years of the plan: its base and its five years."""

_MEASURED, _LINES = 24, 6
_CURVE = 160


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is asked; what is None is as the service's own standard says.

    Attributes
    ----------
    service
        Key of the service.
    level
        Level of the units.
    year
        Year at whose end facilities are taken, or None for those of now.
    mode
        How people travel.
    unit
        Whether the cutoff is in metres or in minutes.
    cutoff
        How near counts as served, in the unit.
    group
        Whom the figures are of.
    scenario
        Changes that are made to the city first; none for the city as it is.
    """

    service: str
    level: Level
    year: int | None = None
    mode: Mode | None = None
    unit: Unit | None = None
    cutoff: float | None = None
    group: Group | None = None
    scenario: Scenario | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What a choice comes to.

    Attributes
    ----------
    choice
        What was asked.
    standard
        What counts as served.
    measured
        The distances that it follows from.
    units
        Figures by unit, as `Coverage.by` gives them.
    total
        Figures of the whole city.
    """

    choice: Choice
    standard: Standard
    measured: Measured
    units: pd.DataFrame
    total: pd.Series

    @property
    def usual(self) -> bool:
        """Whether the standard is the service's own."""
        return self.standard == self.measured.result.service.standard


class Measured:
    """Distances of everybody to a service, and what maps draw of them.

    Parameters
    ----------
    result
        A coverage; its cutoff does not matter.
    lines
        Makes the lines of a network for a basemap of a datum.
    homes
        Where everybody stands on the network.
    changed
        Ids of facilities that a scenario has opened or moved.

    Attributes
    ----------
    result, homes, changed
        As given.
    """

    def __init__(
        self,
        result: Coverage,
        lines: Callable[[Network, Datum], Streets],
        homes: Positions,
        changed: frozenset[str] = frozenset(),
    ) -> None:
        self.result, self.homes, self.changed = result, homes, changed
        self.sweep = Sweep(result)
        self._lines = lines
        self._gaps: dict[Group, Points] = {}
        self._lost: dict[Group, tuple[pd.DataFrame, float]] = {}

    def lost(self, group: Group) -> tuple[pd.DataFrame, float]:
        """Tell what could not be placed, as `Coverage.unplaced`, and people who lie in no unit."""
        if group not in self._lost:
            of_group = replace(self.result, standard=replace(self.result.standard, group=group))
            self._lost[group] = of_group.unplaced, of_group.outside
        return self._lost[group]

    def ready(self, level: Level, group: Group) -> bool:
        """Whether figures of a level and group are at hand."""
        return group in self._lost and self.sweep.ready(level, group)

    def prepare(self, level: Level, group: Group) -> None:
        """Make ready what the first figures and the first map want."""
        self.sweep.by(1.0, level, group)
        self.sweep.total(1.0, group)
        self.lost(group)
        assert self.distances.key

    @cached_property
    def distances(self) -> Distances:
        """Tiles of distances along the streets."""

        def made(datum: Datum) -> Field:
            lines = self._lines(self.result.network, datum)
            return Field.of(self.result.reach, lines, datum=datum)

        return Distances(made("wgs84"), made)

    @cached_property
    def facilities(self) -> Points:
        """Tiles of the facilities."""
        table = self.result.facilities
        lon, lat = shapely.get_coordinates(table.geometry.array).T
        tips = {lang: live.facility_tips(table, lang) for lang in LANGUAGES}
        return Points(
            lon,
            lat,
            np.ones(len(table)),
            apart=64,
            alone=14,
            hollow=table["reason"].notna().to_numpy(),
            ids=[str(found) for found in table["id"]],
            words=lambda row, lang: tips["en" if lang == "en" else "zh"][row],
            name="\n".join(tips["zh"]),
        )

    def gap(self, group: Group) -> Points:
        """Tiles of the people who are not served."""
        if group not in self._gaps:
            result = self.result
            points = result.city.population
            lon, lat = shapely.get_coordinates(points.geometry.array).T
            weight = points[group].to_numpy(dtype=np.float64)
            weight = np.where(result.demand[result.levels].isna().all(axis=1), 0.0, weight)
            self._gaps[group] = Points(
                lon,
                lat,
                weight,
                distance=result.demand["distance"].to_numpy(),
                hollow=result.demand["reason"].notna().to_numpy(),
                words=self._gap_words(weight),
                name=f"{result.service.key} {result.standard.unit}",
            )
        return self._gaps[group]

    def _gap_words(self, weight: np.ndarray) -> Callable[[int, str], str]:
        demand, unit = self.result.demand, self.result.standard.unit
        distance, reason = demand["distance"].to_numpy(), demand["reason"].to_numpy()

        def told(row: int, lang: str) -> str:
            spoken: Language = "en" if lang == "en" else "zh"
            said = text("map.tip_gap", spoken, people=wording.people(weight[row]))
            if isinstance(reason[row], str):
                return f"{said}<br>{words.said(f'map.reason.{reason[row]}', spoken)}"
            far = words.distance(float(distance[row]), unit, spoken)
            return f"{said}<br>{words.said('map.tip_nearest', spoken, distance=far)}"

        return told


class Study:
    """A city with its networks, distances and tiles, each computed once.

    Nothing in it belongs to one session; all of it follows from the city. Any thread may ask
    for anything: who wants what another is computing waits for that alone.

    Parameters
    ----------
    city
        The city.
    services
        The services; the program's own when None.
    plan
        The plan that is followed; the program's own when None.
    basemaps
        Basemaps of others that a reader may choose.
    store
        Where scenarios are kept; the usual place, opened when first wanted, when None.

    Attributes
    ----------
    jobs
        What does work that lasts beside the server; None where nothing does.
    """

    def __init__(
        self,
        city: City,
        *,
        services: Services | None = None,
        plan: Plan | None = None,
        basemaps: tuple[Basemap, ...] = (),
        store: Store | None = None,
    ) -> None:
        self.city = city
        self.jobs: Supervisor | None = None
        self._store = store
        self.services = services or load_services()
        self.plan = plan or load_plan(services=self.services)
        self.basemaps = basemaps
        have = set(city.units["level"])
        self.levels = [level for level in _levels() if level in have]
        self.groups = [group for group in GROUPS if group in city.population]
        self.tiles = Tiles()
        self.bench = Workbench(city, services=self.services)
        self._opening = Lock()
        self._measured: Memo[Measured] = Memo(most=_MEASURED)
        self._lines: Memo[Streets] = Memo(most=_LINES)
        self._units: Memo[gpd.GeoDataFrame] = Memo()
        self._monitorings: Memo[Monitoring] = Memo()
        self._following = self.bench.serving(self.plan.services)

    @cached_property
    def ground(self) -> Ground:
        """Tiles of the city's own basemap."""
        return Ground(self.city)

    @property
    def store(self) -> Store:
        """Where scenarios are kept.

        Raises
        ------
        StoreError
            It cannot be opened; the message says why.
        """
        with self._opening:
            if self._store is None:
                self._store = Store()
            return self._store

    def standard(self, choice: Choice) -> Standard:
        """Tell what counts as served under a choice.

        Raises
        ------
        UnknownNameError
            There is no such service.
        """
        own = self.services[choice.service].standard
        mode, unit = choice.mode or own.mode, choice.unit or own.unit
        cutoff = choice.cutoff or own.cutoff
        asked: dict[str, Any] = {"group": choice.group or own.group}
        if asked["group"] != own.group:
            asked["also"] = ()
        if mode != own.mode:
            pace = dict.fromkeys(("speed_kmh", "class_speeds", "limit_share", "junction_delay_s"))
            asked |= {"mode": mode, **pace}
        if (mode, unit, cutoff) != (own.mode, own.unit, own.cutoff):
            asked |= {
                "cutoff_m": cutoff if unit == "m" else None,
                "cutoff_min": cutoff if unit == "min" else None,
                "source": text("desk.own_standard", "zh"),
                "source_en": text("desk.own_standard", "en"),
            }
        return replace(own, **asked)

    def answer(self, choice: Choice) -> Answer:
        """Compute, or find again, what a choice asks for.

        Raises
        ------
        PlannerError
            It cannot be computed; the message says why.
        """
        standard = self.standard(choice)
        measured = self.measured(choice)
        sweep, group = measured.sweep, standard.group
        self.plain_units(choice.level)
        if not measured.ready(choice.level, group):
            measured.prepare(choice.level, group)
        return Answer(
            choice=choice,
            standard=standard,
            measured=measured,
            units=sweep.by(standard.cutoff, choice.level, group),
            total=sweep.total(standard.cutoff, group),
        )

    def has(self, choice: Choice) -> bool:
        """Whether the distances that a choice asks for are at hand."""
        measured = self._measured.peek(self._which(choice))
        return measured is not None and measured.ready(choice.level, self.standard(choice).group)

    def measured(self, choice: Choice) -> Measured:
        """Measure the distances that a choice asks for, or find them again."""
        which, standard = self._which(choice), self.standard(choice)
        return self._measured.get(which, lambda: self._measure(choice, standard))

    def _which(self, choice: Choice) -> Any:
        standard = self.standard(choice)
        pace = tuple(standard.pace.items())
        # A scenario's name makes no figure another.
        changes = () if choice.scenario is None else choice.scenario.changes
        return choice.service, choice.year, standard.mode, standard.unit, pace, changes

    def _measure(self, choice: Choice, standard: Standard) -> Measured:
        service, scenario = self.services[choice.service], choice.scenario
        city, changed, lines = self.city, frozenset[str](), self.lines
        network = homes = None
        if scenario is not None:
            made = scenario.outcome(Base.of(self.city, self.services))
            city = scenario.apply(self.city, services=self.services)
            changed = frozenset({*made.opened, *made.moved})
        if scenario is None or not any(standard.mode in modes for modes in made.streets.values()):
            network, homes = self.bench.network(standard), self.bench.homes(standard)
        else:
            # Of the streets that are left.
            network = Network.build(city.streets, standard.mode, crs=city.crs, **standard.pace)
            homes = network.locate(city.population)
            lines = _lines_of
        result = coverage(
            city, service, standard=standard, year=choice.year, network=network, homes=homes
        )
        made_of = Measured(result, lines, homes, changed)
        made_of.prepare(choice.level, standard.group)
        return made_of

    def scenarios(self) -> list[tuple[Record, Scenario]]:
        """Scenarios that are kept and can be made in the city.

        Raises
        ------
        StoreError
            The store cannot be read.
        """
        kept = self.store.records("scenario")
        own = [record for record in kept if record.city in {"", self.city.name}]
        made, base = [], Base.of(self.city, self.services)
        for record in own:
            # What a later program wrote is not offered.
            with suppress(PlannerError):
                scenario = replace(Scenario.from_dict(record.body), name=record.name)
                scenario.outcome(base)
                made.append((record, scenario))
        return made

    def monitoring(self, year: int) -> Monitoring:
        """Follow the plan in a year, once.

        Raises
        ------
        PlannerError
            It cannot be followed; the message says why.
        """
        return self._monitorings.get(year, lambda: self._follow(year))

    def _follow(self, year: int) -> Monitoring:
        return monitor(self.city, year, plan=self.plan, bench=self._following)

    def report(self, kind: ReportKind, year: int, *, progress: Callable[[str], None]) -> Report:
        """Make a report of coverage or of the plan in a year.

        Parameters
        ----------
        kind
            Any kind but ``siting``.
        year
            A year of the plan.
        progress
            Told in words what is being computed.

        Raises
        ------
        PlannerError
            It cannot be made; the message says why.
        """
        from planner.report.making import Making  # noqa: PLC0415 - its libraries are slow to import

        making = Making(
            bench=self._following,
            plan=self.plan,
            services=self.services,
            keys=tuple(self.services),
            progress=progress,
        )
        if kind == "coverage":
            return making.coverage(year)
        return making.evaluation(kind, year)

    def lines(self, network: Network, datum: Datum = "wgs84") -> Streets:
        """Lines of a network for tiles; networks of one mode share them."""
        which = (network.mode, datum)
        return self._lines.get(which, lambda: Streets.of(network, datum=datum))

    def plain_units(self, level: Level) -> gpd.GeoDataFrame:
        """Units of a level, light to draw."""
        return self._units.get(level, lambda: plain_units(self.city, level))

    def curve(
        self, answer: Answer, code: str = "", *, most: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Distances up to a greatest one, and the people within each.

        Parameters
        ----------
        answer
            Whose people.
        code
            Of the unit; the whole city when empty.
        most
            Greatest distance.
        """
        cutoffs = np.linspace(0.0, most, _CURVE)
        rows = np.flatnonzero(answer.units["code"] == code)
        unit = int(rows[0]) if code and len(rows) else None
        sweep, group = answer.measured.sweep, answer.standard.group
        return cutoffs, sweep.curve(cutoffs, unit, answer.choice.level, group)


def _lines_of(network: Network, datum: Datum = "wgs84") -> Streets:
    return Streets.of(network, datum=datum)


MODES_OFFERED: tuple[Mode, ...] = MODES
"""Modes to choose from."""


def _levels() -> tuple[Level, ...]:
    """Levels to choose from; of the whole city the key figures speak."""
    return ("district", "township", "community", "city")
