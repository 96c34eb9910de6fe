"""Tiles: what a live map asks of the server as its reader moves about.

Every source of tiles is named by its content, so that an address always means the same
picture and a browser may keep it for ever.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import WeakValueDictionary

import numpy as np
import shapely
from PIL import Image, ImageDraw

from layers.datum import wgs84_to_gcj02
from planner._curve import along_curve
from planner.maps import colours, shapes
from planner.maps.fields import Field, Streets, box_of, mercator
from planner.reach import SLACK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from layers import City
    from layers.datum import Datum
    from planner._search import Floats, Ints

ROUTE = "tiles"
"""Below which the application serves tiles, relative to its page."""

DEEPEST = 20
_HELD_BYTES = 96 * 2**20


class Tile(NamedTuple):
    """What the server answers: bytes, packed with gzip, and their kind."""

    body: bytes
    kind: str


class Asked(NamedTuple):
    """Which tile is asked for."""

    datum: Datum
    zoom: int
    x: int
    y: int
    side: int = 256


class Source(Protocol):
    """Something that tiles are drawn of."""

    @property
    def key(self) -> str:
        """Name of its content."""

    def tile(self, asked: Asked, options: Mapping[str, str]) -> Tile | None:
        """Draw a tile; None where there is nothing to see."""


class Tiles:
    """Sources of tiles by their names, and the tiles drawn last.

    A source lives as long as somebody else holds it. The token in the addresses keeps
    those out who were not shown the desk.
    """

    def __init__(self, *, most: int = _HELD_BYTES) -> None:
        self.token = secrets.token_urlsafe(12)
        self._sources: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self._held: OrderedDict[Any, Tile | None] = OrderedDict()
        self._size, self._most = 0, most
        self._lock = Lock()

    def add(self, source: Source, **options: str) -> str:
        """Take a source and hand out the address of its tiles, as Leaflet fills it in."""
        self._sources[source.key] = source
        query = "&".join(f"{name}={value}" for name, value in sorted(options.items()))
        ending = "{r}" if not isinstance(source, Points) else ""
        address = f"{ROUTE}/{self.token}/{source.key}/{{datum}}/{{z}}/{{x}}/{{y}}{ending}"
        return f"{address}?{query}" if query else address

    def get(self, key: str, asked: Asked, options: Mapping[str, str]) -> Tile | None:
        """Draw a tile, or find it again.

        Raises
        ------
        KeyError
            There is no such source any more.
        ValueError
            There is no such tile.
        """
        if not 0 <= asked.zoom <= DEEPEST or not all(
            0 <= number < 2**asked.zoom for number in (asked.x, asked.y)
        ):
            raise ValueError(asked)
        which = (key, asked, tuple(sorted(options.items())))
        with self._lock:
            if which in self._held:
                self._held.move_to_end(which)
                return self._held[which]
        made = self._sources[key].tile(asked, options)
        with self._lock:
            if which not in self._held:
                self._held[which] = made
                self._size += _weight(made)
            while self._size > self._most:
                self._size -= _weight(self._held.popitem(last=False)[1])
        return made  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._size


def _weight(tile: Tile | None) -> int:
    return 200 + (len(tile.body) if tile else 0)


def _packed(body: bytes, kind: str) -> Tile:
    return Tile(gzip.compress(body, compresslevel=1, mtime=0), kind)


class Distances:
    """Tiles of distances along streets; see `planner.maps.fields`.

    Parameters
    ----------
    field
        For a basemap in WGS-84.
    elsewhere
        Makes the field for a basemap of another datum, when one is asked for.
    """

    def __init__(self, field: Field, elsewhere: Callable[[Datum], Field]) -> None:
        self._fields: dict[Datum, Field] = {"wgs84": field}
        self._elsewhere = elsewhere
        self.step = field.step

    @property
    def key(self) -> str:
        """Name of its content."""
        return self._fields["wgs84"].key

    def tile(self, asked: Asked, _options: Mapping[str, str]) -> Tile | None:
        """Draw a tile."""
        if asked.datum not in self._fields:
            self._fields[asked.datum] = self._elsewhere(asked.datum)
        body = self._fields[asked.datum].tile(asked.zoom, asked.x, asked.y, side=asked.side)
        return None if body is None else _packed(body, "application/octet-stream")


class Points:
    """Tiles of points, joined where they stand close.

    A tile is JSON: ``largest``, the greatest weight that any dot has at its zoom, and
    ``points``, each a list: longitude and latitude in the basemap's datum, weight, how many
    points it stands for, id or null, words (HTML) or null, whether it is on no street.

    Parameters
    ----------
    lon, lat
        Degrees, WGS-84.
    weight
        Of each point.
    apart
        Pixels within which points are joined.
    alone
        Zoom from which each stands alone, unless a tile has more than `many`.
    distance
        Of each point; with the option ``beyond`` of an address only points farther than
        that are shown, and those that have none.
    hollow
        Whether each is on no street.
    ids
        Of each.
    words
        Makes the HTML of a point that stands alone, of its row and the language.
    """

    def __init__(
        self,
        lon: Floats,
        lat: Floats,
        weight: Floats,
        *,
        apart: int = 32,
        alone: int = 15,
        distance: Floats | None = None,
        hollow: np.ndarray | None = None,
        ids: Sequence[str] | None = None,
        words: Callable[[int, str], str] | None = None,
        name: str = "",
    ) -> None:
        order = along_curve(np.column_stack([lon, lat])) if len(lon) else np.empty(0, dtype=int)
        self._row = order
        self._lon, self._lat, self._weight = lon[order], lat[order], weight[order]
        self._distance = None if distance is None else distance[order]
        self._hollow = np.zeros(len(lon), dtype=bool) if hollow is None else hollow[order]
        self._ids, self._words = ids, words
        self._apart, self._alone = apart, alone
        self._places: dict[Datum, tuple[Floats, Floats]] = {}
        self._largest: dict[int, float] = {}
        told = hashlib.blake2b(f"{name} {apart} {alone}".encode(), digest_size=12)
        for array in (self._lon, self._lat, self._weight, self._distance, self._hollow):
            told.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
        told.update("\n".join(ids or ()).encode())
        self.key = told.hexdigest()

    def largest(self, zoom: int) -> float:
        """Greatest weight of a dot at a zoom, were every point shown."""
        if zoom not in self._largest:
            x, y = self._placed("wgs84")
            if zoom >= self._alone or not len(x):
                most = float(self._weight.max(initial=0.0))
            else:
                cells = 2**zoom * (256 // self._apart)
                column, row = ((at * cells).astype(np.int64) for at in (x, y))
                column, row = column - column.min(), row - row.min()
                number = row * (column.max() + 1) + column
                most = float(np.bincount(number, self._weight).max())
            self._largest[zoom] = most
        return self._largest[zoom]

    def tile(self, asked: Asked, options: Mapping[str, str], *, many: int = 400) -> Tile | None:
        """Draw a tile."""
        x, y = self._placed(asked.datum)
        west, north, east, south = box_of(asked.zoom, asked.x, asked.y)
        rows = self._within(x, y, (west, north, east, south), asked.datum)
        if "beyond" in options and self._distance is not None:
            served = self._distance[rows] <= float(options["beyond"]) + SLACK
            rows = rows[~served & (self._weight[rows] > 0)]
        if not len(rows):
            return None
        lang = options.get("lang", "zh")
        if asked.zoom >= self._alone and len(rows) <= many:
            points = [self._alone_at(row, asked.datum, lang) for row in rows.tolist()]
        else:
            points = self._joined(rows, x, y, (west, north, east), asked.datum, lang)
        told = {"largest": self.largest(asked.zoom), "points": points}
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return _packed(body.encode(), "application/json; charset=utf-8")

    def _joined(
        self,
        rows: Ints,
        x: Floats,
        y: Floats,
        corner: tuple[float, float, float],
        datum: Datum,
        lang: str,
    ) -> list[Any]:
        west, north, east = corner
        side = 256 // self._apart
        scale = side / (east - west)
        column, line = (
            (place - start) * scale for place, start in ((x[rows], west), (y[rows], north))
        )
        cell = line.astype(np.int64) * side + column.astype(np.int64)
        weight = self._weight[rows]
        heavy = np.where(weight > 0, weight, 1e-9)
        lon, lat = self._degrees(datum)
        count, total, mass = (
            np.bincount(cell, by, minlength=side * side)
            for by in (np.ones(len(rows)), weight, heavy)
        )
        middle = [np.bincount(cell, heavy * at[rows], minlength=side * side) for at in (lon, lat)]
        only = np.zeros(side * side, dtype=np.int64)
        only[cell] = rows
        points = []
        for here in np.flatnonzero(count).tolist():
            if count[here] == 1:
                points.append(self._alone_at(int(only[here]), datum, lang))
                continue
            place = [round(float(sums[here] / mass[here]), 6) for sums in middle]
            points.append([*place, round(float(total[here]), 3), int(count[here]), None, None, 0])
        return points

    def _alone_at(self, row: int, datum: Datum, lang: str) -> list[Any]:
        lon, lat = self._degrees(datum)
        original = int(self._row[row])
        return [
            round(float(lon[row]), 6),
            round(float(lat[row]), 6),
            round(float(self._weight[row]), 3),
            1,
            None if self._ids is None else self._ids[original],
            None if self._words is None else self._words(original, lang),
            int(self._hollow[row]),
        ]

    def _degrees(self, datum: Datum) -> tuple[Floats, Floats]:
        if datum == "wgs84":
            return self._lon, self._lat
        self._placed(datum)
        return self._shifted

    @cached_property
    def _shifted(self) -> tuple[Floats, Floats]:
        return wgs84_to_gcj02(self._lon, self._lat)

    def _placed(self, datum: Datum) -> tuple[Floats, Floats]:
        if datum not in self._places:
            degrees = (self._lon, self._lat) if datum == "wgs84" else self._shifted
            self._places[datum] = mercator(*degrees)
        return self._places[datum]

    def _within(
        self, x: Floats, y: Floats, box: tuple[float, float, float, float], datum: Datum
    ) -> Ints:
        """Rows of the points in a box: runs that meet it, then point by point."""
        if not len(x):
            return np.empty(0, dtype=np.int64)
        west, north, east, south = box
        if datum not in self._runs:
            starts = np.arange(0, len(x), _RUN)
            self._runs[datum] = np.column_stack(
                [np.minimum.reduceat(at, starts) for at in (x, y)]
                + [np.maximum.reduceat(at, starts) for at in (x, y)]
            )
        runs = self._runs[datum]
        meets = (
            (runs[:, 0] < east)
            & (runs[:, 2] >= west)
            & (runs[:, 1] < south)
            & (runs[:, 3] >= north)
        )
        near = np.flatnonzero(meets)
        rows = (near[:, None] * _RUN + np.arange(_RUN)).ravel()
        rows = rows[rows < len(x)]
        here = (x[rows] >= west) & (x[rows] < east) & (y[rows] >= north) & (y[rows] < south)
        return np.asarray(rows[here])

    @cached_property
    def _runs(self) -> dict[Datum, Floats]:
        return {}


_RUN = 2048


@dataclass(frozen=True)
class _Ink:
    """Colours of the city's own basemap."""

    water: str
    street: str


_INKS = {"light": _Ink("#cbdfec", "#dcdcd8"), "dark": _Ink("#22384a", "#2c333b")}
_SHARP = 3


class Ground:
    """Basemap of the city's own layers: water and main streets, pale.

    Parameters
    ----------
    city
        The city.
    """

    def __init__(self, city: City) -> None:
        self._city = city
        streets = city.streets
        rank = shapes.rank(streets["highway"])
        self._main = streets[rank < shapes.MINOR] if (rank < shapes.MINOR).any() else streets
        told = hashlib.blake2b(digest_size=12)
        told.update(shapely.to_wkb(np.asarray(self._main.geometry.array)[::50]).tobytes())
        told.update(f"{len(streets)} {streets.total_bounds.tolist()} {colours.WATER}".encode())
        self.key = told.hexdigest()
        self._lines: dict[Datum, Streets] = {}
        self._water: dict[Datum, shapely.STRtree] = {}

    def tile(self, asked: Asked, options: Mapping[str, str]) -> Tile | None:
        """Draw a tile."""
        ink = _INKS["dark" if options.get("theme") == "dark" else "light"]
        picture = self._wet(asked, ink)
        covered = self._streets(asked)
        if covered is None and picture is None:
            return None
        picture = picture or Image.new("RGBA", (asked.side, asked.side), (0, 0, 0, 0))
        if covered is not None:
            ground = Image.new("RGBA", picture.size, ink.street)
            ground.putalpha(Image.fromarray(np.rint(covered * 255).astype(np.uint8)))
            picture = Image.alpha_composite(picture, ground)
        into = io.BytesIO()
        picture.save(into, "PNG", compress_level=6)
        return _packed(into.getvalue(), "image/png")

    def _streets(self, asked: Asked) -> np.ndarray | None:
        if asked.datum not in self._lines:
            main = self._main
            rank = shapes.rank(main["highway"])
            order = np.argsort(-rank, kind="stable")
            lines = np.asarray(main.geometry.array)[order]
            length = main["length"].to_numpy(dtype=np.float64)[order]
            self._lines[asked.datum] = Streets.lines(
                lines, order, rank[order], length, datum=asked.datum
            )
        planes = Field.flat(self._lines[asked.datum]).planes(
            asked.zoom, asked.x, asked.y, side=asked.side
        )
        return None if planes is None else planes[0]

    def _wet(self, asked: Asked, ink: _Ink) -> Image.Image | None:
        """Draw the water, three times as large and then made small, for smooth shores."""
        layer = self._city.water
        if layer is None or layer.empty:
            return None
        if asked.datum not in self._water:
            moved = shapely.transform(
                np.asarray(layer.geometry.array), lambda xy: _projected(xy, asked.datum)
            )
            parts = shapely.get_parts(moved)
            self._water[asked.datum] = shapely.STRtree(parts)
        tree = self._water[asked.datum]
        west, north, east, south = box_of(asked.zoom, asked.x, asked.y)
        spare = (east - west) / 32
        box = shapely.box(west - spare, north - spare, east + spare, south + spare)
        near = tree.geometries[tree.query(box)]
        if not len(near):
            return None
        side = asked.side * _SHARP
        mask = Image.new("L", (side, side), 0)
        pen = ImageDraw.Draw(mask)
        for area in near:
            for part in shapely.get_parts(shapely.clip_by_rect(area, *box.bounds)):
                if part.geom_type != "Polygon":
                    continue
                for number, ring in enumerate(shapely.get_rings(part)):
                    at = (shapely.get_coordinates(ring) - (west, north)) * (side / (east - west))
                    pen.polygon([tuple(place) for place in at.tolist()], fill=0 if number else 255)
        if mask.getbbox() is None:
            return None
        picture = Image.new("RGBA", (asked.side, asked.side), ink.water)
        picture.putalpha(mask.resize((asked.side, asked.side), Image.Resampling.BOX))
        return picture


def _projected(xy: Floats, datum: Datum) -> Floats:
    lon, lat = xy.T if datum == "wgs84" else wgs84_to_gcj02(*xy.T)
    return np.column_stack(mercator(lon, lat))
