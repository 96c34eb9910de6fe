"""Barriers against a plain account: streets split by shapely, joined where ends coincide."""

import math

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from shapely.ops import split

from layers import streets as street_layer
from layers.errors import CrsError, InputError
from planner import barriers
from planner.network import Network

EAST, NORTH, BLOCK = 514_000.0, 3_350_000.0, 100.0
SIZE = 4


def grid(*, bridge=False):
    """Streets of a grid, measured as drawn; with a bridge across it that meets none of them."""
    rows = []
    for x in range(SIZE):
        for y in range(SIZE):
            for dx, dy in ((1, 0), (0, 1)):
                if x + dx < SIZE and y + dy < SIZE:
                    bend = 7.0 + x + 2 * y
                    middle = ((x + dx / 2) * BLOCK + dy * bend, (y + dy / 2) * BLOCK + dx * bend)
                    rows.append((10 * x + y, 10 * (x + dx) + y + dy, middle, False))
    if bridge:
        rows.append((0, 33, (140.0, 160.0), True))
    lines = [
        shapely.LineString(
            [place(divmod(u, 10)), place(np.array(via) / BLOCK), place(divmod(v, 10))]
        )
        for u, v, via, _ in rows
    ]
    frame = gpd.GeoDataFrame(
        {
            "u": [row[0] for row in rows],
            "v": [row[1] for row in rows],
            "length": [line.length for line in lines],
            "speed_kmh": 30.0,
            "bridge": [row[3] for row in rows],
        },
        geometry=lines,
        crs=4549,
    )
    return street_layer.conform(frame)


def place(xy):
    return EAST + BLOCK * float(xy[0]), NORTH + BLOCK * float(xy[1])


def barrier(*shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4549, index=range(len(shapes)))


def plain(streets, lines, areas):
    """Distances between all old junctions, by splitting and by where ends coincide."""
    graph = nx.Graph()
    walls = shapely.union_all(lines).buffer(1e-3)
    inside = shapely.union_all(areas)
    numbers = iter(range(10**6))
    projected = streets.to_crs(4549)
    for street in projected.itertuples():
        pieces = [street.geometry]
        for wall in [*lines, *(area.boundary for area in areas)]:
            if not street.bridge:
                try:
                    pieces = [part for piece in pieces for part in split(piece, wall).geoms]
                except ValueError:  # a street along the wall is beyond this account
                    reject()
        for piece in pieces:
            middle = piece.interpolate(0.5, normalized=True)
            if piece.length < 1e-3 or (not street.bridge and inside.distance(middle) == 0):
                continue
            ends = []
            for end in (piece.coords[0], piece.coords[-1]):
                ground = not street.bridge and walls.intersects(shapely.Point(end))
                name = ("cut", next(numbers)) if ground else tuple(np.round(end, 3))
                ends.append(name)
            share = piece.length / street.geometry.length
            known = graph.get_edge_data(*ends, {"cost": math.inf})["cost"]
            graph.add_edge(*ends, cost=min(known, share * street.length))
    return graph, dict(nx.all_pairs_dijkstra_path_length(graph, weight="cost"))


coordinate = st.integers(-50, 50 * (2 * SIZE - 1)).map(lambda hundredths: hundredths / 100)
spot = st.tuples(coordinate, coordinate)


@given(
    st.lists(st.lists(spot, min_size=2, max_size=3, unique=True), max_size=2),
    st.lists(st.tuples(spot, st.floats(0.1, 1.2)), max_size=2),
    st.booleans(),
)
@settings(max_examples=50, deadline=None)
def test_lines_and_areas_leave_what_splitting_leaves(walls, discs, bridge):
    streets = grid(bridge=bridge)
    lines = [shapely.LineString([place(xy) for xy in wall]) for wall in walls]
    areas = [shapely.Point(place(xy)).buffer(BLOCK * radius, quad_segs=3) for xy, radius in discs]
    graph, expected = plain(streets, lines, areas)
    barred = barriers.apply(streets, barrier(*lines, *areas), crs=4549)
    assert not street_layer.check(barred.streets)
    total = sum(cost for _, _, cost in graph.edges.data("cost"))
    assert barred.streets["length"].sum() == pytest.approx(total, abs=0.05)
    assert barred.removed_m == pytest.approx(streets["length"].sum() - total, abs=0.05)
    if not len(barred.streets):
        return
    network = Network.build(barred.streets, crs=4549)
    made = nx.Graph()
    for u, v, length in zip(network.u, network.v, network.length, strict=True):
        ends = int(network.node_ids[u]), int(network.node_ids[v])
        known = made.get_edge_data(*ends, {"cost": math.inf})["cost"]
        made.add_edge(*ends, cost=min(known, length))
    junctions = {
        10 * x + y: tuple(np.round(place((x, y)), 3)) for x in range(SIZE) for y in range(SIZE)
    }
    found = dict(nx.all_pairs_dijkstra_path_length(made, weight="cost"))
    for one, here in junctions.items():
        if one not in found or here not in expected:
            assert one not in found or here in expected or made.degree(one) == 0
            continue
        for other, there in junctions.items():
            assert found[one].get(other, math.inf) == pytest.approx(
                expected[here].get(there, math.inf), abs=0.02
            )


def test_a_wall_cuts_for_the_modes_it_hinders():
    streets = grid()
    x = place((1.5, 0))[0]
    wall = shapely.LineString([(x, NORTH - 50), (x, NORTH + 350)])
    barred = barriers.apply(streets, barrier(wall, modes=["drive"]), crs=4549)
    assert barred.cuts == 4
    assert barred.removed_m == pytest.approx(0, abs=1e-6)
    walk, drive = (Network.build(barred.streets, mode, crs=4549) for mode in ("walk", "drive"))
    assert list(walk.streets.index) == list(streets.index)
    assert len(np.unique(drive.component)) == 2
    assert drive.length.sum() == pytest.approx(walk.length.sum())
    assert len(drive.length) == len(walk.length) + 4
    assert streets["drive_forward"].all(), "the input stays as it was"


def test_bridges_pass_over_unless_told():
    streets = grid(bridge=True)
    wall = shapely.LineString([place((1.4, -1)), place((1.4, 5))])
    assert barriers.apply(streets, barrier(wall), crs=4549).cuts == 4
    assert barriers.apply(streets, barrier(wall, bridges=[True]), crs=4549).cuts == 5


@pytest.mark.parametrize(("offset", "cuts"), [(0.0, 1), (4.0, 1), (6.0, 0)])
def test_a_point_closes_the_nearest_street_within_the_tolerance(offset, cuts):
    streets = grid()
    line = streets.to_crs(4549).geometry.iloc[0]
    on = line.interpolate(0.3, normalized=True)
    away = line.parallel_offset(max(offset, 1e-9)).interpolate(0.3, normalized=True)
    spot = on if offset == 0 else away
    barred = barriers.apply(streets, barrier(spot), crs=4549, tolerance=5.0)
    assert barred.cuts == cuts
    assert len(barred.findings) == 1 - cuts
    if cuts:
        pieces = barred.streets[~barred.streets.index.isin(streets.index)]
        assert len(pieces) == 2
        assert pieces["length"].sum() == pytest.approx(streets["length"].iloc[0])


def test_a_point_at_a_junction_closes_the_junction():
    barred = barriers.apply(grid(), barrier(shapely.Point(place((1, 1)))), crs=4549)
    assert barred.cuts == 4
    assert not (barred.streets[["u", "v"]] == 11).to_numpy().any()


def test_a_delaying_point_is_passed_at_its_price():
    streets = grid()
    line = streets.to_crs(4549).geometry.iloc[0]
    gate = line.interpolate(0.25, normalized=True)
    barred = barriers.apply(streets, barrier(gate, delay_s=[90.0], modes=["walk"]), crs=4549)
    assert barred.delays["seconds"].tolist() == [90.0]
    network = Network.build(barred.streets, crs=4549, node_delays=barred.delays)
    ends = gpd.GeoSeries([line.interpolate(5.0), line.interpolate(45.0)], crs=4549)
    before, after = (network.locate(ends.iloc[[row]]) for row in (0, 1))
    minutes = network.reach(before, cutoff_min=10).at(after).iloc[0]
    assert minutes == pytest.approx(40.0 / 80 + 1.5, abs=1e-3)
    metres = network.reach(before, cutoff=1000).at(after).iloc[0]
    assert metres == pytest.approx(40.0, abs=1e-3)
    assert Network.build(barred.streets, "drive", node_delays=barred.delays).delay is None


def test_a_street_is_closed_by_its_label():
    streets = grid()
    frame = gpd.GeoDataFrame({"street": [3]}, geometry=[None], crs=4326)
    barred = barriers.apply(streets, frame)
    assert list(barred.streets.index) == [row for row in streets.index if row != 3]
    assert barred.removed_m == pytest.approx(streets["length"].loc[3])


def test_no_barrier_changes_nothing():
    streets = grid()
    barred = barriers.apply(streets, barrier())
    pd.testing.assert_frame_equal(barred.streets, streets)
    assert "0 cuts" in repr(barred)
    assert barred.as_dict() == {"cuts": 0, "removed_m": 0.0, "delays": 0}


def test_labels_of_words_stay_unique():
    streets = grid()
    streets.index = pd.Index([f"s{row}" for row in range(len(streets))], dtype=object)
    wall = shapely.LineString([place((0.5, -1)), place((0.5, 5))])
    barred = barriers.apply(streets, barrier(wall), crs=4549)
    assert barred.streets.index.is_unique
    assert "s0/1" in barred.streets.index


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"modes": ["walk,swim"]}, "modes"),
        ({"delay_s": ["long"]}, "delay_s"),
        ({"delay_s": [-1.0]}, "delay_s"),
        ({"street": ["nowhere"]}, "street"),
    ],
)
def test_wrong_barriers_are_refused_by_row(columns, told):
    with pytest.raises(InputError, match=told):
        barriers.apply(grid(), barrier(shapely.Point(place((1, 1))), **columns))


def test_a_wall_has_no_delay_and_a_barrier_some_geometry():
    wall = shapely.LineString([place((0.5, -1)), place((0.5, 5))])
    with pytest.raises(InputError, match="delay_s"):
        barriers.apply(grid(), barrier(wall, delay_s=[5.0]))
    with pytest.raises(InputError, match="0"):
        barriers.apply(grid(), barrier(shapely.Point()))
    with pytest.raises(CrsError):
        barriers.apply(grid(), gpd.GeoDataFrame(geometry=[wall]))
