"""Disputes: which limits can be kept together where a program of them all would be too large.

A good choice that keeps them is proof that they can be; prices at which nobody could be
served are proof that they cannot. What neither settles counts as possible, so that a set
of limits that contradict each other is told only with proof, though it may hold one too many.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.siting import lagrangian
from planner.siting.choice import Choice
from planner.siting.floor_prices import Floors
from planner.siting.instance import Role
from planner.siting.limits import Culprit
from planner.siting.local_search import Selection
from planner.siting.reduction import served

if TYPE_CHECKING:
    from planner.siting.control import Watch
    from planner.siting.instance import Instance
    from planner.siting.limits import Limits
    from planner.siting.reduction import Cover

_TINY = 1e-6
_BELOW = 0.3
"""Of all people, how far below nobody the bound is steered, so that it passes there."""
_CLOSE = 1e-3
"""Of money and rates, how near what does is to be to what does not."""
_HALVINGS, _STEPS = 10, 200


class Dispute:
    """Asks which limits of a cover can be kept together.

    Parameters
    ----------
    cover, instance, limits
        The problem, its rows kept apart by area.
    watch
        Time and interrupts.

    Attributes
    ----------
    all
        Every limit in force.
    """

    def __init__(self, cover: Cover, instance: Instance, limits: Limits, watch: Watch) -> None:
        self._cover, self._instance, self._limits = cover, instance, limits
        self._watch = watch
        self.all = list(_culprits(instance, limits))

    @property
    def stopped(self) -> bool:
        """Whether there is no time left."""
        return self._watch.should_stop()

    def feasible(self, kept: list[Culprit]) -> bool | None:
        """Whether some limits can be kept together; None where that is not known."""
        return self._possible(*self.restricted(kept))

    def _possible(self, instance: Instance, limits: Limits) -> bool | None:
        cover, watch = self._cover, self._watch
        choice = Choice(instance, limits)
        if choice.contradictory:
            return False
        if choice.pick(np.zeros(len(choice.sites)), watch) is None and choice.impossible:
            return False
        if self._fitting(instance, limits) is not None:
            return True
        if not limits.floors or watch.should_stop():
            return None
        if Floors(cover, instance, limits).beyond_all():
            return False
        whole = 1.0 + float(cover.weight.sum())
        least, target = -_TINY * whole, -_BELOW * whole
        told = lagrangian.bound(
            *(cover, instance, limits),
            best=target,
            watch=watch,
            better=lambda _: target,
            heard=lambda _: None,
            steps=_STEPS,
            enough=least,
        )
        return False if told.value < least else None

    def restricted(self, kept: list[Culprit]) -> tuple[Instance, Limits]:
        """Give the problem in which just some of the limits hold."""
        instance, limits, held = self._instance, self._limits, set(kept)
        free = [c.key for c in self.all if c.kind == "required" and c not in held]
        if free:
            role = instance.role.copy()
            role[free] = Role.CANDIDATE
            instance = replace(instance, role=role)
        keys = {kind: {one.key for one in held if one.kind == kind} for kind in _KINDS}
        number = limits.number if keys["number"] else None
        a, b = limits.too_near
        near = np.array(sorted(keys["apart"]), dtype=np.int64)
        return instance, replace(
            limits,
            number=number,
            exactly=limits.exactly and number is not None,
            budget=limits.budget if keys["budget"] else None,
            at_most={u: k for u, k in limits.at_most.items() if u in keys["at_most"]},
            at_least={u: k for u, k in limits.at_least.items() if u in keys["at_least"]},
            apart=(a[near], b[near]),
            floors={u: k for u, k in limits.floors.items() if u in keys["floor"]},
        )

    def _fitting(self, instance: Instance, limits: Limits) -> Selection | None:
        """Open what the limits ask for and no more; None where that does not keep them."""
        choice = Selection(self._cover, instance, limits)
        choice.fill(until=0.0)
        return choice if choice.keeps else None

    def change(self, culprit: Culprit) -> tuple[float | None, float | None] | None:
        """Find a change of one limit that lets all others be kept, as small as can be.

        Returns
        -------
        What it would have to say, and what is proved not to do where that is short of it;
        None where no change of it alone is known to do.
        """
        others = [one for one in self.all if one != culprit]
        instance, limits = self.restricted(others)
        choice = self._fitting(instance, limits)
        if choice is None:
            return None
        kind = culprit.kind
        if kind in {"apart", "required"}:
            return None, None
        cover = self._cover
        here = choice.opened.copy()
        if kind in {"at_most", "at_least"}:
            here &= instance.unit[cover.sites] == culprit.key
        value = float(here.sum())
        if kind == "budget":
            value = float(instance.cost[cover.sites][here].sum())
        elif kind == "floor":
            value = self._reached(choice, culprit)
        return self._nearest(culprit, value)

    def _reached(self, choice: Selection, culprit: Culprit) -> float:
        """Rate that an area reaches with what room the other limits leave."""
        cover, instance = self._cover, self._instance
        mine = np.flatnonzero(cover.area == culprit.key)
        while (fits := choice.allowed()).any():
            helps = np.where(fits, choice.gain_of(mine), 0.0)
            if helps.max() <= 0:
                break
            choice.put(int(np.argmax(helps)), open_it=True)
        inside = instance.area == culprit.key
        share = served(instance, cover.sites[choice.opened])
        people = instance.people[inside]
        return float(people @ share[inside]) / float(people.sum())

    def _nearest(self, culprit: Culprit, value: float) -> tuple[float, float | None]:
        """Halve what lies between a change that does and what is proved not to."""
        whole = culprit.kind in {"number", "at_most", "at_least"}
        close = 1.0 if whole else _CLOSE * max(abs(value), abs(culprit.value), _TINY)
        good, bad, open_end = value, culprit.value, culprit.value
        for _ in range(_HALVINGS):
            if abs(good - open_end) <= close or self._watch.should_stop():
                break
            middle = (good + open_end) / 2
            middle = float(np.floor(middle)) if whole else middle
            answer = self._possible(*self._said(culprit, middle))
            if answer:
                good = middle
            else:
                open_end = middle
                # What is proved not to do rules out all that is nearer to what was asked.
                bad = middle if answer is False else bad
        return good, None if abs(good - bad) <= close else bad

    def _said(self, culprit: Culprit, value: float) -> tuple[Instance, Limits]:
        """Give the problem with one limit saying something else."""
        kind, limits = culprit.kind, self._limits
        said: dict[str, Any] = {kind: int(value) if kind == "number" else value}
        if kind == "floor":
            said = {"floors": {**limits.floors, culprit.key: value}}
        elif kind in {"at_most", "at_least"}:
            said = {kind: {**getattr(limits, kind), culprit.key: int(value)}}
        return self._instance, replace(limits, **said)


_KINDS = ("number", "budget", "at_most", "at_least", "apart", "floor", "required")


def _culprits(instance: Instance, limits: Limits) -> list[Culprit]:
    found = []
    if limits.number is not None:
        found.append(Culprit("number", -1, limits.number))
    if limits.budget is not None:
        found.append(Culprit("budget", -1, limits.budget))
    found += [Culprit("at_most", unit, most) for unit, most in limits.at_most.items()]
    found += [Culprit("at_least", unit, least) for unit, least in limits.at_least.items()]
    found += [Culprit("apart", row, 1.0) for row in range(len(limits.too_near[0]))]
    found += [Culprit("floor", area, share) for area, share in limits.floors.items()]
    required = np.flatnonzero(instance.required)
    return found + [Culprit("required", int(site), 1.0) for site in required]
