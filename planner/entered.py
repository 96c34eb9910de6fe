"""Entered values: read from an office's table or a history, and held against the plan."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from layers.errors import PlanError, SourceError
from layers.messages import text
from layers.sources import columns, tables
from planner.history import History, Record, read_history

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from layers import City
    from planner.plan import Plan
    from planner.targets import Target

_ROLES = ("key", "year", "value", "unit", "part", "who", "when", "source", "reason")
_YEAR = re.compile(r"^((?:19|20|21)\d\d)\s*年?(?:末|底)?$")
_SUFFIX = ".jsonl"


def read_values(path: str | os.PathLike[str], plan: Plan, city: City | None = None) -> History:
    """Read entered values.

    Parameters
    ----------
    path
        A history (``.jsonl``, see `planner.history`), or a table (CSV, TSV, XLSX) with a
        row a value (columns 指标, 年份, 数值 and, where wanted, 单元, 分组, 填报人, 填报时间,
        来源, 说明, or as ``data/columns.toml`` has them in English), or with a row a target
        and a column a year (2021, 2022年 …). Of values for the same target, year, unit and
        part in one table the last holds.
    plan
        The plan. Targets go by their key or either of their names.
    city
        Whose units values may be for, by code or name; without it none are checked.

    Raises
    ------
    PlanError
        A row names no target, year or unit, or its value is no number or impossible; the
        message names every such row and the remedy.
    SourceError
        The table cannot be read.
    """
    file = Path(path)
    if file.suffix.lower() == _SUFFIX:
        if not file.exists():
            raise PlanError(text("error.file_missing", path=str(file)))
        history = read_history(file)
        return History(checked(list(enumerate(history, 1)), plan, city, file.name))
    try:
        frame = tables.read(file, is_heading=_is_heading).frame
    except FileNotFoundError as missing:
        raise PlanError(text("error.file_missing", path=str(file))) from missing
    except OSError as wrong:
        raise SourceError(
            text("error.file_unreadable", path=str(file), reason=wrong.strerror or str(wrong))
        ) from wrong
    return History(checked(_records(frame, file.name), plan, city, file.name))


def checked(
    records: Iterable[tuple[int, Record]], plan: Plan, city: City | None, name: str
) -> tuple[Record, ...]:
    """Hold records against a plan; keys and codes take the place of names.

    Parameters
    ----------
    records
        Each with its row, for the message.
    plan, city
        As `read_values` takes them.
    name
        What errors call the table.

    Raises
    ------
    PlanError
        As `read_values` says.
    """
    keys = _by_name((target.key, target.name, target.name_en) for target in plan.values())
    units = None if city is None else _by_name(_units(city))
    problems: list[str] = []
    made = []
    for row, record in records:
        told = _wrong(record, plan, keys, units)
        if told:
            problems.append(text("error.values.at_row", file=name, row=row, message=told))
            continue
        unit = record.unit if units is None or not record.unit else units[_bare(record.unit)]
        made.append(replace(record, key=keys[_bare(record.key)], unit=unit))
    if problems:
        raise PlanError("\n".join(problems))
    return tuple(made)


def _wrong(
    record: Record, plan: Plan, keys: Mapping[str, str], units: Mapping[str, str] | None
) -> str:
    """Say what is wrong with a record, or nothing."""
    if _bare(record.key) not in keys:
        return text("error.values.target", found=record.key, known=", ".join(plan))
    target = plan[keys[_bare(record.key)]]
    if record.year not in plan.years:
        first, last = plan.years[0], plan.years[-1]
        return text("error.values.year", found=record.year, first=first, last=last)
    if record.unit and units is not None and _bare(record.unit) not in units:
        return text("error.values.unit", found=record.unit)
    return "" if record.value is None else _impossible(record.value, target)


def _impossible(value: float, target: Target) -> str:
    low, high = target.bounds
    if math.isfinite(value) and low <= value <= high:
        return ""
    return text("error.values.bounds", found=value, low=low, high=high)


def _records(frame: pd.DataFrame, name: str) -> list[tuple[int, Record]]:
    at = {role: columns.find(frame, columns.usual("value", role)) for role in _ROLES}
    headings = {str(column): _YEAR.match(str(column).strip()) for column in frame}
    years = {column: int(match[1]) for column, match in headings.items() if match}
    if at["key"] is None or not (years or (at["year"] and at["value"])):
        found = ", ".join(frame.columns)
        raise PlanError(text("error.values.columns", file=name, found=found))
    made = []
    for row, cells in zip(frame.index, frame.to_dict("records"), strict=True):
        words = {
            role: "" if column is None else str(cells[column]).strip()
            for role, column in at.items()
        }
        stated = (
            {year: str(cells[column]).strip() for column, year in years.items()}
            if years
            else {_year(words["year"], name, row): words["value"]}
        )
        rest = {role: words[role] for role in _ROLES if role not in {"year", "value"}}
        for year, value in stated.items():
            # A blank cell says nothing of its year.
            if value and columns.bare(value) not in _blank():
                number = _number(value, name, row)
                made.append((int(row), Record(year=year, value=number, **rest)))
    return made


def _year(words: str, name: str, row: int) -> int:
    match = _YEAR.match(words)
    if match is None:
        message = text("error.values.no_year", found=words)
        raise PlanError(text("error.values.at_row", file=name, row=row, message=message))
    return int(match[1])


def _number(words: str, name: str, row: int) -> float:
    bare = words.replace(",", "").replace("，", "").removesuffix("%").removesuffix("％").strip()
    try:
        return float(bare)
    except ValueError as wrong:
        message = text("error.values.no_number", found=words)
        told = text("error.values.at_row", file=name, row=row, message=message)
        raise PlanError(told) from wrong


def _blank() -> set[str]:
    return {columns.bare(word) for word in columns.names()["cell"]["blank"]}


def _is_heading(cell: str) -> bool:
    # A bare 2050 may be a value.
    year = _YEAR.match(cell.strip()) is not None and "年" in cell
    return year or any(columns.find([cell], columns.usual("value", role)) for role in _ROLES)


def _by_name(rows: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """Key by each name of it that only it has, without case and spaces."""
    found: dict[str, str] = {}
    double: set[str] = set()
    for key, *names in rows:
        for word in dict.fromkeys(_bare(name) for name in (key, *names) if name):
            if found.setdefault(word, key) != key:
                double.add(word)
    return {word: key for word, key in found.items() if word not in double}


def _units(city: City) -> list[tuple[str, str, str]]:
    table = city.units
    return list(zip(table["code"], table["name"], table["name_en"], strict=True))


def _bare(words: str) -> str:
    return re.sub(r"\s+", "", words).casefold()
