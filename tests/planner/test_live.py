"""Coverage that follows a scenario is the coverage of the changed city."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers import City, embedded
from layers.errors import InputError, UnknownNameError
from planner import coverage
from planner.changes import Close, CloseStreet, Move, Open, Resize
from planner.live import LiveCoverage
from planner.scenario import Scenario
from planner.standards import Standard, load_services
from planner.workbench import Workbench
from tests.planner.strategies import networks

SERVICES = ("mother_baby_room", "home_care_centre", "menopause_clinic")
STANDARDS = st.sampled_from(
    [
        Standard(mode="walk", group="residents", source="", source_en="", cutoff_m=700.0),
        Standard(mode="drive", group="women", source="", source_en="", cutoff_min=2.0),
    ]
)


def assert_alike(live, city, scenario, **how):
    changed = scenario.apply(city)
    fresh = coverage(changed, live.service, standard=live.standard, **how)
    pd.testing.assert_frame_equal(live.demand, fresh.demand, check_exact=True)
    for level in ("city", "district", "township"):
        if level == "city" or level in fresh.levels:
            for group in (None, "age_60_plus"):
                held = live.by(level, group)
                expected = fresh.by(level, group)[list(held.columns)]
                pd.testing.assert_frame_equal(held, expected, check_exact=True)


def changes_of(city, service):
    """One more change that the city can bear in any case but one refused for its past."""
    west, south, east, north = city.streets.total_bounds
    here = st.sampled_from(list(shapely.get_coordinates(city.population.geometry.array)))
    spot = st.tuples(st.floats(west, east), st.floats(south, north)) | here.map(tuple)
    ids = st.sampled_from(list(city.facilities["id"]))
    street = st.sampled_from(list(city.streets.index))
    return (
        st.builds(Open, service=st.just(service), place=spot)
        | st.builds(Close, id=ids)
        | st.builds(Move, id=ids, place=spot)
        | st.builds(Resize, id=ids, capacity=st.floats(0, 99))
        | st.builds(CloseStreet, street=street, mode=st.sampled_from([None, "walk", "drive"]))
        | st.builds(CloseStreet, street=street)
    )


def follow(data, city, live, most, **how):
    """Grow, shrink and exchange a scenario, and hold the live coverage against a fresh one."""
    made = Scenario()
    change = changes_of(city, live.service.key)
    for _ in range(data.draw(st.integers(1, most))):
        kept = data.draw(st.sampled_from(["all", "all", "all", "one less", "two less", "none"]))
        drop = {"all": 0, "one less": 1, "two less": 2, "none": len(made)}[kept]
        wanted = made.undone(drop).then(*data.draw(st.lists(change, max_size=4)))
        try:
            expected = wanted.apply(city)
        except InputError:
            with pytest.raises(InputError):
                live.update(wanted)
            continue
        mode = live.standard.mode
        if not expected.streets[[f"{mode}_forward", f"{mode}_backward"]].any(axis=None):
            with pytest.raises(InputError):
                live.update(wanted)
            continue
        before = live.demand
        affected = live.update(wanted)
        assert_alike(live, city, wanted, **how)
        columns = ["distance", "facility", "reason"]
        same = before[columns].eq(live.demand[columns]) | before[columns].isna()
        assert set(before.index[~same.all(axis=1)]) <= set(affected)
        made = wanted


@given(st.data(), st.sampled_from(SERVICES), STANDARDS, st.sampled_from(["facility", "from"]))
@settings(max_examples=10, deadline=None)
def test_a_small_town_with_blocks_and_dead_ends(tiny_city, data, service, standard, towards):
    year = data.draw(st.sampled_from([None, 2021]))
    how = {"year": year, "towards": towards}
    live = LiveCoverage(tiny_city, service, standard=standard, **how)
    assert_alike(live, tiny_city, Scenario(), **how)
    follow(data, tiny_city, live, 4, **how)


@st.composite
def towns(draw):
    """A town around any network, with people and facilities on and beside its streets."""
    streets = draw(networks()).streets
    west, south, east, north = shapely.bounds(shapely.box(*streets.total_bounds).buffer(0.002))
    whole = shapely.box(west, south, east, north)
    spot = st.builds(shapely.Point, st.floats(west, east), st.floats(south, north))
    ends = shapely.get_coordinates(streets.geometry.array)
    spot |= st.sampled_from([shapely.Point(place) for place in ends])
    homes = draw(st.lists(spot, min_size=1, max_size=8))
    sites = draw(st.lists(spot, min_size=1, max_size=4))
    units = gpd.GeoDataFrame(
        {
            "code": ["330100", "330191"],
            "name": ["城", "区"],
            "name_en": ["City", "District"],
            "level": ["city", "district"],
            "parent": [None, "330100"],
        },
        geometry=[whole, whole],
        crs=4326,
    )
    groups = {
        "residents": 10.0,
        "women": 5.1,
        "women_15_49": 2.0,
        "women_45_59": 1.0,
        "age_60_plus": 1.3,
        "women_60_plus": 0.7,
        "children_0_3": 0.5,
    }
    named = {
        "id": pd.Series([f"F{number}" for number in range(len(sites))], dtype=object),
        "service": pd.Series(["fitness_circle"] * len(sites), dtype=object),
    }
    return City.of(
        name="城",
        streets=streets,
        units=units,
        population=gpd.GeoDataFrame(
            {name: [value] * len(homes) for name, value in groups.items()}, geometry=homes, crs=4326
        ),
        facilities=gpd.GeoDataFrame(named, geometry=sites, crs=4326),
        crs=4549,
    )


@given(st.data(), towns(), STANDARDS, st.sampled_from(["facility", "from"]))
@settings(max_examples=20, deadline=None)
def test_any_network(data, city, standard, towards):
    live = LiveCoverage(city, "fitness_circle", standard=standard, towards=towards)
    follow(data, city, live, 3, towards=towards)


@pytest.mark.parametrize("service", ["menopause_clinic", "mother_baby_room"])
def test_the_embedded_city_through_many_changes(service):
    city, rng = embedded("small"), np.random.default_rng(5)
    bench = Workbench(city)
    live = bench.live(service)
    own = city.facilities.query("service == @service and status == 'existing'")["id"]
    homes = shapely.get_coordinates(city.population.geometry.array)
    busy = city.streets.index[city.streets["highway"].isin(["primary", "trunk", "motorway"])]
    streets = iter([*rng.permutation(busy)[:12].tolist(), *rng.permutation(len(city.streets))[:12]])
    ids = iter(rng.permutation(own))

    def change():
        place = tuple(homes[rng.integers(len(homes))].tolist())
        return [
            lambda: Open(service=service, place=place),
            lambda: Close(id=next(ids)),
            lambda: Move(id=next(ids), place=place),
            lambda: CloseStreet(street=int(next(streets))),
        ][rng.integers(4)]()

    made = Scenario()
    for number in range(6):
        made = made.undone(number % 3).then(*(change() for _ in range(number + 1)))
        live.update(made)
        assert_alike(live, city, made)
    live.update(Scenario())
    assert_alike(live, city, Scenario())


def test_what_is_cut_off_by_a_closed_street_counts_as_cut_off(tiny_city):
    standard = Standard(mode="walk", group="residents", source="", source_en="", cutoff_m=700.0)
    live = LiveCoverage(tiny_city, "mother_baby_room", standard=standard)
    ends = tiny_city.streets[["u", "v"]]
    # All ways out of the south-eastern corner, behind which two junctions remain.
    round_corner = ends.isin([30, 40]).any(axis=1) & ~ends.isin([30, 40]).all(axis=1)
    shut = [CloseStreet(street=int(street)) for street in ends.index[round_corner]]
    live.update(Scenario(tuple(shut)))
    assert (live.demand["reason"] == "cut_off").any()
    assert_alike(live, tiny_city, Scenario(tuple(shut)))


def test_a_refused_change_changes_nothing(tiny_city):
    live = LiveCoverage(tiny_city, "mother_baby_room")
    held = Scenario((Close(id="M1"),))
    live.update(held)
    before = live.demand
    shut = tuple(CloseStreet(street=int(street)) for street in tiny_city.streets.index)
    for wrong in (held.then(Close(id="M1")), Scenario(shut)):
        with pytest.raises(InputError):
            live.update(wrong)
        assert live.scenario == held
    pd.testing.assert_frame_equal(live.demand, before)
    live.update(Scenario())
    assert_alike(live, tiny_city, Scenario())


def test_junctions_that_cost_time(tiny_city):
    standard = replace(load_services()["menopause_clinic"].standard, junction_delay_s=30.0)
    live = LiveCoverage(tiny_city, "menopause_clinic", standard=standard)
    plan = Scenario((Move(id="C1", place=tuple(tiny_city.population.geometry.iloc[3].coords[0])),))
    live.update(plan)
    assert_alike(live, tiny_city, plan)
    with pytest.raises(InputError, match="路口延误"):
        live.update(plan.then(CloseStreet(street=int(tiny_city.streets.index[0]))))
    assert_alike(live, tiny_city, live.scenario)


def test_the_bench_gives_what_it_has(tiny_city):
    bench = Workbench(tiny_city)
    live = bench.live("mother_baby_room", year=2023)
    assert live.network is bench.network(live.standard)
    assert live.year == 2023
    held = bench.homes(live.standard).edge.copy()
    live.update(Scenario((CloseStreet(street=int(tiny_city.streets.index[0])),)))
    np.testing.assert_array_equal(bench.homes(live.standard).edge, held)


def test_wrong_use_is_refused(tiny_city, tiny_network):
    live = LiveCoverage(tiny_city, "mother_baby_room")
    with pytest.raises(UnknownNameError):
        live.by("community")
    with pytest.raises(UnknownNameError):
        live.by("district", "men")
    with pytest.raises(InputError):
        LiveCoverage(tiny_city, "menopause_clinic", network=tiny_network)
    with pytest.raises(UnknownNameError):
        LiveCoverage(tiny_city, "swimming")


def test_a_city_without_units_of_its_own_level(tiny_city):
    units = tiny_city.units[tiny_city.units["level"] != "city"].assign(parent=None)
    units.loc[units["level"] == "township", "parent"] = None
    city = replace(tiny_city, units=units)
    live = LiveCoverage(city, "mother_baby_room")
    live.update(Scenario((Close(id="M1"),)))
    assert_alike(live, city, Scenario((Close(id="M1"),)))


def test_repr_tells(tiny_city):
    told = repr(LiveCoverage(tiny_city, load_services()["mother_baby_room"]))
    assert "with 0 changes" in told
    assert "2 facilities" in told
