"""Quotas: facilities that units must have, as a plan's table states them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from layers.units import Level


@dataclass(frozen=True, kw_only=True)
class Quota:
    """Facilities that each unit of a level must have by the end of a year."""

    level: Level
    year: int
    facilities: int


def quotas_of(plan: Mapping[str, Any]) -> dict[str, tuple[Quota, ...]]:
    """Quotas of each service in the table of a valid plan, by level and year.

    Only what a count of all the service's facilities decides is a quota: not a target
    for one tier or kind of venue, nor one of capacity.

    Parameters
    ----------
    plan
        The table, as `tomllib` reads it; see `planner.plan.load_plan`.

    Examples
    --------
    >>> table = {"targets": [{"kind": "quota", "service": "clinic", "level": "district",
    ...                       "quotas": {"2023": 3}}]}
    >>> quotas_of(table)["clinic"]
    (Quota(level='district', year=2023, facilities=3),)
    """
    found: dict[str, list[Quota]] = {}
    for target in plan.get("targets", []):
        plain = not (target.get("tiers") or target.get("venues"))
        counted = target.get("kind") == "quota" or (
            target.get("kind") == "count" and target.get("measure", "facilities") == "facilities"
        )
        if not (plain and counted and target.get("service")):
            continue
        stated = target.get("quotas") or target.get("goals") or {}
        found.setdefault(target["service"], []).extend(
            Quota(level=target.get("level", "city"), year=int(year), facilities=int(least))
            for year, least in stated.items()
        )
    return {
        service: tuple(sorted(quotas, key=lambda quota: (quota.year, quota.level)))
        for service, quotas in found.items()
    }
