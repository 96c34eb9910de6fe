"""Prices: a bound on maximal cover from Lagrange's multipliers, however large it is.

Each row of demand is given a price between nought and its people. Whoever opens no site
near the row forgoes nothing but the price, so that the rows' remaining people, and the
greatest worth that any allowed choice of sites has at those prices, are together no less
than anybody can cover. The prices are lowered where several chosen sites come near and
raised where none does (Beasley 1993; Galvão and ReVelle 1996 for maximal cover).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.siting.floor_prices import Floors
from planner.siting.limits import slack
from planner.siting.reduction import kernels

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.siting.control import Watch
    from planner.siting.instance import Floats, Instance
    from planner.siting.limits import Limits
    from planner.siting.reduction import Cover, Flags

_STEPS = 600
_PATIENCE = 20
_SMALLEST = 5e-3
_MEMORY = 0.7
_NEWS = 50
_FLOORS = 5
"""Steps between two changes of the floors' prices."""
_FREE = 1e-300
_RESUMED = 0.5


@dataclass(frozen=True, eq=False)
class Bound:
    """A bound and what it says of single sites.

    Attributes
    ----------
    value
        Nobody can cover more people.
    if_open, if_closed
        (s,) the same bound if a site were to be open, or closed; as the bound itself
        where nothing more is known.
    worth
        (s,) each site's worth at the best prices.
    price
        (g,) these prices.
    money
        Price of money.
    promise
        (a,) price of a person too few in each area with a floor.
    """

    value: float
    if_open: Floats
    if_closed: Floats
    worth: Floats
    price: Floats
    money: float = 0.0
    promise: Floats | None = None


class Picker:
    """The choice of greatest worth within the limits that a list of worths can heed.

    Heeded are required sites, the number, the budget (by a price on money) and the least
    and greatest number a unit; whatever else is asked can but lower the truth.

    Parameters
    ----------
    cover, instance, limits
        The problem.
    """

    def __init__(self, cover: Cover, instance: Instance, limits: Limits) -> None:
        sites = cover.sites
        self.required = instance.required[sites]
        self.number = len(sites) if limits.number is None else min(limits.number, len(sites))
        self.cost = instance.cost[sites]
        self.budget = None if limits.budget is None else limits.budget + slack(limits.budget)
        # A number that must be met may force sites that add nothing: they are worth 0 too.
        units, self._unit = np.unique(instance.unit[sites], return_inverse=True)
        self._most = np.array([limits.at_most.get(int(u), len(sites)) for u in units])
        self._least = np.array([limits.at_least.get(int(u), 0) for u in units])
        self.by_unit = bool((self._least > 0).any() or (self._most < len(sites)).any())

    def pick(self, worth: Floats, money: float) -> tuple[float, Flags]:
        """Greatest worth less the price of money beyond the budget, and the choice."""
        net = worth if self.budget is None else worth - money * self.cost
        chosen = self.required.copy()
        if self.by_unit:
            self._pick_by_unit(net, chosen)
        else:
            room = max(0, self.number - int(chosen.sum()))
            rest = np.where(chosen, -np.inf, net)
            if room < len(rest):
                best = np.argpartition(-rest, room - 1)[:room] if room else np.empty(0, dtype=int)
            else:
                best = np.arange(len(rest))
            chosen[best[rest[best] > 0]] = True
        whole = float(net[chosen].sum())
        return whole + (0.0 if self.budget is None else money * self.budget), chosen

    def _pick_by_unit(self, net: Floats, chosen: Flags) -> None:
        order = np.argsort(-net, kind="stable")
        count = np.bincount(self._unit[chosen], minlength=len(self._most))
        missing = np.maximum(self._least - count, 0)
        for site in order:
            unit = self._unit[site]
            if missing[unit] > 0 and not chosen[site]:
                chosen[site] = True
                missing[unit] -= 1
                count[unit] += 1
        room = self.number - int(chosen.sum())
        for site in order:
            unit = self._unit[site]
            if room <= 0 or net[site] <= 0:
                break
            if not chosen[site] and count[unit] < self._most[unit]:
                chosen[site] = True
                count[unit] += 1
                room -= 1

    def singly(self, value: float, net: Floats, chosen: Flags) -> tuple[Floats, Floats]:
        """Bounds if one site were open, or closed."""
        same = np.full(len(net), value)
        if self.by_unit:
            return same, same.copy()
        free = chosen & ~self.required
        others = ~chosen
        full = int(chosen.sum()) >= self.number
        # To open one more another goes; to close one the next best may come.
        out = max(0.0, float(net[free].min())) if full and free.any() else 0.0
        into = max(0.0, float(net[others].max())) if others.any() else 0.0
        if_open = np.where(chosen, value, value - out + np.minimum(net, out))
        if_closed = np.where(free, value - net + into, value)
        return if_open, np.where(self.required, -np.inf, if_closed)


def bound(  # noqa: C901, PLR0912, PLR0915 - one walk with its reasons to stop
    cover: Cover,
    instance: Instance,
    limits: Limits,
    *,
    best: float,
    watch: Watch,
    better: Callable[[Floats], float],
    heard: Callable[[float], None],
    since: Bound | None = None,
    steps: int = _STEPS,
    enough: float = -np.inf,
) -> Bound:
    """Bound of the people that rows of a cover can be covered.

    Parameters
    ----------
    cover, instance, limits
        The problem.
    best
        People that some choice is known to cover.
    watch
        Time, gap and interrupts.
    better
        Called now and then with the sites' worths, to try them as a ranking; gives back
        what the best known choice covers then.
    heard
        Called now and then with the bound so far.
    since
        What was found before, to go on from.
    steps
        Steps at most.
    enough
        Bound below which to stop.
    """
    picker, floors = Picker(cover, instance, limits), Floors(cover, instance, limits)
    code = kernels()
    scale = 1.0 if since is None else _RESUMED
    found = _trivial(cover) if since is None else since
    price, money = found.price.copy(), found.money
    if found.promise is not None:
        floors.price = found.promise.copy()
    weight = floors.weight
    given = (cover.start, cover.site, weight)
    slope, worth = np.zeros(cover.rows), np.zeros(len(cover.sites))
    idle, step, whole = 0, 0.0, float(weight.sum())
    for turn in range(steps):
        code.lower_prices(*given, price, slope, step, worth)
        most, chosen = picker.pick(worth, money)
        value = most + float((weight - price).sum()) + floors.constant
        if value < found.value - 1e-6 * abs(found.value):
            idle = 0
        else:
            idle += 1
        if value < found.value:
            net = worth if picker.budget is None else worth - money * picker.cost
            if_open, if_closed = picker.singly(value, net, chosen)
            promise = floors.price.copy()
            found = Bound(value, if_open, if_closed, worth.copy(), price.copy(), money, promise)
        if turn % _NEWS == _NEWS - 1:
            best = max(best, better(found.worth))
            heard(found.value)
        if idle >= _PATIENCE:
            idle, scale = 0, scale / 2
        done = found.value <= best or found.value < enough
        if done or scale < _SMALLEST or watch.should_stop():
            break
        square = code.slopes(*given, price, chosen, slope, _MEMORY)
        over = 0.0
        if picker.budget is not None:
            over = float(picker.cost[chosen].sum()) - picker.budget
            # Money's price is of people for its unit; bring its slope to their scale.
            dear = max(picker.budget, float(picker.cost.max(initial=0.0)), 1e-9)
            unit = max(whole, 1.0) / dear**2
            square += unit * over * over
        if square <= 0 and not floors.any:
            break
        step = scale * max(value - best, 1e-9 * max(whole, 1.0)) / square if square > 0 else 0.0
        if picker.budget is not None:
            money = max(0.0, money + step * unit * over)
        if floors.any:
            floors.look(chosen, price / np.maximum(weight, _FREE))
            if turn % _FLOORS == _FLOORS - 1:
                floors.step(scale * max(value - best, 1e-9 * max(whole, 1.0)))
                before, weight = weight, floors.weight
                price *= weight / np.maximum(before, _FREE)
                given = (cover.start, cover.site, weight)
    heard(found.value)
    return found


def _trivial(cover: Cover) -> Bound:
    """Everyone covered, and each row's people shared out among its sites."""
    whole = float(cover.weight.sum())
    same = np.full(len(cover.sites), whole)
    price = cover.weight / np.maximum(np.diff(cover.start), 1)
    return Bound(whole, same, same, np.zeros(len(cover.sites)), price)
