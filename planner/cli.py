"""The command line: ``planner build | check | coverage | bench | serve``."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Any, get_args

import pandas as pd
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from layers import City, embedded
from layers.embedded import Size
from layers.errors import CityMissingError, LayerError, PlannerError, UnknownNameError
from layers.findings import Finding
from layers.messages import LANGUAGES, language, speaking, text
from layers.population import GROUPS
from layers.sources.build import build_city
from layers.sources.files import Source
from layers.units import LEVELS
from planner.coverage import Coverage
from planner.review import review
from planner.standards import load_services
from planner.wording import people, rate
from planner.workbench import Workbench

DONE, STOPPED, MISUSED = 0, 1, 2
_ROWS_SHOWN = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments
        Words of the command line; the process's own when None.

    Returns
    -------
    0 done, 1 findings or damaged input that stop the work, 2 wrong use.
    """
    with speaking(_language_of(sys.argv[1:] if arguments is None else arguments)):
        options = _parser().parse_args(arguments)
        try:
            status = options.run(options)
        except BrokenPipeError:
            # Whoever reads the figures has enough of them; nothing more may be written.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        except PlannerError as wrong:
            _stderr().print(str(wrong), style="red", markup=False, highlight=False)
            misused = isinstance(wrong, UnknownNameError | CityMissingError)
            return MISUSED if misused else STOPPED
        assert isinstance(status, int)
        return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="planner", description=text("cli.description"))
    parser.add_argument("--version", action="version", version=version("coverage-planner"))
    parser.add_argument("--lang", choices=LANGUAGES, help=text("cli.lang"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Any, **extra: Any) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=text(f"cli.{name}.help"), description=text(f"cli.{name}.help"), **extra
        )
        made.set_defaults(run=run)
        # After the command too, but without undoing what stands before it.
        made.add_argument(
            "--lang", choices=LANGUAGES, default=argparse.SUPPRESS, help=text("cli.lang")
        )
        return made

    build = command("build", _build, epilog=text("cli.build.sources"))
    build.add_argument("--name", default="", help=text("cli.build.name"))
    build.add_argument("--name-en", default="", help=text("cli.build.name_en"))
    for option, more in (
        ("streets", {}),
        ("units", {"action": "append"}),
        ("population", {}),
        ("facilities", {"action": "append"}),
    ):
        build.add_argument(
            f"--{option}",
            required=option != "facilities",
            metavar="FILE[,OPTION=VALUE…]",
            help=text(f"cli.build.{option}"),
            **more,
        )
    build.add_argument("--area", default="", help=text("cli.build.area"))
    build.add_argument("--out", required=True, type=Path, help=text("cli.build.out"))
    build.add_argument("--services", type=Path, help=text("cli.services_file"))
    build.add_argument("--json", action="store_true", help=text("cli.json"))

    check = command("check", _check)
    measure = command("coverage", _coverage)
    for made in (check, measure):
        made.add_argument("--city", type=Path, help=text("cli.city"))
        made.add_argument("--services", type=Path, help=text("cli.services_file"))
        made.add_argument("--limit", type=float, default=300.0, help=text("cli.limit"))
        made.add_argument("--json", action="store_true", help=text("cli.json"))
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

    bench = command("bench", _bench)
    bench.add_argument("--city", type=Path, help=text("cli.city"))
    bench.add_argument(
        "--size", choices=get_args(Size), default="city", help=text("cli.bench.size")
    )
    bench.add_argument("--repeat", type=int, default=5, help=text("cli.bench.repeat"))
    bench.add_argument("--json", action="store_true", help=text("cli.json"))

    serve = command("serve", _serve)
    serve.add_argument("--city", type=Path, help=text("cli.city"))
    serve.add_argument("--port", type=int, default=5006, help=text("cli.serve.port"))
    serve.add_argument("--address", default="localhost", help=text("cli.serve.address"))
    serve.add_argument("--open", action="store_true", help=text("cli.serve.open"))
    return parser


def _build(options: argparse.Namespace) -> int:
    services = load_services(options.services)
    with _progress(text("cli.build.working")):
        built = build_city(
            name=options.name or options.out.name,
            name_en=options.name_en,
            streets=Source.parse(options.streets),
            units=[Source.parse(words) for words in options.units],
            population=Source.parse(options.population),
            facilities=[Source.parse(words) for words in options.facilities or []],
            area=options.area,
            services=tuple(services),
        )
        errors = [finding for finding in built.findings if finding.severity == "error"]
        if errors:
            raise LayerError(errors)
        city = built.city.save(options.out)
    if options.json:
        _write({"city": city.describe(), "findings": [f.as_dict() for f in built.findings]})
    else:
        _show_findings(_stderr(), built.findings)
        _stdout().print(text("cli.build.done", path=str(options.out)), highlight=False)
        _stdout().print(repr(city), markup=False, highlight=False)
    return DONE


def _check(options: argparse.Namespace) -> int:
    services = load_services(options.services)
    city = City.open(options.city, check=False) if options.city else _embedded()
    with _progress(text("cli.check.working")):
        found = review(city, services, limit=options.limit)
    if options.json:
        _write({"city": _named(city), "findings": [finding.as_dict() for finding in found]})
    elif found:
        _show_findings(_stdout(), found)
    else:
        _stdout().print(text("cli.check.none"))
    return STOPPED if any(finding.severity == "error" for finding in found) else DONE


def _coverage(options: argparse.Namespace) -> int:
    services = load_services(options.services)
    city = _city(options.city)
    bench = Workbench(city, services=services)
    results = {}
    for key in options.service or services:
        with _progress(text("cli.coverage.working", service=services[key].title())):
            results[key] = bench.coverage(
                key, year=options.year, towards=options.towards, limit=options.limit
            )
            # Says now rather than after all services that the city has no such units.
            results[key].by(options.level)
    if options.json:
        figures = {
            key: result.as_dict(options.level, options.group) for key, result in results.items()
        }
        _write({"city": city.describe(), "services": figures})
        return DONE
    for result in results.values():
        _show_coverage(result, options)
    return DONE


def _bench(options: argparse.Namespace) -> int:
    from planner import bench  # noqa: PLC0415 - nothing else needs the peers

    city = _city(options.city, options.size)
    with _stderr().status("") as bar:
        made = bench.run(
            city,
            repeat=max(options.repeat, 1),
            progress=lambda job: bar.update(text("cli.bench.working", job=job)),
        )
    if options.json:
        _write({"city": city.describe(), **made.as_dict()})
        return DONE
    console = _stdout()
    place = city.name_en if language() == "en" else city.name
    title = text("cli.bench.title", name=place, nodes=made.nodes)
    console.print(title, style="bold", markup=False, highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("job", "peer", "own_s", "peer_s", "ratio", "spread"):
        left = column in {"job", "peer"}
        table.add_column(text(f"cli.bench.column.{column}"), justify="left" if left else "right")
    for row in made.rows:
        table.add_row(*row.words())
    console.print(table)
    if made.missing:
        told = text("cli.bench.missing", names=", ".join(made.missing))
        console.print(told, style="yellow", highlight=False)
    return DONE


def _serve(options: argparse.Namespace) -> int:
    from planner.desk import serve  # noqa: PLC0415 - Panel is slow to import

    city = _city(options.city)
    told = text("cli.serve.started", address=options.address, port=options.port)
    _stderr().print(told, highlight=False)
    serve(city, port=options.port, address=options.address, show=options.open)
    return DONE


def _city(path: Path | None, size: Size = "city") -> City:
    return City.open(path) if path else _embedded(size)


def _embedded(size: Size = "city") -> City:
    words = text("cli.embedded.working")
    with Progress(console=_stderr(), transient=True) as bar:
        task = bar.add_task(words, total=1.0, visible=False)
        return embedded(
            size, progress=lambda _, share: bar.update(task, completed=share, visible=True)
        )


def _named(city: City) -> dict[str, Any]:
    keys = ("name", "name_en", "modelled", "stand_in")
    return {key: value for key, value in city.describe().items() if key in keys}


def _show_findings(console: Console, findings: Sequence[Finding]) -> None:
    if not findings:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("severity", "layer", "rows", "which", "message", "remedy"):
        right = column == "rows"
        table.add_column(text(f"cli.check.{column}"), justify="right" if right else "left")
    colours = {"error": "red", "warning": "yellow", "info": "default"}
    for finding in findings:
        some = ", ".join(str(row) for row in finding.rows[:_ROWS_SHOWN])
        table.add_row(
            f"[{colours[finding.severity]}]{text(f'severity.{finding.severity}')}[/]",
            text(f"layer.{finding.layer}"),
            f"{len(finding.rows):,}" if finding.rows else "",
            _plain(some + (" …" if len(finding.rows) > _ROWS_SHOWN else "")),
            _plain(finding.message),
            _plain(finding.remedy),
        )
    console.print(table)


def _show_coverage(result: Coverage, options: argparse.Namespace) -> None:
    console = _stdout()
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
        return _plain(value)
    if pd.isna(value):
        return "–"
    if column == "rate":
        return rate(value)
    if column in {"median", "p90"}:
        return f"{value:,.1f}"
    return people(value)


def _plain(words: str) -> str:
    """Words of the data, whose brackets are no markup."""
    return words.replace("[", r"\[")


def _write(figures: dict[str, Any]) -> None:
    made = {"version": version("coverage-planner"), **figures}
    sys.stdout.write(json.dumps(made, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    sys.stdout.flush()


@contextmanager
def _progress(words: str) -> Iterator[None]:
    with _stderr().status(words):
        yield


def _stdout() -> Console:
    # Piped into a file a table must not be squeezed into eighty columns.
    return Console() if sys.stdout.isatty() else Console(width=160)


def _stderr() -> Console:
    return Console(stderr=True, soft_wrap=True)


def _language_of(arguments: Sequence[str]) -> Any:
    """Language asked for, which the parser's own words need before it can parse."""
    for word, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        asked = following if word == "--lang" else word.removeprefix("--lang=")
        if word.startswith("--lang") and asked in LANGUAGES:
            return asked
    return None


if __name__ == "__main__":
    sys.exit(main())
