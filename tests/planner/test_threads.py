"""Work on parts in several threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter

import pytest

from planner._threads import each

_FORK = """
import os
from planner._threads import each
each(abs, range(50))
child = os.fork()
if not child:
    done = []
    each(done.append, range(50))
    os._exit(sorted(done) != list(range(50)))
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture(params=["1", "4"])
def _threads(request, monkeypatch):
    monkeypatch.setenv("PLANNER_THREADS", request.param)


@pytest.mark.usefixtures("_threads")
def test_each_job_is_done_once():
    for jobs in (0, 1, 2, 3, 1000):
        done: list[int] = []
        each(done.append, range(jobs))
        assert sorted(done) == list(range(jobs))


def test_many_may_ask_at_once_and_within_each_other(monkeypatch):
    monkeypatch.setenv("PLANNER_THREADS", "4")
    done: Counter[tuple[int, int, int]] = Counter()
    lock = threading.Lock()

    def outer(asker: int, job: int) -> None:
        def inner(part: int) -> None:
            with lock:
                done[asker, job, part] += 1

        each(inner, range(5))

    def ask(asker: int) -> None:
        each(lambda job: outer(asker, job), range(20))

    askers = [threading.Thread(target=ask, args=(asker,)) for asker in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(done) == 8 * 20 * 5
    assert set(done.values()) == {1}


@pytest.mark.usefixtures("_threads")
def test_what_a_job_fails_by_is_raised_and_no_more_are_begun():
    done: list[int] = []

    def work(job: int) -> None:
        if job == 3:
            raise ValueError("three")
        done.append(job)

    with pytest.raises(ValueError, match="three"):
        each(work, range(100_000))
    assert len(done) < 100_000
    # Whoever asks next is served.
    each(done.append, [-1, -2])
    assert {-1, -2} <= set(done)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_has_threads_of_its_own():
    command = [sys.executable, "-W", "ignore", "-c", _FORK]
    told = {**os.environ, "PLANNER_THREADS": "3"}
    assert subprocess.run(command, env=told, timeout=60, check=False).returncode == 0
