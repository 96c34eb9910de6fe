from itertools import combinations
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.siting import conflict
from planner.siting.capacitated import capacitated_p_median
from planner.siting.centre import p_centre
from planner.siting.conflict import explain
from planner.siting.covering import maximal_cover, set_cover
from planner.siting.instance import Instance, Pairs, Role
from planner.siting.limits import Culprit, Limits
from planner.siting.median import p_median
from tests.planner.siting import oracle
from tests.planner.siting.strategies import instances, limits


def diagonal(people, **more):
    """As many sites as rows, each near its own row alone."""
    near = Pairs.from_dense(np.where(np.eye(len(people)) > 0, 1.0, np.inf))
    return Instance.of(near, people=people, **more)


def told(conflict):
    return {(culprit.kind, culprit.key) for culprit in conflict.culprits}


def mended(conflict):
    return {(change.culprit.kind, change.culprit.key): change.value for change in conflict.changes}


def test_a_number_and_two_floors():
    instance = diagonal([4, 6, 1], area=[0, 1, 2])
    found = maximal_cover(instance, Limits(number=1, floors={0: 0.5, 1: 1, 2: 0}, budget=9))
    assert found.status == "infeasible"
    assert np.isnan(found.objective)
    assert told(found.conflict) == {("number", -1), ("floor", 0), ("floor", 1)}
    assert mended(found.conflict) == {("number", -1): 2, ("floor", 0): 0, ("floor", 1): 0}


def test_a_budget_and_a_floor():
    instance = Instance.of(
        Pairs.from_dense([[1, np.inf], [np.inf, 1]]), people=[4, 6], cost=[3, 5], area=[0, 0]
    )
    limit = Limits(budget=4, floors={0: 0.55}, number=2)
    found = maximal_cover(instance, limit)
    assert told(found.conflict) == {("budget", -1), ("floor", 0)}
    assert mended(found.conflict) == pytest.approx({("budget", -1): 5, ("floor", 0): 0.4})


def test_a_floor_beyond_reach_stands_alone():
    instance = Instance.of(Pairs.from_dense([[1.0], [np.inf]]), people=[3, 1], area=[5, 5])
    found = maximal_cover(instance, Limits(floors={5: 0.9}, number=1))
    assert told(found.conflict) == {("floor", 5)}
    assert mended(found.conflict) == {("floor", 5): 0.75}


def test_required_sites_too_near_each_other():
    instance = diagonal([1, 1, 1], role=[Role.REQUIRED, Role.REQUIRED, Role.CANDIDATE])
    found = maximal_cover(instance, Limits(apart=([1, 0], [2, 1])))
    assert told(found.conflict) == {("apart", 1), ("required", 0), ("required", 1)}
    assert mended(found.conflict) == {
        ("apart", 1): None,
        ("required", 0): None,
        ("required", 1): None,
    }


def test_units_that_ask_for_more_than_there_is():
    instance = diagonal([1, 1, 1], unit=[0, 0, 1])
    found = maximal_cover(instance, Limits(at_least={0: 2, 1: 1}, at_most={0: 1, 1: 1}))
    assert told(found.conflict) == {("at_least", 0), ("at_most", 0)}
    assert mended(found.conflict) == {("at_least", 0): 1, ("at_most", 0): 2}


def test_everyone_with_too_few():
    found = set_cover(diagonal([2, 2, 2]), Limits(number=2))
    assert told(found.conflict) == {("number", -1), ("share", -1)}
    assert mended(found.conflict)["number", -1] == 3
    assert mended(found.conflict)["share", -1] == pytest.approx(2 / 3)


def test_just_so_many_where_money_allows_fewer():
    found = maximal_cover(diagonal([2, 2, 2]), Limits(number=3, exactly=True, budget=2))
    assert mended(found.conflict) == {("number", -1): 2, ("budget", -1): 3}


def test_capacities_are_facts():
    instance = diagonal([10.0], capacity=[4.0], area=[0])
    found = maximal_cover(instance, Limits(floors={0: 0.5}))
    assert told(found.conflict) == {("floor", 0)}
    assert mended(found.conflict) == pytest.approx({("floor", 0): 0.4})


def test_nothing_in_conflict_is_none():
    assert explain(diagonal([1]), Limits(number=1, floors={0: 1})) is None


def limits_of(instance, limit, kept):
    """An instance and limits in which just some of the limits hold."""
    role = instance.role.copy()
    for site in np.flatnonzero(instance.required):
        if ("required", int(site)) not in kept:
            role[site] = Role.CANDIDATE
    rows = [row for row in range(len(limit.apart[0])) if ("apart", row) in kept]
    number = limit.number if ("number", -1) in kept else None
    same = {
        name: getattr(instance, name) for name in ("people", "cost", "capacity", "unit", "area")
    }
    return Instance.of(instance.pairs, role=role, **same), Limits(
        number=number,
        exactly=limit.exactly and number is not None,
        budget=limit.budget if ("budget", -1) in kept else None,
        at_most={u: k for u, k in limit.at_most.items() if ("at_most", u) in kept},
        at_least={u: k for u, k in limit.at_least.items() if ("at_least", u) in kept},
        apart=tuple([side[row] for row in rows] for side in limit.apart),
        floors={a: k for a, k in limit.floors.items() if ("floor", a) in kept},
    )


def changed(limit, change):
    """The same limits with one of them changed."""
    kind, key, value = change.culprit.kind, change.culprit.key, change.value
    told = {
        name: getattr(limit, name)
        for name in ("number", "exactly", "budget", "at_most", "at_least", "apart", "floors")
    }
    if kind in {"number", "budget"}:
        told[kind] = round(value) if kind == "number" else value
    elif kind == "floor":
        told["floors"] = {**limit.floors, key: value}
    else:
        told[kind] = {**told[kind], key: round(value)}
    return Limits(**told)


@settings(max_examples=150)
@given(data=st.data())
def test_conflicts_are_minimal_and_changes_mend_them(data):
    instance = data.draw(instances(most_sites=5))
    limit = data.draw(limits(instance))
    found = explain(instance, limit)
    if next(oracle.feasible(instance, limit), None) is not None:
        assert found is None
        return
    culprits = told(found)
    assert next(oracle.feasible(*limits_of(instance, limit, culprits)), None) is None
    for fewer in combinations(culprits, len(culprits) - 1):
        assert next(oracle.feasible(*limits_of(instance, limit, fewer)), None) is not None
    for change in found.changes:
        if change.value is None:
            continue
        assert next(oracle.feasible(instance, changed(limit, change)), None) is not None
        # A little less of a change does not do.
        old = change.culprit.value
        step = 1 if change.culprit.kind not in {"budget", "floor"} else 0.01
        if abs(change.value - old) < step:
            continue
        nearer = change.value + np.sign(old - change.value) * step
        less = type(change)(Culprit(change.culprit.kind, change.culprit.key, old), nearer)
        assert next(oracle.feasible(instance, changed(limit, less)), None) is None


def far_apart():
    """Two rows with a site each, no further site near."""
    return Pairs.from_dense([[1.0, np.inf], [np.inf, 2.0]])


@pytest.mark.parametrize("solve", [p_median, p_centre])
def test_one_site_cannot_serve_two_places(solve):
    found = solve(Instance.of(far_apart(), people=[1, 3]), Limits(number=1, budget=7))
    assert found.status == "infeasible"
    assert told(found.conflict) == {("number", -1), ("share", -1)}
    assert mended(found.conflict) == pytest.approx({("number", -1): 2, ("share", -1): 0.75})


@pytest.mark.parametrize("solve", [p_median, p_centre])
def test_somebody_whom_nobody_is_near_stands_alone(solve):
    near = Pairs.from_dense([[1.0, 2.0], [np.inf, np.inf]])
    found = solve(Instance.of(near, people=[3, 1]), Limits(number=1))
    assert told(found.conflict) == {("share", -1)}
    assert mended(found.conflict) == {("share", -1): 0.75}


def test_a_median_with_a_floor_beyond_its_number():
    instance = Instance.of(far_apart(), people=[1, 3], area=[0, 1])
    found = p_median(instance, Limits(number=1, floors={0: 0.5, 1: 0.5}), beyond=9)
    assert told(found.conflict) == {("number", -1), ("floor", 0), ("floor", 1)}
    # A site two away serves nobody within one.
    found = p_median(instance, Limits(number=2, floors={1: 0.5}), beyond=1)
    assert told(found.conflict) == {("floor", 1)}


@pytest.mark.parametrize(("split", "most"), [(True, 17 / 18), (False, 12 / 18)])
def test_capacities_that_hold_too_few(split, most):
    near = Pairs.from_dense(np.ones((3, 3)))
    instance = Instance.of(near, people=[6, 6, 6], capacity=[8, 7, 9])
    found = capacitated_p_median(instance, Limits(number=2), split=split)
    assert told(found.conflict) == {("number", -1), ("share", -1)}
    assert mended(found.conflict)["number", -1] == 3
    assert mended(found.conflict)["share", -1] == pytest.approx(most)


@settings(max_examples=60)
@given(data=st.data())
def test_large_problems_are_told_a_conflict_with_proof(data):
    """As where a program for each question would take too long: what is told is true."""
    instance = data.draw(instances(most_sites=5))
    limit = data.draw(limits(instance))
    with patch.object(conflict, "_LARGE", -1):
        found = explain(instance, limit)
    if next(oracle.feasible(instance, limit), None) is not None:
        assert found is None
    if found is None:
        return
    culprits = told(found)
    assert next(oracle.feasible(*limits_of(instance, limit, culprits)), None) is None
    if found.minimal:
        for fewer in combinations(culprits, len(culprits) - 1):
            assert next(oracle.feasible(*limits_of(instance, limit, fewer)), None) is not None
    for change in found.changes:
        if change.value is None:
            continue
        assert next(oracle.feasible(instance, changed(limit, change)), None) is not None
        if change.proved is not None:
            less = type(change)(change.culprit, change.proved)
            assert next(oracle.feasible(instance, changed(limit, less)), None) is None


def test_a_known_conflict_of_a_large_problem():
    """Areas apart from each other, of twenty sites each; two floors want eleven of them."""
    areas, sites = 10, 20
    rng = np.random.default_rng(7)
    rows = []
    for area in range(areas):
        block = np.full((400, areas * sites), np.inf)
        block[:, area * sites : (area + 1) * sites] = np.where(
            np.arange(400)[:, None] % sites == np.arange(sites), 1.0, np.inf
        )
        rows.append(block)
    instance = Instance.of(
        Pairs.from_dense(np.vstack(rows)),
        people=rng.integers(5, 6, 4000),
        area=np.repeat(np.arange(areas), 400),
    )
    # Each site serves a twentieth of its area: five and six of them are eleven.
    limit = Limits(number=10, floors={3: 0.25, 7: 0.3, 5: 0.0})
    with patch.object(conflict, "_LARGE", 0):
        found = explain(instance, limit)
    assert told(found) == {("number", -1), ("floor", 3), ("floor", 7)}
    assert found.minimal
    assert mended(found) == pytest.approx(
        {("number", -1): 11, ("floor", 3): 0.2, ("floor", 7): 0.25}
    )
    assert [change.proved for change in found.changes if change.culprit.kind == "number"] == [None]
