import geopandas as gpd
import pytest
import shapely
from pyproj import CRS

from layers.crs import in_degrees, measuring_crs, projected, require_crs
from layers.errors import CrsError


def at(*places, crs=4326):
    return gpd.GeoDataFrame(geometry=[shapely.Point(place) for place in places], crs=crs)


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ((120.15, 30.27), 4549),
        ((121.4, 31.2), 4549),
        ((121.6, 31.2), 4550),
        ((75.5, 39.5), 4534),
        ((134.9, 48.3), 4554),
        ((7.42, 43.73), 32632),
        ((-8.6, 41.15), 32629),
        ((151.2, -33.9), 32756),
    ],
)
def test_measured_in_the_zone_it_lies_in(place, code):
    layer = at(place)
    assert measuring_crs(layer).to_epsg() == code
    assert measuring_crs(layer.to_crs(3857).geometry).to_epsg() == code


def test_nothing_to_measure():
    with pytest.raises(CrsError, match="空"):
        measuring_crs(at())
    with pytest.raises(CrsError):
        measuring_crs(at((0, 89.9)))
    with pytest.raises(CrsError, match="EPSG:4326"):
        measuring_crs(at((120, 30), crs=None))


def test_projected_takes_what_measures_metres():
    assert projected("EPSG:4549") == CRS.from_epsg(4549)
    with pytest.raises(CrsError, match="4490"):
        projected(4490)
    for nonsense in ("Hangzhou", 0, "EPSG:999999"):
        with pytest.raises(CrsError, match=str(nonsense)):
            projected(nonsense)


def test_in_degrees_leaves_the_original_alone():
    metric = at((514_000, 3_350_000), crs=4549)
    moved = in_degrees(metric)
    assert moved.crs.to_epsg() == 4326
    assert metric.crs.to_epsg() == 4549
    moved["more"] = 1
    assert "more" not in metric


def test_require_crs():
    require_crs(at((1, 1)))
    for without in (at((1, 1), crs=None), gpd.GeoDataFrame({"a": [1]}), None):
        with pytest.raises(CrsError):
            require_crs(without)
