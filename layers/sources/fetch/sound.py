"""Whether a downloaded file is whole and of its kind."""

import struct
from pathlib import Path

import osmium
from osmium.filter import EntityFilter

from layers.errors import SourceError
from layers.messages import text
from layers.sources.osm.ways import readable

# Of a TIFF's entries: where the strips or tiles lie and how long they are.
_PLACES, _LENGTHS = (273, 324), (279, 325)
_SIZES = {3: "H", 4: "I", 16: "Q"}
_BIG = 43
_MOST_DIRECTORIES = 64


def openstreetmap(path: Path) -> None:
    """Read a file of OpenStreetMap from end to end.

    Raises
    ------
    SourceError
        It is cut short or of another kind.
    """
    with readable(path):
        nothing = EntityFilter(osmium.osm.NOTHING)
        for _ in osmium.FileProcessor(str(path)).with_filter(nothing):
            pass


def date_of(path: Path) -> str:
    """When a file of OpenStreetMap says that its data were taken; empty if it does not."""
    with osmium.io.Reader(str(path), osmium.osm.NOTHING) as reader:
        return str(reader.header().get("osmosis_replication_timestamp") or "")


def raster(path: Path) -> None:
    """Hold the parts that a TIFF tells of against its length.

    Raises
    ------
    SourceError
        It is cut short or of another kind.
    """
    content = path.read_bytes()
    try:
        reach = _reach(content)
    except (struct.error, KeyError, ValueError) as wrong:
        raise SourceError(text("error.raster_unsound", path=path.name)) from wrong
    if reach > len(content):
        raise SourceError(text("error.raster_unsound", path=path.name))


def _reach(content: bytes) -> int:
    """End of the last strip or tile."""
    order = {b"II": "<", b"MM": ">"}[content[:2]]
    big = struct.unpack_from(f"{order}H", content, 2)[0] == _BIG
    wide, head, entry = ("Q", 8, 20) if big else ("I", 4, 12)
    (at,) = struct.unpack_from(f"{order}{wide}", content, head)
    reach = 0
    for _ in range(_MOST_DIRECTORIES):
        counts = "Q" if big else "H"
        (entries,) = struct.unpack_from(f"{order}{counts}", content, at)
        begin = at + struct.calcsize(counts)
        values: dict[int, tuple[int, ...]] = {}
        for row in range(entries):
            where = begin + row * entry
            tag, kind = struct.unpack_from(f"{order}HH", content, where)
            if tag not in {*_PLACES, *_LENGTHS}:
                continue
            (count,) = struct.unpack_from(f"{order}{wide}", content, where + 4)
            form = f"{order}{count}{_SIZES[kind]}"
            field = where + 4 + struct.calcsize(wide)
            if struct.calcsize(form) > struct.calcsize(wide):
                (field,) = struct.unpack_from(f"{order}{wide}", content, field)
            values[tag] = struct.unpack_from(form, content, field)
        for places, lengths in zip(_PLACES, _LENGTHS, strict=True):
            parts = zip(values.get(places, ()), values.get(lengths, ()), strict=True)
            reach = max([reach, *(place + length for place, length in parts)])
        (at,) = struct.unpack_from(f"{order}{wide}", content, begin + entries * entry)
        if not at:
            return reach
    raise ValueError("directories without end")
