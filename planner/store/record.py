"""A record: one thing that is kept, and each state that it has been in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal["scenario", "view", "value"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Action = Literal["create", "save", "delete", "recover"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Record:
    """One thing that is kept, as it is at one revision.

    Attributes
    ----------
    id
        What it is called by in the store, never given twice.
    kind
        ``scenario``, ``view`` or ``value``.
    name
        What its owner calls it.
    city
        Name of the city that it is about, empty for any.
    body
        Plain values, as JSON holds them.
    revision
        Counts from 1; each change makes the next.
    author, at
        Who made this revision, and when (UTC).
    deleted
        Whether it is deleted and can be recovered.
    other_of
        Id of the record whose other version it is, after two changed one at once.
    """

    id: str
    kind: Kind
    name: str
    city: str
    body: Any
    revision: int
    author: str
    at: datetime
    deleted: bool = False
    other_of: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "at": self.at.isoformat()}

    def __repr__(self) -> str:
        gone = ", deleted" if self.deleted else ""
        return (
            f"<Record {self.kind} {self.name!r}, revision {self.revision} by {self.author} "
            f"at {self.at:%Y-%m-%d %H:%M:%S}{gone}>"
        )


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One change of a record.

    Attributes
    ----------
    number
        Counts from 1.
    action
        ``create``, ``save``, ``delete`` or ``recover``.
    name
        What the record was called then.
    author, at
        Who made it, and when (UTC).
    note
        What its author said of it.
    """

    number: int
    action: Action
    name: str
    author: str
    at: datetime
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "at": self.at.isoformat()}
