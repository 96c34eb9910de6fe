"""Rows of records and revisions: what every change of a record is made of."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from layers.errors import InputError, RecordMissingError
from layers.messages import text
from planner.scenario import Scenario
from planner.store.record import Action, Kind, Record
from planner.store.tables import RECORDS, REVISIONS


def held_as_json(kind: Kind, body: Any) -> str:
    """Body as JSON, if it is what its kind wants."""
    try:
        held = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as wrong:
        raise InputError(text("store.body", reason=str(wrong))) from wrong
    if kind == "scenario":
        Scenario.from_dict(body)
    return held


def add(connection: sa.Connection, *, kind: Kind, city: str, other_of: str | None = None) -> str:
    """Add a record that has no revision yet; gives its id."""
    made = uuid4().hex
    row = {"id": made, "kind": kind, "city": city, "revision": 1, "deleted": False}
    connection.execute(sa.insert(RECORDS).values(**row, other_of=other_of))
    return made


def next_revision(
    connection: sa.Connection, record: str, based_on: int, *, deleted: bool | None = None
) -> int:
    """Take a record to the revision after one; gives its number."""
    changes: dict[str, Any] = {"revision": based_on + 1}
    if deleted is not None:
        changes["deleted"] = deleted
    connection.execute(sa.update(RECORDS).where(RECORDS.c.id == record).values(**changes))
    return based_on + 1


def revise(
    connection: sa.Connection,
    record: str,
    number: int,
    action: Action,
    name: str,
    held: str,
    author: str,
    note: str,
) -> None:
    """Add a revision."""
    connection.execute(
        sa.insert(REVISIONS).values(
            record=record,
            number=number,
            action=action,
            name=name,
            body=held,
            author=author,
            at=datetime.now(UTC),
            note=note,
        )
    )


def mark(
    connection: sa.Connection, before: Record, action: Action, author: str, note: str
) -> Record:
    """Delete or recover."""
    number = next_revision(connection, before.id, before.revision, deleted=action == "delete")
    held = held_as_json(before.kind, before.body)
    revise(connection, before.id, number, action, before.name, held, author, note)
    return record_of(connection, before.id)


def newest(revision: int | None = None) -> sa.Select[Any]:
    """Ask for records at their newest revision, or at one."""
    number = RECORDS.c.revision if revision is None else sa.literal(revision)
    joined = sa.and_(REVISIONS.c.record == RECORDS.c.id, REVISIONS.c.number == number)
    columns = (RECORDS.c[name] for name in ("id", "kind", "city", "deleted", "other_of"))
    return sa.select(
        *columns,
        *(REVISIONS.c[name] for name in ("name", "body", "author", "at")),
        REVISIONS.c.number.label("revision"),
    ).join(REVISIONS, joined)


def record_of(connection: sa.Connection, record: str, revision: int | None = None) -> Record:
    """Look a record up."""
    asked = newest(revision).where(RECORDS.c.id == record)
    row = connection.execute(asked).mappings().one_or_none()
    if row is None:
        raise RecordMissingError(text("store.missing", id=record))
    return read(row)


def record_to_change(connection: sa.Connection, record: str) -> Record:
    """Look a record up while nobody else can change it until the transaction ends."""
    # In a statement of its own: PostgreSQL reads what is joined as it was before the wait.
    held = sa.select(RECORDS.c.id).where(RECORDS.c.id == record).with_for_update()
    connection.execute(held).all()
    return record_of(connection, record)


def read(row: sa.RowMapping) -> Record:
    """Make a record of what `newest` asked for."""
    return Record(**{**row, "body": json.loads(row["body"])})


def body_of(row: sa.RowMapping) -> Any:
    """Read a body as plain values."""
    return json.loads(row["body"])
