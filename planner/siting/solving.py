"""Solving: a setting handed to the solver of its model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.reach import SLACK
from planner.siting.backup import backup_cover
from planner.siting.capacitated import capacitated_p_median, shortage
from planner.siting.centre import p_centre
from planner.siting.conflict import explain
from planner.siting.control import Watch
from planner.siting.covering import maximal_cover, set_cover
from planner.siting.fair import fair_cover
from planner.siting.median import p_median

if TYPE_CHECKING:
    from planner.siting.capacitated import Shortage
    from planner.siting.control import Control
    from planner.siting.fair import Level
    from planner.siting.setting import Setting
    from planner.siting.solution import Solution


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Solved:
    """What the solver gave.

    Attributes
    ----------
    solution
        The choice of sites, with objective and bound.
    backup
        Of set cover with backup: the same choice, its objective the people who are
        reached twice. None for other models.
    levels
        Of fair cover: rates from the worst unit up, as far as they were solved.
    shortage
        Too little capacity for everyone, whatever is opened; None if that is not so.
    """

    solution: Solution
    backup: Solution | None = None
    levels: tuple[Level, ...] = ()
    shortage: Shortage | None = None


def solve(setting: Setting, control: Control | None = None) -> Solved:
    """Solve a setting with its model, and say why if there is nothing to find.

    Parameters
    ----------
    setting
        The problem laid out on a city.
    control
        Time, gap, progress and interrupts.
    """
    solved = _solved(setting, control)
    return replace(solved, solution=_explained(setting, solved.solution, control))


def _solved(setting: Setting, control: Control | None) -> Solved:
    problem, instance, limits = setting.problem, setting.instance, setting.limits
    value = setting.value
    model = problem.model
    if model in {"mclp", "cmclp"}:
        return Solved(solution=maximal_cover(instance, limits, value=value, control=control))
    if model in {"lscp", "clscp"}:
        found = set_cover(
            *(instance, limits),
            share=problem.share,
            cheapest=problem.cheapest,
            value=value,
            control=control,
        )
        return Solved(solution=found)
    if model == "lscpb":
        both = backup_cover(instance, limits, cheapest=problem.cheapest, control=control)
        sites = both.backup.sites if both.backup.found else both.fewest.sites
        solution = replace(both.fewest, sites=sites, assigned=both.backup.assigned)
        return Solved(solution=solution, backup=both.backup)
    if model == "fair":
        fair = fair_cover(instance, limits, value=value, control=control)
        return Solved(solution=fair.solution, levels=fair.levels)
    return _far(setting, control)


def _far(setting: Setting, control: Control | None) -> Solved:
    """Solve the models of how far everyone goes; floors count who is within the standard."""
    model, instance, limits = setting.problem.model, setting.instance, setting.limits
    within = setting.standard.cutoff
    if model == "p-median":
        found = p_median(instance, limits, beyond=setting.beyond, within=within, control=control)
        return Solved(solution=found)
    # Who can get nowhere need not be served.
    lost = instance.pairs.counts == 0
    if model == "p-centre":
        return Solved(
            solution=p_centre(instance, limits, within=within, lost=lost, control=control)
        )
    beyond = setting.beyond if setting.problem.reach is not None else None
    lost = lost if beyond is None else np.zeros_like(lost)
    solution = capacitated_p_median(
        *(instance, limits),
        beyond=beyond,
        within=within,
        lost=lost,
        control=control,
        split=True,
    )
    short = None
    if solution.status == "infeasible" and beyond is None:
        short = shortage(instance, limits, load=np.where(lost, 0.0, instance.people))
    return Solved(solution=solution, shortage=short)


def _explained(setting: Setting, solution: Solution, control: Control | None) -> Solution:
    """Say why nothing is feasible where the solver did not, or had no time left to."""
    if solution.status != "infeasible" or solution.conflict is not None:
        return solution
    problem = setting.problem
    with Watch(control) as watch:
        instance, limits, value = setting.instance, setting.limits, setting.value
        if problem.traits.covers:
            everyone = not problem.traits.spends and problem.share is None
            share = problem.share
            conflict = explain(instance, limits, watch, share=share, everyone=everyone, value=value)
            return replace(solution, conflict=conflict)
        # The limits may contradict each other, or leave somebody without a way.
        kept = instance.pairs.distance <= setting.standard.cutoff + SLACK
        near = replace(instance, pairs=instance.pairs.keep(kept))
        conflict = explain(near if limits.floors else instance, limits, watch)
        limits = replace(limits, floors={})
        if conflict is None and problem.reach is None and not watch.should_stop():
            conflict = explain(instance, limits, watch, everyone=True)
    return replace(solution, conflict=conflict)
