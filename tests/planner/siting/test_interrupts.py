"""Whatever is solved, and however it is stopped: the best so far and a bound, at once."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from planner.siting.backup import backup_cover
from planner.siting.capacitated import capacitated_p_median
from planner.siting.centre import p_centre
from planner.siting.control import Control
from planner.siting.covering import maximal_cover, set_cover
from planner.siting.fair import fair_cover
from planner.siting.instance import Instance, Pairs
from planner.siting.limits import Limits
from planner.siting.median import p_median
from planner.siting.phases import Year, phased_cover

# Seconds after which it is stopped, and those in which it is to come back.
# Machines are shared; without stopping the solvers take minutes.
ASKED, PROMPT = 1.0, 15.0


def cover(size=400, **more):
    """Everyone near about six in a hundred sites: nothing is near the optimum at once."""
    rng = np.random.default_rng(3)
    near = Pairs.from_dense(np.where(rng.random((size, size)) < 0.06, 1.0, np.inf))
    return Instance.of(near, people=rng.integers(1, 100, size), **more)


def apart(rows, sites):
    """Distances that obey no geometry, where bounds are weak."""
    rng = np.random.default_rng(4)
    return rng.integers(1, 1000, (rows, sites)).astype(float)


def areas():
    return np.arange(400) % 9


SOLVES = {
    "maximal cover": lambda control: maximal_cover(cover(), Limits(number=12), control=control),
    "set cover": lambda control: set_cover(cover(), Limits(), control=control),
    "capacities": lambda control: maximal_cover(
        cover(300, capacity=np.full(300, 1100.0)), Limits(number=12), control=control
    ),
    "backup": lambda control: backup_cover(cover(), Limits(), control=control).fewest,
    "fair": lambda control: (
        fair_cover(cover(area=areas()), Limits(number=12), control=control).solution
    ),
    "phases": lambda control: phased_cover(
        cover(), Limits(), [Year(2026, 6), Year(2027, 6)], control=control
    ).solutions[-1],
    "median": lambda control: p_median(
        Instance.of(Pairs.from_dense(apart(300, 300))), Limits(number=20), control=control
    ),
    "centre": lambda control: p_centre(
        Instance.of(Pairs.from_dense(apart(500, 500))), Limits(number=25), control=control
    ),
    "capacitated median": lambda control: capacitated_p_median(
        Instance.of(Pairs.from_dense(apart(120, 60)), capacity=np.full(60, 14.0)),
        Limits(number=10),
        control=control,
    ),
}


# HiGHS listens to nobody for a while when it begins with this.
SLOW = {
    "slow to begin": lambda control: maximal_cover(
        cover(900, capacity=np.full(900, 1100.0)), Limits(number=12), control=control
    )
}


def good(found, why):
    assert found.status == "feasible"
    assert found.stopped == why
    assert 0 < found.gap < np.inf
    better = (
        found.bound > found.objective if found.sense == "max" else found.bound < found.objective
    )
    assert better


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """Compiled code is loaded once a process: that is no part of stopping."""
    for solve in SOLVES.values():
        solve(Control(seconds=0.0))


@pytest.mark.parametrize("name", SOLVES)
def test_out_of_time(name):
    started = time.perf_counter()
    good(SOLVES[name](Control(seconds=ASKED)), "time")
    assert ASKED <= time.perf_counter() - started < ASKED + PROMPT


@pytest.mark.parametrize("name", SOLVES)
def test_cancelled(name):
    started, asked = time.perf_counter(), []

    def cancelled():
        now = time.perf_counter()
        if now - started > ASKED:
            asked.append(now)
        return bool(asked)

    good(SOLVES[name](Control(cancelled=cancelled)), "interrupt")
    assert time.perf_counter() - asked[0] < PROMPT


SCRIPT = """
import sys, time
sys.path.insert(0, {root!r})
from planner.cli import leave
from planner.siting.control import Control
from tests.planner.siting.test_interrupts import SLOW, SOLVES

def told(progress):
    print("told", progress.what, flush=True)

found = (SOLVES | SLOW)[{name!r}](Control(progress=told))
print("end", found.status, found.stopped, found.objective, found.bound, found.gap, flush=True)
leave(7)
sys.exit(7)
"""


@pytest.mark.parametrize("name", ["set cover", "fair", "median", "centre", "slow to begin"])
def test_ctrl_c(name, request):
    script = SCRIPT.format(root=str(request.config.rootpath), name=name)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        first = running.stdout.readline()
        time.sleep(ASKED)
        running.send_signal(signal.SIGINT)
        asked = time.perf_counter()
        line = first
        while line and not line.startswith("end"):
            line = running.stdout.readline()
        took = time.perf_counter() - asked
        problems = running.stderr.read()
        running.wait(timeout=60)
        gone = time.perf_counter() - asked
    # The process ends as it would have, though HiGHS may still be at it.
    assert running.returncode == 7, problems
    _, status, stopped, objective, bound, gap = line.split()
    assert (status, stopped) == ("feasible", "interrupt")
    assert 0 < float(gap) < np.inf
    assert float(objective) != float(bound)
    assert took < PROMPT
    assert gone < took + PROMPT
