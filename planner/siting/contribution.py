"""Contribution: what each site adds, in the order of that."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.coverage import PART, in_parts
from planner.distances import pairs

if TYPE_CHECKING:
    from planner.coverage import Coverage
    from planner.positions import Positions
    from planner.siting.instance import Floats, Ints
    from planner.siting.setting import Setting


@dataclass(frozen=True, eq=False, repr=False)
class Contribution:
    """What sites add one after the other.

    Attributes
    ----------
    order
        Places of the sites among those handed in.
    new
        People newly reached under the standard with each, in that order.
    """

    order: Ints
    new: Floats


def contributions(setting: Setting, chosen: Ints, phase: Ints) -> Contribution:
    """Order sites by what each adds to those before it, phase by phase.

    Parameters
    ----------
    setting
        The problem laid out on a city.
    chosen
        (k,) sites, as the instance counts them.
    phase
        (k,) which come first: lower ones do.

    Returns
    -------
    Of equal ones the first comes first. New people are those within the standard's
    cutoff whom neither an existing site nor one before reaches, whatever the model.
    """
    near = _newly(setting, setting.before, setting.positions.take(chosen))
    people = setting.city.population[setting.standard.group].to_numpy(dtype=np.float64)
    parts = in_parts(people)
    free = np.ones(len(people), dtype=bool)
    order, new = [], []
    for one in np.unique(phase):
        heap = [(-int(parts[near[at]].sum()), int(at)) for at in np.flatnonzero(phase == one)]
        heapq.heapify(heap)
        while heap:
            _, at = heapq.heappop(heap)
            still = near[at][free[near[at]]]
            gain = int(parts[still].sum())
            # What a site adds can but fall as others open.
            if heap and (-gain, at) > heap[0]:
                heapq.heappush(heap, (-gain, at))
                continue
            free[still] = False
            order.append(at)
            new.append(gain * PART)
    return Contribution(np.array(order, dtype=np.int64), np.array(new, dtype=np.float64))


def _newly(setting: Setting, before: Coverage, sites: Positions) -> list[Ints]:
    """Rows of the population that each site reaches and nothing does so far."""
    rows = setting.row[~before.demand["served"].to_numpy()[setting.row]]
    cutoff = setting.standard.cutoff
    found: list[Ints] = []
    for part in pairs(
        *(setting.network, sites, setting.homes.take(rows)),
        towards=setting.problem.towards,
        cutoff=None if setting.standard.unit == "min" else cutoff,
        cutoff_min=cutoff if setting.standard.unit == "min" else None,
    ):
        found += [
            rows[part.target[first:last]]
            for first, last in zip(part.start[:-1], part.start[1:], strict=True)
        ]
    return found
