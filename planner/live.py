"""Live coverage: who is served, kept up to date while facilities and streets change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers import facilities as facility_layer
from layers.crs import GEOGRAPHIC, transformed
from layers.errors import InputError
from layers.messages import text
from planner import reach as reaches
from planner._search import kernels
from planner.changes import Base, Outcome
from planner.closures import Closures
from planner.coverage import within
from planner.network import Network
from planner.positions import Positions, labels_at
from planner.reach import Reach
from planner.scenario import Scenario
from planner.standards import load_services
from planner.tallies import Tallies
from planner.updates import Labels

if TYPE_CHECKING:
    from layers import City
    from layers.population import Group
    from layers.units import Level
    from planner._search import Floats, Ints
    from planner.changes import Place
    from planner.reach import Towards
    from planner.standards import Service, Services, Standard

_NONE = np.empty(0, dtype=np.int64)
_PLACED = ("edge", "offset", "access", "refusal")


class LiveCoverage:
    """Coverage of one service that follows a scenario, change by change.

    Only what a change can affect is searched and added up again, and the figures are
    those of `planner.coverage` on the changed city, to the last digit.

    Parameters
    ----------
    city
        The city, which stays as it is.
    service, standard, services, year, network, homes, towards
        As `planner.coverage` takes them.
    limit
        Greatest access leg in metres, which the homes were placed with as well.

    Attributes
    ----------
    city, service, standard, year, network
        As given, or made of it.
    scenario
        The changes that are made now.

    Raises
    ------
    UnknownNameError, InputError
        As `planner.coverage` raises them.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner.changes import Close
    >>> from planner.scenario import Scenario
    >>> live = LiveCoverage(embedded("small"), "menopause_clinic")
    >>> before = live.by("city")["rate"].item()
    >>> first = live.city.facilities.query("service == 'menopause_clinic'")["id"].iloc[0]
    >>> affected = live.update(Scenario((Close(id=first),)))
    >>> len(affected) > 0, live.by("city")["rate"].item() <= before
    (True, True)
    """

    def __init__(
        self,
        city: City,
        service: str | Service,
        *,
        standard: Standard | None = None,
        services: Services | None = None,
        year: int | None = None,
        network: Network | None = None,
        homes: Positions | None = None,
        towards: Towards = "facility",
        limit: float = 300.0,
    ) -> None:
        if isinstance(service, str):
            service = (services or load_services())[service]
        self.service, self._base = service, Base.of(city, services)
        self.standard = standard = standard or service.standard
        if network is None:
            network = Network.build(city.streets, standard.mode, crs=city.crs, **standard.pace)
        elif network.mode != standard.mode:
            raise InputError(text("error.network_mode", found=network.mode, wanted=standard.mode))
        self.city, self.year, self.network, self.scenario = city, year, network, Scenario()
        self._towards, self._unit, self._limit = towards, standard.unit, float(limit)
        counted = facility_layer.open_in(city.facilities, year)
        counted = counted[counted["service"] == service.key]
        self._places = shapely.get_coordinates(np.asarray(counted.geometry.array))
        self._rank = {name: rank for rank, name in enumerate(counted["id"])}
        self._ids = list(counted["id"])
        self._sites = network.locate(counted.reset_index(drop=True), limit=limit)
        self._site_xy = _coordinates(counted.geometry, network)
        self._outcome = Outcome()
        self._strays: Ints = _NONE
        self._labels = Labels(network.rows(self._unit, towards), np.inf)
        self._closures = Closures(network, self._labels, self._unit, towards)
        self._labels.search(*reaches.seeds_of(network, self._sites, self._unit, towards))
        found = network.positions_of(city.population if homes is None else homes, limit=limit)
        self._homes = Positions(
            network, city.population.index, *(getattr(found, name).copy() for name in _PLACED)
        )
        self._prepare()

    def update(self, scenario: Scenario) -> pd.Index[Any]:
        """Make the changes of a scenario and take back all others.

        Parameters
        ----------
        scenario
            The changes over the base, not over what was there before: a scenario that is
            one change longer makes that change, one that is shorter takes it back.

        Returns
        -------
        Labels of the demand points whose distance, facility or position is another now.

        Raises
        ------
        InputError
            A change cannot be made, as `Scenario.outcome` tells; nothing is changed then.
        """
        made = scenario.outcome(self._base)
        moved = self._closures.change(self._shut(made))
        homes = self._move_homes(moved)
        streets, gone = self._move_sites(self._wanted(made), moved)
        self._outcome, self.scenario = made, scenario
        seeds = reaches.seeds_of(self.network, self._sites, self._unit, self._towards)
        changed = self._labels.search(*seeds, gone=gone)
        nodes = np.concatenate([changed, self.network.u[streets]])
        rows = kernels("_updates").around(*self._hung, len(self._homes), nodes, self._marks)
        # The way to those that hang elsewhere than at first is not on record.
        if len(homes):
            self._strays = np.union1d(self._strays, homes)
        if len(self._strays):
            rows = np.union1d(rows, self._strays)
        affected = np.sort(self._measure(rows))
        if len(homes):
            affected = np.union1d(affected, homes)
        index: pd.Index[Any] = self.city.population.index
        return index[affected]

    def by(self, level: Level = "district", group: Group | None = None) -> pd.DataFrame:
        """Figures of each unit of a level.

        Parameters
        ----------
        level, group
            As `planner.Coverage.by` takes them.

        Returns
        -------
        Rows as `planner.Coverage.by` has them, with its columns ``code, name, name_en,
        level, people, served, gap, rate, unplaced, facilities``.

        Raises
        ------
        UnknownNameError
            The city has no unit of that level, or there is no such group.
        """
        return self._tallies.table(level, group or self.standard.group, self._site_homes)

    @property
    def demand(self) -> pd.DataFrame:
        """The demand points now, with the columns of `planner.Coverage.demand`."""
        return pd.DataFrame(
            {
                "distance": self._distance,
                "facility": labels_at(pd.Index(self._ids), self._which, self._homes.index),
                "served": self._served,
                "reason": self._homes.reason,
            },
            index=self._homes.index,
        ).join(self.city.population_units)

    def __repr__(self) -> str:
        total = self.by("city").iloc[0]
        return (
            f"<LiveCoverage {self.service.key} of {self.city.name} with "
            f"{len(self.scenario)} changes: {total['served']:,.0f} of {total['people']:,.0f} "
            f"{self.standard.group} ({total['rate']:.1%}) within {self.standard.words('en')} of "
            f"{int(total['facilities']):,} facilities>"
        )

    def _prepare(self) -> None:
        """Measure everybody once, and note who hangs on which junction."""
        network, homes, leaving = self.network, self._homes, self._towards == "facility"
        self._distance, self._which = reaches.measure(self._reach, homes)
        self._served = within(self._distance, self.standard.cutoff)
        there, back = network.paces(self._unit, np.arange(len(network.length)))
        # People leave over u where the street is open backwards, or come to it forwards.
        ways = (network.backward, back), (network.forward, there)
        (over_u, pace_u), (over_v, pace_v) = ways if leaving else ways[::-1]
        delay = network.delays(self._unit)
        self._ways = (network.u, network.v, network.length, over_u, over_v, pace_u, pace_v)
        self._delay = np.zeros(network.nodes) if delay is None else delay
        self._leg = homes.access * network.access_pace(self._unit)
        placed = homes.edge >= 0
        ends = [np.where(placed, end[homes.edge], -1) for end in (network.u, network.v)]
        self._hung = kernels("_updates").grouped(np.concatenate(ends), network.nodes)
        self._marks = np.zeros(len(homes), dtype=bool)
        self._home_xy: Floats | None = None
        self._tallies = Tallies(self.city, self._served, homes.refusal >= 0)
        self._site_homes = self._tallies.homes_of(self._places)

    @property
    def _reach(self) -> Reach:
        labels = self._labels
        return Reach(
            *(self.network, self._sites, self._towards, self._unit, np.inf),
            *(labels.distance, labels.origin),
        )

    def _shut(self, made: Outcome) -> Ints:
        """Rows of the network's streets that are closed to its mode."""
        mode = self.network.mode
        labels = [street for street, modes in made.streets.items() if mode in modes]
        # A street that was never open to the mode has no row.
        index = self.network.labels
        rows: Ints = index.get_indexer(pd.Index(labels, dtype=index.dtype)) if labels else _NONE
        return rows[rows >= 0]

    def _wanted(self, made: Outcome) -> dict[int, Place | None]:
        """Where facilities go that are not where they were, by rank; None is nowhere."""
        held, wanted = self._outcome, {}
        everywhere = {*held.moved, *made.moved}
        moved = {name for name in everywhere if held.moved.get(name) != made.moved.get(name)}
        for name in (held.closed ^ made.closed) | moved:
            rank = self._rank.get(name)
            if rank is not None:
                base = tuple(self._places[rank])
                wanted[rank] = None if name in made.closed else made.moved.get(name, base)
        # New facilities rank in the order of the scenario, behind those of the base.
        own = [
            [one for one in which.opened.values() if one.service == self.service.key]
            for which in (held, made)
        ]
        first = len(self._places)
        for number in range(max(map(len, own))):
            before, after = (each[number] if number < len(each) else None for each in own)
            if (before and before.place) != (after and after.place):
                wanted[first + number] = after.place if after else None
        self._ids[first : first + len(own[1])] = [one.id for one in own[1]]
        return wanted

    def _move_homes(self, streets: Ints) -> Ints:
        """Place those near some streets once more; who stands elsewhere now."""
        if not len(streets):
            return _NONE
        if self._home_xy is None:
            self._home_xy = _coordinates(self.city.population.geometry, self.network)
        return self._place(self._homes, self._home_xy, streets, _NONE)

    def _move_sites(self, wanted: dict[int, Place | None], streets: Ints) -> tuple[Ints, Ints]:
        """Move facilities; the streets that lost or won one, and those that went from there."""
        more = max(wanted, default=-1) + 1 - len(self._site_xy)
        if more > 0:
            self._room(more)
        ranks = np.array(list(wanted), dtype=np.int64)
        if len(ranks):
            points = [shapely.Point(place) if place else None for place in wanted.values()]
            shapes = gpd.GeoSeries(points, crs=GEOGRAPHIC)
            self._site_xy[ranks] = _coordinates(shapes, self.network)
            spots = [place or (np.nan, np.nan) for place in wanted.values()]
            self._site_homes[ranks] = self._tallies.homes_of(np.array(spots))
        edge = self._sites.edge.copy()
        moved = self._place(self._sites, self._site_xy, streets, ranks)
        both = np.concatenate([edge[moved], self._sites.edge[moved]])
        return both[both >= 0], moved[edge[moved] >= 0]

    def _room(self, more: int) -> None:
        """Make room for further facilities, which are nowhere yet."""
        count = len(self._site_xy) + more
        held = self._sites
        blank = {"edge": -1, "offset": np.nan, "access": np.nan, "refusal": 0}
        self._sites = Positions(
            self.network,
            pd.RangeIndex(count),
            *(np.append(getattr(held, name), [blank[name]] * more) for name in _PLACED),
        )
        self._site_xy = np.vstack([self._site_xy, np.full((more, 2), np.nan)])
        nowhere = np.full((more, self._site_homes.shape[1]), -1)
        self._site_homes = np.vstack([self._site_homes, nowhere])
        self._ids += [None] * (count - len(self._ids))

    def _place(self, held: Positions, xy: Floats, streets: Ints, rows: Ints) -> Ints:
        """Place some rows, and all that are near some streets; rows that stand elsewhere now."""
        if len(streets):
            rows = np.union1d(rows, self._closures.near(xy, streets, limit=self._limit))
        if not len(rows):
            return rows
        blank = np.isnan(xy[rows]).any(axis=1)
        shapes = shapely.points(xy[rows])
        shapes[blank] = None
        spots = gpd.GeoSeries(shapes, crs=self.network.crs)
        found = self._closures.place(spots, limit=self._limit)
        other = np.zeros(len(rows), dtype=bool)
        for name in _PLACED:
            old, new = getattr(held, name), getattr(found, name)
            both_nan = np.isnan(old[rows]) & np.isnan(new)
            other |= (old[rows] != new) & ~both_nan
            old[rows] = new
        moved: Ints = rows[other]
        return moved

    def _measure(self, rows: Ints) -> Ints:
        """Measure demand points again and correct the sums; those for whom something changed."""
        network, homes = self.network, self._homes
        before = self._distance[rows], self._which[rows]
        self._leg[self._strays] = homes.access[self._strays] * network.access_pace(self._unit)
        kernels("_updates").measure(
            *(rows, homes.edge, homes.offset, self._leg),
            *self._ways,
            *(self._delay, self._labels.distance, self._labels.origin, np.inf, np.inf),
            *(self._distance, self._which),
        )
        # A facility may stand on the same street.
        hosts = self._sites.edge[self._sites.edge >= 0]
        shared = rows[np.isin(homes.edge[rows], hosts)]
        if len(shared):
            found = reaches.measure(self._reach, homes.take(shared))
            self._distance[shared], self._which[shared] = found
        self._served[rows] = within(self._distance[rows], self.standard.cutoff)
        self._tallies.correct(rows, self._served[rows], homes.refusal[rows] >= 0)
        fresh = self._distance[rows]
        same = (fresh == before[0]) | (np.isnan(fresh) & np.isnan(before[0]))
        changed: Ints = rows[~(same & (self._which[rows] == before[1]))]
        return changed


def _coordinates(points: gpd.GeoSeries, network: Network) -> Floats:
    """Coordinates in the network's reference system, NaN for no point."""
    xy = np.full((len(points), 2), np.nan)
    there = shapely.get_num_coordinates(np.asarray(points.array)) > 0
    xy[there] = transformed(points, network.crs)
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    return xy
