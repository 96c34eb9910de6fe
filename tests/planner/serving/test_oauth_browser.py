"""The login by a provider of identities in a real browser, from the desk and back to it."""

import pytest
from selenium.webdriver.common.by import By

from planner.store import Store
from tests.planner.desk.chromium import NEEDS_CHROMIUM, chromium, until
from tests.planner.serving.identities import BACK, SECRET, asked_of, options, provider
from tests.planner.serving.server import desk, environment, free_port

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def url(tmp_path, village):
    with Store(environment(tmp_path)["PLANNER_STORE"]) as store:
        store.accounts.add("zhao", "administrator")
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with provider(tmp_path, url + BACK) as true:
        told = {"port": port, "PLANNER_OAUTH_SECRET": SECRET}
        with desk(tmp_path, village, *options(url, true.issuer), **told) as url:
            yield url


def say(page, name):
    """Write a name into the provider's form."""
    until(lambda: page.driver.title == "Office", what="the provider's form")
    page.driver.find_element(By.ID, "user").send_keys(name)
    page.driver.find_element(By.ID, "enter").click()


def words(page):
    return page.driver.find_element(By.TAG_NAME, "main").text


def test_in_and_out_again(tmp_path, url):
    with chromium(tmp_path) as page:
        page.open(f"{url}?service=mother_baby_room&lang=en")
        say(page, "a-stranger")
        until(lambda: "a-stranger" in words(page), what="the word that nobody knows them")
        page.driver.save_screenshot(str(tmp_path / "unknown.png"))
        assert "planner user add" in words(page)
        page.driver.find_element(By.CLASS_NAME, "lead").click()
        say(page, "zhao")
        until(lambda: page.figure("rate"), what="the desk with its figures")
        page.driver.save_screenshot(str(tmp_path / "desk.png"))
        user, out = page.js(
            "const link = all.find((one) => one.matches('a.out') && seen(one));"
            "return [link.previousSibling.textContent, link];"
        )
        assert user == "zhao"
        for width in (1024, 768):
            page.resize((width, 1024))
            end = page.js(
                "return all.find((one) => one.matches('a.out')).getBoundingClientRect().right;"
            )
            assert end <= width, "the way out is cut off"
        # The desk's own page, with nothing of what the provider said in its address.
        assert page.driver.current_url.startswith(f"{url}?")
        asked = asked_of(page.driver.current_url)
        assert (asked["service"], asked["lang"]) == ("mother_baby_room", "en")
        assert not {"code", "state"} & set(asked)
        assert [one["name"] for one in page.driver.get_cookies()] == ["planner_session"]
        assert page.js("return document.cookie;") == ""
        out.click()
        until(lambda: "signed out" in words(page), what="the word that they have gone")
        page.driver.save_screenshot(str(tmp_path / "out.png"))
        assert page.driver.get_cookies() == []
        page.open(url)
        until(lambda: page.driver.title == "Office", what="the provider's form")
        # The provider's page has no icon of its own, which the browser asks for.
        told = [line for line in page.complaints() if "favicon" not in line]
        assert [BACK in line and "403" in line for line in told] == [True], "the stranger's alone"
