"""The view of reports in a real browser: made, shown, taken away."""

import re

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
PAGE = (
    "const one = all.find((one) => one.matches('iframe[srcdoc]') && seen(one));"
    "return one && one.srcdoc;"
)
LINKS = (
    "return all.filter((one) => one.matches('a') && seen(one))"
    ".map((one) => one.textContent.trim()).filter((words) => words.includes('-2023-'));"
)

BEYOND = """
const edge = (one) => one.getBoundingClientRect().right;
const button = all.find((one) => one.matches('button') && seen(one)
  && one.textContent.trim() === arguments[0]);
const boxes = all.filter((one) => one.matches('input[type=checkbox]'));
return button && boxes.length && {
  boxes: boxes.length,
  beyond: boxes.filter((one) => edge(one.closest('label') ?? one) > edge(button)).length,
};
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    city = hamlet().save(tmp_path_factory.mktemp("city") / "hamlet")
    log = tmp_path_factory.mktemp("server") / "log"
    with serving(SERVE, city.path, log=log) as url:
        yield url


def test_a_report_is_made_shown_and_offered(address, chrome):
    page = chrome.open(f"{address}?tab=report&kind=coverage&until=2023")
    page.press("生成报告")
    shown = until(lambda: page.js(PAGE), what="the report")
    assert "小村" in shown
    assert "2023" in shown
    names = until(lambda: page.js(LINKS), what="files")
    assert [re.search(r"\S+$", name)[0] for name in names] == [
        "coverage-2023-zh.docx",
        "coverage-2023-zh.pdf",
        "coverage-2023-zh.xlsx",
        "coverage-2023-zh.html",
    ]
    assert page.complaints() == []


@pytest.mark.parametrize(("lang", "words"), [("zh", "生成报告"), ("en", "Make the report")])
def test_every_format_can_be_ticked(address, chrome, lang, words):
    page = chrome.open(f"{address}?tab=report&lang={lang}")
    found = until(lambda: page.js(BEYOND, words), what="formats")
    assert found == {"boxes": 6, "beyond": 0}


def test_the_language_leaves_no_word_behind(address, chrome):
    page = chrome.open(f"{address}?tab=report&lang=en")
    until(lambda: "Make the report" in page.driver.execute_script(WORDS), what="the button")
    left = [
        words
        for words in page.driver.execute_script(WORDS)
        if re.search(r"[\u4e00-\u9fff]", words) and words != "中文"
    ]
    assert left == []
