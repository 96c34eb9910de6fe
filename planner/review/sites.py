"""Findings about facilities: years that cannot be, the same one twice, services without any."""

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from layers import City
from layers.facilities import open_in
from layers.findings import Finding
from layers.messages import Spoken
from layers.units import assign
from planner.review.listing import names, some
from planner.standards import Service, Services

_SAME_M = 1.0
_NAMESAKE_M = 100.0
_TOLD = ["service", "name"]
# Rows that are held against all others at once.
_PIECE = 1_000


def of_sites(city: City, services: Services, *, year: int) -> Iterator[Finding]:
    """Find facilities that a planner should look at.

    Parameters
    ----------
    city
        A city whose layers are valid.
    services
        The known services.
    year
        The present one.
    """
    sites = city.facilities
    opened = sites["opened"]
    for code, rows in (
        ("opening_ahead", (sites["status"] == "existing") & (opened > year).fillna(value=False)),
        ("opening_passed", (sites["status"] == "planned") & (opened < year).fillna(value=False)),
    ):
        if rows.any():
            yield Finding(
                layer="facilities",
                code=code,
                severity="warning",
                rows=tuple(sites.loc[rows, "id"]),
                values={"year": year},
            )
    yield from _repeated(city)
    yield from _lacking(city, services)


def pairs(sites: gpd.GeoDataFrame, crs: CRS) -> list[tuple[int, int]]:
    """Find facilities of one service near by under one name, or at one place without.

    Several of different names at one place are no repetition: a large building may well
    hold them.

    Parameters
    ----------
    sites
        With ``service``, ``name`` and points.
    crs
        Projected reference system to measure in.

    Returns
    -------
    Numbers of the two rows of each pair, the lower first.
    """
    return [pair for pair in _alike(sites, sites, crs) if pair[0] < pair[1]]


def across(sites: gpd.GeoDataFrame, others: gpd.GeoDataFrame, crs: CRS) -> list[tuple[int, int]]:
    """Find facilities that repeat others, as `pairs` tells which do.

    Parameters
    ----------
    sites, others
        With ``service``, ``name`` and points.
    crs
        Projected reference system to measure in.

    Returns
    -------
    Numbers of the two rows of each pair: of `sites`, and of `others`.
    """
    return list(_alike(sites, others, crs))


def _alike(
    sites: gpd.GeoDataFrame, others: gpd.GeoDataFrame, crs: CRS
) -> Iterator[tuple[int, int]]:
    """Pair rows of two tables in the order of the first one's, then of the second's."""
    if sites.empty or others.empty:
        return
    first = len(sites)
    here, there = (np.asarray(table.geometry.to_crs(crs).array) for table in (sites, others))
    # Numbers compare faster than words, and a nameless one is nobody's namesake.
    both = pd.concat([sites[_TOLD], others[_TOLD]], ignore_index=True)
    service, name = (pd.factorize(both[column])[0] for column in _TOLD)
    named = (both["name"] != "").to_numpy()
    tree = shapely.STRtree(there)
    # Piece by piece: of a table that stands in one place, each is near all the others.
    for start in range(0, first, _PIECE):
        piece = here[start : start + _PIECE]
        near = tree.query(piece, predicate="dwithin", distance=_NAMESAKE_M)
        one, other = near[:, np.lexsort(near[::-1])]
        at_once = shapely.distance(piece[one], there[other]) <= _SAME_M
        one, place = one + start, other + first
        namesakes = (name[one] == name[place]) & named[one]
        nameless = at_once & ~(named[one] & named[place])
        same = (service[one] == service[place]) & (namesakes | nameless)
        yield from zip(one[same].tolist(), other[same].tolist(), strict=True)


def _repeated(city: City) -> Iterator[Finding]:
    """Tell of facilities that are there twice."""
    found = pairs(city.facilities, city.crs)
    if not found:
        return
    ids = city.facilities["id"].to_numpy()
    named = [f"{ids[one]}–{ids[other]}" for one, other in found]
    rows = dict.fromkeys(ids[row] for pair in found for row in pair)
    yield Finding(
        layer="facilities",
        code="facility_repeated",
        severity="warning",
        rows=tuple(rows),
        values={
            "count": len(named),
            "found": some(named),
            "metres": _NAMESAKE_M,
        },
    )


def _lacking(city: City, services: Services) -> Iterator[Finding]:
    """Tell of services without a facility, and of units that a quota finds empty."""
    sites = open_in(city.facilities)
    homes = assign(sites.geometry, city.units)
    for key, service in services.items():
        own = (sites["service"] == key).to_numpy()
        if not own.any():
            yield Finding(
                layer="facilities",
                code="service_without_facility",
                severity="warning",
                values={"service": _title(service)},
            )
            continue
        for level in dict.fromkeys(quota.level for quota in service.standard.quotas):
            if level not in homes:
                continue
            units = city.units[city.units["level"] == level]
            empty = units[~units["code"].isin(homes.loc[own, level].dropna())]
            if empty.empty:
                continue
            yield _empty_units(empty, _title(service), level)


def _title(service: Service) -> Spoken:
    return Spoken(zh=service.title("zh"), en=service.title("en"))


def _empty_units(units: gpd.GeoDataFrame, service: Spoken, level: str) -> Finding:
    return Finding(
        layer="units",
        code="quota_without_facility",
        severity="info",
        rows=tuple(units["code"]),
        values={
            "service": service,
            "level": Spoken.of(f"level.{level}"),
            "count": len(units),
            "found": names(units),
        },
    )
