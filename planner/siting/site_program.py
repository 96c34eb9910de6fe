"""A choice of sites as a program, in which every limit is a row that can be let go."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.siting.limits import Culprit, slack
from planner.siting.program import INF, Program
from planner.siting.reduction import covered_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from planner.siting.control import Sense
    from planner.siting.instance import Floats, Instance, Ints
    from planner.siting.limits import Limits
    from planner.siting.reduction import Cover, Flags


class Terms(NamedTuple):
    """Columns whose values, times people, add up to who is served."""

    column: Ints
    people: Floats
    area: Ints


class Model:
    """Columns for the sites of a cover, and the limits on them as rows.

    Parameters
    ----------
    instance, limits, cover
        The problem, and its rows and sites reduced. With capacities the cover holds the
        existing sites too, and people are allocated, in parts if need be.
    sense
        Of the objective, which is nought until `Program.price` sets it.
    share
        Least share of all people to be served; None for no such limit.
    whole
        Whether, with capacities, a row is allocated to one site rather than in parts.

    Attributes
    ----------
    program
        The program. Its first columns are the sites, as `Cover.sites` has them.
    new, lower
        (s,) which sites may be opened, and 1 where one must be open or is anyway.
    terms
        Columns of people served: a row a column, or with capacities an entry a column.
    """

    def __init__(
        self,
        instance: Instance,
        limits: Limits,
        cover: Cover,
        *,
        sense: Sense,
        share: float | None = None,
        whole: bool = False,
    ) -> None:
        self.instance, self.limits, self.cover, self._whole = instance, limits, cover, whole
        self.program = Program(sense)
        self._rows: dict[Culprit, tuple[int, float, float]] = {}
        self._fixed: dict[Culprit, int] = {}
        self.new = instance.openable[cover.sites]
        required = instance.required[cover.sites]
        self.lower = (required | ~self.new).astype(float)
        self.program.add_columns(np.zeros(len(cover.sites)), lower=self.lower, integer=True)
        for at in np.flatnonzero(required):
            self._fixed[Culprit("required", int(cover.sites[at]), 1.0)] = int(at)
        self._limit_sites()
        self.total = float(instance.people.sum())
        if share is not None:
            self._limit_share(share)
        for area, floor in limits.floors.items():
            self._limit_floor(area, floor)

    @property
    def sites(self) -> Ints:
        """(s,) columns of the sites."""
        return np.arange(len(self.cover.sites))

    @cached_property
    def cost(self) -> Floats:
        """(s,) cost of each; existing ones cost nothing."""
        return np.where(self.new, self.instance.cost[self.cover.sites], 0.0)

    @cached_property
    def terms(self) -> Terms:
        """Columns of people served, added when first wanted."""
        if self.allocates:
            return self._allocation()
        cover, program = self.cover, self.program
        first = program.add_columns(np.zeros(cover.rows))
        column = first + np.arange(cover.rows)
        # Served at most as far as sites are open near: the sites less the row's own column.
        program.add_rows(
            cover.start + np.arange(cover.rows + 1),
            np.insert(cover.site.astype(np.int64), cover.start[:-1], column),
            np.insert(np.ones(len(cover.site)), cover.start[:-1], -1.0),
            lower=0.0,
        )
        return Terms(column, cover.weight, cover.area)

    @property
    def offset(self) -> float:
        """People served whatever else is opened."""
        return float(self.instance.people @ self.cover.base)

    @property
    def allocates(self) -> bool:
        """Whether sites have capacities."""
        return bool(np.isfinite(self.instance.capacity[self.cover.sites]).any())

    def _allocation(self) -> Terms:
        cover, program = self.cover, self.program
        row = np.repeat(np.arange(cover.rows), np.diff(cover.start))
        capacity = self.instance.capacity[cover.sites]
        weight = cover.weight[row]
        entries = len(row)
        # A column is people of the row who go to the site, in parts of the row.
        first = program.add_columns(np.zeros(entries), integer=self._whole)
        column = first + np.arange(entries)
        program.add_rows(cover.start, column, 1.0, upper=1.0)
        pairs = np.column_stack([column, cover.site]).ravel()
        program.add_rows(
            2 * np.arange(entries + 1), pairs, np.tile([1.0, -1.0], entries), upper=0.0
        )
        order = np.argsort(cover.site, kind="stable")
        start = np.searchsorted(cover.site[order], np.arange(len(cover.sites) + 1))
        for site in np.flatnonzero(np.isfinite(capacity)):
            mine = order[start[site] : start[site + 1]]
            if not len(mine):
                continue
            # In parts of the capacity, or of all who might come where that is nought.
            scale = max(capacity[site], 1.0)
            program.add_rows(
                [0, len(mine) + 1],
                np.append(column[mine], site),
                np.append(weight[mine] / scale, -capacity[site] / scale),
                upper=0.0,
            )
        worth = weight if cover.value is None else weight * cover.value
        return Terms(column, worth, cover.area[row])

    def _limit_sites(self) -> None:
        limits, new = self.limits, np.flatnonzero(self.new)
        if limits.number is not None:
            least = float(limits.number) if limits.exactly else -INF
            self._row(Culprit("number", -1, limits.number), new, 1.0, least, limits.number)
        if limits.budget is not None:
            self._row(
                Culprit("budget", -1, limits.budget),
                new,
                self.cost[new],
                -INF,
                limits.budget + slack(limits.budget) / 2,
            )
        unit = self.instance.unit[self.cover.sites]
        for key, most in limits.at_most.items():
            there = new[unit[new] == key]
            self._row(Culprit("at_most", key, most), there, 1.0, -INF, most)
        for key, fewest in limits.at_least.items():
            there = new[unit[new] == key]
            self._row(Culprit("at_least", key, fewest), there, 1.0, fewest, INF)
        local = np.full(self.instance.sites, -1, dtype=np.int64)
        local[self.cover.sites] = np.arange(len(self.cover.sites))
        local[~self.instance.openable] = -1
        existing = self.instance.existing
        for row, (a, b) in enumerate(zip(*limits.too_near, strict=True)):
            both = [int(local[one]) for one in {int(a), int(b)} if local[one] >= 0]
            # With one that exists the other stays closed; of two new ones one opens.
            together = 0.0 if existing[a] or existing[b] else 1.0
            if len(both) > together:
                self._row(Culprit("apart", row, 1.0), np.array(both), 1.0, -INF, together)

    def _limit_share(self, share: float) -> None:
        short = share * self.total - self.offset - slack(self.total) / 2
        terms = self.terms
        if short > 0:
            self._row(Culprit("share", -1, share), terms.column, terms.people, short, INF)

    def _limit_floor(self, area: int, floor: float) -> None:
        inside = self.instance.area == area
        people = self.instance.people[inside]
        short = floor * people.sum() - people @ self.cover.base[inside] - slack(people.sum()) / 2
        terms = self.terms
        if short > 0:
            here = terms.area == area
            culprit = Culprit("floor", area, floor)
            self._row(culprit, terms.column[here], terms.people[here], short, INF)

    def _row(
        self, culprit: Culprit, column: Ints, value: ArrayLike, lower: float, upper: float
    ) -> None:
        row = self.program.add_rows([0, len(column)], column, value, lower=lower, upper=upper)
        self._rows[culprit] = (row, lower, upper)

    @property
    def culprits(self) -> list[Culprit]:
        """Every limit in force."""
        return [*self._rows, *self._fixed]

    def hold(self, culprit: Culprit, *, kept: bool) -> None:
        """Let a limit go, or put it back."""
        if culprit in self._fixed:
            self.program.bound_columns(self._fixed[culprit], float(kept), 1.0)
            return
        row, lower, upper = self._rows[culprit]
        self.program.bound_row(row, *((lower, upper) if kept else (-INF, INF)))

    def stretch(self, culprit: Culprit, lower: float, upper: float) -> None:
        """Give a limit other bounds until it is held or let go again."""
        self.program.bound_row(self._rows[culprit][0], lower, upper)

    def aim_at_people(self) -> None:
        """Make all people served the objective."""
        self.program.price(self.terms.column, self.terms.people)
        self.program.set_offset(self.offset)

    def aim_at_sites(self, *, cheapest: bool) -> None:
        """Make the number of new sites, or their cost, the objective."""
        self.program.price(self.sites, self.cost if cheapest else self.new.astype(float))

    def cover_everyone(self) -> None:
        """Have some site open near every row (or everyone allocated, under capacities)."""
        cover = self.cover
        if self.allocates:
            self.program.add_rows(cover.start, self.terms.column, 1.0, lower=1.0)
        else:
            self.program.add_rows(cover.start, cover.site, 1.0, lower=1.0)

    def start(self, opened: Flags) -> Floats:
        """Values of all columns once sites are opened; NaN where HiGHS is to find them."""
        values = np.full(self.program.columns, np.nan)
        values[: len(opened)] = opened
        if "terms" in self.__dict__ and not self.allocates:
            values[self.terms.column] = covered_rows(self.cover.start, opened[self.cover.site])
        return values

    def opened(self, values: Floats) -> Ints:
        """Sites opened anew, as the instance counts them."""
        chosen = values[: len(self.cover.sites)] > 0.5  # noqa: PLR2004 - what rounds to 1
        return np.sort(self.cover.sites[chosen & self.new])
