import pandas as pd

from planner import coverage, load_services
from planner.workbench import Workbench


def test_a_bench_gives_what_coverage_gives(tiny_city):
    bench = Workbench(tiny_city)
    for key in load_services():
        for year in (None, 2021):
            for towards in ("facility", "from"):
                ours = bench.coverage(key, year=year, towards=towards)
                alone = coverage(tiny_city, key, year=year, towards=towards)
                pd.testing.assert_frame_equal(ours.demand, alone.demand)
                pd.testing.assert_frame_equal(ours.by("township"), alone.by("township"))


def test_networks_and_homes_are_made_once(tiny_city):
    bench = Workbench(tiny_city)
    services = load_services()
    rooms, circle, care = (
        services[key].standard for key in ("mother_baby_room", "fitness_circle", "home_care_centre")
    )
    assert bench.network(rooms) is bench.network(circle)
    assert bench.network(care) is not bench.network(rooms)
    assert bench.homes(rooms) is bench.homes(circle)
    assert bench.homes(rooms, limit=10) is not bench.homes(rooms)
