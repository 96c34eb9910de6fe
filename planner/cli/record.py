"""``planner record``: enter or correct a value of a target, and see what was entered."""

import argparse
from pathlib import Path

from rich import box
from rich.table import Table

from layers.messages import text
from planner.cli.options import Commands, share
from planner.cli.screen import DONE, MISUSED, plain, stderr, stdout, write
from planner.entered import checked
from planner.history import History, Record, add_records, read_history
from planner.plan import Plan, load_plan
from planner.standards import load_services


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    enter = commands.add("record", run)
    share(enter, "services", "plan", "json")
    enter.add_argument("--history", type=Path, required=True, help=text("cli.record.history"))
    enter.add_argument("--target", metavar="KEY", help=text("cli.record.target"))
    enter.add_argument("--year", type=int, help=text("cli.record.year"))
    value = enter.add_mutually_exclusive_group()
    value.add_argument("--value", type=float, help=text("cli.record.value").replace("%", "%%"))
    value.add_argument("--withdraw", action="store_true", help=text("cli.record.withdraw"))
    for name in ("unit", "part", "by", "source", "reason"):
        enter.add_argument(f"--{name}", default="", help=text(f"cli.record.{name}"))


def run(options: argparse.Namespace) -> int:
    """Add a value where one is given, and show the history."""
    plan = load_plan(options.plan, services=load_services(options.services))
    entering = options.value is not None or options.withdraw
    if entering and (options.target is None or options.year is None):
        stderr().print(text("cli.record.incomplete"), style="red", highlight=False)
        return MISUSED
    key = None if options.target is None else plan[options.target].key
    if entering:
        made = Record(
            key=str(key),
            year=options.year,
            value=options.value,
            unit=options.unit,
            part=options.part,
            who=options.by,
            source=options.source,
            reason=options.reason,
        )
        history = add_records(options.history, checked([(1, made)], plan, None, "--value"))
    else:
        history = read_history(options.history)
    _show(history, plan, key, as_json=options.json)
    return DONE


def _show(history: History, plan: Plan, key: str | None, *, as_json: bool) -> None:
    gone = {id(record) for record in history.superseded()}
    chosen = [record for record in history if key in {None, record.key}]
    if as_json:
        told = [{**record.as_dict(), "superseded": id(record) in gone} for record in chosen]
        write({"records": told})
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    columns = ("target", "year", "unit", "part", "value", "who", "when", "source", "reason")
    for column in columns:
        right = column == "value"
        table.add_column(
            text(f"monitor.column.{column}"),
            justify="right" if right else "left",
            overflow="fold",
        )
    for record in chosen:
        target = plan.get(record.key)
        withdrawn = text("monitor.withdrawn") if record.value is None else None
        value = withdrawn or (target.figure(record.value) if target else f"{record.value:g}")
        table.add_row(
            plain(target.title() if target else record.key),
            str(record.year),
            *(plain(words) for words in (record.unit, record.part)),
            value,
            *(plain(words) for words in (record.who, record.when, record.source, record.reason)),
            style="dim strike" if id(record) in gone else None,
        )
    stdout().print(table)
