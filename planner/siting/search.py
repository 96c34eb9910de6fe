"""Search: the best choice so far and the best bound, of a model that wants little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.siting.solution import Solution

if TYPE_CHECKING:
    from planner.siting.choice import Choice
    from planner.siting.conflict import Conflict
    from planner.siting.control import Watch
    from planner.siting.instance import Floats, Ints
    from planner.siting.solution import Status

_ROUNDING = 1e-9
_WHOLE = 1e-6


class Search:
    """What a solve has found and proved so far.

    Parameters
    ----------
    choice
        The choices allowed.
    watch
        Time, gap, progress and interrupts.
    whole
        Whether every objective is a whole number, so that bounds may be rounded up.

    Attributes
    ----------
    opened
        The best choice, counted as `Choice.sites` counts; None before any.
    best, bound
        Its objective, inf without one, and what no choice comes below.
    infeasible
        Whether it is proved that there is no choice.
    conflict
        Which limits contradict each other, once that is known.
    nodes
        Nodes of the search trees so far.
    """

    def __init__(self, choice: Choice, watch: Watch, *, whole: bool) -> None:
        self.choice, self.watch, self.whole = choice, watch, whole
        self.opened: Ints | None = None
        self.best, self.bound = float("inf"), -float("inf")
        self.infeasible = False
        self.conflict: Conflict | None = None
        self.nodes = 0

    @property
    def enough(self) -> float:
        """Bound beyond which nothing better than the best is left."""
        if not np.isfinite(self.best):
            return float("inf")
        return self.best - (1 - _rounding(self.best) if self.whole else _ROUNDING * abs(self.best))

    @property
    def proved(self) -> bool:
        """Whether the best is proved to be the optimum."""
        return self.opened is not None and self.best - self.bound <= _ROUNDING * abs(self.best)

    @property
    def done(self) -> bool:
        """Whether the best is proved to be as near the optimum as is wanted."""
        if self.proved:
            return True
        return self.opened is not None and self.watch.near_enough(self.best, self.bound)

    def raise_bound(self, bound: float) -> None:
        """Take note of a bound, and tell if it is better than the one before."""
        if self.whole and np.isfinite(bound):
            bound = float(np.ceil(bound - _rounding(bound)))
        if bound > self.bound:
            self.bound = bound
            self.tell("bound")

    def tell(self, what: str, bound: float = -float("inf")) -> None:
        """Tell how far it has come, with a bound that a part has proved for the whole."""
        best = self.best if np.isfinite(self.best) else None
        known = max(bound, self.bound)
        self.watch.tell(best, min(known, self.best) if np.isfinite(known) else None, what)

    def solution(
        self, model: str, *, sites: Ints, objective: float, assigned: Ints, served: Floats
    ) -> Solution:
        """Give what was found.

        Parameters
        ----------
        model
            Name of the model.
        sites, objective, assigned, served
            As `planner.siting.solution.Solution` has them, computed anew and verified.
        """
        status: Status = "infeasible" if self.infeasible else "unknown"
        bound = float("nan") if self.infeasible else self.bound
        if self.opened is not None:
            status = "optimal" if self.proved else "feasible"
            bound = objective if self.proved else min(bound, objective)
        return Solution(
            model=model,
            sense="min",
            status=status,
            sites=sites,
            objective=objective,
            bound=bound,
            assigned=assigned,
            served=served,
            seconds=self.watch.seconds,
            nodes=self.nodes,
            stopped=None if self.proved or self.infeasible else self.watch.stopped,
            conflict=self.conflict,
        )


def _rounding(value: float) -> float:
    """How far a sum of whole numbers of that size may be off."""
    return _WHOLE * max(1.0, 1e-6 * abs(value))
