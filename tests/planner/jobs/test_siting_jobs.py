"""Siting models run as jobs: the same answer, stopped, killed and taken up again."""

import os
import random
import signal
import time
from contextlib import suppress

import pytest

from layers import embedded
from planner.changes import Close, Open
from planner.jobs import SITING, Supervisor
from planner.jobs.places import folder_of
from planner.scenario import Scenario
from planner.siting.advice import Advice, advise
from planner.siting.ask import Ask
from planner.siting.question import Question
from planner.store import Store
from planner.workbench import Workbench
from tests.planner.jobs.test_jobs import ASKED, KILLS, PATIENCE, kill_server, wait

CLINIC = "menopause_clinic"
# Its proof takes minutes.
LONG = Question(service="mother_baby_room", ask=Ask(model="fair", number=40))


@pytest.fixture(scope="module")
def small():
    return embedded("small")


@pytest.fixture(scope="module")
def town(small, tmp_path_factory):
    return small.save(tmp_path_factory.mktemp("city") / "small").path.resolve()


@pytest.fixture(scope="module")
def short(small):
    """A question on a changed city."""
    rows = small.facilities[small.facilities["service"] == CLINIC]
    changes = (Close(id=rows["id"].iloc[0]), Open(service=CLINIC, place=(120.2, 30.2), id="new-1"))
    return Question(service=CLINIC, ask=Ask(number=3), scenario=Scenario(changes, "一"))


@pytest.fixture(scope="module")
def answer(small, short):
    """What the model says in this process."""
    return advise(short, Workbench(small))


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened


def same(job, answer):
    """Whether a job gave the same suggestions, to the last digit."""
    assert job.state == "done", job.told
    advice = Advice.from_dict(job.result["advice"])
    assert advice.question == answer.question
    assert (advice.before, advice.after) == (answer.before, answer.after)
    return advice.rows == answer.rows


def kill(job):
    with suppress(ProcessLookupError):
        os.kill(int(job.runner.rsplit(":", 2)[1]), signal.SIGKILL)


def told(store, job, *, patience=PATIENCE):
    """Wait until a run says how far it has come."""
    end = time.monotonic() + patience
    while "%" not in (now := store.jobs.get(job.id)).told:
        assert time.monotonic() < end, now
        assert not now.over, now
        time.sleep(0.02)
    return now


def test_a_run_beside_gives_what_one_here_gives(store, town, short, answer):
    assert len(answer.rows) == 3
    wrong = Question(service=CLINIC, ask=Ask(floors="Nowhere=20"))
    with Supervisor(store, town) as beside:
        asked = store.jobs.ask(SITING, short.as_dict(), city=beside.place, who="wang")
        refused = store.jobs.ask(SITING, wrong.as_dict(), city=beside.place, who="wang")
        broken = store.jobs.ask(SITING, {"service": CLINIC}, city=beside.place, who="wang")
        done = wait(store, asked, "done", "failed")
        assert same(done, answer)
        assert done.result["fingerprint"] == beside.fingerprint
        assert "Nowhere" in wait(store, refused, "failed").told
        assert "year" in wait(store, broken, "failed").told


def test_neither_a_report_nor_a_long_run_holds_up_another(store, town, short, answer):
    with Supervisor(store, town) as beside:
        beside.make_ready("no such service")
        beside.make_ready(CLINIC)
        report = store.jobs.ask("report", ASKED, city=beside.place, who="wang")
        long = store.jobs.ask(SITING, LONG.as_dict(), city=beside.place, who="wang")
        other = store.jobs.ask(SITING, short.as_dict(), city=beside.place, who="li")
        beside.look()
        assert same(wait(store, other, "done", "failed"), answer)
        told(store, long)
        assert store.jobs.get(report.id).state in {"running", "done"}
        # Stopped, it comes back with the best so far, from the runner that it had.
        store.jobs.cancel(long.id)
        beside.look()
        stopped = wait(store, long, "done", "failed", "cancelled")
        assert stopped.state == "done", stopped.told
        advice = Advice.from_dict(stopped.result["advice"])
        assert advice.stopped == "interrupt"
        assert advice.found
        assert len(advice.rows) == 40
        runner = stopped.runner
        again = store.jobs.ask(SITING, short.as_dict(), city=beside.place, who="li")
        beside.look()
        done = wait(store, again, "done", "failed")
        assert same(done, answer)
        assert done.runner in {runner, store.jobs.get(other.id).runner}


def test_a_killed_server_leaves_a_run_that_the_next_takes_up(store, town):
    asked = store.jobs.ask(SITING, LONG.as_dict(), city=str(town))
    kill_server(store, town, asked, lambda: told(store, asked))
    with Supervisor(store, town) as beside:
        end = time.monotonic() + PATIENCE
        while store.jobs.get(asked.id).tries < 2:
            assert time.monotonic() < end
            time.sleep(0.02)
        told(store, asked)
        store.jobs.cancel(asked.id)
        beside.look()
        done = wait(store, asked, "done", "failed", "cancelled")
    assert (done.state, done.tries) == ("done", 2), done.told
    assert len(Advice.from_dict(done.result["advice"]).rows) == 40


def test_runners_killed_at_any_moment_lose_no_run(store, town, short, answer):
    """Every run ends with the same suggestions, whenever its runner died."""
    chance = random.Random(12)  # noqa: S311 - when to strike
    with Supervisor(store, town) as beside:
        for _ in range(KILLS):
            asked = store.jobs.ask(SITING, short.as_dict(), city=beside.place)
            beside.look()
            running = wait(store, asked, "running", "done")
            time.sleep(chance.uniform(0, 2))
            kill(running)
            assert same(wait(store, asked, "done", "failed"), answer)
    left = {path.name for path in folder_of(store).iterdir()}
    assert left <= {job.id for job in store.jobs.every()}


def test_a_run_that_always_ends_its_runner_is_given_up_in_words(store, town):
    with Supervisor(store, town) as beside:
        asked = store.jobs.ask(SITING, LONG.as_dict(), city=beside.place)
        for tries in range(1, 4):
            running = wait(store, asked, "running", "failed")
            while running.tries < tries:
                running = store.jobs.get(asked.id)
                time.sleep(0.02)
            kill(running)
        failed = wait(store, asked, "failed")
    assert "3" in failed.told
