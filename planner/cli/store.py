"""``planner store``: what is kept, listed, backed up and restored."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from layers.errors import InputError, SourceError
from layers.messages import text
from planner.cli.options import Commands, StoreTasks, run_task
from planner.cli.screen import plain, stdout, write

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from planner.store import Record, Store

_KINDS = ("scenario", "view", "value")


def register(commands: Commands) -> None:
    """Add the command and its own commands to the parser."""
    add = StoreTasks(commands.add("store", run_task), "store").add
    listing = add("list", _list)
    listing.add_argument("--kind", choices=_KINDS, help=text("cli.store.kind"))
    listing.add_argument("--deleted", action="store_true", help=text("cli.store.deleted"))
    show = add("show", _show, "id")
    show.add_argument("--revision", type=int, help=text("cli.store.revision"))
    for name, task, word in (
        ("add", _add, "file"),
        ("delete", _delete, "id"),
        ("recover", _recover, "id"),
    ):
        changing = add(name, task, word)
        changing.add_argument("--author", default=getpass.getuser(), help=text("cli.store.author"))
        changing.add_argument("--note", default="", help=text("cli.store.note"))
    add("backup", _backup, "file")
    add("restore", _restore, "file")


def _list(store: Store, options: argparse.Namespace) -> None:
    found = store.records(options.kind, deleted=options.deleted)
    if options.json:
        write({"records": [record.as_dict() for record in found]})
        return
    if not found:
        stdout().print(text("cli.store.nothing"))
        return
    _table(
        ("id", "kind", "name", "city", "revision", "author", "at"),
        ({**vars(one), "kind": text(f"store.kind.{one.kind}")} for one in found),
    )


def _show(store: Store, options: argparse.Namespace) -> None:
    record = store.get(options.id, revision=options.revision)
    changes = store.history(options.id)
    if options.json:
        write({"record": record.as_dict(), "history": [one.as_dict() for one in changes]})
        return
    stdout().print(repr(record), markup=False, highlight=False)
    _table(
        ("revision", "action", "name", "author", "at", "note"),
        (
            {**vars(one), "revision": one.number, "action": text(f"store.action.{one.action}")}
            for one in changes
        ),
    )
    told = json.dumps(record.body, ensure_ascii=False, indent=1)
    stdout().print(told, markup=False, highlight=False)


def _add(store: Store, options: argparse.Namespace) -> None:
    path = Path(options.file)
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise SourceError(text("error.file_missing", path=str(path))) from missing
    except (OSError, ValueError) as wrong:
        reason = str(wrong)
        raise SourceError(text("error.file_unreadable", path=str(path), reason=reason)) from wrong
    if not isinstance(body, dict):
        raise InputError(text("error.scenario_form"))
    name = body.get("name") or path.stem
    made = store.create("scenario", name, body, author=options.author, note=options.note)
    _tell("create", made, options)


def _delete(store: Store, options: argparse.Namespace) -> None:
    now = store.get(options.id).revision
    made = store.delete(options.id, author=options.author, based_on=now, note=options.note)
    _tell("delete", made, options)


def _recover(store: Store, options: argparse.Namespace) -> None:
    made = store.recover(options.id, author=options.author, note=options.note)
    _tell("recover", made, options)


def _backup(store: Store, options: argparse.Namespace) -> None:
    count = store.backup(options.file)
    _count("cli.store.backed_up", count, options)


def _restore(store: Store, options: argparse.Namespace) -> None:
    _count("cli.store.restored", store.restore(options.file), options)


def _count(key: str, count: int, options: argparse.Namespace) -> None:
    if options.json:
        write({"path": options.file, "records": count})
    else:
        stdout().print(text(key, path=options.file, count=count), markup=False, highlight=False)


def _tell(action: str, record: Record, options: argparse.Namespace) -> None:
    if options.json:
        write({"record": record.as_dict()})
        return
    told = text(
        "cli.store.done",
        action=text(f"store.action.{action}"),
        name=record.name,
        revision=record.revision,
        id=record.id,
    )
    stdout().print(told, markup=False, highlight=False)


def _table(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        right = column == "revision"
        table.add_column(
            text(f"cli.store.column.{column}"),
            justify="right" if right else "left",
            overflow="fold",
        )
    for row in rows:
        shown = {**row, "at": f"{row['at']:%Y-%m-%d %H:%M:%S}"}
        table.add_row(*(plain(str(shown[column])) for column in columns))
    stdout().print(table)
