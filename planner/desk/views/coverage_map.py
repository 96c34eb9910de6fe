"""What the view of coverage puts on its map."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import shapely

from layers.messages import text
from planner.maps import colours, furniture, live, words
from planner.maps.furniture import Entry
from planner.maps.scene import Field, Lines, Marker, Spots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers.messages import Language
    from planner.desk.map import CityMap
    from planner.desk.place import Found
    from planner.desk.study import Answer, Measured, Study
    from planner.standards import Standard

Show = Literal["streets", "bands", "gap", "rates"]
SHOWS: tuple[Show, ...] = get_args(Show)
"""Streets within reach or not; bands of distance; people who are not served; units by rate."""

_BAND_PARTS = (0.25, 0.5, 0.75, 1.0, 1.5)
_OTHER = "-other"
_LAYERS = ("field", "gap", "facilities", "changed", "units", "labels")
_WAYS = ("way-0", "way-1", "way-2")
PLACE = "place"


def colouring(
    standard: Standard, show: Show, theme: str
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Distances at which a field changes colour, and the colours between them."""
    palette = colours.PALETTES[theme]
    if show == "bands":
        return tuple(part * standard.cutoff for part in _BAND_PARTS), palette.bands
    if show == "streets":
        return (standard.cutoff,), (palette.served, palette.unserved)
    return (standard.cutoff,), (palette.base, palette.base)


def draw(  # one map, whatever is compared
    page: CityMap,
    study: Study,
    answer: Answer,
    show: Show,
    lang: Language,
    *,
    other: Answer | None = None,
    names: tuple[str, str] = ("", ""),
) -> None:
    """Draw an answer, and beside it the one that it is compared with.

    Parameters
    ----------
    page
        The map.
    study
        Whose tiles to draw.
    answer
        What to draw.
    show
        What of it.
    lang
        Language of words on the map.
    other
        What lies on the left of the line, or None.
    names
        What stands on either side of the line.
    """
    theme = page.session.theme
    bridge = page.bridge
    wanted = _layers(study, answer, show, lang, theme, "")
    if other is not None:
        wanted += _layers(study, other, show, lang, theme, _OTHER)
    keep = {layer.id for layer in wanted}
    for layer in wanted:
        before = bridge.layers.get(layer.id)
        if before != layer:
            bridge.put(layer)
    for name in _LAYERS:
        for side in ("", _OTHER):
            if name + side not in keep:
                bridge.take(name + side)
    if other is None:
        bridge.swipe(None)
    else:
        mine = [name for name in _LAYERS if name in keep]
        bridge.swipe(
            [f"{name}{_OTHER}" for name in mine],
            mine,
            words=names,
            label=text("desk.versus_label", lang),
        )
    explain(page, answer, show, lang)


def explain(page: CityMap, answer: Answer, show: Show, lang: Language) -> None:
    """Say what the map shows and how to read it."""
    result, theme = answer.measured.result, page.session.theme
    page.explain(
        furniture.head_html(result, lang, answer.standard),
        text(f"desk.show.{show}", lang),
        legend(answer, show, lang, theme),
        furniture.sources(result, lang),
    )


def _layers(
    study: Study, answer: Answer, show: Show, lang: Language, theme: str, side: str
) -> list[Any]:
    measured, standard = answer.measured, answer.standard
    palette = colours.PALETTES[theme]
    units = study.plain_units(answer.choice.level)
    areas = live.unit_areas(units, answer.units, lang, shaded=show == "rates", theme=theme)
    made: list[Any] = [_renamed(areas, side)]
    if show == "rates":
        labels = live.unit_labels(units, answer.units, lang)
        if labels is not None and not side:
            made.append(labels)
    else:
        stops, ramp = colouring(standard, show, theme)
        distances = measured.distances
        made.append(
            Field(
                id="field" + side,
                order=30,
                url=study.tiles.add(distances),
                step=distances.step,
                stops=stops,
                colours=ramp,
            )
        )
    if show == "gap":
        gap = measured.gap(standard.group)
        made.append(
            Spots(
                id="gap" + side,
                order=50,
                url=study.tiles.add(gap, beyond=f"{standard.cutoff:.12g}", lang=lang),
                sized=True,
                style={
                    "color": palette.ring,
                    "weight": 0.7,
                    "fillColor": palette.unserved,
                    "fillOpacity": 0.78,
                },
                hollow={
                    "color": palette.unserved,
                    "weight": 2,
                    "fillColor": palette.ring,
                    "fillOpacity": 0.85,
                },
                words={
                    "one": "",
                    "many": text("map.live.gap_many", lang, weight="{weight}", count="{count}"),
                    "legend": text("map.live.gap_legend", lang, weight="{weight}"),
                },
            )
        )
    if show == "rates":
        return made
    made.append(
        Spots(
            id="facilities" + side,
            order=60,
            url=study.tiles.add(measured.facilities, lang=lang),
            least_radius=5.0,
            style={
                "color": palette.ring,
                "weight": 1.5,
                "fillColor": palette.facility,
                "fillOpacity": 1,
            },
            hollow={
                "color": palette.facility,
                "weight": 1.5,
                "fillColor": palette.ring,
                "fillOpacity": 1,
            },
            words={"one": "", "many": text("map.live.facility_many", lang, count="{count}")},
        )
    )
    changed = _changed(measured)
    if len(changed):
        # What a scenario adds stands apart, above what was there.
        dots = live.facility_dots(changed, lang, theme=theme)
        own = {"color": palette.ring, "weight": 2, "fillColor": palette.accent, "fillOpacity": 1}
        made.append(
            replace(dots, id="changed" + side, order=65, radius=[7.0] * len(changed), style=own)
        )
    return made


def _changed(measured: Measured) -> Any:
    """Facilities that a scenario has opened or moved."""
    sites = measured.result.facilities
    return sites[sites["id"].isin(measured.changed)]


def _renamed(areas: Any, side: str) -> Any:
    return replace(areas, id=areas.id + side)


def legend(answer: Answer, show: Show, lang: Language, theme: str) -> list[Entry]:
    """Lines of the legend."""
    palette, standard = colours.PALETTES[theme], answer.standard
    entries = []
    if show == "streets":
        entries += [
            Entry(furniture.line(palette.served), text("map.live.served", lang)),
            Entry(furniture.line(palette.unserved), text("map.live.unserved", lang)),
        ]
    elif show == "bands":
        stops, ramp = colouring(standard, show, theme)
        told = ["0", *(words.distance(stop, standard.unit, lang) for stop in stops)]
        entries += [
            Entry(furniture.line(colour), text("map.live.band", lang, low=low, high=high))
            for colour, low, high in zip(ramp[:-1], told[:-1], told[1:], strict=True)
        ]
        beyond = text("map.live.band_beyond", lang, low=told[-1])
        entries.append(Entry(furniture.line(ramp[-1]), beyond))
    elif show == "gap":
        # The map fills in dots of two sizes, which follow its zoom.
        entries.append(Entry(_ROOM, ""))
        if answer.total["gap"] <= 0:
            entries = [Entry("", text("map.gap_none", lang))]
        elif answer.total["unplaced"] > 0:
            swatch = furniture.dot(palette.ring, ring=palette.unserved)
            entries.append(Entry(swatch, text("map.live.gap_lost", lang)))
    else:
        entries += live.rate_legend(answer.units, lang)
    if show == "rates":
        return entries
    entries += _sites_legend(answer, lang, palette)
    entries.append(live.border_legend(answer.choice.level, lang, theme))
    if show == "gap" and answer.total["gap"] > 0:
        entries.append(Entry("", text("map.live.gap_joined", lang)))
    return entries


def _sites_legend(answer: Answer, lang: Language, palette: colours.Palette) -> list[Entry]:
    """Lines of the legend for facilities."""
    sites, entries = answer.measured.result.facilities, []
    lost = int(sites["reason"].notna().sum())
    if len(sites):
        swatch = furniture.dot(palette.facility, radius=5, ring=palette.ring)
        count = f"{len(sites):,}"
        entries.append(Entry(swatch, text("map.live.facility_one", lang, count=count)))
    else:
        entries.append(Entry("", text("map.facilities_none", lang)))
    if len(_changed(answer.measured)):
        swatch = furniture.dot(palette.accent, radius=5, ring=palette.ring)
        entries.append(Entry(swatch, text("desk.siting.legend", lang)))
    if lost:
        swatch = furniture.dot(palette.ring, radius=5, ring=palette.facility)
        entries.append(Entry(swatch, text("map.live.facility_lost", lang, count=f"{lost:,}")))
    return entries


_ROOM = '<span data-spots="gap" class="room"></span>'


def draw_place(
    page: CityMap,
    found: Found | None,
    letters: Sequence[str],
    label: str = "",
    *,
    in_hand: bool = False,
) -> None:
    """Draw a place, its nearest facilities and the ways there, or take them away.

    The pin of a place that is `in_hand`, being dragged, is left to the hand.
    """
    bridge = page.bridge
    palette = colours.PALETTES[page.session.theme]
    near = () if found is None else found.near
    for number, layer in enumerate(_WAYS):
        marker = f"near-{number}"
        if number >= len(near):
            bridge.take(layer)
            bridge.unmark(marker)
            continue
        one = near[number]
        assert found is not None
        lines = _legs(found, one)
        style = {
            "color": palette.accent,
            "weight": 4 if number == 0 else 2.5,
            "opacity": 1 if number == 0 else 0.65,
        }
        bridge.put(Lines(id=layer, order=70 - number, shapes=lines, style=style))
        lon, lat = one.place
        bridge.mark(
            Marker(
                id=marker,
                lon=lon,
                lat=lat,
                label=f"{letters[number]} {one.name}",
                colour=palette.facility,
                ink=palette.ring,
                sign=letters[number],
            )
        )
    if found is None:
        bridge.unmark(PLACE)
    elif PLACE not in bridge.markers:
        bridge.mark(
            Marker(
                id=PLACE,
                lon=found.lon,
                lat=found.lat,
                label=label,
                colour=palette.accent,
                ink=palette.ring,
                sign="•",
                draggable=True,
            )
        )
    elif not in_hand:
        bridge.move(PLACE, found.lon, found.lat)


def _legs(found: Found, near: Any) -> list[Any]:
    """Join the way along the streets, and straight from its ends to the place and the facility."""
    here, there = (found.lon, found.lat), near.place
    line = near.way.line
    if line.is_empty:
        return [shapely.LineString([there, here])]
    coordinates = np.asarray(line.coords)
    return [
        line,
        shapely.LineString([coordinates[0], there]),
        shapely.LineString([coordinates[-1], here]),
    ]
