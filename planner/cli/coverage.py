"""``planner coverage``: rates by unit, of one service or all."""

import argparse
from typing import Any

import geopandas as gpd
import pandas as pd
from rich import box
from rich.table import Table

from layers import City
from layers.messages import language, text
from layers.population import GROUPS
from layers.sources.files import Source
from layers.units import LEVELS
from planner.cli.options import Commands, open_city, share
from planner.cli.screen import DONE, plain, show_findings, stderr, stdout, working, write
from planner.coverage import Coverage
from planner.plan import load_plan
from planner.standards import load_services
from planner.wording import banded, one_language, people
from planner.workbench import Workbench


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    measure = commands.add("coverage", run)
    share(measure, "city", "services", "plan", "limit", "json")
    measure.add_argument("--service", action="append", help=text("cli.coverage.service"))
    measure.add_argument(
        "--level", choices=LEVELS, default="district", help=text("cli.coverage.level")
    )
    measure.add_argument("--year", type=int, help=text("cli.coverage.year"))
    measure.add_argument("--group", choices=GROUPS, help=text("cli.coverage.group"))
    measure.add_argument(
        "--towards",
        choices=("facility", "from"),
        default="facility",
        help=text("cli.coverage.towards"),
    )
    measure.add_argument("--barriers", metavar="FILE", help=text("cli.coverage.barriers"))
    measure.add_argument("--elevation", metavar="FILE", help=text("cli.coverage.elevation"))


def run(options: argparse.Namespace) -> int:
    """Compute and show."""
    services = load_services(options.services)
    known = tuple(services)
    if options.plan:
        # Services of the plan alone are computed only where they are named.
        services = load_plan(options.plan, services=services).services
    city = open_city(options.city)
    bench = Workbench(
        city,
        services=services,
        hindered_by=barriers(options.barriers),
        elevation=options.elevation,
    )
    results = {}
    for key in options.service or known:
        with working(text("cli.coverage.working", service=services[key].title())):
            results[key] = bench.coverage(
                key, year=options.year, towards=options.towards, limit=options.limit
            )
            # Says now rather than after all services that the city has no such units.
            results[key].by(options.level)
    if options.json:
        figures = {
            key: result.as_dict(options.level, options.group) for key, result in results.items()
        }
        write({"city": city.describe(), "travel": bench.as_dict(), "services": figures})
        return DONE
    if bench.barred is not None:
        told = text("cli.coverage.barred", **bench.barred.as_dict())
        stdout().print(told, style="dim", highlight=False)
    show_findings(stderr(), bench.findings)
    for result in results.values():
        _show(result, options)
    _caution(city)
    return DONE


def _caution(city: City) -> None:
    """Print what the layers of units and people are known to lack: it bends every rate."""
    told = [
        one_language(note)
        for layer in ("units", "population")
        if layer in city.provenance
        for note in city.provenance[layer].notes
    ]
    if city.modelled or not told:
        # A model's notes are of its making, and its label stands over every table.
        return
    console = stdout()
    console.print(text("cli.coverage.caution"), style="bold yellow", highlight=False)
    for line in dict.fromkeys(told):
        console.print(f"- {line}", style="yellow", markup=False, highlight=False)
    console.print()


def barriers(words: str | None) -> gpd.GeoDataFrame | None:
    """Read barriers out of a file named on the command line; None without one."""
    if words is None:
        return None
    source = Source.parse(words)
    source.allow("crs", "layer")
    return source.read_features()


def _show(result: Coverage, options: argparse.Namespace) -> None:
    console = stdout()
    city = result.city
    labels = "".join(f" [{text(f'label.{label}')}]" for label in city.labels())
    place = city.name_en if language() == "en" else city.name
    year = f" · {result.year}" if result.year is not None else ""
    heading = f"{result.service.title()} · {place}{year}{labels}"
    console.print(heading, style="bold", markup=False, highlight=False)
    group = options.group or result.standard.group
    console.print(
        text(
            "cli.coverage.standard",
            standard=result.standard.words(),
            group=text(f"group.{group}"),
            source=result.standard.origin(),
        ),
        style="dim",
        markup=False,
        highlight=False,
    )
    unit = result.standard.unit
    units, total = result.by(options.level, options.group), result.total(options.group)
    columns = ["code", "name", "people", "served", "gap", "rate", "facilities"]
    columns += ["quota", "missing"] if units["quota"].notna().any() else []
    columns += ["median", "p90"]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        suffix = f" ({text(f'unit.{unit}')})" if column in {"median", "p90"} else ""
        left = column in {"code", "name"}
        table.add_column(
            text(f"cli.column.{column}") + suffix, justify="left" if left else "right", no_wrap=True
        )
    for row in units.to_dict("records"):
        table.add_row(*(_cell(column, row) for column in columns))
    if options.level != "city":
        table.add_section()
        last = {**total.to_dict(), "code": "", "name": text("cli.coverage.total")}
        last["name_en"] = last["name"]
        table.add_row(*(_cell(column, last) for column in columns), style="bold")
    console.print(table)
    band = result.doubt.words(result.position_m, unit)
    console.print(band, style="dim", markup=False, highlight=False)
    left_out = result.unplaced.sum()
    if left_out.any():
        told = text("cli.coverage.unplaced", **{str(k): v for k, v in left_out.items()})
        console.print(told, style="yellow", highlight=False)
    if result.outside:
        console.print(text("cli.coverage.outside", people=result.outside), style="yellow")
    console.print()


def _cell(column: str, row: dict[Any, Any]) -> str:
    value = row["name_en" if column == "name" and language() == "en" else column]
    if isinstance(value, str):
        return plain(value)
    if pd.isna(value):
        return "–"
    if column == "rate":
        return plain(banded(value, row["rate_low"], row["rate_high"]))
    if column in {"median", "p90"}:
        return f"{value:,.1f}"
    return people(value)
