"""``planner fetch``: what a city is built of, out of the internet."""

import argparse
import shlex
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn

from layers.messages import text
from layers.sources.fetch import Addresses, Fetched, Pace, fetch
from layers.sources.osm import MARGIN_M
from planner.cli.options import Commands, share
from planner.cli.screen import DONE, show_findings, stderr, stdout, write


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    made = commands.add("fetch", run)
    made.add_argument("place", metavar="PLACE", help=text("cli.fetch.place"))
    for option in ("area", "overpass", "extract", "population", "sha256", "population-sha256"):
        made.add_argument(f"--{option}", default="", help=_told(option))
    made.add_argument("--levels", default="", help=_told("levels"))
    for path in ("out", "tags", "build"):
        made.add_argument(f"--{path}", type=Path, help=_told(path))
    made.add_argument("--use", default="", metavar="FILE[,OPTION=VALUE…]", help=_told("use"))
    usual = Pace()
    for option, default in (
        ("margin", MARGIN_M),
        ("tile", 0.1),
        ("pause", usual.pause),
        ("longest", usual.longest),
    ):
        made.add_argument(f"--{option}", type=float, default=default, help=_told(option))
    made.add_argument("--tries", type=int, default=usual.tries, help=_told("tries"))
    for flag in ("no-buildings", "refresh"):
        made.add_argument(f"--{flag}", action="store_true", help=_told(flag))
    share(made, "json")


def run(options: argparse.Namespace) -> int:
    """Download, and tell how to go on or do so."""
    keys = ("overpass", "extract", "population", "sha256", "population_sha256")
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=stderr(), transient=True
    ) as bar:
        task = bar.add_task("", total=None)

        def tell(words: str, share: float | None) -> None:
            if share is None:
                bar.console.print(words, markup=False, highlight=False)
            else:
                bar.update(task, description=words, total=1.0, completed=share)

        done = fetch(
            options.place,
            options.out or Path("downloads", options.place),
            area=options.area,
            addresses=Addresses.of({key: getattr(options, key) for key in keys}),
            pace=Pace(
                tries=max(options.tries, 1),
                pause=max(options.pause, 0.0),
                first=min(Pace().first, options.longest),
                longest=options.longest,
            ),
            margin=options.margin,
            tile=options.tile,
            buildings=not options.no_buildings,
            admin=options.levels,
            tags=options.tags,
            refresh=options.refresh,
            progress=tell,
        )
    words = done.command(options.build or done.place.key, population=options.use)
    if options.build:
        # The parser knows all commands, this one among them.
        from planner.cli import main  # noqa: PLC0415

        return main([*words, *(["--json"] if options.json else [])])
    if options.json:
        write(_figures(done, words))
    else:
        _show(done, words)
    return DONE


def _told(option: str) -> str:
    return text(f"cli.fetch.{option.replace('-', '_')}")


def _figures(done: Fetched, words: list[str]) -> dict[str, object]:
    return {
        "place": done.place.name,
        "area": list(done.place.area.bounds),
        "files": [
            {
                "path": str(path),
                "address": record.address,
                "fetched": record.fetched,
                "licence": record.licence,
                "date": record.date,
                "sha256": record.sha256,
                "bytes": record.size,
            }
            for path, record in done.records.items()
        ],
        "findings": [finding.as_dict() for finding in done.findings],
        "command": ["planner", *words],
    }


def _show(done: Fetched, words: list[str]) -> None:
    console = stdout()
    show_findings(stderr(), done.findings)
    told = text("cli.fetch.done", path=str(done.streets.parent))
    console.print(told, markup=False, highlight=False)
    for path, record in done.records.items():
        size = f"{record.size / 1e6:,.1f} MB"
        console.print(
            f"  {path.name}  {size}  {record.date}  {record.licence}", markup=False, highlight=False
        )
    if done.population:
        told = text("cli.fetch.raster", path=str(done.population))
        console.print(told, markup=False, highlight=False)
    console.print(text("cli.fetch.next"), highlight=False)
    console.print(shlex.join(["planner", *words]), markup=False, highlight=False, soft_wrap=True)
