import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers import population
from layers.population import GROUPS, WITHIN


def layer(**columns):
    given = {
        "residents": [100, 50],
        "women": [50, 25],
        "women_15_49": [20, 10],
        "women_45_59": [10, 5],
        "age_60_plus": [20, 10],
        "women_60_plus": [10, 6],
        "children_0_3": [4, 1],
        **columns,
    }
    geometry = given.pop("geometry", [shapely.Point(120, 30), shapely.Point(120, 31)])
    return gpd.GeoDataFrame(given, geometry=geometry, crs=4326)


def codes(frame):
    return {one.code: one.rows for one in population.check(population.conform(frame))}


def test_whole_people_stay_whole_and_parts_parts():
    made = population.conform(layer(more=[1, 2]))
    assert list(made) == [*GROUPS, "geometry"]
    assert made["residents"].dtype == "int64"
    assert population.conform(layer(women=[0.5, 1.25]))["women"].tolist() == [0.5, 1.25]
    assert population.check(made) == []
    assert population.review(made) == []


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize(
    ("value", "code"),
    [
        (-1, "value_negative"),
        (-1e-9, "value_negative"),
        (np.nan, "value_missing"),
        (None, "value_missing"),
        (np.inf, "value_negative"),
        ("many", "column_type"),
        ("", "column_type"),
    ],
)
def test_bad_figures_are_named(group, value, code):
    good = layer()[group].iloc[0]
    assert codes(layer(**{group: [good, value]})) == {code: (1,)}


@pytest.mark.parametrize("group", GROUPS)
def test_missing_groups_are_named(group):
    (one,) = population.check(population.conform(layer().drop(columns=group)))
    assert one.code == "column_missing"
    assert f"“{group}”" in one.message


def test_figures_written_as_words_are_figures():
    made = population.conform(layer(residents=["100", " 50 "]))
    assert made["residents"].tolist() == [100, 50]


def test_points_and_nothing_else():
    assert codes(layer(geometry=[None, shapely.Point(120, 30)])) == {"geometry_kind": (0,)}
    area = shapely.box(120, 30, 121, 31)
    assert codes(layer(geometry=[area, shapely.Point(120, 30)])) == {"geometry_kind": (0,)}
    assert codes(layer().iloc[:0]) == {"empty": ()}


@pytest.mark.parametrize(("part", "whole"), WITHIN)
def test_a_part_greater_than_its_whole_is_told(part, whole):
    frame = layer()
    frame[part] = [frame[whole].iloc[0] + 1, frame[part].iloc[1]]
    found = population.review(population.conform(frame))
    told = {(one.values["column"], one.values["whole"]): one for one in found}
    assert told[part, whole].rows == (0,)
    assert told[part, whole].severity == "warning"
    assert str(told[part, whole])
