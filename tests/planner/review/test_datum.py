"""The datum is named rightly for real tables, in whichever datum they come."""

from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from layers import datum as datums
from layers import embedded
from layers.datum import DATUMS, FROM_WGS84, TO_WGS84
from layers.sources import router
from layers.sources.files import Source
from planner.ground import Ground
from planner.review.backdrop import Backdrop
from planner.review.datum import datum_test
from planner.review.readings import AS_IS, READINGS, Reading

TABLES = ("bus stops", "bike stations", "cells")


@cache
def read_backdrop(path):
    return Backdrop(Ground.of(router.read(Source.parse(str(path)))))


@pytest.fixture
def backdrop(shared):
    return read_backdrop(shared("hangzhou", "hangzhou_core_osm_drive_network.gpkg"))


@pytest.fixture
def table(shared):
    """Longitude, latitude (WGS-84) and weights of a real table."""

    def read(name):
        if name == "cells":
            path = shared("hangzhou", "hangzhou_poi_count_grid500m_23cat_2015.csv")
            cells = pd.read_csv(path).fillna(0)
            count = cells.drop(columns=["ix", "iy", "x0", "y0", "x1", "y1"]).sum(axis=1)
            some = cells[count > 0]
            middle = (some["x0"] + some["x1"]) / 2, (some["y0"] + some["y1"]) / 2
            lon, lat = datums.bd09_to_wgs84(*middle)
            return lon, lat, count[count > 0].reset_index(drop=True)
        file = {
            "bus stops": "hangzhou_bus_stops_baidu2015_wgs84.csv",
            "bike stations": "hangzhou_public_bike_stations_2018_wgs84.csv",
        }[name]
        frame = pd.read_csv(shared("hangzhou", file))
        return frame["lon"].to_numpy(), frame["lat"].to_numpy(), None

    return read


def middles(lines):
    return shapely.line_interpolate_point(np.asarray(lines.array), 0.5, normalized=True)


def held(lon, lat):
    return gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=4326)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("truth", DATUMS)
def test_the_datum_of_a_table_read_as_wgs84_is_named(backdrop, table, name, truth):
    lon, lat, weights = table(name)
    test = datum_test(held(*FROM_WGS84[truth](lon, lat)), backdrop, weights=weights)
    assert test.reading == Reading(truth, "wgs84")
    assert test.wrong == (truth != "wgs84")
    assert test.kind == ("cells" if name == "cells" else "points")


@pytest.mark.parametrize("name", ["bus stops", "bike stations"])
@pytest.mark.parametrize("reading", READINGS[1:], ids=lambda one: f"{one.truth}-as-{one.read}")
def test_every_mistaken_reading_is_named_the_reverse_too(backdrop, table, name, reading):
    lon, lat, _ = table(name)
    raw = FROM_WGS84[reading.truth](lon, lat)
    test = datum_test(held(*TO_WGS84[reading.read](*raw)), backdrop)
    assert test.reading == reading
    mended = reading.mend(*TO_WGS84[reading.read](*raw))
    np.testing.assert_allclose(mended, (lon, lat), atol=1e-9)


def test_a_table_that_fits_nowhere_is_left_undecided(backdrop, table):
    lon, lat, _ = table("bike stations")
    for east, north in ((0.009, -0.006), (-0.009, 0.001), (0.003, 0.011)):
        assert datum_test(held(lon + east, lat + north), backdrop).reading is None


def test_points_that_keep_away_from_streets_are_left_undecided(backdrop):
    """Homes in the middle of blocks: another datum brings them nearer to streets, by chance."""
    rng = np.random.default_rng(7)
    lon, lat = rng.uniform(120.05, 120.21, 40_000), rng.uniform(30.25, 30.36, 40_000)
    away = backdrop.distance(backdrop.project(lon, lat), limit=200)
    homes = (away > 40) & (away < 120)
    test = datum_test(held(lon[homes], lat[homes]), backdrop)
    nearness = test.fits["fit"]
    assert nearness.max() > nearness.iloc[0]
    assert test.reading is None


def test_a_table_of_a_few_points_is_left_undecided(backdrop, table):
    lon, lat, _ = table("bus stops")
    few = slice(0, 25)
    test = datum_test(held(*FROM_WGS84["gcj02"](lon[few], lat[few])), backdrop)
    assert test.reading is None
    assert test.used <= 25


@pytest.mark.parametrize("points", [[], [shapely.Point(120.1, 30.3)] * 80])
def test_nothing_and_one_place_are_left_undecided(backdrop, points):
    test = datum_test(gpd.GeoSeries(points, crs=4326), backdrop)
    assert test.reading is None
    assert not test.wrong


@pytest.fixture(scope="module")
def small():
    return embedded("small")


def test_the_streets_of_a_model_do_as_well(small):
    """Points at the doors of houses, where nothing real is at hand."""
    backdrop = Backdrop(Ground.of(small.streets))
    rng = np.random.default_rng(3)
    some = small.streets.geometry.iloc[rng.integers(0, len(small.streets), 3000)]
    doors = shapely.get_coordinates(middles(some)).T
    assert datum_test(held(*doors), backdrop).reading == AS_IS
    moved = datum_test(held(*FROM_WGS84["bd09"](*doors)), backdrop)
    assert moved.reading == Reading("bd09", "wgs84")


def test_outside_china_nothing_is_to_be_told(small):
    """There the datums are one and no reading can stand out."""
    west = small.streets.set_geometry(small.streets.geometry.translate(-110, 15))
    backdrop = Backdrop(Ground.of(west))
    rng = np.random.default_rng(3)
    some = west.geometry.iloc[rng.integers(0, len(west), 2000)]
    assert not datum_test(gpd.GeoSeries(middles(some), crs=4326), backdrop).wrong
