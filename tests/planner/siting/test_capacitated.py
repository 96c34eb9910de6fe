from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from planner.siting import capacitated, transport
from planner.siting.capacitated import capacitated_p_median
from planner.siting.instance import Instance, Pairs
from planner.siting.limits import Limits
from tests.planner.siting import oracle
from tests.planner.siting.strategies import instances, limits


@settings(max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize("way", ["whole", "split", "as if large"])
def test_the_capacitated_median_is_that_of_every_choice_tried(data, way):
    split = way != "whole"
    instance = data.draw(instances(most_sites=5, most_rows=4, capacities=True))
    limit = data.draw(limits(instance))
    size = instance.demands
    load = data.draw(
        st.one_of(
            st.none(),
            st.lists(st.sampled_from([0.0, 1.0, 2.0, 2.5]), min_size=size, max_size=size),
        )
    )
    beyond = data.draw(st.one_of(st.none(), st.sampled_from([2.0, 3.0, 9.0])))
    within = data.draw(st.sampled_from([np.inf, 0.0, 1.0, 2.0, 3.0]))
    large = way == "as if large"
    with (
        patch.object(capacitated, "_LARGE", -1 if large else capacitated._LARGE),
        patch.object(transport, "_FIRST", 1 if large else transport._FIRST),
    ):
        found = capacitated_p_median(
            instance, limit, load=load, split=split, beyond=beyond, within=within
        )
    loads = instance.people if load is None else np.array(load)
    each = None if beyond is None else np.full(size, beyond)
    best = oracle.capacitated_median(instance, limit, loads, split, each, within)
    if best is None:
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(best, abs=1e-5)
        assert oracle.keeps(instance, limit, tuple(found.sites.tolist()))


@pytest.mark.parametrize("load", [[1.0], [1.0, -1.0], [1.0, np.inf]])
def test_loads_that_make_no_sense_are_refused(load):
    instance = Instance.of(Pairs.from_dense([[1.0], [2.0]]), capacity=[5])
    with pytest.raises(InputError):
        capacitated_p_median(instance, Limits(number=1), load=load)


def test_a_pair_kept_apart_that_is_not_there_is_refused():
    instance = Instance.of(Pairs.from_dense([[1.0], [2.0]]), capacity=[5])
    with pytest.raises(InputError, match="apart"):
        capacitated_p_median(instance, Limits(number=1, apart=([0], [4])))
