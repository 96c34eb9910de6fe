"""The ways of a file: their nodes, places, names and verdicts, in one pass."""

from array import array
from binascii import unhexlify
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import osmium
from osmium.filter import KeyFilter
from osmium.geom import WKBFactory, use_nodes

from layers.errors import SourceError
from layers.messages import text
from layers.sources.osm import squares
from layers.sources.osm.barriers import bits
from layers.sources.osm.chains import Flags, Floats, Ints
from layers.sources.osm.rules import KEYS, Judged, Rules, Verdict

SUFFIXES = (".osm", ".osm.pbf", ".osm.gz", ".osm.bz2")

# Byte order, kind and number of points stand before the coordinates.
_WKB_HEAD = 9
# How the decoders of PBF, gzip, bzip2 and XML say that a file ends too soon.
_CUT_SHORT = ("EOF", "close failed", "read failed: -7", "unclosed", "no element")
_WAY = osmium.osm.NODE | osmium.osm.WAY

Place = tuple[int, float, float]
"""A node's id, longitude and latitude."""

Kind = tuple[int, int, bool]
"""Numbers of a way's verdict and name, and whether it is an outline."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ways:
    """Ways that somebody may use, their points one after the other.

    A way that lacks nodes in its middle is there as several runs.

    Attributes
    ----------
    way
        OSM's id of each run's way.
    size
        Points of each run.
    ref
        OSM's id of the node at each point.
    xy
        Longitude and latitude of each point.
    verdict, name
        Rows of `verdicts` and `names` that each run has.
    outline
        Whether each run is the edge of an area, such as a square.
    verdicts, names
        Every one there is.
    read
        Ways in the file that are streets by their class, or might be.
    others
        Ways left out by the value of ``highway``: no class of the table.
    closed, reversible, unread, cut, lost, still
        Ids of ways that nobody may use; whose direction changes by the hour; whose limit
        is not understood (with the limit); that lack some nodes; of which no stretch is
        left; that have a single node.
    barriers
        Modes that each node with a barrier keeps out, as `barriers.bits`.
    nodes_missing
        Nodes that the ways name and the file lacks.
    squares_cut
        Squares drawn as relations that lack ways of theirs.
    date
        When the data were taken, as the file says it.
    """

    way: Ints
    size: Ints
    ref: Ints
    xy: Floats
    verdict: Ints
    name: Ints
    outline: Flags
    verdicts: tuple[Verdict, ...]
    names: tuple[str, ...]
    read: int
    others: Counter[str]
    closed: tuple[int, ...]
    reversible: tuple[int, ...]
    unread: dict[int, str]
    cut: tuple[int, ...]
    lost: tuple[int, ...]
    still: tuple[int, ...]
    barriers: dict[int, int]
    nodes_missing: int
    squares_cut: int
    date: str

    def take(self, kept: Flags) -> tuple[Ints, Floats, Ints]:
        """Nodes and places of the runs under a mask, and the run of each, from zero."""
        if kept.all():
            return self.ref, self.xy, np.repeat(np.arange(len(self.size)), self.size)
        points = np.repeat(kept, self.size)
        run = np.repeat(np.arange(int(kept.sum())), self.size[kept])
        return self.ref[points], self.xy[points], run


def is_osm(path: Path) -> bool:
    """Whether a file is one of OpenStreetMap's by its name.

    Examples
    --------
    >>> is_osm(Path("hangzhou.osm.pbf")), is_osm(Path("streets.gpkg"))
    (True, False)
    """
    return path.name.lower().endswith((*SUFFIXES, ".pbf"))


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the reader stumbles over into words.

    Raises
    ------
    SourceError
        The file is not there, is cut short, or is no file of OpenStreetMap.
    """
    if not path.is_file():
        raise SourceError(text("error.file_missing", path=str(path)))
    try:
        yield
    except (RuntimeError, ValueError, OSError, osmium.InvalidLocationError) as wrong:
        reason = str(wrong)
        key = "error.osm_unreadable"
        if any(words in reason for words in _CUT_SHORT):
            key = "error.osm_truncated"
        elif "out of order" in reason:
            key = "error.osm_unsorted"
        raise SourceError(text(key, path=str(path), reason=reason)) from wrong


def read(path: Path, rules: Rules) -> Ways:
    """Read the ways of a file.

    Parameters
    ----------
    path
        The file.
    rules
        What tags mean.

    Raises
    ------
    SourceError
        The file cannot be read.
    """
    with readable(path):
        return _Reading(rules).read(path)


@dataclass
class _Reading:
    rules: Rules
    judged: dict[tuple[str | None, ...], Judged] = field(default_factory=dict)
    verdicts: dict[Verdict, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    way: "array[int]" = field(default_factory=lambda: array("q"))
    size: "array[int]" = field(default_factory=lambda: array("q"))
    verdict: "array[int]" = field(default_factory=lambda: array("q"))
    name: "array[int]" = field(default_factory=lambda: array("q"))
    outline: "array[int]" = field(default_factory=lambda: array("b"))
    ref: "array[int]" = field(default_factory=lambda: array("q"))
    xy: bytearray = field(default_factory=bytearray)
    others: Counter[str] = field(default_factory=Counter)
    closed: list[int] = field(default_factory=list)
    reversible: list[int] = field(default_factory=list)
    unread: dict[int, str] = field(default_factory=dict)
    cut: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    still: list[int] = field(default_factory=list)
    barriers: dict[int, int] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)
    read_count: int = 0

    def read(self, path: Path) -> Ways:
        places_of: Any = osmium.index.create_map("flex_mem")
        file = osmium.FileProcessor(str(path), _WAY).with_locations(places_of)
        # The other nodes give the ways their places and need not come up here.
        nodes, streets = KeyFilter("barrier"), KeyFilter("highway", "route")
        nodes.enable_for(osmium.osm.NODE)
        streets.enable_for(osmium.osm.WAY)
        file.with_filter(nodes).with_filter(streets)
        factory = WKBFactory()
        for entity in file:
            way: Any = entity
            if way.is_node():
                if way.visible and (barred := bits(self.rules.barred(dict(way.tags)))):
                    self.barriers[way.id] = barred
                continue
            kind = self._kind(way.id, way.tags.get, visible=way.visible)
            if kind is None:
                continue
            refs = [node.ref for node in way.nodes]
            try:
                places = unhexlify(factory.create_linestring(way, use_nodes.ALL))
            except (RuntimeError, osmium.InvalidLocationError):
                along = [
                    (node.ref, node.location.lon, node.location.lat)
                    if node.location.valid()
                    else None
                    for node in way.nodes
                ]
                self._read_stretches(way.id, kind, refs, along)
            else:
                self._add(way.id, kind, refs, places[_WKB_HEAD:])
        outlines, squares_cut = squares.read(path, self.rules)
        for one in outlines:
            kind = self._kind(one.way, one.tags.get)
            if kind is not None:
                along = [_placed(ref, places_of) for ref in one.refs]
                self._read_stretches(one.way, kind, one.refs, along)
        return self._ways(file.header.get("osmosis_replication_timestamp"), squares_cut)

    def _kind(self, way: int, value: Any, *, visible: bool = True) -> Kind | None:
        """Judge a way: numbers of its verdict and name, None for one that is left out."""
        # Asking for each key is faster than going through the tags there are.
        said = tuple(map(value, KEYS))
        judged = self.judged.get(said)
        if judged is None:
            tags = {key: word for key, word in zip(KEYS, said, strict=True) if word is not None}
            judged = self.judged[said] = self.rules.judge(tags)
        verdict = judged.verdict
        if verdict is None or not visible:
            if (highway := value("highway")) is not None:
                self.others[highway] += 1
            return None
        self.read_count += 1
        if judged.speed_unread:
            self.unread[way] = judged.speed_unread
        if judged.reversible:
            self.reversible.append(way)
        if not verdict.open:
            self.closed.append(way)
            return None
        name = value("name", "")
        return (
            self.verdicts.setdefault(verdict, len(self.verdicts)),
            self.names.setdefault(name, len(self.names)),
            judged.outline,
        )

    def _add(self, way: int, kind: Kind, refs: list[int], places: bytes) -> None:
        self.way.append(way)
        self.verdict.append(kind[0])
        self.name.append(kind[1])
        self.outline.append(kind[2])
        self.size.append(len(refs))
        self.ref.extend(refs)
        self.xy += places

    def _read_stretches(
        self, way: int, kind: Kind, refs: Iterable[int], along: Iterable[Place | None]
    ) -> None:
        """Keep the stretches between nodes that are missing; nothing leads across them."""
        stretches: list[list[Any]] = [[]]
        whole = True
        for ref, place in zip(refs, along, strict=True):
            if place is not None:
                stretches[-1].append(place)
            else:
                self.missing.add(ref)
                stretches.append([])
                whole = False
        kept = [stretch for stretch in stretches if len(stretch) > 1]
        for stretch in kept:
            known, *places = zip(*stretch, strict=True)
            self._add(way, kind, list(known), np.array(places).T.tobytes())
        if not kept:
            (self.still if whole else self.lost).append(way)
        elif not whole:
            self.cut.append(way)

    def _ways(self, date: str | None, squares_cut: int) -> Ways:
        return Ways(
            way=np.frombuffer(self.way, np.int64),
            size=np.frombuffer(self.size, np.int64),
            ref=np.frombuffer(self.ref, np.int64),
            xy=np.frombuffer(self.xy, np.float64).reshape(-1, 2),
            verdict=np.frombuffer(self.verdict, np.int64),
            name=np.frombuffer(self.name, np.int64),
            outline=np.frombuffer(self.outline, np.int8).astype(bool),
            verdicts=tuple(self.verdicts),
            names=tuple(self.names),
            read=self.read_count,
            others=self.others,
            closed=tuple(self.closed),
            reversible=tuple(self.reversible),
            unread=self.unread,
            cut=tuple(self.cut),
            lost=tuple(self.lost),
            still=tuple(self.still),
            barriers=self.barriers,
            nodes_missing=len(self.missing),
            squares_cut=squares_cut,
            date=(date or "")[:10],
        )


def _placed(ref: int, places_of: Any) -> Place | None:
    """Where a node lies, None where the file lacks it."""
    try:
        location = places_of.get(ref)
    except KeyError:
        return None
    return (ref, location.lon, location.lat) if location.valid() else None
