from dataclasses import replace

import pandas as pd
import pytest

from layers.messages import text
from planner import coverage
from planner.desk import figures, table
from planner.desk.study import Choice, Study


@pytest.fixture(scope="module")
def study(city):
    return Study(city)


@pytest.fixture
def choice():
    return Choice(
        service="mother_baby_room", level="district", year=None, show="streets", lang="en"
    )


def test_what_is_computed_once_is_not_computed_again(city, choice):
    study = Study(city)
    first = study.answer(choice)
    other = study.answer(replace(choice, show="gap", level="city"))
    assert other.result is first.result
    clinic = study.answer(replace(choice, service="menopause_clinic"))
    assert clinic.result.network is not first.result.network


def test_only_levels_that_the_city_has_are_offered(study):
    assert study.levels == ["district", "city"]


def test_figures_are_those_of_coverage(city, study, choice):
    answer = study.answer(choice)
    pd.testing.assert_frame_equal(answer.units, coverage(city, "mother_baby_room").by("district"))
    html = figures.key_figures(answer)
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


def test_a_missed_quota_carries_a_sign_and_a_word(study, choice):
    html = figures.key_figures(study.answer(replace(choice, service="menopause_clinic")))
    assert "⚠ missed: city quota 50, 49 short" in html


def test_the_table_has_a_quota_only_where_there_is_one(study, choice):
    without = table.rows(study.answer(choice).units, "en")
    assert list(without.columns) == ["name", "people", "served", "rate", "facilities"]
    assert list(without["name"]) == ["West\n3301", "East\n3302"]
    units = study.answer(replace(choice, service="menopause_clinic")).units
    assert list(table.rows(units, "zh").columns)[-1] == "missing"
    assert table.quota(units) == 3
