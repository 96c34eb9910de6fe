"""The siting view: figures against those of a fresh coverage, the store, and a browser."""

import asyncio
import threading
from dataclasses import replace

import pandas as pd
import pytest

from layers import embedded
from planner import Open, Scenario, compare, coverage, wording
from planner.changes import Close, CloseStreet, Resize
from planner.desk import siting_ask
from planner.desk.desk import Desk
from planner.desk.session import Session
from planner.desk.study import Study
from planner.jobs import Supervisor
from planner.maps.events import Clicked, MarkerDragged, MarkerDropped
from planner.serving import Identity
from planner.siting import control
from planner.siting.ask import OFFERED, Ask
from planner.store import Store
from tests.planner.desk.chromium import MAP, NEEDS_CHROMIUM, serving, until
from tests.planner.maps.hamlet import NASTY, hamlet

# Panel's own table calls pandas in a way that pandas is about to give up.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")

ROOM = "mother_baby_room"


@pytest.fixture
def study(city, tmp_path):
    with Store(tmp_path / "store.sqlite") as store:
        yield Study(city, store=store)


async def opened(study, **asked):
    usual = {"lang": "en", "tab": "siting", "service": ROOM}
    desk = Desk(Session(study), {**usual, **asked})
    await desk.start()
    return desk


def agrees(view, level="district"):
    """Whether what is shown is a fresh coverage of the changed city, to the last digit."""
    city, service = view.session.city, view.session.service
    year = view.session.year or None
    before = coverage(city, service, year=year)
    after = coverage(view.draft.scenario.apply(city), service, year=year)
    pd.testing.assert_frame_equal(view.found.units, compare(before, after, level), check_exact=True)
    assert view.found.after["rate"] == after.total()["rate"]
    assert wording.rate(after.total()["rate"]) in view._figures.object
    assert view._table.value["rate_after"].tolist() == view.found.units["rate_after"].tolist()
    return after


def place(city, x, y=0.0):
    """Degrees of a place of the hamlet."""
    homes = city.population.to_crs("EPSG:4326").geometry
    first, last = homes.iloc[0], homes.iloc[9]
    share = (x - 200) / 3600
    return first.x + share * (last.x - first.x), first.y + share * (last.y - first.y) + y / 111_000


def test_each_change_gives_the_figures_of_a_fresh_coverage(study, city):
    async def run():
        desk = await opened(study)
        view = desk.view
        agrees(view)
        lon, lat = place(city, 1900)
        view.act = "add"
        await view._clicked(Clicked(lon=lon, lat=lat, layer="units", feature="3301"))
        assert len(view.draft.scenario) == 1
        first = agrees(view)
        assert view.chosen == "new-1"
        assert view.map.bridge.markers["new-1"].draggable

        lon, lat = place(city, 2600)
        await view._dragged(MarkerDragged(marker="new-1", lon=lon, lat=lat))
        assert len(view.draft.scenario) == 1
        assert view.found.after["rate"] != first.total()["rate"]
        held = view.found.after["rate"]
        await view._dropped(MarkerDropped(marker="new-1", lon=lon, lat=lat))
        assert agrees(view).total()["rate"] == held

        await view.change(Close(id="m1"))
        agrees(view)
        await view.change(CloseStreet(street=city.streets.index[6]))
        agrees(view)
        assert "shut" in view.map.bridge.layers
        assert "closed" in view.map.bridge.layers
        for _ in range(3):
            await view.undo()
            agrees(view)
        assert view.found.after["rate"] == first.total()["rate"]
        await view.redo()
        assert agrees(view).total()["rate"] == held
        for _ in range(3):
            await view.undo()
        assert not view.draft.scenario.changes
        assert view._undo.disabled
        agrees(view)

    asyncio.run(run())


def test_what_cannot_be_done_is_said_and_changes_nothing(study, city):
    async def run():
        desk = await opened(study)
        view = desk.view
        await view.change(Close(id="m1"))
        before = view.draft
        assert not await view.change(Close(id="m1"))
        assert "m1" in desk._told.object
        assert view.draft is before
        agrees(view)
        view.act = "shut"
        lon, lat = place(city, 1900, 800)
        await view._clicked(Clicked(lon=lon, lat=lat))
        assert "No street" in desk._told.object
        assert view.draft is before
        lon, lat = place(city, 1900)
        await view._clicked(Clicked(lon=lon, lat=lat))
        assert isinstance(view.draft.scenario.changes[-1], CloseStreet)
        agrees(view)

    asyncio.run(run())


def test_another_service_year_or_level_keeps_the_scenario(study, city):
    async def run():
        desk = await opened(study)
        view = desk.view
        await view.add(place(city, 1900))
        desk.session.level = "city"
        await view._follow()
        agrees(view, "city")
        desk.session.level = "district"
        desk.session.year = 2023
        await view.ask()
        agrees(view)
        desk.session.service = "menopause_clinic"
        await view.ask()
        agrees(view)
        assert len(view.draft.scenario) == 1
        assert "new-1" not in view.map.bridge.markers

    asyncio.run(run())


def test_a_facility_with_a_capacity_is_resized(city, tmp_path):
    sized = replace(city, facilities=city.facilities.assign(capacity=[50.0, 60.0, 70.0]))
    with Store(tmp_path / "store.sqlite") as store:

        async def run():
            view = (await opened(Study(sized, store=store))).view
            view.chosen = "m1"
            assert view._facility("m1")[2] == 50
            assert view.card.size.visible
            assert view.map.bridge.markers["m1"].draggable
            await view.change(Resize(id="m1", capacity=80.0))
            assert view._facility("m1")[2] == 80
            assert view.card.size.value == 80
            agrees(view)

        asyncio.run(run())


@pytest.fixture
def small(tmp_path):
    with Store(tmp_path / "store.sqlite") as store:
        yield Study(embedded("small"), store=store)


def test_a_model_suggests_sites_that_are_accepted_and_undone(small):
    async def run():
        desk = await opened(small, service="menopause_clinic")
        view = desk.view
        own = view.suggestions
        own.ask = Ask(number=3)
        await own.run()
        rows = own.rows
        assert len(rows) == 3
        assert own.left == [0, 1, 2]
        gains = [row.people_new for row in rows]
        assert gains == sorted(gains, reverse=True)
        assert [mark.sign for mark in own.markers()] == ["1", "2", "3"]
        marks = view.map.bridge.markers
        assert {name for name in marks if name.startswith("suggested/")} == {
            f"suggested/{row}" for row in range(3)
        }
        # A click on the pin accepts it, as the button does.
        await view._clicked(Clicked(lon=120.0, lat=30.0, layer="markers", feature="suggested/0"))
        assert agrees(view).total()["rate"] == rows[0].rate
        await own.accept_all()
        assert agrees(view).total()["rate"] == rows[2].rate
        assert own.left == []
        await view.undo()
        assert own.left == [2]
        assert agrees(view).total()["rate"] == rows[1].rate

    asyncio.run(run())


def test_a_model_stopped_keeps_the_best_so_far(small, monkeypatch):
    async def run():
        desk = await opened(small, service="menopause_clinic")
        own = desk.view.suggestions
        told = []

        def tell(_watch, best, bound, what):
            told.append((best, bound, what))
            if best is not None:
                own._task.cancel()

        monkeypatch.setattr(control.Watch, "tell", tell)
        own.ask = Ask(number=4)
        await own.run()
        assert own.advice.found
        assert own.rows
        assert own.advice.objective <= own.advice.bound
        assert 'data-figure="status"' in own._told.object
        assert own._run.label == "Run the model"

    asyncio.run(run())


def test_a_run_beside_is_found_again_at_another_desk_and_a_viewer_starts_none(small, tmp_path):
    place = small.city.save(tmp_path / "small").path
    store = small.store
    store.accounts.add("li", "viewer", "a long password of li")

    async def run():
        with Supervisor(store, place) as beside:
            small.jobs = beside
            seen = Desk(Session(small, Identity(name="li", accounts=store.accounts)), LINK)
            await seen.start()
            await seen.view.suggestions.run()
            assert store.jobs.every() == []
            assert 'role="alert"' in seen._told.object
            first = (await opened(small, service="menopause_clinic")).view
            first.suggestions.ask = Ask(number=3)
            await first.suggestions.run()
            rows = first.suggestions.rows
            assert len(rows) == 3
            other = (await opened(small)).view
            own = other.suggestions
            await own._reopen(store.jobs.every()[0])
            assert other.session.service == "menopause_clinic"
            assert own.rows == rows
            await own.accept(1)
            assert own.left == [0, 2]
            await own.accept_all()
            assert agrees(other).total()["rate"] == rows[2].rate

    asyncio.run(run())


LINK = {"lang": "en", "tab": "siting", "service": "menopause_clinic"}

MODELS = [
    (Ask(model="lscp", share=60.0), "lscp"),
    (Ask(model="fair", number=3), "fair"),
    (Ask(model="p-median", number=3), "p-median"),
    (Ask(model="mclp", number=4, budget=5.0, cost_listed=1.0, cost_new=2.0), "mclp"),
    (Ask(model="mclp", number=20, floors="10"), "mclp"),
]


@pytest.mark.parametrize(("ask", "model"), MODELS, ids=[str(n) for n in range(len(MODELS))])
def test_each_model_suggests_what_planner_site_finds(small, ask, model):
    async def run():
        view = (await opened(small, service="menopause_clinic")).view
        own = view.suggestions
        own.ask = ask
        await own.run()
        assert own.advice.question.ask.model == model
        assert own.advice.found
        after = own.advice.after
        await own.accept_all()
        assert agrees(view).total()["rate"] == after["rate"]
        if ask.share and model == "lscp":
            assert after["rate"] >= 0.6
        if ask.budget is not None:
            listed = set(small.city.facilities["id"])
            # What is listed opens under an id of its own.
            paid = sum(1.0 if row.change.id[:-1] in listed else 2.0 for row in own.rows)
            assert paid <= ask.budget
        if ask.floors:
            assert (view.found.units["rate_after"].dropna() >= 0.1).all()

    asyncio.run(run())


def test_existing_facilities_may_close_and_closings_are_accepted(small):
    async def run():
        view = (await opened(small, service="menopause_clinic")).view
        own, base = view.suggestions, view.trial.base
        count = len(base.facilities)
        own.ask = Ask(number=count, closing=True)
        await own.run()
        stays = [one for one in own.rows if one.change is None]
        closes = [row for row, one in enumerate(own.rows) if isinstance(one.change, Close)]
        assert len(own.rows) - len(closes) <= count
        assert len(stays) + len(closes) == count
        assert closes
        # At least as good as what stands, for that could have stayed as it is.
        assert own.advice.after["served"] >= base.total()["served"]
        await own.accept(closes[0])
        assert own.rows[closes[0]].change.id in view.outcome.closed
        await own.accept_all()
        assert agrees(view).total()["rate"] == own.advice.after["rate"]
        assert own.left == []
        await view.undo()
        assert len(own.left) == 1

    asyncio.run(run())


def test_what_cannot_be_asked_is_said(small):
    async def run():
        desk = await opened(small, service="menopause_clinic")
        own = desk.view.suggestions
        for floors, part in (("many", "many"), ("Nowhere=20", "Nowhere"), ("120", "120")):
            own.ask = Ask(floors=floors)
            await own.run()
            assert part in desk._told.object
            assert own.advice is None
        own.ask = Ask(number=1, floors="99")
        await own.run()
        assert not own.advice.found
        assert own.rows == ()
        assert "Infeasible" in own._told.object
        assert 'class="grave"' in own._told.object
        assert "Infeasible" in desk._told.object

    asyncio.run(run())


def test_the_form_offers_what_the_model_knows_of():
    names = {
        model: {field["name"] for field in siting_ask.fields(Ask(model=model), "en")}
        for model in OFFERED
    }
    assert names["mclp"] >= {"number", "budget", "floors"}
    assert "number" not in names["lscp"]
    assert "share" in names["lscp"]
    assert all("floors" in own for own in names.values())
    assert "cost_new" in {field["name"] for field in siting_ask.fields(Ask(budget=3.0), "zh")}


def test_a_form_takes_numbers_within_their_bounds(study):
    async def run():
        own = (await opened(study)).view.suggestions
        for value, taken in ((7, 7), (0, 7), (2.5, 7), (None, 7), ("8", 7), (True, 7)):
            message = {"name": "number", "value": value, "final": True, "serial": 1}
            await own._form._take(message)
            assert own.ask.number == taken
        await own._form._take({"name": "budget", "value": 3.5, "final": True, "serial": 2})
        assert own.ask.budget == 3.5
        await own._form._take({"name": "budget", "value": None, "final": True, "serial": 3})
        assert own.ask.budget is None
        await own._form._take({"name": "floors", "value": "x" * 400, "final": True, "serial": 4})
        assert own.ask.floors == ""

    asyncio.run(run())


def test_a_link_asks_the_model_the_same_and_none_breaks_the_form(study):
    async def run():
        desk = await opened(study)
        own = desk.view.suggestions
        for name, value in (("model", "lscp"), ("share", 75), ("floors", "西区=20"), ("number", 9)):
            own._form.fields = siting_ask.fields(own.ask, "en")
            if name in {field["name"] for field in own._form.fields}:
                await own._form._take({"name": name, "value": value, "final": True, "serial": 1})
        own.ask = own.ask.with_value("closing", "may")
        own._asked("share", 70, True)
        again = (await opened(study, **desk.address())).view
        assert again.suggestions.ask == own.ask
        for wrong in ("[]", "{", '{"model": "x"}', '{"number": 0}', '{"odd": 1}', '{"share": "a"}'):
            view = (await opened(study, wanted=wrong)).view
            assert view.suggestions.ask == Ask()
            assert view.wanted == ""

    asyncio.run(run())


def test_opening_another_scenario_asks_before_changes_are_lost(study, city):
    kept = Scenario((Close(id="m2"),), "kept")
    record = study.store.create("scenario", kept.name, kept.as_dict(), author="wang", city="")

    async def run():
        view = (await opened(study)).view
        await view.add(place(city, 1900))
        mine = view.draft
        shelf = view.shelf
        shelf.saved.value = record.id
        await shelf._open_chosen()
        assert shelf._question.visible
        assert "lose" in shelf._warning.object
        assert view.draft is mine
        shelf._hide_question()
        await shelf._open_chosen()
        await shelf._open_anyway()
        assert not shelf._question.visible
        assert view.draft.scenario.changes == kept.changes
        # Nothing to lose: it opens at once.
        shelf.saved.value = record.id
        await shelf._open_chosen()
        assert not shelf._question.visible
        agrees(view)

    asyncio.run(run())


def test_a_redraw_that_waits_behind_a_link_keeps_the_scenario_of_the_link(study):
    kept = Scenario((Close(id="m2"),), "kept")
    record = study.store.create("scenario", kept.name, kept.as_dict(), author="wang", city="")

    async def run():
        view = (await opened(study)).view
        async with view._turn:
            link = asyncio.create_task(view._reopen(record, kept))
            redraw = asyncio.create_task(view._redrawn())
            # Each runs as far as the turn, where it waits.
            await asyncio.sleep(0)
            assert not link.done()
            assert not redraw.done()
            assert not view.draft.scenario.changes
        await asyncio.gather(link, redraw)
        assert view.draft.scenario.changes == kept.changes
        assert not view.draft.changed
        agrees(view)

    asyncio.run(run())


def test_changes_that_wait_for_each_other_are_all_made(study, city):
    async def run():
        view = (await opened(study)).view
        async with view._turn:
            every = [
                asyncio.create_task(view.add(place(city, 1900))),
                asyncio.create_task(view.add(place(city, 2600))),
                asyncio.create_task(view.change(Close(id="m1"))),
                asyncio.create_task(view.undo()),
            ]
            # Each runs as far as the turn, where it waits.
            await asyncio.sleep(0)
            assert not view.draft.scenario.changes
        await asyncio.gather(*every)
        assert [change.id for change in view.draft.scenario.changes] == ["new-1", "new-2"]
        assert [change.id for change in view.draft.ahead] == ["m1"]
        agrees(view)

    asyncio.run(run())


def test_what_is_changed_while_it_is_kept_stays_unsaved(study, city, monkeypatch):
    async def run():
        view = (await opened(study)).view
        await view.change(Close(id="m1"))
        view.shelf.name.value, view.shelf.author.value = "kept", "wang"
        create = study.store.create
        held, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def slowly(*args, **more):
            loop.call_soon_threadsafe(held.set)
            assert go_on.wait(60)
            return create(*args, **more)

        monkeypatch.setattr(study.store, "create", slowly)
        keeping = asyncio.create_task(view.shelf.save())
        await held.wait()
        await view.change(Close(id="m2"))
        go_on.set()
        await keeping
        assert [change.id for change in view.draft.scenario.changes] == ["m1", "m2"]
        assert view.draft.changed
        assert view.session.unsaved

    asyncio.run(run())


def test_a_scenario_is_kept_opened_by_another_and_a_conflict_keeps_both(study, city):
    async def run():
        one = await opened(study)
        view = one.view
        await view.add(place(city, 1900))
        await view.shelf.save()
        assert "Give the scenario a name" in one._told.object
        view.shelf.name.value, view.shelf.author.value = NASTY, "wang"
        await view.shelf.save()
        assert "revision 1" in one._told.object
        assert "<script>" not in one._told.object
        assert not view.draft.changed

        two = await opened(study, **{**one.address(), "lang": "zh"})
        other = two.view
        assert other.draft.scenario.changes == view.draft.scenario.changes
        agrees(other)
        assert other.shelf.name.value == NASTY
        other.shelf.author.value = "li"
        await other.change(Close(id="m2"))
        await other.shelf.save()
        assert "第2版" in two._told.object

        await view.change(Close(id="m1"))
        await view.shelf.save()
        assert 'role="alert"' in one._told.object
        assert "Both are kept" in one._told.object
        kept = study.store.records("scenario")
        assert len(kept) == 2
        theirs = next(record for record in kept if record.other_of is None)
        assert theirs.author == "li"
        assert view.record == next(record for record in kept if record.other_of).id
        # One goes on with one's own version; the other is opened from the list.
        assert set(view.shelf.saved.options.values()) == {"", *(record.id for record in kept)}
        assert await view.shelf.open(theirs.id)
        assert view.draft.scenario.changes == other.draft.scenario.changes
        agrees(view)

    asyncio.run(run())


def test_a_link_to_what_is_not_kept_is_said(study):
    async def run():
        desk = await opened(study, record="<b>none")
        assert "&lt;b&gt;none" in desk._told.object
        assert desk.view.record == ""
        agrees(desk.view)

    asyncio.run(run())


def test_a_scenario_of_another_city_is_said_and_not_opened(study):
    lost = Scenario((Close(id="elsewhere"),), "外地")
    record = study.store.create("scenario", lost.name, lost.as_dict(), author="wang")

    async def run():
        view = (await opened(study)).view
        assert not await view.shelf.open(record.id)
        assert "elsewhere" in view.session.told[0]
        assert view.shelf.record is None
        assert len(view.draft.scenario) == 0

    asyncio.run(run())


def test_names_of_the_data_are_escaped(tmp_path):
    city = hamlet(name=NASTY, facility=NASTY, west=NASTY)
    with Store(tmp_path / "store.sqlite") as store:

        async def run():
            view = (await opened(Study(city, store=store))).view
            view.chosen = "m1"
            await view.change(Close(id="m2"))
            shown = [view.card.head.object, view._changes.object, view._figures.object]
            shown += view.map.bridge.layers["units"].tips
            shown += view.map.bridge.layers["labels"].html
            shown += view.map.bridge.layers["closed"].tips
            assert not [one for one in shown if "<script>" in one]
            assert "&lt;script&gt;" in view.card.head.object

        asyncio.run(run())


SERVE = """
import sys
from layers import City
from planner.desk import serve
serve(City.open(sys.argv[1]), port=int(sys.argv[2]), address="127.0.0.1")
"""
PIN = MAP + (
    "let at = null; map.eachLayer((one) => { if (one.options.title === arguments[0])"
    " { const p = one.getLatLng(); at = [p.lng, p.lat]; } }); return at;"
)


@pytest.fixture
def address(tmp_path, monkeypatch):
    monkeypatch.setenv("PLANNER_STORE", str(tmp_path / "store.sqlite"))
    path = hamlet().save(tmp_path / "hamlet").path
    with serving(SERVE, path, log=tmp_path / "log") as url:
        yield url


def drag(page, title, by):
    from selenium.webdriver import ActionChains  # noqa: PLC0415 - needs a browser

    x, y = page.on_screen(*page.in_frame(PIN, title))
    frame = page.frame()
    size = frame.size
    chain = ActionChains(page.driver, duration=20).move_to_element_with_offset(
        frame, x - size["width"] / 2, y - size["height"] / 2 - 15
    )
    chain.click_and_hold()
    for _ in range(10):
        chain.move_by_offset(by / 10, 0)
    chain.release().perform()


def shown(page, after):
    """Whether page and table show a coverage."""
    total, units = after.total(), after.by("district")
    rates = [f"{rate:.1%}" for rate in units["rate"]]
    return (
        page.figure("rate") == f"{total['rate']:.1%}"
        and [row["rate_after"] for row in page.rows()] == rates
    )


@pytest.mark.browser
@NEEDS_CHROMIUM[1]
def test_a_click_adds_a_drag_moves_and_another_session_opens_it(address, city, chrome):
    page = chrome.open(f"{address}?tab=siting&service={ROOM}&lang=zh")
    base = coverage(city, ROOM)
    until(lambda: page.frame() and shown(page, base), what="the base")
    page.press("新增")
    view = page.view()
    page.click_map(*place(city, 1900, 40))
    at = until(lambda: page.in_frame(PIN, "新增设施 1"), what="the new facility")

    def after(where):
        return coverage(Scenario((Open(service=ROOM, place=tuple(where)),)).apply(city), ROOM)

    first = after(at)
    assert first.total()["rate"] > base.total()["rate"]
    until(lambda: shown(page, first), what="what it adds")

    drag(page, "新增设施 1", 150)
    until(lambda: page.in_frame(PIN, "新增设施 1")[0] > at[0] + 0.001, what="the drag")
    moved = after(page.in_frame(PIN, "新增设施 1"))
    until(lambda: shown(page, moved), what="what it adds there")
    assert moved.total()["rate"] != first.total()["rate"]
    leave = "return window.dispatchEvent(new Event('beforeunload', {cancelable: true}));"
    assert not page.js(leave)  # the browser asks before changes are lost
    page.press("↶ 撤销")
    until(lambda: shown(page, first), what="the undo")
    # Its pin follows the figures.
    until(lambda: page.in_frame(PIN, "新增设施 1") == pytest.approx(at), what="the pin to go back")
    page.press("↷ 重做")
    until(lambda: shown(page, moved), what="the redo")
    assert page.view() == view
    assert page.loads() == 1

    page.press("保存与打开")
    page.type("方案名称", "江边方案")
    page.type("修改人", "wang")
    page.press("保存")
    until(lambda: "record=" in page.driver.current_url, what="the record in the address")
    until(lambda: page.js(leave), what="nothing to lose")
    link = page.driver.current_url
    page.open("about:blank")
    page.open(link.replace("lang=zh", "lang=en"))
    until(lambda: shown(page, moved), what="the scenario in another session")
    assert page.complaints() == []
