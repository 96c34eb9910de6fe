"""Access: capacity for each person within reach, and people for each unit of capacity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from layers import facilities as facility_layer
from layers.errors import InputError
from layers.messages import text
from planner.coverage import heads, whole
from planner.distances import pairs
from planner.siting.decay import Decay

if TYPE_CHECKING:
    from layers.population import Group
    from layers.units import Level
    from planner._search import Floats, Ints
    from planner.coverage import Coverage
    from planner.positions import Positions

Supply = Literal["capacity", "facilities"]

ZONES = ((1 / 3, 1.0), (2 / 3, 0.68), (1.0, 0.22))
"""Thirds of the cutoff and what counts in each, as Luo & Qi (2009) have them for 10, 20 and
30 minutes; the defaults of PySAL's `access`."""

ACCESS_COLUMNS = (
    *("code", "name", "name_en", "level", "people", "supply", "people_per_supply"),
    *("access", "access_p10", "access_p90", "without"),
)
"""Columns of the table by unit, in order."""


def two_step(
    site: Ints, home: Ints, share: Floats, supply: Floats, people: Floats
) -> tuple[Floats, Floats, Floats]:
    """Floating catchment areas in two steps, over sparse pairs.

    Of the pairs of a site j and a home i within reach, with shares f_ij::

        load   P_j = Σ_i people_i f_ij
        ratio  R_j = supply_j / P_j
        access A_i = Σ_j R_j f_ij

    With f = 1 within the cutoff these are the two-step floating catchment areas (2SFCA) of
    Luo & Wang (2003), Environment and Planning B 30(6), 865–884; with f falling by zones the
    enhanced ones (E2SFCA) of Luo & Qi (2009), Health & Place 15(4), 1100–1107. Summed over
    people, access gives back the supply of all sites that anybody reaches.

    Parameters
    ----------
    site, home
        Row of the site and of the home of each pair.
    share
        f of each pair.
    supply
        Capacity of each site.
    people
        At each home.

    Returns
    -------
    Load and ratio of each site (the ratio nought where nobody reaches it), and access of
    each home.

    Examples
    --------
    >>> load, ratio, access = two_step(np.array([0, 0]), np.array([0, 1]), np.ones(2),
    ...                                np.array([10.0]), np.array([30.0, 20.0]))
    >>> load.tolist(), access.tolist()
    ([50.0], [0.2, 0.2])
    """
    load = np.bincount(site, weights=people[home] * share, minlength=len(supply))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(load > 0, supply / load, 0.0)
    access = np.bincount(home, weights=ratio[site] * share, minlength=len(people))
    return np.asarray(load, dtype=np.float64), ratio, np.asarray(access, dtype=np.float64)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Access:
    """How crowded a service is, and how much of it each home has.

    Attributes
    ----------
    coverage
        What it was computed of.
    group
        Group of people that shares the supply.
    supply
        What is shared: ``capacity``, or where no facility states one ``facilities``,
        each counting one.
    decay
        How a pair counts by its distance, or None: whole within the cutoff (2SFCA).
    sites
        A row a facility with a known supply, by its id: ``supply``, ``load`` (people that
        count within its reach) and ``people_per_supply`` (NaN where it has none).
    homes
        Supply for each person at each row of the population layer.
    unknown
        Facilities left out: they state no capacity, while others do.
    """

    coverage: Coverage
    group: Group
    supply: Supply
    decay: Decay | None
    sites: pd.DataFrame
    homes: pd.Series
    unknown: int

    def by(self, level: Level = "district") -> pd.DataFrame:
        """Figures of each unit of a level.

        Returns
        -------
        A row a unit in the order of codes with `ACCESS_COLUMNS`: ``people`` of the group,
        ``supply`` of the facilities that lie in the unit, ``people_per_supply`` of the two,
        whoever uses them; ``access``, the mean over people of the supply for each person,
        wherever it lies, with its 10th and 90th percentile, and ``without``, people whose
        access is nought. NaN where nobody lives.
        """
        city, levels = self.coverage.city, self.coverage.levels
        known = level in levels
        table = heads(city, level).iloc[:-1] if known else whole(city)
        codes = pd.Index(table["code"])
        demand, facilities = self.coverage.demand, self.coverage.facilities.set_index("id")
        if known:
            home = codes.get_indexer(pd.Index(demand[level]))
            where = codes.get_indexer(pd.Index(facilities.loc[self.sites.index, level]))
        else:
            inside = demand[levels].notna().any(axis=1).to_numpy()
            home = np.where(inside, 0, -1)
            where = np.zeros(len(self.sites), dtype=np.int64)
        people = city.population[self.group].to_numpy(dtype=np.float64)
        access = self.homes.to_numpy()
        count = len(table)
        table = table.assign(
            people=_summed(people, home, count),
            supply=_summed(self.sites["supply"].to_numpy(), where, count),
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            table["people_per_supply"] = np.where(
                table["supply"] > 0, table["people"] / table["supply"], np.nan
            )
            table["access"] = np.where(
                table["people"] > 0, _summed(people * access, home, count) / table["people"], np.nan
            )
        rows = [np.flatnonzero((home == number) & (people > 0)) for number in range(count)]
        for name, part in (("access_p10", 0.1), ("access_p90", 0.9)):
            table[name] = [quantile(access[own], people[own], part) for own in rows]
        table["without"] = _summed(np.where(access > 0, 0.0, people), home, count)
        return pd.DataFrame(table[list(ACCESS_COLUMNS)])

    def as_dict(self, level: Level = "district") -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "service": self.coverage.service.key,
            "standard": self.coverage.standard.as_dict(),
            "year": self.coverage.year,
            "group": self.group,
            "supply": self.supply,
            "decay": None if self.decay is None else self.decay.as_dict(),
            "unknown": self.unknown,
            "sites": _records(self.sites.reset_index()),
            "city": _records(self.by("city"))[0],
            "units": _records(self.by(level)),
        }

    def __repr__(self) -> str:
        kind = "2SFCA" if self.decay is None else "E2SFCA"
        return (
            f"<Access ({kind}) to {len(self.sites):,} facilities of "
            f"{self.coverage.service.key} by {self.group}>"
        )


def access(
    coverage: Coverage,
    *,
    group: Group | None = None,
    enhanced: bool = False,
    decay: Decay | None = None,
    homes: Positions | None = None,
    limit: float = 300.0,
) -> Access:
    """Compute access to a service over the streets; see `two_step` for the formula.

    Parameters
    ----------
    coverage
        Coverage of the service in a year: its facilities, streets and cutoff.
    group
        Group of people that shares the supply; the standard's own when None.
    enhanced
        Let what is far count for less, by `ZONES` of the cutoff.
    decay
        Another fall of f by distance, in the standard's unit; instead of `enhanced`.
    homes
        Positions of the population on the coverage's network, to save finding them again.
    limit
        Greatest access leg in metres, where `homes` are None.

    Raises
    ------
    InputError
        Both `enhanced` and `decay` are given, or a decay reaches beyond the cutoff.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import coverage
    >>> told = access(coverage(embedded("small"), "menopause_clinic", year=2023))
    >>> reached = told.sites[told.sites["load"] > 0]
    >>> people = told.coverage.city.population["women_45_59"]
    >>> bool(abs((told.homes * people).sum() / reached["supply"].sum() - 1) < 1e-9)
    True
    """
    standard, network = coverage.standard, coverage.network
    chosen = group or standard.group
    if enhanced and decay is not None:
        raise InputError(text("error.access_decay_twice"))
    if enhanced:
        decay = Decay.of_bands([(part * standard.cutoff, share) for part, share in ZONES])
    if decay is not None and decay.none > standard.cutoff * (1 + 1e-9):
        raise InputError(text("error.access_decay_far", found=decay.none, cutoff=standard.cutoff))
    sites, supply, unknown = _supply(coverage)
    at = network.positions_of(coverage.city.population if homes is None else homes, limit=limit)
    layer = facility_layer.open_in(coverage.city.facilities, coverage.year, entrances=True)
    layer = layer[facility_layer.owners(layer).isin(sites)]
    doors = network.locate(layer, limit=limit)
    owner = pd.Index(sites).get_indexer(pd.Index(facility_layer.owners(layer)))
    within_m, within_min = (
        (standard.cutoff, None) if standard.unit == "m" else (None, standard.cutoff)
    )
    met = list(
        pairs(
            network,
            doors,
            at,
            cutoff=within_m,
            cutoff_min=within_min,
            towards=coverage.reach.towards,
        )
    )
    none = np.empty(0, dtype=np.int64)
    joined = _nearest_doors(
        np.concatenate([none, *(owner[part.origin] for part in met)]),
        np.concatenate([none, *(part.target for part in met)]),
        np.concatenate([np.empty(0), *(part.distance for part in met)]),
        many=len(layer) > len(sites),
    )
    share = np.ones(len(joined[2])) if decay is None else decay.share(joined[2])
    # Whoever lies in no unit is counted nowhere, and shares nothing.
    people = coverage.city.population[chosen].to_numpy(dtype=np.float64)
    inside = coverage.demand[coverage.levels].notna().any(axis=1).to_numpy()
    load, _, reached = two_step(joined[0], joined[1], share, supply, np.where(inside, people, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        crowd = np.where(supply > 0, load / supply, np.nan)
    return Access(
        coverage=coverage,
        group=chosen,
        supply="facilities" if unknown < 0 else "capacity",
        decay=decay,
        sites=pd.DataFrame(
            {"supply": supply, "load": load, "people_per_supply": crowd},
            index=pd.Index(sites, name="id"),
        ),
        homes=pd.Series(reached, coverage.city.population.index, name="access"),
        unknown=max(unknown, 0),
    )


def quantile(values: Floats, weights: Floats, part: float) -> float:
    """Least value that a share of the weight does not exceed; NaN without weight.

    Examples
    --------
    >>> quantile(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 8.0]), 0.5)
    2.0
    """
    whole_weight = weights.sum()
    if not whole_weight > 0:
        return float("nan")
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) >= part * whole_weight - 1e-12 * whole_weight
    return float(values[order][np.argmax(reached)])


def _supply(coverage: Coverage) -> tuple[list[str], Floats, int]:
    """Ids and supply of facilities, and how many lack one; -1: each counts one."""
    sites = coverage.facilities
    capacity = sites["capacity"]
    if capacity.isna().all():
        return sites["id"].tolist(), np.ones(len(sites)), -1
    known = sites[capacity.notna()]
    return (
        known["id"].tolist(),
        known["capacity"].to_numpy(dtype=np.float64),
        int(capacity.isna().sum()),
    )


def _nearest_doors(
    site: Ints, home: Ints, distance: Floats, *, many: bool
) -> tuple[Ints, Ints, Floats]:
    """Of a facility's several entrances the nearest to each home."""
    if not many:
        return site, home, distance
    order = np.lexsort((distance, home, site))
    site, home, distance = site[order], home[order], distance[order]
    first = np.ones(len(site), dtype=bool)
    first[1:] = (np.diff(site) != 0) | (np.diff(home) != 0)
    return site[first], home[first], distance[first]


def _summed(values: Floats, at: Ints, count: int) -> Floats:
    inside = at >= 0
    return np.asarray(
        np.bincount(at[inside], weights=values[inside], minlength=count), dtype=np.float64
    )


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            str(key): value if isinstance(value, str) else None if pd.isna(value) else float(value)
            for key, value in row.items()
        }
        for row in table.to_dict("records")
    ]
