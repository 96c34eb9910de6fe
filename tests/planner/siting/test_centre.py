import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from planner.siting.centre import p_centre
from planner.siting.instance import Instance, Pairs
from planner.siting.limits import Limits
from tests.planner.siting import oracle
from tests.planner.siting.strategies import instances, limits


@settings(max_examples=100)
@given(data=st.data())
@pytest.mark.parametrize("weighted", [False, True])
def test_the_centre_is_that_of_every_choice_tried(data, weighted):
    instance = data.draw(instances())
    limit = data.draw(limits(instance))
    within = data.draw(st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, 3.0])))
    found = p_centre(instance, limit, weighted=weighted, within=within)
    best = oracle.centre(instance, limit, weighted, within)
    if best is None:
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(best, abs=1e-7)
        assert found.bound == found.objective
        assert oracle.keeps(instance, limit, tuple(found.sites.tolist()))
        assert oracle.floors_kept(instance, limit, found.served)


def test_a_pair_kept_apart_that_is_not_there_is_refused():
    instance = Instance.of(Pairs.from_dense([[1.0], [2.0]]))
    with pytest.raises(InputError, match="apart"):
        p_centre(instance, Limits(number=1, apart=([0], [4])))
