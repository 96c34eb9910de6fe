"""The supervisor: starts runners while there is work, and finds what a stop has left."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from layers.errors import StoreError
from planner.jobs.alive import lives
from planner.jobs.places import surroundings

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
        How many jobs run at once.
    """

    def __init__(self, store: Store, city: Path | Address, *, runners: int = 1) -> None:
        self.store, self._most = store, runners
        self.city = city.resolve() if isinstance(city, Path) else city
        self._running: list[subprocess.Popen[bytes]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="jobs")

    @property
    def place(self) -> str:
        """What jobs call the city by: where it lies, without secrets."""
        return str(self.city)

    def start(self) -> None:
        """Begin to look for work."""
        self._thread.start()

    def stop(self) -> None:
        """End the runners; what they were at waits for the next start."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_S)
        for process in self._running:
            process.kill()
            process.wait()
            assert process.stdin is not None
            process.stdin.close()
        self._running.clear()
        with suppress(StoreError):
            self.store.jobs.take_back(self.place, lives)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_about: object) -> None:
        self.stop()

    def _run(self) -> None:
        looks = 0
        while not self._stop.wait(_LOOK_S if looks else 0):
            try:
                gone = [process for process in self._running if process.poll() is not None]
                for process in gone:
                    assert process.stdin is not None
                    process.stdin.close()
                    self._running.remove(process)
                if gone or looks % _LOOKS_BETWEEN == 0:
                    self.store.jobs.take_back(self.place, lives)
                if len(self._running) < self._most and self.store.jobs.waiting(self.place):
                    self._begin()
            except StoreError as wrong:
                _log.warning("Jobs cannot be looked for now: %s", wrong)
            looks += 1

    def _begin(self) -> None:
        self._running.append(
            subprocess.Popen(
                [sys.executable, "-m", "planner.jobs.runner"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=surroundings(self.city, self.store.place),
            )
        )
