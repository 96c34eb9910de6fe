import asyncio
import re

import folium
import pytest
import shapely

from layers.datum import wgs84_to_gcj02
from layers.errors import InputError
from planner.maps.bridge import MapBridge
from planner.maps.events import Clicked, MarkerDropped, ShapeDrawn, ViewMoved
from planner.maps.scene import Areas, Field, Marker

HERE = (120.0, 30.0, 120.4, 30.4)
SQUARES = [shapely.box(120.1, 30.1, 120.2, 30.2), shapely.box(120.2, 30.1, 120.3, 30.2)]


class Wire(MapBridge):
    """The bridge with its end in the browser taken off: what is sent is kept."""

    def __init__(self, *args, **more):
        self.sent = []
        super().__init__(*args, **more)

    def _send_msg(self, data):
        self.sent.append(data)

    def hear(self, **message):
        async def run():
            self._handle_msg(message)
            await asyncio.sleep(0.01)

        asyncio.run(run())


@pytest.fixture
def bridge():
    made = Wire(HERE)
    made.hear(kind="ready", loads=1, key="ready/")
    made.sent.clear()
    return made


def areas(**more):
    return Areas(id="units", shapes=SQUARES, ids=["a", "b"], fills=["#aaa", "#bbb"], **more)


def test_only_kinds_with_a_listener_are_asked_for(bridge):
    assert bridge.listens == []
    stop = bridge.on(Clicked, print)
    assert bridge.sent[-1] == {"do": "listen", "kinds": ["click"]}
    bridge.on(ViewMoved, print)
    stop()
    assert bridge.sent[-1] == {"do": "listen", "kinds": ["view"]}


def test_an_event_is_answered_once_its_handlers_are_done(bridge):
    order = []

    async def slow(event):
        await asyncio.sleep(0)
        order.append(event.lon)

    bridge.on(Clicked, slow)
    bridge.hear(kind="click", lon=120, lat=30, key="click/")
    assert order == [120.0]
    assert bridge.sent[-1] == {"answered": "click/"}


def test_a_failing_handler_still_answers(bridge, caplog):
    def broken(_event):
        raise ZeroDivisionError

    bridge.on(Clicked, broken)
    bridge.hear(kind="click", lon=120, lat=30, key="click/")
    assert bridge.sent[-1] == {"answered": "click/"}
    assert "ZeroDivisionError" in caplog.text


def test_what_is_no_event_reaches_nobody(bridge, caplog):
    heard = []
    bridge.on(Clicked, heard.append)
    bridge.hear(kind="click", lon="120); DROP", lat=30, key="click/")
    assert heard == []
    assert "lon" in caplog.text


def test_a_page_that_loads_late_is_told_everything(bridge):
    early = Wire(HERE)
    early.put(areas())
    early.mark(Marker(id="m", lon=120.1, lat=30.2))
    early.mark(Marker(id="gone", lon=120.1, lat=30.2))
    early.unmark("gone")
    early.surround(head="<b>H</b>")
    early.go((120.1, 30.1, 120.2, 30.2))
    assert early.sent == []
    early.hear(kind="ready", loads=1, key="ready/")
    assert [told.get("do") for told in early.sent] == [
        "listen",
        "surround",
        "put",
        "mark",
        "view",
        None,
    ]


def test_areas_change_without_their_shapes(bridge):
    bridge.put(areas())
    bridge.restyle("units", fills=["#ccc", "#ddd"])
    assert bridge.sent[-1] == {"do": "restyle", "id": "units", "fills": ["#ccc", "#ddd"]}
    bridge.hear(kind="ready", loads=2, key="ready/")
    again = next(told["what"] for told in reversed(bridge.sent) if told.get("do") == "put")
    assert again["fills"] == ["#ccc", "#ddd"]
    assert again["parts"] == [[1], [1]]


def test_a_field_changes_colours_without_its_tiles(bridge):
    bridge.put(Field(id="f", url="t/{z}", step=1.0, stops=(800.0,), colours=("#00f", "#f00")))
    bridge.recolour("f", stops=[500.0], colours=["#00f", "#f00"])
    assert bridge.sent[-1]["do"] == "recolour"
    assert bridge.layers["f"].stops == (500.0,)


def test_on_a_gcj02_basemap_everything_moves_and_clicks_come_back(bridge):
    heard = []
    bridge.on(Clicked, heard.append)
    bridge.on(ShapeDrawn, heard.append)
    bridge.on(MarkerDropped, heard.append)
    bridge.mark(Marker(id="m", lon=120.1551, lat=30.2741))
    bridge.datum = "gcj02"
    moved = bridge.sent[-1]["what"]
    lon, lat = wgs84_to_gcj02(120.1551, 30.2741)
    assert (moved["lon"], moved["lat"]) == (float(lon), float(lat))
    bridge.hear(kind="click", lon=float(lon), lat=float(lat), key="click/")
    bridge.hear(kind="drop", marker="m", lon=float(lon), lat=float(lat), key="drop/m")
    bridge.hear(kind="draw", shape="line", points=[[float(lon), float(lat)]] * 2, key="draw/")
    for event in heard[:2]:
        assert event.lon == pytest.approx(120.1551, abs=1e-9)
        assert event.lat == pytest.approx(30.2741, abs=1e-9)
    assert heard[2].points[1] == pytest.approx((120.1551, 30.2741), abs=1e-9)
    with pytest.raises(InputError, match="bd09"):
        bridge.datum = "bd09"


@pytest.mark.parametrize("page", [HERE, folium.Map(location=(30, 120), tiles=None)])
def test_a_page_that_carries_leaflet_asks_for_nothing(page):
    html = MapBridge(page).page
    assert "Leaflet 1.9" in html
    assert re.findall(r"<(?:script|link|img)[^>]*\s(?:src|href)=", html) == []
    assert not re.search(r"url\((?!data:|#)", html)
    assert "sourceMappingURL" not in html
