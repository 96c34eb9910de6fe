"""Jobs done by real processes beside a server, killed and taken up again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from planner.jobs import Supervisor, files_of
from planner.jobs.alive import lives, name_of
from planner.jobs.places import folder_of
from planner.store import Store
from tests.planner.maps.hamlet import hamlet

PATIENCE = 240
# By hand a longer series: PLANNER_KILLS=200 kills twenty.
KILLS = max(1, int(os.environ.get("PLANNER_KILLS", "6")) // 10)
ASKED = {"kind": "coverage", "year": 2023, "spoken": "zh", "formats": ["json", "html"]}


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    return hamlet().save(tmp_path_factory.mktemp("city") / "hamlet").path.resolve()


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened


def wait(store, job, *states):
    end = time.monotonic() + PATIENCE
    while (now := store.jobs.get(job.id)).state not in states:
        assert time.monotonic() < end, now
        time.sleep(0.02)
    return now


def test_a_report_is_made_beside_and_its_files_are_found(store, village):
    with Supervisor(store, village) as beside:
        asked = store.jobs.ask("report", ASKED, city=beside.place, who="wang")
        strange = store.jobs.ask("poetry", {}, city=beside.place, who="wang")
        done = wait(store, asked, "done", "failed")
        assert done.state == "done", done.told
        names = [file.name for file in files_of(store, done)]
        assert names == ["coverage-2023-zh.html", "coverage-2023.json"]
        failed = wait(store, strange, "failed")
        assert "poetry" in failed.told
    left = [path.name for path in folder_of(store).iterdir()]
    assert left == [asked.id]


def test_a_job_is_cancelled_wherever_it_is(store, village):
    with Supervisor(store, village) as beside:
        first = store.jobs.ask("report", ASKED, city=beside.place)
        second = store.jobs.ask("report", ASKED, city=beside.place)
        wait(store, first, "running")
        store.jobs.cancel(first.id)
        assert wait(store, first, "cancelled").result is None
        # The runner went with it; another does the next.
        assert wait(store, second, "done", "failed").state == "done"


SERVER = """
import sys, time
from pathlib import Path
from planner.jobs import Supervisor
from planner.store import Store
with Store(sys.argv[1]) as store, Supervisor(store, Path(sys.argv[2])):
    time.sleep(600)
"""


def kill_server(store, city, job, under_way):
    """Kill a server once a job is under way; its runner ends with it."""
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(store.place), str(city)])
    running = under_way()
    server.kill()
    server.wait()
    end = time.monotonic() + PATIENCE
    while lives(running.runner):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert store.jobs.get(job.id).state == "running"


def test_a_killed_server_leaves_a_job_that_the_next_takes_up(store, village):
    asked = store.jobs.ask("report", ASKED, city=str(village))
    kill_server(store, village, asked, lambda: wait(store, asked, "running"))
    with Supervisor(store, village):
        done = wait(store, asked, "done", "failed")
    assert (done.state, done.tries) == ("done", 2), done.told
    assert len(files_of(store, done)) == 2


def test_a_killed_runner_is_replaced(store, village):
    with Supervisor(store, village) as beside:
        asked = store.jobs.ask("report", ASKED, city=beside.place)
        running = wait(store, asked, "running")
        os.kill(int(running.runner.rsplit(":", 2)[1]), signal.SIGKILL)
        done = wait(store, asked, "done", "failed")
    assert (done.state, done.tries) == ("done", 2), done.told


def test_runners_killed_at_any_moment_leave_no_half_of_a_report(store, village):
    """Every report ends whole, whenever its runner died, and nothing is left beside it."""
    chance = random.Random(11)  # noqa: S311 - when to strike
    with Supervisor(store, village) as beside:
        for _ in range(KILLS):
            asked = store.jobs.ask("report", ASKED, city=beside.place)
            running = wait(store, asked, "running", "done")
            time.sleep(chance.uniform(0, 3))
            with suppress(ProcessLookupError):
                os.kill(int(running.runner.rsplit(":", 2)[1]), signal.SIGKILL)
            done = wait(store, asked, "done", "failed")
            assert done.state == "done", done.told
            page, figures = files_of(store, done)
            assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")
            assert json.loads(figures.read_text(encoding="utf-8"))
    left = {path.name for path in folder_of(store).iterdir()}
    assert left == {job.id for job in store.jobs.every()}


def test_who_lives_is_told_by_more_than_a_number():
    own = name_of(os.getpid())
    assert lives(own)
    host, pid, _born = own.rsplit(":", 2)
    assert not lives(f"{host}:{pid}:1")
    assert not lives(f"{host}:{2**22 + 1}:1")
    assert lives(f"elsewhere:{pid}:1") is None
