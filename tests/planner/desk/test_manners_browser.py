"""The desk's manners in a browser: contrast, names of controls, links and languages."""

import re
from urllib.parse import urlsplit

import pytest

from tests.planner.desk.chromium import (
    FAINT,
    MAP,
    NAMELESS,
    NEEDS_CHROMIUM,
    WORDS,
    serving,
    until,
)
from tests.planner.desk.test_browser import SERVE
from tests.planner.maps.hamlet import hamlet

pytestmark = NEEDS_CHROMIUM

# A state of each view, and what is there once it is shown.
STATES = {
    "coverage": "service=mother_baby_room&unit=3301",
    "compared": "service=mother_baby_room&versus=year-2021&show=gap",
    "siting": "tab=siting&service=mother_baby_room",
    "plan": "tab=plan&until=2023",
    "data": "tab=data",
    "report": "tab=report",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manners")
    path = hamlet().save(folder / "hamlet").path
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANNER_STORE", str(folder / "store.sqlite"))
        with serving(SERVE, path, log=folder / "log") as url:
            yield url


def ready(page, state):
    """Whether the view has what it shows in the end."""
    if state == "report":
        return page.js("return all.some((one) => one.matches('.bk-btn') && seen(one));")
    if state == "plan":
        return page.rows() and page.js("return all.some((one) => one.dataset.count);")
    if state == "data":
        return page.js("return all.some((one) => one.matches('table, .tabulator') && seen(one));")
    return page.frame() and page.rows() and page.figure("rate")


def show(page, address, state, **more):
    asked = "&".join(f"{name}={value}" for name, value in more.items())
    page.open(f"{address}?{STATES[state]}&{asked}")
    until(lambda: ready(page, state), what=f"the view of {state}")
    return page


def offered(state):
    from planner.desk.views import VIEWS  # noqa: PLC0415 - as the server has them

    found = re.search(r"tab=(\w+)", STATES[state])
    return found is None or found[1] in {kind.KEY for kind in VIEWS}


KNOWN = [state for state in STATES if offered(state)]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", KNOWN)
def test_every_word_can_be_read_and_every_control_has_a_name(address, chrome, state, theme):
    page = show(chrome, address, state, theme=theme, lang="zh")
    assert page.driver.execute_script(FAINT) == []
    assert page.driver.execute_script(NAMELESS) == []
    if page.frame():
        assert page.in_frame(FAINT) == []
        assert page.in_frame(NAMELESS) == []
    assert page.complaints() == []


@pytest.mark.parametrize("state", KNOWN)
def test_the_language_switch_leaves_no_word_behind_in_any_view(address, chrome, state):
    page = show(chrome, address, state, lang="zh")
    page.press("EN")
    own = {"中文", "小村", "卫生院", "东站", "医院", "西区", "东区"}

    def left():
        words = page.words() if page.frame() else page.driver.execute_script(WORDS)
        return [
            one
            for one in words
            if re.search(r"[\u4e00-\u9fff]", one)
            and one not in own
            and not re.fullmatch(r"[一二三四五六七八九十()表;,\d\s重点]*", one)
        ]

    until(lambda: left() == [], what="every word to change")


def test_a_table_and_the_map_are_worked_with_keys_alone(address, chrome):
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415 - where there is a browser

    page = show(chrome, address, "siting", lang="zh")
    page.press("新增")
    frame = page.frame()
    page.driver.switch_to.frame(frame)
    try:
        box = page.driver.execute_script(MAP + "const c = map.getContainer(); c.focus(); return c;")
        box.send_keys(Keys.ENTER)
    finally:
        page.driver.switch_to.default_content()
    until(lambda: page.figure("chosen"), what="a facility where the cross is")
    tab = page.js("return all.find((one) => one.matches('[role=tab][aria-selected=true]'));")
    tab.send_keys(Keys.ARROW_RIGHT)
    until(lambda: "tab=plan" in page.driver.current_url, what="the next view")


@pytest.mark.parametrize("size", [(1024, 768), (768, 1024)], ids=["lying", "upright"])
@pytest.mark.parametrize("state", KNOWN)
def test_nothing_is_wider_than_a_tablet(address, chrome, state, size):
    chrome.open("about:blank", size=size)
    chrome.driver.get(f"{address}?{STATES[state]}&lang=en")
    until(lambda: ready(chrome, state), what=state)
    wide = chrome.js(
        "const page = document.scrollingElement;"
        "return [page.scrollWidth, page.scrollHeight,"
        " ...all.filter((one) => seen(one)"
        "   && one.matches('button, select, input, [role=tab], [data-figure]'))"
        " .map((one) => one.getBoundingClientRect()).filter((box) => box.right > arguments[0] + 1)"
        " .map((box) => box.right)];",
        size[0],
    )
    assert wide == list(size)


@pytest.mark.parametrize("state", ["coverage", "siting"])
def test_names_of_units_are_read_whole_on_a_tablet(address, chrome, state):
    chrome.open("about:blank", size=(1024, 768))
    chrome.driver.get(f"{address}?{STATES[state]}&lang=en")
    until(lambda: ready(chrome, state), what=state)
    long = "Shangcheng District"
    cut = (
        "const names = all.filter((one) => one.matches('.tabulator-row .name') && seen(one));"
        "for (const one of names) one.firstChild.textContent = arguments[0];"
        "return [names.length, names.filter((one) => {"
        "  const cell = one.closest('.tabulator-cell').getBoundingClientRect();"
        "  const box = one.getBoundingClientRect();"
        "  const text = document.createRange(); text.selectNodeContents(one.firstChild);"
        "  return one.scrollWidth > one.clientWidth || box.bottom > cell.bottom + 1"
        "    || text.getBoundingClientRect().bottom > box.bottom + 1;"
        "}).length];"
    )
    count, lost = chrome.js(cut, long)
    assert count
    assert lost == 0
    narrow = chrome.js(
        "return all.filter((one) => one.matches('select') && seen(one)).map((one) => {"
        "  const look = getComputedStyle(one), pen = document.createElement('canvas')"
        "    .getContext('2d'); pen.font = look.font;"
        "  const need = pen.measureText(one.selectedOptions[0].text).width + 18"
        "    + parseFloat(look.paddingLeft) + parseFloat(look.paddingRight);"
        "  return [one.selectedOptions[0].text, need - one.clientWidth]; })"
        ".filter(([words, over]) => words === 'district' && over > 0);"
    )
    assert narrow == []


def test_a_lost_server_is_said_and_its_return_offers_the_page_anew(chrome, tmp_path, monkeypatch):
    monkeypatch.setenv("PLANNER_STORE", str(tmp_path / "store.sqlite"))
    path, log = hamlet().save(tmp_path / "hamlet").path, tmp_path / "log"
    said = "return all.find((one) => one.matches('.lost') && seen(one))?.innerText;"
    with serving(SERVE, path, log=log) as url:
        show(chrome, url, "coverage", lang="en")
        assert not chrome.js(said)
    told = until(lambda: chrome.js(said), what="word of the lost server")
    assert "connection to the server is lost" in told
    # What was shown can still be read; no tab can be chosen that would not come.
    assert chrome.figure("rate")
    assert chrome.js("return all.some((one) => one.inert && seen(one));")
    with serving(SERVE, path, log=log, port=urlsplit(url).port) as again:
        assert again == url
        chrome.press("Load anew")
        until(lambda: not chrome.js(said) and ready(chrome, "coverage"), what="the page anew")
