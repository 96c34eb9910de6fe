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
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from layers import City
from layers.database import located
from layers.errors import PlannerError, StoreError
from layers.messages import speaking, text
from planner.jobs.alive import name_of
from planner.jobs.ear import Ear
from planner.jobs.lanes import lane_of
from planner.jobs.places import CITY, LANE, folder_of
from planner.jobs.uploads import upload_of
from planner.jobs.work import KINDS, Stopped, Tools, bench_of, do, make_ready
from planner.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.jobs.lanes import Lane
    from planner.store import Job
    from planner.workbench import Workbench

_Told = TypeVar("_Told")
_log = logging.getLogger(__name__)
_BEAT_S = 1.0
_LOOK_S = 0.5
_IDLE_S = 600.0
# After this time whoever was asked to stop is stopped.
_GRACE_S = 10.0
# Below the desks: a map is waited for, a report is not.
_NICE = 10


class Runner:
    """Does the jobs of one city in one lane.

    Parameters
    ----------
    store
        Where they are kept.
    place
        Where the city lies, as the jobs call it.
    lane
        Which of them.
    ear
        Hears what the server says.
    """

    def __init__(self, store: Store, place: str, lane: Lane, ear: Ear) -> None:
        self._store, self._place, self._lane, self._ear = store, place, lane, ear
        self._name = name_of(os.getpid())
        self._bench: Workbench | None = None
        self._print = ""

    def run(self) -> None:
        """Do jobs until none has come in a while."""
        last, said = time.monotonic(), self._ear.listen()
        while time.monotonic() - last < _IDLE_S:
            said.clear()
            with suppress(StoreError):
                lane = {"kinds": self._lane.kinds, "others": self._lane.others}
                job = self._store.jobs.claim(self._place, self._name, **lane)
                if job is not None:
                    self._do(job)
                    last = time.monotonic()
                    continue
            if self._ear.wanted:
                self._make_ready(self._ear.wanted.popleft())
                last = time.monotonic()
                continue
            said.wait(_LOOK_S)

    def _make_ready(self, service: str) -> None:
        """Compute ahead what a job about a service would; whatever fails, the job will tell."""
        with suppress(PlannerError):
            make_ready(self._opened(lambda _: None), service)

    def _do(self, job: Job) -> None:
        folder, upload = folder_of(self._store), upload_of(self._store, job.id)
        scratch = folder / f".{job.id}"
        beating = _Beating(self._store, job, self._name, self._ear)
        with beating, speaking(job.lang):
            try:
                shutil.rmtree(scratch, ignore_errors=True)
                scratch.mkdir(parents=True)
                tools = Tools(
                    bench=self._opened(beating.tell),
                    folder=scratch,
                    tell=beating.tell,
                    cancelled=beating.cancelled,
                    fingerprint=self._print,
                    upload=upload,
                    commit=beating.commit,
                )
                result = do(job, tools)
                shutil.rmtree(folder / job.id, ignore_errors=True)
                if any(scratch.iterdir()):
                    scratch.rename(folder / job.id)
            except Stopped:
                beating.over(lambda: self._store.jobs.stopped(job.id, self._name))
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
            shutil.rmtree(upload, ignore_errors=True)

    def _opened(self, tell: Callable[[str], None]) -> Workbench:
        """Open the city, or find it again unless another stands in its place now."""
        place = located(os.environ[CITY])
        now = City.fingerprint(place)
        if self._bench is None or self._print != now:
            tell(text("job.opening"))
            self._bench = bench_of(City.open(place))
            self._print = now
        return self._bench


class _Beating:
    """Says once a second that a job is at work, and ends this process when it shall stop.

    Nothing else stops a solver or a kernel wherever it is; what it had begun to write lies
    in a folder that nobody looks into.
    """

    def __init__(self, store: Store, job: Job, runner: str, ear: Ear) -> None:
        self._store, self._job, self._runner, self._ear = store, job, runner, ear
        self._told = ""
        self._stops = job.kind in KINDS and KINDS[job.kind].stops
        self._asked: float | None = None
        self._committed = False
        self._done = threading.Event()
        self._pulse = ear.listen()
        self._alone = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def tell(self, words: str) -> None:
        """Say in words what is being done."""
        self._told = words

    def cancelled(self) -> bool:
        """Whether the job was asked to stop."""
        return self._asked is not None

    def commit(self) -> None:
        """Stop the job for no one from now on, unless somebody has asked for it by now."""
        with self._alone:
            beat = partial(self._store.jobs.beat, self._job.id, self._runner, told=self._told)
            if not _patiently(beat):
                raise Stopped
            self._committed = True

    def over(self, end: Callable[[], object]) -> None:
        """Keep how the job ended."""
        with self._alone:
            _patiently(end)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_about: object) -> None:
        self._done.set()
        self._pulse.set()
        self._thread.join()
        self._ear.leave(self._pulse)

    def _run(self) -> None:
        while not self._done.is_set():
            self._pulse.wait(_BEAT_S)
            self._pulse.clear()
            with suppress(StoreError), self._alone:
                if self._done.is_set():
                    return
                if self._store.jobs.beat(self._job.id, self._runner, told=self._told):
                    continue
                job = self._store.jobs.get(self._job.id)
                if job.over:
                    # It ended while this was asked.
                    return
                if self._committed and job.runner == self._runner:
                    continue
                if self._stops and job.runner == self._runner:
                    self._asked = self._asked or time.monotonic()
                    if time.monotonic() - self._asked < _GRACE_S:
                        continue
                self._store.jobs.stopped(self._job.id, self._runner)
                shutil.rmtree(folder_of(self._store) / f".{self._job.id}", ignore_errors=True)
                os._exit(0)


def _patiently(act: Callable[[], _Told]) -> _Told:
    """Ask a store that may be busy."""
    for pause in (0.5, 1.0, 2.0, 4.0, 8.0):
        with suppress(StoreError):
            return act()
        time.sleep(pause)
    return act()


def main() -> int:
    """Do the jobs of the city that and the lane that the environment names."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    ear = Ear()
    ear.start()
    with suppress(AttributeError, OSError):
        os.nice(_NICE)
    with Store() as store:
        Runner(store, str(located(os.environ[CITY])), lane_of(os.environ[LANE]), ear).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
