"""Coverage: who is served by a service under its standard, and who is not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from layers import facilities as facility_layer
from layers.errors import InputError
from layers.messages import text
from layers.population import GROUPS, Group
from layers.units import LEVELS, Level, assign
from planner._search import kernels
from planner.areas import stretches
from planner.certainty import Doubt, band, half_spacing, spread_m
from planner.network import Network
from planner.positions import labels_at
from planner.reach import SLACK, Towards, measure
from planner.standards import Service, Services, Standard, load_services, unknown_name

if TYPE_CHECKING:
    from layers import City
    from planner.positions import Positions
    from planner.reach import Reach

# People are added up in whole multiples of this part of a person: sums are then exact in
# whatever order, so that townships add up to their district to the last digit.
PART = 2.0**-20

_COLUMNS = (
    *("code", "name", "name_en", "level", "people", "served", "gap"),
    *("rate", "rate_low", "rate_high", "unplaced"),
    *("facilities", "quota", "missing", "mean", "median", "p90"),
)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Coverage:
    """Who is served by one service under its standard.

    Attributes
    ----------
    city
        The city.
    service
        The service.
    standard
        How near counts as served; the service's own unless another was given.
    year
        Year at whose end the facilities are taken, or None.
    network
        The streets, for the standard's mode.
    reach
        Distances from the facilities along them, without a cutoff; of a facility with
        several entrances every one is an origin.
    facilities
        The facilities counted, those with several entrances once: columns of the layer,
        ``reason`` (why none of its entrances could be placed on a street, else None),
        ``access`` (m, of the entrance nearest to a street) and a column a level with the
        code of its unit.
    demand
        A row for each row of the population layer: ``distance`` to the nearest facility
        in the standard's unit (inf where there is no way, NaN where the point could not
        be placed), ``facility`` (id of the nearest or None), ``served``, ``reason`` (why
        it could not be placed, else None) and a column a level with the code of its unit.
    doubt
        How well pace, homes and people are known, for the band around each rate.
    """

    city: City
    service: Service
    standard: Standard
    year: int | None
    network: Network
    reach: Reach
    facilities: gpd.GeoDataFrame
    demand: pd.DataFrame
    doubt: Doubt = field(default_factory=Doubt)

    def by(self, level: Level = "district", group: Group | None = None) -> pd.DataFrame:
        """Figures of each unit of a level.

        Parameters
        ----------
        level
            ``city``, ``district``, ``township`` or ``community``.
        group
            Group of people; the standard's own when None.

        Returns
        -------
        A row a unit in the order of codes, with ``code, name, name_en, level, people,
        served, gap, rate`` (NaN where nobody lives), ``rate_low, rate_high`` (the band
        around it, see `planner.certainty.band`), ``unplaced`` (people of the gap who
        could not be placed on a street), ``facilities``, ``quota`` and ``missing``
        (facilities short of it; both NA without a quota), and of the distances of those
        served ``mean, median, p90``, weighted by people, in the standard's unit. People
        and facilities that lie in the city but in no unit of the level follow in a last row
        with an empty code where there are any, so that each column adds up to the city.

        Raises
        ------
        UnknownNameError
            The city has no unit of that level, or there is no such group.
        """
        if level == "city" and level not in self.levels:
            return self._whole(group)
        if level not in self.levels:
            raise unknown_name("level", level, self.levels)
        table = heads(self.city, level)
        codes, number = self.city.population_numbers[level]
        home = number[self._inside]
        site = pd.Index(codes).get_indexer(self._sites_inside[level])
        table = table.join(self._figures(group, home, site, len(table)))
        last = table.iloc[-1]
        if not (last["people"] or last["facilities"]):
            table = table.iloc[:-1]
        return self._with_quota(table, level, table["code"] != "")

    def total(self, group: Group | None = None) -> pd.Series:
        """Figures of the whole city: everyone who lies in any unit; columns as in `by`."""
        return self._whole(group).iloc[0]

    def gap(self, group: Group | None = None) -> gpd.GeoDataFrame:
        """Demand points of those not served.

        Returns
        -------
        Rows of the population layer where someone of the group lives and is not served:
        ``people``, ``distance``, ``facility``, ``reason``, a column a level, geometry.
        """
        people = self._people(group)
        rows = (people > 0) & ~self.demand["served"].to_numpy()
        table = self.demand[rows].drop(columns="served")
        table.insert(0, "people", people[rows])
        return gpd.GeoDataFrame(table, geometry=self.city.population.geometry[rows])

    def stretches(self) -> gpd.GeoDataFrame:
        """Streets cut where service ends; see `planner.areas.stretches`."""
        return stretches(self.reach, self.standard.cutoff)

    @property
    def levels(self) -> list[Level]:
        """Levels that the city has units of, coarse to fine."""
        have = set(self.city.units["level"])
        return [level for level in LEVELS if level in have]

    @property
    def unplaced(self) -> pd.DataFrame:
        """What could not be placed on a street, by reason: demand points, people, facilities."""
        people = self._people(None)
        reason = self.demand["reason"]
        reasons = sorted(set(reason.dropna()) | set(self.facilities["reason"].dropna()))
        return pd.DataFrame(
            {
                "points": [int((reason == why).sum()) for why in reasons],
                "people": [_exact_sum(people[(reason == why).to_numpy()]) for why in reasons],
                "facilities": [int((self.facilities["reason"] == why).sum()) for why in reasons],
            },
            index=pd.Index(reasons, name="reason", dtype=object),
        )

    @property
    def position_m(self) -> float:
        """Metres by which homes may lie off their demand points."""
        stated = self.doubt.position_m
        return half_spacing(self.city) if stated is None else stated

    @property
    def outside(self) -> float:
        """People of the standard's group who lie in no unit and count for none."""
        people = self._people(None)
        return _exact_sum(people) - _exact_sum(people[self._inside])

    def as_dict(self, level: Level = "district", group: Group | None = None) -> dict[str, Any]:
        """Plain values for JSON: ``standard``, ``city``, ``units``, what was left out, ``layers``.

        The last is the provenance of each layer that the figures were made from.
        """
        also = {further: self.by(level, further) for further in self.standard.also}
        unplaced = self.unplaced.reset_index().to_dict("records")
        return {
            "name": self.service.name,
            "name_en": self.service.name_en,
            "standard": self.standard.as_dict(),
            "year": self.year,
            "group": group or self.standard.group,
            "city": {
                **_record(self.total(group)),
                "groups": {further: _brief(self.total(further)) for further in also},
            },
            "units": [
                {
                    **_record(row),
                    "groups": {key: _brief(table.iloc[number]) for key, table in also.items()},
                }
                for number, (_, row) in enumerate(self.by(level, group).iterrows())
            ],
            "unplaced": unplaced,
            "outside": self.outside,
            "band": {**vars(self.doubt), "position_m": self.position_m},
            "layers": self.city.origins(),
        }

    def __repr__(self) -> str:
        total = self.total()
        year = f" in {self.year}" if self.year is not None else ""
        return (
            f"<Coverage {self.service.key} of {self.city.name}{year}: {total['served']:,.0f} of "
            f"{total['people']:,.0f} {self.standard.group} ({total['rate']:.1%}) within "
            f"{self.standard.words('en')} of {len(self.facilities):,} facilities>"
        )

    def _people(self, group: Group | None) -> np.ndarray:
        chosen = group or self.standard.group
        if chosen not in GROUPS:
            raise unknown_name("group", chosen, GROUPS)
        return np.asarray(self.city.population[chosen], dtype=np.float64)

    @cached_property
    def _inside(self) -> np.ndarray | slice:
        """Rows of the demand in any unit; what lies in none belongs to no city either."""
        numbers = [number >= 0 for _, number in self.city.population_numbers.values()]
        inside = np.any(numbers, axis=0)
        return slice(None) if inside.all() else np.flatnonzero(inside)

    @cached_property
    def _sites_inside(self) -> pd.DataFrame:
        """Facilities in any unit."""
        inside = self.facilities[self.levels].notna().any(axis=1)
        sites: pd.DataFrame = self.facilities.loc[inside, self.levels]
        return sites

    @cached_property
    def _spread(self) -> float:
        """Standard deviation of the distances, in the standard's unit."""
        metres = spread_m(self.position_m)
        if self.standard.unit == "m":
            return metres
        return metres * float(self.network.minutes.sum() / self.network.length.sum())

    def _whole(self, group: Group | None) -> pd.DataFrame:
        """Tabulate the whole city in one row."""
        head = whole(self.city)
        home = np.zeros(len(self.demand), dtype=np.int64)[self._inside]
        site = np.zeros(len(self._sites_inside), dtype=np.int64)
        table = head.join(self._figures(group, home, site, 1))
        return self._with_quota(table, "city", table["level"] == "city")

    def _figures(
        self, group: Group | None, home: np.ndarray, site: np.ndarray, count: int
    ) -> pd.DataFrame:
        """Add up by number of the unit; -1 is the last."""
        people = self._people(group)[self._inside]
        distance, served = (
            self.demand[name].to_numpy()[self._inside] for name in ("distance", "served")
        )
        # Of a point that could not be placed no distance is known.
        lost = np.isnan(distance)
        figures = pd.DataFrame(
            {
                "people": _exact_sums(people, home, count),
                "served": _exact_sums(np.where(served, people, 0.0), home, count),
            }
        )
        figures["gap"] = figures["people"] - figures["served"]
        figures["rate"] = figures["served"] / figures["people"].where(figures["people"] > 0)
        figures["rate_low"], figures["rate_high"] = band(
            distance,
            people,
            home,
            count,
            cutoff=self.standard.cutoff,
            spread=self._spread,
            speed=self.doubt.speed if self.standard.unit == "min" else 0.0,
            doubt=self.doubt,
        )
        figures["unplaced"] = _exact_sums(np.where(lost, people, 0.0), home, count)
        figures["facilities"] = np.bincount(site % count, minlength=count)
        near = served & (people > 0)
        spread = _spread(distance[near], people[near], home[near] % count, count)
        return figures.join(spread)

    def _with_quota(self, table: pd.DataFrame, level: Level, bound: pd.Series) -> pd.DataFrame:
        """Add the quota that rows are bound by, and what they lack; put columns in order."""
        quota = self.standard.quota(level, self.year)
        wanted = pd.Series(quota.facilities if quota else pd.NA, table.index, dtype="Int64")
        table = table.assign(quota=wanted.where(bound))
        table["missing"] = (table["quota"] - table["facilities"]).clip(lower=0)
        return table[list(_COLUMNS)]


def coverage(
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
) -> Coverage:
    """Compute who is served by a service.

    Parameters
    ----------
    city
        The city.
    service
        The service or its key.
    standard
        How near counts as served; the service's own when None.
    services
        Table to look the key up in; the program's own when None.
    year
        Count the facilities that are open at the end of this year; without it those
        that have not closed.
    network
        Streets compiled for the standard's mode and speed, to save compiling them again.
    homes
        Positions of the population layer's rows on that network, to save finding them
        again; they bring their own limit.
    towards
        ``facility``: people travel to it; ``from``: the service comes to them.
    limit
        Greatest access leg in metres. Whoever lives farther from every street is not
        served and is counted as unplaced.
    doubt
        How well pace, homes and people are known, for the band around each rate.

    Raises
    ------
    UnknownNameError
        There is no such service.
    InputError
        The network is for another mode, or the homes lie on another network.

    Examples
    --------
    >>> from layers import embedded
    >>> result = coverage(embedded("small"), "menopause_clinic", year=2023)
    >>> table = result.by("district")
    >>> len(table), bool(table["served"].sum() == result.total()["served"])
    (13, True)
    """
    if isinstance(service, str):
        service = (services or load_services())[service]
    standard = standard or service.standard
    if network is None:
        network = Network.build(city.streets, standard.mode, crs=city.crs, **standard.pace)
    elif network.mode != standard.mode:
        raise InputError(text("error.network_mode", found=network.mode, wanted=standard.mode))
    counted = facility_layer.open_in(city.facilities, year, entrances=True)
    counted = counted[counted["service"] == service.key]
    origins = network.locate(counted, limit=limit)
    infinite = {"cutoff_min": np.inf} if standard.unit == "min" else {"cutoff": np.inf}
    reach = network.reach(origins, towards=towards, **infinite)
    found = network.positions_of(city.population if homes is None else homes, limit=limit)
    made = _assemble(city, service, standard, year, reach, counted, found)
    return made if doubt is None else replace(made, doubt=doubt)


def _assemble(  # the parts are the result's own fields
    city: City,
    service: Service,
    standard: Standard,
    year: int | None,
    reach: Reach,
    counted: gpd.GeoDataFrame,
    homes: Positions,
) -> Coverage:
    distance, origin = measure(reach, homes)
    units = city.units
    sited = _sited(counted, reach.origins)
    demand = pd.DataFrame(
        {
            "distance": distance,
            "facility": labels_at(
                pd.Index(facility_layer.owners(counted)), origin, city.population.index
            ),
            "served": within(distance, standard.cutoff),
            "reason": homes.reason,
        },
        index=city.population.index,
    )
    return Coverage(
        city=city,
        service=service,
        standard=standard,
        year=year,
        network=reach.network,
        reach=reach,
        facilities=sited.join(assign(sited.geometry, units)),
        demand=pd.concat([demand, city.population_units], axis=1),
    )


def heads(city: City, level: Level) -> pd.DataFrame:
    """Codes and names of a level's units in the order of codes, and a last row for no unit."""
    units = city.units[city.units["level"] == level].sort_values("code")
    head = units[["code", "name", "name_en", "level"]].reset_index(drop=True)
    rest = {"code": "", "name": text("unit_none", "zh"), "name_en": text("unit_none", "en")}
    table: pd.DataFrame = pd.concat(
        [head, pd.DataFrame([{**rest, "level": level}])], ignore_index=True
    )
    return table


def whole(city: City) -> pd.DataFrame:
    """Code and names of the whole city, in one row."""
    own = city.units[city.units["level"] == "city"]
    return pd.DataFrame(
        {
            "code": [own["code"].iloc[0] if len(own) == 1 else ""],
            "name": [city.name],
            "name_en": [city.name_en],
            "level": ["city"],
        }
    )


def _sited(counted: gpd.GeoDataFrame, entrances: Positions) -> gpd.GeoDataFrame:
    """Facilities, each once, as well placed as the best of their entrances."""
    placed = pd.DataFrame({"reason": entrances.reason, "access": entrances.access})
    if "entrance_of" not in counted:
        return counted.join(placed)
    owner = facility_layer.owners(counted)
    order = placed.assign(owner=owner).sort_values("access", kind="stable", na_position="last")
    best = order.drop_duplicates("owner").set_index("owner")
    own = counted[counted["entrance_of"].isna()]
    return own.join(best, on="id")


def within(distance: np.ndarray, cutoff: float) -> np.ndarray:
    """Whether distances lie within a cutoff, inclusive; NaN never does."""
    return np.asarray(distance <= cutoff + SLACK)


def in_parts(people: np.ndarray) -> np.ndarray:
    """People in whole multiples of `PART`."""
    return np.rint(people / PART).astype(np.int64)


def _exact_sums(people: np.ndarray, home: np.ndarray, count: int) -> np.ndarray:
    parts = np.zeros(count, dtype=np.int64)
    np.add.at(parts, home, in_parts(people))
    return parts * PART


def _exact_sum(people: np.ndarray) -> float:
    return float(_exact_sums(people, np.zeros(len(people), dtype=np.int64), 1)[0])


def _spread(distance: np.ndarray, people: np.ndarray, home: np.ndarray, count: int) -> pd.DataFrame:
    """Mean, median and 90th percentile of distances by unit, weighted by people.

    The percentile is the least distance within which that share of the people lives.
    """
    columns = {name: np.full(count, np.nan) for name in ("mean", "median", "p90")}
    kernels("_sums").spread(distance, people, home, *columns.values())
    return pd.DataFrame(columns)


def _record(row: pd.Series) -> dict[str, Any]:
    return {str(key): _plain(value) for key, value in row.items()}


def _brief(row: pd.Series) -> dict[str, Any]:
    return _record(row[["people", "served", "gap", "rate", "rate_low", "rate_high", "unplaced"]])


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    if isinstance(value, str):
        return value
    number = float(value)
    return int(number) if number.is_integer() else number
