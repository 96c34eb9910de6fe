from planner.report.outline import Captioned, headings, outline
from planner.report.record import table_dict


def test_numbers_run_through_in_either_language(report):
    items = outline(report)
    told = headings(report)
    assert [one.words.zh.partition("、")[0] for one in told if one.anchor.count("-") == 1][:3] == [
        "一",
        "二",
        "三",
    ]
    assert any(one.words.en.startswith("2.1 ") for one in told)
    assert [one.words.zh[:3] for one in told if one.anchor.startswith("annex")] == [
        "附录一",
        "附录二",
        "附录三",
    ]
    for label in ("表", "图"):
        numbers = [
            item.number for item in items if isinstance(item, Captioned) and item.label.zh == label
        ]
        assert numbers == list(range(1, len(numbers) + 1)) != []


def test_keys_are_each_one_of_their_own(report):
    keys = [item.block.key for item in outline(report) if isinstance(item, Captioned)]
    assert len(keys) == len(set(keys))
    sheets = [table.key for sheet in report.sheets for table in sheet.tables]
    assert len(sheets) == len(set(sheets))
    assert all(table_dict(table)["rows"] for sheet in report.sheets for table in sheet.tables)
