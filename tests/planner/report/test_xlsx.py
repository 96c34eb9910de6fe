import zipfile
from datetime import UTC, datetime

import pytest
from openpyxl import load_workbook

from planner.report.kinds import city_name
from planner.report.model import Column, Report, Sheet, Table
from planner.report.phrase import same
from planner.report.xlsx import write_xlsx


@pytest.fixture(scope="module", params=["zh", "en"])
def opened(request, written):
    return request.param, load_workbook(written.file("xlsx", request.param))


def flat(values, columns):
    """Values of a row as a spreadsheet holds them: a band as its two ends."""
    for value, column in zip(values, columns, strict=True):
        if column["kind"] == "band":
            yield from value or [None, None]
        else:
            yield value


def rows_under(page, caption):
    """Rows below a table's caption, its heading first."""
    start = next(row for row in range(1, page.max_row + 1) if page.cell(row, 1).value == caption)
    return list(page.iter_rows(min_row=start + 1))


def test_figures_are_numbers_and_those_of_json_to_the_last_digit(opened, written):
    lang, book = opened
    for page, sheet in zip(book.worksheets, written.told["sheets"], strict=True):
        for table in sheet["tables"]:
            rows = rows_under(page, table["caption"][lang])[1 : len(table["rows"]) + 1]
            for cells, values in zip(rows, table["rows"], strict=True):
                for cell, value in zip(cells, flat(values, table["columns"]), strict=False):
                    wanted = value
                    if isinstance(value, dict):
                        wanted = value.get("number", value[lang] or None)
                    told = (table["key"], cell.coordinate)
                    if isinstance(wanted, int | float):
                        # A spreadsheet keeps no more digits.
                        assert cell.value == pytest.approx(wanted, rel=1e-15), told
                        assert cell.data_type == "n"
                    else:
                        assert cell.value == wanted, told


def test_documents_show_a_part_of_the_sheets(written):
    """Rows of the tables in the text stand in the sheets, value for value."""
    whole = {table["key"]: table for sheet in written.told["sheets"] for table in sheet["tables"]}
    for table in written.tables():
        service = table["key"].partition(".")[0]
        source = whole.get(f"{service}.units", whole.get(table["key"]))
        keys = [column["key"] for column in source["columns"]]
        places = [keys.index(column["key"]) for column in table["columns"]]
        held = [[row[place] for place in places] for row in source["rows"]]
        assert all(row in held for row in table["rows"]), table["key"]


def test_a_sheet_a_service_with_headings_in_sight(opened, written):
    lang, book = opened
    assert book.sheetnames[1:4] == [result["title"][lang] for result in written.told["sheets"][1:4]]
    for page in book.worksheets[1:4]:
        head = int("".join(letter for letter in page.freeze_panes if letter.isdigit())) - 1
        name = {"zh": "单元", "en": "Unit"}[lang]
        assert name in [cell.value for cell in page[head]]
        assert page.auto_filter.ref.startswith(f"A{head}:")
        assert page.print_title_rows == f"${head}:${head}"


def test_rows_are_as_high_as_their_words_need(opened):
    _, book = opened
    seen = 0
    for page in book.worksheets:
        for row in page.iter_rows():
            for cell in row:
                if not (isinstance(cell.value, str) and cell.alignment.wrap_text):
                    continue
                wide = page.column_dimensions[cell.column_letter].width
                needed = sum(2 if letter > "\u2e80" else 1 for letter in cell.value) / wide
                if needed > 1:
                    seen += 1
                    assert page.row_dimensions[cell.row].height >= 13 * needed
    assert seen


def test_no_cell_is_a_formula(written, opened):
    lang, book = opened
    nasty = []
    for page in book.worksheets:
        for row in page.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                if isinstance(cell.value, str) and cell.value.startswith("="):
                    assert cell.quotePrefix
                    nasty.append(cell.value)
    assert nasty
    with zipfile.ZipFile(written.file("xlsx", lang)) as parts:
        for name in parts.namelist():
            assert b"<f>" not in parts.read(name)


def test_a_rate_just_below_one_is_not_shown_as_the_whole(tiny_city):
    columns = (Column(key="rate", head=same("rate"), kind="rate"),)
    table = Table(key="t", caption=same("t"), columns=columns, rows=((0.99999,), (1.0,)))
    report = Report(
        kind="coverage",
        title=same("t"),
        subtitle=(),
        city=tiny_city,
        year=None,
        made=datetime(2024, 1, 1, tzinfo=UTC),
        version="0",
        labels=(city_name(tiny_city),),
        sections=(),
        sheets=(Sheet(key="s", title=same("s"), lines=(), tables=(table,)),),
        layers=(),
    )
    from io import BytesIO  # noqa: PLC0415 - a test's own

    page = load_workbook(BytesIO(write_xlsx(report, "zh"))).worksheets[0]
    assert page["A3"].number_format == '[>=1]0.0%;[>=0.9995]"99.9%";0.0%'
