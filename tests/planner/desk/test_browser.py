"""The desk in a real browser, against the figures that the command line gives."""

import json
import re
import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from planner import Standard, coverage
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
    page.press("The gap")
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
    # The largest thing on the page, on a tablet too.
    assert frame.size["width"] * frame.size["height"] > 0.38 * size[0] * size[1]


def test_every_facility_stands_on_the_map(nasty, address, chrome):
    page = chrome.open(address + "?service=mother_baby_room")
    agrees(page, told(nasty, "mother_baby_room"), lang="zh")
    count = len(coverage(nasty, "mother_baby_room").facilities)
    dots = MAP + (
        "let n = 0; map.eachLayer((one) => { n += one instanceof L.CircleMarker; }); return n;"
    )
    until(lambda: page.in_frame(dots) == count, what="the facilities")


# How many pixels of the streets' layer have each colour.
COLOURS = """
const found = {};
for (const canvas of document.querySelectorAll("[data-layer=field] canvas")) {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) {
    const key = [data[i], data[i + 1], data[i + 2]].join();
    found[key] = (found[key] || 0) + 1;
  }
}
return found;
"""
SERVED, UNSERVED = "33,102,172", "214,96,77"


def test_the_slider_moves_streets_and_figures_without_a_tile(nasty, address, chrome):
    page = chrome.open(address + "?lang=en&service=mother_baby_room")
    agrees(page, told(nasty, "mother_baby_room"), lang="en")
    before = until(lambda: page.in_frame(COLOURS), what="the streets")
    tiles = (
        "return performance.getEntriesByType('resource')"
        ".filter((one) => one.name.includes('/tiles/')).length;"
    )
    asked = page.in_frame(tiles)
    move = (
        "const range = all.find((one) => one.matches('input[type=range]'));"
        "range.value = arguments[0];"
        "range.dispatchEvent(new Event(arguments[1], {bubbles: true}));"
    )
    first = page.figure("rate")
    page.js(move, 400, "input")
    until(lambda: page.figure("rate") != first, what="the figures to follow")
    less = until(
        lambda: (now := page.in_frame(COLOURS)) != before and now, what="the streets to follow"
    )
    assert less[SERVED] < before[SERVED]
    assert less[SERVED] + less.get(UNSERVED, 0) == pytest.approx(
        before[SERVED] + before.get(UNSERVED, 0), rel=0.05
    )
    assert page.in_frame(tiles) == asked
    standard = Standard(
        mode="walk", group="women_15_49", source="", cutoff_m=400, also=("children_0_3",)
    )
    exact = coverage(nasty, "mother_baby_room", standard=standard).total()
    assert page.figure("rate") == f"{exact['rate']:.1%}"
    page.js(move, 400, "change")
    until(lambda: "cutoff=400" in page.driver.current_url, what="the address")
    assert page.loads() == 1
    assert page.complaints() == []


def test_a_click_tells_the_nearest_facilities_and_draws_the_way(nasty, address, chrome):
    page = chrome.open(address + "?lang=en&service=mother_baby_room")
    agrees(page, told(nasty, "mother_baby_room"), lang="en")
    home = nasty.population.geometry.iloc[5]
    page.click_map(home.x, home.y)
    until(lambda: page.figure("near-0"), what="the nearest facility")
    assert "way-0" in until(
        lambda: page.in_frame(
            "return [...document.querySelectorAll('[data-layer]')].map((one) => one.dataset.layer);"
        ),
        what="the layers",
    )
    until(lambda: "at=" in page.driver.current_url, what="the address")
    link = page.driver.current_url
    words = page.figure("near-0")
    page.open("about:blank")
    page.open(link)
    until(lambda: page.figure("near-0") == words, what="the place again")
    assert page.complaints() == []


def test_a_script_for_a_name_is_mere_text_where_it_is_pointed_at(nasty, address, chrome):
    page = chrome.open(address + "?lang=en&service=mother_baby_room")
    agrees(page, told(nasty, "mother_baby_room"), lang="en")
    place = nasty.facilities.set_index("id").geometry["m1"]
    page.click_map(place.x, place.y)
    tip = "return [...document.querySelectorAll('.leaflet-tooltip, .leaflet-popup')]"
    until(
        lambda: NASTY in " ".join(page.in_frame(tip + ".map((one) => one.textContent);")),
        what="the name in the tip",
    )
    until(
        lambda: any(
            NASTY in one
            for one in page.js(
                "return all.filter((one) => !one.matches('script, style') && seen(one))"
                ".map((one) => one.textContent);"
            )
        ),
        what="the name beside the map",
    )
    made = ".filter((one) => one.querySelector('script')).length;"
    assert page.in_frame(tip + made) == 0
    assert (
        page.js(
            "return all.filter((one) => /alert/.test(one.textContent)"
            " && one.matches('script')).length;"
        )
        == 0
    )
    assert page.complaints() == []


def test_two_years_are_compared_side_by_side(nasty, address, chrome):
    page = chrome.open(address + "?lang=en&service=mother_baby_room&versus=year-2021")
    agrees_on = until(lambda: page.figure("change"), what="the difference")
    now, then = (
        coverage(nasty, "mother_baby_room", year=year).total()["rate"] for year in (None, 2021)
    )
    assert f"{(now - then) * 100:+.1f} points" in agrees_on
    assert page.in_frame("return !!document.querySelector('.divider[role=slider]');")
    clipped = until(
        lambda: page.in_frame(
            "return [...document.querySelectorAll('[data-layer]')]"
            ".filter((one) => one.style.clip).map((one) => one.dataset.layer).sort();"
        ),
        what="the layers to be cut",
    )
    assert {"field", "field-other"} <= set(clipped)


def test_tiles_are_kept_from_those_who_were_not_shown_the_desk(address, chrome):
    page = chrome.open(address)
    until(page.rows, what="the table")
    tile = until(
        lambda: page.in_frame(
            "return performance.getEntriesByType('resource').map((one) => one.name)"
            ".find((one) => one.includes('/tiles/'));"
        ),
        what="a tile",
    )
    with urlopen(tile) as answer:  # noqa: S310 - the test's own server
        assert "immutable" in answer.headers["Cache-Control"]
    parts = tile.split("/")
    token = parts.index("tiles") + 1
    for wrong in (
        "/".join([*parts[:token], "guess", *parts[token + 1 :]]),
        "/".join([*parts[:-1], "9999999"]),
        tile.replace("wgs84", "mars"),
    ):
        with pytest.raises(HTTPError, match="404"):
            urlopen(wrong)  # noqa: S310 - the test's own server
