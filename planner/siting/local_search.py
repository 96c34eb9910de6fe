"""Greedy and exchange: a good choice of sites at once, without proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.siting.limits import slack
from planner.siting.reduction import kernels

if TYPE_CHECKING:
    from planner.siting.control import Watch
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits
    from planner.siting.reduction import Cover, Flags

_SWEEPS = 50
_WORTH_A_SWAP = 1e-9
_FREE = 1e-9
_SHAKEN = 8
_NOISE = 1.5
_TRIES = 40


class Selection:
    """Sites of a cover opened so far, and what each further one would add.

    Parameters
    ----------
    cover, instance, limits
        The problem.

    Attributes
    ----------
    opened
        (s,) which sites are open.
    gain
        (s,) people whom each would add.
    """

    def __init__(self, cover: Cover, instance: Instance, limits: Limits) -> None:
        self._cover, self._limits = cover, limits
        self.opened = np.zeros(len(cover.sites), dtype=bool)
        self._required = instance.required[cover.sites]
        self._cost = instance.cost[cover.sites]
        self._budget = np.inf if limits.budget is None else limits.budget + slack(limits.budget) / 2
        self._number = np.inf if limits.number is None else limits.number
        units, self._unit = np.unique(instance.unit[cover.sites], return_inverse=True)
        self._most = np.array([limits.at_most.get(int(u), np.inf) for u in units])
        self._least = np.array([limits.at_least.get(int(u), 0) for u in units])
        self._possible = all(u in units for u, least in limits.at_least.items() if least)
        self._count = np.zeros(len(units), dtype=np.int64)
        self._spent = 0.0
        self._clashes, self._blocked = self._apart(instance)
        areas, self._area = np.unique(cover.area, return_inverse=True)
        self._served = np.zeros(len(areas))
        self._wanted = self._floors(instance, areas)
        self._covered = np.zeros(cover.rows, dtype=np.int64)
        by_start, by_row = cover.by_site
        self._row_start, self._by_row = by_start, by_row
        self.gain = np.zeros(len(cover.sites))
        entries = np.repeat(np.arange(len(cover.sites)), np.diff(by_start))
        np.add.at(self.gain, entries, cover.weight[by_row])

    def _apart(self, instance: Instance) -> tuple[dict[int, list[int]], Ints]:
        local = np.full(instance.sites, -1, dtype=np.int64)
        local[self._cover.sites] = np.arange(len(self._cover.sites))
        clashes: dict[int, list[int]] = {}
        blocked = np.zeros(len(self._cover.sites), dtype=np.int64)
        for a, b in zip(*self._limits.too_near, strict=True):
            for one, other in ((a, b), (b, a)):
                if local[one] < 0:
                    continue
                if instance.existing[other] or one == other:
                    blocked[local[one]] += 1
                elif local[other] >= 0:
                    clashes.setdefault(int(local[one]), []).append(int(local[other]))
        return clashes, blocked

    def _floors(self, instance: Instance, areas: Ints) -> Floats:
        wanted = np.zeros(len(areas))
        for area, share in self._limits.floors.items():
            inside = instance.area == area
            people = instance.people[inside]
            short = share * people.sum() - people @ self._cover.base[inside] - slack(people.sum())
            if short > 0 and area in areas:
                wanted[np.searchsorted(areas, area)] = short
            elif short > 0:
                self._possible = False
        return wanted

    @property
    def people(self) -> float:
        """People covered beyond what exists."""
        return float(self._served.sum())

    @property
    def everyone(self) -> bool:
        """Whether every row is covered."""
        return bool((self._covered > 0).all())

    @property
    def short(self) -> Flags:
        """(a,) areas whose floor is not kept yet."""
        return np.asarray(self._served < self._wanted)

    def gain_of(self, rows: Ints) -> Floats:
        """(s,) people of some of the cover's rows whom each site would add."""
        cover = self._cover
        rows = rows[self._covered[rows] == 0]
        counts = cover.start[rows + 1] - cover.start[rows]
        begins = np.concatenate([[0], np.cumsum(counts)])[:-1]
        at = np.repeat(cover.start[rows] - begins, counts) + np.arange(int(counts.sum()))
        weight = np.repeat(cover.weight[rows], counts)
        found = np.bincount(cover.site[at], weights=weight, minlength=len(cover.sites))
        return np.asarray(found, dtype=np.float64)

    @property
    def keeps(self) -> bool:
        """Whether every limit is kept."""
        limits, many = self._limits, int(self.opened.sum())
        return bool(
            self._possible
            and many <= self._number
            and (not limits.exactly or many == limits.number)
            and self._spent <= self._budget
            and (self._count <= self._most).all()
            and (self._count >= self._least).all()
            and not (self._blocked[self.opened] > 0).any()
            and (self._served >= self._wanted).all()
            and self.opened[self._required].all()
        )

    def allowed(self) -> Flags:
        """(s,) sites that may be opened next to those that are."""
        fits = ~self.opened & (self._blocked == 0) & (self._spent + self._cost <= self._budget)
        fits &= (self._count < self._most)[self._unit]
        if self.opened.sum() >= self._number:
            fits[:] = False
        return np.asarray(fits)

    def put(self, site: int, *, open_it: bool) -> None:
        """Open a site or close it."""
        cover = self._cover
        do = kernels().open_site if open_it else kernels().close_site
        do(
            *(self._row_start, self._by_row, cover.start, cover.site, cover.weight),
            *(self._area, self._covered, self.gain, self._served, site),
        )
        step = 1 if open_it else -1
        self.opened[site] = open_it
        self._count[self._unit[site]] += step
        self._spent += step * self._cost[site]
        for other in self._clashes.get(site, ()):
            self._blocked[other] += step

    def fill(
        self, worth: Floats | None = None, *, price: Floats | None = None, until: float = np.inf
    ) -> None:
        """Open the best site as long as one is allowed and adds anything.

        Parameters
        ----------
        worth
            (s,) rank of the sites by which to take them; what they add when None.
        price
            (s,) what to divide it by.
        until
            People covered at which it is enough, once floors are kept.
        """
        for site in np.flatnonzero(self._required & ~self.opened):
            self.put(int(site), open_it=True)
        while (fits := self.allowed()).any():
            missing = np.maximum(self._least - self._count, 0)
            forced = fits & (missing > 0)[self._unit]
            room = self._number - self.opened.sum() > missing.sum()
            useful = self.gain > 0
            if self._limits.exactly:
                useful[:] = True
            enough = self.people >= until and not self.short.any()
            if enough or not room or not (fits & useful).any():
                if not forced.any():
                    if not self._limits.exactly:
                        break
                else:
                    fits, useful = forced, forced
            rank = self.gain if worth is None else np.where(self.gain > 0, worth, 0.0)
            if (short := self.short).any():
                # Floors first: what adds there most.
                helps = self.gain_of(np.flatnonzero(short[self._area]))
                if (fits & useful & (helps > 0)).any():
                    rank = helps
            if price is not None:
                rank = rank / np.maximum(price, _FREE)
            self.put(int(np.argmax(np.where(fits & useful, rank, -np.inf))), open_it=True)

    def shake(self, rng: np.random.Generator) -> None:
        """Close some of the open sites at random, so that others are tried."""
        free = np.flatnonzero(self.opened & ~self._required)
        many = min(len(free), max(2, len(free) // _SHAKEN))
        for site in rng.choice(free, many, replace=False):
            self.put(int(site), open_it=False)
        self.fill(price=rng.uniform(1.0, _NOISE, len(self.opened)))

    def become(self, opened: Flags) -> None:
        """Open just these sites."""
        for site in np.flatnonzero(self.opened & ~opened):
            self.put(int(site), open_it=False)
        for site in np.flatnonzero(opened & ~self.opened):
            self.put(int(site), open_it=True)

    def exchange(self, watch: Watch) -> None:
        """Swap an open site for a better one until no swap helps."""
        least = _WORTH_A_SWAP * max(1.0, float(self._cover.weight.sum()))
        for _ in range(_SWEEPS):
            better = False
            for site in np.flatnonzero(self.opened & ~self._required):
                if watch.should_stop():
                    return
                before = self.people
                self.put(int(site), open_it=False)
                lost = before - self.people
                fits = self.allowed()
                if self._count[self._unit[site]] < self._least[self._unit[site]]:
                    fits &= self._unit == self._unit[site]
                best = int(np.argmax(np.where(fits, self.gain, -np.inf)))
                if fits[best] and self.gain[best] > lost + least:
                    self.put(best, open_it=True)
                    if (self._served >= self._wanted).all():
                        better = True
                        continue
                    self.put(best, open_it=False)
                self.put(int(site), open_it=True)
            if not better:
                return


def good_choice(
    cover: Cover, instance: Instance, limits: Limits, watch: Watch, worth: Floats | None = None
) -> Selection | None:
    """Find a choice that keeps the limits, by greedy and exchange; None where that fails."""
    found = None
    cost = instance.cost[cover.sites]
    for price in (None, cost) if limits.budget is not None else (None,):
        choice = Selection(cover, instance, limits)
        choice.fill(worth, price=price)
        choice.exchange(watch)
        # A swap may have left room, or money.
        choice.fill()
        if choice.keeps and (found is None or choice.people > found.people):
            found = choice
    return found


def shaken(choice: Selection, watch: Watch, seed: int) -> None:
    """Improve a choice by shaking it and exchanging anew, as often as that may still help."""
    rng = np.random.default_rng(seed)
    best, people, idle = choice.opened.copy(), choice.people, 0
    while idle < _TRIES and not watch.should_stop():
        choice.shake(rng)
        choice.exchange(watch)
        choice.fill()
        idle += 1
        if choice.keeps and choice.people > people:
            best, people, idle = choice.opened.copy(), choice.people, 0
        else:
            choice.become(best)
    choice.become(best)
