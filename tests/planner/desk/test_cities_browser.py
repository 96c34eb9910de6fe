"""The desk in a browser on whole cities: its figures are those of the command line."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from layers import City, embedded
from layers.messages import catalogue
from planner import Open, Scenario, coverage
from tests.documents import block, shell
from tests.planner.desk.chromium import NEEDS_CHROMIUM, WORDS, serving, until
from tests.planner.desk.test_browser import SERVE, agrees, told
from tests.planner.desk.test_data_view import FOUND
from tests.planner.desk.test_plan_view import counts, detail
from tests.planner.desk.test_report_view import LINKS, PAGE
from tests.planner.desk.test_siting_view import PIN, drag, shown

pytestmark = NEEDS_CHROMIUM

SERVICE = "menopause_clinic"
# Between the places of the service in either city, near streets, seen from near by.
MIDDLE = 120.165, 30.26
NEAR = "look=120.165,30.26,15"
ASKED = {
    "coverage": f"service={SERVICE}",
    "siting": f"tab=siting&service={SERVICE}",
    "plan": "tab=plan&until=2023",
    "data": "tab=data&layer=units",
    "report": "tab=report&kind=coverage&until=2023",
}


@pytest.fixture(scope="module", params=["small", "core"])
def served(request, tmp_path_factory):
    """A city and the address that serves it."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "small":
        city = embedded("small").save(folder / "city")
    else:
        data = Path(__file__).parents[4] / "shared" / "data" / "hangzhou"
        if not data.exists():
            pytest.skip(f"{data} is not there")
        built = shell(
            folder, block("README.md", "build").replace("../shared/data/hangzhou", str(data))
        )
        assert built.returncode == 0, built.stderr
        city = City.open(folder / "cities" / "hangzhou-core")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANNER_STORE", str(folder / "store.sqlite"))
        with serving(SERVE, city.path, log=folder / "log") as url:
            yield city, url


def asked(city, *words):
    """What a command says as JSON."""
    answer = subprocess.run(
        [sys.executable, "-m", "planner.cli", *words, "--json", "--city", str(city.path)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(answer.stdout)


def in_order(page, address):
    """Nobody else was asked, and the console is quiet."""
    if page.frame():
        assert page.asked_hosts(address) == {address.split("/")[2]}
    assert page.complaints() == []


def test_coverage_is_that_of_the_command_line_and_a_link_restores_it(served, chrome):
    city, address = served
    page = chrome.open(f"{address}?lang=zh&{ASKED['coverage']}")
    agrees(page, told(city, SERVICE), lang="zh")
    page.press("母婴室")
    said = told(city, "mother_baby_room")
    agrees(page, said, lang="zh")
    assert page.loads() == 1
    until(lambda: "service=mother_baby_room" in page.driver.current_url, what="the address")
    link = page.driver.current_url
    in_order(page, address)
    page.open("about:blank")
    page.open(link)
    agrees(page, said, lang="zh")


def test_a_dragged_facility_changes_the_table_without_a_reload(served, chrome):
    city, address = served
    page = chrome.open(f"{address}?{ASKED['siting']}&{NEAR}&lang=zh")
    base = coverage(city, SERVICE)
    until(lambda: page.frame() and shown(page, base), what="the base")
    page.press("新增")
    view = page.view()
    page.click_map(*MIDDLE)
    at = until(lambda: page.in_frame(PIN, "新增设施 1"), what="the new facility")

    def after(place):
        return coverage(Scenario((Open(service=SERVICE, place=tuple(place)),)).apply(city), SERVICE)

    first = after(at)
    until(lambda: shown(page, first), what="what it adds")
    drag(page, "新增设施 1", 60)
    until(lambda: page.in_frame(PIN, "新增设施 1")[0] > at[0] + 0.001, what="the drag")
    moved = after(page.in_frame(PIN, "新增设施 1"))
    until(lambda: shown(page, moved), what="what it adds there")
    # To the pixel, in which the map counts.
    assert page.view() == pytest.approx(view, abs=1e-4)
    assert page.loads() == 1
    in_order(page, address)


def test_suggested_sites_are_those_of_the_command_line(served, chrome):
    city, address = served
    service = "home_care_centre"
    page = chrome.open(f'{address}?tab=siting&service={service}&lang=zh&wanted={{"number":3}}')
    until(lambda: page.frame() and page.rows(), what="the base")
    page.press("运行模型")
    sites = "return all.filter((one) => one.dataset.site && seen(one)).map((one) => one.innerText);"
    # A row is there before its words are.
    rows = until(
        lambda: len(found := page.js(sites)) == 3 and all(found) and found, what="the sites"
    )
    said = asked(city, "site", "--service", service, "--model", "mclp", "-p", "3")
    assert len(said["sites"]) == 3
    for row, site in zip(rows, said["sites"], strict=True):
        assert f"{site['people_new']:,.0f}" in row
        assert f"{site['rate']:.1%}" in row
    in_order(page, address)


def test_the_plan_is_that_of_the_command_line(served, chrome):
    city, address = served
    page = chrome.open(f"{address}?{ASKED['plan']}&lang=zh")
    states = asked(city, "monitor", "--year", "2023")["states"]
    until(lambda: counts(page) == states, what="counts by state")
    in_order(page, address)


def test_the_layers_are_those_of_the_city(served, chrome):
    city, address = served
    page = chrome.open(f"{address}?{ASKED['data']}&lang=zh")
    rows = until(lambda: page.js(FOUND, "城市的图层"), what="the layers")
    assert {row[0]: int(row[2].replace(",", "")) for row in rows} == {
        name: len(layer) for name, layer in city.layers().items()
    }
    in_order(page, address)


def test_a_report_tells_the_figures_of_the_command_line(served, chrome):
    city, address = served
    page = chrome.open(f"{address}?{ASKED['report']}&lang=zh")
    page.press("生成报告")
    report = until(lambda: page.js(PAGE), what="the report")
    until(lambda: page.js(LINKS), what="files to take away")
    for key, service in asked(city, "coverage", "--year", "2023")["services"].items():
        assert service["name"] in report, key
        assert f"{service['city']['rate']:.1%}" in report, key
    in_order(page, address)


# A state of each view, and what tells that the page is in it.
HELD = {
    "siting": (
        'tab=siting&service=home_care_centre&look=120.165,30.26,14&wanted={"number": 3}',
        lambda page: (
            page.frame()
            and page.rows()
            and page.view() == pytest.approx([14, 30.26, 120.165], abs=1e-3)
            and "3"
            in page.js("return all.filter((one) => one.matches('input')).map((one) => one.value);")
        ),
    ),
    "plan": (
        "tab=plan&until=2022&target=clinics_in_city",
        lambda page: detail(page) and "更年期" in detail(page)[1],
    ),
    "data": (
        "tab=data&part=check",
        lambda page: set(counts(page)) == {"error", "warning", "info"},
    ),
    "report": (
        "tab=report&kind=final&until=2025",
        lambda page: page.js(
            "return all.some((one) => one.matches('input[type=radio]:checked') && seen(one)"
            " && one.closest('label, div').textContent.includes('终期'));"
        ),
    ),
}


@pytest.mark.parametrize("view", HELD)
def test_a_link_restores_the_state_of_the_other_views(served, chrome, view):
    _, address = served
    state, holds = HELD[view]
    page = chrome.open(f"{address}?lang=zh&{state}")
    until(lambda: holds(page), what="the state")
    link = page.driver.current_url
    page.open("about:blank")
    page.open(link)
    until(lambda: holds(page), what="the state again")
    assert page.complaints() == []


@pytest.mark.parametrize("view", ASKED)
def test_the_language_switch_leaves_no_word_of_the_desk_behind(served, chrome, view):
    _, address = served
    page = chrome.open(f"{address}?{ASKED[view]}&lang=zh")
    until(lambda: said_in(page, "zh"), what=f"the view of {view}")
    page.press("EN")
    # Names of places stay; words of the desk do not.
    until(lambda: said_in(page, "en") and not said_in(page, "zh"), what="every word to change")
    in_order(page, address)


def said_in(page, lang):
    """Words on the page that are the desk's own in that language and in no other."""
    own = {
        words[lang]
        for words in catalogue().values()
        if words["zh"] != words["en"] and "{" not in words[lang]
    }
    own -= {words["en" if lang == "zh" else "zh"] for words in catalogue().values()}
    shown = page.words() if page.frame() else page.driver.execute_script(WORDS)
    # The button of the other language, and the names that targets have in the plan.
    return [one for one in shown if one in own and one not in {"中文", "EN"} and not KEPT(one)]


KEPT = re.compile(r"[一二三四五六七八九十()表;,\d\s重点]*").fullmatch
