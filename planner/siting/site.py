"""Site: find where new facilities do most good."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.coverage import PART, coverage, in_parts
from planner.siting.contribution import contributions
from planner.siting.control import Control
from planner.siting.phases import phased_cover
from planner.siting.problem import Problem
from planner.siting.setting import Setting, prepare
from planner.siting.siting import Siting, scenario_of
from planner.siting.solving import Solved, solve

if TYPE_CHECKING:
    from collections.abc import Callable

    from layers import City
    from planner.coverage import Coverage
    from planner.network import Network
    from planner.positions import Positions
    from planner.siting.control import Progress
    from planner.siting.instance import Floats, Ints
    from planner.standards import Services


def site(
    city: City,
    problem: Problem | str,
    *,
    services: Services | None = None,
    network: Network | None = None,
    homes: Positions | None = None,
    gap: float = 0.0,
    seconds: float = float("inf"),
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    **options: Any,
) -> Siting:
    """Find where new facilities do most good.

    Parameters
    ----------
    city
        The city, which stays as it is.
    problem
        The problem, or the key of the service, described by the options.
    services, network, homes
        As `planner.coverage` takes them.
    gap
        Stop once the best is proved to be this near the optimum, relatively.
    seconds
        Stop the solver after this time with the best so far. Ctrl-C does the same.
    progress, cancelled
        As `planner.siting.control.Control` takes them.
    options
        Fields of `Problem`: ``model="mclp"``, ``p=10``, ``budget=…`` and so on.

    Raises
    ------
    UnknownNameError, InputError
        As `Problem` and `planner.siting.setting.prepare` raise them. An infeasible
        problem is no error: the result says which limits contradict each other.

    Examples
    --------
    >>> from layers import embedded
    >>> plan = site(embedded("small"), "menopause_clinic", model="mclp", p=2)
    >>> len(plan.sites), plan.status
    (2, 'optimal')
    >>> bool(plan.sites["rate"].iloc[-1] == plan.after.total()["rate"])
    True
    """
    setting = prepare(
        city, Problem.of(problem, **options), services=services, network=network, homes=homes
    )
    control = Control(gap=gap, seconds=seconds, progress=progress, cancelled=cancelled)
    solved = solve(setting, control)
    chosen = solved.solution.sites
    phase = _phases(setting, solved, control)
    sites = _table(setting, chosen, phase)
    after = coverage(
        scenario_of(setting, sites).apply(city, services=services),
        setting.service,
        standard=setting.standard,
        year=setting.problem.year,
        network=setting.network,
        homes=setting.homes,
        towards=setting.problem.towards,
        limit=setting.problem.limit,
    )
    sites["people_nearest"] = _nearest(setting, sites, after)
    objective, bound = solved.solution.objective, solved.solution.bound
    if setting.cut and solved.solution.found:
        # Rows held but the nearest sites: the bound stands, the way is measured anew.
        away = after.demand["distance"].to_numpy()[setting.row]
        counts = setting.instance.pairs.counts > 0
        objective = float((setting.instance.people[counts] * away[counts]).sum())
        bound = min(bound, objective)
    return Siting(
        setting=setting,
        solved=solved,
        objective=objective,
        bound=bound,
        sites=sites,
        before=setting.before,
        after=after,
    )


def _phases(setting: Setting, solved: Solved, control: Control) -> pd.Series:
    """Year in which each chosen site opens; NA without phases."""
    chosen, years = solved.solution.sites, setting.problem.phases
    found = pd.Series(pd.NA, range(len(chosen)), dtype="Int64")
    if not years or not len(chosen):
        return found
    instance, limits = setting.instance, setting.limits
    if not setting.problem.traits.covers:
        # What a year does is told by the standard, whatever the end was chosen by.
        own = replace(setting.problem, model="mclp", reach=None)
        instance = prepare(
            setting.city,
            own,
            services={setting.service.key: setting.service},  # type: ignore[arg-type]
            network=setting.network,
            homes=setting.homes,
        ).instance
    end = replace(limits, floors={})
    plan = phased_cover(instance, end, years, end=chosen, value=setting.value, control=control)
    for year, opened in plan.opened.items():
        found[np.isin(chosen, opened)] = year
    return found


def _table(setting: Setting, chosen: Ints, phase: pd.Series) -> gpd.GeoDataFrame:
    """Chosen sites in the order in which they open, with what each adds."""
    level = setting.problem.level
    order = contributions(setting, chosen, phase.fillna(0).to_numpy(dtype=np.int64))
    table = setting.sites.iloc[chosen[order.order]].reset_index(drop=True)
    grows = table["upgrades"].notna()
    if grows.any():
        has = setting.before.facilities.set_index("id")["capacity"]
        table.loc[grows, "capacity"] += table.loc[grows, "upgrades"].map(has).to_numpy()
    table.insert(0, "order", np.arange(1, len(table) + 1))
    units = setting.city.units.set_index("code")
    code = table[level] if level in table else pd.Series(None, table.index, dtype=object)
    table["code"] = code
    table["unit"], table["unit_en"] = code.map(units["name"]), code.map(units["name_en"])
    fine = table[setting.before.levels[-1]]
    table["part"], table["part_en"] = fine.map(units["name"]), fine.map(units["name_en"])
    place = shapely.get_coordinates(np.asarray(table.geometry.array)).reshape(-1, 2)
    table["lon"], table["lat"] = place.T
    table["phase"] = phase.to_numpy()[order.order]
    table["phase"] = table["phase"].astype("Int64")
    table["people_new"] = order.new
    total = setting.before.total()
    # In whole parts, so that the last is the coverage afterwards to the last digit.
    served = (in_parts(np.array([total["served"]]))[0] + np.cumsum(in_parts(order.new))) * PART
    table["people_nearest"] = 0.0
    table["served"] = served
    table["rate"] = served / total["people"] if total["people"] > 0 else np.nan
    own = [
        *("order", "id", "name", "kind", "role", "upgrades", "code", "unit", "unit_en"),
        *("part", "part_en"),
        *(one for one in setting.before.levels),
        *("lon", "lat", "cost", "capacity", "phase"),
        *("people_new", "people_nearest", "served", "rate", "geometry"),
    ]
    return gpd.GeoDataFrame(table[own], geometry="geometry", crs=setting.sites.crs)


def _nearest(setting: Setting, sites: gpd.GeoDataFrame, after: Coverage) -> Floats:
    """People within the standard of whom each site is the nearest afterwards."""
    demand = after.demand.iloc[setting.row]
    parts = pd.Series(in_parts(setting.instance.people), demand.index)
    served = demand["served"].to_numpy()
    sums = parts[served].groupby(demand["facility"].to_numpy()[served]).sum() * PART
    return np.asarray(sites["id"].map(sums).fillna(0.0), dtype=np.float64)
