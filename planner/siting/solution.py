"""A solution: which sites to open, how good that is and how good it could be at best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from layers.errors import PlannerError
from layers.messages import text
from planner.siting.control import relative_gap
from planner.siting.limits import Broken, slack

if TYPE_CHECKING:
    from planner.siting.conflict import Conflict
    from planner.siting.control import Sense, Stop
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits

Status = Literal["optimal", "feasible", "infeasible", "unknown"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Solution:
    """What a solve found and proved.

    Attributes
    ----------
    model
        Which model was solved, such as ``maximal_cover``.
    sense
        ``max`` or ``min``: whether more or less of the objective is better.
    status
        ``optimal``: proved; ``feasible``: stopped early, no better than `bound` is
        possible; ``infeasible``: proved that no choice keeps the limits; ``unknown``:
        stopped before any choice was found that keeps them.
    sites
        Sites opened anew, sorted; what exists is not among them.
    objective
        Computed from `sites` by plain arithmetic; NaN without a solution.
    bound
        No choice of sites can do better; proved. NaN if infeasible.
    assigned
        (n,) the open site that serves each demand row, existing ones included: the
        nearest, or the one that serves most of it under capacities; -1 where none does.
    served
        (n,) share of each demand row that is served, existing sites counted; None where
        a model does not tell.
    seconds
        Time taken.
    nodes
        Nodes of the search tree.
    stopped
        Why it was stopped early: ``time``, ``gap``, ``interrupt`` or ``size`` (the exact
        program would not fit memory); None if it was not.
    conflict
        Which limits contradict each other, where that was asked for.
    """

    model: str
    sense: Sense
    status: Status
    sites: Ints
    objective: float
    bound: float
    assigned: Ints
    served: Floats | None = None
    seconds: float = 0.0
    nodes: int = 0
    stopped: Stop | None = None
    conflict: Conflict | None = None

    @property
    def found(self) -> bool:
        """Whether there is a choice of sites at all."""
        return self.status in {"optimal", "feasible"}

    @property
    def gap(self) -> float:
        """Relative gap between objective and bound; inf without a solution."""
        return relative_gap(self.objective, self.bound) if self.found else float("inf")

    def __repr__(self) -> str:
        if not self.found:
            return f"<Solution of {self.model}: {self.status} in {self.seconds:.2f} s>"
        early = f", stopped by {self.stopped}" if self.stopped else ""
        return (
            f"<Solution of {self.model}: {len(self.sites)} sites, {self.objective:,.6g} "
            f"({self.status}, gap {self.gap:.2%}) in {self.seconds:.2f} s{early}>"
        )


def verified(
    instance: Instance, limits: Limits, opened: Ints, share: Floats, least: float = 0.0
) -> None:
    """Hold a choice of sites against the limits once more, by plain arithmetic.

    Parameters
    ----------
    least
        People who had to be served.

    Raises
    ------
    PlannerError
        The solver broke a limit: a fault of it or of this program, not of the input.
    """
    broken = limits.broken(instance, opened, share)
    people = float(instance.people @ share)
    if people < least - slack(least):
        broken.append(Broken("share", -1, people))
    if broken:
        shown = "; ".join(f"{one.kind} {one.key}: {one.found:g}" for one in broken)
        raise PlannerError(text("siting.solver_wrong", broken=shown))
