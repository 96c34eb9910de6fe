"""A runner: a process beside the server that does one job after another.

It ends with the server that started it, whose end closes its standard input, and whenever
nothing has been asked for in a while.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from layers import City
from layers.database import located
from layers.errors import PlannerError, StoreError
from layers.messages import speaking, text
from planner.jobs.alive import name_of
from planner.jobs.places import CITY, folder_of
from planner.jobs.work import Tools, bench_of, do
from planner.store import Store

if TYPE_CHECKING:
    from planner.store import Job
    from planner.workbench import Workbench

_log = logging.getLogger(__name__)
_BEAT_S = 1.0
_LOOK_S = 0.5
_IDLE_S = 600.0
# Below the desks: a map is waited for, a report is not.
_NICE = 10


class Runner:
    """Does the jobs of one city.

    Parameters
    ----------
    store
        Where they are kept.
    place
        Where the city lies, as the jobs call it.
    """

    def __init__(self, store: Store, place: str) -> None:
        self._store, self._place = store, place
        self._name = name_of(os.getpid())
        self._bench: Workbench | None = None

    def run(self) -> None:
        """Do jobs until none has come in a while."""
        last = time.monotonic()
        while time.monotonic() - last < _IDLE_S:
            with suppress(StoreError):
                job = self._store.jobs.claim(self._place, self._name)
                if job is not None:
                    self._do(job)
                    last = time.monotonic()
                    continue
            time.sleep(_LOOK_S)

    def _do(self, job: Job) -> None:
        folder = folder_of(self._store)
        scratch = folder / f".{job.id}"
        beating = _Beating(self._store, job, self._name)
        with beating, speaking(job.lang):
            try:
                shutil.rmtree(scratch, ignore_errors=True)
                scratch.mkdir(parents=True)
                tools = Tools(bench=self._opened(beating), folder=scratch, tell=beating.tell)
                result = do(job, tools)
                shutil.rmtree(folder / job.id, ignore_errors=True)
                scratch.rename(folder / job.id)
            except PlannerError as wrong:
                told = str(wrong)
                beating.over(lambda: self._store.jobs.fail(job.id, self._name, told))
            except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
                _log.error("Job %s failed", job.id, exc_info=wrong)
                unforeseen = text("job.failed", reason=f"{type(wrong).__name__}: {wrong}")
                beating.over(lambda: self._store.jobs.fail(job.id, self._name, unforeseen))
            else:
                beating.over(lambda: self._store.jobs.finish(job.id, self._name, result))
            finally:
                shutil.rmtree(scratch, ignore_errors=True)

    def _opened(self, beating: _Beating) -> Workbench:
        if self._bench is None:
            beating.tell(text("job.opening"))
            self._bench = bench_of(City.open(located(os.environ[CITY])))
        return self._bench


class _Beating:
    """Says once a second that a job is at work, and ends this process when it shall stop.

    Nothing else stops a solver or a kernel wherever it is; what it had begun to write lies
    in a folder that nobody looks into.
    """

    def __init__(self, store: Store, job: Job, runner: str) -> None:
        self._store, self._job, self._runner = store, job, runner
        self._told = ""
        self._done = threading.Event()
        self._alone = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def tell(self, words: str) -> None:
        """Say in words what is being done."""
        self._told = words

    def over(self, end: object) -> None:
        """Keep how the job ended, with patience for a store that is busy."""
        assert callable(end)
        with self._alone:
            for pause in (0.5, 1.0, 2.0, 4.0, 8.0, None):
                try:
                    end()
                except StoreError:
                    if pause is None:
                        raise
                    time.sleep(pause)
                else:
                    return

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_about: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(_BEAT_S):
            with suppress(StoreError), self._alone:
                if self._done.is_set():
                    return
                if self._store.jobs.beat(self._job.id, self._runner, told=self._told):
                    continue
                if self._store.jobs.get(self._job.id).over:
                    # It ended while this was asked.
                    return
                self._store.jobs.stopped(self._job.id, self._runner)
                shutil.rmtree(folder_of(self._store) / f".{self._job.id}", ignore_errors=True)
                os._exit(0)


def _end_with_the_server() -> None:
    """End when standard input does."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def main() -> int:
    """Do the jobs of the city that the environment names."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    _end_with_the_server()
    with suppress(AttributeError, OSError):
        os.nice(_NICE)
    with Store() as store:
        Runner(store, str(located(os.environ[CITY]))).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
