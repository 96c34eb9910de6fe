from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from planner.siting import fair
from planner.siting.control import Control
from planner.siting.fair import fair_cover
from planner.siting.instance import Instance, Pairs, Role
from planner.siting.limits import Limits
from tests.planner.siting import oracle
from tests.planner.siting.strategies import instances, limits


@settings(max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("direct", [20_000, -1])
def test_rates_are_the_best_from_the_worst_up(data, partial, direct):
    instance = data.draw(instances())
    assume(((instance.area >= 0) & (instance.people > 0)).any())
    limit = data.draw(limits(instance))
    value = None
    if partial:
        size = len(instance.pairs.site)
        parts = st.sampled_from([0.0, 0.2, 0.5, 0.75, 1.0])
        value = np.array(data.draw(st.lists(parts, min_size=size, max_size=size)))
    # As large ones are: a good choice and a bound come before the program.
    with patch.object(fair, "DIRECT", direct):
        found = fair_cover(instance, limit, value=value)
    best = oracle.fair(instance, limit, value)
    if best is None:
        assert found.solution.status == "infeasible"
        return
    rates, people = best
    assert found.solution.status == "optimal"
    assert sorted(found.rates) == pytest.approx(rates, abs=2e-7)
    assert [level.rate for level in found.levels] == pytest.approx(rates, abs=2e-7)
    assert all(level.bound >= level.rate for level in found.levels)
    assert oracle.people(instance, found.solution.served) == pytest.approx(people, abs=1e-6)


@settings(max_examples=12)
@given(data=st.data())
def test_the_worst_rate_within_capacities_is_the_best_of_every_choice_tried(data):
    instance = data.draw(instances(most_sites=4, most_rows=4, capacities=True))
    assume(((instance.area >= 0) & (instance.people > 0)).any())
    limit = data.draw(limits(instance))
    found = fair_cover(instance, limit)
    best = oracle.capacitated_worst(instance, limit)
    if best is None:
        assert found.solution.status == "infeasible"
    else:
        assert found.solution.objective == pytest.approx(max(0.0, best), abs=1e-5)
        assert found.solution.bound == pytest.approx(found.solution.objective, abs=1e-7)


def test_the_worst_comes_first_even_where_fewer_people_are_served():
    near = Pairs.from_dense([[1, np.inf], [np.inf, 1], [1, 1]])
    instance = Instance.of(near, people=[100, 1, 1], area=[0, 1, 1])
    found = fair_cover(instance, Limits(number=1))
    assert found.solution.sites.tolist() == [0]
    assert found.rates == pytest.approx([1.0, 0.5])


def test_levels_that_were_not_asked_for_give_way_to_people():
    far = np.inf
    near = Pairs.from_dense([[1, 1, far], [far, 1, far], [far, far, 1], [far, far, far]])
    instance = Instance.of(near, people=[1, 1, 9, 1], area=[0, 1, 2, 3])
    found = fair_cover(instance, Limits(number=2), levels=1)
    assert len(found.levels) == 1
    assert found.levels[0].rate == 0
    assert oracle.people(instance, found.solution.served) == 11


def test_nobody_in_any_area_is_refused():
    with pytest.raises(InputError, match="area"):
        fair_cover(Instance.of(Pairs.from_dense([[1.0]])), Limits())


def test_a_bound_before_the_program_is_one():
    rng = np.random.default_rng(5)
    near = Pairs.from_dense(np.where(rng.random((60, 9)) < 0.2, 1.0, np.inf))
    instance = Instance.of(near, people=rng.integers(1, 9, 60), area=np.arange(60) % 3)
    limit = Limits(number=3)
    rates, _ = oracle.fair(instance, limit)
    told = []
    with patch.object(fair, "DIRECT", 0):
        fair_cover(instance, limit, control=Control(progress=told.append))
    early = [one for one in told if one.what in {"greedy", "prices"}]
    assert early[-1].bound < 1
    assert all(one.best <= rates[0] + 1e-9 <= one.bound + 2e-9 for one in early)


def test_a_budget_for_nothing_that_can_be_opened():
    """Rows that no candidate reaches leave the bound without a site to price."""
    far = np.inf
    pairs = Pairs.from_dense([[1.0, far], [far, far], [far, 4.0]])
    role = np.array([Role.CANDIDATE, Role.EXISTING], dtype=np.int8)
    instance = Instance.of(pairs, people=[0, 1, 1], role=role, area=[0, 0, 1], cost=[0.0, 0.0])
    with patch.object(fair, "DIRECT", -1):
        found = fair_cover(instance, Limits(budget=0.0)).solution
    assert found.status == "optimal"
    assert len(found.sites) == 0
