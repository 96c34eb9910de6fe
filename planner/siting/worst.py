"""The worst area: a choice that raises its rate, and a bound on that, however large it is.

With prices on the areas that add up to one, the rate of the worst is at most what the rates
come to at these prices; the most they can come to is a maximal cover in which everyone
weighs as much as their area's price a head. The prices shift to the areas that are worst
served there (multiplicative weights, Arora, Hazan and Kale 2012).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from planner.siting import lagrangian
from planner.siting.local_search import Selection

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.siting.control import Watch
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits
    from planner.siting.reduction import Cover, Flags

_ROUNDS, _STEPS, _IDLE = 60, 60, 20
_HASTE, _CALMER = 10.0, 5.0
_SWEEPS = 20
_GAIN = 1e-12


class Areas:
    """Areas of a cover whose worst is to be raised.

    Parameters
    ----------
    cover
        Rows, kept apart by area.
    areas, people, base
        (a,) areas as rows name them, the people of each and those served already.
    """

    def __init__(self, cover: Cover, areas: Ints, people: Floats, base: Floats) -> None:
        self.cover, self.people, self.base = cover, people, base
        at = np.searchsorted(areas, cover.area)
        at[at == len(areas)] = 0
        self._inside = areas[at] == cover.area
        self._at = at

    def rates(self, opened: Flags) -> Floats:
        """Give (a,) rates once sites are open: (s,) flags."""
        cover = self.cover
        before = np.concatenate([[0], np.cumsum(opened[cover.site], dtype=np.int64)])
        near = before[cover.start[1:]] > before[cover.start[:-1]]
        gained = np.where(near & self._inside, cover.weight, 0.0)
        return np.asarray(
            (self.base + np.bincount(self._at, gained, minlength=len(self.people))) / self.people
        )

    def gain(self, choice: Selection, area: int) -> Floats:
        """(s,) people of an area whom each site would add."""
        return choice.gain_of(np.flatnonzero(self._inside & (self._at == area)))

    def weight(self, price: Floats) -> Floats:
        """(g,) what each row's people come to at prices of the areas."""
        each = np.where(self._inside, (price / self.people)[self._at], 0.0)
        return np.asarray(self.cover.weight * each, dtype=np.float64)

    def mean(self, chosen: Flags, share: Floats) -> Floats:
        """Give (a,) slope of the bound: what a choice comes to at rows' prices as shares."""
        cover = self.cover
        before = np.concatenate([[0], np.cumsum(chosen[cover.site], dtype=np.int64)])
        near = before[cover.start[1:]] - before[cover.start[:-1]]
        told = np.where(self._inside, cover.weight * (1.0 - share + share * near), 0.0)
        return np.asarray(
            (self.base + np.bincount(self._at, told, minlength=len(self.people))) / self.people
        )


def raised(areas: Areas, instance: Instance, limits: Limits, watch: Watch) -> Flags | None:
    """Open the best site for the worst area, again and again, and exchange what helps.

    Gives (s,) which sites of the cover are open; None where that keeps not all limits.
    """
    choice = Selection(areas.cover, instance, limits)
    _fill(choice, areas)
    if not choice.keeps:
        return None
    best, ladder = choice.opened.copy(), np.sort(areas.rates(choice.opened))
    required = instance.required[areas.cover.sites]
    for _ in range(_SWEEPS):
        better = False
        for site in np.flatnonzero(best & ~required):
            if watch.should_stop():
                return best
            choice.put(int(site), open_it=False)
            _fill(choice, areas)
            now = np.sort(areas.rates(choice.opened))
            if choice.keeps and _higher(now, ladder):
                best, ladder, better = choice.opened.copy(), now, True
            else:
                choice.become(best)
        if not better:
            break
    return best


def _higher(one: Floats, other: Floats) -> bool:
    differs = np.flatnonzero(np.abs(one - other) > _GAIN)
    return len(differs) > 0 and bool(one[differs[0]] > other[differs[0]])


def _fill(choice: Selection, areas: Areas) -> None:
    """Open sites while any is allowed that raises an area, the worst first."""
    choice.fill(until=0.0)
    while (fits := choice.allowed()).any():
        rates = areas.rates(choice.opened)
        for area in np.argsort(rates, kind="stable"):
            helps = np.where(fits, areas.gain(choice, int(area)), 0.0)
            if helps.max() > 0:
                choice.put(int(np.argmax(helps)), open_it=True)
                break
        else:
            break
    choice.fill()


def _known(best: float, _: Floats) -> float:
    """Give what is known anyway, whatever the sites are worth."""
    return best


def bound(
    areas: Areas,
    instance: Instance,
    limits: Limits,
    *,
    best: float,
    watch: Watch,
    heard: Callable[[float], None],
) -> float:
    """Bound the worst area's rate: no choice raises it further.

    Parameters
    ----------
    areas, instance, limits
        The problem.
    best
        The worst rate of some choice.
    watch
        Time, gap and interrupts.
    heard
        Called with each better bound.
    """
    many = len(areas.people)
    price = np.full(many, 1.0 / many)
    cover, share, found, idle = areas.cover, None, 1.0, 0
    there = areas.base / areas.people
    loose = replace(limits, floors={})
    picker = lagrangian.Picker(cover, instance, loose)
    for turn in range(_ROUNDS):
        # In parts of all areas, so that figures are of the size of rates.
        weight = areas.weight(price)
        since = None
        if share is not None:
            blank = np.zeros(len(cover.sites))
            since = lagrangian.Bound(np.inf, blank, blank, blank, share * weight)
        base = float(price @ there)
        told = lagrangian.bound(
            *(replace(cover, weight=weight), instance, loose),
            best=best - base,
            watch=watch,
            better=partial(_known, best - base),
            heard=lambda _: None,
            since=since,
            steps=_STEPS,
        )
        value = told.value + base
        idle = 0 if value < found * (1 - 1e-4) else idle + 1
        if value < found:
            found = value
            heard(found)
        if watch.should_stop() or watch.near_enough(best, found) or idle > _IDLE:
            break
        share = told.price / np.maximum(weight, 1e-300)
        _, chosen = picker.pick(told.worth, told.money)
        slope = areas.mean(chosen, share)
        haste = _HASTE / (1 + turn / _CALMER)
        price = price * np.exp(-haste * (slope - float(price @ slope)))
        price /= price.sum()
    return found
