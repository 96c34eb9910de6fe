"""From what was found to a solution: computed anew, verified, and with its proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.siting.reduction import served
from planner.siting.solution import Solution, verified

if TYPE_CHECKING:
    from planner.siting.conflict import Conflict
    from planner.siting.control import Sense, Watch
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits

# The solver adds up in another order than plain arithmetic does.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Found:
    """What a search came to.

    Attributes
    ----------
    sites
        Sites opened anew, None where none were found.
    bound
        Nothing is better; NaN if nothing is feasible.
    best
        The objective of the sites; NaN without any.
    nodes
        Nodes of the search tree.
    """

    sites: Ints | None
    bound: float
    best: float = float("nan")
    nodes: int = 0

    @property
    def infeasible(self) -> bool:
        """Whether it is proved that there is nothing to find."""
        return self.sites is None and bool(np.isnan(self.bound))


IMPOSSIBLE = Found(None, float("nan"))


def nobody(instance: Instance) -> Ints:
    """(n,) -1 each: nobody is assigned to any site."""
    return np.full(instance.demands, -1, dtype=np.int64)


def unsolved(
    model: str,
    sense: Sense,
    instance: Instance,
    found: Found,
    watch: Watch,
    conflict: Conflict | None = None,
) -> Solution:
    """Tell that there is no solution, or that none was found in time."""
    return Solution(
        model=model,
        sense=sense,
        status="infeasible" if found.infeasible else "unknown",
        sites=np.empty(0, dtype=np.int64),
        objective=float("nan"),
        bound=found.bound,
        assigned=nobody(instance),
        seconds=watch.seconds,
        nodes=found.nodes,
        stopped=None if found.infeasible else watch.stopped,
        conflict=conflict,
    )


def answer(
    model: str,
    sense: Sense,
    instance: Instance,
    limits: Limits,
    found: Found,
    watch: Watch,
    *,
    objective: float,
    share: Floats | None = None,
    assigned: Ints | None = None,
    value: Floats | None = None,
    least: float = 0.0,
) -> Solution:
    """Build the solution of sites that were found, once they are verified.

    Parameters
    ----------
    objective
        By plain arithmetic.
    share
        (n,) share of each demand row served; by the best open site when None.
    assigned
        (n,) site that serves each row; the nearest open one when None, or of the
        greatest value where those are given.
    value
        (k,) share served by each pair's site; 1 when None.
    least
        People who had to be served.
    """
    assert found.sites is not None
    share = served(instance, found.sites, value) if share is None else share
    verified(instance, limits, found.sites, share, least)
    bound = closed(sense, objective, found.bound)
    done = bound == objective
    return Solution(
        model=model,
        sense=sense,
        status="optimal" if done else "feasible",
        sites=found.sites,
        objective=objective,
        bound=bound,
        assigned=nearest(instance, found.sites, value) if assigned is None else assigned,
        served=share,
        seconds=watch.seconds,
        nodes=found.nodes,
        stopped=None if done else watch.stopped or "gap",
    )


def closed(sense: Sense, objective: float, bound: float) -> float:
    """Close a gap that is but rounding; an objective proves itself attainable."""
    better = bound > objective if sense == "max" else bound < objective
    if not better or abs(bound - objective) <= _ROUNDING * max(1.0, abs(objective)):
        return objective
    return bound


def nearest(instance: Instance, opened: Ints, value: Floats | None = None) -> Ints:
    """(n,) nearest open site of each row, or of the greatest value; -1 where none is near."""
    pairs, is_open = instance.pairs, instance.is_open(opened)
    if value is None:
        return pairs.nearest(is_open)[0]
    site = nobody(instance)
    near = is_open[pairs.site] & (value > 0)
    row = pairs.rows[near]
    # Ascending by value, and among equals the nearest last: what is written last stays.
    order = np.lexsort((-np.arange(len(row)), value[near]))
    site[row[order]] = pairs.site[near][order]
    return site
