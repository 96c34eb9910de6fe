from concurrent.futures import ThreadPoolExecutor

import pytest

from layers.errors import (
    InputError,
    RecordMissingError,
    RevisionConflictError,
    StoreError,
    UnknownNameError,
)
from planner import Close, Open, Scenario
from planner.store import Store

PLAN = Scenario((Open(service="fitness_circle", place=(120.2, 30.25), name="江边"),), "江边方案")


def kept(store, **more):
    return store.create("scenario", PLAN.name, PLAN.as_dict(), author="王工", **more)


def test_what_is_kept_comes_back_from_another_opening(place):
    with Store(place) as store:
        made = kept(store, city="杭州", note="初稿")
    with Store(place) as store:
        found = store.get(made.id)
        (first,) = store.history(made.id)
    assert found == made
    assert Scenario.from_dict(found.body) == PLAN
    assert (found.revision, found.author, found.city, found.deleted) == (1, "王工", "杭州", False)
    assert (first.action, first.author, first.note, first.at) == (
        "create",
        "王工",
        "初稿",
        found.at,
    )
    assert found.at.utcoffset().total_seconds() == 0


def test_every_state_stays_with_who_and_when(store):
    made = kept(store)
    longer = PLAN.then(Close(id="x"))
    second = store.save(made.id, longer.as_dict(), author="李工", based_on=1, name="江边二")
    gone = store.delete(made.id, author="王工", based_on=2, note="作废")
    back = store.recover(made.id, author="李工")
    assert [one.action for one in store.history(made.id)] == ["create", "save", "delete", "recover"]
    assert [one.author for one in store.history(made.id)] == ["王工", "李工", "王工", "李工"]
    assert (second.name, gone.deleted, back.deleted, back.revision) == ("江边二", True, False, 4)
    assert Scenario.from_dict(store.get(made.id, revision=1).body) == PLAN
    assert Scenario.from_dict(back.body) == longer
    assert store.recover(made.id, author="王工") == back


def test_listing_tells_kinds_cities_and_the_deleted_apart(store):
    one, other = kept(store, city="杭州"), kept(store, city="宁波")
    view = store.create("view", "全市", {"service": "fitness_circle"}, author="王工", city="杭州")
    assert {record.id for record in store.records()} == {one.id, other.id, view.id}
    assert [record.id for record in store.records("view")] == [view.id]
    assert {record.id for record in store.records(city="杭州")} == {one.id, view.id}
    store.delete(one.id, author="王工", based_on=1)
    assert {record.id for record in store.records()} == {other.id, view.id}
    assert [record.id for record in store.records(deleted=True)] == [one.id]


def test_two_who_change_one_scenario_both_keep_their_version(store):
    made = kept(store)
    theirs = PLAN.then(Close(id="a"))
    own = PLAN.then(Close(id="b"))
    store.save(made.id, theirs.as_dict(), author="李工", based_on=1)
    with pytest.raises(RevisionConflictError, match=r"李工.*第2版.*第1版.*王工") as caught:
        store.save(made.id, own.as_dict(), author="王工", based_on=1)
    assert Scenario.from_dict(store.get(made.id).body) == theirs
    beside = store.get(caught.value.own.id)
    assert Scenario.from_dict(beside.body) == own
    assert beside.other_of == made.id
    assert "王工" in beside.name
    assert caught.value.theirs.author == "李工"


def test_a_deleted_record_is_not_saved_over(store):
    made = kept(store)
    store.delete(made.id, author="李工", based_on=1)
    with pytest.raises(RevisionConflictError, match="删除") as caught:
        store.save(made.id, PLAN.as_dict(), author="王工", based_on=2)
    assert Scenario.from_dict(caught.value.own.body) == PLAN
    assert store.get(made.id).deleted


def test_what_was_changed_since_is_not_deleted(store):
    made = kept(store)
    store.save(made.id, PLAN.as_dict(), author="李工", based_on=1)
    with pytest.raises(RevisionConflictError, match="没有删除") as caught:
        store.delete(made.id, author="王工", based_on=1)
    assert caught.value.own is None
    assert not store.get(made.id).deleted


def test_of_many_at_once_one_saves_and_all_are_kept(place):
    with Store(place) as store:
        made = kept(store)

    def change(number):
        own = PLAN.then(Close(id=str(number)))
        with Store(place) as store:
            try:
                store.save(made.id, own.as_dict(), author=str(number), based_on=1)
            except RevisionConflictError:
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(change, range(16)))
    assert saved.count(True) == 1
    with Store(place) as store:
        changed = {
            one.body["changes"][-1]["id"]
            for one in store.records("scenario")
            if len(one.body["changes"]) > 1
        }
        assert changed == {str(number) for number in range(16)}
        assert store.get(made.id).revision == 2


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"kind": "poem"}, UnknownNameError, "poem"),
        ({"name": " "}, InputError, "名称"),
        ({"author": ""}, InputError, "由谁"),
        ({"body": {"version": 1, "name": "x", "changes": [{"kind": "fly"}]}}, InputError, "fly"),
        ({"body": float("nan")}, InputError, "JSON"),
        ({"body": {1, 2}}, InputError, "JSON"),
    ],
)
def test_what_makes_no_sense_is_not_kept(store, change, error, says):
    given = {"kind": "scenario", "name": "n", "body": PLAN.as_dict(), "author": "王工", **change}
    kind, name, body = (given.pop(key) for key in ("kind", "name", "body"))
    with pytest.raises(error, match=says):
        store.create(kind, name, body, **given)
    assert store.records() == []


def test_unknown_records_are_told(store):
    for ask in (store.get, store.history):
        with pytest.raises(RecordMissingError, match="nowhere"):
            ask("nowhere")
    made = kept(store)
    with pytest.raises(RecordMissingError):
        store.get(made.id, revision=7)
    store.delete(made.id, author="王工", based_on=1)
    with pytest.raises(RecordMissingError):
        store.delete(made.id, author="王工", based_on=2)


def test_names_that_are_statements_are_only_names(store):
    evil = "'); DROP TABLE records; --"
    made = store.create("view", evil, {"x": evil}, author=evil)
    assert store.get(made.id).name == evil
    assert store.records()[0].body == {"x": evil}


def test_a_file_that_is_no_store_is_refused(tmp_path):
    path = tmp_path / "letter.sqlite"
    path.write_text("Dear Sir, " * 200)
    with pytest.raises(StoreError, match=r"letter\.sqlite"):
        Store(path)
    assert path.read_text().startswith("Dear Sir")
    with pytest.raises(StoreError):
        Store(path / "below")


def test_a_password_is_never_told(postgres):
    wrong = postgres.address("nowhere", schema="kept")
    with pytest.raises(StoreError) as caught:
        Store(wrong)
    assert postgres.password not in str(caught.value)
    assert caught.value.__cause__ is None
