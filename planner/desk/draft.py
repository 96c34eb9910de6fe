"""A draft: the scenario that a reader works on, with what was taken back and can be redone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from planner.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Container

    from planner.changes import Change


@dataclass(frozen=True, kw_only=True, repr=False)
class Draft:
    """A scenario with its undone changes.

    Attributes
    ----------
    scenario
        The changes that are made now.
    ahead
        Changes that were taken back, the one to redo first last.
    saved
        The scenario as the store has it, or as it began.

    Examples
    --------
    >>> from planner.changes import Close
    >>> draft = Draft().then(Close(id="a"), Close(id="b")).undone()
    >>> draft
    <Draft of 1 changes, 1 to redo>
    >>> draft.redone().scenario.changes[-1].id
    'b'
    """

    scenario: Scenario = field(default_factory=Scenario)
    ahead: tuple[Change, ...] = ()
    saved: Scenario = field(default_factory=Scenario)

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """Begin with a scenario that is kept as it is."""
        return cls(scenario=scenario, saved=scenario)

    @property
    def changed(self) -> bool:
        """Whether there are changes that are not kept yet."""
        return self.scenario.changes != self.saved.changes

    def then(self, *changes: Change) -> Self:
        """Make further changes, after which nothing can be redone."""
        return replace(self, scenario=self.scenario.then(*changes), ahead=())

    def undone(self) -> Self:
        """Take the last change back; without any it stays as it is."""
        last = self.scenario.changes[-1:]
        return replace(self, scenario=self.scenario.undone(), ahead=(*self.ahead, *last))

    def redone(self) -> Self:
        """Make the change again that was taken back last; without any it stays as it is."""
        if not self.ahead:
            return self
        scenario = self.scenario.then(self.ahead[-1])
        return replace(self, scenario=scenario, ahead=self.ahead[:-1])

    def kept(self, saved: Scenario) -> Self:
        """Note what is kept of it; what was changed meanwhile is not."""
        return replace(self, scenario=replace(self.scenario, name=saved.name), saved=saved)

    def fresh(self, taken: Container[Any]) -> str:
        """Make an id that neither the scenario nor a city has.

        Parameters
        ----------
        taken
            Ids of the city's facilities.
        """
        own = {getattr(change, "id", None) for change in (*self.scenario.changes, *self.ahead)}
        number = 1
        while f"new-{number}" in own or f"new-{number}" in taken:
            number += 1
        return f"new-{number}"

    def __repr__(self) -> str:
        return f"<Draft of {len(self.scenario)} changes, {len(self.ahead)} to redo>"
