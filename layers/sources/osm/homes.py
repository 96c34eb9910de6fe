"""Homes out of a file's buildings: floor space to spread people over."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

import geopandas as gpd
import numpy as np
import shapely

from layers.crs import GEOGRAPHIC, measuring_crs
from layers.errors import SourceError
from layers.findings import Finding
from layers.messages import text
from layers.resources import data_path
from layers.sources.osm import things

_TALLEST = 150
_SAMPLE = 6


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of building: the share of its floor space that is lived in, and its storeys."""

    homes: float
    levels: float

    def __post_init__(self) -> None:
        """Refuse a share above one and storeys that no house has."""
        if not (0 < self.homes <= 1 and 0 < self.levels <= _TALLEST):
            raise ValueError(f"[home.building] {self}")


@dataclass(frozen=True, kw_only=True)
class HomeTable:
    """What makes a building a home.

    Attributes
    ----------
    kinds
        Kinds of building by the value of ``building``.
    other_use
        Keys that say that a building of no particular kind is something else.
    smallest
        Outlines below this many square metres are sheds.
    """

    kinds: Mapping[str, Kind]
    other_use: tuple[str, ...]
    smallest: float

    @classmethod
    def read(cls, path: Path | None = None) -> Self:
        """Read the table ``[home]`` of the tags.

        Parameters
        ----------
        path
            Another table than the ``osm.toml`` that ships with the program.

        Raises
        ------
        SourceError
            It cannot be read, or lacks something.

        Examples
        --------
        >>> HomeTable.read().kinds["house"]
        Kind(homes=1.0, levels=2)
        """
        path = path or data_path("osm.toml")
        try:
            table: Any = tomllib.loads(path.read_text(encoding="utf-8"))["home"]
            kinds = {name: Kind(**given) for name, given in table["building"].items()}
            return cls(
                kinds=kinds,
                other_use=tuple(table["other_use"]),
                smallest=float(table["smallest"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise SourceError(
                text("error.osm_table_wrong", path=str(path), reason=str(wrong))
            ) from wrong

    def kind(self, tags: Mapping[str, str]) -> Kind | None:
        """Kind of home that a building is, None for one that is none.

        Examples
        --------
        >>> HomeTable.read().kind({"building": "yes", "shop": "mall"}) is None
        True
        """
        if "residential" in tags.get("building:use", ""):
            return self.kinds.get(tags["building"]) or self.kinds.get("residential")
        if tags["building"] == "yes" and any(key in tags for key in self.other_use):
            return None
        return self.kinds.get(tags["building"])


def read_homes(
    path: Path | str, *, table: HomeTable | None = None, area: Any = None
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Read the buildings that people live in, with their floor space as weight.

    Parameters
    ----------
    path
        File of OpenStreetMap, its things in the order of their ids.
    table
        What makes a building a home; that of ``osm.toml`` if None.
    area
        Polygon in EPSG:4326; buildings that touch it are kept. All are if None.

    Returns
    -------
    A building a row in EPSG:4326: ``weight``, square metres of floor that are lived in
    (outline times storeys times the share of homes), and ``geometry``, its outline. And
    findings: buildings that could not be drawn, and whose storeys are not known.

    Raises
    ------
    SourceError
        The file cannot be read, or holds no home.
    """
    path, table = Path(path), table or HomeTable.read()
    shapes, factors, lost, unread = [], [], [], []
    usual = 0
    repeated: list[str] = []
    for thing in things.read(path, ["building"], repeated=repeated):
        kind = table.kind(thing.tags)
        if kind is None or thing.id.startswith("n"):
            continue
        if thing.geometry is None or shapely.get_dimensions(thing.geometry) != 2:  # noqa: PLR2004 - an area
            lost.append(thing.id)
            continue
        said = thing.tags.get("building:levels")
        storeys = storeys_of(said) if said else None
        if said and storeys is None:
            unread.append(f"{thing.id} {said}")
        usual += storeys is None
        shapes.append(thing.geometry)
        factors.append((storeys or kind.levels) * kind.homes)
    homes = gpd.GeoDataFrame({"weight": factors}, geometry=shapes, crs=GEOGRAPHIC)
    if area is not None:
        homes = homes[homes.intersects(area)]
    if not homes.empty:
        outline = homes.to_crs(measuring_crs(homes)).area
        homes = homes.assign(weight=homes["weight"] * outline)[outline >= table.smallest]
    if homes.empty:
        raise SourceError(text("error.osm_no_homes", path=str(path)))
    total = len(factors)
    return homes.reset_index(drop=True), [
        *_finding("osm_homes_lost", "warning", len(lost), lost),
        *_finding("osm_things_repeated", "warning", len(repeated), repeated),
        *_finding("osm_levels_unread", "info", len(unread), unread),
        *_finding("osm_levels_usual", "info", usual, (), total=total),
    ]


def storeys_of(said: str) -> float | None:
    """Read a number of storeys; of several, as of a building's parts, the mean.

    Examples
    --------
    >>> storeys_of("6"), storeys_of("2;4"), storeys_of("3-5"), storeys_of("many")
    (6.0, 3.0, 4.0, None)
    """
    parts = [part.strip() for part in re.split(r"[;,\-–]", said)]
    if not all(re.fullmatch(r"\d+(\.\d+)?", part) for part in parts):
        return None
    mean = float(np.mean([float(part) for part in parts]))
    return mean if 0 < mean <= _TALLEST else None


def _finding(code: str, severity: Any, count: int, some: Any, **more: Any) -> list[Finding]:
    if not count:
        return []
    shown = ", ".join(islice(some, _SAMPLE)) + (", …" if len(some) > _SAMPLE else "")
    values = {"count": count, **({"found": shown} if some else {}), **more}
    return [Finding(layer="population", code=code, severity=severity, values=values)]
