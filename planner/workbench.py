"""A city with its networks, for many questions one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.coverage import Coverage, coverage
from planner.ground import Ground
from planner.network import Network
from planner.standards import Services, Standard, load_services

if TYPE_CHECKING:
    from collections.abc import Hashable

    from layers import City
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
        self._ground: Ground | None = None
        self._networks: dict[Hashable, Network] = {}
        self._homes: dict[Hashable, Positions] = {}

    def network(self, standard: Standard) -> Network:
        """Compile the streets for a standard's mode and speed, or find them again."""
        which = _pace(standard)
        if which not in self._networks:
            same = next(
                (made for made in self._networks.values() if made.mode == standard.mode), None
            )
            if self._ground is None:
                self._ground = Ground.of(self.city.streets, crs=self.city.crs)
            self._networks[which] = (
                same.at_pace(**standard.pace)
                if same is not None
                else Network.build(self._ground, standard.mode, **standard.pace)
            )
        return self._networks[which]

    def homes(self, standard: Standard, *, limit: float = 300.0) -> Positions:
        """Place the population on the network of a standard, or find it again."""
        network, which = self.network(standard), (standard.mode, limit)
        if which not in self._homes:
            self._homes[which] = network.locate(self.city.population, limit=limit)
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
        )


def _pace(standard: Standard) -> Hashable:
    """Mode and pace, which decide the network."""
    return standard.mode, tuple(standard.pace.items())
