"""Live coverage: who is served, kept up to date while facilities and streets change."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
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
from planner.certainty import Doubt, half_spacing
from planner.changes import Base, Outcome
from planner.closures import Closures, Spots
from planner.coverage import coverage
from planner.network import Network
from planner.positions import Positions
from planner.reach import SLACK, Reach
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
    from planner.coverage import Coverage
    from planner.parts import Barred
    from planner.reach import Towards
    from planner.standards import Service, Services, Standard

_NONE = np.empty(0, dtype=np.int64)
_PLACED = ("edge", "offset", "access", "refusal")
_DOOR = np.dtype(
    [
        *(("over_u", np.int32), ("over_v", np.int32), ("cost_u", np.float64)),
        *(("cost_v", np.float64), ("leg", np.float64), ("direct", np.float64)),
    ]
)


class LiveCoverage:
    """Coverage of one service that follows a scenario, change by change.

    Kept up to date are the distances of junctions within the cutoff, who is served, and
    how many that makes of each group in each unit: only what a change can affect is
    searched and added up again. All figures are those of `planner.coverage` on the changed
    city, to the last digit. What lies beyond the cutoff is searched when it is asked for.

    Parameters
    ----------
    city
        The city, which stays as it is.
    service, standard, services, year, network, homes, towards, doubt
        As `planner.coverage` takes them.
    limit
        Greatest access leg in metres, which the homes were placed with as well.
    barred
        The city's streets after barriers, where the network is made of those. Barriers
        stay where they are: a closed street is closed with all its parts.

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
    >>> before = live.total()["rate"]
    >>> first = live.city.facilities.query("service == 'menopause_clinic'")["id"].iloc[0]
    >>> affected = live.update(Scenario((Close(id=first),)))
    >>> bool(live.total()["rate"] <= before)
    True
    >>> bool(live.coverage().total()["rate"] == live.total()["rate"])
    True
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
        doubt: Doubt | None = None,
        barred: Barred | None = None,
    ) -> None:
        if isinstance(service, str):
            service = (services or load_services())[service]
        self.service, self._services = service, services
        self._base = Base.of(city, services)
        self.standard = standard = standard or service.standard
        if network is None:
            network = Network.build(
                city.streets if barred is None else barred.streets,
                standard.mode,
                crs=city.crs,
                node_delays=None if barred is None else barred.delays,
                **standard.pace,
            )
        elif network.mode != standard.mode:
            raise InputError(text("error.network_mode", found=network.mode, wanted=standard.mode))
        self.city, self.year, self.network, self.scenario = city, year, network, Scenario()
        self._towards, self._unit, self._limit = towards, standard.unit, float(limit)
        self._doubt, self._barred = doubt, barred
        counted = facility_layer.open_in(city.facilities, year, entrances=True)
        counted = counted[counted["service"] == service.key]
        self._places = shapely.get_coordinates(np.asarray(counted.geometry.array))
        self._rank = {name: rank for rank, name in enumerate(counted["id"])}
        self._sites = network.locate(counted.reset_index(drop=True), limit=limit)
        self._site_xy = _coordinates(counted.geometry, network)
        self._outcome = Outcome()
        self._strays: Ints = _NONE
        self._labels = Labels(network.rows(self._unit, towards), standard.cutoff + SLACK)
        self._closures = Closures(
            *(network, self._labels, self._unit, towards), by_class=standard.junction_delay_s
        )
        self._labels.search(*reaches.seeds_of(network, self._sites, self._unit, towards))
        found = network.positions_of(city.population if homes is None else homes, limit=limit)
        self._homes = Positions(
            network, city.population.index, *(getattr(found, name).copy() for name in _PLACED)
        )
        self._made: Coverage | None = None
        self._prepare(counted)

    def update(self, scenario: Scenario) -> pd.Index[Any]:
        """Make the changes of a scenario and take back all others.

        Parameters
        ----------
        scenario
            The changes over the base, not over what was there before: a scenario that is
            one change longer makes that change, one that is shorter takes it back.

        Returns
        -------
        Labels of the demand points that are served now and were not, or the other way
        round, or stand elsewhere on the streets.

        Raises
        ------
        InputError
            A change cannot be made, as `Scenario.outcome` tells; nothing is changed then.
        """
        made = scenario.outcome(self._base)
        streets, nodes = self._closures.change(self._shut(made))
        homes = self._move_homes(streets)
        hosts, gone = self._move_sites(self._wanted(made), streets)
        self._outcome, self.scenario, self._made = made, scenario, None
        seeds = reaches.seeds_of(self.network, self._sites, self._unit, self._towards)
        changed, before = self._labels.search(*seeds, gone=gone)
        if len(homes):
            # The way to those that hang elsewhere than at first is not on record.
            self._strays = np.union1d(self._strays, homes)
            self._hang(homes)
        rows = self._strays
        if len(hosts):
            begin, hung = self._along
            own = [hung[begin[street] : begin[street + 1]] for street in np.unique(hosts)]
            rows = np.union1d(rows, np.concatenate(own))
        if len(rows):
            self._greet(rows)
        if len(nodes):
            # What passing them cost before is not on record: all around are looked at.
            changed = np.concatenate([changed, nodes])
            before = np.concatenate([before, np.full(len(nodes), np.inf)])
        turned = np.concatenate([self._serve(rows), self._serve_around(changed, before)])
        self._tallies.turned(turned)
        if len(homes):
            self._tallies.placed(homes, self._homes.refusal[homes] >= 0)
        index: pd.Index[Any] = self.city.population.index
        return index[np.union1d(turned, homes) if len(homes) else np.sort(turned)]

    def by(
        self, level: Level = "district", group: Group | None = None, *, band: bool = False
    ) -> pd.DataFrame:
        """Figures of each unit of a level.

        Parameters
        ----------
        level, group
            As `planner.Coverage.by` takes them.
        band
            Give every column of `planner.Coverage.by`. The band around a rate and how far
            people have to go want distances beyond the cutoff: the first such question
            after a change searches the whole city.

        Returns
        -------
        Rows as `planner.Coverage.by` has them, with its columns ``code, name, name_en,
        level, people, served, gap, rate, unplaced, facilities``.

        Raises
        ------
        UnknownNameError
            The city has no unit of that level, or there is no such group.
        """
        if band:
            return self.coverage().by(level, group)
        return self._tallies.table(level, group or self.standard.group, self._site_homes)

    def total(self, group: Group | None = None) -> pd.Series:
        """Figures of the whole city: everyone who lies in any unit; columns as in `by`."""
        return self._tallies.whole(group or self.standard.group, self._site_homes).iloc[0]

    def gap(self, group: Group | None = None) -> gpd.GeoDataFrame:
        """Demand points of those not served, as `planner.Coverage.gap` has them."""
        return self.coverage().gap(group)

    @property
    def served(self) -> pd.Series:
        """Whether each demand point is served."""
        return pd.Series(self._served.copy(), index=self.city.population.index, name="served")

    @property
    def demand(self) -> pd.DataFrame:
        """The demand points now, as `planner.Coverage.demand` has them."""
        return self.coverage().demand

    def coverage(self) -> Coverage:
        """Coverage of the changed city, with everything that `planner.coverage` tells.

        Searched once after each change, on the network that is at hand and with everybody
        where they stand.
        """
        if self._made is None:
            doubt = self._doubt or Doubt()
            if doubt.position_m is None:
                # No change concerns where people live: that need not be found again.
                doubt = replace(doubt, position_m=half_spacing(self.city))
            self._made = coverage(
                self.scenario.apply(self.city, services=self._services),
                self.service,
                standard=self.standard,
                year=self.year,
                network=self._closures.left,
                homes=self._closures.on_left(self._homes),
                towards=self._towards,
                limit=self._limit,
                doubt=doubt,
            )
        return self._made

    def __repr__(self) -> str:
        total = self.total()
        return (
            f"<LiveCoverage {self.service.key} of {self.city.name} with "
            f"{len(self.scenario)} changes: {total['served']:,.0f} of {total['people']:,.0f} "
            f"{self.standard.group} ({total['rate']:.1%}) within {self.standard.words('en')} of "
            f"{int(total['facilities']):,} facilities>"
        )

    def _prepare(self, counted: gpd.GeoDataFrame) -> None:
        """Measure everybody once, and note who hangs on which junction."""
        network, homes = self.network, self._homes
        # Nobody but those on a facility's own street gets there without passing a junction.
        self._apart = np.full(network.nodes, np.inf), np.full(network.nodes, -1, dtype=np.int64)
        self._doors = np.zeros(len(homes), dtype=_DOOR)
        everybody = np.arange(len(homes))
        self._hang(everybody)
        self._doors["direct"] = np.inf
        ends = np.concatenate([self._doors["over_u"], self._doors["over_v"]])
        begin, hung = kernels("_updates").grouped(ends.astype(np.int64), network.nodes)
        self._hung = begin, (hung % max(len(homes), 1)).astype(np.int32)
        self._far = kernels("_updates").furthest(*self._hung, self._doors)
        self._along = kernels("_updates").grouped(homes.edge, len(network.length))
        self._greet(np.flatnonzero(np.isin(homes.edge, self._sites.edge) & (homes.edge >= 0)))
        self._served = np.zeros(len(homes), dtype=bool)
        self._serve(everybody)
        self._tallies = Tallies(self.city, self._served, homes.refusal >= 0)
        self._site_homes = self._tallies.homes_of(self._places)
        # A facility counts once, where it is rather than wherever one may enter.
        further = np.zeros(len(counted), dtype=bool)
        if "entrance_of" in counted:
            further = counted["entrance_of"].notna().to_numpy()
        self._site_homes[further] = -1
        self._entrances = frozenset(np.flatnonzero(further).tolist())

    def _hang(self, rows: Ints) -> None:
        """Note over which junctions some people leave their street, and at what cost."""
        network, doors = self.network, self._doors
        held = self._homes.take(rows)
        on = held.edge >= 0
        edge, offset = held.edge[on], held.offset[on]
        leaving = self._towards == "facility"
        over = reaches.ends_of(network, self._unit, edge, offset, leaving=leaving)
        for name, end in zip("uv", over, strict=True):
            node, cost = np.full(len(rows), -1, dtype=np.int32), np.zeros(len(rows))
            node[on], cost[on] = np.where(end.open, end.node, -1), end.cost
            doors[f"over_{name}"][rows], doors[f"cost_{name}"][rows] = node, cost
        doors["leg"][rows] = held.access * network.access_pace(self._unit)

    def _greet(self, rows: Ints) -> None:
        """Measure the way of some people to a facility on their own street."""
        held = self._homes.take(rows)
        hosts = np.flatnonzero((self._sites.edge >= 0) & np.isin(self._sites.edge, held.edge))
        reach = Reach(
            *(self.network, self._sites.take(hosts), self._towards, self._unit, np.inf),
            *self._apart,
        )
        direct = reaches.measure(reach, held)[0]
        self._doors["direct"][rows] = np.where(np.isnan(direct), np.inf, direct)

    def _serve(self, rows: Ints) -> Ints:
        """Turn the flags of some people who are served now, or no longer; who that is."""
        turned: Ints = kernels("_updates").serve(rows, *self._search)
        return turned

    def _serve_around(self, nodes: Ints, before: Floats) -> Ints:
        """Turn the flags of those who hang on some junctions, told their distances before."""
        turned: Ints = kernels("_updates").serve_around(
            *self._hung, nodes, before, self._far, SLACK, *self._search
        )
        return turned

    @property
    def _search(self) -> tuple[Any, ...]:
        """What the kernels want that tell who is served."""
        delay = self._closures.delay
        waits = np.empty(0) if delay is None else delay
        limit = self.standard.cutoff + SLACK
        return self._doors, self._labels.distance, waits, delay is not None, limit, self._served

    def _shut(self, made: Outcome) -> Ints:
        """Rows of the network's streets that are closed to its mode."""
        mode = self.network.mode
        labels = [street for street, modes in made.streets.items() if mode in modes]
        if not labels:
            return _NONE
        known = self.network.ground.streets.index
        if self._barred is not None:
            whole = self._barred.whole
            labels += whole.index[whole.isin(labels)].tolist()
            labels = [label for label in labels if label in known]
        strange = [label for label in labels if label not in known]
        if strange:
            raise InputError(text("error.scenario_street_elsewhere", street=strange[0]))
        rank: Ints = self.network.rank[[known.get_loc(label) for label in labels]]
        # A street that was never open to the mode has no row.
        return rank[rank >= 0]

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
        return wanted

    def _move_homes(self, streets: Ints) -> Ints:
        """Place those near some streets once more; who stands elsewhere now."""
        if not len(streets):
            return _NONE
        return self._place(self._homes, self._home_spots, streets, _NONE)

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
            # Entrances, and what lies in no unit, count nowhere; but that may move.
            counts = np.array([[rank not in self._entrances] for rank in ranks.tolist()])
            self._site_homes[ranks] = np.where(counts, self._tallies.homes_of(np.array(spots)), -1)
        edge = self._sites.edge.copy()
        moved = self._place(self._sites, Spots(self._site_xy), streets, ranks)
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

    @cached_property
    def _home_spots(self) -> Spots:
        return Spots(_coordinates(self.city.population.geometry, self.network))

    def _place(self, held: Positions, places: Spots, streets: Ints, rows: Ints) -> Ints:
        """Place some rows, and all that are near some streets; rows that stand elsewhere now."""
        if len(streets):
            rows = np.union1d(rows, self._closures.near(places, streets, limit=self._limit))
        if not len(rows):
            return rows
        blank = np.isnan(places.xy[rows]).any(axis=1)
        shapes = shapely.points(places.xy[rows])
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


def _coordinates(points: gpd.GeoSeries, network: Network) -> Floats:
    """Coordinates in the network's reference system, NaN for no point."""
    xy = np.full((len(points), 2), np.nan)
    there = shapely.get_num_coordinates(np.asarray(points.array)) > 0
    xy[there] = transformed(points, network.crs)
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    return xy
