"""Streets, units, homes and facilities out of files of OpenStreetMap."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers import streets as street_layer
from layers.crs import GEOGRAPHIC, measuring_crs
from layers.errors import SourceError
from layers.findings import Finding, Severity
from layers.messages import text
from layers.sources.osm import barriers, chains, ways
from layers.sources.osm.boundaries import USUAL_LEVELS, levels, read_units
from layers.sources.osm.chains import Flags
from layers.sources.osm.homes import HomeTable, read_homes
from layers.sources.osm.places import read_places
from layers.sources.osm.rules import Rules, Verdict
from layers.sources.osm.ways import Ways, is_osm
from layers.streets import PERMISSIONS

__all__ = [
    "AUTHORS",
    "LICENCE",
    "MARGIN_M",
    "USUAL_LEVELS",
    "HomeTable",
    "OsmStreets",
    "Rules",
    "is_osm",
    "levels",
    "read_homes",
    "read_places",
    "read_streets",
    "read_units",
]

AUTHORS, LICENCE = "OpenStreetMap contributors", "ODbL 1.0"

MARGIN_M = 3000.0
"""Streets within this distance of the area are kept, so that no rate at its edge is cut."""

# A file in which more of the ways than this lack nodes was not cut with whole ways.
_MOST = 0.5
_SAMPLE = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class OsmStreets:
    """Streets of a file and what was found on the way to them.

    Attributes
    ----------
    streets
        Street layer.
    findings
        What was left out, cut or not understood.
    counts
        ``ways`` that are streets by their class, ``used`` of them, ``closed`` to all,
        ``outside`` the area, ``cut`` and ``lost`` for want of nodes, ``nodes_missing``,
        ``still`` ones that go nowhere, ``repeated``; outlines of squares ``alone``, that
        meet no street, ``squares_cut`` for want of ways; streets that are ``ferries``;
        ``barriers`` at which a way was cut, ``pieces`` between shared nodes, ``streets``
        after joining, ``nodes``.
    date
        When the data were taken, where the file says so.
    """

    streets: gpd.GeoDataFrame
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    date: str


def read_streets(
    path: Path | str,
    *,
    area: Any = None,
    margin: float = MARGIN_M,
    rules: Rules | None = None,
    joined: bool = True,
) -> OsmStreets:
    """Read the streets of a file of OpenStreetMap, for all modes in one pass.

    Ways are split where they share a node and joined again where only two meet and
    nothing changes, so that a street runs from junction to junction; its geometry stays
    whole. Lines that cross without a shared node do not meet. A gate or bollard closes a
    metre of the way beside it to those whom it keeps out. Squares, also those that are
    relations, are walked along their outlines; one whose outline meets no street is left
    out. Turn restrictions are not read.

    Parameters
    ----------
    path
        A file ``.osm.pbf``, ``.osm.gz``, ``.osm.bz2`` or ``.osm``, its nodes before its
        ways, as all usual extracts have them.
    area
        Polygon in EPSG:4326; ways that come within `margin` of it are kept, whole. All
        are if None.
    margin
        Metres around the area.
    rules
        What tags mean; the table ``osm.toml`` if None.
    joined
        False leaves the pieces between shared nodes as they are.

    Raises
    ------
    SourceError
        The file is not there, is cut short, is no file of OpenStreetMap, holds no
        streets, holds none within the area, or lacks nodes of most of its ways.
    """
    path = Path(path)
    found = ways.read(path, rules or Rules.read())
    if not len(found.way) or len(found.cut) + len(found.lost) > _MOST * found.read:
        raise _nothing(path, found)
    if not margin >= 0:
        raise SourceError(text("error.limit_negative", found=margin))
    kept, repeated = _newest(found)
    near = kept if area is None else kept & _near(found, area, margin)
    if not near.any():
        raise SourceError(text("error.osm_none_in_area", path=str(path), count=len(found.way)))
    made = _made(found, near, joined=joined)
    if not len(made.run):
        raise _nothing(path, found)
    streets = _layer(made, found.names)
    used = np.unique(found.way[near][made.run])
    alone = np.setdiff1d(found.way[near][made.alone], used)
    counts = {
        "ways": found.read,
        "used": len(used),
        "closed": len(found.closed),
        "outside": len(np.setdiff1d(found.way[kept], found.way[near])),
        "cut": len(found.cut),
        "lost": len(found.lost),
        "nodes_missing": found.nodes_missing,
        "still": len(found.still) + len(np.setdiff1d(found.way[near], np.union1d(used, alone))),
        "alone": len(alone),
        "squares_cut": found.squares_cut,
        "ferries": int((streets["highway"] == "ferry").sum()),
        "repeated": repeated,
        "barriers": made.barriers,
        "pieces": len(made.run),
        "streets": len(streets),
        "nodes": len(np.unique(streets[["u", "v"]])),
    }
    return OsmStreets(
        streets=streets,
        findings=(
            *_findings(found, counts, margin),
            *_of_squares_and_ferries(streets, alone.tolist(), found.squares_cut),
        ),
        counts=counts,
        date=found.date,
    )


def _nothing(path: Path, found: Ways) -> SourceError:
    """Make the error that says why a file gives no street."""
    values = {"path": str(path), "count": found.read}
    if found.nodes_missing:
        return SourceError(
            text(
                "error.osm_nodes_missing",
                **values,
                cut=len(found.cut) + len(found.lost),
                missing=found.nodes_missing,
                found=_some((*found.lost, *found.cut)),
            )
        )
    if found.closed:
        return SourceError(text("error.osm_all_closed", **values, found=_some(found.closed)))
    return SourceError(text("error.osm_no_streets", path=str(path), count=found.others.total()))


def _newest(found: Ways) -> tuple[Flags, int]:
    """Keep the last of a way that is there twice, as in extracts put together."""
    runs = np.arange(len(found.way))
    begins = np.ones(len(runs), bool)
    begins[1:] = found.way[1:] != found.way[:-1]
    # Runs of a way that was cut follow one another and belong together.
    block = np.cumsum(begins) - 1
    ids = found.way[begins]
    last = np.zeros(len(ids), bool)
    last[len(ids) - 1 - np.unique(ids[::-1], return_index=True)[1]] = True
    return last[block], int((~last).sum())


def _near(found: Ways, area: Any, margin: float) -> Flags:
    """Which runs come within a distance of an area."""
    shape = gpd.GeoSeries([area], crs=GEOGRAPHIC)
    crs = measuring_crs(shape)
    wide = shape.to_crs(crs).buffer(margin).to_crs(GEOGRAPHIC).iloc[0]
    west, south, east, north = wide.bounds
    first = np.cumsum(found.size) - found.size
    low = np.minimum.reduceat(found.xy, first)
    high = np.maximum.reduceat(found.xy, first)
    near: Flags = (
        (low[:, 0] <= east) & (high[:, 0] >= west) & (low[:, 1] <= north) & (high[:, 1] >= south)
    )
    points = np.repeat(near & (found.size > 1), found.size)
    owner = np.repeat(np.arange(len(found.size)), found.size)[points]
    runs, owner = np.unique(owner, return_inverse=True)
    lines = shapely.linestrings(found.xy[points], indices=owner)
    shapely.prepare(wide)
    near[:] = False
    near[runs[shapely.intersects(wide, lines)]] = True
    return near


@dataclass(frozen=True, kw_only=True, eq=False)
class _Made:
    """Chains, what their kinds mean, and where they come from.

    Attributes
    ----------
    lines
        The chains; a kind is the row of a verdict times the number of names, and the name.
    verdicts
        Every verdict there is, from both ends.
    node_ids
        OSM's id of each node.
    run
        Run of the ways that each piece before joining is a part of.
    alone
        Runs of outlines left out, a number for each piece.
    barriers
        Nodes at which barriers cut a way.
    """

    lines: chains.Chains
    verdicts: Sequence[Verdict]
    node_ids: chains.Ints
    run: chains.Ints
    alone: chains.Ints
    barriers: int


def _made(found: Ways, near: Flags, *, joined: bool) -> _Made:
    """Cut ways at barriers, split them and join them."""
    # The large arrays end with this function, before geometry is made.
    verdict, name = found.verdict[near], found.name[near]
    may = np.array([barriers.bits(one.modes) for one in found.verdicts], dtype=np.int64)
    runs = barriers.cut(*found.take(near), may=may[verdict], barriers=found.barriers)
    verdict, verdicts = _narrowed(verdict[runs.of], runs.shut, found.verdicts)
    node_ids, node = np.unique(runs.ref, return_inverse=True)
    pieces = chains.split(node, runs.xy, runs.run)
    walked = np.array([any(one.walk) for one in verdicts], dtype=bool)[verdict]
    lone = chains.lone(pieces, found.outline[near][runs.of], walked)
    alone, pieces = runs.of[pieces.run[lone]], pieces.take(~lone)
    number = {one: n for n, one in enumerate(verdicts)}
    turned = np.array([number[one.turned()] for one in verdicts], dtype=np.int64)
    verdict, name = verdict[pieces.run], name[runs.of][pieces.run]
    count = len(found.names)
    ahead, back = verdict * count + name, turned[verdict] * count + name
    return _Made(
        lines=chains.join(pieces, ahead, back, joined=joined),
        verdicts=verdicts,
        node_ids=node_ids,
        run=runs.of[pieces.run],
        alone=alone,
        barriers=runs.cut,
    )


def _narrowed(
    verdict: chains.Ints, shut: chains.Ints, known: Sequence[Verdict]
) -> tuple[chains.Ints, list[Verdict]]:
    """Verdicts without the modes that barriers keep out, and each as seen from both ends."""
    pairs, row = np.unique(shut * len(known) + verdict, return_inverse=True)
    masks, plain = np.divmod(pairs, len(known))
    named = [
        known[one].without(mode for mode, bit in barriers.BITS.items() if mask & bit)
        for mask, one in zip(masks, plain, strict=True)
    ]
    verdicts = list(dict.fromkeys([*named, *(one.turned() for one in named)]))
    number = {one: n for n, one in enumerate(verdicts)}
    return np.array([number[one] for one in named], dtype=np.int64)[row], verdicts


def _layer(made: _Made, names: Sequence[str]) -> gpd.GeoDataFrame:
    said = pd.DataFrame(
        [(*one.walk, *one.cycle, *one.drive, *one[3:]) for one in made.verdicts],
        columns=[*PERMISSIONS, "speed_kmh", "highway", "bridge", "tunnel", "layer"],
    ).astype({"highway": "str"})
    lines = made.lines
    verdict, name = np.divmod(lines.kind, len(names))
    shapes = gpd.GeoSeries(shapely.linestrings(lines.xy, indices=lines.owner), crs=GEOGRAPHIC)
    columns = {
        "u": made.node_ids[lines.u],
        "v": made.node_ids[lines.v],
        "length": street_layer.geodesic_length(shapes),
        **{column: said[column].to_numpy()[verdict] for column in said},
        "name": pd.Series(names, dtype="str").take(name).array,
        "highway": said["highway"].take(verdict).array,
    }
    # In the layer's own order and types, as `layers.streets.conform` would have them.
    ordered = {column: columns[column] for column in street_layer.SCHEMA.columns}
    return gpd.GeoDataFrame(ordered, geometry=shapes)


def _of_squares_and_ferries(
    streets: gpd.GeoDataFrame, alone: Sequence[int], squares_cut: int
) -> Iterator[Finding]:
    by_water = streets[streets["highway"] == "ferry"]
    names = [name or text("streets.nameless") for name in by_water["name"].unique()]
    for code, count, some in (
        ("osm_squares_alone", len(alone), alone),
        ("osm_squares_cut", squares_cut, ()),
        ("osm_ferries", len(by_water), names),
    ):
        if count:
            values = {"count": count, "found": _some(some)}
            yield Finding(layer="streets", code=code, severity="info", values=values)


def _findings(found: Ways, counts: Mapping[str, int], margin: float) -> Iterator[Finding]:
    def say(code: str, severity: Severity, count: int, some: Iterable[Any], **more: Any) -> Any:
        values = {"count": count, "found": _some(some), **more}
        if count:
            yield Finding(layer="streets", code=code, severity=severity, values=values)

    missing = {"missing": found.nodes_missing}
    yield from say("osm_ways_cut", "warning", len(found.cut), found.cut, **missing)
    yield from say("osm_ways_lost", "warning", len(found.lost), found.lost, **missing)
    yield from say("osm_ways_repeated", "warning", counts["repeated"], ())
    limits = dict.fromkeys(found.unread.values())
    yield from say("osm_limits_unread", "info", len(found.unread), limits)
    yield from say("osm_reversible", "info", len(found.reversible), found.reversible)
    yield from say("osm_barriers", "info", counts["barriers"], ())
    yield from say("osm_ways_closed", "info", len(found.closed), found.closed)
    others = [f"{value} {count}" for value, count in found.others.most_common()]
    yield from say("osm_ways_other", "info", found.others.total(), others)
    yield from say("osm_ways_still", "info", counts["still"], found.still)
    yield from say("osm_ways_outside", "info", counts["outside"], (), margin=margin)


def _some(values: Iterable[Any]) -> str:
    shown = [str(value) for value in islice(values, _SAMPLE + 1)]
    return ", ".join(shown[:_SAMPLE]) + (", …" if len(shown) > _SAMPLE else "")
