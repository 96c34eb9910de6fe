"""Reports whose runners are killed again and again, each a process of its own.

Run as ``python -m tests.planner.killed_reports FOLDER COUNT SEED``: what was seen is written
as JSON. As in `tests.planner.killed_builds`, the process does nothing but fork.
"""

import hashlib
import importlib
import json
import os
import signal
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from planner.jobs import files_of
from planner.jobs.alive import lives
from planner.jobs.ear import Ear
from planner.jobs.lanes import lane_of
from planner.jobs.places import CITY, STORE, clear_up, folder_of
from planner.jobs.runner import Runner
from planner.store import Store
from tests.planner.killed_builds import ended, forked, is_running
from tests.planner.maps.hamlet import hamlet

ASKED = {"kind": "coverage", "year": 2023, "spoken": "zh", "formats": ["docx", "xlsx", "json"]}
FILES = ["coverage-2023-zh.docx", "coverage-2023-zh.xlsx", "coverage-2023.json"]
# Shares of the kills that are meant for the writing, and for the moment when all is written.
_IN_WRITING, _AT_THE_END = 0.5, 0.2
_LET_DO = 0.15
_LOADED = ("numba", "planner.report.making", "planner.report.writing", "pyarrow.pandas_compat")


def prepare(folder):
    """Save the city."""
    hamlet().save(folder / "home")
    return 0


def work(folder):
    """Do jobs as a runner does; the one that is asked for is the only one."""
    with Store() as store:
        Runner(store, str(folder / "home"), lane_of("papers"), Ear()).run()
    return 0


def ask(folder, told):
    """Ask for a report; tells the job's id."""
    with Store() as store:
        os.write(told, store.jobs.ask("report", ASKED, city=str(folder / "home")).id.encode())
    return 0


def look(folder, told, known):
    """Look at every job that is not known to be whole; tells the state of each.

    A report of a job that is done is there and whole; whatever stands where a report may be
    looked for is whole too, whether its job is done or not.
    """
    with Store() as store:
        store.jobs.take_back(str(folder / "home"), lives)
        clear_up(store)
        seen = {}
        for job in store.jobs.every():
            place = folder_of(store) / job.id
            if job.id in known and job.state == "done":
                # Its checksums were looked at; that it is still there is looked at each time.
                assert [file.name for file in files_of(store, job)] == FILES
            elif job.state == "done":
                assert [file.name for file in files_of(store, job)] == FILES, job
                assert _is_whole(place / "coverage-2023")
            else:
                assert job.id not in known, "a report that was done is lost"
                assert not place.exists() or _is_whole(place / "coverage-2023"), job
            seen[job.id] = job.state
        hidden = [path.name for path in folder_of(store).glob(".*")]
        os.write(told, json.dumps({"seen": seen, "hidden": hidden}).encode())
    return 0


def _is_whole(report):
    sums = dict(
        reversed(line.split("  ")) for line in (report / "SHA256SUMS").read_text().splitlines()
    )
    there = sorted(path.name for path in report.iterdir() if path.name != "SHA256SUMS")
    return there == sorted(sums) == FILES and all(
        hashlib.sha256((report / name).read_bytes()).hexdigest() == told
        for name, told in sums.items()
    )


def run(folder, count, seed):
    """Kill runners and look at what each leaves."""
    for module in _LOADED:
        importlib.import_module(module)
    os.environ[CITY] = str(folder / "home")
    os.environ[STORE] = str(folder / "store.sqlite")
    assert ended(forked(lambda: prepare(folder))) == 0
    own = _Series(folder, np.random.default_rng(seed))
    while own.killed.total() < count:
        own.turn()
    own.end()
    return own.told()


class _Series:
    """What has been seen so far."""

    def __init__(self, folder, chance):
        self.folder, self.chance = folder, chance
        self.jobs = folder / "store-jobs"
        self.killed, self.states, self.known = Counter(), {}, set()
        self.taken_up = 0
        # The first loads and draws what later ones find.
        for _ in range(2):
            self._time()
        self._look()
        assert self.states[self.job] == "done"

    def turn(self):
        """Ask for a report, and kill whoever makes it until it is done or given up."""
        self.job = self._ask()
        strikes, state = 0, "waiting"
        while state == "waiting":
            child = self._begin()
            # Most are killed till they are given up; some are to be taken up and done.
            if strikes and self.chance.random() < _LET_DO:
                self._wait_for_end(child)
            else:
                self._strike(child)
                strikes += 1
            self._look()
            state = self.states[self.job]
        assert state in {"done", "failed"}
        self.taken_up += state == "done" and strikes > 0

    def _time(self):
        self.job = self._ask()
        begun = time.monotonic()
        child = self._begin()
        while not self._writing():
            assert is_running(child)
            time.sleep(0.002)
        first = time.monotonic()
        self._wait_for_end(child)
        self.whole, self.write = time.monotonic() - begun, time.monotonic() - first

    def end(self):
        """Make one more report that nobody kills."""
        self.job = self._ask()
        self._wait_for_end(self._begin())
        self._look()
        assert self.states[self.job] == "done"
        # Nothing is left beside the reports.
        assert self.hidden == []

    def told(self):
        """Tell all of it."""
        return {
            "killed": self.killed,
            "states": Counter(self.states.values()),
            "taken_up": self.taken_up,
            "seconds": [round(self.whole, 2), round(self.write, 2)],
            "left": self.hidden,
        }

    def _strike(self, child):
        kind = self.chance.random()
        if kind < _IN_WRITING:
            self._while(child, lambda: not self._writing())
            time.sleep(self.chance.uniform(0, self.write))
        elif kind < _IN_WRITING + _AT_THE_END:
            self._while(child, lambda: not self._written() and not self._moved())
            time.sleep(self.chance.uniform(0, 0.02))
        else:
            time.sleep(self.chance.uniform(0, self.whole))
        moment = (
            "done"
            if self._state() == "done"
            else "moved"
            if self._moved()
            else "written"
            if self._written()
            else "writing"
            if self._writing()
            else "before"
        )
        os.kill(child, signal.SIGKILL)
        assert ended(child) == -signal.SIGKILL
        if moment != "done":
            self.killed[moment] += 1

    def _while(self, child, condition):
        while is_running(child) and condition():
            time.sleep(0.0005)

    def _writing(self):
        return bool(list((self.jobs / f".{self.job}").glob(".*.new-*")))

    def _written(self):
        return (self.jobs / f".{self.job}" / "coverage-2023").exists()

    def _moved(self):
        return (self.jobs / self.job).exists()

    def _state(self):
        # Opened and closed: what is held open may not be forked.
        with closing(
            sqlite3.connect(f"{(self.folder / 'store.sqlite').as_uri()}?mode=ro", uri=True)
        ) as base:
            return base.execute("SELECT state FROM jobs WHERE id = ?", (self.job,)).fetchone()[0]

    def _begin(self):
        return forked(partial(work, self.folder))

    def _wait_for_end(self, child):
        """Wait until the report is told to be done, and end its runner, which would wait on."""
        while self._state() in {"waiting", "running"}:
            assert is_running(child)
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        ended(child)

    def _ask(self):
        return self._hear(lambda told: ask(self.folder, told))

    def _look(self):
        seen = json.loads(self._hear(lambda told: look(self.folder, told, self.known)))
        self.states, self.hidden = seen["seen"], seen["hidden"]
        self.known |= {job for job, state in self.states.items() if state == "done"}

    def _hear(self, do):
        heard, tell = os.pipe()
        child = forked(lambda: do(tell))
        os.close(tell)
        with os.fdopen(heard) as pipe:
            words = pipe.read()
        assert ended(child) == 0, (self.killed, self.job)
        return words


if __name__ == "__main__":
    seen = run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps(seen, indent=1))
