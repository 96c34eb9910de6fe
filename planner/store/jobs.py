"""Jobs: work that lasts, kept so that it outlives a closed browser and a stopped server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args
from uuid import uuid4

import sqlalchemy as sa

from layers.errors import InputError, RecordMissingError, RoleError
from layers.messages import Language, language, text
from planner.store.tables import JOBS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from planner.store.database import Database

State = Literal["waiting", "running", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = get_args(State)
OVER: tuple[State, ...] = ("done", "failed", "cancelled")
"""States that a job does not leave any more."""

SILENCE = timedelta(seconds=60)
"""How long a runner may say nothing before its job is given to another."""
TRIES = 3
"""How often a job is begun: one that ends its runner each time is given up."""
MOST_OPEN = 5
"""Jobs of one user that may wait or run at once."""


def new_id() -> str:
    """Make an id that no job has."""
    return uuid4().hex


@dataclass(frozen=True, kw_only=True, repr=False)
class Job:
    """Work that somebody asked for.

    Attributes
    ----------
    id
        What it is called by.
    kind
        What is to be done, such as ``report``.
    city
        Where its city lies.
    asked
        What exactly, as plain values.
    lang
        Language of whoever asked.
    who
        Who asked; empty on a desk that asks nobody who they are.
    state
        ``waiting``, ``running``, ``done``, ``failed`` or ``cancelled``.
    share
        Part done, None where that is not known.
    told
        What is being done, or why it failed, in words.
    result
        What came of it, as plain values; None before that.
    made, begun, ended
        When it was asked for, begun (the last time) and over (UTC).
    runner
        Which process has it.
    tries
        How often it was begun.
    stop
        Whether it was asked to stop.
    """

    id: str
    kind: str
    city: str
    asked: Any
    lang: Language
    who: str
    state: State
    share: float | None
    told: str
    result: Any
    made: datetime
    begun: datetime | None
    ended: datetime | None
    runner: str
    tries: int
    stop: bool

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in OVER

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            key: value.isoformat() if isinstance(value, datetime) else value
            for key, value in vars(self).items()
        }

    def __repr__(self) -> str:
        who = f" for {self.who}" if self.who else ""
        share = "" if self.share is None else f", {self.share:.0%}"
        return f"<Job {self.kind} {self.id[:8]}{who}: {self.state}{share}>"


class Jobs:
    """Jobs of a store.

    Parameters
    ----------
    database
        The store's database.

    Examples
    --------
    >>> import tempfile
    >>> from planner.store import Store
    >>> with tempfile.TemporaryDirectory() as folder, Store(f"{folder}/store.sqlite") as store:
    ...     asked = store.jobs.ask("report", {"year": 2023}, city="/cities/core", who="wang")
    ...     job = store.jobs.claim("/cities/core", "runner 1")
    ...     kept = store.jobs.finish(job.id, "runner 1", {"files": []})
    ...     store.jobs.get(job.id).state
    'done'
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(
        self, kind: str, asked: Any, *, city: str, who: str = "", called: str | None = None
    ) -> Job:
        """Ask for work to be done, in the language in force.

        Parameters
        ----------
        kind, asked
            What is to be done, as plain values.
        city
            Where its city lies.
        who
            Who asks.
        called
            Id of the job, of `new_id`; a fresh one when None.

        Raises
        ------
        InputError
            As many jobs of this user wait already as may.
        """
        made = called or new_id()
        row = {
            "id": made,
            "kind": kind,
            "city": city,
            "asked": json.dumps(asked, ensure_ascii=False, allow_nan=False),
            "lang": language(),
            "who": who,
            "state": "waiting",
            "told": "",
            "result": "null",
            "made": datetime.now(UTC),
            "runner": "",
            "tries": 0,
            "stop": False,
        }
        open_ = sa.select(sa.func.count()).where(JOBS.c.who == who, JOBS.c.state.not_in(OVER))
        with self._database.transaction() as connection:
            if connection.execute(open_).scalar_one() >= MOST_OPEN:
                raise InputError(text("job.too_many", most=MOST_OPEN))
            connection.execute(sa.insert(JOBS).values(**row))
            return _job(connection, made)

    def get(self, job: str) -> Job:
        """Look a job up.

        Raises
        ------
        RecordMissingError
            There is no such job.
        """
        with self._database.transaction(reading=True) as connection:
            return _job(connection, job)

    def every(self, *, who: str | None = None, city: str | None = None) -> list[Job]:
        """List jobs, the newest first.

        Parameters
        ----------
        who, city
            Only those of a user, or about a city; all when None.
        """
        asked = sa.select(JOBS).order_by(JOBS.c.made.desc(), JOBS.c.id)
        if who is not None:
            asked = asked.where(JOBS.c.who == who)
        if city is not None:
            asked = asked.where(JOBS.c.city == city)
        with self._database.transaction(reading=True) as connection:
            return [_read(row) for row in connection.execute(asked).mappings()]

    def counts(self) -> dict[str, int]:
        """Count the jobs in each state."""
        asked = sa.select(JOBS.c.state, sa.func.count()).group_by(JOBS.c.state)
        with self._database.transaction(reading=True) as connection:
            found = {str(row[0]): int(row[1]) for row in connection.execute(asked)}
        return {state: found.get(state, 0) for state in STATES}

    def load(
        self, city: str, *, kinds: Collection[str] = (), others: Collection[str] = ()
    ) -> dict[str, int]:
        """Count what waits and what runs for a city; see `claim`."""
        asked = (
            sa.select(JOBS.c.state, sa.func.count())
            .where(*_among(city, kinds, others), JOBS.c.state.in_(("waiting", "running")))
            .group_by(JOBS.c.state)
        )
        with self._database.transaction(reading=True) as connection:
            found = {str(row[0]): int(row[1]) for row in connection.execute(asked)}
        return {"waiting": found.get("waiting", 0), "running": found.get("running", 0)}

    def cancel(self, job: str, *, who: str | None = None) -> Job:
        """Ask a job to stop; one that waits is cancelled at once, one that is over stays.

        Parameters
        ----------
        job
            Its id.
        who
            Who asks, who may stop their own alone; anybody's when None.

        Raises
        ------
        RecordMissingError
            There is no such job.
        RoleError
            It is somebody else's.
        """
        with self._database.transaction() as connection:
            before = _job(connection, job, to_change=True)
            if who is not None and who != before.who:
                raise RoleError(text("job.not_own"))
            if not before.over:
                changes: dict[str, Any] = {"stop": True}
                if before.state == "waiting":
                    changes |= {"state": "cancelled", "ended": datetime.now(UTC)}
                _change(connection, job, changes)
            return _job(connection, job)

    def claim(
        self,
        city: str,
        runner: str,
        *,
        kinds: Collection[str] = (),
        others: Collection[str] = (),
    ) -> Job | None:
        """Take the job that has waited longest; None where none waits.

        Parameters
        ----------
        city
            Where the city lies.
        runner
            Who takes it.
        kinds
            Kinds of jobs to look for; all when empty.
        others
            Kinds that are left alone.
        """
        now = datetime.now(UTC)
        waiting = (
            sa.select(JOBS.c.id)
            .where(*_among(city, kinds, others), JOBS.c.state == "waiting")
            .order_by(JOBS.c.made, JOBS.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self._database.transaction() as connection:
            found = connection.execute(waiting).scalar_one_or_none()
            if found is None:
                return None
            fresh = {"state": "running", "runner": runner, "begun": now, "beat": now, "told": ""}
            fresh |= {"share": None, "tries": JOBS.c.tries + 1}
            _change(connection, found, fresh)
            return _job(connection, found)

    def beat(self, job: str, runner: str, *, share: float | None = None, told: str = "") -> bool:
        """Say that a runner is at work; whether it shall go on."""
        fresh = {"beat": datetime.now(UTC), "share": share, "told": told}
        with self._database.transaction() as connection:
            if not _own(connection, job, runner):
                return False
            _change(connection, job, fresh)
            return not _job(connection, job).stop

    def finish(self, job: str, runner: str, result: Any) -> bool:
        """Keep what came of a job; whether the runner still had it."""
        return self._end(job, runner, _done(result))

    def fail(self, job: str, runner: str, told: str) -> bool:
        """Keep why a job failed; whether the runner still had it."""
        return self._end(job, runner, {"state": "failed", "told": told})

    def stopped(self, job: str, runner: str) -> bool:
        """Keep that a job was stopped as asked; whether the runner still had it."""
        return self._end(job, runner, {"state": "cancelled", "told": ""})

    def take_back(
        self,
        city: str,
        lives: Callable[[str], bool | None],
        stands: Callable[[Job], Any] = lambda _: None,
    ) -> int:
        """Let jobs wait again whose runners are gone.

        Parameters
        ----------
        city
            Whose jobs.
        lives
            Tells of a runner whether it is at work; None where nobody here knows, and its
            silence decides.
        stands
            Tells what came of a job whose runner died between doing it and saying so; None
            where it is not done.

        Returns
        -------
        How many.
        """
        running = sa.select(JOBS).where(JOBS.c.city == city, JOBS.c.state == "running")
        now, count = datetime.now(UTC), 0
        with self._database.transaction() as connection:
            for row in connection.execute(running.with_for_update()).mappings().all():
                known = lives(row["runner"])
                silent = row["beat"] is None or now - row["beat"] > SILENCE
                if known or (known is None and not silent):
                    continue
                changes: dict[str, Any] = {"state": "waiting", "runner": "", "told": ""}
                if (result := stands(_read(row))) is not None:
                    changes = {**_done(result), "ended": now}
                elif row["stop"]:
                    changes |= {"state": "cancelled", "ended": now}
                elif row["tries"] >= TRIES:
                    told = text("job.given_up", row["lang"], tries=TRIES)
                    changes |= {"state": "failed", "told": told, "ended": now}
                _change(connection, row["id"], changes)
                count += 1
        return count

    def _end(self, job: str, runner: str, changes: dict[str, Any]) -> bool:
        with self._database.transaction() as connection:
            if not _own(connection, job, runner):
                return False
            _change(connection, job, {**changes, "ended": datetime.now(UTC)})
        return True


def _done(result: Any) -> dict[str, Any]:
    held = json.dumps(result, ensure_ascii=False, allow_nan=False)
    return {"state": "done", "result": held, "share": 1.0, "told": ""}


def _among(
    city: str, kinds: Collection[str], others: Collection[str]
) -> list[sa.ColumnElement[bool]]:
    """Tell jobs about a city of some kinds from all that there are."""
    told = [JOBS.c.city == city]
    if kinds:
        told.append(JOBS.c.kind.in_(sorted(kinds)))
    if others:
        told.append(JOBS.c.kind.not_in(sorted(others)))
    return told


def _own(connection: sa.Connection, job: str, runner: str) -> bool:
    """Whether a runner has a job, which stays so until the transaction ends."""
    asked = sa.select(JOBS.c.id).where(
        JOBS.c.id == job, JOBS.c.runner == runner, JOBS.c.state == "running"
    )
    return connection.execute(asked.with_for_update()).first() is not None


def _change(connection: sa.Connection, job: str, changes: dict[str, Any]) -> None:
    connection.execute(sa.update(JOBS).where(JOBS.c.id == job).values(**changes))


def _job(connection: sa.Connection, job: str, *, to_change: bool = False) -> Job:
    asked = sa.select(JOBS).where(JOBS.c.id == job)
    row = connection.execute(asked.with_for_update() if to_change else asked).mappings().first()
    if row is None:
        raise RecordMissingError(text("job.missing", id=job))
    return _read(row)


def _read(row: sa.RowMapping) -> Job:
    plain = {key: value for key, value in row.items() if key != "beat"}
    return Job(**{**plain, "asked": json.loads(row["asked"]), "result": json.loads(row["result"])})
