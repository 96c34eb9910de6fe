import math
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from planner import distances
from planner.distances import nearest_few, pairs, sums
from planner.network import Network
from planner.reach import SLACK
from tests import oracle
from tests.planner.strategies import hindered, networks, positions

UNITS = st.sampled_from(["m", "min"])
WAYS = st.sampled_from(["facility", "from"])


def asked(data, unit, towards):
    """A network, positions on it, every distance by the oracle, and a cutoff."""
    mode = data.draw(st.sampled_from(["walk", "drive"]))
    network = data.draw(networks(mode) | hindered(mode))
    origins, targets = data.draw(positions(network)), data.draw(positions(network))
    every = np.array(
        [
            oracle.distances(
                network, origins.take(np.array([row])), targets, unit=unit, towards=towards
            )
            for row in range(len(origins))
        ]
    ).reshape(len(origins), len(targets))
    finite = every[np.isfinite(every)]
    cutoff = data.draw(st.sampled_from([math.inf, *finite.tolist()]))
    near = np.abs(every - cutoff) if math.isfinite(cutoff) else np.array([math.inf])
    assume(not ((near > 1e-9) & (near < 2 * SLACK)).any())
    every = np.where(every <= cutoff + 1e-9, every, math.inf)
    bound = {"cutoff": cutoff} if unit == "m" else {"cutoff_min": cutoff}
    return network, origins, targets, every, {**bound, "towards": towards}


@given(st.data(), UNITS, WAYS, st.sampled_from([1, 3, 1000]))
@settings(max_examples=200, deadline=None)
def test_pairs_are_the_oracles(data, unit, towards, at_once):
    network, origins, targets, every, options = asked(data, unit, towards)
    found = np.full(every.shape, math.inf)
    told = 0
    for part in pairs(network, origins, targets, at_once=at_once, **options):
        assert part.first == told
        told += len(part.start) - 1
        assert (found[part.origin, part.target] == math.inf).all()
        found[part.origin, part.target] = part.distance
        assert list(part.frame()["origin"]) == list(origins.index[part.origin])
    assert told == len(origins)
    np.testing.assert_allclose(found, every, rtol=0, atol=1e-9)


@given(st.data(), UNITS, WAYS)
@settings(max_examples=150, deadline=None)
def test_sums_are_those_of_the_pairs(data, unit, towards):
    network, origins, targets, every, options = asked(data, unit, towards)
    count = len(targets)
    weights = pd.DataFrame({"a": np.arange(count) + 1.0, "b": 2.0 ** np.arange(count)})
    found = sums(network, origins, targets, weights, **options)
    expected = np.isfinite(every).astype(float) @ weights.to_numpy()
    assert list(found.index) == list(origins.index)
    np.testing.assert_allclose(found.to_numpy(), expected)
    alone = sums(network, origins, targets, weights["a"], **options)
    np.testing.assert_array_equal(alone["a"], found["a"])


@given(st.data(), UNITS, WAYS, st.integers(0, 4), st.booleans())
@settings(max_examples=200, deadline=None)
def test_the_nearest_few_are_the_oracles(data, unit, towards, count, singly):
    network, origins, targets, every, options = asked(data, unit, towards)
    # Searched from all origins at once, or from each alone as where many are wanted.
    with patch.object(distances, "_FEW", 0 if singly else distances._FEW):
        found = nearest_few(network, origins, targets, count, **options)
    row = {label: number for number, label in enumerate(origins.index)}
    for number, label in enumerate(targets.index):
        own = found[found["target"] == label]
        expected = np.sort(every[:, number])
        expected = expected[np.isfinite(expected)][:count]
        np.testing.assert_allclose(own["distance"], expected, rtol=0, atol=1e-9)
        assert own["rank"].tolist() == list(range(1, len(own) + 1))
        assert own["origin"].is_unique
        for origin, distance in zip(own["origin"], own["distance"], strict=True):
            assert every[row[origin], number] == pytest.approx(distance, abs=1e-9)


def test_one_nearest_is_the_reachs(tiny_city, tiny_network):
    sites = tiny_network.locate(tiny_city.facilities)
    homes = tiny_network.locate(tiny_city.population)
    nearest = tiny_network.reach(sites, cutoff=900).at(homes)
    first = nearest_few(tiny_network, sites, homes, 1, cutoff=900).set_index("target")["distance"]
    pd.testing.assert_series_equal(
        first.reindex(nearest.index), nearest.where(np.isfinite(nearest)), check_names=False
    )


def test_positions_of_another_network_are_refused(tiny_city, tiny_network):
    other = Network.build(tiny_city.streets, "drive", crs=tiny_city.crs)
    sites, homes = other.locate(tiny_city.facilities), tiny_network.locate(tiny_city.population)
    with pytest.raises(InputError):
        list(pairs(tiny_network, sites, homes, cutoff=100))
    with pytest.raises(InputError):
        sums(tiny_network, homes, homes, tiny_city.population["residents"], cutoff=-1)
