"""Predictions on made series with known behaviour, the last year left out and held against them."""

import math

import numpy as np
import pytest
from scipy.stats import t as student

from layers.errors import InputError
from planner.trends import needed, predict, seen, swing


def left_out(series, **options):
    """Predict the last year from the others; whether it lay in the interval, and the prediction."""
    last = max(series)
    earlier = {year: value for year, value in series.items() if year != last}
    made = predict(earlier, last, **options)
    return made.low <= series[last] <= made.high, made


def test_a_steady_series_is_hit_with_a_narrow_interval():
    inside, made = left_out({2020: 10, 2021: 20.2, 2022: 29.9, 2023: 40, 2024: 50.1})
    assert inside
    assert made.value == pytest.approx(50, abs=0.01)
    assert made.high - made.low < 1.5


def test_a_late_jump_is_missed_and_widens_what_follows():
    series = {2020: 10, 2021: 20.2, 2022: 29.9, 2023: 40, 2024: 90}
    inside, made = left_out(series)
    # Nothing in the years before tells of it: an honest interval does not hold it.
    assert not inside
    after = predict(series, 2025)
    assert after.high - after.low > 10 * (made.high - made.low)
    assert swing(series, base=10, goal=100, years=5).against == 0


def test_a_swinging_series_is_held_by_a_wide_interval_and_told():
    series = {2020: 60, 2021: 70, 2022: 61, 2023: 72, 2024: 62}
    inside, made = left_out(series)
    assert inside
    assert made.high - made.low > 15
    # Changes +10 -9 +11 -10, in all +2: 19 went down against 21 up.
    told = swing(series, base=60, goal=80, years=5)
    assert (told.against, told.limit, told.is_wide) == (19, 4, True)


def test_missing_years_count_for_their_length():
    whole = {2020: 10.0, 2021: 20.2, 2022: 29.9, 2023: 40.0, 2024: 50.1}
    gappy = {year: whole[year] for year in (2020, 2023, 2024)}
    inside, made = left_out(whole)
    with_gap, gapped = left_out({2020: 10.0, 2022: 29.9, 2023: 40.0, 2024: 50.1})
    assert inside
    assert with_gap
    # The ends decide the drift, so the middle may be missing without a shift.
    assert gapped.value == pytest.approx(made.value)
    assert seen(gappy) == seen(whole)
    # By hand: drift 10.025; changes 30 in 3 years, 10.1 in one.
    made = predict(gappy, 2026)
    drift = 40.1 / 4
    variance = (30 - 3 * drift) ** 2 / 3 + (10.1 - drift) ** 2
    reach = student.ppf(0.9, 1) * math.sqrt(variance * (2 + 2**2 / 4))
    assert (made.value, made.high - made.value) == pytest.approx((50.1 + 2 * drift, reach))


def test_the_interval_by_hand():
    # Changes 16, 7, 9; drift 32/3; squares 28.44 + 13.44 + 2.78 = 44.67, over two 22.33;
    # two years on √(22.33 (2 + 4/3)) = 8.628, times t(2; 0.9) = 1.886 makes 16.27.
    made = predict({2020: 0, 2021: 16, 2022: 23, 2023: 32}, 2025)
    assert (made.value, made.low, made.high) == pytest.approx((53.33, 37.06, 69.60), abs=0.005)


def test_two_values_give_a_drift_but_no_prediction():
    assert predict({2020: 1.0, 2021: 2.0}, 2023) is None
    assert predict({2020: 1.0}, 2023) is None
    assert seen({2020: 1.0, 2021: 2.0}) == 1.0
    assert seen({2020: 1.0}) is None
    assert swing({2020: 1.0, 2021: 0.0}) is None
    assert needed(1.0, 2023, 5.0, 2023) is None
    with pytest.raises(InputError, match="2021"):
        predict({2019: 0.5, 2020: 1.0, 2021: 2.0}, 2021)


def test_shares_stay_within_their_bounds():
    made = predict({2020: 0.5, 2021: 0.8, 2022: 0.9, 2023: 0.98}, 2025, bounds=(0.0, 1.0))
    assert (made.value, made.high) == (1.0, 1.0)
    assert 0 <= made.low < 1


def test_perfect_steadiness_is_not_taken_for_certainty():
    series = {2020: 10, 2021: 20, 2022: 30, 2023: 40}
    made = predict(series, 2025, resolution=1.0)
    # √(1/6 (2 + 4/3)) t(2; 0.9) = 1.41
    assert made.high - made.value == pytest.approx(1.405, abs=0.002)


@pytest.mark.parametrize("count", [3, 4, 5])
@pytest.mark.parametrize("ahead", [1, 2, 4])
def test_intervals_hold_as_often_as_they_say(count, ahead):
    """Of changes that are independent 80 % lie inside, of values about a line no fewer."""
    rng = np.random.default_rng(20210100 + 10 * count + ahead)
    trials, steps = 2000, np.arange(count + ahead)
    hits = {"walk": 0, "line": 0}
    for _ in range(trials):
        noise = rng.normal(size=len(steps))
        for world, values in (("walk", np.cumsum(noise) + 2 * steps), ("line", noise + 2 * steps)):
            known = dict(enumerate(values[:count].tolist()))
            made = predict(known, int(steps[-1]))
            hits[world] += made.low <= values[-1] <= made.high
    # Three standard errors of 2000 trials are 2.7 points.
    assert hits["walk"] / trials == pytest.approx(0.8, abs=0.027)
    assert hits["line"] / trials > 0.8 - 0.027


@pytest.mark.parametrize(
    ("series", "base", "goal", "resolution", "wide"),
    [
        # Life expectancy needs 0.014 a year: a fall of 0.1 hides that, one of 0.02 is rounding.
        ({2020: 85.13, 2021: 85.2, 2022: 85.1, 2023: 85.3}, 85.13, 85.2, 0.01, True),
        ({2020: 85.13, 2021: 85.15, 2022: 85.13, 2023: 85.2}, 85.13, 85.2, 0.01, False),
        # A target that asks for no change: two per cent of 100.
        ({2020: 100, 2021: 97, 2022: 100}, 100, 100, 1, True),
        ({2020: 100, 2021: 99, 2022: 100}, 100, 100, 1, False),
        # In words: the same.
        ({2020: 50.4, 2021: 49.0, 2022: 50.5}, None, None, 0.1, True),
        # Uneven, but only ever up.
        ({2020: 0, 2021: 0, 2022: 1, 2023: 40}, 0, 50, 1, False),
    ],
)
def test_what_counts_as_a_wide_swing(series, base, goal, resolution, wide):
    told = swing(series, base=base, goal=goal, years=5, resolution=resolution)
    assert told.is_wide is wide
