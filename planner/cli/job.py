"""``planner job``: the work that is done beside the server, listed, shown and cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from layers.messages import text
from planner.cli.options import Commands, StoreTasks, run_task
from planner.cli.screen import plain, stdout, write

if TYPE_CHECKING:
    import argparse

    from planner.store import Job, Store

_SHORT = 8


def register(commands: Commands) -> None:
    """Add the command and its own commands to the parser."""
    add = StoreTasks(commands.add("job", run_task), "job").add
    add("list", _list).add_argument("--who", help=text("cli.job.who"))
    add("show", _show, "id")
    add("cancel", _cancel, "id")


def _list(store: Store, options: argparse.Namespace) -> None:
    found = store.jobs.every(who=options.who)
    if options.json:
        write({"jobs": [job.as_dict() for job in found]})
    elif found:
        _table(found)
    else:
        stdout().print(text("cli.job.nothing"))


def _show(store: Store, options: argparse.Namespace) -> None:
    from planner.jobs import files_of  # noqa: PLC0415 - this task alone

    job = _named(store, options.id)
    files = [str(file) for file in files_of(store, job)]
    if options.json:
        write({"job": job.as_dict(), "files": files})
        return
    _table([job])
    for file in files:
        stdout().print(file, markup=False, highlight=False, soft_wrap=True)


def _cancel(store: Store, options: argparse.Namespace) -> None:
    job = store.jobs.cancel(_named(store, options.id).id)
    if options.json:
        write({"job": job.as_dict()})
        return
    state = text(f"job.state.{job.state}")
    told = text("cli.job.stopping", id=job.id[:_SHORT], state=state)
    stdout().print(told, markup=False, highlight=False)


def _named(store: Store, words: str) -> Job:
    """Find the job whose id is this, or alone begins so."""
    fitting = [job for job in store.jobs.every() if words and job.id.startswith(words)]
    return fitting[0] if len(fitting) == 1 else store.jobs.get(words)


def _table(jobs: list[Job]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("id", "kind", "who", "state", "share", "made", "told"):
        table.add_column(text(f"cli.job.column.{column}"), overflow="fold")
    for job in jobs:
        share = "" if job.share is None else f"{job.share:.0%}"
        made = f"{job.made:%Y-%m-%d %H:%M:%S}"
        kind, state = text(f"job.kind.{job.kind}"), text(f"job.state.{job.state}")
        cells = (job.id[:_SHORT], kind, job.who, state, share, made, job.told)
        table.add_row(*(plain(cell) for cell in cells))
    stdout().print(table)
