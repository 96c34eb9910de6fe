"""The desk in a real browser, against the figures that Python computes."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from planner import coverage
from tests.planner.maps.hamlet import NASTY, hamlet

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
ROOT = Path(__file__).parents[3]
PATIENCE = 60

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM.exists() and DRIVER.exists()),
        reason="no Chromium here: /usr/bin/chromium and /usr/bin/chromedriver are wanted",
    ),
]

SERVE = """
import sys
from layers import City
from planner.desk import serve
serve(City.open(sys.argv[1]), port=int(sys.argv[2]), address="127.0.0.1")
"""

# Panel's parts stand in shadow roots, which no selector of the page itself reaches into.
EVERY = """
const every = (root) => [...root.querySelectorAll("*")].flatMap(
  (one) => one.shadowRoot ? [one, ...every(one.shadowRoot)] : [one]);
const all = every(document);
"""
FIGURE = EVERY + "return all.find((one) => one.dataset.figure === arguments[0])?.textContent;"
FRAME = EVERY + "return all.find((one) => one.matches('iframe.shown'));"
BUSY = EVERY + "return all.find((one) => one.matches('.chip'))?.textContent !== '';"
PRESS = (
    EVERY
    + """
const named = all.filter((one) => one.matches("label, button, .bk-btn"));
named.find((one) => one.textContent.trim() === arguments[0]).click();
"""
)
ROWS = (
    EVERY
    + """
return all.filter((one) => one.matches(".tabulator-row")).map((row) => Object.fromEntries(
  [...row.querySelectorAll(".tabulator-cell")].map(
    (cell) => [cell.getAttribute("tabulator-field"), cell.innerText.trim()])));
"""
)
CLICK_ROW = (
    EVERY
    + """
const rows = all.filter((one) => one.matches(".tabulator-row"));
rows.find((row) => row.innerText.includes(arguments[0])).querySelector(".name").click();
"""
)
SORT = (
    EVERY
    + """
all.find((one) => one.matches(`.tabulator-col[tabulator-field=${arguments[0]}]`)).click();
"""
)
ON_MAP = """
const name = Object.keys(window).find((one) => /^map_[0-9a-f]{32}$/.test(one));
const map = window[name];
const found = {served: 0, unserved: 0, dots: 0};
found.centre = map.getCenter();
found.zoom = map.getZoom();
map.eachLayer((layer) => {
  if (layer instanceof L.CircleMarker) found.dots += 1;
  else if (layer.options.served === true) found.served += layer.getLatLngs().length;
  else if (layer.options.served === false) found.unserved += layer.getLatLngs().length;
});
return found;
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    folder = tmp_path_factory.mktemp("city") / "hamlet"
    return hamlet(name=NASTY, facility=NASTY, west=NASTY).save(folder)


@pytest.fixture(scope="module")
def address(city, tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    environment = {
        **os.environ,
        "PLANNER_LANG": "zh",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(city.path), str(port)],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        url = f"http://127.0.0.1:{port}/"
        end = time.monotonic() + PATIENCE
        while True:
            assert server.poll() is None, log.read_text()
            with suppress(URLError, ConnectionError), urlopen(url, timeout=5) as page:
                page.read()
                break
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        yield url
        assert "Traceback" not in log.read_text()
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture
def browser(tmp_path):
    from selenium import webdriver  # noqa: PLC0415 - needed where there is a browser alone

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "window-size=1280,720",
        f"user-data-dir={tmp_path / 'profile'}",
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    driver.set_script_timeout(PATIENCE)
    try:
        yield driver
    finally:
        driver.quit()


def until(probe, *, what):
    from selenium.common.exceptions import WebDriverException  # noqa: PLC0415 - as above

    end = time.monotonic() + PATIENCE
    while True:
        # A frame may be exchanged under the probe.
        with suppress(WebDriverException):
            found = probe()
            if found:
                return found
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.1)


def in_frame(browser, script):
    browser.switch_to.frame(browser.execute_script(FRAME))
    try:
        return browser.execute_script(script)
    finally:
        browser.switch_to.default_content()


def on_map(browser):
    """What the map in the frame holds."""
    return in_frame(browser, ON_MAP)


def agrees(browser, result, *, lang):
    """Whether page, table and map show a coverage, once the page has settled."""
    total, units, stretches = result.total(), result.by("district"), result.stretches()
    until(
        lambda: (
            browser.execute_script(FIGURE, "rate") == f"{total['rate']:.1%}"
            and not browser.execute_script(BUSY)
            and len(browser.execute_script(ROWS)) == len(units)
            and browser.execute_script(ROWS)[0]["rate"] == f"{units['rate'][0]:.1%}"
            and on_map(browser)["served"] == stretches["served"].sum()
        ),
        what=f"figures of {result!r}",
    )
    served = browser.execute_script(FIGURE, "served")
    assert f"{total['served']:,.0f}" in served
    assert f"{total['people']:,.0f}" in served
    assert f"{total['gap']:,.0f}" in browser.execute_script(FIGURE, "gap")
    assert result.standard.words(lang) in browser.execute_script(FIGURE, "standard")
    for row, unit in zip(browser.execute_script(ROWS), units.itertuples(), strict=True):
        name = unit.name_en if lang == "en" else unit.name
        assert row["name"].split() == [name, unit.code]
        assert row["people"] == f"{unit.people:,.0f}"
        assert row["served"] == f"{unit.served:,.0f}"
        assert row["rate"] == f"{unit.rate:.1%}"
        assert row["facilities"] == f"{unit.facilities}"
    drawn = on_map(browser)
    assert drawn["served"] == stretches["served"].sum()
    assert drawn["unserved"] == (~stretches["served"]).sum()
    assert drawn["dots"] == len(result.facilities)
    return drawn


def test_choosing_a_service_changes_map_and_table(city, address, browser):
    browser.get(address)
    clinics = coverage(city, "menopause_clinic")
    before = agrees(browser, clinics, lang="zh")
    browser.execute_script(PRESS, "母婴室")
    rooms = coverage(city, "mother_baby_room")
    after = agrees(browser, rooms, lang="zh")
    assert before["served"] != after["served"]
    # One table in the place of another of its kind: no quotas in either.
    browser.execute_script(PRESS, "10分钟健身圈")
    agrees(browser, coverage(city, "fitness_circle"), lang="zh")
    browser.execute_script(PRESS, "母婴室")
    agrees(browser, rooms, lang="zh")
    assert clinics.total()["rate"] != rooms.total()["rate"]

    # A look at one district stays when the service or the language changes.
    browser.execute_script(SORT, "rate")
    browser.execute_script(CLICK_ROW, "东区")
    until(lambda: on_map(browser)["zoom"] > after["zoom"] + 0.5, what="the map to go there")
    near = on_map(browser)
    browser.execute_script(PRESS, "English")
    until(lambda: "people served" in browser.execute_script(FIGURE, "served"), what="English")
    agrees(browser, rooms, lang="en")
    kept = on_map(browser)
    assert kept["zoom"] == near["zoom"]
    assert kept["centre"]["lng"] == pytest.approx(near["centre"]["lng"], abs=1e-4)

    browser.execute_script(PRESS, "The gap: people not served")
    until(
        lambda: on_map(browser)["dots"] == len(rooms.gap()) + len(rooms.facilities),
        what="the gap",
    )
    # The frame runs apart from its page, whose log does not see what the frame loads.
    loaded = in_frame(browser, "return performance.getEntriesByType('resource').map((x) => x.name)")
    assert {urlsplit(url).path for url in loaded} == {"/leaflet/leaflet.js", "/leaflet/leaflet.css"}
    assert {urlsplit(url).netloc for url in loaded} == {urlsplit(address).netloc}
    asked = [
        entry["params"]["request"]["url"]
        for line in browser.get_log("performance")
        for entry in [json.loads(line["message"])["message"]]
        if entry["method"] == "Network.requestWillBeSent"
    ]
    sent = [urlsplit(url) for url in asked]
    # The browser's own first tab; data and blob stay within the page.
    hosts = {url.netloc for url in sent if url.scheme not in {"data", "blob", "chrome", "about"}}
    assert hosts == {urlsplit(address).netloc}
    severe = [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    assert severe == []


def test_nothing_scrolls_but_the_table(address, browser):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False},
    )
    browser.get(address)
    until(lambda: browser.execute_script(FRAME), what="the map")
    page, frame = browser.execute_script(
        "const page = document.scrollingElement;"
        + FRAME.replace("return", "const frame =")
        + "return [[page.scrollWidth, page.scrollHeight],"
        " [frame.clientWidth, frame.clientHeight]];"
    )
    assert page == [1280, 720]
    assert frame[0] * frame[1] > 0.4 * 1280 * 720
