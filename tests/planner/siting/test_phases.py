import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from planner.siting.instance import Instance, Pairs, Role
from planner.siting.limits import Limits
from planner.siting.phases import Year, phased_cover
from tests.planner.siting import oracle
from tests.planner.siting.strategies import instances, limits


@settings(max_examples=40)
@given(data=st.data())
@pytest.mark.parametrize("partial", [False, True])
def test_each_year_is_the_best_part_of_the_next(data, partial):
    instance = data.draw(instances())
    limit = data.draw(limits(instance))
    value = None
    if partial:
        size = len(instance.pairs.site)
        parts = st.sampled_from([0.0, 0.2, 0.5, 0.75, 1.0])
        value = np.array(data.draw(st.lists(parts, min_size=size, max_size=size)))
    yearly = st.tuples(
        st.one_of(st.none(), st.integers(0, 2)),
        st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, 3.5])),
    )
    years = [
        Year(2026 + at, *one)
        for at, one in enumerate(data.draw(st.lists(yearly, min_size=1, max_size=3)))
    ]
    numbers = [year.number for year in years]
    budgets = [year.budget for year in years]

    def upto(values, at):
        some = values[: at + 1]
        return None if None in some else sum(some)

    def least(*values):
        return min((value for value in values if value is not None), default=None)

    total = upto(numbers, len(years) - 1)
    if limit.exactly and total is not None and total < limit.number:
        with pytest.raises(InputError):
            phased_cover(instance, limit, years)
        return
    plan = phased_cover(instance, limit, years, value=value)
    end = Limits(
        number=least(limit.number, total),
        exactly=limit.exactly,
        budget=least(limit.budget, upto(budgets, len(years) - 1)),
        at_most=limit.at_most,
        at_least=limit.at_least,
        apart=limit.apart,
        floors=limit.floors,
    )
    best = oracle.maximal(instance, end, value)
    if best is None:
        assert {state.status for state in plan.solutions} == {"infeasible"}
        return
    assert plan.solutions[-1].objective == pytest.approx(best)
    for at in range(len(years) - 1):
        later, now = plan.solutions[at + 1], plan.solutions[at]
        assert set(now.sites) <= set(later.sites)
        role = np.where(instance.existing, Role.EXISTING, Role.FORBIDDEN)
        role[later.sites] = Role.CANDIDATE
        part = Instance.of(instance.pairs, people=instance.people, cost=instance.cost, role=role)
        within = Limits(number=upto(numbers, at), budget=upto(budgets, at))
        assert now.objective == pytest.approx(oracle.maximal(part, within, value))
        assert now.status == "optimal"
    together = np.concatenate(list(plan.opened.values()))
    assert sorted(together) == plan.solutions[-1].sites.tolist()


def diagonal(people):
    return Instance.of(
        Pairs.from_dense(np.where(np.eye(len(people)) > 0, 1.0, np.inf)), people=people
    )


def test_what_a_year_leaves_is_spent_later():
    instance = diagonal([5, 9, 7])
    plan = phased_cover(instance, Limits(), [Year(2026, budget=1.5), Year(2027, budget=1.5)])
    assert plan.objectives == {2026: 9, 2027: 21}
    plan = phased_cover(instance, Limits(), [Year(2026, budget=0.5), Year(2027, budget=0.5)])
    assert plan.objectives == {2026: 0, 2027: 9}


def test_an_end_already_chosen_is_kept():
    years = [Year(2026, 1), Year(2027, 1)]
    plan = phased_cover(diagonal([5, 9, 7]), Limits(), years, end=[2, 0])
    assert {year: sites.tolist() for year, sites in plan.opened.items()} == {2026: [2], 2027: [0]}
    with pytest.raises(InputError, match="上限2"):
        phased_cover(diagonal([5, 9, 7]), Limits(), years, end=[0, 1, 2])


@pytest.mark.parametrize("years", [[], [Year(2027), Year(2026)], [Year(2026, -1)]])
def test_years_that_make_no_sense_are_refused(years):
    with pytest.raises(InputError):
        phased_cover(diagonal([5]), Limits(), years)
