import math

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

from layers import streets
from layers.errors import CrsError, InputError
from layers.messages import speaking
from layers.streets import MODES, PERMISSIONS, from_networkx, geodesic_length
from planner.network import Network

A, B, C = (120.15, 30.27), (120.16, 30.27), (120.16, 30.28)


def layer(crs=4326, **columns):
    given = {
        "u": [1, 2],
        "v": [2, 3],
        "length": [962.0, 1109.0],
        "speed_kmh": [30.0, 30.0],
        **columns,
    }
    lines = [shapely.LineString([A, B]), shapely.LineString([B, C])]
    geometry = given.pop("geometry", lines)
    return gpd.GeoDataFrame(given, geometry=geometry, crs=crs)


def faults(frame):
    return {one.code: one.rows for one in streets.check(streets.conform(frame))}


def notes(frame):
    found = streets.review(streets.conform(frame))
    for one in found:
        for lang in ("zh", "en"):
            with speaking(lang):
                assert str(one)
    return {one.code: (one.severity, one.rows) for one in found}


def test_defaults_are_open_to_all_on_the_ground():
    made = streets.conform(layer())
    assert list(made) == [*streets.SCHEMA.columns, "geometry"]
    assert made[list(PERMISSIONS)].all(axis=None)
    assert not made[["bridge", "tunnel"]].any(axis=None)
    assert made["layer"].tolist() == [0, 0]
    assert streets.check(made) == []


def test_length_is_measured_where_absent():
    made = streets.conform(layer().drop(columns="length"))
    assert list(made) == [*streets.SCHEMA.columns, "geometry"]
    assert made["length"].tolist() == pytest.approx([962.24, 1108.57], abs=0.01)
    pd.testing.assert_series_equal(
        made["length"], pd.Series(geodesic_length(layer().geometry), name="length")
    )
    kept = streets.conform(layer(length=[1000, "1200"]))
    assert kept["length"].tolist() == [1000.0, 1200.0]


def test_length_of_bent_lines_and_of_none():
    lines = gpd.GeoSeries([shapely.LineString([A, B, C]), shapely.LineString(), None], crs=4326)
    bent, empty, missing = geodesic_length(lines)
    assert bent == pytest.approx(962.24 + 1108.57, abs=0.02)
    assert empty == missing == 0


def test_without_reference_system():
    with pytest.raises(CrsError, match="EPSG"):
        streets.conform(layer(crs=None))


@pytest.mark.parametrize(
    ("columns", "code", "rows"),
    [
        ({"length": [math.nan, 1]}, "value_missing", (0,)),
        ({"length": [1, 0]}, "value_not_positive", (1,)),
        ({"length": [1, -5]}, "value_not_positive", (1,)),
        ({"length": [math.inf, 5]}, "value_not_positive", (0,)),
        ({"length": ["long", 5]}, "column_type", (0,)),
        ({"speed_kmh": [30, None]}, "value_missing", (1,)),
        ({"speed_kmh": [0, 30]}, "value_not_positive", (0,)),
        ({"u": [None, 2]}, "value_missing", (0,)),
        ({"v": ["b", 3]}, "column_type", (0,)),
        ({"layer": [None, 1]}, "value_missing", (0,)),
        ({"walk_forward": [True, None]}, "value_missing", (1,)),
        ({"walk_forward": ["yes", True]}, "column_type", (0,)),
        ({"highway": [None, "primary"]}, "value_missing", (0,)),
        ({"geometry": [None, shapely.LineString([B, C])]}, "geometry_kind", (0,)),
        ({"geometry": [shapely.Point(A), shapely.LineString([B, C])]}, "geometry_kind", (0,)),
        ({"geometry": [shapely.LineString(), shapely.LineString([B, C])]}, "geometry_kind", (0,)),
        (
            {"geometry": [shapely.LineString([A, A]), shapely.LineString([A, C])]},
            "geometry_invalid",
            (0,),
        ),
        (
            {
                "geometry": [
                    shapely.MultiLineString([[A, B], [C, B]]),
                    shapely.LineString([B, C]),
                ]
            },
            "geometry_kind",
            (0,),
        ),
        (
            {"geometry": [shapely.LineString([(30, 120), (31, 120)]), shapely.LineString([B, C])]},
            "outside_world",
            (0,),
        ),
    ],
)
def test_bad_streets_are_named(columns, code, rows):
    assert faults(layer(**columns)) == {code: rows}


@pytest.mark.parametrize("column", ["u", "v", "speed_kmh"])
def test_missing_columns_are_named(column):
    frame = layer().drop(columns=column)
    (one,) = streets.check(streets.conform(frame))
    assert one.code == "column_missing"
    assert f"“{column}”" in one.message


def test_a_line_in_a_collection_of_one_and_with_heights_is_a_line():
    first = shapely.MultiLineString([shapely.LineString([(*A, 5), (*B, 6)])])
    made = streets.conform(layer(geometry=[first, shapely.LineString([B, C])]))
    assert streets.check(made) == []
    assert made.geometry.geom_type.eq("LineString").all()
    assert not made.has_z.any()


def test_a_node_at_two_places_is_named():
    off = shapely.LineString([(B[0] + 2e-5, B[1]), C])
    (one,) = streets.check(streets.conform(layer(geometry=[shapely.LineString([A, B]), off])))
    assert (one.code, one.rows) == ("node_twice", (0, 1))
    assert one.message.endswith(": 2。")
    near = shapely.LineString([(B[0] + 2e-6, B[1]), C])
    assert faults(layer(geometry=[shapely.LineString([A, B]), near])) == {}


def test_loops_and_parallels_stay_and_are_told():
    ring = shapely.LineString([A, B, C, A])
    frame = layer(
        u=[1, 1, 2, 2],
        v=[1, 2, 1, 3],
        speed_kmh=[30.0] * 4,
        length=[3539.0, 962.0, 1040.0, 1109.0],
        geometry=[
            ring,
            shapely.LineString([A, B]),
            shapely.LineString([B, (120.155, 30.271), A]),
            shapely.LineString([B, C]),
        ],
    )
    assert faults(frame) == {}
    assert notes(frame) == {"street_loop": ("info", (0,)), "street_parallel": ("info", (1, 2))}


def test_streets_closed_to_all_and_wrong_lengths_are_told():
    shut = {permission: [True, False] for permission in PERMISSIONS}
    assert notes(layer(**shut)) == {"street_closed_to_all": ("info", (1,))}
    kilometres = layer(length=[0.9625, 1.1087])
    assert notes(kilometres) == {"length_disagrees": ("warning", (0, 1))}


def graph():
    made = nx.MultiDiGraph(crs="EPSG:4326")
    for node, (x, y) in {1: A, 2: B, 3: C}.items():
        made.add_node(node, x=x, y=y)
    bent = shapely.LineString([B, (120.162, 30.275), C])
    made.add_edge(1, 2, length=962.0, name="甲路", highway="primary", speed_kph=60.0)
    made.add_edge(2, 1, length=962.0, name="甲路", highway="primary", speed_kph=60.0)
    made.add_edge(2, 3, length=1200.0, geometry=bent, tunnel="yes", layer="-1", highway=["a", "b"])
    made.add_edge(3, 3, length=50.0, geometry=shapely.LineString([C, (120.161, 30.28), C]))
    return made


def test_a_graph_becomes_streets():
    made = from_networkx(graph(), modes=("walk", "cycle"))
    assert streets.check(made) == []
    assert len(made) == 3
    both = made.set_index("length")
    assert both.loc[962.0, ["walk_forward", "walk_backward"]].all()
    assert both.loc[962.0, "speed_kmh"] == 60.0
    one = both.loc[1200.0]
    assert (one["u"], one["v"], one["tunnel"], one["layer"]) == (2, 3, True, -1)
    assert (one["walk_forward"], one["walk_backward"]) == (True, False)
    assert (one["highway"], one["speed_kmh"]) == ("a", 30.0)
    assert not made[["drive_forward", "drive_backward"]].any(axis=None)


@pytest.mark.parametrize("mode", MODES)
def test_there_and_back_through_a_graph(tiny_city, mode):
    network = Network.build(tiny_city.streets, mode)
    again = Network.build(from_networkx(network.to_networkx(), modes=(mode,)), mode)

    def arcs(net):
        rows = []
        for forward, tail, head in ((net.forward, net.u, net.v), (net.backward, net.v, net.u)):
            rows += zip(
                net.node_ids[tail[forward]].tolist(),
                net.node_ids[head[forward]].tolist(),
                net.length[forward].round(6).tolist(),
                net.minutes[forward].round(9).tolist(),
                net.streets["name"][forward].tolist(),
                strict=True,
            )
        return sorted(rows)

    assert len(again.length) == len(network.length)
    assert arcs(again) == arcs(network)


def test_values_that_a_graph_leaves_out_or_leaves_empty():
    bare = nx.MultiDiGraph(crs="EPSG:4326")
    bare.add_node(1, x=A[0], y=A[1])
    bare.add_node(2, x=B[0], y=B[1])
    odd = {"name": None, "highway": math.nan, "speed_kph": None, "bridge": math.nan, "layer": "1;2"}
    bare.add_edge(1, 2, length=962.0, **odd)
    bare.add_edge(2, 1, length=962.0, tunnel="no", name=[], layer=math.inf)
    (street,) = from_networkx(bare).to_dict("records")
    assert street["name"] == ""
    assert street["highway"] == "unclassified"
    assert (street["bridge"], street["tunnel"], street["layer"]) == (False, False, 0)
    assert street["speed_kmh"] == 30.0


def test_a_graph_that_cannot_become_streets_is_refused():
    without = graph()
    del without.graph["crs"]
    with pytest.raises(CrsError):
        from_networkx(without)
    nowhere = graph()
    del nowhere.nodes[2]["x"]
    with pytest.raises(InputError, match="2"):
        from_networkx(nowhere)
    unmeasured = graph()
    del unmeasured[2][3][0]["length"]
    (one,) = streets.check(from_networkx(unmeasured))
    assert (one.code, len(one.rows)) == ("value_missing", 1)
    named = nx.relabel_nodes(graph(), {1: "one"})
    assert {one.code for one in streets.check(from_networkx(named))} == {"column_type"}
    (one,) = streets.check(from_networkx(nx.MultiDiGraph(crs="EPSG:4326")))
    assert one.code == "empty"


def test_a_projected_graph(tiny_city):
    line = gpd.GeoSeries([shapely.Point(A), shapely.Point(B)], crs=4326).to_crs(4549)
    made = nx.MultiDiGraph(crs="EPSG:4549")
    for node, point in enumerate(line):
        made.add_node(node, x=point.x, y=point.y)
    made.add_edge(0, 1, length=962.0)
    (street,) = from_networkx(made).geometry
    np.testing.assert_allclose(street.coords, [A, B], atol=1e-9)


def test_streets_split_at_their_bends_lead_as_far_as_before():
    bent = shapely.LineString([A, (120.155, 30.275), (120.155, 30.275), B])
    ring = shapely.LineString([C, (120.165, 30.28), (120.165, 30.285), C])
    columns = {"u": [1, 2, 3], "v": [2, 3, 3], "length": [1500.0, 1109.0, 1600.0]}
    lines = [bent, shapely.LineString([B, C]), ring]
    whole = streets.conform(
        gpd.GeoDataFrame(
            {**columns, "speed_kmh": 30.0, "walk_backward": [False, True, True]},
            geometry=lines,
            crs=4326,
        )
    )
    made = streets.split_at_bends(whole)
    assert streets.check(made) == []
    assert list(made) == list(whole)
    assert len(made) == 2 + 1 + 3
    assert made["walk_backward"].tolist() == [False, False, True, True, True, True]
    graphs = [nx.Graph(), nx.Graph()]
    for graph, frame in zip(graphs, (whole, made), strict=True):
        graph.add_weighted_edges_from(frame[["u", "v", "length"]].itertuples(index=False))
    for one, other in ((1, 2), (2, 3), (1, 3)):
        assert nx.dijkstra_path_length(graphs[1], one, other) == pytest.approx(
            nx.dijkstra_path_length(graphs[0], one, other)
        )
    assert made["length"].sum() == pytest.approx(4209.0)
