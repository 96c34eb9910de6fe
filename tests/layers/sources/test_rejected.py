import pandas as pd
import pytest

from layers.errors import CityError
from layers.messages import speaking
from layers.sources import rejected
from layers.sources.files import Source
from layers.sources.points import locate
from layers.sources.rejected import Rejected

TABLE = """名称,地址,经度,纬度
甲,文一路,120.15,30.27
乙,"文二路，""旧""
二楼",,
丙,文三路,0,0
"""


@pytest.fixture
def located(tmp_path):
    path = tmp_path / "机构.csv"
    path.write_bytes(TABLE.encode("gb18030"))
    return locate(Source.parse(str(path)), "facilities")


def test_what_is_written_opens_in_excel_and_holds_everything(tmp_path, located):
    written = rejected.write([located.rejected], tmp_path / "out" / "left")
    path = tmp_path / "out" / "left" / "机构.csv"
    assert written == {path: 2}
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    frame = pd.read_csv(path, dtype="str", keep_default_na=False)
    assert frame.to_dict("list") == {
        "行号": ["3", "4"],
        "原因": ["没有坐标", "坐标为 0, 0"],
        "名称": ["乙", "丙"],
        "地址": ['文二路，"旧"\n二楼', "文三路"],
        "经度": ["", "0"],
        "纬度": ["", "0"],
    }
    assert [file.name for file in path.parent.iterdir()] == ["机构.csv"]


def test_in_english(tmp_path, located):
    with speaking("en"):
        table = located.rejected.table()
    assert table.columns[:2].tolist() == ["row", "reason"]
    assert table["reason"].tolist() == ["no coordinates", "coordinates are 0, 0"]


def test_completed_it_is_imported_as_it_is(tmp_path, located):
    (path,) = rejected.write([located.rejected], tmp_path / "left")
    completed = path.read_bytes().replace(b",,\r\n", b",120.2,30.3\r\n")
    path.write_bytes(completed)
    again = locate(Source.parse(str(path)), "facilities")
    assert again.table["名称"].tolist() == ["乙"]
    assert again.points.iloc[0].coords[0] == (120.2, 30.3)
    # What is still open is told by its row in this file, with one reason and one number.
    table = again.rejected.table()
    assert table.columns.tolist() == ["行号", "原因", "名称", "地址", "经度", "纬度"]
    assert table["行号"].tolist() == [3]
    # Nobody's work is written over.
    (other,) = rejected.write([again.rejected], tmp_path / "left")
    assert other.name == "机构-2.csv"
    assert path.read_bytes() == completed
    assert list(rejected.write([again.rejected], tmp_path / "left")) == [other]


def test_two_tables_of_one_name(tmp_path, located):
    one = located.rejected
    other = Rejected(
        tmp_path / "b" / "机构.xlsx", one.rows.iloc[:1], one.reasons[:1], one.cells[:1]
    )
    written = rejected.write([one, one, other], tmp_path / "left")
    assert {path.name: count for path, count in written.items()} == {"机构.csv": 2, "机构-2.csv": 1}


def test_nothing_left_writes_nothing(tmp_path, located):
    none = Rejected(tmp_path / "a.csv", *(part.iloc[:0] for part in (
        located.rejected.rows, located.rejected.reasons, located.rejected.cells)))  # fmt: skip
    assert rejected.write([none], tmp_path / "left") == {}
    assert not (tmp_path / "left").exists()
    assert none.findings("facilities") == []


def test_a_disk_that_refuses(tmp_path, located):
    (tmp_path / "left").write_text("in the way")
    for lang in ("zh", "en"):
        with speaking(lang), pytest.raises(CityError, match="left"):
            rejected.write([located.rejected], tmp_path / "left")


def test_findings_name_rows_reason_and_what_stood_there(located):
    assert located.rejected.counts() == {"row_missing": 1, "row_zero": 1}
    assert [one.rows for one in located.rejected.findings("facilities")] == [(3,), (4,)]
    assert repr(located.rejected) == "<Rejected of 机构.csv: row_missing 1, row_zero 1>"


def test_no_cell_that_is_written_is_a_formula(tmp_path):
    path = tmp_path / "机构.csv"
    path.write_text(
        "名称,备注,经度,纬度\n甲,x,120.1,30.2\n=1+1,@SUM(A1),-120.1,\n", encoding="utf-8"
    )
    lost = locate(Source.parse(str(path)), "facilities").rejected
    line = lost.as_csv().decode("utf-8-sig").splitlines()[1]
    assert line == "3,没有坐标,'=1+1,'@SUM(A1),-120.1,"
