import json
from dataclasses import dataclass
from typing import Any

import pytest

from planner.access import access
from planner.equity import equity
from planner.indicators import monitor
from planner.plan import load_plan
from planner.proposal import proposal
from planner.report.kinds import plan_report, siting_report
from planner.report.model import Paragraph, Table
from planner.report.writing import write_report
from planner.siting.site import site
from planner.workbench import Workbench
from tests.planner.report.conftest import SERVICES, WHEN, Written
from tests.planner.report.reading import compare
from tests.planner.report.test_docx import words


@dataclass(frozen=True)
class Followed:
    """A plan followed in the tiny city, and what reports are made of."""

    told: Any
    results: Any
    equities: Any
    proposals: Any


@pytest.fixture(scope="module")
def followed(nasty_city):
    plan = load_plan()
    bench = Workbench(nasty_city, services=plan.services)
    told = monitor(nasty_city, 2023, plan=plan, bench=bench)
    results = [bench.coverage(service, year=2023) for service in SERVICES]
    equities = [equity(access(result)) for result in results]
    made = {one.target.key: proposal(one) for one in told}
    return Followed(told, results, equities, {k: v for k, v in made.items() if v is not None})


def report_of(followed, kind, proposals=None):
    return plan_report(
        kind,
        followed.told,
        followed.results,
        followed.equities,
        findings=[],
        made=WHEN,
        proposals=proposals,
    )


@pytest.fixture(scope="module")
def mid_term(followed, tmp_path_factory):
    report = report_of(followed, "mid-term", followed.proposals)
    folder = tmp_path_factory.mktemp("mid-term")
    write_report(report, folder, formats=["docx", "xlsx", "html", "json", "pdf"], lang="en")
    told = json.loads((folder / report.name / f"{report.name}.json").read_text(encoding="utf-8"))
    return Written(report, folder / report.name, told)


def test_figures_in_documents_are_those_of_json(mid_term):
    from docx import Document  # noqa: PLC0415 - a test's own

    from tests.planner.report.test_page import Tables  # noqa: PLC0415

    tables = mid_term.tables()
    document = Document(mid_term.file("docx", "en"))
    page = Tables(mid_term.file("html", "en").read_text(encoding="utf-8"))
    assert len(document.tables) == len(page.tables) == len(tables)
    for table, drawn, told in zip(document.tables, page.tables, tables, strict=True):
        shown = [[words(cell._tc) for cell in row.cells] for row in table.rows]
        compare(shown, told, "en")
        compare(drawn, told, "en")


def test_every_indicator_stands_in_the_report_with_its_state(followed):
    report = report_of(followed, "annual")
    tables = {block.key: block for block in report.blocks() if isinstance(block, Table)}
    for one in followed.told:
        table = tables[f"indicators.{one.target.part}"]
        names = [name.zh for name in table.values("name")]
        row = names.index(one.target.title("zh"))
        assert one.judgement.words("zh") in table.values("state")[row].zh
        value = table.values("value")[row]
        assert (None if value is None else value.number) == one.value


def test_the_key_indicators_stand_as_in_the_plans_own_table(followed):
    report = report_of(followed, "annual")
    (table,) = [block for block in report.blocks() if getattr(block, "key", "") == "indicators.key"]
    assert [column.head.zh for column in table.columns] == [
        *("序号", "指标", "2020年", "2023年", "目标", "状态"),
    ]
    rows = table.values("row")
    # The thirteenth is a target of the five services and stands with them.
    assert rows == list(range(1, 13))
    words_of = {row: goal.zh for row, goal in zip(rows, table.values("goal"), strict=True)}
    assert "适应" in words_of[4]
    assert table.values("base")[0].number == 85.13


def test_every_warning_and_every_unit_that_is_short_is_named(followed):
    report = report_of(followed, "annual")
    tables = {block.key: block for block in report.blocks() if isinstance(block, Table)}
    alerts = followed.told.alerts()
    assert len(alerts) == len(tables["warnings"].rows) > 0
    missed = [one for one in followed.told if one.target.kind == "quota" and one.goal is not None]
    named = 0
    for one in missed:
        short = one.missing()
        short = short[short["missing"].fillna(0) > 0]
        if short.empty:
            continue
        table = tables[f"missing.{one.target.key}"]
        assert table.values("missing")[:-1] == short["missing"].tolist()
        assert table.values("missing")[-1] == short["missing"].sum()
        named += len(short)
    assert named > 0


def test_the_kinds_differ_in_what_they_say(followed):
    titles = {
        kind: {section.title.zh for section in report_of(followed, kind).sections}
        for kind in ("annual", "mid-term", "final")
    }
    assert "建议" in titles["annual"] & titles["mid-term"]
    assert "建议" not in titles["final"]
    keys = {
        kind: {getattr(block, "key", "") for block in report_of(followed, kind).blocks()}
        for kind in titles
    }
    assert "by_year" not in keys["annual"]
    assert "by_year" in keys["mid-term"] & keys["final"]
    assert "equity" in keys["annual"]


def test_an_evaluation_of_another_year_says_so(followed):
    warned = [
        block.words.zh
        for block in report_of(followed, "final").blocks()
        if isinstance(block, Paragraph) and block.role == "warning"
    ]
    assert any("评估年份为2025年" in line for line in warned)


def test_proposals_tell_where_and_how_many(followed, mid_term):
    tables = {table["key"]: table for table in mid_term.tables()}
    assert followed.proposals
    for key, made in followed.proposals.items():
        state = followed.told[key].state
        if state not in {"off_course", "at_risk"} or not made.found:
            continue
        rows = tables[f"proposal.{key}"]["rows"]
        assert [row[3:5] for row in rows] == made.sites[["lon", "lat"]].to_numpy().tolist()


@pytest.fixture(scope="module")
def siting(nasty_city):
    return site(nasty_city, "home_care_centre", model="mclp", p=2, year=2023)


def test_a_siting_stands_in_tables_sheets_and_layers(siting, tmp_path):
    import geopandas as gpd  # noqa: PLC0415 - a test's own

    report = siting_report(siting, findings=[], made=WHEN)
    assert report.name == "siting-2023"
    tables = {block.key: block for block in report.blocks() if isinstance(block, Table)}
    sites = siting.sites
    assert len(sites) > 0
    assert tables["sites"].values("people_new") == sites["people_new"].tolist()
    effect = tables["before_after"]
    by = siting.by("district")
    assert effect.values("rate_after")[:-1] == by["rate_after"].tolist()
    assert effect.values("rate_after")[-1] == siting.after.total()["rate"]
    assert effect.values("sites")[-1] == len(sites)
    files = write_report(report, tmp_path, formats=["gpkg", "json"])
    back = gpd.read_file(files[0], layer="home_care_centre_sites", engine="pyogrio")
    assert back["id"].tolist() == sites["id"].tolist()
    assert back["people_new"].tolist() == sites["people_new"].tolist()


def test_a_siting_without_an_answer_says_why(nasty_city):
    made = site(
        nasty_city, "menopause_clinic", model="mclp", p=1, year=2023, floors={"district": 1.0}
    )
    assert not made.found
    report = siting_report(made, findings=[], made=WHEN)
    warned = [
        block.words.zh
        for block in report.blocks()
        if isinstance(block, Paragraph) and block.role == "warning"
    ]
    assert set(made.words("zh")) <= set(warned)
