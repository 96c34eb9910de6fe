"""Closures: a network some of whose streets are closed, without compiling it anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from layers.errors import InputError
from layers.messages import text
from planner import positions
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
    cut_off
        Whether each open street hangs on a piece that is cut off.
    """

    def __init__(self, network: Network, labels: Labels, unit: str, towards: Towards) -> None:
        self.network = network
        self.shut = np.zeros(len(network.length), dtype=bool)
        self.cut_off = network.cut_off
        self._piece = network.component
        self._labels = labels
        self._cost = network.length if unit == "m" else network.minutes
        self._backwards = towards == "facility"
        self._boxes: Floats | None = None
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
            No street would be left.
        """
        wanted = np.zeros_like(self.shut)
        wanted[list(shut)] = True
        if wanted.all():
            mode = text(f"mode.{self.network.mode}")
            raise InputError(text("error.mode_closed", mode=mode))
        toggled = np.flatnonzero(wanted != self.shut)
        if not len(toggled):
            return toggled
        self.shut = wanted
        tail, head, cost = self._arcs(toggled)
        before = self._labels.change_arcs(tail, head, cost)
        one_piece = self._piece[tail] == self._piece[head]
        closed = one_piece & np.isinf(cost) & np.isfinite(before)
        whole = all(
            self._labels.joined(*ends) for ends in zip(tail[closed], head[closed], strict=True)
        )
        if whole and not (~one_piece & np.isfinite(cost) & np.isinf(before)).any():
            return toggled
        left = replace(
            self.network,
            forward=self.network.forward & ~wanted,
            backward=self.network.backward & ~wanted,
        )
        was, self.cut_off, self._piece = self.cut_off, left.cut_off, left.component
        return np.union1d(toggled, np.flatnonzero((was != self.cut_off) & ~wanted))

    def place(self, points: gpd.GeoSeries, *, limit: float) -> Positions:
        """Place points of the network's reference system on open streets that are not cut off.

        Parameters
        ----------
        points, limit
            As `Network.locate` takes them.
        """
        if not self.shut.any():
            return positions.locate(self.network, points, limit=limit, islands=False)
        boxes = self._bounds()
        wide = _around(points.total_bounds, limit)
        near = (boxes[:, 0] <= wide[2]) & (boxes[:, 2] >= wide[0])
        near &= (boxes[:, 1] <= wide[3]) & (boxes[:, 3] >= wide[1]) & ~self.shut
        # At least one street, be it out of reach.
        near[np.argmin(self.shut)] = True
        rows, whole = np.flatnonzero(near), self.network
        part = replace(
            whole,
            streets=whole.streets.iloc[rows],
            **{
                name: getattr(whole, name)[rows]
                for name in ("u", "v", "length", "minutes", "forward", "backward")
            },
        )
        # What it would work out by itself, from too little in the one case.
        vars(part).update(cut_off=self.cut_off[rows], lines=whole.lines[rows])
        found = positions.locate(part, points, limit=limit, islands=False)
        return replace(found, network=whole, edge=np.append(rows, -1)[found.edge])

    def near(self, xy: Floats, streets: Ints, *, limit: float) -> Ints:
        """Rows of places that may lie within a limit of some streets; some lie farther."""
        boxes = self._bounds()[streets]
        west, south, east, north = _around(
            (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)), limit
        )
        x, y = xy.T
        rows = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
        spread = np.array([-limit - _SLACK_M] * 2 + [limit + _SLACK_M] * 2)
        tree = shapely.STRtree(shapely.box(*(boxes + spread).T))
        return np.unique(rows[tree.query(shapely.points(xy[rows]))[0]])

    def _bounds(self) -> Floats:
        if self._boxes is None:
            self._boxes = shapely.bounds(self.network.lines)
        return self._boxes

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
            along = (u[own] == a) & (v[own] == b) & network.forward[own]
            along |= (u[own] == b) & (v[own] == a) & network.backward[own]
            cost[number] = self._cost[own[along & ~self.shut[own]]].min(initial=np.inf)
        tail, head = pairs.T
        return (head, tail, cost) if self._backwards else (tail, head, cost)


def _around(box: tuple[float, float, float, float], limit: float) -> tuple[float, ...]:
    west, south, east, north = box
    more = limit + _SLACK_M
    return west - more, south - more, east + more, north + more
