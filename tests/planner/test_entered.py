import openpyxl
import pytest

from layers.errors import PlanError, SourceError
from planner import load_plan
from planner.entered import read_values
from planner.history import Record, add_records


def table(tmp_path, words, name="values.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_text(words, encoding=encoding)
    return path


def told(history):
    return [(record.key, record.year, record.value) for record in history]


def test_a_row_a_value_under_an_offices_title(tmp_path):
    path = table(
        tmp_path,
        "妇女发展指标填报表,,,,,\n"
        "指标,年份,数值,填报人,数据来源,说明\n"
        "life_expectancy,2021,85.31,王某,卫健委,\n"
        "妇女国民体质合格率,2022年,94.6%,李某,体育局,抽样\n"
        'women insured for maternity,2023,"230,5",王某,医保局,\n'
        "home_adaptations,2021,2050,王某,民政局,\n"
        "legal_aid,2021,—,王某,司法局,未统计\n",
        encoding="gb18030",
    )
    history = read_values(path, load_plan())
    assert told(history) == [
        ("life_expectancy", 2021, 85.31),
        ("physical_fitness", 2022, 94.6),
        ("maternity_insurance", 2023, 2305),
        ("home_adaptations", 2021, 2050),
    ]
    first = history.records[1]
    assert (first.who, first.source, first.reason) == ("李某", "体育局", "抽样")


def test_a_column_a_year_in_a_workbook(tmp_path):
    path = tmp_path / "values.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["指标名称", "2020", "2021", "2022年", "来源"])
    sheet.append(["妇女人均预期寿命", 85.13, 85.2, None, "年鉴"])
    sheet.append(["获得法律机构援助的女性人数", 3291, 2050, 2100, "司法局"])
    book.save(path)
    assert told(read_values(path, load_plan())) == [
        ("life_expectancy", 2020, 85.13),
        ("life_expectancy", 2021, 85.2),
        ("legal_aid", 2020, 3291),
        ("legal_aid", 2021, 2050),
        ("legal_aid", 2022, 2100),
    ]


def test_units_by_name_or_code(tmp_path, tiny_city):
    path = table(
        tmp_path,
        "指标,年份,数值,区县\nactivity_centres,2023,1,西区\nactivity_centres,2023,0.5,330192\n",
    )
    history = read_values(path, load_plan(), tiny_city)
    assert [record.unit for record in history] == ["330191", "330192"]


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("寿命,2021,85", "寿命"),
        ("life_expectancy,2030,85", "2030"),
        ("life_expectancy,soon,85", "soon"),
        ("life_expectancy,2021,很高", "很高"),
        ("life_expectancy,2021,-1", "-1"),
        ("physical_fitness,2021,104", "104"),
        ("activity_centres,2021,13", "13"),
        ("life_expectancy,2021,inf", "inf"),
    ],
)
def test_rows_that_make_no_sense_are_named(tmp_path, row, named):
    path = table(tmp_path, f"指标,年份,数值\nlegal_aid,2021,3000\n{row}\n")
    with pytest.raises(PlanError) as caught:
        read_values(path, load_plan())
    assert "第3行" in str(caught.value)
    assert named in str(caught.value)


def test_every_wrong_row_is_named_at_once(tmp_path, tiny_city):
    words = "指标,年份,数值,区县\nlegal_aid,2021,3000,南区\nlegal_aid,2019,3000,\n"
    with pytest.raises(PlanError, match=r"(?s)第2行.*南区.*第3行.*2019"):
        read_values(table(tmp_path, words), load_plan(), tiny_city)


def test_tables_that_cannot_be_values(tmp_path):
    with pytest.raises(PlanError, match="名称"):
        read_values(table(tmp_path, "名称,电话\n甲,1\n"), load_plan())
    with pytest.raises(PlanError, match=r"none\.csv"):
        read_values(tmp_path / "none.csv", load_plan())
    with pytest.raises(PlanError, match=r"none\.jsonl"):
        read_values(tmp_path / "none.jsonl", load_plan())
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(SourceError):
        read_values(broken, load_plan())


def test_a_history_is_read_with_its_corrections(tmp_path):
    path = tmp_path / "history.jsonl"
    signed = {"who": "王", "source": "年鉴"}
    add_records(path, [Record(key="life_expectancy", year=2021, value=85.3, **signed)])
    again = Record(key="life_expectancy", year=2021, value=85.2, reason="更正", **signed)
    add_records(path, [again])
    history = read_values(path, load_plan())
    assert [record.value for record in history.standing()] == [85.2]
    assert len(history) == 2
