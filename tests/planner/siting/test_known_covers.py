"""Optima of covering that others have proved, reached and proved."""

import pytest

from planner.siting.backup import backup_cover
from planner.siting.covering import maximal_cover, set_cover
from planner.siting.instance import Instance
from planner.siting.limits import Limits
from tests.planner.siting import known

SET_COVERS = ["scp41", "scp42", "scp43", "scp44", "scp45", "scpa1", "scpa2"]


@pytest.mark.parametrize("name", SET_COVERS)
def test_set_covers_of_the_library(name, shared):
    objective = known.answers(shared)["set_cover"][name]
    known.proved(set_cover(known.set_cover(shared, name), Limits(), cheapest=True), objective)


@pytest.mark.parametrize("name", ["SJC324", "SJC402"])
def test_maximal_covers_of_sao_jose_dos_campos(name, shared):
    pairs, people = known.sao_jose(shared, name)
    instance = Instance.of(pairs.within(800), people=people)
    for number, most in known.answers(shared)["mclp_radius_800"][name].items():
        known.proved(maximal_cover(instance, Limits(number=int(number))), most)


@pytest.mark.parametrize("number", ["2", "3", "4", "5", "6"])
def test_maximal_covers_of_san_francisco(number, shared):
    pairs, people = known.san_francisco(shared)
    instance = Instance.of(pairs.within(5000), people=people)
    objective = known.answers(shared)["san_francisco"][number]["mclp5000"][0]
    known.proved(maximal_cover(instance, Limits(number=int(number))), objective)


@pytest.mark.parametrize("radius", [5000, 6000, 8000, 10000])
def test_set_covers_with_backup_of_san_francisco(radius, shared):
    pairs, _ = known.san_francisco(shared)
    wanted = known.answers(shared)["san_francisco"][f"lscp_{radius}"]
    # The known figures count tracts, and none of them is out of reach.
    instance = Instance.of(pairs.within(radius))
    assert (instance.pairs.counts > 0).all()
    known.proved(set_cover(instance, Limits()), wanted["n"])
    found = backup_cover(instance, Limits())
    known.proved(found.fewest, wanted["n"])
    known.proved(found.backup, wanted["lscpb_backup_clients"])
