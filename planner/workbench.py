"""A city with its networks, for many questions one after the other."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from layers.errors import InputError
from layers.messages import text
from planner import barriers, positions
from planner.coverage import Coverage, coverage
from planner.ground import Ground
from planner.live import LiveCoverage
from planner.network import Network
from planner.slopes import Elevation
from planner.standards import Services, Standard, load_services

if TYPE_CHECKING:
    import os
    from collections.abc import Hashable

    import geopandas as gpd

    from layers import City
    from layers.findings import Finding
    from planner._search import Floats
    from planner.certainty import Doubt
    from planner.parts import Barred
    from planner.positions import Positions
    from planner.reach import Towards


class Workbench:
    """A city with its networks and where people stand on them, each computed once.

    Parameters
    ----------
    city
        The city.
    services
        The services; the program's own when None.
    hindered_by
        Barriers that cut, close or delay streets; see `planner.barriers.apply`.
    elevation
        Raster of heights, which makes walking and cycling uphill take longer; see
        `planner.slopes`.
    doubt
        How well pace, homes and people are known, for the band around each rate.

    Examples
    --------
    >>> from layers import embedded
    >>> bench = Workbench(embedded("small"))
    >>> bench.coverage("fitness_circle").network is bench.coverage("mother_baby_room").network
    True
    """

    def __init__(
        self,
        city: City,
        *,
        services: Services | None = None,
        hindered_by: gpd.GeoDataFrame | None = None,
        elevation: Elevation | str | os.PathLike[str] | None = None,
        doubt: Doubt | None = None,
    ) -> None:
        self.city = city
        self.services = services or load_services()
        self.barred: Barred | None = None
        if hindered_by is not None:
            self.barred = barriers.apply(city.streets, hindered_by, crs=city.crs)
        self._elevation = elevation
        self._doubt = doubt
        self._ground: Ground | None = None
        self._networks: dict[Hashable, Network] = {}
        self._homes: dict[Hashable, Positions] = {}
        self._places: Floats | None = None

    def network(self, standard: Standard) -> Network:
        """Compile the streets for a standard's mode and speed, or find them again."""
        which = _pace(standard)
        if which not in self._networks:
            same = next(
                (made for made in self._networks.values() if made.mode == standard.mode), None
            )
            if self._ground is None:
                streets = self.city.streets if self.barred is None else self.barred.streets
                self._ground = Ground.of(streets, crs=self.city.crs)
            self._networks[which] = (
                same.at_pace(**standard.pace)
                if same is not None
                else Network.build(
                    self._ground,
                    standard.mode,
                    node_delays=None if self.barred is None else self.barred.delays,
                    elevation=self._elevation,
                    **standard.pace,
                )
            )
        return self._networks[which]

    def homes(self, standard: Standard, *, limit: float = 300.0) -> Positions:
        """Place the population on the network of a standard, or find it again."""
        network, which = self.network(standard), (standard.mode, limit)
        if which not in self._homes:
            population = self.city.population
            if self._places is None:
                self._places = positions.places(population.geometry, network.crs)
            self._homes[which] = network.locate_places(population.index, self._places, limit=limit)
        # Positions hold whatever the speed.
        return network.positions_of(self._homes[which])

    def coverage(
        self,
        service: str,
        *,
        year: int | None = None,
        towards: Towards = "facility",
        limit: float = 300.0,
    ) -> Coverage:
        """Compute who is served by a service; see `planner.coverage.coverage`."""
        own = self.services[service]
        return coverage(
            self.city,
            own,
            year=year,
            network=self.network(own.standard),
            homes=self.homes(own.standard, limit=limit),
            towards=towards,
            limit=limit,
            doubt=self._doubt,
        )

    def live(
        self,
        service: str,
        *,
        year: int | None = None,
        towards: Towards = "facility",
        limit: float = 300.0,
    ) -> LiveCoverage:
        """Coverage of a service that follows a scenario; see `planner.live.LiveCoverage`."""
        own = self.services[service]
        return LiveCoverage(
            self.city,
            own,
            services=self.services,
            year=year,
            network=self.network(own.standard),
            homes=self.homes(own.standard, limit=limit),
            towards=towards,
            limit=limit,
            doubt=self._doubt,
            barred=self.barred,
        )

    def of(self, city: City) -> Workbench:
        """Take another city on the same streets with the same people, compiling nothing.

        Parameters
        ----------
        city
            This city with other facilities, as a scenario that closes no street leaves it.

        Raises
        ------
        InputError
            It has other streets or other people.
        """
        same = city.streets is self.city.streets and city.population is self.city.population
        if not same:
            raise InputError(text("error.bench_other_city", name=city.name))
        made = copy(self)
        made.city = city
        return made

    @property
    def findings(self) -> list[Finding]:
        """What was found in barriers, and in the slopes of the networks made so far."""
        found = [] if self.barred is None else list(self.barred.findings)
        told = {}
        for network in self._networks.values():
            told[network.mode] = network.findings
        return found + [finding for some in told.values() for finding in some]

    def as_dict(self) -> dict[str, Any]:
        """Barriers, heights and findings as plain values for JSON."""
        source = self._elevation
        path = source.path if isinstance(source, Elevation) else source
        return {
            "barriers": None if self.barred is None else self.barred.as_dict(),
            "elevation": None if path is None else str(path),
            "findings": [finding.as_dict() for finding in self.findings],
        }


def _pace(standard: Standard) -> Hashable:
    """Mode and pace, which decide the network."""
    return standard.mode, tuple(standard.pace.items())
