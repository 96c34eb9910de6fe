"""A store of records: every change has who and when, and none overwrites another's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from layers.errors import InputError, RecordMissingError, RevisionConflictError
from layers.messages import text
from planner.standards import unknown_name
from planner.store import dump, rows
from planner.store.accounts import Accounts
from planner.store.database import Database, usual_place
from planner.store.jobs import Jobs
from planner.store.record import KINDS, Kind, Record, Revision
from planner.store.tables import RECORDS, REVISIONS
from planner.store.values import StoredHistory

if TYPE_CHECKING:
    import os
    from pathlib import Path
    from types import TracebackType

    from layers.database import Address


class Store:
    """Scenarios, saved views and entered values, in one database.

    Parameters
    ----------
    place
        A file of SQLite, made when it is not there, or a PostgreSQL by its address
        ``postgresql://user@host/database?schema=NAME``; ``PLANNER_STORE`` or a file in the
        user's folder when None.

    Attributes
    ----------
    accounts
        Who may enter, with their roles.
    jobs
        Work that lasts.

    Raises
    ------
    StoreError
        It cannot be opened, or a newer version of the program wrote it.

    Examples
    --------
    >>> import tempfile
    >>> from planner import Open, Scenario
    >>> with tempfile.TemporaryDirectory() as folder, Store(f"{folder}/store.sqlite") as store:
    ...     plan = Scenario((Open(service="fitness_circle", place=(120.2, 30.25)),), "江边")
    ...     kept = store.create("scenario", plan.name, plan.as_dict(), author="wang")
    ...     store.save(kept.id, plan.then().as_dict(), author="li", based_on=kept.revision).revision
    2
    """

    def __init__(self, place: str | os.PathLike[str] | Address | None = None) -> None:
        self._database = Database(usual_place() if place is None else place)
        self.accounts = Accounts(self._database)
        self.jobs = Jobs(self._database)

    @property
    def place(self) -> Path | Address:
        """Where it lies."""
        return self._database.place

    def create(
        self,
        kind: Kind,
        name: str,
        body: Any,
        *,
        author: str,
        city: str = "",
        note: str = "",
    ) -> Record:
        """Keep something new.

        Parameters
        ----------
        kind
            ``scenario``, ``view`` or ``value``.
        name
            What its owner calls it; others may be called so too.
        body
            Plain values, as JSON holds them; of a scenario what `Scenario.as_dict` gives.
        author
            Who keeps it.
        city
            Name of the city that it is about.
        note
            What the author says of it.

        Raises
        ------
        InputError
            The body is no plain value or no scenario, or there is no name or author.
        """
        if kind not in KINDS:
            raise unknown_name("record", kind, KINDS)
        _refuse_empty(name=name, author=author)
        held = rows.held_as_json(kind, body)
        with self._database.transaction() as connection:
            made = rows.add(connection, kind=kind, city=city)
            rows.revise(connection, made, 1, "create", name, held, author, note)
            return rows.record_of(connection, made)

    def save(
        self,
        record: str,
        body: Any,
        *,
        author: str,
        based_on: int,
        name: str | None = None,
        note: str = "",
    ) -> Record:
        """Change what is kept.

        Parameters
        ----------
        record
            Id of the record.
        body, author, note
            As `create` takes them.
        based_on
            Revision that was changed; another in between is not overwritten.
        name
            A new name; the old one when None.

        Raises
        ------
        RevisionConflictError
            Somebody has saved or deleted it since. What was to be saved is kept as a new
            record, whose name tells whose it is; the error has both.
        RecordMissingError
            There is no such record.
        InputError
            As `create` raises it.
        """
        now = datetime.now(UTC)
        with self._database.transaction() as connection:
            before = rows.record_to_change(connection, record)
            held = rows.held_as_json(before.kind, body)
            _refuse_empty(name=before.name if name is None else name, author=author)
            called = before.name if name is None else name
            if before.revision == based_on and not before.deleted:
                number = rows.next_revision(connection, record, based_on)
                rows.revise(connection, record, number, "save", called, held, author, note)
                return rows.record_of(connection, record)
            other = text("store.other", name=called, author=author, at=f"{now:%Y-%m-%d %H:%M}")
            beside = rows.add(connection, kind=before.kind, city=before.city, other_of=record)
            rows.revise(connection, beside, 1, "create", other, held, author, note)
            own = rows.record_of(connection, beside)
        raise RevisionConflictError(
            text(
                "store.conflict_deleted" if before.deleted else "store.conflict",
                name=before.name,
                by=before.author,
                at=f"{before.at:%Y-%m-%d %H:%M}",
                revision=before.revision,
                based_on=based_on,
                own=own.name,
            ),
            theirs=before,
            own=own,
        )

    def delete(self, record: str, *, author: str, based_on: int, note: str = "") -> Record:
        """Delete a record, which can be recovered.

        Raises
        ------
        RevisionConflictError
            Somebody has saved it since; it is not deleted.
        RecordMissingError
            There is no such record, or it is deleted already.
        """
        _refuse_empty(author=author)
        with self._database.transaction() as connection:
            before = rows.record_to_change(connection, record)
            if before.deleted:
                raise RecordMissingError(text("store.missing", id=record))
            if before.revision != based_on:
                told = text(
                    "store.conflict_kept",
                    name=before.name,
                    by=before.author,
                    at=f"{before.at:%Y-%m-%d %H:%M}",
                )
                raise RevisionConflictError(told, theirs=before, own=None)
            return rows.mark(connection, before, "delete", author, note)

    def recover(self, record: str, *, author: str, note: str = "") -> Record:
        """Bring a deleted record back as it was; one that is not deleted stays as it is.

        Raises
        ------
        RecordMissingError
            There is no such record.
        """
        _refuse_empty(author=author)
        with self._database.transaction() as connection:
            before = rows.record_to_change(connection, record)
            return (
                rows.mark(connection, before, "recover", author, note) if before.deleted else before
            )

    def get(self, record: str, *, revision: int | None = None) -> Record:
        """Look a record up, deleted ones too.

        Parameters
        ----------
        record
            Its id.
        revision
            An older state of it; the newest when None.

        Raises
        ------
        RecordMissingError
            There is no such record or revision.
        """
        with self._database.transaction(reading=True) as connection:
            return rows.record_of(connection, record, revision)

    def records(
        self, kind: Kind | None = None, *, city: str | None = None, deleted: bool = False
    ) -> list[Record]:
        """List records, those last changed first.

        Parameters
        ----------
        kind, city
            Only those of a kind, or about a city; all when None.
        deleted
            List those that are deleted instead.
        """
        asked = rows.newest().where(RECORDS.c.deleted.is_(deleted))
        if kind is not None:
            asked = asked.where(RECORDS.c.kind == kind)
        if city is not None:
            asked = asked.where(RECORDS.c.city == city)
        asked = asked.order_by(REVISIONS.c.at.desc(), RECORDS.c.id)
        with self._database.transaction(reading=True) as connection:
            return [rows.read(row) for row in connection.execute(asked).mappings()]

    def history(self, record: str) -> list[Revision]:
        """Every change of a record, oldest first.

        Raises
        ------
        RecordMissingError
            There is no such record.
        """
        columns = (REVISIONS.c[name] for name in ("number", "action", "name", "author", "at"))
        asked = (
            sa.select(*columns, REVISIONS.c.note)
            .where(REVISIONS.c.record == record)
            .order_by(REVISIONS.c.number)
        )
        with self._database.transaction(reading=True) as connection:
            rows = connection.execute(asked).mappings().all()
        if not rows:
            raise RecordMissingError(text("store.missing", id=record))
        return [Revision(**row) for row in rows]

    def values(self, city: str) -> StoredHistory:
        """Entered values of a city, for `planner.history.add_records` and its like.

        Parameters
        ----------
        city
            Its name.
        """
        return StoredHistory(database=self._database, city=city)

    def backup(self, file: str | os.PathLike[str]) -> int:
        """Write every record into a file, whole or not at all; accounts and jobs are left out.

        The file serves any database: one written from SQLite restores into a PostgreSQL.

        Returns
        -------
        Number of records written.

        Raises
        ------
        InputError
            The disk refuses.
        """
        with self._database.transaction(reading=True) as connection:
            return dump.write(connection, file)

    def restore(self, file: str | os.PathLike[str]) -> int:
        """Take in everything of a backup.

        Records that the store has in the same states already are left; nothing is
        overwritten.

        Returns
        -------
        Number of records taken in.

        Raises
        ------
        StoreError
            The file is no backup, is damaged, or a record of it has gone another way here;
            nothing has changed.
        """
        with self._database.transaction() as connection:
            return dump.read(connection, file)

    def answers(self) -> bool:
        """Whether the database answers now.

        Raises
        ------
        StoreError
            It does not; the message says why.
        """
        return bool(self._database.form)

    def close(self) -> None:
        """Give back every connection."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(self.records(kind)):,} {kind}" for kind in KINDS)
        return f"<Store {self.place}: {counts}>"


def _refuse_empty(**words: str) -> None:
    for field, value in words.items():
        if not value.strip():
            raise InputError(text(f"store.no_{field}"))
