"""``planner build``: a city's folder out of source files."""

import argparse
from pathlib import Path
from typing import Any

from layers.database import Address
from layers.errors import LayerError
from layers.findings import in_order
from layers.messages import text
from layers.saving import save_text
from layers.sources import rejected
from layers.sources.build import build_city
from layers.sources.postgis import parse_source
from planner.cli.options import Commands, place, share
from planner.cli.screen import DONE, show_findings, stderr, stdout, working, write
from planner.report.check import check_page
from planner.review import review
from planner.standards import load_services


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    build = commands.add("build", run, epilog=text("cli.build.sources"))
    build.add_argument("--name", default="", help=text("cli.build.name"))
    build.add_argument("--name-en", default="", help=text("cli.build.name_en"))
    several: dict[str, Any] = {"action": "append"}
    for option, more in (
        ("streets", {}),
        ("units", several),
        ("population", {}),
        ("facilities", several),
    ):
        build.add_argument(
            f"--{option}",
            required=option != "facilities",
            metavar="FILE[,OPTION=VALUE…]",
            help=text(f"cli.build.{option}"),
            **more,
        )
    build.add_argument("--area", default="", help=text("cli.build.area"))
    build.add_argument(
        "--out", required=True, type=place, metavar="PATH|URL", help=text("cli.build.out")
    )
    build.add_argument("--rejected", type=Path, help=text("cli.build.rejected"))
    build.add_argument("--report", type=Path, metavar="FILE", help=text("cli.check.html"))
    share(build, "services", "json")


def run(options: argparse.Namespace) -> int:
    """Build the city and tell what was found."""
    services = load_services(options.services)
    with working(text("cli.build.working")):
        built = build_city(
            name=options.name or options.out.name,
            name_en=options.name_en,
            streets=parse_source(options.streets),
            units=[parse_source(words) for words in options.units],
            population=parse_source(options.population),
            facilities=[parse_source(words) for words in options.facilities or []],
            area=options.area,
            services=tuple(services),
        )
        errors = [finding for finding in built.findings if finding.severity == "error"]
        if errors:
            raise LayerError(errors)
        city = built.city.save(options.out)
        lost = rejected.write(built.rejected, options.rejected or _beside(options.out))
        across = review(city, services)
        # What is wrong with one layer has been found before.
        found = in_order([*built.findings, *(one for one in across if one not in built.findings)])
        if options.report:
            save_text(options.report, check_page(city, found, services=services))
    if options.json:
        write(
            {
                "city": city.describe(),
                "findings": [finding.as_dict() for finding in found],
                "rejected": {str(path): count for path, count in lost.items()},
            }
        )
    else:
        show_findings(stderr(), found)
        for path, count in lost.items():
            told = text("cli.build.rejected_written", path=str(path), count=count)
            stderr().print(told, markup=False, highlight=False)
        stdout().print(text("cli.build.done", path=str(options.out)), highlight=False)
        stdout().print(repr(city), markup=False, highlight=False)
    return DONE


def _beside(out: Path | Address) -> Path:
    """Where rows that could not be placed go: beside the city, or here for one in a database."""
    if isinstance(out, Path):
        whole = out.resolve()
        return whole.with_name(f"{whole.name}-rejected")
    return Path(f"{out.schema}-rejected")
