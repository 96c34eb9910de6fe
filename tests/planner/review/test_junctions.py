from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.ground import Ground
from planner.review.junctions import of_streets


def layer(tiny_city, rows):
    """Streets of the tiny city and some more, given by ends in its metres."""
    base = tiny_city.streets.to_crs(4549)
    anchor = base.iloc[0].geometry.coords[0]
    more = gpd.GeoDataFrame(
        [
            {
                **base.iloc[0].drop("geometry").to_dict(),
                "u": 100 + 2 * number,
                "v": 101 + 2 * number,
                "bridge": False,
                **(extra[0] if extra else {}),
                "geometry": shapely.LineString(np.asarray([start, end]) + anchor),
            }
            for number, (start, end, *extra) in enumerate(rows)
        ],
        index=[f"more-{number}" for number in range(len(rows))],
        crs=4549,
    )
    joined = gpd.GeoDataFrame(
        {column: [*base[column], *more[column]] for column in base.columns if column != "geometry"},
        geometry=[*base.geometry, *more.geometry],
        index=[*base.index, *more.index],
        crs=4549,
    )
    return joined.to_crs(4326)


def found(streets):
    return {finding.code: finding for finding in of_streets(Ground.of(streets, crs=4549))}


def test_the_tiny_city_and_its_bridge_are_in_order(tiny_city):
    assert not found(tiny_city.streets)


def test_streets_that_cross_without_a_junction_are_told_with_the_place(tiny_city):
    # From inside one block into the next, over the street at x = 400.
    streets = layer(tiny_city, [((200, 200), (600, 200))])
    crossing = found(streets)["streets_cross"]
    assert crossing.severity == "info"
    assert "more-0" in crossing.rows
    assert len(crossing.rows) == 2
    place = crossing.places.to_crs(4549).iloc[0]
    anchor = tiny_city.streets.to_crs(4549).geometry.iloc[0].coords[0]
    assert (place.x - anchor[0], place.y - anchor[1]) == pytest.approx((400, 200), abs=0.01)
    west, south, east, north = crossing.as_dict()["bounds"]
    assert west <= crossing.places.iloc[0].x + 1e-6
    assert east >= west
    assert north >= south


@pytest.mark.parametrize(
    "apart", [{"layer": 1}, {"bridge": True}, {"tunnel": True, "layer": -1}, {"highway": "trunk"}]
)
def test_a_street_at_another_height_crosses_rightly(tiny_city, apart):
    streets = layer(tiny_city, [((200, 200), (600, 200), apart)])
    assert "streets_cross" not in found(streets)


def test_an_end_that_just_misses_a_street_is_told(tiny_city):
    streets = layer(tiny_city, [((200, 200), (398.6, 200)), ((200, 700), (390, 700))])
    near = found(streets)["streets_nearly_meet"]
    assert "more-0" in near.rows
    assert "more-1" not in near.rows
    assert near.values["count"] == 1


def test_streets_that_share_a_junction_do_not_miss_each_other(tiny_city):
    short = {"u": 11, "v": 500}
    streets = layer(tiny_city, [((400, 400), (400.9, 400.9), short)])
    assert not found(streets)


def test_speeds_that_no_street_has_are_told(tiny_city):
    streets = tiny_city.streets.copy()
    streets.loc[streets.index[:2], "speed_kmh"] = [0.5, 300.0]
    told = found(streets)["speed_unusual"]
    assert told.rows == tuple(streets.index[:2])
    assert "0.5–300.0" in told.message


def test_the_input_stays_as_it_is(tiny_city):
    before = tiny_city.streets.copy()
    found(tiny_city.streets)
    assert replace(tiny_city).streets.equals(before)
