import math

import pytest

from layers.errors import InputError
from planner.maps.events import Clicked, FrameReady, MarkerDropped, ShapeDrawn, ViewMoved, parse

GOOD = [
    {"kind": "click", "lon": 120, "lat": 30.5, "layer": "units", "feature": "3301"},
    {"kind": "drag", "marker": "a", "lon": 1, "lat": 2},
    {"kind": "drop", "marker": "a", "lon": 1, "lat": 2},
    {"kind": "draw", "shape": "polygon", "points": [[1, 2], [3, 4], [5, 6]]},
    {
        "kind": "view",
        **dict.fromkeys(("lon", "lat", "west", "south", "east", "north"), 1.0),
        "zoom": 9.25,
    },
    {"kind": "ready", "loads": 1},
]


def test_each_kind_becomes_its_own_class():
    click, _, drop, drawn, view, ready = (parse(message) for message in GOOD)
    assert click == Clicked(lon=120.0, lat=30.5, layer="units", feature="3301")
    assert drop == MarkerDropped(marker="a", lon=1.0, lat=2.0)
    assert drawn == ShapeDrawn(shape="polygon", points=((1.0, 2.0), (3.0, 4.0), (5.0, 6.0)))
    assert isinstance(view, ViewMoved)
    assert view.zoom == 9.25
    assert ready == FrameReady(loads=1)


@pytest.mark.parametrize("message", GOOD, ids=lambda message: message["kind"])
@pytest.mark.parametrize(
    "value", [None, "x", math.nan, math.inf, True, [], {}, 1e9, ["a"], [[1, 2]], [[1, 2, 3]] * 3]
)
def test_no_field_takes_what_does_not_belong_there(message, value):
    optional = {"layer", "feature"}
    for field in message:
        if (field in optional and (value is None or value == "x")) or (
            field == "marker" and value == "x"
        ):
            continue
        with pytest.raises(InputError, match=r"字段|消息"):
            parse({**message, field: value})


@pytest.mark.parametrize("message", [None, 1, "click", [], {}, {"kind": []}, {"kind": "eval"}])
def test_what_is_no_event_is_refused(message):
    with pytest.raises(InputError):
        parse(message)


def test_names_and_shapes_have_bounds():
    with pytest.raises(InputError):
        parse({"kind": "drag", "marker": "a" * 1000, "lon": 1, "lat": 2})
    with pytest.raises(InputError):
        parse({"kind": "draw", "shape": "line", "points": [[0, 0]] * 20_000})
    with pytest.raises(InputError):
        parse({"kind": "draw", "shape": "polygon", "points": [[0, 0]] * 2})
