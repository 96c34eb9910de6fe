"""What a map tells Python: each kind of event is a frozen dataclass, and nothing else gets in."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from layers.errors import InputError
from layers.messages import text

if TYPE_CHECKING:
    from collections.abc import Mapping

Shape = Literal["point", "line", "polygon"]
_LEAST: dict[str, int] = {"point": 1, "line": 2, "polygon": 3}

_MOST_POINTS = 10_000
_LONGEST = 500


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that a reader did on a map.

    Attributes
    ----------
    KIND
        What messages call it.
    """

    KIND: ClassVar[str] = ""


@dataclass(frozen=True, kw_only=True)
class Clicked(Event):
    """A place was clicked, or chosen with the keyboard.

    Attributes
    ----------
    lon, lat
        Degrees, WGS-84.
    layer, feature
        What lay under the pointer: the layer's id and the feature's, or None for neither.
    """

    KIND: ClassVar[str] = "click"
    lon: float
    lat: float
    layer: str | None = None
    feature: str | None = None


@dataclass(frozen=True, kw_only=True)
class MarkerDragged(Event):
    """A marker is being dragged and stands here now; some of these places are left out.

    Attributes
    ----------
    marker
        Its id.
    lon, lat
        Degrees, WGS-84.
    """

    KIND: ClassVar[str] = "drag"
    marker: str
    lon: float
    lat: float


@dataclass(frozen=True, kw_only=True)
class MarkerDropped(Event):
    """A marker was let go here.

    Attributes
    ----------
    marker
        Its id.
    lon, lat
        Degrees, WGS-84.
    """

    KIND: ClassVar[str] = "drop"
    marker: str
    lon: float
    lat: float


@dataclass(frozen=True, kw_only=True)
class ShapeDrawn(Event):
    """A shape was drawn to its end.

    Attributes
    ----------
    shape
        Its kind.
    points
        Longitude and latitude of each corner, degrees, WGS-84; a polygon is not closed.
    """

    KIND: ClassVar[str] = "draw"
    shape: Shape
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class ViewMoved(Event):
    """The map shows another part, or at another scale.

    Attributes
    ----------
    lon, lat
        Middle of the view in degrees, WGS-84.
    zoom
        Leaflet's zoom.
    bounds
        West, south, east, north in degrees, WGS-84.
    """

    KIND: ClassVar[str] = "view"
    lon: float
    lat: float
    zoom: float
    bounds: tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class FrameReady(Event):
    """The map's page has been loaded and drawn.

    Attributes
    ----------
    loads
        How often the page has been loaded in this place: 1 unless something reloads it.
    """

    KIND: ClassVar[str] = "ready"
    loads: int


KINDS: dict[str, type[Event]] = {
    made.KIND: made
    for made in (Clicked, MarkerDragged, MarkerDropped, ShapeDrawn, ViewMoved, FrameReady)
}


def parse(message: Any) -> Event:
    """Turn a message from a browser into an event.

    Parameters
    ----------
    message
        Plain values; ``kind`` tells which event it is.

    Raises
    ------
    InputError
        It is no event, or a field is missing, of the wrong type, or out of its range.

    Examples
    --------
    >>> parse({"kind": "click", "lon": 120.16, "lat": 30.27})
    Clicked(lon=120.16, lat=30.27, layer=None, feature=None)
    """
    kind = message.get("kind") if isinstance(message, dict) else None
    made = KINDS.get(kind) if isinstance(kind, str) else None
    if made is None:
        raise _wrong("kind", kind)
    if made is Clicked:
        return Clicked(
            **_place(message), layer=_name(message, "layer"), feature=_name(message, "feature")
        )
    if made is MarkerDragged or made is MarkerDropped:
        marker = _name(message, "marker")
        if marker is None:
            raise _wrong("marker", marker)
        return made(marker=marker, **_place(message))
    if made is ShapeDrawn:
        return _shape(message)
    if made is ViewMoved:
        west, south, east, north = (_number(message, key, 720.0) for key in _SIDES)
        return ViewMoved(
            **_place(message),
            zoom=_number(message, "zoom", 40.0),
            bounds=(west, south, east, north),
        )
    loads = message.get("loads")
    if not isinstance(loads, int) or isinstance(loads, bool) or loads < 1:
        raise _wrong("loads", loads)
    return FrameReady(loads=loads)


_SIDES = ("west", "south", "east", "north")


def _shape(message: Mapping[str, Any]) -> ShapeDrawn:
    shape, points = message.get("shape"), message.get("points")
    if not isinstance(shape, str) or shape not in _LEAST:
        raise _wrong("shape", shape)
    if not isinstance(points, list) or not _LEAST[shape] <= len(points) <= _MOST_POINTS:
        raise _wrong("points", points)
    made = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:  # noqa: PLR2004 - lon and lat
            raise _wrong("points", point)
        place = _place({"lon": point[0], "lat": point[1]})
        made.append((place["lon"], place["lat"]))
    return ShapeDrawn(shape=shape, points=tuple(made))  # type: ignore[arg-type]


def _place(message: Mapping[str, Any]) -> dict[str, float]:
    return {"lon": _number(message, "lon", 360.0), "lat": _number(message, "lat", 90.0)}


def _number(message: Mapping[str, Any], field: str, most: float) -> float:
    value = message.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(field, value)
    if not isfinite(value) or abs(value) > most:
        raise _wrong(field, value)
    return float(value)


def _name(message: Mapping[str, Any], field: str) -> str | None:
    value = message.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise _wrong(field, value)
    return value


def _wrong(field: str, found: object) -> InputError:
    return InputError(text("error.map_message", field=field, found=repr(found)[:80]))
