import networkx as nx
import numpy as np
import osmnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import CrsError, InputError, LayerError, UnknownNameError
from layers.streets import from_networkx
from planner.ground import Ground
from planner.network import Network
from tests.planner.strategies import networks


@given(networks())
@settings(max_examples=100, deadline=None)
def test_pieces_are_the_strongly_connected_ones(network):
    graph = nx.DiGraph()
    graph.add_nodes_from(range(network.nodes))
    graph.add_edges_from(zip(network.u[network.forward], network.v[network.forward], strict=True))
    graph.add_edges_from(zip(network.v[network.backward], network.u[network.backward], strict=True))
    expected = {frozenset(piece) for piece in nx.strongly_connected_components(graph)}
    found = {
        frozenset(np.flatnonzero(network.component == number).tolist())
        for number in np.unique(network.component)
    }
    assert found == expected
    largest = max(map(len, expected))
    small = set().union(*(piece for piece in expected if len(piece) < 0.1 * largest), set())
    ends = zip(network.u, network.v, strict=True)
    assert list(network.cut_off) == [u in small or v in small for u, v in ends]


@given(st.sampled_from(["walk", "drive"]), st.data())
@settings(max_examples=100, deadline=None)
def test_networkx_and_back_is_the_same_network(mode, data):
    network = data.draw(networks(mode))
    again = Network.from_networkx(network.to_networkx(), mode, crs=4549)

    def arcs(made):
        both = []
        for row in range(len(made.length)):
            u, v = made.node_ids[made.u[row]], made.node_ids[made.v[row]]
            cost = (round(made.length[row], 6), round(made.minutes[row], 9))
            both += [(u, v, *cost)] * int(made.forward[row])
            both += [(v, u, *cost)] * int(made.backward[row])
        return sorted(both)

    assert arcs(again) == arcs(network)


def test_graph_serves_networkx_and_osmnx(tiny_network, tiny_city):
    graph = tiny_network.to_networkx()
    nodes, edges = osmnx.graph_to_gdfs(graph)
    assert len(nodes) == tiny_network.nodes
    assert edges["length"].sum() == pytest.approx(
        tiny_network.length[tiny_network.forward].sum()
        + tiny_network.length[tiny_network.backward].sum()
    )
    a, b = int(tiny_network.node_ids[0]), int(tiny_network.node_ids[-1])
    way = nx.shortest_path_length(graph, a, b, weight="length")
    assert way > 0


def test_two_directions_of_a_graph_become_one_street():
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    graph.add_node(1, x=120.15, y=30.27)
    graph.add_node(2, x=120.16, y=30.27)
    graph.add_edge(1, 2, length=960.0, osmid=7)
    graph.add_edge(2, 1, length=960.0, osmid=7)
    graph.add_edge(1, 2, length=1200.0, osmid=8, name=["甲路", "乙路"], bridge="yes", layer="1")
    streets = from_networkx(graph, modes=("walk",))
    assert len(streets) == 2
    assert streets["walk_forward"].all()
    assert streets["walk_backward"].tolist() == [True, False]
    assert not streets["drive_forward"].any()
    assert streets["name"].tolist() == ["", "甲路"]
    assert streets["bridge"].tolist() == [False, True]
    assert streets["layer"].tolist() == [0, 1]


def test_modes_see_their_own_streets(tiny_city):
    walk, drive = (Network.build(tiny_city.streets, mode) for mode in ("walk", "drive"))
    for network, mode in ((walk, "walk"), (drive, "drive")):
        open_to = tiny_city.streets[[f"{mode}_forward", f"{mode}_backward"]].any(axis=1)
        assert list(network.streets.index) == list(tiny_city.streets.index[open_to])
    assert walk.access_speed_kmh == drive.access_speed_kmh == 4.8


def test_speed_makes_the_minutes(tiny_city):
    slow = Network.build(tiny_city.streets, "walk", speed_kmh=3.6)
    np.testing.assert_allclose(slow.minutes, slow.length / 60)
    assert slow.access_speed_kmh == 3.6
    drive = Network.build(tiny_city.streets, "drive")
    own = drive.streets["speed_kmh"].to_numpy()
    np.testing.assert_allclose(drive.minutes, drive.length / 1000 / own * 60)


def test_wrong_use_is_refused(tiny_city):
    streets = tiny_city.streets
    with pytest.raises(UnknownNameError, match="walk"):
        Network.build(streets, "swim")
    with pytest.raises(InputError):
        Network.build(streets, "walk", speed_kmh=0)
    with pytest.raises(InputError, match="步行"):
        Network.build(streets.assign(walk_forward=False, walk_backward=False), "walk")
    with pytest.raises(CrsError):
        Network.build(streets.set_crs(None, allow_override=True), "walk")
    with pytest.raises(LayerError) as caught:
        Network.build(streets.assign(length=np.nan), "walk")
    assert len(caught.value.findings[0].rows) == len(streets)


def test_repr_tells(tiny_network):
    assert repr(tiny_network).startswith("<Network walk: ")
    assert "junctions" in repr(tiny_network)


def test_another_speed_keeps_streets_and_positions(tiny_city):
    usual = Network.build(tiny_city.streets, "walk", crs=tiny_city.crs)
    slow = usual.at_pace(speed_kmh=3.6)
    fresh = Network.build(tiny_city.streets, "walk", crs=tiny_city.crs, speed_kmh=3.6)
    np.testing.assert_array_equal(slow.minutes, fresh.minutes)
    assert slow.access_speed_kmh == fresh.access_speed_kmh == 3.6
    where = usual.locate(tiny_city.facilities)
    found = slow.reach(where, cutoff_min=15).at(usual.locate(tiny_city.population))
    expected = fresh.reach(tiny_city.facilities, cutoff_min=15).at(tiny_city.population)
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(InputError):
        fresh.reach(where, cutoff_min=15)
    with pytest.raises(InputError):
        usual.at_pace(speed_kmh=0)


def test_modes_on_one_ground_are_those_on_their_own(tiny_city):
    ground = Ground.of(tiny_city.streets, crs=tiny_city.crs)
    for mode in ("walk", "cycle", "drive"):
        shared, own = Network.build(ground, mode), Network.build(tiny_city.streets, mode)
        assert list(shared.labels) == list(own.labels) == list(own.streets.index)
        for points in (tiny_city.population, tiny_city.facilities):
            here, there = shared.locate(points), own.locate(points)
            np.testing.assert_array_equal(here.edge, there.edge)
            np.testing.assert_array_equal(here.offset, there.offset)
            np.testing.assert_array_equal(here.refusal, there.refusal)


def test_streets_closed_to_the_mode_are_not_used(tiny_city):
    streets = tiny_city.streets
    shut = streets.assign(drive_forward=False, drive_backward=False)
    shut.iloc[::2, shut.columns.get_loc("drive_forward")] = True
    network = Network.build(shut, "drive", crs=tiny_city.crs)
    assert list(network.labels) == list(streets.index[::2])
    placed = network.locate(tiny_city.population, islands=True)
    assert set(placed.frame()["street"].dropna()) <= set(network.labels)
