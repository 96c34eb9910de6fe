"""The streets: who may go which way along each stretch between two nodes."""

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import pandera.pandas as pa
import shapely
from pyproj import Geod

from layers.errors import InputError
from layers.findings import Finding
from layers.messages import text
from layers.schema import conformed, finite_positive, layer_findings, words

if TYPE_CHECKING:
    import networkx as nx

Mode = Literal["walk", "cycle", "drive"]
MODES: tuple[Mode, ...] = get_args(Mode)
PERMISSIONS = tuple(f"{mode}_{way}" for mode in MODES for way in ("forward", "backward"))

_NODE_SLACK_M = 1.0
_USUAL_KMH = 30.0
_SAMPLE = 6
_LENGTH_SLACK = 0.10
_LENGTH_SLACK_M = 5.0
_GEOD = Geod(ellps="WGS84")

SCHEMA = pa.DataFrameSchema(
    {
        "u": pa.Column("int64"),
        "v": pa.Column("int64"),
        "length": pa.Column("float64", finite_positive()),
        **{permission: pa.Column("bool") for permission in PERMISSIONS},
        "speed_kmh": pa.Column("float64", finite_positive()),
        "name": pa.Column(checks=words()),
        "highway": pa.Column(checks=words()),
        "bridge": pa.Column("bool"),
        "tunnel": pa.Column("bool"),
        "layer": pa.Column("int64"),
    },
)
"""Columns: node ids, length in metres, permissions, speed in km/h, names and grade."""

_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(PERMISSIONS, True),
    "name": "",
    "highway": "unclassified",
    "bridge": False,
    "tunnel": False,
    "layer": 0,
}


def conform(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make a street layer with every column in its type, in EPSG:4326.

    Values are never mended: what is missing from a row stays missing, for `check` to
    name. Columns that are absent as a whole take their defaults: open to all, no name,
    on the ground; the length is measured along the geometry on the WGS-84 ellipsoid.

    Parameters
    ----------
    frame
        At least ``u``, ``v``, ``speed_kmh`` and line geometry.
    """
    streets = conformed(frame, SCHEMA, _DEFAULTS)
    if "length" not in streets:
        after = sum(column in streets for column in ("u", "v"))
        streets.insert(after, "length", geodesic_length(streets.geometry))
    return streets


def check(streets: gpd.GeoDataFrame) -> list[Finding]:
    """Find what stops the work: schema, geometry, node ids that lie at two places."""
    found = layer_findings("streets", streets, SCHEMA, kinds=("LineString",))
    if not found:
        found += _nodes_at_two_places(streets)
    return found


def review(streets: gpd.GeoDataFrame) -> list[Finding]:
    """Find what a reader should know: loops, parallels, closed streets, lengths."""
    found: list[Finding] = []

    def add(code: str, severity: Any, rows: Any, **values: Any) -> None:
        if rows.any():
            found.append(
                Finding(
                    layer="streets",
                    code=code,
                    severity=severity,
                    rows=tuple(streets.index[rows]),
                    values=values,
                )
            )

    add("street_loop", "info", (streets["u"] == streets["v"]).to_numpy())
    pair = pd.DataFrame(np.sort(streets[["u", "v"]].to_numpy(), axis=1))
    add("street_parallel", "info", pair.duplicated(keep=False).to_numpy())
    shut = ~streets[list(PERMISSIONS)].to_numpy().any(axis=1)
    add("street_closed_to_all", "info", shut)
    measured = geodesic_length(streets.geometry)
    off = np.abs(measured - streets["length"].to_numpy())
    add(
        "length_disagrees",
        "warning",
        (off > _LENGTH_SLACK * measured) & (off > _LENGTH_SLACK_M),
        percent=_LENGTH_SLACK * 100,
    )
    return found


def geodesic_length(lines: gpd.GeoSeries) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Measure each line of longitudes and latitudes in metres on the ellipsoid."""
    coordinates, owner = shapely.get_coordinates(lines.array, return_index=True)
    step = owner[1:] == owner[:-1]
    start, end = coordinates[:-1][step], coordinates[1:][step]
    _, _, metres = _GEOD.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    whole = np.bincount(owner[1:][step], weights=metres, minlength=len(lines))
    return whole.astype(np.float64)


def end_places(lines: gpd.GeoSeries) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Where lines begin and end.

    Returns
    -------
    A row a line, then its beginning and its end, then two coordinates.
    """
    shapes = np.asarray(lines.array)
    xy, last = shapely.get_coordinates(shapes), np.cumsum(shapely.get_num_coordinates(shapes))
    return np.stack([xy[np.append(0, last[:-1])], xy[last - 1]], axis=1)


def split_at_bends(streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make every bend of the streets a node, as the files of many sources have it.

    Parameters
    ----------
    streets
        Street layer.

    Returns
    -------
    A row a straight stretch, in the order of the streets; a street's metres are shared out
    among its stretches by their lengths on the ellipsoid.

    Examples
    --------
    >>> from layers import embedded
    >>> streets = embedded("small").streets
    >>> straight = split_at_bends(streets)
    >>> len(straight) > len(streets)
    True
    >>> bool(np.isclose(straight["length"].sum(), streets["length"].sum()))
    True
    """
    lines = shapely.remove_repeated_points(np.asarray(streets.geometry.array))
    xy, of = shapely.get_coordinates(lines, return_index=True)
    follows = of[1:] == of[:-1]
    begin = np.flatnonzero(follows)
    ids = pd.concat([streets["u"], streets["v"]]).max() + 1 + np.arange(len(xy), dtype=np.int64)
    first = np.flatnonzero(np.append(True, ~follows))
    ids[first], ids[np.append(first[1:], len(xy)) - 1] = streets["u"], streets["v"]
    made = streets.iloc[of[begin]].reset_index(drop=True)
    stretches = shapely.linestrings(np.stack([xy[begin], xy[begin + 1]], axis=1))
    made = made.set_geometry(gpd.GeoSeries(stretches, crs=streets.crs))
    metres = geodesic_length(made.geometry)
    whole = np.bincount(of[begin], metres, minlength=len(streets))[of[begin]]
    return made.assign(
        u=ids[begin], v=ids[begin + 1], length=made["length"].to_numpy() * metres / whole
    )


def from_networkx(
    graph: "nx.MultiDiGraph[Any]", *, modes: tuple[Mode, ...] = MODES
) -> gpd.GeoDataFrame:
    """Make a street layer of a graph in osmnx's model.

    Each directed edge opens its street in that direction. The two directions of one
    street, which such a graph holds as two edges with reversed geometry, become one row.

    Parameters
    ----------
    graph
        Nodes with ``x`` and ``y``; edges with ``length`` in metres and, if they have
        them, ``geometry``, ``speed_kph``, ``name``, ``highway``, ``bridge``, ``tunnel``,
        ``layer``; ``graph.graph["crs"]``.
    modes
        The modes that may go where the graph has an edge; the others may not.

    Returns
    -------
    Street layer, a row a street, not yet checked. Edges without a length have none; those
    without a speed get 30 km/h.

    Raises
    ------
    CrsError
        The graph has no reference system.
    InputError
        Nodes have no place.
    """
    nowhere = [node for node, data in graph.nodes(data=True) if not {"x", "y"} <= set(data)]
    if nowhere:
        named = ", ".join(map(str, nowhere[:_SAMPLE]))
        raise InputError(text("error.nodes_nowhere", count=len(nowhere), found=named))
    rank = {node: number for number, node in enumerate(graph)}
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for u, v, data in graph.edges(data=True):
        start, end = graph.nodes[u], graph.nodes[v]
        line = data.get("geometry") or shapely.LineString(
            [(start["x"], start["y"]), (end["x"], end["y"])]
        )
        length = float(data.get("length", math.nan))
        back = line.reverse()
        turned = (rank[v], rank[u], back.wkb) < (rank[u], rank[v], line.wkb)
        key = (v, u, back.wkb) if turned else (u, v, line.wkb)
        row = rows.setdefault(
            (*key, round(length, 3)),
            {
                "u": key[0],
                "v": key[1],
                "length": length,
                **dict.fromkeys(PERMISSIONS, False),
                "speed_kmh": float(_first(data.get("speed_kph")) or _USUAL_KMH),
                "name": _first(data.get("name")),
                "highway": _first(data.get("highway")) or "unclassified",
                "bridge": _is_yes(data.get("bridge")),
                "tunnel": _is_yes(data.get("tunnel")),
                "layer": _whole(data.get("layer")),
                "geometry": back if turned else line,
            },
        )
        for mode in modes:
            row[f"{mode}_{'backward' if turned else 'forward'}"] = True
    columns = [*SCHEMA.columns, "geometry"]
    frame = gpd.GeoDataFrame(list(rows.values()), columns=columns, crs=graph.graph.get("crs"))
    return conform(frame)


def _nodes_at_two_places(streets: gpd.GeoDataFrame) -> list[Finding]:
    nodes = streets[["u", "v"]].to_numpy().ravel()
    ends = end_places(streets.geometry).reshape(-1, 2)
    numbered, known = pd.factorize(nodes)
    anchor = np.empty((len(known), 2))
    # Where the node is first met: what is written last stays.
    anchor[numbered[::-1]] = ends[::-1]
    anchor = anchor[numbered]
    apart = np.zeros(len(ends))
    moved = (ends != anchor).any(axis=1)
    apart[moved] = _GEOD.inv(*ends[moved].T, *anchor[moved].T)[2]
    astray = apart > _NODE_SLACK_M
    if not astray.any():
        return []
    wrong = pd.unique(nodes[astray])
    rows = tuple(streets.index[streets[["u", "v"]].isin(wrong).any(axis=1)])
    named = ", ".join(map(str, wrong[:_SAMPLE]))
    values = {"metres": _NODE_SLACK_M, "found": named}
    return [Finding(layer="streets", code="node_twice", severity="error", rows=rows, values=values)]


def _first(value: Any) -> str:
    """Put a value in words: of several the first, of a missing one none."""
    if isinstance(value, list):
        value = next(iter(value), None)
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - NaN


def _is_yes(value: Any) -> bool:
    return _first(value) not in {"", "no", "False"}


def _whole(value: Any) -> int:
    try:
        return int(float(_first(value)))
    except (ValueError, OverflowError):
        return 0
