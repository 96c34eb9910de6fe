"""What the README tells to type does what it says."""

import json

import pytest

from planner.standards import load_services
from tests.documents import ROOT, block, shell

PAGE = "README.md"


def test_the_two_commands_are_there():
    assert "planner coverage" in block(PAGE, "main")
    assert "pytest" in block(PAGE, "tests")
    for mark in ("main", "tests"):
        assert "-c constraints.txt" in block(PAGE, mark)


def test_building_hangzhou_core_as_told(tmp_path, shared):
    data = shared("hangzhou", "hangzhou_core_osm_drive_network.gpkg").parent
    built = shell(tmp_path, block(PAGE, "build").replace("../shared/data/hangzhou", str(data)))
    assert built.returncode == 0, built.stderr
    done = shell(tmp_path, "planner coverage --city cities/hangzhou-core --json")
    figures = json.loads(done.stdout)
    assert figures["city"]["stand_in"] is True
    assert set(figures["services"]) == set(load_services())
    for told in figures["services"].values():
        for column in ("people", "served", "gap", "facilities"):
            assert sum(unit[column] for unit in told["units"]) == told["city"][column]
        assert 0 < told["city"]["rate"] < 1


@pytest.mark.parametrize("page", [PAGE, "docs/method.md"])
@pytest.mark.parametrize("key", list(load_services()))
def test_the_table_of_services_is_theirs(key, page):
    standard = load_services()[key].standard
    told = (ROOT / page).read_text(encoding="utf-8")
    (row,) = [line for line in told.splitlines() if line.startswith(f"| `{key}`")]
    assert f"{standard.cutoff:g} {standard.unit}" in row
    assert standard.mode in row
    if standard.speed_kmh:
        assert f"{standard.speed_kmh:g} km/h" in row
