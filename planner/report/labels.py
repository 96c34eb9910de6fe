"""Labels of areas on a map: none over another, those without room beside it with a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_POINTS = 7.2
_LINE = 1.25
_DIRECTIONS = 16
_RINGS = (0.0, 1.6, 2.4, 3.3, 4.3, 5.5, 7.0)
"""How far from its place a label may go, in heights of a line."""


def place_labels(axes: Any, areas: Any, words: Sequence[str]) -> None:
    """Write on each area what it is; larger areas keep their place.

    Parameters
    ----------
    axes
        Of the map, its limits set.
    areas
        Polygons in the units of the axes.
    words
        Of one or two lines each.
    """
    box = axes.get_window_extent()
    scale = box.width / np.ptp(axes.get_xlim())
    corner = np.array([axes.get_xlim()[0], axes.get_ylim()[0]])
    points = axes.figure.dpi / 72 * _POINTS
    spots = (shapely.get_coordinates(shapely.point_on_surface(areas)) - corner) * scale
    taken: list[tuple[float, float, float, float]] = []
    dots = [tuple(spot) for spot in spots]
    for number in np.argsort(-shapely.area(areas)):
        half = _half(words[number], points)
        at = _free(spots[number], half, points, taken, dots, (box.width, box.height))
        taken.append((*(at - half), *(at + half)))
        place, told = corner + at / scale, corner + spots[number] / scale
        moved = bool(np.abs(at - spots[number]).max() > points)
        if moved:
            axes.plot(*zip(told, place, strict=True), color="#333333", linewidth=0.5, zorder=6)
            axes.plot(*told, marker="o", markersize=1.6, color="#333333", zorder=6)
        axes.text(
            *place,
            words[number],
            fontsize=_POINTS,
            ha="center",
            va="center",
            linespacing=1.1,
            color="#111111",
            zorder=7,
            bbox={
                "facecolor": "white",
                "alpha": 0.88 if moved else 0.72,
                "edgecolor": "none",
                "pad": 0.6,
            },
        )


def _half(words: str, points: float) -> Any:
    """Half of the width and height that words take up."""
    lines = words.split("\n")
    wide = max(
        sum(1.0 if east_asian_width(letter) in "WF" else 0.56 for letter in line) for line in lines
    )
    return np.array([wide * points / 2 + 2, len(lines) * points * _LINE / 2 + 1])


def _free(  # what bounds a label has many sides
    spot: Any,
    half: Any,
    points: float,
    taken: Sequence[tuple[float, float, float, float]],
    dots: Sequence[Any],
    size: tuple[float, float],
) -> Any:
    """Find the nearest place where a label covers no other one, and once moved no area's spot."""
    for at, moved in _places(spot, points):
        low, high = at - half, at + half
        if (low < 1).any() or (high > np.array(size) - 1).any():
            continue
        if any(
            low[0] < right and left < high[0] and low[1] < top and bottom < high[1]
            for left, bottom, right, top in taken
        ):
            continue
        if moved and any(low[0] < x < high[0] and low[1] < y < high[1] for x, y in dots):
            continue
        return at
    return spot


def _places(spot: Any, points: float) -> Iterator[tuple[Any, bool]]:
    for ring in _RINGS:
        if not ring:
            yield np.asarray(spot), False
            continue
        for step in range(_DIRECTIONS):
            angle = 2 * np.pi * step / _DIRECTIONS
            # Words are wider than high.
            shift = np.array([1.5 * np.cos(angle), np.sin(angle)]) * ring * points
            yield np.asarray(spot) + shift, True
