"""Optima that others have proved, reached and proved."""

import json

import numpy as np
import pandas as pd
import pytest

from planner.siting.backup import backup_cover
from planner.siting.covering import maximal_cover, set_cover
from planner.siting.instance import Instance, Pairs
from planner.siting.limits import Limits

SET_COVERS = ["scp41", "scp42", "scp43", "scp44", "scp45"]
LARGER_SET_COVERS = ["scpa1", "scpa2"]


@pytest.fixture
def known(shared):
    return json.loads(shared("siting", "known_answers.json").read_text(encoding="utf-8"))


def proved(found, objective):
    assert found.status == "optimal"
    assert found.objective == objective
    assert found.bound == objective
    assert found.gap == 0


def set_cover_instance(path):
    """Rows and columns, the columns' costs, and a row's number of columns and which."""
    numbers = iter(map(int, path.read_text(encoding="utf-8").split()))
    rows, columns = next(numbers), next(numbers)
    cost = [next(numbers) for _ in range(columns)]
    row, site = [], []
    for at in range(rows):
        for _ in range(next(numbers)):
            row.append(at)
            site.append(next(numbers) - 1)
    pairs = Pairs.of(row, site, np.zeros(len(row)), demands=rows, number_of_sites=columns)
    return Instance.of(pairs, cost=cost)


@pytest.mark.parametrize("name", SET_COVERS + LARGER_SET_COVERS)
def test_set_covers_of_the_library(name, shared, known):
    instance = set_cover_instance(shared("siting", "setcover", f"{name}.txt"))
    proved(set_cover(instance, Limits(), cheapest=True), known["set_cover"][name])


@pytest.mark.parametrize("name", ["SJC324", "SJC402"])
def test_maximal_covers_of_sao_jose_dos_campos(name, shared, known):
    table = np.loadtxt(shared("siting", "sjc", f"{name}.txt"), skiprows=1, usecols=(0, 1, 2))
    place = table[:, :2]
    distance = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    near = Pairs.from_dense(distance).within(800)
    instance = Instance.of(near, people=table[:, 2])
    for number, people in known["mclp_radius_800"][name].items():
        proved(maximal_cover(instance, Limits(number=int(number))), people)


@pytest.fixture
def san_francisco(shared):
    folder = shared("siting", "sf")
    table = pd.read_csv(
        folder / "SF_network_distance_candidateStore_16_censusTract_205_new.csv",
        dtype={"DestinationName": str},
    )
    matrix = table.pivot_table(index="DestinationName", columns="name", values="distance")
    people = table.groupby("DestinationName")["demand"].first()
    return Pairs.from_dense(matrix.to_numpy()), people.loc[matrix.index].to_numpy(dtype=float)


@pytest.mark.parametrize("number", ["2", "3", "4", "5", "6"])
def test_maximal_covers_of_san_francisco(number, san_francisco, known):
    pairs, people = san_francisco
    instance = Instance.of(pairs.within(5000), people=people)
    objective = known["san_francisco"][number]["mclp5000"][0]
    proved(maximal_cover(instance, Limits(number=int(number))), objective)


@pytest.mark.parametrize("radius", [5000, 6000, 8000, 10000])
def test_set_covers_with_backup_of_san_francisco(radius, san_francisco, known):
    pairs, _ = san_francisco
    wanted = known["san_francisco"][f"lscp_{radius}"]
    # The known figures count tracts, and none of them is out of reach.
    instance = Instance.of(pairs.within(radius))
    assert (instance.pairs.counts > 0).all()
    proved(set_cover(instance, Limits()), wanted["n"])
    found = backup_cover(instance, Limits())
    proved(found.fewest, wanted["n"])
    proved(found.backup, wanted["lscpb_backup_clients"])
