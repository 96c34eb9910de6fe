import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from planner.positions import Positions
from planner.reach import SLACK
from tests import oracle
from tests.planner.strategies import hindered, networks, positions

UNITS = st.sampled_from(["m", "min"])
WAYS = st.sampled_from(["facility", "from"])
MODES = st.sampled_from(["walk", "drive"])


def searched(network, origins, unit, towards, cutoff=math.inf):
    bound = {"cutoff": cutoff} if unit == "m" else {"cutoff_min": cutoff}
    return network.reach(origins, towards=towards, **bound)


@given(st.data(), MODES, UNITS, WAYS)
@settings(max_examples=400, deadline=None)
def test_distances_are_the_oracles(data, mode, unit, towards):
    network = data.draw(networks(mode) | hindered(mode))
    origins, targets = data.draw(positions(network)), data.draw(positions(network))
    found = searched(network, origins, unit, towards).at(targets)
    expected = oracle.distances(network, origins, targets, unit=unit, towards=towards)
    assert list(found.index) == list(targets.index)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


@given(st.data(), UNITS, WAYS)
@settings(max_examples=200, deadline=None)
def test_a_cutoff_is_inclusive_to_the_last_digit(data, unit, towards):
    network = data.draw(networks() | hindered())
    origins, targets = data.draw(positions(network, 1)), data.draw(positions(network, 1))
    expected = oracle.distances(network, origins, targets, unit=unit, towards=towards)
    finite = expected[np.isfinite(expected)]
    assume(len(finite))
    cutoff = float(data.draw(st.sampled_from(list(finite))))
    # What lies beyond by less than the slack of rounding counts as at the cutoff.
    assume(not ((expected > cutoff + 1e-9) & (expected < cutoff + 2 * SLACK)).any())
    found = searched(network, origins, unit, towards, cutoff).at(targets)
    # Sums may differ in their last bit by the order of their terms; nothing else may.
    bounded = expected.where(~(expected > cutoff + 1e-9), math.inf)
    np.testing.assert_allclose(found, bounded, rtol=0, atol=1e-9)
    assert (found[np.isfinite(found)] <= cutoff).all()


@given(st.data(), UNITS, WAYS)
@settings(max_examples=200, deadline=None)
def test_the_nearest_origin_is_the_nearest(data, unit, towards):
    network = data.draw(networks() | hindered())
    origins, targets = data.draw(positions(network, 1)), data.draw(positions(network, 1))
    nearest = searched(network, origins, unit, towards).nearest(targets)
    for label, row in nearest.iterrows():
        assert (row["origin"] is None) == (not math.isfinite(row["distance"]))
        if row["origin"] is not None:
            alone = origins.take(np.array([list(origins.index).index(row["origin"])]))
            target = targets.take(np.array([list(targets.index).index(label)]))
            own = oracle.distances(network, alone, target, unit=unit, towards=towards)
            assert own.iloc[0] == pytest.approx(row["distance"], abs=1e-9)


@given(st.data(), UNITS)
@settings(max_examples=100, deadline=None)
def test_going_there_is_coming_from_there_backwards(data, unit):
    network = data.draw(networks() | hindered())
    lone = positions(network, 1, 1, refused=False)
    one, other = data.draw(lone), data.draw(lone)
    there = searched(network, one, unit, "facility").at(other).iloc[0]
    back = searched(network, other, unit, "from").at(one).iloc[0]
    np.testing.assert_allclose(there, back, rtol=0, atol=1e-9)


def test_one_way_street_decides_by_direction(tiny_city, tiny_network):
    one_way = int(np.flatnonzero(tiny_network.forward != tiny_network.backward)[0])
    length = tiny_network.length[one_way]

    def at(offset):
        return Positions(
            tiny_network,
            tiny_city.streets.index[:1],
            np.array([one_way]),
            np.array([offset]),
            np.array([0.0]),
            np.array([-1]),
        )

    first, second = at(length * 0.25), at(length * 0.75)
    before, after = (first, second) if tiny_network.forward[one_way] else (second, first)
    along = length / 2
    assert tiny_network.reach(after).at(before).iloc[0] == pytest.approx(along)
    assert tiny_network.reach(before, towards="from").at(after).iloc[0] == pytest.approx(along)
    assert tiny_network.reach(before).at(after).iloc[0] > along


def test_no_origin_reaches_nothing(tiny_city, tiny_network):
    nobody = tiny_city.facilities.iloc[:0]
    found = tiny_network.reach(nobody, cutoff=800).nearest(tiny_city.population)
    assert not np.isfinite(found["distance"]).any()
    assert found["origin"].isna().all()


def test_minutes_are_metres_at_walking_speed(tiny_city, tiny_network):
    metres = tiny_network.reach(tiny_city.facilities).at(tiny_city.population)
    minutes = tiny_network.reach(tiny_city.facilities, cutoff_min=math.inf).at(tiny_city.population)
    np.testing.assert_allclose(minutes, metres / 80, rtol=1e-12)


def test_wrong_use_is_refused(tiny_city, tiny_network):
    points = tiny_city.facilities
    with pytest.raises(InputError):
        tiny_network.reach(points, cutoff=1, cutoff_min=1)
    with pytest.raises(InputError):
        tiny_network.reach(points, cutoff=-1)
    with pytest.raises(InputError):
        tiny_network.reach(points, cutoff=math.nan)
    with pytest.raises(InputError):
        tiny_network.reach(points, towards="away")


def test_repr_tells(tiny_city, tiny_network):
    told = repr(tiny_network.reach(tiny_city.facilities, cutoff=800))
    assert "within 800 m" in told
    assert "walk" in told
