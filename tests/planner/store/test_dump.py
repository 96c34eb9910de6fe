import json

import pytest

from layers.errors import StoreError
from planner.store import Store


@pytest.fixture
def filled(store):
    made = store.create("view", "全市\u2028图", {"zoom": 9}, author="王工", note="初\n稿")
    store.save(made.id, {"zoom": 10}, author="李工", based_on=1)
    gone = store.create("value", "门诊", {"year": 2023, "value": 37}, author="王工")
    store.delete(gone.id, author="王工", based_on=1)
    return store


def everything(store):
    found = [*store.records(), *store.records(deleted=True)]
    return {one.id: (one, store.history(one.id)) for one in found}


def test_a_backup_restores_into_either_database(filled, tmp_path, postgres):
    file = tmp_path / "backup.txt"
    assert filled.backup(file) == 2
    for place in (
        tmp_path / "fresh.sqlite",
        postgres.address(postgres.database(postgis=False), schema="fresh"),
    ):
        with Store(place) as fresh:
            assert fresh.restore(file) == 2
            assert everything(fresh) == everything(filled)
            # Again it finds nothing to do.
            assert fresh.restore(file) == 0


def test_a_restore_goes_on_from_an_older_state_and_overwrites_nothing(filled, tmp_path):
    older, newer = tmp_path / "older", tmp_path / "newer"
    filled.backup(older)
    (made,) = filled.records()
    filled.save(made.id, {"zoom": 11}, author="王工", based_on=2)
    filled.backup(newer)
    assert filled.restore(older) == 0
    assert filled.get(made.id).body == {"zoom": 11}
    with Store(tmp_path / "other.sqlite") as other:
        other.restore(older)
        other.save(made.id, {"zoom": 99}, author="赵工", based_on=2)
        before = everything(other)
        with pytest.raises(StoreError, match="第3版"):
            other.restore(newer)
        assert everything(other) == before


def test_the_other_version_of_a_record_comes_along(store, tmp_path):
    made = store.create("view", "v", {"zoom": 1}, author="a")
    store.save(made.id, {"zoom": 2}, author="b", based_on=1)
    with pytest.raises(Exception, match="两个版本"):
        store.save(made.id, {"zoom": 3}, author="c", based_on=1)
    store.backup(tmp_path / "file")
    with Store(tmp_path / "fresh.sqlite") as fresh:
        assert fresh.restore(tmp_path / "file") == 2
        assert everything(fresh) == everything(store)


def test_a_damaged_backup_is_refused_whole(filled, tmp_path):
    file = tmp_path / "backup.txt"
    filled.backup(file)
    whole = file.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    damaged = {
        "cut": whole[: len(whole) // 2],
        "a line short": "".join(lines[:2] + lines[3:]),
        "changed": whole.replace("37", "38"),
        "empty": "",
        "something else": json.dumps({"form": "letters"}),
    }
    with Store(tmp_path / "fresh.sqlite") as fresh:
        for how, words in damaged.items():
            file.write_text(words, encoding="utf-8")
            with pytest.raises(StoreError, match="备份"):
                fresh.restore(file)
            assert fresh.records() == [], how
        with pytest.raises(StoreError):
            fresh.restore(tmp_path)
        with pytest.raises(StoreError):
            fresh.restore(tmp_path / "nowhere")
