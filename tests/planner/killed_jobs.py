"""Jobs whose runners are killed again and again, each a process of its own.

As in `tests.planner.killed_builds`, the process does nothing but fork: it opens no store.
"""

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

from planner.jobs.alive import lives
from planner.jobs.ear import Ear
from planner.jobs.lanes import lane_of
from planner.jobs.places import CITY, STORE
from planner.jobs.runner import Runner
from planner.jobs.uploads import clear_up, upload_of
from planner.jobs.work import stands
from planner.store import Store
from tests.planner.killed_builds import ended, forked, is_running
from tests.planner.maps.hamlet import hamlet

_LET_DO = 0.15


def prepare(folder):
    """Save the city."""
    hamlet().save(folder / "home")
    return 0


class Series:
    """Jobs of one kind, and what has been seen of them so far.

    Attributes
    ----------
    lane
        Lane of the jobs.
    loaded
        Modules to load before anything is forked.
    in_writing, at_the_end
        Shares of the kills that are meant for the writing, and for the moment when all is
        written; and for how long after that moment.
    """

    lane = ""
    loaded = ()
    in_writing, at_the_end, after_s = 0.5, 0.2, 0.02

    def __init__(self, folder, chance):
        self.folder, self.chance = folder, chance
        self.jobs = folder / "store-jobs"
        self.killed, self.states, self.known = Counter(), {}, set()
        self.taken_up = 0
        self.job = ""

    # What a kind of job has of its own.

    def ask(self, store):
        """Ask for a job, in a process of its own."""
        raise NotImplementedError

    def check(self, store, jobs, known):
        """Look at what became of all jobs, in a process of its own."""
        raise NotImplementedError

    def writing(self):
        """Whether something is being written for the job."""
        raise NotImplementedError

    def moment(self):
        """How far the job has come: ``before``, ``writing``, or what comes after that."""
        raise NotImplementedError

    def struck(self):
        """Do something else to the job before its runner dies."""

    # What is done with all kinds.

    def begin(self):
        """Make two jobs that nobody kills: the first loads and draws what later ones find."""
        for module in ("hypothesis", "numba", "pyarrow.pandas_compat", *self.loaded):
            importlib.import_module(module)
        os.environ[CITY] = str(self.folder / "home")
        os.environ[STORE] = str(self.folder / "store.sqlite")
        assert ended(forked(partial(prepare, self.folder))) == 0
        for _ in range(2):
            self._time()
        self.look()
        assert self.states[self.job] == "done"

    def turn(self):
        """Ask for a job, and kill whoever does it until it is done or given up."""
        self.job = self.order()
        strikes, state = 0, "waiting"
        while state == "waiting":
            child = self.runner()
            # Most are killed till they are given up; some are to be taken up and done.
            if strikes and self.chance.random() < _LET_DO:
                self._wait_for_end(child)
            else:
                self._strike(child)
                strikes += 1
            self.look()
            state = self.states[self.job]
        assert state in {"done", "failed", "cancelled"}
        self.taken_up += state == "done" and strikes > 0

    def end(self):
        """Make one more job that nobody kills."""
        self.job = self.order()
        self._wait_for_end(self.runner())
        self.look()
        assert self.states[self.job] == "done"
        # Nothing is left beside what was made.
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

    def _time(self):
        self.job = self.order()
        begun = time.monotonic()
        child = self.runner()
        self.until(child, self.writing)
        first = time.monotonic()
        self._wait_for_end(child)
        self.whole, self.write = time.monotonic() - begun, time.monotonic() - first

    def _strike(self, child):
        kind = self.chance.random()
        if kind < self.in_writing:
            self.until(child, self.writing)
            time.sleep(self.chance.uniform(0, self.write))
        elif kind < self.in_writing + self.at_the_end:
            self.until(child, lambda: self.moment() not in {"before", "writing"})
            time.sleep(self.chance.uniform(0, self.after_s))
        else:
            time.sleep(self.chance.uniform(0, self.whole))
        self.struck()
        os.kill(child, signal.SIGKILL)
        killed = ended(child)
        # One that was told to stop may have ended by itself.
        assert killed in {-signal.SIGKILL, 0}
        if killed and self.state() in {"waiting", "running"}:
            self.killed[self.moment()] += 1

    def until(self, child, condition):
        """Wait for something as long as a runner lives."""
        looks = 0
        while is_running(child) and not condition():
            looks += 1
            if looks % 50 == 0 and self.state() not in {"waiting", "running"}:
                return
            time.sleep(0.0003)

    def state(self):
        """State of the job as it is kept."""
        # Opened and closed: what is held open may not be forked.
        with closing(
            sqlite3.connect(f"{(self.folder / 'store.sqlite').as_uri()}?mode=ro", uri=True)
        ) as base:
            found = base.execute("SELECT state FROM jobs WHERE id = ?", (self.job,)).fetchone()
        return found and found[0]

    def runner(self):
        """Begin a runner, which does jobs until it is killed."""

        def work():
            with Store() as store:
                Runner(store, str(self.folder / "home"), lane_of(self.lane), Ear()).run()
            return 0

        return forked(work)

    def _wait_for_end(self, child):
        """Wait until the job is over, and end its runner, which would wait on."""
        while self.state() in {"waiting", "running"}:
            assert is_running(child)
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        ended(child)

    def order(self):
        """Ask for a job; its id."""

        def ask(told):
            with Store() as store:
                os.write(told, self.ask(store).id.encode())
            return 0

        return self.hear(ask)

    def look(self):
        """Take back what the dead have left, and look at every job."""

        def see(told):
            with Store() as store:
                store.jobs.take_back(
                    str(self.folder / "home"),
                    lives,
                    lambda job: stands(job, upload_of(store, job.id)),
                )
                clear_up(store)
                jobs = store.jobs.every()
                self.check(store, jobs, self.known)
                states = {job.id: job.state for job in jobs}
                os.write(told, json.dumps({"states": states, "hidden": self.left()}).encode())
            return 0

        seen = json.loads(self.hear(see))
        self.states, self.hidden = seen["states"], seen["hidden"]
        lost = [job for job in self.known if self.states.get(job) != "done"]
        assert not lost, "a job that was done is lost"
        self.known |= {job for job, state in self.states.items() if state == "done"}

    def left(self):
        """List what lies beside what was made."""
        return [path.name for path in self.jobs.glob(".*")]

    def hear(self, do):
        """Do something in a process of its own; what it tells."""
        heard, tell = os.pipe()
        child = forked(lambda: do(tell))
        os.close(tell)
        with os.fdopen(heard) as pipe:
            words = pipe.read()
        assert ended(child) == 0, (self.killed, self.job)
        return words


def run(series):
    """Run a series whose folder, length and seed the command line names."""
    folder, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    own = series(folder, np.random.default_rng(seed))
    own.begin()
    while own.killed.total() < count:
        own.turn()
    own.end()
    sys.stdout.write(json.dumps(own.told(), indent=1))
