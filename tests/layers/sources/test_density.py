"""Densities: areas of cells held against geodesic ones, and what no ground can hold."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from layers.errors import SourceError
from layers.messages import speaking
from layers.resources import data_path
from layers.sources import census, density, people, raster
from layers.sources.files import Source
from tests.layers.sources.test_raster import SOUTH, WEST, WIDE, city, whole, write

GEOD = Geod(ellps="WGS84")


def geodesic_km2(frame, crs, column, row):
    """Area of a cell by geodesics between many points of its edge."""
    square = shapely.segmentize(shapely.box(column, row, column + 1, row + 1), 0.02)
    x, y = np.asarray(square.exterior.coords).T
    x, y = frame.a * x + frame.b * y + frame.c, frame.d * x + frame.e * y + frame.f
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    return abs(GEOD.polygon_area_perimeter(lon, lat)[0]) / 1e6


@settings(max_examples=60, deadline=None)
@given(
    column=st.integers(0, 400),
    row=st.integers(0, 400),
    metres=st.sampled_from([None, 4549, 32650, 3857]),
    turned=st.floats(-30, 30),
)
def test_areas_are_those_on_the_ellipsoid(column, row, metres, turned):
    if metres is None:
        crs, frame = CRS.from_epsg(4326), Affine(1 / 120, 0, 118, 0, -1 / 120, 31)
    else:
        crs = CRS.from_epsg(metres)
        x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(119.5, 30.5)
        east, north = 1000 * np.cos(np.radians(turned)), 1000 * np.sin(np.radians(turned))
        frame = Affine(east, north, x, north, -east, y)
    (found,) = density.cells_km2(frame, crs, [column], [row])
    assert found == pytest.approx(geodesic_km2(frame, crs, column, row), rel=1e-5)


def test_densities_make_the_people_of_each_cells_area(tmp_path):
    values = np.array([[100.0, 2000.0], [0.0, 30_000.0]])
    path = write(tmp_path / "people.tif", values)
    source = Source.parse(f"{path},per=km2")
    pieces = raster.read(source, raster.bands_of_groups(source), whole())
    frame = Affine(WIDE / 2, 0, WEST, 0, -WIDE / 2, SOUTH + WIDE)
    wanted = sum(
        values[row, column] * geodesic_km2(frame, 4326, column, row)
        for row in range(2)
        for column in range(2)
    )
    assert pieces.counts["residents"].sum() == pytest.approx(wanted, rel=1e-6)
    # Cut in the middle, each half has its share.
    halves = city(
        shapely.box(WEST, SOUTH, WEST + WIDE / 4, SOUTH + WIDE),
        shapely.box(WEST + WIDE / 4, SOUTH, WEST + WIDE, SOUTH + WIDE),
    )
    cut = raster.read(source, raster.bands_of_groups(source), halves)
    assert cut.counts["residents"].sum() == pytest.approx(wanted, rel=1e-9)


def test_what_no_ground_holds_is_refused(tmp_path):
    # Ten metres a cell: 20,000 per km² taken for 20,000 people would be 200 million per km².
    near = Affine(1e-4, 0, WEST, 0, -1e-4, SOUTH + 2e-3)
    path = write(tmp_path / "people.tif", np.full((20, 20), 20_000.0), transform=near)
    plain, per_km2 = Source.parse(str(path)), Source.parse(f"{path},per=km2")
    bands = raster.bands_of_groups(plain)
    with speaking("en"), pytest.raises(SourceError, match="add per=km2"):
        raster.read(plain, bands, whole())
    assert raster.read(per_km2, bands, whole()).counts["residents"].sum() > 0
    # As weights they may be anything.
    assert len(raster.read(plain, bands, whole(), people=False).counts)
    coarse = write(tmp_path / "counts.tif", np.array([[2e6]]))
    dense = Source.parse(f"{coarse},per=km2")
    with speaking("en"), pytest.raises(SourceError, match="drop per=km2"):
        raster.read(dense, raster.bands_of_groups(dense), whole())
    with speaking("en"), pytest.raises(SourceError, match="per is cell"):
        density.is_density(Source.parse(f"{path},per=hectare"))


@pytest.mark.parametrize(("share", "told"), [(1.0, False), (0.8, False), (0.4, True), (4.0, True)])
def test_sums_far_from_the_census_are_told(tmp_path, share, told):
    shapes = gpd.read_file(data_path("hangzhou", "districts.geojson")).to_crs(4326)
    inner = shapes[shapes["code"].isin(["330102", "330105"])].reset_index(drop=True)
    inner["level"], inner["parent"] = "district", None
    counted = census.atoms().sum(axis=1)
    ground = inner.set_index("code").to_crs(4549).area / 1e6
    thick = counted[inner["code"]].sum() / ground.sum() * share
    west, south, east, north = inner.total_bounds
    frame = Affine((east - west) / 100, 0, west, 0, (south - north) / 100, north)
    path = write(tmp_path / "people.tif", np.full((100, 100), thick), transform=frame)
    layer, found = people.from_raster(
        Source.parse(f"{path},per=km2"), inner, inner, gpd.GeoDataFrame(), CRS.from_epsg(4549)
    )
    assert ("raster_off" in {one.code for one in found}) == told
    assert layer["residents"].sum() == pytest.approx(thick * ground.sum(), rel=0.01)
