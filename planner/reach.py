"""Reach: network distances from a set of origins, within a cutoff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from layers.errors import InputError
from layers.messages import text
from planner import _search
from planner._threads import in_threads
from planner.positions import Positions, labels_at

if TYPE_CHECKING:
    import geopandas as gpd

    from planner._search import Floats, Ints
    from planner.network import Network

Towards = Literal["facility", "from"]
Unit = Literal["m", "min"]

SLACK = 1e-6
"""A cutoff is inclusive to a micrometre (a microminute): the order in which lengths are
added up must not decide who is served."""

_AT_ONCE = 100_000
"""Positions that one thread measures at a time."""


@dataclass(frozen=True, eq=False, repr=False)
class Reach:
    """Distances along a network from the nearest of its origins.

    A distance is the origin's access leg, the way along the streets (in minutes with the
    delay of each junction passed) and the other point's access leg. It is exact on the
    street: both ends may lie on one street and reach each other along it.

    Attributes
    ----------
    network
        The streets.
    origins
        Positions of the origins.
    towards
        ``facility``: people travel to the origins; ``from``: away from them.
    unit
        ``m`` or ``min``.
    cutoff
        Greatest distance, inclusive, in `unit`.
    node_distance
        Of each junction, inf beyond the cutoff; without the junction's own delay, which
        whoever goes on pays.
    node_origin
        Row of the nearest origin of each junction, -1 beyond the cutoff.
    """

    network: Network
    origins: Positions
    towards: Towards
    unit: Unit
    cutoff: float
    node_distance: Floats
    node_origin: Ints

    def at(
        self, points: gpd.GeoSeries | gpd.GeoDataFrame | Positions, *, limit: float = 300.0
    ) -> pd.Series:
        """Distance of each point from its nearest origin.

        Parameters
        ----------
        points
            Points in any reference system, or positions on this network.
        limit
            Greatest access leg in metres, for points.

        Returns
        -------
        In `unit`, aligned to the points' index; inf beyond the cutoff, NaN where a point
        could not be placed on a street.
        """
        return self.nearest(points, limit=limit)["distance"]

    def nearest(
        self, points: gpd.GeoSeries | gpd.GeoDataFrame | Positions, *, limit: float = 300.0
    ) -> pd.DataFrame:
        """Distance of each point from its nearest origin, and which one that is.

        Returns
        -------
        Columns ``distance`` as `at` gives it and ``origin``, the label of the nearest
        origin or None; aligned to the points' index.
        """
        where = self.network.positions_of(points, limit=limit)
        distance, origin = measure(self, where)
        return pd.DataFrame(
            {"distance": distance, "origin": labels_at(self.origins.index, origin, where.index)},
            index=where.index,
        )

    def __repr__(self) -> str:
        reached = int(np.isfinite(self.node_distance).sum())
        bound = "" if np.isinf(self.cutoff) else f" within {self.cutoff:g} {self.unit}"
        way = "to" if self.towards == "facility" else "from"
        return (
            f"<Reach: {reached:,} of {self.network.nodes:,} junctions{bound} {way} "
            f"{len(self.origins):,} origins by {self.network.mode}>"
        )


def search(
    network: Network,
    origins: Positions,
    *,
    cutoff: float | None,
    cutoff_min: float | None,
    towards: Towards,
) -> Reach:
    """Search from all origins at once; see `Network.reach`."""
    unit, bound = within(cutoff, cutoff_min, towards)
    seeds = seeds_of(network, origins, unit, towards)
    distance, origin = _search.nearest_origin(
        network.rows(unit, towards), *seeds, len(origins), bound + SLACK
    )
    return Reach(network, origins, towards, unit, bound, distance, origin)


def within(cutoff: float | None, cutoff_min: float | None, towards: Towards) -> tuple[Unit, float]:
    """Tell unit and cutoff that are asked for; metres without end when none is.

    Raises
    ------
    InputError
        Both cutoffs are given, or one below zero, or there is no such direction.
    """
    if towards not in {"facility", "from"}:
        raise InputError(text("error.towards", found=towards))
    given = [value for value in (cutoff, cutoff_min) if value is not None]
    if len(given) > 1 or not all(value >= 0 for value in given):
        raise InputError(text("error.cutoff_network"))
    unit: Unit = "m" if cutoff_min is None else "min"
    return unit, float(given[0]) if given else float("inf")


def seeds_of(
    network: Network, origins: Positions, unit: Unit, towards: Towards
) -> tuple[Ints, Floats, Ints]:
    """Nodes that origins reach at once, at which cost, and which origin it is."""
    on = np.flatnonzero(origins.edge >= 0)
    leg = origins.access[on] * network.access_pace(unit)
    # From an origin people leave over v where the street is open forwards; to reach an
    # origin they come over u there.
    over_u, over_v = ends_of(
        network, unit, origins.edge[on], origins.offset[on], leaving=towards == "from"
    )
    node = np.concatenate([over.node[over.open] for over in (over_u, over_v)])
    cost = np.concatenate([(leg + over.cost)[over.open] for over in (over_u, over_v)])
    return node, cost, np.concatenate([on[over.open] for over in (over_u, over_v)])


def measure(reach: Reach, where: Positions) -> tuple[Floats, Ints]:
    """Distance and row of the nearest origin of each position; NaN and -1 where refused."""
    network, unit = reach.network, reach.unit
    distance, origin = np.empty(len(where)), np.empty(len(where), dtype=np.int64)
    none = np.empty(0)
    delay = network.delays(unit)
    paces = (none, none) if unit == "m" else (network.minutes, network.minutes_back)
    may = network.backward, network.forward
    if reach.towards == "from":
        paces, may = paces[::-1], may[::-1]
    streets = network.u, network.v, network.length, *paces, *may
    junctions = none if delay is None else delay, reach.node_distance, reach.node_origin
    made = _search.kernels("_places")

    def part(own: slice) -> None:
        made.over_ends(
            *(where.edge[own], where.offset[own], *streets, *junctions),
            *(distance[own], origin[own]),
        )

    in_threads(part, len(where), _AT_ONCE)
    # Ways that never leave a street, for positions on the origins' own.
    sited = np.zeros(len(network.length) + 1, dtype=bool)
    sited[reach.origins.edge] = True
    sited[-1] = False
    near = np.flatnonzero(sited[where.edge])
    rows, cost, source = _along_one_street(reach, where.edge[near], where.offset[near])
    better = cost < distance[near[rows]]
    distance[near[rows[better]]], origin[near[rows[better]]] = cost[better], source[better]
    made.settle(where.access, network.access_pace(unit), reach.cutoff, SLACK, distance, origin)
    return distance, origin


class End(NamedTuple):
    """One end of the streets on which positions lie."""

    node: Ints
    open: np.ndarray
    cost: Floats


def ends_of(
    network: Network, unit: Unit, edge: Ints, offset: Floats, *, leaving: bool
) -> tuple[End, End]:
    """Node u and node v of each position's street: whether they join, and at what cost.

    People leave a position, or come to it. At the street's very end its node is at hand
    whichever way the street is open.
    """
    forward, backward = network.forward[edge], network.backward[edge]
    there, back = network.paces(unit, edge)
    rest = network.length[edge] - offset
    via_u, via_v = (backward, forward) if leaving else (forward, backward)
    pace_u, pace_v = (back, there) if leaving else (there, back)
    return (
        End(network.u[edge], via_u | (offset == 0.0), offset * pace_u),
        End(network.v[edge], via_v | (rest == 0.0), rest * pace_v),
    )


def _along_one_street(reach: Reach, edge: Ints, offset: Floats) -> tuple[Ints, Floats, Ints]:
    """Ways between a position and an origin on the same street that never leave it.

    Both kinds are sorted along each street; a running minimum of the origins' costs,
    once in each direction, then gives every position its best origin before and behind.

    Returns
    -------
    Rows of the positions, cost without their access leg, rows of the origins.
    """
    network, unit, origins = reach.network, reach.unit, reach.origins
    on = np.flatnonzero(origins.edge >= 0)
    on = on[np.isin(origins.edge[on], edge)]
    if not len(edge) or not len(on):
        empty = np.empty(0, dtype=np.int64)
        return empty, np.empty(0), empty
    street = np.concatenate([origins.edge[on], edge])
    at = np.concatenate([origins.offset[on], offset])
    there, back = network.paces(unit, street)
    leg = np.concatenate(
        [origins.access[on] * network.access_pace(unit), np.full(len(edge), np.inf)]
    )
    is_origin = np.arange(len(street)) < len(on)
    results = []
    for ascending in (True, False):
        sign = 1.0 if ascending else -1.0
        # Going up the street from the origin is going forwards, unless people come to it.
        forwards = ascending == (reach.towards == "from")
        may = (network.forward if forwards else network.backward)[street]
        pace = there if forwards else back
        order = np.lexsort((~is_origin, sign * at, street))
        value = np.where(may, leg - sign * at * pace, np.inf)[order]
        runs = street[order]
        low = pd.Series(value).groupby(runs).cummin().to_numpy()
        # A new low is where the running minimum falls; its row holds until the next.
        begins = np.append(True, runs[1:] != runs[:-1])
        fresh = begins | np.append(False, low[1:] < low[:-1])
        holder = order[np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))]
        asked = ~is_origin[order] & np.isfinite(low)
        rows = order[asked]
        results.append(
            (
                rows - len(on),
                low[asked] + sign * at[rows] * pace[rows],
                on[holder[asked]],
            )
        )
    rows, cost, source = (np.concatenate(part) for part in zip(*results, strict=True))
    # A position may have an origin on either side: the nearer comes first and stays.
    order = np.lexsort((cost, rows))
    first = order[np.unique(rows[order], return_index=True)[1]]
    return rows[first], np.maximum(cost[first], 0.0), source[first]
