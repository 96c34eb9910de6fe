"""The check of a city: everything wrong with its layers, and across them."""

from datetime import UTC, datetime

from layers import City
from layers.findings import Finding, in_order
from planner.ground import Ground
from planner.review.junctions import of_streets
from planner.review.land import of_land
from planner.review.networks import of_networks
from planner.review.sites import of_sites
from planner.review.tables import of_tables
from planner.standards import Services

__all__ = ["review"]


def review(
    city: City, services: Services, *, limit: float = 300.0, year: int | None = None
) -> list[Finding]:
    """Everything wrong with a city, errors first: its layers', and what lies across them.

    Parameters
    ----------
    city
        The city, which may hold errors; with them only its layers are looked at.
    services
        The known services; their modes are the networks looked at.
    limit
        Greatest access leg in metres.
    year
        The present year, by the clock when None.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import load_services
    >>> any(finding.severity == "error" for finding in review(embedded("small"), load_services()))
    False
    """
    found = city.findings(services=tuple(services))
    if any(finding.severity == "error" for finding in found):
        return found
    # Made ready once for everything that looks at the streets.
    ground = Ground.of(city.streets, crs=city.crs)
    # First, for tables in another datum are why much of the rest is found.
    found += of_tables(city, ground)
    found += of_streets(ground)
    found += of_networks(city, ground, services, limit=limit)
    found += of_land(city)
    found += of_sites(city, services, year=year or datetime.now(UTC).year)
    return in_order(found)
