"""History: values that people entered, each kept with who, when and whence, and corrections.

A file of JSON, a record a line, only ever added to. Each record carries a checksum over
itself and the one before, so that a line changed, left out or put in by hand is noticed.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from layers.errors import PlanError
from layers.folder import alone_in
from layers.messages import text
from layers.saving import save_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_FORMAT = "planner-history-1"


@dataclass(frozen=True, kw_only=True)
class Record:
    """One value as somebody entered it.

    Attributes
    ----------
    key
        The target's.
    year
        Year at whose end it holds.
    value
        The value, or None: what was entered before is withdrawn.
    unit
        Code of the unit it is for; nothing for the whole city.
    part
        Group, kind of venue or the like that it is for; nothing for all.
    who
        Who entered it.
    when
        When, in ISO 8601.
    source
        Where the figure comes from.
    reason
        Why it was corrected, or another remark.
    """

    key: str
    year: int
    value: float | None
    unit: str = ""
    part: str = ""
    who: str = ""
    when: str = ""
    source: str = ""
    reason: str = ""

    @property
    def place(self) -> tuple[str, int, str, str]:
        """What it is a value of; a later record of the same place supersedes it."""
        return self.key, self.year, self.unit, self.part

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


_FIELDS = tuple(entry.name for entry in fields(Record))


@dataclass(frozen=True, repr=False)
class History:
    """Every value that was entered, in the order of entering.

    Attributes
    ----------
    records
        The records.

    Examples
    --------
    >>> first = Record(key="life_expectancy", year=2021, value=85.3, who="王")
    >>> better = Record(key="life_expectancy", year=2021, value=85.2, who="李", reason="更正")
    >>> history = History((first, better))
    >>> [record.value for record in history.standing()]
    [85.2]
    >>> [record.value for record in history.superseded()]
    [85.3]
    """

    records: tuple[Record, ...] = field(default=())

    def standing(self) -> list[Record]:
        """Return the records that hold: the last of each place, unless it withdraws the value."""
        return [record for record in self._last().values() if record.value is not None]

    def superseded(self) -> list[Record]:
        """Return the records that a later one replaced or withdrew, in order."""
        last = self._last()
        return [record for record in self.records if last[record.place] is not record]

    def of(self, key: str, *, unit: str = "", part: str = "") -> list[Record]:
        """Every record of a target, a unit and a part, in order."""
        return [
            record
            for record in self.records
            if (record.key, record.unit, record.part) == (key, unit, part)
        ]

    def with_records(self, records: Iterable[Record]) -> History:
        """Return the same history with further records after it."""
        return History((*self.records, *records))

    def _last(self) -> dict[tuple[str, int, str, str], Record]:
        return {record.place: record for record in self.records}

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        gone = len(self.superseded())
        return f"<History of {len(self)} values, {gone} of them superseded>"


class Keeper(Protocol):
    """Something else than a file that keeps a history, such as a store."""

    def read(self) -> History:
        """Read the whole history."""
        ...

    def add(self, records: Sequence[Record]) -> History:
        """Add records that `accepted` lets through, all or none."""
        ...


def read_history(path: str | os.PathLike[str] | Keeper) -> History:
    """Read a history; one that does not exist yet is empty.

    Parameters
    ----------
    path
        A file, or what keeps one otherwise.

    Raises
    ------
    PlanError
        The file is no history, or was changed by hand; the message names the line.
    """
    if not isinstance(path, str | os.PathLike):
        return path.read()
    file = Path(path)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return History()
    except OSError as wrong:
        raise PlanError(
            text("error.file_unreadable", path=str(file), reason=wrong.strerror or str(wrong))
        ) from wrong
    records, check = [], _FORMAT
    for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), 1):
        try:
            stated = json.loads(line)
            told = stated.pop("check")
            record = Record(**stated)
            check = _check(check, record)
        except (ValueError, TypeError, KeyError, AttributeError) as wrong:
            raise PlanError(text("error.history.no_record", path=str(file), line=number)) from wrong
        if told != check:
            raise PlanError(text("error.history.changed", path=str(file), line=number))
        records.append(record)
    return History(tuple(records))


def add_records(path: str | os.PathLike[str] | Keeper, records: Sequence[Record]) -> History:
    """Add records to a history, all or none, whoever else adds to it meanwhile.

    Parameters
    ----------
    path
        The file, made where there is none, or what keeps a history otherwise.
    records
        What to add, in order. One without a time is given the present.

    Returns
    -------
    The history with them.

    Raises
    ------
    PlanError
        A record says neither who entered it nor where from, or corrects a value without
        a reason; or the file was changed by hand. Nothing is added then.
    InputError
        The disk refuses; what was there is unchanged.
    """
    if not isinstance(path, str | os.PathLike):
        return path.add(records)
    file = Path(path).resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    with alone_in(file.parent):
        history = read_history(file)
        history = history.with_records(accepted(history, records))
        check, lines = _FORMAT, []
        for record in history:
            check = _check(check, record)
            lines.append(json.dumps({**record.as_dict(), "check": check}, ensure_ascii=False))
        save_text(file, "".join(f"{line}\n" for line in lines))
    return history


def accepted(history: History, records: Sequence[Record]) -> list[Record]:
    """Take records that may follow a history; one without a time is given the present.

    Raises
    ------
    PlanError
        As `add_records` raises it.
    """
    now = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    stamped = [record if record.when else replace(record, when=now) for record in records]
    _refuse(history, stamped)
    return stamped


def _refuse(history: History, records: Sequence[Record]) -> None:
    standing = {record.place: record for record in history.standing()}
    for record in records:
        named = {"key": record.key, "year": record.year}
        if not record.who.strip() or not record.source.strip():
            raise PlanError(text("error.history.unsigned", **named))
        earlier = standing.get(record.place)
        if earlier is not None and not record.reason.strip():
            raise PlanError(text("error.history.no_reason", earlier=earlier.value, **named))
        if earlier is None and record.value is None:
            raise PlanError(text("error.history.nothing_withdrawn", **named))
        standing[record.place] = record


def _check(before: str, record: Record) -> str:
    told = json.dumps([before, *(getattr(record, name) for name in _FIELDS)], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
