"""Findings that only a compiled network can tell: what cannot be reached, and who."""

from collections.abc import Iterator

import numpy as np

from layers import City
from layers.errors import InputError
from layers.facilities import open_in
from layers.findings import Finding, in_order
from layers.messages import text
from layers.streets import MODES, Mode
from planner.network import Network
from planner.standards import Services


def review(city: City, services: Services, *, limit: float = 300.0) -> list[Finding]:
    """Everything wrong with a city, errors first: its layers', and its networks'.

    Parameters
    ----------
    city
        The city, which may hold errors.
    services
        The known services; their modes are the networks looked at.
    limit
        Greatest access leg in metres.
    """
    found = city.findings(services=tuple(services))
    if any(finding.severity == "error" for finding in found):
        return found
    wanted = {service.standard.mode for service in services.values()}
    for mode in MODES:
        if mode in wanted:
            found += _of_mode(city, services, mode, limit)
    return in_order(found)


def _of_mode(city: City, services: Services, mode: Mode, limit: float) -> Iterator[Finding]:
    try:
        network = Network.build(city.streets, mode, crs=city.crs)
    except InputError:
        yield Finding(
            layer="streets",
            code="mode_closed",
            severity="warning",
            values={"mode": text(f"mode.{mode}")},
        )
        return
    if network.cut_off.any():
        small = np.unique(network.component[network.u[network.cut_off]])
        yield Finding(
            layer="streets",
            code="streets_detached",
            severity="info",
            rows=tuple(network.streets.index[network.cut_off]),
            values={
                "mode": text(f"mode.{mode}"),
                "count": len(small),
                "kilometres": float(network.length[network.cut_off].sum() / 1000),
            },
        )
    people = network.locate(city.population, limit=limit)
    lost = ~people.placed.to_numpy()
    if lost.any():
        yield Finding(
            layer="population",
            code="people_unplaced",
            severity="warning",
            rows=tuple(city.population.index[lost]),
            values={
                "mode": text(f"mode.{mode}"),
                "limit": limit,
                "people": float(city.population["residents"][lost].sum()),
            },
        )
    keys = [key for key, service in services.items() if service.standard.mode == mode]
    sites = open_in(city.facilities)
    sites = sites[sites["service"].isin(keys)]
    astray = ~network.locate(sites, limit=limit).placed.to_numpy()
    if astray.any():
        yield Finding(
            layer="facilities",
            code="facility_unplaced",
            severity="warning",
            rows=tuple(sites.loc[astray, "id"]),
            values={"mode": text(f"mode.{mode}"), "limit": limit},
        )
