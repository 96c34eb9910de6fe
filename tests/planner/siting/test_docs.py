"""What docs/siting.md tells to type does what it says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from layers import embedded
from planner import Scenario
from planner.siting.models import MODELS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "siting.md").read_text(encoding="utf-8")


def block(mark):
    found = re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"the page has no block {mark}"
    return found.group(1)


def shell(folder, commands):
    """Run commands as the page has them, on the small city."""
    city = embedded("small").path
    program = f'planner() {{ {sys.executable} -m planner.cli "$1" --city "{city}" "${{@:2}}"; }}\n'
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", program + commands],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_commands(tmp_path):
    done = shell(tmp_path, block("first"))
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "plan.json").read_text("utf-8"))
    assert len(told["sites"]) == 5
    assert told["status"] == "optimal"
    files = {"scenario.json", "sites.gpkg", "sites.csv", "rates.csv"}
    assert {file.name for file in (tmp_path / "plan").iterdir()} == files


def test_the_problem_in_a_file(tmp_path):
    (tmp_path / "problem.toml").write_text(block("problem"), encoding="utf-8")
    done = shell(tmp_path, block("problem-run"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2025" in done.stdout
    scenario = json.loads((tmp_path / "plan" / "scenario.json").read_text("utf-8"))
    assert len(Scenario.from_dict(scenario))


def test_no_solution(tmp_path):
    done = shell(tmp_path, block("infeasible"))
    assert done.returncode == 0
    assert "相互矛盾" in done.stdout
    assert "改为13" in done.stdout
    assert done.stdout.rstrip().endswith("无解")


def test_the_python():
    exec(compile(block("python"), "docs/siting.md", "exec"), {})  # noqa: S102 - the page's own


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_told(model):
    assert f"`{model}`" in PAGE
