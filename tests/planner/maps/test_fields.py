import geopandas as gpd
import numpy as np
import pytest

from layers import embedded
from layers.datum import wgs84_to_gcj02
from planner import Network, coverage
from planner.maps.fields import STEPS, Field, Streets, box_of, mercator, widths


@pytest.fixture(scope="module")
def result():
    return coverage(embedded("small"), "mother_baby_room")


@pytest.fixture(scope="module")
def field(result):
    return Field.of(result.reach, Streets.of(result.network))


def pixel(lon, lat, zoom, side):
    """Tile in which a place lies, and its pixel there."""
    x, y = (float(part) * 2**zoom for part in mercator(np.array(lon), np.array(lat)))
    return (int(x), int(y)), (int(y % 1 * side), int(x % 1 * side))


def distance_at(field, lon, lat, *, zoom=18, side=512):
    (x, y), (row, column) = pixel(lon, lat, zoom, side)
    planes = field.planes(zoom, x, y, side=side)
    assert planes is not None
    assert planes[0, row, column] > 0.5
    return float(planes[1, row, column]) * field.step


@pytest.mark.parametrize("mode", ["walk", "drive"])
@pytest.mark.parametrize("unit", ["m", "min"])
@pytest.mark.parametrize("towards", ["facility", "from"])
def test_a_tile_tells_the_distance_of_places_on_streets(tiny_city, mode, unit, towards):
    """Places on streets, as the search itself measures them."""
    network = Network.build(tiny_city.streets, mode, crs=tiny_city.crs)
    sites = tiny_city.facilities[tiny_city.facilities["service"] == "mother_baby_room"]
    bound = {"cutoff": np.inf} if unit == "m" else {"cutoff_min": np.inf}
    reach = network.reach(sites, towards=towards, **bound)
    field = Field.of(reach, Streets.of(network))
    seen = 0
    for line in tiny_city.streets.to_crs(tiny_city.crs).geometry.iloc[::3]:
        for share in (0.31, 0.72):
            place = line.interpolate(share, normalized=True)
            point = gpd.GeoSeries([place], crs=tiny_city.crs).to_crs(4326)
            where = network.locate(point, limit=1.0, islands=True)
            if where.edge[0] < 0:
                continue
            asked = float(reach.at(where).iloc[0])
            told = distance_at(field, point.x.iloc[0], point.y.iloc[0])
            # A pixel is 0.26 m wide there, and a street some pixels.
            slack = 3.0 if unit == "m" else 0.06
            if np.isfinite(asked):
                assert told == pytest.approx(asked, abs=slack)
                seen += 1
            else:
                assert told >= 65_534 * field.step
    assert seen > 8


def test_a_tile_never_puts_a_place_within_a_cutoff_that_it_lies_beyond(field):
    zoom, side = 13, 256
    (x, y), _ = pixel(120.16, 30.26, zoom, side)
    planes, body = field.planes(zoom, x, y, side=side), field.tile(zoom, x, y, side=side)
    covered, high, low = np.frombuffer(body, dtype=np.uint8).reshape(3, side, side)
    number = high.astype(int) * 256 + low
    seen = (covered > 0) & (number > 0)
    assert seen.sum() > 1000
    coarse = 40_075_017 * 0.86 / 2**zoom / 256 / 4
    told = (number - 1) * field.step
    assert (told[seen] >= planes[1][seen] - coarse).all()
    assert (told[seen] <= planes[1][seen] + 1).all()
    assert (number[covered == 0] == 0).all()


def test_a_deep_tile_is_exact_to_a_step(field):
    zoom, side = 18, 256
    (x, y), _ = pixel(120.16, 30.26, zoom, side)
    for dx in range(-3, 4):
        planes = field.planes(zoom, x + dx, y, side=side)
        if planes is None:
            continue
        covered, high, low = np.frombuffer(field.tile(zoom, x + dx, y), np.uint8).reshape(
            3, side, side
        )
        number = high.astype(int) * 256 + low
        seen = (covered > 0) & (number > 0)
        assert (number[seen] - 1 >= planes[1][seen] - 2e-3).all()
        assert (number[seen] - 1 <= planes[1][seen] + 1).all()


def test_equal_distances_have_one_name_and_others_another(result, field):
    again = Field.of(result.reach, Streets.of(result.network))
    assert again.key == field.key
    later = coverage(embedded("small"), "mother_baby_room", year=2021, network=result.network)
    other = Field.of(later.reach, Streets.of(result.network))
    assert other.key != field.key


def test_on_a_gcj02_basemap_streets_lie_where_it_shows_them(tiny_city):
    network = Network.build(tiny_city.streets, crs=tiny_city.crs)
    reach = network.reach(tiny_city.facilities)
    field = Field.of(reach, Streets.of(network, datum="gcj02"), datum="gcj02")
    plain = Field.of(reach, Streets.of(network))
    line = tiny_city.streets.geometry.iloc[0]
    place = line.interpolate(0.4, normalized=True)
    lon, lat = wgs84_to_gcj02(place.x, place.y)
    assert distance_at(field, float(lon), float(lat)) == pytest.approx(
        distance_at(plain, place.x, place.y), abs=3
    )


def test_neighbouring_tiles_meet_without_a_seam(field):
    """A line drawn over two tiles is drawn as in one that holds both."""
    zoom = 12
    (x, y), _ = pixel(120.16, 30.26, zoom, 256)
    x, y = x // 2 * 2, y // 2 * 2
    whole = field.planes(zoom - 1, x // 2, y // 2, side=512)[0]
    # The same streets at the next zoom are as long: compare where anything is drawn at all.
    parts = np.block(
        [[bare(field.planes(zoom, x + dx, y + dy, side=256)) for dx in (0, 1)] for dy in (0, 1)]
    )
    both = (whole > 0.2) & (parts > 0.2)
    assert both.sum() > 0.6 * (whole > 0.2).sum()


def bare(planes):
    return np.zeros((256, 256)) if planes is None else planes[0]


def test_where_no_street_is_there_is_no_tile(field):
    assert field.tile(10, 0, 0) is None


def test_main_streets_are_wider_and_grow_with_the_zoom():
    for zoom in range(7, 20):
        assert (np.diff(widths(zoom)) <= 0).all()
        assert (widths(zoom + 1) >= widths(zoom)).all()
    assert box_of(1, 1, 0) == (0.5, 0.0, 1.0, 0.5)
    assert STEPS["m"] == 1.0
