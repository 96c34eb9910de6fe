"""One session's desk, without a browser."""

import asyncio
import re
import threading

import param
import pytest

from planner import Scenario, coverage
from planner.changes import Close, CloseStreet, Move, Open
from planner.desk.cities import Cities
from planner.desk.desk import Desk
from planner.desk.session import Cancelled, Session
from planner.desk.study import Study
from planner.desk.views import VIEWS
from planner.desk.views.report import ReportView
from planner.desk.views.view import View
from planner.maps.bridge import MapBridge
from planner.maps.events import Clicked
from planner.store import Store

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
    asyncio.run(desk.start())
    assert desk._noted.visible
    assert "service, year, tab" in desk._noted.object
    assert "<b>" not in desk._noted.object
    assert desk.session.service == "menopause_clinic"
    desk.session.lang = "zh"
    assert "链接" in desk._noted.object


def test_a_year_or_target_that_the_plan_lacks_is_said(study):
    asked = {"lang": "en", "tab": "plan", "until": "1800", "target": "x"}
    desk = Desk(Session(study), asked)
    assert "until, target" in desk._noted.object
    assert not {"until", "target"} & set(desk.address())
    report = ReportView(desk.session)
    assert report.restore({"until": "1800"}) == ["until"]
    report._close()

    # What the link says is of the tab that it names.
    async def another_tab():
        with param.parameterized.discard_events(desk._top):
            desk._top.tab = "coverage"
        await desk._choose_tab(None)

    asyncio.run(another_tab())
    assert not desk._noted.visible


def test_a_link_to_a_city_that_is_not_there_is_said_beside_the_one_that_is_shown(study):
    desk = Desk(Session(study), {"lang": "en", "city": "elsewhere"})
    desk.session.cities = Cities(study)
    asyncio.run(desk.start())
    assert desk.view.answer is not None
    assert desk._noted.visible
    assert "elsewhere" in desk._noted.object
    assert 'role="alert"' in desk._noted.object


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
    asyncio.run(view._clicked(Clicked(lon=120.0, lat=30.0, layer="units", feature="3301")))
    assert view._shown_table[0].selection == [0]
    assert desk.address()["unit"] == "3301"


def test_every_word_changes_with_the_language(study):
    desk = open_desk(study, lang="zh")
    assert "母婴室" in str(desk.view._form.fields)
    assert desk._top.words["title"] == "杭州设施覆盖规划台"
    desk._top.lang = "en"
    assert "mother-and-baby rooms" in str(desk.view._form.fields)
    assert "母婴室" not in str(desk.view._form.fields)
    assert desk._top.words["title"] == "Hangzhou coverage desk"
    assert next(iter(desk.view._shown_table[0].titles.values())) == "Unit"
    assert "people served" in desk.view._figures.object


def slide(desk, value, *, final):
    asyncio.run(desk.view._chosen("cutoff", value, final))


def test_a_moving_slider_changes_figures_and_colours_and_asks_for_no_tile(study):
    desk = open_desk(study, service="mother_baby_room")
    view = desk.view
    put = []
    view.map.bridge.put = put.append
    before = view._figures.object
    slide(desk, 400.0, final=False)
    assert view._figures.object != before
    assert view.map.bridge.layers["field"].stops == (400.0,)
    assert put == []
    slide(desk, 500.0, final=True)
    assert view.map.bridge.layers["field"].stops == (500.0,)
    assert desk.address()["cutoff"] == "500"
    asyncio.run(view._chosen("cutoff", None, True))
    assert "cutoff" not in desk.address()
    assert view._figures.object == before


def test_another_service_brings_its_own_standard(study):
    desk = open_desk(study, service="mother_baby_room", cutoff="450", group="residents")
    assert desk.view.choice.cutoff == 450
    change(desk, service="menopause_clinic")
    assert desk.view.choice.cutoff is None
    assert desk.view.choice.group is None


def test_minutes_and_metres_say_about_the_same(study):
    desk = open_desk(study, service="mother_baby_room")
    asyncio.run(desk.view._chosen("unit", "min", True))
    standard = study.standard(desk.view.choice)
    assert (standard.unit, standard.cutoff) == ("min", 10)
    asyncio.run(desk.view._chosen("unit", "m", True))
    assert desk.view.choice.cutoff is None


@pytest.mark.parametrize("versus", ["year-2021", "service-menopause_clinic"])
def test_two_are_compared_by_a_line_on_the_map(study, versus):
    desk = open_desk(study, service="mother_baby_room", versus=versus)
    layers = desk.view.map.bridge.layers
    assert {"field", "field-other", "facilities", "facilities-other"} <= set(layers)
    assert 'data-figure="change"' in desk.view._figures.object
    asyncio.run(desk.view._chosen("versus", "", True))
    assert "field-other" not in desk.view.map.bridge.layers
    assert 'data-figure="change"' not in desk.view._figures.object


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("at", "1,2,3"),
        ("at", "a,b"),
        ("look", "120,nan,3"),
        ("versus", "year-1"),
        ("group", "men"),
        ("cutoff", "-3"),
        ("basemap", "osm"),
        ("mode", "fly"),
    ],
)
def test_no_link_breaks_the_view(study, name, value):
    desk = open_desk(study, service="mother_baby_room", **{name: value})
    assert name not in desk.address()
    assert desk.view.answer is not None


def test_a_form_takes_only_what_it_offers(study):
    desk = open_desk(study, service="mother_baby_room")
    form, service = desk.view._form, desk.session.service
    for message in (
        {"name": "service", "value": "nothing"},
        {"name": "cutoff", "value": -1},
        {"name": "cutoff", "value": "800"},
        {"name": "cutoff", "value": 1e9},
        {"name": "session", "value": 1},
    ):
        asyncio.run(form._take({**message, "final": True, "serial": 1}))
    assert desk.session.service == service
    assert desk.view.choice.cutoff is None
    asyncio.run(form._take({"name": "cutoff", "value": 450, "final": True, "serial": 2}))
    assert desk.view.choice.cutoff == 450


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


@pytest.fixture
def kept(study, tmp_path, monkeypatch):
    """A study whose store keeps a scenario of one more room and one moved."""
    with Store(tmp_path / "kept.sqlite") as store:
        monkeypatch.setattr(study, "_store", store)
        homes = study.city.population.geometry
        changes = (
            Open(service="mother_baby_room", place=homes.iloc[4].coords[0], id="new-1"),
            Move(id="m2", place=homes.iloc[6].coords[0]),
        )
        scenario = Scenario(changes, "Riverside")
        made = store.create(
            "scenario", "Riverside", scenario.as_dict(), author="wang", city=study.city.name
        )
        yield made.id, scenario


def test_a_scenario_is_shown_and_compared_with_the_base(study, kept):
    record, scenario = kept
    after = coverage(scenario.apply(study.city), "mother_baby_room").total()
    before = coverage(study.city, "mother_baby_room").total()
    desk = open_desk(study, service="mother_baby_room", scenario=record, versus="scenario-")
    view = desk.view
    assert view.answer.total["rate"] == after["rate"]
    assert view.other.total["rate"] == before["rate"]
    change = f"{(after['rate'] - before['rate']) * 100:+.1f} points"
    assert change in view._figures.object
    assert "base" in view._figures.object
    assert view.map.bridge.layers["changed"].ids == ["m2", "new-1"]
    assert "changed-other" not in view.map.bridge.layers
    address = desk.address()
    assert (address["scenario"], address["versus"]) == (record, "scenario-")
    again = open_desk(study, **address)
    assert again.view.answer.total["rate"] == after["rate"]
    # The other way round, and back to nothing.
    asyncio.run(view._chosen("scenario", "", True))
    assert view.answer.total["rate"] == before["rate"]
    assert view.versus == ""
    asyncio.run(view._chosen("versus", f"scenario-{record}", True))
    assert view.other.total["rate"] == after["rate"]
    assert "changed-other" in view.map.bridge.layers
    assert "Riverside" in view._figures.object


def test_a_closed_street_of_a_scenario_is_closed_in_figures_and_tiles(study, tmp_path, monkeypatch):
    scenario = Scenario((CloseStreet(street=study.city.streets.index[2]),), "Works")
    after = coverage(scenario.apply(study.city), "mother_baby_room").total()
    with Store(tmp_path / "kept.sqlite") as store:
        monkeypatch.setattr(study, "_store", store)
        record = store.create("scenario", "Works", scenario.as_dict(), author="li").id
        desk = open_desk(study, service="mother_baby_room", scenario=record)
    measured = desk.view.answer.measured
    assert desk.view.answer.total["rate"] == after["rate"]
    assert len(measured.result.network.length) == 9
    assert measured.distances.key


@pytest.mark.parametrize("told", [{"scenario": "gone"}, {"versus": "scenario-gone"}])
def test_a_link_to_a_scenario_that_is_gone_shows_the_base_and_says_so(study, kept, told):
    assert kept
    desk = open_desk(study, service="mother_baby_room", **told)
    assert "not kept any more" in desk._told.object
    assert desk.view.answer.choice.scenario is None
    assert not set(told) & set(desk.address())


def test_a_click_on_a_facility_tells_whom_nobody_else_serves(study):
    desk = open_desk(study, service="mother_baby_room")
    view = desk.view

    def told():
        shown = view.card._words.object
        return {
            name: float(re.search(f'facility-{name}">([^<]*)<', shown)[1].replace(",", ""))
            for name in ("reached", "alone", "nearest", "beyond")
        }

    click = Clicked(lon=120.0, lat=30.0, layer="facilities", feature="m1")
    asyncio.run(view._clicked(click))
    without = coverage(Scenario((Close(id="m1"),)).apply(study.city), "mother_baby_room").total()
    assert told()["alone"] == view.answer.total["served"] - without["served"]
    assert view.card.page.visible
    first = told()
    # The slider changes what is told, to what it would be at once.
    slide(desk, 1900.0, final=True)
    wide = told()
    assert wide["reached"] > first["reached"]
    assert wide["alone"] < wide["reached"]
    view.card.leave()
    assert not view.card.page.visible


def test_long_work_of_many_holds_up_nothing_quick(study):
    go = threading.Event()

    async def run():
        sessions = [Session(study) for _ in range(12)]
        slow = [asyncio.ensure_future(session.work("long", go.wait, 30)) for session in sessions]
        await asyncio.sleep(0.2)
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 1), 10) == 1
        desk = Desk(Session(study), {"lang": "en", "service": "mother_baby_room"})
        await asyncio.wait_for(desk.start(), 20)
        assert desk.view.answer is not None
        assert not any(one.done() for one in slow)
        go.set()
        assert all(await asyncio.gather(*slow))

    asyncio.run(run())
