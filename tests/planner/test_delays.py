import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import delays
from planner.network import Network
from tests import oracle


def test_a_junction_needs_three_ends_that_delay():
    u, v = np.array([0, 0, 0, 1, 2]), np.array([1, 2, 3, 2, 2])
    # 0 meets three, 1 two, 2 four with its loop, 3 one.
    found = delays.at_junctions(u, v, 4, np.array([6.0, 6.0, 6.0, 6.0, 6.0]))
    assert found.tolist() == [0.1, 0.0, 0.1, 0.0]
    # A street without a delay is none of the three.
    assert delays.at_junctions(u, v, 4, np.array([6.0, 0.0, 6.0, 6.0, 0.0])) is None


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 9)), max_size=12))
@settings(max_examples=100, deadline=None)
def test_delays_are_those_of_a_plain_count(rows):
    u, v, s = (np.array([row[part] for row in rows], dtype=np.int64) for part in range(3))
    found = delays.at_junctions(u, v, 5, s.astype(float))
    for node in range(5):
        here = [s for u, v, s in rows for end in (u, v) if end == node]
        expected = max(here) if sum(s > 0 for s in here) >= 3 else 0.0
        assert (0.0 if found is None else found[node] * 60) == pytest.approx(expected)


def test_a_way_pays_at_the_junctions_it_passes_and_nowhere_else(tiny_city):
    plain, slow = (
        Network.build(tiny_city.streets, "drive", crs=4549, junction_delay_s=seconds)
        for seconds in (None, {"other": 0, "residential": 30})
    )
    # From the middle of one block to the middle of the next but two: three junctions.
    ends = tiny_city.population.iloc[[4, 7]]
    one, other = (slow.locate(ends.iloc[[row]]) for row in (0, 1))
    late = slow.reach(one, cutoff_min=60).at(other).iloc[0]
    one, other = (plain.locate(ends.iloc[[row]]) for row in (0, 1))
    early = plain.reach(one, cutoff_min=60).at(other).iloc[0]
    assert late - early == pytest.approx(3 * 0.5)
    metres = [
        net.reach(net.locate(ends.iloc[[0]])).at(ends.iloc[[1]]).iloc[0] for net in (plain, slow)
    ]
    assert metres[0] == metres[1]


@pytest.mark.parametrize("towards", ["facility", "from"])
def test_the_usual_delays_against_the_oracle(tiny_city, towards):
    network = Network.build(tiny_city.streets, "drive", crs=4549, junction_delay_s="usual")
    homes, sites = (network.locate(layer) for layer in (tiny_city.population, tiny_city.facilities))
    found = network.reach(sites, cutoff_min=math.inf, towards=towards).at(homes)
    expected = oracle.distances(network, sites, homes, unit="min", towards=towards)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_single_junctions_add_up_and_strangers_are_left_out(tiny_city):
    table = pd.DataFrame(
        {
            "node": [11, 11, 999, 22],
            "mode": ["walk", "walk", "walk", "drive"],
            "seconds": [30.0, 15.0, 5.0, 60.0],
        }
    )
    network = Network.build(tiny_city.streets, crs=4549, node_delays=table)
    waits = dict(zip(network.node_ids.tolist(), network.delay, strict=True))
    assert waits[11] == pytest.approx(0.75)
    assert sum(waits.values()) == pytest.approx(0.75)
    assert dict(network.to_networkx().nodes(data="delay"))[11] == pytest.approx(45)
