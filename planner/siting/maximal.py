"""The search for most people covered: greedy, prices, fewer sites, the exact program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from planner.siting import lagrangian
from planner.siting.answer import IMPOSSIBLE, Found
from planner.siting.instance import Role
from planner.siting.local_search import Selection, good_choice, shaken
from planner.siting.reduction import covered_rows, served
from planner.siting.site_program import Model

if TYPE_CHECKING:
    from planner.siting.control import Watch
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits
    from planner.siting.reduction import Cover

DIRECT = 20_000
"""Entries up to which the exact program is solved without further ado."""
MOST_ENTRIES = 5_000_000
"""Entries beyond which the exact program would not fit common memory; the bound stands."""
PER_ENTRY = 1e-4
"""Seconds an entry of the exact program wants, about; with less time left a large one is not
begun: the time is better spent on prices."""
MOST_CURVES = 200
"""Programs that parts may take before they are solved as one."""

_ROUNDING = 1e-6
_BELOW = 0.1
"""Of all people, how far below nobody the bound is steered while no choice is known."""
_ROUNDS = 5


@dataclass
class _State:
    """Best choice and bound so far, both of all people served."""

    sites: Ints | None
    best: float
    bound: float

    def offer(self, sites: Ints, people: float) -> None:
        if self.sites is None or people > self.best:
            self.sites, self.best = np.sort(sites), people

    def found(self, nodes: int = 0) -> Found:
        if self.sites is None:
            return Found(None, self.bound, nodes=nodes)
        return Found(self.sites, max(self.bound, self.best), self.best, nodes)


def maximise(
    cover: Cover,
    instance: Instance,
    limits: Limits,
    watch: Watch,
    *,
    value: Floats | None = None,
) -> Found:
    """Find the sites of a cover that serve most people.

    Parameters
    ----------
    cover, instance, limits
        The problem, reduced.
    watch
        Time, gap and interrupts.
    value
        (k,) share served by each of the instance's pairs; 1 when None.
    """
    parts = _parts(cover, instance, limits)
    if parts is not None:
        return _by_parts(parts, cover, instance, limits, watch, value)
    return _whole(cover, instance, limits, watch, value)


def _whole(
    cover: Cover, instance: Instance, limits: Limits, watch: Watch, value: Floats | None
) -> Found:
    offset = float(instance.people @ cover.base)
    state = _State(None, -np.inf, offset + float(cover.weight.sum()))
    choice = good_choice(cover, instance, limits, watch)
    if choice is not None:
        state.offer(cover.sites[choice.opened], offset + choice.people)
        watch.tell(state.best, state.bound, "greedy")
    large = len(cover.site) > DIRECT
    if large and not watch.should_stop():
        cover, instance = _narrowed(state, cover, instance, limits, watch, value)
        if state.sites is None and np.isnan(state.bound):
            return IMPOSSIBLE
    if state.sites is not None and watch.near_enough(state.best, state.bound):
        return state.found()
    if not watch.should_stop() and len(cover.site) > max(DIRECT, _fits(watch)):
        watch.stopped = "size" if np.isinf(watch.left) else "time"
    if watch.should_stop():
        return state.found()
    return _exactly(state, cover, instance, limits, watch)


def _exactly(
    state: _State, cover: Cover, instance: Instance, limits: Limits, watch: Watch
) -> Found:
    model = Model(instance, limits, cover, sense="max")
    model.aim_at_people()
    start = None
    if state.sites is not None:
        opened = np.isin(cover.sites, state.sites)
        if opened.sum() == len(state.sites):
            start = model.start(opened)

    def tell(best: float | None, bound: float) -> None:
        known = state.best if best is None else max(best, state.best)
        whole = min(bound, state.bound)
        watch.tell(None if np.isinf(known) else known, max(whole, known), "program")

    outcome = model.program.solve(watch, what="program", start=start, tell=tell)
    if outcome.found == "infeasible":
        # Those left out cannot do better than the best: nothing else can either.
        state.bound = state.best
        return IMPOSSIBLE if state.sites is None else state.found()
    if outcome.values is not None:
        sites = model.opened(outcome.values)
        gained = covered_rows(cover.start, np.isin(cover.sites, sites)[cover.site])
        state.offer(sites, model.offset + float(cover.weight[gained].sum()))
    state.bound = min(state.bound, outcome.bound)
    return state.found(outcome.nodes)


def _narrowed(  # noqa: C901 - one search with its reasons to stop
    state: _State,
    cover: Cover,
    instance: Instance,
    limits: Limits,
    watch: Watch,
    value: Floats | None,
) -> tuple[Cover, Instance]:
    """Bound by prices and leave sites out, until what is left is small enough for the time."""
    offset = float(instance.people @ cover.base)
    whole = not (cover.weight % 1).any()

    def better(worth: Floats) -> float:
        choice = good_choice(cover, instance, limits, watch, worth)
        if choice is not None:
            state.offer(cover.sites[choice.opened], offset + choice.people)
        return state.best - offset if state.sites is not None else -np.inf

    def heard(value: float) -> None:
        # Of whole people the next better choice has one more.
        covered = float(np.floor(value + _ROUNDING)) if whole else value
        state.bound = min(state.bound, offset + covered)
        watch.tell(state.best if state.sites is not None else None, state.bound, "prices")

    bound, left = None, (cover, instance)
    for turn in count(1):
        people = 1.0 + float(cover.weight.sum())
        best = state.best - offset if state.sites is not None else -_BELOW * people
        bound = lagrangian.bound(
            *(cover, instance, limits),
            best=best,
            watch=watch,
            better=better,
            heard=heard,
            since=bound,
            enough=-_ROUNDING * people,
        )
        if state.sites is None and bound.value < -_ROUNDING * people:
            # Nobody can be served less than not at all: no choice keeps the floors.
            state.bound = float("nan")
            return left
        for last in (False, True):
            if state.sites is None or watch.near_enough(state.best, state.bound):
                return left
            left = _left(state, cover, instance, bound, value, whole=whole)
            small = len(left[0].site) <= (_fits(watch) if last else DIRECT)
            if small or watch.should_stop():
                return left
            if not last:
                _shake(state, cover, instance, limits, watch, turn)
        if np.isinf(watch.left) and turn == _ROUNDS:
            return left
    return left


def _fits(watch: Watch) -> float:
    """Entries of an exact program that there is room and time for."""
    return min(MOST_ENTRIES, watch.left / PER_ENTRY)


def _left(
    state: _State,
    cover: Cover,
    instance: Instance,
    bound: lagrangian.Bound,
    value: Floats | None,
    *,
    whole: bool,
) -> tuple[Cover, Instance]:
    """Leave out the sites that no better choice can hold, and the rows of those it must."""
    best = state.best - float(instance.people @ cover.base)
    wanted = best + 1 - _ROUNDING if whole else best - 1e-9 * max(1.0, abs(best))
    closed, sure = bound.if_open < wanted, bound.if_closed < wanted
    if (closed & sure).any():
        # No choice is better, neither with that site nor without it.
        state.bound = state.best
    role = instance.role.copy()
    role[cover.sites[closed]] = Role.FORBIDDEN
    role[cover.sites[sure]] = Role.REQUIRED
    base = served(instance, cover.sites[sure], value)
    return cover.only(~closed, sure, base), replace(instance, role=role)


def _shake(
    state: _State, cover: Cover, instance: Instance, limits: Limits, watch: Watch, seed: int
) -> None:
    assert state.sites is not None
    offset = float(instance.people @ cover.base)
    choice = Selection(cover, instance, limits)
    choice.become(np.isin(cover.sites, state.sites))
    shaken(choice, watch, seed)
    state.offer(cover.sites[choice.opened], offset + choice.people)
    watch.tell(state.best, state.bound, "exchange")


def _parts(cover: Cover, instance: Instance, limits: Limits) -> Ints | None:
    """Part of each site where parts are coupled by nothing but the number, and worth it."""
    alone = limits.budget is None and not limits.exactly
    if not alone or limits.number is None or limits.at_most or limits.at_least or limits.floors:
        return None
    local = np.full(instance.sites, -1, dtype=np.int64)
    local[cover.sites] = np.arange(len(cover.sites))
    a, b = (local[side] for side in limits.too_near)
    both = (a >= 0) & (b >= 0)
    many, part = cover.components((a[both], b[both]))
    sizes = np.bincount(part, minlength=many)
    curves = int(np.minimum(sizes, limits.number).sum())
    if many <= 1 or curves > MOST_CURVES or sizes.max() > len(cover.sites) / 2:
        return None
    return part


def _by_parts(
    parts: Ints,
    cover: Cover,
    instance: Instance,
    limits: Limits,
    watch: Watch,
    value: Floats | None,
) -> Found:
    """Solve each part for each number, and share the number out among the parts."""
    number, offset = limits.number, float(instance.people @ cover.base)
    assert number is not None
    # Of the parts so far, for each number: people covered, their bound, and the sites.
    best, bound = np.zeros(number + 1), np.zeros(number + 1)
    chosen: list[Ints] = [np.empty(0, dtype=np.int64)] * (number + 1)
    nodes = 0
    for part in range(int(parts.max()) + 1):
        inside = parts == part
        mine = cover.only(inside, base=np.zeros_like(cover.base))
        most = min(number, int(inside.sum()))
        curve = [
            _whole(mine, instance, replace(limits, number=many), watch, value)
            for many in range(most + 1)
        ]
        nodes += sum(found.nodes for found in curve)
        gains = np.array([-np.inf if found.sites is None else found.best for found in curve])
        bounds = np.array([-np.inf if found.infeasible else found.bound for found in curve])
        before, best = best, np.full(number + 1, -np.inf)
        bound = np.array(
            [(bound[n::-1][: most + 1] + bounds[: n + 1]).max() for n in range(number + 1)]
        )
        earlier, chosen = chosen, list(chosen)
        for n in range(number + 1):
            sums = before[n::-1][: most + 1] + gains[: n + 1]
            here = int(sums.argmax())
            best[n] = sums[here]
            sites = curve[here].sites
            if sites is not None:
                chosen[n] = np.concatenate([earlier[n - here], sites])
    if np.isneginf(bound[number]):
        return IMPOSSIBLE
    if np.isneginf(best[number]):
        return Found(None, offset + float(bound[number]), nodes=nodes)
    most_people = offset + float(best[number])
    whole = max(offset + float(bound[number]), most_people)
    return Found(np.sort(chosen[number]), whole, most_people, nodes)
