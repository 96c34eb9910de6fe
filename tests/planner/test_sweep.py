import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers import embedded
from layers.errors import UnknownNameError
from planner import coverage, load_services
from planner.certainty import Doubt
from planner.standards import Standard
from planner.sweep import Sweep


@pytest.fixture(scope="module")
def small():
    return embedded("small")


@pytest.fixture(scope="module")
def clinics(small):
    return coverage(small, "menopause_clinic", year=2023)


def standard_of(service, cutoff, **more):
    own = load_services()[service].standard
    fields = {name: getattr(own, name) for name in ("mode", "group", "source", "quotas")}
    unit = "cutoff_m" if own.unit == "m" else "cutoff_min"
    return Standard(**{**fields, "speed_kmh": own.speed_kmh, unit: cutoff, **more})


def same(table, other):
    exact = ["code", "people", "served", "gap", "unplaced", "facilities", "quota", "missing"]
    pd.testing.assert_frame_equal(table[exact], other[exact], check_dtype=False)
    rest = ["rate", "rate_low", "rate_high", "mean", "median", "p90"]
    pd.testing.assert_frame_equal(table[rest], other[rest], rtol=1e-7, atol=1e-9)
    assert list(table.columns) == list(other.columns)


@settings(max_examples=12)
@given(
    cutoff=st.one_of(st.floats(0.01, 120), st.sampled_from([30.0, 1e-9, 1e6])),
    level=st.sampled_from(["district", "township", "city"]),
    group=st.sampled_from([None, "residents", "women_60_plus"]),
)
def test_figures_under_any_cutoff_are_those_of_a_coverage_anew(
    small, clinics, cutoff, level, group
):
    anew = coverage(
        small,
        "menopause_clinic",
        standard=standard_of("menopause_clinic", cutoff),
        year=2023,
        network=clinics.network,
    )
    sweep = Sweep(clinics)
    same(sweep.by(cutoff, level, group), anew.by(level, group))
    same(sweep.total(cutoff, group).to_frame().T, anew.total(group).to_frame().T)


@pytest.mark.parametrize("service", ["mother_baby_room", "fitness_circle", "home_care_centre"])
def test_metres_and_minutes_alike(small, service):
    result = coverage(small, service)
    sweep = Sweep(result)
    for cutoff in (result.standard.cutoff, result.standard.cutoff * 0.37):
        anew = coverage(small, service, standard=standard_of(service, cutoff))
        same(sweep.by(cutoff), anew.by())


def test_a_cutoff_that_someone_lives_at_serves_them(tiny_city):
    result = coverage(tiny_city, "mother_baby_room")
    sweep = Sweep(result)
    for distance in result.demand["distance"].dropna():
        if np.isfinite(distance):
            anew = coverage(
                tiny_city, "mother_baby_room", standard=standard_of("mother_baby_room", distance)
            )
            same(sweep.by(float(distance)), anew.by())


@pytest.mark.parametrize(
    "doubt",
    [
        Doubt(position_m=0.0),
        Doubt(people=0.0, speed=0.0),
        Doubt(people=0.0, speed=0.0, position_m=0.0),
        Doubt(level=0.5, speed=0.4, position_m=900.0),
    ],
)
def test_bands_follow_the_doubt(small, doubt):
    result = coverage(small, "menopause_clinic", doubt=doubt)
    same(Sweep(result).by(30.0), result.by())


def test_the_curve_counts_the_same_people(clinics):
    sweep = Sweep(clinics)
    cutoffs = np.array([0.0, 5.0, 30.0, 1e9])
    people = sweep.curve(cutoffs)
    assert people.tolist() == [sweep.total(cutoff)["served"] for cutoff in cutoffs]
    table = sweep.by(30.0)
    for row in range(len(table)):
        assert sweep.curve(np.array([30.0]), row)[0] == table["served"].iloc[row]


def test_a_level_that_is_not_there_is_refused(tiny_city):
    with pytest.raises(UnknownNameError):
        Sweep(coverage(tiny_city, "mother_baby_room")).by(800.0, "community")
