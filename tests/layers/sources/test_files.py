import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from layers.errors import CrsError, SourceError
from layers.messages import speaking
from layers.sources.files import Source, lines


def table(tmp_path, content, *options, name="some.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return Source.parse(",".join([str(path), *options]))


def refused(make, *words, error=SourceError):
    for lang in ("zh", "en"):
        with speaking(lang), pytest.raises(error) as caught:
            make()
        for word in words:
            assert word in str(caught.value), (lang, str(caught.value))


# --- what the command line says -----------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "path", "options"),
    [
        ("a.csv", "a.csv", {}),
        ("a.csv,service=x", "a.csv", {"service": "x"}),
        ("a,b.csv,service=x", "a,b.csv", {"service": "x"}),
        ("/数据/甲 乙.csv, datum = bd09 ", "/数据/甲 乙.csv", {"datum": "bd09"}),
        ("a.csv,stands_for=p=q", "a.csv", {"stands_for": "p=q"}),
        ("a.csv,name=", "a.csv", {"name": ""}),
    ],
)
def test_parse(words, path, options):
    source = Source.parse(words)
    assert (str(source.path), dict(source.options)) == (path, options)


@pytest.mark.parametrize("words", ["a.csv,service=x,datum", "a.csv,=x", "a.csv,b=c,,"])
def test_what_is_no_option_is_refused(words):
    refused(lambda: Source.parse(words), words)


def test_options_are_needed_known_and_numbers():
    source = Source.parse("a.csv,min=3,max=many")
    refused(lambda: source.need("service"), "a.csv", "service")
    refused(lambda: source.allow("min"), "max")
    source.allow("min", "max")
    assert source.number("min", 1) == 3.0
    assert source.number("other", 1) == 1
    refused(lambda: source.number("max", 1), "max=many")
    refused(lambda: Source.parse("a.csv,min=nan").number("min", 1), "min=nan")


# --- tables -------------------------------------------------------------------------------


def test_cells_stand_as_they_are_and_blank_lines_go(tmp_path):
    frame = table(tmp_path, "code,note\n\n007,NA\n\n\n1e3,null\n,\n").read_table()
    assert frame.to_dict("records") == [
        {"code": "007", "note": "NA"},
        {"code": "1e3", "note": "null"},
    ]
    assert frame.index.tolist() == [3, 6]


def test_tabs(tmp_path):
    frame = table(tmp_path, "a\tb\n1\t2\n", name="some.TSV").read_table()
    assert frame.to_dict("records") == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n3,4,5,6\n", 'a,b\n"1,2\n'])
def test_tables_that_cannot_be_read(tmp_path, content):
    source = table(tmp_path, content)
    refused(source.read_table, "some.csv")


def test_a_file_that_is_not_there(tmp_path):
    for read in ("read_table", "read_features", "layers"):
        refused(getattr(Source.parse(str(tmp_path / "no.csv")), read), "no.csv")
    refused(Source.parse(str(tmp_path)).read_features, str(tmp_path))


def test_columns_by_option_by_use_and_by_any_case(tmp_path):
    source = table(tmp_path, "ID,LON,Latitude\n", "code=id")
    frame = source.read_table()
    assert source.column(frame, "code", ()) == "ID"
    assert source.column(frame, "lon", ("lon",)) == "LON"
    refused(
        lambda: source.column(frame, "name", ("name", "名称")), "name, 名称", "ID, LON, Latitude"
    )
    other = Source(source.path, {"lon": "east"})
    refused(lambda: other.column(frame, "lon", ("lon",)), "east")


def test_numbers(tmp_path):
    source = table(tmp_path, "a\n1\n 2.5 \n１２．５\n－3\n1e2\n")
    assert source.numbers(source.read_table(), "a").tolist() == [1, 2.5, 12.5, -3, 100]
    gaps = table(tmp_path, "a,b\n,1\n2,1\n")
    np.testing.assert_array_equal(gaps.numbers(gaps.read_table(), "a"), [np.nan, 2])
    words = table(tmp_path, 'a,b\n"1,234",x\n３２人,x\n暂无,x\nNULL,x\n')
    expected = [1234, 32, np.nan, np.nan]
    np.testing.assert_array_equal(words.numbers(words.read_table(), "a"), expected)


@pytest.mark.parametrize("cell", ["many", "1,2", "inf", "-inf", "1e999", "12°30'"])
def test_what_is_no_number_names_its_line(tmp_path, cell):
    source = table(tmp_path, f'a,b\n1,x\n\n"{cell}",x\n')
    refused(lambda: source.numbers(source.read_table(), "a"), "some.csv", "4", cell)


def test_lines_are_cut_but_say_so():
    frame = pd.DataFrame({"a": range(20)}, index=range(2, 22))
    assert lines(frame, np.arange(20) < 3) == "2, 3, 4"
    assert lines(frame, np.arange(20) >= 0) == "2, 3, 4, 5, 6, 7, 8, 9, …"


# --- points -------------------------------------------------------------------------------


def test_points_that_must_all_be_there(tmp_path, points):
    frame, places = table(tmp_path, "name,lon,lat\na,120,30\n\nb,121,31\n").read_points()
    assert frame.index.equals(places.index)
    assert places.crs.to_epsg() == 4326
    refused(
        table(tmp_path, "name,lon,lat\na,120,30\nb,,30\nc,0,0\n").read_points, "some.csv", "3", "4"
    )
    refused(table(tmp_path, "name,lon,lat\na,120,30\nb,30,120\n").read_points, "some.csv", "3")
    points.to_crs(4549).to_file(tmp_path / "p.gpkg")
    frame, places = Source.parse(str(tmp_path / "p.gpkg")).read_points()
    assert frame.columns.tolist() == ["name"]
    assert places.geom_equals_exact(points.geometry, 1e-8).all()


# --- files of geometry --------------------------------------------------------------------


@pytest.fixture
def points():
    places = [shapely.Point(120.15, 30.27), shapely.Point(120.16, 30.28)]
    return gpd.GeoDataFrame({"name": ["甲", "乙"]}, geometry=places, crs=4326)


@pytest.mark.parametrize("name", ["p.gpkg", "p.geojson", "p.parquet", "p.shp"])
def test_kinds_of_file(tmp_path, points, name):
    path = tmp_path / name
    points.to_parquet(path) if name.endswith("parquet") else points.to_file(path)
    frame = Source.parse(str(path)).read_features()
    assert frame["name"].tolist() == ["甲", "乙"]
    assert frame.geometry.geom_equals_exact(points.geometry, 1e-12).all()


def test_layers_of_a_file(tmp_path, points):
    path = tmp_path / "p.gpkg"
    points.to_file(path, layer="first")
    points.iloc[:1].to_file(path, layer="second")
    assert len(Source.parse(str(path)).read_features()) == 2
    assert len(Source.parse(f"{path},layer=second").read_features()) == 1
    assert len(Source.parse(str(path)).read_features("second")) == 1
    refused(Source.parse(f"{path},layer=third").read_features, "p.gpkg", "third")


def test_a_file_without_reference_system(tmp_path, points):
    bare = points.set_crs(None, allow_override=True)
    bare.to_parquet(tmp_path / "p.parquet")
    refused(
        Source.parse(str(tmp_path / "p.parquet")).read_features,
        "p.parquet",
        "crs=EPSG",
        error=CrsError,
    )
    named = Source.parse(f"{tmp_path / 'p.parquet'},crs=EPSG:4549").read_features()
    assert named.crs.to_epsg() == 4549
    refused(
        Source.parse(f"{tmp_path / 'p.parquet'},crs=nonsense").read_features,
        "nonsense",
        error=CrsError,
    )


def test_damaged_letters_in_parquet_are_refused(tmp_path):
    letters = pa.array([b"\xe5\x85\xbb\xff"], pa.binary()).view(pa.string())
    table = pa.table({"name": letters, "lon": [120.1], "lat": [30.2]})
    pq.write_table(table, tmp_path / "p.parquet")
    refused(Source.parse(str(tmp_path / "p.parquet")).read_features, "p.parquet")


@pytest.mark.parametrize("name", ["p.gpkg", "p.geojson", "p.parquet", "p.shp", "p.xlsx"])
def test_files_that_cannot_be_read(tmp_path, name):
    (tmp_path / name).write_bytes(b"this is none")
    refused(Source.parse(str(tmp_path / name)).read_features, name)


def test_files_without_geometry(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "p.parquet")
    refused(Source.parse(str(tmp_path / "p.parquet")).read_features, "p.parquet")
    pyogrio.write_dataframe(pd.DataFrame({"a": [1]}), tmp_path / "p.gpkg")
    refused(Source.parse(str(tmp_path / "p.gpkg")).read_features, "p.gpkg")
