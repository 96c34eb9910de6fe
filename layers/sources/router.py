"""Streets out of a car router's compiled network: OSM without its tags.

Such a file knows how fast a car goes but not what kind of street it is, so the speed
stands in for the class, and the class decides who may walk or cycle there.
"""

from typing import Any

import geopandas as gpd
import numpy as np

from layers import streets
from layers.errors import LayerError, SourceError
from layers.findings import Finding
from layers.messages import text
from layers.sources.files import Source

COLUMNS = ("u_osm", "v_osm", "length_m", "car_fwd", "car_rev", "car_kmh")
"""The columns by which such a file is known."""

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
    source.allow("layer")
    frame = source.read_features(source.options.get("layer", "edges"))
    missing = [column for column in COLUMNS if column not in frame]
    if missing:
        raise SourceError(
            text(
                "error.column_not_found",
                path=str(source.path), option="layer", wanted=", ".join(missing),
                columns=", ".join(map(str, frame.columns)),
            )
        )
    _refuse_unknown_nodes(source, frame)
    highway = _CLASSES[np.searchsorted(_HALF_WAY, frame["car_kmh"].to_numpy(), side="right")]
    slow = highway != "trunk"
    name = frame["name"].fillna("").astype("str") if "name" in frame else ""
    layer = gpd.GeoDataFrame(
        {
            "u": frame["u_osm"], "v": frame["v_osm"], "length": frame["length_m"],
            "walk_forward": slow, "walk_backward": slow,
            "cycle_forward": slow, "cycle_backward": slow,
            "drive_forward": frame["car_fwd"].astype(bool),
            "drive_backward": frame["car_rev"].astype(bool),
            "speed_kmh": frame["car_kmh"], "name": name, "highway": highway,
        },
        geometry=frame.geometry, crs=frame.crs,
    )
    if "name" in frame:
        layer["tunnel"] = layer["name"].str.endswith("隧道")
        layer["bridge"] = layer["name"].str.contains("高架") | layer["name"].str.endswith("桥")
    return streets.conform(layer)


def _refuse_unknown_nodes(source: Source, edges: gpd.GeoDataFrame) -> None:
    try:
        nodes: Any = source.read_features("nodes")["osm_id"]
    except (SourceError, KeyError):
        return
    unknown = ~(edges["u_osm"].isin(nodes) & edges["v_osm"].isin(nodes))
    if unknown.any():
        ends = np.concatenate([edges.loc[unknown, "u_osm"], edges.loc[unknown, "v_osm"]])
        named = ", ".join(str(node) for node in ends[~np.isin(ends, nodes)][:6])
        rows = tuple(edges.index[unknown])
        raise LayerError(
            [
                Finding(
                    layer="streets", code="node_unknown", severity="error", rows=rows,
                    values={"found": named},
                )
            ]
        )
