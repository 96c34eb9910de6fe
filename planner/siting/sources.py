"""Sources: problems and places out of files and words, as users write them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from layers.errors import InputError, SourceError
from layers.messages import text
from layers.sources import columns
from layers.sources.files import Source
from layers.sources.points import OPTIONS, locate
from planner.siting.decay import Decay
from planner.siting.phases import Year
from planner.siting.places import Junctions, Listed, Points, Upgrades
from planner.siting.problem import Apart, Problem
from planner.standards import Standard

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from layers.findings import Finding
    from layers.sources.zones import Bounds
    from planner.siting.places import Places

_NAMED = ("id", "name", "role", "cost", "capacity", "upgrades")
"""What options of a file of candidates name the columns of."""


@dataclass(frozen=True)
class Read:
    """Places that words or a file tell of, and what was noticed.

    Attributes
    ----------
    places
        The places.
    findings
        What was noticed in the file: rows that cannot be placed, and so on.
    """

    places: Places
    findings: tuple[Finding, ...] = ()


def read_places(words: str, *, near: Bounds | None = None, number: int = 1) -> Read:
    """Read where new sites may be.

    Parameters
    ----------
    words
        ``junctions,spacing=400``; ``listed`` (what the city lists as planned or
        candidate; ``statuses=planned``); ``upgrades,capacity=120`` (existing facilities
        to enlarge; ``ids=H1+H2``); or ``FILE,option=value,…``: a table of points or a
        file of geometry. Each may say ``cost=…`` and ``capacity=…`` of a site; of a file
        these, ``id``, ``name``, ``role`` and ``upgrades`` may name a column instead.
    near
        Where they should lie: west, south, east, north in degrees.
    number
        Number of the file among several, so that ids without a column differ.

    Raises
    ------
    SourceError
        The file cannot be read, or an option is missing or unknown.
    InputError
        A value makes no sense.

    Examples
    --------
    >>> read_places("junctions,spacing=400,cost=2").places
    Junctions(spacing=400.0, cost=2.0, capacity=None)
    """
    source = Source.parse(words)
    kind = str(source.path)
    if kind == "junctions":
        source.allow("spacing", "cost", "capacity")
        source.need("spacing")
        return Read(
            Junctions(
                spacing=float(source.number("spacing", 0.0)),
                cost=_stated(source, "cost"),
                capacity=_stated(source, "capacity"),
            )
        )
    if kind == "listed":
        source.allow("statuses", "cost")
        listed = Listed(cost=_stated(source, "cost"))
        if "statuses" in source.options:
            some: Any = tuple(source.options["statuses"].split("+"))
            listed = Listed(statuses=some, cost=listed.cost)
        return Read(listed)
    if kind == "upgrades":
        source.allow("capacity", "cost", "ids")
        source.need("capacity")
        ids = source.options.get("ids", "")
        return Read(
            Upgrades(
                capacity=source.number("capacity", 0.0),
                cost=_stated(source, "cost"),
                ids=tuple(ids.split("+")) if ids else (),
            )
        )
    return _points(source, near, number)


def _points(source: Source, near: Bounds | None, number: int) -> Read:
    source.allow(*OPTIONS, *_NAMED)
    findings: tuple[Finding, ...] = ()
    if source.is_table:
        located = locate(source, "facilities", near=near)
        frame = gpd.GeoDataFrame(located.table, geometry=located.points)
        findings = located.findings
    else:
        frame = source.read_features()
        # Rows as they are numbered in the file.
        frame.index = pd.RangeIndex(1, len(frame) + 1)
    usual = {}
    for role in ("cost", "capacity"):
        value = _number(source.options.get(role))
        if value is not None:
            usual[role] = value
    for role in _NAMED:
        named = source.options.get(role)
        if named is None or role in usual:
            continue
        own = source.column(frame, role, ())
        kind = "place" if role == "name" else "site"
        others = [c for c in (columns.find(frame.columns, columns.usual(kind, role)),) if c]
        frame = frame.drop(columns=[c for c in others if c != own])
        frame = frame.rename(columns={own: columns.usual(kind, role)[0]})
    prefix = "P" if number == 1 else f"P{number}-"
    return Read(Points(frame=frame, source=source.path.name, prefix=prefix, **usual), findings)


def _stated(source: Source, option: str) -> float | None:
    """Value of an option that is a number, None without it."""
    return source.number(option, 0.0) if option in source.options else None


def _number(words: str | None) -> float | None:
    try:
        return None if words is None else float(words)
    except ValueError:
        return None


def read_areas(words: str) -> gpd.GeoDataFrame:
    """Read the areas that sites may lie in: any file of polygons, ``FILE,option=value``.

    Raises
    ------
    SourceError, CrsError
        As `layers.sources.files.Source.read_features` raises them.
    """
    source = Source.parse(words)
    source.allow("crs", "layer")
    return source.read_features()


@dataclass(frozen=True)
class ReadProblem:
    """A problem out of a file.

    Attributes
    ----------
    problem
        The problem.
    findings
        What was noticed in the files that it names.
    """

    problem: Problem
    findings: tuple[Finding, ...]


def read_problem(
    path: Path, *, near: Bounds | None = None, usual: Mapping[str, Standard] | None = None
) -> ReadProblem:
    """Read a problem out of a TOML file.

    Its keys are the fields of `Problem`. ``candidates`` are words as `read_places` takes
    them, ``within`` a file of areas, ``apart`` a number of metres or a table with
    ``metres`` and ``along``, ``phases`` tables with ``year``, ``number`` and ``budget``,
    ``decay`` a table with ``shape``, ``full`` and ``none``, or with ``bands``, and
    ``standard`` a table of what differs from the service's own. Files are looked for
    beside it.

    Parameters
    ----------
    path
        The file.
    near
        Where sites should lie: west, south, east, north in degrees.
    usual
        Standards by service, for what the file's own does not say.

    Raises
    ------
    SourceError
        It cannot be read; the message names the field that is wrong.
    InputError, UnknownNameError
        As `Problem` raises them.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise SourceError(text("error.file_missing", path=str(path))) from missing
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as wrong:
        told = {"path": str(path), "reason": str(wrong)}
        raise SourceError(text("error.file_unreadable", **told)) from wrong
    return problem_of(table, path, near=near, usual=usual)


def problem_of(
    table: Mapping[str, Any],
    path: Path,
    *,
    near: Bounds | None = None,
    usual: Mapping[str, Standard] | None = None,
) -> ReadProblem:
    """Make a problem of a table that says what `read_problem` reads.

    Parameters
    ----------
    table
        Fields and their values.
    path
        What messages call it; files are looked for beside it.
    near, usual
        As `read_problem` takes them.

    Raises
    ------
    SourceError, InputError, UnknownNameError
        As `read_problem` raises them.
    """
    known = {one.name for one in fields(Problem)}
    stray = sorted(set(table) - known)
    if stray or "service" not in table:
        told = {"found": ", ".join(stray) or "—", "known": ", ".join(sorted(known))}
        raise SourceError(text("site.file_fields", path=path.name, **told))
    findings: list[Finding] = []
    made: dict[str, Any] = {}
    for name, value in table.items():
        try:
            if name == "candidates":
                several = [value] if isinstance(value, str) else value
                read = [
                    read_places(_beside(words, path), near=near, number=number)
                    for number, words in enumerate(several, start=1)
                ]
                made[name] = tuple(one.places for one in read)
                findings += [finding for one in read for finding in one.findings]
            elif name == "within":
                made[name] = read_areas(_beside(value, path))
            else:
                made[name] = _value(name, value, table, usual or {})
        except (TypeError, AttributeError, KeyError) as wrong:
            if isinstance(wrong, InputError):
                raise
            told = {"field": name, "found": repr(value)}
            raise SourceError(text("site.file_value", path=path.name, **told)) from wrong
    return ReadProblem(_checked(made, path), tuple(findings))


def _checked(made: dict[str, Any], path: Path) -> Problem:
    try:
        return Problem(**made)
    except (TypeError, AttributeError) as wrong:
        told = {"field": "—", "found": str(wrong)}
        raise SourceError(text("site.file_value", path=path.name, **told)) from wrong


def _value(name: str, value: Any, table: Mapping[str, Any], usual: Mapping[str, Standard]) -> Any:
    if name == "apart":
        return Apart(**value) if isinstance(value, dict) else Apart(float(value))
    if name == "phases":
        return tuple(Year(**year) for year in value)
    if name == "decay":
        return Decay.of_bands(value["bands"]) if "bands" in value else Decay(**value)
    if name == "standard":
        return changed(usual.get(table["service"]), value)
    return value


def changed(standard: Standard | None, values: Mapping[str, Any]) -> Standard:
    """Change what some values say of a standard; one cutoff goes when the other comes."""
    own = {} if standard is None else dict(vars(standard))
    given = dict(values)
    if {"cutoff_m", "cutoff_min"} & set(given):
        own |= {"cutoff_m": None, "cutoff_min": None}
    if given.get("mode", own.get("mode")) != own.get("mode"):
        # Another mode has another pace.
        own |= dict.fromkeys(("speed_kmh", "class_speeds", "limit_share", "junction_delay_s"))
    note = text("site.standard_changed", "zh"), text("site.standard_changed", "en")
    own |= {"source": note[0], "source_en": note[1]}
    return Standard(**{**own, **given})


def _beside(words: str, path: Path) -> str:
    """Look for a file where the problem's own file lies."""
    if words.split(",", maxsplit=1)[0] in {"junctions", "listed", "upgrades"}:
        return words
    return str(path.parent / words)
