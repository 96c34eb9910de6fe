import io

import openpyxl
import pandas as pd
import pytest

from layers.errors import SourceError
from layers.messages import speaking
from layers.sources import tables
from layers.sources.columns import known


def read(tmp_path, content, name="some.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return tables.read(path, is_heading=known(), **options)


def refused(make, *words):
    for lang in ("zh", "en"):
        with speaking(lang), pytest.raises(SourceError) as caught:
            make()
        for word in words:
            assert word in str(caught.value), (lang, str(caught.value))


PLAIN = "名称,经度,纬度\n杭州市第一人民医院,120.15,30.27\n余杭区，良渚,120.0,30.4\n"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "gbk"],
)
def test_encodings(tmp_path, encoding):
    frame = read(tmp_path, PLAIN.encode(encoding)).frame
    assert frame.columns.tolist() == ["名称", "经度", "纬度"]
    assert frame["名称"].tolist() == ["杭州市第一人民医院", "余杭区，良渚"]


def test_an_encoding_that_is_named(tmp_path):
    big5 = "名稱,經度\n醫院,120\n".encode("big5")
    assert read(tmp_path, big5, encoding="big5").frame["名稱"].tolist() == ["醫院"]
    refused(lambda: read(tmp_path, big5, encoding="martian"), "some.csv", "martian")
    refused(lambda: read(tmp_path, big5, encoding="rot13"), "rot13")
    refused(lambda: read(tmp_path, PLAIN.encode("gbk"), encoding="utf-8"), "UTF-8", "1, 2, 3")


def test_damaged_bytes_are_no_other_encoding(tmp_path):
    whole = (PLAIN + "西湖区\n" * 40).encode()
    for content in (
        whole[:-2],
        whole[:-3].replace("西湖".encode(), b"\xe8\xa5\xff\xe6\xb9\x96", 1),
    ):
        refused(lambda content=content: read(tmp_path, content), "some.csv", "UTF-8")
    refused(lambda: read(tmp_path, b"name\n\xff\xff\x80\n"), "GB18030")
    refused(lambda: read(tmp_path, b"name,lon\nabcdefgh\0,1\nabc,defgh,ijk\n"), "some.csv", "xlsx")


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "，"])
def test_delimiters(tmp_path, delimiter):
    rows = [["名称", "坐标", "备注"], ["甲", "120.1 30.2", "x"], ["乙", "120.2 30.3", ""]]
    frame = read(tmp_path, "\n".join(delimiter.join(row) for row in rows)).frame
    assert [frame.columns.tolist(), *frame.to_numpy().tolist()] == rows


def test_a_delimiter_within_cells_of_another_is_none(tmp_path):
    content = "名称;坐标\n甲;120.1,30.2\n乙;120.2,30.3\n"
    assert read(tmp_path, content).frame["坐标"].tolist() == ["120.1,30.2", "120.2,30.3"]
    told = read(tmp_path, "sep=;\r\n名称;x,y\r\n甲;1,2\r\n").frame
    assert told.columns.tolist() == ["名称", "x,y"]
    assert told.index.tolist() == [2]


def test_rows_are_numbered_as_a_spreadsheet_does(tmp_path):
    table = read(tmp_path, 'a,b\n\n"1\n1",2\n,\n3,4\n')
    assert table.frame.index.tolist() == [3, 5]
    assert (table.header, table.titled) == (1, False)


def test_titles_above_the_headings(tmp_path):
    content = "杭州市设施一览表,,,\n单位：个,,,2023年\n\n序号,机构,联系,备注\n1,甲,x,\n2,乙,y,z\n"
    table = read(tmp_path, content)
    assert (table.header, table.titled) == (4, True)
    assert table.frame.columns.tolist() == ["序号", "机构", "联系", "备注"]
    assert table.frame.index.tolist() == [5, 6]
    named = read(tmp_path, content, header=5)
    assert named.frame.columns.tolist() == ["1", "甲", "x", "#4"]
    assert named.ragged.tolist() == [True]
    refused(lambda: read(tmp_path, content, header=3), "3", "header=")


def test_headings_in_two_rows(tmp_path):
    content = "名称,地址,坐标,\n,,经度,纬度\n甲,文一路,120,30\n"
    assert read(tmp_path, content).frame.columns.tolist() == ["名称", "地址", "经度", "纬度"]


def test_columns_without_or_of_the_same_name(tmp_path):
    frame = read(tmp_path, "名称,,名称,\n甲,x,乙,\n").frame
    assert frame.columns.tolist() == ["名称", "#2", "名称 (2)"]
    table = read(tmp_path, "a,b\n1\n1,2,3,\n1,2,,\n")
    assert table.frame.columns.tolist() == ["a", "b", "#3"]
    assert table.frame.to_numpy().tolist() == [["1", "", ""], ["1", "2", "3"], ["1", "2", ""]]
    assert table.ragged.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("content", "word"),
    [("", ""), ("\n \n,\n", ""), ('a,b\n1,2\n"1,2\n', "3"), ('a,b\n"1"x,2\n', "2")],
)
def test_tables_that_cannot_be_read_name_the_row(tmp_path, content, word):
    refused(lambda: read(tmp_path, content), "some.csv", word)


# --- workbooks ---------------------------------------------------------------------------


def workbook(**sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book


def saved(book):
    to = io.BytesIO()
    book.save(to)
    return to.getvalue()


ROWS = [["名称", "经度", "编码"], ["甲", 120.15, 7], [], ["乙", 121.0, "007"]]


@pytest.mark.parametrize("name", ["some.xlsx", "some.xlsm", "some.csv", "some.xls"])
def test_a_workbook_whatever_it_is_called(tmp_path, name):
    frame = read(tmp_path, saved(workbook(表=ROWS)), name).frame
    assert frame.to_dict("list") == {
        "名称": ["甲", "乙"], "经度": ["120.15", "121"], "编码": ["7", "007"],
    }  # fmt: skip
    assert frame.index.tolist() == [2, 4]


def test_sheets(tmp_path):
    book = workbook(一=ROWS, 二=ROWS[:2], 空=[])
    content = saved(book)
    refused(lambda: read(tmp_path, content, "some.xlsx"), "一, 二", "sheet=")
    assert len(read(tmp_path, content, "some.xlsx", sheet="二").frame) == 1
    assert len(read(tmp_path, content, "some.xlsx", sheet="1").frame) == 2
    refused(lambda: read(tmp_path, content, "some.xlsx", sheet="三"), "三", "一, 二, 空")
    refused(lambda: read(tmp_path, content, "some.xlsx", sheet="空"), "some.xlsx")
    # Lists for drop-down fields are hidden by those who make them.
    book["二"].sheet_state = "hidden"
    assert len(read(tmp_path, saved(book), "some.xlsx").frame) == 2


@pytest.mark.parametrize(
    "content", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<html><table></table></html>", b"\n<?xml ?>"]
)
def test_old_workbooks_and_web_pages_are_refused_with_a_remedy(tmp_path, content):
    refused(lambda: read(tmp_path, content, "some.xls"), "some.xls", ".xlsx")


def test_a_table_of_text_that_calls_itself_a_workbook(tmp_path):
    assert len(read(tmp_path, PLAIN, "some.xls").frame) == 2
    refused(lambda: read(tmp_path, PLAIN, "some.xlsx"), "some.xlsx")


def test_a_frame_as_a_table_of_text():
    frame = pd.DataFrame({"a": [1, None], 2: [pd.Timestamp("2023-05-01"), pd.NaT]})
    table = tables.of_frame(frame)
    assert table.frame.to_dict("list") == {"a": ["1", ""], "2": ["2023-05-01", ""]}
    assert table.frame.index.tolist() == [1, 2]


def test_a_table_that_is_wider_than_any_is_refused_at_once(tmp_path):
    # Filled up to its longest row it would have 10^11 cells.
    words = "名称,经度,纬度\n" + "甲\n" * 100_000 + "," * 1_000_000 + "乙"
    refused(lambda: read(tmp_path, words), "some.csv", "1,000,001", "100,001")
