"""What the view of data puts on its map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.messages import text
from planner.maps import colours, furniture, live, plain
from planner.maps.furniture import Entry
from planner.maps.scene import Field, Marker, Spots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers.messages import Language
    from planner.desk.map import CityMap
    from planner.desk.study import Study
    from planner.desk.survey import Marked, Survey
    from planner.intake import Intake

DRAWN = ("streets", "units", "population", "facilities")
"""Layers that can be drawn; water is in the basemap."""

ROW = "row"
_BEFORE = "facilities-before"


def layers(
    study: Study, survey: Survey, names: Sequence[str], lang: Language, theme: str
) -> tuple[list[Any], list[Entry]]:
    """Layers of a city as they are, and lines of the legend for them."""
    palette = colours.PALETTES[theme]
    made: list[Any] = []
    entries: list[Entry] = []
    if "streets" in names:
        tiles = survey.tiles("streets")
        made.append(_lines(study, "streets", 30, tiles, plain.INK[theme]))
        entries.append(
            Entry(furniture.line(plain.INK[theme]), text("map.live.streets_plain", lang))
        )
    if "units" in names:
        level = study.levels[0]
        units = study.plain_units(level)
        line = {"color": plain.BORDER[theme], "weight": 1.0, "dashArray": "4 3"}
        line |= {"fill": True, "fillOpacity": 0}
        made.append(
            plain.areas(
                units.geometry.array,
                list(units["code"]),
                layer="units",
                order=40,
                style=line,
                tips=plain.unit_tips(units, lang),
            )
        )
        entries.append(live.border_legend(level, lang, theme))
    if "population" in names:
        made.append(
            Spots(
                id="population",
                order=50,
                url=study.tiles.add(survey.tiles("population"), lang=lang),
                sized=True,
                style=_dot(plain.INK[theme], palette.ring, opacity=0.7),
                words={
                    "one": "",
                    "many": text("map.live.people_many", lang, weight="{weight}", count="{count}"),
                    "legend": text("map.live.people_legend", lang, weight="{weight}"),
                },
            )
        )
        entries.append(Entry('<span data-spots="population" class="room"></span>', ""))
    if "facilities" in names:
        made.append(
            _spots(study, "facilities", 60, survey.tiles("facilities"), "dark", lang, theme)
        )
        count = f"{len(study.city.facilities):,}"
        swatch = furniture.dot(palette.facility, radius=5, ring=palette.ring)
        entries.append(Entry(swatch, text("map.live.facility_one", lang, count=count)))
    return made, entries


def finding(
    study: Study, marked: Marked, lang: Language, theme: str
) -> tuple[list[Any], list[Entry]]:
    """Places that a finding names."""
    palette = colours.PALETTES[theme]
    made: list[Any] = []
    sign = furniture.dot(palette.accent, radius=5, ring=palette.ring)
    if marked.lines is not None:
        made.append(_lines(study, "marked-lines", 55, marked.lines, palette.accent))
        sign = furniture.line(palette.accent)
    numbers, shapes = marked.areas
    if numbers:
        outline = {"color": palette.accent, "weight": 2, "fillColor": palette.accent}
        outline |= {"fill": True, "fillOpacity": 0.14}
        made.append(plain.areas(shapes, numbers, layer="marked-areas", order=45, style=outline))
        sign = furniture.patch(palette.accent)
    if marked.points is not None:
        made.append(_spots(study, "marked-points", 62, marked.points, "accent", lang, theme))
        sign = furniture.dot(palette.accent, radius=5, ring=palette.ring)
    return made, [Entry(sign, text("desk.data.check.legend", lang))] if made else []


def intake(
    study: Study, own: Any, told: Intake, lang: Language, theme: str
) -> tuple[list[Any], list[Entry]]:
    """Facilities that would be taken, over those of the same services.

    Parameters
    ----------
    study, lang, theme
        As `layers` takes them.
    own
        Tiles of the services' own facilities, and how many those are.
    told
        What would be taken.
    """
    palette = colours.PALETTES[theme]
    tiles, count = own
    made = [
        _spots(study, _BEFORE, 58, tiles, "plain", lang, theme),
        _spots(study, "brought", 62, told_tiles(study, told), "accent", lang, theme),
    ]
    entries = [
        Entry(
            furniture.dot(palette.accent, radius=5, ring=palette.ring),
            text("desk.data.import.legend_new", lang, count=len(told.places.layer)),
        ),
        Entry(
            furniture.dot(palette.ring, radius=5, ring=palette.facility),
            text("desk.data.import.legend_own", lang, count=count),
        ),
    ]
    return made, entries


def told_tiles(study: Study, told: Intake) -> Any:
    """Tiles of the facilities that would be taken, which live as long as the intake."""
    held = vars(told)
    if "tiles" not in held:
        held["tiles"] = plain.facility_tiles(told.places.layer, study.services)
    return held["tiles"]


def show(page: CityMap, wanted: Sequence[Any]) -> None:
    """Put layers on the map and take away whatever lay there, but for the basemap."""
    bridge = page.bridge
    keep = {layer.id for layer in wanted}
    for layer in bridge.layers:
        if layer not in keep and not layer.startswith("basemap"):
            bridge.take(layer)
    for layer in wanted:
        if bridge.layers.get(layer.id) != layer:
            bridge.put(layer)


def pin(page: CityMap, place: Any, label: str) -> None:
    """Stick a pin into a place, or take it away when there is none."""
    if place is None:
        page.bridge.unmark(ROW)
        return
    palette = colours.PALETTES[page.session.theme]
    page.bridge.mark(
        Marker(
            id=ROW,
            lon=float(place.x),
            lat=float(place.y),
            label=label,
            colour=palette.accent,
            ink=palette.ring,
            sign="!",
        )
    )


def _lines(study: Study, layer: str, order: int, tiles: Any, colour: str) -> Field:
    return Field(
        id=layer,
        order=order,
        url=study.tiles.add(tiles),
        step=tiles.step,
        stops=(1.0,),
        colours=(colour, colour),
    )


def _spots(
    study: Study, layer: str, order: int, tiles: Any, look: str, lang: Language, theme: str
) -> Spots:
    palette = colours.PALETTES[theme]
    looks = {
        "dark": _dot(palette.facility, palette.ring),
        "plain": _dot(palette.ring, palette.facility),
        "accent": _dot(palette.accent, palette.ring),
    }
    return Spots(
        id=layer,
        order=order,
        url=study.tiles.add(tiles, lang=lang),
        least_radius=5.0,
        style=looks[look],
        words={"one": "", "many": text("map.live.facility_many", lang, count="{count}")},
    )


def _dot(fill: str, ring: str, *, opacity: float = 1.0) -> dict[str, Any]:
    return {"color": ring, "weight": 1.5, "fillColor": fill, "fillOpacity": opacity}
