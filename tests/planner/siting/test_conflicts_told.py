"""Conflicts of the problem as stated, with units and sites by name and changes that mend."""

import json

import pytest

from planner import Apart, Problem, site
from tests.planner.siting.subsets import SERVICE, Subsets, candidates


@pytest.fixture(scope="module")
def by_foot(tiny_city):
    return Subsets.of(tiny_city, mode="walk", cutoff_m=450)


def planned(subsets, **options):
    return site(
        subsets.city, SERVICE, services=subsets.services, **{"candidates": candidates(), **options}
    )


def limits(plan):
    return {(one["kind"], str(one["key"])) for one in plan.as_dict()["conflict"]["limits"]}


def changes(plan):
    told = plan.as_dict()["conflict"]["changes"]
    return {(one["kind"], str(one["key"])): one["to"] for one in told}


def best_rate(subsets, unit, most):
    return max(subsets.rates(some, "district")[unit] for some in subsets.every if len(some) <= most)


def test_a_floor_with_too_few_sites(by_foot):
    """One site cannot give the west what it asks for; the least change is what enumeration says."""
    rates = {
        many: best_rate(by_foot, "330191", many) for many in range(7)
    }  # fmt: skip
    wanted = (rates[1] + rates[2]) / 2
    assert rates[1] < wanted < rates[2]
    plan = planned(by_foot, p=1, floors={"西区": wanted})
    assert plan.status == "infeasible"
    assert limits(plan) == {("number", "None"), ("floor", "330191")}
    assert changes(plan) == pytest.approx(
        {("number", "None"): 2, ("floor", "330191"): rates[1]}, rel=1e-9
    )
    zh, en = " ".join(plan.words("zh")), " ".join(plan.words("en"))
    assert "西区（330191）" in zh
    assert "最多新开1处" in zh
    assert "West (330191)" in en
    assert "put 2 in" in en
    # What the words propose can be asked for.
    told = en.split("West (330191) at least ")[1]
    assert told
    for mended in ({"p": 2, "floors": {"西区": wanted}}, {"p": 1, "floors": {"西区": rates[1]}}):
        assert planned(by_foot, **mended).status == "optimal"
    assert not len(plan.sites)
    assert plan.after.total()["served"] == plan.before.total()["served"]


def test_a_floor_beyond_every_candidate_stands_alone(by_foot):
    plan = planned(by_foot, p=6, floors={"330192": 1.0})
    assert limits(plan) == {("floor", "330192")}
    assert changes(plan) == {("floor", "330192"): pytest.approx(best_rate(by_foot, "330192", 6))}


def test_money_for_what_is_required(by_foot):
    frame = candidates(cost=[3, 1, 1, 1, 1, 4.5])
    plan = planned(by_foot, candidates=frame, budget=5, required=["S0", "S5"])
    assert limits(plan) == {("budget", "None"), ("required", "S0"), ("required", "S5")}
    assert changes(plan) == {
        ("budget", "None"): 7.5,
        ("required", "S0"): None,
        ("required", "S5"): None,
    }
    assert "7.5" in " ".join(plan.words("zh"))


def test_required_sites_too_near_each_other(by_foot):
    plan = planned(by_foot, p=3, required=["S0", "S1"], apart=Apart(1000))
    assert ("apart", "['S0', 'S1']") in limits(plan)
    assert "S0" in " ".join(plan.words("en"))


def test_units_that_ask_for_more_than_the_whole(by_foot):
    plan = planned(by_foot, p=1, at_least={"district": 1})
    assert limits(plan) == {("number", "None"), ("at_least", "330191"), ("at_least", "330192")}
    assert changes(plan)["number", "None"] == 2


def test_everyone_with_too_few(by_foot):
    plan = planned(by_foot, model="lscp", p=1)
    assert limits(plan) == {("number", "None"), ("share", "None")}
    assert "凡可达者全部覆盖" in " ".join(plan.words("zh"))


def test_too_little_capacity(by_foot):
    plan = planned(by_foot, model="cp-median", p=1, capacity=20)
    assert plan.status == "infeasible"
    assert plan.solved.shortage is not None
    assert "容量不足" in " ".join(plan.words("zh"))


@pytest.mark.parametrize("model", ["p-median", "p-centre"])
def test_limits_of_the_distance_models(by_foot, model):
    plan = planned(by_foot, model=model, p=1, required=["S0", "S1"])
    assert limits(plan) == {("number", "None"), ("required", "S0"), ("required", "S1")}


def test_problems_are_told_as_json(by_foot):
    plan = planned(by_foot, p=1, at_least={"district": 1})
    told = json.loads(json.dumps(plan.as_dict(), allow_nan=False))
    assert told["status"] == "infeasible"
    assert told["objective"] is None
    assert told["sites"] == []
    assert Problem.of(plan.problem, p=2).p == 2
