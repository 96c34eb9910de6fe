"""Entered values in the store, held against the file that keeps the same."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.errors import PlanError
from planner.history import Record, add_records, read_history
from planner.store import Store

ENTRIES = st.builds(
    Record,
    key=st.sampled_from(["life_expectancy", "screening"]),
    year=st.sampled_from([2021, 2022]),
    value=st.one_of(st.none(), st.floats(0, 100)),
    unit=st.sampled_from(["", "330102"]),
    who=st.sampled_from(["王", ""]),
    source=st.just("年鉴"),
    reason=st.sampled_from(["", "更正"]),
    when=st.just("2023-01-01T00:00:00+08:00"),
)


def entered(**more):
    usual = {"key": "life_expectancy", "year": 2023, "value": 85.4, "who": "王", "source": "年鉴"}
    return Record(**{**usual, **more})


def attempt(keeper, records):
    try:
        return list(add_records(keeper, records)), None
    except PlanError as wrong:
        return None, str(wrong)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.lists(ENTRIES, max_size=3), max_size=5))
def test_the_store_takes_and_refuses_what_the_file_does(tmp_path_factory, batches):
    folder = tmp_path_factory.mktemp("both")
    with Store(folder / "store.sqlite") as store:
        kept, file = store.values("杭州"), folder / "history.jsonl"
        for batch in batches:
            assert attempt(kept, batch) == attempt(file, batch)
        assert list(read_history(kept)) == list(read_history(file))
        assert read_history(kept).standing() == read_history(file).standing()


def test_a_value_keeps_its_history_with_who_and_when(store, place):
    add_records(store.values("杭州"), [entered()])
    with pytest.raises(PlanError):
        add_records(store.values("杭州"), [entered(year=2022), entered(value=85.2, who="李")])
    add_records(store.values("杭州"), [entered(value=85.2, who="李", reason="更正")])
    assert [one.value for one in read_history(store.values("杭州"))] == [85.4, 85.2]
    assert len(read_history(store.values("宁波"))) == 0
    (record,) = store.records("value")
    assert [(one.author, one.note) for one in store.history(record.id)] == [
        ("王", ""),
        ("李", "更正"),
    ]
    with Store(place) as again:
        assert read_history(again.values("杭州")).standing()[0].value == 85.2


def test_a_backup_carries_values_to_another_store(store, tmp_path):
    add_records(store.values("杭州"), [entered(), entered(year=2022, unit="330102")])
    store.backup(tmp_path / "all.jsonl")
    with Store(tmp_path / "other.sqlite") as other:
        other.restore(tmp_path / "all.jsonl")
        assert list(read_history(other.values("杭州"))) == list(read_history(store.values("杭州")))


def test_two_who_enter_one_value_at_once_do_not_both_come_first(store, place):
    def enter(number):
        with Store(place) as own:
            return attempt(own.values("杭州"), [entered(value=80.0 + number)])[1]

    with ThreadPoolExecutor(4) as crowd:
        refused = [told for told in crowd.map(enter, range(4)) if told]
    assert len(refused) == 3
    assert len(read_history(store.values("杭州"))) == 1
