import tempfile
import zipfile

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from layers.datum import wgs84_to_bd09, wgs84_to_gcj02
from layers.errors import CrsError, SourceError
from layers.messages import speaking
from layers.sources.files import Source
from layers.sources.points import locate

HANGZHOU = (118.3, 29.2, 120.7, 30.6)
PLACES = {"甲": (120.15, 30.27), "乙": (120.2, 30.3), "丙": (119.9, 30.1)}


def source(tmp_path, content, *options, name="some.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Source.parse(",".join([str(path), *options]))


def place(*given, near=None):
    return locate(source(*given), "facilities", near=near)


def codes(located):
    return {one.code: one.rows for one in located.findings}


def refused(make, *words, error=SourceError):
    for lang in ("zh", "en"):
        with speaking(lang), pytest.raises(error) as caught:
            make()
        for word in words:
            assert word in str(caught.value), (lang, str(caught.value))


def lies(located, *where, within=1e-9):
    found = np.column_stack([located.points.x, located.points.y])
    np.testing.assert_allclose(found, where, rtol=0, atol=within)


# --- columns and cells --------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        "名称,经度,纬度",
        "name,lng,lat",
        "NAME,Longitude,Latitude",
        "单位名称,X,Y",
        "机构名称,经度（°）,纬度（°）",
        "名称,经度_84,纬度_84",
        "名称,POINT_X,POINT_Y",
        "名称,ｌｏｎ,ｌａｔ",
        "名称,东坐标,北坐标",
        "名称,经度\t,  纬度",
    ],
)
def test_usual_names_of_columns(tmp_path, head):
    located = place(tmp_path, f"{head}\n甲,120.15,30.27\n")
    lies(located, (120.15, 30.27))
    assert located.findings == ()
    assert located.table.index.tolist() == [2]


def test_columns_that_the_user_names(tmp_path):
    content = "名称,lon,lat,东,北\n甲,1,2,120.15,30.27\n"
    for options in (("lon=东", "lat=北"), ("x=东", "y=北")):
        lies(place(tmp_path, content, *options), (120.15, 30.27))
    refused(lambda: place(tmp_path, content, "lon=西"), "西", "东, 北")
    refused(lambda: place(tmp_path, "名称,东\n甲,1\n", "lon=东"), "lat", "some.csv")


@pytest.mark.parametrize(
    "cell",
    [
        "120.15,30.27",
        "120.15，30.27",
        "(120.15, 30.27)",
        "POINT (120.15 30.27)",
        "120.15 30.27",
        "１２０．１５；３０．２７",
        "经度:120.15 纬度:30.27",
        "东经120°9',北纬30°16'12\"",
        "30.27N,120.15E",
    ],
)
def test_both_in_one_column(tmp_path, cell):
    quoted = cell.replace('"', '""')
    located = place(tmp_path, f'名称,坐标\n甲,"{quoted}"\n乙,"120.2,30.3"\n')
    lies(located, (120.15, 30.27), (120.2, 30.3))
    named = place(tmp_path, f'名称,落点\n甲,"{quoted}"\n乙,"120.2,30.3"\n', "coordinates=落点")
    lies(named, (120.15, 30.27), (120.2, 30.3))


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ("120°09'00\"", "30°16'12\""),
        ("120°9′", "30°16′12″N"),
        ("E120°9'0\"", "N30°16'12.0\""),
        ("东经120度9分", "北纬30度16分12秒"),
        ("120:09:00", "30:16:12"),
        ("１２０．１５", "３０．２７"),
        ("120.15°E", "30.27°N"),
        ("120.15°", " 30.27 "),
        ("120º09’", "30º16’12”"),
    ],
)
def test_cells_as_people_write_them(tmp_path, lon, lat):
    frame = pd.DataFrame({"经度": [lon], "纬度": [lat]})
    path = tmp_path / "some.csv"
    frame.to_csv(path, index=False)
    lies(locate(Source.parse(str(path)), "facilities"), (120.15, 30.27), within=1e-6)


# --- rows that cannot be placed -----------------------------------------------------------

ODD = """名称,经度,纬度
好,120.15,30.27
空,,30.27
无,无,暂无
零,0,0
字,余杭区,30.27
大,12015,30.27

多,120.15,30.27,文一路，5号,x
远,110.3,20.0
"""


def test_rows_are_listed_and_kept_with_their_reasons(tmp_path):
    located = place(tmp_path, ODD, near=HANGZHOU)
    assert located.table["名称"].tolist() == ["好"]
    assert codes(located) == {
        "row_missing": (3, 4),
        "row_zero": (5,),
        "row_unreadable": (6,),
        "row_out_of_range": (7,),
        "row_ragged": (9,),
        "row_far": (10,),
    }
    rejected = located.rejected
    assert rejected.rows.index.tolist() == [3, 4, 5, 6, 7, 9, 10]
    assert rejected.rows.loc[9].tolist() == ["多", "120.15", "30.27", "文一路，5号", "x"]
    assert len(located.table) + len(rejected) == 8
    for one in located.findings:
        for lang in ("zh", "en"):
            assert "some.csv" in one.words("message", lang)
            assert one.words("remedy", lang)
    assert "余杭区" in next(one for one in located.findings if one.code == "row_unreadable").message


def test_a_table_of_which_nothing_can_be_placed_is_refused(tmp_path):
    refused(lambda: place(tmp_path, "名称,经度,纬度\n甲,,\n乙,0,0\n"), "some.csv", "1", "0, 0")
    refused(lambda: place(tmp_path, "名称,经度,纬度\n"), "some.csv")
    content = "名称,经度,纬度\n甲,110.3,20.0\n乙,110.4,20.1\n"
    refused(lambda: place(tmp_path, content, near=HANGZHOU), "some.csv", "110.300", "118.300")
    assert len(place(tmp_path, content).table) == 2


def test_no_columns_of_coordinates(tmp_path):
    refused(lambda: place(tmp_path, "名称,地址\n甲,文一路\n"), "some.csv", "名称, 地址", "lon=")


def test_columns_of_one_name_are_not_guessed_among(tmp_path):
    content = "名称,经度,纬度,经度,纬度\n甲,120.15,30.27,1,2\n"
    refused(lambda: place(tmp_path, content), "经度, 经度 (2)", "lon=")
    lies(place(tmp_path, content, "lon=经度 (2)", "lat=纬度 (2)"), (1, 2))


def test_a_table_without_headings(tmp_path):
    refused(lambda: place(tmp_path, "甲,120.15,30.27\n乙,120.2,30.3\n"), "some.csv", "120.15")


# --- exchanged --------------------------------------------------------------------------


def test_a_whole_table_exchanged(tmp_path):
    located = place(tmp_path, "名称,经度,纬度\n甲,30.27,120.15\n乙,30.3,120.2\n")
    lies(located, (120.15, 30.27), (120.2, 30.3))
    (one,) = located.findings
    assert (one.code, one.severity, one.rows) == ("table_turned", "warning", ())


def test_single_rows_exchanged(tmp_path):
    located = place(tmp_path, "名称,经度,纬度\n甲,120.15,30.27\n乙,30.3,120.2\n丙,10,95\n")
    lies(located, (120.15, 30.27), (120.2, 30.3))
    # Turned round the last one would lie nowhere near the others: it is no such slip.
    assert codes(located) == {"rows_turned": (3,), "row_out_of_range": (4,)}


def test_exchanged_where_both_are_possible_is_told_from_where_it_should_lie(tmp_path):
    content = "name,lon,lat\na,41.15,-8.6\nb,-8.61,41.16\n"
    porto = (-8.7, 41.1, -8.5, 41.2)
    located = place(tmp_path, content, near=porto)
    lies(located, (-8.6, 41.15), (-8.61, 41.16))
    assert codes(located) == {"rows_turned": (2,)}
    # Without that nothing says which is meant, and nothing is touched.
    untouched = place(tmp_path, content)
    lies(untouched, (41.15, -8.6), (-8.61, 41.16))
    assert untouched.findings == ()


def test_cells_that_say_which_way_they_run(tmp_path):
    located = place(tmp_path, "名称,经度,纬度\n甲,30.27N,20.15E\n乙,20E,30N\n丙,20E,30E\n")
    lies(located, (20.15, 30.27), (20, 30))
    assert codes(located) == {"rows_turned": (2,), "row_unreadable": (4,)}


# --- metres -----------------------------------------------------------------------------


def metres(code, *, prefix=0):
    move = Transformer.from_crs(4326, code, always_xy=True)
    made = {name: move.transform(*where) for name, where in PLACES.items()}
    return {name: (x + prefix, y) for name, (x, y) in made.items()}


def surveyed(rows, *, north_first=False):
    lines = [(name, *(where[::-1] if north_first else where)) for name, where in rows.items()]
    return "名称,X,Y\n" + "".join(f"{name},{x:.4f},{y:.4f}\n" for name, x, y in lines)


@pytest.mark.parametrize("north_first", [False, True])
@pytest.mark.parametrize("code", [4549, 4528, 32651])
def test_metres_in_a_system_that_is_named(tmp_path, code, north_first):
    content = surveyed(metres(code), north_first=north_first)
    for near in (None, HANGZHOU):
        located = place(tmp_path, content, f"crs=EPSG:{code}", near=near)
        lies(located, *PLACES.values(), within=1e-8)
        assert codes(located) == ({"axes_turned": ()} if north_first else {})


def test_one_row_written_the_other_way_round(tmp_path):
    rows = metres(4549)
    rows["乙"] = rows["乙"][::-1]
    located = place(tmp_path, surveyed(rows), "crs=4549")
    lies(located, *PLACES.values(), within=1e-8)
    assert codes(located) == {"rows_turned": (3,)}


def test_metres_without_a_system_are_refused_with_a_suggestion(tmp_path):
    numbered = surveyed(metres(4528), north_first=True)
    refused(lambda: place(tmp_path, numbered), "EPSG:4528", "crs=", error=CrsError)
    bare = surveyed(metres(4549))
    refused(lambda: place(tmp_path, bare, near=HANGZHOU), "EPSG:4549 (CGCS2000", error=CrsError)
    refused(lambda: place(tmp_path, bare), "crs=EPSG:4549", "X, Y", error=CrsError)


def test_metres_in_the_wrong_system_are_refused_with_a_suggestion(tmp_path):
    refused(lambda: place(tmp_path, surveyed(metres(4528)), "crs=4549"), "EPSG:4528")
    refused(lambda: place(tmp_path, surveyed(metres(4549)), "crs=none"), "none", error=CrsError)
    # One of three axes from the middle of the earth is none that a table can have.
    refused(lambda: place(tmp_path, surveyed(PLACES), "crs=4978"), "4978", error=CrsError)
    refused(lambda: place(tmp_path, surveyed(PLACES), "crs=4549"), "some.csv", "3")


def test_thousands_and_units(tmp_path):
    x, y = metres(4549)["甲"]
    content = f'名称,X,Y\n甲,"{x:,.3f}",{y:.3f}米\n'
    lies(place(tmp_path, content, "crs=4549"), PLACES["甲"], within=1e-7)


# --- datums -----------------------------------------------------------------------------


@pytest.mark.parametrize(("datum", "shift"), [("gcj02", wgs84_to_gcj02), ("BD-09", wgs84_to_bd09)])
def test_datums(tmp_path, datum, shift):
    lon, lat = (float(part) for part in shift(*PLACES["甲"]))
    content = f"名称,经度,纬度\n甲,{lon},{lat}\n"
    lies(place(tmp_path, content, f"datum={datum}"), PLACES["甲"])
    exchanged = f"名称,经度,纬度\n甲,{lat},{lon}\n"
    lies(place(tmp_path, exchanged, f"datum={datum}"), PLACES["甲"])
    refused(lambda: place(tmp_path, content, "datum=mars"), "mars", "bd09")
    refused(lambda: place(tmp_path, content, "datum=gcj02", "crs=4490"), "datum=")


def test_the_datum_that_a_name_carries(tmp_path):
    lon, lat = (float(part) for part in wgs84_to_bd09(*PLACES["甲"]))
    content = f"名称,百度经度,百度纬度\n甲,{lon},{lat}\n"
    located = place(tmp_path, content)
    lies(located, PLACES["甲"])
    assert codes(located) == {"datum_by_name": ()}
    lies(place(tmp_path, content, "lon=百度经度", "lat=百度纬度"), PLACES["甲"])
    agreed = place(tmp_path, content, "datum=bd09")
    lies(agreed, PLACES["甲"])
    assert agreed.findings == ()
    told = place(tmp_path, content, "datum=wgs84")
    lies(told, (lon, lat))
    assert codes(told) == {"datum_conflict": ()}


def test_of_several_pairs_the_one_of_the_datum_counts(tmp_path):
    content = "名称,bd_lon,bd_lat,lon,lat\n甲,120.2,30.3,120.15,30.27\n"
    lies(place(tmp_path, content), (120.15, 30.27))
    moved = place(tmp_path, content, "datum=bd09")
    shifted = [float(part) for part in wgs84_to_bd09(*moved.points.iloc[0].coords[0])]
    assert shifted == pytest.approx([120.2, 30.3])


# --- files of geometry --------------------------------------------------------------------


@pytest.fixture
def shapes():
    where = [*map(shapely.Point, PLACES.values()), None, shapely.box(120, 30, 120.1, 30.1)]
    return gpd.GeoDataFrame(
        {"名称": [*PLACES, "丁", "戊"], "人数": [1, 2, 3, 4, 5]}, geometry=where, crs=4326
    )


@pytest.mark.parametrize("name", ["p.gpkg", "p.geojson", "p.parquet", "p.kml"])
@pytest.mark.parametrize("code", [4326, 4549])
def test_kinds_of_file(tmp_path, shapes, name, code):
    path = tmp_path / name
    moved = shapes.to_crs(4326 if name.endswith(("json", "kml")) else code)
    if name.endswith("parquet"):
        moved.to_parquet(path)
    else:
        moved.to_file(path, **({"driver": "LIBKML"} if name.endswith("kml") else {}))
    located = locate(Source.parse(str(path)), "facilities")
    lies(located, *PLACES.values(), within=1e-8)
    assert codes(located) == {"row_no_geometry": (4,), "row_no_point": (5,)}
    told = located.rejected.table()
    assert told["名称"].tolist() == ["丁", "戊"]
    assert told["人数"].tolist() == ["4", "5"]


def test_features_without_any_column(tmp_path):
    shapes = [shapely.Point(120.15, 30.27), None]
    gpd.GeoDataFrame(geometry=shapes, crs=4326).to_parquet(tmp_path / "p.parquet")
    located = locate(Source.parse(str(tmp_path / "p.parquet")), "facilities")
    lies(located, PLACES["甲"])
    assert located.rejected.table().to_dict("list") == {
        "行号": [2],
        "原因": ["没有几何"],
        "经度": [""],
        "纬度": [""],
    }


def test_exchanged_features_and_their_datum(tmp_path, shapes):
    good = shapes.iloc[:3]
    turned = good.set_geometry(gpd.points_from_xy(good.geometry.y, good.geometry.x), crs=4326)
    turned.to_file(tmp_path / "p.geojson")
    located = locate(Source.parse(str(tmp_path / "p.geojson")), "facilities")
    lies(located, *PLACES.values())
    assert codes(located) == {"table_turned": ()}
    shifted = gpd.points_from_xy(*wgs84_to_gcj02(good.geometry.x, good.geometry.y))
    good.set_geometry(shifted, crs=4326).to_file(tmp_path / "q.geojson")
    lies(
        locate(Source.parse(f"{tmp_path / 'q.geojson'},datum=gcj02"), "facilities"),
        *PLACES.values(),
    )
    good.to_crs(4549).to_file(tmp_path / "r.gpkg")
    refused(
        lambda: locate(Source.parse(f"{tmp_path / 'r.gpkg'},datum=gcj02"), "facilities"), "datum"
    )


def test_several_layers_are_not_guessed_among(tmp_path, shapes):
    path = tmp_path / "p.gpkg"
    shapes.iloc[:3].to_file(path, layer="first")
    shapes.iloc[:1].to_file(path, layer="second")
    refused(lambda: locate(Source.parse(str(path)), "facilities"), "first, second", "layer=")
    assert len(locate(Source.parse(f"{path},layer=second"), "facilities").table) == 1


def test_a_file_without_geometry_is_a_table(tmp_path):
    frame = pd.DataFrame({"名称": ["甲", "乙"], "经度": [120.15, np.nan], "纬度": [30.27, 30.3]})
    frame.to_parquet(tmp_path / "p.parquet")
    located = locate(Source.parse(str(tmp_path / "p.parquet")), "facilities")
    lies(located, PLACES["甲"])
    assert codes(located) == {"row_missing": (2,)}
    assert located.rejected.table().columns.tolist() == ["行号", "原因", "名称", "经度", "纬度"]
    pyogrio.write_dataframe(frame, tmp_path / "p.gpkg", layer="t")
    lies(locate(Source.parse(f"{tmp_path / 'p.gpkg'},layer=t"), "facilities"), PLACES["甲"])


@pytest.mark.parametrize("encoding", ["GBK", "UTF-8"])
@pytest.mark.parametrize("claim", [None, "UTF-8", "GBK", "nonsense"])
def test_words_of_a_shapefile_whatever_it_claims(tmp_path, shapes, encoding, claim):
    shapes.iloc[:3].to_file(tmp_path / "p.shp", encoding=encoding)
    (tmp_path / "p.cpg").unlink()
    if claim:
        (tmp_path / "p.cpg").write_text(claim)
    located = locate(Source.parse(str(tmp_path / "p.shp")), "facilities")
    assert located.table["名称"].tolist() == list(PLACES)
    lies(located, *PLACES.values())


def test_columns_of_a_shapefile_that_decode_to_one_name(tmp_path, shapes):
    rows = shapes.iloc[:4].rename(columns={"名称": "name1", "人数": "name2"})
    rows.to_file(tmp_path / "p.shp")
    dbf = (tmp_path / "p.dbf").read_bytes()
    (tmp_path / "p.dbf").write_bytes(
        dbf.replace(b"name1", b"name\xff").replace(b"name2", b"name\xfe")
    )
    located = locate(Source.parse(str(tmp_path / "p.shp")), "facilities")
    assert located.table.columns.is_unique
    assert len(located.table) == 3
    assert len(located.rejected.table()) == 1


def zipped(folder, name, inside):
    with zipfile.ZipFile(folder / name, "w") as archive:
        for file in sorted(folder.glob("p.*")):
            for prefix in inside:
                archive.write(file, f"{prefix}{file.suffix}")
    return folder / name


def test_a_shapefile_in_a_zip(tmp_path, shapes):
    shapes.iloc[:3].to_file(tmp_path / "p.shp", encoding="GBK")
    path = zipped(tmp_path, "one.zip", ["资料/设施"])
    located = locate(Source.parse(str(path)), "facilities")
    assert located.table["名称"].tolist() == list(PLACES)
    path = zipped(tmp_path, "two.zip", ["a", "b/养老"])
    refused(lambda: locate(Source.parse(str(path)), "facilities"), "a, 养老", "layer=")
    assert len(locate(Source.parse(f"{path},layer=养老"), "facilities").table) == 3
    refused(lambda: locate(Source.parse(f"{path},layer=c"), "facilities"), "a, 养老")


def test_a_zip_that_leads_out_of_its_folder_writes_nothing_there(tmp_path, shapes, monkeypatch):
    shapes.iloc[:3].to_file(tmp_path / "p.shp")
    path = zipped(tmp_path, "evil.zip", ["../evil", str(tmp_path / "scratch" / "evil")])
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    before = set(tmp_path.rglob("*"))
    refused(lambda: locate(Source.parse(str(path)), "facilities"), "layer=")
    path = zipped(tmp_path, "evil.zip", ["../evil"])
    assert len(locate(Source.parse(str(path)), "facilities").table) == 3
    assert set(tmp_path.rglob("*")) == before
    empty = tmp_path / "none.zip"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("read.me", "nothing")
    refused(lambda: locate(Source.parse(str(empty)), "facilities"), "none.zip", ".shp")


# --- workbooks ----------------------------------------------------------------------------


def test_a_workbook_as_an_office_sends_it(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "养老"
    sheet.append(["附件2：杭州市居家养老服务中心一览表"])
    sheet.append(["填报单位：市民政局", None, None, "2023年"])
    sheet.append([])
    sheet.append(["序号", "机构名称", "坐标", None])
    sheet.append([None, None, "经度", "纬度"])
    sheet.append([1, "甲", 120.15, 30.27])
    sheet.append([2, "乙", None, None])
    sheet.append([3, "丙", "１２０．２", "30.3"])
    sheet.append(["合计", 3])
    book.create_sheet("空")
    path = tmp_path / "养老.xlsx"
    book.save(path)
    located = locate(Source.parse(str(path)), "facilities")
    lies(located, (120.15, 30.27), (120.2, 30.3))
    assert codes(located) == {"header_below": (), "row_missing": (7, 9)}
    assert located.table["机构名称"].tolist() == ["甲", "丙"]


# --- the real ones ------------------------------------------------------------------------


def test_hainan_in_gb18030(shared):
    located = locate(Source.parse(str(shared("messy", "hainan_poi_gbk.csv"))), "facilities")
    assert len(located.table) == 1040
    assert codes(located).keys() == {"row_zero"}
    assert len(codes(located)["row_zero"]) == 180 == len(located.rejected)
    assert located.points.duplicated().sum() == 251 - 179
    hainan = locate(
        Source.parse(str(shared("messy", "hainan_poi_gbk.csv"))),
        "facilities",
        near=(108.6, 18.1, 111.1, 20.2),
    )
    assert codes(hainan)["row_far"] == (298, 396, 849, 910)


def test_hainan_as_a_workbook(shared):
    located = locate(Source.parse(str(shared("messy", "hainan_poi.xlsx"))), "facilities")
    assert len(located.table) == 1218
    assert codes(located) == {"row_missing": (1155, 1160)}
    assert located.points.x.between(108, 130).all()


def test_beijing_with_columns_x_and_y(shared):
    path = shared("messy", "beijing_hospitals_gbk.csv")
    located = locate(Source.parse(str(path)), "facilities")
    assert (len(located.table), located.findings) == (126, ())
    assert located.points.x.between(115, 118).all()
    assert located.points.y.between(39, 42).all()


def test_hospitals_without_coordinates_are_refused(shared):
    path = shared("messy", "hospitals_no_coordinates_gbk.csv")
    refused(
        lambda: locate(Source.parse(str(path)), "facilities"),
        path.name,
        "机构名称",
        "地址",
        "邮政编码",
        "lon=",
    )
