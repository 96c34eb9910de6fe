"""An instance: demand, sites and which come near which, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from layers.messages import text
from planner.reach import SLACK

if TYPE_CHECKING:
    from typing import Self

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Small = NDArray[np.int32]

_SHOWN = 5


class Role(IntEnum):
    """What may become of a site."""

    CANDIDATE = 0
    """May be opened."""
    EXISTING = 1
    """Open anyway: costs nothing and is not counted as opened."""
    REQUIRED = 2
    """Must be among those opened; costs and counts."""
    FORBIDDEN = 3
    """Must not be opened."""


class BySite(NamedTuple):
    """Pairs seen from the sites: compressed rows, a row a site, sorted by demand."""

    start: Ints
    demand: Small
    distance: Floats


@dataclass(frozen=True, eq=False, repr=False)
class Pairs:
    """Which sites come near which demand: compressed rows, a row a demand point.

    Attributes
    ----------
    start
        (n + 1,) where each row begins.
    site
        (k,) site of each pair.
    distance
        (k,) its distance, in whatever unit; each row is sorted by distance, then site.
    sites
        Number of sites.
    """

    start: Ints
    site: Small
    distance: Floats
    sites: int

    @classmethod
    def of(
        cls,
        rows: ArrayLike,
        sites: ArrayLike,
        distance: ArrayLike,
        *,
        demands: int,
        number_of_sites: int,
    ) -> Self:
        """Pairs in any order.

        Parameters
        ----------
        rows, sites, distance
            (k,) demand row, site and distance of each pair; no pair twice.
        demands, number_of_sites
            How many demand rows and sites there are.

        Raises
        ------
        InputError
            A row or site that is not there, a distance that is negative or not a number,
            or the same pair twice.

        Examples
        --------
        >>> Pairs.of([0, 0], [1, 0], [5.0, 7.0], demands=2, number_of_sites=2)
        <Pairs: 2 of 2 demand rows × 2 sites, at most 2 a row>
        """
        row = np.asarray(rows, dtype=np.int64).ravel()
        site = np.asarray(sites, dtype=np.int64).ravel()
        away = np.asarray(distance, dtype=np.float64).ravel()
        if not len(row) == len(site) == len(away):
            raise InputError(
                text(
                    "siting.lengths", name="rows, sites, distance", found=len(site), wanted=len(row)
                )
            )
        wrong = (row < 0) | (row >= demands) | (site < 0) | (site >= number_of_sites)
        _refuse(wrong, "siting.pair_outside")
        _refuse(~(away >= 0) | np.isinf(away), "siting.pair_distance")
        counts = np.bincount(row, minlength=demands)
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        sorted_site, sorted_away = np.empty(len(row), dtype=np.int32), np.empty(len(row))
        sort = import_module("planner.siting._cover_kernels").rows_sorted
        twice = sort(row, site, away, start, sorted_site, sorted_away, number_of_sites)
        if twice >= 0:
            raise InputError(text("siting.pair_twice", row=twice))
        return cls(start, sorted_site, sorted_away, number_of_sites)

    @classmethod
    def from_dense(cls, matrix: ArrayLike, *, cutoff: float = np.inf) -> Self:
        """Pairs of a matrix of distances, demand by site; inf where there is none.

        Parameters
        ----------
        matrix
            (n, m) distances.
        cutoff
            Greatest distance that makes a pair, inclusive.

        Examples
        --------
        >>> Pairs.from_dense([[1.0, 2.0], [float("inf"), 3.0]], cutoff=2.0)
        <Pairs: 2 of 2 demand rows × 2 sites, at most 2 a row>
        """
        dense = np.asarray(matrix, dtype=np.float64)
        # Without a copy of the matrix; what is no number stays, to be refused.
        near = ~np.isinf(dense) if np.isinf(cutoff) else ~(dense > cutoff + SLACK)
        row, site = np.nonzero(near)
        return cls.of(
            row, site, dense[row, site], demands=dense.shape[0], number_of_sites=dense.shape[1]
        )

    @property
    def demands(self) -> int:
        """Number of demand rows."""
        return len(self.start) - 1

    @property
    def counts(self) -> Ints:
        """(n,) sites near each demand row."""
        return np.diff(self.start)

    @property
    def rows(self) -> Ints:
        """(k,) demand row of each pair."""
        return np.repeat(np.arange(self.demands), self.counts)

    def within(self, cutoff: float) -> Pairs:
        """Keep the pairs no further apart than a cutoff, inclusive."""
        near = self.distance <= cutoff + SLACK
        if near.all():
            return self
        return self.keep(near)

    def keep(self, kept: NDArray[np.bool_]) -> Pairs:
        """Keep some of the pairs: (k,) which."""
        before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
        return Pairs(before[self.start], self.site[kept], self.distance[kept], self.sites)

    def by_site(self) -> BySite:
        """Turn the pairs around: the same, seen from the sites."""
        # Positions rather than distances as values, so that a distance of nought stays.
        whole = sp.csr_array(
            (np.arange(len(self.site)), self.site, self.start), shape=(self.demands, self.sites)
        ).tocsc()
        return BySite(
            whole.indptr.astype(np.int64),
            whole.indices.astype(np.int32),
            self.distance[whole.data],
        )

    def nearest(self, is_open: NDArray[np.bool_]) -> tuple[Ints, Floats]:
        """Nearest open site of each demand row, of equals the first; -1 and inf without one.

        Parameters
        ----------
        is_open
            (m,) which sites are open.
        """
        found = np.flatnonzero(is_open[self.site])
        first = np.searchsorted(found, self.start[:-1])
        site = np.full(self.demands, -1, dtype=np.int64)
        distance = np.full(self.demands, np.inf)
        has = first < len(found)
        has[has] = found[first[has]] < self.start[1:][has]
        at = found[first[has]]
        site[has], distance[has] = self.site[at], self.distance[at]
        return site, distance

    def __repr__(self) -> str:
        counts = self.counts
        most = int(counts.max()) if len(counts) else 0
        return (
            f"<Pairs: {len(self.site):,} of {self.demands:,} demand rows × {self.sites:,} sites, "
            f"at most {most:,} a row>"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Instance:
    """Demand and sites of a siting problem.

    Attributes
    ----------
    pairs
        Which sites come near which demand. In covering every pair counts as covered, so
        take `Pairs.within` a cutoff first.
    people
        (n,) weight of each demand row, of at least nought.
    role
        (m,) `Role` of each site.
    cost
        (m,) cost of opening each site, of at least nought.
    capacity
        (m,) people each site can serve, inf without a limit.
    unit
        (m,) unit of account in which each site lies, -1 in none.
    area
        (n,) unit of account in which each demand row lies, -1 in none.

    Raises
    ------
    InputError
        An array of the wrong length or with values that make no sense.

    Examples
    --------
    >>> near = Pairs.from_dense([[1.0, 2.0], [float("inf"), 3.0]])
    >>> Instance.of(near, people=[10, 5])
    <Instance: 2 demand rows with 15 people, 2 sites (2 candidate), 3 pairs>
    """

    pairs: Pairs
    people: Floats
    role: NDArray[np.int8]
    cost: Floats
    capacity: Floats
    unit: Ints
    area: Ints

    @classmethod
    def of(
        cls,
        pairs: Pairs,
        *,
        people: ArrayLike | None = None,
        role: ArrayLike | None = None,
        cost: ArrayLike | None = None,
        capacity: ArrayLike | None = None,
        unit: ArrayLike | None = None,
        area: ArrayLike | None = None,
    ) -> Self:
        """Fill in what is usual where nothing is given.

        Everyone weighs 1, every site is a candidate of cost 1 without a limit of
        capacity, and nothing lies in a unit.
        """
        n, m = pairs.demands, pairs.sites

        def filled(given: ArrayLike | None, size: int, usual: float, kind: type) -> NDArray[Any]:
            return np.full(size, usual, kind) if given is None else np.asarray(given, kind)

        return cls(
            pairs,
            filled(people, n, 1.0, np.float64),
            filled(role, m, Role.CANDIDATE, np.int8),
            filled(cost, m, 1.0, np.float64),
            filled(capacity, m, np.inf, np.float64),
            filled(unit, m, -1, np.int64),
            filled(area, n, -1, np.int64),
        )

    def __post_init__(self) -> None:
        n, m = self.demands, self.sites
        for name, size in (("people", n), ("area", n), ("role", m), ("cost", m), ("capacity", m)):
            _sized(getattr(self, name), name, size)
        _sized(self.unit, "unit", m)
        _refuse(~(self.people >= 0) | np.isinf(self.people), "siting.people")
        _refuse(~np.isin(self.role, list(Role)), "siting.role")
        _refuse(~(self.cost >= 0) | np.isinf(self.cost), "siting.cost")
        _refuse(~(self.capacity >= 0), "siting.capacity")

    @property
    def demands(self) -> int:
        """Number of demand rows."""
        return self.pairs.demands

    @property
    def sites(self) -> int:
        """Number of sites."""
        return self.pairs.sites

    @property
    def existing(self) -> NDArray[np.bool_]:
        """(m,) sites that are open anyway."""
        return np.asarray(self.role == Role.EXISTING)

    @property
    def required(self) -> NDArray[np.bool_]:
        """(m,) sites that must be opened."""
        return np.asarray(self.role == Role.REQUIRED)

    @property
    def openable(self) -> NDArray[np.bool_]:
        """(m,) sites that may be opened: candidates and those required."""
        return np.asarray((self.role == Role.CANDIDATE) | self.required)

    def is_open(self, opened: ArrayLike) -> NDArray[np.bool_]:
        """(m,) what is open once some sites are opened: those and what exists."""
        whole = self.existing.copy()
        whole[np.asarray(opened, dtype=np.int64)] = True
        return whole

    def __repr__(self) -> str:
        roles = ", ".join(
            f"{count:,} {role.name.lower()}"
            for role in Role
            if (count := int((self.role == role).sum()))
        )
        return (
            f"<Instance: {self.demands:,} demand rows with {self.people.sum():,.6g} people, "
            f"{self.sites:,} sites ({roles}), {len(self.pairs.site):,} pairs>"
        )


def _sized(values: NDArray[Any], name: str, size: int) -> None:
    if values.shape != (size,):
        raise InputError(
            text("siting.lengths", name=name, found="×".join(map(str, values.shape)), wanted=size)
        )


def _refuse(wrong: NDArray[np.bool_], key: str) -> None:
    if wrong.any():
        rows = np.flatnonzero(wrong)
        shown = ", ".join(str(row) for row in rows[:_SHOWN]) + ("…" if len(rows) > _SHOWN else "")
        raise InputError(text(key, rows=shown))
