"""The supervisor: starts runners while there is work, and finds what a stop has left."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from layers import City
from layers.errors import CityError, StoreError
from planner.jobs.alive import lives
from planner.jobs.ear import LOOK, ready
from planner.jobs.lanes import LANES, SITING, Lane
from planner.jobs.places import surroundings
from planner.jobs.uploads import clear_up, upload_of
from planner.jobs.work import stands

if TYPE_CHECKING:
    from layers.database import Address
    from planner.store import Store

_log = logging.getLogger(__name__)
_LOOK_S = 0.5
# Jobs that others' runners have left are looked for more seldom.
_LOOKS_BETWEEN = 10
_PATIENCE_S = 5.0


class Supervisor:
    """Runners for the jobs of one city, beside the server.

    Parameters
    ----------
    store
        Where jobs are kept.
    city
        Where the city lies.
    runners
        How many jobs of a lane run at once, besides what the lane has more; with none, jobs
        are left to another server.

    Attributes
    ----------
    fingerprint
        Tells the city as it is now from what may stand in its place later; see
        `layers.City.fingerprint`. Empty where it cannot be read.
    """

    def __init__(self, store: Store, city: Path | Address, *, runners: int = 1) -> None:
        self.store = store
        self.city = city.resolve() if isinstance(city, Path) else city
        self.fingerprint = ""
        with suppress(CityError):
            self.fingerprint = City.fingerprint(self.city)
        self._crews = [_Crew(lane, runners + lane.more if runners else 0) for lane in LANES]
        self._wanted: deque[str] = deque(maxlen=8)
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="jobs")

    @property
    def place(self) -> str:
        """What jobs call the city by: where it lies, without secrets."""
        return str(self.city)

    def start(self) -> None:
        """Begin to look for work."""
        self._thread.start()

    def look(self) -> None:
        """Say that a job was asked for or is to stop, so that nobody waits for the next look."""
        for crew in self._crews:
            crew.say(LOOK)
        self._wake.set()

    def make_ready(self, service: str) -> None:
        """Say that somebody is about to site a service: its networks are compiled ahead."""
        self._wanted.append(service)
        self._wake.set()

    def stop(self) -> None:
        """End the runners; what they were at waits for the next start."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_S)
        for crew in self._crews:
            crew.end()
        with suppress(StoreError):
            self._take_back()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_about: object) -> None:
        self.stop()

    def _run(self) -> None:
        looks = 0
        while not self._stop.is_set():
            try:
                gone = [crew for crew in self._crews if crew.bury()]
                if gone or looks % _LOOKS_BETWEEN == 0:
                    self._take_back()
                for crew in self._crews:
                    if len(crew.running) < crew.most and self._wants_more(crew):
                        self._begin(crew)
            except StoreError as wrong:
                _log.warning("Jobs cannot be looked for now: %s", wrong)
            self._pass_on()
            looks += 1
            self._wake.wait(_LOOK_S)
            self._wake.clear()

    def _take_back(self) -> None:
        store = self.store
        store.jobs.take_back(self.place, lives, lambda job: stands(job, upload_of(store, job.id)))
        clear_up(store)

    def _wants_more(self, crew: _Crew) -> bool:
        """Whether more jobs wait in a lane than its idle runners will take."""
        lane = crew.lane
        load = self.store.jobs.load(self.place, kinds=lane.kinds, others=lane.others)
        return load["waiting"] > max(len(crew.running) - load["running"], 0)

    def _pass_on(self) -> None:
        """Tell a runner what to make ready, beginning one if there is none."""
        crew = next(crew for crew in self._crews if SITING in crew.lane.kinds)
        while self._wanted:
            service = self._wanted.popleft()
            if crew.most:
                if not crew.running:
                    self._begin(crew)
                crew.say(ready(service), first=True)

    def _begin(self, crew: _Crew) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "planner.jobs.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            bufsize=0,
            env=surroundings(self.city, self.store.place, crew.lane.name),
        )
        assert process.stdin is not None
        # A runner that does not listen holds nobody up.
        os.set_blocking(process.stdin.fileno(), False)
        crew.running = [*crew.running, process]


@dataclass
class _Crew:
    """Runners of a lane.

    Attributes
    ----------
    lane
        The lane.
    most
        How many there may be.
    running
        Those that there are.
    """

    lane: Lane
    most: int
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def bury(self) -> bool:
        """Forget those that ended; whether any did."""
        gone = [process for process in self.running if process.poll() is not None]
        for process in gone:
            _close(process)
        self.running = [process for process in self.running if process not in gone]
        return bool(gone)

    def say(self, words: bytes, *, first: bool = False) -> None:
        """Say something to all of them, or to the first."""
        for process in self.running[: 1 if first else None]:
            assert process.stdin is not None
            with suppress(OSError, ValueError):
                process.stdin.write(words)

    def end(self) -> None:
        """End them."""
        for process in self.running:
            process.kill()
            process.wait()
            _close(process)
        self.running = []


def _close(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
