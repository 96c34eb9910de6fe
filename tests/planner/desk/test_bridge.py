"""The bridge in a real browser: what a reader does reaches Python, what Python says comes back."""

import re

import pytest

from tests.planner.desk.chromium import MAP, NEEDS_CHROMIUM, serving, until

pytestmark = NEEDS_CHROMIUM

# A click puts a marker there; dragging it tells its places; the log stands on the page.
SERVE = """
import asyncio, sys
import panel as pn
from planner.maps.bridge import MapBridge
from planner.maps.events import Clicked, MarkerDragged, MarkerDropped, ShapeDrawn, ViewMoved
from planner.maps.scene import Marker
port = int(sys.argv[1])
def page():
    pn.extension()
    bridge = MapBridge((120.0, 30.0, 120.4, 30.4), height=400, sizing_mode="stretch_width")
    log = pn.pane.Str("")
    def note(event):
        log.object += repr(event) + "\\n"
    def clicked(event):
        note(event)
        bridge.mark(Marker(id="pin", lon=event.lon, lat=event.lat, label="pin", draggable=True))
    async def dragged(event):
        await asyncio.sleep(0.15)
        note(event)
    bridge.on(Clicked, clicked)
    bridge.on(MarkerDragged, dragged)
    bridge.on(MarkerDropped, note)
    bridge.on(ShapeDrawn, note)
    draw = pn.widgets.Button(name="draw")
    draw.on_click(lambda _: bridge.draw("polygon"))
    listen = pn.widgets.Button(name="listen")
    listen.on_click(lambda _: bridge.on(ViewMoved, note))
    move = pn.widgets.Button(name="move")
    move.on_click(lambda _: bridge.move("pin", 120.2, 30.2))
    return pn.Column(bridge, draw, listen, move, log, sizing_mode="stretch_width")
pn.serve({"/": page}, port=port, address="127.0.0.1", show=False, verbose=False,
         websocket_origin=[f"127.0.0.1:{port}"])
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with serving(SERVE, log=tmp_path_factory.mktemp("server") / "log") as url:
        yield url


def log(page):
    return page.js("return all.find((one) => one.matches('pre'))?.textContent || '';")


PIN = MAP + (
    "let at = null; map.eachLayer((one) => { if (one instanceof L.Marker) at = one.getLatLng(); });"
    "return at && [at.lng, at.lat];"
)


def drag(page, by, *, steps=20):
    from selenium.webdriver import ActionChains  # noqa: PLC0415 - needs a browser

    lon, lat = page.in_frame(PIN)
    x, y = page.on_screen(lon, lat)
    frame = page.frame()
    size = frame.size
    chain = ActionChains(page.driver, duration=20).move_to_element_with_offset(
        frame, x - size["width"] / 2, y - size["height"] / 2 - 15
    )
    chain.click_and_hold()
    for _ in range(steps):
        chain.move_by_offset(by[0] / steps, by[1] / steps)
    chain.release().perform()


def test_click_drag_and_move_go_both_ways_without_a_reload(address, chrome):
    page = chrome.open(address)
    until(page.frame, what="the map")
    page.in_frame(MAP + "map.setView([30.21, 120.21], 12.5, {animate: false});")
    view = page.view()
    page.click_map(120.22, 30.22)
    until(lambda: "Clicked" in log(page), what="the click")
    placed = until(lambda: page.in_frame(PIN), what="the marker")
    assert placed == pytest.approx([120.22, 30.22], abs=1e-3)

    drag(page, (100, 40))
    until(lambda: "MarkerDropped" in log(page), what="the drop")
    dragged = log(page).count("MarkerDragged")
    # Each takes 0.15 s to be answered and the drag about 0.5 s: most places are left out.
    assert 1 <= dragged < 12
    dropped = log(page).split("MarkerDropped")[1]
    lon, lat = page.in_frame(PIN)
    assert f"lon={lon}" in dropped
    assert f"lat={lat}" in dropped

    page.press("move")
    until(lambda: page.in_frame(PIN) == [120.2, 30.2], what="the marker to be moved by Python")
    assert page.view() == view
    assert page.loads() == 1
    # Nobody listened to the view until now.
    assert "ViewMoved" not in log(page)
    page.press("listen")
    page.in_frame(MAP + "map.setView([30.25, 120.25], 11, {animate: false});")
    until(lambda: re.search(r"ViewMoved\(lon=120\.2[45].*zoom=11", log(page)), what="the view")
    assert page.asked_hosts(address) == {address.split("/")[2]}
    assert page.complaints() == []


def test_a_shape_is_drawn_and_a_keyboard_can_click(address, chrome):
    from selenium.webdriver import ActionChains, Keys  # noqa: PLC0415 - needs a browser

    page = chrome.open(address)
    until(page.frame, what="the map")
    page.press("draw")
    until(lambda: page.in_frame("return !!document.querySelector('.drawing');"), what="drawing")
    for lon, lat in ((120.1, 30.1), (120.3, 30.1), (120.3, 30.3)):
        page.click_map(lon, lat)
    page.click_map(120.1, 30.1)
    until(lambda: "ShapeDrawn(shape='polygon'" in log(page), what="the shape")
    assert log(page).count("(120.") == 3
    assert "Clicked" not in log(page)

    page.in_frame("document.querySelector('.leaflet-container').focus();")
    page.driver.switch_to.frame(page.frame())
    ActionChains(page.driver).send_keys(Keys.ARROW_RIGHT).pause(0.6).send_keys(Keys.ENTER).perform()
    page.driver.switch_to.default_content()
    until(lambda: "Clicked" in log(page), what="the click by keyboard")
    assert page.complaints() == []


def test_a_message_without_the_word_does_nothing(address, chrome):
    page = chrome.open(address)
    until(page.frame, what="the map")
    before = page.view()
    page.js(
        "all.find((one) => one.matches('iframe')).contentWindow.postMessage("
        "{planner: 'guess', do: 'view', lon: 100, lat: 20, zoom: 5}, '*');"
        "window.postMessage({planner: 'guess', kind: 'click', lon: 1, lat: 2}, '*');"
    )
    page.in_frame(
        "window.parent.postMessage({planner: 'guess', kind: 'click', lon: 1, lat: 2}, '*');"
    )
    page.click_map(120.2, 30.2)
    until(lambda: "Clicked" in log(page), what="a click of its own")
    assert log(page).count("Clicked") == 1
    assert page.view() == before
