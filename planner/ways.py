"""Ways: the way along the streets between a place and its nearest origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from shapely.ops import substring

from planner.reach import measure, seeds_of

if TYPE_CHECKING:
    from planner._search import Ints
    from planner.network import Network
    from planner.positions import Positions
    from planner.reach import Reach

_CLOSE = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class Way:
    """A way between a place and the origin nearest to it.

    Attributes
    ----------
    origin
        Row of the origin.
    distance
        In the reach's unit, with both access legs.
    unit
        ``m`` or ``min``.
    length_m
        Metres along the streets, without access legs.
    streets
        Row of each street of the network passed, from the place on.
    line
        Along the streets from the place to the origin, in EPSG:4326; empty where both lie
        in one spot.
    """

    origin: int
    distance: float
    unit: str
    length_m: float
    streets: tuple[int, ...]
    line: shapely.LineString

    def __repr__(self) -> str:
        return f"<Way of {self.length_m:,.0f} m over {len(self.streets)} streets>"


def way(reach: Reach, where: Positions, row: int = 0) -> Way | None:
    """Trace the way between a position and its nearest origin.

    The way is read off the distances: from each junction to the one that its own distance
    comes from. It is drawn from the place to the origin whichever way people travel.

    Parameters
    ----------
    reach
        Distances from the origins.
    where
        Positions on its network.
    row
        Which of them.

    Returns
    -------
    The way; None where there is none, or the position was refused.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import Network
    >>> city = embedded("small")
    >>> network = Network.build(city.streets)
    >>> reach = network.reach(city.facilities)
    >>> homes = network.locate(city.population.head(1))
    >>> found = way(reach, homes)
    >>> found is not None and bool(found.distance == reach.at(homes).iloc[0])
    True
    """
    network, unit = reach.network, reach.unit
    one = _only(where, row)
    distance, origin = (float(found[0]) for found in measure(reach, one))
    goal = int(origin)
    if not np.isfinite(distance) or goal < 0:
        return None
    edge, offset = int(one.edge[0]), float(one.offset[0])
    legs = float(one.access[0] + reach.origins.access[goal]) * network.access_pace(unit)
    goal_edge, goal_offset = int(reach.origins.edge[goal]), float(reach.origins.offset[goal])
    leaving = reach.towards == "facility"
    pieces = _pieces_along(reach, edge, offset, goal_edge, goal_offset, distance - legs)
    if pieces is None:
        pieces = _pieces_over(
            reach, edge, offset, goal, distance - _leg(one, network, unit), leaving
        )
    if pieces is None:
        return None
    lines = network.streets.geometry.array
    coordinates, length, streets = [], 0.0, []
    for street, start, stop in pieces:
        whole = float(network.length[street])
        length += abs(stop - start)
        streets.append(street)
        part = substring(lines[street], start / whole, stop / whole, normalized=True)
        coordinates += list(part.coords)
    line = shapely.LineString(coordinates) if len(coordinates) > 1 else shapely.LineString()
    return Way(goal, distance, unit, length, tuple(streets), line)


Piece = tuple[int, float, float]
"""Row of a street, and where on it the way begins and ends (m from node u)."""


def _leg(one: Positions, network: Network, unit: str) -> float:
    return float(one.access[0]) * network.access_pace(unit)


def _only(where: Positions, row: int) -> Positions:
    return type(where)(
        where.network,
        where.index[row : row + 1],
        where.edge[row : row + 1],
        where.offset[row : row + 1],
        where.access[row : row + 1],
        where.refusal[row : row + 1],
    )


def _pieces_along(
    reach: Reach, edge: int, offset: float, goal_edge: int, goal_offset: float, cost: float
) -> list[Piece] | None:
    """Way that never leaves the street of both, where that is the one measured."""
    network = reach.network
    if edge != goal_edge:
        return None
    up = goal_offset >= offset
    forwards = up == (reach.towards == "facility")
    if not (network.forward if forwards else network.backward)[edge] and goal_offset != offset:
        return None
    there, back = network.paces(reach.unit, np.array([edge]))
    direct = abs(goal_offset - offset) * float((there if forwards else back)[0])
    return [(edge, offset, goal_offset)] if direct <= cost + _CLOSE else None


def _pieces_over(
    reach: Reach, edge: int, offset: float, goal: int, cost: float, leaving: bool
) -> list[Piece] | None:
    """Way over junctions, read off their distances one after the other."""
    network, unit = reach.network, reach.unit
    delay = network.delays(unit)
    there, back = network.paces(unit, np.array([edge]))
    length = float(network.length[edge])
    # Over u a leaver goes down the street, over v up it; who arrives, the other way.
    ends = (
        (
            int(network.u[edge]),
            0.0,
            network.backward if leaving else network.forward,
            offset * float((back if leaving else there)[0]),
        ),
        (
            int(network.v[edge]),
            length,
            network.forward if leaving else network.backward,
            (length - offset) * float((there if leaving else back)[0]),
        ),
    )
    best = None
    for node, at, open_, part in ends:
        if not (open_[edge] or at == offset):
            continue
        total = part + reach.node_distance[node] + (0.0 if delay is None else delay[node])
        if best is None or total < best[0]:
            best = (total, node, at)
    if best is None or abs(best[0] - cost) > 1e-3 + 1e-9 * cost:
        return None
    _, node, at = best
    pieces: list[Piece] = [(edge, offset, at)]
    seeds = _seeds(reach, goal)
    first, incident = _incident(network)
    for _ in range(network.nodes + 1):
        here = float(reach.node_distance[node])
        if node in seeds and seeds[node] <= here + _CLOSE:
            street = int(reach.origins.edge[goal])
            start = 0.0 if int(network.u[street]) == node else float(network.length[street])
            stop = float(reach.origins.offset[goal])
            if int(network.u[street]) == int(network.v[street]):
                start = 0.0 if stop <= float(network.length[street]) - stop else start
            return [*pieces, (street, start, stop)]
        following = _next(reach, node, here, goal, incident[first[node] : first[node + 1]], leaving)
        if following is None:
            return None
        piece, node = following
        pieces.append(piece)
    return None


def _next(
    reach: Reach, node: int, here: float, goal: int, streets: Ints, leaving: bool
) -> tuple[Piece, int] | None:
    """Street and junction that a junction's distance comes from."""
    network = reach.network
    delay = network.delays(reach.unit)
    there, back = network.paces(reach.unit, streets)
    best = None
    for street, up, down in zip(streets.tolist(), there.tolist(), back.tolist(), strict=True):
        length = float(network.length[street])
        for begins, to, forwards, start, stop in (
            (network.u[street], network.v[street], leaving, 0.0, length),
            (network.v[street], network.u[street], not leaving, length, 0.0),
        ):
            if (
                int(begins) != node
                or not (network.forward if forwards else network.backward)[street]
            ):
                continue
            cost = length * (up if forwards else down) + reach.node_distance[to]
            cost += 0.0 if delay is None else delay[to]
            gap = abs(float(cost) - here)
            if (
                reach.node_distance[to] < here
                and reach.node_origin[to] == goal
                and (best is None or gap < best[0])
            ):
                best = (gap, (street, start, stop), int(to))
    if best is None or best[0] > 1e-3 + 1e-9 * here:
        return None
    return best[1], best[2]


def _seeds(reach: Reach, goal: int) -> dict[int, float]:
    """Junctions that an origin reaches at once, and at which cost."""
    node, cost, row = seeds_of(reach.network, reach.origins, reach.unit, reach.towards)
    own = row == goal
    made: dict[int, float] = {}
    for at, price in zip(node[own].tolist(), cost[own].tolist(), strict=True):
        made[at] = min(price, made.get(at, np.inf))
    return made


_held: WeakKeyDictionary[Network, tuple[Ints, Ints]] = WeakKeyDictionary()


def _incident(network: Network) -> tuple[Ints, Ints]:
    """Streets at each junction: where each junction's begin, and the streets."""
    if network not in _held:
        node = np.concatenate([network.u, network.v])
        order = np.argsort(node, kind="stable")
        first = np.searchsorted(node[order], np.arange(network.nodes + 1))
        _held[network] = first, order % len(network.u)
    return _held[network]
