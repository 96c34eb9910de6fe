import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.areas import stretches
from planner.positions import Positions
from tests.planner.strategies import hindered, networks, positions


@given(
    st.data(),
    st.sampled_from(["m", "min"]),
    st.sampled_from(["facility", "from"]),
    st.sampled_from([0.0, 7.0, 30.0, 200.0]),
)
@settings(max_examples=80, deadline=None)
def test_a_place_is_in_a_served_stretch_if_it_is_within_the_cutoff(data, unit, towards, cutoff):
    network = data.draw(networks("drive") | hindered("drive"))
    origins = data.draw(positions(network))
    bound = {"cutoff": np.inf} if unit == "m" else {"cutoff_min": np.inf}
    reach = network.reach(origins, towards=towards, **bound)
    cut = stretches(reach, cutoff)
    edge = np.repeat(np.arange(len(network.length)), 7)
    share = np.tile([0.001, 0.2, 0.37, 0.5, 0.63, 0.8, 0.999], len(network.length))
    spots = Positions(
        network,
        pd.RangeIndex(len(edge)),
        edge,
        share * network.length[edge],
        np.zeros(len(edge)),
        np.full(len(edge), -1),
    )
    for street, offset, distance in zip(edge, spots.offset, reach.at(spots), strict=True):
        own = cut[cut["street"] == network.streets.index[street]]
        margin = np.minimum(abs(own["start"] - offset), abs(own["stop"] - offset)).min()
        if margin < 1e-5 or abs(distance - cutoff) < 1e-5:
            continue  # on the very cut either side is right
        within = own[(own["start"] <= offset) & (offset <= own["stop"])]
        assert within["served"].tolist() == [distance <= cutoff]


@given(st.data(), st.sampled_from([0.0, 15.0, 120.0, np.inf]))
@settings(max_examples=80, deadline=None)
def test_stretches_join_end_to_end_and_add_up(data, cutoff):
    network = data.draw(networks() | hindered())
    reach = network.reach(data.draw(positions(network)))
    cut = stretches(reach, cutoff)
    assert cut["length_m"].sum() == pytest.approx(network.length.sum(), abs=1e-3)
    for row, label in enumerate(network.streets.index):
        own = cut[cut["street"] == label]
        assert own["start"].iloc[0] == 0
        assert own["stop"].iloc[-1] == network.length[row]
        np.testing.assert_allclose(own["start"].iloc[1:], own["stop"].iloc[:-1], atol=1e-5)
        assert (own["served"].iloc[1:].to_numpy() != own["served"].iloc[:-1].to_numpy()).all()
        assert own.geometry.is_valid.all()
        drawn = own.geometry.to_crs(4549).length
        share = own["length_m"] / network.length[row]
        whole = network.streets.geometry.iloc[[row]].to_crs(4549).length.iloc[0]
        np.testing.assert_allclose(drawn, share * whole, atol=0.02)
