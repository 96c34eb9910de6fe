import json
import multiprocessing

import pytest

from layers.errors import PlanError
from planner.history import Record, add_records, read_history

FIRST = Record(key="life_expectancy", year=2021, value=85.3, who="王", source="年鉴")
BETTER = Record(
    key="life_expectancy", year=2021, value=85.25, who="李", source="年鉴", reason="笔误"
)


def test_a_correction_keeps_what_it_corrects(tmp_path):
    path = tmp_path / "history.jsonl"
    add_records(path, [FIRST])
    add_records(path, [BETTER])
    history = read_history(path)
    assert [record.value for record in history.standing()] == [85.25]
    assert [(r.value, r.who) for r in history.superseded()] == [(85.3, "王")]
    assert all(record.when for record in history)
    assert len(history.of("life_expectancy")) == 2


def test_a_value_is_withdrawn_but_not_lost(tmp_path):
    path = tmp_path / "history.jsonl"
    add_records(path, [FIRST])
    gone = Record(key=FIRST.key, year=2021, value=None, who="李", source="年鉴", reason="撤回")
    history = add_records(path, [gone])
    assert history.standing() == []
    assert [record.value for record in history.superseded()] == [85.3]


@pytest.mark.parametrize(
    ("record", "named"),
    [
        (Record(key="a", year=2021, value=1.0, source="年鉴"), "--by"),
        (Record(key="a", year=2021, value=1.0, who="王"), "--source"),
        (Record(key="life_expectancy", year=2021, value=9.0, who="王", source="年鉴"), "85.3"),
        (Record(key="a", year=2022, value=None, who="王", source="年鉴"), "2022"),
    ],
)
def test_what_is_not_signed_or_explained_is_refused_whole(tmp_path, record, named):
    path = tmp_path / "history.jsonl"
    add_records(path, [FIRST])
    before = path.read_bytes()
    other = Record(key="b", year=2021, value=1.0, who="王", source="年鉴")
    with pytest.raises(PlanError, match=named):
        add_records(path, [other, record])
    assert path.read_bytes() == before


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_line_changed_by_hand_is_noticed(tmp_path, line):
    path = tmp_path / "history.jsonl"
    third = Record(key="b", year=2022, value=3.0, who="王", source="年鉴")
    add_records(path, [FIRST, BETTER, third])
    lines = path.read_text(encoding="utf-8").splitlines()
    stated = json.loads(lines[line - 1])
    lines[line - 1] = json.dumps({**stated, "value": 99.0}, ensure_ascii=False)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(PlanError, match=f"第{line}行"):
        read_history(path)
    # Nor may anything be added to it.
    with pytest.raises(PlanError, match=f"第{line}行"):
        add_records(path, [third])


def test_a_line_left_out_or_cut_off_is_noticed(tmp_path):
    path = tmp_path / "history.jsonl"
    add_records(path, [FIRST, BETTER])
    first, second = path.read_text(encoding="utf-8").splitlines()
    path.write_text(second + "\n", encoding="utf-8")
    with pytest.raises(PlanError, match="第1行"):
        read_history(path)
    path.write_text(f"{first}\n{second[:40]}", encoding="utf-8")
    with pytest.raises(PlanError, match="第2行"):
        read_history(path)


def _enter(path, number):
    for year in range(2021, 2026):
        add_records(path, [Record(key=f"k{number}", year=year, value=1.0, who="王", source="年鉴")])


def test_two_offices_at_once_lose_nothing(tmp_path):
    path = tmp_path / "history.jsonl"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_enter, args=(path, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert len(read_history(path)) == 15
    assert [entry.name for entry in tmp_path.iterdir()] == ["history.jsonl"]


def test_no_file_is_an_empty_history(tmp_path):
    assert len(read_history(tmp_path / "none.jsonl")) == 0
