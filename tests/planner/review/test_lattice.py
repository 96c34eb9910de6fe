import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.datum import DATUMS, FROM_WGS84, TO_WGS84
from planner.review.lattice import find_lattice


def cells(step=0.005, columns=30, rows=24):
    return (axis.ravel() for axis in step * np.mgrid[24000 : 24000 + columns, 6000 : 6000 + rows])


@pytest.mark.parametrize("drawn", DATUMS)
@pytest.mark.parametrize("given_in", DATUMS)
def test_a_grid_is_found_whatever_it_was_drawn_and_given_in(drawn, given_in):
    lon, lat = FROM_WGS84[given_in](*TO_WGS84[drawn](*cells()))
    lattice = find_lattice(lon, lat, np.arange(len(lon), dtype=float))
    assert lattice.held.shape == (30, 24)
    assert lattice.held.sum() == np.arange(len(lon)).sum()
    np.testing.assert_allclose(lattice.step, 0.005, rtol=1e-4)
    np.testing.assert_allclose(lattice.lon.ravel(), lon, atol=2e-6)
    np.testing.assert_allclose(lattice.lat.ravel(), lat, atol=2e-6)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_cells_without_a_row_hold_nothing(seed):
    rng = np.random.default_rng(seed)
    lon, lat = cells()
    some = rng.random(len(lon)) < 0.7
    lattice = find_lattice(lon[some], lat[some], np.ones(some.sum()))
    assert lattice.held.sum() == some.sum()
    assert set(np.unique(lattice.held)) <= {0.0, 1.0}
    assert lattice.held.size <= len(lon)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(0, 400))
def test_points_here_and_there_are_no_grid(seed, count):
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(120, 120.2, count), rng.uniform(30, 30.2, count)
    assert find_lattice(lon, lat, np.ones(count)) is None


def test_of_a_large_grid_the_middle_is_looked_at():
    lon, lat = cells(step=0.001, columns=400, rows=300)
    lattice = find_lattice(lon, lat, np.ones(len(lon)))
    assert lattice.held.sum() == 20_000
    assert lattice.held.size <= 21_000
    assert abs(lattice.lon.mean() - lon.mean()) < 0.002
