"""Labels that follow changes are those of a search begun anew."""

import heapq
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import _search
from planner.updates import Labels

# Sums of tenths differ in their last bit by the order of their terms; noughts and whole
# numbers make exact ties and rings without length.
COSTS = st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 0.1, 0.2, 0.3, 0.7, 1e-17]) | st.floats(0, 9)
EXACT = st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 3.0, 0.5])


def plain(nodes, arcs, seeds, limit):
    """Labels by a plain heap: nearest first, of equally near ones the first origin."""
    labels = [(math.inf, -1)] * nodes
    heap = [(cost, origin, node) for node, cost, origin in seeds if cost <= limit]
    heapq.heapify(heap)
    done = set()
    while heap:
        cost, origin, node = heapq.heappop(heap)
        if node in done:
            continue
        done.add(node)
        labels[node] = cost, origin
        for (tail, head), more in arcs.items():
            if tail == node and cost + more <= limit and math.isfinite(cost + more):
                heapq.heappush(heap, (cost + more, origin, head))
    return labels


def flat(seeds):
    every = [(node, cost, origin) for origin, own in seeds.items() for node, cost in own]
    return [np.array(column) for column in zip(*every, strict=True)] if every else nothing()


def nothing():
    return [np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64)]


@st.composite
def graphs(draw, costs):
    nodes = draw(st.integers(1, 9))
    pair = st.tuples(st.integers(0, nodes - 1), st.integers(0, nodes - 1))
    return nodes, draw(st.dictionaries(pair, costs, min_size=1, max_size=24))


def rows_of(nodes, arcs):
    ends = np.array(list(arcs), dtype=np.int64)
    cost = np.array(list(arcs.values()))
    return _search.compress(nodes, *ends.T, cost)


def follow(data, costs, limit):
    """Labels after each of a row of changes, with the graph and the seeds as they then are."""
    nodes, arcs = data.draw(graphs(costs))
    labels = Labels(rows_of(nodes, arcs), limit)
    known, open_arcs, seeds = dict(arcs), dict(arcs), {}
    seed = st.lists(st.tuples(st.integers(0, nodes - 1), costs), max_size=2)
    for _ in range(data.draw(st.integers(1, 8))):
        gone = []
        for origin, own in data.draw(st.dictionaries(st.integers(0, 4), seed, max_size=3)).items():
            gone.append(origin)
            seeds[origin] = own
        turned = data.draw(st.lists(st.sampled_from(sorted(known)), unique=True, max_size=3))
        if turned:
            for arc in turned:
                shut = arc in open_arcs and math.isfinite(open_arcs[arc])
                choice = data.draw(st.sampled_from(["turn", "cost"]))
                new = math.inf if shut else known[arc]
                open_arcs[arc] = new if choice == "turn" else data.draw(costs)
            ends = np.array(turned, dtype=np.int64).T
            labels.change_arcs(*ends, np.array([open_arcs[arc] for arc in turned]))
        before = labels.distance.copy(), labels.origin.copy()
        changed, told = labels.search(*flat(seeds), gone=np.array(gone, dtype=np.int64))
        differs = (labels.distance != before[0]) | (labels.origin != before[1])
        assert sorted(changed) == list(np.flatnonzero(differs))
        assert len(set(changed)) == len(changed)
        assert told.tolist() == before[0][changed].tolist()
        yield labels, nodes, open_arcs, seeds


@given(st.data(), st.sampled_from([math.inf, 2.0, 5.0]))
@settings(max_examples=300, deadline=None)
def test_labels_are_those_of_a_plain_search(data, limit):
    for labels, nodes, arcs, seeds in follow(data, COSTS, limit):
        expected = plain(nodes, arcs, list(zip(*flat(seeds), strict=True)), limit)
        assert list(zip(labels.distance, labels.origin, strict=True)) == expected


@given(st.data(), st.sampled_from([math.inf, 3.0]))
@settings(max_examples=150, deadline=None)
def test_labels_are_those_of_the_engine(data, limit):
    for labels, nodes, arcs, seeds in follow(data, EXACT, limit):
        left = {arc: cost for arc, cost in arcs.items() if math.isfinite(cost)}
        rows = rows_of(nodes, left or {(0, 0): 0.0})
        distance, origin = _search.nearest_origin(rows, *flat(seeds), 5, limit)
        np.testing.assert_array_equal(labels.distance, distance)
        np.testing.assert_array_equal(labels.origin, origin)


def test_rounding_alone_decides_no_origin():
    # Two ways to node 2, unlike in their last bit alone; beyond it they are alike.
    arcs = {(0, 2): 0.1 + 0.2, (1, 2): 0.3, (2, 3): 8.0}
    assert arcs[0, 2] != arcs[1, 2]
    assert arcs[0, 2] + 8.0 == arcs[1, 2] + 8.0
    labels = Labels(rows_of(4, arcs), math.inf)
    first = {0: [(0, 0.0)]}
    labels.search(*flat(first))
    assert labels.origin[3] == 0
    labels.search(*flat({**first, 5: [(1, 0.0)]}))
    # Node 2 is nearer to the new one and hands that on, though node 3 is no nearer.
    assert list(labels.origin) == [0, 5, 5, 5]


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_joined_is_whether_a_way_leads(data):
    nodes, arcs = data.draw(graphs(EXACT))
    labels = Labels(rows_of(nodes, arcs), math.inf)
    source = data.draw(st.integers(0, nodes - 1))
    reached = plain(nodes, arcs, [(source, 0.0, 0)], math.inf)
    for target in range(nodes):
        assert labels.joined(source, target) == math.isfinite(reached[target][0])
