"""Labels of a search that follow changes: only what a change can affect is searched again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner._search import compress, kernels

if TYPE_CHECKING:
    from planner._search import Floats, Ints, Rows

_NONE = np.empty(0, dtype=np.int64)


class Labels:
    """Distance from the nearest origin to every node, and which origin that is, kept up to date.

    Distances are those of `planner._search.nearest_origin` to the last bit. Of origins at
    exactly the same distance the first wins. Where two ways differ by nothing but the
    rounding of their sums, a node takes its origin from a neighbour's final label, so that
    the outcome depends on the graph and the seeds alone, never on the changes in between.

    Parameters
    ----------
    rows
        The graph.
    limit
        Greatest distance that is searched, inclusive.

    Attributes
    ----------
    distance
        Per node; inf where no origin comes within the limit.
    origin
        Per node, -1 where none does.
    """

    def __init__(self, rows: Rows, limit: float) -> None:
        self._limit = float(limit)
        tail = np.repeat(np.arange(rows.nodes), np.diff(rows.start))
        head, cost = np.ascontiguousarray(rows.head), np.ascontiguousarray(rows.cost)
        back = compress(rows.nodes, head, tail, cost)
        # Copies: streets are closed here alone.
        self._rows, self._back = (
            (side.start, np.ascontiguousarray(side.head), np.array(side.cost, order="C"))
            for side in (rows, back)
        )
        self.distance = np.full(rows.nodes, np.inf)
        self.origin = np.full(rows.nodes, -1, dtype=np.int64)
        self._slot = np.full(rows.nodes, -1, dtype=np.int64)
        # Marked nodes are lost to the next search; whether there are any.
        self._lost, self._marked = np.zeros(rows.nodes, dtype=bool), False
        self._cheaper: list[np.ndarray] = [_NONE, _NONE, np.empty(0)]
        # Where the labels began.
        self._seeds: Ints = _NONE

    def change_arcs(self, tail: Ints, head: Ints, cost: Floats) -> Floats:
        """Give arcs another cost; `search` then follows.

        Parameters
        ----------
        tail, head, cost
            The arcs, each once, and their new cost; inf where there is no way now.

        Returns
        -------
        Their cost before.
        """
        place = [self._find(*ends) for ends in zip(tail, head, strict=True)]
        before = np.array([self._rows[2][at] for at, _ in place], dtype=np.float64)
        dearer, cheaper = cost > before, cost < before
        fits = self.distance[tail] + before == self.distance[head]
        fits &= dearer & (self.origin[tail] == self.origin[head]) & (self.origin[head] >= 0)
        kernels("_updates").dependents(
            *self._rows, self.distance, self.origin, head[fits], self._lost
        )
        self._marked |= bool(fits.any())
        for (at, opposite), new in zip(place, cost, strict=True):
            self._rows[2][at] = self._back[2][opposite] = new
        self._cheaper = [
            np.append(held, new[cheaper])
            for held, new in zip(self._cheaper, (tail, head, cost), strict=True)
        ]
        return before

    def search(
        self, node: Ints, cost: Floats, origin: Ints, *, gone: Ints = _NONE
    ) -> tuple[Ints, Floats]:
        """Search again what has been affected since the last search.

        Parameters
        ----------
        node, cost, origin
            All seeds: nodes that an origin reaches at once, at which cost, and which it is.
        gone
            Origins that have lost a seed since, or hold a dearer one.

        Returns
        -------
        Nodes whose label has changed, and their distances before.
        """
        lost = _NONE
        if len(gone) or self._marked:
            away = np.unique(gone)
            start, head, _ = self._rows
            lost = kernels("_updates").lost_nodes(
                *(start, head, self.origin, self._seeds, away, self._lost, self._marked)
            )
            self._marked = False
        near = np.flatnonzero(np.isfinite(cost) & (cost <= self._limit))
        tail, head, fresh = self._cheaper
        changed: tuple[Ints, Floats] = kernels("_updates").repair(
            *self._rows,
            *self._back,
            self.distance,
            self.origin,
            lost,
            tail.astype(np.int64),
            head.astype(np.int64),
            fresh,
            node[near],
            cost[near],
            origin[near],
            self._limit,
            self._slot,
        )
        self._cheaper, self._seeds = [_NONE, _NONE, np.empty(0)], node[near]
        return changed

    def joined(self, tail: int, head: int) -> bool:
        """Whether a way leads from one node to another."""
        return bool(kernels("_updates").joined(*self._rows, *self._back, tail, head))

    def _find(self, tail: int, head: int) -> tuple[int, int]:
        """Where an arc lies in the rows, and where in those turned round."""
        found = []
        for (start, end, _), a, b in ((self._rows, tail, head), (self._back, head, tail)):
            own = end[start[a] : start[a + 1]]
            found.append(int(start[a] + np.flatnonzero(own == b)[0]))
        return found[0], found[1]
