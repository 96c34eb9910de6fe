import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner import coverage, load_services
from planner.certainty import Doubt
from planner.slopes import Elevation
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


def test_barriers_hinder_every_service_and_are_told(tiny_city):
    east, north = 514_000.0, 3_350_000.0
    wall = shapely.LineString([(east + 1000, north - 300), (east + 1000, north + 1700)])
    far = shapely.Point(east - 5000, north)
    frame = gpd.GeoDataFrame(geometry=[wall, far], crs=4549)
    bench, plain = Workbench(tiny_city, hindered_by=frame), Workbench(tiny_city)
    told = bench.as_dict()
    assert told["barriers"] == {"cuts": 5, "removed_m": 0.0, "delays": 0}
    assert [finding["code"] for finding in told["findings"]] == ["barrier_missed"]
    assert plain.as_dict() == {"barriers": None, "elevation": None, "findings": []}
    west = bench.coverage("menopause_clinic").demand["distance"].iloc[0]
    assert west > plain.coverage("menopause_clinic").demand["distance"].iloc[0]


def test_heights_and_doubt_reach_the_result(tiny_city):
    cells = np.add.outer(np.zeros(300), np.arange(300.0))
    slope = Elevation(cells, (0.1, 0, -51_350.0, 0, -0.1, 335_200.0), tiny_city.crs, "made")
    doubt = Doubt(position_m=7.0)
    bench = Workbench(tiny_city, elevation=slope, doubt=doubt)
    result = bench.coverage("fitness_circle")
    assert result.doubt is doubt
    assert result.position_m == 7.0
    assert result.network.minutes_back is not result.network.minutes
    assert bench.as_dict()["elevation"] == "made"
    driving = bench.coverage("menopause_clinic").network
    assert driving.minutes_back is driving.minutes
