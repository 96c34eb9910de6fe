"""Facilities out of a file's tags."""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import shapely

from layers import facilities
from layers.crs import GEOGRAPHIC
from layers.errors import SourceError
from layers.findings import Finding
from layers.messages import text
from layers.sources.osm import things
from layers.sources.osm.rules import Rules

_SAMPLE = 6


def read_places(
    path: Path | str, *, service: str | None = None, rules: Rules | None = None
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Read the facilities that a file's tags tell of.

    Parameters
    ----------
    path
        File of OpenStreetMap.
    service
        Only this service; all of the table if None.
    rules
        What tags mean; the table ``osm.toml`` if None.

    Returns
    -------
    Facility layer, a point for each place, inside it if it is an area; the tags that made
    it one are its ``venue``. And which places could not be drawn.

    Raises
    ------
    SourceError
        The file cannot be read, or the table has no tags for the service.
    """
    path, rules = Path(path), rules or Rules.read()
    if service is not None and service not in rules.facilities:
        known = ", ".join(rules.facilities)
        raise SourceError(text("error.osm_service_unknown", found=service, known=known))
    chosen = {key: tests for key, tests in rules.facilities.items() if service in {None, key}}
    keys = {key for tests in chosen.values() for test in tests for key, _ in test}
    rows, lost = [], []
    repeated: list[str] = []
    for thing in things.read(path, sorted(keys), repeated=repeated):
        for key, tests in chosen.items():
            test = next((test for test in tests if _holds(test, thing.tags)), None)
            if test is None:
                continue
            if thing.geometry is None:
                lost.append(thing.id)
                continue
            rows.append(
                {
                    "id": f"{key}-{thing.id}",
                    "service": key,
                    "name": thing.tags.get("name", ""),
                    "venue": " & ".join("=".join(part) for part in test),
                    "source": f"{path.name} {thing.id}",
                    "geometry": shapely.point_on_surface(thing.geometry),
                }
            )
    columns = ["id", "service", "name", "venue", "source", "geometry"]
    layer = gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs=GEOGRAPHIC)
    found = []
    for code, labels in (("osm_places_lost", lost), ("osm_things_repeated", repeated)):
        if labels:
            some = ", ".join(labels[:_SAMPLE]) + (", …" if len(labels) > _SAMPLE else "")
            values = {"count": len(labels), "found": some}
            found.append(Finding(layer="facilities", code=code, severity="warning", values=values))
    return facilities.conform(layer), found


def _holds(test: tuple[tuple[str, str], ...], tags: Mapping[str, str]) -> bool:
    return all(
        tags.get(key, "no") != "no" if value == "*" else tags.get(key) == value
        for key, value in test
    )
