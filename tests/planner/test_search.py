from itertools import pairwise
from unittest.mock import patch

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from planner import _folded, _search
from planner._curve import along_curve
from planner._meetings import sums_within
from planner._search import compress, nearest_origin, nearest_origins, within

ARCS = st.lists(
    st.tuples(
        st.integers(0, 7), st.integers(0, 7), st.sampled_from([0.0, 1.0, 2.5]) | st.floats(0, 9)
    ),
    max_size=30,
)
SEEDS = st.lists(st.tuples(st.integers(0, 7), st.floats(0, 5), st.integers(0, 3)), max_size=6)


def _columns(rows, *kinds):
    return [np.array([row[i] for row in rows], dtype=kind) for i, kind in enumerate(kinds)]


@given(ARCS, SEEDS, st.sampled_from([0.0, 2.0, 6.0, np.inf]), st.sampled_from([1, 3, 8]))
@settings(max_examples=300, deadline=None)
def test_distances_are_networkx_ones(arcs, seeds, limit, tile):
    # However many nodes a tile has, each being searched for itself.
    with patch.object(_folded, "TILE", tile):
        _distances_are_networkx_ones(arcs, seeds, limit)


def _distances_are_networkx_ones(arcs, seeds, limit):
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


def _each_alone(arcs, seeds, limit):
    """Distance of every node from each origin alone, within a limit."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(8))
    for tail, head, cost in [*arcs, *((("origin", who), node, cost) for node, cost, who in seeds)]:
        if cost < graph.get_edge_data(tail, head, {"weight": np.inf})["weight"]:
            graph.add_edge(tail, head, weight=cost)
    found = {}
    for who in range(4):
        start = ("origin", who)
        lengths = nx.single_source_dijkstra_path_length(graph, start) if start in graph else {}
        found[who] = {n: d for n, d in lengths.items() if n != start and d <= limit}
    return found


# Costs in halves add up without rounding, so that a limit cuts every search alike.
HALVES = st.integers(0, 12).map(lambda number: number / 2)
EXACT_ARCS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), HALVES), max_size=30)
EXACT_SEEDS = st.lists(st.tuples(st.integers(0, 7), HALVES, st.integers(0, 3)), max_size=8)
LIMITS = st.sampled_from([0.0, 2.0, 4.5, 9.0, np.inf])


@given(EXACT_ARCS, EXACT_SEEDS, LIMITS, st.sampled_from([1, 3, 1000]))
@settings(max_examples=200)
def test_each_origin_alone_reaches_what_networkx_says(arcs, seeds, limit, at_once):
    rows = compress(8, *_columns(arcs, np.int64, np.int64, np.float64))
    columns = _columns(seeds, np.int64, np.float64, np.int64)
    expected = _each_alone(arcs, seeds, limit)
    found = {}
    for ball in within(rows, *columns, 4, limit, at_once=at_once):
        for row in range(len(ball.start) - 1):
            part = slice(ball.start[row], ball.start[row + 1])
            pairs = zip(ball.node[part].tolist(), ball.distance[part].tolist(), strict=True)
            assert ball.first + row not in found
            found[ball.first + row] = dict(pairs)
            assert len(found[ball.first + row]) == part.stop - part.start
    assert found == expected
    weight = np.stack([2.0 ** np.arange(8), np.arange(8.0)], axis=1)
    totals = sums_within(rows, *columns, 4, limit, weight)
    for who, reached in expected.items():
        assert totals[who].tolist() == weight[list(reached)].sum(axis=0).tolist()


@given(EXACT_ARCS, EXACT_SEEDS, LIMITS, st.integers(0, 5), st.sampled_from([1, 3, 8]))
@settings(max_examples=300)
def test_the_nearest_few_are_those_of_each_alone(arcs, seeds, limit, count, tile):
    # However many nodes a tile has, each being searched for itself.
    with patch.object(_folded, "TILE", tile):
        _nearest_few_are_those_of_each_alone(arcs, seeds, limit, count)


def _nearest_few_are_those_of_each_alone(arcs, seeds, limit, count):
    rows = compress(8, *_columns(arcs, np.int64, np.int64, np.float64))
    columns = _columns(seeds, np.int64, np.float64, np.int64)
    distance, origin = nearest_origins(rows, *columns, count, limit)
    alone = _each_alone(arcs, seeds, limit)
    for node in range(8):
        best = sorted((found[node], who) for who, found in alone.items() if node in found)[:count]
        best += [(np.inf, -1)] * (count - len(best))
        told = zip(distance[node].tolist(), origin[node].tolist(), strict=True)
        assert list(told) == best
    if count:
        first, whose = nearest_origin(rows, *columns, 4, limit)
        assert first.tolist() == distance[:, 0].tolist()
        assert whose.tolist() == origin[:, 0].tolist()


def test_unlike_costs_are_searched_exactly():
    # A chain of tiny, huge and zero arcs; seeds far beyond all of them.
    cost = np.array([1e-12, 1e12, 0.0, 1.0, 1e-3, 1e9])
    tail = np.arange(6)
    rows = compress(7, tail, tail + 1, cost)
    seeds = np.array([0, 0]), np.array([1e18, 3.0]), np.array([0, 1])
    distance, origin = nearest_origin(rows, *seeds, 2, np.inf)
    assert distance.tolist() == np.cumsum([3.0, *cost]).tolist()
    assert set(origin.tolist()) == {1}
    free = compress(3, np.array([0, 1]), np.array([1, 2]), np.zeros(2))
    assert nearest_origin(free, *seeds, 2, np.inf)[0].tolist() == [3.0, 3.0, 3.0]


def test_costs_too_small_to_halve_are_searched():
    rows = compress(2, np.array([0, 0]), np.array([0, 1]), np.array([0.0, 5e-324]))
    seeds = np.array([0]), np.array([0.0]), np.array([0])
    assert nearest_origin(rows, *seeds, 1, 1.0)[0].tolist() == [0.0, 5e-324]
    assert sums_within(rows, *seeds, 1, 1.0, np.ones((2, 1))).tolist() == [[2.0]]


@st.composite
def street_like(draw):
    """Two-way streets drawn out into chains and trees, and some one-way ones among them."""
    knots = draw(st.integers(1, 4))
    streets = draw(
        st.lists(
            st.tuples(st.integers(0, knots - 1), st.integers(0, knots - 1), st.integers(0, 4)),
            max_size=5,
        )
    )
    arcs, nodes = [], knots
    exact = st.integers(0, 36).map(lambda quarters: quarters / 4.0)
    costs = exact if draw(st.booleans()) else exact | st.floats(0, 9)

    def both(tail, head):
        arcs.extend([(tail, head, draw(costs)), (head, tail, draw(costs))])

    for tail, head, between in streets:
        path = [tail, *range(nodes, nodes + between), head]
        nodes += between
        for one, other in pairwise(path):
            both(one, other)
    for _ in range(draw(st.integers(0, 8))):
        both(draw(st.integers(0, nodes - 1)), nodes)
        nodes += 1
    place = st.integers(0, nodes - 1)
    arcs += draw(st.lists(st.tuples(place, place, costs), max_size=2))
    seeds = draw(st.lists(st.tuples(place, costs, st.integers(0, 3)), max_size=6))
    return nodes, arcs, seeds


@given(street_like(), st.sampled_from([0.0, 2.0, 6.0, np.inf]), st.sampled_from([1, 3, 64]))
@settings(max_examples=400, deadline=None)
def test_a_folded_graph_has_the_same_distances_to_the_last_bit(graph, limit, tile):
    nodes, arcs, seeds = graph
    columns = _columns(seeds, np.int64, np.float64, np.int64)
    ways = _columns(arcs, np.int64, np.int64, np.float64)
    with patch.object(_folded, "TILE", tile), patch.object(_search, "_PREVAIL", 0.0):
        folded = compress(nodes, *ways)
        distance, origin = nearest_origin(folded, *columns, 4, limit)
    with patch.object(_search, "_PREVAIL", 2.0):
        plain = compress(nodes, *ways)
        whole, whose = nearest_origin(plain, *columns, 4, limit)
    assert plain.folded is None
    assert distance.tolist() == whole.tolist()
    # Where rounding makes two origins equally near, either may be told.
    node, cost, owner = columns
    for who in range(4):
        own = owner == who
        alone, _ = nearest_origin(plain, node[own], cost[own], owner[own], 4, limit)
        told = origin == who
        assert distance[told].tolist() == alone[told].tolist()
    assert (origin < 0).tolist() == (whose < 0).tolist()
    if all(cost * 4.0 == int(cost * 4.0) for *_, cost in arcs) and (cost * 4.0 % 1.0 == 0.0).all():
        assert origin.tolist() == whose.tolist()
    _each_node_stands_once(folded.folded, nodes)


def _each_node_stands_once(folded, nodes):
    inner, tree = folded.chains.inner.tolist(), folded.trees.node.tolist()
    assert sorted([*folded.core.tolist(), *inner, *tree]) == list(range(nodes))
    assert [folded.place[node] for node in folded.core] == list(range(len(folded.core)))
    assert [-1 - folded.place[node] for node in (*inner, *tree)] == list(range(nodes))[
        : len(inner) + len(tree)
    ]


def test_chains_trees_and_rings_are_folded_away():
    # A ring of five, a tree of three on it; a ring by itself; a lone node.
    ways = [
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
        (4, 0),
        (2, 5),
        (5, 6),
        (5, 7),
        (8, 9),
        (9, 10),
        (10, 8),
    ]
    ends = np.array([*ways, *(way[::-1] for way in ways)])
    rows = compress(12, *ends.T, np.arange(1.0, len(ends) + 1.0))
    with patch.object(_search, "_PREVAIL", 0.0):
        folded = rows.folded
    assert len(folded.trees.node) == 3
    assert len(folded.core) == 3  # one of each ring, and the lone node
    assert len(folded.chains.inner) == 6


def test_a_graph_in_which_few_nodes_merely_pass_on_stays_as_it_is():
    assert _town(30, np.random.default_rng(1)).folded is None


@pytest.mark.parametrize("tile", [300, 1 << 17])
@pytest.mark.parametrize("limit", [90.0, 800.0, np.inf])
def test_a_town_drawn_out_into_chains_is_scipys(tile, limit, monkeypatch):
    # As files have it: every bend of a street is a node.
    monkeypatch.setattr(_folded, "TILE", tile)
    rng = np.random.default_rng(11)
    town = _town(24, rng)
    tail = np.repeat(np.arange(town.nodes), np.diff(town.start))
    one = np.flatnonzero(tail < town.head)
    ends, nodes, ways = np.stack([tail[one], town.head[one]], axis=1), town.nodes, []
    for start, end in ends.tolist():
        between = int(rng.integers(0, 9))
        ways += list(pairwise([start, *range(nodes, nodes + between), end]))
        nodes += between
    there = np.array(ways)
    both = np.concatenate([there, there[:, ::-1]])
    shuffled = rng.permutation(nodes)
    rows = compress(nodes, *shuffled[both].T, rng.exponential(30.0, len(both)))
    assert rows.folded is not None
    graph = csr_array((rows.cost, rows.head, rows.start), shape=(nodes, nodes))
    sites = rng.choice(nodes, 30, replace=False)
    every = dijkstra(graph, indices=sites, limit=limit)
    distance, origin = nearest_origin(rows, sites, np.zeros(30), np.arange(30), 30, limit)
    assert distance.tolist() == every.min(axis=0).tolist()
    reached = np.isfinite(distance)
    assert (every[origin[reached], np.flatnonzero(reached)] == distance[reached]).all()
    assert (origin[~reached] == -1).all()


def _town(side, rng):
    """Streets of a square town, in the order of a curve, as junctions of a network are."""
    number = np.arange(side * side).reshape(side, side)
    ends = np.concatenate(
        [
            np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
            np.stack([number[:-1].ravel(), number[1:].ravel()]),
        ],
        axis=1,
    )
    east, north = np.meshgrid(np.arange(side, dtype=float), np.arange(side, dtype=float))
    rank = np.argsort(along_curve(np.column_stack([east.ravel(), north.ravel()])))
    tail, head = rank[ends]
    cost = rng.exponential(100.0, 2 * len(tail))
    return compress(side**2, np.append(tail, head), np.append(head, tail), cost)


@pytest.mark.parametrize("limit", [0.0, 120.0, 700.0, np.inf])
@pytest.mark.parametrize("spread", [1, 7])
def test_sums_side_by_side_are_those_of_each_alone(limit, spread):
    # Next to each other or far apart, with several dear seeds each, or none: however many
    # origins are searched side by side, and however often the room is too small.
    rng = np.random.default_rng(7)
    rows = _town(80, rng)
    origins = 150
    owner = rng.integers(0, origins, 260)
    node = (owner * spread + rng.integers(0, 3, 260)) % rows.nodes
    cost = rng.exponential(60.0, 260)
    weight = rng.integers(0, 1000, (rows.nodes, 3)).astype(np.float64)
    seeds = node, cost, owner
    found = sums_within(rows, *seeds, origins, limit, weight)
    for ball in within(rows, *seeds, origins, limit):
        for row in range(len(ball.start) - 1):
            own = ball.node[ball.start[row] : ball.start[row + 1]]
            assert found[ball.first + row].tolist() == weight[own].sum(axis=0).tolist()


def test_a_limit_is_inclusive_to_the_last_bit_side_by_side():
    rng = np.random.default_rng(5)
    rows = _town(30, rng)
    origins = np.arange(400, 416)
    seeds = origins, np.zeros(16), np.arange(16)
    ball = next(within(rows, *seeds, 16, np.inf))
    limit = float(np.sort(ball.distance[: ball.start[1]])[300])
    ones = np.ones((rows.nodes, 1))
    for bound, reached in ((limit, 301), (np.nextafter(limit, 0.0), 300)):
        assert sums_within(rows, *seeds, 16, bound, ones)[0, 0] == reached
        alone = sums_within(rows, *(part[:1] for part in seeds), 1, bound, ones)
        assert alone[0, 0] == reached


@pytest.mark.parametrize("tile", [700, 1 << 17])
def test_the_large_search_is_scipys(tile, monkeypatch):
    monkeypatch.setattr(_folded, "TILE", tile)
    side, rng = 60, np.random.default_rng(3)
    number = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    head = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    cost = rng.exponential(100.0, 2 * len(tail))
    rows = compress(side**2, *(np.concatenate(p) for p in ((tail, head), (head, tail))), cost)
    graph = csr_array((rows.cost, rows.head, rows.start), shape=(side**2, side**2))
    nodes = rng.choice(side**2, 40, replace=False)
    seeds = nodes, np.zeros(40), np.arange(40)
    for limit in (50.0, 400.0, np.inf):
        every = dijkstra(graph, indices=nodes, limit=limit)
        distance, origin = nearest_origin(rows, *seeds, 40, limit)
        assert distance.tolist() == every.min(axis=0).tolist()
        reached = np.isfinite(distance)
        assert (every[origin[reached], np.flatnonzero(reached)] == distance[reached]).all()
        few, _ = nearest_origins(rows, *seeds, 5, limit)
        np.testing.assert_array_equal(few, np.sort(every, axis=0)[:5].T)
        totals = sums_within(rows, *seeds, 40, limit, np.ones((side**2, 1)))
        assert totals[:, 0].tolist() == np.isfinite(every).sum(axis=1).tolist()
