"""The curve of distances beside the map: how many people live within each distance."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.messages import text
from planner.maps import words

if TYPE_CHECKING:
    from layers.messages import Language
    from planner._search import Floats

_WIDE, _HIGH, _LEFT, _FOOT = 430, 96, 34, 16
_KILOMETRE = 1000


def curve(
    cutoffs: Floats,
    people: Floats,
    *,
    total: float,
    cutoff: float,
    unit: str,
    lang: Language,
    other: Floats | None = None,
) -> str:
    """Draw the share of people within each distance, as SVG that takes the page's colours.

    Parameters
    ----------
    cutoffs, people
        Distances from nought on, and the people within each.
    total
        All people.
    cutoff
        Of the standard, marked on the curve.
    unit
        ``m`` or ``min``.
    lang
        Language.
    other
        Shares of what it is compared with, at the same distances, or None.
    """
    if not total > 0 or len(cutoffs) < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    most = float(cutoffs[-1])
    share = people / total
    x = _LEFT + cutoffs / most * (_WIDE - _LEFT - 6)
    floor = _HIGH - _FOOT

    def y(part: Any) -> Any:
        return floor - part * (floor - 6)

    at = float(_LEFT + min(cutoff / most, 1.0) * (_WIDE - _LEFT - 6))
    inside = cutoffs <= cutoff
    reached = float(np.interp(cutoff, cutoffs, share))
    served = [*zip(x[inside], y(share[inside]), strict=True), (at, y(reached))]
    beyond = [(at, y(reached)), *zip(x[~inside], y(share[~inside]), strict=True)]
    parts = [
        f'<path class="in" d="{_path(served)}L{at:.1f} {floor}L{_LEFT} {floor}Z"/>',
        f'<path class="line" d="{_path(served)}"/>',
    ]
    if len(beyond) > 1:
        parts.append(f'<path class="far" d="{_path(beyond)}"/>')
    if other is not None:
        points = list(zip(x, y(other), strict=True))
        parts.append(f'<path class="other" d="{_path(points)}"/>')
    for part in (0, 0.5, 1):
        parts.append(f'<path class="grid" d="M{_LEFT} {y(part):.1f}H{_WIDE - 6}"/>')
        parts.append(
            f'<text x="{_LEFT - 5}" y="{y(part) + 3.5:.1f}" class="side">{part:.0%}</text>'
        )
    for value in _ticks(most):
        here = _LEFT + value / most * (_WIDE - _LEFT - 6)
        told = escape(_tick(value, unit, lang))
        anchor = "end" if here > _WIDE - 40 else "middle"
        parts.append(f'<text x="{here:.1f}" y="{_HIGH - 3}" text-anchor="{anchor}">{told}</text>')
    parts.append(f'<path class="cut" d="M{at:.1f} 4V{floor}"/>')
    parts.append(f'<circle cx="{at:.1f}" cy="{y(reached):.1f}" r="3.5"/>')
    said = text("desk.curve_says", lang, share=reached, distance=words.distance(cutoff, unit, lang))
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{escape(said)}">'
        f"<title>{escape(said)}</title>{''.join(parts)}</svg>"
    )


def _tick(value: float, unit: str, lang: Language) -> str:
    if not value:
        return "0"
    if unit == "m" and value >= _KILOMETRE:
        return f"{value / _KILOMETRE:g} {text('map.km', lang)}"
    return f"{value:g} {text(f'unit.{unit}', lang)}"


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _ticks(most: float) -> list[float]:
    """Round numbers from nought to about the most, four or five of them."""
    rough = most / 4
    power = 10 ** np.floor(np.log10(rough))
    step = next(nice * power for nice in (1, 2, 2.5, 5, 10) if nice * power >= rough)
    return [float(value) for value in np.arange(0, most * 1.001, step)]


STYLE = """
:host { font: 11px/1.3 var(--font); color: var(--ink); }
h4 { margin: 0 0 2px; font-size: 12px; font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
@media (max-width: 900px) { svg { max-width: 460px; } }
text { fill: var(--soft); font-size: 10px; } .side { text-anchor: end; }
.in { fill: var(--bar); opacity: .55; } .line { fill: none; stroke: var(--main); stroke-width: 2; }
.far { fill: none; stroke: var(--gap); stroke-width: 2; }
.other { fill: none; stroke: var(--ink); stroke-width: 1.2; stroke-dasharray: 4 3; }
.grid { stroke: var(--rule); stroke-width: .7; fill: none; }
.cut { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 2 2; }
circle { fill: var(--main); stroke: var(--paper); stroke-width: 1.5; }
"""
