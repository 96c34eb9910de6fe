"""``planner equity``: how unequally services are spread, and how crowded they are."""

import argparse
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from layers.messages import language, text
from layers.population import GROUPS
from layers.units import LEVELS
from planner.access import access
from planner.cli.options import Commands, open_city, share
from planner.cli.screen import DONE, plain, stdout, working, write
from planner.equity import Equity, equity
from planner.plan import load_plan
from planner.standards import load_services
from planner.wording import points, rate
from planner.workbench import Workbench


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    spread = commands.add("equity", run)
    share(spread, "city", "services", "plan", "limit", "json")
    spread.add_argument("--service", action="append", help=text("cli.coverage.service"))
    spread.add_argument(
        "--level", choices=LEVELS, default="district", help=text("cli.coverage.level")
    )
    spread.add_argument("--year", type=int, help=text("cli.coverage.year"))
    spread.add_argument("--group", choices=GROUPS, help=text("cli.coverage.group"))
    spread.add_argument("--enhanced", action="store_true", help=text("cli.equity.enhanced"))


def run(options: argparse.Namespace) -> int:
    """Compute and show."""
    services = load_services(options.services)
    known = tuple(services)
    if options.plan:
        services = load_plan(options.plan, services=services).services
    bench = Workbench(open_city(options.city), services=services)
    results: dict[str, Equity] = {}
    for key in options.service or known:
        with working(text("cli.coverage.working", service=services[key].title())):
            covered = bench.coverage(key, year=options.year, limit=options.limit)
            told = access(
                covered,
                group=options.group,
                enhanced=options.enhanced,
                homes=bench.homes(covered.standard, limit=options.limit),
                limit=options.limit,
            )
            results[key] = equity(told, level=options.level)
    if options.json:
        figures = {key: result.as_dict() for key, result in results.items()}
        write({"city": bench.city.describe(), "services": figures})
        return DONE
    console = stdout()
    for result in results.values():
        _show(console, result)
    console.print(text("equity.method"), style="dim", highlight=False)
    return DONE


def _show(console: Console, result: Equity) -> None:
    city, service = result.coverage.city, result.coverage.service
    labels = "".join(f" [{text(f'label.{label}')}]" for label in city.labels())
    place = city.name_en if language() == "en" else city.name
    year = f" · {result.coverage.year}" if result.coverage.year is not None else ""
    heading = f"{service.title()} · {place}{year} · {text(f'group.{result.group}')}{labels}"
    console.print(heading, style="bold", markup=False, highlight=False)
    for line in _lines(result):
        console.print(line, markup=False, highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    columns = ("code", "name", "people", "rate", "supply", "people_per_supply", "access", "without")
    for column in columns:
        left = column in {"code", "name"}
        table.add_column(text(f"equity.column.{column}"), justify="left" if left else "right")
    units = result.access.by(result.level)
    units = units.merge(result.units[["code", "rate"]], on="code", how="left")
    for row in units.to_dict("records"):
        table.add_row(*(_cell(column, row) for column in columns))
    console.print(table)


def _lines(result: Equity) -> list[str]:
    name = "name_en" if language() == "en" else "name"
    lines = []
    if result.units["rate"].notna().any():
        high, low = result.extremes
        lines.append(
            text(
                "equity.gap",
                gap=points(result.gap),
                high=high[name],
                high_rate=rate(high["rate"]),
                low=low[name],
                low_rate=rate(low["rate"]),
            )
        )
    rates = result.settlement_rates
    if {"town", "country"} <= set(rates):
        lines.append(
            text(
                "equity.settlement",
                town=rate(rates["town"]),
                country=rate(rates["country"]),
                gap=points(result.settlement_gap),
            )
        )
    lines.append(text("equity.inequality", gini=_number(result.gini), palma=_number(result.palma)))
    if result.access.supply == "facilities":
        lines.append(text("equity.no_capacity"))
    elif result.access.unknown:
        lines.append(text("equity.unknown", count=result.access.unknown))
    return lines


def _number(value: float) -> str:
    return "–" if pd.isna(value) else "∞" if value == float("inf") else f"{value:.3f}"


def _cell(column: str, row: dict[Any, Any]) -> str:
    value = row["name_en" if column == "name" and language() == "en" else column]
    if isinstance(value, str):
        return plain(value)
    if pd.isna(value):
        return "–"
    if column == "rate":
        return rate(value)
    if column == "access":
        return f"{1000 * value:,.2f}"
    return f"{value:,.1f}" if column == "people_per_supply" else f"{value:,.0f}"
