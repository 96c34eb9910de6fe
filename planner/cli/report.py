"""``planner report``: documents to hand in."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from layers.messages import LANGUAGES, language, text
from planner.cli.options import Commands, open_city, share
from planner.cli.screen import DONE, stderr, stdout, working, write
from planner.entered import read_values
from planner.plan import load_plan
from planner.report.fonts import font_files
from planner.report.model import KINDS
from planner.siting.models import MODELS
from planner.standards import load_services
from planner.workbench import Workbench

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.report.model import Report

_EVALUATIONS = ("annual", "mid-term", "final")


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    report = commands.add("report", run, languages=(*LANGUAGES, "both"))
    share(report, "city", "services", "plan", "limit", "json")
    add = report.add_argument
    add("--kind", choices=KINDS, required=True, help=text("cli.report.kind"))
    add("--year", type=int, help=text("cli.report.year"))
    add("--out", type=Path, required=True, metavar="DIR", help=text("cli.report.out"))
    add("--format", type=_formats, metavar="LIST", help=text("cli.report.format"))
    add("--service", action="append", help=text("cli.report.service"))
    add("--values", type=Path, metavar="FILE", help=text("cli.monitor.values"))
    add("--propose", action="store_true", help=text("cli.report.propose"))
    add("--model", choices=MODELS, default="mclp", help=text("cli.report.model"))
    add("-p", type=int, metavar="N", help=text("cli.report.p"))
    report.set_defaults(refuse=report.error)
    add("--replace", action="store_true", help=text("cli.report.replace"))


def run(options: argparse.Namespace) -> int:
    """Compute, write, and tell which files there are."""
    from planner.report.writing import (  # noqa: PLC0415 - its libraries are slow to import
        FORMATS,
        refuse_loss,
        write_report,
    )

    # What would stop the work at its end stops it before.
    font_files()
    _refuse_wrong_use(options)
    plan = load_plan(options.plan, services=load_services(options.services))
    for key in options.service or ():
        # An unknown one is refused.
        plan.services[key]
    name = options.kind if options.year is None else f"{options.kind}-{options.year}"
    refuse_loss(options.out.resolve() / name, replace=options.replace)
    report = _report(options, plan)
    with working(text("cli.report.writing")):
        files = write_report(
            report,
            options.out,
            formats=options.format or FORMATS,
            lang=options.lang or language(),
            replace=options.replace,
        )
    if options.json:
        write({"kind": report.kind, "year": report.year, "files": [str(file) for file in files]})
        return DONE
    for file in files:
        stdout().print(str(file), markup=False, highlight=False, soft_wrap=True)
    stderr().print(text("cli.report.written", count=len(files)), highlight=False)
    return DONE


def _refuse_wrong_use(options: argparse.Namespace) -> None:
    """Refuse what cannot be done before anything is computed."""
    if options.kind in _EVALUATIONS and options.year is None:
        options.refuse(text("report.error.no_year", kind=options.kind))
    if options.kind == "siting" and len(options.service or ()) != 1:
        options.refuse(text("report.error.one_service"))


def _report(options: argparse.Namespace, plan: Plan) -> Report:
    """Build the report that was asked for."""
    from planner.report.making import Making  # noqa: PLC0415 - its libraries are slow to import

    services = load_services(options.services)
    city = open_city(options.city)
    file = options.values
    with stderr().status("") as status:
        making = Making(
            bench=Workbench(city, services=plan.services),
            plan=plan,
            services=services,
            keys=tuple(options.service or services),
            history=read_values(file, plan, city) if file else None,
            limit=options.limit,
            progress=status.update,
        )
        if options.kind == "coverage":
            return making.coverage(options.year)
        if options.kind == "siting":
            return making.siting(model=options.model, p=options.p, year=options.year)
        return making.evaluation(options.kind, options.year, propose=options.propose)


def _formats(words: str) -> tuple[str, ...]:
    """Read the formats named in a list."""
    from planner.report.writing import FORMATS  # noqa: PLC0415 - only this command

    named = tuple(name.strip().lower() for name in words.split(",") if name.strip())
    unknown = [name for name in named if name not in FORMATS]
    if unknown or not named:
        known = ", ".join(FORMATS)
        raise argparse.ArgumentTypeError(
            text("report.error.format", found=", ".join(unknown) or words, known=known)
        )
    return named
