import io
import sqlite3
import zipfile

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import SourceError
from layers.sources.uploads import KINDS, Limits, check_upload, refuse_size, safe_name

TABLE = "名称,经度,纬度\n甲,120.1,30.2\n"


def points():
    return gpd.GeoDataFrame({"name": ["甲"]}, geometry=[shapely.Point(120.1, 30.2)], crs=4326)


def packed(*entries, **more):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
        for name, attributes in more.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = attributes << 16
            archive.writestr(entry, "/etc/passwd")
    return held.getvalue()


def workbook():
    held = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["名称", "经度", "纬度"])
    book.save(held)
    return held.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_table_is_taken_in_any_encoding(encoding):
    assert check_upload("居家养老.csv", TABLE.encode(encoding)) == "居家养老.csv"


def test_what_geopandas_writes_is_taken(tmp_path):
    for ending in (".geojson", ".gpkg"):
        path = tmp_path / f"a{ending}"
        points().to_file(path)
        assert check_upload(path.name, path.read_bytes()) == path.name
    points().to_parquet(tmp_path / "a.parquet")
    assert check_upload("a.PARQUET", (tmp_path / "a.parquet").read_bytes()) == "a.parquet"
    points().to_file(tmp_path / "a.shp")
    parts = [(f"点位/{one.name}", one.read_bytes()) for one in tmp_path.glob("a.[sdcp][hbpr]*")]
    assert check_upload("a.zip", packed(*parts)) == "a.zip"
    assert check_upload("a.xlsx", workbook()) == "a.xlsx"
    # As offices do.
    assert check_upload("a.csv", workbook()) == "a.csv"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("../../../etc/cron.d/x.csv", "x.csv"),
        ("..\\..\\windows\\x.csv", "x.csv"),
        ("/etc/x.csv", "x.csv"),
        ("C:x.csv", "x.csv"),
        ("\\\\server\\share\\x.csv", "x.csv"),
        ("a\u202evsc.csv", "avsc.csv"),
        (".csv", "upload.csv"),
        ("nul.csv", "_nul.csv"),
        ("..", "upload"),
        ("<b>.csv", "_b_.csv"),
        ("长" * 300 + ".csv", "长" * 80 + ".csv"),
    ],
)
def test_a_name_is_no_path(given, wanted):
    assert safe_name(given) == wanted


@given(st.text(max_size=60))
def test_no_name_leads_anywhere(tmp_path_factory, name):
    safe = safe_name(name)
    assert safe not in {"", ".", ".."}
    assert not set(safe) & set('/\\\0<>:"|?*\n')
    folder = tmp_path_factory.getbasetemp()
    assert (folder / safe).resolve().parent == folder.resolve()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("run.exe", b"MZ", "不接受"),
        ("page.html", b"<script>", "不接受"),
        ("old.xls", b"\xd0\xcf\x11\xe0", ".xlsx"),
        ("none", b"x", "不接受"),
        ("a.csv", b"", "空文件"),
        ("a.csv", b"\x7fELF\0\0\0\0", "不是文本表格"),
        ("a.xlsx", TABLE.encode(), "不是 XLSX"),
        ("a.xlsx", packed(("a.txt", "x")), "不是 XLSX"),
        ("a.zip", TABLE.encode(), "不是 ZIP"),
        ("a.zip", packed(("a.shp", b"x" * 5000))[:-30], "已损坏"),
        ("a.gpkg", TABLE.encode(), "不是 GeoPackage"),
        ("a.gpkg", b"SQLite format 3\0" + b"x" * 5000, "已损坏"),
        ("a.parquet", TABLE.encode(), "不是 Parquet"),
        ("a.parquet", b"PAR1" + b"x" * 50 + b"PAR1", "已损坏"),
        ("a.geojson", TABLE.encode(), "不是 GeoJSON"),
        ("a.zip", packed(("../../x.shp", "x")), "指向包外"),
        ("a.zip", packed(("/x.shp", "x")), "指向包外"),
        ("a.zip", packed(("C:\\x.shp", "x")), "指向包外"),
        ("a.zip", packed(("..\\x.shp", "x")), "指向包外"),
        ("a.zip", packed(**{"x.shp": 0o120777}), "指向包外"),
        ("a.zip", packed(("inner.zip", packed(("a.shp", "x")))), "还有压缩包"),
    ],
    # An archive holds the time at which it was packed.
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused(name, content, words):
    with pytest.raises(SourceError, match=words):
        check_upload(name, content)


def test_bombs_are_refused_unopened():
    bomb = packed(("a.shp", b"\0" * 5_000_000))
    assert len(bomb) < 10_000
    few = Limits(unpacked=1_000_000)
    with pytest.raises(SourceError, match="解开后"):
        check_upload("a.zip", bomb, limits=few)
    book = packed(("[Content_Types].xml", "x"), ("xl/sharedStrings.xml", b" " * 5_000_000))
    with pytest.raises(SourceError, match="解开后"):
        check_upload("a.xlsx", book, limits=few)
    many = packed(*((f"{number}.txt", "") for number in range(20)))
    with pytest.raises(SourceError, match="20 个文件"):
        check_upload("a.zip", many, limits=Limits(entries=19))
    held = io.BytesIO()
    pd.DataFrame({"x": ["same"] * 500_000}).to_parquet(held)
    assert len(held.getvalue()) < 20_000
    with pytest.raises(SourceError, match="500,000 行"):
        check_upload("a.parquet", held.getvalue(), limits=Limits(rows=400_000))
    wide = io.BytesIO()
    pd.DataFrame({"x": ["y" * 3_000_000]}).to_parquet(wide)
    with pytest.raises(SourceError, match="解开后"):
        check_upload("a.parquet", wide.getvalue(), limits=few)


def test_a_table_of_more_rows_than_anybody_looks_through_is_refused(tmp_path):
    few = Limits(rows=50)
    table = pd.DataFrame({"名称": ["上"] * 100, "x": 120.1, "y": 30.2})
    points = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["x"], table["y"]), crs=4326)
    words = table.to_csv(index=False)
    made = {
        "a.csv": words.encode("gb18030"),
        "b.csv": words.replace("\n", "\r").encode(),
        "c.csv": words.encode("utf-16"),
        "a.geojson": points.to_json().encode(),
    }
    for name in ("a.xlsx", "a.gpkg", "a.parquet", "a.shp"):
        path = tmp_path / name
        if name == "a.xlsx":
            table.to_excel(path, index=False)
        elif name == "a.parquet":
            points.to_parquet(path)
        else:
            points.to_file(path)
        made[name] = path.read_bytes()
    shapes = [
        (path.name, path.read_bytes())
        for path in tmp_path.glob("a.*")
        if path.suffix[1:3] in {"sh", "db", "pr"}
    ]
    del made["a.shp"]
    made["a.zip"] = packed(*shapes)
    for name, content in made.items():
        assert check_upload(name, content) == name
        with pytest.raises(SourceError, match="超过 50 行"):
            check_upload(name, content, limits=few)
    # Letters whose bytes look like ends of lines are none.
    assert check_upload("d.csv", ("上" * 500).encode("utf-16"), limits=few) == "d.csv"


def test_a_locked_archive_is_refused():
    content = bytearray(packed(("a.shp", "x")))
    for sign, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(sign) + flags] |= 1
    with pytest.raises(SourceError, match="密码"):
        check_upload("a.zip", bytes(content))


def test_a_layer_that_is_computed_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "a.gpkg"
    points().to_file(path, layer="real")
    base = sqlite3.connect(path)
    base.execute(
        "CREATE VIEW endless AS WITH RECURSIVE n(x) AS"
        " (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    )
    base.execute(
        "INSERT INTO gpkg_contents (table_name, data_type) VALUES ('endless', 'attributes')"
    )
    base.commit()
    base.close()
    with pytest.raises(SourceError, match="endless"):
        check_upload("a.gpkg", path.read_bytes())


def test_size_is_judged_before_anything_is_sent():
    refuse_size("a.csv", 64 << 20)
    with pytest.raises(SourceError, match=r"1024\.0 MB"):
        refuse_size("a.csv", 1 << 30)
    with pytest.raises(SourceError, match="超过"):
        check_upload("a.csv", b"x" * 11, limits=Limits(size=10))


def test_every_kind_is_looked_at():
    for ending in KINDS:
        with pytest.raises(SourceError):
            check_upload(f"a{ending}", b"\0\1\2\3")
