"""A report whose runner is killed stands whole or not at all, and none that was done is lost."""

import os

import pytest

from tests.planner.test_killed_builds import kill

KILLS = int(os.environ.get("PLANNER_KILLS", "3"))
"""How many runners are killed; set PLANNER_KILLS for a longer run."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_runners_killed_at_random_leave_no_half_report(tmp_path):
    told = kill("killed_reports", tmp_path, KILLS)
    # A job is seen to its end, so there may be some more.
    assert sum(told["killed"].values()) >= KILLS
    assert told["left"] == []
