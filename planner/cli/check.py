"""``planner check``: what is wrong with a city's layers."""

import argparse
from pathlib import Path

from layers import City
from layers.messages import text
from layers.saving import save_text
from planner.cli.options import Commands, open_city, share
from planner.cli.screen import DONE, STOPPED, show_findings, stderr, stdout, working, write
from planner.report.check import check_page
from planner.review import review
from planner.standards import load_services


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    check = commands.add("check", run)
    share(check, "city", "services", "limit", "json")
    check.add_argument("--html", type=Path, metavar="FILE", help=text("cli.check.html"))


def run(options: argparse.Namespace) -> int:
    """Check the city; errors stop the work."""
    services = load_services(options.services)
    city = City.open(options.city, check=False) if options.city else open_city(None)
    with working(text("cli.check.working")):
        found = review(city, services, limit=options.limit)
        if options.html:
            save_text(options.html, check_page(city, found, services=services))
    if options.html:
        told = text("cli.check.written", path=str(options.html))
        stderr().print(told, markup=False, highlight=False)
    if options.json:
        # Nothing that is computed of the layers: they may be damaged.
        head = {key: getattr(city, key) for key in ("name", "name_en", "modelled", "stand_in")}
        findings = [finding.as_dict() for finding in found]
        write({"city": {**head, "layers": city.origins()}, "findings": findings})
    elif found:
        show_findings(stdout(), found)
    else:
        stdout().print(text("cli.check.none"))
    return STOPPED if any(finding.severity == "error" for finding in found) else DONE
