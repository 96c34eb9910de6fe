from dataclasses import replace

import numpy as np
import pytest

from layers import embedded
from layers.errors import UnknownNameError
from planner import coverage
from planner.changes import Close
from planner.reliance import reliance
from planner.scenario import Scenario
from tests.planner.maps.hamlet import at, hamlet


def closed(city, service, facility, **options):
    """Coverage of the city without one facility."""
    return coverage(Scenario((Close(id=facility),)).apply(city), service, **options)


@pytest.mark.parametrize("service", ["mother_baby_room", "home_care_centre", "menopause_clinic"])
def test_alone_is_what_closing_loses_and_reached_is_what_it_serves_alone(service):
    city = embedded("small")
    result = coverage(city, service, year=2023)
    homes = result.network.positions_of(city.population)
    for facility in result.facilities["id"].iloc[:6]:
        told = reliance(result, facility, homes=homes)
        without = closed(city, service, facility, year=2023)
        assert told.alone == result.total()["served"] - without.total()["served"]
        others = [Close(id=other) for other in result.facilities["id"] if other != facility]
        alone = coverage(Scenario(tuple(others)).apply(city), service, year=2023)
        assert told.reached == alone.total()["served"]
        assert told.alone <= told.nearest <= told.reached


def test_everybody_has_one_nearest_facility():
    city = embedded("small")
    result = coverage(city, "home_care_centre")
    told = [reliance(result, facility, cutoff=500.0) for facility in result.facilities["id"]]
    distance = result.demand["distance"].to_numpy()
    inside = result.demand[result.levels].notna().any(axis=1).to_numpy()
    people = city.population[result.standard.group].to_numpy()
    assert sum(one.nearest for one in told) == pytest.approx(
        people[inside & (distance <= 500)].sum()
    )
    far = inside & np.isfinite(distance) & (distance > 500)
    assert sum(one.beyond for one in told) == pytest.approx(people[far].sum())


def test_another_group_and_cutoff_count_where_they_are_given():
    city = hamlet()
    result = coverage(city, "mother_baby_room")
    # m1 stands at 100, m2 at 3500; people at 200, 600, ..., 3800 and far off the street.
    told = reliance(result, "m1", cutoff=1700.0, group="residents")
    assert told.reached == sum(1000 + 100 * number for number in range(5))
    # Who lives at 1800 is 1700 from both.
    assert told.alone == sum(1000 + 100 * number for number in range(4))


def test_of_several_entrances_each_is_the_facility_itself():
    city = hamlet()
    layer = city.facilities.assign(entrance_of=None)
    gate = layer[layer["id"] == "m1"].assign(id="m1-gate", entrance_of="m1")
    gate = gate.set_geometry([at(1500)], crs=4549).to_crs(layer.crs)
    gates = replace(
        city,
        facilities=type(layer)(
            [*layer.to_dict("records"), *gate.to_dict("records")],
            geometry="geometry",
            crs=layer.crs,
        ),
    )
    result = coverage(gates, "mother_baby_room")
    told = reliance(result, "m1")
    without = closed(gates, "mother_baby_room", "m1")
    assert told.alone == result.total()["served"] - without.total()["served"]
    assert told.reached > reliance(coverage(city, "mother_baby_room"), "m1").reached


def test_a_facility_that_is_not_counted_is_named():
    with pytest.raises(UnknownNameError, match="c1"):
        reliance(coverage(hamlet(), "mother_baby_room"), "c1")
