"""Layers of a city as they are, light on a map: streets as tiles, points joined, areas."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from layers.messages import LANGUAGES, text
from planner import wording
from planner.maps import words
from planner.maps.fields import Field, Streets
from planner.maps.scene import Areas
from planner.maps.tiles import Distances, Points

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import geopandas as gpd

    from layers.datum import Datum
    from layers.messages import Language

INK = {"light": "#5b6770", "dark": "#93a1ad"}
"""Of streets and people that nothing is said of yet, by theme."""
BORDER = {"light": "#77777a", "dark": "#8b929a"}
"""Of units' outlines, by theme."""

_SIMPLE = 1e-4
_MANY = 20_000


def street_tiles(streets: gpd.GeoDataFrame) -> Distances:
    """Tiles of a street layer, main ones above the others; colour them with one colour.

    Parameters
    ----------
    streets
        With ``highway`` and ``length``, in degrees.
    """
    lines, highway = np.asarray(streets.geometry.array), streets["highway"]
    length = streets["length"].to_numpy(dtype=np.float64)

    def made(datum: Datum) -> Field:
        return Field.flat(Streets.layer(lines, highway, length, datum=datum))

    return Distances(made("wgs84"), made)


def line_tiles(lines: Any) -> Distances:
    """Tiles of lines, all as broad as main streets.

    Parameters
    ----------
    lines
        Array of lines in degrees.
    """
    count = len(lines)

    def made(datum: Datum) -> Field:
        rank, length = np.zeros(count, dtype=np.int64), np.ones(count)
        return Field.flat(Streets.lines(lines, np.arange(count), rank, length, datum=datum))

    return Distances(made("wgs84"), made)


def point_tiles(
    points: gpd.GeoSeries,
    *,
    ids: Sequence[str] | None = None,
    weight: np.ndarray | None = None,
    tip: Callable[[int, str], str] | None = None,
    name: str = "",
) -> Points:
    """Tiles of points, joined where they stand close.

    Parameters
    ----------
    points
        In degrees.
    ids
        Of each, which a click tells.
    weight
        Of each; 1 when None.
    tip
        Makes the HTML of one, of its row and the language.
    name
        Whatever the tips depend on, so that others have another address.
    """
    lon, lat = shapely.get_coordinates(np.asarray(points.array)).T
    held = np.ones(len(lon)) if weight is None else np.asarray(weight, dtype=np.float64)
    return Points(lon, lat, held, apart=64, alone=14, ids=ids, words=tip, name=name)


def facility_tiles(facilities: gpd.GeoDataFrame, services: Mapping[str, Any]) -> Points:
    """Tiles of facilities of every service, each told with its service and status."""
    names = facilities["name"].where(facilities["name"] != "", facilities["id"]).tolist()
    keys, status = facilities["service"].tolist(), facilities["status"].tolist()

    def tip(row: int, lang: str) -> str:
        spoken: Language = "en" if lang == "en" else "zh"
        service = services.get(keys[row])
        title = keys[row] if service is None else service.title(spoken)
        said = words.said(f"status.{status[row]}", spoken)
        return f"<b>{escape(str(names[row]))}</b><br>{escape(title)} · {said}"

    name = "\n".join(map(str, (*names, *keys, *status)))
    ids = [str(one) for one in facilities["id"]]
    return point_tiles(facilities.geometry, ids=ids, tip=tip, name=name)


def people_tiles(population: gpd.GeoDataFrame) -> Points:
    """Tiles of demand points, as large as they have residents."""
    residents = population["residents"].to_numpy(dtype=np.float64)

    def tip(row: int, lang: str) -> str:
        spoken: Language = "en" if lang == "en" else "zh"
        return words.said("map.people_here", spoken, people=wording.people(residents[row]))

    return point_tiles(population.geometry, weight=residents, tip=tip, name=LANGUAGES[0])


def areas(
    shapes: Any,
    ids: Sequence[str],
    *,
    layer: str,
    order: int,
    style: Mapping[str, Any],
    tips: Sequence[str] | None = None,
) -> Areas:
    """Areas, made lighter where they have many corners."""
    drawn = np.asarray(shapes, dtype=object)
    if shapely.get_num_coordinates(drawn).sum() > _MANY:
        drawn = shapely.simplify(drawn, _SIMPLE)
    return Areas(
        id=layer, order=order, shapes=list(drawn), ids=list(ids), tips=tips, style=dict(style)
    )


def unit_tips(units: gpd.GeoDataFrame, lang: Language) -> list[str]:
    """Name and code of each unit, as HTML."""
    names = units["name_en"] if lang == "en" else units["name"]
    return [
        f"<b>{escape(str(name))}</b><br>{escape(str(code))} · {text(f'level.{level}', lang)}"
        for name, code, level in zip(names, units["code"], units["level"], strict=True)
    ]
