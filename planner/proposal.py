"""Proposals: where the facilities may go that a target still lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.siting.site import site

if TYPE_CHECKING:
    from typing import Any

    from planner.indicators import Indicator
    from planner.siting.siting import Siting


def proposal(
    indicator: Indicator, *, planned: bool = False, seconds: float = 60.0, **options: Any
) -> Siting | None:
    """Find where the facilities may go that a target still lacks.

    Each unit that is short of its quota gets as many as it lacks, and no other unit any; a
    count of the city is put where it serves most. Among all ways to do so the one that
    serves the most people of the service's group besides those served already (maximal
    covering, see `planner.siting`). Candidates are what the city lists as planned or
    candidate, and junctions.

    Parameters
    ----------
    indicator
        Indicator of a target by quota or count of facilities.
    planned
        Leave out what planned facilities, opened by the goal's year, will make up for.
    seconds
        Stop the solver after this time with the best so far.
    options
        Further fields of `planner.siting.Problem`, such as ``spacing`` or ``candidates``.

    Returns
    -------
    The siting, or None where nothing is missing or facilities do not make the target. It
    says so where units are short of places.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import monitor
    >>> told = monitor(embedded("small"), 2023, keys=("clinics_by_district",))
    >>> made = proposal(told["clinics_by_district"])
    >>> sorted(made.sites["district"].value_counts().items())[:2]
    [('330110', 1), ('330112', 1)]
    """
    target = indicator.target
    measures = indicator.measures
    counted = target.kind == "quota" or (target.kind == "count" and target.measure == "facilities")
    if not counted or indicator.goal is None or target.service is None:
        return None
    table = indicator.by(target.level)
    lacking = table["missing"].fillna(0)
    if planned:
        lacking = (lacking - table["planned"]).clip(lower=0)
    count = int(lacking.sum())
    if not count:
        return None
    limits = (
        {
            str(code): int(many)
            for code, many in zip(table["code"], lacking, strict=True)
            if many > 0
        }
        if target.kind == "quota"
        else {}
    )
    standard = measures.plan.services[target.service].standard
    return site(
        measures.city,
        target.service,
        services=measures.bench.services,
        network=measures.bench.network(standard),
        homes=measures.bench.homes(standard, limit=measures.limit),
        seconds=seconds,
        model="mclp",
        p=count,
        exactly=True,
        year=indicator.year,
        at_least=limits,
        limit=measures.limit,
        **options,
    )
