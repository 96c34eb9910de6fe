"""The census in the districts of 2021."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.resources import data_path
from layers.sources import census

OLD = (
    "330102",
    "330103",
    "330104",
    "330105",
    "330106",
    "330108",
    "330109",
    "330110",
    "330111",
    "330112",
    "330122",
    "330127",
    "330182",
)


def test_city_sums_are_those_of_the_bulletin():
    total = census.groups().sum()
    assert total["residents"] == 11_936_010
    assert total["women"] == 5_720_057
    assert total["women_45_59"] == 1_281_601
    assert total["women_60_plus"] == 1_030_427
    assert total["women_15_49"] == 3_095_098


@pytest.mark.parametrize(
    ("code", "people"),
    [
        ("330102", 1_323_467),
        ("330105", 1_120_985),
        ("330106", 1_089_229 + 23_763),
        ("330109", 2_011_699),
        ("330110", 1_226_673),
        ("330113", 1_175_841),
        ("330114", 521_977 + 247_173),
    ],
)
def test_each_district_has_the_people_of_the_bulletin(code, people):
    assert census.groups().loc[code, "residents"] == people


def test_a_district_that_did_not_change_keeps_its_figures():
    groups = census.groups()
    assert groups.loc["330127", "women_60_plus"] == 51_107
    assert groups.loc["330182", "women_45_59"] == 63_026


def test_tables_cover_the_13_districts():
    codes = pd.read_csv(data_path("hangzhou", "districts.csv"), dtype=str)["code"]
    assert list(census.table().index) == sorted(codes)
    assert len(codes) == 13


def test_groups_are_sums_of_atoms_and_nest():
    groups = census.groups()
    assert (census.atoms() >= 0).all().all()
    assert census.atoms().sum(axis=1).equals(groups["residents"])
    assert (groups["women_60_plus"] <= groups["age_60_plus"]).all()
    assert (groups["women_15_49"] + groups["women_60_plus"] <= groups["women"]).all()


def test_children_under_four_are_the_first_band_and_three_quarters_of_the_next():
    people = census.table()
    exact = sum(people[sex]["0"] + 0.75 * people[sex]["1-4"] for sex in census.SEXES)
    assert (census.groups()["children_0_3"] - exact).abs().max() <= 1.0


def test_every_cell_of_a_divided_district_is_kept(shared):
    raw = pd.read_csv(shared("hangzhou", "hangzhou_census2020_by_district_sex_age.csv"))
    raw.index = raw["区划代码"].astype("int64").astype(str)
    people = census.table()
    old = raw.loc[["330102", "330103", "330104", "330105", "330109"], "女_45到49岁"].sum()
    new = people.loc[["330102", "330105", "330109", "330114"], ("female", "45-49")].sum()
    assert new == old
    halves = people.loc[["330110", "330113"], ("male", "30-34")].sum()
    assert halves == raw.loc["330110", "男_30到34岁"]


def test_the_table_names_the_source_of_every_row():
    rows = pd.read_csv(data_path("hangzhou", "census_2020.csv"), dtype=str)
    assert len(rows) == 13 * 2 * 19
    assert rows["source"].notna().all()


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=60).filter(any),
    st.integers(0, 10**7),
)
def test_apportion_is_exact_and_fair(weights, total):
    parts = census.apportion(weights, total)
    assert parts.sum() == total
    exact = np.array(weights) * (total / sum(weights))
    assert (np.abs(parts - exact) < 1.0 + 1e-6).all()


def test_apportion_serves_the_largest_remainders():
    assert census.apportion([1, 1, 1], 100).tolist() == [34, 33, 33]
    assert census.apportion([5, 3, 2], 7).tolist() == [4, 2, 1]
    assert census.apportion([0, 0], 0).tolist() == [0, 0]


@pytest.mark.parametrize(("weights", "total"), [([-1, 2], 5), ([1], -1), ([0, 0], 3)])
def test_apportion_refuses_what_cannot_be_divided(weights, total):
    with pytest.raises(ValueError, match=r"negative|weight"):
        census.apportion(weights, total)


def test_split_gives_a_part_and_the_rest():
    cells = pd.Series([10, 20, 31], index=["a", "b", "c"])
    part, rest = census.split(cells, 30)
    assert part.sum() == 30
    assert (part + rest).equals(cells)
    assert (rest >= 0).all()


def test_split_refuses_a_part_larger_than_the_whole():
    with pytest.raises(ValueError, match="larger than"):
        census.split(pd.Series([1, 2]), 4)


def old_districts(people=1000):
    columns = pd.MultiIndex.from_product([census.SEXES, census.BANDS])
    return pd.DataFrame(people, index=list(OLD), columns=columns)


def totals(**changes):
    whole = 38_000
    base = dict.fromkeys(
        ("330106", "330108", "330111", "330112", "330122", "330127", "330182"), whole
    )
    base |= {"330102": whole + 25_000, "330105": 2 * whole, "330109": 30_000}
    base |= {"330110": 20_000, "330113": 18_000, "330114": 13_000 + 8_000}
    return base | changes


def test_carry_meets_the_totals_and_keeps_every_cell():
    new = census.carry(old_districts(), totals())
    assert new.sum(axis=1).to_dict() == totals()
    assert (new.sum() == 13_000).all()


def test_carry_refuses_totals_that_do_not_add_up():
    with pytest.raises(ValueError, match="330113"):
        census.carry(old_districts(), totals(**{"330113": 17_000}))


def test_the_scenic_area_lies_in_xihu():
    table = pd.DataFrame(
        {"district": ["西湖区", "西湖风景名胜区"], "pop_2020_census": [1_089_229, 23_763]}
    )
    assert census.bulletin(table, {"西湖区": "330106"}) == {"330106": 1_112_992}
