"""Undo and redo of a draft."""

from dataclasses import replace

from planner.changes import Close, Open
from planner.desk.draft import Draft
from planner.scenario import Scenario


def test_what_is_undone_is_redone_in_its_order():
    draft = Draft().then(Close(id="a")).then(Close(id="b"))
    back = draft.undone().undone()
    assert back.scenario == Scenario()
    assert back.undone().ahead[-1:] == back.ahead[-1:]
    again = back.redone()
    assert again.scenario.changes == (Close(id="a"),)
    assert again.redone().scenario == draft.scenario
    assert draft.redone() is draft


def test_a_new_change_leaves_nothing_to_redo():
    draft = Draft().then(Close(id="a")).undone().then(Close(id="b"))
    assert draft.ahead == ()


def test_an_id_is_fresh_in_city_and_scenario_and_among_what_can_be_redone():
    draft = Draft().then(Open(service="x", place=(120, 30), id="new-2"))
    assert draft.fresh({"new-1"}) == "new-3"
    assert draft.undone().fresh({"new-1"}) == "new-3"


def test_it_tells_whether_anything_is_not_kept():
    draft = Draft.of(Scenario((Close(id="a"),), "plan"))
    assert not draft.changed
    changed = draft.then(Close(id="b"))
    assert changed.changed
    assert not changed.undone().changed
    kept = changed.kept(replace(changed.scenario, name="other"))
    assert not kept.changed
    assert kept.scenario.name == "other"
