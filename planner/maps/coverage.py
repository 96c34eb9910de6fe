"""The map of a coverage: one question at a time, facilities always."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import shapely

from layers.messages import Language, language, text
from planner.maps import furniture, layers, shapes
from planner.maps.assets import Bounds, LocalMap
from planner.standards import unknown_name

if TYPE_CHECKING:
    from layers import City
    from layers.units import Level
    from planner.coverage import Coverage

Show = Literal["streets", "gap", "rates"]
SHOWS: tuple[Show, ...] = get_args(Show)
"""Streets served or not; people who are not; units by their rates."""


def coverage_map(
    result: Coverage,
    *,
    level: Level = "district",
    show: Show = "streets",
    lang: Language | None = None,
    most: int = shapes.MOST_COORDINATES,
) -> LocalMap:
    """Draw a coverage.

    Parameters
    ----------
    result
        The coverage.
    level
        Level of the units to outline or to shade.
    show
        ``streets``: streets by served or not; ``gap``: people who are not served;
        ``rates``: units shaded by rate.
    lang
        Language; the one in force when None.
    most
        How many coordinates of streets may be drawn; beyond it lines are simplified,
        then the least main streets left out, and the legend says so.

    Returns
    -------
    A folium map whose page loads Leaflet from the application that serves it.

    Raises
    ------
    UnknownNameError
        The city has no units of that level, or there is nothing of that name to show.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import coverage
    >>> page = coverage_map(coverage(embedded("small"), "menopause_clinic"), show="gap")
    >>> "https://" in page.html()
    False
    """
    lang = lang or language()
    if show not in SHOWS:
        raise unknown_name("show", show, SHOWS)
    if level not in result.levels:
        raise unknown_name("level", level, result.levels)
    page = LocalMap(extent(result.city))
    if show == "streets":
        entries = layers.water(page, result, lang)
        entries = layers.streets(page, result, lang, most=most) + entries
        entries += layers.borders(page, result, lang, level=level)
    elif show == "gap":
        entries = layers.water(page, result, lang)
        entries += layers.base_streets(page, result, lang)
        entries += layers.borders(page, result, lang, level=level)
    else:
        entries = layers.rates(page, result, lang, level=level)
        entries += layers.water(page, result, lang)
    entries = layers.facilities(page, result, lang) + entries
    if show == "gap":
        entries = layers.gap(page, result, lang) + entries
    elif show == "rates":
        entries += layers.rate_labels(page, result, lang, level=level)
    furniture.add_frame(page, result, lang)
    furniture.add_legend(page, text(f"map.show.{show}", lang), entries)
    return page


def extent(city: City) -> Bounds:
    """Choose what a map shows at first: where both the streets and the units are."""
    area = shapely.box(*city.streets.total_bounds)
    both = shapely.intersection(area, shapely.box(*city.units.total_bounds))
    west, south, east, north = (area if both.is_empty else both).bounds
    return west, south, east, north
