"""Findings about where people live: in water, in no unit's area, in units without anybody."""

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers import City
from layers.findings import Finding
from layers.messages import Spoken
from layers.population import GROUPS
from layers.units import LEVELS
from planner.review.listing import names

# A gap must be wide and large to be more than two borders drawn apart.
_SLIVER_M = 25.0
_GAP_KM2 = 0.05


def of_land(city: City) -> Iterator[Finding]:
    """Find people in water, groups and units without people, and gaps between units.

    Parameters
    ----------
    city
        A city whose layers are valid.
    """
    yield from _in_water(city)
    for group in GROUPS:
        if not city.population[group].any():
            yield Finding(
                layer="population",
                code="group_empty",
                severity="warning",
                values={"group": Spoken.of(f"group.{group}")},
            )
    yield from _deserted(city)
    yield from _gaps(city)


def _in_water(city: City) -> Iterator[Finding]:
    """Tell of people and facilities that lie in water."""
    if city.water is None or city.water.empty:
        return
    areas = np.asarray(city.water.geometry.array)
    shapely.prepare(areas)
    for layer, code in (("population", "people_in_water"), ("facilities", "facility_in_water")):
        frame = city.layers()[layer]
        _, wet = shapely.STRtree(np.asarray(frame.geometry.array)).query(areas, "contains")
        rows = frame.iloc[np.unique(wet)]
        if rows.empty:
            continue
        values: dict[str, Any] = {}
        if layer == "population":
            values = {"people": float(rows["residents"].sum())}
        yield Finding(
            layer=layer,
            code=code,
            severity="warning",
            rows=tuple(rows.get("id", rows.index)),
            values=values,
        )


def _deserted(city: City) -> Iterator[Finding]:
    """Tell of units of the finest level in which nobody lives."""
    homes = city.population_units
    if homes.columns.empty:
        return
    level = homes.columns[-1]
    there = (city.population["residents"] > 0).to_numpy()
    units = city.units[city.units["level"] == level]
    empty = units[~units["code"].isin(homes.loc[there, level].dropna())]
    if not empty.empty:
        yield Finding(
            layer="units",
            code="unit_deserted",
            severity="warning",
            rows=tuple(empty["code"]),
            values={
                "level": Spoken.of(f"level.{level}"),
                "count": len(empty),
                "found": names(empty),
            },
        )


def _gaps(city: City) -> Iterator[Finding]:
    """Tell where the units of a level leave open what the level above covers, or a hole."""
    units = city.units.to_crs(city.crs)
    have = [level for level in LEVELS if (units["level"] == level).any()]
    above: Any = None
    for level in have:
        own = shapely.union_all(units.geometry[units["level"] == level].to_numpy())
        whole = _filled(own) if above is None else above
        # Opened by a little, slivers vanish and a true gap keeps its shape.
        open_ = shapely.buffer(
            shapely.buffer(shapely.difference(whole, own), -_SLIVER_M),
            _SLIVER_M,
            join_style="mitre",
        )
        parts = shapely.get_parts(open_)
        area = shapely.area(parts) / 1e6
        parts, area = parts[area >= _GAP_KM2], area[area >= _GAP_KM2]
        if len(parts):
            yield Finding(
                layer="units",
                code="units_gap",
                severity="warning",
                values={
                    "level": Spoken.of(f"level.{level}"),
                    "count": len(parts),
                    "area": float(area.sum()),
                    "found": _where(parts, area, city),
                },
                places=gpd.GeoSeries(parts, crs=city.crs).to_crs(city.units.crs),
            )
        above = own


def _filled(shape: Any) -> Any:
    parts = shapely.get_parts(shape)
    return shapely.union_all(shapely.polygons(shapely.get_exterior_ring(parts)))


def _where(parts: Any, area: Any, city: City) -> str:
    """Name the largest few by longitude and latitude."""
    largest = np.argsort(-area)[:3]
    middle = gpd.GeoSeries(shapely.point_on_surface(parts[largest]), crs=city.crs).to_crs(4326)
    told = [
        f"{point.x:.4f}, {point.y:.4f} ({size:.2f} km²)"
        for point, size in zip(middle, pd.Series(area[largest]), strict=True)
    ]
    return "; ".join(told)
