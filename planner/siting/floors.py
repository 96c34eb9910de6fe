"""Floors of the distance models: who counts as served, and what a price on them does.

Whoever goes further than the floors' distance pays a price of their area on top. At any
prices of at least nought the least way, less the prices of those who may go unserved, is
no more than the least way of a choice that keeps the floors (Lagrange's multipliers), and
prices high enough lead to choices that keep them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.reach import SLACK
from planner.siting.bounds import distances
from planner.siting.limits import slack
from planner.siting.reduction import covered_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from planner.siting.bounds import Flags, Rows
    from planner.siting.control import Watch
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits

_ROUNDS = 16
_DEARER, _CHEAPER = 3.0, 0.7


@dataclass(frozen=True, eq=False, repr=False)
class Promises:
    """Floors over the rows of a distance model.

    Attributes
    ----------
    rows
        The costs without prices.
    area
        (r,) floor of each row, counted from nought, -1 for none.
    people
        (r,) people of each row.
    near
        (r,) cost up to which the row counts as served.
    room
        (f,) people of each floor's area who may go unserved.
    """

    rows: Rows
    area: Ints
    people: Floats
    near: Floats
    room: Floats

    @classmethod
    def of(cls, instance: Instance, limits: Limits, rows: Rows, within: Floats) -> Promises:
        """Take the floors of a problem; ``within`` is (n,) the distance that counts."""
        area = np.full(len(rows.row), -1, dtype=np.int64)
        people = instance.people[rows.row]
        room = np.zeros(len(limits.floors))
        for number, (key, share) in enumerate(limits.floors.items()):
            here = instance.area[rows.row] == key
            area[here] = number
            total = float(people[here].sum())
            room[number] = (1 - share) * total + slack(total) / 2
        return cls(rows, area, people, people * within[rows.row], room)

    def constant(self, price: Floats) -> float:
        """Give what is to be added to a bound at some prices, (f,)."""
        return -float(price @ self.room)

    def priced(self, price: Floats) -> Rows:
        """Give the rows with the prices on those who go further."""
        extra = np.where(self.area >= 0, np.append(price, 0.0)[self.area] * self.people, 0.0)
        rows, owner = self.rows, self.rows.owner
        served = rows.served & (rows.far <= self.near)
        return replace(
            rows,
            cost=rows.cost + np.where(rows.cost > self.near[owner], extra[owner], 0.0),
            far=rows.far + np.where(served, 0.0, extra),
        )

    def short(self, is_open: Flags) -> Floats:
        """(f,) people too few served once sites are open, below nought where there is room."""
        rows = self.rows
        # Who is served at the very cost of being unserved is served.
        reached = rows.served | covered_rows(rows.start, is_open[rows.site])
        reached &= rows.cheapest(is_open) <= self.near
        away = self.people * ~reached
        inside = self.area >= 0
        unserved = np.bincount(self.area[inside], away[inside], minlength=len(self.room))
        return np.asarray(unserved - self.room, dtype=np.float64)

    def search(
        self, improve: Callable[[Rows, Ints], Ints], opened: Ints, sites: int, watch: Watch
    ) -> tuple[Floats, Ints]:
        """Find prices at which a good choice keeps the floors.

        Parameters
        ----------
        improve
            Gives a good choice for priced rows, from another one on.
        opened, sites
            A choice to begin with, and how many sites there are.
        watch
            Clock.

        Returns
        -------
        The least prices that were found to do, or the last ones tried; and the choice there.
        """
        heads = max(float(self.people.sum()), 1e-300)
        usual = float(np.minimum(self.rows.far, self.rows.penalised).sum()) / heads or 1.0
        price = np.zeros(len(self.room))
        known: tuple[Floats, Ints] | None = None
        for _ in range(_ROUNDS):
            opened = improve(self.priced(price), opened)
            flags = np.zeros(sites, dtype=bool)
            flags[opened] = True
            short = self.short(flags) > 0
            if not short.any():
                known = price.copy(), opened
                if not price.any():
                    break
            price = np.where(
                short, np.maximum(price * _DEARER, usual / 100), price * (_CHEAPER if known else 1)
            )
            if watch.should_stop():
                break
        return known or (price, opened)


def distances_within(instance: Instance, within: ArrayLike | None, limit: Floats) -> Floats:
    """(n,) distance up to which somebody counts as served, no further than anybody counts.

    Raises
    ------
    InputError
        A distance below nought, or the wrong number of them.
    """
    if within is None:
        return limit
    _, near = distances(instance, within)
    return np.minimum(limit, near + SLACK)
