"""The search for the fewest or cheapest sites: parts, greedy, prices, the exact program."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.siting.answer import IMPOSSIBLE, Found
from planner.siting.limits import Limits, slack
from planner.siting.local_search import Selection
from planner.siting.reduction import kernels, reduced, served, without_dominated
from planner.siting.site_program import Model

if TYPE_CHECKING:
    from planner.siting.control import Watch
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.reduction import Cover, Flags

_ROUNDING = 1e-6
_MOST_WORK = 200_000_000
"""Entries looked through to take the parts apart, beyond which it does not pay."""


def fewest(
    instance: Instance,
    limits: Limits,
    watch: Watch,
    *,
    share: float | None,
    cheapest: bool,
    value: Floats | None = None,
) -> Found:
    """Find the fewest or the cheapest sites that serve a share, or everyone within reach."""
    if share is not None:
        cover = reduced(instance, limits, value=value)
        cover = without_dominated(cover, instance, limits, costs=cheapest)
        return _program(cover, instance, limits, watch, share=share, cheapest=cheapest)
    everyone = served(instance, np.flatnonzero(instance.openable))
    broken = limits.broken(instance, np.empty(0, dtype=np.int64), everyone)
    if any(one.kind == "floor" for one in broken):
        return IMPOSSIBLE
    # Whoever can be reached will be: floors are kept, and areas do not matter.
    limits = replace(limits, floors={})
    cover = reduced(instance, limits)
    cover = without_dominated(cover, instance, limits, costs=cheapest)
    # What is minimised need not be limited: it is compared at the end.
    freed = replace(limits, budget=None) if cheapest else limits
    if not cheapest and not limits.exactly:
        freed = replace(limits, number=None)
    found = _everyone(cover, instance, freed, watch, cheapest=cheapest)
    most = limits.budget if cheapest else limits.number
    if found.sites is None or freed is limits or most is None:
        return found
    most += slack(most) if cheapest else 0
    if found.best > most:
        return IMPOSSIBLE if found.bound > most else Found(None, found.bound, nodes=found.nodes)
    return found


def _everyone(
    cover: Cover, instance: Instance, limits: Limits, watch: Watch, *, cheapest: bool
) -> Found:
    """Solve parts that neither rows nor limits couple one by one."""
    if limits.number is not None or limits.budget is not None:
        return _program(cover, instance, limits, watch, share=None, cheapest=cheapest)
    count, part = cover.components(_coupled(cover, instance, limits))
    if count * len(cover.site) > _MOST_WORK:
        return _program(cover, instance, limits, watch, share=None, cheapest=cheapest)
    sites: list[Ints] = []
    bound, best, nodes = 0.0, 0.0, 0
    order = np.argsort(part, kind="stable")
    ends = np.searchsorted(part[order], np.arange(count + 1))
    if limits.at_least and not _possible(cover, instance, limits):
        return IMPOSSIBLE
    lone = np.ones(count, dtype=bool)
    lone[np.unique(part[cover.site])] = False
    missing = False
    for number in range(count):
        mine = order[ends[number] : ends[number + 1]]
        inside = np.zeros(len(part), dtype=bool)
        inside[mine] = True
        if count > 1 and lone[number] and not _asked(cover, instance, limits, mine):
            continue
        some = cover.only(inside) if count > 1 else cover
        own = _of_part(some, instance, limits)
        found = _program(some, instance, own, watch, share=None, cheapest=cheapest)
        if found.infeasible:
            return IMPOSSIBLE
        bound += found.bound
        nodes += found.nodes
        if found.sites is None:
            missing = True
            continue
        best += found.best
        sites.append(found.sites)
    if missing:
        return Found(None, bound, nodes=nodes)
    chosen = np.sort(np.concatenate([np.empty(0, dtype=np.int64), *sites]))
    return Found(chosen, bound, best, nodes)


def _possible(cover: Cover, instance: Instance, limits: Limits) -> bool:
    """Whether each unit has as many sites as must be opened in it."""
    unit = instance.unit[cover.sites]
    return all((unit == key).sum() >= least for key, least in limits.at_least.items())


def _asked(cover: Cover, instance: Instance, limits: Limits, mine: Ints) -> bool:
    """Whether a limit may have sites opened that cover nobody."""
    sites = cover.sites[mine]
    wanted = [unit for unit, least in limits.at_least.items() if least]
    return bool(instance.required[sites].any() or np.isin(instance.unit[sites], wanted).any())


def _coupled(cover: Cover, instance: Instance, limits: Limits) -> tuple[Ints, Ints]:
    """Sites that belong together since a limit holds for both."""
    local = np.full(instance.sites, -1, dtype=np.int64)
    local[cover.sites] = np.arange(len(cover.sites))
    a, b = (local[side] for side in limits.too_near)
    both = (a >= 0) & (b >= 0)
    one, other = [a[both]], [b[both]]
    unit = instance.unit[cover.sites]
    for key in {*limits.at_most, *limits.at_least}:
        there = np.flatnonzero(unit == key)
        one.append(there[:-1])
        other.append(there[1:])
    return np.concatenate(one), np.concatenate(other)


def _of_part(cover: Cover, instance: Instance, limits: Limits) -> Limits:
    """Keep of the limits on units those that lie in a part."""
    units = set(np.unique(instance.unit[cover.sites]).tolist())
    return replace(
        limits,
        at_most={unit: most for unit, most in limits.at_most.items() if unit in units},
        at_least={unit: least for unit, least in limits.at_least.items() if unit in units},
    )


def _program(
    cover: Cover,
    instance: Instance,
    limits: Limits,
    watch: Watch,
    *,
    share: float | None,
    cheapest: bool,
) -> Found:
    cost = instance.cost[cover.sites] if cheapest else np.ones(len(cover.sites))
    start = _greedy(cover, instance, limits, cost, share)
    bound = 0.0
    if share is None and cover.rows:
        order = np.argsort(np.diff(cover.start), kind="stable")
        bound = float(kernels().packing(cover.start, cover.site, order, cost))
    whole = not (cost % 1).any()
    bound = _up(bound, whole=whole)
    best = None if start is None else float(cost[start].sum())
    chosen = None if start is None else np.sort(cover.sites[start])
    if best is not None and chosen is not None:
        watch.tell(best, bound, "greedy")
        if bound >= best - 1e-9 or watch.near_enough(best, bound):
            return Found(chosen, min(bound, best), best)
    model = Model(instance, limits, cover, sense="min", share=share)
    if share is None:
        model.cover_everyone()
    model.aim_at_sites(cheapest=cheapest)
    begin = None if start is None else model.start(start)
    outcome = model.program.solve(watch, what="program", start=begin)
    if outcome.found == "infeasible":
        return IMPOSSIBLE
    bound = max(bound, _up(outcome.bound, whole=whole))
    if outcome.values is not None:
        sites = model.opened(outcome.values)
        spent = float(instance.cost[sites].sum()) if cheapest else float(len(sites))
        if best is None or spent < best:
            best, chosen = spent, sites
    if best is None or chosen is None:
        return Found(None, bound, nodes=outcome.nodes)
    return Found(chosen, min(bound, best), best, outcome.nodes)


def _up(bound: float, *, whole: bool) -> float:
    """Round a bound up where the objective is a whole number."""
    return max(0.0, float(np.ceil(bound - _ROUNDING)) if whole else bound)


def _greedy(
    cover: Cover, instance: Instance, limits: Limits, cost: Floats, share: float | None
) -> Flags | None:
    """Open what serves most for its cost until enough are served, then close what is idle."""
    choice, wanted = Selection(cover, instance, limits), np.inf
    if share is not None:
        total = float(instance.people.sum())
        wanted = share * total - float(instance.people @ cover.base) - slack(total) / 4

    def enough() -> bool:
        return choice.everyone if share is None else choice.people >= wanted

    choice.fill(price=cost, until=wanted)
    if not enough():
        return None
    for site in np.flatnonzero(choice.opened & ~instance.required[cover.sites])[::-1]:
        choice.put(int(site), open_it=False)
        if not enough():
            choice.put(int(site), open_it=True)
    return choice.opened if choice.keeps and enough() else None
