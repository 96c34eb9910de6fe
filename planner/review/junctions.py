"""Findings about junctions that may be missing, and speeds that no street has."""

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from layers.findings import Finding
from planner.ground import Ground

_NEAR_M = 2.0
"""A dead end so near another street was most likely meant to join it."""
_SLOWEST_KMH, _FASTEST_KMH = 3.0, 130.0
# These cross others on bridges, whether or not the layer says so.
_APART = ("motorway", "motorway_link", "trunk", "trunk_link")


def of_streets(ground: Ground) -> Iterator[Finding]:
    """Find speeds out of range, crossings without a junction, and ends that just miss one.

    Parameters
    ----------
    ground
        The streets, made ready.
    """
    streets, lines, crs = ground.streets, ground.lines, ground.crs
    speed = streets["speed_kmh"].to_numpy()
    odd = (speed < _SLOWEST_KMH) | (speed > _FASTEST_KMH)
    if odd.any():
        yield Finding(
            layer="streets",
            code="speed_unusual",
            severity="warning",
            rows=tuple(streets.index[odd]),
            values={
                "least": _SLOWEST_KMH,
                "most": _FASTEST_KMH,
                "low": float(speed[odd].min()),
                "high": float(speed[odd].max()),
            },
        )
    tree = shapely.STRtree(lines)
    crossing = _crossings(streets, lines, tree)
    if len(crossing):
        yield _pairs("streets_cross", streets, crs, crossing, _meeting(lines, crossing))
    missing = _near_misses(streets, lines, tree)
    if len(missing):
        ends = shapely.shortest_line(lines[missing[:, 0]], lines[missing[:, 1]])
        yield _pairs("streets_nearly_meet", streets, crs, missing, ends, metres=_NEAR_M)


def _pairs(
    code: str, streets: gpd.GeoDataFrame, crs: CRS, pairs: Any, places: Any, **values: Any
) -> Finding:
    return Finding(
        layer="streets",
        code=code,
        severity="info",
        rows=tuple(streets.index[np.unique(pairs)]),
        values={"count": len(pairs), **values},
        places=gpd.GeoSeries(shapely.centroid(places), crs=crs).to_crs(streets.crs),
    )


def _crossings(streets: gpd.GeoDataFrame, lines: Any, tree: shapely.STRtree) -> Any:
    """Pairs of streets at one height that meet where neither ends.

    Pairs that share a junction are left out: most would touch there alone.
    """
    one, other = tree.query(lines)
    fast = streets["highway"].isin(_APART).to_numpy()
    raised = (streets["bridge"] | streets["tunnel"]).to_numpy()
    height = streets["layer"].to_numpy()
    level = (height[one] == height[other]) & (raised[one] == raised[other])
    keep = (one < other) & level & (fast[one] == fast[other])
    pairs = np.stack([one[keep], other[keep]], axis=1)
    pairs = pairs[~_joined(streets, pairs)]
    return pairs[shapely.intersects(lines[pairs[:, 0]], lines[pairs[:, 1]])]


def _meeting(lines: Any, pairs: Any) -> Any:
    return shapely.intersection(lines[pairs[:, 0]], lines[pairs[:, 1]])


def _near_misses(streets: gpd.GeoDataFrame, lines: Any, tree: shapely.STRtree) -> Any:
    """Streets with a dead end beside another street at the same height, and that street."""
    ends = streets[["u", "v"]].to_numpy()
    _, number, count = np.unique(ends, return_inverse=True, return_counts=True)
    dead = (count[number] == 1).reshape(ends.shape)
    street, side = np.nonzero(dead)
    tips = shapely.get_point(lines[street], np.where(side == 0, 0, -1))
    tip, near = tree.query(tips, predicate="dwithin", distance=_NEAR_M)
    height = streets["layer"].to_numpy()
    pairs = np.stack([street[tip], near], axis=1)
    level = height[pairs[:, 0]] == height[pairs[:, 1]]
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & level]
    pairs = pairs[~_joined(streets, pairs)]
    # One of each street will do to name it.
    return pairs[np.unique(pairs[:, 0], return_index=True)[1]]


def _joined(streets: gpd.GeoDataFrame, pairs: Any) -> Any:
    """Whether the streets of each pair share a junction."""
    ends = streets[["u", "v"]].to_numpy()
    one, other = ends[pairs[:, 0]], ends[pairs[:, 1]]
    return (one[:, :, None] == other[:, None, :]).any(axis=(1, 2))
