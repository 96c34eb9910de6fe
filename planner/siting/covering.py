"""Covering: reach most people with what may be opened, or everyone with the fewest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from layers.errors import InputError
from layers.messages import text
from planner.siting.allocation import allocate, spent, wanted_people
from planner.siting.answer import answer, unsolved
from planner.siting.conflict import explain
from planner.siting.control import Watch
from planner.siting.fewest import fewest
from planner.siting.maximal import maximise
from planner.siting.reduction import reduced, served, without_dominated

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from planner.siting.control import Control
    from planner.siting.instance import Floats, Instance
    from planner.siting.limits import Limits
    from planner.siting.solution import Solution


def maximal_cover(
    instance: Instance,
    limits: Limits,
    *,
    value: ArrayLike | None = None,
    control: Control | None = None,
) -> Solution:
    """Serve as many people as the limits allow (Church and ReVelle 1974).

    Parameters
    ----------
    instance
        Demand and sites; every pair counts as near. With finite capacities people are
        allocated to sites, in parts if need be, and a site serves no more than it holds.
    limits
        What the choice must keep.
    value
        (k,) share of the demand that each pair's site serves, from 0 to 1, as
        `Pairs.distance` is laid out: partial cover by distance decay (Berman and Krass
        2002). The best open site counts. All are served wholly when None.
    control
        Time, gap, progress and interrupts.

    Returns
    -------
    The objective is people served, existing sites counted.

    Raises
    ------
    InputError
        Values outside 0 to 1 or of the wrong length.

    Examples
    --------
    >>> from planner.siting.instance import Instance, Pairs
    >>> from planner.siting.limits import Limits
    >>> far = float("inf")
    >>> near = Pairs.from_dense([[1, far], [1, 1], [far, 1]])
    >>> found = maximal_cover(Instance.of(near, people=[5, 9, 6]), Limits(number=1))
    >>> found.sites, found.objective, found.status
    (array([1]), 15.0, 'optimal')
    """
    shares = checked(instance, limits, value)
    with Watch(control) as watch:
        return most_people(instance, limits, watch, shares)


def set_cover(
    instance: Instance,
    limits: Limits,
    *,
    share: float | None = None,
    cheapest: bool = False,
    value: ArrayLike | None = None,
    control: Control | None = None,
) -> Solution:
    """Open the fewest sites, or the cheapest, that reach everyone (Toregas et al. 1971).

    Parameters
    ----------
    instance
        Demand and sites; every pair counts as near. Capacities as in `maximal_cover`.
        Rows without people need not be reached.
    limits
        What the choice must keep.
    share
        Least share of all people to be served. When None, everyone whom any site
        reaches that exists or may be opened.
    cheapest
        Least cost instead of fewest sites.
    value
        As in `maximal_cover`; goes with a share.
    control
        Time, gap, progress and interrupts.

    Returns
    -------
    The objective is the number of sites opened anew, or their cost.

    Raises
    ------
    InputError
        A share outside 0 to 1, or values without a share.

    Examples
    --------
    >>> from planner.siting.instance import Instance, Pairs
    >>> from planner.siting.limits import Limits
    >>> far = float("inf")
    >>> near = Pairs.from_dense([[1, far, far], [1, 1, far], [far, 1, 1]])
    >>> set_cover(Instance.of(near), Limits()).objective
    2.0
    """
    if share is not None and not 0 <= share <= 1:
        raise InputError(text("siting.share", found=share))
    if value is not None and share is None:
        raise InputError(text("siting.value_without_share"))
    shares = checked(instance, limits, value)
    with Watch(control) as watch:
        if np.isfinite(instance.capacity).any():
            return allocate(
                *("set_cover", "min", instance, limits, watch),
                share=share,
                cheapest=cheapest,
                value=shares,
            )
        found = fewest(instance, limits, watch, share=share, cheapest=cheapest, value=shares)
        if found.sites is None:
            everyone = share is None
            conflict = (
                explain(instance, limits, watch, share=share, everyone=everyone, value=shares)
                if found.infeasible
                else None
            )
            return unsolved("set_cover", "min", instance, found, watch, conflict)
        return answer(
            *("set_cover", "min", instance, limits, found, watch),
            objective=spent(instance, found.sites, cheapest=cheapest),
            value=shares,
            least=wanted_people(instance, share),
        )


def checked(instance: Instance, limits: Limits, value: ArrayLike | None) -> Floats | None:
    """Check that limits and shares served by pairs fit an instance; the shares as an array."""
    limits.check(instance)
    if value is None:
        return None
    shares = np.asarray(value, dtype=np.float64)
    if shares.shape != instance.pairs.site.shape:
        wanted, found = len(instance.pairs.site), len(shares)
        raise InputError(text("siting.lengths", name="value", found=found, wanted=wanted))
    if not ((shares >= 0) & (shares <= 1)).all():
        raise InputError(text("siting.value"))
    return shares


def most_people(instance: Instance, limits: Limits, watch: Watch, value: Floats | None) -> Solution:
    """Solve maximal cover as part of a greater whole; see `maximal_cover`."""
    if np.isfinite(instance.capacity).any():
        return allocate("maximal_cover", "max", instance, limits, watch, value=value)
    cover = reduced(instance, limits, value=value)
    cover = without_dominated(cover, instance, limits, costs=False)
    found = maximise(cover, instance, limits, watch, value=value)
    if found.sites is None:
        conflict = explain(instance, limits, watch, value=value) if found.infeasible else None
        return unsolved("maximal_cover", "max", instance, found, watch, conflict)
    share = served(instance, found.sites, value)
    return answer(
        *("maximal_cover", "max", instance, limits, found, watch),
        objective=float(instance.people @ share),
        share=share,
        value=value,
    )
