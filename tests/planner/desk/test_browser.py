"""The desk in a real browser, against the figures that the command line gives."""

import json
import re
import subprocess
import sys

import pytest

from planner import coverage
from tests.planner.desk.chromium import MAP, NEEDS_CHROMIUM, serving, until
from tests.planner.maps.hamlet import NASTY, hamlet

pytestmark = NEEDS_CHROMIUM

SERVE = """
import sys
from layers import City
from planner.desk import serve
serve(City.open(sys.argv[1]), port=int(sys.argv[2]), address="127.0.0.1")
"""


@pytest.fixture(scope="module")
def nasty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("city") / "hamlet"
    return hamlet(name=NASTY, facility=NASTY, west=NASTY).save(folder)


@pytest.fixture(scope="module")
def address(nasty, tmp_path_factory):
    log = tmp_path_factory.mktemp("server") / "log"
    with serving(SERVE, nasty.path, log=log) as url:
        yield url


def told(city, service, *options):
    """What ``planner coverage --json`` says of a service."""
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "planner.cli", "coverage", "--json", "--city", str(city.path)),
            *("--service", service, "--level", "district", *options),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(answer.stdout)["services"][service]


def agrees(page, said, *, lang):
    """Whether page and table show what the command line said, once the page has settled."""
    total = said["city"]
    until(
        lambda: (
            page.figure("rate") == f"{total['rate']:.1%}"
            and f"{total['served']:,.0f}" in page.figure("served")
            and len(page.rows()) == len(said["units"])
            and page.rows()[0]["people"] == f"{said['units'][0]['people']:,.0f}"
            and page.rows()[0]["rate"] == f"{said['units'][0]['rate']:.1%}"
            and page.frame()
        ),
        what=f"figures of {said['name_en']}",
    )
    assert f"{total['people']:,.0f}" in page.figure("served")
    assert f"{total['gap']:,.0f}" in page.figure("gap")
    for row, unit in zip(page.rows(), said["units"], strict=True):
        name = unit["name_en"] if lang == "en" else unit["name"]
        assert row["name"].split() == [name, unit["code"]]
        assert row["people"] == f"{unit['people']:,.0f}"
        assert row["served"] == f"{unit['served']:,.0f}"
        assert row["rate"] == f"{unit['rate']:.1%}"
        assert row["facilities"] == f"{unit['facilities']}"


def test_choosing_a_service_changes_the_figures_and_leaves_the_frame(nasty, address, chrome):
    page = chrome.open(address)
    agrees(page, told(nasty, "menopause_clinic"), lang="zh")
    page.press("母婴室")
    agrees(page, told(nasty, "mother_baby_room"), lang="zh")

    # A look at one district stays when the service or the language changes.
    before = page.view()
    page.js(
        "all.find((one) => one.matches('.tabulator-row') && one.innerText.includes('东区'))"
        ".querySelector('.name').click();"
    )
    until(lambda: page.view()[0] > before[0] + 0.5, what="the map to go there")
    until(lambda: page.view() == page.view(), what="the map to rest")
    near = page.view()
    page.press("EN")
    until(lambda: "people served" in page.figure("served"), what="English")
    agrees(page, told(nasty, "mother_baby_room"), lang="en")
    page.press("The gap: people not served")
    page.press("menopause clinics")
    agrees(page, told(nasty, "menopause_clinic"), lang="en")
    assert page.view() == pytest.approx(near, abs=1e-4)
    assert page.loads() == 1

    assert page.asked_hosts(address) == {address.split("/")[2]}
    assert page.complaints() == []


def test_the_language_switch_leaves_no_word_behind(address, chrome):
    page = chrome.open(address + "?lang=zh&service=mother_baby_room")
    until(lambda: page.rows() and page.frame(), what="the table")
    page.press("EN")
    until(lambda: "people served" in page.figure("served"), what="English")
    # The hamlet's own names, and the name of the other language.
    own = {"中文", "小村", "卫生院", "东站", "医院", "西区", "东区"}

    def left():
        return [
            words
            for words in page.words()
            if re.search(r"[\u4e00-\u9fff]", words) and words not in own and "母婴')" not in words
        ]

    until(lambda: left() == [], what="every word to change")


def test_a_link_restores_the_state(nasty, address, chrome):
    page = chrome.open(address + "?lang=en")
    until(page.rows, what="the table")
    page.press("mother-and-baby rooms")
    page.press("Rates by unit")
    agrees(page, told(nasty, "mother_baby_room"), lang="en")
    until(lambda: "show=rates" in page.driver.current_url, what="the address")
    link = page.driver.current_url
    page.open("about:blank")
    page.open(link)
    agrees(page, told(nasty, "mother_baby_room"), lang="en")
    assert page.driver.current_url == link


def test_a_click_on_the_map_selects_the_row(nasty, address, chrome):
    page = chrome.open(address + "?lang=en&service=mother_baby_room")
    agrees(page, told(nasty, "mother_baby_room"), lang="en")
    east = nasty.units.set_index("code").geometry["3302"].representative_point()
    page.click_map(east.x, east.y + 0.002)
    until(lambda: "unit=3302" in page.driver.current_url, what="the address to name the unit")
    chosen = (
        "return all.filter((one) => one.matches('.tabulator-selected')).map((x) => x.innerText)"
    )
    until(lambda: "East" in "".join(page.js(chosen)), what="the row")
    assert page.loads() == 1


@pytest.mark.parametrize("size", [(1280, 720), (1600, 1000), (1024, 768)])
def test_nothing_scrolls_but_the_table_and_the_map_is_large(address, chrome, size):
    page = chrome.open(address, size=size)
    frame = until(page.frame, what="the map")
    until(page.rows, what="the table")
    scrolls = page.js(
        "const one = document.scrollingElement; return [one.scrollWidth, one.scrollHeight];"
    )
    assert tuple(scrolls) == size
    assert frame.size["width"] * frame.size["height"] > 0.4 * size[0] * size[1]


def test_every_facility_stands_on_the_map(nasty, address, chrome):
    page = chrome.open(address + "?service=mother_baby_room")
    agrees(page, told(nasty, "mother_baby_room"), lang="zh")
    count = len(coverage(nasty, "mother_baby_room").facilities)
    dots = MAP + (
        "let n = 0; map.eachLayer((one) => { n += one instanceof L.CircleMarker; }); return n;"
    )
    until(lambda: page.in_frame(dots) == count, what="the facilities")
