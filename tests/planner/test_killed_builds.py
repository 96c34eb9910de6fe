"""A build that is killed leaves the earlier city or the new one, whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("PLANNER_KILLS", "20"))
"""How many builds are killed; set PLANNER_KILLS for a longer run."""


def kill(module, folder, kills):
    """Run a script that kills its own children; what it tells."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.planner.{module}", str(folder), str(kills), "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_builds_killed_at_random_leave_no_half_city(tmp_path):
    told = kill("killed_builds", tmp_path, KILLS)
    assert sum(told["killed"].values()) == KILLS
    assert told["killed"]["save"] >= KILLS // 4
    # The next build clears up what the killed ones left.
    assert told["left"] == ["city", "city-rejected"]
