"""What our reader needs of OpenStreetMap, asked of an Overpass server tile by tile."""

import gzip
import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import osmium
import shapely

from layers.errors import SourceError
from layers.messages import text
from layers.sources.fetch.client import Again, Client
from layers.sources.fetch.record import Record, checksum, settle
from layers.sources.fetch.sound import openstreetmap
from layers.sources.fetch.transfer import is_fresh, now
from layers.sources.osm import AUTHORS, LICENCE, Rules

_CHUNK = 1 << 18
_SMALLEST = 0.01
# What a server says inside an answer that looks whole.
_REMARK = re.compile(rb"<remark>\s*(.*?)\s*</remark>", re.DOTALL)
_TAIL = 1 << 13
_DATE = re.compile(rb'osm_base="([^"]+)"')
_TOO_MUCH = ("timed out", "out of memory")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked for, of every tile alike.

    Attributes
    ----------
    places
        Tests of facilities, of which one must hold: keys and values, all together.
    levels
        ``admin_level`` of the boundaries wanted.
    buildings
        Whether buildings are wanted.
    seconds
        How long the server may work on a tile.
    """

    places: tuple[tuple[tuple[str, str], ...], ...]
    levels: tuple[str, ...] = ("6", "8")
    buildings: bool = True
    seconds: int = 180

    @classmethod
    def of(cls, rules: Rules, **more: Any) -> "Question":
        """Ask for what a table of tags speaks of."""
        tests = (test for service in rules.facilities.values() for test in service)
        return cls(places=tuple(dict.fromkeys(tests)), **more)

    def words(self, box: Sequence[float]) -> str:
        """Say it in the server's language.

        Nodes stand before ways and ways before relations, each in the order of ids, as
        readers of files want them.

        Examples
        --------
        >>> question = Question(places=(), levels=("6",), buildings=False)
        >>> print(question.words((120.0, 30.0, 120.1, 30.1)))
        [out:xml][timeout:180][bbox:30.000000,120.000000,30.100000,120.100000];
        (
          way["highway"];
          way["route"="ferry"];
          relation["type"="multipolygon"]["highway"];
          relation["boundary"="administrative"]["admin_level"~"^(6)$"];
        );
        (._;>;);
        out body;
        """
        west, south, east, north = box
        parts = ['way["highway"]', 'way["route"="ferry"]']
        parts.append('relation["type"="multipolygon"]["highway"]')
        parts += [f"nwr{_filter(test)}" for test in self.places]
        if self.buildings:
            parts += ['way["building"]', 'relation["building"]']
        named = "|".join(self.levels)
        parts.append(f'relation["boundary"="administrative"]["admin_level"~"^({named})$"]')
        inside = "\n".join(f"  {part};" for part in parts)
        head = f"[out:xml][timeout:{self.seconds}]"
        head += f"[bbox:{south:.6f},{west:.6f},{north:.6f},{east:.6f}]"
        return f"{head};\n(\n{inside}\n);\n(._;>;);\nout body;"


def _filter(test: Iterable[tuple[str, str]]) -> str:
    def quoted(word: str) -> str:
        return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return "".join(
        f'[{quoted(key)}][{quoted(key)}!="no"]'
        if value == "*"
        else f"[{quoted(key)}={quoted(value)}]"
        for key, value in test
    )


Box = tuple[float, float, float, float]


def tiles(area: Any, size: float) -> list[Box]:
    """Squares of a grid that an area meets, row by row.

    Parameters
    ----------
    area
        Polygon in degrees.
    size
        Side of a square in degrees. The grid is the same whatever the area, so that
        neighbouring areas share what was downloaded.

    Examples
    --------
    >>> tiles(shapely.box(120.05, 30.01, 120.15, 30.02), 0.1)
    [(120.0, 30.0, 120.1, 30.1), (120.1, 30.0, 120.2, 30.1)]
    """
    west, south, east, north = area.bounds
    shapely.prepare(area)
    found = []
    for row in range(math.floor(south / size), math.ceil(north / size)):
        for column in range(math.floor(west / size), math.ceil(east / size)):
            sides = (column * size, row * size, (column + 1) * size, (row + 1) * size)
            box: Any = tuple(round(side, 9) for side in sides)
            if area.intersects(shapely.box(*box)):
                found.append(box)
    return found


class TooMuchError(SourceError):
    """A tile holds more than the server can give at once."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """An Overpass server, and the folder its answers are kept in.

    Attributes
    ----------
    client
        Who asks.
    address
        The server's.
    question
        What is asked of each tile.
    folder
        Where answers are kept.
    refresh
        Whether to ask again for what is there.
    """

    client: Client
    address: str
    question: Question
    folder: Path
    refresh: bool = False

    def fetch(self, boxes: Sequence[Box]) -> list[Path]:
        """Download tiles that are not there yet, one after the other.

        Returns
        -------
        Files of the tiles; of one that is too much for the server those of its quarters.

        Raises
        ------
        SourceError
            The server cannot be reached, refuses, or does not manage the smallest tile.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        files: list[Path] = []
        for done, box in enumerate(boxes):
            told = text("fetch.tile", done=done + 1, total=len(boxes))
            self.client.progress(told, done / len(boxes))
            files += self._tile(box)
        return files

    def _tile(self, box: Box) -> list[Path]:
        path = self._path(box)
        if self._is_there(path):
            return [path]
        quarters = _quarters(box)
        small = box[2] - box[0] <= _SMALLEST
        if not small and any(self._is_there(self._path(quarter)) for quarter in quarters):
            return [file for quarter in quarters for file in self._tile(quarter)]
        try:
            self.client.patiently(self.address, lambda: self._ask(box, path))
        except TooMuchError:
            if small:
                raise
            self.client.progress(text("fetch.quartered"), None)
            return [file for quarter in quarters for file in self._tile(quarter)]
        return [path]

    def _path(self, box: Box) -> Path:
        query = self.question.words(box)
        mark = hashlib.sha256(query.encode()).hexdigest()[:12]
        return self.folder / f"{box[0]:.4f}_{box[1]:.4f}_{mark}.osm.gz"

    def _is_there(self, path: Path) -> bool:
        record = Record.of_whole(path)
        return record is not None and not self.refresh and is_fresh(record)

    def _ask(self, box: Box, path: Path) -> None:
        query = self.question.words(box)
        part = path.with_name(f".part-{path.name}")
        with (
            self.client.ask(self.address, params={"data": query}) as response,
            part.open("wb") as raw,
            gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as stream,
        ):
            tail = head = b""
            for chunk in response.iter_content(_CHUNK):
                stream.write(chunk)
                head = head if len(head) >= _TAIL else head + chunk
                tail = (tail + chunk)[-_TAIL:]
        try:
            date = _said(head[:_TAIL], tail)
            _sound(part)
        except (SourceError, Again):
            part.unlink()
            raise
        record = Record(
            address=self.address,
            fetched=now(),
            sha256=checksum(part),
            size=part.stat().st_size,
            source=AUTHORS,
            licence=LICENCE,
            date=date,
            query=query,
        )
        record.write(path)
        settle(part, path)


def _said(head: bytes, tail: bytes) -> str:
    """Date of an answer, unless it says that it is none."""
    for part in (head, tail):
        remark = _REMARK.search(part)
        if remark and b"error" in remark[1]:
            words = remark[1].decode("utf-8", "replace")
            if any(sign in words for sign in _TOO_MUCH):
                raise TooMuchError(text("error.fetch_too_much", found=words))
            raise Again(text("fetch.remark", found=words))
    if not tail.rstrip().endswith(b"</osm>"):
        raise Again(text("fetch.no_end"))
    date = _DATE.search(head)
    return date[1].decode("ascii", "replace") if date else ""


def _sound(part: Path) -> None:
    try:
        openstreetmap(part)
    except SourceError as wrong:
        raise Again(text("fetch.unsound")) from wrong


def _quarters(box: Box) -> list[Box]:
    west, south, east, north = box
    across, up = round((west + east) / 2, 9), round((south + north) / 2, 9)
    return [
        (west, south, across, up),
        (across, south, east, up),
        (west, up, across, north),
        (across, up, east, north),
    ]


def merge(files: Sequence[Path], path: Path) -> Record:
    """Put tiles together into one file, in order and each thing once.

    Parameters
    ----------
    files
        Tiles with their records.
    path
        File to make, ``.osm.pbf``.

    Returns
    -------
    Its record; its date is that of the oldest tile.

    Raises
    ------
    SourceError
        The tiles hold no way.
    """
    records = [record for file in files if (record := Record.beside(file))]
    mark = hashlib.sha256("".join(one.sha256 for one in records).encode()).hexdigest()
    here = Record.of_whole(path)
    if here and here.query == mark:
        return here
    date = min((one.date for one in records), default="")
    reader = osmium.MergeInputReader()
    for file in files:
        reader.add_file(str(file))
    part = path.with_name(f".part-{path.name}")
    header = osmium.io.Header()
    header.set("generator", "coverage-planner")
    if date:
        # Where readers of files look for it.
        header.set("osmosis_replication_timestamp", date)
    part.unlink(missing_ok=True)
    with osmium.SimpleWriter(str(part), header=header) as writer:
        reader.apply(writer)
    if not any(True for _ in osmium.FileProcessor(str(part), osmium.osm.WAY)):
        part.unlink()
        raise SourceError(text("error.fetch_empty"))
    last = max(records, key=lambda one: one.fetched)
    total = checksum(part)
    record = replace(last, sha256=total, size=part.stat().st_size, date=date, query=mark)
    record.write(path)
    settle(part, path)
    return record
