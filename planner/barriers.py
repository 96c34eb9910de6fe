"""Barriers: what cuts, closes or delays streets, applied to the street layer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.ops import substring

from layers.crs import GEOGRAPHIC, measuring_crs, require_crs
from layers.errors import InputError
from layers.findings import Finding
from layers.messages import text
from layers.streets import MODES

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from layers.streets import Mode
    from planner._search import Floats, Ints

TOLERANCE_M = 5.0
"""How far a point barrier may lie from the street that it closes."""

_CRUMB_M = 1e-3
"""Places on a street nearer to each other, or to its end, are one."""

_KINDS = {
    "Point": "point",
    "MultiPoint": "point",
    "LineString": "line",
    "LinearRing": "line",
    "MultiLineString": "line",
    "Polygon": "area",
    "MultiPolygon": "area",
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Barred:
    """Streets after barriers.

    Attributes
    ----------
    streets
        Street layer. A street keeps its row for the modes that pass unhindered; for the
        others the parts that remain are rows of their own at the end, with new labels.
        Where a street is cut each side has a node of its own, a dead end.
    delays
        What passing a delaying point takes: ``node`` (id), ``mode``, ``seconds``.
    cuts, removed_m
        Places at which streets were cut for some mode, and metres that were taken away.
    findings
        Barriers that met no street.
    """

    streets: gpd.GeoDataFrame
    delays: pd.DataFrame
    cuts: int
    removed_m: float
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "cuts": self.cuts,
            "removed_m": self.removed_m,
            "delays": int(self.delays["node"].nunique()),
            "findings": [finding.as_dict() for finding in self.findings],
        }

    def __repr__(self) -> str:
        return (
            f"<Barred: {len(self.streets):,} streets, {self.cuts:,} cuts, "
            f"{self.removed_m:,.0f} m removed, {self.delays['node'].nunique():,} delays>"
        )


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
    findings = ()
    if len(missed):
        rows = tuple(label[missed.to_numpy()])
        values = {"count": len(rows), "metres": tolerance}
        findings = (
            Finding(
                layer="streets", code="barrier_missed", severity="warning", rows=rows, values=values
            ),
        )
    return _rebuilt(streets, lines, marks, wanted, crs, findings)


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
    bridges = column("bridges", False).astype(str).str.lower()  # noqa: FBT003 - the value
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
    """What barriers do to which streets: ``row, street, start, stop`` (m), ``seconds``.

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
        pair, street = tree.query(shapes, predicate="dwithin", distance=_CRUMB_M)
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
        marks[name] = np.where(at < _CRUMB_M, 0.0, np.where(at > whole - _CRUMB_M, whole, at))
    return marks


def _crossings(lines: Any, shapes: Any) -> tuple[Ints, Floats, Floats]:
    """Where lines cross or touch walls, pair by pair: row of the pair, place along the line."""
    owner, pieces, start, along = _met(lines, shapes)
    place, piece = shapely.get_coordinates(pieces, return_index=True)
    found = [(owner[piece], along[piece] + np.hypot(*(place - start[piece]).T))]
    for end, at in ((0, 0.0 * shapely.length(lines)), (-1, shapely.length(lines))):
        near = shapely.dwithin(shapely.get_point(lines, end), shapes, _CRUMB_M)
        found.append((np.flatnonzero(near), at[near]))
    corner, of = shapely.get_coordinates(shapes, return_index=True)
    corners = shapely.points(corner)
    near = shapely.dwithin(corners, lines[of], _CRUMB_M)
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
            spots, max_distance=tolerance + _CRUMB_M, return_distance=True, all_matches=False
        )
        here, street = tree.query(spots[near], predicate="dwithin", distance=least + _CRUMB_M)
        spot, street = near[here], may[street]
        share = shapely.line_locate_point(lines[street], spots[spot], normalized=True)
        at = share * length[street]
        row, seconds = (some[name].to_numpy()[of[spot]] for name in ("row", "seconds"))
        yield row, street, at, at, seconds
        # Where a street ends at the point and begins there too, both ends are met.
        ends = [shapely.get_point(lines[street], end) for end in (-1, 0)]
        for end, other, there in ((0.0, ends[0], length[street]), (1.0, ends[1], 0.0 * at)):
            gap = shapely.distance(other, spots[spot])
            closing = (share == end) & (gap <= least[here] + _CRUMB_M)
            yield row[closing], street[closing], there[closing], there[closing], seconds[closing]


def _rebuilt(
    streets: gpd.GeoDataFrame,
    lines: Any,
    marks: pd.DataFrame,
    modes: tuple[Mode, ...],
    crs: Any,
    findings: tuple[Finding, ...],
) -> Barred:
    """Put the streets together again, a row for each part and the modes that share it."""
    length = streets["length"].to_numpy(dtype=np.float64)
    u, v = streets["u"].to_numpy(), streets["v"].to_numpy()
    may = {
        mode: streets[[f"{mode}_forward", f"{mode}_backward"]].to_numpy(dtype=bool)
        for mode in modes
    }
    fresh = int(max(u.max(), v.max())) + 1
    cuts, removed = 0, 0.0
    origin: list[int] = []
    part: list[tuple[int, int, float, float]] = []
    shared: list[tuple[Mode, ...]] = []
    delays: list[tuple[int, Mode, float]] = []
    shut = {mode: np.zeros(len(streets), dtype=bool) for mode in modes}
    at_node: set[tuple[int, int, Mode]] = set()
    for number, own in marks.groupby("street"):
        row = int(cast("int", number))
        alike: dict[Hashable, list[Mode]] = {}
        for mode in modes:
            mine = own[own[mode]]
            if may[mode][row].any() and len(mine):
                alike.setdefault(tuple(mine["row"]), []).append(mode)
        for group in alike.values():
            mine = own[own[group[0]]]
            plan = _Plan.of(mine, length[row])
            for barrier, at, seconds in plan.waits:
                if at in (0.0, length[row]):
                    node = int(u[row] if at == 0.0 else v[row])
                    # However many streets end at a junction, the barrier there is one.
                    for mode in group:
                        if (barrier, node, mode) not in at_node:
                            at_node.add((barrier, node, mode))
                            delays.append((node, mode, seconds))
            if plan.whole:
                continue
            cuts += len(plan.cut)
            pieces, inner, fresh = plan.pieces(int(u[row]), int(v[row]), fresh)
            removed += length[row] - sum(stop - start for _, _, start, stop in pieces)
            delays += [
                (inner[at], mode, seconds)
                for _, at, seconds in plan.waits
                if at in inner
                for mode in group
            ]
            for mode in group:
                shut[mode][row] = True
            origin += [row] * len(pieces)
            part += pieces
            shared += [tuple(group)] * len(pieces)
    return Barred(
        streets=_layer(streets, lines, shut, origin, part, shared, crs),
        delays=pd.DataFrame(delays, columns=["node", "mode", "seconds"]).astype(
            {"node": "int64", "seconds": "float64"}
        ),
        cuts=cuts,
        removed_m=float(removed),
        findings=findings,
    )


@dataclass(frozen=True)
class _Plan:
    """What becomes of one street: where it is cut, what is taken away, where one waits."""

    length: float
    cut: tuple[float, ...]
    gone: tuple[tuple[float, float], ...]
    waits: tuple[tuple[int, float, float], ...]

    @classmethod
    def of(cls, marks: pd.DataFrame, length: float) -> _Plan:
        """Read the marks of a street."""
        gone: list[tuple[float, float]] = []
        cut: list[float] = []
        waits = []
        for mark in marks.sort_values(["start", "stop"]).itertuples():
            start, stop, seconds = float(mark.start), float(mark.stop), float(mark.seconds)
            if not np.isnan(seconds):
                waits.append((int(mark.row), start, seconds))
            elif stop > start:
                if gone and start <= gone[-1][1] + _CRUMB_M:
                    gone[-1] = (gone[-1][0], max(gone[-1][1], stop))
                else:
                    gone.append((start, stop))
            elif not cut or start > cut[-1] + _CRUMB_M:
                cut.append(start)
        # What an area merely grazes stays.
        taken = tuple(part for part in gone if part[1] - part[0] > _CRUMB_M)
        return cls(length, tuple(cut), taken, tuple(waits))

    @property
    def whole(self) -> bool:
        """Whether the street stays in one piece, with the nodes that it has."""
        inside = any(0.0 < at < self.length for _, at, _ in self.waits)
        return not (self.cut or self.gone or inside)

    def pieces(
        self, u: int, v: int, fresh: int
    ) -> tuple[list[tuple[int, int, float, float]], dict[float, int], int]:
        """Divide the street.

        Returns
        -------
        Nodes, start and stop of each piece that remains; the node of each delay within
        the street; the next node id that is free.
        """
        apart = [*self.cut, *(edge for interval in self.gone for edge in interval)]
        places = sorted({0.0, self.length, *apart, *(at for _, at, _ in self.waits)})
        kept = places[:1]
        for place in places[1:]:
            if place - kept[-1] > _CRUMB_M:
                kept.append(place)
        kept[-1] = self.length
        joint: list[int | None] = []
        for place in kept:
            known = u if place == 0.0 else v if place == self.length else fresh
            free = self._near(place, apart)
            joint.append(None if free else known)
            fresh += not free and known == fresh
        pieces = []
        for number, (start, stop) in enumerate(pairwise(kept)):
            middle = (start + stop) / 2
            if any(low <= middle <= high for low, high in self.gone):
                continue
            ends = []
            for node in joint[number : number + 2]:
                # At a cut each side has a node of its own.
                ends.append(fresh if node is None else node)
                fresh += node is None
            pieces.append((ends[0], ends[1], start, stop))
        inner = {
            at: node
            for _, at, _ in self.waits
            for place, node in zip(kept[1:-1], joint[1:-1], strict=True)
            if node is not None and abs(at - place) <= _CRUMB_M
        }
        return pieces, inner, fresh

    @staticmethod
    def _near(place: float, places: Iterable[float]) -> bool:
        return any(abs(place - other) <= _CRUMB_M for other in places)


def _layer(
    streets: gpd.GeoDataFrame,
    lines: Any,
    shut: dict[Mode, np.ndarray],
    origin: list[int],
    part: list[tuple[int, int, float, float]],
    shared: list[tuple[Mode, ...]],
    crs: Any,
) -> gpd.GeoDataFrame:
    """Street layer without what was shut, its parts at the end."""
    rest = streets.copy()
    touched = np.zeros(len(streets), dtype=bool)
    for mode, rows in shut.items():
        touched |= rows
        for way in ("forward", "backward"):
            rest[f"{mode}_{way}"] = rest[f"{mode}_{way}"].to_numpy() & ~rows
    ways = [f"{mode}_{way}" for mode in MODES for way in ("forward", "backward")]
    rest = rest[rest[ways].to_numpy(dtype=bool).any(axis=1) | ~touched]
    if not origin:
        return rest
    rows = np.array(origin)
    pieces = streets.iloc[rows].copy()
    pieces["u"], pieces["v"] = [p[0] for p in part], [p[1] for p in part]
    start, stop = np.array([p[2] for p in part]), np.array([p[3] for p in part])
    whole = streets["length"].to_numpy(dtype=np.float64)[rows]
    pieces["length"] = stop - start
    shapes = [
        substring(line, low, high, normalized=True)
        for line, low, high in zip(lines[rows], start / whole, stop / whole, strict=True)
    ]
    back = gpd.GeoSeries(shapes, crs=crs).to_crs(GEOGRAPHIC)
    pieces[pieces.geometry.name] = np.asarray(back.array)
    for mode in MODES:
        mine = np.array([mode in group for group in shared])
        for way in ("forward", "backward"):
            pieces[f"{mode}_{way}"] = pieces[f"{mode}_{way}"].to_numpy() & mine
    pieces.index = _labels(streets.index, rows)
    return cast("gpd.GeoDataFrame", pd.concat([rest, pieces]))


def _labels(index: pd.Index[Any], rows: Ints) -> pd.Index[Any]:
    """Labels for the parts of streets that no street has."""
    if pd.api.types.is_integer_dtype(index.dtype):
        return pd.Index(np.arange(len(rows)) + int(index.max()) + 1)
    taken, made = set(index), []
    for row in rows:
        number = 1
        while (label := f"{index[row]}/{number}") in taken:
            number += 1
        taken.add(label)
        made.append(label)
    return pd.Index(made, dtype=index.dtype)
