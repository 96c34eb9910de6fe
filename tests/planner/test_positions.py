import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import CrsError, InputError
from planner.network import Network
from tests.planner.strategies import networks

SPOTS = st.lists(
    st.tuples(st.floats(511_800, 513_000), st.floats(3_349_800, 3_351_000)), max_size=8
)


@given(networks(), SPOTS, st.sampled_from([0.0, 5.0, 60.0, 300.0, 5000.0]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_places_are_the_brute_force_ones(network, spots, limit, islands):
    points = gpd.GeoSeries([shapely.Point(*spot) for spot in spots], crs=4549)
    # Nodes, too: they lie on several streets at no distance.
    nodes = [shapely.get_point(line, 0) for line in network.lines[:3]]
    points = pd.concat([points, gpd.GeoSeries(nodes, crs=4549)], ignore_index=True)
    where = network.locate(points, limit=limit, islands=islands)
    free = np.ones(len(network.lines), bool) if islands else ~network.cut_off
    for row, point in enumerate(points):
        away = shapely.distance(network.lines, point)
        best = min(away[free], default=np.inf)
        if abs(best - limit) < 1e-6:
            continue  # on the very limit either answer is right to a micrometre
        if best < limit:
            assert where.reason.iloc[row] is None
            edge = where.edge[row]
            assert free[edge]
            assert away[edge] == pytest.approx(best, abs=1e-6)
            assert where.access[row] == pytest.approx(best, abs=1e-6)
            assert 0 <= where.offset[row] <= network.length[edge]
            line = network.lines[edge]
            share = where.offset[row] / network.length[edge]
            spot = shapely.line_interpolate_point(line, share, normalized=True)
            assert shapely.distance(spot, point) == pytest.approx(best, abs=1e-4)
        else:
            near_shut = min(away[~free], default=np.inf) <= limit
            assert where.edge[row] == -1
            assert where.reason.iloc[row] == ("cut_off" if near_shut else "too_far")
            assert np.isnan(where.access[row])


def test_positions_keep_the_index_and_say_why(tiny_city, tiny_network):
    first = tiny_city.population.geometry.iloc[0]
    points = gpd.GeoSeries(
        {"home": first, "nowhere": shapely.Point(119, 29), "blank": None, "empty": shapely.Point()},
        crs=4326,
    )
    where = tiny_network.locate(points)
    assert where.reason.to_dict() == {
        "home": None,
        "nowhere": "too_far",
        "blank": "no_point",
        "empty": "no_point",
    }
    assert where.refused.to_dict() == {"no_point": 2, "too_far": 1, "cut_off": 0}
    assert where.frame().loc["home", "street"] in tiny_city.streets.index
    assert where.frame().loc["nowhere", "street"] is None
    assert "1 of 4 placed" in repr(where)
    distances = tiny_network.reach(where).at(where)
    assert distances["home"] == pytest.approx(2 * where.access[0])
    assert distances[["nowhere", "blank", "empty"]].isna().all()


def test_island_only_when_asked(tiny_city, tiny_network):
    shut = int(np.flatnonzero(tiny_network.cut_off)[0])
    line = tiny_network.lines[[shut]]
    middle = gpd.GeoSeries(shapely.line_interpolate_point(line, 0.5, normalized=True), crs=4549)
    kept_off = tiny_network.locate(middle, limit=50)
    assert kept_off.reason.tolist() == ["cut_off"]
    assert tiny_network.locate(middle, limit=50, islands=True).edge.tolist() == [shut]


def test_points_in_any_reference_system(tiny_city, tiny_network):
    points = tiny_city.population.geometry
    one, other = tiny_network.locate(points), tiny_network.locate(points.to_crs(3857))
    np.testing.assert_allclose(one.offset, other.offset, atol=1e-4)
    assert tiny_network.locate(tiny_city.population).edge.tolist() == one.edge.tolist()


def test_wrong_use_is_refused(tiny_city, tiny_network):
    points = tiny_city.population.geometry
    with pytest.raises(CrsError):
        tiny_network.locate(points.set_crs(None, allow_override=True))
    lines = gpd.GeoSeries([shapely.LineString([(120, 30), (121, 30)])], index=[7], crs=4326)
    with pytest.raises(InputError, match="7"):
        tiny_network.locate(lines)
    with pytest.raises(InputError):
        tiny_network.locate(points, limit=-1)
    other = Network.build(tiny_city.streets, "walk")
    with pytest.raises(InputError):
        tiny_network.reach(other.locate(points))


def test_nothing_to_place(tiny_network):
    nothing = tiny_network.locate(gpd.GeoSeries([], crs=4326))
    assert len(nothing) == 0
    assert nothing.refused.sum() == 0
