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
    if sites.empty:
        return []
    points = np.asarray(sites.geometry.to_crs(crs).array)
    one, other = shapely.STRtree(points).query(points, predicate="dwithin", distance=_NAMESAKE_M)
    once = one < other
    one, other = one[once], other[once]
    # Numbers compare faster than words, and a nameless one is nobody's namesake.
    service = pd.factorize(sites["service"])[0]
    name = pd.factorize(sites["name"])[0]
    named = (sites["name"] != "").to_numpy()
    alike = (name[one] == name[other]) & named[one]
    here = shapely.distance(points[one], points[other]) <= _SAME_M
    nameless = here & ~(named[one] & named[other])
    same = (service[one] == service[other]) & (alike | nameless)
    return list(zip(one[same].tolist(), other[same].tolist(), strict=True))


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
