"""The tasks that CONTRIBUTING names, and what it says about where things stand."""

import csv
import os
import re
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from planner.bench import Bench, Timing
from planner.cli import _COMMANDS, main
from tests.documents import ROOT, block

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TASKS = sorted(
    set(re.findall(r"^(scripts/\w+|\.ci/run)", block("CONTRIBUTING.md", "tasks"), re.MULTILINE))
)


def script(path):
    """Load a script as a module."""
    spec = spec_from_file_location(path.stem, path)
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_a_script(task):
    path = ROOT / task
    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0


def test_ci_runs_the_tasks():
    runs = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert set(TASKS) >= {"scripts/check", "scripts/docs", "scripts/test", "scripts/wheel"}
    for task in ("check", "docs", "wheel"):
        assert re.search(rf"^scripts/{task}$", runs, re.MULTILINE)
    # The README's command is what scripts/test runs too.
    asked = (ROOT / "scripts" / "test").read_text(encoding="utf-8")
    assert "-m pytest -n 2" in asked
    assert "-m pytest -n 2" in block("README.md", "tests")


@pytest.mark.parametrize(
    "row", [line for line in PAGE.splitlines() if line.startswith("| **")], ids=lambda row: row[:30]
)
def test_what_is_said_to_be_there_is_there(row):
    named = re.findall(r"`([^`]+)`", row)
    files = [ROOT / name for name in named if "/" in name or name.endswith(".md")]
    assert files
    for path in files:
        assert path.exists(), path
    # Other words stand in one of those files, those of tables and code alike.
    held = "\n".join(
        part.read_text(encoding="utf-8")
        for path in files
        for part in (path.rglob("*.py") if path.is_dir() else [path])
    )
    for word in set(named) - {str(path.relative_to(ROOT)) for path in files}:
        if "/" not in word and word not in {"tags=", "--plan", "zh", "en"}:
            assert word.strip("[]") in held, word


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_tells_its_options(command, lang, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--lang", lang, command, "--help"])
    assert ended.value.code == 0
    assert f"planner {command}" in capsys.readouterr().out


def test_the_record_of_the_bench(tmp_path):
    bench = Bench(1000, 1500)
    bench.rows.append(Timing("nearest", 0.01, "scipy", 0.05, 5.0, 4.0, 6.0))
    bench.rows.append(Timing("compile", 0.3))
    record = script(ROOT / "benchmarks" / "record.py")
    first = record.lines_of(bench.as_dict(), date="2026-01-01", version="0.1.0", commit="a")
    second = record.lines_of(bench.as_dict(), date="2026-02-01", version="0.2.0", commit="b")
    again = record.joined(record.joined(first, second), second)
    assert len(again) == 4
    record.write(tmp_path / "record.csv", again)
    held = record.read(tmp_path / "record.csv")
    assert [one["ratio"] for one in held] == ["5.0", "", "5.0", ""]
    record.draw(held, tmp_path / "record.svg")
    drawn = (tmp_path / "record.svg").read_text(encoding="utf-8")
    assert "<svg" in drawn
    assert "0.2.0" in drawn


def test_a_commit_is_recorded_under_its_own_date():
    about = script(ROOT / "benchmarks" / "record.py").about
    try:
        made = about("HEAD")
    except (subprocess.CalledProcessError, FileNotFoundError) as wrong:
        pytest.skip(f"no repository here: {wrong}")
    assert set(made) == {"date", "version", "commit"}
    assert len(made["date"]) == 10
    assert made["version"] in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_record_that_is_kept_can_be_drawn(tmp_path):
    kept = ROOT / "benchmarks" / "record.csv"
    with kept.open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file))
    command = [sys.executable, "benchmarks/record.py", "draw", "--plot", tmp_path / "plot.svg"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_lowest_versions():
    lowest = script(ROOT / "scripts" / "lowest.py").lowest
    project = {
        "name": "this",
        "dependencies": ["numpy>=2.1", "pandera[pandas]>=0.29"],
        "optional-dependencies": {"more": ["this[other]", "jieba>=0.42.1,<1"]},
    }
    assert lowest(project, ["more"]) == ["numpy==2.1", "pandera==0.29", "jieba==0.42.1"]
    with pytest.raises(ValueError, match="scipy"):
        lowest({**project, "dependencies": ["scipy"]}, [])


def test_pages_that_ask_others_are_found(tmp_path):
    outside = script(ROOT / "scripts" / "outside.py").outside
    (tmp_path / "good.html").write_text(
        '<link rel="canonical" href="https://example.org/"><a href="https://example.org/">x</a>'
        '<script src="own.js"></script>',
        encoding="utf-8",
    )
    (tmp_path / "good.css").write_text("a{background:url(own.png)}", encoding="utf-8")
    assert outside(tmp_path) == []
    (tmp_path / "bad.html").write_text('<script src="//example.org/a.js"></script>', "utf-8")
    (tmp_path / "bad.css").write_text("@import 'https://example.org/b.css';", "utf-8")
    assert len(outside(tmp_path)) == 2


@pytest.mark.skipif(shutil.which("git") is None, reason="git is wanted")
def test_hooks_call_what_is_here():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert "repo: local" in hooks
    assert "://" not in hooks
    assert "scripts/check" in hooks
