"""Certainty: the band within which a rate lies, given what is not known exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from scipy.special import ndtri

from layers.errors import InputError
from layers.messages import text
from planner._search import kernels
from planner.reach import SLACK

if TYPE_CHECKING:
    from layers import City
    from layers.messages import Language
    from planner._search import Floats, Ints

_ASKED = 2000
"""Demand points that are asked for their neighbours, to tell how far apart all are."""

_METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """How well the things are known from which a rate is computed.

    Attributes
    ----------
    speed
        Part by which the pace of the group may differ, up or down, the same for everyone;
        of no effect under a standard in metres.
    position_m
        Metres east and north by which a home may lie off its demand point, evenly spread;
        None for half the usual distance between neighbouring points, which is half a
        cell where the points are the centres of cells.
    people
        Standard error of the people at one point, as a part of them, each point for
        itself. The default is a proposal; what is known of a layer should replace it.
    level
        How likely the truth lies within the band, and the pace within `speed`, if errors
        are as described.
    """

    speed: float = 0.10
    position_m: float | None = None
    people: float = 0.30
    level: float = 0.90

    def __post_init__(self) -> None:
        parts = {"speed": self.speed, "people": self.people, "position_m": self.position_m}
        for name, value in parts.items():
            if value is not None and not 0 <= value < float("inf"):
                raise InputError(text("error.doubt_negative", field=name, found=value))
        if not (self.speed < 1 and 0 < self.level < 1):
            raise InputError(text("error.doubt_share", speed=self.speed, level=self.level))

    def words(self, metres: float, unit: str, lang: Language | None = None) -> str:
        """Say what the band takes into account.

        Parameters
        ----------
        metres
            What `position_m` comes to.
        unit
            Of the standard, ``m`` or ``min``.
        lang
            Language.
        """
        return text(
            f"certainty.band_{unit}",
            lang,
            level=self.level,
            speed=self.speed,
            metres=metres,
            people=self.people,
        )


def band(
    distance: Floats,
    people: Floats,
    home: Ints,
    count: int,
    *,
    cutoff: float,
    spread: float,
    speed: float,
    doubt: Doubt,
) -> tuple[Floats, Floats]:
    """Least and greatest rate of each unit that the doubt leaves.

    A home's distance d is known up to an error with standard deviation σ, so it is served
    with the probability p = Φ((c - d) / σ), c being the cutoff; what is not known is where
    in its cell the home lies, and so for each point by itself. With the pace off by v for
    everyone, the cutoff is c (1 + v). The expected rate is R(v) = Σ w p / Σ w over people w,
    and by the law of total variance (the ratio linearised, as for any ratio estimator:
    Cochran 1977, Sampling Techniques, section 6.3) it varies by

        s² = Σ w² ((1 + u²) p (1 - p) + u² (p - R)²) / (Σ w)²

    with u the standard error of w. R(-δ) and R(δ) are exact limits for the pace, since R
    grows with v. Both kinds are independent and combine as a root sum of squares::

        low  = R(0) - √((R(0) - R(-δ))² + (z s)²)
        high = R(0) + √((R(δ) - R(0))² + (z s)²)

    The rate itself is always taken in. This is a band of sensitivity to the errors named,
    not a confidence interval from a sample: errors that points share (a shifted datum, a
    census years old) and wrong streets are not in it, and who has no way counts as not
    served. Where points were put beside streets on purpose, true homes lie farther off on
    the whole, and the band is somewhat high.

    Parameters
    ----------
    distance
        From each demand point, inf or NaN where there is no way.
    people
        At each point.
    home
        Number of the unit in which it lies; -1 is the last.
    count
        Number of units.
    cutoff
        Of the standard, in the unit of the distances.
    spread
        σ, in the unit of the distances.
    speed
        δ.
    doubt
        u, and the level that z is for.

    Returns
    -------
    Low and high of each unit; NaN where nobody lives.

    Examples
    --------
    >>> low, high = band(np.array([9.0, 11.5]), np.ones(2), np.zeros(2, int), 1, cutoff=10.0,
    ...                  spread=0.0, speed=0.2, doubt=Doubt(people=0.0))
    >>> low.tolist(), high.tolist()
    ([0.0], [1.0])
    """
    home = home % count
    whole, rate, middle, slow, fast, square = np.zeros((6, count))
    served = np.empty(len(home))
    sums = kernels("_sums")
    sums.expected(
        *(distance, people, home, float(cutoff), SLACK, float(spread), float(speed)),
        *(whole, rate, middle, slow, fast, served),
    )
    if speed == 0:
        slow, fast = middle, middle
    sums.variance(people, home, served, whole, middle, doubt.people**2, square)
    square *= float(ndtri((1 + doubt.level) / 2)) ** 2
    low = middle - np.sqrt((middle - slow) ** 2 + square)
    high = middle + np.sqrt((fast - middle) ** 2 + square)
    nobody = np.where(whole > 0, 0.0, np.nan)
    low, high = np.minimum(low, rate), np.maximum(high, rate)
    return np.clip(low, 0, 1) + nobody, np.clip(high, 0, 1) + nobody


def spread_m(position_m: float) -> float:
    """Turn the width of a cell into one sigma of its homes' distances along streets.

    A home that lies (x, y) off its point has x + y farther to go, or less, on streets that
    run east and north; with x and y evenly spread over ± `position_m` that makes
    `position_m` √(2/3). Moving the homes of the modelled Hangzhou (small) so and searching
    again gives 0.80 `position_m` between the quartiles, where this gives 0.82.

    Examples
    --------
    >>> round(spread_m(100.0), 1)
    81.6
    """
    return position_m * math.sqrt(2 / 3)


_spacings: WeakKeyDictionary[City, float] = WeakKeyDictionary()


def half_spacing(city: City) -> float:
    """Half the usual distance in metres between neighbouring demand points.

    The median over points spread through the layer; points in one spot count as one.
    """
    if city not in _spacings:
        _spacings[city] = _half_spacing(city)
    return _spacings[city]


def _half_spacing(city: City) -> float:
    points = city.population.geometry
    xy = np.column_stack([points.x, points.y])
    xy = xy[np.isfinite(xy).all(axis=1)]
    if len(xy) < 2:  # noqa: PLR2004 - no neighbours
        return 0.0
    xy = xy * _METRES_PER_DEGREE * [np.cos(np.radians(xy[:, 1].mean())), 1.0]
    some = xy[:: max(len(xy) // _ASKED, 1)]
    from scipy.spatial import cKDTree  # noqa: PLC0415 - slow to import

    near = cKDTree(xy, balanced_tree=False, compact_nodes=False).query(some, k=min(4, len(xy)))[0]
    near = np.where(near > 1.0, near, np.inf).min(axis=1)
    near = near[np.isfinite(near)]
    return float(np.median(near)) / 2 if len(near) else 0.0
