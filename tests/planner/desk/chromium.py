"""A real browser for the desk's tests, and a server in a process of its own."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
ROOT = Path(__file__).parents[3]
PATIENCE = 120
START = 240

NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM.exists() and DRIVER.exists()),
        reason="no Chromium here: /usr/bin/chromium and /usr/bin/chromedriver are wanted",
    ),
]

# Panel's parts stand in shadow roots, which no selector of the page itself reaches into.
EVERY = """
const every = (root) => [...root.querySelectorAll("*")].flatMap(
  (one) => one.shadowRoot ? [one, ...every(one.shadowRoot)] : [one]);
const all = every(document);
const seen = (one) => one.checkVisibility();
"""
_PRESS = (
    EVERY
    + """
const named = all.filter((one) => one.matches("label, button, .bk-btn, [role=tab]") && seen(one));
const found = named.find((one) => one.textContent.trim() === arguments[0]
  || one.getAttribute("aria-label") === arguments[0]);
if (found) found.click();
return !!found;
"""
)
_ROWS = (
    EVERY
    + """
return all.filter((one) => one.matches(".tabulator-row") && seen(one)).map((row) =>
  Object.fromEntries([...row.querySelectorAll(".tabulator-cell")].map(
    (cell) => [cell.getAttribute("tabulator-field"), cell.innerText.trim()])));
"""
)
# Words of the page, with those that only a screen reader or a pointer brings up.
WORDS = (
    EVERY
    + """
const parts = [];
for (const one of all) {
  if (one.matches("script, style") || !seen(one)) continue;
  for (const node of one.childNodes) if (node.nodeType === 3) parts.push(node.textContent);
  for (const name of ["title", "aria-label", "placeholder", "alt"])
    if (one.hasAttribute(name)) parts.push(one.getAttribute(name));
}
return parts.map((part) => part.trim()).filter(Boolean);
"""
)
# Texts whose colour stands out too little from what lies behind it (WCAG 2.1, 1.4.3).
FAINT = EVERY + (Path(__file__).parent / "faint.js").read_text(encoding="utf-8")
# Controls that a screen reader has no name for.
NAMELESS = EVERY + (Path(__file__).parent / "nameless.js").read_text(encoding="utf-8")
MAP = """
const name = Object.keys(window).find((one) => /^map_[0-9a-f]{32}$/.test(one));
const map = window[name];
"""


@contextmanager
def serving(code, *arguments, log, port=None):
    """Run Python code that serves on the port that is its last argument; hand out the address."""
    if port is None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    environment = {
        "PLANNER_STORE": str(log.with_name("store.sqlite")),
        **os.environ,
        "PLANNER_LANG": "zh",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments), str(port)],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        url = f"http://127.0.0.1:{port}/"
        end = time.monotonic() + START
        while True:
            assert server.poll() is None, log.read_text()
            with suppress(OSError), urlopen(url, timeout=PATIENCE) as page:
                page.read()
                break
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        yield url
        told = log.read_text()
        assert "Traceback" not in told, told
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


class Page:
    """A page of the desk in a browser.

    Parameters
    ----------
    driver
        Selenium's.
    """

    def __init__(self, driver):
        self.driver = driver

    def open(self, address, *, size=(1280, 720)):
        self.resize(size)
        self.driver.get(address)
        return self

    def resize(self, size):
        """Give the page another size."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False},
        )

    def js(self, code, *arguments):
        """Run code that may use `all`, every element of the page, and `seen`."""
        return self.driver.execute_script(EVERY + code, *arguments)

    def press(self, words):
        """Press the button, tab or label of that name, once it is there."""
        until(lambda: self.driver.execute_script(_PRESS, words), what=f"something named {words}")

    def type(self, label, words):
        """Write into the field of that label, as a reader does who then leaves it."""
        field = until(
            lambda: self.js(
                "return all.find((one) => one.matches('.bk-input-group') && seen(one)"
                " && one.querySelector('label')?.textContent.trim() === arguments[0])"
                "?.querySelector('input');",
                label,
            ),
            what=f"a field named {label}",
        )
        field.clear()
        field.send_keys(words + "\n")

    def figure(self, name):
        """Text of a figure that carries this name."""
        return self.js(
            "return all.find((one) => one.dataset.figure === arguments[0] && seen(one))"
            "?.textContent;",
            name,
        )

    def rows(self):
        """Cells of each row of the table by their columns."""
        return self.driver.execute_script(_ROWS)

    def words(self):
        """Every text on the page and in its map."""
        return self.driver.execute_script(WORDS) + self.in_frame(WORDS)

    def frame(self):
        """The frame of the map that is shown, once its page is drawn."""
        return self.js(
            "return all.find((one) => one.matches('.box:not(.blank) > iframe') && seen(one));"
        )

    def loads(self):
        """How often that frame has been loaded."""
        return int(
            self.js(
                "return all.find((one) => one.matches('.box') && seen(one))?.dataset.loads || 0;"
            )
        )

    def in_frame(self, code, *arguments):
        """Run code in the map's page; `MAP` before it gives it the map."""
        self.driver.switch_to.frame(self.frame())
        try:
            return self.driver.execute_script(code, *arguments)
        finally:
            self.driver.switch_to.default_content()

    def view(self):
        """Zoom and centre of the map."""
        return self.in_frame(
            MAP + "const c = map.getCenter(); return [map.getZoom(), c.lat, c.lng];"
        )

    def click_map(self, lon, lat):
        """Click a place of the map with the pointer."""
        from selenium.webdriver import ActionChains  # noqa: PLC0415 - as below

        x, y = self.on_screen(lon, lat)
        frame = self.frame()
        middle = frame.size
        ActionChains(self.driver).move_to_element_with_offset(
            frame, x - middle["width"] / 2, y - middle["height"] / 2
        ).click().perform()

    def on_screen(self, lon, lat):
        """Where a place of the map stands in the frame, in pixels."""
        return self.in_frame(
            MAP + "const at = map.latLngToContainerPoint([arguments[1], arguments[0]]);"
            "const box = map.getContainer().getBoundingClientRect();"
            "return [at.x + box.left, at.y + box.top];",
            lon,
            lat,
        )

    def asked_hosts(self, address):
        """Hosts asked by the page and by its frame, for `address` and any other."""
        asked = [
            entry["params"]["request"]["url"]
            for line in self.driver.get_log("performance")
            for entry in [json.loads(line["message"])["message"]]
            if entry["method"] == "Network.requestWillBeSent"
        ]
        # The frame runs apart from its page, whose log does not see what the frame loads.
        asked += self.in_frame(
            "return performance.getEntriesByType('resource').map((one) => one.name)"
        )
        sent = [urlsplit(url) for url in [address, *asked]]
        # The browser's own first tab; data and blob stay within the page.
        inner = {"data", "blob", "chrome", "about"}
        return {url.netloc for url in sent if url.scheme not in inner}

    def complaints(self):
        """What the console holds that is severe."""
        return [
            line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"
        ]


@contextmanager
def chromium(folder, *, size=(1280, 720)):
    """A headless browser with an empty profile."""
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
        f"window-size={size[0]},{size[1]}",
        f"user-data-dir={folder / 'profile'}",
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    driver.set_script_timeout(PATIENCE)
    try:
        yield Page(driver)
    finally:
        driver.quit()


def until(probe, *, what):
    """Wait until a probe finds something, and return it."""
    from selenium.common.exceptions import WebDriverException  # noqa: PLC0415 - as above

    end = time.monotonic() + PATIENCE
    while True:
        # A frame may be changing under the probe.
        with suppress(WebDriverException, TypeError):
            found = probe()
            if found:
                return found
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.1)
