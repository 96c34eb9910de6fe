"""What the program shows: tables on standard output, progress on standard error."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Literal

from rich import box
from rich.console import Console
from rich.status import Status
from rich.table import Table

from layers.findings import Finding
from layers.messages import text

DONE, STOPPED, MISUSED = 0, 1, 2
_ROWS_SHOWN = 5
# Piped into a file a table must not be squeezed into eighty columns.
_PIPED = 160


def stdout() -> Console:
    """Where results are shown."""
    return Console(width=None if sys.stdout.isatty() else _PIPED)


def stderr() -> Console:
    """Where progress and complaints are shown."""
    return Console(stderr=True, soft_wrap=True, width=None if sys.stderr.isatty() else _PIPED)


def write(figures: dict[str, Any]) -> None:
    """Write figures as JSON to standard output, with the program's version."""
    made = {"version": version("coverage-planner"), **figures}
    sys.stdout.write(json.dumps(made, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    sys.stdout.flush()


@contextmanager
def working(words: str) -> Iterator[Status]:
    """Show that something is under way."""
    with stderr().status(words) as status:
        yield status


def plain(words: str) -> str:
    """Words of the data, whose brackets are no markup."""
    return words.replace("[", r"\[")


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Show findings as a table, none as nothing."""
    if not findings:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("severity", "layer", "rows", "which", "message", "remedy"):
        right = column == "rows"
        justify: Literal["left", "right"] = "right" if right else "left"
        # Chinese has no spaces to break lines at, and no word may be lost.
        table.add_column(text(f"cli.check.{column}"), justify=justify, overflow="fold")
    colours = {"error": "red", "warning": "yellow", "info": "default"}
    for finding in findings:
        some = ", ".join(str(row) for row in finding.rows[:_ROWS_SHOWN])
        table.add_row(
            f"[{colours[finding.severity]}]{text(f'severity.{finding.severity}')}[/]",
            text(f"layer.{finding.layer}"),
            f"{len(finding.rows):,}" if finding.rows else "",
            plain(some + (" …" if len(finding.rows) > _ROWS_SHOWN else "")),
            plain(finding.message),
            plain(finding.remedy),
        )
    console.print(table)
