"""Conflict: which limits contradict each other, and the least change that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.siting.control import Watch
from planner.siting.disputes import Dispute
from planner.siting.reduction import allocatable, reduced, served, without_dominated
from planner.siting.site_program import Model

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Culprit, Limits


_LARGE = 100_000
"""Pairs beyond which a program for each question would take too long."""


@dataclass(frozen=True)
class Change:
    """The least change of one limit that alone makes the problem feasible.

    Attributes
    ----------
    culprit
        The limit.
    value
        What it would have to say, None if it would have to go altogether.
    proved
        What is proved not to do, where that is short of the value: of a large problem the
        least change lies between the two. None where the value itself is the least.
    """

    culprit: Culprit
    value: float | None
    proved: float | None = None


@dataclass(frozen=True)
class Conflict:
    """Limits that cannot all be kept.

    Attributes
    ----------
    culprits
        They contradict each other.
    minimal
        Whether without any one of them the rest is known to be possible; of a large
        problem one may be too many.
    changes
        For each of them the least change that, alone, makes the whole problem feasible;
        those that cannot mend it alone are left out.
    """

    culprits: tuple[Culprit, ...]
    changes: tuple[Change, ...]
    minimal: bool = True


def explain(
    instance: Instance,
    limits: Limits,
    watch: Watch | None = None,
    *,
    share: float | None = None,
    everyone: bool = False,
    value: Floats | None = None,
    whole: bool = False,
) -> Conflict | None:
    """Find which limits contradict each other, and the least change that mends it.

    A minimal set of them is found by halving (QuickXplain, Junker 2004), each question
    answered by a program of its own; each change is the optimum of one.

    Parameters
    ----------
    instance, limits
        The problem. Capacities, and who is near what, are facts and not up for debate.
    watch
        Time and interrupts; None for no limit.
    share, everyone, value
        What else is asked, as in `planner.siting.covering.set_cover`.
    whole
        Whether, with capacities, all people of a row go to one site.

    Returns
    -------
    None if nothing is in conflict, or it was stopped before it was known.

    Examples
    --------
    >>> from planner.siting.instance import Instance, Pairs
    >>> from planner.siting.limits import Culprit, Limits
    >>> far = float("inf")
    >>> near = Pairs.from_dense([[1, far], [far, 1]])
    >>> found = explain(Instance.of(near, area=[0, 1]), Limits(number=1, floors={0: 1, 1: 1}))
    >>> [culprit.kind for culprit in found.culprits]
    ['number', 'floor', 'floor']
    >>> found.changes[0].value
    2.0
    """
    if watch is None:
        with Watch() as alone:
            more = {"everyone": everyone, "whole": whole}
            return explain(instance, limits, alone, share=share, value=value, **more)
    crowded = bool(np.isfinite(instance.capacity).any())
    if crowded and whole and value is None:
        # Rows whose people serve alike are merged unless they are told apart.
        value = np.ones(len(instance.pairs.site))
    if not crowded and share is None and not everyone and len(instance.pairs.site) > _LARGE:
        by_area = reduced(instance, limits, value=value, by_area=True)
        by_area = without_dominated(by_area, instance, limits, costs=False)
        return disputed(Dispute(by_area, instance, limits, watch))
    make = allocatable if crowded else reduced
    cover = make(instance, limits, value=value)
    if everyone:
        people = float(instance.people.sum())
        reached = float(instance.people @ cover.base) + float(cover.weight.sum())
        share = reached / people if people else None
    model = Model(instance, limits, cover, sense="min", share=share, whole=whole)
    debate = _Debate(model, watch, value)
    try:
        if debate.feasible(debate.all):
            return None
        culprits = sorted(debate.minimal([], debate.all, asked=False), key=debate.all.index)
        changes = [change for one in culprits if (change := debate.change(one)) is not None]
    except _StoppedError:
        return None
    return Conflict(tuple(culprits), tuple(changes))


def disputed(dispute: Dispute) -> Conflict | None:
    """Explain a large problem; None where nothing is proved to be in conflict."""
    if dispute.feasible(dispute.all) is not False:
        return None
    left, minimal = dispute.all, True
    # From the last to the first: what the conflict can do without goes.
    for one in reversed(dispute.all):
        fewer = [other for other in left if other != one]
        possible = None if dispute.stopped else dispute.feasible(fewer)
        if possible is False:
            left = fewer
        minimal = minimal and possible is not None
    changes = []
    for one in left:
        if dispute.stopped:
            break
        found = dispute.change(one)
        if found is not None:
            changes.append(Change(one, *found))
    return Conflict(tuple(left), tuple(changes), minimal)


class _StoppedError(Exception):
    """It was stopped before an answer."""


class _Debate:
    """Asks which limits can be kept together."""

    def __init__(self, model: Model, watch: Watch, value: Floats | None) -> None:
        self._model, self._watch, self._value = model, watch, value
        self.all = model.culprits
        self._kept = set(self.all)

    def feasible(self, kept: list[Culprit]) -> bool:
        """Whether some limits can be kept together."""
        self._hold(set(kept))
        return self._solve(np.empty(0, dtype=np.int64), 0.0) is not None

    def minimal(self, base: list[Culprit], rest: list[Culprit], *, asked: bool) -> list[Culprit]:
        """Find the fewest of the rest that cannot be kept together with a base."""
        if asked and not self.feasible(base):
            return []
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        of_second = self.minimal([*base, *first], second, asked=bool(first))
        of_first = self.minimal([*base, *of_second], first, asked=bool(of_second))
        return [*of_first, *of_second]

    def change(self, culprit: Culprit) -> Change | None:
        """Find the least change of one limit that lets all the others be kept."""
        model, kind = self._model, culprit.kind
        self._hold(set(self.all) - {culprit})
        new = np.flatnonzero(model.new)
        cost = model.instance.cost[model.cover.sites]
        unit = model.instance.unit[model.cover.sites]
        there = new[unit[new] == culprit.key]
        if kind in {"apart", "required"}:
            return None if self._solve(new, 0.0) is None else Change(culprit, None)
        if kind == "number":
            return self._number(culprit, new)
        if kind == "budget":
            return self._counted(culprit, new, cost[new])
        if kind == "at_most":
            return self._counted(culprit, there, np.ones(len(there)))
        if kind == "at_least":
            return self._counted(culprit, there, -np.ones(len(there)))
        return self._served(culprit)

    def _number(self, culprit: Culprit, new: Ints) -> Change | None:
        if not self._model.limits.exactly:
            return self._counted(culprit, new, np.ones(len(new)))
        found = []
        for side, bounds in ((1.0, (culprit.value, np.inf)), (-1.0, (-np.inf, culprit.value))):
            self._model.stretch(culprit, *bounds)
            change = self._counted(culprit, new, np.full(len(new), side))
            if change is not None and change.value is not None:
                found.append(change.value)
        self._model.hold(culprit, kept=False)
        if not found:
            return None
        return Change(culprit, min(found, key=lambda value: abs(value - culprit.value)))

    def _counted(self, culprit: Culprit, column: Ints, price: Floats) -> Change | None:
        values = self._solve(column, price)
        if values is None:
            return None
        opened = values[column] > 0.5  # noqa: PLR2004 - what rounds to 1
        return Change(culprit, float(np.abs(price[opened]).sum()))

    def _served(self, culprit: Culprit) -> Change | None:
        model, instance = self._model, self._model.instance
        terms = model.terms
        inside = np.ones(instance.demands, dtype=bool)
        here = np.ones(len(terms.column), dtype=bool)
        if culprit.kind == "floor":
            inside, here = instance.area == culprit.key, terms.area == culprit.key
        values = self._solve(terms.column[here], -terms.people[here])
        if values is None:
            return None
        if model.allocates:
            reached = float(values[terms.column[here]] @ terms.people[here])
        else:
            share = served(instance, model.opened(values), self._value)
            reached = float(instance.people[inside] @ share[inside])
        return Change(culprit, reached / float(instance.people[inside].sum()))

    def _hold(self, kept: set[Culprit]) -> None:
        for one in self._kept ^ kept:
            self._model.hold(one, kept=one in kept)
        self._kept = kept

    def _solve(self, column: Ints, price: ArrayLike) -> Floats | None:
        program = self._model.program
        program.price(np.arange(program.columns), 0.0)
        program.price(column, price)
        outcome = program.solve(self._watch, what="conflict", gap=0.0, tell=lambda *_: None)
        if outcome.found == "infeasible":
            return None
        if outcome.found != "optimal":
            raise _StoppedError
        return outcome.values
