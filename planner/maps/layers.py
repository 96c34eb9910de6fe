"""What a map is made of: each function adds one thing and says how to read it."""

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
from planner.maps import colours, furniture, shapes, words
from planner.maps.assets import LocalMap, Script
from planner.maps.furniture import Entry

if TYPE_CHECKING:
    from layers.units import Level
    from planner.coverage import Coverage

_MOST_LABELS = 20
_FACILITY_COUNTS, _FACILITY_SIZES = (60, 250), (5.5, 4.0, 3.0)
_LARGEST_DOT = 22.0
# More points of people than these are joined cell by cell.
_MOST_DOTS = {"far": 600, "near": 6_000}
_SMALLEST_DOT = 2.5
_WIDTHS = {0: 3.0, 1: 2.8, 2: 2.4, 3: 1.9, shapes.MINOR: 1.3}


def streets(
    page: LocalMap, result: Coverage, lang: Language, *, most: int = shapes.MOST_COORDINATES
) -> list[Entry]:
    """Streets by served or not.

    Parameters
    ----------
    page
        The map.
    result
        Whose stretches to draw.
    lang
        Language.
    most
        How many coordinates may be drawn; beyond it see `shapes.thin`.

    Returns
    -------
    Lines of the legend.
    """
    cut = _ranked(result, result.stretches())
    kilometres = cut.groupby("served")["length_m"].sum() / 1000
    drawn, left_out = shapes.thin(cut, most=most)
    groups = []
    for rank in sorted(_WIDTHS, reverse=True):
        for served in (False, True):
            lines = drawn.geometry.array[(drawn["rank"] == rank) & (drawn["served"] == served)]
            if len(lines):
                colour = colours.SERVED if served else colours.UNSERVED
                groups.append(
                    {
                        "lines": shapes.pack(lines),
                        "colour": colour,
                        "width": _WIDTHS[rank],
                        "served": served,
                    }
                )
    page.add_child(Script(shapes.DECODE + _LINES, groups=groups))
    return [
        Entry(
            furniture.line(colours.SERVED if served else colours.UNSERVED),
            text(
                f"map.streets_{'served' if served else 'unserved'}",
                lang,
                kilometres=float(kilometres.get(served, 0.0)),
            ),
        )
        for served in (True, False)
    ] + _thinned(left_out, lang)


def base_streets(page: LocalMap, result: Coverage, lang: Language) -> list[Entry]:
    """Draw main streets in grey, to find one's way by; without any, all streets."""
    network = result.network.streets
    every = _ranked(result, network.assign(street=network.index, length_m=network["length"]))
    main = every[every["rank"] < shapes.MINOR]
    drawn, left_out = shapes.thin(main if len(main) else every, most=shapes.MOST_COORDINATES // 2)
    group = {
        "lines": shapes.pack(drawn.geometry.array),
        "colour": colours.BASE,
        "width": 1.4,
        "served": None,
    }
    page.add_child(Script(shapes.DECODE + _LINES, groups=[group]))
    key = "map.streets_main" if len(main) else "map.streets_all"
    swatch = furniture.line(colours.BASE, width=2)
    return [Entry(swatch, text(key, lang)), *_thinned(left_out, lang)]


def gap(page: LocalMap, result: Coverage, lang: Language) -> list[Entry]:
    """Draw people who are not served, as dots sized by how many they are.

    Where there are many points they are joined cell by cell when seen from afar, and
    stand alone when seen from near. The scale of either follows from where all people
    live, so that the dots of two years compare.
    """
    found = result.gap()
    if found.empty:
        return [Entry("", text("map.gap_none", lang))]
    people = result.city.population[result.standard.group]
    everyone = gpd.GeoDataFrame(
        {"people": people[people > 0]}, geometry=result.city.population.geometry
    ).loc[people > 0]
    legend = []
    views = ("far", "near") if len(found) > _MOST_DOTS["far"] else ("",)
    for view in views:
        most = _MOST_DOTS[view or "far"]
        drawn, side = shapes.gather(found, most=most)
        largest = float(shapes.gather(everyone, most=most)[0]["people"].max())
        if side:
            tips = [
                text("map.tip_cell", lang, people=wording.people(row.people), points=row.points)
                for row in drawn.itertuples()
            ]
            lost = np.zeros(len(drawn), dtype=bool)
        else:
            tips = _gap_tips(result, found, lang)
            lost = found["reason"].notna().to_numpy()
        _add_gap_dots(page, drawn, tips, lost, largest, view)
        for number in _sample_sizes(largest):
            swatch = furniture.dot(colours.UNSERVED, radius=_radius(number, largest), opacity=0.75)
            told = text("map.gap_dot", lang, people=wording.people(number))
            legend.append(Entry(swatch, told, view))
        if lost.any():
            swatch = furniture.dot("#ffffff", ring=colours.UNSERVED)
            legend.append(Entry(swatch, text("map.gap_lost", lang), view))
        if side:
            key = "map.gap_joined_far" if view == "far" else "map.gap_joined"
            told = text(key, lang, points=f"{len(found):,}", side=side)
            legend.append(Entry("", told, view))
    if len(views) > 1:
        page.add_child(Script(_VIEWS, bounds=page.bounds))
    return legend


def rates(page: LocalMap, result: Coverage, lang: Language, *, level: Level) -> list[Entry]:
    """Units of a level shaded by their rates, with name and rate where there is room.

    Parameters
    ----------
    page
        The map.
    result
        Whose rates to show.
    lang
        Language.
    level
        Level of the units.
    """
    units, table = _units(result, level)
    tips = [_rate_tip(row, lang) for _, row in table.iterrows()]
    fills = [colours.rate_colour(rate) for rate in table["rate"]]
    _add_areas(
        page,
        units.geometry.array,
        fills,
        tips,
        {"color": "#5b5b5e", "weight": 1, "fillOpacity": 1},
    )
    breaks = [0, *colours.RATE_BREAKS, 1]
    entries = [
        Entry(furniture.patch(colour), f"{low:.0%} – {high:.0%}")
        for colour, low, high in zip(colours.RATE_RAMP, breaks[:-1], breaks[1:], strict=True)
    ][::-1]
    if table["rate"].isna().any():
        entries.append(Entry(furniture.patch(colours.NOBODY), text("map.nobody", lang)))
    return entries


def rate_labels(page: LocalMap, result: Coverage, lang: Language, *, level: Level) -> list[Entry]:
    """Name and rate written on each unit, unless there are too many of them."""
    units, table = _units(result, level)
    if len(units) > _MOST_LABELS:
        return [Entry("", text("map.point_at_units", lang))]
    area = shapely.box(*result.city.streets.total_bounds)
    seen = shapely.intersection(units.geometry.array, area)
    spots = shapely.point_on_surface(np.where(shapely.is_empty(seen), units.geometry.array, seen))
    labels = []
    # Where two would overlap, the larger unit keeps its label; the map says the rest.
    for place in np.argsort(-shapely.area(units.geometry.array)):
        spot, row = spots[place], table.iloc[place]
        told = f"{escape(_name(row, lang))}<br><b>{wording.rate(row['rate'])}</b>"
        labels.append([*_place(spot), f"<div>{told}</div>"])
    page.add_child(Script(_LABELS, labels=labels))
    return [Entry("", text("map.labels_hidden", lang))] if len(units) > 1 else []


def borders(page: LocalMap, result: Coverage, lang: Language, *, level: Level) -> list[Entry]:
    """Outlines of the units of a level."""
    units, _ = _units(result, level)
    few = len(units) <= _MOST_LABELS
    style = {"color": colours.BORDER, "dashArray": "4 3", "fill": False}
    style |= {"weight": 1 if few else 0.6, "opacity": 1 if few else 0.7}
    _add_areas(page, units.geometry.array, None, None, style)
    dashes = furniture.line(colours.BORDER, width=1).replace("/>", ' stroke-dasharray="4 3"/>')
    label = text("map.border", lang, level=text(f"level.{level}", lang))
    return [Entry(dashes, label)]


def water(page: LocalMap, result: Coverage, lang: Language) -> list[Entry]:
    """Water, where the city has a layer of it."""
    layer = result.city.water
    if layer is None or layer.empty:
        return []
    plain = shapely.simplify(layer.geometry.array, 1e-4)
    plain = plain[~shapely.is_empty(plain)]
    style = {"stroke": False, "fillOpacity": 1}
    _add_areas(page, plain, [colours.WATER] * len(plain), None, style)
    return [Entry(furniture.patch(colours.WATER), text("layer.water", lang))]


def facilities(page: LocalMap, result: Coverage, lang: Language) -> list[Entry]:
    """Facilities counted; those on no street are hollow."""
    counted = result.facilities
    if counted.empty:
        return [Entry("", text("map.facilities_none", lang))]
    radius = _FACILITY_SIZES[bisect_right(_FACILITY_COUNTS, len(counted))]
    placed = counted["reason"].isna().to_numpy()
    entries = []
    for on_street in (False, True):
        some = counted[placed == on_street]
        if some.empty:
            continue
        told = some[["id", "name", "opened", "reason"]]
        tips = [_facility_tip(row, lang) for row in told.itertuples()]
        ring, fill = (
            (colours.FACILITY_RING, colours.FACILITY)
            if on_street
            else (colours.FACILITY, colours.FACILITY_RING)
        )
        style = {"color": ring, "weight": 1.5, "fillColor": fill, "fillOpacity": 1}
        _add_dots(page, some, np.full(len(some), radius), tips, style)
        swatch = furniture.dot(fill, radius=5, ring=ring)
        key = "map.facilities" if on_street else "map.facilities_lost"
        entries.append(Entry(swatch, text(key, lang, count=f"{len(some):,}")))
    return entries[::-1]


def _ranked(result: Coverage, lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    highway = result.city.streets["highway"].loc[lines["street"]]
    return lines.assign(rank=shapes.rank(highway))


def _thinned(left_out: dict[str, float], lang: Language) -> list[Entry]:
    if not left_out:
        return []
    return [Entry("", text("map.thinned", lang, metres=shapes.SIMPLIFY_M, **left_out))]


def _units(result: Coverage, level: Level) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    table = result.by(level)
    table = table[table["code"] != ""].reset_index(drop=True)
    return result.city.units.set_index("code").loc[table["code"]], table


def _name(row: pd.Series, lang: Language) -> str:
    return str(row["name_en"] if lang == "en" else row["name"])


def _place(point: Any) -> list[float]:
    return [round(point.y, shapes.PLACES), round(point.x, shapes.PLACES)]


def _gap_tips(result: Coverage, found: gpd.GeoDataFrame, lang: Language) -> list[str]:
    names = result.facilities.set_index("id")["name"]
    unit = result.standard.unit
    tips = []
    for row in found.itertuples():
        told = [text("map.tip_gap", lang, people=wording.people(row.people))]
        if isinstance(row.reason, str):
            told.append(text(f"map.reason.{row.reason}", lang))
        else:
            far = words.distance(row.distance, unit, lang)
            told.append(text("map.tip_nearest", lang, distance=far))
            if isinstance(row.facility, str):
                told.append(str(names[row.facility] or row.facility))
        tips.append("<br>".join(escape(part) for part in told))
    return tips


def _rate_tip(row: pd.Series, lang: Language) -> str:
    told = text(
        "map.tip_rate",
        lang,
        rate=wording.rate(row["rate"]),
        served=wording.people(row["served"]),
        people=wording.people(row["people"]),
        facilities=f"{row['facilities']:,}",
    )
    return f"<b>{escape(_name(row, lang))}</b><br>{escape(told)}"


def _facility_tip(row: Any, lang: Language) -> str:
    told = f"<b>{escape(row.name or row.id)}</b>"
    if pd.notna(row.opened):
        told += f"<br>{words.said('map.tip_opened', lang, year=row.opened)}"
    if isinstance(row.reason, str):
        told += f"<br>{words.said('map.reason.' + row.reason, lang)}"
    return told


def _radius(people: Any, largest: float) -> Any:
    """Radius of a dot, so that its area is as its people."""
    return np.maximum(_LARGEST_DOT * np.sqrt(people / largest), _SMALLEST_DOT)


def _add_gap_dots(
    page: LocalMap,
    drawn: gpd.GeoDataFrame,
    tips: list[str],
    lost: np.ndarray,
    largest: float,
    view: str,
) -> None:
    """Add dots, large ones first, so that small ones lie on them and can be pointed at."""
    weight = drawn["people"].to_numpy()
    radius = _radius(weight, largest)
    for hollow in (False, True):
        chosen = np.flatnonzero(lost == hollow)
        chosen = chosen[np.argsort(-weight[chosen])]
        if not len(chosen):
            continue
        style = {
            "color": colours.UNSERVED if hollow else "#ffffff",
            "weight": 2 if hollow else 0.6,
            "fillColor": "#ffffff" if hollow else colours.UNSERVED,
            "fillOpacity": 0.75,
        }
        tipped = [tips[number] for number in chosen]
        _add_dots(page, drawn.iloc[chosen], radius[chosen], tipped, style, view)


def _sample_sizes(largest: float) -> list[float]:
    """Two round numbers of people to show the size of dots by."""
    most = max(largest * 0.15, 1)
    top = 10 ** np.floor(np.log10(most))
    nice = max(step * top for step in (1, 2, 5) if step * top <= most)
    return [float(nice), float(max(nice / 10, 1))] if nice > 1 else [1.0]


def _add_dots(
    page: LocalMap,
    points: gpd.GeoDataFrame,
    radius: np.ndarray,
    tips: list[str],
    style: dict[str, Any],
    view: str = "",
) -> None:
    x, y = shapely.get_coordinates(points.geometry.array).round(shapes.PLACES).T
    columns = (y.tolist(), x.tolist(), radius.round(1).tolist(), tips)
    dots = [list(dot) for dot in zip(*columns, strict=True)]
    page.add_child(Script(_DOTS, dots=dots, style=style, view=view))


def _add_areas(
    page: LocalMap,
    areas: Any,
    fills: list[str] | None,
    tips: list[str] | None,
    style: dict[str, Any],
) -> None:
    rings, parts = shapes.pack_areas(areas)
    page.add_child(
        Script(
            shapes.DECODE + _AREAS, rings=rings, parts=parts, fills=fills, tips=tips, style=style
        )
    )


_LINES = """
function weight(group) {
  var zoom = map.getZoom();
  return group.width * (zoom < 12 ? .5 : zoom < 13.5 ? .75 : zoom < 15 ? 1 : 1.6);
}
var drawn = data.groups.map(function (group) {
  return L.polyline(unpack(group.lines), {color: group.colour, weight: weight(group), opacity: 1,
    interactive: false, served: group.served, smoothFactor: 1.2}).addTo(map);
});
map.on("zoomend", function () {
  drawn.forEach(function (line, i) { line.options.weight = weight(data.groups[i]); });
});
"""

_DOTS = """
var dots = L.layerGroup(data.dots.map(function (dot) {
  return L.circleMarker([dot[0], dot[1]], L.extend({radius: dot[2]}, data.style))
    .bindTooltip(dot[3]);
}));
if (data.view) { (map.views = map.views || []).push([data.view, dots]); } else { dots.addTo(map); }
"""

# What is drawn from afar and what from near take turns, on the map and in its legend.
_VIEWS = """
function turn() {
  var near = map.getZoom() >= map.getBoundsZoom(data.bounds) + 1.75;
  map.views.forEach(function (view) {
    if ((view[0] === "near") === near) view[1].addTo(map); else view[1].remove();
  });
  document.querySelectorAll(".legend .near, .legend .far").forEach(function (entry) {
    entry.style.display = entry.classList.contains("near") === near ? "" : "none";
  });
}
map.on("zoomend resize", turn);
turn();
"""

_AREAS = """
var rings = unpack(data.rings), next = 0;
data.parts.forEach(function (counts, i) {
  var parts = counts.map(function (count) {
    next += count;
    return rings.slice(next - count, next);
  });
  var style = L.extend({interactive: !!data.tips, smoothFactor: 1}, data.style);
  if (data.fills) style.fillColor = data.fills[i], style.fill = true;
  var area = L.polygon(parts, style).addTo(map);
  if (data.tips) area.bindTooltip(data.tips[i], {sticky: true});
});
"""

_LABELS = """
var marks = data.labels.map(function (label) {
  return L.marker([label[0], label[1]], {interactive: false, keyboard: false,
    icon: L.divIcon({className: "unit-label", html: label[2], iconSize: [0, 0]})}).addTo(map);
});
function clear() {
  var kept = [];
  marks.forEach(function (mark) {
    var box = mark.getElement().firstChild;
    box.style.visibility = "";
    var here = box.getBoundingClientRect();
    var free = kept.every(function (other) {
      return here.right < other.left || other.right < here.left
        || here.bottom < other.top || other.bottom < here.top;
    });
    if (free) kept.push(here); else box.style.visibility = "hidden";
  });
}
map.on("zoomend resize", clear);
window.addEventListener("load", clear);
"""
