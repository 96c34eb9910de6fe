"""Streets out of a car router's compiled network: OSM without its tags.

Such a file knows how fast a car goes but not what kind of street it is, so the speed
stands in for the class, and the class decides who may walk or cycle there.
"""

import geopandas as gpd
import numpy as np
import pandas as pd

from layers import streets
from layers.errors import LayerError
from layers.findings import Finding
from layers.sources.files import Source

COLUMNS = ("u_osm", "v_osm", "length_m", "car_fwd", "car_rev", "car_kmh")
"""The columns by which such a file is known."""

_SAMPLE = 6

# Usual car speeds of the classes, and the speeds half-way between them.
_CLASSES = np.array(["service", "residential", "tertiary", "secondary", "primary", "trunk"])
_HALF_WAY = np.array([20.0, 32.5, 47.5, 60.0, 75.0])


def read(source: Source) -> gpd.GeoDataFrame:
    """Read the streets of a compiled car network.

    Walking and cycling are open in both directions on all but trunk roads and
    motorways: a one-way rule for cars binds nobody on foot, and cycle tracks run beside
    Hangzhou's one-way streets. Footways are not in such a file.

    Parameters
    ----------
    source
        File with the edges; option ``layer`` (``edges``). A layer ``nodes`` beside it
        with ``osm_id`` is held against the edges' ends.

    Returns
    -------
    Street layer.

    Raises
    ------
    SourceError
        A column is missing.
    LayerError
        Streets end at nodes that the file does not have.
    """
    source.allow("layer", "crs", "datum")
    frame = source.in_wgs84(source.read_features(source.options.get("layer", "edges")))
    for column in COLUMNS:
        source.column(frame, "layer", (column,))
    refuse_unknown_nodes(source, frame, "u_osm", "v_osm")
    speed = pd.to_numeric(frame["car_kmh"], errors="coerce").to_numpy()
    highway = _CLASSES[np.searchsorted(_HALF_WAY, speed, side="right")]
    slow = highway != "trunk"
    name = frame["name"].fillna("") if "name" in frame else ""
    layer = gpd.GeoDataFrame(
        {
            "u": frame["u_osm"],
            "v": frame["v_osm"],
            "length": frame["length_m"],
            "walk_forward": slow,
            "walk_backward": slow,
            "cycle_forward": slow,
            "cycle_backward": slow,
            "drive_forward": frame["car_fwd"],
            "drive_backward": frame["car_rev"],
            "speed_kmh": frame["car_kmh"],
            "name": name,
            "highway": highway,
        },
        geometry=frame.geometry,
        crs=frame.crs,
    )
    if "name" in frame:
        layer["tunnel"] = layer["name"].str.endswith("隧道")
        layer["bridge"] = layer["name"].str.contains("高架") | layer["name"].str.endswith("桥")
    return streets.conform(layer)


def refuse_unknown_nodes(source: Source, edges: gpd.GeoDataFrame, u: str, v: str) -> None:
    """Hold streets' ends against the file's layer ``nodes``, where it has one.

    Parameters
    ----------
    source
        The file.
    edges
        Its streets.
    u, v
        Their columns of node ids; those of the nodes are in ``osm_id``.

    Raises
    ------
    SourceError
        The layer of nodes has no ids.
    LayerError
        Streets end at nodes that the file does not have.
    """
    nodes = source.read_column("nodes", "osm_id")
    if nodes is None:
        return
    ends = edges[[u, v]]
    strange = ~ends.isin(nodes.dropna().array)
    rows = strange.any(axis=1)
    if rows.any():
        named = pd.unique(ends.to_numpy()[strange.to_numpy()])[:_SAMPLE]
        raise LayerError(
            [
                Finding(
                    layer="streets",
                    code="node_unknown",
                    severity="error",
                    rows=tuple(edges.index[rows]),
                    values={"found": ", ".join(map(str, named))},
                )
            ]
        )
