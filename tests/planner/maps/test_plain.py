import gzip
import json

import numpy as np
import shapely

from planner.maps import plain
from planner.maps.fields import mercator
from planner.maps.tiles import Asked
from planner.standards import load_services


def tile_of(point, zoom):
    x, y = mercator(np.array(point.x), np.array(point.y))
    return Asked("wgs84", zoom, int(x * 2**zoom), int(y * 2**zoom))


def test_streets_are_drawn_without_a_distance(tiny_city):
    tiles = plain.street_tiles(tiny_city.streets)
    asked = tile_of(tiny_city.streets.geometry.iloc[0].centroid, 15)
    planes = np.frombuffer(gzip.decompress(tiles.tile(asked, {}).body), np.uint8)
    covered, high, low = planes.reshape(3, 256, 256)
    assert covered.any()
    assert set(np.unique(low[covered > 0])) == {1}
    assert not high.any()
    moved = tiles.tile(asked._replace(datum="gcj02"), {})
    assert moved is None or moved.body != tiles.tile(asked, {}).body


def test_lines_differ_by_what_they_are(tiny_city):
    lines = np.asarray(tiny_city.streets.geometry.array)
    assert plain.line_tiles(lines[:2]).key != plain.line_tiles(lines[2:4]).key


def test_facilities_tell_name_service_and_status_safely(tiny_city):
    sites = tiny_city.facilities.assign(name="<i>甲</i>")
    tiles = plain.facility_tiles(sites, load_services())
    asked = tile_of(sites.geometry.iloc[0], 17)
    told = json.loads(gzip.decompress(tiles.tile(asked, {"lang": "en"}).body))
    own = next(one for one in told["points"] if one[4] == sites["id"].iloc[0])
    assert own[5].startswith("<b>&lt;i&gt;甲&lt;/i&gt;</b><br>")
    assert "·" in own[5]


def test_people_are_as_large_as_they_are_many(tiny_city):
    tiles = plain.people_tiles(tiny_city.population)
    assert tiles.largest(20) == tiny_city.population["residents"].max()


def test_areas_of_many_corners_are_made_lighter():
    circle = shapely.Point(120, 30).buffer(0.1, quad_segs=8000)
    (shape,) = plain.areas([circle], ["a"], layer="x", order=1, style={}).shapes
    assert shapely.get_num_coordinates(shape) < 500
    assert shape.symmetric_difference(circle).area < 1e-4
