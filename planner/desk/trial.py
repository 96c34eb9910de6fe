"""A trial: what the scenarios of one reader come to, against the base."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import geopandas as gpd
import shapely

from layers.crs import GEOGRAPHIC
from planner.desk.study import Choice
from planner.scenario import compare

if TYPE_CHECKING:
    import pandas as pd

    from layers.population import Group
    from layers.units import Level
    from planner.changes import Place
    from planner.coverage import Coverage
    from planner.desk.study import Study
    from planner.live import LiveCoverage
    from planner.scenario import Scenario


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """A scenario against the base.

    Attributes
    ----------
    scenario
        The changes.
    units
        Figures of each unit of a level before and after, as `planner.compare` has them.
    before, after
        Figures of the whole city, as `planner.Coverage.total` has them.
    """

    scenario: Scenario
    units: pd.DataFrame
    before: pd.Series
    after: pd.Series

    @property
    def rates(self) -> pd.DataFrame:
        """Figures of the units after the changes, named as `planner.Coverage.by` names them."""
        names = {f"{name}_after": name for name in ("served", "rate", "facilities")}
        return self.units.rename(columns=names)


class Trial:
    """Coverage of one service that follows the scenarios of one reader.

    Parameters
    ----------
    base
        Coverage of the city as it is.
    live
        The same, to be kept up to date; nobody else may change it.

    Attributes
    ----------
    base
        As given.
    """

    def __init__(self, base: Coverage, live: LiveCoverage) -> None:
        self.base = base
        self._live = live
        self._before = _Before(base)
        self._lock = Lock()

    @classmethod
    def begin(cls, study: Study, service: str, year: int | None) -> Self:
        """Begin to follow scenarios of a service over the city of a study.

        Raises
        ------
        PlannerError
            It cannot be computed; the message says why.
        """
        base = study.measured(Choice(service=service, level=study.levels[0], year=year)).result
        return cls(base, study.bench.live(service, year=year))

    def compare(self, scenario: Scenario, level: Level) -> Comparison:
        """Make the changes of a scenario and set what comes of it beside the base.

        Raises
        ------
        InputError
            A change cannot be made; the message names it, and the scenario before stays.
        """
        with self._lock:
            self._live.update(scenario)
            return Comparison(
                scenario=scenario,
                units=compare(self._before, self._live, level),
                before=self._before.total,
                after=self._live.total(),
            )

    def street(self, place: Place, *, limit: float = 300.0) -> int | str | None:
        """Label of the street nearest to a place (degrees, WGS-84), None beyond a limit.

        Parameters
        ----------
        place
            Longitude and latitude.
        limit
            Metres.
        """
        network = self.base.network
        spot = gpd.GeoSeries([shapely.Point(place)], crs=GEOGRAPHIC)
        edge = int(network.locate(spot, limit=limit).edge[0])
        if edge < 0:
            return None
        label: int | str = network.ground.streets.index[network.row[edge]]
        return label


class _Before:
    """Figures of the base, each table added up once."""

    def __init__(self, base: Coverage) -> None:
        self._base = base
        self._tables: dict[Any, pd.DataFrame] = {}
        self.total = base.total()

    def by(self, level: Level = "district", group: Group | None = None) -> pd.DataFrame:
        """Figures of each unit of a level."""
        if (level, group) not in self._tables:
            self._tables[level, group] = self._base.by(level, group)
        return self._tables[level, group]
