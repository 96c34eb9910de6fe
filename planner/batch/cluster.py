"""Dask: processes of this machine or of any scheduler, and the work they are given."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dask
import distributed as _distributed
from distributed.scheduler import KilledWorker

from layers.errors import InputError
from layers.messages import language, text
from planner._threads import processors
from planner.batch.shift import Made, work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.batch.shift import Task

# Its functions carry no types.
distributed: Any = _distributed
_WAIT = "20s"


@contextmanager
def client(workers: int | None, scheduler: str | None, most: int) -> Iterator[Any]:
    """Connect to a scheduler, or start a cluster on this machine for as long as it is used.

    Parameters
    ----------
    workers
        Processes of a local cluster; one for each processor when None.
    scheduler
        Address of a scheduler instead.
    most
        More processes than this would have nothing to do.

    Raises
    ------
    InputError
        The scheduler does not answer.
    """
    with dask.config.set({"distributed.comm.timeouts.connect": _WAIT}):
        if scheduler is not None:
            try:
                with distributed.Client(scheduler, timeout=_WAIT, set_as_default=False) as found:
                    yield found
            except (OSError, ValueError) as wrong:
                told = {"address": scheduler, "reason": str(wrong)}
                raise InputError(text("batch.no_scheduler", **told)) from wrong
            return
        most_threads = processors()
        count = max(min(most_threads if workers is None else workers, most), 1)
        # Beside each other they share the processors instead of each using all.
        threads = {"PLANNER_THREADS": str(max(most_threads // count, 1))}
        with (
            distributed.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                # What it serves over HTTP needs a port all the same; the usual may be taken.
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                env=threads,
                silence_logs=50,
            ) as cluster,
            distributed.Client(cluster, set_as_default=False) as found,
        ):
            yield found


def worked(found: Any, todo: list[Task]) -> Iterator[tuple[Task, Made | InputError]]:
    """Give each piece of work with what came of it, as soon as it is done.

    A worker that dies costs only what it was at: others do that again.

    Parameters
    ----------
    found
        A client.
    todo
        The work.
    """
    lang = language()
    # One piece after the other in the order of cities, so that a worker opens few.
    given = {
        found.submit(
            work,
            task.shift.plain(),
            task.fingerprint,
            lang,
            key=f"{task.shift.name}-{task.digest}",
            pure=True,
        ): task
        for task in todo
    }
    for future in distributed.as_completed(list(given), loop=found.loop, raise_errors=False):
        task = given.pop(future)
        wrong = future.exception()
        if wrong is None:
            yield task, future.result()
        elif isinstance(wrong, KilledWorker):
            yield task, InputError(text("batch.killed", name=task.shift.name))
        else:
            raise wrong
        # What is written need not stay in anybody's memory.
        future.release()
