"""Branching: sites opened or closed one by one, until the dual's bound leaves no better choice."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.siting.bounds import Dual

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.siting.bounds import Point
    from planner.siting.choice import Choice
    from planner.siting.instance import Floats
    from planner.siting.search import Search

    Relaxation = Callable[[Floats], Point | None]

_HALF = 0.5
_STEPS, _EVERY = 120, 5
_LENGTH = 0.4


class _Node(NamedTuple):
    """A part of the choices: the one with the least bound comes first."""

    bound: float
    number: int
    lower: Floats
    upper: Floats
    price: Floats


def branch(
    search: Search,
    root: Dual,
    *,
    relax: Callable[[Choice], Relaxation],
    settle: Callable[[Choice, Dual], float],
    tried: Callable[[Floats], None],
    nodes: int,
) -> bool:
    """Look at ever smaller parts of the choices, the most promising first.

    Each part is bounded by climbing the dual from its parent's prices; the sites that no
    better choice can have, or do without, are fixed; then the site about which the dual
    is most undecided is opened in one part and closed in the other (Beasley 1985, for the
    p-median).

    Parameters
    ----------
    search
        What has been found so far; its bound is raised, and set to the best once nothing
        is left.
    root
        The dual of all choices, after its climb.
    relax
        Gives the relaxation of some of the choices.
    settle
        Called with choices of which but one set of sites is left, and their dual: offers
        that set to the search and gives a bound on it, inf if it is dealt with.
    tried
        Called with (s,) how far each site is opened in a part's dual, to try it as a
        ranking.
    nodes
        Parts to look at, at most.

    Returns
    -------
    Whether nothing is left.
    """
    choice, numbers = search.choice, count()
    price = root.price
    heap = [_Node(root.bound, next(numbers), choice.lower, choice.upper, price)]
    for _ in range(nodes):
        if not heap:
            break
        search.raise_bound(min(heap[0].bound, search.best))
        if search.done or search.watch.should_stop():
            return False
        node = heappop(heap)
        if node.bound > search.enough:
            continue
        search.nodes += 1
        for part in _parts(search, root, node, relax, settle, tried):
            heappush(heap, part._replace(number=next(numbers)))
        if search.watch.should_stop():
            return False
    if heap and heap[0].bound <= search.enough:
        return False
    search.infeasible = search.opened is None
    search.raise_bound(search.best)
    return True


def _parts(
    search: Search,
    root: Dual,
    node: _Node,
    relax: Callable[[Choice], Relaxation],
    settle: Callable[[Choice, Dual], float],
    tried: Callable[[Floats], None],
) -> list[_Node]:
    """Bound a part and split it; nothing if no better choice is in it."""
    watch = search.watch
    part = search.choice.restricted(node.lower, node.upper)
    if part.contradictory:
        return []
    dual = Dual(root.rows, relax(part), node.price)
    ceiling = float(root.rows.penalised.sum())
    mean = part.lower

    def news(_: Point, share: Floats) -> float | None:
        nonlocal mean
        mean = share
        return None if dual.bound > search.enough else min(search.best, ceiling)

    target = min(search.best, ceiling)
    dual.climb(watch, target=target, steps=_STEPS, every=_EVERY, news=news, length=_LENGTH)
    bound = max(node.bound, dual.bound)
    if bound > search.enough or (dual.point is None and part.impossible):
        return []
    if watch.should_stop() or dual.point is None:
        return [node._replace(bound=bound)]
    tried(mean)
    lower, upper = node.lower.copy(), node.upper.copy()
    gap = search.enough - dual.bound
    reduced = dual.point.best.reduced
    upper[(reduced > gap) & (lower < _HALF)] = 0.0
    lower[(reduced < -gap) & (upper > _HALF)] = 1.0
    free = np.flatnonzero((upper > _HALF) & (lower < _HALF))
    if not len(free) or lower.sum() >= part.most:
        return _settled(node._replace(bound=bound), part.restricted(lower, lower), dual, settle)
    # Of equally undecided sites the one that is opened further.
    site = free[np.lexsort((-mean[free], np.abs(mean[free] - _HALF)))[0]]
    with_it, without = lower.copy(), upper.copy()
    with_it[site], without[site] = 1.0, 0.0
    return [
        _Node(bound, 0, with_it, upper, dual.price),
        _Node(bound, 0, lower, without, dual.price),
    ]


def _settled(
    node: _Node, part: Choice, dual: Dual, settle: Callable[[Choice, Dual], float]
) -> list[_Node]:
    """Deal with a part in which but one set of sites is left."""
    bound = settle(part, dual)
    if np.isinf(bound):
        return []
    sites = part.lower
    return [_Node(max(bound, node.bound), 0, sites, sites, dual.price)]
