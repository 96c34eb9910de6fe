"""Builds of a city that are killed again and again, each a process of its own.

Run as ``python -m tests.planner.killed_builds FOLDER COUNT SEED``: what was seen is written
as JSON. The process does nothing but fork, so that each build starts with the program
loaded and most of its time is the build's own.
"""

import importlib
import json
import os
import signal
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from layers import City
from layers.errors import CityMissingError
from planner.cli import main
from tests.layers.sources.fetch.server import World

LOST = "名称,经度,纬度\n甲,120.0031,30.0031\n乙,,\n"
NAMES = ("小城", "新城")
# Share of the kills that are meant for the save, which is short.
_IN_SAVE = 0.6
# What a build loads on its way, so that a forked one does not spend its time on that.
_LOADED = (
    "hypothesis", "numba", "planner._grid", "pyarrow.pandas_compat", "rasterio", "rich.status",
)  # fmt: skip


def sources(folder):
    """Write the sources; the second city has more people and streets than the first."""
    (folder / "places.csv").write_text(LOST, encoding="utf-8")
    for name, world in zip(NAMES, (World(), World(columns=30, rows=20)), strict=True):
        (folder / f"{name}.osm").write_bytes(world.whole())


def words(folder, name):
    """Write the command that builds one of the two."""
    own = [f"--{key}={folder / name}.osm" for key in ("streets", "units", "population")]
    places = f"--facilities={folder / 'places.csv'},service=menopause_clinic"
    return ["build", "--name", name, *own, places, f"--out={folder / 'cities' / 'city'}"]


def forked(work):
    """Start a process that does some work and ends with its status."""
    child = os.fork()
    if child:
        return child
    status = 99
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        status = work()
    finally:
        os._exit(status)


def ended(child):
    """Wait for a process: its status, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def is_running(child):
    """Whether a process has not ended."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def saving(out):
    """Whether a save is under way."""
    return bool(list(out.parent.glob(f".{out.name}.new-*")))


def state(out):
    """Which city is there, every checksum right: 0 or 1 by its name, 2 for none."""
    try:
        return NAMES.index(City.open(out).name)
    except CityMissingError:
        return 2


def timed(folder):
    """Seconds that a whole build takes, and its save."""
    folder.mkdir()
    sources(folder)
    begun, moments = time.monotonic(), []
    child = forked(lambda: main(words(folder, NAMES[1])))
    while is_running(child):
        if saving(folder / "cities" / "city"):
            moments.append(time.monotonic())
        time.sleep(0.001)
    assert ended(child) == 0
    return time.monotonic() - begun, moments[-1] - moments[0]


def run(folder, count, seed):
    """Kill builds and look at what each leaves."""
    for module in _LOADED:
        importlib.import_module(module)
    sources(folder)
    out = folder / "cities" / "city"
    whole, save = timed(folder / "trial")
    chance = np.random.default_rng(seed)
    seen, killed = Counter(), Counter()
    before, turn = 2, 0
    while killed.total() < count:
        turn += 1
        wanted = turn % 2
        child = forked(partial(main, words(folder, NAMES[wanted])))
        if chance.random() < _IN_SAVE:
            while is_running(child) and not saving(out):
                time.sleep(0.0005)
            time.sleep(chance.uniform(0, 1.2 * save))
        else:
            time.sleep(chance.uniform(0, whole))
        moment = "save" if saving(out) else "else"
        os.kill(child, signal.SIGKILL)
        if ended(child) != -signal.SIGKILL:
            moment = None  # It was done before.
        now = ended(forked(lambda: state(out)))
        # The earlier city or the new one, whole; none only while there was none.
        assert now in {before, wanted}, (turn, moment, before, now)
        if moment:
            killed[moment] += 1
            seen[(*NAMES, "none")[now]] += 1
        before = now
    assert ended(forked(lambda: main(words(folder, NAMES[0])))) == 0
    assert ended(forked(lambda: state(out))) == 0
    left = sorted(path.name for path in out.parent.iterdir())
    return {"seen": seen, "killed": killed, "builds": turn, "seconds": [whole, save], "left": left}


if __name__ == "__main__":
    told = run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps(told, indent=1))
