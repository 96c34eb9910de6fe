"""The modelled Hangzhou at its smallest size."""

import hashlib
import io
from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

from layers.population import GROUPS
from layers.sources import census
from layers.sources.modelled import (
    SEED,
    SETTINGS,
    build_layers,
    ground,
    statistics,
    streets,
    townships,
    water,
)
from layers.sources.modelled.net import Edges, crossings
from layers.sources.modelled.plane import to_wgs84

BOOLS = (
    "walk_forward",
    "walk_backward",
    "cycle_forward",
    "cycle_backward",
    "drive_forward",
    "drive_backward",
    "bridge",
    "tunnel",
)
SERVICES = {
    "mother_baby_room",
    "womens_activity_centre",
    "fitness_circle",
    "home_care_centre",
    "menopause_clinic",
}
METRES = 4549


@pytest.fixture(scope="module")
def made():
    return build_layers("small")


@pytest.fixture(scope="module")
def walking(made):
    streets = made.streets[made.streets["walk_forward"]]
    graph = nx.MultiGraph()
    graph.add_edges_from(
        (u, v, {"length": length, "bridge": bridge})
        for u, v, length, bridge in zip(
            streets["u"], streets["v"], streets["length"], streets["bridge"], strict=True
        )
    )
    return graph


def nodes(streets):
    metric = streets.to_crs(METRES).geometry.to_numpy()
    ends = np.concatenate(
        [shapely.get_coordinates(shapely.get_point(metric, end)) for end in (0, -1)]
    )
    frame = pd.DataFrame(ends, index=np.concatenate([streets["u"], streets["v"]]))
    return frame[~frame.index.duplicated()].sort_index()


def level(made, name):
    return made.units[made.units["level"] == name]


def digest(layers):
    hasher = hashlib.sha256()
    for name in ("streets", "units", "population", "facilities", "water"):
        buffer = io.BytesIO()
        getattr(layers, name).to_parquet(buffer)
        hasher.update(buffer.getvalue())
    return hasher.hexdigest()


def test_the_same_seed_gives_the_same_bytes(made):
    assert digest(build_layers("small")) == digest(made)


def test_another_seed_gives_another_city_of_the_same_people():
    other = build_layers("small", seed=7)
    assert other.seed == 7
    assert other.population["women"].sum() == 5_720_057


def test_progress_is_told_and_rises():
    told = []
    build_layers("small", progress=lambda doing, share: told.append((doing, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_streets_follow_the_schema(made):
    streets = made.streets
    assert streets.crs.to_epsg() == 4326
    assert all(streets[column].dtype == bool for column in BOOLS)
    assert all(streets[column].dtype == "int64" for column in ("u", "v", "layer"))
    assert (streets["length"] > 0).all()
    assert (streets["speed_kmh"] > 0).all()
    assert (streets.geometry.geom_type == "LineString").all()
    assert (streets["u"] != streets["v"]).all()
    assert {"motorway", "primary", "residential", "footway"} <= set(streets["highway"])


def test_lines_end_exactly_at_their_nodes(made):
    lines = made.streets.geometry.to_numpy()
    ends = np.concatenate(
        [shapely.get_coordinates(shapely.get_point(lines, end)) for end in (0, -1)]
    )
    index = np.concatenate([made.streets["u"], made.streets["v"]])
    places = pd.DataFrame(ends).groupby(index).nunique()
    assert (places == 1).all().all()


def test_length_is_that_of_the_geometry(made):
    metric = made.streets.to_crs(METRES).length
    assert np.allclose(metric, made.streets["length"], rtol=1e-3, atol=0.1)


def test_streets_cross_without_a_node_only_on_different_layers(made):
    metric = made.streets.to_crs(METRES)
    edges = Edges.of(metric["u"], metric["v"], metric.geometry.to_numpy(), 0, layer=metric["layer"])
    assert crossings(edges).size == 0


def test_bridges_are_above_and_tunnels_below(made):
    streets = made.streets
    assert (streets["bridge"] == (streets["layer"] > 0)).all()
    assert (streets["tunnel"] == (streets["layer"] < 0)).all()
    assert streets["bridge"].any()
    assert streets["tunnel"].any()


def test_nobody_walks_on_motorways_and_nobody_drives_on_footways(made):
    fast = made.streets["highway"].isin(["motorway", "trunk", "motorway_link"])
    on_foot = made.streets["highway"].isin(["footway", "path"])
    assert not made.streets.loc[fast, ["walk_forward", "cycle_forward"]].any(axis=None)
    assert not made.streets.loc[on_foot, ["drive_forward", "drive_backward"]].any(axis=None)


def test_main_roads_have_one_way_carriageways(made):
    streets = made.streets
    one_way = streets["drive_forward"] != streets["drive_backward"]
    assert one_way[streets["highway"] == "motorway"].all()
    assert one_way[streets["highway"] == "primary"].mean() > 0.2


def test_nearly_all_streets_hang_together_but_islands_remain(made):
    graph = nx.Graph(zip(made.streets["u"], made.streets["v"], strict=True))
    pieces = sorted(map(len, nx.connected_components(graph)), reverse=True)
    assert pieces[0] > 0.98 * sum(pieces)
    assert len(pieces) > 1


def test_districts_and_townships_are_all_there(made):
    units = made.units
    assert units["code"].is_unique
    assert len(level(made, "district")) == 13
    assert len(level(made, "township")) == 191
    assert (level(made, "township")["code"].str.len() == 9).all()
    assert set(level(made, "township")["parent"]) == set(level(made, "district")["code"])
    assert units.loc[units["level"] == "city", "code"].tolist() == ["330100"]
    assert units.geometry.is_valid.all()


def test_townships_tile_their_districts(made):
    towns = level(made, "township")
    for code, area in level(made, "district").set_index("code").geometry.items():
        pieces = towns.loc[towns["parent"] == code].geometry.to_numpy()
        assert shapely.coverage_is_valid(pieces)
        assert shapely.area(pieces).sum() == pytest.approx(area.area, rel=1e-12)
        assert shapely.union_all(pieces).symmetric_difference(area).area < 1e-14


def test_districts_tile_the_city(made):
    shapes = level(made, "district").geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(
        level(made, "city").geometry.iloc[0].area, rel=1e-9
    )


def test_people_of_each_district_are_those_of_the_census(made):
    inside = made.population.sjoin(
        level(made, "district")[["code", "geometry"]], predicate="within"
    )
    assert len(inside) == len(made.population)
    sums = inside.groupby("code")[list(GROUPS)].sum()
    assert sums.equals(census.groups().rename_axis("code"))
    assert (made.population[list(GROUPS)].dtypes == "int64").all()


def test_groups_nest_at_every_point(made):
    people = made.population
    assert (people["women_60_plus"] <= people["age_60_plus"]).all()
    assert (people["women_15_49"] + people["women_60_plus"] <= people["women"]).all()
    assert (people["women"] <= people["residents"]).all()
    assert (people["residents"] > 0).all()


def test_nobody_lives_in_the_water(made):
    assert made.population.sjoin(made.water, predicate="intersects").empty


def test_most_people_live_beside_a_street(made):
    lines = made.streets.loc[made.streets["walk_forward"]].to_crs(METRES)
    points = made.population.to_crs(METRES)
    _, away = shapely.STRtree(lines.geometry.to_numpy()).query_nearest(
        points.geometry.to_numpy(), return_distance=True, all_matches=False
    )
    assert np.quantile(away, 0.95) < 60.0


def test_facilities_follow_the_schema(made):
    facilities = made.facilities
    assert facilities["id"].is_unique
    assert set(facilities["service"]) == SERVICES
    assert set(facilities["status"]) == {"existing", "planned", "candidate"}
    assert facilities["name"].str.startswith("模拟").all()
    assert facilities["opened"].dtype == "Int64"
    assert facilities["closed"].dtype == "Int64"
    assert facilities.loc[facilities["status"] != "candidate", "opened"].between(2015, 2025).all()
    assert (facilities["closed"] > facilities["opened"]).dropna().all()


def opened_by(facilities, service, year):
    of_service = facilities[facilities["service"] == service]
    return of_service[(of_service["status"] == "existing") & (of_service["opened"] <= year)]


def test_clinics_follow_the_plan_and_fall_short_in_places(made):
    districts = level(made, "district")[["code", "geometry"]]

    def counts(year):
        clinics = opened_by(made.facilities, "menopause_clinic", year)
        joined = clinics.sjoin(districts, predicate="within")
        return joined.groupby("code").size().reindex(districts["code"], fill_value=0)

    assert counts(2020).sum() == 0
    assert counts(2021).sum() == 16
    assert counts(2024).sum() < 50
    assert (counts(2021) < 1).any()
    assert (counts(2023) < 3).any()
    assert (counts(2023) >= 3).any()


def test_every_district_has_a_womens_centre_in_2020(made):
    centres = opened_by(made.facilities, "womens_activity_centre", 2020)
    joined = centres.sjoin(level(made, "district")[["code", "geometry"]], predicate="within")
    assert len(centres) == 13
    assert joined["code"].nunique() == 13


def test_most_townships_have_a_home_care_centre_and_some_have_none(made):
    centres = opened_by(made.facilities, "home_care_centre", 2025)
    joined = centres.sjoin(level(made, "township")[["code", "geometry"]], predicate="within")
    assert 130 < joined["code"].nunique() < 191


def test_fitness_places_have_four_levels_and_rooms_many_venues(made):
    facilities = made.facilities
    fitness = facilities[facilities["service"] == "fitness_circle"]
    rooms = facilities[facilities["service"] == "mother_baby_room"]
    assert set(fitness["tier"]) == {"city", "district", "township", "community"}
    assert rooms["venue"].nunique() >= 8
    assert "candidate" in set(rooms["status"])


def test_streets_touch_the_main_river_only_on_bridges_and_in_tunnels(made):
    river = gpd.GeoSeries([water.draw().areas[0]], crs=METRES).to_crs(4326).iloc[0]
    touching = made.streets[made.streets.intersects(river)]
    assert (touching["bridge"] | touching["tunnel"]).all()
    assert touching["bridge"].any()


def test_the_far_bank_is_near_in_a_straight_line_and_far_on_foot(made, walking):
    places = nodes(made.streets[made.streets["walk_forward"]])
    course = shapely.LineString(water.draw().main_line)
    # The river along the main city, away from its ends.
    upper, lower = (
        course.project(gpd.GeoSeries.from_xy([x], [y], crs=4326).to_crs(METRES).iloc[0])
        for x, y in ((120.12, 30.17), (120.36, 30.255))
    )
    longest = 0.0
    for along in np.linspace(upper, lower, 60):
        a, b = (course.interpolate(along + step) for step in (-50.0, 50.0))
        middle = course.interpolate(along)
        away = places.to_numpy() - (middle.x, middle.y)
        near = np.hypot(*away.T) < 1200.0
        left = (b.x - a.x) * away[:, 1] - (b.y - a.y) * away[:, 0] > 0
        if not (near & left).any() or not (near & ~left).any():
            continue
        one, other = (
            places.index[side][np.argmin(np.hypot(*away[side].T))]
            for side in (near & left, near & ~left)
        )
        straight = float(np.hypot(*(places.loc[one] - places.loc[other])))
        if not 900.0 < straight < 1700.0:
            continue
        path = nx.shortest_path(walking, one, other, weight="length")
        metres = nx.path_weight(walking, path, "length")
        over = [any(edge["bridge"] for edge in walking[u][v].values()) for u, v in pairwise(path)]
        assert any(over)
        longest = max(longest, metres / straight)
    assert longest > 3.0


def test_streets_of_the_main_city_are_like_real_ones(shared):
    path = shared("hangzhou", "hangzhou_core_osm_drive_network.gpkg")
    core = (120.025, 30.234, 120.235, 30.375)
    box = gpd.GeoSeries([shapely.box(*core)], crs=4326).to_crs(METRES)
    edges = gpd.read_file(path, layer="edges").to_crs(METRES)
    real = statistics.street_statistics(
        edges["u_osm"].to_numpy(),
        edges["v_osm"].to_numpy(),
        edges.geometry.to_numpy(),
        area_km2=float(box.area.iloc[0]) / 1e6,
    )
    rng = [np.random.default_rng([SEED, place]) for place in (0, 1)]
    lakes, areas = water.draw(), townships.districts()
    setting = SETTINGS["city"]
    land = ground.survey(areas, townships.centres(), lakes, setting, rng[0])
    made = streets.layer(streets.net(land, lakes, setting, rng[1]))
    model = statistics.driving_statistics(made, core)
    table = statistics.side_by_side(model, real).loc[list(statistics.FIGURES)]
    assert (table["difference"].abs() < 0.15).all(), table


def test_statistics_join_chains_and_count_what_is_left():
    # A cross of four arms, one of them in two pieces and bent.
    ends = [(0, 1), (0, 2), (0, 3), (0, 4), (4, 5)]
    places = np.array([[0, 0], [100, 0], [-100, 0], [0, 100], [0, -60], [80, -60]], dtype=float)
    lines = shapely.linestrings([places[list(pair)] for pair in ends])
    figures = statistics.street_statistics(*np.transpose(ends), lines, area_km2=2.0)
    assert figures["junctions_per_km2"] == 2.5
    assert figures["dead_end_share"] == pytest.approx(0.8)
    assert figures["four_way_share"] == pytest.approx(0.2)
    assert figures["edge_length_m"] == pytest.approx(110.0)
    assert figures["circuity"] == pytest.approx(440.0 / 400.0)


def test_sizes_are_the_three_that_are_promised():
    assert set(SETTINGS) == {"small", "city", "full"}


def test_small_is_small(made):
    assert 3_000 < len(nodes(made.streets)) < 15_000


def test_plane_and_degrees_agree():
    back = to_wgs84(np.array([[500_000.0, 3_350_000.0]]))
    assert back[0, 0] == pytest.approx(120.0, abs=1e-9)
