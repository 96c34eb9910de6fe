import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from planner._search import compress, nearest_origin

ARCS = st.lists(
    st.tuples(
        st.integers(0, 7), st.integers(0, 7), st.sampled_from([0.0, 1.0, 2.5]) | st.floats(0, 9)
    ),
    max_size=30,
)
SEEDS = st.lists(st.tuples(st.integers(0, 7), st.floats(0, 5), st.integers(0, 3)), max_size=6)


def _columns(rows, *kinds):
    return [np.array([row[i] for row in rows], dtype=kind) for i, kind in enumerate(kinds)]


@given(ARCS, SEEDS, st.sampled_from([0.0, 2.0, 6.0, np.inf]))
@settings(max_examples=300, deadline=None)
def test_distances_are_networkx_ones(arcs, seeds, limit):
    rows = compress(8, *_columns(arcs, np.int64, np.int64, np.float64))
    distance, origin = nearest_origin(
        rows, *_columns(seeds, np.int64, np.float64, np.int64), 4, limit
    )
    graph = nx.DiGraph()
    graph.add_nodes_from(range(8))
    ways = [*arcs, *((("origin", who), node, cost) for node, cost, who in seeds)]
    for tail, head, cost in ways:
        if cost < graph.get_edge_data(tail, head, {"weight": np.inf})["weight"]:
            graph.add_edge(tail, head, weight=cost)
    starts = {("origin", who) for _, _, who in seeds}
    each = {s: nx.single_source_dijkstra_path_length(graph, s) for s in starts}
    for node in range(8):
        best = min((lengths.get(node, np.inf) for lengths in each.values()), default=np.inf)
        if abs(best - limit) < 1e-9 and best != limit:
            continue  # within rounding of the limit
        expected = best if best <= limit else np.inf
        np.testing.assert_allclose(distance[node], expected, atol=1e-9)
        if np.isfinite(expected):
            own = each["origin", int(origin[node])]
            np.testing.assert_allclose(own[node], expected, atol=1e-9)
        else:
            assert origin[node] == -1


def test_the_cheapest_of_parallel_arcs_stays():
    rows = compress(2, np.array([0, 0, 1]), np.array([1, 1, 0]), np.array([5.0, 3.0, 1.0]))
    assert rows.start.tolist() == [0, 1, 2]
    assert rows.head.tolist() == [1, 0]
    assert rows.cost.tolist() == [3.0, 1.0]
