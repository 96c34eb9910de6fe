"""What a street network looks like in figures, to hold the model against real streets."""

from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from layers.sources.modelled.net import chains

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FIGURES: Final = (
    "junctions_per_km2",
    "edge_length_m",
    "dead_end_share",
    "four_way_share",
    "circuity",
)
"""The figures the model is tuned to."""

_CHAIN: Final = 2
_FOUR_WAY: Final = 4
_SQUARE_METRES: Final = 1e6


def street_statistics(
    u: npt.ArrayLike,
    v: npt.ArrayLike,
    lines: Any,
    *,
    area_km2: float,
) -> dict[str, float]:
    """Describe a street network after joining chains of degree two.

    Parameters
    ----------
    u, v
        Ends of each street.
    lines
        Geometry of each street from `u` to `v`, in metres.
    area_km2
        The land the streets lie on.

    Returns
    -------
    dict
        Junctions and dead ends per km², mean length between them, shares of dead ends and
        of junctions of four ways and more among all these nodes, length over straight
        distance, kilometres of street per km².
    """
    nodes, ends = np.unique(np.stack([np.asarray(u), np.asarray(v)]), return_inverse=True)
    ends = ends.reshape(2, -1)
    metres = shapely.length(lines)
    degree = np.bincount(ends.ravel(), minlength=len(nodes))
    chain = chains(ends, degree)
    length = np.bincount(chain, weights=metres)

    corner = degree[ends] != _CHAIN
    side, edge = np.nonzero(corner)
    order = np.argsort(chain[edge], kind="stable")
    side, edge = side[order], edge[order]
    # A chain has two ends unless it is a ring that touches nothing.
    first = np.flatnonzero(chain[edge][1:] == chain[edge][:-1])
    points = np.stack([shapely.get_coordinates(shapely.get_point(lines, end)) for end in (0, -1)])
    a, b = points[side[first], edge[first]], points[side[first + 1], edge[first + 1]]
    straight = np.hypot(*(a - b).T)
    joined = length[chain[edge[first]]]
    real = degree[degree != _CHAIN]
    open_ended = straight > 0
    return {
        "junctions_per_km2": float(len(real) / area_km2),
        "edge_length_m": float(joined.mean()),
        "dead_end_share": float((real == 1).mean()),
        "four_way_share": float((real >= _FOUR_WAY).mean()),
        "circuity": float(joined[open_ended].sum() / straight[open_ended].sum()),
        "street_km_per_km2": float(joined.sum() / 1000.0 / area_km2),
    }


def driving_statistics(
    streets: gpd.GeoDataFrame, window: tuple[float, float, float, float], *, crs: int = 4549
) -> dict[str, float]:
    """Describe the streets of a layer that cars may use within a window.

    Parameters
    ----------
    streets
        Street layer.
    window
        West, south, east, north in degrees.
    crs
        Projected reference system to measure in.

    Returns
    -------
    dict
        As `street_statistics`; streets with an end in the window count.
    """
    box = shapely.box(*window)
    inside = streets.cx[window[0] : window[2], window[1] : window[3]]
    inside = inside[inside["drive_forward"] | inside["drive_backward"]]
    area = gpd.GeoSeries([box], crs=streets.crs).to_crs(crs).area.iloc[0] / _SQUARE_METRES
    metric = inside.to_crs(crs)
    return street_statistics(
        metric["u"].to_numpy(), metric["v"].to_numpy(), metric.geometry.to_numpy(), area_km2=area
    )


def side_by_side(model: dict[str, float], real: dict[str, float]) -> pd.DataFrame:
    """Set the model's figures beside the real ones.

    Parameters
    ----------
    model, real
        As `street_statistics` gives them.

    Returns
    -------
    DataFrame
        Index: figure. Columns: ``model``, ``real`` and ``difference``, a share of the real.
    """
    table = pd.DataFrame({"model": model, "real": real})
    return table.assign(difference=table["model"] / table["real"] - 1.0)
