"""A question to a siting model: all that a run follows from besides the city, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, get_args

from layers.errors import InputError
from layers.messages import text
from layers.units import Level
from planner.scenario import Scenario
from planner.siting.ask import Ask

if TYPE_CHECKING:
    from collections.abc import Mapping

_YEARS = range(1900, 2200)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a planner asks of a model about a city as a scenario leaves it.

    Attributes
    ----------
    service
        Key of the service to be sited.
    ask
        What is asked of the model.
    year
        Year at whose end facilities are taken; those of now when None.
    level
        Level of the units that floors are of, unless they say.
    scenario
        Changes that are made to the city first.

    Examples
    --------
    >>> asked = Question(service="menopause_clinic", ask=Ask(number=2), year=2023)
    >>> Question.from_dict(asked.as_dict()) == asked
    True
    """

    service: str
    ask: Ask = field(default_factory=Ask)
    year: int | None = None
    level: Level = "district"
    scenario: Scenario = field(default_factory=Scenario)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "service": self.service,
            "ask": self.ask.as_dict(),
            "year": self.year,
            "level": self.level,
            "scenario": self.scenario.as_dict(),
        }

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Self:
        """Make a question of what `as_dict` gave.

        Raises
        ------
        InputError
            It is no such thing; the message says what is wrong.
        """
        try:
            service, year, level = table["service"], table["year"], table["level"]
            ask = Ask.from_dict(table["ask"])
        except (KeyError, TypeError, ValueError) as wrong:
            raise InputError(text("site.question", found=wrong)) from wrong
        fit = isinstance(service, str) and level in get_args(Level)
        if not fit or (year is not None and (type(year) is not int or year not in _YEARS)):
            raise InputError(text("site.question", found=(service, year, level)))
        scenario = Scenario.from_dict(table.get("scenario", {}))
        return cls(service=service, ask=ask, year=year, level=level, scenario=scenario)

    def __repr__(self) -> str:
        year = f" in {self.year}" if self.year else ""
        return f"<Question {self.service}{year}: {self.ask}, {len(self.scenario)} changes first>"
