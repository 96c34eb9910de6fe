import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers import City
from layers.errors import InputError, UnknownNameError
from planner import Network, Standard, coverage, load_services
from planner.coverage import _spread
from tests import oracle

SUMS = ["people", "served", "gap", "unplaced", "facilities"]


def results(city, **options):
    return {key: coverage(city, key, **options) for key in load_services()}


def test_distances_and_rates_are_the_oracles(tiny_city):
    for result in results(tiny_city).values():
        where = result.network.locate(tiny_city.population)
        expected = oracle.distances(
            result.network, result.reach.origins, where, unit=result.standard.unit
        )
        np.testing.assert_allclose(result.demand["distance"], expected, rtol=0, atol=1e-9)
        people = tiny_city.population[result.standard.group]
        served = people[expected <= result.standard.cutoff].sum()
        assert result.total()["served"] == served
        assert result.total()["people"] == people.sum()
        if people.sum():
            assert result.total()["rate"] == served / people.sum()


def test_facilities_are_told_by_their_ids(tiny_city):
    result = coverage(tiny_city, "mother_baby_room")
    assert set(result.demand["facility"].dropna()) == {"M1", "M2"}
    for label, row in result.demand.iterrows():
        if row["facility"] is None:
            continue
        own = tiny_city.facilities[tiny_city.facilities["id"] == row["facility"]]
        home = tiny_city.population.geometry.loc[[label]]
        assert result.network.reach(own).at(home).iloc[0] == pytest.approx(row["distance"])


@pytest.mark.parametrize("level", ["city", "district", "township"])
def test_units_add_up_exactly(tiny_city, level):
    for result in results(tiny_city).values():
        units, total = result.by(level), result.total()
        for column in SUMS:
            assert units[column].sum() == total[column]
        assert (units["people"] == units["served"] + units["gap"]).all()


def test_odd_parts_of_people_add_up_exactly_too(tiny_city):
    shares = np.random.default_rng(7).uniform(0, 100, len(tiny_city.population))
    people = tiny_city.population.assign(residents=shares, women=shares * math.pi / 7)
    city = replace(tiny_city, population=people)
    for group in ("residents", "women"):
        result = coverage(city, "fitness_circle")
        for column in SUMS[:-1]:
            sums = {level: result.by(level, group)[column].sum() for level in result.levels}
            assert set(sums.values()) == {result.total(group)[column]}
        assert result.total(group)["people"] == pytest.approx(people[group].sum(), abs=1e-4)


def test_what_lies_in_no_unit_is_told(tiny_city):
    # Without its townships in the north the city has people in no township.
    units = tiny_city.units[~tiny_city.units["code"].isin(["330191002", "330192002"])]
    result = coverage(replace(tiny_city, units=units), "mother_baby_room")
    last = result.by("township").iloc[-1]
    assert last["code"] == ""
    assert last["people"] > 0
    assert result.by("township")["people"].sum() == result.total()["people"]
    assert result.outside == 0
    # Without the west altogether its people belong to no unit of the city.
    east = tiny_city.units["code"].str.startswith("330192")
    result = coverage(replace(tiny_city, units=tiny_city.units[east]), "mother_baby_room")
    everyone = tiny_city.population["women_15_49"].sum()
    assert result.outside > 0
    assert result.total()["people"] + result.outside == everyone
    for level in result.levels:
        assert result.by(level)["people"].sum() == result.total()["people"]


def test_a_city_without_a_unit_of_its_own_has_its_figures(tiny_city):
    parts = tiny_city.units[tiny_city.units["level"] != "city"].assign(parent=None)
    result = coverage(replace(tiny_city, units=parts), "menopause_clinic")
    whole = coverage(tiny_city, "menopause_clinic")
    assert result.by("city").drop(columns="code").equals(whole.by("city").drop(columns="code"))
    assert result.total()["quota"] == 50


def test_people_too_far_from_any_street_are_counted(tiny_city):
    result = coverage(tiny_city, "mother_baby_room")
    lost = result.demand["reason"].notna()
    assert lost.any()
    assert result.unplaced["points"].sum() == lost.sum()
    people = tiny_city.population.loc[lost, "women_15_49"].sum()
    assert result.unplaced["people"].sum() == result.total()["unplaced"] == people
    assert not result.demand.loc[lost, "served"].any()
    assert set(result.demand.index[lost]) <= set(result.gap().index) | set(
        tiny_city.population.index[tiny_city.population["women_15_49"] == 0]
    )


def test_gap_is_the_rest(tiny_city):
    for result in results(tiny_city).values():
        gap = result.gap()
        assert gap["people"].sum() == result.total()["gap"]
        assert (gap["people"] > 0).all()
        assert not result.demand.loc[gap.index, "served"].any()
        assert gap.crs == tiny_city.population.crs


def test_years_open_and_close(tiny_city):
    def ids(year):
        return set(coverage(tiny_city, "home_care_centre", year=year).facilities["id"])

    assert ids(2014) == set()
    assert ids(2015) == {"H1"}
    assert ids(2021) == {"H1"}
    assert ids(2022) == set()
    assert ids(2023) == ids(2025) == {"H2"}
    assert ids(None) == {"H2"}


def test_quota_of_the_year(tiny_city):
    def quota(service, level, year):
        table = coverage(tiny_city, service, year=year).by(level)
        return table[["quota", "missing"]].to_numpy().tolist()

    assert quota("menopause_clinic", "district", 2021) == [[1, 1], [1, 0]]
    assert quota("menopause_clinic", "district", 2022) == [[1, 1], [1, 0]]
    assert quota("menopause_clinic", "district", 2023) == [[3, 3], [3, 2]]
    assert quota("menopause_clinic", "city", 2025) == [[50, 49]]
    assert quota("menopause_clinic", "city", 2024) == [[pd.NA, pd.NA]]
    assert coverage(tiny_city, "menopause_clinic").total()["missing"] == 49
    assert coverage(tiny_city, "home_care_centre").by("township")["missing"].sum() == 3


def test_distance_statistics_are_weighted_by_people(tiny_city):
    result = coverage(tiny_city, "menopause_clinic")
    people = tiny_city.population["women_45_59"].to_numpy()
    near = result.demand["served"].to_numpy()
    # A plain list with each person's own distance.
    each = np.sort(np.repeat(result.demand["distance"][near], people[near]))
    total = result.total()
    assert total["mean"] == pytest.approx(each.mean())
    assert total["median"] == each[math.ceil(len(each) * 0.5) - 1]
    assert total["p90"] == each[math.ceil(len(each) * 0.9) - 1]


@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 5)), min_size=1, max_size=12),
)
@settings(max_examples=100, deadline=None)
def test_percentiles_are_those_of_a_plain_list(rows):
    distance = np.array([float(row[0]) for row in rows])
    people = np.array([float(row[1]) for row in rows])
    seen = people > 0
    home = np.zeros(int(seen.sum()), dtype=np.int64)
    spread = _spread(distance[seen], people[seen], home, 1)
    each = np.sort(np.repeat(distance, people.astype(int)))
    if not len(each):
        assert spread.isna().all(axis=None)
        return
    assert spread.loc[0, "median"] == each[math.ceil(len(each) * 0.5) - 1]
    assert spread.loc[0, "p90"] == each[math.ceil(len(each) * 0.9) - 1]
    assert spread.loc[0, "mean"] == pytest.approx(each.mean())


def test_nobody_and_nothing(tiny_city):
    empty = tiny_city.population.assign(
        **dict.fromkeys(tiny_city.population.columns.drop("geometry"), 0)
    )
    result = coverage(replace(tiny_city, population=empty), "fitness_circle")
    assert result.total()["people"] == 0
    assert math.isnan(result.total()["rate"])
    assert json.loads(json.dumps(result.as_dict(), allow_nan=False))["city"]["rate"] is None
    assert len(result.facilities) == 0


def test_another_standard(tiny_city):
    near = Standard(mode="walk", group="women", cutoff_m=200, source="made up")
    far = replace(near, cutoff_m=1200)
    few, many = (coverage(tiny_city, "mother_baby_room", standard=s) for s in (near, far))
    assert few.total()["served"] < many.total()["served"]
    assert few.standard.group == "women"


def test_one_way_streets_count_towards_the_facility(tiny_city):
    there = coverage(tiny_city, "menopause_clinic")
    back = coverage(tiny_city, "menopause_clinic", towards="from")
    assert not np.allclose(there.demand["distance"], back.demand["distance"], equal_nan=True)


def test_json_carries_what_a_reader_needs(tiny_city):
    told = json.loads(json.dumps(coverage(tiny_city, "fitness_circle").as_dict(), allow_nan=False))
    assert told["standard"]["cutoff_min"] == 10
    assert {"code", "name", "level", "people", "served", "rate", "facilities"} <= set(
        told["units"][0]
    )
    assert told["units"][0]["groups"]["women"]["people"] > 0
    assert told["city"]["people"] == sum(unit["people"] for unit in told["units"])


def test_wrong_use_is_refused(tiny_city):
    with pytest.raises(UnknownNameError, match="menopause_clinic"):
        coverage(tiny_city, "no_such_service")
    result = coverage(tiny_city, "fitness_circle")
    with pytest.raises(UnknownNameError, match="township"):
        result.by("community")
    with pytest.raises(UnknownNameError, match="women_15_49"):
        result.by("district", "men")
    with pytest.raises(InputError):
        coverage(tiny_city, "fitness_circle", network=Network.build(tiny_city.streets, "drive"))


def test_inputs_are_not_changed(tiny_city):
    before = {key: layer.copy(deep=True) for key, layer in tiny_city.layers().items()}
    for result in results(tiny_city, year=2023).values():
        result.by("township")
        result.stretches()
    for key, layer in tiny_city.layers().items():
        pd.testing.assert_frame_equal(layer, before[key])


def test_repr_tells(tiny_city):
    assert "fitness_circle of 小城 in 2023" in repr(
        coverage(tiny_city, "fitness_circle", year=2023)
    )


@pytest.fixture(scope="session")
def core(tmp_path_factory, hangzhou_core) -> City:
    """Hangzhou core, saved and opened again."""
    hangzhou_core.save(folder := tmp_path_factory.mktemp("core") / "city")
    return City.open(folder)


@pytest.mark.parametrize("mode", ["walk", "cycle", "drive"])
def test_hangzhou_core_is_the_oracles(core, mode):
    for service in load_services().values():
        own = replace(service.standard, mode=mode, speed_kmh=None)
        result = coverage(core, service, standard=own)
        where = result.network.locate(core.population)
        expected = oracle.distances(result.network, result.reach.origins, where, unit=own.unit)
        # A centimetre, and as many minutes as walking it takes.
        close = 0.01 if own.unit == "m" else 0.01 / 80
        np.testing.assert_allclose(result.demand["distance"], expected, rtol=0, atol=close)
        assert len(result.facilities) > 0
        people = core.population[own.group]
        assert result.total()["served"] == people[expected <= own.cutoff].sum()
        for level in result.levels:
            for column in SUMS:
                assert result.by(level)[column].sum() == result.total()[column]


def test_figures_carry_where_their_layers_come_from(tiny_city):
    told = coverage(tiny_city, "mother_baby_room").as_dict()["layers"]
    assert told == tiny_city.origins()
    assert told["population"]["source"] == "made by hand"
    json.dumps(told)
