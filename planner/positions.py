"""Positions: places on streets, and the access legs to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
import shapely

from layers.errors import InputError
from layers.messages import text
from planner._search import in_threads, kernels

if TYPE_CHECKING:
    import geopandas as gpd

    from planner._search import Floats, Ints
    from planner.network import Network

Reason = Literal["no_point", "too_far", "cut_off"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Why a point is refused: it has no coordinates, no street lies within the limit, or the
only streets within it are cut off from the rest."""

_END_SLACK_M = 1e-6
_MOST_CELLS = 4096
"""Of a grid, along either side."""
_AT_ONCE = 50_000
"""Points that one thread places at a time."""


@dataclass(frozen=True, eq=False, repr=False)
class Positions:
    """Places on a network's streets, one for each point that was asked for.

    Attributes
    ----------
    network
        Whose streets they lie on.
    index
        The points' index.
    edge
        Row of the network's street, -1 where the point was refused.
    offset
        Metres along the street from its node ``u``.
    access
        Metres in a straight line from the point to the street: the access leg.
    refusal
        Number of the reason in `REASONS`, -1 where the point was placed.
    """

    network: Network
    index: pd.Index
    edge: Ints
    offset: Floats
    access: Floats
    refusal: Ints

    def __len__(self) -> int:
        return len(self.index)

    @property
    def placed(self) -> pd.Series:
        """Whether each point was placed."""
        return pd.Series(self.edge >= 0, index=self.index, name="placed")

    @property
    def reason(self) -> pd.Series:
        """Why each point was refused, None where it was placed."""
        names = np.array([*REASONS, None], dtype=object)[self.refusal]
        return pd.Series(names, index=self.index, name="reason", dtype=object)

    @property
    def refused(self) -> pd.Series:
        """Number of points refused, by reason."""
        counts = np.bincount(self.refusal[self.refusal >= 0], minlength=len(REASONS))
        return pd.Series(counts, index=list(REASONS), name="points")

    def frame(self) -> pd.DataFrame:
        """Table with ``street`` (its label), ``offset``, ``access``, ``reason``."""
        return pd.DataFrame(
            {
                "street": labels_at(self.network.streets.index, self.edge, self.index),
                "offset": self.offset,
                "access": self.access,
                "reason": self.reason,
            },
            index=self.index,
        )

    def take(self, rows: Ints) -> Positions:
        """Take the positions of some rows, by number."""
        return Positions(
            self.network,
            self.index[rows],
            self.edge[rows],
            self.offset[rows],
            self.access[rows],
            self.refusal[rows],
        )

    def __repr__(self) -> str:
        told = "".join(f", {n:,} {reason}" for reason, n in self.refused.items() if n)
        return (
            f"<Positions: {int((self.edge >= 0).sum()):,} of {len(self):,} placed on "
            f"{self.network.mode} streets{told}>"
        )


def labels_at(labels: pd.Index[Any], rows: Ints, index: pd.Index[Any]) -> pd.Series[Any]:
    """Labels of rows by number, None for -1."""
    words = np.empty(len(labels) + 1, dtype=object)
    words[:-1], words[-1] = labels, None
    return pd.Series(words[rows], index=index, dtype=object)


def locate(network: Network, points: gpd.GeoSeries, *, limit: float, islands: bool) -> Positions:
    """Place projected points on the nearest streets; see `Network.locate`."""
    shapes = points.array
    blank = np.asarray(points.isna() | points.is_empty)
    wrong = ~blank & np.asarray(points.geom_type != "Point")
    if wrong.any():
        rows = ", ".join(str(row) for row in points.index[wrong][:8])
        raise InputError(text("error.not_points", rows=rows))
    # An empty point has bounds of NaN where asking for its x would fail.
    blank = blank | ~np.isfinite(shapely.bounds(np.asarray(shapes))).all(axis=1)
    xy = np.full((len(points), 2), np.nan)
    xy[~blank] = shapely.get_coordinates(np.asarray(shapes)[~blank])
    usable = np.ones(len(network.length), dtype=bool) if islands else ~network.cut_off
    edge, access, share = network.grid.nearest(xy, usable, limit + _END_SLACK_M)
    refusal = np.where(edge >= 0, -1, REASONS.index("too_far"))
    lost = np.flatnonzero((edge < 0) & ~blank)
    if len(lost) and not islands:
        near, _, _ = network.grid.nearest(xy[lost], network.cut_off, limit + _END_SLACK_M)
        refusal[lost[near >= 0]] = REASONS.index("cut_off")
    refusal[blank] = REASONS.index("no_point")
    offset = np.full(len(points), np.nan)
    on = np.flatnonzero(edge >= 0)
    length = network.length[edge[on]]
    along = np.clip(share[on], 0.0, 1.0) * length
    along[along < _END_SLACK_M] = 0.0
    at_end = along > length - _END_SLACK_M
    along[at_end] = length[at_end]
    offset[on] = along
    access[on] = np.minimum(access[on], limit)
    return Positions(network, points.index, edge, offset, access, refusal.astype(np.int64))


class Grid:
    """Lines in a grid of cells, to find the nearest to many points.

    Parameters
    ----------
    lines
        The lines, in a projected reference system.
    """

    def __init__(self, lines: Any) -> None:
        xy, line = shapely.get_coordinates(lines, return_index=True)
        self._segment = np.flatnonzero(line[1:] == line[:-1])
        self._line = line[self._segment]
        self._along = np.empty(len(xy))
        kernels("_grid").measure(xy, line, self._along)
        corner, far = xy.min(axis=0), xy.max(axis=0)
        wide, high = far - corner
        # About as many cells as segments, so that a cell holds a handful where it holds any.
        cell = max(np.sqrt(wide * high / len(self._segment)), max(wide, high) / _MOST_CELLS, 1.0)
        shape = int(high / cell) + 1, int(wide / cell) + 1
        self._frame = float(corner[0]), float(corner[1]), float(cell), shape
        self._xy = xy
        self._cells = kernels("_grid").fill(self._xy, self._segment, *self._frame)

    def nearest(self, points: Floats, usable: Any, limit: float) -> tuple[Ints, Floats, Floats]:
        """Nearest line to each point; of exactly equally near ones the first.

        Parameters
        ----------
        points
            Two coordinates each, NaN for nowhere.
        usable
            Whether each line counts.
        limit
            Greatest distance, inclusive.

        Returns
        -------
        Row of the line or -1, distance, share of the line's length; NaN without a line.
        """
        count = len(points)
        edge = np.empty(count, dtype=np.int64)
        access, share = np.empty(count), np.empty(count)
        search = kernels("_grid").nearest

        def place(part: slice) -> None:
            search(
                self._xy,
                self._segment,
                self._line,
                self._along,
                *self._cells,
                *self._frame,
                usable,
                points[part],
                limit,
                edge[part],
                access[part],
                share[part],
            )

        in_threads(place, count, _AT_ONCE)
        return edge, access, share
