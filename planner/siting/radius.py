"""The p-median as a small program, once prices and a good choice have cut it down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.siting.program import INF, Program

if TYPE_CHECKING:
    from planner.siting.bounds import Dual, Rows
    from planner.siting.choice import Choice
    from planner.siting.floors import Promises
    from planner.siting.instance import Floats, Ints

_HALF = 0.5
_ROUNDING = 1e-9


def cut_down(dual: Dual, choice: Choice, best: float, rows: Rows) -> tuple[Rows, Floats, Floats]:
    """Leave out what no choice as good as the best known can use.

    A site whose reduced cost exceeds the gap stays closed, or open; a row is never served
    at a cost further above its price than the gap.

    Parameters
    ----------
    dual
        The dual after its climb; its rows may have prices of floors on them.
    choice
        The choices allowed.
    best
        Objective of the best choice known, inf without one.
    rows
        The rows without such prices.

    Returns
    -------
    The rows that are left, and (s,) bounds of the sites.
    """
    lower, upper = choice.lower.copy(), choice.upper.copy()
    if dual.point is None or not np.isfinite(best):
        return rows, lower, upper
    gap = max(0.0, best - dual.bound) * (1 + _ROUNDING) + _ROUNDING * abs(best)
    upper[(dual.point.best.reduced > gap) & (lower < _HALF)] = 0.0
    lower[(dual.point.best.reduced < -gap) & (upper > _HALF)] = 1.0
    worth = dual.price + gap
    # A site sure to be open serves a row at worst.
    sure = rows.cheapest(lower > _HALF)
    served = rows.served | (sure < rows.far)
    far = np.where(dual.rows.cheapest(lower > _HALF) > worth, np.inf, sure)
    owner = rows.owner
    kept = (upper[rows.site] > _HALF) & (dual.rows.cost <= worth[owner])
    # At the cost of being unserved a site still serves; beside a sure one it is no use.
    kept &= (rows.cost < far[owner]) | (~served[owner] & (rows.cost <= far[owner]))
    counts = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    left = replace(
        rows,
        start=counts[rows.start],
        site=rows.site[kept],
        cost=rows.cost[kept],
        far=far,
        served=served,
    )
    return left, lower, upper


class Radius:
    """Sites, and for each row and each cost whether all sites up to it are closed.

    With z 1 where a row is served no cheaper than a level, the objective is the sum of
    the steps between levels times z (Cornuejols, Nemhauser and Wolsey 1980; Garcia, Labbe
    and Marin 2011). Each z only hangs on the one before it and the sites of its level.

    Parameters
    ----------
    promises, choice
        The floors, and the choices allowed.
    rows, lower, upper
        What `cut_down` left.

    Attributes
    ----------
    program
        The program; its first columns are the sites.
    constant
        To be added to its objective.
    """

    def __init__(
        self,
        promises: Promises,
        choice: Choice,
        rows: Rows,
        lower: Floats,
        upper: Floats,
    ) -> None:
        self.program = Program("min")
        self._sites = len(choice.sites)
        choice.add_to(self.program, np.zeros(self._sites), integer=True)
        self.program.bound_columns(np.arange(self._sites), lower, upper)
        self.constant = self._levels(rows)
        self._floors(promises, rows)

    def _levels(self, rows: Rows) -> float:
        """Add the levels; gives what everyone costs at the least."""
        owner, cost = rows.owner, rows.cost
        has = rows.counts > 0
        if not len(cost):
            self._level = np.empty(0, dtype=np.int64)
            return float(rows.far.sum())
        new = np.ones(len(cost), dtype=bool)
        new[1:] = (owner[1:] != owner[:-1]) | (cost[1:] != cost[:-1])
        begins = np.flatnonzero(new)
        level_row, level_cost = owner[begins], cost[begins]
        many = len(begins)
        first = np.ones(many, dtype=bool)
        first[1:] = level_row[1:] != level_row[:-1]
        last = np.append(first[1:], True)
        after = np.append(level_cost[1:], 0.0)
        after[last] = rows.far[level_row[last]]
        must = np.isinf(after)
        step = np.where(must, 0.0, after - level_cost)
        column = self.program.add_columns(step, upper=np.where(must, 0.0, 1.0))
        columns = column + np.arange(many)
        # z of the level, less z of the level before, and the sites of the level.
        ends = np.append(begins[1:], len(cost))
        heads = np.where(first, 1, 2)
        sizes = heads + (ends - begins)
        start = np.concatenate([[0], np.cumsum(sizes)])
        entry = np.empty(start[-1], dtype=np.int64)
        value = np.ones(start[-1])
        entry[start[:-1]] = columns
        follows = start[:-1][~first] + 1
        entry[follows] = columns[~first] - 1
        value[follows] = -1.0
        place = np.repeat(start[:-1] + heads, ends - begins)
        place += np.arange(len(cost)) - np.repeat(begins, ends - begins)
        entry[place] = rows.site
        self.program.add_rows(start, entry, value, lower=first.astype(float))
        self._level = np.repeat(columns, ends - begins)
        return float(level_cost[first].sum() + rows.far[~has].sum())

    def _floors(self, promises: Promises, rows: Rows) -> None:
        """Have enough people of each area served near enough."""
        people = promises.people
        # A row is served unless all its sites near enough are closed: the last such level.
        near = rows.cost <= promises.near[rows.owner]
        many = np.bincount(rows.owner[near], minlength=len(rows.far))
        last = np.full(len(rows.far), -1, dtype=np.int64)
        some = many > 0
        last[some] = self._level[rows.start[:-1][some] + many[some] - 1]
        sure = rows.served & (rows.far <= promises.near)
        for number, allowed in enumerate(promises.room):
            here = (promises.area == number) & ~sure
            never, maybe = here & (last < 0), here & (last >= 0)
            room = float(allowed) - float(people[never].sum())
            scale = max(1.0, float(people[maybe].max(initial=1.0)))
            self.program.add_rows(
                [0, int(maybe.sum())],
                last[maybe],
                people[maybe] / scale,
                lower=-INF,
                upper=room / scale,
            )

    def start(self, opened: Ints) -> Floats:
        """Values of the sites for a choice to begin with; the rest is for HiGHS to find."""
        values = np.full(self.program.columns, np.nan)
        values[: self._sites] = 0.0
        values[opened] = 1.0
        return values

    def opened(self, values: Floats) -> Ints:
        """Sites that are open in a solution."""
        return np.flatnonzero(values[: self._sites] > _HALF)
