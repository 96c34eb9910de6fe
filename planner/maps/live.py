"""Layers of live maps: units, facilities and labels of a coverage."""

from __future__ import annotations

from bisect import bisect_right
from html import escape
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.messages import Language, text
from planner import wording
from planner.maps import colours, furniture, words
from planner.maps.furniture import Entry
from planner.maps.scene import Areas, Dots, Labels

if TYPE_CHECKING:
    from layers import City
    from layers.units import Level

UNITS, LABELS, FACILITIES = "units", "labels", "facilities"
"""Ids of layers that every view may put."""

_MOST_LABELS = 20
_SIMPLE = 4e-4
_LINE = {"light": "#77777a", "dark": "#8b929a"}


def plain_units(city: City, level: Level) -> gpd.GeoDataFrame:
    """Units of a level in the order of codes, their outlines made light to draw.

    Neighbours keep a common border: the outlines are simplified together.
    """
    units = city.units[city.units["level"] == level].sort_values("code", ignore_index=True)
    shapes = units.geometry.array
    if shapely.get_num_coordinates(shapes).sum() > _FEW and len(shapes):
        shapes = shapely.coverage_simplify(np.asarray(shapes), _SIMPLE)
    return units.set_geometry(gpd.GeoSeries(shapes, crs=units.crs))


_FEW = 4_000


def unit_areas(
    units: gpd.GeoDataFrame,
    figures: pd.DataFrame,
    lang: Language,
    *,
    shaded: bool,
    theme: str = "light",
) -> Areas:
    """Units with their figures when pointed at, outlined or shaded by rate.

    Parameters
    ----------
    units
        What `plain_units` made.
    figures
        What `Coverage.by` returns for the level.
    lang
        Language of the words.
    shaded
        Whether their rates shade them.
    theme
        ``light`` or ``dark``.
    """
    few = len(units) <= _MOST_LABELS
    style: dict[str, Any] = {"color": _LINE[theme], "weight": 1.0 if few else 0.6, "fill": True}
    style |= {"fillOpacity": 0.85} if shaded else {"fillOpacity": 0, "dashArray": "4 3"}
    table = figures.set_index("code").loc[units["code"]]
    return Areas(
        id=UNITS,
        order=20 if shaded else 45,
        shapes=list(units.geometry),
        ids=list(units["code"]),
        fills=fills(table) if shaded else None,
        tips=tips(table, lang),
        style=style,
    )


def fills(table: pd.DataFrame) -> list[str]:
    """Shade of each row's rate."""
    return [colours.rate_colour(rate) for rate in table["rate"]]


def tips(table: pd.DataFrame, lang: Language) -> list[str]:
    """Name and figures of each row, as HTML."""
    names = table["name_en"] if lang == "en" else table["name"]
    told = []
    for name, (_, row) in zip(names, table.iterrows(), strict=True):
        said = text(
            "map.tip_rate",
            lang,
            rate=wording.rate(row["rate"]),
            served=wording.people(row["served"]),
            people=wording.people(row["people"]),
            facilities=f"{row['facilities']:,}",
        )
        told.append(f"<b>{escape(str(name))}</b><br>{escape(said)}")
    return told


def unit_labels(units: gpd.GeoDataFrame, figures: pd.DataFrame, lang: Language) -> Labels | None:
    """Name and rate of each unit, the largest unit first; None where there are too many."""
    if not 0 < len(units) <= _MOST_LABELS:
        return None
    table = figures.set_index("code").loc[units["code"]]
    spots = shapely.point_on_surface(np.asarray(units.geometry.array))
    names = table["name_en"] if lang == "en" else table["name"]
    places, told = [], []
    for row in np.argsort(-shapely.area(np.asarray(units.geometry.array))):
        places.append((float(spots[row].x), float(spots[row].y)))
        rate = wording.rate(table["rate"].iloc[row])
        told.append(f"<div>{escape(str(names.iloc[row]))}<br><b>{rate}</b></div>")
    return Labels(id=LABELS, order=80, places=places, html=told)


def rate_legend(figures: pd.DataFrame, lang: Language) -> list[Entry]:
    """Lines of the legend for units shaded by rate."""
    breaks = [0, *colours.RATE_BREAKS, 1]
    entries = [
        Entry(furniture.patch(colour), f"{low:.0%} – {high:.0%}")
        for colour, low, high in zip(colours.RATE_RAMP, breaks[:-1], breaks[1:], strict=True)
    ][::-1]
    if figures["rate"].isna().any():
        entries.append(Entry(furniture.patch(colours.NOBODY), text("map.nobody", lang)))
    return entries


def border_legend(level: Level, lang: Language, theme: str = "light") -> Entry:
    """Line of the legend for outlines of units."""
    dashes = furniture.line(_LINE[theme], width=1).replace("/>", ' stroke-dasharray="4 3"/>')
    return Entry(dashes, text("map.border", lang, level=text(f"level.{level}", lang)))


def facility_dots(facilities: gpd.GeoDataFrame, lang: Language, *, theme: str = "light") -> Dots:
    """Facilities, each a dot; those on no street are hollow ones of their own layer.

    Parameters
    ----------
    facilities
        Of a coverage.
    lang
        Language of the words.
    theme
        ``light`` or ``dark``.
    """
    palette = colours.PALETTES[theme]
    radius = (5.5, 4.0, 3.0)[bisect_right((60, 250), len(facilities))]
    x, y = shapely.get_coordinates(facilities.geometry.array).T
    return Dots(
        id=FACILITIES,
        order=60,
        places=list(zip(x.tolist(), y.tolist(), strict=True)),
        ids=[str(found) for found in facilities["id"]],
        tips=facility_tips(facilities, lang),
        radius=[radius] * len(facilities),
        style={
            "color": palette.ring,
            "weight": 1.5,
            "fillColor": palette.facility,
            "fillOpacity": 1,
        },
    )


def facility_tips(facilities: gpd.GeoDataFrame, lang: Language) -> list[str]:
    """Name, year and what is wrong with the place of each facility, as HTML."""
    told = []
    for row in facilities[["id", "name", "opened", "reason"]].itertuples(index=False):
        parts = [f"<b>{escape(str(row.name or row.id))}</b>"]
        if pd.notna(row.opened):
            parts.append(words.said("map.tip_opened", lang, year=row.opened))
        if isinstance(row.reason, str):
            parts.append(words.said(f"map.reason.{row.reason}", lang))
        told.append("<br>".join(parts))
    return told
