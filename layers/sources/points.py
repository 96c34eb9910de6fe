"""Where the rows of a table or file lie, and which of them cannot be placed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from layers.crs import known
from layers.datum import TO_WGS84
from layers.errors import CrsError, SourceError
from layers.findings import Finding
from layers.messages import text
from layers.sources import columns, coordinates, features, tables, zones
from layers.sources.columns import Axes
from layers.sources.rejected import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from layers.sources.files import Source
    from layers.sources.zones import Bounds

OPTIONS = (
    "datum", "lon", "lat", "x", "y", "coordinates", "crs", "layer", "sheet", "header", "encoding",
)  # fmt: skip
"""Options of a file whose rows are placed."""

_NEAR_DEG = 1.0
_USE_DEG = 1.5

Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Pair = tuple[Floats, Floats]


@dataclass(frozen=True, repr=False)
class Located:
    """Rows of a file and where they lie.

    Attributes
    ----------
    table
        The rows that were placed, with every column of theirs. The index is each row's
        number in the file.
    points
        Where they lie, in EPSG:4326, row for row.
    findings
        What was noticed: rows not placed, coordinates exchanged, a title above.
    rejected
        The rows that were not placed.
    datum
        What the coordinates were read in; empty where a reference system said it.
    axes
        Columns of the coordinates; None where the file has shapes of its own.
    """

    table: pd.DataFrame
    points: gpd.GeoSeries
    findings: tuple[Finding, ...]
    rejected: Rejected
    datum: str = ""
    axes: Axes | None = None

    def __repr__(self) -> str:
        return f"<Located: {len(self.table):,} rows; {self.rejected!r}>"


@dataclass(frozen=True)
class _Read:
    """Rows with coordinates as they stand, before anything is judged.

    Attributes
    ----------
    x, y
        As written; NaN where there is none.
    reasons
        Why a row cannot be placed, as far as is known.
    cells
        What the coordinates stand in.
    crs
        Reference system that the coordinates are in, or None for degrees in `datum`.
    """

    table: pd.DataFrame
    x: Floats
    y: Floats
    turned: Flags
    reasons: np.ndarray[Any, Any]
    cells: pd.Series
    crs: CRS | None
    datum: str
    findings: tuple[Finding, ...]
    axes: Axes | None = None

    @property
    def is_shape(self) -> bool:
        return self.axes is None


def locate(source: Source, layer: str, *, near: Bounds | None = None) -> Located:
    """Place the rows of a table or a file of points, moved to WGS-84.

    A row that cannot be placed is left out, named by a finding, and kept. Longitude and
    latitude that are exchanged beyond doubt are put right, and a finding says so: as
    they stand they lie nowhere on earth (or, if `near` is given, nowhere near), and
    exchanged they do.

    Parameters
    ----------
    source
        The file. Options: `OPTIONS`; ``lon`` and ``lat`` (or ``x`` and ``y``) or
        ``coordinates`` name the columns, ``datum`` or ``crs`` what is in them.
    layer
        For which layer, as findings name it.
    near
        Where rows should lie: west, south, east, north in degrees. Rows more than a
        degree, some 100 km, away are not placed.

    Raises
    ------
    SourceError
        The file is not readable, has no coordinates, or no row of it can be placed.
    CrsError
        Coordinates are in metres and nothing says of which reference system.
    """
    if source.is_table:
        read = _read_table(source, layer, source.table(), near)
    else:
        read = _read_features(source, layer, near)
    if not len(read.table):
        raise SourceError(text("error.table_empty", path=str(source.path)))
    return _judge(source, layer, read, near)


def _read_features(source: Source, layer: str, near: Bounds | None) -> _Read:
    if "layer" not in source.options:
        shapes = [name for name, has in source.layers().items() if has]
        if shapes:
            features.one_of_several(source.path, shapes)
    held = source.features()
    if getattr(held.frame, "active_geometry_name", None) is None:
        return _read_table(source, layer, tables.of_frame(held.frame), near)
    frame = source.with_crs(held.frame)
    if source.datum and not frame.crs.is_geographic:
        raise SourceError(text("error.crs_and_datum", path=str(source.path)))
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    shapes = _single(frame.geometry)
    reasons = np.full(len(frame), "", dtype=object)
    nothing = shapes.isna() | shapes.is_empty
    reasons[nothing] = "row_no_geometry"
    reasons[~nothing & (shapes.geom_type != "Point")] = "row_no_point"
    spots = np.where(reasons == "", shapes.array, None)
    x, y = shapely.get_x(spots), shapely.get_y(spots)
    reasons[(reasons == "") & ~(np.isfinite(x) & np.isfinite(y))] = "row_no_geometry"
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    complaints: list[Finding] = []
    if held.complaints:
        values = {"path": source.path.name, "found": "; ".join(held.complaints[:3])}
        complaints = [
            Finding(layer=layer, code="file_complaints", severity="warning", values=values)
        ]
    return _Read(
        table, x, y, np.zeros(len(x), bool), reasons,
        cells=shapes.geom_type.fillna("").astype("str"),
        crs=None if source.datum else frame.crs,
        datum=source.datum, findings=tuple(complaints),
    )  # fmt: skip


def _single(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Make collections of one point that point, and put all on the plane."""
    flat = shapely.force_2d(shapes.to_numpy())
    alone = (shapely.get_type_id(flat) >= shapely.GeometryType.MULTIPOINT) & (
        shapely.get_num_geometries(flat) == 1
    )
    return gpd.GeoSeries(
        np.where(alone, shapely.get_geometry(flat, 0), flat), shapes.index, shapes.crs
    )


def _read_table(source: Source, layer: str, table: tables.Table, near: Bounds | None) -> _Read:
    axes = _axes(source, table.frame)
    crs = known(source.options["crs"]) if "crs" in source.options else None
    if crs is not None and not (crs.is_geographic or crs.is_projected):
        raise CrsError(text("error.crs_unknown", found=source.options["crs"]))
    if crs is not None and source.datum:
        raise SourceError(text("error.crs_and_datum", path=str(source.path)))
    found = _noticed(source, layer, table, axes)
    if axes.is_one:
        cells = table.frame[axes.lon]
        first, second = coordinates.halves(cells)
    else:
        first, second = table.frame[axes.lon], table.frame[axes.lat]
        cells = first.str.cat(second, sep=" / ")
    (x, x_wrong, x_way), (y, y_wrong, y_way) = (
        coordinates.degrees(part) for part in (first, second)
    )
    reasons = np.full(len(table.frame), "", dtype=object)
    reasons[np.isnan(x) | np.isnan(y)] = "row_missing"
    reasons[x_wrong | y_wrong | ((x_way == y_way) & (x_way > 0))] = "row_unreadable"
    reasons[(x == 0) & (y == 0)] = "row_zero"
    reasons[table.ragged] = "row_ragged"
    # What is written as north is north, whichever column it stands in.
    turned = ((x_way == 2) | (y_way == 1)) & (reasons == "")  # noqa: PLR2004 - north and south
    x, y = np.where(turned, y, x), np.where(turned, x, y)
    fine = reasons == ""
    if crs is None and zones.are_metres(x[fine], y[fine]):
        raise _metres(source, axes, x[fine], y[fine], near)
    return _Read(
        table.frame, x, y, turned, reasons, cells, crs,
        datum=source.datum or axes.datum or "wgs84", findings=tuple(found), axes=axes,
    )  # fmt: skip


def _axes(source: Source, frame: pd.DataFrame) -> Axes:
    """Columns that the options name, else the usual ones."""
    options = source.options
    lon, lat = (options.get(a) or options.get(b) for a, b in (("lon", "x"), ("lat", "y")))
    if "coordinates" in options:
        both = source.column(frame, "coordinates", ())
        return Axes(both, both, columns.mark(both))
    there = columns.axes(frame.columns, datum=source.datum)
    if lon or lat:
        own = [
            columns.find(frame.columns, (name,)) if name else there and getattr(there, role)
            for name, role in ((lon, "lon"), (lat, "lat"))
        ]
        for name, column, option in zip((lon, lat), own, ("lon", "lat"), strict=True):
            if column is None:
                raise source.no_column(option, name or option, frame.columns)
        east, north = map(str, own)
        return Axes(east, north, columns.mark(east))
    if there is None:
        told = {"path": str(source.path), "columns": ", ".join(frame.columns)}
        values, _ = coordinates.numbers(pd.Series(frame.columns, dtype="str"))
        if np.isfinite(values).sum() > 1:
            raise SourceError(text("error.headings_missing", **told))
        raise SourceError(text("error.no_coordinate_columns", **told))
    for column in (there.lon, there.lat):
        twins = columns.alike(frame.columns, column)
        if len(twins) > 1:
            told = {"path": str(source.path), "columns": ", ".join(twins)}
            raise SourceError(text("error.columns_alike", **told))
    return there


def _noticed(source: Source, layer: str, table: tables.Table, axes: Axes) -> list[Finding]:
    """Tell what the headings say that the user may not know."""
    name = source.path.name
    found = []
    if table.titled and "header" not in source.options:
        values: dict[str, Any] = {"path": name, "row": table.header}
        found.append(Finding(layer=layer, code="header_below", severity="info", values=values))
    if axes.datum and axes.datum != (source.datum or "wgs84"):
        values = {"path": name, "columns": axes.lon, "datum": axes.datum, "used": source.datum}
        if source.datum:
            one = Finding(layer=layer, code="datum_conflict", severity="warning", values=values)
        else:
            one = Finding(layer=layer, code="datum_by_name", severity="info", values=values)
        found.append(one)
    return found


def _metres(source: Source, axes: Axes, x: Floats, y: Floats, near: Bounds | None) -> CrsError:
    told = {"path": str(source.path), "columns": ", ".join(dict.fromkeys((axes.lon, axes.lat)))}
    return CrsError(text("error.metres", hint=_hint(x, y, near), **told))


def _hint(x: Floats, y: Floats, near: Bounds | None) -> str:
    codes = zones.guess(x, y, near)
    return text("error.crs_hint", found=zones.named(codes)) if codes else text("error.crs_no_hint")


def _judge(source: Source, layer: str, read: _Read, near: Bounds | None) -> Located:
    """Turn what is exchanged, move all to WGS-84, and leave out what lies nowhere."""
    reasons = read.reasons.copy()
    fine = reasons == ""
    straight, crossed = _degrees(read, read.x, read.y), _degrees(read, read.y, read.x)
    is_valid = _in_use(read.crs)
    crossing = fine & ~read.turned & _exchanged(straight, crossed, is_valid, near, fine)
    lon, lat = (np.where(crossing, b, a) for a, b in zip(straight, crossed, strict=True))
    turned = crossing | (read.turned & fine)
    wrong = fine & ~is_valid(lon, lat)
    reasons[wrong] = (
        "row_out_of_range" if read.crs is None or read.crs.is_geographic else "row_off_crs"
    )
    fine = reasons == ""
    if read.crs is None:
        lon[fine], lat[fine] = TO_WGS84[read.datum](lon[fine], lat[fine])
    if near is not None:
        far = fine & ~_within(near, _NEAR_DEG)(lon, lat)
        if fine.any() and far[fine].all():
            raise _elsewhere(source, lon[fine], lat[fine], near)
        reasons[far] = "row_far"
        fine &= ~far
    rejected = _rejected(source, read, reasons)
    if not fine.any():
        raise _none_placed(source, read, rejected, near)
    found = [*read.findings, *_told_turned(source, layer, read, turned, fine)]
    points = gpd.GeoSeries(
        shapely.points(lon[fine], lat[fine]), index=read.table.index[fine], crs=4326
    )
    datum = read.datum if read.crs is None else ""
    told = (*found, *rejected.findings(layer))
    return Located(read.table[fine], points, told, rejected, datum, read.axes)


def _degrees(read: _Read, x: Floats, y: Floats) -> Pair:
    if read.crs is None or read.crs == CRS.from_epsg(4326):
        return x, y
    move = Transformer.from_crs(read.crs, 4326, always_xy=True)
    lon, lat = move.transform(x, y)
    return np.asarray(lon, float), np.asarray(lat, float)


def _in_use(crs: CRS | None) -> Callable[[Any, Any], Flags]:
    """Tell which degrees a reference system can have meant."""
    area = None if crs is None or crs.is_geographic else crs.area_of_use
    if area is None:
        return _within((-180, -90, 180, 90), 0)
    return _within((area.west, area.south, area.east, area.north), _USE_DEG)


def _within(bounds: Bounds, margin: float) -> Callable[[Any, Any], Flags]:
    west, south, east, north = bounds

    def lies(lon: Any, lat: Any) -> Flags:
        across = (lon >= west - margin) & (lon <= east + margin)
        made: Flags = across & (lat >= south - margin) & (lat <= north + margin)
        return made

    return lies


def _exchanged(
    straight: Pair,
    crossed: Pair,
    is_valid: Callable[[Any, Any], Flags],
    near: Bounds | None,
    fine: Flags,
) -> Flags:
    """Tell which rows can only be meant the other way round."""
    turned = np.zeros(len(fine), bool)
    if near is not None:
        is_near = _within(near, _NEAR_DEG)
        turned = fine & ~is_near(*straight) & is_near(*crossed)
    good = fine & is_valid(*straight) & ~turned
    doubtful = fine & ~good & ~turned & is_valid(*crossed)
    if not good.any():
        return turned | doubtful
    # Among rows that are right, another is one of them only if it then lies with them.
    lon, lat = (part[good] for part in straight)
    with_them = _within((lon.min(), lat.min(), lon.max(), lat.max()), _NEAR_DEG)
    return turned | (doubtful & with_them(*crossed))


def _told_turned(
    source: Source, layer: str, read: _Read, turned: Flags, fine: Flags
) -> list[Finding]:
    both = turned & fine
    if not both.any():
        return []
    rows = tuple(int(row) for row in read.table.index[both])
    values = {"path": source.path.name, "count": len(rows)}
    if not both[fine].all():
        return [
            Finding(layer=layer, code="rows_turned", severity="warning", rows=rows, values=values)
        ]
    if read.crs is not None and read.crs.is_projected:
        # Surveyors write X to the north.
        return [Finding(layer=layer, code="axes_turned", severity="info", values=values)]
    return [Finding(layer=layer, code="table_turned", severity="warning", values=values)]


def _rejected(source: Source, read: _Read, reasons: np.ndarray[Any, Any]) -> Rejected:
    lost = reasons != ""
    table = read.table[lost]
    if read.is_shape:
        # Without their shapes rows want columns for somebody to fill in.
        there = table
        table = tables.of_frame(there).frame.set_axis(there.index)
        for role in ("lat", "lon"):
            name = text(f"rejected.{role}")
            table = table.drop(columns=name, errors="ignore")
            table.insert(0, name, "")
    return Rejected(
        source.path, table, pd.Series(reasons[lost], table.index, dtype="str"), read.cells[lost]
    )


def _elsewhere(source: Source, lon: Floats, lat: Floats, near: Bounds) -> SourceError:
    table = f"{lon.min():.3f}–{lon.max():.3f}, {lat.min():.3f}–{lat.max():.3f}"
    west, south, east, north = near
    units = f"{west:.3f}–{east:.3f}, {south:.3f}–{north:.3f}"
    told = {"path": str(source.path), "count": len(lon), "found": table, "wanted": units}
    return SourceError(text("error.table_elsewhere", **told))


def _none_placed(
    source: Source, read: _Read, rejected: Rejected, near: Bounds | None
) -> SourceError:
    counts = "; ".join(f"{text(f'rejected.{code}')} {n}" for code, n in rejected.counts().items())
    hint = ""
    there = np.isfinite(read.x) & np.isfinite(read.y)
    if read.crs is not None and zones.are_metres(read.x[there], read.y[there]):
        hint = _hint(read.x[there], read.y[there], near)
    told = {"path": str(source.path), "found": counts, "hint": hint}
    return SourceError(text("error.none_placed", **told))
