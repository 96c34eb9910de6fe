"""What the README tells to type does what it says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from planner.standards import load_services

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(mark):
    """Return the commands behind a mark."""
    found = re.search(rf"<!-- {mark} -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert found, f"the README has no block {mark}"
    return found.group(1)


def shell(folder, commands):
    """Run commands as the README has them, with this program."""
    program = f'planner() {{ {sys.executable} -m planner.cli "$@"; }}\n'
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", program + commands],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_two_commands_are_there():
    assert "planner coverage" in block("main")
    assert "pytest" in block("tests")
    for mark in ("main", "tests"):
        assert "-c constraints.txt" in block(mark)


def test_building_hangzhou_core_as_told(tmp_path, shared):
    data = shared("hangzhou", "hangzhou_core_osm_drive_network.gpkg").parent
    built = shell(tmp_path, block("build").replace("../shared/data/hangzhou", str(data)))
    assert built.returncode == 0, built.stderr
    done = shell(tmp_path, "planner coverage --city cities/hangzhou-core --json")
    figures = json.loads(done.stdout)
    assert figures["city"]["stand_in"] is True
    assert set(figures["services"]) == set(load_services())
    for told in figures["services"].values():
        for column in ("people", "served", "gap", "facilities"):
            assert sum(unit[column] for unit in told["units"]) == told["city"][column]
        assert 0 < told["city"]["rate"] < 1


@pytest.mark.parametrize("key", list(load_services()))
def test_the_table_of_services_is_theirs(key):
    standard = load_services()[key].standard
    (row,) = [line for line in README.splitlines() if line.startswith(f"| `{key}`")]
    assert f"{standard.cutoff:g} {standard.unit}" in row
    assert standard.mode in row
    if standard.speed_kmh:
        assert f"{standard.speed_kmh:g} km/h" in row
