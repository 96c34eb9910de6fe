"""The rivers, lakes and canals of the model, drawn from ``water.toml``."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy import interpolate

from layers.resources import data_path
from layers.sources.modelled.noise import Smooth
from layers.sources.modelled.plane import to_metres, to_wgs84

Floats = npt.NDArray[np.float64]

_STEP: Final = 150.0
_RAGGED_WAVE: Final = 900.0
_SIMPLE: Final = 15.0
_RAGGED_SEED: Final = 571
_ISLAND_SHARE: Final = 0.55


@dataclass(frozen=True)
class Water:
    """Water as areas in metres, and the middle line of the main river."""

    names: tuple[str, ...]
    names_en: tuple[str, ...]
    areas: tuple[Any, ...]
    main_line: Floats

    @property
    def union(self) -> Any:
        """All water as one area."""
        return shapely.union_all(np.array(self.areas))

    def layer(self, within: Any) -> gpd.GeoDataFrame:
        """Return the water as a layer in EPSG:4326.

        Parameters
        ----------
        within
            The city's area in degrees, which the water is cut to.

        Returns
        -------
        GeoDataFrame
            Columns ``name``, ``name_en`` and geometry.
        """
        shapes = shapely.transform(np.array(self.areas), lambda xy: to_wgs84(xy).round(6))
        shapes = shapely.intersection(shapely.make_valid(shapes), within)
        shapes = np.array([_areas_only(shape) for shape in shapes])
        return gpd.GeoDataFrame(
            {"name": list(self.names), "name_en": list(self.names_en)}, geometry=shapes, crs=4326
        )


def draw() -> Water:
    """Draw the water of ``data/hangzhou/water.toml``.

    Returns
    -------
    Water
        The areas in metres; they do not depend on a seed.
    """
    with data_path("hangzhou", "water.toml").open("rb") as file:
        entries = tomllib.load(file)["water"]
    areas = [_area(entry) for entry in entries]
    main = next(entry for entry in entries if entry.get("main"))
    line, _ = _smooth(main["line"], main["width"])
    return Water(
        names=tuple(entry["name"] for entry in entries),
        names_en=tuple(entry["name_en"] for entry in entries),
        areas=tuple(areas),
        main_line=line,
    )


def _area(entry: Mapping[str, Any]) -> Any:
    if "ring" in entry:
        corners = to_metres(np.array(entry["ring"], dtype=np.float64))
        area = shapely.Polygon(_closed(corners))
    elif "line" in entry:
        area = _ribbon(entry["line"], entry["width"])
    else:
        arms = [_ribbon(arm["line"], arm["width"]) for arm in entry["lines"]]
        area = shapely.union_all(np.array(arms))
    if "ragged" in entry:
        area = _ragged(area, float(entry["ragged"]))
    return shapely.make_valid(shapely.simplify(area, _SIMPLE))


def _smooth(line: list[list[float]], width: float | list[float]) -> tuple[Floats, Floats]:
    """Round a middle line's corners; return points every few metres and their widths."""
    points = to_metres(np.array(line, dtype=np.float64))
    widths = np.broadcast_to(np.asarray(width, dtype=np.float64), len(points))
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    where = np.linspace(0.0, along[-1], max(int(along[-1] / _STEP), 2))
    curve = interpolate.PchipInterpolator(along, points)(where)
    return np.asarray(curve), np.interp(where, along, widths)


def _ribbon(line: list[list[float]], width: float | list[float]) -> Any:
    points, widths = _smooth(line, width)
    if isinstance(width, int | float):
        return shapely.buffer(shapely.linestrings(points), width / 2, quad_segs=4)
    step = np.gradient(points, axis=0)
    aside = np.column_stack([-step[:, 1], step[:, 0]]) / np.hypot(*step.T)[:, None]
    aside *= widths[:, None] / 2
    # Round ends and bends: the outline alone would pinch where the river turns sharply.
    outline = shapely.polygons(np.concatenate([points + aside, (points - aside)[::-1]]))
    core = shapely.buffer(shapely.linestrings(points), float(widths.min()) / 2, quad_segs=4)
    return shapely.union(shapely.make_valid(outline), core)


def _ragged(area: Any, amplitude: float) -> Any:
    """Give a lake a shore of bays and headlands, and islands."""
    rng = np.random.default_rng(_RAGGED_SEED)
    west, south, east, north = shapely.bounds(area)
    bounds = (float(west), float(south), float(east), float(north))
    across, along = (Smooth.over(bounds, _RAGGED_WAVE, rng) for _ in range(2))
    fine = shapely.segmentize(area, _STEP)

    def push(xy: Floats) -> Floats:
        return xy + amplitude * np.column_stack([across(*xy.T), along(*xy.T)])

    shore = shapely.buffer(shapely.transform(fine, push), 0)
    count = int(area.area / 1.2e6)
    spots = rng.uniform((west, south), (east, north), size=(count * 8, 2))
    inner = shapely.contains_xy(shapely.buffer(shore, -250.0), spots)
    spots = spots[inner][: int(count * _ISLAND_SHARE)]
    islands = shapely.buffer(shapely.points(spots), rng.uniform(60, 260, len(spots)), quad_segs=3)
    lake = shapely.difference(shore, shapely.union_all(islands))
    parts = shapely.get_parts(lake)
    return parts[np.argmax(shapely.area(parts))]


def _closed(corners: Floats) -> Floats:
    """Round a ring's corners with a periodic spline."""
    loop = np.vstack([corners, corners[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(loop, axis=0).T))])
    where = np.linspace(0.0, along[-1], max(int(along[-1] / _STEP), 8), endpoint=False)
    return np.asarray(interpolate.CubicSpline(along, loop, bc_type="periodic")(where))


def _areas_only(shape: Any) -> Any:
    """Drop points and lines that a cut has left beside the areas."""
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])  # noqa: PLR2004 - areas
