"""Slopes: heights along the streets, and what they do to the pace."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import shapely
from pyproj import CRS, Transformer
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import spsolve

from layers.crs import GEOGRAPHIC
from layers.errors import InputError
from layers.findings import Finding
from layers.messages import text
from planner.travel import DEFAULT_SPEED_KMH

if TYPE_CHECKING:
    import geopandas as gpd

    from layers.streets import Mode
    from planner._search import Floats, Ints

SPACING_M = 30.0
"""Metres between heights along a street: a cell of the common elevation models."""

_STEEP = 0.4
_PARKIN_FLAT = 6.01
_PARKIN_UP = 0.4002 * 100
_PARKIN_DOWN = 0.2379 * 100
_PARKIN_MOST = 35.0 / 3.6


@dataclass(frozen=True, eq=False, repr=False)
class Elevation:
    """Heights in a grid of cells.

    Attributes
    ----------
    heights
        Metres above any level, NaN where not known; a row a row of cells.
    to_cell
        Six figures that make column and row of a place: of the affine transform
        ``column = a x + b y + c``, ``row = d x + e y + f``.
    crs
        Reference system of the places.
    path
        Where it was read from.
    """

    heights: Floats
    to_cell: tuple[float, ...]
    crs: CRS
    path: str = ""

    @classmethod
    def read(cls, path: str | os.PathLike[str], bounds: tuple[float, ...] | None = None) -> Self:
        """Read the first band of a raster.

        Parameters
        ----------
        path
            GeoTIFF, or another raster that GDAL reads.
        bounds
            West, south, east, north in degrees; only what lies within is read.

        Raises
        ------
        InputError
            The file is missing, no raster, or has no reference system.
        """
        # Nothing else needs GDAL's rasters, which are slow to import.
        import rasterio  # noqa: PLC0415
        from rasterio.errors import RasterioError  # noqa: PLC0415
        from rasterio.windows import Window, from_bounds  # noqa: PLC0415

        named = str(path)
        if not Path(path).exists():
            raise InputError(text("error.elevation_missing", path=named))
        try:
            with rasterio.open(path) as raster:
                if raster.crs is None:
                    raise InputError(text("error.elevation_no_crs", path=named))
                crs = CRS.from_wkt(raster.crs.to_wkt())
                window = Window(0, 0, raster.width, raster.height)
                if bounds is not None:
                    turned = Transformer.from_crs(GEOGRAPHIC, crs, always_xy=True)
                    around = from_bounds(*turned.transform_bounds(*bounds), raster.transform)
                    # Two cells more on every side, for what lies between the cells' centres.
                    wider = Window(
                        around.col_off - 2, around.row_off - 2, around.width + 4, around.height + 4
                    )
                    if not rasterio.windows.intersect([window, wider]):
                        raise InputError(text("error.elevation_elsewhere", path=named))
                    window = window.intersection(wider).round_offsets().round_lengths("ceil")
                band = raster.read(1, window=window, masked=True).astype(np.float64)
                heights = band.filled(np.nan) * raster.scales[0] + raster.offsets[0]
                inverse = ~raster.window_transform(window)
        except RasterioError as wrong:
            reason = str(wrong)
            raise InputError(
                text("error.elevation_unreadable", path=named, reason=reason)
            ) from wrong
        return cls(heights, tuple(inverse)[:6], crs, named)

    def at(self, xy: Floats, crs: CRS) -> Floats:
        """Heights of places, bilinear between the centres of cells.

        Parameters
        ----------
        xy
            Two coordinates each.
        crs
            Their reference system.

        Returns
        -------
        Metres; NaN outside the grid, and where a cell that counts is not known.
        """
        x, y = Transformer.from_crs(crs, self.crs, always_xy=True).transform(xy[:, 0], xy[:, 1])
        a, b, c, d, e, f = self.to_cell
        column, row = a * x + b * y + c, d * x + e * y + f
        high, wide = self.heights.shape
        inside = (column >= 0) & (column <= wide) & (row >= 0) & (row <= high)
        found = np.full(len(xy), np.nan)
        # Within half a cell of the grid's edge the outermost centres hold on.
        column = np.clip(column[inside] - 0.5, 0, wide - 1)
        row = np.clip(row[inside] - 0.5, 0, high - 1)
        west, north = np.floor(column).astype(np.int64), np.floor(row).astype(np.int64)
        total = np.zeros(len(column))
        for down in (0, 1):
            for right in (0, 1):
                weight = np.abs(1 - right - (column - west)) * np.abs(1 - down - (row - north))
                height = self.heights[
                    np.minimum(north + down, high - 1), np.minimum(west + right, wide - 1)
                ]
                total += np.where(weight > 0, weight * height, 0.0)
        found[inside] = total
        return found

    def __repr__(self) -> str:
        high, wide = self.heights.shape
        return f"<Elevation: {wide:,} × {high:,} cells of {self.path or 'no file'}>"


@dataclass(frozen=True, eq=False)
class Climb:
    """Slopes along streets.

    Attributes
    ----------
    street
        Row of the street of each part, streets in their order.
    share
        Share of the street's length that the part has.
    slope
        Rise over length of each part from u to v, 0 where it is not known.
    findings
        Streets whose slope is not known, or hardly believable.
    """

    street: Ints
    share: Floats
    slope: Floats
    findings: tuple[Finding, ...] = ()

    def minutes(self, mode: Mode, flat: Floats, speed_kmh: Floats | float) -> tuple[Floats, Floats]:
        """Minutes of each street from u to v and from v to u.

        Parameters
        ----------
        mode
            How people travel; cars take no notice of slopes.
        flat
            Minutes of each street if it were flat.
        speed_kmh
            Speed on the flat.
        """
        if mode == "drive":
            return flat, flat
        speed = np.broadcast_to(np.asarray(speed_kmh, dtype=np.float64), flat.shape)[self.street]
        there, back = (
            flat
            * np.bincount(
                self.street,
                weights=self.share * slowing(mode, way * self.slope, speed),
                minlength=len(flat),
            )
            for way in (1.0, -1.0)
        )
        return there, back


def slowing(mode: Mode, slope: Floats, speed_kmh: Floats) -> Floats:
    """How many times as long a part of a street takes as it would on the flat.

    On foot by Tobler's hiking function, 6 exp(-3.5 |s + 0.05|) km/h, scaled so that the
    speed on the flat is the group's own (Tobler 1993, Three presentations on geographical
    analysis and modeling, NCGIA report 93-1). By cycle after Parkin and Rotheram (2010,
    Design speeds and acceleration characteristics of bicycle traffic, Transport Policy
    17): of 6.01 m/s on the flat every per cent uphill takes 0.4002 m/s and every per cent
    downhill adds 0.2379 m/s, up to 35 km/h in all; scaled likewise, and never slower than
    pushing the cycle on foot at 4.8 km/h by Tobler.

    Parameters
    ----------
    mode
        ``walk`` or ``cycle``.
    slope
        Rise over length in the direction of travel.
    speed_kmh
        Speed on the flat.

    Examples
    --------
    >>> slowing("walk", np.array([0.0, 0.1, -0.05]), np.array([4.8, 4.8, 4.8])).round(3)
    array([1.   , 1.419, 0.839])
    """
    walked: Floats = np.exp(3.5 * (np.abs(slope + 0.05) - 0.05))
    if mode == "walk":
        return walked
    ridden = _PARKIN_FLAT - np.where(slope > 0, _PARKIN_UP, _PARKIN_DOWN) * slope
    ridden = np.minimum(ridden, _PARKIN_MOST)
    # Where the rule leaves no speed at all, pushing is what remains.
    factor = np.where(ridden > 0, _PARKIN_FLAT / np.where(ridden > 0, ridden, 1.0), np.inf)
    pushed = np.maximum(speed_kmh / DEFAULT_SPEED_KMH["walk"], 1.0) * walked
    return np.where(slope > 0, np.minimum(factor, pushed), factor)


def along(
    streets: gpd.GeoDataFrame,
    elevation: Elevation | str | os.PathLike[str],
    *,
    crs: Any,
    spacing: float = SPACING_M,
) -> Climb:
    """Slopes of streets from heights sampled along them.

    Each street is cut into equal parts of at most `spacing`. Bridges and tunnels run
    straight between their ends; where only bridges and tunnels meet, the height lies
    between those of the places where they touch the ground, in proportion to the ways
    there. A street for which any height is not known counts as flat.

    Parameters
    ----------
    streets
        Street layer.
    elevation
        Heights, or the raster to read them from.
    crs
        Projected reference system to measure in.
    spacing
        Metres between heights.

    Raises
    ------
    InputError
        The raster cannot be read, or knows none of the streets.
    """
    if not isinstance(elevation, Elevation):
        elevation = Elevation.read(elevation, tuple(streets.total_bounds))
    lines = np.asarray(streets.geometry.to_crs(crs).array)
    length = streets["length"].to_numpy(dtype=np.float64)
    aloft = (streets["bridge"] | streets["tunnel"]).to_numpy(dtype=bool)
    parts = np.where(aloft, 1, np.maximum(np.ceil(length / spacing), 1)).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(parts + 1)])[:-1]
    street = np.repeat(np.arange(len(lines)), parts + 1)
    place = (np.arange(len(street)) - first[street]) / parts[street]
    spots = shapely.line_interpolate_point(lines[street], place, normalized=True)
    height = elevation.at(shapely.get_coordinates(spots), CRS.from_user_input(crs))
    last = first + parts
    if not np.isfinite(height).any():
        raise InputError(text("error.elevation_elsewhere", path=elevation.path))
    if aloft.any():
        _lift(streets, height, first, last, aloft, length)
    begin = np.delete(np.arange(len(street)), last)
    owner = street[begin]
    share = 1.0 / parts[owner]
    slope = (height[begin + 1] - height[begin]) / (length[owner] * share)
    unknown = np.zeros(len(lines), dtype=bool)
    unknown[owner[~np.isfinite(slope)]] = True
    slope[unknown[owner]] = 0.0
    steep = np.zeros(len(lines), dtype=bool)
    steep[owner[np.abs(slope) > _STEEP]] = True
    return Climb(owner, share, slope, tuple(_findings(streets, unknown, steep)))


def _lift(
    streets: gpd.GeoDataFrame,
    height: Floats,
    first: Ints,
    last: Ints,
    aloft: np.ndarray,
    length: Floats,
) -> None:
    """Set the heights of ends where only bridges and tunnels meet, in place.

    The heights solve a network of springs, each bridge as strong as it is short: a chain
    of bridges rises evenly from the ground at its one end to the ground at the other.
    """
    ends, node = np.unique(streets[["u", "v"]].to_numpy(), return_inverse=True)
    node = node.reshape(-1, 2)
    own = np.full(len(ends), np.nan)
    own[node[:, 0]], own[node[:, 1]] = height[first], height[last]
    grounded = np.zeros(len(ends), dtype=bool)
    grounded[node[~aloft]] = True
    hung = np.zeros(len(ends), dtype=bool)
    hung[node[aloft]] = True
    free = hung & ~grounded
    if not free.any():
        return
    rank = np.cumsum(free) - 1
    count = int(free.sum())
    diagonal, wanted = np.zeros(count), np.zeros(count)
    coupled = []
    u, v = node[aloft].T
    strength = 1.0 / length[aloft]
    for here, there in ((u, v), (v, u)):
        loose = free[here]
        pull = loose & ~free[there] & np.isfinite(own[there])
        np.add.at(diagonal, rank[here[pull]], strength[pull])
        np.add.at(wanted, rank[here[pull]], strength[pull] * own[there[pull]])
        both = loose & free[there]
        np.add.at(diagonal, rank[here[both]], strength[both])
        coupled.append((rank[here[both]], rank[there[both]], strength[both]))
    # The faintest pull towards the ground below settles what touches it nowhere.
    faint = 1e-9 / length[aloft].max()
    below = np.where(np.isfinite(own[free]), own[free], 0.0)
    rows, columns, values = (np.concatenate(part) for part in zip(*coupled, strict=True))
    springs = diags_array(diagonal + faint) - coo_array(
        (values, (rows, columns)), shape=(count, count)
    )
    own[free] = spsolve(springs.tocsc(), wanted + faint * below)
    height[first[aloft]], height[last[aloft]] = own[u], own[v]


def _findings(streets: gpd.GeoDataFrame, unknown: np.ndarray, steep: np.ndarray) -> list[Finding]:
    found = []
    if unknown.any():
        kilometres = float(streets["length"].to_numpy()[unknown].sum() / 1000)
        values = {"count": int(unknown.sum()), "kilometres": kilometres}
        found.append(("slope_unknown", unknown, values))
    if steep.any():
        found.append(("slope_steep", steep, {"count": int(steep.sum()), "percent": _STEEP * 100}))
    return [
        Finding(
            layer="streets",
            code=code,
            severity="warning",
            rows=tuple(streets.index[rows]),
            values=values,
        )
        for code, rows, values in found
    ]
