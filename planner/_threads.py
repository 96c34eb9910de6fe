"""Threads: work on parts, while compiled kernels let other threads run."""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def processors() -> int:
    """How many threads to use: ``PLANNER_THREADS``, else as many as there are processors.

    Processes that work beside each other on one machine are given their share by it.
    """
    told = os.environ.get("PLANNER_THREADS", "")
    return int(told) if told.isdecimal() and int(told) else os.cpu_count() or 1


def in_threads(work: Callable[[slice], None], count: int, at_once: int) -> None:
    """Do work on parts of many rows, in as many threads as there are processors.

    Parameters
    ----------
    work
        Called with each part; kernels let other threads run meanwhile.
    count, at_once
        Rows in all and in a part.
    """
    parts = [slice(first, min(first + at_once, count)) for first in range(0, count, at_once)]
    if len(parts) <= 1:
        for part in parts:
            work(part)
        return
    # Where a kernel has yet to be compiled, numba lets one thread do it and the others wait.
    with ThreadPoolExecutor(min(len(parts), processors())) as pool:
        list(pool.map(work, parts))


def in_turn(work: Callable[[Any], None], jobs: Sequence[Any]) -> None:
    """Do jobs one after the other, as `each` does them side by side."""
    for job in jobs:
        work(job)


def each(work: Callable[[Any], None], jobs: Sequence[Any]) -> None:
    """Do jobs of some milliseconds, in as many threads as there are processors.

    Who asks takes jobs like the threads that help: on a machine that others keep busy one
    may wake later than the whole work takes.

    Parameters
    ----------
    work
        Called with each job. Once it fails for one no more are begun.
    jobs
        The jobs.
    """
    helpers = min(len(jobs), processors()) - 1
    if helpers < 1:
        in_turn(work, jobs)
        return
    shared = _Shared(work, jobs)
    for _ in range(helpers):
        _helped().put(shared)
    shared.help()
    shared.wait()


class _Shared:
    """Jobs that several threads take from; a pool's bookkeeping takes as long as a search."""

    def __init__(self, work: Callable[[Any], None], jobs: Sequence[Any]) -> None:
        self._work, self._jobs = work, jobs
        self._begun, self._over = itertools.count(), itertools.count(1)
        self._all_over = Lock()
        self._all_over.acquire()
        self._failed: BaseException | None = None

    def help(self) -> None:
        """Do jobs until all are begun."""
        # Counting is atomic: each job is begun by one thread, and one finds that all are over.
        while (turn := next(self._begun)) < len(self._jobs):
            try:
                if self._failed is None:
                    self._work(self._jobs[turn])
            except BaseException as error:  # noqa: BLE001 - raised where it was asked for
                self._failed = error
            if next(self._over) == len(self._jobs):
                self._all_over.release()

    def wait(self) -> None:
        """Wait until all jobs are over.

        Raises
        ------
        BaseException
            What one of them failed by.
        """
        self._all_over.acquire()
        if self._failed is not None:
            raise self._failed


@cache
def _helped() -> SimpleQueue[_Shared]:
    """Where waiting threads take work from; they are started by the first who asks."""
    given: SimpleQueue[_Shared] = SimpleQueue()

    def wait() -> None:
        while True:
            given.get().help()

    for _ in range(processors() - 1):
        Thread(target=wait, name="planner", daemon=True).start()
    return given


if hasattr(os, "register_at_fork"):
    # A fork has none of its parent's threads.
    os.register_at_fork(after_in_child=_helped.cache_clear)
