import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.siting import _maximise
from planner.siting.covering import maximal_cover, set_cover
from tests.planner.siting import oracle
from tests.planner.siting.strategies import instances, limits


@pytest.fixture(params=[20_000, -1], ids=["program", "prices"])
def way(request):
    """Both ways to go: straight to the program, and by prices and fewer sites."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_maximise, "DIRECT", request.param)
        yield


@settings(max_examples=300)
@given(data=st.data())
@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("direct", [20_000, -1])
def test_maximal_cover_is_that_of_every_choice_tried(data, partial, direct):
    instance = data.draw(instances())
    limit = data.draw(limits(instance))
    value = None
    if partial:
        size = len(instance.pairs.site)
        parts = st.sampled_from([0.0, 0.2, 0.5, 0.5, 0.75, 1.0])
        value = np.array(data.draw(st.lists(parts, min_size=size, max_size=size)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_maximise, "DIRECT", direct)
        found = maximal_cover(instance, limit, value=value)
    best = oracle.maximal(instance, limit, value)
    if best is None:
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(best, abs=1e-7)
        assert found.bound == found.objective


@settings(max_examples=300)
@given(data=st.data())
@pytest.mark.parametrize("cheapest", [False, True])
@pytest.mark.parametrize("share", [None, 0.4, 0.8, 1.0])
def test_set_cover_is_that_of_every_choice_tried(data, cheapest, share):
    instance = data.draw(instances())
    limit = data.draw(limits(instance))
    found = set_cover(instance, limit, share=share, cheapest=cheapest)
    best = oracle.fewest(instance, limit, share, cheapest)
    if best is None:
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(best, abs=1e-7)
        assert found.bound == found.objective
