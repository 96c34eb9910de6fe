"""Import at the desk, without a browser: who may, and what is left as it was."""

import asyncio

import pytest

from layers import City
from layers.errors import RoleError
from planner.desk.cities import Cities
from planner.desk.session import Session
from planner.desk.study import Study
from planner.desk.views.data import DataView
from planner.jobs import IMPORT, Supervisor
from planner.serving import Identity
from planner.store import Store

TABLE = "name,lon,lat\n甲,{x},{y}\n=1,,\n"

# Panel's own table calls pandas in a way that pandas is about to give up.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


@pytest.fixture
def panes():
    """Those that were opened, whose files are removed after."""
    opened = []
    yield opened
    for pane in opened:
        pane.close()


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store.sqlite") as made:
        yield made


@pytest.fixture
def content(city):
    x, y = city.facilities.geometry.iloc[1].coords[0]
    return TABLE.format(x=x, y=y).encode()


def open_view(panes, city, store, tmp_path, monkeypatch, role):
    monkeypatch.setenv("PLANNER_CITIES", str(tmp_path / "cities"))
    study = Study(city, store=store)
    identity = Identity(name="王工", accounts=store.accounts, otherwise=role)
    session = Session(study, identity)
    session.param.update(cities=Cities(study, identity.name), lang="en", service="fitness_circle")
    view = DataView(session)
    view.build()
    view.relabel()
    panes.append(view.panes["import"])
    return view


def test_a_planner_makes_a_city_of_their_own(panes, city, store, content, tmp_path, monkeypatch):
    view = open_view(panes, city, store, tmp_path, monkeypatch, "planner")
    pane = view.panes["import"]

    async def run():
        await pane.take("../表.csv", content)
        await pane.accept()

    asyncio.run(run())
    assert pane.told.places.rejected.counts() == {"row_missing": 1}
    (own,) = view.session.cities.all()
    made = City.open(view.session.cities.folder / own.key)
    assert len(made.facilities) == len(city.facilities) + 1
    assert (made.name, made.name_en) == ("小村 + 表", "Hamlet + 表")
    assert "wang" not in str(view.session.cities.folder)
    assert view.session.cities.folder.parent == tmp_path / "cities"
    # Asked again, another folder is made: nothing is written over.
    asyncio.run(pane.accept())
    assert len(view.session.cities.all()) == 2


def test_a_viewer_is_refused_whatever_the_browser_sends(
    panes, city, store, content, tmp_path, monkeypatch
):
    view = open_view(panes, city, store, tmp_path, monkeypatch, "viewer")
    pane = view.panes["import"]
    asyncio.run(pane.take("表.csv", content))
    assert isinstance(pane._wrong, RoleError)
    assert pane.told is None
    # One who was a planner when the file came, and is none any more.
    planner = open_view(panes, city, store, tmp_path, monkeypatch, "planner")
    own = planner.panes["import"]
    asyncio.run(own.take("表.csv", content))
    planner.session.identity = Identity(name="王工", accounts=store.accounts, otherwise="viewer")
    asyncio.run(own.accept())
    assert planner.session.told[1] == "grave"
    assert planner.session.cities.all() == []


async def until(condition):
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError


def test_what_is_chosen_while_a_table_is_read_is_not_lost(
    panes, city, store, content, tmp_path, monkeypatch
):
    view = open_view(panes, city, store, tmp_path, monkeypatch, "planner")
    pane = view.panes["import"]

    async def run():
        await pane.take("表.csv", content)
        reading = asyncio.ensure_future(pane.read())
        await asyncio.sleep(0)
        pane._set("name", "lon")
        await reading
        assert pane._options["name"] == "lon"

    asyncio.run(run())


def test_an_import_beside_is_found_again_at_another_desk(
    panes, city, store, content, tmp_path, monkeypatch
):
    """Asked for at one desk, told of at the next: done with its rows, or failed and why."""
    place = city.save(tmp_path / "hamlet").path

    def opened(beside, role="planner"):
        view = open_view(panes, city, store, tmp_path, monkeypatch, role)
        view.session.study.jobs = beside
        return view.panes["import"]

    async def run():
        with Supervisor(store, place) as beside:
            pane = opened(beside)
            await pane.take("表.csv", content)
            await pane.accept()
            assert pane._made.added == 1
            store.jobs.ask(IMPORT, {"file": "坏.csv"}, city=beside.place, who="王工")
            other = opened(beside)
            await other.refresh()
            await until(lambda: "导入的要求无法识别" in other._line._state.object)
            await until(lambda: len(other._line._earlier.options) > 2)
            (done, failed) = sorted(store.jobs.every(), key=lambda job: job.state)
            assert (done.state, failed.state) == ("done", "failed")
            assert set(other._line._earlier.options.values()) == {"", done.id, failed.id}
            other._line._earlier.value = done.id
            await until(lambda: other._made)
            assert other._open.visible
            assert other._made == pane._made
            assert other._left.visible
            assert other._left_out().read().startswith(b"\xef\xbb\xbf")
            # A viewer finds nothing of others' and starts nothing.
            seen = opened(beside, "viewer")
            before = store.jobs.every()
            seen.told, seen._file = pane.told, pane._file
            await seen.accept()
            assert seen.session.told[1] == "grave"
            assert store.jobs.every() == before
            seen._file = None

    asyncio.run(run())
