"""Trends: where a handful of yearly values leads, how sure that is, and how they swing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import t as student

from layers.errors import InputError
from layers.messages import text

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST_FOR_INTERVAL = 3
"""Values that a prediction takes: two changes, to see how far they differ."""

_STEADY = 0.02


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Value to be expected in a year, if it goes on as it went.

    Attributes
    ----------
    year
        The year.
    value
        Expected value.
    low, high
        Limits of the interval.
    level
        How likely the value is to lie within them.
    values
        Number of values it rests on.
    """

    year: int
    value: float
    low: float
    high: float
    level: float
    values: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return vars(self).copy()


@dataclass(frozen=True, kw_only=True)
class Swing:
    """How far a series went against its own direction.

    Attributes
    ----------
    against
        Sum of its changes against its direction; nought for any series that only rises or
        only falls, however unevenly.
    limit
        What `against` must exceed to count as wide.
    """

    against: float
    limit: float

    @property
    def is_wide(self) -> bool:
        """Whether the swings are wide."""
        # A hair's breadth keeps the sums of decimals from counting.
        return self.against > self.limit * (1 + 1e-6)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "is_wide": self.is_wide}


def seen(series: Mapping[int, float]) -> float | None:
    """Change a year over the whole of a series; None for fewer than two values.

    Examples
    --------
    >>> seen({2020: 0.0, 2021: 16.0, 2023: 32.0})
    10.666666666666666
    """
    if len(series) < 2:  # noqa: PLR2004 - a change takes two
        return None
    years = sorted(series)
    return (series[years[-1]] - series[years[0]]) / (years[-1] - years[0])


def needed(value: float, year: int, goal: float, by: int) -> float | None:
    """Change a year that leads from a value to a goal; None where no year is left.

    Examples
    --------
    >>> needed(32, 2023, 50, 2025)
    9.0
    """
    return None if by <= year else (goal - value) / (by - year)


def predict(
    series: Mapping[int, float],
    year: int,
    *,
    level: float = 0.8,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    resolution: float = 0.0,
) -> Prediction | None:
    """Predict the value of a later year by the drift of a random walk.

    From values x_i of the years t_i (not all years need one) the drift is

        d = (x_n - x_1) / (t_n - t_1)

    and the value h years after the last is expected at x_n + h d. With the changes
    Δ_i = x_{i+1} - x_i over g_i years, of which there are m,

        s² = Σ (Δ_i - g_i d)² / g_i / (m - 1) + r² / 6

    is the variance of a year's change, r being the step in which values are given (rounding
    two of them puts r²/12 into their difference twice), and the interval is

        x_n + h d ± t(m - 1) s √(h + h² / (t_n - t_1))

    with Student's t at m - 1 degrees of freedom: exact for changes that are independent and
    normal (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 5.2 and
    5.5, has it for a value every year and a normal quantile, which for three to five values
    is far too narrow). Where instead values scatter about a straight line, it covers more
    than its level; `tests/planner/test_trends.py` simulates both. What bends a trend (a new
    programme, a limit being reached) is not in it. Limits are cut to `bounds`.

    Parameters
    ----------
    series
        Values by year.
    year
        Year to predict, after the last of the series.
    level
        How likely the value is to lie in the interval.
    bounds
        Least and greatest possible value.
    resolution
        Step in which values are given.

    Returns
    -------
    None for fewer than three values: what a single change leads to is no prediction.

    Raises
    ------
    InputError
        The year is not after the series.

    Examples
    --------
    >>> made = predict({2020: 0.0, 2021: 16.0, 2022: 23.0, 2023: 32.0}, 2025)
    >>> round(made.value, 2), round(made.low, 1), round(made.high, 1)
    (53.33, 37.1, 69.6)
    """
    years = sorted(series)
    drift = seen(series)
    if drift is None or len(years) < LEAST_FOR_INTERVAL:
        return None
    if year <= years[-1]:
        raise InputError(text("error.predict_past", year=year, last=years[-1]))
    ahead, span = year - years[-1], years[-1] - years[0]
    expected = series[years[-1]] + ahead * drift
    gaps = np.diff(np.array(years, dtype=np.float64))
    changes = np.diff(np.array([series[each] for each in years], dtype=np.float64))
    freedom = len(changes) - 1
    variance = float(((changes - gaps * drift) ** 2 / gaps).sum()) / freedom
    spread = math.sqrt((variance + resolution**2 / 6) * (ahead + ahead**2 / span))
    reach = float(student.ppf((1 + level) / 2, freedom)) * spread
    value, low, high = (
        min(max(end, bounds[0]), bounds[1])
        for end in (expected, expected - reach, expected + reach)
    )
    return Prediction(year=year, value=value, low=low, high=high, level=level, values=len(years))


def swing(
    series: Mapping[int, float],
    *,
    base: float | None = None,
    goal: float | None = None,
    years: int = 1,
    resolution: float = 0.0,
) -> Swing | None:
    """Measure how widely a series swings.

    With the changes Δ_i from one value to the next, it went

        R = (Σ |Δ_i| - |Σ Δ_i|) / 2

    against its own direction: nought for a series that only rises or only falls, so that
    neither a steep trend nor a single late jump counts as a swing, and the same whichever
    years are missing between values that lie in order. It is wide where it exceeds the
    change that the plan needs in a year, |goal - base| / years, or where the plan needs
    none or speaks in words two per cent of the median value; and in any case two steps in
    which values are given, which rounding alone may cause. The limits are proposals.

    Parameters
    ----------
    series
        Values by year.
    base, goal
        Value that the plan starts from, and its goal; None where it has none.
    years
        Years from one to the other.
    resolution
        Step in which values are given.

    Returns
    -------
    None for fewer than three values.

    Examples
    --------
    >>> swing({2020: 90.0, 2021: 96.0, 2022: 91.0, 2023: 95.0}, base=90.0, goal=95.0, years=5)
    Swing(against=5.0, limit=1.0)
    """
    if len(series) < LEAST_FOR_INTERVAL:
        return None
    values = np.array([series[year] for year in sorted(series)], dtype=np.float64)
    changes = np.diff(values)
    against = float(np.abs(changes).sum() - abs(changes.sum())) / 2
    asked = 0.0 if base is None or goal is None else abs(goal - base) / max(years, 1)
    limit = asked if asked > resolution / 2 else _STEADY * abs(float(np.median(values)))
    return Swing(against=against, limit=max(limit, 2 * resolution))
