"""Findings about the datum of each table that the city's points came from."""

from collections.abc import Iterator
from typing import Any

from layers import City
from layers.findings import Finding
from layers.messages import Spoken
from planner.ground import Ground
from planner.review.backdrop import Backdrop
from planner.review.datum import DatumTest, datum_test
from planner.review.readings import AS_IS


def of_tables(city: City, ground: Ground) -> Iterator[Finding]:
    """Test the datum of the population, and of the facilities by source and service.

    Parameters
    ----------
    city
        A city whose layers are valid.
    ground
        Its streets, made ready.
    """
    backdrop = Backdrop(ground)
    people = city.population
    test = datum_test(people.geometry, backdrop, weights=people["residents"])
    if test.wrong:
        yield _told("population", Spoken.of("layer.population"), (), test)
    for (source, service), sites in city.facilities.groupby(["source", "service"], sort=True):
        test = datum_test(sites.geometry, backdrop)
        if test.wrong:
            named = f"{source} ({service})" if source else str(service)
            yield _told("facilities", named, tuple(sites["id"]), test)


def _told(layer: str, table: str | Spoken, rows: tuple[object, ...], test: DatumTest) -> Finding:
    assert test.reading is not None
    better, now = test.fits.loc[[test.reading]].iloc[0], test.fits.loc[[AS_IS]].iloc[0]
    values: dict[str, Any] = {
        "table": table,
        "used": test.used,
        "option": f"datum={test.reading.truth}",
    }
    values |= test.reading.words()
    if test.kind == "points":
        values |= {"before": float(now["median"]), "after": float(better["median"])}
    else:
        values |= {"before": float(now["fit"]), "after": float(better["fit"])}
    return Finding(
        layer=layer,
        code="datum_of_points" if test.kind == "points" else "datum_of_cells",
        severity="warning",
        rows=rows,
        values=values,
    )
