"""``planner report``: documents to hand in."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from layers.messages import LANGUAGES, language, text
from planner.cli.options import Commands, open_city, share
from planner.cli.screen import DONE, stderr, stdout, working, write
from planner.review import review
from planner.standards import Services, load_services
from planner.workbench import Workbench

_KINDS = ("coverage",)


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    report = commands.add("report", run, languages=(*LANGUAGES, "both"))
    share(report, "city", "services", "limit", "json")
    report.add_argument("--kind", choices=_KINDS, required=True, help=text("cli.report.kind"))
    report.add_argument("--year", type=int, help=text("cli.report.year"))
    report.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help=text("cli.report.out")
    )
    report.add_argument("--format", type=_formats, metavar="LIST", help=text("cli.report.format"))
    report.add_argument("--service", action="append", help=text("cli.report.service"))
    report.add_argument("--replace", action="store_true", help=text("cli.report.replace"))


def run(options: argparse.Namespace) -> int:
    """Compute, write, and tell which files there are."""
    from planner.report.fonts import font_files  # noqa: PLC0415 - only this command needs them
    from planner.report.writing import FORMATS, refuse_loss, write_report  # noqa: PLC0415

    formats = options.format or FORMATS
    lang = options.lang or language()
    # What would stop the work at its end stops it before.
    font_files()
    services = load_services(options.services)
    for key in options.service or ():
        # An unknown one is refused.
        services[key]
    name = options.kind if options.year is None else f"{options.kind}-{options.year}"
    refuse_loss(options.out.resolve() / name, replace=options.replace)
    report = _built(options, services)
    with working(text("cli.report.writing")):
        files = write_report(
            report, options.out, formats=formats, lang=lang, replace=options.replace
        )
    if options.json:
        write({"kind": report.kind, "year": report.year, "files": [str(file) for file in files]})
        return DONE
    for file in files:
        stdout().print(str(file), markup=False, highlight=False, soft_wrap=True)
    stderr().print(text("cli.report.written", count=len(files)), highlight=False)
    return DONE


def _built(options: argparse.Namespace, services: Services) -> Any:
    from planner.report.kinds import coverage_report  # noqa: PLC0415 - only this command

    city = open_city(options.city)
    bench = Workbench(city, services=services)
    results = []
    for key in options.service or services:
        with working(text("cli.coverage.working", service=services[key].title())):
            results.append(bench.coverage(key, year=options.year, limit=options.limit))
    with working(text("cli.check.working")):
        findings = review(city, services, limit=options.limit, year=options.year)
    return coverage_report(results, findings=findings, made=datetime.now(UTC).astimezone())


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
