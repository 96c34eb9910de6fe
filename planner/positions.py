"""Positions: places on streets, and the access legs to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
import shapely

from layers.crs import transformed
from layers.errors import InputError
from layers.messages import text

if TYPE_CHECKING:
    import geopandas as gpd
    from pyproj import CRS

    from planner._search import Floats, Ints
    from planner.network import Network

Flags = np.ndarray[Any, np.dtype[np.bool_]]

Reason = Literal["no_point", "too_far", "cut_off"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Why a point is refused: it has no coordinates, no street lies within the limit, or the
only streets within it are cut off from the rest."""

_END_SLACK_M = 1e-6


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
                "street": labels_at(self.network.labels, self.edge, self.index),
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


def places(points: gpd.GeoSeries, crs: CRS) -> Floats:
    """Where points lie in a reference system: a row a point, NaN or inf for nowhere.

    Raises
    ------
    InputError
        A geometry is no point.
    """
    shapes = np.asarray(points.array)
    kind = shapely.get_type_id(shapes)
    wrong = (kind > 0) & ~shapely.is_empty(shapes)
    if wrong.any():
        rows = ", ".join(str(row) for row in points.index[wrong][:8])
        raise InputError(text("error.not_points", rows=rows))
    held = transformed(points, crs)
    if len(held) == len(points):
        return held
    xy = np.full((len(points), 2), np.nan)
    xy[np.flatnonzero(shapely.get_num_coordinates(shapes))] = held
    return xy


def locate(
    network: Network, index: pd.Index[Any], xy: Floats, *, limit: float, islands: bool
) -> Positions:
    """Put places, as `places` gives them, on the nearest streets; see `Network.locate`."""
    usable, away = (np.zeros(len(network.ground.streets), dtype=bool) for _ in range(2))
    usable[network.row if islands else network.row[~network.cut_off]] = True
    if not islands:
        away[network.row[network.cut_off]] = True
    return among(network, index, xy, usable, away, limit=limit)


def among(
    network: Network, index: pd.Index[Any], xy: Floats, usable: Flags, away: Flags, *, limit: float
) -> Positions:
    """Put places on the nearest of some streets.

    Parameters
    ----------
    network, limit
        Of `Network.locate`.
    index, xy
        Labels of the places, and where they lie, as `places` gives it.
    usable
        Whether each street of the network's ground may hold a point.
    away
        Whether each is cut off from those, which is told of points that lie near no other.
    """
    blank = ~np.isfinite(xy).all(axis=1)
    street, access, share = network.ground.grid.nearest(xy, usable, limit + _END_SLACK_M)
    edge = network.rank[street]
    refusal = np.where(edge >= 0, -1, REASONS.index("too_far"))
    lost = np.flatnonzero((edge < 0) & ~blank)
    if len(lost) and away.any():
        near, _, _ = network.ground.grid.nearest(xy[lost], away, limit + _END_SLACK_M)
        refusal[lost[near >= 0]] = REASONS.index("cut_off")
    refusal[blank] = REASONS.index("no_point")
    offset = np.full(len(xy), np.nan)
    on = np.flatnonzero(edge >= 0)
    length = network.length[edge[on]]
    along = np.clip(share[on], 0.0, 1.0) * length
    along[along < _END_SLACK_M] = 0.0
    at_end = along > length - _END_SLACK_M
    along[at_end] = length[at_end]
    offset[on] = along
    access[on] = np.minimum(access[on], limit)
    return Positions(network, index, edge, offset, access, refusal.astype(np.int64))
