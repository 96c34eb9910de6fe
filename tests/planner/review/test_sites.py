from dataclasses import replace
from itertools import combinations

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.messages import speaking
from planner.review import sites as module
from planner.review.sites import across, of_sites, pairs
from planner.standards import load_services

SERVICES = load_services()


def found(city, year=2024):
    return [*of_sites(city, SERVICES, year=year)]


def codes(city, year=2024):
    return {finding.code: finding for finding in found(city, year)}


def changed(city, row, **values):
    sites = city.facilities.copy()
    for column, value in values.items():
        sites.loc[sites["id"] == row, column] = value
    return replace(city, facilities=sites)


def again(city, row, **values):
    sites = city.facilities
    copy = sites[sites["id"] == row].assign(**values)
    joined = pd.concat([sites, copy], ignore_index=True)
    return replace(city, facilities=joined)


def test_services_without_any_facility_are_named(tiny_city):
    lacking = [f.message for f in found(tiny_city) if f.code == "service_without_facility"]
    assert len(lacking) == 2
    assert any("妇女活动中心" in message for message in lacking)


def test_units_that_a_quota_finds_empty_are_named(tiny_city):
    rows = {f.rows for f in found(tiny_city) if f.code == "quota_without_facility"}
    # One home-care centre is open, in the south-east, and one clinic, in the east.
    assert ("330191001", "330191002", "330192002") in rows
    assert ("330191",) in rows
    with speaking("en"):
        told = [f.message for f in found(tiny_city) if f.code == "quota_without_facility"]
    assert any("South-west" in message for message in told)


def test_years_of_opening_are_held_against_the_present(tiny_city):
    assert codes(changed(tiny_city, "C1", opened=2031))["opening_ahead"].rows == ("C1",)
    assert "opening_passed" not in codes(tiny_city, year=2025)
    assert codes(tiny_city, year=2026)["opening_passed"].rows == ("H3",)


def test_the_same_facility_twice_is_told(tiny_city):
    repeated = codes(again(tiny_city, "M1", id="M9"))["facility_repeated"]
    assert repeated.rows == ("M1", "M9")
    assert "1对" in repeated.message


@pytest.mark.parametrize(
    "other",
    [
        {"name": "二楼母婴室"},
        {"service": "fitness_circle"},
    ],
)
def test_another_facility_in_the_same_house_is_none(tiny_city, other):
    assert "facility_repeated" not in codes(again(tiny_city, "M1", id="M9", **other))


def test_one_without_a_name_at_the_same_place_is_a_repetition(tiny_city):
    assert "facility_repeated" in codes(again(tiny_city, "M1", id="M9", name=""))


def test_a_namesake_far_away_is_none(tiny_city):
    far = tiny_city.facilities.geometry.iloc[[0]].translate(0.01).array
    assert "facility_repeated" not in codes(again(tiny_city, "M1", id="M9", geometry=far))


def test_a_city_without_facilities_is_checked(tiny_city):
    told = codes(replace(tiny_city, facilities=tiny_city.facilities.iloc[:0]))
    assert set(told) == {"service_without_facility"}


@settings(max_examples=25)
@given(st.data())
def test_pairs_are_those_of_every_two_rows_looked_at_one_by_one(tiny_city, data):
    """Also where the rows are held against each other in pieces, and across two tables."""
    place = st.integers(0, 3).map(lambda step: 514_000 + 45.0 * step)
    row = st.tuples(st.sampled_from("ab"), st.sampled_from(["", "甲", "乙"]), place)
    rows = data.draw(st.lists(row, max_size=12))
    cut = data.draw(st.integers(0, len(rows)))
    table = gpd.GeoDataFrame(
        {"service": [one[0] for one in rows], "name": [one[1] for one in rows]},
        geometry=gpd.points_from_xy([one[2] for one in rows], [3_350_000.0] * len(rows)),
        crs=4549,
    ).to_crs(4326)

    def repeats(one, other):
        far = abs(one[2] - other[2])
        if one[0] != other[0]:
            return False
        return (
            far <= 100 if one[1] and one[1] == other[1] else far < 1 and not (one[1] and other[1])
        )

    wanted = [(a, b) for a, b in combinations(range(len(rows)), 2) if repeats(rows[a], rows[b])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PIECE", 3)
        assert pairs(table, tiny_city.crs) == wanted
        found = across(table[:cut], table[cut:], tiny_city.crs)
    assert found == [(a, b - cut) for a, b in wanted if a < cut <= b]
