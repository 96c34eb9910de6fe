"""``planner store`` over a file."""

import json

import pytest

from planner import Open, Scenario
from planner.cli import main

PLAN = Scenario((Open(service="fitness_circle", place=(120.2, 30.25)),), "江边")


@pytest.fixture
def run(capsys, tmp_path):
    def run(*words, place=tmp_path / "store.sqlite"):
        status = main(["store", "--store", str(place), *map(str, words)])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


@pytest.fixture
def added(run, tmp_path):
    file = tmp_path / "scenario.json"
    file.write_text(json.dumps(PLAN.as_dict()), encoding="utf-8")
    status, out, _ = run("add", file, "--author", "王工", "--note", "初稿", "--json")
    assert status == 0
    return json.loads(out)["record"]


def test_a_scenario_is_added_listed_and_shown(run, added):
    assert added["name"] == "江边"
    assert Scenario.from_dict(added["body"]) == PLAN
    _, out, _ = run("list")
    assert added["id"] in out
    assert "王工" in out
    _, out, _ = run("show", added["id"])
    assert "初稿" in out
    _, out, _ = run("show", added["id"], "--json")
    assert json.loads(out)["history"][0]["action"] == "create"
    assert run("list", "--kind", "view")[1].strip() == "没有记录。"


def test_deleted_and_recovered(run, added):
    status, out, _ = run("delete", added["id"], "--author", "李工")
    assert (status, "删除" in out) == (0, True)
    assert "没有" in run("list")[1]
    assert added["id"] in run("list", "--deleted")[1]
    assert run("delete", added["id"])[0] == 1
    assert "恢复" in run("recover", added["id"])[1]
    assert added["id"] in run("list")[1]


def test_backed_up_and_restored(run, added, tmp_path):
    file = tmp_path / "backup.txt"
    assert "1 条" in run("backup", file)[1]
    _, out, _ = run("restore", file, "--json", place=tmp_path / "other.sqlite")
    assert json.loads(out)["records"] == 1
    _, out, _ = run("list", "--json", place=tmp_path / "other.sqlite")
    assert [one["id"] for one in json.loads(out)["records"]] == [added["id"]]
    file.write_text("x")
    assert run("restore", file)[0] == 1


def test_what_is_wrong_is_told(run, tmp_path):
    status, _, err = run("show", "nowhere")
    assert (status, "nowhere" in err) == (1, True)
    for words in ("[]", "{", '{"version": 7}'):
        (tmp_path / "bad.json").write_text(words)
        status, _, err = run("add", tmp_path / "bad.json")
        assert status == 1
        assert err
    assert run("add", tmp_path / "nowhere.json")[0] == 1
