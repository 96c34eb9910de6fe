import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from planner.siting.instance import Instance, Pairs
from planner.siting.limits import Limits
from planner.siting.median import p_median
from tests.planner.siting import oracle
from tests.planner.siting.strategies import instances, limits


@settings(max_examples=50)
@given(data=st.data())
def test_the_median_is_that_of_every_choice_tried(data):
    instance = data.draw(instances())
    limit = data.draw(limits(instance))
    distances = st.sampled_from([0.0, 1.0, 2.0, 3.5, 9.0])
    beyond = data.draw(
        st.one_of(
            st.none(),
            distances,
            st.lists(distances, min_size=instance.demands, max_size=instance.demands),
        )
    )
    within = data.draw(st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, 3.0])))
    found = p_median(instance, limit, beyond=beyond, within=within)
    each = None if beyond is None else np.broadcast_to(beyond, instance.demands)
    best = oracle.median(instance, limit, each, within)
    if best is None:
        assert found.status == "infeasible"
        assert np.isnan(found.objective)
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(best, abs=1e-7)
        assert found.bound == found.objective
        assert oracle.keeps(instance, limit, tuple(found.sites.tolist()))
        assert oracle.floors_kept(instance, limit, found.served)


@pytest.mark.parametrize("beyond", [-1.0, [1.0, 2.0, 3.0]])
def test_a_distance_beyond_that_makes_no_sense_is_refused(beyond):
    instance = Instance.of(Pairs.from_dense([[1.0], [2.0]]))
    with pytest.raises(InputError):
        p_median(instance, Limits(number=1), beyond=beyond)


def test_a_pair_kept_apart_that_is_not_there_is_refused():
    instance = Instance.of(Pairs.from_dense([[1.0], [2.0]]))
    with pytest.raises(InputError, match="apart"):
        p_median(instance, Limits(number=1, apart=([0], [4])))
