import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon

from planner.maps import shapes


def unpack(table):
    """What the page's script does."""
    lines, x, y, k = [], 0, 0, 0
    for count in table["n"]:
        line = []
        for _ in range(count):
            x, y, k = x + table["d"][k], y + table["d"][k + 1], k + 2
            line.append((x / 1e5, y / 1e5))
        lines.append(line)
    return lines


degrees = st.tuples(st.floats(-180, 180), st.floats(-85, 85))


@given(st.lists(st.lists(degrees, min_size=2, max_size=6, unique=True), max_size=6))
def test_lines_come_back_within_half_a_metre_of_a_degree(lines):
    packed = shapes.pack(np.array([LineString(line) for line in lines]))
    back = unpack(packed)
    assert [len(line) for line in back] == [len(line) for line in lines]
    for line, found in zip(lines, back, strict=True):
        assert np.abs(np.array(line) - np.array(found)).max() <= 0.5e-5 + 1e-12


def test_areas_keep_their_holes_and_parts():
    holed = Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(1, 1), (2, 1), (2, 2)]])
    plain = Polygon([(9, 9), (8, 9), (8, 8)])
    rings, parts = shapes.pack_areas(np.array([shapely.MultiPolygon([holed, plain]), plain]))
    assert parts == [[2, 1], [1]]
    assert [len(ring) for ring in unpack(rings)] == [5, 4, 4, 4]


def streets():
    wavy = [LineString([(x, row + 1e-6 * (x % 2)) for x in range(50)]) for row in range(4)]
    return gpd.GeoDataFrame(
        {"rank": [0, 2, shapes.MINOR, shapes.MINOR], "length_m": [1000.0, 2000.0, 3000.0, 4000.0]},
        geometry=wavy,
        crs=4326,
    )


@pytest.mark.parametrize(
    ("most", "kept", "told"),
    [
        (200, 4, {}),
        (199, 4, {"drawn": 10.0, "whole": 10.0}),
        (7, 2, {"drawn": 3.0, "whole": 10.0}),
        (2, 1, {"drawn": 1.0, "whole": 10.0}),
    ],
)
def test_too_many_coordinates_are_thinned_and_it_is_said(most, kept, told):
    drawn, left_out = shapes.thin(streets(), most=most)
    assert len(drawn) == kept
    assert left_out == told


def test_joining_points_loses_nobody():
    rng = np.random.default_rng(7)
    points = gpd.GeoDataFrame(
        {"people": rng.uniform(1, 9, 500)},
        geometry=[Point(*xy) for xy in rng.uniform(0, 0.05, (500, 2))],
        crs=4326,
    )
    joined, side = shapes.gather(points, most=40)
    assert len(joined) <= 40
    assert side > 0
    assert joined["people"].sum() == pytest.approx(points["people"].sum())
    assert joined["points"].sum() == 500
    alone, none = shapes.gather(points, most=500)
    assert (len(alone), none) == (500, 0)
