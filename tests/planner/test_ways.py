import geopandas as gpd
import numpy as np
import pytest

from layers import embedded
from planner import Network, coverage
from planner.ways import way


@pytest.mark.parametrize("mode", ["walk", "drive"])
@pytest.mark.parametrize("towards", ["facility", "from"])
@pytest.mark.parametrize("unit", ["m", "min"])
def test_a_way_is_as_long_as_its_distance_and_joins_both_ends(tiny_city, mode, towards, unit):
    network = Network.build(tiny_city.streets, mode, crs=tiny_city.crs)
    sites = tiny_city.facilities[tiny_city.facilities["service"] == "mother_baby_room"]
    bound = {"cutoff": np.inf} if unit == "m" else {"cutoff_min": np.inf}
    reach = network.reach(sites, towards=towards, **bound)
    homes = network.locate(tiny_city.population)
    distance = reach.at(homes)
    found = 0
    for row in range(len(homes)):
        traced = way(reach, homes, row)
        if not np.isfinite(distance.iloc[row]):
            assert traced is None
            continue
        found += 1
        assert traced is not None
        assert traced.distance == distance.iloc[row]
        legs = homes.access[row] + reach.origins.access[traced.origin]
        if unit == "m":
            assert traced.length_m + legs == pytest.approx(distance.iloc[row], abs=1e-6)
        placed = tiny_city.facilities.loc[reach.origins.index[traced.origin]].geometry
        if traced.length_m > 1:
            line = tiny_city_line(tiny_city, traced)
            home = tiny_city.population.to_crs(tiny_city.crs).geometry.iloc[row]
            assert line.interpolate(0).distance(home) == pytest.approx(homes.access[row], abs=0.01)
            assert line.length == pytest.approx(traced.length_m, rel=1e-4)
            end = line.interpolate(1, normalized=True)
            site = gpd_point(placed, tiny_city.crs)
            access = reach.origins.access[traced.origin]
            assert end.distance(site) == pytest.approx(access, abs=0.01)
    assert found > 5


def tiny_city_line(city, traced):
    return gpd.GeoSeries([traced.line], crs=4326).to_crs(city.crs).iloc[0]


def gpd_point(point, crs):
    return gpd.GeoSeries([point], crs=4326).to_crs(crs).iloc[0]


def test_on_the_modelled_city_every_way_adds_up():
    city = embedded("small")
    result = coverage(city, "fitness_circle")
    reach, network = result.reach, result.network
    homes = network.locate(city.population.iloc[::400])
    distance = reach.at(homes)
    for row in np.flatnonzero(np.isfinite(distance)):
        traced = way(reach, homes, row)
        legs = homes.access[row] + reach.origins.access[traced.origin]
        minutes = traced.length_m / 1000 / 4.8 * 60 + legs * network.access_pace("min")
        assert minutes == pytest.approx(distance.iloc[row], rel=1e-6)
        nearest = city.facilities["id"].loc[reach.origins.index[traced.origin]]
        assert result.demand["facility"].loc[homes.index[row]] == nearest
