"""The ground the model stands on: districts, relief and people as surfaces of small cells."""

import tomllib
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy import ndimage
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay

from layers.resources import data_path
from layers.sources import census
from layers.sources.modelled.noise import Smooth, Warp
from layers.sources.modelled.plane import to_metres
from layers.sources.modelled.settings import Setting
from layers.sources.modelled.water import Water

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CORE: Final = ("330102", "330105", "330106", "330108")
RING: Final = ("330109", "330110", "330113", "330114")

_MARGIN: Final = 3000.0
_VILLAGES: Final = 2600
_SQUARE_KM: Final = 1e6
# Where the plain of the north-east ends: degrees from a corner, and the slope of the edge.
_PLAIN_CORNER: Final = (119.93, 30.10)
_PLAIN_SLOPE: Final = 0.9
_PLAIN_EDGE: Final = 0.16


@dataclass(frozen=True)
class Share:
    """How the people of a kind of district live, in shares that add up to one."""

    towns: float
    villages: float
    spread: float


_SHARES: Final = {
    "core": Share(towns=0.55, villages=0.0, spread=0.45),
    "ring": Share(towns=0.55, villages=0.25, spread=0.20),
    "far": Share(towns=0.48, villages=0.47, spread=0.05),
}


@dataclass(frozen=True)
class Ground:
    """Surfaces over the municipality; rows run north.

    Attributes
    ----------
    origin
        South-west corner in metres.
    step
        Width of a cell.
    district
        0 outside the city, else one more than the district's place in `codes`.
    relief
        0 on the plain to 1 in the mountains.
    people
        Residents per km².
    wet
        Whether the middle of the cell is water.
    codes
        Codes of the districts.
    """

    origin: tuple[float, float]
    step: float
    district: npt.NDArray[np.int8]
    relief: Floats
    people: Floats
    wet: Bools
    codes: tuple[str, ...]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in metres."""
        rows, columns = self.district.shape
        west, south = self.origin
        return west, south, west + columns * self.step, south + rows * self.step

    def cell(self, points: Floats) -> Ints:
        """Return the flat number of the cell that holds each point, the nearest if none."""
        rows, columns = self.district.shape
        column = np.clip((points[:, 0] - self.origin[0]) // self.step, 0, columns - 1)
        row = np.clip((points[:, 1] - self.origin[1]) // self.step, 0, rows - 1)
        flat: Ints = (row * columns + column).astype(np.int64)
        return flat

    def height(self, points: Floats) -> Floats:
        """Return the relief at points, even between the middles of cells."""
        place = (points - np.array(self.origin)) / self.step - 0.5
        values = ndimage.map_coordinates(
            self.relief, place.T[::-1], order=1, mode="nearest", prefilter=False
        )
        return np.asarray(values, dtype=np.float64)


def survey(
    districts: gpd.GeoDataFrame,
    towns: pd.DataFrame,
    water: Water,
    setting: Setting,
    rng: np.random.Generator,
) -> Ground:
    """Lay out relief and people.

    Parameters
    ----------
    districts
        The 13 districts in EPSG:4326, by code.
    towns
        Townships with their centres.
    water
        Rivers and lakes.
    setting
        The model's size.
    rng
        Where the random numbers come from.

    Returns
    -------
    Ground
        The surfaces; the people of each district add up to its census, about.
    """
    metric = districts.to_crs(4549)
    west, south, east, north = metric.total_bounds
    step = setting.raster
    origin = (float(west) - _MARGIN, float(south) - _MARGIN)
    columns = int((east - west + 2 * _MARGIN) / step) + 1
    rows = int((north - south + 2 * _MARGIN) / step) + 1
    label = np.zeros((rows, columns), dtype=np.int8)
    for number, shape in enumerate(metric.geometry, start=1):
        label[fill(shape, origin, step, (rows, columns))] = number
    wet = fill(water.union, origin, step, (rows, columns))
    blank = Ground(
        origin,
        step,
        label,
        np.zeros(label.shape),
        np.zeros(label.shape),
        wet,
        tuple(districts["code"]),
    )
    centres = to_metres(towns[["lon", "lat"]].to_numpy())
    relief = _relief(blank, centres, water, rng)
    people = _people(blank, relief, towns, centres, rng)
    return Ground(origin, step, label, relief, people, wet, blank.codes)


def fill(shape: Any, origin: tuple[float, float], step: float, size: tuple[int, int]) -> Bools:
    """Return the cells whose middle lies in an area, by counting borders along each row.

    Parameters
    ----------
    shape
        The area in metres.
    origin, step, size
        South-west corner, width of a cell, rows and columns.

    Returns
    -------
    NDArray
        True inside.
    """
    rows, columns = size
    rings = shapely.get_rings(shapely.get_parts(shape))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    cells = (xy - np.array(origin)) / step - 0.5
    same = ring[1:] == ring[:-1]
    start, end = cells[:-1][same], cells[1:][same]
    low = np.ceil(np.minimum(start[:, 1], end[:, 1])).astype(np.int64)
    high = np.ceil(np.maximum(start[:, 1], end[:, 1])).astype(np.int64)
    count = np.maximum(high - low, 0)
    which = np.repeat(np.arange(len(count)), count)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + low[which]
    slope = (end[which] - start[which]).T
    column = start[which, 0] + (row - start[which, 1]) * slope[0] / slope[1]
    toggles = np.zeros((rows, columns + 1), dtype=np.int32)
    good = (row >= 0) & (row < rows)
    at = np.clip(np.ceil(column[good]), 0, columns).astype(np.int64)
    np.add.at(toggles, (row[good], at), 1)
    return np.asarray(np.cumsum(toggles, axis=1)[:, :columns] % 2 == 1)


def _middles(ground: Ground) -> tuple[Floats, Floats]:
    rows, columns = ground.district.shape
    x = ground.origin[0] + (np.arange(columns) + 0.5) * ground.step
    y = ground.origin[1] + (np.arange(rows) + 0.5) * ground.step
    east, north = np.meshgrid(x, y)
    return east, north


def _relief(
    ground: Ground,
    centres: Floats,
    water: Water,
    rng: np.random.Generator,
) -> Floats:
    """Raise mountains in the west and south, and cut valleys between the towns."""
    x, y = _middles(ground)
    corner = to_metres(np.array([_PLAIN_CORNER]))[0]
    degree = to_metres(np.array([[_PLAIN_CORNER[0] + 1, _PLAIN_CORNER[1]]]))[0][0] - corner[0]
    across = ((x - corner[0]) + _PLAIN_SLOPE * (y - corner[1])) / degree
    wave = Smooth.over(ground.bounds, 9000.0, rng)
    ripple = Smooth.over(ground.bounds, 3500.0, rng)
    rough = wave(x.ravel(), y.ravel()).reshape(x.shape)
    rough += 0.5 * ripple(x.ravel(), y.ravel()).reshape(x.shape)
    height = 1.0 / (1.0 + np.exp(4.0 * across / _PLAIN_EDGE - 0.9 * rough))

    lines = [*_valley_lines(centres), water.main_line]
    bend = Warp.over(ground.bounds, ((7000.0, 900.0),), rng)
    spots = bend(np.concatenate([_dotted(line, ground.step / 2) for line in lines]))
    dry = np.ones(ground.district.size, dtype=bool)
    dry[ground.cell(spots)] = False
    away = ndimage.distance_transform_edt(dry.reshape(height.shape)) * ground.step
    valley = np.exp(-((away / (1600.0 + 500.0 * np.clip(rough, -1, 1))) ** 2))
    # Side valleys lie where a wave changes sign, which it does along winding lines.
    side = Smooth.over(ground.bounds, 5500.0, rng)(x.ravel(), y.ravel()).reshape(x.shape)
    height = height * (1.0 - 0.55 * np.exp(-((side / 0.13) ** 2)))
    height = height * (1.0 - 0.93 * valley)
    with data_path("hangzhou", "roads.toml").open("rb") as file:
        hills = tomllib.load(file)["hill"]
    for hill in hills:
        middle = to_metres(np.array([hill["at"]], dtype=np.float64))[0]
        away = np.hypot(x - middle[0], y - middle[1]) / (1000.0 * hill["radius"])
        height = np.maximum(height, np.exp(-(away**4) * np.exp(0.3 * rough)))
    return np.asarray(np.clip(height, 0.0, 1.0))


def _valley_lines(centres: Floats) -> list[Floats]:
    """Join the towns to the shortest net, for valleys join towns."""
    triangles = Delaunay(centres).simplices
    pairs = np.unique(np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)), axis=0)
    metres = np.hypot(*(centres[pairs[:, 0]] - centres[pairs[:, 1]]).T)
    full = np.zeros((len(centres), len(centres)))
    full[pairs[:, 0], pairs[:, 1]] = metres
    tree = minimum_spanning_tree(full).tocoo()
    return [centres[[a, b]] for a, b in zip(tree.row, tree.col, strict=True)]


def _dotted(line: Floats, step: float) -> Floats:
    return np.asarray(shapely.get_coordinates(shapely.segmentize(shapely.linestrings(line), step)))


def _people(
    ground: Ground, relief: Floats, towns: pd.DataFrame, centres: Floats, rng: np.random.Generator
) -> Floats:
    """Spread the census over towns, villages and open land."""
    flat = np.clip(1.0 - 1.25 * relief, 0.0, 1.0)
    flat[ground.wet | (ground.district == 0)] = 0.0
    urban = np.isin(ground.district, [ground.codes.index(code) + 1 for code in (*CORE, *RING)])
    town = _towns(ground, towns, centres)
    chance = (flat**2 * np.where(urban, 1.0, 0.55)).ravel()
    seats = rng.choice(chance.size, size=_VILLAGES, p=chance / chance.sum())
    weight = rng.lognormal(0.0, 0.6, _VILLAGES)
    village = np.bincount(seats, weights=weight, minlength=chance.size).reshape(flat.shape)
    village = ndimage.gaussian_filter(village, 380.0 / ground.step)
    rough = Smooth.over(ground.bounds, 1500.0, rng)
    x, y = _middles(ground)
    patchy = np.exp(0.35 * rough(x.ravel(), y.ravel())).reshape(flat.shape)
    people = np.zeros(flat.shape)
    residents = census.groups()["residents"]
    area = ground.step**2 / _SQUARE_KM
    for number, code in enumerate(ground.codes, start=1):
        kind = "core" if code in CORE else "ring" if code in RING else "far"
        share = _SHARES[kind]
        here = (ground.district == number) & ~ground.wet
        density = np.zeros(flat.shape)
        for part, surface in (
            (share.towns, town * (0.15 + flat)),
            (share.villages, village * flat),
            (share.spread, flat**2),
        ):
            mass = (surface * patchy)[here].sum()
            if part and mass > 0:
                density[here] += part * (surface * patchy)[here] / mass
        density *= residents[code] / area / density.sum()
        people += density
    return people


def _towns(ground: Ground, towns: pd.DataFrame, centres: Floats) -> Floats:
    """Return a surface of towns, wide for the streets of a city and small for villages."""
    kind = towns["name"].str[-1].to_numpy()
    core = towns["district"].isin(CORE).to_numpy()
    ring = towns["district"].isin(RING).to_numpy()
    # The lowest code of a district is the seat of its government.
    seat = ~towns["district"].duplicated().to_numpy() & ~core
    groups = (
        (core, 1.0, 1500.0),
        (ring & (kind == "道"), 1.6, 1600.0),
        (~core & ~ring & (kind == "道"), 2.2, 1100.0),
        (~core & (kind == "镇"), 1.0, 700.0),
        (kind == "乡", 0.45, 420.0),
        (seat, 3.0, 1300.0),
    )
    surface = np.zeros(ground.district.shape)
    for chosen, weight, width in groups:
        at = ground.cell(centres[chosen])
        dots = np.bincount(at, minlength=surface.size).astype(np.float64)
        surface += weight * ndimage.gaussian_filter(
            dots.reshape(surface.shape), width / ground.step, truncate=3.0
        )
    return surface
