"""A dump: every record that a store holds, in one file of text that tells whether it is whole."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from layers.errors import StoreError
from layers.messages import text
from layers.saving import save_text
from planner.store.tables import RECORDS, REVISIONS

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

_FORM = "coverage-planner store 1"


def write(connection: sa.Connection, file: str | os.PathLike[str]) -> int:
    """Write every record and revision into a file: a line a row, then a line with the checksum.

    Returns
    -------
    Number of records written.
    """
    lines = [json.dumps({"form": _FORM})]
    for table in (RECORDS, REVISIONS):
        asked = sa.select(table).order_by(*table.primary_key.columns)
        lines += [_line(table.name, row) for row in connection.execute(asked).mappings()]
    body = "\n".join(lines) + "\n"
    save_text(Path(file), body + json.dumps({"checksum": _checksum(body)}) + "\n")
    return int(connection.execute(sa.select(sa.func.count()).select_from(RECORDS)).scalar_one())


def read(connection: sa.Connection, file: str | os.PathLike[str]) -> int:
    """Take in what a file holds and the store lacks.

    Returns
    -------
    Number of records taken in, or taken further.

    Raises
    ------
    StoreError
        The file is no dump, is damaged, or one of its records has gone another way here.
    """
    rows: dict[str, list[dict[str, Any]]] = {RECORDS.name: [], REVISIONS.name: []}
    for name, row in _rows(Path(file)):
        rows[name].append(row)
    revisions: dict[str, list[dict[str, Any]]] = {}
    for row in rows[REVISIONS.name]:
        revisions.setdefault(row["record"], []).append(row)
    taken = [
        record
        for record in rows[RECORDS.name]
        if _take(connection, record, revisions.get(record["id"], []))
    ]
    # Only now is there every record that another may be the other version of.
    for record in taken:
        state = {name: record[name] for name in ("revision", "deleted", "other_of")}
        connection.execute(sa.update(RECORDS).where(RECORDS.c.id == record["id"]).values(**state))
    return len(taken)


def _take(
    connection: sa.Connection, record: dict[str, Any], revisions: list[dict[str, Any]]
) -> bool:
    """Take in one record's revisions that are new here; tell whether there were any."""
    asked = sa.select(REVISIONS).where(REVISIONS.c.record == record["id"])
    here = {row["number"]: dict(row) for row in connection.execute(asked).mappings()}
    fresh = []
    for row in revisions:
        if row["number"] not in here:
            fresh.append(row)
        elif here[row["number"]] != row:
            raise StoreError(text("store.went_another_way", name=row["name"], number=row["number"]))
    if not here:
        connection.execute(sa.insert(RECORDS).values(**{**record, "other_of": None}))
    if fresh:
        connection.execute(sa.insert(REVISIONS), fresh)
    return bool(fresh)


def _rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of a file, each with its table's name, once the whole is known to be sound."""
    try:
        whole = file.read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        raise StoreError(text("error.file_missing", path=str(file))) from missing
    except (OSError, UnicodeDecodeError) as wrong:
        raise StoreError(text("store.no_dump", path=str(file))) from wrong
    body, _, last = whole.rstrip("\n").rpartition("\n")
    if not whole.startswith(json.dumps({"form": _FORM})):
        raise StoreError(text("store.no_dump", path=str(file)))
    if last != json.dumps({"checksum": _checksum(body + "\n")}):
        raise StoreError(text("store.dump_damaged", path=str(file)))
    for line in body.splitlines()[1:]:
        entry = json.loads(line)
        row = entry["row"]
        if "at" in row:
            row["at"] = datetime.fromisoformat(row["at"])
        yield entry["table"], row


def _line(table: str, row: sa.RowMapping) -> str:
    plain = {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in row.items()
    }
    # One line whatever a name holds: splitting at its unusual line ends must not happen.
    return json.dumps({"table": table, "row": plain})


def _checksum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
