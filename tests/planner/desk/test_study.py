import threading
from dataclasses import replace

import pandas as pd
import pytest

from layers.messages import text
from planner import Scenario, coverage
from planner.changes import Close
from planner.desk import chart, figures, place, table
from planner.desk.study import Choice, Study
from planner.desk.trial import Trial


@pytest.fixture(scope="module")
def study(city):
    return Study(city)


@pytest.fixture
def choice():
    return Choice(service="mother_baby_room", level="district")


def test_what_is_measured_once_is_not_measured_again(city, choice):
    study = Study(city)
    first = study.answer(choice)
    assert study.answer(replace(choice, level="city")).measured is first.measured
    assert study.answer(replace(choice, cutoff=300.0)).measured is first.measured
    assert study.answer(replace(choice, group="residents")).measured is first.measured
    assert study.answer(replace(choice, year=2021)).measured is not first.measured
    assert study.answer(replace(choice, mode="cycle")).measured is not first.measured
    assert study.has(choice)
    assert not study.has(replace(choice, unit="min"))


def test_only_levels_that_the_city_has_are_offered(study):
    assert study.levels == ["district", "city"]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"cutoff": 450.0},
        {"group": "age_60_plus"},
        {"unit": "min", "cutoff": 7.5},
        {"mode": "cycle", "unit": "min", "cutoff": 3.0},
        {"service": "menopause_clinic", "mode": "walk", "year": 2023},
    ],
)
def test_figures_are_those_of_coverage_under_the_same_standard(city, study, choice, changed):
    asked = replace(choice, **changed)
    answer = study.answer(asked)
    anew = coverage(city, asked.service, standard=study.standard(asked), year=asked.year)
    pd.testing.assert_frame_equal(
        answer.units, anew.by("district"), check_dtype=False, rtol=1e-7, atol=1e-9
    )
    assert answer.total["served"] == anew.total()["served"]
    lost, outside = answer.measured.lost(answer.standard.group)
    pd.testing.assert_frame_equal(lost, anew.unplaced)
    assert outside == anew.outside
    assert answer.usual == (not changed or set(changed) <= {"service", "year"})


def test_a_standard_of_the_readers_own_says_so(study, choice):
    asked = replace(choice, cutoff=450.0)
    assert "set at the desk" in figures.key_figures(study.answer(asked), "en")
    assert "set at the desk" not in figures.key_figures(study.answer(choice), "en")


def test_key_figures_carry_figures_and_standard(study, choice):
    answer = study.answer(choice)
    html = figures.key_figures(answer, "en")
    total = answer.total
    for words in (
        f"{total['rate']:.1%}",
        f"{total['served']:,.0f} of {total['people']:,.0f} people served",
        f"{total['gap']:,.0f} people",
        "walk 800 m",
        "women 15–49",
        text("map.reason.too_far", "en"),
    ):
        assert words in html


def test_what_is_compared_is_a_difference_with_a_sign(study, choice):
    now, before = study.answer(choice), study.answer(replace(choice, year=2021))
    html = figures.key_figures(now, "en", versus=before, name="2021")
    change = (now.total["rate"] - before.total["rate"]) * 100
    assert change > 0
    assert f"▲ {change:+.1f} points" in html
    assert f"against 2021 ({before.total['rate']:.1%})" in html
    made = table.rows(now.units, "en", other=before.units)
    expected = (now.units["rate"] - before.units["rate"]) * 100
    assert made["change"].to_numpy() == pytest.approx(expected.to_numpy(), nan_ok=True)


def test_a_missed_quota_carries_a_sign_and_a_word(study, choice):
    html = figures.key_figures(study.answer(replace(choice, service="menopause_clinic")), "en")
    assert "⚠ missed: city quota 50, 49 short" in html


def test_the_table_has_a_quota_only_where_there_is_one(study, choice):
    without = table.rows(study.answer(choice).units, "en")
    assert list(without.columns) == ["name", "people", "served", "rate", "facilities"]
    assert list(without["name"]) == ["West\n3301", "East\n3302"]
    units = study.answer(replace(choice, service="menopause_clinic")).units
    assert list(table.rows(units, "zh").columns)[-1] == "missing"
    assert table.quota(units) == 3


def test_a_place_knows_its_nearest_facility_and_the_way(city, study, choice):
    answer = study.answer(choice)
    home = city.population.geometry.iloc[4]
    found = place.look(answer, home.x, home.y)
    assert found.served == bool(answer.measured.result.demand["served"].iloc[4])
    distance = answer.measured.result.demand["distance"].iloc[4]
    assert found.near[0].way.distance == pytest.approx(distance, abs=1e-6)
    assert found.near[0].id == answer.measured.result.demand["facility"].iloc[4]
    assert found.near[0].way.distance <= found.near[1].way.distance
    html = place.told(answer, found, "en")
    assert "West" in html
    assert "nearest facilities" in html
    nowhere = place.look(answer, home.x, home.y + 0.5)
    assert nowhere.near == ()
    assert "too far from every street" in place.told(answer, nowhere, "en")


def test_a_facility_tells_whom_it_is_nearest_to(study, choice):
    answer = study.answer(choice)
    demand, people = answer.measured.result.demand, study.city.population["women_15_49"]
    mine = (demand["facility"] == "m1") & demand["district"].notna()
    html = place.facility_told(answer, place.ask_facility(answer, "m1"), "en")
    assert f'facility-nearest">{people[mine & demand["served"]].sum():,.0f}<' in html
    assert f'facility-beyond">{people[mine & ~demand["served"]].sum():,.0f}<' in html
    assert place.ask_facility(answer, "nobody") is None


def test_the_curve_ends_where_the_rate_stands(study, choice):
    answer = study.answer(choice)
    cutoffs, people = study.curve(answer, most=1600.0)
    at = people[cutoffs.searchsorted(answer.standard.cutoff, side="right") - 1]
    assert at <= answer.total["served"]
    drawn = chart.curve(
        cutoffs, people, total=answer.total["people"], cutoff=800.0, unit="m", lang="en"
    )
    assert "within 800 m" in drawn
    assert chart.curve(cutoffs, people, total=0.0, cutoff=800.0, unit="m", lang="en") == ""


def test_nobody_waits_for_what_another_has_computed(city, monkeypatch):
    study = Study(city)
    quick = Choice(service="mother_baby_room", level="district")
    slow = Choice(service="menopause_clinic", level="district")
    before = study.answer(quick).total["rate"]
    begun, go = threading.Event(), threading.Event()
    measure = Study._measure

    def waiting(self, choice, standard):
        if choice.service == slow.service:
            begun.set()
            assert go.wait(30)
        return measure(self, choice, standard)

    monkeypatch.setattr(Study, "_measure", waiting)
    found = []
    thread = threading.Thread(target=lambda: found.append(study.answer(slow)))
    thread.start()
    assert begun.wait(30)
    # Neither what is at hand, nor what is new, nor a scenario waits for it.
    assert study.answer(quick).total["rate"] == before
    assert study.answer(replace(quick, year=2021)).total["facilities"] == 1
    trial = Trial.begin(study, "mother_baby_room", None)
    assert trial.compare(Scenario((Close(id="m1"),)), "district").after["facilities"] == 1
    assert not found
    go.set()
    thread.join(30)
    assert found[0].total["facilities"] == 1


def test_plan_and_coverage_share_their_networks(city):
    study = Study(city)
    standard = study.services["menopause_clinic"].standard
    assert study._following.network(standard) is study.bench.network(standard)
    assert study._following.homes(standard).edge is study.bench.homes(standard).edge
