"""Optima of the distance models that others have proved, reached and proved."""

import pytest

from planner.siting.capacitated import capacitated_p_median
from planner.siting.centre import p_centre
from planner.siting.instance import Instance
from planner.siting.limits import Limits
from planner.siting.median import p_median
from tests.planner.siting import known

GRAPHS = [f"pmed{at}" for at in range(1, 21)]
CAPACITATED = [f"pmedcap{at}" for at in range(1, 11)]


@pytest.mark.parametrize("name", GRAPHS)
def test_medians_of_the_library(name, shared):
    instance, number = known.graph(shared, name)
    objective = known.answers(shared)["p_median"][name]
    known.proved(p_median(instance, Limits(number=number)), objective)


@pytest.mark.parametrize("name", GRAPHS)
def test_centres_of_the_library(name, shared):
    instance, number = known.graph(shared, name)
    objective = known.answers(shared)["p_centre"][name]
    known.proved(p_centre(instance, Limits(number=number)), objective)


@pytest.mark.parametrize("name", CAPACITATED)
def test_capacitated_medians_of_the_library(name, shared):
    instance, number, load = known.capacitated(shared, name)
    objective = known.answers(shared)["capacitated_p_median"][name]
    found = capacitated_p_median(instance, Limits(number=number), load=load)
    known.proved(found, objective)


@pytest.mark.parametrize("number", ["2", "3", "4", "5", "6"])
def test_medians_and_centres_of_san_francisco(number, shared):
    pairs, people = known.san_francisco(shared)
    wanted = known.answers(shared)["san_francisco"][number]
    limit = Limits(number=int(number))
    median = p_median(Instance.of(pairs, people=people), limit)
    assert median.status == "optimal"
    assert median.objective == pytest.approx(wanted["pmedian"][0], rel=1e-9)
    centre = p_centre(Instance.of(pairs), limit)
    assert centre.status == "optimal"
    assert centre.objective == pytest.approx(wanted["pcenter"][0], rel=1e-9)
