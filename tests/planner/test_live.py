"""Coverage that follows a scenario is the coverage of the changed city."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from layers import City, embedded
from layers.errors import InputError, UnknownNameError
from planner import barriers, coverage
from planner.changes import Close, CloseStreet, Move, Open, Resize
from planner.live import LiveCoverage
from planner.network import Network
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


def assert_alike(live, city, scenario, *, barred=None, elevation=None, **how):
    """Every figure is the one that starting over gives, with bands and all."""
    changed = scenario.apply(city)
    network = None
    if barred is not None or elevation is not None:
        network = Network.build(
            changed.streets if barred is None else closed_after(barred, scenario),
            live.standard.mode,
            crs=city.crs,
            node_delays=None if barred is None else barred.delays,
            elevation=elevation,
            **live.standard.pace,
        )
    fresh = coverage(changed, live.service, standard=live.standard, network=network, **how)
    # First what is kept up to date, before anything is searched anew.
    pd.testing.assert_series_equal(live.served, fresh.demand["served"])
    for group in (None, "age_60_plus"):
        expected = fresh.total(group)
        pd.testing.assert_series_equal(live.total(group), expected[live.total().index])
    for level in ("city", "district", "township"):
        if level == "city" or level in fresh.levels:
            for group in (None, "age_60_plus"):
                held, expected = live.by(level, group), fresh.by(level, group)
                expected = expected[list(held.columns)]
                pd.testing.assert_frame_equal(held, expected, check_exact=True)
    # Then everything else.
    whole = live.coverage()
    pd.testing.assert_frame_equal(whole.demand, fresh.demand, check_exact=True)
    pd.testing.assert_frame_equal(
        live.by("district", band=True), fresh.by("district"), check_exact=True
    )
    pd.testing.assert_series_equal(whole.total(), fresh.total(), check_exact=True)
    pd.testing.assert_frame_equal(live.gap(), fresh.gap(), check_exact=True)
    assert list(whole.city.facilities["id"]) == list(changed.facilities["id"])


def closed_after(barred, scenario):
    """Streets after barriers without those that a scenario closes, and their parts."""
    streets = barred.streets.copy()
    whole = pd.Series(streets.index, streets.index)
    whole.update(barred.whole)
    for change in scenario.changes:
        if isinstance(change, CloseStreet):
            for mode in [change.mode] if change.mode else ["walk", "cycle", "drive"]:
                shut = (whole == change.street).to_numpy()
                streets.loc[shut, [f"{mode}_forward", f"{mode}_backward"]] = False
    return streets


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
        columns = ["served", "reason"]
        same = before[columns].eq(live.demand[columns]) | before[columns].isna()
        assert set(before.index[~same.all(axis=1)]) <= set(affected)
        made = wanted


@given(st.data(), st.sampled_from(SERVICES), STANDARDS, st.sampled_from(["facility", "from"]))
@settings(max_examples=8, deadline=None)
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
@settings(max_examples=8, deadline=None)
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


DELAYED = [
    Standard(
        mode="drive",
        group="women",
        source="",
        source_en="",
        cutoff_min=minutes,
        junction_delay_s=seconds,
    )
    for minutes, seconds in ((2.0, 8.0), (3.0, {"residential": 21.0, "trunk": 7.0, "other": 0.0}))
]


@given(st.data(), st.sampled_from(DELAYED), st.sampled_from(["facility", "from"]))
@settings(max_examples=8, deadline=None)
def test_junctions_that_cost_time(tiny_city, data, standard, towards):
    # Whether a junction delays depends on which streets are open there.
    live = LiveCoverage(tiny_city, "menopause_clinic", standard=standard, towards=towards)
    follow(data, tiny_city, live, 4, towards=towards)


def test_delays_of_unknown_origin_are_refused(tiny_city):
    slow = Network.build(tiny_city.streets, "drive", crs=4549, junction_delay_s=30.0)
    live = LiveCoverage(tiny_city, "menopause_clinic", network=slow)
    plan = Scenario((Move(id="C1", place=tuple(tiny_city.population.geometry.iloc[3].coords[0])),))
    live.update(plan)
    with pytest.raises(InputError, match="路口延误"):
        live.update(plan.then(CloseStreet(street=int(tiny_city.streets.index[0]))))
    assert live.scenario == plan


def hindrances(draw, city):
    """A wall, a lake, gates and waiting points somewhere in the tiny city."""
    west, south, east, north = city.streets.to_crs(4549).total_bounds
    spot = st.tuples(st.floats(west, east), st.floats(south, north))
    wall = shapely.LineString(draw(st.lists(spot, min_size=2, max_size=3, unique=True)))
    lake = shapely.Point(draw(spot)).buffer(draw(st.floats(50, 250)), quad_segs=4)
    lines = city.streets.to_crs(4549).geometry
    gates = [
        lines.iloc[row].interpolate(share, normalized=True)
        for row, share in draw(
            st.lists(
                st.tuples(
                    st.integers(0, len(lines) - 1),
                    st.sampled_from([0.0, 0.3, 1.0]) | st.floats(0, 1),
                ),
                min_size=1,
                max_size=3,
            )
        )
    ]
    return gpd.GeoDataFrame(
        {"delay_s": [None, None, *([45.0] * len(gates))]}, geometry=[wall, lake, *gates], crs=4549
    )


@given(st.data(), st.sampled_from([*DELAYED, None]), st.sampled_from(["facility", "from"]))
@settings(max_examples=8, deadline=None)
def test_streets_after_barriers(tiny_city, data, standard, towards):
    if standard is None:
        standard = Standard(
            mode="walk", group="residents", source="", source_en="", cutoff_min=9.0, speed_kmh=4.0
        )
    barred = barriers.apply(tiny_city.streets, hindrances(data.draw, tiny_city), crs=4549)
    service = "menopause_clinic" if standard.mode == "drive" else "mother_baby_room"
    live = LiveCoverage(tiny_city, service, standard=standard, towards=towards, barred=barred)
    follow(data, tiny_city, live, 3, towards=towards, barred=barred)


def test_a_closed_street_is_closed_with_all_its_parts(tiny_city):
    wall = gpd.GeoDataFrame(
        geometry=[shapely.LineString([(513_900, 3_350_200), (515_700, 3_350_210)])], crs=4549
    )
    bench = Workbench(tiny_city, hindered_by=wall)
    assert bench.barred is not None
    cut = bench.barred.whole.iloc[0]
    assert len(bench.barred.whole) == 2 * bench.barred.whole.nunique()
    live = bench.live("mother_baby_room")
    plan = Scenario((CloseStreet(street=int(cut)),))
    live.update(plan)
    parts = bench.barred.whole.index[bench.barred.whole == cut]
    assert set(live.coverage().network.labels).isdisjoint(parts)
    assert_alike(live, tiny_city, plan, barred=bench.barred)
    # Stretches of street are those of the changed city as well.
    closed = closed_after(bench.barred, plan)
    fresh = coverage(plan.apply(tiny_city), live.service, network=Network.build(closed, crs=4549))
    told, expected = (
        which.stretches().groupby(["street", "served"])["length_m"].sum()
        for which in (live.coverage(), fresh)
    )
    pd.testing.assert_series_equal(told, expected)
    stranger = LiveCoverage(tiny_city, "mother_baby_room", network=live.network)
    with pytest.raises(InputError, match="barred"):
        stranger.update(plan)


@given(st.data(), st.sampled_from(["facility", "from"]))
@settings(max_examples=8, deadline=None)
def test_slopes(tiny_city, hills, data, towards):
    standard = Standard(
        mode="walk", group="residents", source="", source_en="", cutoff_min=9.0, speed_kmh=4.0
    )
    network = Network.build(tiny_city.streets, crs=4549, elevation=hills, **standard.pace)
    assert not np.array_equal(network.minutes, network.minutes_back)
    how = {"standard": standard, "towards": towards}
    live = LiveCoverage(tiny_city, "mother_baby_room", network=network, **how)
    follow(data, tiny_city, live, 3, towards=towards, elevation=hills)


@pytest.fixture(scope="module")
def hills(tmp_path_factory):
    """Heights over the tiny city."""
    x, y = np.meshgrid(np.arange(100) * 25.0, np.arange(100) * 25.0)
    path = tmp_path_factory.mktemp("hills") / "heights.tif"
    profile = {"driver": "GTiff", "width": 100, "height": 100, "count": 1, "dtype": "float64"}
    place = Affine(25, 0, 513_600, 0, -25, 3_352_000)
    with rasterio.open(path, "w", crs="EPSG:4549", transform=place, **profile) as file:
        file.write(30 * np.sin(x / 150) + 0.06 * y, 1)
    return path


@pytest.fixture(scope="module")
def gated(tiny_city):
    """The tiny city; its first room has a second entrance far off, and one on no street."""
    rooms = tiny_city.facilities["id"].isin(["M1", "M2"])
    further = pd.concat([tiny_city.facilities[rooms]] * 2).iloc[:3].copy()
    further["id"] = ["M1-b", "M2-b", "M1-c"]
    further["entrance_of"] = ["M1", "M2", "M1"]
    further = further.set_geometry(
        tiny_city.population.geometry.iloc[[3, 12, 17]].to_numpy(), crs=4326
    )
    both = pd.concat([tiny_city.facilities, further], ignore_index=True)
    given_layers = {name: getattr(tiny_city, name) for name in ("streets", "units", "population")}
    return City.of(name="小城", facilities=both, crs=4549, **given_layers)


@given(st.data(), STANDARDS, st.sampled_from(["facility", "from"]))
@settings(max_examples=8, deadline=None)
def test_facilities_with_several_entrances(gated, data, standard, towards):
    year = data.draw(st.sampled_from([None, 2021]))
    how = {"year": year, "towards": towards}
    live = LiveCoverage(gated, "mother_baby_room", standard=standard, **how)
    assert_alike(live, gated, Scenario(), **how)
    follow(data, gated, live, 4, **how)


def test_a_facility_takes_its_entrances_with_it(gated):
    live = LiveCoverage(gated, "mother_baby_room")
    here = tuple(gated.population.geometry.iloc[15].coords[0])
    for change in (Close(id="M1"), Move(id="M1", place=here)):
        plan = Scenario((change,))
        assert set(plan.apply(gated).facilities["id"]).isdisjoint({"M1-b", "M1-c"})
        live.update(plan)
        assert_alike(live, gated, plan)
        with pytest.raises(InputError, match="M1-b"):
            live.update(plan.then(Close(id="M1-b")))


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
