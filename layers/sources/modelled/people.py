"""The population layer of the model: the census of each district put beside its streets."""

from typing import Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy import ndimage

from layers.sources import census
from layers.sources.modelled.ground import Ground
from layers.sources.modelled.net import CLASS, Net
from layers.sources.modelled.noise import Smooth
from layers.sources.modelled.plane import CRS, DECIMALS, to_wgs84
from layers.sources.modelled.settings import Setting
from layers.sources.modelled.water import Water

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_TRIES: Final = 1.35
_CLUMPING: Final = 0.72
_NEAREST: Final = 12.0
_FARTHEST: Final = 45.0
# How strongly each group of ages prefers some neighbourhoods to others.
_TASTE: Final = {
    "men_0_3": 0.25,
    "men_4_59": 0.06,
    "men_60_plus": 0.30,
    "women_0_3": 0.25,
    "women_4_14": 0.15,
    "women_15_44": 0.10,
    "women_45_49": 0.08,
    "women_50_59": 0.12,
    "women_60_plus": 0.30,
}


def settle(
    ground: Ground,
    water: Water,
    districts: gpd.GeoDataFrame,
    streets: Net,
    setting: Setting,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Put the people of every district at points beside its streets.

    Parameters
    ----------
    ground
        Where people live, about.
    water
        Rivers and lakes, where nobody does.
    districts
        The 13 districts in EPSG:4326, by code.
    streets
        The streets in metres.
    setting
        The model's size.
    rng
        Where the random numbers come from.

    Returns
    -------
    GeoDataFrame
        A point a row with the people of each group. The sums by district and group are
        those of the census, and each point lies in the district its people belong to.
    """
    points = _beside_streets(ground, streets, setting, rng)
    points = points[~_in_water(water, points)]
    degrees = to_wgs84(points).round(DECIMALS)
    number = _districts(ground, districts, points, degrees)
    inside = number > 0
    points, degrees, number = points[inside], degrees[inside], number[inside]
    weight = _weights(ground, points, rng)
    counts = _people(ground, points, number, weight, rng)
    lived_in = counts.sum(axis=1) > 0
    frame = census.groups_of(pd.DataFrame(counts[lived_in], columns=list(census.ATOMS)))
    return gpd.GeoDataFrame(
        frame.astype("int64"), geometry=shapely.points(degrees[lived_in]), crs=4326
    )


def _beside_streets(
    ground: Ground, streets: Net, setting: Setting, rng: np.random.Generator
) -> Floats:
    """Return places some metres from streets, more of them where more people live."""
    edges = streets.edges
    calm = (edges.kind >= CLASS["primary"]) & (edges.layer == 0)
    lines = edges.lines[calm]
    metres = shapely.length(lines)
    middle = (streets.xy[edges.u[calm]] + streets.xy[edges.v[calm]]) / 2.0
    cell = ground.cell(middle)
    people = ground.people.ravel()
    in_cell = np.bincount(cell, weights=metres, minlength=people.size)
    share = np.maximum(people, 0.02)[cell] ** _CLUMPING * metres / in_cell[cell]
    # Streets of large steps pass through many cells, so theirs count by length as well.
    share *= 1.0 + metres / (2.0 * ground.step)
    wanted = share * (_TRIES * setting.demand_points / share.sum())
    count = np.floor(wanted + rng.random(len(wanted))).astype(np.int64)
    row = np.repeat(np.arange(len(count)), count)
    along = rng.uniform(0.03, 0.97, len(row)) * metres[row]
    at = shapely.get_coordinates(shapely.line_interpolate_point(lines[row], along))
    ends = [shapely.get_coordinates(shapely.get_point(lines, end))[row] for end in (0, -1)]
    step = ends[1] - ends[0]
    step /= np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    aside = rng.uniform(_NEAREST, _FARTHEST, len(row)) * rng.choice([-1.0, 1.0], len(row))
    return np.asarray(at + aside[:, None] * np.column_stack([-step[:, 1], step[:, 0]]))


def _in_water(water: Water, points: Floats) -> npt.NDArray[np.bool_]:
    """Return which points lie in the water or within a metre of it."""
    area = shapely.buffer(water.union, 1.0, quad_segs=2)
    tree = shapely.STRtree(shapely.points(points))
    wet = np.zeros(len(points), dtype=bool)
    wet[tree.query(shapely.get_parts(area), predicate="contains")[1]] = True
    return wet


def _districts(
    ground: Ground, districts: gpd.GeoDataFrame, points: Floats, degrees: Floats
) -> Ints:
    """Return one more than the place of the district each point lies in, or 0.

    Cells within a district answer for their points; only those on a border are looked at
    one by one.
    """
    label = ground.district
    rings = shapely.boundary(districts.to_crs(CRS).geometry.to_numpy())
    dots = shapely.get_coordinates(shapely.segmentize(rings, ground.step / 3.0))
    border = np.zeros(label.size, dtype=bool)
    border[ground.cell(dots)] = True
    border = ndimage.binary_dilation(border.reshape(label.shape), np.ones((3, 3), dtype=bool))
    cell = ground.cell(points)
    number = label.ravel()[cell].astype(np.int64)
    unsure = np.flatnonzero(border.ravel()[cell])
    tree = shapely.STRtree(shapely.points(degrees[unsure]))
    area, point = tree.query(districts.geometry.to_numpy(), predicate="contains")
    number[unsure] = 0
    number[unsure[point]] = area + 1
    return number


def _weights(ground: Ground, points: Floats, rng: np.random.Generator) -> Floats:
    """Return how many people live at each point, about: those of its cell, shared out."""
    cell = ground.cell(points)
    people = ground.people.ravel()
    among = np.bincount(cell, minlength=people.size)
    return np.asarray(
        np.maximum(people[cell], 0.5) / among[cell] * rng.lognormal(0.0, 0.45, len(points))
    )


def _people(
    ground: Ground, points: Floats, number: Ints, weight: Floats, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Divide each district's atoms among its points; every sum is exact."""
    atoms = census.atoms()
    order = [str(code) for code in atoms.index]
    totals = atoms.to_numpy()
    taste = {}
    for name, strength in _TASTE.items():
        # Men and women of one age like the same places.
        age = name.split("_", 1)[1]
        if age not in taste:
            taste[age] = Smooth.over(ground.bounds, 2600.0, rng)(*points.T)
        taste[name] = np.exp(strength * taste[age])
    counts = np.zeros((len(points), len(census.ATOMS)), dtype=np.int64)
    for place, code in enumerate(ground.codes, start=1):
        here = np.flatnonzero(number == place)
        here = here[np.lexsort((points[here, 0], points[here, 1] // 400.0))]
        for column, name in enumerate(census.ATOMS):
            share = weight[here] * taste[name][here]
            counts[here, column] = _fair(share, int(totals[order.index(code), column]), rng)
    return counts


def _fair(weights: Floats, total: int, rng: np.random.Generator) -> Ints:
    """Divide a number by weights so that small shares are rounded up as often as is fair.

    The largest remainder would leave out every point whose share is small; here the
    cumulative sum is cut at whole numbers from a random start, which is exact as well.
    """
    edge = np.cumsum(weights)
    edge *= total / edge[-1]
    edge[-1] = total
    cut = np.floor(edge + rng.random()).astype(np.int64)
    cut[-1] = total
    return np.diff(np.minimum(cut, total), prepend=0)
