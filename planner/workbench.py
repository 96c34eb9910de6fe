"""A city with its networks, for many questions one after the other."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Self

from layers.errors import InputError
from layers.messages import text
from planner import barriers, positions
from planner.coverage import Coverage, coverage
from planner.ground import Ground
from planner.live import LiveCoverage
from planner.memo import Memo
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

    Several threads may ask at the same time; what one of them computes, others wait for
    only if they want the same.

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
        self._ground: Memo[Ground] = Memo()
        self._first: Memo[tuple[Hashable, Network]] = Memo()
        self._networks: Memo[Network] = Memo()
        self._homes: Memo[Positions] = Memo()
        self._places: Memo[Floats] = Memo()

    def serving(self, services: Services) -> Self:
        """Make one of other services that holds the same networks and homes, not copies of them."""
        other = copy(self)
        other.services = services
        return other

    def network(self, standard: Standard) -> Network:
        """Compile the streets for a standard's mode and speed, or find them again."""
        which = _pace(standard)

        def make() -> Network:
            pace, first = self._first.get(standard.mode, lambda: (which, self._build(standard)))
            # Of one mode the streets are compiled once, whatever the speed.
            return first if pace == which else first.at_pace(**standard.pace)

        return self._networks.get(which, make)

    def _build(self, standard: Standard) -> Network:
        def ground() -> Ground:
            streets = self.city.streets if self.barred is None else self.barred.streets
            return Ground.of(streets, crs=self.city.crs)

        return Network.build(
            self._ground.get("", ground),
            standard.mode,
            node_delays=None if self.barred is None else self.barred.delays,
            elevation=self._elevation,
            **standard.pace,
        )

    def homes(self, standard: Standard, *, limit: float = 300.0) -> Positions:
        """Place the population on the network of a standard, or find it again."""
        network, population = self.network(standard), self.city.population

        def make() -> Positions:
            places = self._places.get(
                "", lambda: positions.places(population.geometry, network.crs)
            )
            return network.locate_places(population.index, places, limit=limit)

        # Positions hold whatever the speed.
        return network.positions_of(self._homes.get((standard.mode, limit), make))

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
