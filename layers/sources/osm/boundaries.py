"""Units out of a file's administrative boundaries."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import geopandas as gpd
import osmium
import pandas as pd
import shapely
from osmium.filter import EntityFilter, TagFilter
from osmium.geom import WKBFactory

from layers import units as unit_layer
from layers.crs import GEOGRAPHIC
from layers.errors import SourceError
from layers.findings import Finding
from layers.messages import text
from layers.resources import data_path
from layers.sources.modelled.townships import districts
from layers.sources.osm.ways import readable
from layers.units import LEVELS, Level

USUAL_LEVELS = "6:district+8:township"
"""Levels of China: districts and counties, townships and sub-districts."""

_BOUNDARY = ("boundary", "administrative")
# GB/T 2260 and GB/T 10114; statistics write townships with three zeros after them.
_DIGITS: Mapping[Level, str] = {
    "city": r"(\d{4}00)",
    "district": r"(\d{6})",
    "township": r"(\d{9})(?:000)?",
    "community": r"(\d{12})",
}
_SAMPLE = 6
_MOST = 0.5


def levels(words: str) -> dict[str, Level]:
    """Read which ``admin_level`` is which level of units.

    Raises
    ------
    SourceError
        The words are of another form, or name no level.

    Examples
    --------
    >>> levels("6:district+8:township")
    {'6': 'district', '8': 'township'}
    """
    found: dict[str, Level] = {}
    for part in words.split("+"):
        number, _, name = part.partition(":")
        level = next((one for one in LEVELS if one == name.strip()), None)
        if level is None or not number.strip().isdigit():
            known = ", ".join(LEVELS)
            raise SourceError(text("error.osm_levels_wrong", found=words, known=known))
        found[number.strip()] = level
    return found


def read_units(
    path: Path | str,
    *,
    wanted: Mapping[str, Level] | None = None,
    table: Path | None = None,
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Read the units that a file's administrative boundaries draw.

    Parameters
    ----------
    path
        File of OpenStreetMap, its things in the order of their ids.
    wanted
        Level of units by ``admin_level``; 6 are districts and 8 townships if None.
    table
        Table of tags, whose ``[unit]`` names the keys of codes; ``osm.toml`` if None.

    Returns
    -------
    Unit layer, each unit under the coarser one that holds most of it. Its code is the
    boundary's own tag, else the one that Hangzhou's districts and townships have under
    that name at that place, else ``r`` and the relation's number. And findings: relations
    that draw no area, codes that were made.

    Raises
    ------
    SourceError
        The file cannot be read, or draws no unit of these levels.
    """
    path = Path(path)
    wanted = wanted or levels(USUAL_LEVELS)
    keys = _code_keys(table or data_path("osm.toml"))
    with readable(path):
        said = _said(path)
        shapes = _shapes(path)
    sought = {one: tags for one, tags in said.items() if tags.get("admin_level") in wanted}
    drawn = {one: tags for one, tags in sought.items() if one in shapes}
    if not drawn:
        there = Counter(tags.get("admin_level", "–") for tags in said.values())
        told = ", ".join(f"{level} ({count})" for level, count in sorted(there.items())) or "–"
        named = ", ".join(wanted)
        raise SourceError(text("error.osm_no_units", path=str(path), wanted=named, found=told))
    frame = gpd.GeoDataFrame(
        {
            "relation": list(drawn),
            "level": [wanted[tags["admin_level"]] for tags in drawn.values()],
            "name": [_name(one, tags) for one, tags in drawn.items()],
            "name_en": [tags.get("name:en") or _name(one, tags) for one, tags in drawn.items()],
            "code": [_own_code(tags, wanted, keys) for tags in drawn.values()],
        },
        geometry=[shapes[one] for one in drawn],
        crs=GEOGRAPHIC,
    )
    frame = frame.sort_values("relation", ignore_index=True)
    above = _above(frame)
    frame["code"] = _known_codes(frame, above)
    found = _broken({one: tags for one, tags in sought.items() if one not in shapes})
    found += _make_codes(frame)
    frame["parent"] = [None if row is None else frame["code"].iloc[row] for row in above]
    return unit_layer.conform(frame.drop(columns="relation")), found


def _said(path: Path) -> dict[int, Mapping[str, str]]:
    """Tags of the relations that are administrative boundaries."""
    file = osmium.FileProcessor(str(path), osmium.osm.RELATION)
    said: dict[int, Mapping[str, str]] = {}
    for entity in file.with_filter(TagFilter(_BOUNDARY)):
        relation: Any = entity
        if relation.visible and relation.tags.get("type") in {"boundary", "multipolygon"}:
            said[relation.id] = dict(relation.tags)
    return said


def _shapes(path: Path) -> dict[int, Any]:
    """Areas that boundaries draw, by their relation."""
    boundary = TagFilter(_BOUNDARY)
    file = osmium.FileProcessor(str(path)).with_areas(boundary)
    file.with_filter(EntityFilter(osmium.osm.AREA)).with_filter(boundary)
    factory = WKBFactory()
    shapes = {}
    for entity in file:
        area: Any = entity
        if area.from_way():
            continue
        try:
            shapes[area.orig_id()] = shapely.from_wkb(factory.create_multipolygon(area))
        except (RuntimeError, osmium.InvalidLocationError):
            continue
    return shapes


def _code_keys(path: Path) -> tuple[str, ...]:
    try:
        keys = tomllib.loads(path.read_text(encoding="utf-8"))["unit"]["code"]
        # A lone word counts as a list of one.
        return (keys,) if isinstance(keys, str) else tuple(keys)
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise SourceError(
            text("error.osm_table_wrong", path=str(path), reason=str(wrong))
        ) from wrong


def _name(relation: int, tags: Mapping[str, str]) -> str:
    return tags.get("name") or tags.get("name:zh") or f"r{relation}"


def _own_code(
    tags: Mapping[str, str], wanted: Mapping[str, Level], keys: Iterable[str]
) -> str | None:
    """Code that a boundary's tags tell, if it is one of its level."""
    form = _DIGITS[wanted[tags["admin_level"]]]
    for key in keys:
        fits = re.fullmatch(form, tags.get(key, "").strip())
        if fits:
            return str(fits[1])
    return None


def _above(frame: gpd.GeoDataFrame) -> list[int | None]:
    """Row of the nearest coarser unit that holds most of each."""
    rank = frame["level"].map(LEVELS.index).to_numpy()
    shapes = shapely.make_valid(frame.geometry.to_numpy())
    tree = shapely.STRtree(shapes)
    found: list[int | None] = []
    for row, shape in enumerate(shapes):
        near = [other for other in tree.query(shape) if rank[other] < rank[row]]
        share = [shapely.area(shapely.intersection(shape, shapes[other])) for other in near]
        holds = [
            other
            for other, part in zip(near, share, strict=True)
            if part > _MOST * shapely.area(shape)
        ]
        found.append(max(map(int, holds), key=lambda other: rank[other], default=None))
    return found


def _known_codes(frame: gpd.GeoDataFrame, above: list[int | None]) -> pd.Series:
    """Fill in the codes of Hangzhou's units by name and place."""
    codes: pd.Series = frame["code"].astype(object).where(frame["code"].notna(), None)
    shapes = districts()
    known = dict(
        zip(shapes["name"], zip(shapes["code"], shapes.geometry, strict=True), strict=True)
    )
    for row in frame.index[(frame["level"] == "district") & codes.isna()]:
        code, shape = known.get(frame["name"].iloc[row], (None, None))
        own = shapely.make_valid(frame.geometry.iloc[row])
        if code and shapely.area(own & shape) > _MOST * shapely.area(own | shape):
            codes[row] = str(code)
    towns = pd.read_csv(data_path("hangzhou", "townships.csv"), dtype=str)
    by_name = dict(
        zip(zip(towns["district"], towns["name"], strict=True), towns["code"], strict=True)
    )
    for row in frame.index[(frame["level"] == "township") & codes.isna()]:
        over = above[row]
        if over is not None:
            codes[row] = by_name.get((codes[over], frame["name"].iloc[row]))
    return codes


def _make_codes(frame: gpd.GeoDataFrame) -> list[Finding]:
    """Give units without a code of their own the number of their relation."""
    own = "r" + frame["relation"].astype(str)
    without = frame["code"].isna()
    twice = frame["code"].duplicated(keep=False) & ~without
    frame["code"] = frame["code"].where(~(without | twice), own)
    named = frame["name"] + " " + own
    return [
        *_finding("osm_codes_made", "info", named[without].tolist()),
        *_finding("osm_codes_repeated", "warning", named[twice].tolist()),
    ]


def _broken(relations: Mapping[int, Mapping[str, str]]) -> list[Finding]:
    named = [f"{_name(one, tags)} r{one}" for one, tags in sorted(relations.items())]
    return _finding("osm_units_broken", "warning", named)


def _finding(code: str, severity: Any, named: list[str]) -> list[Finding]:
    if not named:
        return []
    shown = ", ".join(islice(named, _SAMPLE)) + (", …" if len(named) > _SAMPLE else "")
    values = {"count": len(named), "found": shown}
    return [Finding(layer="units", code=code, severity=severity, values=values)]
