"""Damaged and odd files: each is refused in plain words, or loads with findings."""

import io
import zipfile
from functools import cache

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import PlannerError
from layers.messages import LANGUAGES, speaking
from layers.sources import inhabitants, places
from layers.sources.files import Source
from tests.layers.sources.harm import harm, share, zipped

_PLACES = {"市一医院": (120.15, 30.27), "养老，服务": (120.2, 30.3), "丙 clinic": (119.9, 30.1)}


# --- whole files ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@cache
def whole(kind):
    """Content of a file that is as it should be."""
    rows = [(name, *where, 100) for name, where in _PLACES.items()]
    frame = pd.DataFrame(rows, columns=["名称", "经度", "纬度", "residents"])
    layer = gpd.GeoDataFrame(
        frame, geometry=gpd.points_from_xy(*zip(*_PLACES.values(), strict=True))
    )
    layer = layer.set_crs(4326)
    if kind == "csv":
        return ("﻿" + frame.to_csv(index=False)).encode()
    if kind == "txt":
        return frame.to_csv(index=False, sep="\t").encode("gb18030")
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row in (list(frame.columns), *frame.itertuples(index=False)):
            book.active.append(list(row))
        to = io.BytesIO()
        book.save(to)
        return to.getvalue()
    if kind == "geojson":
        return layer.to_json().encode()
    if kind == "kml":
        to = io.BytesIO()
        layer.to_file(to, driver="KML", engine="pyogrio")
        return to.getvalue()
    to = io.BytesIO()
    layer.to_parquet(to)
    return to.getvalue()


@cache
def parts(folder, suffix):
    """Files that only a driver can write: of a shapefile each part, or a geopackage."""
    where = gpd.points_from_xy(*zip(*_PLACES.values(), strict=True))
    layer = gpd.GeoDataFrame({"name": list(_PLACES), "residents": 100}, geometry=where, crs=4326)
    target = folder / f"whole.{suffix}"
    layer.to_file(target, **({"encoding": "GBK"} if suffix == "shp" else {}))
    return {file.suffix: file.read_bytes() for file in folder.glob("whole.*")}


@pytest.mark.parametrize("kind", ["csv", "txt", "xlsx", "geojson", "kml", "parquet", "gpkg", "zip"])
def test_whole_files_load(folder, kind):
    if kind == "zip":
        content = zipped((f"p{suffix}", part) for suffix, part in parts(folder, "shp").items())
    else:
        content = parts(folder, "gpkg")[".gpkg"] if kind == "gpkg" else whole(kind)
    path = folder / f"good.{kind}"
    path.write_bytes(content)
    made = places.read(Source.parse(f"{path},service=clinic"))
    assert made.layer["name"].tolist() == list(_PLACES)
    assert made.findings == ()


# --- what may befall them ---------------------------------------------------------------------


def tried(path, content, options=""):
    """Read a file both ways; what is refused is refused in words, what loads adds up."""
    path.write_bytes(content)
    source = Source.parse(f"{path},service=clinic{options}")
    try:
        with speaking("en" if len(content) % 2 else "zh"):
            made = places.read(source)
    except PlannerError as refused:
        assert path.name in str(refused) or "crs" in options  # noqa: PT017 - either will do
    else:
        ours = made.layer.geometry
        assert ours.geom_type.eq("Point").all()
        assert ours.x.between(-180, 180).all()
        assert ours.y.between(-90, 90).all()
        for one in made.findings:
            assert all(
                one.words(part, lang) for part in ("message", "remedy") for lang in LANGUAGES
            )
        told = sum(len(one.rows) for one in made.findings if one.code.startswith("row_"))
        assert told == len(made.rejected) == len(made.rejected.table())
    try:
        people, _, _ = inhabitants.read(Source(path, {}), near=(118.3, 29.2, 120.7, 30.6))
    except PlannerError:
        return
    assert len(people)


@pytest.mark.parametrize("kind", ["csv", "txt", "xlsx", "geojson", "kml", "parquet"])
@share(0.09)
@given(harms=st.lists(harm(), min_size=1, max_size=3))
def test_damaged_files(folder, kind, harms):
    content = whole(kind)
    for befall in harms:
        content = befall(content)
    tried(folder / f"some.{kind}", content)


@share(0.05)
@given(harms=st.lists(harm(), min_size=1, max_size=3))
def test_a_damaged_geopackage(folder, harms):
    content = parts(folder, "gpkg")[".gpkg"]
    for befall in harms:
        content = befall(content)
    tried(folder / "some.gpkg", content)


_LEADING = st.sampled_from(["", "a/", "../../", "/etc/", "..\\..\\", "C:\\", "__MACOSX/", "资料/"])


@share(0.1)
@given(
    harms=st.dictionaries(st.sampled_from([".shp", ".dbf", ".shx", ".prj", ".cpg"]), harm()),
    missing=st.sets(st.sampled_from([".shx", ".dbf", ".prj", ".cpg"]), max_size=2),
    leading=st.lists(_LEADING, min_size=1, max_size=2),
    last=st.none() | harm(),
)
def test_damaged_shapefiles_in_a_zip(folder, harms, missing, leading, last):
    files = []
    for suffix in (".shp", ".dbf", ".shx", ".prj", ".cpg"):
        if suffix not in missing:
            content = parts(folder, "shp")[suffix]
            content = harms[suffix](content) if suffix in harms else content
            files += [(f"{start}p{suffix}", content) for start in dict.fromkeys(leading)]
    content = zipped(files)
    before = set(folder.parent.iterdir())
    tried(folder / "some.zip", last(content) if last else content)
    assert set(folder.parent.iterdir()) == before


# --- parts of a workbook ------------------------------------------------------------------------


@share(0.1)
@given(
    harms=st.dictionaries(st.integers(0, 12), harm(), max_size=3),
    missing=st.sets(st.integers(0, 12), max_size=2),
)
def test_workbooks_whose_parts_are_damaged(folder, harms, missing):
    with zipfile.ZipFile(io.BytesIO(whole("xlsx"))) as archive:
        files = [(name, archive.read(name)) for name in archive.namelist()]
    made = [
        (name, harms[place](content) if place in harms else content)
        for place, (name, content) in enumerate(files)
        if place not in missing
    ]
    tried(folder / "parts.xlsx", zipped(made))


_CELL = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["120.15", "１２０．１５", "120°09'", "30.27", "=1/0", "#N/A", "合计", "经度"]),
    st.datetimes(),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Z"]), max_size=8),
)


@share(0.06)
@given(rows=st.lists(st.lists(_CELL, max_size=6), max_size=8), at=st.integers(0, 4))
def test_workbooks_of_any_cells(folder, rows, at):
    book = openpyxl.Workbook()
    for row in [*rows[:at], ["名称", "经度", "纬度"], *rows[at:]]:
        book.active.append(row)
    to = io.BytesIO()
    book.save(to)
    tried(folder / "cells.xlsx", to.getvalue())


# --- tables of text of any kind ------------------------------------------------------------------

_HEADING = st.sampled_from(
    [
        "名称",
        "经度",
        "纬度",
        "lon",
        "lat",
        "X",
        "Y",
        "坐标",
        "name",
        "经度",
        "",
        "百度经度",
        "百度纬度",
        "location",
        "residents",
        "service",
        "id",
        "#3",
        "备注\n（选填）",
        '"',
        "1",
    ]
)
_WORD = st.one_of(
    st.sampled_from(
        [
            "120.15",
            "30.27",
            "120.15,30.27",
            "0",
            "",
            "-",
            "514000",
            "3350000",
            "40514000",
            "1e309",
            "nan",
            "-0",
            "１２０．５",
            "120°61'",
            "东经120度",
            "9" * 400,
            "x" * 140_000,
            "120.1;30.2",
            "POINT(1 2)",
            "\u202e",
            "²",
            "½",
            "٣",
            "①",
            "1,2,3",
            "--",
            "0x10",
            "12:30:99",
        ]
    ),
    st.floats().map(str),
    st.text(max_size=10),
)
_LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])


@share(0.12)
@given(
    headings=st.lists(_HEADING, max_size=6),
    rows=st.lists(st.lists(_WORD, max_size=7), max_size=8),
    delimiter=st.sampled_from([",", "\t", ";", "|", "，", " ", "、"]),
    quote=st.sampled_from(["", '"', "'"]),
    end=_LINE_ENDS,
    encoding=st.sampled_from(
        ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "big5", "latin-1"]
    ),
    options=st.sampled_from(
        [
            "",
            ",crs=4549",
            ",crs=4528",
            ",datum=gcj02",
            ",lon=X,lat=Y",
            ",header=2",
            ",unique=名称",
            ",encoding=utf-16",
            ",encoding=rot13",
            ",coordinates=坐标",
            ",repeats=drop",
            ",sheet=1",
            ",crs=EPSG:4978",
            ",crs=+proj=gnom +lat_0=90",
        ]
    ),
)
def test_tables_of_any_words(folder, headings, rows, delimiter, quote, end, encoding, options):
    lines = [delimiter.join(f"{quote}{cell}{quote}" for cell in row) for row in (headings, *rows)]
    tried(folder / "words.csv", end.join(lines).encode(encoding, "replace"), options)


@share(0.05)
@given(
    content=st.binary(max_size=300),
    start=st.sampled_from(
        [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xef\xbb\xbf", b"\xff\xfe", b"PAR1", b"<html>"]
    ),
    suffix=st.sampled_from(
        [
            "csv",
            "tsv",
            "txt",
            "xlsx",
            "xls",
            "xlsm",
            "geojson",
            "gpkg",
            "shp",
            "zip",
            "kml",
            "parquet",
            "gdb",
            "none",
        ]
    ),
)
def test_files_of_any_bytes(folder, content, start, suffix):
    tried(folder / f"bytes.{suffix}", start + content)


def test_a_sheet_that_claims_a_row_beyond_all_ends(folder):
    with zipfile.ZipFile(io.BytesIO(whole("xlsx"))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    files[sheet] = files[sheet].replace(b'<row r="4"', b'<row r="99999999999"')
    tried(folder / "beyond.xlsx", zipped(files.items()))


def test_points_of_any_kind_in_geojson(folder):
    shapes = [
        None,
        shapely.Point(),
        shapely.Point(1e400, 1),
        shapely.MultiPoint([(120, 30)]),
        shapely.LineString([(120, 30), (121, 31)]),
        shapely.Point(120, 30, 5),
    ]
    frame = gpd.GeoDataFrame({"name": [str(n) for n in range(6)]}, geometry=shapes, crs=4326)
    frame.to_file(folder / "kinds.gpkg")
    made = places.read(Source.parse(f"{folder / 'kinds.gpkg'},service=clinic"))
    assert made.layer["name"].tolist() == ["3", "5"]
    assert made.rejected.counts() == {"row_no_geometry": 3, "row_no_point": 1}
