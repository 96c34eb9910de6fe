from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers import embedded
from layers.errors import InputError
from planner import coverage
from planner.access import ACCESS_COLUMNS, access, quantile, two_step
from planner.siting.decay import Decay
from tests import oracle

FIVE = ["89a88cdb57bffff", "89a88cdb597ffff", "89a88cdb5b3ffff", "89a88cdb5cfffff"]
FIVE += ["89a88cd909bffff"]


def plainly(minutes, cutoff, supply, people, share=lambda _: 1.0):
    """Both steps as the papers write them, one pair after the other."""
    sites, homes = range(len(supply)), range(len(people))
    near = {(j, i) for (j, i), t in minutes.items() if t <= cutoff}
    ratio = {}
    for j in sites:
        load = sum(people[i] * share(minutes[j, i]) for i in homes if (j, i) in near)
        ratio[j] = supply[j] / load if load > 0 else 0.0
    return [sum(ratio[j] * share(minutes[j, i]) for j in sites if (j, i) in near) for i in homes]


def sparse(minutes, cutoff, share=lambda _: 1.0):
    kept = [(j, i, share(t)) for (j, i), t in minutes.items() if t <= cutoff]
    site, home, weight = (
        (np.array(part) for part in zip(*kept, strict=True))
        if kept
        else (
            np.empty(0, int),
            np.empty(0, int),
            np.empty(0),
        )
    )
    return site, home, weight.astype(float)


def test_the_five_hexagons_of_the_published_example(shared):
    travel = pd.read_parquet(shared("access", "travel_matrix.parquet"))
    land = pd.read_csv(shared("access", "land_use.csv")).set_index("id")
    travel = travel[travel["from_id"].isin(FIVE) & travel["to_id"].isin(FIVE)]
    near = travel[travel["travel_time"] <= 45]
    number = {name: row for row, name in enumerate(FIVE)}
    _, _, reached = two_step(
        near["to_id"].map(number).to_numpy(),
        near["from_id"].map(number).to_numpy(),
        np.ones(len(near)),
        land.loc[FIVE, "jobs"].to_numpy(float),
        land.loc[FIVE, "population"].to_numpy(float),
    )
    assert reached.round(4).tolist() == [0.0152, 0.1491, 0.1491, 0.1068, 0.0]


def test_the_whole_published_matrix_agrees_with_pysal(shared):
    fca = pytest.importorskip("access.fca")
    travel = pd.read_parquet(shared("access", "travel_matrix.parquet"))
    land = pd.read_csv(shared("access", "land_use.csv"))
    near = travel[travel["travel_time"] <= 30].reset_index(drop=True)
    ids = pd.Index(land["id"])

    def stepped(minutes):
        return 1.0 if minutes <= 10 else 0.42 if minutes <= 20 else 0.09

    for share in (lambda _: 1.0, stepped):
        _, _, own = two_step(
            ids.get_indexer(near["to_id"]),
            ids.get_indexer(near["from_id"]),
            np.array([share(minutes) for minutes in near["travel_time"]]),
            land["jobs"].to_numpy(float),
            land["population"].to_numpy(float),
        )
        theirs = fca.two_stage_fca(
            land.set_index("id"),
            land.set_index("id"),
            near,
            30,
            demand_index="id",
            demand_name="population",
            supply_index="id",
            supply_name="jobs",
            cost_origin="from_id",
            cost_dest="to_id",
            cost_name="travel_time",
            weight_fn=share,
        )
        # Where a site has no load, PySAL divides by nought.
        theirs = theirs.replace([np.inf], np.nan).reindex(ids).fillna(0.0).to_numpy()
        finite = own[np.isfinite(theirs)]
        np.testing.assert_allclose(theirs[np.isfinite(theirs)], finite, rtol=1e-9, atol=1e-12)
        assert (own > 0).sum() > 100


@given(st.data())
def test_sparse_pairs_agree_with_the_papers_loops(data):
    count = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))
    some = st.floats(0, 20, allow_subnormal=False).map(lambda x: round(x, 3))
    minutes = {(j, i): data.draw(some) for j in range(count[0]) for i in range(count[1])}
    supply = data.draw(st.lists(some, min_size=count[0], max_size=count[0]))
    people = data.draw(st.lists(some, min_size=count[1], max_size=count[1]))
    cutoff = data.draw(st.sampled_from([5.0, 10.0, 20.0]))
    decay = Decay.of_bands([(cutoff / 3, 1.0), (cutoff * 2 / 3, 0.42), (cutoff, 0.09)])

    def falling(t):
        return float(decay.share(np.array([t]))[0])

    for share in (lambda _: 1.0, falling):
        _, _, reached = two_step(
            *sparse(minutes, cutoff, share), np.array(supply), np.array(people)
        )
        wanted = plainly(minutes, cutoff, supply, people, share)
        np.testing.assert_allclose(reached, wanted, rtol=1e-9, atol=1e-9)


def test_access_on_streets_agrees_with_networkx(tiny_city):
    result = coverage(tiny_city, "mother_baby_room", year=2023)
    told = access(result)
    assert told.supply == "capacity"
    assert told.sites["supply"].tolist() == [40, 40]
    homes = tiny_city.population
    network = result.network
    minutes = {}
    for j in range(2):
        door = network.locate(result.facilities.iloc[[j]])
        found = oracle.distances(network, door, network.locate(homes))
        for i, distance in enumerate(np.asarray(found, dtype=float)):
            if np.isfinite(distance):
                minutes[j, i] = distance
    people = homes["women_15_49"].tolist()
    wanted = plainly(minutes, 800 + 1e-6, [40.0, 40.0], people)
    np.testing.assert_allclose(told.homes, wanted, rtol=1e-9)
    assert any(wanted)
    assert not all(wanted)


def test_supply_is_handed_out_to_the_last_place():
    result = coverage(embedded("small"), "menopause_clinic", year=2023)
    for told in (access(result), access(result, enhanced=True)):
        reached = told.sites["load"] > 0
        people = result.city.population["women_45_59"]
        total = told.sites.loc[reached, "supply"].sum()
        assert (told.homes * people).sum() == pytest.approx(total, rel=1e-9)
        table = told.by("district")
        assert list(table) == list(ACCESS_COLUMNS)
        assert table["supply"].sum() == pytest.approx(told.sites["supply"].sum())
        assert (table["access"] * table["people"]).sum() == pytest.approx(total, rel=1e-9)
        assert (table["access_p10"] <= table["access_p90"]).all()
        city = told.by("city").iloc[0]
        assert city["people"] == pytest.approx(table["people"].sum())
        assert city["without"] == pytest.approx(table["without"].sum())
        assert city["people_per_supply"] == pytest.approx(city["people"] / city["supply"])


def test_without_capacities_each_facility_counts_one(tiny_city):
    bare = tiny_city.facilities.assign(capacity=np.nan)
    told = access(coverage(replace(tiny_city, facilities=bare), "mother_baby_room"))
    assert (told.supply, told.unknown, told.sites["supply"].tolist()) == ("facilities", 0, [1, 1])
    some = tiny_city.facilities["capacity"].where(tiny_city.facilities["id"] != "M1")
    mixed = replace(tiny_city, facilities=tiny_city.facilities.assign(capacity=some))
    told = access(coverage(mixed, "mother_baby_room"))
    assert (told.supply, told.unknown, list(told.sites.index)) == ("capacity", 1, ["M2"])


def test_nothing_open_gives_nothing(tiny_city):
    told = access(coverage(tiny_city, "fitness_circle"))
    assert not told.homes.any()
    assert told.as_dict()["city"]["access"] == 0


def test_decays_that_make_no_sense(tiny_city):
    result = coverage(tiny_city, "mother_baby_room")
    with pytest.raises(InputError, match="enhanced"):
        access(result, enhanced=True, decay=Decay.linear(100, 800))
    with pytest.raises(InputError, match="900"):
        access(result, decay=Decay.linear(100, 900))


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), min_size=1, max_size=12),
    st.sampled_from([0.1, 0.25, 0.5, 0.9]),
)
def test_quantiles_are_those_of_people_laid_out_in_a_row(pairs, part):
    values, weights = (np.array(each, dtype=float) for each in zip(*pairs, strict=True))
    row = np.sort(np.repeat(values, weights.astype(int)))
    at = int(np.ceil(part * len(row) - 1e-9)) - 1
    assert quantile(values, weights, part) == row[max(at, 0)]
