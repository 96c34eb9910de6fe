import geopandas as gpd
import pandas as pd
import pytest
import shapely

from layers import units as unit_layer
from layers.errors import SourceError
from layers.messages import speaking
from layers.resources import data_path
from layers.sources.osm import levels, read_units
from tests.layers.sources.osmxml import xml

# Two districts side by side, the left one of two townships and with a hole; the ways are
# the sides, numbered from one, and no ring is drawn in one go.
#   1 ── 2 ── 3
#   │ a  │    │
#   4 ── 5  b │
#   │ c  │    │
#   6 ── 7 ── 8
NODES = {
    1: (120.0, 30.2), 2: (120.1, 30.2), 3: (120.2, 30.2), 4: (120.0, 30.1), 5: (120.1, 30.1),
    6: (120.0, 30.0), 7: (120.1, 30.0), 8: (120.2, 30.0),
    11: (120.02, 30.12), 12: (120.04, 30.12), 13: (120.03, 30.14),
}  # fmt: skip
SIDES = [[2, 1, 4], [4, 6, 7], [7, 5], [5, 2], [2, 3, 8, 7], [4, 5], [11, 12, 13, 11]]


def boundary(*sides, level="6", inner=(), **tags):
    members = [(side, "outer") for side in sides] + [(side, "inner") for side in inner]
    usual = {"type": "boundary", "boundary": "administrative", "admin_level": level}
    return members, {**usual, **tags}


def told(findings):
    return {one.code: dict(one.values) for one in findings}


WHOLE = [
    boundary(1, 2, 3, 4, inner=[7], name="左区", ref="990102", id="50", **{"name:en": "Left"}),
    boundary(5, 3, 4, name="右区", id="51", **{"ref:GB2260": "990103", "ref": "B 7"}),
    boundary(1, 4, 6, level="8", inner=[7], name="左上街道", ref="990102001000", id="60"),
    boundary(2, 3, 6, level="8", name="左下镇", id="61"),
]


@pytest.fixture
def read(tmp_path):
    def read(relations, *, nodes=NODES, sides=SIDES, **options):
        path = tmp_path / "some.osm"
        ways = [(side, {}) for side in sides]
        path.write_text(xml(ways, nodes=nodes, relations=relations), encoding="utf-8")
        return read_units(path, **options)

    return read


def test_boundaries_become_units_under_one_another(read):
    layer, found = read(WHOLE)
    assert unit_layer.check(layer) == []
    known = layer.set_index("name")
    assert known["code"].to_dict() == {
        "左区": "990102",
        "右区": "990103",
        "左上街道": "990102001",
        "左下镇": "r61",
    }
    assert known["level"].tolist() == ["district", "district", "township", "township"]
    assert known["parent"].tolist()[2:] == ["990102", "990102"]
    assert known["parent"].isna().tolist() == [True, True, False, False]
    assert known["name_en"].tolist() == ["Left", "右区", "左上街道", "左下镇"]
    assert told(found) == {"osm_codes_made": {"count": 1, "found": "左下镇 r61"}}


def test_rings_are_closed_and_holes_are_left_open(read):
    layer, _ = read(WHOLE)
    shapes = dict(zip(layer["name"], layer.geometry, strict=True))
    hole = shapely.Polygon([NODES[node] for node in (11, 12, 13)])
    left = shapely.box(120.0, 30.0, 120.1, 30.2)
    assert shapes["左区"].equals(left - hole)
    assert shapes["左区"].area == pytest.approx(
        shapes["左上街道"].area + shapes["左下镇"].area, rel=1e-12
    )
    assert shapes["右区"].equals(shapely.box(120.1, 30.0, 120.2, 30.2))


@pytest.mark.parametrize(
    ("relations", "nodes"),
    [
        ([*WHOLE, boundary(1, 2, 3, name="破区", id="99")], NODES),
        ([*WHOLE, boundary(1, 2, 3, 77, name="破区", id="99")], NODES),
    ],
    ids=["open", "member missing"],
)
def test_a_broken_ring_is_told_with_its_relation(read, relations, nodes):
    layer, found = read(relations, nodes=nodes)
    assert len(layer) == 4
    assert told(found)["osm_units_broken"] == {"count": 1, "found": "破区 r99"}


def test_a_ring_whose_nodes_are_missing_is_broken(read):
    layer, found = read(WHOLE, nodes={node: NODES[node] for node in NODES if node != 8})
    assert "右区" not in set(layer["name"])
    assert told(found)["osm_units_broken"]["found"] == "右区 r51"


def test_a_code_that_two_share_is_nobodys(read):
    twice = [
        boundary(1, 2, 3, 4, ref="990102", name="甲"),
        boundary(5, 3, 4, ref="990102", name="乙"),
    ]
    layer, found = read(twice)
    assert unit_layer.check(layer) == []
    assert layer["code"].tolist() == ["r1", "r2"]
    assert [one.code for one in found] == ["osm_codes_repeated"]


def test_levels_are_named(read):
    other = [boundary(1, 2, 3, 4, level="7", name="甲")]
    with speaking("en"), pytest.raises(SourceError, match=r"7 \(1\)"):
        read(other)
    layer, _ = read(other, wanted=levels("7:district"))
    assert layer["level"].tolist() == ["district"]
    for words in ("7", "7:galaxy", "x:district", ""):
        with pytest.raises(SourceError):
            levels(words)


def test_hangzhous_units_are_known_by_name_and_place(read):
    shapes = gpd.read_file(data_path("hangzhou", "districts.geojson")).set_index("name")
    towns = pd.read_csv(data_path("hangzhou", "townships.csv"), dtype=str)
    ring = list(shapely.get_parts(shapes.geometry["西湖区"])[0].exterior.coords)[:-1]
    nodes = dict(enumerate(ring, 1))
    inside = shapely.point_on_surface(shapes.geometry["西湖区"])
    small = shapely.box(inside.x, inside.y, inside.x + 1e-3, inside.y + 1e-3)
    nodes |= dict(enumerate(list(small.exterior.coords)[:-1], 90_001))
    sides = [[*range(1, len(ring) + 1), 1], [90_001, 90_002, 90_003, 90_004, 90_001]]
    name = towns.loc[towns["district"] == "330106", "name"].iloc[0]
    relations = [
        boundary(1, name="西湖区"),
        boundary(2, name=name, level="8"),
        # Nanchang has a district of that name too.
        boundary(2, name="西湖区", id="77"),
    ]
    layer, _ = read(relations, nodes=nodes, sides=sides)
    town = towns.loc[towns["district"] == "330106", "code"].iloc[0]
    assert set(layer["code"]) == {"330106", town, "r77"}


def test_units_of_real_files(shared):
    layer, found = read_units(shared("osm", "andorra.osm.pbf"), wanted=levels("7:district"))
    assert unit_layer.check(layer) == []
    assert set(layer["name"]) >= {"Andorra la Vella", "Encamp", "Ordino"}
    # The parishes of Andorra are 468 km² in all; one of the seven does not close here.
    assert 350 < layer.to_crs(25831).area.sum() / 1e6 < 468
    assert "Canillo" in told(found)["osm_units_broken"]["found"]
