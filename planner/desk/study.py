"""What all sessions of a desk share: the city and what was computed of it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from planner.indicators import monitor
from planner.maps.live import plain_units
from planner.plan import load_plan
from planner.standards import Services, load_services
from planner.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import pandas as pd

    from layers import City
    from layers.messages import Language
    from layers.units import Level
    from planner.coverage import Coverage
    from planner.indicators import Monitoring
    from planner.maps import Show
    from planner.plan import Plan
    from planner.report.model import Report, ReportKind

YEARS = range(2020, 2026)
"""Years of the plan: its base and its five years."""

_COVERAGES = 36

Held = TypeVar("Held")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a session asks.

    Attributes
    ----------
    service
        Key of the service.
    level
        Level of the units.
    year
        Year at whose end facilities are taken, or None for those of now.
    show
        What the map shows.
    lang
        Language.
    """

    service: str
    level: Level
    year: int | None
    show: Show
    lang: Language


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What a session is shown.

    Attributes
    ----------
    choice
        What was asked.
    result
        The coverage.
    units
        Its figures by unit.
    total
        Its figures of the whole city.
    """

    choice: Choice
    result: Coverage
    units: pd.DataFrame
    total: pd.Series

    def in_language(self, lang: Language) -> Answer:
        """Have the same figures told in another language."""
        return replace(self, choice=replace(self.choice, lang=lang))


class Study:
    """A city with its networks, coverages and maps, each computed once.

    Nothing in it belongs to one session; all of it follows from the city.

    Parameters
    ----------
    city
        The city.
    services
        The services; the program's own when None.
    plan
        The plan that is followed; the program's own when None.
    """

    def __init__(
        self, city: City, *, services: Services | None = None, plan: Plan | None = None
    ) -> None:
        self.city = city
        self.services = services or load_services()
        self.plan = plan or load_plan(services=self.services)
        have = set(city.units["level"])
        self.levels = [level for level in _levels() if level in have]
        self._lock, self._plan_lock = Lock(), Lock()
        self._bench = Workbench(city, services=self.services)
        self._coverages: OrderedDict[Any, Coverage] = OrderedDict()
        self._units: dict[Level, gpd.GeoDataFrame] = {}
        self._monitorings: OrderedDict[int, Monitoring] = OrderedDict()
        self._following = Workbench(city, services=self.plan.services)

    def answer(self, choice: Choice) -> Answer:
        """Compute, or find again, what a choice asks for.

        Raises
        ------
        PlannerError
            It cannot be computed; the message says why.
        """
        with self._lock:
            which = (choice.service, choice.year)
            result = _once(self._coverages, which, lambda: self._coverage(choice), most=_COVERAGES)
        units, total = result.by(choice.level), result.total()
        return Answer(choice=choice, result=result, units=units, total=total)

    def monitoring(self, year: int) -> Monitoring:
        """Follow the plan in a year, once.

        Raises
        ------
        PlannerError
            It cannot be followed; the message says why.
        """
        with self._plan_lock:
            return _once(self._monitorings, year, lambda: self._follow(year))

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

        with self._plan_lock:
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

    def _coverage(self, choice: Choice) -> Coverage:
        return self._bench.coverage(choice.service, year=choice.year)

    def plain_units(self, level: Level) -> gpd.GeoDataFrame:
        """Units of a level, light to draw."""
        if level not in self._units:
            self._units[level] = plain_units(self.city, level)
        return self._units[level]


def _levels() -> tuple[Level, ...]:
    """Levels to choose from; of the whole city the key figures speak."""
    return ("district", "township", "community", "city")


def _once(
    held: OrderedDict[Any, Held], key: Any, make: Callable[[], Held], *, most: int | None = None
) -> Held:
    """Take what is held under a key, or make it; what was used longest ago goes."""
    if key not in held:
        held[key] = make()
    held.move_to_end(key)
    while most is not None and len(held) > most:
        held.popitem(last=False)
    return held[key]
