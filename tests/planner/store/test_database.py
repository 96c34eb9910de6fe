"""Migrations with data in the tables, and stores of a program that is newer."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from layers.errors import StoreError
from planner.store import Store
from planner.store.database import Database, usual_place
from planner.store.tables import METADATA, RECORDS

# By hand a longer series: PLANNER_KILLS=200 pytest tests/planner/store/test_database.py
KILLS = int(os.environ.get("PLANNER_KILLS", "6"))


def test_the_steps_make_what_the_tables_say(place):
    database = Database(place)
    with database.transaction() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []
    database.close()


def test_down_and_up_again_with_data_over_every_step(place):
    with Store(place) as store:
        kept = store.create("view", "v", {"x": 1}, author="a")
        kept = store.save(kept.id, {"x": 2}, author="b", based_on=1)
        store.accounts.add("zhao", "planner", "a lengthy secret")
        asked = store.jobs.ask("report", {"year": 2023}, city="c")
    database = Database(place)
    assert database.form == "0003"
    # A step down loses its own table alone, and a step up brings it back empty.
    database.migrate("0002")
    assert database.form == "0002"
    with Store(place) as store:
        assert [one.name for one in store.accounts.every()] == ["zhao"]
        assert store.jobs.every() == []
        assert store.get(kept.id) == kept
        store.jobs.ask("report", {"year": 2024}, city="c")
    database.migrate("0001")
    assert database.form == "0001"
    with Store(place) as store:
        assert store.accounts.every() == store.jobs.every() == []
        assert store.get(kept.id) == kept
        assert [one.author for one in store.history(kept.id)] == ["a", "b"]
        assert asked.id not in {one.id for one in store.jobs.every()}
    database.migrate("base")
    assert database.form == ""
    database.migrate()
    with database.transaction() as connection:
        assert connection.execute(sa.select(RECORDS)).all() == []
    database.close()


def test_a_store_of_a_newer_program_is_left_alone(place):
    database = Database(place)
    with database.transaction() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StoreError, match="更新版本"):
        Store(place)


def test_the_place_may_be_told_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("PLANNER_STORE", str(tmp_path / "mine.sqlite"))
    assert usual_place() == str(tmp_path / "mine.sqlite")
    with Store() as store:
        assert store.place == tmp_path / "mine.sqlite"
    monkeypatch.delenv("PLANNER_STORE")
    assert str(usual_place()).endswith("store.sqlite")


_WRITER = """
    import sys
    from planner.store import Store
    with Store(sys.argv[1]) as store:
        made = store.create("value", "v", 0, author="a")
        print(made.id, 1, flush=True)
        for number in range(1, 100000):
            store.save(made.id, number, author="a", based_on=number)
            print(made.id, number + 1, flush=True)
"""


_MIGRATOR = """
    import sys
    from planner.store import Store
    from planner.store.database import Database
    with Store(sys.argv[1]) as store:
        if not store.records():
            store.create("view", "v", {"x": 1}, author="a")
        print("kept", 1, flush=True)
        database = Database(sys.argv[1])
        while True:
            database.migrate("0001")
            database.migrate()
"""


def test_killed_while_it_migrates_a_store_is_in_one_form_and_whole(place):
    """Up and down over two steps until it dies; the next to open it finds no half of a step."""
    chance = random.Random(7)  # noqa: S311 - when to strike
    kept = False
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(_MIGRATOR), str(place)], stdout=subprocess.PIPE
        )
        if chance.random() < 0.8:
            kept = bool(child.stdout.readline()) or kept
        time.sleep(chance.uniform(0, 0.5))
        child.send_signal(signal.SIGKILL)
        kept = bool(child.stdout.read()) or kept
        child.wait()
        child.stdout.close()
    assert kept
    database = Database(place)
    assert database.form == "0003"
    with database.transaction() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    database.close()
    with Store(place) as store:
        assert [one.body for one in store.records()] == [{"x": 1}]
        store.accounts.add("zhao", "viewer", "a lengthy secret")


_ENTERING = """
    import sys
    from planner.history import Record, add_records
    from planner.store import Store
    usual = dict(key="k", year=2023, who="a", source="s", reason="r")
    with Store(sys.argv[1]) as store:
        values = store.values("c")
        number = len(values.read())
        while True:
            number += 2
            pair = [Record(value=number - 1.0, **usual), Record(value=float(number), **usual)]
            add_records(values, pair)
            print("values", number, flush=True)
"""


def test_killed_while_values_are_entered_none_is_lost_and_no_pair_is_halved(place):
    chance = random.Random(9)  # noqa: S311 - when to strike
    told = 0
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(_ENTERING), str(place)], stdout=subprocess.PIPE
        )
        first = child.stdout.readline() if chance.random() < 0.8 else b""
        time.sleep(chance.uniform(0, 0.3))
        child.send_signal(signal.SIGKILL)
        lines = [first, *_whole_lines(child.stdout.read())]
        told = max([told, *(_acknowledged(line)[1] for line in lines if line.strip())])
        child.wait()
        child.stdout.close()
    assert told
    with Store(place) as store:
        found = [one.value for one in store.values("c").read()]
        assert found == [float(number) for number in range(1, len(found) + 1)]
        assert len(found) >= told
        assert len(found) % 2 == 0


def test_killed_at_any_moment_what_was_acknowledged_is_there(place):
    """The writer makes the store, migrates it and saves; it dies at a random moment."""
    chance = random.Random(5)  # noqa: S311 - when to strike
    told = {}
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(_WRITER), str(place)], stdout=subprocess.PIPE
        )
        if chance.random() < 0.75:
            # Not before it writes, which is what matters most.
            first = child.stdout.readline()
            told.update([_acknowledged(first)])
        time.sleep(chance.uniform(0, 0.4))
        child.send_signal(signal.SIGKILL)
        told.update(map(_acknowledged, _whole_lines(child.stdout.read())))
        child.wait()
        child.stdout.close()
    assert told
    with Store(place) as store:
        for record in store.records():
            changes = store.history(record.id)
            assert [one.number for one in changes] == list(range(1, len(changes) + 1))
            assert record.revision == len(changes)
            assert record.body == record.revision - 1
        for record, number in told.items():
            assert store.get(record).revision >= number


def _whole_lines(told):
    """A line that the kill cut off acknowledges nothing."""
    return [line for line in told.splitlines(keepends=True) if line.endswith(b"\n")]


def _acknowledged(line):
    record, number = line.split()
    return record.decode(), int(number)
