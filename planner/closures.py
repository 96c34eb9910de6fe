"""Closures: a network some of whose streets are closed, without compiling it anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from layers.errors import InputError
from layers.messages import text
from planner._search import kernels

if TYPE_CHECKING:
    from collections.abc import Collection

    import geopandas as gpd

    from planner._search import Floats, Ints
    from planner.network import Network
    from planner.positions import Positions
    from planner.reach import Towards
    from planner.updates import Labels

# Boxes are this much wider than the limit of access legs, so that rounding loses nobody.
_SLACK_M = 1.0
_BY_STREET = ("row", "u", "v", "length", "minutes", "minutes_back", "forward", "backward")


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

    Attributes
    ----------
    shut
        Whether each street is closed.
    """

    def __init__(self, network: Network, labels: Labels, unit: str, towards: Towards) -> None:
        self.network = network
        self.shut = np.zeros(len(network.length), dtype=bool)
        self._piece, self._left, self._rows = network.component, network, np.arange(0)
        self._labels = labels
        flat = network.length, network.length
        self._cost = flat if unit == "m" else (network.minutes, network.minutes_back)
        self._delayed = network.delays(unit) is not None
        self._backwards = towards == "facility"
        self._at: tuple[Ints, Ints] | None = None

    def change(self, shut: Collection[int]) -> Ints:
        """Close these streets and open all others.

        Parameters
        ----------
        shut
            Rows of the streets that are closed from now on.

        Returns
        -------
        Streets that were closed or opened, and open ones that are now cut off or no longer.

        Raises
        ------
        InputError
            No street would be left, or passing junctions takes time: how long
            depends on the streets that meet there, and all would have to be made anew.
        """
        wanted = np.zeros_like(self.shut)
        wanted[list(shut)] = True
        if wanted.all():
            mode = text(f"mode.{self.network.mode}")
            raise InputError(text("error.mode_closed", mode=mode))
        toggled = np.flatnonzero(wanted != self.shut)
        if not len(toggled):
            return toggled
        if self._delayed:
            raise InputError(text("error.scenario_delays"))
        self.shut = wanted
        tail, head, cost = self._arcs(toggled)
        before = self._labels.change_arcs(tail, head, cost)
        one_piece = self._piece[tail] == self._piece[head]
        closed = one_piece & np.isinf(cost) & np.isfinite(before)
        ends = zip(tail[closed], head[closed], strict=True)
        apart = not all(self._labels.joined(*pair) for pair in ends)
        if apart or (~one_piece & np.isfinite(cost) & np.isinf(before)).any():
            was = replace(self.network, component=self._piece).cut_off
            self._piece = self._pieces()
            now = replace(self.network, component=self._piece).cut_off
            toggled = np.union1d(toggled, np.flatnonzero((was != now) & ~wanted))
        self._rows = np.flatnonzero(~wanted)
        whole = self.network
        kept = {name: getattr(whole, name)[self._rows] for name in _BY_STREET}
        self._left = replace(whole, **kept, component=self._piece)
        return toggled

    def place(self, points: gpd.GeoSeries, *, limit: float) -> Positions:
        """Place points on open streets that are not cut off.

        Parameters
        ----------
        points, limit
            As `Network.locate` takes them.
        """
        found = self._left.locate(points, limit=limit)
        if self._left is self.network:
            return found
        return replace(found, network=self.network, edge=np.append(self._rows, -1)[found.edge])

    def _pieces(self) -> Ints:
        """Find the pieces of the network that open streets make."""
        u, v, open_ = self.network.u, self.network.v, ~self.shut
        forth, back = self.network.forward & open_, self.network.backward & open_
        tail, head = np.concatenate([u[forth], v[back]]), np.concatenate([v[forth], u[back]])
        count = self.network.nodes
        graph = csr_array((np.ones(len(tail)), (tail, head)), shape=(count, count))
        return connected_components(graph, connection="strong")[1].astype(np.int64)

    def near(self, xy: Floats, streets: Ints, *, limit: float) -> Ints:
        """Rows of places that may lie within a limit of some streets; some lie farther."""
        ground = self.network.ground
        lines = ground.streets.geometry.iloc[self.network.row[streets]].to_crs(ground.crs)
        boxes = shapely.bounds(np.asarray(lines.array))
        west, south, east, north = _around(
            (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)), limit
        )
        x, y = xy.T
        rows = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
        spread = np.array([-limit - _SLACK_M] * 2 + [limit + _SLACK_M] * 2)
        tree = shapely.STRtree(shapely.box(*(boxes + spread).T))
        return np.unique(rows[tree.query(shapely.points(xy[rows]))[0]])

    def _arcs(self, toggled: Ints) -> tuple[Ints, Ints, Floats]:
        """Arcs of some streets as they are searched, and their cost now."""
        network = self.network
        u, v = network.u, network.v
        if self._at is None:
            ends = np.concatenate([u, v])
            self._at = kernels("_updates").grouped(ends, network.nodes)
        begin, streets = self._at
        forth, back = toggled[network.forward[toggled]], toggled[network.backward[toggled]]
        pairs = np.concatenate([np.stack([u[forth], v[forth]], 1), np.stack([v[back], u[back]], 1)])
        pairs = np.unique(pairs, axis=0)
        cost = np.full(len(pairs), np.inf)
        for number, (a, b) in enumerate(pairs):
            own = streets[begin[a] : begin[a + 1]] % len(u)
            own = own[~self.shut[own]]
            forth = own[(u[own] == a) & (v[own] == b) & network.forward[own]]
            back = own[(u[own] == b) & (v[own] == a) & network.backward[own]]
            both = np.concatenate([self._cost[0][forth], self._cost[1][back]])
            cost[number] = both.min(initial=np.inf)
        tail, head = pairs.T
        return (head, tail, cost) if self._backwards else (tail, head, cost)


def _around(box: tuple[float, float, float, float], limit: float) -> tuple[float, ...]:
    west, south, east, north = box
    more = limit + _SLACK_M
    return west - more, south - more, east + more, north + more
