"""Backup: everyone reached with the fewest sites, and of these as many as may be twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from layers.errors import InputError
from layers.messages import text
from planner.siting.allocation import spent, wanted_people
from planner.siting.answer import Found, answer, unsolved
from planner.siting.conflict import explain
from planner.siting.control import Watch
from planner.siting.covering import checked
from planner.siting.fewest import fewest
from planner.siting.limits import slack
from planner.siting.reduction import doubly
from planner.siting.site_program import Model

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from planner.siting.control import Control
    from planner.siting.instance import Instance, Ints
    from planner.siting.limits import Limits
    from planner.siting.reduction import Flags
    from planner.siting.solution import Solution


class BackupCover(NamedTuple):
    """What set cover with backup gives."""

    fewest: Solution
    """The fewest (or cheapest) sites that reach everyone."""
    backup: Solution
    """With no more than those, the choice that reaches most people from two sites; its
    objective are these people."""


def backup_cover(
    instance: Instance,
    limits: Limits,
    *,
    asked: ArrayLike | None = None,
    cheapest: bool = False,
    control: Control | None = None,
) -> BackupCover:
    """Reach everyone with the fewest sites, and then most people twice.

    The second aim never costs a site: it chooses among the best choices for the first
    (LSCP-B, Hogan and ReVelle 1986). Whoever has but one site near that may ever be open
    is not reached twice.

    Parameters
    ----------
    instance
        Demand and sites, without capacities; every pair counts as near.
    limits
        What the choice must keep.
    asked
        (n,) which demand rows a backup counts for; all when None.
    cheapest
        Least cost instead of fewest sites.
    control
        Time, gap, progress and interrupts.

    Raises
    ------
    InputError
        Sites with capacities, or `asked` of the wrong length.

    Examples
    --------
    >>> from planner.siting.instance import Instance, Pairs
    >>> from planner.siting.limits import Limits
    >>> far = float("inf")
    >>> near = Pairs.from_dense([[1, far, far], [1, 1, 1], [far, 1, 1], [far, far, 1]])
    >>> found = backup_cover(Instance.of(near), Limits())
    >>> found.fewest.objective, found.backup.objective
    (2.0, 1.0)
    """
    checked(instance, limits, None)
    wanted = np.ones(instance.demands, bool) if asked is None else np.asarray(asked, dtype=bool)
    if wanted.shape != (instance.demands,):
        found, size = len(wanted), instance.demands
        raise InputError(text("siting.lengths", name="asked", found=found, wanted=size))
    if np.isfinite(instance.capacity).any():
        raise InputError(text("siting.backup_capacity"))
    with Watch(control) as watch:
        first = fewest(instance, limits, watch, share=None, cheapest=cheapest)
        if first.sites is None:
            conflict = explain(instance, limits, watch, everyone=True) if first.infeasible else None
            none = unsolved("set_cover", "min", instance, first, watch, conflict)
            return BackupCover(none, replace(none, model="backup_cover", sense="max"))
        least = wanted_people(instance, None)
        best = spent(instance, first.sites, cheapest=cheapest)
        one = answer(
            *("set_cover", "min", instance, limits, first, watch), objective=best, least=least
        )
        found_twice = _twice(instance, limits, watch, one, wanted, cheapest=cheapest)
        assert found_twice.sites is not None
        two = answer(
            *("backup_cover", "max", instance, limits, found_twice, watch),
            objective=twice(instance, found_twice.sites, wanted),
            least=least,
        )
        return BackupCover(one, two)


def twice(instance: Instance, opened: Ints, asked: Flags) -> float:
    """People of the rows asked for whom two sites or more are open near."""
    pairs = instance.pairs
    before = np.concatenate([[0], np.cumsum(instance.is_open(opened)[pairs.site], dtype=np.int64)])
    near = before[pairs.start[1:]] - before[pairs.start[:-1]]
    return float(instance.people[asked & (near > 1)].sum())


def _twice(
    instance: Instance,
    limits: Limits,
    watch: Watch,
    first: Solution,
    asked: Flags,
    *,
    cheapest: bool,
) -> Found:
    cover, needed, people = doubly(instance, asked)
    # Whoever can be reached is: that keeps the floors.
    model = Model(instance, replace(limits, floors={}), cover, sense="max")
    program = model.program
    most = first.objective + (slack(first.objective) / 4 if cheapest else 0)
    each = model.cost if cheapest else model.new.astype(float)
    program.add_rows([0, len(model.sites)], model.sites, each, upper=most)
    program.add_rows(cover.start, cover.site, 1.0, lower=needed)
    backed = np.flatnonzero(people > 0)
    column = program.add_columns(people[backed]) + np.arange(len(backed))
    entries = [
        np.append(cover.site[cover.start[row] : cover.start[row + 1]], column[at])
        for at, row in enumerate(backed)
    ]
    sizes = np.array([len(part) for part in entries], dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(sizes)])
    value = np.ones(int(start[-1]))
    value[start[1:] - 1] = -1.0
    program.add_rows(start, np.concatenate([[], *entries]), value, lower=needed[backed])
    already = twice(instance, np.empty(0, dtype=np.int64), asked)
    # Those who have two existing sites near are no rows of the program.
    program.set_offset(already)
    begin = np.full(program.columns, np.nan)
    begin[: len(cover.sites)] = np.isin(cover.sites, first.sites)
    outcome = program.solve(watch, what="backup", start=begin)
    mine = twice(instance, first.sites, asked)
    bound = min(outcome.bound, already + float(people.sum()))
    if outcome.values is None or outcome.found == "infeasible":
        return Found(first.sites, bound if outcome.found != "infeasible" else mine, mine)
    return Found(model.opened(outcome.values), bound, nodes=outcome.nodes)
