"""One session's desk, without a browser."""

import asyncio
import threading

import pytest

from planner.desk.desk import Desk
from planner.desk.session import Cancelled, Session
from planner.desk.study import Study
from planner.desk.views import VIEWS
from planner.desk.views.view import View
from planner.maps.bridge import MapBridge
from planner.maps.events import Clicked

# Panel's own table calls pandas in a way that pandas is about to give up.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


@pytest.fixture(scope="module")
def study(city):
    return Study(city)


def open_desk(study, **asked):
    desk = Desk(Session(study), {"lang": "en", **asked})
    asyncio.run(desk.start())
    return desk


def change(desk, **changed):
    async def run():
        desk.session.param.update(**changed)
        await asyncio.sleep(0)
        await desk.view.ask()
        while desk.session.task is not None:  # noqa: ASYNC110 - the session tells when it is done
            await asyncio.sleep(0.01)

    asyncio.run(run())


def test_two_sessions_share_nothing_that_either_chose(study):
    one = open_desk(study, service="mother_baby_room", year="2023")
    two = open_desk(study, service="menopause_clinic", lang="zh")
    assert one.view.choice.service == "mother_baby_room"
    assert one.view.choice.year == 2023
    assert "walk 800 m" in one.view._figures.object
    assert "驾车 30 分钟" in two.view._figures.object
    assert two.view.choice.year is None


def test_an_address_restores_what_it_was_made_of(study):
    desk = open_desk(study, service="mother_baby_room", year="2023", show="gap", theme="dark")
    again = open_desk(study, **desk.address())
    assert again.address() == desk.address()
    assert again.view.choice == desk.view.choice
    assert desk.address()["theme"] == "dark"


def test_an_address_that_does_not_fit_is_said_and_the_usual_is_shown(study):
    desk = Desk(Session(study), {"lang": "en", "service": "<b>", "year": "1066", "tab": "x"})
    assert desk._told.visible
    assert "service, year" in desk._told.object
    assert "<b>" not in desk._told.object
    assert desk.session.service == "menopause_clinic"


def test_an_empty_service_says_what_to_do(study):
    desk = open_desk(study, service="fitness_circle")
    assert desk._told.visible
    assert "nobody is served" in desk._told.object
    change(desk, service="mother_baby_room")
    assert not desk._told.visible


def test_what_fails_is_said_in_words_and_the_figures_stay(study, monkeypatch):
    desk = open_desk(study, service="mother_baby_room")
    before = desk.view._figures.object

    def broken(_choice):
        raise ZeroDivisionError("<b>by nought</b>")

    monkeypatch.setattr(study, "answer", broken)
    change(desk, service="menopause_clinic")
    assert "&lt;b&gt;by nought&lt;/b&gt;" in desk._told.object
    assert 'role="alert"' in desk._told.object
    assert desk.view._figures.object == before


def test_work_can_be_cancelled(study):
    session = Session(study)
    begun, told = threading.Event(), []

    def endless(task):
        task.tell(0.5, "half")
        begun.set()
        while not task.cancelled():
            pass

    async def run():
        session.param.watch(lambda event: told.append(event.new and event.new.share), "task")
        working = asyncio.ensure_future(session.work("work", endless))
        await asyncio.to_thread(begun.wait, 5)
        session.task.cancel()
        with pytest.raises(Cancelled):
            await working

    asyncio.run(run())
    assert session.task is None
    assert 0.5 in told or told[-1] is None


def test_a_click_on_a_row_goes_to_its_unit_and_one_on_the_map_selects_the_row(study):
    desk = open_desk(study, service="mother_baby_room")
    view, gone = desk.view, []
    view.map.bridge.go = gone.append

    class Click:
        row = 1

    view._go_to_row(Click())
    west, south, east, north = gone[0]
    district = study.city.units.set_index("code").geometry["3302"].bounds
    assert west >= district[0] - 1e-9
    assert south < north
    assert west < east
    view._clicked(Clicked(lon=120.0, lat=30.0, layer="units", feature="3301"))
    assert view._shown_table.selection == [0]
    assert desk.address()["unit"] == "3301"


def test_every_word_changes_with_the_language(study):
    desk = open_desk(study, lang="zh")
    assert "母婴室" in desk.view._services.options
    assert desk._top.words["title"] == "杭州设施覆盖规划台"
    desk._top.lang = "en"
    assert "mother-and-baby rooms" in desk.view._services.options
    assert desk._top.words["title"] == "Hangzhou coverage desk"
    assert desk.view._services.value == desk.session.service
    assert next(iter(desk.view._shown_table.titles.values())) == "Unit"
    assert "people served" in desk.view._figures.object


def test_every_view_has_a_name_in_both_languages(study):
    for kind in VIEWS:
        assert issubclass(kind, View)
        for lang in ("zh", "en"):
            session = Session(study)
            session.lang = lang
            assert session.text(f"desk.tab.{kind.KEY}")


def test_the_map_is_made_once(study):
    desk = open_desk(study)
    bridge, page = desk.view.map.bridge, desk.view.map.bridge.page
    change(desk, service="mother_baby_room", lang="zh", theme="dark")
    assert desk.view.map.bridge is bridge
    assert bridge.page is page
    assert isinstance(bridge, MapBridge)
