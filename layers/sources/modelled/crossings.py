"""What lies over and under the streets: river bridges, tunnels, motorways and their ramps."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
from scipy import interpolate
from scipy.spatial import cKDTree

from layers.resources import data_path
from layers.sources.modelled.ground import Ground
from layers.sources.modelled.net import (
    BACKWARD,
    BOTH,
    CLASS,
    FORWARD,
    Edges,
    Net,
    grouped_lines,
    planar,
    straight,
)
from layers.sources.modelled.plane import to_metres

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SEARCH: Final = 2500.0
_SOUND: Final = 30
_HALF: Final = 14.0
_NODE_EVERY: Final = 1500.0
_BEND_EVERY: Final = 150.0
_RAMP: Final = 900.0
_TUNNEL_RELIEF: Final = 0.72
_HIGHEST: Final = 5
_LARGE: Final = 25
_ISLANDS: Final = 12
_LEAST_ISLAND: Final = 3


@dataclass(frozen=True)
class Roads:
    """The hand-drawn crossings and expressways of ``roads.toml``."""

    crossings: Sequence[Mapping[str, Any]]
    expresses: Sequence[Mapping[str, Any]]

    @property
    def names(self) -> tuple[str, ...]:
        """Names by the number that edges carry: crossings, then expressways."""
        return tuple(entry["name"] for entry in (*self.crossings, *self.expresses))

    @property
    def speeds(self) -> tuple[float, ...]:
        """Speeds in km/h by the same number; nought where the class decides."""
        return tuple(float(entry.get("speed", 0.0)) for entry in (*self.crossings, *self.expresses))


def read() -> Roads:
    """Read ``data/hangzhou/roads.toml``."""
    with data_path("hangzhou", "roads.toml").open("rb") as file:
        entries = tomllib.load(file)
    return Roads(entries["crossing"], entries["express"])


def cross_river(net: Net, river: Floats, roads: Roads, *, coarse: float) -> Net:
    """Join the banks of the main river by the bridges and tunnels it has.

    Parameters
    ----------
    net
        Streets that end at the banks.
    river
        The river's middle line.
    roads
        The crossings.
    coarse
        How many times wider apart streets lie than in the real city.

    Returns
    -------
    Net
        The streets with the crossings; one that finds no street on a bank is left out.
    """
    size = np.bincount(net.pieces())
    sound = np.flatnonzero(size[net.pieces()] >= _SOUND)
    tree = cKDTree(net.xy[sound])
    steps = np.diff(river, axis=0)
    middles = (river[1:] + river[:-1]) / 2.0
    found: list[tuple[int, int, int, int, int]] = []
    for number, entry in enumerate(roads.crossings):
        at = to_metres(np.array([entry["at"]], dtype=np.float64))[0]
        step = int(np.argmin(np.hypot(*(middles - at).T)))
        along = steps[step] / np.hypot(*steps[step])
        near = sound[tree.query_ball_point(middles[step], _SEARCH * coarse**0.5)]
        away = net.xy[near] - middles[step]
        across = along[0] * away[:, 1] - along[1] * away[:, 0]
        cost = np.abs(across) + 2.5 * np.abs(away @ along)
        sides = [
            near[side][np.argmin(cost[side])] for side in (across > 0, across < 0) if side.any()
        ]
        if len(sides) == 2:  # noqa: PLR2004 - a bank on either side
            tunnel = bool(entry.get("tunnel", False))
            walk = int(entry.get("walk", False))
            found.append((int(sides[0]), int(sides[1]), number, -1 if tunnel else 1, walk))
    table = np.array(found, dtype=np.int64)
    u, v, number_of, layer, walk_on = table.T
    kind = np.where(walk_on == 1, CLASS["primary"], CLASS["trunk"])
    more = Edges.of(
        u, v, straight(net.xy, u, v), kind, layer=layer, road=number_of, walk=walk_on == 1
    )
    return net.with_edges(more)


def raise_expressways(net: Net, ground: Ground, roads: Roads, *, coarse: float) -> Net:
    """Lay motorways and city expressways above the streets, with ramps down to them.

    Parameters
    ----------
    net
        The streets.
    ground
        Where the city and its mountains are.
    roads
        The expressways' lines.
    coarse
        How many times wider apart streets lie than in the real city.

    Returns
    -------
    Net
        The streets with two one-way carriageways for each expressway; where the mountains
        are high they run in tunnels.
    """
    curves = [_curve(entry["line"]) for entry in roads.expresses]
    heights = _heights(curves)
    greater = (net.edges.kind >= CLASS["primary"]) & (net.edges.kind <= CLASS["unclassified"])
    greater &= net.edges.layer == 0
    landing = np.unique(np.concatenate([net.edges.u[greater], net.edges.v[greater]]))
    tree = cKDTree(net.xy[landing])
    for order, (entry, curve) in enumerate(zip(roads.expresses, curves, strict=True)):
        number = len(roads.crossings) + order
        kind = CLASS[entry["highway"]]
        stops, points, normal = _stops(curve, _NODE_EVERY * coarse**0.5)
        inside = ground.district.ravel()[ground.cell(points)] > 0
        relief = ground.relief.ravel()[ground.cell(points)]
        here = np.flatnonzero(inside[stops])
        base = len(net.xy)
        runs = here[:-1][np.diff(here) == 1]
        if not len(runs):
            continue
        parts: list[Edges] = []
        places: list[Floats] = []
        for side, way in ((1.0, FORWARD), (-1.0, BACKWARD)):
            # The right-hand carriageway runs along the line, the left-hand one against it.
            lane = points - side * _HALF * normal
            offset = base + sum(len(place) for place in places)
            places.append(lane[stops])
            spans = [np.arange(stops[run], stops[run + 1] + 1) for run in runs]
            counts = np.array([len(span) for span in spans], dtype=np.int64)
            lines = grouped_lines(lane[np.concatenate(spans)], counts)
            high = np.array([relief[span].mean() for span in spans]) > _TUNNEL_RELIEF
            parts.append(
                Edges.of(
                    offset + runs,
                    offset + runs + 1,
                    lines,
                    kind,
                    way=way,
                    layer=np.where(high, -1, heights[order]),
                    road=number,
                    walk=False,
                )
            )
            at = lane[stops][here[::2]]
            away, target = (np.asarray(answer) for answer in tree.query(at))
            near = (away < _RAMP * coarse) & (away > 1.0)
            u, v = offset + here[::2][near], landing[target[near]]
            ramp = np.stack([lane[stops][here[::2]][near], net.xy[v]], axis=1)
            parts.append(
                Edges.of(
                    u,
                    v,
                    shapely.linestrings(ramp),
                    CLASS["motorway_link"],
                    way=BOTH,
                    layer=1,
                    road=-1,
                    walk=False,
                )
            )
        # Where an expressway ends one may turn back.
        last = np.append(np.flatnonzero(np.diff(runs) > 1), len(runs) - 1)
        turns = np.unique(np.concatenate([runs[last] + 1, runs[np.append(0, last[:-1] + 1)]]))
        u, v = base + turns, base + len(stops) + turns
        between = np.stack([places[0][turns], places[1][turns]], axis=1)
        parts.append(
            Edges.of(
                u,
                v,
                shapely.linestrings(between),
                CLASS["motorway_link"],
                layer=heights[order],
                walk=False,
            )
        )
        net = net.with_edges(Edges.joined(parts), np.concatenate(places))
    return net


def bore(net: Net, ground: Ground, rng: np.random.Generator) -> Net:
    """Lead some of the greater roads through the mountains in tunnels."""
    edges = net.edges
    relief = ground.relief.ravel()[ground.cell((net.xy[edges.u] + net.xy[edges.v]) / 2.0)]
    deep = (relief > _TUNNEL_RELIEF) & (edges.kind <= CLASS["tertiary"]) & (edges.layer == 0)
    deep &= (shapely.length(edges.lines) > 600.0) & (rng.random(len(edges)) < 0.3)  # noqa: PLR2004
    return replace(net, edges=replace(edges, layer=np.where(deep, -1, edges.layer).astype(np.int8)))


def settle(net: Net) -> Net:
    """Make the network planar on each layer and whole but for a few islands.

    Parameters
    ----------
    net
        The network.

    Returns
    -------
    Net
        No two edges of a layer cross; pieces of more than a few junctions are joined to the
        greatest by a bridge; of the others the larger stay detached, as in real data.
    """
    net = planar(net).compact()
    piece = net.pieces()
    size = np.bincount(piece)
    main = int(np.argmax(size))
    on_main = np.flatnonzero(piece == main)
    tree = cKDTree(net.xy[on_main])
    links = []
    for number in np.flatnonzero(size >= _LARGE):
        if number != main:
            own = np.flatnonzero(piece == number)
            away, target = (np.asarray(answer) for answer in tree.query(net.xy[own]))
            nearest = int(np.argmin(away))
            links.append((int(own[nearest]), int(on_main[target[nearest]])))
    order = np.argsort(-size, kind="stable")
    small = [n for n in order if _LEAST_ISLAND <= size[n] < _LARGE][:_ISLANDS]
    keep = (size >= _LARGE) | np.isin(np.arange(len(size)), small)
    net = net.keeping(keep[piece[net.edges.u]])
    if links:
        u, v = np.array(links, dtype=np.int64).T
        lines = straight(net.xy, u, v)
        raised = net.edges.take(net.edges.layer != 0)
        hits = shapely.STRtree(raised.lines).query(lines, predicate="crosses")[0]
        layer = np.where(np.isin(np.arange(len(u)), hits), _HIGHEST, 1)
        net = net.with_edges(Edges.of(u, v, lines, CLASS["unclassified"], layer=layer))
    return net.compact()


def _curve(line: list[list[float]]) -> Floats:
    """Round the corners of a hand-drawn line."""
    points = to_metres(np.array(line, dtype=np.float64))
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    where = np.linspace(0.0, along[-1], max(int(along[-1] / _BEND_EVERY), 2))
    return np.asarray(interpolate.PchipInterpolator(along, points)(where))


def _stops(curve: Floats, every: float) -> tuple[Ints, Floats, Floats]:
    """Return which points of a curve are nodes, the points, and the normals to its left."""
    step = np.gradient(curve, axis=0)
    step /= np.hypot(*step.T)[:, None]
    normal = np.column_stack([-step[:, 1], step[:, 0]])
    stride = max(round(every / _BEND_EVERY), 1)
    stops = np.unique(np.append(np.arange(0, len(curve), stride), len(curve) - 1))
    return stops, curve, normal


def _heights(curves: Sequence[Floats]) -> list[int]:
    """Give expressways that cross different heights, two and above."""
    lines = [shapely.LineString(curve) for curve in curves]
    heights: list[int] = []
    for order, line in enumerate(lines):
        near = [heights[k] for k in range(order) if line.distance(lines[k]) < 4 * _HALF]
        heights.append(next(height for height in range(2, 20) if height not in near))
    return heights
