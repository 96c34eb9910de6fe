from dataclasses import replace

import geopandas as gpd
import pytest
import shapely

from planner.review.land import of_land


def found(city):
    return {(finding.layer, finding.code): finding for finding in of_land(city)}


def test_the_tiny_city_is_in_order(tiny_city):
    assert not found(tiny_city)


def test_people_and_facilities_in_water_are_counted(tiny_city):
    pond = tiny_city.population.geometry.iloc[5].buffer(1e-4)
    room = tiny_city.facilities.geometry.iloc[0].buffer(1e-4)
    water = gpd.GeoDataFrame({"name": ["塘", "池"]}, geometry=[pond, room], crs=4326)
    told = found(replace(tiny_city, water=water))
    wet = told["population", "people_in_water"]
    assert wet.rows == (tiny_city.population.index[5],)
    assert wet.values["people"] == tiny_city.population["residents"].iloc[5]
    assert told["facilities", "facility_in_water"].rows == ("M1",)


def test_a_group_without_people_is_told(tiny_city):
    people = tiny_city.population.assign(children_0_3=0)
    told = found(replace(tiny_city, population=people))
    assert "0–3岁儿童" in told["population", "group_empty"].message


def test_units_without_people_are_named(tiny_city):
    homes = tiny_city.population_units["township"] == "330192002"
    told = found(replace(tiny_city, population=tiny_city.population[~homes]))
    assert told["units", "unit_deserted"].rows == ("330192002",)
    assert "东北镇" in told["units", "unit_deserted"].message


def test_a_township_that_is_missing_leaves_a_gap(tiny_city):
    units = tiny_city.units
    lost = units["code"] == "330191002"
    gap = found(replace(tiny_city, units=units[~lost]))["units", "units_gap"]
    area = units[lost].to_crs(4549).area.iloc[0] / 1e6
    assert gap.values["area"] == pytest.approx(area, rel=0.01)
    assert gap.values["count"] == 1
    overlap = shapely.intersection(gap.places.iloc[0], units.geometry[lost].iloc[0])
    assert overlap.area == pytest.approx(units.geometry[lost].iloc[0].area, rel=0.01)


def test_a_hole_among_the_coarsest_units_is_a_gap(tiny_city):
    city = tiny_city.units[tiny_city.units["level"] == "city"].to_crs(4549)
    shape = city.geometry.iloc[0]
    hole = shape.centroid.buffer(200)
    holed = city.set_geometry([shape.difference(hole)], crs=4549).to_crs(4326)
    told = found(replace(tiny_city, units=holed.assign(parent=None)))["units", "units_gap"]
    assert told.values["area"] == pytest.approx(hole.area / 1e6, rel=0.02)


def test_borders_that_do_not_quite_meet_are_no_gap(tiny_city):
    plane = tiny_city.units.to_crs(4549)
    fine = plane["level"] == "township"
    shapes = plane.geometry.where(~fine, plane.geometry.buffer(-10, join_style="mitre"))
    units = plane.set_geometry(shapes).to_crs(4326)
    assert ("units", "units_gap") not in found(replace(tiny_city, units=units))
