"""A city's sources out of the internet: OpenStreetMap and a raster of people, kept in a folder."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import geopandas as gpd
import shapely

from layers.errors import SourceError
from layers.findings import Finding
from layers.messages import text
from layers.sources.fetch import sound
from layers.sources.fetch.areas import Place, find
from layers.sources.fetch.client import Client, Pace, Progress, silent
from layers.sources.fetch.overpass import Question, Server, merge, tiles
from layers.sources.fetch.record import Record, checksum, settle
from layers.sources.fetch.transfer import Wanted, download
from layers.sources.osm import AUTHORS, LICENCE, MARGIN_M, Rules, is_osm, levels, read_units

if sys.platform != "win32":
    import fcntl

__all__ = ["OVERPASS", "Addresses", "Fetched", "Pace", "Record", "fetch"]

OVERPASS = "https://overpass-api.de/api/interpreter"
TILE = 0.1
"""Side of a tile in degrees, some ten kilometres."""

_WITHIN = 0.5


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where data come from.

    Attributes
    ----------
    overpass
        An Overpass server, asked tile by tile unless there is an extract.
    extract
        A file of OpenStreetMap that holds the area.
    population
        A raster of people, such as WorldPop's.
    sha256
        Checksum of the extract; without one the server's ``.md5`` beside it is asked for.
    population_sha256
        Checksum of the raster.
    """

    overpass: str = OVERPASS
    extract: str = ""
    population: str = ""
    sha256: str = ""
    population_sha256: str = ""

    @classmethod
    def of(
        cls, given: Mapping[str, str | None], usual: Mapping[str, str] = os.environ
    ) -> "Addresses":
        """Take those that are given, else those of the environment, else the usual ones.

        The environment's are ``PLANNER_OVERPASS_URL``, ``PLANNER_EXTRACT_URL`` and
        ``PLANNER_POPULATION_URL``.

        Examples
        --------
        >>> Addresses.of({"extract": None}, {"PLANNER_EXTRACT_URL": "http://a/b.osm.pbf"}).extract
        'http://a/b.osm.pbf'
        """
        named = {
            key: usual[f"PLANNER_{key.upper()}_URL"]
            for key in ("overpass", "extract", "population")
            if usual.get(f"PLANNER_{key.upper()}_URL")
        }
        return cls(**{**named, **{key: value for key, value in given.items() if value}})


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What was downloaded.

    Attributes
    ----------
    place
        What for.
    streets
        File of OpenStreetMap.
    units
        File of the units in the place, or None where the data draw none.
    population
        Raster of people, or None.
    records
        Where each file comes from.
    findings
        What was found about the units.
    """

    place: Place
    streets: Path
    units: Path | None
    population: Path | None
    records: Mapping[Path, Record]
    findings: tuple[Finding, ...] = field(default=())

    def command(self, out: Path | str, *, population: str = "") -> list[str]:
        """Words of the command that builds a city out of it.

        Parameters
        ----------
        out
            The city's folder.
        population
            Source of people in place of the homes of OpenStreetMap.
        """
        box = ",".join(f"{side:.6f}" for side in self.place.area.bounds)
        words = ["build", "--name", self.place.name, "--name-en", self.place.name_en]
        # Joined with its sign, for a longitude may be below zero.
        words += [f"--area={box}", "--streets", str(self.streets)]
        words += ["--units", str(self.units or self.streets)]
        words += ["--population", population or str(self.streets)]
        return [*words, "--facilities", str(self.streets), "--out", str(out)]


def fetch(
    place: str,
    folder: Path,
    *,
    area: str = "",
    addresses: Addresses | None = None,
    pace: Pace | None = None,
    margin: float = MARGIN_M,
    tile: float = TILE,
    buildings: bool = True,
    admin: str = "",
    tags: Path | None = None,
    refresh: bool = False,
    progress: Progress = silent,
) -> Fetched:
    """Download what a city is built of.

    Parameters
    ----------
    place
        Hangzhou or one of its districts; any name with an area.
    folder
        Where files are kept, each with its record beside it. What was downloaded within
        the last days is not asked for again, and what was stopped goes on.
    area
        ``west,south,east,north`` in degrees, or a file of polygons.
    addresses
        Where from.
    pace
        How patiently.
    margin
        Metres around the area within which streets are wanted too.
    tile
        Side in degrees of what is asked for at once.
    buildings
        Whether buildings are wanted, to spread people over.
    admin
        Which ``admin_level`` is which level of units; China's if empty.
    tags
        Table of tags; ``osm.toml`` if None.
    refresh
        Whether to ask again for what is there.
    progress
        Told what is under way.

    Raises
    ------
    UnknownNameError
        The place is not known.
    SourceError
        A server cannot be reached, refuses or sends what is unsound, or another download
        into the folder is under way.
    """
    where = find(place, area)
    wanted = levels(admin) if admin else None
    if not (tile > 0 and margin >= 0):
        raise SourceError(text("error.fetch_sizes", tile=tile, margin=margin))
    rules = Rules.read(tags)
    addresses = addresses or Addresses()
    client = Client(pace=pace or Pace(), progress=progress)
    with _alone_in(folder):
        if addresses.extract:
            streets = _extract(client, addresses, folder)
        else:
            question = Question.of(rules, buildings=buildings)
            if wanted:
                question = Question.of(rules, buildings=buildings, levels=tuple(wanted))
            server = Server(
                client=client,
                address=addresses.overpass,
                question=question,
                folder=folder / "overpass",
                refresh=refresh,
            )
            streets = folder / f"{where.key}.osm.pbf"
            files = server.fetch(tiles(where.wide(margin), tile))
            progress(text("fetch.merging", count=len(files)), None)
            merge(files, streets)
        population = _population(client, addresses, folder)
        progress(text("fetch.units"), None)
        units, found = _units(streets, where, wanted, tags, folder)
    made = [path for path in (streets, units, population) if path]
    return Fetched(
        place=where,
        streets=streets,
        units=units,
        population=population,
        records={path: record for path in made if (record := Record.beside(path))},
        findings=tuple(found),
    )


def _extract(client: Client, addresses: Addresses, folder: Path) -> Path:
    path = folder / _name(addresses.extract)
    if not is_osm(path):
        raise SourceError(text("error.fetch_no_extract", address=addresses.extract))
    wanted = Wanted(
        address=addresses.extract,
        path=path,
        sound=sound.openstreetmap,
        source=AUTHORS,
        licence=LICENCE,
        sha256=addresses.sha256,
        md5_beside=not addresses.sha256,
    )
    record = download(client, wanted)
    date = sound.date_of(path)
    if date != record.date:
        replace(record, date=date).write(path)
    return path


def _population(client: Client, addresses: Addresses, folder: Path) -> Path | None:
    if not addresses.population:
        return None
    path = folder / _name(addresses.population)
    if path.suffix.lower() not in {".tif", ".tiff"}:
        path = path.with_name(f"{path.name or 'population'}.tif")
    wanted = Wanted(
        address=addresses.population,
        path=path,
        sound=sound.raster,
        source=urlsplit(addresses.population).hostname or "",
        sha256=addresses.population_sha256,
    )
    download(client, wanted)
    return path


def _name(address: str) -> str:
    """Name of the file at an address."""
    return Path(unquote(urlsplit(address).path)).name


def _units(
    streets: Path, place: Place, wanted: Any, tags: Path | None, folder: Path
) -> tuple[Path | None, list[Finding]]:
    """Write the units that lie in the place; None where the data draw none."""
    path = folder / f"{place.key}_units.gpkg"
    try:
        layer, found = read_units(streets, wanted=wanted, table=tags)
    except SourceError as none:
        path.unlink(missing_ok=True)
        values = {"found": str(none)}
        told = Finding(layer="units", code="fetch_no_units", severity="warning", values=values)
        return None, [told]
    shapes = shapely.make_valid(layer.geometry.array)
    inside = shapely.area(shapely.intersection(shapes, place.area))
    share = inside / shapely.area(shapes)
    # Of a known place the units within it; an area may hold parts of units alone.
    kept = layer[share > (_WITHIN if place.known else 0)]
    if kept.empty:
        path.unlink(missing_ok=True)
        values = {"found": streets.name}
        told = Finding(layer="units", code="fetch_no_units", severity="warning", values=values)
        return None, [told]
    _write_units(kept.reset_index(drop=True), path, streets)
    return path, found


def _write_units(layer: gpd.GeoDataFrame, path: Path, streets: Path) -> None:
    part = path.with_name(f".part-{path.name}")
    part.unlink(missing_ok=True)
    # A parent that lies elsewhere is none of this city's.
    parent = layer["parent"].where(layer["parent"].isin(layer["code"]), None)
    layer.assign(parent=parent).to_file(part, layer="units")
    origin = Record.beside(streets)
    if origin:
        record = Record(
            address=origin.address,
            fetched=origin.fetched,
            sha256=checksum(part),
            size=part.stat().st_size,
            source=origin.source,
            licence=origin.licence,
            date=origin.date,
            made_of=streets.name,
        )
        record.write(path)
    settle(part, path)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Refuse to begin while another download into a folder is under way."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if sys.platform != "win32":
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as held:
                raise SourceError(text("error.fetch_under_way", path=str(folder))) from held
            except OSError:
                # Some network disks know no locks.
                pass
        yield
    finally:
        with suppress(OSError):
            os.close(handle)
