"""Service areas: stretches of street within reach, exact at the cutoff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.ops import substring

from layers.crs import GEOGRAPHIC

if TYPE_CHECKING:
    from planner._search import Floats, Ints
    from planner.reach import Reach

# Shorter stretches, and shorter gaps between them, come from rounding.
_CRUMB_M = 1e-6


def stretches(reach: Reach, cutoff: float) -> gpd.GeoDataFrame:
    """Cut every street where the service ends.

    A place on a street is served if someone standing there, without an access leg of
    their own, is within the cutoff of an origin.

    Parameters
    ----------
    reach
        Distances from the origins, within at least the cutoff.
    cutoff
        Greatest distance, inclusive, in the reach's unit.

    Returns
    -------
    A row a stretch in the order of streets: ``street`` (its label), ``start`` and
    ``stop`` (m along it from node u), ``length_m``, ``served``, geometry in EPSG:4326.
    The stretches of a street join end to end and add up to it.
    """
    network = reach.network
    edge, start, stop = _merge(*_served(reach, cutoff))
    count = len(network.length)
    # What lies between the served stretches of a street is not served.
    street = np.concatenate([np.arange(count), edge])
    begin = np.concatenate([np.zeros(count), stop])
    following = np.full(count, np.inf)
    first = np.unique(edge, return_index=True)[1]
    following[edge[first]] = start[first]
    after = np.full(len(edge), np.inf)
    same = np.flatnonzero(edge[1:] == edge[:-1])
    after[same] = start[same + 1]
    end = np.minimum(np.concatenate([following, after]), network.length[street])
    table = pd.DataFrame(
        {
            "row": np.concatenate([edge, street]),
            "start": np.concatenate([start, begin]),
            "stop": np.concatenate([stop, end]),
            "served": np.arange(len(edge) + len(street)) < len(edge),
        }
    )
    table = table[table["stop"] - table["start"] > _CRUMB_M]
    table = table.sort_values(["row", "start"], ignore_index=True)
    rows = table.pop("row").to_numpy()
    table.insert(0, "street", network.labels.to_numpy()[rows])
    table.insert(3, "length_m", table["stop"] - table["start"])
    return gpd.GeoDataFrame(table, geometry=_cut(reach, rows, table), crs=GEOGRAPHIC)


def _served(reach: Reach, cutoff: float) -> tuple[Ints, Floats, Floats]:
    """Find the served intervals of each street, from its ends and from origins on it."""
    network, origins = reach.network, reach.origins
    length = network.length
    every = np.arange(len(length))
    there, back = network.paces(reach.unit, every)
    leaving = reach.towards == "from"
    # Up the street from u, or from an origin on it; down the street from v.
    over_u, up = (network.forward, there) if leaving else (network.backward, back)
    over_v, down = (network.backward, back) if leaving else (network.forward, there)
    distance, delay = reach.node_distance, network.delays(reach.unit)
    if delay is not None:
        distance = distance + delay
    left = np.full(len(distance), -np.inf)
    reached = np.isfinite(distance)
    left[reached] = cutoff - distance[reached]
    left_u, left_v = left[network.u] / up, left[network.v] / down
    from_u, from_v = over_u & (left_u >= 0), over_v & (left_v >= 0)
    on = np.flatnonzero(origins.edge >= 0)
    edge, at = origins.edge[on], origins.offset[on]
    around = cutoff - origins.access[on] * network.access_pace(reach.unit)
    near = around >= 0
    edge, at, around = edge[near], at[near], around[near]
    above, below = at + around / up[edge], at - around / down[edge]
    parts = [
        (every[from_u], np.zeros(int(from_u.sum())), left_u[from_u]),
        (every[from_v], length[from_v] - left_v[from_v], length[from_v]),
        (edge, np.where(over_v[edge], below, at), np.where(over_u[edge], above, at)),
    ]
    street, start, stop = (np.concatenate(column) for column in zip(*parts, strict=True))
    start = np.where(start < _CRUMB_M, 0.0, start)
    stop = np.where(stop > length[street] - _CRUMB_M, length[street], stop)
    return street, start, stop


def _merge(edge: Ints, start: Floats, stop: Floats) -> tuple[Ints, Floats, Floats]:
    """Join the intervals of each street that touch, and drop those too short to see."""
    if not len(edge):
        return edge, start, stop
    order = np.lexsort((start, edge))
    edge, start, stop = edge[order], start[order], stop[order]
    furthest = pd.Series(stop).groupby(edge).cummax().to_numpy()
    opens = np.ones(len(edge), dtype=bool)
    opens[1:] = (edge[1:] != edge[:-1]) | (start[1:] > furthest[:-1] + _CRUMB_M)
    last = np.append(np.flatnonzero(opens)[1:] - 1, len(edge) - 1)
    edge, start, stop = edge[opens], start[opens], furthest[last]
    seen = stop - start > _CRUMB_M
    return edge[seen], start[seen], stop[seen]


def _cut(reach: Reach, rows: Ints, table: pd.DataFrame) -> Any:
    """Geometry of stretches; whole streets keep theirs."""
    network = reach.network
    shapes = np.asarray(network.ground.streets.geometry.array)[network.row[rows]]
    share = np.stack([table["start"], table["stop"]]) / network.length[rows]
    part = np.flatnonzero((share[0] > 0) | (share[1] < 1))
    lines = network.ground.lines[network.row[rows[part]]]
    cut = [
        substring(line, first, last, normalized=True)
        for line, first, last in zip(lines, share[0, part], share[1, part], strict=True)
    ]
    if cut:
        back = gpd.GeoSeries(cut, crs=network.crs).to_crs(GEOGRAPHIC)
        shapes[part] = np.asarray(back.array)
    return shapes
