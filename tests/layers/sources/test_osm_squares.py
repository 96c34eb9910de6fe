"""Squares: outlines that are ways or members of relations, and those that nobody can reach."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.sources.osm import Rules, chains, read_streets, squares
from tests.layers.sources.osmxml import xml

SQUARE = {"type": "multipolygon", "highway": "pedestrian", "name": "武林广场"}
STREET = {"highway": "residential"}
AREA = {"highway": "pedestrian", "area": "yes"}


@pytest.fixture
def read(tmp_path):
    def read(ways, relations=(), missing=()):
        path = tmp_path / "some.osm"
        path.write_text(xml(ways, relations=relations, missing=missing), encoding="utf-8")
        return read_streets(path)

    return read


def codes(result):
    return {one.code: one.values for one in result.findings}


def ends(streets):
    return sorted(tuple(sorted(pair)) for pair in streets[["u", "v"]].values.tolist())


def test_a_square_that_is_a_relation_is_walked_along_its_outlines(read):
    # Two ways make the edge, a third stands around a building on the square.
    ways = [([0, 10, 20], {}), ([20, 21, 22, 2, 0], {}), ([20, 30], STREET), ([0, 1], STREET)]
    ways += [([11, 12, 11], {"building": "yes"})]
    result = read(ways, [([(1, "outer"), (2, "outer"), (5, "inner")], SQUARE)])
    square = result.streets[result.streets["highway"] == "pedestrian"]
    assert ends(square) == [(0, 20), (0, 20)]
    assert set(square["name"]) == {"武林广场"}
    assert square["walk_forward"].all()
    assert square["walk_backward"].all()
    assert not square["drive_forward"].any()
    assert not square["cycle_forward"].any()
    assert result.counts["ways"] == 5
    # What stands within and touches no street is left out.
    assert codes(result)["osm_squares_alone"] == {"count": 1, "found": "5"}


def test_a_member_that_is_a_street_itself_stays_one(read):
    ways = [([0, 10, 20], STREET), ([20, 21, 0], {}), ([20, 30], STREET)]
    result = read(ways, [([(1, "outer"), (2, "outer")], SQUARE)])
    streets = result.streets
    assert streets.loc[streets["highway"] == "pedestrian", ["u", "v"]].values.tolist() == [[20, 0]]
    assert streets.loc[streets["highway"] == "residential", "drive_forward"].all()


@pytest.mark.parametrize(
    "tags",
    [
        {**SQUARE, "highway": "construction"},
        {**SQUARE, "foot": "no"},
        {**SQUARE, "type": "route"},
        {"type": "multipolygon", "landuse": "grass"},
    ],
)
def test_other_relations_are_no_squares(read, tags):
    result = read([([0, 10, 20, 0], {}), ([20, 30], STREET)], [([(1, "outer")], tags)])
    assert ends(result.streets) == [(20, 30)]


def test_a_square_may_lack_ways_and_nodes(read):
    ways = [([0, 10, 20, 21], {}), ([20, 30], STREET)]
    result = read(ways, [([(1, "outer"), (99, "outer")], SQUARE)], missing=[21])
    assert ends(result.streets) == [(0, 20), (20, 30)]
    found = codes(result)
    assert found["osm_squares_cut"]["count"] == 1
    assert found["osm_ways_cut"] == {"count": 1, "missing": 1, "found": "1"}


def test_squares_that_meet_but_one_another_are_left_out(read):
    ways = [([50, 60, 61, 50], AREA), ([61, 71, 70, 61], AREA), ([0, 10], STREET)]
    result = read(ways)
    assert ends(result.streets) == [(0, 10)]
    assert codes(result)["osm_squares_alone"] == {"count": 2, "found": "1, 2"}
    assert result.counts["still"] == 0
    # A motorway alone lets nobody onto a square.
    result = read([*ways, ([60, 80], {"highway": "motorway"})])
    assert result.counts["alone"] == 2
    result = read([*ways, ([71, 80], STREET)])
    assert result.counts["alone"] == 0


def test_ferries_are_named(read):
    ferry = {"route": "ferry", "name": "西湖轮渡"}
    result = read([([0, 10], STREET), ([10, 20], ferry), ([20, 30], {"route": "ferry"})])
    boats = result.streets[result.streets["highway"] == "ferry"]
    assert set(boats["name"]) == {"西湖轮渡", ""}
    assert codes(result)["osm_ferries"] == {"count": 2, "found": "西湖轮渡, （无名）"}


@settings(max_examples=80, deadline=None)
@given(
    ways=st.lists(
        st.tuples(
            st.lists(st.integers(0, 15), min_size=2, max_size=5, unique=True),
            st.sampled_from(["street", "area", "motorway"]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_lone_outlines_are_those_that_a_plain_graph_finds(ways):
    node = np.concatenate([refs for refs, _ in ways])
    run = np.repeat(np.arange(len(ways)), [len(refs) for refs, _ in ways])
    pieces = chains.split(node, np.column_stack([node, node]).astype(float), run)
    kinds = [kind for _, kind in ways]
    outline = np.array([kind == "area" for kind in kinds])
    walked = np.array([kind != "motorway" for kind in kinds])
    graph = nx.Graph()
    for refs, kind in ways:
        if kind != "motorway":
            nx.add_path(graph, refs)
    reached = {
        other
        for refs, kind in ways
        if kind == "street"
        for other in nx.node_connected_component(graph, refs[0])
    }
    wanted = {n for n, (refs, kind) in enumerate(ways) if kind == "area" and refs[0] not in reached}
    lone = chains.lone(pieces, outline, walked)
    assert set(pieces.run[lone]) == wanted
    left = pieces.take(~lone)
    assert set(left.run) == set(range(len(ways))) - wanted


def test_helsinki_squares_that_are_relations(shared):
    path = shared("osm/Helsinki.osm.pbf")
    outlines, cut = squares.read(path, Rules.read())
    assert len(outlines) > 50
    assert cut < 29
    streets = read_streets(path).streets
    assert set(streets["name"]) >= {"Senaatintori"}
