"""Conflict: which limits contradict each other, and the least change that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "number", "budget", "at_most", "at_least", "apart", "floor", "share", "required", "capacity"
]


@dataclass(frozen=True)
class Culprit:
    """One limit of a conflict.

    Attributes
    ----------
    kind
        Which limit: ``number``, ``budget``, ``at_most``, ``at_least``, ``apart``,
        ``floor``, ``share`` (of all people to be served), ``required`` or ``capacity``.
    key
        The unit, area, site or row of `Limits.apart` concerned; -1 for the whole.
    value
        What the limit says.
    """

    kind: Kind
    key: int
    value: float


@dataclass(frozen=True)
class Change:
    """The least change of one limit that alone makes the problem feasible.

    Attributes
    ----------
    culprit
        The limit.
    value
        What it would have to say, None if it would have to go altogether.
    """

    culprit: Culprit
    value: float | None


@dataclass(frozen=True)
class Conflict:
    """Limits that cannot all be kept.

    Attributes
    ----------
    culprits
        A minimal set: without any one of them the rest can be kept.
    changes
        For each of them the least change that, alone, makes the whole problem feasible;
        those that cannot mend it alone are left out.
    """

    culprits: tuple[Culprit, ...]
    changes: tuple[Change, ...]
