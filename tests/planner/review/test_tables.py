from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers import City, embedded, facilities
from layers.datum import FROM_WGS84, TO_WGS84
from layers.messages import speaking
from layers.sources import router
from layers.sources.cells import read
from layers.sources.files import Source
from planner.ground import Ground
from planner.review.tables import of_tables


@pytest.fixture(scope="module")
def small():
    return embedded("small")


def tables(city):
    return list(of_tables(city, Ground.of(city.streets, crs=city.crs)))


def doors(city, count=1500):
    rng = np.random.default_rng(11)
    some = city.streets.geometry.array[rng.integers(0, len(city.streets), count)]
    places = shapely.line_interpolate_point(np.asarray(some), 0.4, normalized=True)
    return shapely.get_coordinates(places).T


def with_table(city: City, lon, lat, source):
    rows = {
        "id": [f"T{number}" for number in range(len(lon))],
        "service": "home_care_centre",
        "source": source,
    }
    table = gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy(lon, lat), crs=4326)
    return replace(city, facilities=facilities.conform(table))


def test_a_table_in_another_datum_is_named_with_the_remedy(small):
    city = with_table(small, *FROM_WGS84["gcj02"](*doors(small)), "stops.csv")
    (told,) = tables(city)
    assert (told.layer, told.code, told.severity) == ("facilities", "datum_of_points", "warning")
    assert len(told.rows) == 1500
    assert "stops.csv" in told.message
    assert "datum=gcj02" in told.remedy
    assert told.values["after"] < 1
    assert told.values["before"] > 20
    with speaking("en"):
        (english,) = tables(city)
        assert "look like GCJ-02 but were read as WGS-84" in english.message


def test_a_table_that_was_right_all_along_is_named_too(small):
    """Moved out of GCJ-02 though it never was in it."""
    city = with_table(small, *TO_WGS84["gcj02"](*doors(small)), "stops.csv")
    (told,) = tables(city)
    assert "datum=wgs84" in told.remedy


def test_tables_that_fit_are_not_named(small):
    assert not tables(small)
    assert not tables(with_table(small, *doors(small), "stops.csv"))


def test_population_on_a_grid_of_another_datum_is_named(shared):
    """The weights' cells are in BD-09; a user forgets to say so."""

    path = shared("hangzhou", "hangzhou_poi_count_grid500m_23cat_2015.csv")
    network = shared("hangzhou", "hangzhou_core_osm_drive_network.gpkg")
    streets = router.read(Source.parse(str(network)))
    for option, codes in ((",datum=bd09", []), ("", ["datum_of_cells"])):
        cells = read(Source.parse(f"{path}{option}"), "生活服务")
        some = cells.count > 0
        people = gpd.GeoDataFrame(
            {"residents": cells.count[some]}, geometry=cells.middles[some].array, crs=4326
        )
        city = City(
            name="",
            name_en="",
            crs=4549,
            streets=streets,
            units=streets.iloc[:0],
            population=people,
            facilities=facilities.conform(
                gpd.GeoDataFrame({"id": [], "service": []}, geometry=[], crs=4326)
            ),
        )
        told = tables(city)
        assert [one.code for one in told] == codes
        assert all("datum=bd09" in one.remedy for one in told)
