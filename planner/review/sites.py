"""Findings about facilities: years that cannot be, the same one twice, services without any."""

from collections.abc import Iterator
from itertools import chain

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers import City
from layers.facilities import open_in
from layers.findings import Finding
from layers.messages import text
from layers.units import assign
from planner.review.listing import names, some
from planner.standards import Services

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


def _repeated(city: City) -> Iterator[Finding]:
    """Tell of facilities of one service near by under one name, or at one place without.

    Several of different names at one place are no repetition: a large building may well
    hold them.
    """
    sites = city.facilities
    if sites.empty:
        return
    points = np.asarray(sites.geometry.to_crs(city.crs).array)
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
    if not same.any():
        return
    ids = sites["id"].to_numpy()
    pairs = [f"{ids[a]}–{ids[b]}" for a, b in zip(one[same], other[same], strict=True)]
    rows = dict.fromkeys(chain.from_iterable(zip(ids[one[same]], ids[other[same]], strict=True)))
    yield Finding(
        layer="facilities",
        code="facility_repeated",
        severity="warning",
        rows=tuple(rows),
        values={
            "count": len(pairs),
            "found": some(pairs),
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
                values={"service": service.title()},
            )
            continue
        for level in dict.fromkeys(quota.level for quota in service.standard.quotas):
            if level not in homes:
                continue
            units = city.units[city.units["level"] == level]
            empty = units[~units["code"].isin(homes.loc[own, level].dropna())]
            if empty.empty:
                continue
            yield _empty_units(empty, service.title(), level)


def _empty_units(units: gpd.GeoDataFrame, service: str, level: str) -> Finding:
    return Finding(
        layer="units",
        code="quota_without_facility",
        severity="info",
        rows=tuple(units["code"]),
        values={
            "service": service,
            "level": text(f"level.{level}"),
            "count": len(units),
            "found": names(units),
        },
    )
