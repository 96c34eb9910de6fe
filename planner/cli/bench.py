"""``planner bench``: how fast the engine is on this machine."""

import argparse
from typing import Any, get_args

from rich import box
from rich.table import Table

from layers.embedded import Size
from layers.messages import language, text
from layers.sources.build import read_streets
from layers.sources.files import Source
from layers.streets import split_at_bends
from planner.cli.options import Commands, open_city, share
from planner.cli.screen import DONE, stderr, stdout, write


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    bench = commands.add("bench", run)
    share(bench, "city")
    bench.add_argument("--streets", metavar="FILE[,OPTION=VALUE…]", help=text("cli.bench.streets"))
    bench.add_argument("--bends", action="store_true", help=text("cli.bench.bends"))
    bench.add_argument(
        "--size", choices=get_args(Size), default="city", help=text("cli.bench.size")
    )
    bench.add_argument("--repeat", type=int, default=5, help=text("cli.bench.repeat"))
    share(bench, "json")


def run(options: argparse.Namespace) -> int:
    """Measure and show."""
    from planner import bench  # noqa: PLC0415 - nothing else needs the peers

    if options.streets:
        source = Source.parse(options.streets)
        (streets, _, _), city, crs = read_streets(source, None), None, None
        about: dict[str, Any] = {"streets": str(source.path)}
        place = source.path.name
    else:
        city = open_city(options.city, options.size)
        streets, crs, about = city.streets, city.crs, {"city": city.describe()}
        place = city.name_en if language() == "en" else city.name
    if options.bends:
        # The people and facilities of a city stand on its streets as they are.
        streets, city = split_at_bends(streets), None
    with stderr().status("") as bar:
        made = bench.run(
            streets,
            city=city,
            crs=crs,
            repeat=max(options.repeat, 1),
            progress=lambda job: bar.update(text("cli.bench.working", job=job)),
        )
    if options.json:
        write({**about, **made.as_dict()})
        return DONE
    console = stdout()
    title = text("cli.bench.title", name=place, nodes=made.nodes)
    console.print(title, style="bold", markup=False, highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("job", "peer", "own_s", "peer_s", "ratio", "spread"):
        left = column in {"job", "peer"}
        table.add_column(text(f"cli.bench.column.{column}"), justify="left" if left else "right")
    for row in made.rows:
        table.add_row(*row.words())
    console.print(table)
    if made.alone is not None:
        told = text(
            f"cli.bench.alone_{'held' if made.alone.held else 'broken'}",
            seconds=made.alone.seconds,
            peak=made.alone.peak_mb,
            most_s=bench.SERVICES_S,
            most_mb=bench.SERVICES_MB,
        )
        console.print(told, style="green" if made.alone.held else "red", highlight=False)
    if made.missing:
        told = text("cli.bench.missing", names=", ".join(made.missing))
        console.print(told, style="yellow", highlight=False)
    return DONE
