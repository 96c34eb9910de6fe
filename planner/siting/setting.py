"""The setting: a problem laid out on a city, as the solvers take it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from layers.crs import transformed
from layers.errors import InputError, UnknownNameError
from layers.messages import text
from layers.population import GROUPS
from layers.units import assign
from planner.coverage import Coverage, coverage
from planner.distances import pairs
from planner.network import Network
from planner.reach import SLACK
from planner.siting.accounts import Account, account
from planner.siting.instance import Instance, Role
from planner.siting.limits import Limits
from planner.siting.lines import Lines
from planner.siting.places import Ground, Junctions, Listed, inside, sites_of, widened
from planner.standards import Services, load_services, unknown_name

if TYPE_CHECKING:
    from layers import City
    from planner.positions import Positions
    from planner.reach import Towards
    from planner.siting.instance import Floats, Ints
    from planner.siting.places import Places
    from planner.siting.problem import Problem
    from planner.standards import Service, Standard

_PART = 3.0
"""Parts of the standard's way that junctions lie apart when nobody says how far."""
_MOST_FAR = 1_000
"""Junctions that the p-median and its like take when nobody says how many."""


@dataclass(frozen=True, eq=False, repr=False)
class Setting:
    """A problem laid out on a city.

    Attributes
    ----------
    problem, city, service, standard, network, homes
        What was given, or made of it. `homes` are the positions of the population.
    before
        Coverage as it is.
    sites
        Candidates that lie on a street, then existing facilities: columns of
        `planner.siting.places`, a column a level with the code of the unit, geometry.
    positions
        Of the candidates.
    refused
        Candidates that lie on no street, with ``reason``.
    row
        (n,) row of the population layer of each demand row: everyone of the group who
        lives in any unit.
    instance, limits
        What the solvers take. A covering model sees of those who are served already
        their nearest facility alone.
    value
        (k,) share that each pair's site serves; None for all.
    places
        The kinds of places looked at.
    beyond
        (n,) distance at which who has no open site in their row is counted; None where
        that does not arise.
    cut
        Whether rows hold but the nearest sites.
    areas, units
        What the instance's `area` and `unit` stand for.
    """

    problem: Problem
    city: City
    service: Service
    standard: Standard
    network: Network
    homes: Positions
    before: Coverage
    sites: gpd.GeoDataFrame
    positions: Positions
    refused: gpd.GeoDataFrame
    row: Ints
    instance: Instance
    limits: Limits
    value: Floats | None
    beyond: Floats | None
    cut: bool
    places: tuple[Places, ...]
    areas: Account
    units: Account

    @property
    def candidates(self) -> int:
        """Number of candidates, which come first among the sites."""
        return len(self.positions)

    def __repr__(self) -> str:
        return (
            f"<Setting of {self.service.key} in {self.city.name}: {self.candidates:,} candidates, "
            f"{len(self.sites) - self.candidates:,} existing; {self.instance!r}>"
        )


def prepare(
    city: City,
    problem: Problem,
    *,
    services: Services | None = None,
    network: Network | None = None,
    homes: Positions | None = None,
) -> Setting:
    """Lay a problem out on a city.

    Parameters
    ----------
    city
        The city.
    problem
        The problem.
    services
        Table to look the service up in; the program's own when None.
    network, homes
        As `planner.coverage` takes them.

    Raises
    ------
    UnknownNameError
        There is no such service, group, unit or candidate.
    InputError
        The places make no sense, or there are more pairs than memory holds; the message
        says what to do.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner.siting.problem import Problem
    >>> prepare(embedded("small"), Problem(service="menopause_clinic", p=2)).candidates > 20
    True
    """
    service = (services or load_services())[problem.service]
    standard = problem.standard or service.standard
    if problem.group is not None:
        if problem.group not in GROUPS:
            raise unknown_name("group", problem.group, GROUPS)
        standard = replace(standard, group=problem.group)
    if network is None:
        network = Network.build(city.streets, standard.mode, crs=city.crs, **standard.pace)
    found = network.positions_of(city.population if homes is None else homes, limit=problem.limit)
    before = coverage(
        city,
        service,
        standard=standard,
        year=problem.year,
        network=network,
        homes=found,
        towards=problem.towards,
        limit=problem.limit,
    )
    several = places_of(problem, standard, network)
    ground = Ground(city, service, network, before.facilities)
    sites, positions, refused = _sites(problem, sites_of(several, ground), before)
    people = city.population[standard.group].to_numpy(dtype=np.float64)
    row = np.flatnonzero((people > 0) & city.population_units.notna().any(axis=1).to_numpy())
    lines = Lines(problem, standard, network, found, before, positions, row, len(sites))
    near = lines.pairs()
    homes_units = city.population_units.iloc[row]
    fair = problem.model == "fair"
    areas = account(problem.floors, city.units, homes_units, level=problem.level if fair else None)
    units = account({**problem.at_most, **problem.at_least}, city.units, sites)
    instance = Instance.of(
        near,
        people=people[row],
        role=sites["role"].to_numpy(),
        cost=sites["cost"].to_numpy(),
        capacity=sites["capacity"].to_numpy() if problem.traits.holds else None,
        unit=units.number,
        area=areas.number,
    )
    number = _total(problem, "number", problem.p)
    limits = Limits(
        number=None if number is None else int(number),
        exactly=problem.exactly,
        budget=_total(problem, "budget", problem.budget),
        at_most=units.by_number(problem.at_most, city.units),
        at_least=units.by_number(problem.at_least, city.units),
        apart=_too_near(problem, network, sites, positions, before),
        floors=areas.by_number(problem.floors, city.units),
    )
    value = None if problem.decay is None else problem.decay.share(near.distance)
    return Setting(
        *(problem, city, service, standard, network, found, before, sites, positions, refused),
        *(row, instance, limits, value, lines.beyond(near), lines.cut, several, areas, units),
    )


def places_of(problem: Problem, standard: Standard, network: Network) -> tuple[Places, ...]:
    """Give the places that are looked at: the problem's own, or the usual ones.

    Without any: what the city lists, and junctions a third of the standard's way apart,
    rounded down to ten metres; for the p-median and its like as far apart as leaves about
    a thousand.
    """
    several = problem.candidates
    if problem.spacing is not None:
        given: tuple[Places, ...] = several or (Listed(),)
        return (*given, Junctions(spacing=problem.spacing))
    if several:
        return several
    return Listed(), Junctions(spacing=usual_spacing(problem, standard, network))


def usual_spacing(problem: Problem, standard: Standard, network: Network) -> float:
    """Metres between the junctions that are looked at where a problem does not say."""
    way = standard.cutoff
    if standard.unit == "min":
        way *= float(network.length.sum() / network.minutes.sum())
    spacing = max(way / _PART // 10 * 10, 10.0)
    if not problem.traits.covers:
        spacing = widened(network, spacing, most=_MOST_FAR)
    return spacing


def _total(problem: Problem, name: str, own: float | None) -> float | None:
    """Limit of the whole: the problem's own, and no more than all its years together."""
    each = [getattr(year, name) for year in problem.phases]
    if not each or any(value is None for value in each):
        return own
    whole = float(sum(each))
    return whole if own is None else min(own, whole)


def _sites(
    problem: Problem, found: gpd.GeoDataFrame, before: Coverage
) -> tuple[gpd.GeoDataFrame, Positions, gpd.GeoDataFrame]:
    """Candidates that lie on a street and what exists; positions of the former; the rest."""
    if problem.within is not None:
        found = found[inside(found, problem.within) | found["upgrades"].notna().to_numpy()]
    found = _with_roles(found.reset_index(drop=True), problem)
    where = before.network.locate(found, limit=problem.limit)
    placed = where.placed.to_numpy()
    _refuse_required(found, where)
    refused = found[~placed].assign(reason=where.reason[~placed])
    found = found[placed].reset_index(drop=True)
    positions = where.take(np.flatnonzero(placed))
    if not len(found):
        raise InputError(text("site.no_candidates"))
    found["cost"] = found["cost"].fillna(problem.cost)
    usual = np.inf if problem.capacity is None else problem.capacity
    found["capacity"] = found["capacity"].fillna(usual)
    _grow(found, before, problem)
    there = before.facilities
    existing = gpd.GeoDataFrame(
        {
            "id": there["id"].to_numpy(),
            "name": there["name"].to_numpy(),
            "kind": "existing",
            "role": int(Role.EXISTING),
            "cost": 0.0,
            "capacity": there["capacity"].fillna(np.inf).to_numpy(),
            "upgrades": None,
        },
        geometry=there.geometry.to_numpy(),
        crs=there.crs,
    )
    sites = pd.concat([found, existing], ignore_index=True) if len(existing) else found
    sites = gpd.GeoDataFrame(sites, geometry="geometry", crs=found.crs)
    return sites.join(assign(sites.geometry, before.city.units)), positions, refused


def _with_roles(found: gpd.GeoDataFrame, problem: Problem) -> gpd.GeoDataFrame:
    role = found["role"].to_numpy().copy()
    ids = pd.Index(found["id"])
    for name, which in (("required", Role.REQUIRED), ("forbidden", Role.FORBIDDEN)):
        wanted = list(getattr(problem, name))
        at = ids.get_indexer(pd.Index(wanted, dtype=object))
        if (at < 0).any():
            stray = ", ".join(one for one, there in zip(wanted, at, strict=True) if there < 0)
            raise UnknownNameError(
                text("site.id_unknown", found=stray, known=", ".join(ids[:5]), count=len(ids))
            )
        role[at] = which
    return found.assign(role=role)


def _refuse_required(found: gpd.GeoDataFrame, where: Positions) -> None:
    lost = (found["role"] == Role.REQUIRED) & ~where.placed
    if lost.any():
        reasons = sorted({text(f"map.reason.{why}") for why in where.reason[lost]})
        told = {"found": ", ".join(found.loc[lost, "id"]), "reason": " / ".join(reasons)}
        raise InputError(text("site.required_unplaced", **told))


def _grow(found: gpd.GeoDataFrame, before: Coverage, problem: Problem) -> None:
    """Let a row that enlarges a facility hold what the facility does not hold already."""
    grows = found["upgrades"].notna()
    if not grows.any():
        return
    if not problem.traits.holds:
        raise InputError(text("site.upgrade_model", model=problem.model))
    now = before.facilities.set_index("id")["capacity"]
    has = found.loc[grows, "upgrades"].map(now).to_numpy(dtype=float)
    more = found.loc[grows, "capacity"].to_numpy() - has
    wrong = ~(more > 0)
    if wrong.any():
        ids = ", ".join(found.loc[grows, "upgrades"][wrong][:5])
        raise InputError(text("site.upgrade_smaller", found=ids))
    found.loc[grows, "capacity"] = more


def _too_near(
    problem: Problem,
    network: Network,
    sites: gpd.GeoDataFrame,
    positions: Positions,
    before: Coverage,
) -> tuple[Ints, Ints]:
    """Sites that lie too near each other, upgrades left out: they stand there already."""
    apart = problem.apart
    if apart is None:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    many = len(positions)
    if apart.along == "straight":
        xy = transformed(sites.geometry, network.crs)
        both = cKDTree(xy).query_pairs(apart.metres - SLACK, output_type="ndarray")
    else:
        there = network.locate(before.facilities, limit=problem.limit)
        ways: tuple[Towards, ...] = ("facility", "from")
        found = [
            np.column_stack([part.origin[near], first + part.target[near]])
            for other, first in ((positions, 0), (there, many))
            for way in ways
            for part in pairs(network, positions, other, cutoff=apart.metres, towards=way)
            if (near := part.distance < apart.metres - SLACK).any()
        ]
        each = np.concatenate([*found, np.empty((0, 2), np.int64)])
        both = np.unique(np.sort(each, axis=1), axis=0)
        both = both[both[:, 0] != both[:, 1]]
    new = sites["kind"].to_numpy() != "existing"
    stays = sites["upgrades"].notna().to_numpy()
    a, b = both[:, 0].astype(np.int64), both[:, 1].astype(np.int64)
    kept = (new[a] | new[b]) & ~stays[a] & ~stays[b]
    return a[kept], b[kept]
