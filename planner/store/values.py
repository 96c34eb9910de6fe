"""Entered values of a city in the store: what a file of history holds, for many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from planner.history import History, Record, accepted
from planner.store import rows
from planner.store.tables import RECORDS, REVISIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.store.database import Database

# Any number, the same for all: who enters values into a PostgreSQL holds it.
_ENTERING = 7_316_256


@dataclass(frozen=True, kw_only=True)
class StoredHistory:
    """A keeper of entered values, as `planner.history.add_records` takes one.

    A record of the store is what a value is of (target, year, unit and part); each value
    entered for it is a revision, with who and when.

    Attributes
    ----------
    database
        The store's.
    city
        Name of the city that the values are of.

    Examples
    --------
    >>> import tempfile
    >>> from planner.history import Record, add_records, read_history
    >>> from planner.store import Store
    >>> value = Record(key="life_expectancy", year=2023, value=85.4, who="王", source="年鉴")
    >>> with tempfile.TemporaryDirectory() as folder, Store(f"{folder}/store.sqlite") as store:
    ...     _ = add_records(store.values("杭州"), [value])
    ...     read_history(store.values("杭州")).standing()[0].value
    85.4
    """

    database: Database
    city: str

    def read(self) -> History:
        """Read every value, in the order of entering; those of deleted records are left out."""
        with self.database.transaction(reading=True) as connection:
            return self._history(connection)

    def add(self, records: Sequence[Record]) -> History:
        """Add values, all or none, whoever else adds some meanwhile.

        Raises
        ------
        PlanError
            As `planner.history.add_records` raises it; nothing is added then.
        """
        with self.database.transaction() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ENTERING)))
            history = self._history(connection)
            taken = accepted(history, records)
            for record in taken:
                self._keep(connection, record)
        return history.with_records(taken)

    def _history(self, connection: sa.Connection) -> History:
        found = connection.execute(self._asked()).mappings()
        return History(tuple(Record(**rows.body_of(row)) for row in found))

    def _keep(self, connection: sa.Connection, record: Record) -> None:
        name = " ".join(str(part) for part in record.place if part != "")
        of_name = self._asked().where(REVISIONS.c.name == name)
        places = {
            Record(**rows.body_of(row)).place: (row["id"], row["revision"])
            for row in connection.execute(of_name).mappings()
        }
        if record.place in places:
            kept, now = places[record.place]
            number = rows.next_revision(connection, kept, now)
        else:
            kept, number = rows.add(connection, kind="value", city=self.city), 1
        rows.revise(
            connection,
            kept,
            number,
            "create" if number == 1 else "save",
            name,
            rows.held_as_json("value", record.as_dict()),
            record.who,
            record.reason,
        )

    def _asked(self) -> sa.Select[tuple[str, int, str]]:
        """Every value that was entered, oldest first."""
        return (
            sa.select(RECORDS.c.id, RECORDS.c.revision, REVISIONS.c.body)
            .join(REVISIONS, REVISIONS.c.record == RECORDS.c.id)
            .where(
                RECORDS.c.kind == "value",
                RECORDS.c.city == self.city,
                RECORDS.c.deleted.is_(False),
                REVISIONS.c.action.in_(("create", "save")),
            )
            .order_by(REVISIONS.c.at, RECORDS.c.id, REVISIONS.c.number)
        )
