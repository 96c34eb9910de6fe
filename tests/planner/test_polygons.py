"""Areas hold every served street and no other, up to the strip's width; always valid."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers import embedded, streets
from layers.errors import InputError
from planner import Network, Reach
from planner.areas import stretches
from planner.polygons import EDGE_M, area, bands, by_facility
from planner.positions import Positions
from planner.workbench import Workbench
from tests.planner.strategies import networks, positions

# Vertices lie on a grid of millimetres and come back from degrees.
HAIR_M = 0.005


def inside(lines, shape):
    """Metres of lines within a shape, but for what runs along its border."""
    parts = shapely.get_parts(shapely.buffer(shape, -HAIR_M))
    if not len(parts) or not len(lines):
        return 0.0
    line, part = shapely.STRtree(parts).query(lines, predicate="intersects")
    return float(shapely.length(shapely.intersection(lines[line], parts[part])).sum())


def outside(lines, shape):
    """Metres of lines beyond a shape, but for a hair."""
    wide = shapely.buffer(shape, HAIR_M)
    return float(shapely.length(shapely.difference(lines, wide)).sum())


def cut(reach, cutoff):
    table = stretches(reach, cutoff).to_crs(reach.network.crs)
    lines, served = np.asarray(table.geometry.array), table["served"].to_numpy()
    return lines[served], lines[~served]


def strip(lines):
    """Where a street beyond the cutoff may lie inside."""
    return shapely.union_all(shapely.buffer(lines, EDGE_M + HAIR_M))


def assert_rules(drawn, lines, others, crs):
    assert drawn.geometry.is_valid.all()
    # Valid where it is handed out; carried back to metres its borders may cross by rounding.
    assert drawn.geometry.is_valid.all()
    shape = shapely.union_all(shapely.make_valid(drawn.to_crs(crs).geometry.array))
    assert outside(lines, shape) == 0.0
    beyond = shapely.difference(others, strip(lines))
    assert inside(beyond, shape) == 0.0


@given(st.data(), st.sampled_from(["m", "min"]), st.floats(1.0, 60.0))
@settings(max_examples=25, deadline=None)
def test_any_network(data, unit, width):
    network = data.draw(networks())
    origins = data.draw(positions(network, 1))
    cutoff = data.draw(st.floats(0, 600 if unit == "m" else 8))
    fill = data.draw(st.sampled_from([0.0, 300.0]))
    bound = {"cutoff" if unit == "m" else "cutoff_min": cutoff}
    reach = network.reach(origins, **bound)
    lines, others = cut(reach, cutoff)
    drawn = area(reach, cutoff, width=width, fill=fill)
    assert len(drawn) == (1 if len(lines) else 0)
    assert_rules(drawn, lines, others, network.crs)
    each = by_facility(reach, cutoff, width=width, fill=fill)
    assert_rules(each, lines, others, network.crs)


@pytest.mark.parametrize("service", list(Workbench(embedded("small")).services))
def test_all_services_at_random_cutoffs(service):
    city = embedded("small")
    bench = Workbench(city)
    coverage = bench.coverage(service)
    network, standard = coverage.network, coverage.standard
    # One district's worth of the city, to be quick about it.
    places = np.asarray(network.streets.geometry.to_crs(network.crs).array)
    middle = coverage.facilities.geometry.to_crs(network.crs).iloc[0]
    near = shapely.dwithin(places, middle, 6000.0)
    own = Network.build(
        city.streets.loc[network.streets.index[near]], standard.mode, crs=city.crs, **standard.pace
    )
    for cutoff in np.random.default_rng(7).uniform(0.1, 1.2, 2) * standard.cutoff:
        unit = {"cutoff_min" if standard.unit == "min" else "cutoff": cutoff}
        reach = own.reach(coverage.facilities, **unit)
        lines, others = cut(reach, cutoff)
        drawn = area(reach, cutoff, fill=120.0)
        assert_rules(drawn, lines, others, own.crs)


def straight(*lines):
    """Network of straight streets that meet at the ends they share alone."""
    ends = {place: 100 + row for row, place in enumerate(dict.fromkeys(sum(lines, ())))}
    frame = gpd.GeoDataFrame(
        {
            "u": [ends[a] for a, _ in lines],
            "v": [ends[b] for _, b in lines],
            "speed_kmh": 30.0,
            "length": [float(np.hypot(b[0] - a[0], b[1] - a[1])) for a, b in lines],
        },
        geometry=[shapely.LineString([moved(a), moved(b)]) for a, b in lines],
        crs=4549,
    )
    return Network.build(streets.conform(frame.to_crs(4326)), "walk", crs=4549)


def moved(place):
    return 512_000.0 + place[0], 3_350_000.0 + place[1]


def from_rows(network, *rows):
    edge = np.array(rows)
    nought = np.zeros(len(edge))
    index = pd.Index([f"F{row}" for row in rows])
    return Positions(network, index, edge, nought, nought, edge * 0 - 1)


def drawn_of(table):
    return shapely.union_all(table.to_crs(4549).geometry.array)


def at(*place):
    return shapely.Point(moved(place))


def test_the_border_runs_between_a_served_street_and_its_neighbour():
    # The upper one cannot be reached from the lower.
    network = straight(((0, 0), (300, 0)), ((0, 10), (300, 10)))
    shape = drawn_of(area(network.reach(from_rows(network, 0), cutoff=400), 400))
    for x in (50, 150, 250):
        assert shape.contains(at(x, 3.2))
        assert not shape.intersects(at(x, 5.01))
        # Nor does it go on behind the neighbour.
        assert not shape.intersects(at(x, 16))
        assert shape.contains(at(x, -24))
        assert not shape.intersects(at(x, -26))


def test_a_bridge_over_a_street_that_is_not_served():
    network = straight(((0, 0), (300, 0)), ((150, -100), (150, 100)))
    reach = network.reach(from_rows(network, 0), cutoff=400)
    table = area(reach, 400)
    shape = drawn_of(table)
    assert_rules(table, *cut(reach, 400), network.crs)
    # One piece: the strip goes under the bridge.
    assert shape.geom_type == "Polygon"
    assert shape.contains(at(150, 0))
    assert not shape.intersects(at(150, 1))


def ring(size):
    corners = [(0, 0), (size, 0), (size, size), (0, size)]
    return [(a, b) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]


def test_blocks_are_filled_where_nothing_but_served_streets_is_around():
    empty, held = straight(*ring(200)), straight(*ring(200), ((90, 90), (110, 110)))
    for network, filled in ((empty, True), (held, False)):
        reach = network.reach(from_rows(network, 0), cutoff=900)
        assert not drawn_of(area(reach, 900)).intersects(at(100, 60))
        assert drawn_of(area(reach, 900, fill=110)).intersects(at(100, 60)) == filled
        assert not drawn_of(area(reach, 900, fill=90)).intersects(at(100, 60))


def test_water_is_left_out_but_for_bridges():
    network = straight(((0, 0), (300, 0)))
    reach = network.reach(from_rows(network, 0), cutoff=400)
    river = shapely.box(*moved((100, -500)), *moved((140, 500)))
    water = gpd.GeoDataFrame({"name": ["江"]}, geometry=[river], crs=4549).to_crs(4326)
    table = area(reach, 400, water=water)
    shape = drawn_of(table)
    assert not shape.intersects(at(120, 5))
    assert shape.contains(at(90, 5))
    assert_rules(table, *cut(reach, 400), network.crs)


def test_bands_lie_side_by_side():
    network = straight(((0, 0), (1000, 0)))
    reach = network.reach(from_rows(network, 0), cutoff=800)
    table = bands(reach, [800, 200, 500, 500])
    assert table[["above", "cutoff"]].to_numpy().tolist() == [[0, 200], [200, 500], [500, 800]]
    shapes = table.to_crs(4549).geometry
    for near, far, x in ((0, 1, 200), (1, 2, 500)):
        assert shapes[near].contains(at(x - 2, 1))
        assert shapes[far].contains(at(x + 2, 1))
        assert shapes[near].intersection(shapes[far]).area < 1.0


def test_each_facility_has_its_own():
    network = straight(((0, 0), (1000, 0)), ((1000, 0), (1000, 1)))
    reach = network.reach(from_rows(network, 0, 1), cutoff=700)
    table = by_facility(reach, 700)
    assert table["origin"].tolist() == ["F0", "F1"]
    one, other = table.to_crs(4549).geometry
    assert one.contains(at(498, 1))
    assert other.contains(at(502, 1))
    assert one.intersection(other).area < 0.1
    table = by_facility(reach, 700, overlapping=True)
    one, other = table.to_crs(4549).geometry
    assert one.contains(at(698, 1))
    assert other.contains(at(302, 1))
    assert not one.intersects(at(702, 10))


@given(st.data())
@settings(max_examples=10, deadline=None)
def test_areas_of_facilities_do_not_overlap(data):
    network = data.draw(networks())
    reach = network.reach(data.draw(positions(network, 2)), cutoff=300)
    shapes = by_facility(reach, 300).to_crs(network.crs).geometry.array
    for number, shape in enumerate(shapes):
        for other in shapes[number + 1 :]:
            # Borders lie on a grid of millimetres, so two may cross each other by a hair.
            assert shape.intersection(other).buffer(-0.002).is_empty


def test_nothing_served_draws_nothing(tiny_network, tiny_city):
    reach = tiny_network.reach(tiny_city.facilities.iloc[:0], cutoff=500)
    assert isinstance(reach, Reach)
    assert len(area(reach, 500)) == len(by_facility(reach, 500)) == len(bands(reach, [1, 2])) == 0


@pytest.mark.parametrize("wrong", [{"width": EDGE_M}, {"width": np.nan}, {"fill": -1.0}])
def test_wrong_use_is_refused(tiny_network, tiny_city, wrong):
    reach = tiny_network.reach(tiny_city.facilities, cutoff=500)
    for draw in (area, by_facility):
        with pytest.raises(InputError, match="宽度"):
            draw(reach, 500, **wrong)
