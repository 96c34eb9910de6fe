"""Threads: work on parts, while compiled kernels let other threads run."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


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
    # The first alone, so that a kernel is compiled but once.
    work(parts[0])
    with ThreadPoolExecutor(min(len(parts) - 1, os.cpu_count() or 1)) as pool:
        list(pool.map(work, parts[1:]))


@contextmanager
def workers(most: int) -> Iterator[Callable[[Callable[[Any], None], Iterable[Any]], None]]:
    """Have as many threads as there are processors, and use for them."""
    count = min(most, os.cpu_count() or 1)
    if count == 1:

        def one_by_one(work: Callable[[Any], None], jobs: Iterable[Any]) -> None:
            for job in jobs:
                work(job)

        yield one_by_one
        return
    with ThreadPoolExecutor(count) as pool:

        def every(work: Callable[[Any], None], jobs: Iterable[Any]) -> None:
            for _ in pool.map(work, jobs):
                pass

        yield every
