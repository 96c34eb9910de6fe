"""Barriers: what cuts, closes or delays streets, applied to the street layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import shapely

from layers.crs import measuring_crs, require_crs
from layers.errors import InputError
from layers.findings import Finding
from layers.messages import text
from layers.streets import MODES
from planner.parts import CRUMB_M, Barred, rebuilt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import geopandas as gpd

    from layers.streets import Mode
    from planner._search import Floats, Ints

TOLERANCE_M = 5.0
"""How far a point barrier may lie from the street that it closes."""

_KINDS = {
    "Point": "point",
    "MultiPoint": "point",
    "LineString": "line",
    "LinearRing": "line",
    "MultiLineString": "line",
    "Polygon": "area",
    "MultiPolygon": "area",
}


def apply(
    streets: gpd.GeoDataFrame,
    barriers: gpd.GeoDataFrame,
    *,
    modes: Iterable[Mode] = MODES,
    tolerance: float = TOLERANCE_M,
    crs: Any = None,
) -> Barred:
    """Cut, close and delay streets.

    A **line** cuts every street that it meets, exactly there; both sides remain as dead
    ends. A junction on the line is taken apart: each street ends there by itself. Of an
    **area** the parts of streets within it are taken away; a junction on its very edge
    stays. A **point**
    cuts the nearest street within `tolerance` (at a junction all that meet there), or
    delays whoever passes it. Bridges and tunnels pass over and under lines and areas.

    Parameters
    ----------
    streets
        Valid street layer; it is not changed.
    barriers
        Points, lines and areas in any reference system, with the columns, each of which
        may be missing or empty: ``modes`` (whom it hinders, ``walk,cycle``; all),
        ``delay_s`` (seconds, for points; without it the street is closed there),
        ``bridges`` (whether bridges and tunnels are hindered too; no), ``street`` (label
        of a street that is closed whole; the geometry may then be missing).
    modes
        The modes that matter; for others the streets stay as they are.
    tolerance
        Metres.
    crs
        Projected reference system to measure in; by where the streets lie if None.

    Raises
    ------
    CrsError
        Streets or barriers have no reference system.
    InputError
        A barrier is of no use; the message names its row.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from layers import embedded
    >>> streets = embedded("small").streets
    >>> wall = gpd.GeoDataFrame(geometry=[streets.geometry.iloc[0].buffer(1e-4).boundary], crs=4326)
    >>> barred = apply(streets, wall)
    >>> barred.cuts > 0, bool(np.isclose(barred.streets["length"].sum(), streets["length"].sum()))
    (True, True)
    """
    require_crs(streets)
    require_crs(barriers)
    wanted = tuple(modes)
    crs = crs if crs is not None else measuring_crs(streets)
    table = _read(barriers, streets, crs)
    lines = np.asarray(streets.geometry.to_crs(crs).array)
    marks = _marks(streets, lines, table, tolerance)
    marks = marks.merge(table[["row", *MODES]], on="row")
    label = barriers.index
    missed = table["row"][~table["row"].isin(marks["row"])]
    findings: tuple[Finding, ...] = ()
    if len(missed):
        rows = tuple(label[missed.to_numpy()])
        values = {"count": len(rows), "metres": tolerance}
        findings = (
            Finding(
                layer="streets", code="barrier_missed", severity="warning", rows=rows, values=values
            ),
        )
    return rebuilt(streets, lines, marks, wanted, crs, findings)


def _read(barriers: gpd.GeoDataFrame, streets: gpd.GeoDataFrame, crs: Any) -> pd.DataFrame:
    """Barriers in one form: row, geometry in `crs`, kind, a flag a mode, delay, bridges."""
    shapes = np.asarray(barriers.geometry.to_crs(crs).array)
    count, label = len(barriers), barriers.index

    def column(name: str, fill: Any) -> pd.Series:
        values = barriers[name] if name in barriers else pd.Series([fill] * count, label)
        return values.where(values.notna() & (values.astype(str) != ""), fill)

    whole = column("street", None).to_numpy(dtype=object)
    known = {str(name): row for row, name in enumerate(streets.index)}
    table = pd.DataFrame({"row": np.arange(count), "geometry": shapes})
    table["street"] = [-1 if name is None else known.get(_name(name), -2) for name in whole]
    blank = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    kinds = barriers.geometry.geom_type.map(_KINDS).to_numpy(dtype=object)
    table["kind"] = np.where(table["street"] >= 0, "street", kinds)
    _refuse(label, table["street"] == -2, "error.barrier_street")  # noqa: PLR2004 - no such label
    usable = pd.Series(kinds).notna() & ~blank
    _refuse(label, ~usable & (table["street"] < 0), "error.barrier_geometry")
    seconds = pd.to_numeric(column("delay_s", np.nan), errors="coerce").to_numpy(float)
    said = column("delay_s", None).notna().to_numpy()
    _refuse(label, said & ~((seconds >= 0) & np.isfinite(seconds)), "error.barrier_delay")
    _refuse(label, said & (table["kind"] != "point"), "error.barrier_delay_point")
    table["seconds"] = seconds
    bridges = column("bridges", False).astype(str).str.lower()
    table["bridges"] = bridges.isin(["true", "1", "1.0", "yes"]).to_numpy()
    told = column("modes", ",".join(MODES)).astype(str).str.replace("，", ",")
    sets = [{part.strip() for part in words.split(",") if part.strip()} for words in told]
    _refuse(label, np.array([not named <= set(MODES) for named in sets]), "error.barrier_modes")
    for mode in MODES:
        table[mode] = [mode in named for named in sets]
    return table


def _name(label: Any) -> str:
    """Label of a street as words; a file may have turned whole numbers into others."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def _refuse(label: pd.Index[Any], wrong: Any, key: str) -> None:
    rows = label[np.asarray(wrong, dtype=bool)]
    if len(rows):
        named = ", ".join(str(row) for row in rows[:8])
        raise InputError(text(key, rows=named, known=", ".join(MODES)))


def _marks(
    streets: gpd.GeoDataFrame, lines: Any, table: pd.DataFrame, tolerance: float
) -> pd.DataFrame:
    """Tell what barriers do to which streets: ``row, street, start, stop`` (m), ``seconds``.

    A cut starts and stops at one place and has no seconds; a delay has some; what is
    taken away lies between a start and a later stop.
    """
    length = streets["length"].to_numpy(dtype=np.float64)
    tree = shapely.STRtree(lines)
    aloft = (streets["bridge"] | streets["tunnel"]).to_numpy(dtype=bool)
    found: list[tuple[Any, ...]] = []
    closed = table[table["kind"] == "street"]
    street = closed["street"].to_numpy(dtype=np.int64)
    found.append((closed["row"].to_numpy(), street, 0.0 * street, length[street], np.nan))
    for kind in ("line", "area"):
        some = table[table["kind"] == kind]
        shapes = some["geometry"].to_numpy(dtype=object)
        # A wall drawn up to a junction may miss it by the rounding of coordinates.
        pair, street = tree.query(shapes, predicate="dwithin", distance=CRUMB_M)
        spared = aloft[street] & ~some["bridges"].to_numpy()[pair]
        pair, street = pair[~spared], street[~spared]
        meet = _within if kind == "area" else _crossings
        owner, start, stop = meet(lines[street], shapes[pair])
        scale = length[street[owner]] / shapely.length(lines[street[owner]])
        row = some["row"].to_numpy()[pair[owner]]
        found.append((row, street[owner], start * scale, stop * scale, np.nan))
    found += _point_marks(streets, lines, table[table["kind"] == "point"], tolerance)
    parts = [
        pd.DataFrame(dict(zip(("row", "street", "start", "stop", "seconds"), part, strict=True)))
        for part in found
    ]
    marks = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    whole = length[marks["street"].to_numpy(dtype=np.int64)]
    for name in ("start", "stop"):
        at = marks[name].to_numpy(dtype=np.float64)
        marks[name] = np.where(at < CRUMB_M, 0.0, np.where(at > whole - CRUMB_M, whole, at))
    return marks


def _crossings(lines: Any, shapes: Any) -> tuple[Ints, Floats, Floats]:
    """Where lines cross or touch walls, pair by pair: row of the pair, place along the line."""
    owner, pieces, start, along = _met(lines, shapes)
    place, piece = shapely.get_coordinates(pieces, return_index=True)
    found = [(owner[piece], along[piece] + np.hypot(*(place - start[piece]).T))]
    for end, at in ((0, 0.0 * shapely.length(lines)), (-1, shapely.length(lines))):
        near = shapely.dwithin(shapely.get_point(lines, end), shapes, CRUMB_M)
        found.append((np.flatnonzero(near), at[near]))
    corner, of = shapely.get_coordinates(shapes, return_index=True)
    corners = shapely.points(corner)
    near = shapely.dwithin(corners, lines[of], CRUMB_M)
    found.append((of[near], shapely.line_locate_point(lines[of[near]], corners[near])))
    rows, places = (np.concatenate(part) for part in zip(*found, strict=True))
    return rows, places, places


def _within(lines: Any, shapes: Any) -> tuple[Ints, Floats, Floats]:
    """Where lines run within areas, pair by pair: row of the pair, start and stop."""
    owner, pieces, start, along = _met(lines, shapes)
    inside = (shapely.get_dimensions(pieces) == 1) & (shapely.length(pieces) > 0)
    pieces, start = pieces[inside], start[inside]
    ends = [shapely.get_coordinates(shapely.get_point(pieces, end)) for end in (0, -1)]
    low, high = (along[inside] + np.hypot(*(end - start).T) for end in ends)
    return owner[inside], np.minimum(low, high), np.maximum(low, high)


def _met(lines: Any, shapes: Any) -> tuple[Ints, Any, Floats, Floats]:
    """Intersect every segment of lines with the shape of its pair.

    Each segment by itself, so that a line that crosses itself, or ends where it begins,
    is met wherever it passes.

    Returns
    -------
    Row of the pair, geometry in common, start of the segment, length before it.
    """
    xy, pair = shapely.get_coordinates(lines, return_index=True)
    begin = np.flatnonzero(pair[1:] == pair[:-1])
    step = np.hypot(*(xy[begin + 1] - xy[begin]).T)
    owner = pair[begin]
    before = np.cumsum(step) - step
    along = before - before[np.searchsorted(owner, owner)]
    segments = shapely.linestrings(np.stack([xy[begin], xy[begin + 1]], axis=1))
    pieces, of = shapely.get_parts(shapely.intersection(segments, shapes[owner]), return_index=True)
    return owner[of], pieces, xy[begin[of]], along[of]


def _point_marks(
    streets: gpd.GeoDataFrame, lines: Any, points: pd.DataFrame, tolerance: float
) -> Iterator[tuple[Any, ...]]:
    """Mark the nearest street of each point among those open to a mode that it hinders."""
    length = streets["length"].to_numpy(dtype=np.float64)
    for named, some in points.groupby(list(MODES)):
        hindered = [
            mode for mode, flag in zip(MODES, cast("tuple[bool, ...]", named), strict=True) if flag
        ]
        ways = [f"{mode}_{way}" for mode in hindered for way in ("forward", "backward")]
        may = np.flatnonzero(streets[ways].to_numpy(dtype=bool).any(axis=1))
        if not len(may):
            continue
        tree = shapely.STRtree(lines[may])
        spots, of = shapely.get_parts(some["geometry"].to_numpy(dtype=object), return_index=True)
        (near, _), least = tree.query_nearest(
            spots, max_distance=tolerance + CRUMB_M, return_distance=True, all_matches=False
        )
        here, street = tree.query(spots[near], predicate="dwithin", distance=least + CRUMB_M)
        spot, street = near[here], may[street]
        share = shapely.line_locate_point(lines[street], spots[spot], normalized=True)
        at = share * length[street]
        row, seconds = (some[name].to_numpy()[of[spot]] for name in ("row", "seconds"))
        yield row, street, at, at, seconds
        # Where a street ends at the point and begins there too, both ends are met.
        ends = [shapely.get_point(lines[street], end) for end in (-1, 0)]
        for end, other, there in ((0.0, ends[0], length[street]), (1.0, ends[1], 0.0 * at)):
            gap = shapely.distance(other, spots[spot])
            closing = (share == end) & (gap <= least[here] + CRUMB_M)
            yield row[closing], street[closing], there[closing], there[closing], seconds[closing]
