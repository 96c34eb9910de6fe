import asyncio
from dataclasses import replace

import pandas as pd
import pytest

from layers.messages import text
from planner import coverage
from planner.desk import Desk, figures, table
from planner.desk.study import Choice, Study

# Panel's own table calls pandas in a way that pandas is about to give up.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


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
    assert other.page != first.page
    assert study.answer(choice).page is first.page
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


def ask(desk, **changed):
    async def run():
        desk.param.update(**changed)
        await desk._ask()
        # The change itself asks too, and whoever asks last answers.
        while desk._frame.busy:  # noqa: ASYNC110 - the desk tells when it is done
            await asyncio.sleep(0.01)

    asyncio.run(run())


def test_two_sessions_share_nothing_that_either_chose(study):
    one, two = Desk(study), Desk(study)
    ask(one, service="mother_baby_room", lang="en", year=2023)
    ask(two, service="menopause_clinic", lang="zh")
    assert one.choice.service == "mother_baby_room"
    assert one.choice.year == 2023
    assert "walk 800 m" in one._figures.object
    assert "驾车 30 分钟" in two._figures.object
    assert two.choice.year is None


def test_an_empty_service_says_what_to_do(study):
    desk = Desk(study)
    ask(desk, service="fitness_circle", lang="en")
    assert desk._notice.visible
    assert "nobody is served" in desk._notice.object
    assert desk._frame.busy == ""
    ask(desk, service="mother_baby_room")
    assert not desk._notice.visible


def test_what_fails_is_said_in_words_and_the_figures_stay(study, monkeypatch):
    desk = Desk(study)
    ask(desk, service="mother_baby_room", lang="en")
    before = desk._figures.object

    def broken(_choice):
        raise ZeroDivisionError("<b>by nought</b>")

    monkeypatch.setattr(study, "answer", broken)
    ask(desk, service="menopause_clinic")
    assert "&lt;b&gt;by nought&lt;/b&gt;" in desk._notice.object
    assert desk._figures.object == before
    assert desk._frame.busy == ""


def test_a_click_on_a_row_goes_to_its_unit(study):
    desk = Desk(study)
    ask(desk, service="mother_baby_room", lang="en")

    class Click:
        row = 1

    desk._go_to_row(Click())
    number, ((south, west), (north, east)) = desk._frame.target
    assert number == 1
    east_district = study.city.units.set_index("code").geometry["3302"].bounds
    assert west >= east_district[0] - 1e-9
    assert south < north
    assert west < east


def test_every_word_changes_with_the_language(study):
    desk = Desk(study)
    ask(desk, lang="zh")
    assert "母婴室" in desk._services.options
    assert "杭州设施覆盖规划台" in desk._head.object
    ask(desk, lang="en")
    assert "mother-and-baby rooms" in desk._services.options
    assert "Hangzhou coverage desk" in desk._head.object
    assert desk._services.value == desk.service
    assert next(iter(desk._shown_table.titles.values())) == "Unit"
