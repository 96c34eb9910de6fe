"""Lines: who comes near which site, as far as a model has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layers import facilities as facility_layer
from layers.errors import InputError
from layers.messages import text
from planner.distances import nearest_rows, pairs
from planner.reach import SLACK
from planner.siting.instance import Pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.coverage import Coverage
    from planner.network import Network
    from planner.positions import Positions
    from planner.siting.instance import Floats, Ints
    from planner.siting.problem import Problem
    from planner.standards import Standard

_MOST_PAIRS = 80_000_000
"""Pairs that fit the memory of an ordinary machine beside everything else: 2.5 GB."""
_WHOLE_PAIRS = 20_000_000
"""Pairs up to which the p-median and its like look at every site for everyone."""
_RANKS = 5
"""Nearest sites looked at beyond that, in multiples of those for each site that will be open."""
_LEAST = 20
"""Nearest sites looked at in any case."""


class Lines:
    """Who comes near which site, as far as the model has to know."""

    def __init__(
        self,
        problem: Problem,
        standard: Standard,
        network: Network,
        homes: Positions,
        before: Coverage,
        positions: Positions,
        row: Ints,
        sites: int,
    ) -> None:
        self._problem, self._standard, self._network = problem, standard, network
        self._homes, self._before, self._positions = homes, before, positions
        self._row, self._sites = row, sites
        self._there = before.demand["distance"].to_numpy()[row]
        self._near = before.demand["served"].to_numpy()[row]
        self.cut = False
        """Whether rows hold but the nearest sites."""

    @property
    def radius(self) -> float:
        """Greatest distance that matters, in the standard's unit."""
        problem = self._problem
        if not problem.traits.covers:
            far = np.inf if problem.reach is None else problem.reach
            if self.every:
                return far
            # Nobody goes past what exists; who lies on no street goes nowhere.
            there = np.where(np.isnan(self._there), 0.0, self._there)
            return min(far, float(there.max(initial=0.0)))
        return self._standard.cutoff if problem.decay is None else problem.decay.none

    @property
    def every(self) -> bool:
        """Whether all existing facilities near each home matter, not just the nearest."""
        return self._problem.traits.holds or self._problem.model == "lscpb"

    def pairs(self) -> Pairs:
        """Give the pairs."""
        problem = self._problem
        if not problem.traits.covers and problem.reach is None:
            ranks = self._ranks()
            if ranks < self.candidates:
                return self._nearest(ranks)
        parts = [*self._of_candidates(), *self._of_existing()]
        row, site, distance = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Pairs.of(row, site, distance, demands=len(self._row), number_of_sites=self._sites)

    @property
    def candidates(self) -> int:
        """Number of candidates."""
        return len(self._positions)

    def beyond(self, near: Pairs) -> Floats | None:
        """(n,) distance at which who has no open site in their row is counted."""
        if self._problem.traits.covers:
            return None
        if self._problem.reach is not None:
            return np.full(near.demands, self._problem.reach)
        counts = near.counts
        far = np.full(near.demands, np.inf)
        # Who can get nowhere is told of, and goes nowhere.
        far[counts == 0] = 0.0
        if self.cut:
            # Beyond the last candidate looked at there may be others: nothing is nearer.
            full = counts >= self._ranks()
            far[full] = near.distance[near.start[:-1][full] + self._ranks() - 1]
            if self._problem.floors:
                # All within the standard are in the rows, however many.
                far[full] = np.maximum(far[full], self._standard.cutoff + SLACK)
        return far

    def _ranks(self) -> int:
        """How many nearest candidates are looked at for each home."""
        many = max(self.candidates, 1)
        if len(self._row) * many <= _WHOLE_PAIRS or self._problem.model != "p-median":
            return many
        # What exists is as near to most as what will be opened.
        chosen = (self._problem.p or 1) + len(self._before.facilities)
        return min(
            many, max(_RANKS * many // chosen, _LEAST), max(_MOST_PAIRS // len(self._row), _LEAST)
        )

    def _nearest(self, ranks: int) -> Pairs:
        self.cut = True
        homes = self._homes.take(self._row)
        distance, origin = nearest_rows(
            *(self._network, self._positions, homes, ranks),
            towards=self._problem.towards,
            cutoff=None if self._standard.unit == "min" else np.inf,
            cutoff_min=np.inf if self._standard.unit == "min" else None,
        )
        # Whoever has an existing facility nearer than a candidate never goes to that.
        there = np.where(np.isnan(self._there), np.inf, self._there)
        keep = (origin >= 0) & (distance < there[:, None])
        row, rank = np.nonzero(keep)
        parts = [(row, origin[row, rank], distance[row, rank]), *self._of_existing()]
        if self._problem.floors:
            # Who counts as served has to be known whole.
            rows = np.arange(len(self._row))
            parts += self._chunks(self._positions, rows, there, cutoff=self._standard.cutoff)
        every, site, away = (np.concatenate(part) for part in zip(*parts, strict=True))
        if self._problem.floors:
            _, first = np.unique(every.astype(np.int64) * self._sites + site, return_index=True)
            every, site, away = every[first], site[first], away[first]
        return Pairs.of(every, site, away, demands=len(self._row), number_of_sites=self._sites)

    def _of_candidates(self) -> Iterator[tuple[Ints, Ints, Floats]]:
        problem = self._problem
        wanted = np.ones(len(self._row), dtype=bool)
        if problem.traits.covers and not self.every and problem.decay is None:
            wanted = ~self._near
        row = np.flatnonzero(wanted)
        most = self._there if not self.every else np.full(len(self._row), np.nan)
        yield from self._chunks(self._positions, row, most)

    def _of_existing(self) -> Iterator[tuple[Ints, Ints, Floats]]:
        first = self.candidates
        if not self.every:
            number = pd.Index(self._before.facilities["id"]).get_indexer(
                pd.Index(self._before.demand["facility"].to_numpy()[self._row], dtype=object)
            )
            near = np.flatnonzero((number >= 0) & (self._there <= self.radius + SLACK))
            yield near, first + number[near], np.minimum(self._there[near], self.radius)
            return
        origins = self._before.reach.origins
        owner = facility_layer.owners(self._before.city.facilities).loc[origins.index]
        number = pd.Index(self._before.facilities["id"]).get_indexer(pd.Index(owner))
        row = np.arange(len(self._row))
        for who, entrance, away in self._chunks(origins, row, np.full(len(row), np.nan)):
            # Of a facility's entrances the nearest counts.
            table = pd.DataFrame({"row": who, "site": number[entrance], "away": away})
            best = table.groupby(["row", "site"], sort=False)["away"].min().reset_index()
            yield best["row"].to_numpy(), first + best["site"].to_numpy(), best["away"].to_numpy()

    def _chunks(
        self, origins: Positions, row: Ints, most: Floats, *, cutoff: float | None = None
    ) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Give row, origin and distance of pairs, but those no nearer than what there is."""
        homes = self._homes.take(self._row[row])
        closer = self._problem.decay is not None or not self._problem.traits.covers
        held = 0
        radius = self.radius if cutoff is None else cutoff
        for part in pairs(
            *(self._network, origins, homes),
            towards=self._problem.towards,
            cutoff=None if self._standard.unit == "min" else radius,
            cutoff_min=radius if self._standard.unit == "min" else None,
        ):
            who, origin, away = row[part.target], part.origin, part.distance
            if closer:
                useful = ~(away >= most[who])
                who, origin, away = who[useful], origin[useful], away[useful]
            held += len(who)
            if held > _MOST_PAIRS:
                raise InputError(
                    text("site.too_many_pairs", most=_MOST_PAIRS, candidates=self.candidates)
                )
            yield who.astype(np.int32), origin.astype(np.int32), away
        yield np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0)
