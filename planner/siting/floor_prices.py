"""Floor prices: what keeping the floors of a cover costs, as Lagrange's multipliers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.siting.limits import slack

if TYPE_CHECKING:
    from planner.siting.instance import Floats, Instance
    from planner.siting.limits import Limits
    from planner.siting.reduction import Cover, Flags


class Floors:
    """Floors on a cover, and prices for keeping them.

    Who lives in an area with a price weighs that much more; people whom the floor asks for
    are taken off again. At any prices of at least nought that is no less than the people
    served by any choice that keeps the floors.

    Parameters
    ----------
    cover, instance, limits
        The problem.

    Attributes
    ----------
    price
        (a,) prices; the last place stands for rows of no such area.
    """

    def __init__(self, cover: Cover, instance: Instance, limits: Limits) -> None:
        asked = {}
        for area, share in limits.floors.items():
            inside = instance.area == area
            people = instance.people[inside]
            whole = float(people.sum())
            short = share * whole - float(people @ cover.base[inside]) - slack(whole)
            if short > 0:
                asked[area] = short
        keys = np.array(sorted(asked), dtype=np.int64)
        at = np.searchsorted(keys, cover.area)
        at[at == len(keys)] = 0
        known = keys[at] == cover.area if len(keys) else np.zeros(cover.rows, dtype=bool)
        self._area = np.where(known, at, len(keys))
        self._wanted = np.array([asked[int(key)] for key in keys])
        self._cover = cover
        self.price = np.zeros(len(keys) + 1)
        self._served, self._turns = np.zeros(len(keys) + 1), 0

    @property
    def any(self) -> bool:
        """Whether there are any that existing sites do not keep."""
        return len(self._wanted) > 0

    @property
    def weight(self) -> Floats:
        """(g,) people of each row, with the prices."""
        return np.asarray(self._cover.weight * (1.0 + self.price[self._area]), dtype=np.float64)

    @property
    def constant(self) -> float:
        """What is to be added to a bound with the prices."""
        return -float(self.price[:-1] @ self._wanted)

    def beyond_all(self) -> bool:
        """Whether some floor cannot be kept whatever is opened."""
        there = np.bincount(self._area, self._cover.weight, minlength=len(self.price))
        return bool((there[:-1] < self._wanted).any())

    def look(self, chosen: Flags, share: Floats) -> None:
        """Take note of who is served at (g,) prices as shares of the weights."""
        cover = self._cover
        before = np.concatenate([[0], np.cumsum(chosen[cover.site], dtype=np.int64)])
        near = before[cover.start[1:]] - before[cover.start[:-1]]
        served = cover.weight * (1.0 - share + share * near)
        self._served += np.bincount(self._area, served, minlength=len(self.price))
        self._turns += 1

    def step(self, gap: float) -> None:
        """Change the prices by what was noted since the last time."""
        slope = self._served[:-1] / max(self._turns, 1) - self._wanted
        self._served[:], self._turns = 0.0, 0
        # Nothing pushes a price of nought further down.
        slope[(slope > 0) & (self.price[:-1] <= 0)] = 0.0
        square = float(slope @ slope)
        if square > 0:
            self.price[:-1] = np.maximum(self.price[:-1] - gap / square * slope, 0.0)
