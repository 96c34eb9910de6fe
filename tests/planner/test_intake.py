import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from layers import embedded
from layers.datum import FROM_WGS84
from layers.errors import SourceError
from layers.sources.files import Source
from planner.ground import Ground
from planner.intake import accept, columns, parts, repeated, take_in
from planner.review.backdrop import Backdrop


@pytest.fixture(scope="module")
def city():
    return embedded("small")


@pytest.fixture(scope="module")
def backdrop(city):
    return Backdrop(Ground.of(city.streets, crs=city.crs))


def along_streets(city, datum, count=80):
    """A table of places that stand on streets, written in a datum."""
    lines = city.streets.geometry.iloc[:: len(city.streets) // count][:count]
    points = shapely.line_interpolate_point(lines.array, 0.5, normalized=True)
    lon, lat = FROM_WGS84[datum](*shapely.get_coordinates(points).T)
    names = [f"{number}号照料中心" for number in range(len(points))]
    return pd.DataFrame({"名称": names, "经度": lon.round(6), "纬度": lat.round(6), "备注": ""})


def written(table, path, encoding="gb18030"):
    path.write_bytes(table.to_csv(index=False).encode(encoding))
    return path


@pytest.mark.parametrize("truth", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize("said", ["", "gcj02"])
def test_the_streets_say_which_datum_it_is(city, backdrop, tmp_path, truth, said):
    path = written(along_streets(city, truth), tmp_path / "表.csv")
    options = {"service": "home_care_centre", **({"datum": said} if said else {})}
    told = take_in(Source(path, options), city, backdrop)
    assert told.said == (said or "wgs84")
    assert told.fitting == truth
    medians = told.medians()
    assert min(medians, key=medians.get) == truth
    assert medians[truth] < 5


def test_few_points_confirm_nothing(city, backdrop, tmp_path):
    path = written(along_streets(city, "gcj02").head(10), tmp_path / "表.csv")
    told = take_in(Source(path, {"service": "home_care_centre"}), city, backdrop)
    assert told.fitting is None
    assert np.isnan(list(told.medians().values())).all()
    assert told.rows(3)["名称"].tolist() == ["0号照料中心", "1号照料中心", "2号照料中心"]


def test_columns_are_told_even_where_rows_cannot_be_placed(city, backdrop, tmp_path):
    table = pd.DataFrame({"名称": ["甲"], "东": ["120.1"], "北": ["30.2"]})
    source = Source(written(table, tmp_path / "表.csv"), {"service": "home_care_centre"})
    assert columns(source) == ("名称", "东", "北")
    with pytest.raises(SourceError, match="没有坐标列"):
        take_in(source, city, backdrop)


def test_parts_of_workbooks_files_and_archives(tmp_path):
    book = tmp_path / "a.xlsx"
    with pd.ExcelWriter(book) as to:
        for sheet in ("甲表", "乙表"):
            pd.DataFrame({"名称": ["x"]}).to_excel(to, sheet_name=sheet, index=False)
        pd.DataFrame().to_excel(to, sheet_name="空")
    assert parts(Source(book)) == ("sheet", ("甲表", "乙表"))
    points = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(120, 30)], crs=4326)
    for layer in ("one", "two"):
        points.to_file(tmp_path / "a.gpkg", layer=layer)
    assert parts(Source(tmp_path / "a.gpkg")) == ("layer", ("one", "two"))
    points.to_parquet(tmp_path / "a.parquet")
    assert parts(Source(tmp_path / "a.parquet")) == ("layer", ())
    assert parts(Source(written(pd.DataFrame({"a": ["1"]}), tmp_path / "a.csv"))) == ("sheet", ())


def test_those_that_are_there_already_are_named_and_left_out(city, backdrop, tmp_path):
    own = city.facilities[city.facilities["service"] == "home_care_centre"].iloc[:2]
    twice = pd.DataFrame({"名称": own["name"], "经度": own.geometry.x, "纬度": own.geometry.y})
    table = pd.concat([along_streets(city, "wgs84", 5), twice], ignore_index=True)
    source = Source(
        written(table, tmp_path / "表.csv"),
        {"service": "home_care_centre", "source": "民政局", "date": "2025"},
    )
    told = take_in(source, city, backdrop)
    pairs = repeated(city, told.places, "add")
    assert [old for _, old in pairs] == own["id"].tolist()
    assert repeated(city, told.places, "replace") == []
    skipped = accept(city, source, told.places, how="add")
    assert (skipped.added, skipped.gone, skipped.left_out) == (5, 0, 2)
    every = accept(city, source, told.places, how="add", repeats="keep")
    assert every.added == 7
    origin = skipped.city.provenance["facilities"]
    assert "民政局; 表.csv" in origin.source
    assert "service=home_care_centre" in origin.made
    fresh = accept(
        city,
        source,
        told.places,
        how="replace",
        services=["home_care_centre", *city.facilities["service"].unique()],
    )
    assert (fresh.city.facilities["service"] == "home_care_centre").sum() == 7
