"""``planner check``: what is wrong with a city's layers."""

import argparse

from layers import City
from layers.messages import text
from planner.cli.options import Commands, open_city, share
from planner.cli.screen import DONE, STOPPED, show_findings, stdout, working, write
from planner.review import review
from planner.standards import load_services


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    share(commands.add("check", run), "city", "services", "limit", "json")


def run(options: argparse.Namespace) -> int:
    """Check the city; errors stop the work."""
    services = load_services(options.services)
    city = City.open(options.city, check=False) if options.city else open_city(None)
    with working(text("cli.check.working")):
        found = review(city, services, limit=options.limit)
    if options.json:
        told = city.describe()
        write(
            {
                "city": {key: told[key] for key in ("name", "name_en", "modelled", "stand_in")},
                "findings": [finding.as_dict() for finding in found],
            }
        )
    elif found:
        show_findings(stdout(), found)
    else:
        stdout().print(text("cli.check.none"))
    return STOPPED if any(finding.severity == "error" for finding in found) else DONE
