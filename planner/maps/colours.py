"""Colours: one meaning each, on map, table and report alike.

Served and unserved differ in hue and in lightness, so that neither red-green blindness
nor grey print confuses them.
"""

from bisect import bisect_right
from dataclasses import dataclass
from math import isnan

SERVED = "#2166ac"
UNSERVED = "#d6604d"
FACILITY = "#1a1a1a"
FACILITY_RING = "#ffffff"
WATER = "#cbdfec"
BASE = "#cfcfcb"
BORDER = "#77777a"
ACCENT = "#b5179e"
"""What a reader chose, or what a scenario adds."""
SUGGESTED = "#cf6fc0"
"""What a model suggests and nobody has accepted yet: the accent, paler."""

RATE_BREAKS = (0.25, 0.5, 0.75, 0.9)
"""Rates at which the shade changes, the same for every service and year."""
RATE_RAMP = ("#f6eec9", "#bfdcc3", "#79b7c4", "#3f86bb", "#1f4f96")
"""Light to dark as the rate rises."""
NOBODY = "#ffffff"


def rate_colour(rate: float) -> str:
    """Shade of a rate; NaN, where nobody lives, is white.

    Examples
    --------
    >>> rate_colour(0.9) == RATE_RAMP[-1], rate_colour(float("nan"))
    (True, '#ffffff')
    """
    if isnan(rate):
        return NOBODY
    return RATE_RAMP[bisect_right(RATE_BREAKS, rate)]


@dataclass(frozen=True)
class Palette:
    """Colours of live maps on one ground: the same meaning on either."""

    served: str
    unserved: str
    facility: str
    ring: str
    base: str
    accent: str
    bands: tuple[str, ...]
    """From near to far; the last two lie beyond the cutoff and are warm."""


PALETTES = {
    "light": Palette(
        SERVED,
        UNSERVED,
        FACILITY,
        FACILITY_RING,
        BASE,
        ACCENT,
        ("#0b2f63", "#2166ac", "#5c9fd0", "#9cc8e4", "#f2a583", "#c8452f"),
    ),
    "dark": Palette(
        "#5aa2e8",
        "#e8795f",
        "#f4f4f2",
        "#14181c",
        "#464d55",
        "#ff7ae5",
        ("#d6e9fb", "#93c4f2", "#5aa2e8", "#3672b5", "#b9573f", "#f08b74"),
    ),
}
"""By theme."""
