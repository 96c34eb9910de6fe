"""``planner site``: where the next facilities do most good."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich import box
from rich.table import Table

from layers.errors import InputError
from layers.messages import language, text
from layers.population import GROUPS
from layers.streets import MODES
from layers.units import LEVELS
from planner.cli.coverage import barriers
from planner.cli.options import Commands, open_city, share
from planner.cli.screen import (
    DONE,
    STOPPED,
    plain,
    show_findings,
    stderr,
    stdout,
    working,
    write,
)
from planner.report.siting import rates, save_siting
from planner.siting.decay import Decay
from planner.siting.models import MODELS
from planner.siting.phases import Year
from planner.siting.problem import Apart, Problem
from planner.siting.site import site
from planner.siting.sources import changed, read_areas, read_places, read_problem
from planner.standards import load_services
from planner.wording import people, rate
from planner.workbench import Workbench

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from layers import City
    from layers.findings import Finding
    from planner.siting.control import Progress
    from planner.siting.siting import Siting
    from planner.standards import Services

_EVERY = 1.0
"""Seconds between two lines of progress."""
_PAIRS = {
    "floor": ("floors", float),
    "at-most": ("at_most", int),
    "at-least": ("at_least", int),
}

_FORMS: dict[str, Callable[[float], str]] = {
    **dict.fromkeys(("rate", "rate_before", "rate_after"), rate),
    **dict.fromkeys(("lon", "lat"), "{:.5f}".format),
    **dict.fromkeys(("order", "phase", "sites"), "{:.0f}".format),
    **dict.fromkeys(("cost", "capacity"), "{:,.6g}".format),
}


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add("site", run)
    share(parser, "city", "services", "limit", "json")
    # Only what is said goes before what a problem's file says.
    parser.set_defaults(limit=None)
    add = parser.add_argument
    add("--problem", type=Path, metavar="FILE.toml", help=text("cli.site.problem"))
    add("--service", help=text("cli.site.service"))
    add("--model", help=text("cli.site.model", known=", ".join(MODELS)))
    add("-p", type=int, metavar="N", help=text("cli.site.p"))
    add("--exactly", action="store_true", default=None, help=text("cli.site.exactly"))
    add("--budget", type=float, metavar="X", help=text("cli.site.budget"))
    add("--share", type=float, metavar="RATE", help=text("cli.site.share"))
    add("--cheapest", action="store_true", default=None, help=text("cli.site.cheapest"))
    add("--candidates", action="append", metavar="WORDS", help=text("cli.site.candidates"))
    add("--spacing", type=float, metavar="M", help=text("cli.site.spacing"))
    add("--within", metavar="AREAS", help=text("cli.site.within"))
    for name in ("required", "forbidden"):
        add(f"--{name}", action="append", metavar="ID", help=text(f"cli.site.{name}"))
    add("--cost", type=float, metavar="X", help=text("cli.site.cost"))
    add("--capacity", type=float, metavar="N", help=text("cli.site.capacity"))
    for name in _PAIRS:
        told = text(f"cli.site.{name.replace('-', '_')}")
        add(f"--{name}", action="append", metavar="UNIT=X", help=told)
    add("--apart", metavar="M[,network]", help=text("cli.site.apart"))
    add("--phases", metavar="YEAR=N,…", help=text("cli.site.phases"))
    add("--phase-budgets", metavar="YEAR=X,…", help=text("cli.site.phase_budgets"))
    add("--bands", metavar="END=SHARE,…", help=text("cli.site.bands"))
    add("--decay", metavar="SHAPE,FULL,NONE", help=text("cli.site.decay"))
    add("--reach", type=float, metavar="D", help=text("cli.site.reach"))
    add("--mode", choices=MODES, help=text("cli.site.mode"))
    add("--cutoff-m", type=float, metavar="M", help=text("cli.site.cutoff"))
    add("--cutoff-min", type=float, metavar="MIN", help=text("cli.site.cutoff"))
    add("--group", choices=GROUPS, help=text("cli.coverage.group"))
    add("--year", type=int, help=text("cli.coverage.year"))
    add("--towards", choices=("facility", "from"), help=text("cli.coverage.towards"))
    add("--barriers", metavar="FILE", help=text("cli.coverage.barriers"))
    add("--elevation", metavar="FILE", help=text("cli.coverage.elevation"))
    add("--level", choices=LEVELS, help=text("cli.site.level"))
    add("--gap", type=float, default=0.0, metavar="RATE", help=text("cli.site.gap"))
    add("--seconds", type=float, default=300.0, metavar="S", help=text("cli.site.seconds"))
    add("--out", type=Path, metavar="DIR", help=text("cli.site.out"))


def run(options: argparse.Namespace) -> int:
    """Solve and show; a problem without a solution stops the work."""
    services = load_services(options.services)
    city = open_city(options.city)
    problem, findings = _problem(options, city, services)
    show_findings(stderr(), findings)
    standard = problem.standard or services[problem.service].standard
    bench = Workbench(
        city,
        services=services,
        hindered_by=barriers(options.barriers),
        elevation=options.elevation,
    )
    told = text("cli.site.working", service=services[problem.service].title())
    with working(told) as status, _patient() as pressed:
        result = site(
            city,
            problem,
            services=services,
            network=bench.network(standard),
            gap=options.gap,
            seconds=options.seconds,
            progress=_telling(problem, status),
            cancelled=pressed.is_set,
        )
    # Those of slopes are known once the streets are compiled.
    show_findings(stderr(), bench.findings)
    level = problem.level
    if options.out:
        for file in save_siting(result, options.out, level=level):
            told = text("cli.site.written", path=str(file))
            stderr().print(told, markup=False, highlight=False)
    if options.json:
        write({**result.as_dict(level), "travel": bench.as_dict()})
    else:
        if bench.barred is not None:
            told = text("cli.coverage.barred", **bench.barred.as_dict())
            stdout().print(told, style="dim", highlight=False)
        _show(result)
    return DONE if result.found else STOPPED


def _problem(
    options: argparse.Namespace, city: City, services: Services
) -> tuple[Problem, list[Finding]]:
    """Make the problem of a file and the options, which go before it."""
    west, south, east, north = city.units.total_bounds
    near = (west, south, east, north)
    findings: list[Finding] = []
    given = {
        one.name: getattr(options, one.name)
        for one in fields(Problem)
        if getattr(options, one.name, None) is not None
    }
    for option, (name, kind) in _PAIRS.items():
        if words := given.pop(name, None) or getattr(options, option.replace("-", "_")):
            given[name] = dict(_pair(f"--{option}", one, kind) for one in words)
    for name in ("required", "forbidden"):
        if name in given:
            given[name] = tuple(one for words in given[name] for one in words.split(","))
    if options.candidates:
        read = [
            read_places(words, near=near, number=number)
            for number, words in enumerate(options.candidates, start=1)
        ]
        given["candidates"] = tuple(one.places for one in read)
        findings += [finding for one in read for finding in one.findings]
    if options.within:
        given["within"] = read_areas(options.within)
    given |= _parts(options)
    if options.problem:
        usual = {key: service.standard for key, service in services.items()}
        file = read_problem(options.problem, near=near, usual=usual)
        findings += file.findings
        problem = file.problem
    elif options.service is None:
        raise InputError(text("cli.site.no_service", known=", ".join(services)))
    else:
        key = given.pop("service")
        given = _with_standard(options, given, services[key].standard)
        return Problem.of(key, **given), findings
    standard = problem.standard or services[given.get("service", problem.service)].standard
    return Problem.of(problem, **_with_standard(options, given, standard)), findings


def _parts(options: argparse.Namespace) -> dict[str, Any]:
    """Options that are written in parts."""
    given: dict[str, Any] = {}
    if options.apart:
        metres, _, along = options.apart.partition(",")
        given["apart"] = Apart(_number("--apart", metres), along or "straight")
    if options.phases or options.phase_budgets:
        numbers = dict(_pairs("--phases", options.phases, int))
        moneys = dict(_pairs("--phase-budgets", options.phase_budgets, float))
        years = sorted({int(_number("--phases", year)) for year in (*numbers, *moneys)})
        given["phases"] = tuple(
            Year(year, numbers.get(str(year)), moneys.get(str(year))) for year in years
        )
    if options.bands:
        bands = [
            (_number("--bands", end), value)
            for end, value in _pairs("--bands", options.bands, float)
        ]
        given["decay"] = Decay.of_bands(bands)
    elif options.decay:
        parts = options.decay.split(",")
        if len(parts) != 3:  # noqa: PLR2004 - shape, full, none
            raise InputError(text("cli.site.wrong", option="--decay", found=options.decay))
        full, none = (_number("--decay", part) for part in parts[1:])
        given["decay"] = Decay(shape=parts[0], full=full, none=none)
    return given


def _with_standard(
    options: argparse.Namespace, given: dict[str, Any], standard: Any
) -> dict[str, Any]:
    told = {
        name: getattr(options, name)
        for name in ("mode", "cutoff_m", "cutoff_min")
        if getattr(options, name) is not None
    }
    return {**given, "standard": changed(standard, told)} if told else given


def _pairs(option: str, words: str | None, kind: type) -> Iterator[tuple[str, Any]]:
    for word in (words or "").split(","):
        if word:
            yield _pair(option, word, kind)


def _pair(option: str, words: str, kind: type) -> tuple[str, Any]:
    key, equals, value = words.rpartition("=")
    number = _number(option, value) if equals and key else None
    if number is None or (kind is int and number != int(number)):
        raise InputError(text("cli.site.wrong", option=option, found=words))
    return key.strip(), kind(number)


def _number(option: str, words: str) -> float:
    try:
        return float(words)
    except ValueError as wrong:
        raise InputError(text("cli.site.wrong", option=option, found=words)) from wrong


@contextmanager
def _patient() -> Iterator[threading.Event]:
    """Let Ctrl-C ask for the best so far, also before and after the solver; a second one stops."""
    pressed = threading.Event()

    def press(*_: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _telling(problem: Problem, status: Any) -> Callable[[Progress], None]:
    """Tell on standard error how far the solver has come, now and then."""
    console, last = stderr(), [0.0]

    def tell(now: Progress) -> None:
        form = "{:.1%}" if problem.model == "fair" else "{:,.0f}"
        words = text(
            "cli.site.progress",
            best="–" if now.best is None else form.format(now.best),
            bound="–" if now.bound is None else form.format(now.bound),
            gap="–" if now.gap == float("inf") else f"{now.gap:.2%}",
            seconds=now.seconds,
        )
        if console.is_terminal:
            status.update(words)
        elif time.monotonic() - last[0] >= _EVERY:
            last[0] = time.monotonic()
            console.print(words, markup=False, highlight=False)

    return tell


def _show(result: Siting) -> None:
    console, setting = stdout(), result.setting
    city = setting.city
    marks = "".join(f" [{text(f'label.{label}')}]" for label in city.labels())
    place = city.name_en if language() == "en" else city.name
    model = text(f"site.model.{result.problem.model}")
    heading = f"{setting.service.title()} · {model} · {place}{marks}"
    console.print(heading, style="bold", markup=False, highlight=False)
    told = text(
        "cli.coverage.standard",
        standard=setting.standard.words(),
        group=text(f"group.{setting.standard.group}"),
        source=setting.standard.origin(),
    )
    console.print(told, style="dim", markup=False, highlight=False)
    where = text("cli.site.places", count=setting.candidates, places=_places(result))
    console.print(where, style="dim", markup=False, highlight=False)
    style = "green" if result.status == "optimal" else "yellow" if result.found else "red"
    for words in result.words():
        console.print(words, style=style, markup=False, highlight=False)
    if not result.found:
        return
    if len(result.sites):
        console.print(_sites(result))
    if len(result.years):
        console.print(_years(result))
    console.print(_rates(result))
    left = result.unreached("city")[["reachable", "beyond"]].sum()
    told = text("cli.site.left", reachable=people(left["reachable"]), beyond=people(left["beyond"]))
    console.print(told, highlight=False)
    console.print()


def _places(result: Siting) -> str:
    kinds = result.setting.sites["kind"].value_counts()
    told = [
        f"{text(f'site.kind.{kind}')} {count:,}"
        for kind, count in kinds.items()
        if kind != "existing"
    ]
    apart = [one.spacing for one in result.setting.places if hasattr(one, "spacing")]
    told += [text("site.spaced", spacing=f"{one:,g}") for one in apart]
    return ", ".join(told)


def _sites(result: Siting) -> Table:
    sites = result.sites
    names = ["order", "id", "name", "kind", "unit", "part", "lon", "lat", "cost"]
    if sites["part"].equals(sites["unit"]):
        names.remove("part")
    names += ["capacity"] if result.problem.traits.holds else []
    names += ["phase"] if sites["phase"].notna().any() else []
    names += ["people_new", "people_nearest", "rate"]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        words = name in {"id", "name", "kind", "unit", "part"}
        table.add_column(text(f"cli.site.column.{name}"), justify="left" if words else "right")
    for row in sites.to_dict("records"):
        table.add_row(*(_cell(name, row) for name in names))
    return table


def _years(result: Siting) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    names = ("phase", "sites", "cost", "people_new", "rate")
    for name in names:
        table.add_column(text(f"cli.site.column.{name}"), justify="right")
    for row in result.years.to_dict("records"):
        row["phase"] = row["year"]
        table.add_row(*(_cell(str(name), row) for name in names))
    return table


def _rates(result: Siting) -> Table:
    names = ["code", "name", "people", "rate_before", "rate_after", "served_more", "sites"]
    names += ["counted"] if "counted" in result.by(result.problem.level) else []
    names += ["reachable", "beyond"]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        words = name in {"code", "name"}
        table.add_column(text(f"cli.site.column.{name}"), justify="left" if words else "right")
    for row in rates(result, result.problem.level).to_dict("records"):
        table.add_row(*(_cell(str(name), row) for name in names))
    table.add_section()
    (total,) = rates(result, "city").head(1).to_dict("records")
    if "counted" in names:
        total["counted"] = result.by(result.problem.level)["counted"].sum()
    total |= {"code": "", "name": text("cli.coverage.total"), "sites": len(result.sites)}
    total["name_en"] = total["name"]
    table.add_row(*(_cell(str(name), total) for name in names), style="bold")
    return table


def _cell(name: str, row: dict[Any, Any]) -> str:
    english = language() == "en" and f"{name}_en" in row
    value = row[f"{name}_en" if english else name]
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return "–"
    if name == "kind":
        return text(f"site.kind.{value}")
    if isinstance(value, str):
        return plain(value)
    return _FORMS.get(name, people)(value)
