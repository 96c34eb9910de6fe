import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from layers import datum

_GEOD = Geod(ellps="WGS84")

# Off the edges of the formula's box, where a shift can lead out of it.
inside = st.tuples(st.floats(72.1, 137.7), st.floats(1.0, 55.7))


def metres(a, b):
    return _GEOD.inv(*a, *b)[2]


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (datum.wgs84_to_gcj02, datum.gcj02_to_wgs84),
        (datum.gcj02_to_bd09, datum.bd09_to_gcj02),
        (datum.wgs84_to_bd09, datum.bd09_to_wgs84),
    ],
)
@given(inside)
def test_there_and_back_is_the_same_place(there, back, place):
    assert metres(back(*there(*place)), place) < 1e-6
    assert metres(there(*back(*place)), place) < 1e-6


@given(st.floats(-180, 71.9), st.floats(-90, 90))
def test_outside_china_nothing_moves(lon, lat):
    assert datum.wgs84_to_gcj02(lon, lat) == (lon, lat)
    assert datum.gcj02_to_wgs84(lon, lat) == (lon, lat)


@given(inside)
def test_inside_china_the_shift_is_hundreds_of_metres(place):
    assert metres(datum.wgs84_to_gcj02(*place), place) < 1500


def test_against_the_coordinates_of_cities(shared):
    cities = json.loads(shared("datum", "china_cities_half.json").read_text())
    wgs, gcj, bd = (
        np.array([city["coords"][name] for city in cities]).T for name in ("WGS84", "GCJ02", "BD09")
    )
    # Coordinates in the table are rounded and its WGS-84 was itself found by an inverse.
    assert metres(datum.wgs84_to_gcj02(*wgs), gcj).max() < 0.75
    assert metres(datum.gcj02_to_bd09(*gcj), bd).max() < 0.012
    assert metres(datum.bd09_to_wgs84(*bd), wgs).max() < 0.75
    known = {"wgs84": wgs, "gcj02": gcj, "bd09": bd}
    assert len(cities) == 332
    for start in datum.DATUMS:
        for end in datum.DATUMS:
            moved = datum.FROM_WGS84[end](*datum.TO_WGS84[start](*known[start]))
            assert metres(moved, known[end]).max() < 1, (start, end)
            again = datum.FROM_WGS84[start](*datum.TO_WGS84[end](*moved))
            assert metres(again, known[start]).max() < 1e-6, (start, end)


def test_districts_published_in_both_agree(shared):
    raw, moved = (
        gpd.read_file(shared("hangzhou", f"hangzhou_13districts_2021_{name}.geojson"))
        .set_index("adcode")
        .geometry
        for name in ("gcj02_raw", "wgs84")
    )
    for code in raw.index:
        x, y = datum.gcj02_to_wgs84(*shapely.get_coordinates(raw[code]).T)
        expected = shapely.get_coordinates(moved[code]).T
        assert metres((x, y), expected).max() < 0.2


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
def test_any_shape(shape):
    lon, lat = np.full(shape, 120.0), np.full(shape, 30.0)
    for move in datum.TO_WGS84.values():
        x, y = move(lon, lat)
        assert x.shape == y.shape == shape


def test_a_missing_coordinate_stays_missing():
    lon, lat = datum.bd09_to_wgs84([np.nan, 120.0], [30.0, 30.0])
    assert np.isnan([lon[0], lat[0]]).any()
    assert metres((lon[1], lat[1]), datum.bd09_to_wgs84(120.0, 30.0)) < 1e-6
