"""Allocation: who goes where when sites can serve only so many people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.siting.answer import IMPOSSIBLE, Found, answer, nobody, unsolved
from planner.siting.conflict import explain
from planner.siting.local_search import good_choice
from planner.siting.reduction import allocatable, reduced, served
from planner.siting.site_program import Model

if TYPE_CHECKING:
    from planner.siting.control import Sense, Watch
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits
    from planner.siting.solution import Solution


def allocate(
    name: str,
    sense: Sense,
    instance: Instance,
    limits: Limits,
    watch: Watch,
    *,
    share: float | None = None,
    cheapest: bool = False,
    value: Floats | None = None,
) -> Solution:
    """Cover with capacities: most people, or the fewest or cheapest sites.

    The people of a demand row may go to several sites, part to each; no site serves more
    than it holds (Current and Storbeck 1988, with allocation in parts).

    Parameters
    ----------
    name
        Of the model.
    sense
        ``max`` for most people; ``min`` for fewest sites that serve a share, or
        everyone whom any site reaches.
    instance, limits, watch
        The problem.
    share, cheapest, value
        As in `planner.siting.covering.set_cover`.
    """
    cover = allocatable(instance, limits, value=value)
    model = Model(instance, limits, cover, sense=sense, share=share)
    if sense == "max":
        model.aim_at_people()
    else:
        if share is None:
            model.cover_everyone()
        model.aim_at_sites(cheapest=cheapest)
    begin = _begin(model, watch, value) if sense == "max" else None
    outcome = model.program.solve(watch, what="program", start=begin)
    trivial = float(instance.people.sum()) if sense == "max" else 0.0
    bound = min(outcome.bound, trivial) if sense == "max" else max(outcome.bound, trivial)
    if outcome.values is None and begin is not None:
        outcome = replace(outcome, found="feasible", values=begin)
    if outcome.values is None:
        found = IMPOSSIBLE if outcome.found == "infeasible" else Found(None, bound)
        everyone = sense == "min" and share is None
        conflict = (
            explain(instance, limits, watch, share=share, everyone=everyone, value=value)
            if found.infeasible
            else None
        )
        return unsolved(name, sense, instance, found, watch, conflict)
    sites = model.opened(outcome.values)
    shares, assigned = allocated(model, outcome.values)
    people = float(instance.people @ shares)
    return answer(
        *(name, sense, instance, limits, Found(sites, bound, nodes=outcome.nodes), watch),
        objective=people if sense == "max" else spent(instance, sites, cheapest=cheapest),
        share=shares,
        assigned=assigned,
        least=0.0 if sense == "max" else wanted_people(instance, share),
    )


def _begin(model: Model, watch: Watch, value: Floats | None) -> Floats | None:
    """Values of a choice that is good without capacities, with people allocated to it."""
    instance, limits, program = model.instance, model.limits, model.program
    cover = reduced(instance, limits, value=value)
    choice = good_choice(cover, instance, limits, watch)
    if choice is None:
        return None
    chosen = cover.sites[choice.opened]
    fixed = (np.isin(model.cover.sites, chosen) | ~model.new).astype(float)
    program.bound_columns(model.sites, fixed, fixed)
    outcome = program.solve(watch, what="greedy", gap=0.0, tell=lambda *_: None)
    program.bound_columns(model.sites, model.lower, 1.0)
    if outcome.values is not None:
        watch.tell(outcome.objective, None, "greedy")
    return outcome.values


def _parts(model: Model, values: Floats) -> Floats:
    """(entries,) part of each row that goes to each site, within what the sites hold."""
    cover, capacity = model.cover, model.instance.capacity[model.cover.sites]
    is_open = values[: len(cover.sites)] > 0.5  # noqa: PLR2004 - what rounds to 1
    part = np.where(is_open[cover.site], np.clip(values[model.terms.column], 0.0, 1.0), 0.0)
    row = np.repeat(np.arange(cover.rows), np.diff(cover.start))
    whole = np.bincount(row, part, minlength=cover.rows)
    part /= np.maximum(whole, 1.0)[row]
    load = np.bincount(cover.site, part * cover.weight[row], minlength=len(cover.sites))
    # What is beyond the capacity is but rounding.
    return np.asarray(part * np.minimum(1.0, capacity / np.maximum(load, 1e-300))[cover.site])


def allocated(model: Model, values: Floats) -> tuple[Floats, Ints]:
    """(n,) share of each demand row that is served, and the site that serves most of it."""
    cover, instance = model.cover, model.instance
    part = _parts(model, values)
    row = np.repeat(np.arange(cover.rows), np.diff(cover.start))
    worth = part if cover.value is None else part * cover.value
    share = np.bincount(row, worth, minlength=cover.rows)
    most = np.full(cover.rows, -1, dtype=np.int64)
    order = np.argsort(part, kind="stable")
    order = order[part[order] > 0]
    most[row[order]] = cover.sites[cover.site[order]]
    inside = cover.group >= 0
    shares, assigned = np.zeros(instance.demands), nobody(instance)
    shares[inside] = share[cover.group[inside]]
    assigned[inside] = most[cover.group[inside]]
    return shares, assigned


def spent(instance: Instance, sites: Ints, *, cheapest: bool) -> float:
    """Objective of fewest or cheapest sites."""
    return float(instance.cost[sites].sum()) if cheapest else float(len(sites))


def wanted_people(instance: Instance, share: float | None) -> float:
    """People who are to be served: a share of all, or everyone within reach."""
    if share is not None:
        return share * float(instance.people.sum())
    return float(instance.people @ served(instance, np.flatnonzero(instance.openable)))
