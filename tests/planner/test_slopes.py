import math

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from layers import streets as street_layer
from layers.errors import InputError
from planner import slopes
from planner.network import Network
from tests import oracle

EAST, NORTH = 514_000.0, 3_350_000.0


@pytest.fixture
def raster(tmp_path):
    """Write heights, given per place in metres from the south-west corner, as a GeoTIFF."""

    def write(height, *, crs="EPSG:4549", cell=10.0, cells=60, blank=None):
        at = (np.arange(cells) + 0.5) * cell - 100.0
        x, y = np.meshgrid(at, at[::-1])
        values = np.broadcast_to(height(x, y), x.shape).astype("float32").copy()
        if blank is not None:
            values[blank(x, y)] = -9999.0
        path = tmp_path / "heights.tif"
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            width=cells,
            height=cells,
            count=1,
            dtype="float32",
            crs=crs,
            nodata=-9999.0,
            transform=Affine(cell, 0, EAST - 100.0, 0, -cell, NORTH - 100.0 + cells * cell),
        ) as file:
            file.write(values, 1)
        return path

    return write


def streets(*rows):
    lines = [
        shapely.LineString([(EAST + x, NORTH + y) for x, y in places]) for _, _, places, _ in rows
    ]
    frame = gpd.GeoDataFrame(
        {
            "u": [row[0] for row in rows],
            "v": [row[1] for row in rows],
            "length": [line.length for line in lines],
            "speed_kmh": 30.0,
            "bridge": [row[3] for row in rows],
        },
        geometry=lines,
        crs=4549,
    )
    return street_layer.conform(frame)


UPHILL = streets((1, 2, [(0, 0), (200, 0)], False), (2, 3, [(200, 0), (200, 200)], False))


def tobler(slope):
    """Speed in km/h, as published."""
    return 6 * math.exp(-3.5 * abs(slope + 0.05))


def test_walking_goes_by_toblers_function(raster):
    path = raster(lambda x, _: 0.1 * x)
    network = Network.build(UPHILL, crs=4549, elevation=path, speed_kmh=3.6)
    flat = network.length * 0.06 / 3.6
    up, down = (flat * tobler(0) / tobler(slope) for slope in (0.1, -0.1))
    first = int(np.flatnonzero(network.streets.index == 0)[0])
    assert network.minutes[first] == pytest.approx(up[first], rel=1e-3)
    assert network.minutes_back[first] == pytest.approx(down[first], rel=1e-3)
    across = 1 - first
    assert network.minutes[across] == pytest.approx(flat[across], rel=1e-3)
    assert network.findings == ()
    np.testing.assert_array_equal(network.length, Network.build(UPHILL, crs=4549).length)


def test_a_hill_within_a_street_costs_both_ways(raster):
    path = raster(lambda x, _: 20 - np.abs(x - 100) * 0.2)
    network = Network.build(UPHILL.iloc[:1], crs=4549, elevation=path)
    # Of seven parts the fourth goes over the top and ends as high as it began.
    over = 3 / tobler(0.2) + 3 / tobler(-0.2) + 1 / tobler(0)
    assert network.minutes[0] == pytest.approx(200 * 0.06 / 4.8 * tobler(0) * over / 7, rel=1e-3)
    assert network.minutes_back[0] == pytest.approx(network.minutes[0], rel=1e-6)


def test_cycling_follows_parkin_and_rotheram(raster):
    path = raster(lambda x, _: 0.03 * x)
    network = Network.build(UPHILL.iloc[:1], "cycle", crs=4549, elevation=path)
    flat = 200 * 0.06 / 15
    assert network.minutes[0] == pytest.approx(flat * 21.636 / (21.636 - 3 * 1.4407), rel=1e-3)
    assert network.minutes_back[0] == pytest.approx(flat * 21.636 / (21.636 + 3 * 0.8564), rel=1e-3)


def test_nobody_cycles_slower_than_pushing_nor_faster_than_the_rule_goes():
    steep = np.array([0.2, 0.149, -0.3, 0.0])
    found = slopes.slowing("cycle", steep, np.full(4, 15.0))
    pushed = 15 / 4.8 * np.exp(3.5 * steep[:2])
    np.testing.assert_allclose(found[:2], pushed)
    assert found[2] == pytest.approx(6.01 / (35 / 3.6))
    assert found[3] == 1.0


def test_cars_take_no_notice(raster):
    path = raster(lambda x, _: 0.1 * x)
    network = Network.build(UPHILL, "drive", crs=4549, elevation=path)
    np.testing.assert_array_equal(network.minutes, Network.build(UPHILL, "drive").minutes)
    assert network.minutes_back is network.minutes


def test_bridges_run_straight_over_the_valley(raster):
    path = raster(lambda x, _: np.where((x > 40) & (x < 160), -30.0, 0.1 * x))
    chain = streets(
        (1, 2, [(0, 0), (20, 0)], False),
        (2, 3, [(20, 0), (80, 0)], True),
        (3, 4, [(80, 0), (180, 0)], True),
        (4, 5, [(180, 0), (200, 0)], False),
    )
    network = Network.build(chain, crs=4549, elevation=path)
    expected = network.length * 0.06 / 4.8 * tobler(0) / tobler(0.1)
    np.testing.assert_allclose(network.minutes, expected, rtol=5e-3)


def test_streets_without_heights_count_as_flat_and_are_told(raster):
    path = raster(lambda x, _: 0.1 * x, blank=lambda _, y: y > 100)
    network = Network.build(UPHILL, crs=4549, elevation=path)
    second = int(np.flatnonzero(network.streets.index == 1)[0])
    assert network.minutes[second] == pytest.approx(network.length[second] * 0.06 / 4.8)
    assert [finding.code for finding in network.findings] == ["slope_unknown"]
    assert network.findings[0].rows == (1,)
    assert "1" in network.findings[0].message


def test_cliffs_are_told(raster):
    network = Network.build(UPHILL, crs=4549, elevation=raster(lambda x, _: 0.5 * x))
    assert [finding.code for finding in network.findings] == ["slope_steep"]


def test_heights_in_degrees_are_the_same(raster, tmp_path):
    path = raster(lambda x, _: 0.1 * x)
    west, _, _, north = UPHILL.total_bounds
    cell, cells = 1e-4, 60
    left, top = west - 10 * cell, north + 10 * cell
    longitude, latitude = np.meshgrid(
        left + (np.arange(cells) + 0.5) * cell, top - (np.arange(cells) + 0.5) * cell
    )
    spots = gpd.GeoSeries(gpd.points_from_xy(longitude.ravel(), latitude.ravel()), crs=4326)
    heights = 0.1 * (spots.to_crs(4549).x.to_numpy() - EAST).reshape(cells, cells)
    turned = tmp_path / "degrees.tif"
    with rasterio.open(
        turned,
        "w",
        driver="GTiff",
        width=cells,
        height=cells,
        count=1,
        dtype="float64",
        crs="EPSG:4326",
        transform=Affine(cell, 0, left, 0, -cell, top),
    ) as file:
        file.write(heights, 1)
    plane = Network.build(UPHILL, crs=4549, elevation=path)
    degrees = Network.build(UPHILL, crs=4549, elevation=turned)
    np.testing.assert_allclose(degrees.minutes, plane.minutes, rtol=1e-3)


def test_distances_on_slopes_are_the_oracles(raster, tiny_city):
    path = raster(lambda x, y: 40 * np.sin(x / 90) + 0.05 * y, cell=40.0, cells=60)
    network = Network.build(tiny_city.streets, crs=4549, elevation=path, junction_delay_s=8.0)
    homes, sites = (network.locate(layer) for layer in (tiny_city.population, tiny_city.facilities))
    for towards in ("facility", "from"):
        found = network.reach(sites, cutoff_min=math.inf, towards=towards).at(homes)
        expected = oracle.distances(network, sites, homes, unit="min", towards=towards)
        np.testing.assert_allclose(found, expected, atol=1e-9)
    there, back = (
        network.reach(sites, cutoff_min=math.inf, towards=towards).at(homes).dropna()
        for towards in ("facility", "from")
    )
    assert not np.allclose(there, back)


def test_wrong_rasters_are_refused(raster, tmp_path):
    with pytest.raises(InputError, match=r"none\.tif"):
        Network.build(UPHILL, elevation=tmp_path / "none.tif")
    words = tmp_path / "words.tif"
    words.write_text("no raster", encoding="utf-8")
    with pytest.raises(InputError, match="GeoTIFF"):
        Network.build(UPHILL, elevation=words)
    with pytest.raises(InputError, match="坐标参考系"):
        Network.build(UPHILL, elevation=raster(lambda x, _: x, crs=None))
    with pytest.raises(InputError, match="不覆盖"):
        Network.build(UPHILL, elevation=raster(lambda x, _: x, crs="EPSG:4534"))
    assert "cells" in repr(slopes.Elevation.read(raster(lambda x, _: x)))
