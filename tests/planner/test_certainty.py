"""The band against Monte Carlo: errors drawn at random, and homes moved and searched again."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers import embedded
from layers.errors import InputError
from planner.certainty import Doubt, band, half_spacing, spread_m
from planner.coverage import coverage
from planner.standards import load_services

DRAWS = 600


@pytest.mark.parametrize("speed", [0.0, 0.1])
@pytest.mark.parametrize("spread", [0.0, 1.2])
@pytest.mark.parametrize("doubt", [Doubt(), Doubt(people=0.8, level=0.8)])
def test_the_band_holds_what_random_errors_give(speed, spread, doubt):
    rng = np.random.default_rng(7)
    count, points, cutoff = 3, 3000, 10.0
    home = rng.integers(0, count, points)
    distance = rng.gamma(3.0, 3.0 + home)
    distance[:6] = [np.inf, np.nan] * 3
    people = rng.gamma(0.7, 80.0, points)
    low, high = band(
        distance, people, home, count, cutoff=cutoff, spread=spread, speed=speed, doubt=doubt
    )
    z = {0.9: 1.6449, 0.8: 1.2816}[doubt.level]
    rates = np.empty((DRAWS, count))
    for draw in range(DRAWS):
        weight = people * rng.gamma(1 / doubt.people**2, doubt.people**2, points)
        pace = 1 + rng.normal() * speed / z
        served = distance + spread * rng.normal(size=points) <= cutoff * pace
        for unit in range(count):
            own = home == unit
            rates[draw, unit] = weight[own & served].sum() / weight[own].sum()
    tail = (1 - doubt.level) / 2
    np.testing.assert_allclose(low, np.quantile(rates, tail, axis=0), atol=0.015)
    np.testing.assert_allclose(high, np.quantile(rates, 1 - tail, axis=0), atol=0.015)


@pytest.fixture(scope="module")
def cells():
    """The small city, its people at the centres of cells that lie anywhere.

    The modelled homes stand beside streets.
    """
    plain = embedded("small")
    rng = np.random.default_rng(11)
    return replace(plain, population=plain.population.set_geometry(_moved(plain, rng)))


def _moved(city, rng, half=None):
    half = half_spacing(city) if half is None else half
    places = city.population.geometry.to_crs(city.crs)
    x, y = (rng.uniform(-half, half, len(places)) for _ in range(2))
    points = gpd.points_from_xy(places.x + x, places.y + y)
    return gpd.GeoSeries(points, city.population.index, crs=city.crs).to_crs(4326)


@pytest.mark.parametrize("service", list(load_services()))
def test_the_band_holds_what_moving_homes_and_searching_again_gives(cells, service):
    rng = np.random.default_rng(12)
    result = coverage(cells, service, doubt=Doubt(people=0.0))
    standard, network = result.standard, result.network
    weight = cells.population[standard.group].to_numpy()
    served = []
    for _ in range(20):
        # Whoever goes faster by a share gets as much farther in the same time.
        pace = 1 + rng.normal() * result.doubt.speed / 1.6449 if standard.unit == "min" else 1.0
        bound = {"cutoff_min" if standard.unit == "min" else "cutoff": standard.cutoff * pace}
        reach = network.reach(result.reach.origins, **bound)
        homes = _moved(cells, rng, result.position_m)
        served.append(np.isfinite(reach.at(homes).to_numpy()))
    rows = [*result.by("district").iterrows(), (None, result.total())]
    inside = []
    for _, row in rows:
        own = (result.demand["district"] == row["code"]).to_numpy()
        own = own if row["level"] == "district" else np.ones(len(own), dtype=bool)
        rates = np.array([weight[own & draw].sum() / weight[own].sum() for draw in served])
        # A hair's breadth, because with few homes a rate moves in jumps.
        near = (rates >= row["rate_low"] - 0.01) & (rates <= row["rate_high"] + 0.01)
        inside.append(near.mean())
        assert row["rate_high"] - row["rate_low"] < 4 * max(np.ptp(rates), 0.02)
    assert np.mean(inside) > 0.85


@given(
    st.lists(
        st.tuples(st.floats(0, 30) | st.sampled_from([np.inf, np.nan]), st.floats(0, 99)),
        min_size=1,
        max_size=30,
    ),
    st.floats(0, 5),
    st.floats(0, 0.5),
)
@settings(max_examples=150, deadline=None)
def test_the_band_takes_in_the_rate_and_stays_a_share(rows, spread, speed):
    distance, people = (np.array(part) for part in zip(*rows, strict=True))
    home = np.arange(len(rows)) % 2
    low, high = band(
        distance, people, home, 3, cutoff=10.0, spread=spread, speed=speed, doubt=Doubt()
    )
    for unit in range(3):
        whole = people[home == unit].sum()
        if whole == 0:
            assert np.isnan([low[unit], high[unit]]).all()
            continue
        rate = people[(home == unit) & (distance <= 10.0)].sum() / whole
        assert 0 <= low[unit] <= rate + 1e-12
        assert rate - 1e-12 <= high[unit] <= 1


def test_without_doubt_the_band_is_the_rate(tiny_city):
    sure = Doubt(speed=0, position_m=0, people=0)
    for service in ("mother_baby_room", "fitness_circle"):
        total = coverage(tiny_city, service, doubt=sure).total()
        assert total["rate_low"] == pytest.approx(total["rate"])
        assert total["rate_high"] == pytest.approx(total["rate"])


def test_pace_matters_to_minutes_alone(tiny_city):
    steady, unsteady = (Doubt(speed=speed, position_m=50) for speed in (0, 0.3))
    for service, same in (("mother_baby_room", True), ("home_care_centre", False)):
        one, other = (
            coverage(tiny_city, service, doubt=doubt).total()["rate_high"]
            for doubt in (steady, unsteady)
        )
        assert (one == other) == same


def test_cells_tell_how_far_a_home_may_lie_off(tiny_city):
    assert half_spacing(tiny_city) == pytest.approx(200, rel=0.02)
    result = coverage(tiny_city, "mother_baby_room")
    assert result.as_dict()["band"]["position_m"] == half_spacing(tiny_city)
    rng = np.random.default_rng(3)
    shift = rng.uniform(-1, 1, (2, 100_000)).sum(axis=0)
    assert spread_m(1.0) == pytest.approx(shift.std(), rel=0.01)


@pytest.mark.parametrize(
    "wrong",
    [{"speed": -0.1}, {"speed": 1.0}, {"people": np.nan}, {"position_m": -1}, {"level": 1.0}],
)
def test_impossible_doubt_is_refused(wrong):
    with pytest.raises(InputError):
        Doubt(**wrong)
