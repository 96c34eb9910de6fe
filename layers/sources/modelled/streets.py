"""The street layer of the model."""

from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from layers.sources.modelled import blocks, crossings
from layers.sources.modelled.ground import Ground
from layers.sources.modelled.net import BACKWARD, CLASS, CLASSES, FORWARD, Net
from layers.sources.modelled.plane import DECIMALS, to_wgs84
from layers.sources.modelled.settings import Setting
from layers.sources.modelled.style import Style
from layers.sources.modelled.water import Water

Floats = npt.NDArray[np.float64]

_SPEEDS: Final = {
    "motorway": 100.0,
    "trunk": 70.0,
    "motorway_link": 40.0,
    "primary": 50.0,
    "secondary": 45.0,
    "tertiary": 35.0,
    "unclassified": 40.0,
    "residential": 25.0,
    "service": 15.0,
    "footway": 5.0,
    "path": 5.0,
}
_FOOT_ONLY: Final = (CLASS["footway"], CLASS["path"])


def net(
    ground: Ground,
    water: Water,
    setting: Setting,
    rng: np.random.Generator,
    *,
    style: Style | None = None,
) -> Net:
    """Build the streets in metres.

    Parameters
    ----------
    ground
        Districts, relief and people.
    water
        Rivers and lakes.
    setting
        The model's size.
    rng
        Where the random numbers come from.
    style
        What the streets are like; as in the real city when None.

    Returns
    -------
    Net
        The network, planar on each layer.
    """
    roads = crossings.read()
    laid = blocks.lay(ground, water.union, setting, style or Style(), rng)
    laid = crossings.bore(laid, ground, rng)
    laid = crossings.cross_river(laid, water.main_line, roads, coarse=setting.coarse)
    laid = crossings.raise_expressways(laid, ground, roads, coarse=setting.coarse)
    return crossings.settle(laid)


def layer(laid: Net) -> gpd.GeoDataFrame:
    """Write a network as a street layer in EPSG:4326.

    Parameters
    ----------
    laid
        The network in metres.

    Returns
    -------
    GeoDataFrame
        The columns of the street layer. The ends of lines are the nodes, to the last digit.
    """
    edges = laid.edges
    kind = edges.kind.astype(np.int64)
    forward, backward = edges.way != BACKWARD, edges.way != FORWARD
    on_foot_only = np.isin(kind, _FOOT_ONLY)
    fast = kind <= CLASS["motorway_link"]
    walk = edges.walk & ~fast
    cycle = walk & (kind != CLASS["footway"])
    roads = crossings.read()
    speed = np.array([_SPEEDS[name] for name in CLASSES])[kind]
    own = np.array([*roads.speeds, 0.0])[np.where(edges.road < len(roads.names), edges.road, -1)]
    speed = np.where((edges.road >= 0) & (own > 0), own, speed)
    return gpd.GeoDataFrame(
        {
            "u": edges.u + 1,
            "v": edges.v + 1,
            "length": shapely.length(edges.lines).round(3),
            "walk_forward": walk,
            "walk_backward": walk,
            "cycle_forward": cycle & forward,
            "cycle_backward": cycle & backward,
            "drive_forward": ~on_foot_only & forward,
            "drive_backward": ~on_foot_only & backward,
            "speed_kmh": speed,
            "name": _names(edges.road, roads.names),
            "highway": np.array(CLASSES)[kind],
            "bridge": edges.layer > 0,
            "tunnel": edges.layer < 0,
            "layer": edges.layer.astype(np.int64),
        },
        geometry=_degrees(edges.lines),
        crs=4326,
    )


def _names(road: Any, names: tuple[str, ...]) -> Any:
    """Name the roads that have a number; the lattice's names say that they are modelled."""
    number, place = np.unique(road, return_inverse=True)
    text = []
    for value in number.tolist():
        if value < 0:
            text.append("")
        elif value < blocks.NAMED:
            text.append(names[value])
        else:
            line, upright = divmod(value - blocks.NAMED, 2)
            text.append(f"模拟{line // 64}号{'街' if upright else '路'}")
    return np.array(text, dtype=object)[place]


def _degrees(lines: Any) -> Any:
    """Move lines to EPSG:4326; equal metres give equal degrees, so shared ends stay shared."""
    return shapely.transform(lines, lambda points: to_wgs84(points).round(DECIMALS))
