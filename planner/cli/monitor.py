"""``planner monitor``: every target of a plan with its value, state and early warnings."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from layers.messages import language, text
from layers.units import LEVELS
from planner.cli.options import Commands, open_city, share
from planner.cli.screen import DONE, plain, stdout, working, write
from planner.entered import read_values
from planner.indicators import Indicator, Monitoring, monitor
from planner.plan import load_plan
from planner.proposal import proposal
from planner.siting.siting import Siting
from planner.standards import load_services
from planner.targets import PARTS
from planner.wording import rate
from planner.workbench import Workbench

_COLOURS = {
    "met": "green",
    "on_course": "green",
    "at_risk": "yellow",
    "off_course": "red",
    "not_measurable": "dim",
}
_SIGNS = {"error": "✗", "warning": "!", "info": "·"}
_SEVERITIES = {"error": "red", "warning": "yellow", "info": "default"}


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    follow = commands.add("monitor", run)
    share(follow, "city", "services", "plan", "limit", "json")
    follow.add_argument("--year", type=int, required=True, help=text("cli.monitor.year"))
    follow.add_argument("--values", type=Path, metavar="FILE", help=text("cli.monitor.values"))
    follow.add_argument("--target", action="append", metavar="KEY", help=text("cli.monitor.target"))
    follow.add_argument("--propose", action="store_true", help=text("cli.monitor.propose"))
    follow.add_argument("--level", choices=LEVELS, help=text("cli.monitor.level"))


def run(options: argparse.Namespace) -> int:
    """Follow the plan and show what there is to say."""
    plan = load_plan(options.plan, services=load_services(options.services))
    keys = tuple(plan[key].key for key in options.target) if options.target else None
    city = open_city(options.city)
    file = options.values  # noqa: PD011 - an option of the command
    history = read_values(file, plan, city) if file else None
    with working(text("cli.monitor.working")):
        told = monitor(
            city,
            options.year,
            plan=plan,
            history=history,
            bench=Workbench(city, services=plan.services),
            limit=options.limit,
            keys=keys,
        )
    proposals: dict[str, Siting] = {}
    if options.propose:
        with working(text("cli.monitor.proposing")):
            found = {indicator.target.key: proposal(indicator) for indicator in told}
        proposals = {key: made for key, made in found.items() if made is not None}
    if options.json:
        figures = told.as_dict(options.level)
        for entry in figures["indicators"]:
            made = proposals.get(entry["key"])
            entry["proposal"] = None if made is None else made.as_dict(options.level or "district")
        write(figures)
        return DONE
    console = stdout()
    _heading(console, told)
    for part in PARTS:
        _table(console, told, part)
    _warnings(console, told)
    if keys is not None:
        for indicator in told:
            _details(console, indicator, options.level)
    for key, made in proposals.items():
        _proposal(console, told[key], made)
    if any(indicator.judgement.reason == "no_value" for indicator in told):
        console.print(text("monitor.enter"), style="dim", highlight=False)
    console.print(text("monitor.method", level=plan.confidence), style="dim", highlight=False)
    return DONE


def _heading(console: Console, told: Monitoring) -> None:
    labels = "".join(f" [{text(f'label.{label}')}]" for label in told.city.labels())
    place = told.city.name_en if language() == "en" else told.city.name
    review = next((kind for kind, year in told.plan.reviews.items() if year == told.year), "annual")
    heading = f"{told.plan.title()} · {place} · {told.year} · {text(f'review.{review}')}{labels}"
    console.print(heading, style="bold", markup=False, highlight=False)
    counted = (
        f"[{_COLOURS[state]}]{text(f'monitor.state.{state}')} {count}[/]"
        for state, count in told.states().items()
    )
    console.print("  ".join(counted), highlight=False)


def _table(console: Console, told: Monitoring, part: str) -> None:
    own = [indicator for indicator in told if indicator.target.part == part]
    if not own:
        return
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title=text(f"monitor.part.{part}"),
        title_justify="left",
    )
    for column in ("target", "state", "value", "goal", "seen", "needed", "predicted", "why"):
        right = column in {"value", "seen", "needed"}
        table.add_column(
            text(f"monitor.column.{column}"),
            justify="right" if right else "left",
            overflow="fold",
            ratio=4 if column == "target" else None,
        )
    for indicator in own:
        table.add_row(*_cells(indicator, told.plan.base_year))
    console.print(table)


def _cells(indicator: Indicator, base_year: int) -> list[str]:
    target, judgement = indicator.target, indicator.judgement
    number = f"{target.row}." if target.row else ""
    predicted = judgement.prediction
    value = target.figure(judgement.value)
    if target.kind == "quota" and judgement.value is not None:
        city = indicator.by("city").iloc[0]
        value = f"{city['units_met']}/{city['units']} · {value}"
    if judgement.value is None and target.base is not None:
        value = text("monitor.base", value=target.figure(target.base), year=base_year)
    return [
        plain(f"{number}{target.title()} ({target.clause})" if target.clause else target.title()),
        f"[{_COLOURS[indicator.state]}]{judgement.words()}[/]",
        value,
        plain(goal_words(indicator)),
        target.figure(judgement.seen, signed=True),
        target.figure(judgement.needed, signed=True),
        ""
        if predicted is None
        else target.figure(predicted.value)
        + f" \\[{target.figure(predicted.low)}–{target.figure(predicted.high)}]",
        judgement.why(),
    ]


def goal_words(indicator: Indicator) -> str:
    """Goal judged as a reader wants it: what, and by when; words as they are."""
    target, goal = indicator.target, indicator.goal
    if goal is None:
        return target.wording()
    return f"{target.goal_words(goal)} ({goal.year})"


def _warnings(console: Console, told: Monitoring) -> None:
    found = told.alerts()
    if not found:
        return
    console.print(text("monitor.warnings"), style="bold")
    for indicator, alert in found:
        console.print(
            f"{_SIGNS[alert.severity]} {indicator.target.title()}: {alert.message()}",
            style=_SEVERITIES[alert.severity],
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    console.print()


def _details(console: Console, indicator: Indicator, level: str | None) -> None:
    target = indicator.target
    console.print(target.title(), style="bold", markup=False, highlight=False)
    if target.remark():
        console.print(target.remark(), style="dim", markup=False, highlight=False)
    for row in indicator.by_year.to_dict("records"):
        origin = text(f"monitor.origin.{row['origin']}")
        signed = " · ".join(row[name] for name in ("who", "when", "source", "reason") if row[name])
        line = f"  {row['year']}  {target.figure(row['value'])}  {origin}"
        console.print(f"{line}  {signed}".rstrip(), markup=False, highlight=False)
    for record in indicator.superseded:
        line = text(
            "monitor.superseded",
            year=record.year,
            value=target.figure(record.value),
            who=record.who,
            when=record.when,
            source=record.source,
        )
        console.print(f"  {line}", style="dim", markup=False, highlight=False)
    for part in indicator.parts.to_dict("records"):
        console.print(
            f"  {part_words(part['kind'], part['key'])}  {_part_figure(indicator, part)}",
            markup=False,
            highlight=False,
        )
    have = {"city", *indicator.measures.levels}
    chosen = level or target.level
    _units(console, indicator, indicator.by(chosen if chosen in have else "city"))


def _proposal(console: Console, indicator: Indicator, made: Siting) -> None:
    title = indicator.target.title()
    if not made.found:
        told = text("monitor.proposal.none", target=title, why=" ".join(made.words()))
        console.print(told, style="yellow", markup=False, highlight=False, soft_wrap=True)
        return
    heading = text(
        "monitor.proposal.heading",
        target=title,
        count=len(made.sites),
        before=rate(made.before.total()["rate"]),
        after=rate(made.after.total()["rate"]),
    )
    console.print(heading, style="bold", markup=False, highlight=False)
    for words in made.words():
        console.print(words, style="dim", markup=False, highlight=False)
    column = "unit_en" if language() == "en" else "unit"
    for row in made.sites.to_dict("records"):
        told = text(
            "monitor.proposal.site",
            order=row["order"],
            unit=row[column],
            lon=row["lon"],
            lat=row["lat"],
            id=row["id"],
            people=row["people_new"],
        )
        console.print(f"  {told}", markup=False, highlight=False)


def _part_figure(indicator: Indicator, part: dict[Any, Any]) -> str:
    value = None if pd.isna(part["value"]) else part["value"]
    told = indicator.target.figure(value)
    if pd.isna(part["whole"]):
        return told
    return f"{told}  ({part['counted']:,.0f}/{part['whole']:,.0f})"


def part_words(kind: str, key: str) -> str:
    """Name of a part in the language in force: a group or a settlement; others as they are."""
    if kind == "group":
        return text(f"group.{key}")
    return text(f"settlement.{key}") if kind == "settlement" else key


def _units(console: Console, indicator: Indicator, units: pd.DataFrame) -> None:
    columns = ["code", "name", "value", "facilities", "quota", "missing", "planned", "candidates"]
    columns += ["units_met", "units", "people", "served"]
    columns = [name for name in columns if name in {"code", "name"} or units[name].notna().any()]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        left = column in {"code", "name"}
        table.add_column(text(f"monitor.column.{column}"), justify="left" if left else "right")
    for row in units.to_dict("records"):
        cells = []
        for column in columns:
            value = row["name_en" if column == "name" and language() == "en" else column]
            if isinstance(value, str):
                cells.append(plain(value))
            elif pd.isna(value):
                cells.append("–")
            elif column == "value":
                cells.append(indicator.target.figure(float(value)))
            else:
                cells.append(f"{value:,.0f}")
        table.add_row(*cells, style="red" if row["met"] is False else None)
    console.print(table)
