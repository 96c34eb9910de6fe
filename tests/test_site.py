"""The documentation site builds without a warning, and is searched without server or network."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT
from tests.planner.desk.chromium import NEEDS_CHROMIUM, chromium, until

# Words are parted by spaces of no width, by which Chinese is searched.
_FOUND = """
return [...document.querySelectorAll(".md-search-result__item")]
  .map((one) => one.textContent.replaceAll("\\u200b", ""));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [ROOT / "scripts" / "docs", folder]
    environment = {**os.environ, "PLANNER_BIN": str(Path(sys.executable).parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_public_name_is_in_the_reference(site):
    import layers  # noqa: PLC0415
    import planner  # noqa: PLC0415

    told = "".join(page.read_text(encoding="utf-8") for page in (site / "reference").glob("*.html"))
    for name in [*layers.__all__, *planner.__all__]:
        assert name in told, name


@pytest.mark.browser
@NEEDS_CHROMIUM[1]
@pytest.mark.parametrize("words", ["接驳段", "barriers"])
def test_searching_from_a_folder(site, tmp_path, words):
    with chromium(tmp_path) as chrome:
        chrome.driver.get((site / "index.html").as_uri())
        field = chrome.driver.find_element("css selector", "input.md-search__input")
        field.click()
        field.send_keys(words)
        found = until(lambda: chrome.driver.execute_script(_FOUND), what=f"results for {words}")
        assert any(words in told.lower() for told in found), found
        told = [json.loads(line["message"]) for line in chrome.driver.get_log("performance")]
        asked = [
            one["message"]["params"]["request"]["url"]
            for one in told
            if one["message"]["method"] == "Network.requestWillBeSent"
        ]
        assert any(address.endswith("search_index.js") for address in asked)
        outside = [url for url in asked if not url.startswith(("file:", "data:", "chrome:"))]
        assert outside == []
