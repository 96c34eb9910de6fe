import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.siting.covering import maximal_cover, set_cover
from planner.siting.instance import Instance, Pairs
from planner.siting.limits import Limits
from tests.planner.siting import oracle
from tests.planner.siting.strategies import instances, limits


def loads_fit(instance, found):
    """Nobody is served beyond what there is, and assigned to open sites alone."""
    assert ((found.served >= 0) & (found.served <= 1 + 1e-9)).all()
    there = instance.is_open(found.sites)
    assert there[found.assigned[found.assigned >= 0]].all()


@settings(max_examples=40)
@given(data=st.data())
@pytest.mark.parametrize("partial", [False, True])
def test_most_people_within_capacities_are_those_of_every_choice_tried(data, partial):
    instance = data.draw(instances(most_sites=5, most_rows=6, capacities=True))
    limit = data.draw(limits(instance))
    value = None
    if partial:
        size = len(instance.pairs.site)
        parts = st.sampled_from([0.0, 0.25, 0.5, 1.0])
        value = np.array(data.draw(st.lists(parts, min_size=size, max_size=size)))
    found = maximal_cover(instance, limit, value=value)
    best = (
        oracle.capacitated(instance, limit, value)
        if np.isfinite(instance.capacity).any()
        else oracle.maximal(instance, limit, value)
    )
    if best is None:
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(best, abs=1e-5)
        loads_fit(instance, found)


@settings(max_examples=30)
@given(data=st.data())
@pytest.mark.parametrize("share", [None, 0.6])
def test_fewest_within_capacities_are_those_of_every_choice_tried(data, share):
    instance = data.draw(instances(most_sites=5, most_rows=6, capacities=True))
    limit = data.draw(limits(instance))
    cheapest = data.draw(st.booleans())
    found = set_cover(instance, limit, share=share, cheapest=cheapest)
    best = (
        oracle.capacitated_fewest(instance, limit, share, cheapest)
        if np.isfinite(instance.capacity).any()
        else oracle.fewest(instance, limit, share, cheapest)
    )
    if best is None:
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(best, abs=1e-7)


def test_people_of_a_row_may_go_to_several_sites():
    near = Pairs.from_dense([[1, 2]])
    instance = Instance.of(near, people=[10], capacity=[6, 3])
    found = maximal_cover(instance, Limits(number=2))
    assert found.objective == pytest.approx(9)
    assert found.served == pytest.approx([0.9])
    assert found.assigned.tolist() == [0]
