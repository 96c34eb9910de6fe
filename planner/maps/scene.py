"""What lies on a live map: layers and markers, as plain values that a browser can draw."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import shapely

from layers.datum import wgs84_to_gcj02
from planner.maps import shapes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layers.datum import Datum

Place = tuple[float, float]
"""Longitude and latitude in degrees, WGS-84."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Something on a map that can be put, swapped and taken away by its id.

    Attributes
    ----------
    id
        What it is called; putting another layer of the same id swaps the two.
    order
        Higher lies above lower.
    """

    KIND: ClassVar[str] = ""
    id: str
    order: int = 10

    def plain(self, datum: Datum = "wgs84") -> dict[str, Any]:
        """Plain values for the browser, positions moved to the datum of the basemap."""
        return {"layer": self.KIND, **asdict(self)} | self._placed(datum)

    def _placed(self, _datum: Datum) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, kw_only=True)
class Picture(Layer):
    """Tiles that are pictures.

    Attributes
    ----------
    url
        Address with ``{z}``, ``{x}``, ``{y}``, and ``{s}`` or ``{r}`` where wanted; with
        ``{datum}``, tiles exist for basemaps of either datum.
    attribution
        Whose they are, as plain text.
    subdomains
        What ``{s}`` stands for.
    most_zoom
        Deepest zoom that there are tiles for.
    """

    KIND: ClassVar[str] = "picture"
    url: str
    attribution: str = ""
    subdomains: str = "abc"
    most_zoom: int = 18
    opacity: float = 1.0

    def _placed(self, datum: Datum) -> dict[str, Any]:
        return {"url": self.url.replace("{datum}", datum)}


@dataclass(frozen=True, kw_only=True)
class Field(Layer):
    """Tiles of distances along streets, coloured in the browser.

    Attributes
    ----------
    url
        Address as in `Picture`; see `planner.maps.tiles` for what a tile holds.
    step
        Distance that one step of a tile's numbers stands for.
    stops
        Distances up to which each of `colours` holds, rising and inclusive.
    colours
        One more than stops: the last is for what lies beyond, and for what has no way.
    """

    KIND: ClassVar[str] = "field"
    url: str
    step: float
    stops: tuple[float, ...]
    colours: tuple[str, ...]
    opacity: float = 1.0

    def _placed(self, datum: Datum) -> dict[str, Any]:
        return {"url": self.url.replace("{datum}", datum)}


@dataclass(frozen=True, kw_only=True)
class Spots(Layer):
    """Tiles of points: people not served, or facilities, joined where they stand close.

    Attributes
    ----------
    url
        Address as in `Picture`, of JSON tiles; see `planner.maps.tiles`.
    style
        Leaflet's options for a dot; ``hollow`` those of a dot that is on no street.
    sized
        Whether a dot's area is as its weight, the largest of a zoom having `most_radius`;
        otherwise joined ones say how many they are.
    words
        How a dot is told of: ``one`` and ``many``, with ``{weight}`` and ``{count}``, and
        ``legend`` with ``{weight}``.
    """

    KIND: ClassVar[str] = "spots"
    url: str
    style: Mapping[str, Any] = field(default_factory=dict)
    hollow: Mapping[str, Any] = field(default_factory=dict)
    sized: bool = False
    least_radius: float = 2.5
    most_radius: float = 22.0
    words: Mapping[str, str] = field(default_factory=dict)

    def _placed(self, datum: Datum) -> dict[str, Any]:
        return {"url": self.url.replace("{datum}", datum)}


@dataclass(frozen=True, kw_only=True)
class Areas(Layer):
    """Areas, each with an id that clicks tell.

    Attributes
    ----------
    shapes
        Polygons in degrees, WGS-84.
    ids
        Of each area.
    fills
        Colour of each, or None for outlines alone.
    tips
        HTML shown when pointed at; whoever makes it has escaped what came from data.
    style
        Leaflet's options of a path.
    """

    KIND: ClassVar[str] = "areas"
    shapes: Sequence[Any]
    ids: Sequence[str]
    fills: Sequence[str] | None = None
    tips: Sequence[str] | None = None
    style: Mapping[str, Any] = field(default_factory=dict)

    def plain(self, datum: Datum = "wgs84") -> dict[str, Any]:
        """Plain values for the browser, with the shapes packed."""
        rings, parts = shapes.pack_areas(moved(np.asarray(self.shapes, dtype=object), datum))
        return {
            "layer": self.KIND,
            "id": self.id,
            "order": self.order,
            "rings": rings,
            "parts": parts,
            "ids": list(self.ids),
            "fills": None if self.fills is None else list(self.fills),
            "tips": None if self.tips is None else list(self.tips),
            "style": dict(self.style),
        }


@dataclass(frozen=True, kw_only=True)
class Lines(Layer):
    """Lines in one style.

    Attributes
    ----------
    shapes
        Lines in degrees, WGS-84.
    style
        Leaflet's options of a path.
    tip
        HTML shown when pointed at.
    """

    KIND: ClassVar[str] = "lines"
    shapes: Sequence[Any]
    style: Mapping[str, Any] = field(default_factory=dict)
    tip: str = ""

    def plain(self, datum: Datum = "wgs84") -> dict[str, Any]:
        """Plain values for the browser, with the shapes packed."""
        return {
            "layer": self.KIND,
            "id": self.id,
            "order": self.order,
            "lines": shapes.pack(moved(np.asarray(self.shapes, dtype=object), datum)),
            "style": dict(self.style),
            "tip": self.tip,
        }


@dataclass(frozen=True, kw_only=True)
class Dots(Layer):
    """A few points that are all at hand.

    Attributes
    ----------
    places
        Longitude and latitude of each.
    ids, tips
        Of each; tips are HTML.
    radius
        Of each, in pixels.
    style
        Leaflet's options of a path.
    """

    KIND: ClassVar[str] = "dots"
    places: Sequence[Place]
    ids: Sequence[str]
    tips: Sequence[str]
    radius: Sequence[float]
    style: Mapping[str, Any] = field(default_factory=dict)

    def _placed(self, datum: Datum) -> dict[str, Any]:
        return {"places": [list(shifted(place, datum)) for place in self.places]}


@dataclass(frozen=True, kw_only=True)
class Labels(Layer):
    """Words on the map; where two would overlap, the earlier one stays.

    Attributes
    ----------
    places
        Longitude and latitude of each.
    html
        Of each.
    """

    KIND: ClassVar[str] = "labels"
    places: Sequence[Place]
    html: Sequence[str]

    def _placed(self, datum: Datum) -> dict[str, Any]:
        return {"places": [list(shifted(place, datum)) for place in self.places]}


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A pin with an id, which can be dragged if it says so.

    Attributes
    ----------
    id
        What it is called.
    lon, lat
        Degrees, WGS-84.
    label
        What it is called to a reader, plain text.
    colour
        Of the pin.
    ink
        Of the sign and the rim.
    sign
        A character or two on it.
    draggable
        Whether a reader may move it.
    """

    id: str
    lon: float
    lat: float
    label: str = ""
    colour: str = "#1a1a1a"
    ink: str = "#ffffff"
    sign: str = ""
    draggable: bool = False

    def plain(self, datum: Datum = "wgs84") -> dict[str, Any]:
        """Plain values for the browser, the position moved to the datum of the basemap."""
        lon, lat = shifted((self.lon, self.lat), datum)
        return {**asdict(self), "lon": lon, "lat": lat}


def shifted(place: Place, datum: Datum) -> Place:
    """Move a place in WGS-84 to where a basemap of a datum shows it.

    Examples
    --------
    >>> shifted((120.1551, 30.2741), "wgs84")
    (120.1551, 30.2741)
    """
    if datum == "wgs84":
        return place
    lon, lat = wgs84_to_gcj02(*place)
    return float(lon), float(lat)


def moved(geometry: Any, datum: Datum) -> Any:
    """Move shapes in WGS-84 to where a basemap of a datum shows them."""
    if datum == "wgs84":
        return geometry
    return shapely.transform(
        geometry, lambda xy: np.column_stack(wgs84_to_gcj02(xy[:, 0], xy[:, 1]))
    )
