"""Tagged things of a file: points, lines and areas, closed ways and relations among them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import osmium
import shapely
from osmium.filter import KeyFilter
from osmium.geom import WKBFactory

from layers.sources.osm.ways import readable


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One thing.

    Attributes
    ----------
    id
        ``n``, ``w`` or ``r`` for node, way or relation, and OSM's number.
    tags
        All of them.
    geometry
        Where it is; None where the file lacks parts of it.
    """

    id: str
    tags: Mapping[str, str]
    geometry: Any


def read(path: Path, keys: Iterable[str]) -> Iterator[Thing]:
    """Read the things that have any of some keys.

    A closed way and a multipolygon come as an area alone.

    Parameters
    ----------
    path
        The file.
    keys
        The keys.

    Raises
    ------
    SourceError
        The file cannot be read.
    """
    with readable(path):
        wanted = KeyFilter(*keys)
        factory = WKBFactory()
        for entity in osmium.FileProcessor(str(path)).with_areas(wanted).with_filter(wanted):
            thing: Any = entity
            if thing.is_node():
                yield _thing(f"n{thing.id}", thing, factory.create_point)
            elif thing.is_area():
                kind = "w" if thing.from_way() else "r"
                yield _thing(f"{kind}{thing.orig_id()}", thing, factory.create_multipolygon)
            elif thing.is_way() and not thing.is_closed():
                yield _thing(f"w{thing.id}", thing, factory.create_linestring)


def _thing(label: str, thing: Any, draw: Any) -> Thing:
    try:
        geometry = shapely.from_wkb(draw(thing))
    except (RuntimeError, osmium.InvalidLocationError):
        geometry = None
    return Thing(id=label, tags=dict(thing.tags), geometry=geometry)
