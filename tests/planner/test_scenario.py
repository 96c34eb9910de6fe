import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import InputError, UnknownNameError
from planner import (
    Close,
    CloseStreet,
    Move,
    Open,
    Resize,
    Scenario,
    compare,
    coverage,
)

HERE = (120.15, 30.27)
ROOM = "mother_baby_room"
PLACES = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
CAPACITIES = st.floats(0, 1e6)
CHANGES = (
    st.builds(
        Open,
        service=st.text(max_size=5),
        place=PLACES,
        id=st.text(max_size=3),
        name=st.text(max_size=5),
        capacity=st.none() | CAPACITIES,
    )
    | st.builds(Close, id=st.text())
    | st.builds(Move, id=st.text(), place=PLACES)
    | st.builds(Resize, id=st.text(), capacity=CAPACITIES)
    | st.builds(
        CloseStreet,
        street=st.integers() | st.text(),
        mode=st.sampled_from([None, "walk", "cycle", "drive"]),
    )
)


@given(st.lists(CHANGES, max_size=6), st.text(max_size=5))
def test_it_survives_json(changes, name):
    made = Scenario(tuple(changes), name)
    assert Scenario.from_dict(json.loads(json.dumps(made.as_dict()))) == made


def test_labels_of_a_table_survive_json(tiny_city):
    street = tiny_city.streets.index.to_numpy()[3]
    assert isinstance(street, np.integer)
    made = Scenario((CloseStreet(street=street),))
    assert Scenario.from_dict(json.loads(json.dumps(made.as_dict()))).changes[0].street == 3


def test_new_facilities_get_ids_of_their_own():
    made = Scenario((Open(service=ROOM, place=HERE), Open(service=ROOM, place=HERE, id="new-1")))
    made = made.then(Open(service=ROOM, place=HERE))
    assert [change.id for change in made.changes] == ["new-2", "new-1", "new-3"]


def test_the_base_stays_as_it_is(tiny_city):
    before = {key: layer.copy() for key, layer in tiny_city.layers().items()}
    street = tiny_city.streets.index[0]
    changes = (
        Open(service=ROOM, place=HERE, name="新室", capacity=12.0),
        Move(id="M1", place=HERE),
        Resize(id="M1", capacity=7.0),
        Close(id="M2"),
        CloseStreet(street=street, mode="walk"),
    )
    changed = Scenario(changes, "试").apply(tiny_city)
    for key, layer in tiny_city.layers().items():
        pd.testing.assert_frame_equal(layer, before[key])
    assert not changed.findings()[:1] or changed.findings()[0].severity != "error"
    sites = changed.facilities.set_index("id")
    assert "M2" not in sites.index
    assert sites.loc["M1", "capacity"] == 7.0
    assert sites.loc["M1"].geometry.equals(shapely.Point(HERE))
    assert sites.loc["new-1", ["name", "status", "capacity"]].tolist() == ["新室", "existing", 12.0]
    assert sites.loc["H1"].equals(tiny_city.facilities.set_index("id").loc["H1"])
    assert changed.facilities.index.is_unique
    assert list(changed.facilities.dtypes) == list(tiny_city.facilities.dtypes)
    own = changed.streets.loc[street]
    assert not own["walk_forward"]
    assert own["drive_forward"]
    assert changed.streets.index.equals(tiny_city.streets.index)
    assert "试" in changed.provenance["streets"].notes[-1]
    assert changed.provenance["population"] == tiny_city.provenance["population"]


def test_labels_that_are_words(tiny_city):
    sites = tiny_city.facilities.set_index(pd.Index(["new-1", "b", "c", "d", "e", "f", "new-2"]))
    city = replace(tiny_city, facilities=sites)
    plan = Scenario((Open(service=ROOM, place=HERE), Open(service=ROOM, place=HERE)))
    changed = plan.apply(city).facilities
    assert changed.index.is_unique
    assert list(changed.index[:7]) == list(sites.index)


def test_a_facility_of_the_scenario_may_be_changed_by_it(tiny_city):
    plan = Scenario((Open(service=ROOM, place=HERE, id="A"), Open(service=ROOM, place=HERE)))
    plan = plan.then(
        Move(id="A", place=(120.0, 30.0)), Resize(id="A", capacity=3), Close(id="new-1")
    )
    sites = plan.apply(tiny_city).facilities.set_index("id")
    assert "new-1" not in sites.index
    assert sites.loc["A", "capacity"] == 3
    assert sites.loc["A"].geometry.equals(shapely.Point(120.0, 30.0))


def test_nothing_left_but_what_opened(tiny_city):
    ids = list(tiny_city.facilities["id"])
    plan = Scenario((*(Close(id=one) for one in ids), Open(service=ROOM, place=HERE)))
    changed = plan.apply(tiny_city)
    assert list(changed.facilities["id"]) == ["new-1"]
    assert len(plan.undone().apply(tiny_city).facilities) == 0


STREET_GONE = (CloseStreet(street=3), CloseStreet(street=3, mode="drive"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ((Close(id="M9"),), "M9"),
        ((Resize(id="M2", capacity=1), Move(id="M9", place=HERE)), "第2处"),
        ((Close(id="M1"), Close(id="M1")), "已在本方案中关闭"),
        ((Close(id="M1"), Move(id="M1", place=HERE)), "已在本方案中关闭"),
        ((Open(service=ROOM, place=HERE, id="M1"),), "已被占用"),
        ((Open(service="swimming", place=HERE),), "swimming"),
        ((CloseStreet(street="no such"),), "no such"),
        ((CloseStreet(street=99_999),), "99999"),
        (STREET_GONE, "本已封闭"),
    ],
)
def test_what_cannot_be_made_is_refused(tiny_city, changes, told):
    with pytest.raises(InputError, match=told):
        Scenario(changes).apply(tiny_city)


def test_a_street_may_close_mode_by_mode(tiny_city):
    plan = Scenario((CloseStreet(street=3, mode="walk"), CloseStreet(street=3)))
    assert not plan.apply(tiny_city).streets.loc[3, ["walk_forward", "drive_backward"]].any()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Scenario((Open(service=ROOM, place=(514_000.0, 3_350_000.0)),)),
        lambda: Scenario((Move(id="M1", place=(float("nan"), 30.0)),)),
        lambda: Scenario((Resize(id="M1", capacity=-1),)),
        lambda: Scenario((Open(service=ROOM, place=HERE, capacity=float("inf")),)),
    ],
)
def test_impossible_values_are_refused(make):
    with pytest.raises(InputError, match="第1处"):
        make()


def test_unknown_modes_are_refused():
    with pytest.raises(UnknownNameError):
        Scenario((CloseStreet(street=1, mode="fly"),))


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ([], "版本"),
        ({"version": 2, "changes": []}, "版本"),
        ({"version": 1}, "changes"),
        ({"version": 1, "changes": [], "name": 3}, "name"),
        ({"version": 1, "changes": [3]}, "第1处"),
        ({"version": 1, "changes": [{"kind": "raze", "id": "M1"}]}, "raze"),
        ({"version": 1, "changes": [{"kind": "close"}]}, "字段不符"),
        ({"version": 1, "changes": [{"kind": "close", "id": "M1", "by": 1}]}, "字段不符"),
        ({"version": 1, "changes": [{"kind": "close", "id": 1}]}, "id"),
        ({"version": 1, "changes": [{"kind": "move", "id": "M1", "place": [1]}]}, "place"),
        ({"version": 1, "changes": [{"kind": "move", "id": "M1", "place": [1, "a"]}]}, "place"),
        ({"version": 1, "changes": [{"kind": "resize", "id": "M1", "capacity": True}]}, "capacity"),
        ({"version": 1, "changes": [{"kind": "resize", "id": "M1", "capacity": None}]}, "capacity"),
        ({"version": 1, "changes": [{"kind": "close_street", "street": 1.5}]}, "street"),
    ],
)
def test_what_is_no_scenario_is_refused(table, told):
    with pytest.raises(InputError, match=told):
        Scenario.from_dict(table)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_tells_its_changes(lang):
    plan = Scenario(
        (
            Open(service=ROOM, place=HERE, name="新室"),
            Close(id="M1"),
            Move(id="M2", place=HERE),
            Resize(id="M2", capacity=30),
            CloseStreet(street=7, mode="walk"),
            CloseStreet(street=8),
        ),
        "试",
    )
    told = plan.words(lang)
    assert len(told) == len(plan) == 6
    for word, line in zip(("新室", "M1", "120.15", "30", "7", "8"), told, strict=True):
        assert word in line
    assert repr(plan) == ("<Scenario 试: 2 close_street, 1 open, 1 close, 1 move, 1 resize>")
    assert repr(Scenario()) == "<Scenario: no changes>"


def test_rates_stand_side_by_side(tiny_city):
    before = coverage(tiny_city, ROOM)
    homes = tiny_city.population.geometry
    # One more far to the west of every unit: a row for those in none appears.
    plan = Scenario((Close(id="M2"), Open(service=ROOM, place=(120.0, homes.iloc[0].y))))
    after = coverage(plan.apply(tiny_city), ROOM)
    table = compare(before, after, "township", "residents")
    expected = after.by("township", "residents").set_index("code")
    units = table[table["code"] != ""]
    assert list(table["code"]) == sorted(units["code"])
    assert units["served_after"].tolist() == expected.loc[units["code"], "served"].tolist()
    less = before.by("township", "residents")["served"].tolist()
    assert units["served_before"].tolist() == less
    assert (units["served_more"] <= 0).all()
    np.testing.assert_array_equal(units["rate_more"], units["rate_after"] - units["rate_before"])
