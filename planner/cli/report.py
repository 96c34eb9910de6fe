"""``planner report``: documents to hand in."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layers.messages import LANGUAGES, language, text
from planner.access import access
from planner.cli.options import Commands, open_city, share
from planner.cli.screen import DONE, stderr, stdout, working, write
from planner.entered import read_values
from planner.equity import equity
from planner.indicators import monitor
from planner.plan import load_plan
from planner.proposal import proposal
from planner.report.fonts import font_files
from planner.report.model import KINDS
from planner.review import review
from planner.siting.models import MODELS
from planner.siting.site import site
from planner.standards import load_services
from planner.workbench import Workbench

if TYPE_CHECKING:
    from layers.findings import Finding
    from planner.coverage import Coverage
    from planner.equity import Equity
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
    report = _Work(options, plan).report()
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


class _Work:
    """The computing that a report asks for."""

    def __init__(self, options: argparse.Namespace, plan: Plan) -> None:
        self._options, self._plan = options, plan
        self._made = datetime.now(UTC).astimezone()
        # The services of the table, not those that the plan alone speaks of.
        known = tuple(load_services(options.services))
        self._keys = tuple(options.service or known)
        self._city = open_city(options.city)
        self._bench = Workbench(self._city, services=plan.services)

    def report(self) -> Report:
        """Build the report that was asked for."""
        from planner.report.kinds import (  # noqa: PLC0415 - its libraries are slow to import
            coverage_report,
            plan_report,
            siting_report,
        )

        options = self._options
        if options.kind == "coverage":
            results = self._coverages()
            return coverage_report(results, findings=self._findings(), made=self._made)
        if options.kind == "siting":
            return siting_report(self._siting(), findings=self._findings(), made=self._made)
        told = self._monitoring()
        results = self._coverages()
        equities = self._equities(results)
        proposals = {}
        if options.propose:
            with working(text("cli.monitor.proposing")):
                found = {one.target.key: proposal(one) for one in told}
            proposals = {key: made for key, made in found.items() if made is not None}
        return plan_report(
            options.kind,
            told,
            results,
            equities,
            findings=self._findings(),
            made=self._made,
            proposals=proposals,
        )

    def _coverages(self) -> list[Coverage]:
        results = []
        for key in self._keys:
            with working(text("cli.coverage.working", service=self._plan.services[key].title())):
                results.append(
                    self._bench.coverage(key, year=self._options.year, limit=self._options.limit)
                )
        return results

    def _equities(self, results: list[Coverage]) -> list[Equity]:
        made = []
        for result in results:
            told = text("cli.coverage.working", service=result.service.title())
            with working(told):
                homes = self._bench.homes(result.standard, limit=self._options.limit)
                level: Any = next((one for one in result.levels if one != "city"), "city")
                made.append(
                    equity(access(result, homes=homes, limit=self._options.limit), level=level)
                )
        return made

    def _monitoring(self) -> Any:
        options, plan = self._options, self._plan
        file = options.values
        history = read_values(file, plan, self._city) if file else None
        with working(text("cli.monitor.working")):
            return monitor(
                self._city,
                options.year,
                plan=plan,
                history=history,
                bench=self._bench,
                limit=options.limit,
            )

    def _siting(self) -> Any:
        options = self._options
        (key,) = self._keys
        service = self._plan.services[key]
        with working(text("cli.report.siting", service=service.title())):
            return site(
                self._city,
                key,
                services=self._plan.services,
                network=self._bench.network(service.standard),
                homes=self._bench.homes(service.standard, limit=options.limit),
                model=options.model,
                p=options.p,
                year=options.year,
                limit=options.limit,
                seconds=300.0,
            )

    def _findings(self) -> list[Finding]:
        with working(text("cli.check.working")):
            return review(
                self._city,
                load_services(self._options.services),
                limit=self._options.limit,
                year=self._options.year,
            )


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
