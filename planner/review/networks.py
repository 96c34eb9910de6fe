"""Findings that only a compiled network can tell: what cannot be reached, and who."""

from collections.abc import Iterator

import numpy as np

from layers import City
from layers.errors import InputError
from layers.facilities import open_in
from layers.findings import Finding
from layers.messages import Spoken
from layers.streets import MODES, Mode
from planner.ground import Ground
from planner.network import Network
from planner.standards import Services


def of_networks(
    city: City, ground: Ground, services: Services, *, limit: float
) -> Iterator[Finding]:
    """Tell of every mode that a service uses which streets, people and facilities it loses.

    Parameters
    ----------
    city
        A city whose layers are valid.
    ground
        Its streets, made ready.
    services
        The known services.
    limit
        Greatest access leg in metres.
    """
    wanted = {service.standard.mode for service in services.values()}
    for mode in MODES:
        if mode in wanted:
            yield from _of_mode(city, ground, services, mode, limit)


def _of_mode(
    city: City, ground: Ground, services: Services, mode: Mode, limit: float
) -> Iterator[Finding]:
    named = Spoken.of(f"mode.{mode}")
    try:
        network = Network.build(ground, mode)
    except InputError:
        yield Finding(
            layer="streets", code="mode_closed", severity="warning", values={"mode": named}
        )
        return
    if network.cut_off.any():
        small = np.unique(network.component[network.u[network.cut_off]])
        nearest = network.locate(city.population, limit=limit, islands=True).edge
        there = (nearest >= 0) & network.cut_off[nearest]
        people = float(city.population["residents"][there].sum())
        yield Finding(
            layer="streets",
            code="streets_detached",
            severity="warning" if people else "info",
            rows=tuple(network.streets.index[network.cut_off]),
            values={
                "mode": named,
                "count": len(small),
                "kilometres": float(network.length[network.cut_off].sum() / 1000),
                "people": people,
            },
        )
    people_at = network.locate(city.population, limit=limit)
    lost = ~people_at.placed.to_numpy()
    if lost.any():
        yield Finding(
            layer="population",
            code="people_unplaced",
            severity="warning",
            rows=tuple(city.population.index[lost]),
            values={
                "mode": named,
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
            values={"mode": named, "limit": limit},
        )
