"""Reliance: how many people a facility serves, and how many of them nobody else does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from layers import facilities as facility_layer
from layers.errors import UnknownNameError
from layers.messages import text
from planner.coverage import PART, in_parts, within
from planner.reach import measure

if TYPE_CHECKING:
    from layers.population import Group
    from planner.coverage import Coverage
    from planner.positions import Positions


@dataclass(frozen=True, kw_only=True)
class Reliance:
    """Whom a facility serves, of those who live in any unit.

    Attributes
    ----------
    facility
        Its id.
    reached
        People within the cutoff of it, whoever else serves them.
    alone
        Of these, people within the cutoff of no other facility: they would be lost with it.
    nearest
        People within the cutoff to whom it is the nearest.
    beyond
        People to whom it is the nearest, but who live beyond the cutoff.
    """

    facility: str
    reached: float
    alone: float
    nearest: float
    beyond: float


def reliance(
    result: Coverage,
    facility: str,
    *,
    cutoff: float | None = None,
    group: Group | None = None,
    homes: Positions | None = None,
) -> Reliance:
    """Tell how many people a facility serves, and how many of them no other does.

    Parameters
    ----------
    result
        A coverage; its own cutoff and group count where none are given.
    facility
        Id of one of its facilities.
    cutoff
        In the standard's unit, inclusive.
    group
        Group of people.
    homes
        Positions of the population layer's rows on the result's network, to save finding
        them again.

    Raises
    ------
    UnknownNameError
        The result counts no such facility.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import coverage
    >>> from planner.changes import Close
    >>> from planner.scenario import Scenario
    >>> city = embedded("small")
    >>> result = coverage(city, "menopause_clinic")
    >>> first = result.facilities["id"].iloc[0]
    >>> without = coverage(Scenario((Close(id=first),)).apply(city), "menopause_clinic")
    >>> lost = result.total()["served"] - without.total()["served"]
    >>> bool(reliance(result, first).alone == lost)
    True
    """
    if facility not in set(result.facilities["id"]):
        raise UnknownNameError(text("reliance.unknown", found=facility))
    standard, sites = result.standard, result.reach.origins
    cutoff = standard.cutoff if cutoff is None else cutoff
    network, towards = result.network, result.reach.towards
    found = network.positions_of(result.city.population if homes is None else homes)
    bound: dict[str, Any] = {"cutoff" if standard.unit == "m" else "cutoff_min": cutoff}
    doors = result.city.facilities.loc[sites.index]
    mine = np.asarray(facility_layer.owners(doors) == facility)
    demand = result.demand
    inside = demand[result.levels].notna().any(axis=1).to_numpy()
    people = in_parts(result.city.population[group or standard.group].to_numpy(dtype=np.float64))

    def reached(which: np.ndarray, rows: np.ndarray) -> np.ndarray:
        reach = network.reach(sites.take(np.flatnonzero(which)), towards=towards, **bound)
        return within(measure(reach, found.take(rows))[0], cutoff)

    living = np.flatnonzero(inside & (people > 0))
    nearest = (demand["facility"] == facility).to_numpy()[living]
    served = within(demand["distance"].to_numpy()[living], cutoff)
    # Only where it is the nearest can it be the only one.
    own = living[nearest & served]
    return Reliance(
        facility=facility,
        reached=float(people[living[reached(mine, living)]].sum() * PART),
        alone=float(people[own[~reached(~mine, own)]].sum() * PART),
        nearest=float(people[own].sum() * PART),
        beyond=float(people[living[nearest & ~served]].sum() * PART),
    )
