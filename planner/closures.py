"""Closures: a network some of whose streets are closed, without compiling it anew."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from layers.errors import InputError
from layers.messages import text
from planner import positions
from planner._search import kernels
from planner.delays import Waits

if TYPE_CHECKING:
    from collections.abc import Collection

    import geopandas as gpd

    from planner._search import Floats, Ints
    from planner.network import Network
    from planner.positions import Positions
    from planner.reach import Towards
    from planner.travel import ByClass
    from planner.updates import Labels

# Boxes are this much wider than the limit of access legs, so that rounding loses nobody.
_SLACK_M = 1.0
_BY_STREET = ("row", "u", "v", "length", "minutes", "minutes_back", "forward", "backward")
_NONE = np.empty(0, dtype=np.int64)


class Turned(NamedTuple):
    """What a change of closures has turned.

    Attributes
    ----------
    streets
        Streets that were closed or opened, and open ones that are now cut off or no longer.
    nodes
        Junctions that it takes another time to pass.
    """

    streets: Ints = _NONE
    nodes: Ints = _NONE


class Closures:
    """A network with closed streets: where points stand on the rest, and what is cut off.

    Everything is as `Network.build` would have it without the closed streets. Which pieces
    are cut off is looked into only where a closed street has no way around it or an opened
    one joins two pieces.

    Parameters
    ----------
    network
        The streets, none of them closed.
    labels
        The search whose arcs follow.
    unit, towards
        What that search runs on.
    by_class
        Seconds that each class of street brings to its junctions, as the network has them.

    Attributes
    ----------
    shut
        Whether each street is closed.
    delay
        Cost of passing each junction; None where none costs any on that search.
    """

    def __init__(
        self,
        network: Network,
        labels: Labels,
        unit: str,
        towards: Towards,
        by_class: ByClass | None = None,
    ) -> None:
        self.network = network
        self.shut = np.zeros(len(network.length), dtype=bool)
        self._piece, self._cut_off = network.component, network.cut_off
        self._usable, self._away = (np.zeros(len(network.ground.streets), bool) for _ in range(2))
        self._usable[network.row[~self._cut_off]] = True
        self._away[network.row[self._cut_off]] = True
        self._labels = labels
        flat = network.length, network.length
        self._cost = flat if unit == "m" else (network.minutes, network.minutes_back)
        held = network.delays(unit)
        self.delay = None if held is None else held.copy()
        self._by_class = by_class
        self._waits: Waits | None = None
        self._backwards = towards == "facility"
        self._at: tuple[Ints, Ints] | None = None
        self._left: Network | None = network

    def change(self, shut: Collection[int]) -> Turned:
        """Close these streets and open all others.

        Parameters
        ----------
        shut
            Rows of the streets that are closed from now on.

        Raises
        ------
        InputError
            No street would be left, or passing junctions takes time for reasons that are
            not known here, so that nobody can tell what a closed street changes.
        """
        wanted = np.zeros_like(self.shut)
        wanted[list(shut)] = True
        if wanted.all():
            mode = text(f"mode.{self.network.mode}")
            raise InputError(text("error.mode_closed", mode=mode))
        toggled = np.flatnonzero(wanted != self.shut)
        if not len(toggled):
            return Turned()
        if self.delay is not None and self._waits is None:
            waits = Waits(self.network, self._by_class)
            if not waits.known:
                raise InputError(text("error.scenario_delays"))
            self._waits = waits
        self.shut, self._left = wanted, None
        nodes = self._wait(toggled)
        tail, head, cost = self._arcs(toggled, nodes)
        before = self._labels.change_arcs(tail, head, cost)
        one_piece = self._piece[tail] == self._piece[head]
        closed = one_piece & np.isinf(cost) & np.isfinite(before)
        ends = zip(tail[closed], head[closed], strict=True)
        apart = not all(self._labels.joined(*pair) for pair in ends)
        opened = toggled[~wanted[toggled]]
        if apart or (~one_piece & np.isfinite(cost) & np.isinf(before)).any():
            was = self._cut_off
            self._piece = self._pieces()
            self._cut_off = replace(self.network, component=self._piece).cut_off
            toggled = np.union1d(toggled, np.flatnonzero((was != self._cut_off) & ~wanted))
            opened = np.union1d(opened, toggled[~wanted[toggled]])
        row = self.network.row
        self._usable[row[toggled]] = self._away[row[toggled]] = False
        self._usable[row[opened]] = ~self._cut_off[opened]
        self._away[row[opened]] = self._cut_off[opened]
        return Turned(toggled, nodes)

    def place(self, points: gpd.GeoSeries, *, limit: float) -> Positions:
        """Place points on open streets that are not cut off.

        Parameters
        ----------
        points, limit
            As `Network.locate` takes them.
        """
        xy = positions.places(points, self.network.crs)
        return positions.among(
            self.network, points.index, xy, self._usable, self._away, limit=limit
        )

    @property
    def left(self) -> Network:
        """The network of open streets alone, with the junctions of all."""
        if self._left is None:
            whole, rows = self.network, np.flatnonzero(~self.shut)
            kept = {name: getattr(whole, name)[rows] for name in _BY_STREET}
            if whole.minutes_back is whole.minutes:
                kept["minutes_back"] = kept["minutes"]
            delay = whole.delay if self.delay is None else self.delay
            self._left = replace(whole, **kept, component=self._piece, delay=delay)
        return self._left

    def on_left(self, held: Positions) -> Positions:
        """Positions on open streets of the whole network as those on `left`."""
        rank = np.cumsum(~self.shut) - 1
        edge = np.where(held.edge >= 0, rank[held.edge], -1)
        return replace(held, network=self.left, edge=edge)

    def _wait(self, toggled: Ints) -> Ints:
        """Tell how long passing the ends of some streets takes now; where it has changed."""
        if self.delay is None or self._waits is None:
            return _NONE
        nodes = np.unique([self.network.u[toggled], self.network.v[toggled]])
        met = np.unique(np.concatenate([self._meeting(node) for node in nodes]))
        delay = self._waits.at(nodes, met)
        changed = delay != self.delay[nodes]
        self.delay[nodes] = delay
        return np.asarray(nodes[changed], dtype=np.int64)

    def _meeting(self, node: int) -> Ints:
        """Open streets that end at a junction; a loop twice."""
        if self._at is None:
            ends = np.concatenate([self.network.u, self.network.v])
            self._at = kernels("_updates").grouped(ends, self.network.nodes)
        begin, streets = self._at
        own: Ints = streets[begin[node] : begin[node + 1]] % len(self.shut)
        return own[~self.shut[own]]

    def _pieces(self) -> Ints:
        """Find the pieces of the network that open streets make."""
        if not self.shut.any():
            return self.network.component
        u, v, open_ = self.network.u, self.network.v, ~self.shut
        forth, back = self.network.forward & open_, self.network.backward & open_
        tail, head = np.concatenate([u[forth], v[back]]), np.concatenate([v[forth], u[back]])
        count = self.network.nodes
        graph = csr_array((np.ones(len(tail)), (tail, head)), shape=(count, count))
        return connected_components(graph, connection="strong")[1].astype(np.int64)

    def near(self, spots: Spots, streets: Ints, *, limit: float) -> Ints:
        """Rows of places that may lie within a limit of some streets; some lie farther."""
        ground = self.network.ground
        lines = ground.streets.geometry.iloc[self.network.row[streets]].to_crs(ground.crs)
        boxes = shapely.bounds(np.asarray(lines.array))
        more = limit + _SLACK_M
        west, south = boxes[:, :2].min(axis=0) - more
        east, north = boxes[:, 2:].max(axis=0) + more
        rows = spots.within(west, south, east, north)
        tree = shapely.STRtree(shapely.box(*(boxes + np.array([-more, -more, more, more])).T))
        return np.unique(rows[tree.query(shapely.points(spots.xy[rows]))[0]])

    def _arcs(self, toggled: Ints, nodes: Ints) -> tuple[Ints, Ints, Floats]:
        """Arcs of some streets, and those that leave some junctions, and their cost now."""
        network = self.network
        u, v = network.u, network.v
        leaving = [self._meeting(node) for node in nodes]
        some = np.unique(np.concatenate([toggled, *leaving]))
        forth, back = some[network.forward[some]], some[network.backward[some]]
        pairs = np.concatenate([np.stack([u[forth], v[forth]], 1), np.stack([v[back], u[back]], 1)])
        pairs = np.unique(pairs, axis=0)
        cost = np.full(len(pairs), np.inf)
        for number, (a, b) in enumerate(pairs):
            own = self._meeting(a)
            forth = own[(u[own] == a) & (v[own] == b) & network.forward[own]]
            back = own[(u[own] == b) & (v[own] == a) & network.backward[own]]
            both = np.concatenate([self._cost[0][forth], self._cost[1][back]])
            cost[number] = both.min(initial=np.inf)
        tail, head = pairs.T[::-1] if self._backwards else pairs.T
        if self.delay is not None:
            # A junction's distance is that of arriving there; who goes on, waits.
            cost = cost + self.delay[tail]
        return tail, head, cost


class Spots:
    """Places in the order of their first coordinate, to find those in a box.

    Parameters
    ----------
    xy
        A row a place, in metres; NaN for nowhere.
    """

    def __init__(self, xy: Floats) -> None:
        self.xy = xy

    @cached_property
    def _sorted(self) -> tuple[Ints, Floats]:
        order = np.argsort(self.xy[:, 0], kind="stable")
        return order, self.xy[order, 0]

    def within(self, west: float, south: float, east: float, north: float) -> Ints:
        """Rows of the places in a box, its border taken in."""
        order, x = self._sorted
        first, last = np.searchsorted(x, west, side="left"), np.searchsorted(x, east, side="right")
        rows: Ints = np.sort(order[first:last])
        y = self.xy[rows, 1]
        inside: Ints = rows[(y >= south) & (y <= north)]
        return inside
