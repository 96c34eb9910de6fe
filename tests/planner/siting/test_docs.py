"""What docs/siting.md tells to type does what it says."""

import json

import pytest

from planner import Scenario
from planner.siting.models import MODELS
from tests.documents import ROOT, block, shell, small_cache

PAGE = "docs/siting.md"


@pytest.fixture
def typed(tmp_path):
    """Type a block into a folder where the embedded city is the small one."""
    cache = small_cache(tmp_path / "cache")
    folder = tmp_path / "work"
    folder.mkdir()
    return folder, lambda mark: shell(folder, block(PAGE, mark), XDG_CACHE_HOME=str(cache))


def test_the_first_commands(typed):
    folder, run = typed
    done = run("first")
    assert done.returncode == 0, done.stderr
    told = json.loads((folder / "plan.json").read_text("utf-8"))
    assert len(told["sites"]) == 5
    assert told["status"] == "optimal"
    files = {"scenario.json", "sites.gpkg", "sites.csv", "rates.csv"}
    assert {file.name for file in (folder / "plan").iterdir()} == files


def test_the_problem_in_a_file(typed):
    folder, run = typed
    (folder / "problem.toml").write_text(block(PAGE, "problem"), encoding="utf-8")
    done = run("problem-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2025" in done.stdout
    scenario = json.loads((folder / "plan" / "scenario.json").read_text("utf-8"))
    assert len(Scenario.from_dict(scenario))


def test_no_solution(typed):
    _, run = typed
    done = run("infeasible")
    assert done.returncode == 0
    assert "相互矛盾" in done.stdout
    assert "改为13" in done.stdout
    assert done.stdout.rstrip().endswith("无解")


def test_the_python():
    exec(compile(block(PAGE, "python"), PAGE, "exec"), {})  # noqa: S102 - the page's own


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_told(model):
    assert f"`{model}`" in (ROOT / PAGE).read_text(encoding="utf-8")
