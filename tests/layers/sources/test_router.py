import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers import streets
from layers.errors import LayerError, SourceError
from layers.messages import speaking
from layers.sources import router
from layers.sources.files import Source

A, B, C = (120.15, 30.27), (120.16, 30.27), (120.16, 30.28)


def edges(**columns):
    given = {
        "u_osm": [1, 2],
        "v_osm": [2, 3],
        "name": ["文晖路", None],
        "length_m": [962.0, 1109.0],
        "car_fwd": [1, 1],
        "car_rev": [0, 1],
        "car_kmh": [55.0, 25.0],
        **columns,
    }
    lines = [shapely.LineString([A, B]), shapely.LineString([B, C])]
    return gpd.GeoDataFrame(given, geometry=lines, crs=4326)


def nodes(**columns):
    given = {"osm_id": [1, 2, 3], **columns}
    return gpd.GeoDataFrame(given, geometry=[shapely.Point(place) for place in (A, B, C)], crs=4326)


def write(tmp_path, edge=None, node=None):
    path = tmp_path / "net.gpkg"
    (edges() if edge is None else edge).to_file(path, layer="edges")
    if node is not None:
        node.to_file(path, layer="nodes")
    return Source.parse(str(path))


def test_columns_become_a_street_layer(tmp_path):
    made = router.read(write(tmp_path, node=nodes()))
    assert streets.check(made) == []
    assert made["name"].tolist() == ["文晖路", ""]
    assert made["highway"].tolist() == ["secondary", "residential"]
    assert made[["drive_forward", "drive_backward"]].to_numpy().tolist() == [
        [True, False],
        [True] * 2,
    ]
    assert made["length"].tolist() == [962.0, 1109.0]
    assert made["speed_kmh"].tolist() == [55.0, 25.0]


@pytest.mark.parametrize(
    ("speed", "highway", "walk"),
    [
        (15, "service", True),
        (25, "residential", True),
        (40, "tertiary", True),
        (55, "secondary", True),
        (65, "primary", True),
        (85, "trunk", False),
        (120, "trunk", False),
    ],
)
def test_the_speed_stands_in_for_the_class(tmp_path, speed, highway, walk):
    made = router.read(write(tmp_path, edges(car_kmh=[speed, 25])))
    assert made["highway"].iloc[0] == highway
    for way in ("walk_forward", "walk_backward", "cycle_forward", "cycle_backward"):
        assert made[way].tolist() == [walk, True]


def test_names_tell_tunnels_and_bridges(tmp_path):
    made = router.read(write(tmp_path, edges(name=["西湖隧道", "复兴大桥"])))
    assert made["tunnel"].tolist() == [True, False]
    assert made["bridge"].tolist() == [False, True]


@pytest.mark.parametrize("column", router.COLUMNS)
def test_missing_columns_are_named(tmp_path, column):
    source = write(tmp_path, edges().drop(columns=column))
    for lang in ("zh", "en"):
        with speaking(lang), pytest.raises(SourceError, match=column):
            router.read(source)


@pytest.mark.parametrize(
    ("columns", "rows", "found"),
    [
        ({"v_osm": [2, 99]}, (1,), "99"),
        ({"u_osm": [98, 2], "v_osm": [2, 99]}, (0, 1), "98"),
        ({"u_osm": [None, 2]}, (0,), "nan"),
    ],
)
def test_unknown_nodes_are_named(tmp_path, columns, rows, found):
    source = write(tmp_path, edges(**columns), nodes())
    for lang in ("zh", "en"):
        with speaking(lang), pytest.raises(LayerError) as caught:
            router.read(source)
        (one,) = caught.value.findings
        assert (one.code, one.rows) == ("node_unknown", rows)
        assert found in str(one)


def test_nodes_without_ids_are_refused_rather_than_left_unchecked(tmp_path):
    source = write(tmp_path, node=nodes().rename(columns={"osm_id": "ref"}))
    with pytest.raises(SourceError, match=r"nodes\.osm_id.*ref"):
        router.read(source)


@pytest.mark.parametrize(
    ("columns", "code", "rows"),
    [
        ({"length_m": [0, 5]}, "value_not_positive", (0,)),
        ({"length_m": [np.nan, 5]}, "value_missing", (0,)),
        ({"car_kmh": [None, 5]}, "value_missing", (0,)),
        ({"car_kmh": ["fast", "5"]}, "column_type", (0,)),
        ({"car_fwd": [None, 1]}, "value_missing", (0,)),
        ({"car_fwd": ["yes", "1"]}, "column_type", (0, 1)),
        ({"u_osm": [None, 2]}, "value_missing", (0,)),
    ],
)
def test_bad_rows_are_left_for_the_check_to_name(tmp_path, columns, code, rows):
    made = router.read(write(tmp_path, edges(**columns)))
    assert {one.code: one.rows for one in streets.check(made)} == {code: rows}


def test_unknown_options_are_refused(tmp_path):
    source = write(tmp_path)
    with pytest.raises(SourceError, match="colour"):
        router.read(Source(source.path, {"colour": "red"}))


def test_the_real_network(shared):
    made = router.read(
        Source.parse(str(shared("hangzhou", "hangzhou_core_osm_drive_network.gpkg")))
    )
    assert len(made) == 20_024
    assert streets.check(made) == []
    assert made["length"].sum() == pytest.approx(2_357_000, rel=1e-3)
    assert {one.severity for one in streets.review(made)} <= {"info", "warning"}
    assert len(set(made["u"]) | set(made["v"])) == 14_469
