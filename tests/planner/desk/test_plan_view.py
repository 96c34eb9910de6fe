"""The view of the plan in a real browser, against the figures that the command line gives."""

import json
import re
import subprocess
import sys

import pytest

from tests.planner.desk.chromium import NEEDS_CHROMIUM, WORDS, serving, until
from tests.planner.maps.hamlet import hamlet

pytestmark = NEEDS_CHROMIUM

SERVE = """
import sys
from layers import City
from planner.desk import serve
serve(City.open(sys.argv[1]), port=int(sys.argv[2]), address="127.0.0.1")
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return hamlet().save(tmp_path_factory.mktemp("city") / "hamlet")


@pytest.fixture(scope="module")
def address(city, tmp_path_factory):
    log = tmp_path_factory.mktemp("server") / "log"
    with serving(SERVE, city.path, log=log) as url:
        yield url


@pytest.fixture(scope="module")
def told(city):
    """What ``planner monitor --json`` says of 2023."""
    words = "monitor", "--year", "2023", "--json", "--city", str(city.path)
    answer = subprocess.run(
        [sys.executable, "-m", "planner.cli", *words], check=True, capture_output=True, text=True
    )
    return json.loads(answer.stdout)


def counts(page):
    found = page.js(
        "return all.filter((one) => one.dataset.count && seen(one))"
        ".map((one) => [one.dataset.count, Number(one.textContent)]);"
    )
    return dict(found)


def detail(page):
    return page.js(
        "const one = all.find((one) => one.dataset.state && seen(one));"
        "return one && [one.dataset.state, one.getRootNode().querySelector('h2').textContent];"
    )


def test_states_are_those_of_the_command_line(address, chrome, told):
    page = chrome.open(f"{address}?tab=plan")
    until(lambda: counts(page) == told["states"], what="counts by state")
    shown = until(lambda: [row for row in page.rows() if row.get("state")], what="the list")
    by_title = {one["target"]["name"]: one for one in told["indicators"]}
    for row in shown:
        entry = by_title[row["target"].splitlines()[0]]
        word = row["state"].split(maxsplit=1)[1]
        states = {"met": "已达标", "on_course": "按进度", "at_risk": "有风险"}
        states |= {"off_course": "偏离", "not_measurable": "无法测算"}
        assert word == states[entry["state"]]


def test_a_link_opens_a_target_and_a_row_chooses_another(address, chrome, told):
    page = chrome.open(f"{address}?tab=plan&target=clinics_in_city&until=2023")
    by_key = {one["key"]: one for one in told["indicators"]}
    wanted = by_key["clinics_in_city"]
    until(
        lambda: detail(page) == [wanted["state"], wanted["target"]["name"]], what="the target asked"
    )
    page.js(
        "all.filter((one) => one.matches('.tabulator-row') && seen(one))"
        "[1].querySelector('[tabulator-field=target]').click();"
    )
    first = told["indicators"][0]
    until(lambda: detail(page) == [first["state"], first["target"]["name"]], what="another target")
    until(lambda: f"target={first['key']}" in page.driver.current_url, what="its address")
    units = page.js(
        "return all.filter((one) => one.dataset.code && seen(one))"
        ".map((one) => [one.dataset.code, one.querySelector('td:nth-last-child(2)').textContent]);"
    )
    assert [code for code, _ in units] == [unit["code"] for unit in first["units"]]
    for (_, cell), unit in zip(units, first["units"], strict=True):
        assert cell.startswith(f"{unit['facilities']}/{unit['quota']}")
        assert cell.endswith("✓" if unit["met"] else "✗")


def test_another_year_is_followed_and_the_language_leaves_no_word_behind(address, chrome):
    page = chrome.open(f"{address}?tab=plan&until=2021&lang=en&target=clinics_in_city")
    until(lambda: detail(page), what="the target")
    years = (
        "return all.filter((one) => one.matches('table.years') && seen(one))"
        ".map((one) => one.textContent).join();"
    )
    # The table follows the target's head.
    until(lambda: "2021" in page.js(years), what="the years")
    # The plan's own numbering and the button of the other language stay as they are.
    left = [
        words
        for words in page.driver.execute_script(WORDS)
        if re.search(r"[\u4e00-\u9fff]", words)
        and not re.fullmatch(r"[一二三四五六七八九十()表;,\d\s重点]*|中文", words)
    ]
    assert left == []
    assert page.complaints() == []
