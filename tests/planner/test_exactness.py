"""Distances on real streets are those of a plain account, for a sample of places."""

import math

import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers.sources.build import read_streets
from layers.sources.files import Source
from planner.network import Network
from tests import oracle


def beside(network, count, rng):
    """Points some ten metres beside random streets."""
    lines = network.lines[rng.integers(len(network.length), size=count)]
    along = shapely.line_interpolate_point(lines, rng.random(count), normalized=True)
    xy = shapely.get_coordinates(along) + rng.normal(0, 10.0, (count, 2))
    return network.locate(gpd.GeoSeries(shapely.points(xy), crs=network.crs))


@pytest.mark.parametrize(
    ("name", "mode", "unit"),
    [
        ("monaco.osm.gz", "walk", "m"),
        ("monaco.osm.gz", "drive", "min"),
        ("porto_portugal.osm.pbf", "walk", "m"),
    ],
)
def test_real_streets(shared, name, mode, unit):
    streets, _, _ = read_streets(Source.parse(str(shared("osm", name))), None)
    delay = "usual" if mode == "drive" else None
    network = Network.build(streets, mode, junction_delay_s=delay)
    rng = np.random.default_rng(4)
    origins, targets = beside(network, 20, rng), beside(network, 500, rng)
    bound = {"cutoff" if unit == "m" else "cutoff_min": math.inf}
    found = network.reach(origins, **bound).at(targets)
    expected = oracle.distances(network, origins, targets, unit=unit)
    assert np.isfinite(expected).sum() > 400
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
