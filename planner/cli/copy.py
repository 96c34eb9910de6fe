"""``planner copy``: a city from a folder or database into another."""

import argparse

from layers.messages import text
from planner.cli.options import Commands, open_city, place, share
from planner.cli.screen import DONE, stdout, working, write


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    copy = commands.add("copy", run)
    share(copy, "city")
    copy.add_argument(
        "--out", required=True, type=place, metavar="PATH|URL", help=text("cli.build.out")
    )
    share(copy, "json")


def run(options: argparse.Namespace) -> int:
    """Open the city, checked, and save it there."""
    city = open_city(options.city)
    with working(text("cli.copy.working")):
        saved = city.save(options.out)
    if options.json:
        write({"city": saved.describe()})
    else:
        stdout().print(text("cli.build.done", path=str(options.out)), highlight=False)
        stdout().print(repr(saved), markup=False, highlight=False)
    return DONE
