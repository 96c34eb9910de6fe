"""Targets: what a plan wants reached by when, and how its value is found."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from layers.messages import Language, language, text
from planner.wording import points, rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.population import Group
    from layers.units import Level

Kind = Literal["quota", "count", "share", "venues", "tiers", "reach", "capacity", "entered"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Part = Literal["mission", "further", "key", "stated"]
PARTS: tuple[Part, ...] = get_args(Part)

Direction = Literal["at_least", "at_most"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

Measure = Literal["facilities", "capacity"]
MEASURES: tuple[Measure, ...] = get_args(Measure)

SHARES: frozenset[Kind] = frozenset({"quota", "share", "venues", "tiers", "reach"})
"""Kinds whose values are parts of one."""

NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Facilities of a service, of some tiers and kinds of venue only where these are named."""

    service: str
    tiers: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"service": self.service, "tiers": list(self.tiers), "venues": list(self.venues)}


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What is to be reached by the end of a year.

    Attributes
    ----------
    year
        The year.
    value
        Value of the indicator then: 1.0 where every unit is to have its quota.
    quota
        Facilities that every unit of the target's level is to have, or None.
    """

    year: int
    value: float
    quota: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return vars(self).copy()


@dataclass(frozen=True, kw_only=True, repr=False)
class Target:
    """One thing that a plan wants reached.

    Attributes
    ----------
    key
        What values are entered under.
    name, name_en, clause
        What it is called, and where the plan demands it.
    part
        ``mission``, ``further``, ``key`` (the table of key indicators) or ``stated``.
    row
        Its row in the table of key indicators, or None.
    kind
        How its value is found; see ``data/plan_2021_2025.toml``.
    chosen
        The facilities it speaks of, or None.
    whole
        Those of which they are a part, or None.
    measure
        Facilities, or their capacity.
    level
        Units that it speaks of.
    tiers
        Of a network of tiers, the level whose every unit is to have a facility of each.
    groups
        Groups of people, the one that is judged first; the standard's own when empty.
    direction
        Whether more is better.
    goals
        In the order of years; none where the plan speaks in words.
    words, words_en
        The target in words, or nothing.
    yearly
        Whether a goal is for its own year alone, as for things done in a year.
    base
        Value of the base year as the plan prints it, or None.
    unit, unit_en
        Of entered values.
    note, note_en
        What a reader should know.
    line
        Where it stands in its file.
    """

    key: str
    name: str
    kind: Kind
    name_en: str = ""
    clause: str = ""
    part: Part = "stated"
    row: int | None = None
    chosen: Selection | None = None
    whole: Selection | None = None
    measure: Measure = "facilities"
    level: Level = "city"
    tiers: Mapping[str, Level] = field(default_factory=lambda: NOTHING)
    groups: tuple[Group, ...] = ()
    direction: Direction = "at_least"
    goals: tuple[Goal, ...] = ()
    words: str = ""
    words_en: str = ""
    yearly: bool = False
    base: float | None = None
    unit: str = ""
    unit_en: str = ""
    note: str = ""
    note_en: str = ""
    line: int = 0

    @property
    def service(self) -> str | None:
        """Key of its service, or None."""
        return None if self.chosen is None else self.chosen.service

    @property
    def bounds(self) -> tuple[float, float]:
        """Between which its values must lie."""
        if self.kind in SHARES:
            return 0.0, 1.0
        return 0.0, 100.0 if self.unit == "%" else float("inf")

    @property
    def last(self) -> Goal | None:
        """Its last goal, or None: it speaks in words."""
        return self.goals[-1] if self.goals else None

    def due(self, year: int) -> Goal | None:
        """Last goal that falls due by the end of a year."""
        return next((goal for goal in reversed(self.goals) if goal.year <= year), None)

    def is_met(self, value: float, goal: Goal) -> bool:
        """Tell whether a value reaches a goal, to a billionth of it."""
        slack = 1e-9 * max(1.0, abs(goal.value))
        if self.direction == "at_least":
            return value >= goal.value - slack
        return value <= goal.value + slack

    def title(self, lang: Language | None = None) -> str:
        """Name in a language."""
        return _either(self.name, self.name_en, lang)

    def wording(self, lang: Language | None = None) -> str:
        """Target in words in a language, or nothing."""
        return _either(self.words, self.words_en, lang)

    def measured_in(self, lang: Language | None = None) -> str:
        """Name the unit of entered values in a language, or nothing."""
        return _either(self.unit, self.unit_en, lang)

    def figure(
        self, value: float | None, lang: Language | None = None, *, signed: bool = False
    ) -> str:
        """Write a value as a reader wants it: shares in per cent, others with their unit.

        Parameters
        ----------
        value
            The value; a dash for None.
        lang
            Language.
        signed
            Write the sign, of a change.
        """
        if value is None or math.isnan(value):
            return "–"
        sign = "+" if signed and value >= 0 else ""
        if self.kind in SHARES:
            return points(value, lang) if signed else rate(value)
        unit = self.measured_in(lang)
        # As many decimals as mean something, and no exponent.
        number = f"{value:,.{1 if self.kind == 'count' else 2}f}".rstrip("0").rstrip(".")
        if unit == "%":
            return text("wording.points", lang, value=sign + number) if signed else f"{number}%"
        english = (lang or language()) == "en"
        return f"{sign}{number}{' ' if english and unit else ''}{unit}"

    def goal_words(self, goal: Goal, lang: Language | None = None) -> str:
        """Say what a goal wants, in a language, without its year."""
        if goal.quota is not None:
            level = text(f"level.{self.level}", lang)
            return text("monitor.quota", lang, level=level, quota=goal.quota)
        # What cannot be exceeded needs no sign.
        sign = {"at_least": "≥", "at_most": "≤"}[self.direction]
        return f"{'' if goal.value in self.bounds else sign}{self.figure(goal.value, lang)}"

    def remark(self, lang: Language | None = None) -> str:
        """Say what a reader should know, in a language, or nothing."""
        return _either(self.note, self.note_en, lang)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = {
            name: getattr(self, name)
            for name in (
                *("key", "name", "name_en", "clause", "part", "row", "kind", "measure", "level"),
                *(
                    "direction",
                    "yearly",
                    "words",
                    "words_en",
                    "base",
                    "unit",
                    "unit_en",
                    "note",
                    "note_en",
                ),
            )
        }
        return {
            **plain,
            "facilities": None if self.chosen is None else self.chosen.as_dict(),
            "whole": None if self.whole is None else self.whole.as_dict(),
            "tiers": dict(self.tiers),
            "groups": list(self.groups),
            "goals": [goal.as_dict() for goal in self.goals],
        }

    def __repr__(self) -> str:
        goals = ", ".join(
            f"{goal.quota if goal.quota is not None else goal.value:g} by {goal.year}"
            for goal in self.goals
        )
        return f"<Target {self.key} ({self.kind}): {goals or self.words}>"


def _either(chinese: str, english: str, lang: Language | None) -> str:
    return (english or chinese) if (lang or language()) == "en" else chinese
