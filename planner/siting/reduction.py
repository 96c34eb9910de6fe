"""Reduction: the same problem with fewer rows and sites, and the same best answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from types import ModuleType

    from planner.siting.instance import Floats, Instance, Ints, Small
    from planner.siting.limits import Limits

Flags = NDArray[np.bool_]


@cache
def kernels() -> ModuleType:
    """Import the compiled kernels when they are first wanted."""
    return import_module("planner.siting._cover_kernels")


@dataclass(frozen=True, eq=False, repr=False)
class Cover:
    """Who is covered by which site that may be opened: rows of demand, merged.

    Attributes
    ----------
    start, site
        Compressed rows: sites, counted as in `sites`, that cover each row.
    weight
        (g,) people of each row.
    area
        (g,) area of each row; -1 where areas do not matter.
    sites
        (s,) the instance's number of each site; all of them may be opened.
    base
        (n,) share of each of the instance's demand rows that existing sites serve.
    group
        Row into which each row of what was reduced went, -1 where into none.
    value
        Share that each entry's site serves, under capacities; 1 when None.
    """

    start: Ints
    site: Small
    weight: Floats
    area: Ints
    sites: Ints
    base: Floats
    group: Ints
    value: Floats | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.weight)

    @cached_property
    def by_site(self) -> tuple[Ints, Small]:
        """Rows of each site, compressed and sorted."""
        ones = np.ones(len(self.site), dtype=np.int8)
        whole = sp.csr_array(
            (ones, self.site, self.start), shape=(self.rows, len(self.sites))
        ).tocsc()
        return whole.indptr.astype(np.int64), whole.indices.astype(np.int32)

    def only(self, kept: Flags, done: Flags | None = None, base: Floats | None = None) -> Cover:
        """Leave out sites, and the rows that some others cover anyway.

        Parameters
        ----------
        kept
            (s,) sites that stay.
        done
            (s,) sites that are sure to be open: the rows they cover go, they stay.
        base
            (n,) what existing and sure sites serve; as before when None.
        """
        weight = self.weight
        if done is not None:
            weight = np.where(covered_rows(self.start, done[self.site]), 0.0, weight)
        base = self.base if base is None else base
        return _merged(self.start, self.site, kept, weight, self.area, self.sites, base)

    def components(self, joined: tuple[Ints, Ints]) -> tuple[int, Ints]:
        """Parts that share no row: their number, and the part of each site.

        Parameters
        ----------
        joined
            Two arrays of sites that belong together for other reasons.
        """
        many = len(self.sites)
        first = self.site[np.minimum(self.start[:-1], max(len(self.site) - 1, 0))]
        leader = np.repeat(first, np.diff(self.start))
        one = np.concatenate([leader, joined[0]])
        other = np.concatenate([self.site, joined[1]])
        graph = sp.coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(many, many))
        count, label = connected_components(graph, directed=False)
        return int(count), np.asarray(label, dtype=np.int64)

    def __repr__(self) -> str:
        return (
            f"<Cover: {self.rows:,} rows with {self.weight.sum():,.6g} people, "
            f"{len(self.sites):,} sites, {len(self.site):,} entries>"
        )


def served(instance: Instance, opened: Ints, value: Floats | None = None) -> Floats:
    """Share of each demand row that is served once some sites are opened.

    Parameters
    ----------
    instance
        Demand and sites; existing ones serve too.
    opened
        Sites opened anew.
    value
        (k,) share served by each pair's site, from 0 to 1; 1 when None. The best counts.
    """
    pairs = instance.pairs
    near = instance.is_open(opened)[pairs.site]
    if value is None:
        return covered_rows(pairs.start, near).astype(np.float64)
    best = np.zeros(pairs.demands)
    np.maximum.at(best, pairs.rows[near], value[near])
    return best


def covered_rows(start: Ints, near: Flags) -> Flags:
    """Rows with any entry that is near."""
    before = np.concatenate([[0], np.cumsum(near, dtype=np.int64)])
    return np.asarray(before[start[1:]] > before[start[:-1]])


def reduced(
    instance: Instance,
    limits: Limits,
    *,
    value: Floats | None = None,
    by_area: bool | None = None,
) -> Cover:
    """Merge demand rows that the same sites cover; leave out who is served already.

    Parameters
    ----------
    instance
        Demand and sites.
    limits
        Rows of different areas stay apart where floors hold.
    value
        (k,) share served by each pair's site; a row served in part becomes rows served
        wholly or not, one for each step between the values of its sites.
    by_area
        Keep areas apart whether floors hold or not.
    """
    apart = bool(limits.floors) if by_area is None else by_area
    base = served(instance, np.empty(0, dtype=np.int64), value)
    area = instance.area if apart else np.full(instance.demands, -1, dtype=np.int64)
    pairs = instance.pairs
    if value is None:
        weight = np.where(base > 0, 0.0, instance.people)
        start, site = pairs.start, pairs.site
    else:
        start, site, weight, of = _steps(instance, value, base)
        area = area[of]
    return _merged(start, site, instance.openable, weight, area, np.arange(instance.sites), base)


def allocatable(
    instance: Instance,
    limits: Limits,
    *,
    value: Floats | None = None,
    by_area: bool | None = None,
) -> Cover:
    """Merge as `reduced` does, for sites with capacities.

    Existing sites stay, since they may be full; rows served in part stay as they are.
    """
    pairs, usable = instance.pairs, instance.openable | instance.existing
    none = np.zeros(instance.demands)
    apart = bool(limits.floors) if by_area is None else by_area
    area = instance.area if apart else np.full(instance.demands, -1, dtype=np.int64)
    if value is None:
        where = np.arange(instance.sites)
        return _merged(pairs.start, pairs.site, usable, instance.people, area, where, none)
    alive = instance.people > 0
    kept = usable[pairs.site] & (value > 0) & alive[pairs.rows]
    counts = np.bincount(pairs.rows[kept], minlength=instance.demands)
    some = counts > 0
    return Cover(
        start=np.concatenate([[0], np.cumsum(counts[some])]).astype(np.int64),
        site=(np.cumsum(usable) - 1)[pairs.site[kept]].astype(np.int32),
        weight=instance.people[some],
        area=area[some],
        sites=np.flatnonzero(usable),
        base=none,
        group=np.where(some, np.cumsum(some) - 1, -1),
        value=value[kept],
    )


def doubly(instance: Instance, asked: Flags) -> tuple[Cover, Floats, Floats]:
    """Merge rows for covering twice.

    Parameters
    ----------
    asked
        (n,) rows to be covered twice if possible.

    Returns
    -------
    The cover; (g,) how many more sites each row needs before another one is its second;
    (g,) people of each row for whom that counts.
    """
    pairs = instance.pairs
    before = np.concatenate([[0], np.cumsum(instance.existing[pairs.site], dtype=np.int64)])
    there = before[pairs.start[1:]] - before[pairs.start[:-1]]
    matters = (there == 0) | (asked & (there == 1))
    cover = _merged(
        pairs.start,
        pairs.site,
        instance.openable,
        np.where(matters, instance.people, 0.0),
        2 * np.minimum(there, 1) + asked,
        np.arange(instance.sites),
        np.minimum(there, 1).astype(np.float64),
    )
    needed = np.asarray(1.0 - cover.area // 2, dtype=np.float64)
    return cover, needed, np.where(cover.area % 2 == 1, cover.weight, 0.0)


def _steps(instance: Instance, value: Floats, base: Floats) -> tuple[Ints, Small, Floats, Ints]:
    pairs, count = instance.pairs, np.zeros(2, dtype=np.int64)
    given = (pairs.start, pairs.site, instance.openable, value, base, instance.people, count)
    none, nothing = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
    kernels().levels(*given, none, nothing, np.empty(0), none)
    rows, entries = (int(number) for number in count)
    start, site = np.zeros(rows + 1, dtype=np.int64), np.empty(entries, dtype=np.int32)
    weight, of = np.empty(rows), np.empty(rows, dtype=np.int64)
    kernels().levels(*given, start, site, weight, of)
    return start, site, weight, of


def _merged(
    start: Ints,
    site: Small,
    usable: Flags,
    weight: Floats,
    area: Ints,
    sites: Ints,
    base: Floats,
) -> Cover:
    leader = _leaders(start, site, usable, weight > 0, area)
    heads = np.flatnonzero(leader == np.arange(len(leader)))
    group = np.full(len(leader), -1, dtype=np.int64)
    group[heads] = np.arange(len(heads))
    inside = leader >= 0
    summed = np.zeros(len(heads))
    np.add.at(summed, group[leader[inside]], weight[inside])
    local = np.cumsum(usable) - 1
    # Positions as narrow as they may be: else the sites are widened too.
    narrow = start.astype(np.int32) if len(site) < np.iinfo(np.int32).max else start
    whole = sp.csr_array(
        (np.ones(len(site), dtype=np.int8), site, narrow), shape=(len(leader), len(usable))
    )[heads]
    there = usable[whole.indices]
    before = np.concatenate([[0], np.cumsum(there, dtype=np.int64)])
    return Cover(
        start=before[whole.indptr].astype(np.int64),
        site=local[whole.indices[there]].astype(np.int32),
        weight=summed,
        area=area[heads],
        sites=sites[usable],
        base=base,
        group=np.where(inside, group[leader], -1),
    )


def _leaders(start: Ints, site: Small, usable: Flags, alive: Flags, area: Ints) -> Ints:
    """First row with the same usable sites and area of each row; -1 for rows that matter not."""
    rows, many = len(alive), len(usable)
    rng = np.random.default_rng(1)
    keys = rng.integers(0, 1 << 63, size=(2, many), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    named, number = np.unique(area, return_inverse=True)
    by_area = len(named) > 1
    hashes = rng.integers(0, 1 << 63, size=(2, len(named)), dtype=np.uint64)[:, number]
    count = np.zeros(rows, dtype=np.int64)
    hashes = np.ascontiguousarray(hashes)
    kernels().signatures(start, site, usable, alive, keys[0], keys[1], hashes[0], hashes[1], count)
    leader = np.full(rows, -1, dtype=np.int64)
    some = np.flatnonzero(count > 0)
    if not len(some):
        return leader
    order = some[np.lexsort((hashes[1][some], hashes[0][some]))]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (hashes[0][order[1:]] != hashes[0][order[:-1]]) | (
        hashes[1][order[1:]] != hashes[1][order[:-1]]
    )
    leader[order] = order[new][np.cumsum(new) - 1]
    # Equal fingerprints are as good as proof; what is told is proof itself.
    wrong = kernels().differing(start, site, usable, leader, area, by_area, many)
    leader[wrong] = np.flatnonzero(wrong)
    return leader


def without_dominated(cover: Cover, instance: Instance, limits: Limits, *, costs: bool) -> Cover:
    """Leave out sites that another can always stand in for.

    Site b stands in for a where it covers all that a covers, so that swapping a for b, or
    closing a where both are open, keeps every limit and the objective. That holds if
    neither the number must be met exactly nor a unit of a needs a least number; b costs
    no more (where cost matters), is near no other site that it must keep apart from, and
    adds to no unit with a greatest number but that of a. Where people are to be covered
    twice, or sites have capacities, nothing is dominated.

    Parameters
    ----------
    cover, instance, limits
        The problem.
    costs
        Whether the objective is the cost; a budget makes costs matter anyway.
    """
    if limits.exactly or np.isfinite(instance.capacity).any():
        return cover
    sites = cover.sites
    unit = instance.unit[sites]
    near = np.zeros(instance.sites, dtype=bool)
    for side in limits.too_near:
        near[side] = True
    droppable = ~instance.required[sites] & ~np.isin(unit, list(limits.at_least))
    group = np.where(np.isin(unit, list(limits.at_most)), unit, -1)
    may_replace = ~near[sites]
    matters = costs or limits.budget is not None
    cost = instance.cost[sites] if matters else np.zeros(len(sites))
    drop = kernels().dominated(
        *cover.by_site, cover.start, cover.site, droppable, may_replace, group, cost
    )
    if not drop.any():
        return cover
    return cover.only(~drop)
