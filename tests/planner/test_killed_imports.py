"""An import that is killed leaves no half city, and none that was told of is lost."""

import os

import pytest

from tests.planner.test_killed_builds import kill

KILLS = int(os.environ.get("PLANNER_KILLS", "3"))
"""How many imports are killed; set PLANNER_KILLS for a longer run."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_imports_killed_at_random_leave_no_half_city(tmp_path):
    told = kill("killed_imports", tmp_path, KILLS)
    assert sum(told["killed"].values()) == KILLS
    # The next import clears up what the killed ones left.
    assert told["left"] == []
