import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.planner.report.reading import compare

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")


class Tables(HTMLParser):
    """Cells of every table, and the words of the page."""

    def __init__(self, page):
        super().__init__()
        self.tables, self.words, self._cell, self._quiet = [], "", None, False
        self.feed(page)

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 - the parser's own words
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self._cell = ""
        self._quiet = tag in {"script", "style"}

    def handle_endtag(self, tag):
        if tag in {"td", "th"}:
            self.tables[-1][-1].append(self._cell)
            self._cell = None
        self._quiet = False

    def handle_data(self, data):
        if self._cell is not None:
            self._cell += data
        if not self._quiet:
            self.words += data


@pytest.fixture(scope="module", params=["zh", "en"])
def page(request, written):
    return request.param, written.file("html", request.param).read_text(encoding="utf-8")


def test_figures_are_those_of_json(page, written):
    lang, words = page
    read = Tables(words)
    told = written.tables()
    assert len(read.tables) == len(told)
    for shown, table in zip(read.tables, told, strict=True):
        compare(shown, table, lang)
    for item in written.told["contents"]:
        for kind in ("paragraph", "heading"):
            if kind in item:
                assert item[kind][lang] in read.words


def test_it_loads_nothing_from_anywhere(page):
    _, words = page
    shell = re.sub(r"<script>.*?</script>", "", words, flags=re.DOTALL)
    loads = re.findall(r"(?:src|href|data|action)=[\"']([^\"']*)", shell)
    assert all(one.startswith(("data:image/png;base64,", "#")) for one in loads)
    assert "@import" not in words
    assert not re.search(r"url\((?!#)", words)
    # Within the maps' own pages, which stand in a script, nothing is loaded either.
    inner = re.findall(r"\\u003c(?:script|link|img|iframe)[^\\]*?(?:src|href)=\\\"([^\\]*)", words)
    assert inner == []
    assert "default-src 'none'" in words


@pytest.mark.browser
@pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()),
    reason="no Chromium here: /usr/bin/chromium and /usr/bin/chromedriver are wanted",
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_opens_with_no_network_and_no_complaint(written, lang):
    from selenium import webdriver  # noqa: PLC0415 - slow to import
    from selenium.webdriver.common.by import By  # noqa: PLC0415
    from selenium.webdriver.support.ui import WebDriverWait  # noqa: PLC0415

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *("--window-size=1400,900", "--proxy-server=127.0.0.1:9"),
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=str(DRIVER))
    with webdriver.Chrome(options=options, service=service) as browser:
        browser.get(written.file("html", lang).as_uri())
        figures = browser.find_elements(By.CSS_SELECTOR, ".explorer")
        assert len(figures) == 3
        browser.execute_script("arguments[0].scrollIntoView()", figures[0])
        buttons = figures[0].find_elements(By.TAG_NAME, "button")
        assert len(buttons) == 4
        for button in buttons:
            button.click()
            browser.switch_to.frame(figures[0].find_element(By.TAG_NAME, "iframe"))
            WebDriverWait(browser, 30).until(
                lambda one: one.find_elements(By.CSS_SELECTOR, ".leaflet-overlay-pane canvas")
            )
            assert browser.find_elements(By.CSS_SELECTOR, ".leaflet-control-scale-line")
            browser.switch_to.default_content()
        logs = [entry["message"] for entry in browser.get_log("browser")]
        assert logs == []
        asked = re.findall(
            r'"url":"(\w+):',
            " ".join(
                entry["message"]
                for entry in browser.get_log("performance")
                if "Network.requestWillBeSent" in entry["message"]
            ),
        )
        assert set(asked) <= {"file", "data", "about"}
