from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from layers import streets as street_layer
from layers.resources import data_path
from layers.sources.osm import Rules, read_streets
from layers.streets import MODES
from tests.layers.sources.osmxml import xml

RULES = Rules.read()
ALL = frozenset(MODES)


@pytest.fixture
def read(tmp_path):
    def read(ways, tags, **options):
        path = tmp_path / "some.osm"
        path.write_text(xml(ways, tags=tags), encoding="utf-8")
        return read_streets(path, **options)

    return read


def way(*refs, highway="residential", **tags):
    return list(refs), {"highway": highway, **tags}


@pytest.mark.parametrize(
    ("tags", "shut"),
    [
        ({"barrier": "bollard"}, {"drive"}),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, set()),
        ({"barrier": "bollard", "bicycle": "no"}, {"cycle", "drive"}),
        ({"barrier": "gate"}, set()),
        ({"barrier": "gate", "access": "private"}, ALL),
        ({"barrier": "gate", "access": "private", "foot": "yes"}, {"cycle", "drive"}),
        ({"barrier": "gate", "access": "no", "bicycle": "designated"}, {"walk", "drive"}),
        ({"barrier": "gate", "locked": "yes"}, ALL),
        ({"barrier": "gate", "locked": "yes", "foot": "yes"}, {"cycle", "drive"}),
        ({"barrier": "lift_gate", "vehicle": "no"}, {"cycle", "drive"}),
        ({"barrier": "turnstile"}, {"cycle", "drive"}),
        ({"barrier": "wall"}, ALL),
        ({"barrier": "entrance"}, set()),
        ({"barrier": "something new"}, {"drive"}),
    ],
    # A set prints in no order, and processes must agree on names.
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_whom_a_barrier_keeps_out(tags, shut):
    assert RULES.barred(tags) == shut


def reached(streets, mode, one):
    return nx.descendants(graph(streets, mode), one)


def graph(streets, mode):
    made = nx.DiGraph()
    for row in streets.itertuples():
        made.add_nodes_from([row.u, row.v])
        for tail, head, way_ in ((row.u, row.v, "forward"), (row.v, row.u, "backward")):
            known = made.get_edge_data(tail, head, {"weight": float("inf")})["weight"]
            if getattr(row, f"{mode}_{way_}") and row.length < known:
                made.add_edge(tail, head, weight=row.length)
    return made


def test_cars_stop_at_a_bollard_and_people_pass(read):
    result = read([way(0, 10, 20)], {10: {"barrier": "bollard"}})
    streets = result.streets
    assert result.counts["barriers"] == 1
    assert street_layer.check(streets) == []
    assert streets["length"].min() == pytest.approx(1, abs=0.01)
    assert 20 not in reached(streets, "drive", 0)
    assert 20 in reached(streets, "walk", 0)
    plain = read([way(0, 10, 20)], {}).streets
    assert streets["length"].sum() == pytest.approx(plain["length"].sum(), rel=1e-9)
    assert [one.code for one in result.findings] == ["osm_barriers"]


def test_a_barrier_that_keeps_nobody_out_changes_nothing(read):
    ways = [way(0, 10, 20), way(10, 11, highway="footway")]
    plain = read(ways, {}).streets
    for tags in ({11: {"barrier": "bollard"}}, {10: {"barrier": "gate"}}, {0: {"barrier": "wall"}}):
        result = read(ways, tags)
        assert result.streets.equals(plain)
        assert result.counts["barriers"] == 0


def test_a_wall_lets_nobody_through(read):
    streets = read([way(0, 10, 20)], {10: {"barrier": "wall"}}).streets
    assert len(streets) == 2
    assert 20 not in reached(streets, "walk", 0)


def test_barriers_side_by_side_leave_the_stretch_between(read):
    tags = {10: {"barrier": "bollard"}, 20: {"barrier": "bollard"}}
    streets = read([way(0, 10, 20, 30)], tags).streets
    assert street_layer.check(streets) == []
    assert streets["drive_forward"].sum() == 3
    assert (~streets["drive_forward"]).sum() == 2


def test_private_lanes_and_gates_open_by_the_table(tmp_path, read):
    table = data_path("osm.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(table.replace("walk = []", 'walk = ["service"]', 1), encoding="utf-8")
    ways = [way(0, 10, 20), way(20, 30, highway="service", access="private")]
    tags = {10: {"barrier": "gate", "access": "private"}}
    streets = read(ways, tags, rules=Rules.read(path)).streets
    assert 30 in reached(streets, "walk", 0)
    assert 20 not in reached(streets, "drive", 0)
    assert 30 not in read(ways, tags).streets[["u", "v"]].to_numpy()


KINDS = ["bollard", "turnstile", "wall", "gate"]


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 39), min_size=2, max_size=7),
            st.sampled_from(["residential", "footway", "cycleway", "motorway"]),
        ),
        min_size=1,
        max_size=9,
    ),
    st.dictionaries(st.integers(0, 39), st.sampled_from(KINDS), max_size=9),
)
@settings(max_examples=50)
def test_ways_through_are_those_without_the_barriers_nodes(tmp_path_factory, drawn, kinds):
    ways = [(refs, {"highway": kind}) for refs, kind in drawn if len(set(refs)) > 1]
    tags = {ref: {"barrier": kind} for ref, kind in kinds.items()}
    if not ways:
        return
    path = tmp_path_factory.mktemp("osm") / "some.osm"
    path.write_text(xml(ways, tags=tags), encoding="utf-8")
    for joined in (False, True):
        streets = read_streets(path, joined=joined).streets
        assert street_layer.check(streets) == []
        for mode in MODES:
            shut = [node for node, kind in kinds.items() if mode in RULES.barred({"barrier": kind})]
            oracle = steps(ways, mode)
            oracle.remove_nodes_from(shut)
            after = graph(streets, mode)
            nodes = [node for node in after if node in oracle]
            for one in nodes:
                far = nx.single_source_dijkstra_path_length(oracle, one)
                found = nx.single_source_dijkstra_path_length(after, one)
                for other in nodes:
                    assert found.get(other, -1) == pytest.approx(far.get(other, -1), abs=1e-4)


def steps(ways, mode):
    """Graph of every step from node to node of ways."""
    made = nx.DiGraph()
    for refs, tags in ways:
        forward, backward = getattr(RULES.judge(tags).verdict, mode)
        for one, other in pairwise(refs):
            ends = [(120 + ref // 10 / 1000, 30 + ref % 10 / 1000) for ref in (one, other)]
            weight = Geod(ellps="WGS84").line_length(*zip(*ends, strict=True))
            made.add_nodes_from([one, other])
            if forward:
                made.add_edge(one, other, weight=weight)
            if backward:
                made.add_edge(other, one, weight=weight)
    return made
