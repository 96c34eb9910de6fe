"""Tables by unit spread over weights: every unit's sums are met."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from layers import datum, units
from layers.errors import SourceError
from layers.messages import speaking
from layers.sources import dasymetric
from layers.sources.dasymetric import Weights
from layers.sources.files import Source

CRS = 4549
TOWNS = ("330191001", "330191002", "330192001", "330192002")


def table(tmp_path, words, options=",over=streets", name="t.csv", encoding="utf-8"):
    (tmp_path / name).write_text(words, encoding=encoding)
    return Source.parse(f"{tmp_path / name}{options}")


def sums(layer, points, areas, level="township"):
    return layer.groupby(units.assign(points, areas)[level].to_numpy()).sum()


def spread(city, counts, weights):
    return dasymetric.spread(counts, weights, city.units, streets=city.streets, crs=CRS)


@st.composite
def tables(draw):
    """People of some townships, each someone at least."""
    towns = draw(st.lists(st.sampled_from(TOWNS), unique=True, min_size=1))
    people = st.lists(st.integers(1, 500_000), min_size=len(towns), max_size=len(towns))
    return pd.DataFrame({"residents": draw(people), "women": draw(people)}, index=towns)


@st.composite
def places(draw):
    """Weights in and around the tiny city, some of nought."""
    metre = st.floats(-700, 1900)
    rows = draw(st.lists(st.tuples(metre, metre, st.just(0.0) | st.floats(1e-3, 1e6)), max_size=9))
    at = gpd.GeoSeries([shapely.Point(514_000 + x, 3_350_000 + y) for x, y, _ in rows], crs=CRS)
    return Weights(points=at.to_crs(4326), amount=np.array([w for *_, w in rows], dtype=float))


@settings(max_examples=40)
@given(counts=tables(), weights=places())
def test_sums_of_units_are_met_whatever_the_weights(tiny_city, counts, weights):
    layer, points, found = spread(tiny_city, counts, weights)
    wanted = counts.sort_index().astype(float)
    met = sums(layer, points, tiny_city.units)
    pd.testing.assert_frame_equal(met, wanted, rtol=1e-12, check_names=False)
    home = units.assign(weights.points, tiny_city.units)["township"]
    bare = {
        town for town in wanted.index if not weights.amount[(home == town).to_numpy()].sum() > 0
    }
    told = {code for one in found if one.code == "people_on_streets" for code in one.rows}
    assert told == bare


def test_people_go_where_the_weights_are_in_proportion(tiny_city):
    west, east = shapely.Point(514_100, 3_350_100), shapely.Point(514_300, 3_350_100)
    points = gpd.GeoSeries([west, east], crs=CRS).to_crs(4326)
    weights = Weights(points=points, amount=np.array([1.0, 3.0]))
    layer, places, _ = spread(tiny_city, pd.DataFrame({"residents": [100]}, ["330191001"]), weights)
    assert layer["residents"].tolist() == pytest.approx([25, 75])
    assert places.tolist() == points.tolist()


def test_along_streets_as_long_as_they_are(tiny_city):
    made = dasymetric.street_weights(tiny_city.streets, CRS)
    # 40 blocks and the island's lane; the bridge carries nobody, nor the trunk road walkers.
    lived = (tiny_city.streets["walk_forward"] | tiny_city.streets["walk_backward"]) & (
        ~tiny_city.streets["bridge"]
    )
    metres = tiny_city.streets.geometry[lived].to_crs(CRS).length.sum()
    assert made.amount.sum() == pytest.approx(metres)
    assert made.amount.max() <= 100 + 1e-6
    roads = shapely.union_all(tiny_city.streets.geometry[lived].to_numpy())
    assert shapely.distance(made.points.to_numpy(), roads).max() < 1e-7


def test_a_unit_without_weight_or_street_keeps_its_people_at_a_point(tiny_city):
    far = tiny_city.units.iloc[[3]].assign(code="330191009", name="远乡", parent="330191")
    far = far.set_geometry(far.geometry.translate(-1))
    areas = pd.concat([tiny_city.units, far], ignore_index=True)
    none = Weights(points=gpd.GeoSeries([], crs=4326), amount=np.empty(0))
    counts = pd.DataFrame({"residents": [70.0]}, ["330191009"])
    layer, points, found = dasymetric.spread(
        counts, none, areas, streets=tiny_city.streets, crs=CRS
    )
    assert layer["residents"].tolist() == [70]
    assert far.geometry.iloc[0].contains(points.iloc[0])
    told = {one.code: one for one in found}
    assert told["people_at_a_point"].rows == ("330191009",)
    assert set(told["people_no_row"].rows) == set(TOWNS)


WORDS = "编码,常住人口,女性,60岁及以上\n330191001,100,60,10\n330191002,200,90,30\n"


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        (WORDS, "gb18030"),
        (WORDS.replace("330191001", "330191001000"), "utf-8"),
        (WORDS.replace("330191001", "西南街道").replace("编码", "乡镇街道"), "utf-8"),
        (WORDS.replace("编码,常住人口", "Code,总人口(人)"), "utf-8"),
        (WORDS.replace("100,60", "１００,60"), "utf-8"),
    ],
)
def test_tables_as_offices_write_them(tiny_city, tmp_path, words, encoding):
    read, _ = dasymetric.read_counts(table(tmp_path, words, encoding=encoding), tiny_city.units)
    assert read.index.tolist() == ["330191001", "330191002"]
    assert read.to_dict("list") == {
        "residents": [100, 200], "women": [60, 90], "age_60_plus": [10, 30],
    }  # fmt: skip


def test_columns_under_names_of_their_own(tiny_city, tmp_path):
    words = "镇,甲,乙\n西南街道,100,60\n"
    source = table(tmp_path, words, ",over=streets,unit=镇,residents=甲,women=乙")
    read, _ = dasymetric.read_counts(source, tiny_city.units)
    assert read.loc["330191001"].to_dict() == {"residents": 100, "women": 60}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (f"{WORDS}合计,300,150,40\n", "line 4: no unit .*合计"),
        (f"{WORDS}330191001,1,1,1\n", "line 2, 4: .*counted"),
        (f"{WORDS}330191,300,150,40\n", "line 2, 3: .*counted"),
        (WORDS.replace("100,60", ",60"), "line 2: the column '常住人口' is empty"),
        (WORDS.replace("100,60", "100,-60"), "女性"),
        (WORDS.replace("100,60", "100,many"), "many"),
        (WORDS.replace("常住人口", "户数"), "residents"),
        (WORDS.replace("编码", "x"), "unit"),
    ],
)
def test_rows_that_cannot_be_are_named(tiny_city, tmp_path, words, told):
    with speaking("en"), pytest.raises(SourceError, match=told):
        dasymetric.read_counts(table(tmp_path, words), tiny_city.units)


def test_namesakes_want_a_code(tiny_city, tmp_path):
    areas = tiny_city.units.assign(name=tiny_city.units["name"].replace({"东南街道": "西南街道"}))
    words = WORDS.replace("330191001", "西南街道")
    with speaking("en"), pytest.raises(SourceError, match="line 2: several units"):
        dasymetric.read_counts(table(tmp_path, words), areas)


def weights(city, source):
    return dasymetric.read_weights(source, city.units, city.streets, CRS)


def test_buildings_by_ground_and_storeys(tiny_city, tmp_path):
    boxes = [shapely.box(514_000 + x, 3_350_000, 514_010 + x, 3_350_020) for x in (0, 50, 100)]
    houses = gpd.GeoDataFrame({"层数": [6, None, 0], "户": [9, 1, 2]}, geometry=boxes, crs=CRS)
    path = tmp_path / "houses.gpkg"
    houses.to_file(path)
    by_floor = weights(tiny_city, table(tmp_path, WORDS, f",over={path},floors=层数"))
    assert by_floor.amount.tolist() == pytest.approx([1200, 200, 200])
    (finding,) = by_floor.findings
    assert finding.words("message", "en").startswith("2 buildings have no storeys")
    by_ground = weights(tiny_city, table(tmp_path, WORDS, f",over={path}"))
    assert by_ground.amount.tolist() == pytest.approx([200, 200, 200])
    by_home = weights(tiny_city, table(tmp_path, WORDS, f",over={path},weight=户"))
    assert by_home.amount.tolist() == [9, 1, 2]
    assert by_home.points.to_crs(CRS).iloc[0].within(boxes[0])
    houses.assign(户=-1).to_file(path)
    with speaking("en"), pytest.raises(SourceError, match="户"):
        weights(tiny_city, table(tmp_path, WORDS, f",over={path},weight=户"))


def test_cells_points_and_rasters_as_weights(tiny_city, tmp_path):
    west, south, east, north = tiny_city.units.total_bounds
    (tmp_path / "cells.csv").write_text(
        f"x0,y0,x1,y1,homes\n{west},{south},{east},{north},7\n", encoding="utf-8"
    )
    by_cell = weights(tiny_city, table(tmp_path, WORDS, f",over={tmp_path}/cells.csv,weight=homes"))
    assert by_cell.amount.tolist() == [7]
    (tmp_path / "points.csv").write_text(
        "经度,纬度\n120.15,30.27\n120.16,30.28\n", encoding="utf-8"
    )
    by_point = weights(tiny_city, table(tmp_path, WORDS, f",over={tmp_path}/points.csv"))
    assert by_point.amount.tolist() == [1, 1]
    frame = Affine(east - west, 0, west, 0, south - north, north)
    with rasterio.open(
        tmp_path / "r.tif", "w", driver="GTiff", width=1, height=1, count=1, dtype="float64",
        crs="EPSG:4326", transform=frame,
    ) as made:  # fmt: skip
        made.write(np.array([[[80.0]]]))
    by_raster = weights(tiny_city, table(tmp_path, WORDS, f",over={tmp_path}/r.tif"))
    home = units.assign(by_raster.points, tiny_city.units)["township"]
    # Townships take the west and east columns in the ratio of 1600 to 800, rows of 1200 to 800.
    share = pd.Series(by_raster.amount).groupby(home).sum() / by_raster.amount.sum()
    assert share.tolist() == pytest.approx([0.4, 0.8 / 3, 0.2, 0.4 / 3], rel=1e-3)


def test_weights_without_a_place_are_named(tiny_city, tmp_path):
    path = tmp_path / "lost.geojson"
    path.write_text(
        '{"type":"FeatureCollection","features":['
        '{"type":"Feature","properties":{"n":1},"geometry":{"type":"Point","coordinates":[120,30]}},'
        '{"type":"Feature","properties":{"n":2},"geometry":null}]}',
        encoding="utf-8",
    )
    with speaking("en"), pytest.raises(SourceError, match="line 1: no geometry"):
        weights(tiny_city, table(tmp_path, WORDS, f",over={path}"))


def test_buildings_in_another_datum_are_moved(tiny_city, tmp_path):
    boxes = [shapely.box(514_000 + x, 3_350_000, 514_010 + x, 3_350_020) for x in (0, 50)]
    houses = gpd.GeoSeries(boxes, crs=CRS).to_crs(4326)
    moved = shapely.transform(houses.to_numpy(), datum.wgs84_to_bd09, interleaved=False)
    (tmp_path / "houses.gpkg").unlink(missing_ok=True)
    gpd.GeoDataFrame(geometry=moved, crs=4326).to_file(tmp_path / "houses.gpkg")
    over = f",over={tmp_path / 'houses.gpkg'},datum=bd09"
    found = weights(tiny_city, table(tmp_path, WORDS, over))
    off = found.points.to_crs(CRS).distance(houses.to_crs(CRS).representative_point())
    assert off.max() < 0.5
