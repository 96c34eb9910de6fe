"""Threads: work on parts, while compiled kernels let other threads run."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
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

    Who asks does the first one, and then whatever no thread has begun: on a machine that
    others keep busy a thread may wake later than the whole work takes.

    Parameters
    ----------
    work
        Called with each job.
    jobs
        The jobs.
    """
    if len(jobs) == 1 or processors() == 1:
        in_turn(work, jobs)
        return
    begun = [(_pool().submit(work, job), job) for job in jobs[1:]]
    for job in jobs[:1]:
        work(job)
    # From behind, for the threads take them from the front.
    for turn, job in reversed(begun):
        if turn.cancel():
            work(job)
    for turn, _ in begun:
        if not turn.cancelled():
            turn.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(processors() - 1, 1))
