"""A killed import makes its city whole, once or not at all; none that was told of is lost."""

import os

import pytest

from tests.planner.test_killed_builds import kill

KILLS = int(os.environ.get("PLANNER_KILLS", "6"))
"""How many imports are killed; set PLANNER_KILLS for a longer run."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_imports_killed_at_random_leave_each_city_once_and_whole(tmp_path):
    told = kill("killed_imports", tmp_path, KILLS)
    # A job is seen to its end, so there may be some more.
    assert sum(told["killed"].values()) >= KILLS
    assert told["states"]["done"]
    assert told["left"] == []
