"""Service areas: stretches of street within reach, exact at the cutoff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.crs import GEOGRAPHIC

if TYPE_CHECKING:
    from planner._search import Floats, Ints
    from planner.network import Network
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
    part = cut(reach, cutoff)
    shapes = np.asarray(network.ground.streets.geometry.array)[network.row[part.street]]
    short = part.short(network)
    if len(short):
        lines = gpd.GeoSeries(_between(network, part, short), crs=network.crs)
        shapes[short] = np.asarray(lines.to_crs(GEOGRAPHIC).array)
    return gpd.GeoDataFrame(
        {
            "street": network.labels.to_numpy()[part.street],
            "start": part.start,
            "stop": part.stop,
            "length_m": part.stop - part.start,
            "served": part.served,
        },
        geometry=shapes,
        crs=GEOGRAPHIC,
    )


class Parts(NamedTuple):
    """Stretches of street in the order of streets, those of one street end to end.

    Attributes
    ----------
    street
        Row of each one's street in the network.
    start, stop
        Metres along it from node u.
    served
        Whether it is within the cutoff.
    """

    street: Ints
    start: Floats
    stop: Floats
    served: np.ndarray[Any, np.dtype[np.bool_]]

    def short(self, network: Network) -> Ints:
        """Rows of those that are not a whole street."""
        whole = (self.start <= 0) & (self.stop >= network.length[self.street])
        return np.flatnonzero(~whole)

    def lines(self, network: Network) -> Any:
        """Geometry in the network's reference system."""
        shapes = network.ground.lines[network.row[self.street]]
        short = self.short(network)
        shapes[short] = _between(network, self, short)
        return shapes


def cut(reach: Reach, cutoff: float) -> Parts:
    """Cut streets as `stretches` does, without their geometry."""
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
    rows = np.concatenate([edge, street])
    starts, stops = np.concatenate([start, begin]), np.concatenate([stop, end])
    seen = np.flatnonzero(stops - starts > _CRUMB_M)
    order = seen[np.lexsort((starts[seen], rows[seen]))]
    return Parts(rows[order], starts[order], stops[order], order < len(edge))


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


def _between(network: Network, part: Parts, rows: Ints) -> Any:
    """Lines of some stretches that are not a whole street, in the network's own system."""
    if not len(rows):
        return np.empty(0, dtype=object)
    street = part.street[rows]
    xy, line = shapely.get_coordinates(network.ground.lines[network.row[street]], return_index=True)
    step = np.append(0.0, np.hypot(*np.diff(xy, axis=0).T))
    step[np.append(True, line[1:] != line[:-1])] = 0.0
    along = np.cumsum(step)
    first = np.searchsorted(line, np.arange(len(rows)))
    along -= along[first][line]
    # Lengths of the layer may differ from those of the drawn line.
    drawn = along[np.append(first[1:], len(line)) - 1]
    scale = drawn / network.length[street]
    low, high = part.start[rows] * scale, np.minimum(part.stop[rows] * scale, drawn)
    # One after the other, the lines make one long line to look places up on.
    before = np.cumsum(drawn + 1.0) - drawn - 1.0
    key = along + before[line]
    ends = [
        np.column_stack([np.interp(at + before, key, xy[:, axis]) for axis in (0, 1)])
        for at in (low, high)
    ]
    inner = np.flatnonzero((along > low[line]) & (along < high[line]))
    number = np.arange(len(rows))
    owner = np.concatenate([number, line[inner], number])
    places = np.concatenate([ends[0], xy[inner], ends[1]])
    order = np.argsort(owner, kind="stable")
    return shapely.linestrings(places[order], indices=owner[order])
