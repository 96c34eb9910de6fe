"""Distances between many origins and many targets, as many as lie near enough.

Nothing here holds a full table of origins by targets: pairs within a cutoff come as
sparse rows, some origins at a time, and sums and nearest few are made as the search goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner import _meetings, _search
from planner._meetings import Doors
from planner.positions import labels_at
from planner.reach import SLACK, ends_of, seeds_of, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner._search import Floats, Ints
    from planner.network import Network
    from planner.positions import Positions
    from planner.reach import Towards, Unit


_FEW = 12
"""Nearest origins up to which one search from all of them at once finds each target's."""
_FIRST_WAY, _LAST_WAY = 500.0, 200_000.0
"""Metres within which each origin's own nearest few are looked for, at first and at last."""


@dataclass(frozen=True, eq=False, repr=False)
class Pairs:
    """Targets that each of some origins reaches, as sparse rows.

    Attributes
    ----------
    origins, targets
        Positions of both.
    unit
        ``m`` or ``min``.
    cutoff
        Greatest distance, inclusive, in `unit`.
    first
        Row of the first origin told of here.
    start
        Where each origin's targets begin, one more than there are origins told of.
    target
        Rows of the targets, in no order.
    distance
        Their distances, in `unit`.
    """

    origins: Positions
    targets: Positions
    unit: Unit
    cutoff: float
    first: int
    start: Ints
    target: Ints
    distance: Floats

    @property
    def origin(self) -> Ints:
        """Row of the origin of each pair."""
        count = len(self.start) - 1
        return np.repeat(np.arange(self.first, self.first + count), np.diff(self.start))

    def frame(self) -> pd.DataFrame:
        """Table with ``origin`` and ``target`` (their labels) and ``distance``."""
        return pd.DataFrame(
            {
                "origin": self.origins.index[self.origin],
                "target": self.targets.index[self.target],
                "distance": self.distance,
            }
        )

    def __repr__(self) -> str:
        return (
            f"<Pairs: {len(self.target):,} within {self.cutoff:g} {self.unit} of "
            f"{len(self.start) - 1:,} origins, {len(self.targets):,} targets>"
        )


def pairs(
    network: Network,
    origins: Positions,
    targets: Positions,
    *,
    cutoff: float | None = None,
    cutoff_min: float | None = None,
    towards: Towards = "facility",
    at_once: int = 4_000_000,
) -> Iterator[Pairs]:
    """Stream the targets that each origin reaches, with exact distances.

    Parameters
    ----------
    network
        The streets.
    origins, targets
        Positions on it.
    cutoff, cutoff_min, towards
        As `Network.reach` takes them.
    at_once
        About how many pairs are held at one time; a single origin may have more.

    Returns
    -------
    Some origins at a time, in their order; all of them, also those that reach nothing.

    Raises
    ------
    InputError
        Both cutoffs are given, or one below zero, or positions lie on another network.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import Network
    >>> city = embedded("small")
    >>> network = Network.build(city.streets)
    >>> sites, homes = network.locate(city.facilities), network.locate(city.population)
    >>> parts = list(pairs(network, sites, homes, cutoff=500))
    >>> bool(max(part.distance.max() for part in parts) <= 500)
    True
    """
    unit, bound = within(cutoff, cutoff_min, towards)
    origins, targets = network.positions_of(origins), network.positions_of(targets)
    found = _meetings.meetings(
        network.rows(unit, towards),
        *seeds_of(network, origins, unit, towards),
        len(origins),
        bound + SLACK,
        _doors(network, targets, unit, towards),
        _beside(network, origins, targets, unit, towards),
        len(targets),
        at_once=at_once,
    )
    for ball in found:
        distance = np.minimum(ball.distance, bound)
        yield Pairs(origins, targets, unit, bound, ball.first, ball.start, ball.node, distance)


def sums(
    network: Network,
    origins: Positions,
    targets: Positions,
    weights: pd.DataFrame | pd.Series,
    *,
    cutoff: float | None = None,
    cutoff_min: float | None = None,
    towards: Towards = "facility",
) -> pd.DataFrame:
    """Add up what lies within reach of each origin: the people around each site.

    Parameters
    ----------
    network
        The streets.
    origins, targets
        Positions on it.
    weights
        A row a target, a column a kind of weight, such as groups of people.
    cutoff, cutoff_min, towards
        As `Network.reach` takes them.

    Returns
    -------
    The weights' columns, aligned to the origins' index; noughts where nothing is within
    reach or the origin could not be placed.

    Raises
    ------
    InputError
        As in `pairs`.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import Network
    >>> city = embedded("small")
    >>> network = Network.build(city.streets)
    >>> sites, homes = network.locate(city.facilities), network.locate(city.population)
    >>> around = sums(network, sites, homes, city.population[["residents"]], cutoff=800)
    >>> bool(around.index.equals(city.facilities.index))
    True
    """
    unit, bound = within(cutoff, cutoff_min, towards)
    origins, targets = network.positions_of(origins), network.positions_of(targets)
    table = weights.to_frame() if isinstance(weights, pd.Series) else weights
    total = _meetings.sums_met(
        network.rows(unit, towards),
        *seeds_of(network, origins, unit, towards),
        len(origins),
        bound + SLACK,
        _doors(network, targets, unit, towards),
        _beside(network, origins, targets, unit, towards),
        np.ascontiguousarray(table.to_numpy(dtype=np.float64)),
    )
    return pd.DataFrame(total, index=origins.index, columns=table.columns)


def nearest_few(
    network: Network,
    origins: Positions,
    targets: Positions,
    count: int,
    *,
    cutoff: float | None = None,
    cutoff_min: float | None = None,
    towards: Towards = "facility",
) -> pd.DataFrame:
    """Find the nearest few origins of each target.

    Parameters
    ----------
    network
        The streets.
    origins, targets
        Positions on it.
    count
        How many origins to find.
    cutoff, cutoff_min, towards
        As `Network.reach` takes them.

    Returns
    -------
    A row a target and rank, nearest first: ``target`` and ``origin`` (their labels),
    ``rank`` from 1, ``distance``. Targets with fewer origins within the cutoff have fewer
    rows; of equally near origins the first comes first.

    Raises
    ------
    InputError
        As in `pairs`.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import Network
    >>> city = embedded("small")
    >>> network = Network.build(city.streets)
    >>> sites, homes = network.locate(city.facilities), network.locate(city.population)
    >>> nearest = nearest_few(network, sites, homes, 3, cutoff=2000)
    >>> int(nearest["rank"].max())
    3
    """
    distance, origin = nearest_rows(
        network, origins, targets, count, cutoff=cutoff, cutoff_min=cutoff_min, towards=towards
    )
    row, rank = np.nonzero(origin >= 0)
    return pd.DataFrame(
        {
            "target": targets.index[row],
            "rank": rank + 1,
            "origin": labels_at(origins.index, origin[row, rank], pd.RangeIndex(len(row))),
            "distance": distance[row, rank],
        }
    )


def nearest_rows(
    network: Network,
    origins: Positions,
    targets: Positions,
    count: int,
    *,
    cutoff: float | None = None,
    cutoff_min: float | None = None,
    towards: Towards = "facility",
) -> tuple[Floats, Ints]:
    """Find the nearest few origins of each target, by number.

    Parameters
    ----------
    network, origins, targets, count, cutoff, cutoff_min, towards
        As `nearest_few` takes them.

    Returns
    -------
    Distances and rows of the origins: a row a target, a column a rank; inf and -1 where
    there are fewer.

    Raises
    ------
    InputError
        As in `pairs`.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import Network
    >>> city = embedded("small")
    >>> network = Network.build(city.streets)
    >>> sites, homes = network.locate(city.facilities), network.locate(city.population)
    >>> distance, origin = nearest_rows(network, sites, homes, 3, cutoff=2000)
    >>> origin.shape == (len(homes), 3)
    True
    """
    unit, bound = within(cutoff, cutoff_min, towards)
    origins, targets = network.positions_of(origins), network.positions_of(targets)
    if count > _FEW:
        distance, origin = _many_rows(network, origins, targets, count, bound, unit, towards)
        return np.where(origin >= 0, np.minimum(distance, bound), np.inf), origin
    near = _search.nearest_origins(
        network.rows(unit, towards),
        *seeds_of(network, origins, unit, towards),
        count,
        bound + SLACK,
    )
    on, over, cost = _approach(network, targets, unit, towards)
    node, way = np.zeros((len(targets), 2), dtype=np.int64), np.full((len(targets), 2), np.inf)
    node[on], way[on] = np.column_stack(over), np.column_stack(cost)
    source, target, direct = _along_streets(network, origins, targets, unit, towards)
    beside = Doors.sorted(len(targets), target, source, direct)
    distance, origin = _meetings.few_met(near, node, way, beside, bound + SLACK)
    return np.where(origin >= 0, np.minimum(distance, bound), np.inf), origin


def _many_rows(
    network: Network,
    origins: Positions,
    targets: Positions,
    count: int,
    bound: float,
    unit: Unit,
    towards: Towards,
) -> tuple[Floats, Ints]:
    """Find the nearest origins of each target by searching from each origin alone.

    No search goes past a node that has enough others nearer: as far as its nearest origin,
    and from there as far as that one's own nearest few lie, there are enough.
    """
    rows, seeds = network.rows(unit, towards), seeds_of(network, origins, unit, towards)
    limit = bound + SLACK
    there, nearest = _search.nearest_origin(rows, *seeds, len(origins), limit)
    span = _spans(network, origins, count, bound, unit, towards)
    # Where none is, the last of the spans stands for there being no bound.
    most = there + np.append(span, np.inf)[nearest] + SLACK
    doors = _doors(network, targets, unit, towards)
    beside = _beside(network, origins, targets, unit, towards)
    near = np.full(len(targets), np.inf)
    np.minimum.at(near, doors.to, np.repeat(most, np.diff(doors.start)) + doors.cost)
    distance = np.full((len(targets), count), np.inf)
    origin = np.full((len(targets), count), -1, dtype=np.int64)
    found = _meetings.meetings(
        *(rows, *seeds, len(origins), limit, doors, beside, len(targets)), most=most, near=near
    )
    put = _search.kernels("_kernels").rank
    for ball in found:
        put(ball.start, ball.node, ball.distance, ball.first, distance, origin)
    return distance, origin


def _spans(
    network: Network, origins: Positions, count: int, bound: float, unit: Unit, towards: Towards
) -> Floats:
    """(origins,) distance from each within which enough origins lie, itself one of them."""
    span = np.full(len(origins), np.inf)
    left = np.flatnonzero(origins.edge >= 0)
    back: Towards = "from" if towards == "facility" else "facility"
    radius = min(bound, _FIRST_WAY * (1.0 if unit == "m" else network.access_pace(unit)))
    while len(left) and len(origins) >= count:
        for part in pairs(
            *(network, origins.take(left), origins),
            cutoff=radius if unit == "m" else None,
            cutoff_min=radius if unit == "min" else None,
            towards=back,
        ):
            for own in range(len(part.start) - 1):
                away = part.distance[part.start[own] : part.start[own + 1]]
                if len(away) >= count:
                    span[left[part.first + own]] = np.partition(away, count - 1)[count - 1]
        left = left[np.isinf(span[left])]
        if radius >= bound or radius >= _LAST_WAY * network.access_pace(unit):
            break
        radius = min(radius * 2.0, bound)
    return span


def _approach(
    network: Network, targets: Positions, unit: Unit, towards: Towards
) -> tuple[Ints, list[Ints], list[Floats]]:
    """Targets that were placed; for either end of their street the node and the cost from it."""
    on = np.flatnonzero(targets.edge >= 0)
    leg = targets.access[on] * network.access_pace(unit)
    delay = network.delays(unit)
    ends = ends_of(
        network, unit, targets.edge[on], targets.offset[on], leaving=towards == "facility"
    )
    cost = [np.where(over.open, over.cost + leg, np.inf) for over in ends]
    if delay is not None:
        cost = [whole + delay[over.node] for whole, over in zip(cost, ends, strict=True)]
    return on, [over.node for over in ends], cost


def _doors(network: Network, targets: Positions, unit: Unit, towards: Towards) -> Doors:
    on, over, cost = _approach(network, targets, unit, towards)
    node, way, target = np.concatenate(over), np.concatenate(cost), np.tile(on, 2)
    open_ = np.isfinite(way)
    return Doors.sorted(network.nodes, node[open_], target[open_], way[open_])


def _beside(
    network: Network, origins: Positions, targets: Positions, unit: Unit, towards: Towards
) -> Doors:
    source, target, cost = _along_streets(network, origins, targets, unit, towards)
    return Doors.sorted(len(origins), source, target, cost)


def _along_streets(
    network: Network, origins: Positions, targets: Positions, unit: Unit, towards: Towards
) -> tuple[Ints, Ints, Floats]:
    """Origins and targets on one street that reach each other along it, and at what cost."""
    on = np.flatnonzero(origins.edge >= 0)
    # Targets in the order of their streets; each origin has a run of them.
    order = np.argsort(targets.edge, kind="stable")
    streets = targets.edge[order]
    first = np.searchsorted(streets, origins.edge[on], side="left")
    count = np.searchsorted(streets, origins.edge[on], side="right") - first
    source = np.repeat(on, count)
    within_run = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    target = order[np.repeat(first, count) + within_run]
    edge = origins.edge[source]
    way = targets.offset[target] - origins.offset[source]
    if towards == "facility":
        way = -way
    # People go up the street where the way is above zero.
    there, back = network.paces(unit, edge)
    may = np.where(way >= 0, network.forward[edge], network.backward[edge]) | (way == 0)
    leg = (origins.access[source] + targets.access[target]) * network.access_pace(unit)
    cost = np.abs(way) * np.where(way >= 0, there, back) + leg
    return source[may], target[may], cost[may]
