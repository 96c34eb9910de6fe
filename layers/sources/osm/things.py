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


def read(path: Path, keys: Iterable[str], *, repeated: list[str]) -> Iterator[Thing]:
    """Read the things that have any of some keys.

    A closed way and a multipolygon come as an area alone. A thing that is there twice, as
    in extracts put together, comes once.

    Parameters
    ----------
    path
        The file.
    keys
        The keys.
    repeated
        Takes the labels of things that were there before.

    Raises
    ------
    SourceError
        The file cannot be read.
    """
    with readable(path):
        wanted = KeyFilter(*keys)
        factory = WKBFactory()
        seen: dict[str, set[int]] = {kind: set() for kind in "nwr"}

        def is_new(kind: str, number: int) -> bool:
            if number in seen[kind]:
                repeated.append(f"{kind}{number}")
                return False
            seen[kind].add(number)
            return True

        for entity in osmium.FileProcessor(str(path)).with_areas(wanted).with_filter(wanted):
            thing: Any = entity
            if thing.is_node():
                if is_new("n", thing.id):
                    yield _thing(f"n{thing.id}", thing, factory.create_point)
            elif thing.is_area():
                kind = "w" if thing.from_way() else "r"
                if is_new(kind, thing.orig_id()):
                    yield _thing(f"{kind}{thing.orig_id()}", thing, factory.create_multipolygon)
            elif thing.is_way() and not thing.is_closed() and is_new("w", thing.id):
                yield _thing(f"w{thing.id}", thing, factory.create_linestring)


def _thing(label: str, thing: Any, draw: Any) -> Thing:
    try:
        geometry = shapely.from_wkb(draw(thing))
    except (RuntimeError, osmium.InvalidLocationError):
        geometry = None
    return Thing(id=label, tags=dict(thing.tags), geometry=geometry)
