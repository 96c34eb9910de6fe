"""Jobs on a real SQLite and a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
import sqlalchemy as sa

from layers.errors import InputError, RecordMissingError, RoleError
from planner.jobs.lanes import LANES
from planner.store import Store
from planner.store.jobs import MOST_OPEN, SILENCE, TRIES
from planner.store.tables import JOBS


def nobody_knows(_runner):
    return None


def gone(_runner):
    return False


def test_a_job_goes_its_way(store):
    asked = store.jobs.ask("report", {"year": 2023}, city="c", who="wang")
    assert (asked.state, asked.asked, asked.lang) == ("waiting", {"year": 2023}, "zh")
    assert store.jobs.claim("another city", "r") is None
    job = store.jobs.claim("c", "r")
    assert (job.id, job.state, job.tries) == (asked.id, "running", 1)
    assert store.jobs.beat(job.id, "r", share=0.5, told="半途")
    assert (store.jobs.get(job.id).share, store.jobs.get(job.id).told) == (0.5, "半途")
    assert store.jobs.finish(job.id, "r", {"files": ["a"]})
    done = store.jobs.get(job.id)
    assert (done.state, done.result, done.over) == ("done", {"files": ["a"]}, True)
    assert store.jobs.counts()["done"] == 1
    assert store.jobs.every(who="li") == []


def test_every_job_is_done_by_one_runner(store, place):
    asked = {store.jobs.ask("k", n, city="c", who=str(n)).id for n in range(12)}

    def take(side):
        with Store(place) as own:
            taken = []
            while (job := own.jobs.claim("c", f"r{side}")) is not None:
                taken.append(job.id)
            return taken

    with ThreadPoolExecutor(4) as crowd:
        taken = [job for jobs in crowd.map(take, range(4)) for job in jobs]
    assert sorted(taken) == sorted(asked)


def of(lane):
    return {"kinds": lane.kinds, "others": lane.others}


def test_each_lane_sees_its_own_kinds_alone(store):
    kinds = ["report", "siting", "import", "poetry"]
    asked = {kind: store.jobs.ask(kind, 0, city="c", who=kind).id for kind in kinds}
    own = {"answers": ["siting"], "imports": ["import"], "papers": ["report", "poetry"]}
    for lane in LANES:
        load = store.jobs.load("c", **of(lane))
        assert load == {"waiting": len(own[lane.name]), "running": 0}
    for lane in LANES:
        for kind in own[lane.name]:
            assert store.jobs.claim("c", lane.name, **of(lane)).id == asked[kind]
        assert store.jobs.claim("c", lane.name, **of(lane)) is None
        assert store.jobs.load("c", **of(lane)) == {"waiting": 0, "running": len(own[lane.name])}


def test_two_runners_of_a_lane_who_claim_at_once_never_take_the_same(store, place):
    """Six runners begin together, two a lane; then all die, and two servers take back."""
    count = 12
    kinds = {lane.name: (lane.kinds or ("report",))[0] for lane in LANES}
    asked = {
        lane: {store.jobs.ask(kind, n, city="c", who=f"{lane}{n}").id for n in range(count)}
        for lane, kind in kinds.items()
    }
    start = Barrier(2 * len(LANES))

    def take(lane, side):
        with Store(place) as own:
            start.wait()
            taken = []
            while (job := own.jobs.claim("c", f"{lane.name} {side}", **of(lane))) is not None:
                taken.append(job.id)
        return lane.name, taken

    both = Barrier(2)

    def take_back(_server):
        with Store(place) as own:
            both.wait()
            return own.jobs.take_back("c", gone)

    with ThreadPoolExecutor(2 * len(LANES)) as crowd:
        for tries in range(1, TRIES + 1):
            begun = [crowd.submit(take, lane, side) for lane in LANES for side in range(2)]
            taken = [one.result() for one in begun]
            for name, own in asked.items():
                every = [job for lane, jobs in taken if lane == name for job in jobs]
                assert sorted(every) == sorted(own)
            assert {job.tries for job in store.jobs.every()} == {tries}
            # Each is taken back by one of them, and no job loses a try to the other.
            assert sum(crowd.map(take_back, range(2))) == count * len(LANES)
    assert store.jobs.counts()["failed"] == count * len(LANES)


def test_what_a_dead_runner_has_done_is_done_though_cancelled_or_given_up(store):
    done, other = (store.jobs.ask("k", n, city="c") for n in range(2))
    for _ in range(TRIES):
        for _ in range(2):
            store.jobs.claim("c", "r")
        store.jobs.cancel(done.id)
        stood = {done.id: {"key": "小村"}} if store.jobs.get(done.id).tries == TRIES else {}
        with store._database.transaction() as connection:
            connection.execute(sa.update(JOBS).values(stop=JOBS.c.stop & (len(stood) > 0)))
        assert store.jobs.take_back("c", gone, lambda job: stood.get(job.id)) == 2  # noqa: B023
    assert store.jobs.get(other.id).state == "failed"
    now = store.jobs.get(done.id)
    assert (now.state, now.result, now.told, now.share) == ("done", {"key": "小村"}, "", 1.0)


def test_what_a_dead_runner_left_is_taken_up_again_but_not_for_ever(store):
    asked = store.jobs.ask("k", 0, city="c")
    for number in range(TRIES):
        assert store.jobs.claim("c", f"r{number}").tries == number + 1
        assert store.jobs.take_back("c", lambda _runner: True) == 0
        assert store.jobs.take_back("c", nobody_knows) == 0
        assert store.jobs.take_back("c", gone) == 1
    left = store.jobs.get(asked.id)
    assert left.state == "failed"
    assert "放弃" in left.told


def test_a_silent_runner_of_another_machine_loses_its_job(store):
    asked = store.jobs.ask("k", 0, city="c")
    store.jobs.claim("c", "far")
    with store._database.transaction() as connection:
        connection.execute(sa.update(JOBS).values(beat=datetime.now(UTC) - 2 * SILENCE))
    assert store.jobs.take_back("c", nobody_knows) == 1
    assert store.jobs.claim("c", "near").id == asked.id
    assert not store.jobs.beat(asked.id, "far")
    assert not store.jobs.finish(asked.id, "far", {})
    assert store.jobs.finish(asked.id, "near", {"by": "near"})


def test_a_job_is_cancelled_by_its_own_user(store):
    waits = store.jobs.ask("k", 0, city="c", who="wang")
    with pytest.raises(RoleError):
        store.jobs.cancel(waits.id, who="li")
    assert store.jobs.cancel(waits.id, who="wang").state == "cancelled"
    runs = store.jobs.ask("k", 1, city="c", who="wang")
    store.jobs.claim("c", "r")
    assert store.jobs.cancel(runs.id).state == "running"
    assert not store.jobs.beat(runs.id, "r")
    assert store.jobs.stopped(runs.id, "r")
    assert store.jobs.get(runs.id).state == "cancelled"
    # One whose runner dies before it could stop is not begun again.
    third = store.jobs.ask("k", 2, city="c", who="wang")
    store.jobs.claim("c", "r")
    store.jobs.cancel(third.id)
    store.jobs.take_back("c", gone)
    assert store.jobs.get(third.id).state == "cancelled"


def test_one_user_cannot_fill_the_line(store):
    for number in range(MOST_OPEN):
        store.jobs.ask("k", number, city="c", who="wang")
    with pytest.raises(InputError, match="5"):
        store.jobs.ask("k", 9, city="c", who="wang")
    store.jobs.ask("k", 9, city="c", who="li")


def test_there_is_no_such_job(store):
    for act in (store.jobs.get, store.jobs.cancel):
        with pytest.raises(RecordMissingError, match="nothing"):
            act("nothing")
