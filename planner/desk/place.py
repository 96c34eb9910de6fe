"""Where am I: the nearest facilities of any place, the ways there, and whether it is served."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.crs import GEOGRAPHIC
from layers.units import assign
from planner import wording
from planner.maps import words
from planner.reach import SLACK
from planner.reliance import Reliance, reliance
from planner.ways import Way, way

if TYPE_CHECKING:
    from layers.messages import Language
    from planner.desk.study import Answer

_NEAREST = 3
LETTERS = "ABC"
"""Names of the nearest facilities, on the map and beside it."""


@dataclass(frozen=True, kw_only=True)
class Near:
    """A facility near a place.

    Attributes
    ----------
    id, name
        Of the facility.
    place
        Longitude and latitude.
    way
        From the place's street to the facility's.
    """

    id: str
    name: str
    place: tuple[float, float]
    way: Way


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is found out of a place.

    Attributes
    ----------
    lon, lat
        Degrees, WGS-84.
    near
        The nearest facilities, nearest first; none where nothing can be reached.
    reason
        Why the place is on no street, or None.
    served
        Whether somebody living there is served.
    codes
        Units in which it lies, by level.
    """

    lon: float
    lat: float
    near: tuple[Near, ...]
    reason: str | None
    served: bool
    codes: dict[str, str]


def look(answer: Answer, lon: float, lat: float) -> Found:
    """Find the facilities nearest to a place along the streets.

    Parameters
    ----------
    answer
        Which service, under which standard.
    lon, lat
        Degrees, WGS-84.
    """
    result = answer.measured.result
    network, sites = result.network, result.reach.origins
    point = gpd.GeoSeries([shapely.Point(lon, lat)], crs=GEOGRAPHIC)
    units = assign(point, result.city.units).iloc[0]
    codes = {str(level): str(code) for level, code in units.items() if pd.notna(code)}
    here = network.locate(point)
    reason = here.reason.iloc[0]
    if reason is not None or not len(sites):
        return Found(lon=lon, lat=lat, near=(), reason=reason, served=False, codes=codes)
    bound: dict[str, Any] = (
        {"cutoff": np.inf} if result.standard.unit == "m" else {"cutoff_min": np.inf}
    )
    # From the place outwards: one search finds its distance to every facility.
    reach = network.reach(here, towards="from", **bound)
    distance = reach.at(sites).to_numpy()
    layer = result.city.facilities
    near: list[Near] = []
    for row in np.argsort(np.where(np.isnan(distance), np.inf, distance), kind="stable").tolist():
        if not np.isfinite(distance[row]) or len(near) == _NEAREST:
            break
        entrance = layer.loc[sites.index[row]]
        owner = entrance.get("entrance_of")
        key = str(owner if isinstance(owner, str) else entrance["id"])
        if any(key == found.id for found in near):
            continue
        traced = way(reach, sites, row)
        if traced is None:
            continue
        own = layer[layer["id"] == key].iloc[0]
        near.append(
            Near(
                id=key,
                name=str(own["name"] or key),
                place=(float(entrance.geometry.x), float(entrance.geometry.y)),
                way=traced,
            )
        )
    served = bool(near) and near[0].way.distance <= answer.standard.cutoff + SLACK
    return Found(lon=lon, lat=lat, near=tuple(near), reason=None, served=served, codes=codes)


def told(answer: Answer, found: Found, lang: Language) -> str:
    """Say in HTML what was found of a place."""
    unit = answer.standard.unit
    names = []
    units = answer.measured.result.city.units.set_index("code")
    for code in found.codes.values():
        row = units.loc[code]
        if row["level"] != "city":
            names.append(str(row["name_en"] if lang == "en" else row["name"]))
    where = escape((" · " if lang == "zh" else ", ").join(names)) or words.said(
        "desk.place_outside", lang
    )
    if found.reason is not None:
        state = f'<b class="no">⚠ {words.said(f"map.reason.{found.reason}", lang)}</b>'
    elif found.served:
        state = f'<b class="yes">✓ {words.said("desk.place_served", lang)}</b>'
    else:
        state = f'<b class="no">⚠ {words.said("desk.place_not_served", lang)}</b>'
    rows = "".join(
        f"<tr><td><i>{LETTERS[number]}</i></td><td>{escape(one.name)}</td>"
        f'<td data-figure="near-{number}">'
        f"{escape(words.distance(one.way.distance, unit, lang))}</td>"
        f"<td>{escape(words.distance(one.way.length_m, 'm', lang))}</td></tr>"
        for number, one in enumerate(found.near)
    )
    head = (
        f"<tr><th></th><th>{words.said('desk.place_nearest', lang)}</th>"
        f"<th>{words.said('desk.place_distance' if unit == 'm' else 'desk.place_time', lang)}</th>"
        f"<th>{words.said('desk.place_streets', lang)}</th></tr>"
    )
    nothing = (
        "" if found.near or found.reason else f"<p>{words.said('desk.place_nothing', lang)}</p>"
    )
    table = f"<table>{head}{rows}</table>" if found.near else ""
    return (
        f"<h4>{words.said('desk.place', lang)} <span>{where}</span></h4>"
        f'<p data-figure="place">{state}</p>{table}{nothing}'
    )


def ask_facility(answer: Answer, key: str) -> Reliance | None:
    """Find out whom a facility serves; None if it is not counted."""
    measured, standard = answer.measured, answer.standard
    if key not in set(measured.result.facilities["id"]):
        return None
    return reliance(
        measured.result,
        key,
        cutoff=standard.cutoff,
        group=standard.group,
        homes=measured.homes,
    )


def facility_told(answer: Answer, found: Reliance, lang: Language) -> str:
    """Say in HTML whom a facility serves, of whom nobody else does."""
    result = answer.measured.result
    row = result.facilities[result.facilities["id"] == found.facility].iloc[0]
    lost = (
        f'<p><b class="no">⚠ {words.said("map.reason." + row["reason"], lang)}</b></p>'
        if isinstance(row["reason"], str)
        else ""
    )
    notes = []
    if found.facility in answer.measured.changed:
        notes.append(words.said("desk.facility_changed", lang))
    if pd.notna(row["opened"]):
        notes.append(words.said("map.tip_opened", lang, year=row["opened"]))
    note = f"<p>{' · '.join(notes)}</p>" if notes else ""
    rows = (
        ("reached", "facility_reached", found.reached),
        ("alone", "facility_alone", found.alone),
        ("nearest", "facility_nearest", found.nearest),
        ("beyond", "facility_beyond", found.beyond),
    )
    told = "".join(
        f"<dt>{words.said(f'desk.{key}', lang)}</dt>"
        f'<dd data-figure="facility-{name}">{wording.people(value)}</dd>'
        for name, key, value in rows
    )
    name = escape(str(row["name"] or row["id"]))
    return (
        f"<h4>{words.said('desk.facility', lang)} <span>{name}</span></h4>{lost}{note}"
        f'<dl data-figure="facility">{told}</dl>'
    )


STYLE = """
:host { font: 12.5px/1.4 var(--font); color: var(--ink); }
h4 { margin: 0; font-size: 12.5px; font-weight: 650; }
h4 span { font-weight: 400; color: var(--soft); }
p { margin: 2px 0; } .yes { color: var(--good); } .no { color: var(--bad); }
dl { display: grid; grid-template-columns: 1fr max-content; gap: 1px 12px; margin: 3px 0 0; }
dt { color: var(--soft); } dd { margin: 0; font-weight: 550; text-align: right;
  font-variant-numeric: tabular-nums; } dd[data-figure="facility-alone"] { color: var(--accent); }
table { border-collapse: collapse; width: 100%; margin-top: 2px; }
th { text-align: left; font-weight: 400; color: var(--soft); font-size: 11px; }
td, th { padding: 1px 6px 1px 0; } td:nth-child(n+3), th:nth-child(n+3) { text-align: right;
  white-space: nowrap; font-variant-numeric: tabular-nums; }
td i { display: inline-block; width: 16px; border-radius: 8px; background: var(--accent);
  color: var(--paper); text-align: center; font: 600 11px/16px var(--font); }
"""
