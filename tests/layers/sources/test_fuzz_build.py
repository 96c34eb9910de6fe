"""A city out of damaged files: the builder refuses in plain words, or makes a sound city."""

from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers import streets, units
from layers.errors import PlannerError
from layers.messages import speaking
from layers.sources import boundaries, dasymetric, people
from layers.sources.build import build_city, read_streets
from layers.sources.files import Source
from tests.layers.sources.harm import harm, share

CRS = "EPSG:4549"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz_build")


def areas():
    """Two districts side by side."""
    boxes = [shapely.box(120 + n / 100, 30, 120.01 + n / 100, 30.01) for n in range(2)]
    table = {"code": ["330106", "330108"], "name": ["西湖区", "滨江区"], "level": "district"}
    return units.conform(gpd.GeoDataFrame(table, geometry=boxes, crs=4326))


def ways():
    """A street through both."""
    line = shapely.LineString([(120.001, 30.005), (120.019, 30.005)])
    table = {"u": [1], "v": [2], "highway": ["residential"], "speed_kmh": [30.0]}
    return streets.conform(gpd.GeoDataFrame(table, geometry=[line], crs=4326))


@cache
def whole(folder, kind):
    """Content of a file that is as it should be."""
    name, suffix = kind.split(".")
    path = folder / f"whole_{kind}"
    if suffix == "tif":
        frame = rasterio.Affine(0.001, 0, 120, 0, -0.001, 30.01)
        told = {"driver": "GTiff", "width": 20, "height": 10, "count": 1, "dtype": "float32"}
        with rasterio.open(path, "w", **told, crs="EPSG:4326", transform=frame) as to:
            to.write(np.arange(200, dtype="float32").reshape(1, 10, 20))
    elif name == "counts":
        pd.DataFrame({"code": ["330106", "330108"], "residents": [100, 50]}).to_csv(
            path, index=False
        )
    elif name == "cells":
        middle = np.linspace(120, 120.019, 20)
        table = {"x0": middle, "y0": 30.0, "x1": middle + 1e-3, "y1": 30.001, "房地产": 5}
        pd.DataFrame(table).to_csv(path, index=False)
    else:
        layer = areas() if name == "units" else ways()
        layer.to_parquet(path) if suffix == "parquet" else layer.to_file(path)
    return path.read_bytes()


READERS = {
    "units": boundaries.read,
    "streets": lambda source: read_streets(source, None)[0],
    "counts": lambda source: dasymetric.read_counts(source, areas())[0],
    "cells": lambda source: dasymetric.read_weights(source, areas(), ways(), CRS).amount,
    "people": lambda source: people.from_raster(source, areas(), areas(), ways(), CRS)[0],
}
KINDS = ["units.geojson", "units.gpkg", "units.parquet", "streets.gpkg", "streets.parquet"]
KINDS += ["counts.csv", "cells.csv", "people.tif"]


def source(path, kind):
    if kind == "cells.csv":
        return Source(path, {"over": str(path), "weight": "房地产"})
    return Source(path, {})


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_read(folder, kind):
    path = folder / kind
    path.write_bytes(whole(folder, kind))
    assert len(READERS[kind.split(".")[0]](source(path, kind)))


@pytest.mark.parametrize("kind", KINDS)
@share(0.02)
@given(harms=st.lists(harm(), min_size=1, max_size=2))
def test_damaged_files(folder, kind, harms):
    content = whole(folder, kind)
    for befall in harms:
        content = befall(content)
    path = folder / f"some_{kind}"
    path.write_bytes(content)
    try:
        with speaking("en" if len(content) % 2 else "zh"):
            made = READERS[kind.split(".")[0]](source(path, kind))
    except PlannerError as refused:
        assert str(refused)  # noqa: PT017 - either will do
        return
    if kind.startswith("people"):
        assert np.isfinite(made["residents"]).all()
        assert (made["residents"] >= 0).all()
    if kind.startswith("counts"):
        assert np.isfinite(made.to_numpy()).all()
        assert (made.to_numpy() >= 0).all()


_WORD = st.one_of(
    st.sampled_from(["330106", "西湖区", "330108", "100", "1e9", "-1", "", "nan", "1,2", "合计"]),
    st.text(max_size=6),
)
_SHAPE = st.one_of(
    st.sampled_from(
        [
            None,
            shapely.Polygon(),
            shapely.Point(120, 30),
            shapely.box(120, 30, 120.01, 30.01),
            shapely.box(120.005, 30, 120.02, 30.01),
            shapely.Polygon([(120, 30), (120.01, 30.01), (120.01, 30), (120, 30.01)]),
            shapely.box(500_000, 3_300_000, 510_000, 3_310_000),
            shapely.GeometryCollection([shapely.Point(120, 30), shapely.box(120, 30, 121, 31)]),
            shapely.LineString([(120, 30), (120.01, 30.01)]),
        ]
    ),
    st.lists(st.tuples(st.floats(-200, 200), st.floats(-100, 100)), min_size=3, max_size=5).map(
        shapely.Polygon
    ),
)
_COLUMN = st.sampled_from(["code", "name", "level", "parent", "name_en", "u", "v", "speed_kmh"])


@share(0.03)
@given(
    columns=st.sets(_COLUMN, max_size=5),
    cells=st.lists(_WORD, min_size=10, max_size=10),
    shapes=st.lists(_SHAPE, min_size=1, max_size=4),
    kind=st.sampled_from(["units", "streets"]),
)
def test_files_of_any_shapes(folder, columns, cells, shapes, kind):
    path = folder / "shapes.parquet"
    table = {
        name: [cells[(n + 3 * row) % 10] for row in range(len(shapes))]
        for n, name in enumerate(sorted(columns))
    }
    gpd.GeoDataFrame(table, geometry=shapes, crs=4326).to_parquet(path)
    try:
        made = READERS[kind](Source(path, {}))
        layer = units if kind == "units" else streets
        assert all(str(one) for one in layer.check(made))
    except PlannerError as refused:
        assert str(refused)  # noqa: PT017 - either will do


@share(0.05)
@given(
    rows=st.lists(st.lists(_WORD, max_size=4), max_size=5),
    headings=st.lists(
        st.sampled_from(["code", "unit", "residents", "women", "常住人口", "名称", ""]), max_size=4
    ),
)
def test_counts_of_any_words(folder, rows, headings):
    path = folder / "counts.csv"
    lines = [",".join(f'"{cell}"' for cell in row) for row in (headings, *rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        made = READERS["counts"](Source(path, {}))
    except PlannerError as refused:
        assert path.name in str(refused)  # noqa: PT017 - either will do
    else:
        assert set(made.index) <= {"330106", "330108"}
        assert np.isfinite(made.to_numpy()).all()


@share(0.01)
@given(harms=st.dictionaries(st.sampled_from(KINDS[1:4]), harm(), min_size=1, max_size=2))
def test_a_city_out_of_damaged_files(folder, harms):
    given_files = {}
    for name, kind in (("streets", "streets.gpkg"), ("units", "units.gpkg")):
        content = whole(folder, kind)
        given_files[name] = folder / f"city_{kind}"
        given_files[name].write_bytes(harms[kind](content) if kind in harms else content)
    counts = folder / "city_counts.csv"
    counts.write_bytes(whole(folder, "counts.csv"))
    try:
        built = build_city(
            name="小城",
            streets=Source(given_files["streets"], {}),
            units=[Source(given_files["units"], {})],
            population=Source(counts, {"over": "streets"}),
            facilities=[],
        )
    except PlannerError as refused:
        assert str(refused)  # noqa: PT017 - either will do
    else:
        assert built.city.population["residents"].sum() == pytest.approx(150)
