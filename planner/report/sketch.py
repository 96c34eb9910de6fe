"""Small maps as plain SVG, drawn of the city's own geometry: they need no script and print."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from layers.messages import Language, text
from planner.maps.colours import BASE, BORDER, UNSERVED, WATER
from planner.maps.shapes import MINOR, rank

if TYPE_CHECKING:
    import geopandas as gpd

    from layers import City

WIDTH, HEIGHT = 420.0, 300.0
"""Of a map, in its own units; a page scales it."""

_MOST_COORDINATES = 5_000
_MOST_PLACES = 1_500
_PADDING = 0.12
_LEAST_M = 800.0
_CLOSE = 0.4
"""A map whose places take up less than this share of the city shows them near."""
_SHORTEST = 2.0
"""Units of the map that a line must be long to be drawn, and a mark to show as more than a dot."""
_ROUND = 1


@dataclass(frozen=True)
class View:
    """A rectangle of the city as a map shows it.

    Attributes
    ----------
    west, north
        Its corner in metres of the city's reference system.
    scale
        Units of the map to a metre.
    """

    west: float
    north: float
    scale: float

    @classmethod
    def around(cls, bounds: Any) -> View:
        """Fit bounds, with a rim, into a map; no nearer than a few streets."""
        west, south, east, north = bounds
        wide = max((east - west) * (1 + 2 * _PADDING), _LEAST_M)
        high = max((north - south) * (1 + 2 * _PADDING), _LEAST_M * HEIGHT / WIDTH)
        scale = min(WIDTH / wide, HEIGHT / high)
        x, y = (west + east) / 2, (south + north) / 2
        return cls(x - WIDTH / scale / 2, y + HEIGHT / scale / 2, scale)

    @property
    def box(self) -> Any:
        """The rectangle as a polygon."""
        return shapely.box(
            self.west,
            self.north - HEIGHT / self.scale,
            self.west + WIDTH / self.scale,
            self.north,
        )

    def draw(self, shapes: Any) -> Any:
        """Shapes in the map's units, with no more detail than shows."""
        moved = shapely.transform(
            shapes,
            lambda xy: np.stack(
                [(xy[:, 0] - self.west) * self.scale, (self.north - xy[:, 1]) * self.scale], axis=1
            ),
        )
        return shapely.simplify(moved, 0.35)


class Sketches:
    """Small maps of one city.

    Parameters
    ----------
    city
        The city.
    lang
        Language of the words on a map.
    """

    def __init__(self, city: City, lang: Language) -> None:
        self._city = city
        self._lang = lang

    def draw(self, places: gpd.GeoSeries, *, label: str) -> str:
        """Draw a map of places, as SVG.

        Parameters
        ----------
        places
            Points, lines or areas with a reference system.
        label
            What it shows, for those who cannot see it.

        Returns
        -------
        The SVG, or nothing where there is no place to show.
        """
        found = np.asarray(places.to_crs(self._city.crs).array)
        found = found[~(shapely.is_missing(found) | shapely.is_empty(found))]
        if not len(found):
            return ""
        view = self._view(found)
        shown = found[:: -(-len(found) // _MOST_PLACES)]
        return (
            f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" class="map">'
            f"<title>{_escaped(label)}</title>{self._ground(view)}{_marks(view, shown)}"
            f"{self._scale(view)}</svg>"
        )

    def symbol(self) -> str:
        """Ground of the maps that show the whole city, once for all of them."""
        inner = self._drawn_ground(self._whole)
        box = f'viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}"'
        return f'<svg hidden class="symbols"><symbol id="ground" {box}>{inner}</symbol></svg>'

    def _view(self, found: Any) -> View:
        near = View.around(shapely.total_bounds(found))
        return near if near.scale * _CLOSE > self._whole.scale else self._whole

    @cached_property
    def _whole(self) -> View:
        return View.around(self._city.units.geometry.to_crs(self._city.crs).total_bounds)

    def _ground(self, view: View) -> str:
        if view == self._whole:
            return f'<use href="#ground" width="{WIDTH:.0f}" height="{HEIGHT:.0f}"/>'
        return self._drawn_ground(view)

    def _drawn_ground(self, view: View) -> str:
        parts = []
        water = self._layers["water"]
        if len(water):
            wet = _path(view.draw(_clipped(water, view)))
            parts.append(f'<path d="{wet}" fill="{WATER}"/>')
        streets = _path(view.draw(self._streets(view)))
        parts.append(f'<path d="{streets}" fill="none" stroke="{BASE}" stroke-width=".8"/>')
        edges = _path(view.draw(_clipped(self._layers["units"], view)))
        parts.append(f'<path d="{edges}" fill="none" stroke="{BORDER}" stroke-width=".7"/>')
        return "".join(parts)

    def _streets(self, view: View) -> Any:
        """Streets to draw: the most main ones that a map has room for."""
        lines, order = self._layers["streets"], self._layers["rank"]
        here = shapely.intersects(lines, view.box)
        lines, order = lines[here], order[here]
        chosen = lines[:0]
        for finest in range(MINOR + 1):
            joined = shapely.get_parts(
                shapely.line_merge(shapely.union_all(lines[order <= finest]))
            )
            # What is shorter than the map can show is left out.
            joined = joined[shapely.length(joined) * view.scale >= _SHORTEST]
            drawn = shapely.simplify(joined, 0.35 / view.scale)
            if shapely.get_num_coordinates(drawn).sum() > _MOST_COORDINATES:
                break
            chosen = drawn
        return shapely.get_parts(shapely.intersection(chosen, view.box))

    @cached_property
    def _layers(self) -> dict[str, Any]:
        city = self._city
        levels = [level for level in ("district", "city") if level in set(city.units["level"])]
        units = city.units[city.units["level"] == levels[0]] if levels else city.units
        order = rank(city.streets["highway"])
        streets = city.streets
        water = np.empty(0, dtype=object)
        if city.water is not None:
            water = np.asarray(city.water.geometry.to_crs(city.crs).array)
        return {
            "units": np.asarray(units.geometry.to_crs(city.crs).boundary.array),
            "streets": np.asarray(streets.geometry.to_crs(city.crs).array),
            "rank": order,
            "water": water,
        }

    def _scale(self, view: View) -> str:
        """Bar that tells a round distance."""
        metres = 10 ** np.floor(np.log10(WIDTH / 3 / view.scale))
        for more in (5, 2):
            if metres * more * view.scale <= WIDTH / 3:
                metres *= more
                break
        kilometre = 1000
        told = (
            f"{metres / kilometre:g} {text('map.km', self._lang)}"
            if metres >= kilometre
            else f"{metres:g} {text('unit.m', self._lang)}"
        )
        length, y = metres * view.scale, HEIGHT - 8
        return (
            f'<path d="M8 {y - 4}V{y}H{8 + length:.1f}V{y - 4}" fill="none" stroke="#333"/>'
            f'<text x="12" y="{y - 4}" class="scale">{_escaped(told)}</text>'
        )


def _clipped(shapes: Any, view: View) -> Any:
    return shapely.intersection(shapely.make_valid(shapes), view.box)


def _marks(view: View, shapes: Any) -> str:
    """Draw places so that each shows, however small it is on the map."""
    drawn = view.draw(shapes)
    kind = shapely.get_dimensions(drawn)
    small = _extent(drawn) < _SHORTEST
    parts = []
    area = drawn[(kind == 2) & ~small]  # noqa: PLR2004 - areas
    if len(area):
        parts.append(
            f'<path d="{_path(area)}" fill="{UNSERVED}" fill-opacity=".35" stroke="{UNSERVED}"/>'
        )
    line = drawn[(kind == 1) & ~small]
    if len(line):
        parts.append(f'<path d="{_path(line)}" fill="none" stroke="{UNSERVED}" stroke-width="2"/>')
    dots = shapely.get_coordinates(shapely.centroid(drawn[(kind == 0) | small]))
    if len(dots):
        # A line of no length with round ends is a dot, in a fraction of a circle's letters.
        places = np.unique(np.round(dots, _ROUND), axis=0)
        path = "".join(f"M{x:g} {y:g}h0" for x, y in places)
        few = 200
        wide = 6 if len(places) <= few else 3.5
        parts.append(
            f'<path d="{path}" stroke="#fff" stroke-width="{wide + 1.5}" stroke-linecap="round"/>'
            f'<path d="{path}" stroke="{UNSERVED}" stroke-width="{wide}" stroke-linecap="round"/>'
        )
    return "".join(parts)


def _extent(shapes: Any) -> Any:
    """Longer side of what holds each shape."""
    west, south, east, north = shapely.bounds(shapes).T
    return np.maximum(east - west, north - south)


def _path(shapes: Any) -> str:
    """Lines, rings of areas and their parts as the letters of an SVG path."""
    parts = shapely.get_parts(shapely.get_parts(shapes))
    parts = parts[(shapely.get_dimensions(parts) > 0) & ~shapely.is_empty(parts)]
    if not len(parts):
        return ""
    rings = np.concatenate(
        [
            parts[shapely.get_dimensions(parts) == 1],
            shapely.get_rings(parts[shapely.get_dimensions(parts) == 2]),  # noqa: PLR2004 - areas
        ]
    )
    xy, owner = shapely.get_coordinates(rings, return_index=True)
    xy = np.round(xy, _ROUND)
    first = np.append(True, owner[1:] != owner[:-1])
    return "".join(
        f"{'M' if new else 'L'}{x:g} {y:g}" for (x, y), new in zip(xy, first, strict=True)
    )


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
