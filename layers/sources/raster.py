"""People out of rasters: cells cut exactly by the units they lie in.

A cell's value is how many people it holds or, with the option ``per=km2``, how many live
there per square kilometre.

Cells are cut in the raster's own rows and columns, where each is a square of one by one
however the raster is turned. People are taken to live evenly within a cell, so a unit
has of each cell the share that it covers.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import shapely
from pyproj import CRS, Transformer
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from layers import units
from layers.crs import GEOGRAPHIC, known
from layers.errors import CrsError, SourceError
from layers.findings import Finding
from layers.messages import text
from layers.population import GROUPS
from layers.sources import density
from layers.sources.files import Source
from layers.units import LEVELS

_SUFFIXES = {".tif", ".tiff", ".vrt", ".img", ".asc"}
_BLOCK = 256
_TILE = 16
# Straight in degrees is not straight in another system; pieces this short are, to a millimetre.
_STEP_DEGREES = 0.002
_SPECK = 1e-9
_WHOLE = 0.995

Bands = Mapping[str, Sequence[tuple[Path, int]]]
"""Of each column the bands that add up to it."""


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """Cells of a raster, each cut by the units that it lies in.

    Attributes
    ----------
    counts
        A column a group: the cell's people times the share of the cell.
    points
        Where each piece lies, inside its unit, in EPSG:4326.
    findings
        What was noticed on the way.
    """

    counts: pd.DataFrame
    points: gpd.GeoSeries
    findings: tuple[Finding, ...]


def is_raster(path: Path) -> bool:
    """Whether a file is a raster, by its name."""
    return path.suffix.lower() in _SUFFIXES


def bands_of_groups(source: Source) -> Bands:
    """Tell which band holds which group.

    Options named as the groups say it, each a band's number or another file, several
    added up: ``residents=1,women=women.tif,women_45_59=f_45.tif+f_50.tif+f_55.tif``.
    Without any, a single band is the residents, and several go by their descriptions.

    Raises
    ------
    SourceError
        A band is not there or nothing says what the bands are.
    """
    bands: dict[str, list[tuple[Path, int]]]
    named = {group: source.options[group] for group in GROUPS if group in source.options}
    if named:
        bands = {
            group: [_band(source, part) for part in words.split("+")]
            for group, words in named.items()
        }
    else:
        with _opened([source.path]) as (dataset,):
            described = [str(words or "").strip() for words in dataset.descriptions]
        if len(described) == 1:
            bands = {"residents": [(source.path, 1)]}
        else:
            bands = {
                group: [(source.path, described.index(group) + 1)]
                for group in GROUPS
                if group in described
            }
    if "residents" not in bands:
        raise SourceError(text("error.raster_bands", path=str(source.path)))
    return bands


def read(source: Source, bands: Bands, areas: gpd.GeoDataFrame, *, people: bool = True) -> Pieces:
    """Read a raster's cells within units.

    Cells without data (the declared value, NaN, a single negative value) hold nobody.

    Parameters
    ----------
    source
        The raster; option ``crs`` names its reference system where the file does not, and
        ``per=km2`` says that its values are densities.
    bands
        What to read, all on one grid.
    areas
        Unit layer. The finest unit has a cell's part, as in `layers.units.assign`.
    people
        Whether the values are people rather than weights of any kind.

    Returns
    -------
    A piece a cell and unit, where any band has a value above nought.

    Raises
    ------
    SourceError
        A file cannot be read, lies on another grid, or has a value that counts nobody or
        more people than any ground holds; the message names the cell.
    CrsError
        The raster has no reference system.
    """
    paths = list(dict.fromkeys(path for parts in bands.values() for path, _ in parts))
    try:
        with _opened(paths) as datasets:
            files = dict(zip(paths, datasets, strict=True))
            crs = _system(source, datasets[0])
            _refuse_other_grids(files)
            frame = datasets[0].transform
            leaves = _leaves(areas)
            shapes = _in_cells(leaves.geometry, crs, frame)
            grid = _Grid(files, bands)
            parts = list(_pieces(grid, shapes))
            extent = shapely.box(0, 0, datasets[0].width, datasets[0].height)
    except RasterioError as wrong:
        raise SourceError(
            text("error.file_unreadable", path=str(source.path), reason=str(wrong))
        ) from wrong
    empty = np.empty((0, 4 + len(bands)))
    table = np.concatenate([empty, *parts])
    leaf, x, y, share = table[:, 0].astype(int), *table[:, 1:4].T
    east, north = _moved(frame, x, y)
    to_degrees = Transformer.from_crs(crs, GEOGRAPHIC, always_xy=True)
    points = gpd.GeoSeries(gpd.points_from_xy(*to_degrees.transform(east, north)), crs=GEOGRAPHIC)
    held = _held(source, table, frame, crs) if people else table[:, 4:]
    counts = pd.DataFrame(held * share[:, np.newaxis], columns=list(bands))
    return Pieces(
        counts=counts,
        points=_put_inside(points, leaf, share < 1, leaves, areas),
        findings=(*_short(shapes, extent, leaves, areas), *grid.findings(source)),
    )


def _held(source: Source, table: Any, frame: Any, crs: CRS) -> Any:
    """People that each piece's whole cell holds."""
    values, column, row = table[:, 4:], np.floor(table[:, 1]), np.floor(table[:, 2])
    if not len(values):
        return values
    km2 = density.cells_km2(frame, crs, column, row)[:, np.newaxis]
    given_by_area = density.is_density(source)
    per_km2 = values if given_by_area else values / km2
    density.refuse_implausible(source, per_km2.max(axis=1), column, row)
    return values * km2 if given_by_area else values


class _Grid:
    """Bands that lie on one grid, read by windows."""

    def __init__(self, files: Mapping[Path, Any], bands: Bands) -> None:
        self._files = files
        self._bands = bands
        first = next(iter(files.values()))
        self.width, self.height = int(first.width), int(first.height)
        self._taken: dict[float, int] = {}

    def read(self, window: Window) -> npt.NDArray[np.float64]:
        """Read every column within a window, nought where there are no data."""
        return np.stack([
            sum((self._read_one(path, band, window) for path, band in parts), np.float64(0))
            for parts in self._bands.values()
        ])  # fmt: skip

    def _read_one(self, path: Path, band: int, window: Window) -> npt.NDArray[np.float64]:
        dataset = self._files[path]
        raw = dataset.read(band, window=window, masked=True)
        values = np.ma.filled(raw.astype(np.float64), 0.0)
        values[np.isnan(values)] = 0.0
        below = values < 0
        if below.any():
            self._take(path, window, values, below)
            values[below] = 0.0
        values = np.where(values > 0, values * dataset.scales[band - 1], values)
        if dataset.offsets[band - 1]:
            values = np.where(np.ma.getmaskarray(raw), 0, values + dataset.offsets[band - 1])
        if not np.isfinite(values).all():
            raise self._wrong(path, window, values, ~np.isfinite(values))
        return values

    def _take(self, path: Path, window: Window, values: Any, below: Any) -> None:
        """Count cells with the one negative value that stands for no data; refuse others."""
        found, counts = np.unique(values[below], return_counts=True)
        for value, count in zip(found.tolist(), counts.tolist(), strict=True):
            known_one = not self._taken or value in self._taken
            if value > -1 or not known_one:
                raise self._wrong(path, window, values, values == value)
            self._taken[value] = self._taken.get(value, 0) + count

    @staticmethod
    def _wrong(path: Path, window: Window, values: Any, which: Any) -> SourceError:
        row, column = np.argwhere(which)[0]
        told = {"row": int(row + window.row_off), "column": int(column + window.col_off)}
        value = float(values[row, column])
        return SourceError(text("error.raster_value", path=str(path), value=value, **told))

    def findings(self, source: Source) -> list[Finding]:
        """Tell which value was taken for no data."""
        return [
            Finding(
                layer="population",
                code="raster_sentinel",
                severity="info",
                values={"file": source.path.name, "value": value, "count": count},
            )
            for value, count in self._taken.items()
        ]


def _band(source: Source, words: str) -> tuple[Path, int]:
    """Band of this raster by its number, or the first of another beside it."""
    words = words.strip()
    path, band = source.path, 1
    if words.isdecimal():
        band = int(words)
    else:
        path = Path(words) if Path(words).exists() else source.path.parent / words
    with _opened([path]) as (dataset,):
        if not 1 <= band <= dataset.count:
            raise SourceError(
                text("error.raster_no_band", path=str(path), band=band, count=dataset.count)
            )
    return path, band


@contextmanager
def _opened(paths: Sequence[Path]) -> Iterator[list[Any]]:
    with ExitStack() as stack, warnings.catch_warnings():
        # What has no place on earth is refused below, in words of our own.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        datasets = []
        for path in paths:
            if not path.is_file():
                raise SourceError(text("error.file_missing", path=str(path)))
            try:
                datasets.append(stack.enter_context(rasterio.open(path)))
            except RasterioError as wrong:
                raise SourceError(
                    text("error.file_unreadable", path=str(path), reason=str(wrong))
                ) from wrong
        yield datasets


def _system(source: Source, dataset: Any) -> CRS:
    stated = source.options.get("crs") or (dataset.crs and dataset.crs.to_wkt())
    if not stated or dataset.transform.is_identity or dataset.transform.is_degenerate:
        raise CrsError(text("error.file_no_crs", path=str(source.path)))
    return known(stated)


def _refuse_other_grids(files: Mapping[Path, Any]) -> None:
    (first, one), *others = files.items()
    for path, other in others:
        same = (one.width, one.height, one.crs) == (other.width, other.height, other.crs)
        if not (same and one.transform.almost_equals(other.transform, precision=1e-9)):
            raise SourceError(text("error.raster_grids", path=str(path), first=first.name))


def _leaves(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Cut units into parts that do not overlap: the finest has it, then the lower code."""
    order = areas["level"].map({level: -n for n, level in enumerate(LEVELS)})
    ranked = areas.assign(_order=order).sort_values(["_order", "code"]).reset_index(drop=True)
    shapes = ranked.geometry.to_numpy().copy()
    later, earlier = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    inside = (earlier < later) & ~shapely.touches(shapes[later], shapes[earlier])
    rest = shapes.copy()
    for row in np.unique(later[inside]):
        held = shapely.union_all(shapes[earlier[inside & (later == row)]])
        rest[row] = shapely.difference(shapes[row], held)
    leaves = gpd.GeoDataFrame({"code": ranked["code"]}, geometry=rest, crs=areas.crs)
    return leaves[shapely.area(rest) > 0].reset_index(drop=True)


def _in_cells(shapes: gpd.GeoSeries, crs: CRS, frame: Any) -> npt.NDArray[np.object_]:
    """Shapes in columns and rows of the raster."""
    if crs != shapes.crs:
        shapes = _densified(shapes).to_crs(crs)
    back = ~frame
    placed = shapely.transform(
        shapes.to_numpy(), lambda x, y: _moved(back, x, y), interleaved=False
    )
    return np.asarray(shapely.make_valid(placed))


def _densified(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Areas with vertices so close that their edges stay where they are in another system.

    Ring by ring: GEOS mends the areas that it densifies, and may keep but a spike of one.
    """
    parts, shape = shapely.get_parts(shapes.to_numpy(), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    whole = shapely.polygons(shapely.segmentize(rings, _STEP_DEGREES), indices=part)
    return gpd.GeoSeries(shapely.multipolygons(whole, indices=shape), crs=shapes.crs)


def _moved(frame: Any, x: Any, y: Any) -> tuple[Any, Any]:
    return frame.a * x + frame.b * y + frame.c, frame.d * x + frame.e * y + frame.f


def _pieces(grid: _Grid, shapes: npt.NDArray[np.object_]) -> Iterator[npt.NDArray[np.float64]]:
    """Cut the cells: rows of leaf, x, y in cells, share of the cell, and the values."""
    tree = shapely.STRtree(shapes)
    left, top, right, bottom = shapely.total_bounds(shapes)
    rows = range(max(0, int(top)) // _BLOCK * _BLOCK, min(grid.height, int(bottom) + 1), _BLOCK)
    columns = range(max(0, int(left)) // _BLOCK * _BLOCK, min(grid.width, int(right) + 1), _BLOCK)
    for row in rows:
        for column in columns:
            wide, high = min(_BLOCK, grid.width - column), min(_BLOCK, grid.height - row)
            block = shapely.box(column, row, column + wide, row + high)
            met = tree.query(block, predicate="intersects")
            if not len(met):
                continue
            values = grid.read(Window(column, row, wide, high))
            y, x = np.nonzero((values > 0).any(axis=0))
            held = values[:, y, x].T
            for leaf in np.sort(met):
                within, places, share = _cut(shapes[leaf], block, x + column, y + row)
                yield np.column_stack(
                    [np.full(len(share), float(leaf)), places, share, held[within]]
                )


def _cut(shape: Any, block: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Which cells a shape has a part of, where the parts lie, and their shares."""
    part = shapely.intersection(shape, block)
    places, share = np.column_stack([x + 0.5, y + 0.5]), np.zeros(len(x))
    # Tiles first: few of them hold a border, and little of it.
    stride = int(x.max(initial=0)) // _TILE + 1
    number, tile = np.unique(y // _TILE * stride + x // _TILE, return_inverse=True)
    left, top = number % stride * _TILE, number // stride * _TILE
    squares = shapely.box(left, top, left + _TILE, top + _TILE)
    shapely.prepare(part)
    whole = shapely.covers(part, shapely.intersection(squares, block))
    crossed = ~whole & shapely.intersects(part, squares)
    share[whole[tile]] = 1
    held = np.full(len(squares), None, dtype=object)
    held[crossed] = shapely.intersection(part, squares[crossed])
    near = np.flatnonzero(crossed[tile])
    cells = shapely.box(x[near], y[near], x[near] + 1, y[near] + 1)
    shapely.prepare(held)
    inside = shapely.covers(held[tile[near]], cells)
    share[near[inside]] = 1
    on_border = ~inside & shapely.intersects(held[tile[near]], cells)
    cut = near[on_border]
    slices = shapely.intersection(held[tile[cut]], cells[on_border])
    share[cut] = shapely.area(slices)
    share[share > 1 - _SPECK] = 1
    middles = shapely.centroid(slices)
    outside = ~shapely.contains_properly(slices, middles) & (share[cut] > _SPECK)
    middles[outside] = shapely.point_on_surface(slices[outside])
    places[cut] = np.column_stack([shapely.get_x(middles), shapely.get_y(middles)])
    within = np.flatnonzero(share > _SPECK)
    return within, places[within], share[within]


def _put_inside(
    points: gpd.GeoSeries, leaf: Any, cut: Any, leaves: gpd.GeoDataFrame, areas: gpd.GeoDataFrame
) -> gpd.GeoSeries:
    """Have each point counted in its own unit, though a sliver is thinner than rounding."""
    codes = leaves["code"].to_numpy(dtype=object)
    astray = np.zeros(len(points), dtype=bool)
    astray[cut] = _finest(points[cut], areas) != codes[leaf[cut]]
    places = points.to_numpy().copy()
    for one in np.unique(leaf[astray]):
        lost, sound = astray & (leaf == one), ~astray & (leaf == one)
        if sound.any():
            nearest = shapely.STRtree(places[sound]).nearest(places[lost])
            places[lost] = places[sound][nearest]
        else:
            places[lost] = shapely.point_on_surface(leaves.geometry.iloc[one])
    return gpd.GeoSeries(places, crs=points.crs)


def _finest(points: gpd.GeoSeries, areas: gpd.GeoDataFrame) -> Any:
    """Code of the finest unit that each point lies in."""
    home = units.assign(points, areas)
    finest = np.full(len(points), None, dtype=object)
    for level in home.columns:
        here = home[level].notna().to_numpy()
        finest[here] = home.loc[here, level].to_numpy(dtype=object)
    return finest


def _short(
    shapes: Any, extent: Any, leaves: gpd.GeoDataFrame, areas: gpd.GeoDataFrame
) -> list[Finding]:
    """Name units that reach beyond the raster."""
    whole = pd.Series(shapely.area(shapes)).groupby(leaves["code"]).sum()
    met = pd.Series(shapely.area(shapely.intersection(shapes, extent)))
    share = met.groupby(leaves["code"]).sum() / whole
    partly = share[share < _WHOLE]
    if (share == 0).all():
        raise SourceError(text("error.raster_elsewhere"))
    if partly.empty:
        return []
    names = areas.set_index("code")["name"]
    told = ", ".join(f"{names[code]} {part:.0%}" for code, part in partly.items())
    return [
        Finding(
            layer="population",
            code="raster_short",
            severity="warning",
            rows=tuple(partly.index),
            values={"found": told},
        )
    ]
