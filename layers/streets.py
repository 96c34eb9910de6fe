"""The streets: who may go which way along each stretch between two nodes."""

from typing import Any, Literal, get_args

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pandera.pandas as pa
import shapely
from pyproj import Geod

from layers.crs import in_degrees
from layers.findings import Finding
from layers.schema import finite_positive, layer_findings, words

Mode = Literal["walk", "cycle", "drive"]
MODES: tuple[Mode, ...] = get_args(Mode)
PERMISSIONS = tuple(f"{mode}_{way}" for mode in MODES for way in ("forward", "backward"))

_NODE_SLACK_M = 1.0
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
    """Street layer with every column in its type, in EPSG:4326.

    Values are never mended: what is missing from a row stays missing, for `check` to
    name. Columns that are absent as a whole take their defaults: open to all, no name,
    on the ground; the length is measured along the geometry on the WGS-84 ellipsoid.

    Parameters
    ----------
    frame
        At least ``u``, ``v``, ``speed_kmh`` and line geometry.
    """
    streets = in_degrees(frame)
    for column, value in _DEFAULTS.items():
        if column not in streets:
            streets[column] = value
    if "length" not in streets:
        streets["length"] = geodesic_length(streets.geometry)
    for column, wanted in {"length": "float64", "speed_kmh": "float64", "layer": "int64"}.items():
        if column in streets:
            streets[column] = pd.to_numeric(streets[column]).astype(wanted)
    streets["name"] = streets["name"].fillna("").astype("str")
    ordered = [column for column in SCHEMA.columns if column in streets]
    return streets[[*ordered, "geometry"]]


def check(streets: gpd.GeoDataFrame) -> list[Finding]:
    """Findings that stop the work: schema, geometry, node ids that lie at two places."""
    found = layer_findings("streets", streets, SCHEMA, kinds=("LineString",))
    if not found:
        found += _nodes_at_two_places(streets)
    return found


def review(streets: gpd.GeoDataFrame) -> list[Finding]:
    """Findings that a reader should know: loops, parallels, closed streets, lengths."""
    found: list[Finding] = []

    def add(code: str, severity: Any, rows: Any, **values: Any) -> None:
        if rows.any():
            found.append(
                Finding(
                    layer="streets", code=code, severity=severity,
                    rows=tuple(streets.index[rows]), values=values,
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
        "length_disagrees", "warning",
        (off > _LENGTH_SLACK * measured) & (off > _LENGTH_SLACK_M), percent=_LENGTH_SLACK * 100,
    )
    return found


def geodesic_length(lines: gpd.GeoSeries) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Length of each line of longitudes and latitudes, in metres on the ellipsoid."""
    coordinates, owner = shapely.get_coordinates(lines.array, return_index=True)
    step = owner[1:] == owner[:-1]
    start, end = coordinates[:-1][step], coordinates[1:][step]
    _, _, metres = _GEOD.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    return np.bincount(owner[1:][step], weights=metres, minlength=len(lines))


def from_networkx(graph: "nx.MultiDiGraph[Any]", *, modes: tuple[Mode, ...] = MODES) -> gpd.GeoDataFrame:
    """Street layer of a graph in osmnx's model.

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
    Street layer, a row a street.
    """
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for u, v, data in graph.edges(data=True):
        start, end = graph.nodes[u], graph.nodes[v]
        line = data.get("geometry") or shapely.LineString(
            [(start["x"], start["y"]), (end["x"], end["y"])]
        )
        back = line.reverse()
        turned = (v, u, back.wkb) < (u, v, line.wkb)
        key = (v, u, back.wkb) if turned else (u, v, line.wkb)
        row = rows.setdefault(
            (*key, round(float(data["length"]), 3)),
            {
                "u": key[0], "v": key[1],
                "length": float(data["length"]),
                **dict.fromkeys(PERMISSIONS, False),
                "speed_kmh": float(data.get("speed_kph", 30.0)),
                "name": _first(data.get("name", "")),
                "highway": _first(data.get("highway", "unclassified")),
                "bridge": _is_yes(data.get("bridge")),
                "tunnel": _is_yes(data.get("tunnel")),
                "layer": _whole(data.get("layer", 0)),
                "geometry": back if turned else line,
            },
        )
        for mode in modes:
            row[f"{mode}_{'backward' if turned else 'forward'}"] = True
    columns = [*SCHEMA.columns, "geometry"]
    frame = gpd.GeoDataFrame(list(rows.values()), columns=columns, crs=graph.graph.get("crs"))
    return conform(frame)


def _nodes_at_two_places(streets: gpd.GeoDataFrame) -> list[Finding]:
    nodes = pd.concat([streets["u"], streets["v"]])
    lines = streets.geometry.array
    ends = np.concatenate(
        [shapely.get_coordinates(shapely.get_point(lines, end)) for end in (0, -1)]
    )
    first = pd.DataFrame(ends, index=nodes.to_numpy())
    anchor = first[~first.index.duplicated()].loc[nodes.to_numpy()].to_numpy()
    _, _, apart = _GEOD.inv(ends[:, 0], ends[:, 1], anchor[:, 0], anchor[:, 1])
    astray = apart > _NODE_SLACK_M
    if not astray.any():
        return []
    rows = tuple(nodes.index[astray].unique())
    named = ", ".join(map(str, nodes[astray].unique()[:6]))
    values = {"metres": _NODE_SLACK_M, "found": named}
    return [Finding(layer="streets", code="node_twice", severity="error", rows=rows, values=values)]


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) else str(value)


def _is_yes(value: Any) -> bool:
    return value is not None and _first(value) not in {"", "no", "nan", "False"}


def _whole(value: Any) -> int:
    try:
        return int(float(_first(value)))
    except ValueError:
        return 0
