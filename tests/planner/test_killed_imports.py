"""An import that is killed leaves no half city, and none that was told of is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("PLANNER_KILLS", "3"))
"""How many imports are killed; set PLANNER_KILLS for a longer run."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_imports_killed_at_random_leave_no_half_city(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.planner.killed_imports", str(tmp_path), str(KILLS), "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert sum(told["killed"].values()) == KILLS
    # The next import clears up what the killed ones left.
    assert told["left"] == []
