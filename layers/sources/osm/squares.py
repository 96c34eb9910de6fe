"""Squares drawn as relations: the ways of their outlines, which carry no tags of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import osmium
from osmium.filter import KeyFilter, TagFilter

from layers.sources.osm.rules import Rules


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A way around a square, or around what stands on it.

    Attributes
    ----------
    way
        OSM's id.
    tags
        Those of the square, with ``area=yes``.
    refs
        Ids of its nodes.
    """

    way: int
    tags: Mapping[str, str]
    refs: tuple[int, ...]


def read(path: Path, rules: Rules) -> tuple[list[Outline], int]:
    """Read the outlines of squares that are relations.

    A relation counts if people may walk on it as a way with ``area=yes`` and its tags. A
    way that is a street by its own tags is none of its outlines.

    Parameters
    ----------
    path
        File of OpenStreetMap; what the reader stumbles over is raised as it stands.
    rules
        What tags mean.

    Returns
    -------
    The outlines, a way once, and how many squares lack ways of theirs.
    """
    sides = _sides(path, rules)
    if not sides:
        return [], 0
    tags = {way: given for given, ways in reversed(sides) for way in ways}
    refs: dict[int, tuple[int, ...]] = {}
    there = set()
    # A filter by id of the library takes megabytes for every few ids that lie far apart.
    for entity in osmium.FileProcessor(str(path), osmium.osm.WAY):
        way: Any = entity
        if way.id not in tags:
            continue
        there.add(way.id)
        if way.visible and rules.judge(dict(way.tags)).verdict is None:
            refs[way.id] = tuple(node.ref for node in way.nodes)
    outlines = [Outline(way=way, tags=tags[way], refs=along) for way, along in refs.items()]
    return outlines, sum(not set(ways) <= there for _, ways in sides)


def _sides(path: Path, rules: Rules) -> list[tuple[Mapping[str, str], list[int]]]:
    """Tags and ways of each relation that is a square."""
    relations = osmium.FileProcessor(str(path), osmium.osm.RELATION)
    areas = relations.with_filter(TagFilter(("type", "multipolygon")))
    found: list[tuple[Mapping[str, str], list[int]]] = []
    for entity in areas.with_filter(KeyFilter("highway")):
        relation: Any = entity
        tags = {**dict(relation.tags), "area": "yes"}
        verdict = rules.judge(tags).verdict
        if relation.visible and verdict is not None and any(verdict.walk):
            found.append((tags, [one.ref for one in relation.members if one.type == "w"]))
    return found
