"""``planner batch``: many cities, services, standards and scenarios on Dask."""

import argparse
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from layers.messages import text
from planner.batch import read_study, run
from planner.cli.options import Commands, share
from planner.cli.screen import DONE, STOPPED, stderr, stdout, write


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add("batch", compute)
    share(parser, "json")
    parser.add_argument("study", type=Path, metavar="STUDY.toml", help=text("cli.batch.study"))
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help=text("cli.batch.out")
    )
    parser.add_argument("--workers", type=_count, metavar="N", help=text("cli.batch.workers"))
    parser.add_argument("--scheduler", metavar="ADDRESS", help=text("cli.batch.scheduler"))


def compute(options: argparse.Namespace) -> int:
    """Run the study and say what came of it; what failed makes the status 1."""
    study = read_study(options.study)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=stderr(), transient=True) as bar:
        task = bar.add_task(text("cli.batch.working", name=study.name), total=len(study))
        outcome = run(
            study,
            options.out,
            workers=options.workers,
            scheduler=options.scheduler,
            progress=lambda done, every: bar.update(task, completed=done, total=every),
        )
    if options.json:
        write({"study": study.name, **outcome.as_dict()})
    else:
        rows = ", ".join(
            text("cli.batch.rows", kind=text(f"batch.kind.{kind}"), count=f"{count:,}")
            for kind, count in outcome.rows.items()
        )
        told = {"computed": outcome.computed, "kept": outcome.kept, "rows": rows or "–"}
        seconds = {"seconds": f"{outcome.seconds:.1f}", "work": f"{outcome.work_seconds:.1f}"}
        line = text("cli.batch.done", path=str(outcome.out), **told, **seconds)
        stdout().print(line, markup=False, highlight=False)
    for (city, variant), why in outcome.failed.items():
        line = text("cli.batch.failed", city=city, variant=variant or "–", why=why)
        stderr().print(line, style="red", markup=False, highlight=False)
    return STOPPED if outcome.failed else DONE


def _count(words: str) -> int:
    number = int(words)
    if number < 0:
        raise ValueError(words)
    return number
