"""A city with its networks, for many questions one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.coverage import Coverage, coverage
from planner.live import LiveCoverage
from planner.network import Network
from planner.standards import DEFAULT_SPEED_KMH, Services, Standard, load_services

if TYPE_CHECKING:
    from layers import City
    from layers.streets import Mode
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

    Examples
    --------
    >>> from layers import embedded
    >>> bench = Workbench(embedded("small"))
    >>> bench.coverage("fitness_circle").network is bench.coverage("mother_baby_room").network
    True
    """

    def __init__(self, city: City, *, services: Services | None = None) -> None:
        self.city = city
        self.services = services or load_services()
        self._networks: dict[tuple[Mode, float | None], Network] = {}
        self._homes: dict[tuple[Mode, float | None, float], Positions] = {}

    def network(self, standard: Standard) -> Network:
        """Compile the streets for a standard's mode and speed, or find them again."""
        which = _pace(standard)
        if which not in self._networks:
            mode, speed = which
            self._networks[which] = Network.build(
                self.city.streets, mode, crs=self.city.crs, speed_kmh=speed
            )
        return self._networks[which]

    def homes(self, standard: Standard, *, limit: float = 300.0) -> Positions:
        """Place the population on the network of a standard, or find it again."""
        which = (*_pace(standard), limit)
        if which not in self._homes:
            found = self.network(standard).locate(self.city.population, limit=limit)
            self._homes[which] = found
        return self._homes[which]

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
        )


def _pace(standard: Standard) -> tuple[Mode, float | None]:
    """Mode and speed that decide the network; cars go at their streets' speeds."""
    return standard.mode, standard.speed_kmh or DEFAULT_SPEED_KMH.get(standard.mode)
