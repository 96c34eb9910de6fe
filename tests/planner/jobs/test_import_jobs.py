"""Imports run as jobs: the same city, once, whatever ends its runner, and nothing left over."""

import os
import time
from dataclasses import replace

import pytest
from geopandas.testing import assert_geodataframe_equal

from layers import City
from layers.errors import InputError
from planner.intake import accept
from planner.jobs import IMPORT, Supervisor, ask_about
from planner.jobs.places import folder_of
from planner.jobs.uploads import clear_up, upload_of
from planner.jobs.work import stands
from planner.order import Filled, Order, Receipt, fill
from planner.own import own_folder
from planner.standards import load_services
from planner.store import Store
from planner.store.jobs import MOST_OPEN
from tests.planner.jobs.test_jobs import kill_server, wait
from tests.planner.maps.hamlet import hamlet

WHO = "王工"


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    return hamlet().save(tmp_path_factory.mktemp("city") / "hamlet").path.resolve()


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("PLANNER_CITIES", str(tmp_path / "cities"))
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened


@pytest.fixture
def table(village, tmp_path):
    x, y = City.open(village).facilities.geometry.iloc[0].coords[0]
    file = tmp_path / "表.csv"
    file.write_text(f"名称,经度,纬度\n甲,{x + 0.001},{y}\n=乙,,\n", encoding="utf-8")
    return file


@pytest.fixture
def order(village):
    return Order(
        file="表.csv",
        options={"service": "mother_baby_room", "source": "民政局"},
        name="小村 + 表",
        name_en="Hamlet + table",
        fingerprint=City.fingerprint(village),
    )


def ask(store, order, file, city):
    asked = order if isinstance(order, dict) else order.as_dict()
    return ask_about(store, IMPORT, asked, file, city=str(city), who=WHO)


def cities():
    return sorted(path.parent.name for path in own_folder(WHO).glob("*/city.toml"))


def test_an_import_beside_makes_the_city_that_was_looked_at(store, village, table, order):
    city = City.open(village)
    here = accept(city, *order.read(city, table.parent), how="add", name=order.name)
    with Supervisor(store, village) as beside:
        asked = ask(store, order, table, beside.place)
        # What was handed in is kept, whatever becomes of the reader's file.
        table.unlink()
        done = wait(store, asked, "done", "failed")
        assert done.state == "done", done.told
    filled = Filled.from_dict(done.result)
    assert (filled.added, filled.gone, filled.left_out, filled.rejected) == (1, 0, 0, 1)
    made = City.open(own_folder(WHO) / filled.key)
    assert (made.name, made.name_en) == (order.name, order.name_en)
    assert_geodataframe_equal(made.facilities, here.city.facilities)
    assert "民政局; 表.csv" in made.provenance["facilities"].source
    assert "'=乙" in (own_folder(WHO) / filled.lost).read_text(encoding="utf-8-sig")
    assert list(folder_of(store).iterdir()) == []
    assert cities() == ["小村-表"]


def test_what_cannot_be_taken_in_fails_in_words_that_tell_no_place(store, village, table, order):
    bare = table.with_name("无.csv")
    bare.write_text("名称\n甲\n", encoding="utf-8")
    with Supervisor(store, village) as beside:
        wrong = [
            ask(store, replace(order, file="无.csv"), bare, beside.place),
            ask(store, replace(order, fingerprint="another"), table, beside.place),
            ask(store, {**order.as_dict(), "file": "../表.csv"}, table, beside.place),
            ask(store, {"file": "表.csv"}, table, beside.place),
        ]
        told = [wait(store, one, "done", "failed").told for one in wrong]
    for words, part in zip(told, ("没有坐标列", "城市已更换", "../表.csv", "options"), strict=True):
        assert part in words
        assert str(folder_of(store)) not in words
    assert cities() == []
    assert list(folder_of(store).iterdir()) == []


def test_a_killed_server_leaves_an_import_that_the_next_takes_up(store, village, table, order):
    asked = ask(store, order, table, village)
    kill_server(store, village, asked, lambda: wait(store, asked, "running"))
    with Supervisor(store, village):
        done = wait(store, asked, "done", "failed")
    assert (done.state, done.tries) == ("done", 2), done.told
    assert cities() == ["小村-表"]


def test_an_import_that_stands_is_done_and_never_made_again(store, village, table, order):
    """Its runner died, its job was cancelled and given up: the city is there all the same."""
    city = City.open(village)
    asked = ask(store, order, table, village)
    upload = upload_of(store, asked.id)
    told = {"folder": own_folder(WHO), "services": tuple(load_services())}
    receipt = Receipt(file=upload / ".receipt", mark=f"import {asked.id}")
    about = (order, city, *order.read(city, upload))
    first = fill(*about, **told, receipt=receipt)
    assert fill(*about, **told, receipt=receipt) == first
    assert fill(*about, **told).key == "小村-表-2"
    # Somebody else's city under the noted name is none of its own.
    other = Receipt(file=receipt.file, mark="import another")
    assert other.filled(own_folder(WHO)) is None
    store.jobs.claim(str(village), "nowhere:1:1")
    store.jobs.cancel(asked.id)
    with Supervisor(store, village, runners=0):
        pass
    # Nobody tells of a runner elsewhere before it has been silent for long.
    assert store.jobs.get(asked.id).state == "running"
    store.jobs.take_back(str(village), lambda _: False, lambda job: stands(job, upload))
    done = store.jobs.get(asked.id)
    assert (done.state, done.result) == ("done", first.as_dict())
    clear_up(store)
    assert not upload.exists()


def test_a_cancelled_import_leaves_neither_table_nor_city(store, village, table, order):
    waits = ask(store, order, table, village)
    assert store.jobs.cancel(waits.id, who=WHO).state == "cancelled"
    with Supervisor(store, village) as beside:
        runs = ask(store, order, table, beside.place)
        wait(store, runs, "running")
        store.jobs.cancel(runs.id, who=WHO)
        beside.look()
        # It may have begun to write, and is then done.
        over = wait(store, runs, "cancelled", "done")
    assert cities() == ([] if over.state == "cancelled" else ["小村-表"])
    assert list(folder_of(store).iterdir()) == []


def test_what_is_handed_in_is_bounded_and_never_left_alone(store, village, table, order):
    script = table.with_name("表.exe")
    script.write_bytes(b"MZ")
    with pytest.raises(InputError, match=r"\.exe"):
        ask(store, order, script, village)
    waiting = [ask(store, order, table, village).id for _ in range(MOST_OPEN)]
    with pytest.raises(InputError, match="5"):
        ask(store, order, table, village)
    kept = {f".{job}.asked" for job in waiting}
    assert {path.name for path in folder_of(store).iterdir()} == kept
    for job in waiting:
        (file,) = upload_of(store, job).iterdir()
        assert file.read_bytes() == table.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o600
    # A server that is killed while it takes a file leaves it without a job.
    for name in ("." + "0" * 32 + ".asked", ".." + "1" * 32 + ".asked.new-x"):
        (folder_of(store) / name).mkdir()
    clear_up(store)
    assert len(list(folder_of(store).iterdir())) == MOST_OPEN + 2
    for path in folder_of(store).iterdir():
        os.utime(path, (time.time() - 2 * 86400,) * 2)
    clear_up(store)
    assert {path.name for path in folder_of(store).iterdir()} == kept
