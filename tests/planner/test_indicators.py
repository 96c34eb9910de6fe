"""Indicators of the embedded city against figures counted by hand.

Clinics open by the end of each year (`layers/sources/modelled/facilities.py`), by district:

    district   2021 2022 2023 2024 2025 (that year's are only planned)
    上城区        3    3    4    5    6
    拱墅区        2    3    3    4    5
    西湖区        2    3    4    4    5
    滨江区        1    2    3    3    3
    萧山区        1    2    3    4    5
    余杭区        1    1    2    3    4
    富阳区        1    2    3    3    3
    临安区        1    1    2    3    3
    临平区        1    2    3    3    3
    钱塘区        0    1    1    2    3
    桐庐县        1    1    2    3    3
    淳安县        1    1    1    1    2
    建德市        1    1    1    2    2
    all          16   23   32   40   47

*One in each district by 2021*: 12 of 13 have it, 钱塘区 lacks one: 12/13, missed.
*Three in each by 2023*, at the end of 2023: 余杭区 临安区 桐庐县 lack one, 钱塘区 淳安县 建德市
two, 9 of 39 in all: 30/39, missed; 7 of 13 districts have them. At the end of 2025, with what
opened by 2024: 钱塘区 and 建德市 lack one, 淳安县 two: 35/39, still missed; 10 of 13.
*50 in the city by 2025*. 2021: 0 in 2020 and 16 now; the straight line to 50 stands at 10, so on
course. 2023: 0, 16, 23, 32: a drift of 32/3, so 32 + 64/3 = 53.33 in 2025; changes 16, 7, 9 leave
squares of 44.67, over two 22.33, and 1/6 for whole numbers: 22.5; √(22.5 · (2 + 4/3)) = 8.660,
times t(2; 0.9) = 1.8856 makes 16.33: 37.00 to 69.66, which holds 50: at risk; needed (50 - 32)/2
= 9 a year, seen 32/3 = 10.67. With the 7 planned for 2025, 39 of 50: 11 short. 2025: 40 of 50,
missed; the 7 planned leave 3.
*An activity centre in each district*: all 13 had theirs by 2020: met throughout.
"""

import json
from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from layers import embedded
from layers.errors import InputError, UnknownNameError
from planner import load_plan, monitor
from planner.entered import read_values
from planner.history import History, Record
from planner.indicators import TABLE_COLUMNS
from planner.measures import UNIT_COLUMNS

CLINICS = ("clinics_by_district", "clinics_in_city", "activity_centres", "home_care_by_township")


@pytest.fixture(scope="module")
def city():
    return embedded("small")


@pytest.fixture(scope="module")
def followed(city):
    return {year: monitor(city, year, keys=CLINICS) for year in (2021, 2023, 2025)}


@pytest.mark.parametrize(
    ("year", "key", "state", "reason", "value"),
    [
        (2021, "clinics_by_district", "off_course", "missed", 12 / 13),
        (2021, "clinics_in_city", "on_course", "pace", 16),
        (2021, "activity_centres", "met", "reached", 1),
        (2023, "clinics_by_district", "off_course", "missed", 30 / 39),
        (2023, "clinics_in_city", "at_risk", "interval", 32),
        (2023, "activity_centres", "met", "reached", 1),
        (2025, "clinics_by_district", "off_course", "missed", 35 / 39),
        (2025, "clinics_in_city", "off_course", "missed", 40),
        (2025, "activity_centres", "met", "reached", 1),
    ],
)
def test_states_are_those_counted_by_hand(followed, year, key, state, reason, value):
    told = followed[year][key]
    assert (told.state, told.judgement.reason) == (state, reason)
    assert told.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("year", "short", "met"),
    [
        (2021, {"钱塘区": 1}, 12),
        (2023, {"余杭区": 1, "临安区": 1, "钱塘区": 2, "桐庐县": 1, "淳安县": 2, "建德市": 2}, 7),
        (2025, {"钱塘区": 1, "淳安县": 2, "建德市": 1}, 10),
    ],
)
def test_districts_that_miss_their_quota_are_named(followed, year, short, met):
    told = followed[year]["clinics_by_district"]
    missing = told.missing()
    assert dict(zip(missing["name"], missing["missing"], strict=True)) == short
    (alert,) = [alert for alert in told.alerts if alert.code == "missed"]
    assert alert.severity == "error"
    assert list(alert.units) == missing["code"].tolist()
    assert all(name in alert.message("zh") for name in short)
    assert all(name in alert.message("en") for name in missing["name_en"])
    assert f"共差{sum(short.values())}处" in alert.message("zh")
    whole = told.by("city").iloc[0]
    assert (whole["units"], whole["units_met"], whole["missing"]) == (13, met, sum(short.values()))


def test_the_citys_clinics_in_2023_are_predicted_as_by_hand(followed):
    told = followed[2023]["clinics_in_city"]
    made = told.judgement.prediction
    assert (made.value, made.low, made.high) == pytest.approx((53.33, 37.00, 69.66), abs=0.006)
    assert told.judgement.needed == 9
    assert told.judgement.seen == pytest.approx(10.667, abs=0.001)
    assert told.by_year["value"].tolist() == [0, 16, 23, 32]
    assert set(told.by_year["origin"]) == {"computed"}
    codes = [alert.code for alert in told.alerts]
    assert codes == ["at_risk", "planned_short"]
    risk, planned = (alert.message("zh") for alert in told.alerts)
    assert all(words in risk for words in ("32", "50", "53.3", "37", "69.7", "+10.7", "+9"))
    assert "7处全部按期建成后仍差11处" in planned


def test_what_is_planned_leaves_three_clinics_in_2025(followed):
    told = followed[2025]["clinics_in_city"]
    assert [alert.code for alert in told.alerts] == ["missed", "planned_short"]
    assert "仍差3处" in told.alerts[1].message("zh")
    assert told.by("city").iloc[0]["missing"] == 10


def test_nothing_is_warned_of_where_all_is_well(followed):
    assert all(told["activity_centres"].alerts == () for told in followed.values())


def test_home_care_by_township_as_counted_row_by_row(city, followed):
    towns = city.units[city.units["level"] == "township"]
    centres = city.facilities[city.facilities["service"] == "home_care_centre"]

    def having(year):
        found = set()
        for row in centres.itertuples():
            begun = pd.isna(row.opened) or row.opened <= year
            gone = not pd.isna(row.closed) and row.closed <= year
            if row.status != "existing" or not begun or gone:
                continue
            inside = [
                town.code for town in towns.itertuples() if town.geometry.covers(row.geometry)
            ]
            found.add(min(inside))
        return len(found)

    counts = {year: having(year) for year in (2020, 2021, 2022, 2023, 2025)}
    for year, told in followed.items():
        series = told["home_care_by_township"].judgement.series
        assert {y: round(v * 191) for y, v in series.items() if y in counts} == {
            y: n for y, n in counts.items() if y <= year
        }
        table = told["home_care_by_township"].by("township")
        assert (len(table), table["missing"].sum()) == (191, 191 - counts[year])
    # 2021, two values: the line to 191 from the first, a fifth of the way.
    line = counts[2020] + (191 - counts[2020]) / 5
    wanted = "on_course" if counts[2021] >= line else "at_risk"
    assert followed[2021]["home_care_by_township"].state == wanted
    # 2023, by the interval, with its formula written out.
    series = [counts[year] for year in (2020, 2021, 2022, 2023)]
    drift = (series[-1] - series[0]) / 3
    squares = sum((b - a - drift) ** 2 for a, b in pairwise(series))
    reach = 1.8856 * ((squares / 2 + 1 / 6) * (2 + 4 / 3)) ** 0.5
    low, high = series[-1] + 2 * drift - reach, series[-1] + 2 * drift + reach
    state = "on_course" if low >= 191 else "off_course" if high < 191 else "at_risk"
    told = followed[2023]["home_care_by_township"]
    assert told.state == state
    assert told.judgement.prediction.high * 191 == pytest.approx(min(high, 191), abs=0.01)
    assert followed[2025]["home_care_by_township"].state == "off_course"


def test_units_add_up_over_levels(followed):
    told = followed[2023]["home_care_by_township"]
    tables = {level: told.by(level) for level in ("city", "district", "township")}
    for table in tables.values():
        assert list(table) == list(UNIT_COLUMNS)
        for column in ("facilities", "missing", "planned", "candidates", "units", "units_met"):
            assert table[column].sum() == tables["city"][column].iloc[0], column
    with pytest.raises(UnknownNameError):
        told.by("community")


def test_the_table_has_a_row_an_indicator(city, followed):
    table = followed[2023].table()
    assert list(table) == list(TABLE_COLUMNS)
    assert table["key"].tolist() == list(CLINICS)
    assert followed[2023].states()["off_course"] == (table["state"] == "off_course").sum()


def test_every_target_of_the_plan_has_a_state_and_plain_figures(city):
    told = monitor(city, 2023)
    assert len(told) == len(load_plan())
    figures = json.loads(json.dumps(told.as_dict(), allow_nan=False))
    by_key = {entry["key"]: entry for entry in figures["indicators"]}
    assert by_key["clinics_by_district"]["goal"] == {"year": 2023, "value": 1.0, "quota": 3}
    assert len(by_key["clinics_by_district"]["units"]) == 13
    for entry in figures["indicators"]:
        if entry["target"]["words"]:
            assert (entry["state"], entry["reason"]) == ("not_measurable", "words")
    # What nobody has entered is not known.
    assert by_key["life_expectancy"]["state"] == "not_measurable"
    assert by_key["family_care_beds"]["reason"] == "no_value"


def test_rooms_by_kind_of_venue_as_counted(city):
    told = monitor(city, 2023, keys=("rooms_promoted",))["rooms_promoted"]
    rooms = city.facilities[city.facilities["service"] == "mother_baby_room"]
    for part in told.parts.itertuples():
        own = rooms[rooms["venue"] == part.key]
        begun = (own["opened"] <= 2023) & ~(own["closed"] <= 2023).fillna(value=False)
        having = ((own["status"] == "existing") & begun.fillna(value=True)).sum()
        assert (part.counted, part.whole) == (having, len(own))
        assert part.value == pytest.approx(having / len(own))
    assert told.value == pytest.approx(told.parts["counted"].sum() / told.parts["whole"].sum())


def test_reach_by_sex_and_by_town_and_country(city):
    told = monitor(city, 2023, keys=("fitness_reach",))["fitness_reach"]
    parts = told.parts.set_index("key")
    assert list(parts.index) == ["residents", "women", "men", "town", "country"]
    for column in ("counted", "whole"):
        total = parts.loc["residents", column]
        assert parts.loc[["women", "men"], column].sum() == pytest.approx(total)
        assert parts.loc[["town", "country"], column].sum() == pytest.approx(total)
    assert parts.loc["residents", "value"] == told.value
    assert told.coverage().total()["rate"] == told.value


def signed(key, year, value, **more):
    return Record(key=key, year=year, value=value, who="王", source="年鉴", **more)


def test_entered_values_are_judged_like_computed_ones(city):
    values = {2021: 228.9, 2022: 230.4, 2023: 232.3}
    history = History(tuple(signed("maternity_insurance", y, v) for y, v in values.items()))
    told = monitor(city, 2023, history=history, keys=("maternity_insurance",))
    told = told["maternity_insurance"]
    # 227.26, 228.9, 230.4, 232.3: drift 1.68, 235.66 in 2025; changes 1.64, 1.5, 1.9 leave
    # squares of 0.0824, over two 0.0412, and 0.00002; √(0.0412 · 10/3) · 1.8856 = 0.70.
    made = told.judgement.prediction
    assert (made.value, made.low, made.high) == pytest.approx((235.66, 234.96, 236.36), abs=0.006)
    assert told.state == "at_risk"
    assert told.by_year["origin"].tolist() == ["plan", "entered", "entered", "entered"]
    assert told.by_year["who"].tolist() == ["", "王", "王", "王"]


def test_a_value_entered_beside_a_computed_one_counts_and_is_told(city):
    history = History((signed("clinics_in_city", 2023, 31.0),))
    told = monitor(city, 2023, history=history, keys=("clinics_in_city",))["clinics_in_city"]
    assert told.value == 31
    assert told.by_year["computed"].tolist() == [0, 16, 23, 32]
    (alert,) = [alert for alert in told.alerts if alert.code == "differs"]
    assert "31" in alert.message("zh")
    assert "32" in alert.message("zh")


def test_corrections_and_values_of_units_and_parts_are_shown(city):
    history = History(
        (
            signed("physical_fitness", 2023, 94.0),
            signed("physical_fitness", 2023, 94.6, reason="更正"),
            signed("physical_fitness", 2023, 95.5, unit="330102"),
            signed("physical_fitness", 2023, 93.0, part="60岁及以上"),
        )
    )
    told = monitor(city, 2023, history=history, keys=("physical_fitness",))["physical_fitness"]
    assert told.value == 94.6
    assert [record.value for record in told.superseded] == [94.0]
    units = told.by("district").set_index("code")["value"]
    assert units["330102"] == 95.5
    assert units.drop("330102").isna().all()
    assert told.parts[["kind", "key", "value"]].to_numpy().tolist() == [
        ["entered", "60岁及以上", 93.0]
    ]


def test_swings_are_warned_of_though_the_goal_is_reached(city):
    values = {2021: 95.6, 2022: 93.9, 2023: 95.4}
    history = History(tuple(signed("physical_fitness", y, v) for y, v in values.items()))
    told = monitor(city, 2023, history=history, keys=("physical_fitness",))["physical_fitness"]
    # +1.12 -1.7 +1.5: 1.7 against; needed (95 - 94.48) / 5 = 0.10 a year.
    assert told.state == "met"
    assert [alert.code for alert in told.alerts] == ["swings"]
    assert "1.7个百分点" in told.alerts[0].message("zh")


def test_a_falling_trend_is_warned_of_though_the_goal_is_reached(city):
    values = {2021: 76.0, 2022: 75.0, 2023: 73.5}
    history = History(
        (
            signed("higher_education", 2020, 79.0),
            *(signed("higher_education", y, v) for y, v in values.items()),
        )
    )
    told = monitor(city, 2023, history=history, keys=("higher_education",))["higher_education"]
    assert told.state == "met"
    assert [alert.code for alert in told.alerts] == ["falls_back"]


def test_years_outside_the_plan_and_unknown_keys(city):
    with pytest.raises(InputError, match="2026"):
        monitor(city, 2026)
    with pytest.raises(UnknownNameError, match="clinics"):
        monitor(city, 2023, keys=("clinic",))


OTHER = """\
[plan]
name = "小城文化规划"
name_en = "Tiny city's plan"
base_year = 2030
first_year = 2031
last_year = 2035
reviews = { mid_term = 2033, final = 2035 }
confidence = 0.9

[services.library]
name = "图书馆"
name_en = "libraries"
group = "residents"
also = ["women"]
mode = "walk"
cutoff_m = 700
source = "made up"

[[targets]]
key = "everywhere"
name = "每个乡镇街道的图书馆"
part = "mission"
kind = "quota"
service = "library"
level = "township"
quotas = { 2032 = 1, 2035 = 2 }

[[targets]]
key = "served"
name = "图书馆可及"
part = "mission"
kind = "reach"
service = "library"
goals = { 2035 = 0.5 }

[[targets]]
key = "branches"
name = "分馆网络"
kind = "tiers"
service = "library"
tiers = { main = "city", branch = "district" }
goals = { 2033 = 1.0 }

[[targets]]
key = "seats"
name = "每千人座位"
kind = "capacity"
service = "library"
groups = ["residents"]
goals = { 2035 = 100 }

[[targets]]
key = "schools"
name = "设在学校的图书馆比例"
kind = "share"
service = "library"
venues = ["学校"]
whole = { service = "library" }
direction = "at_most"
goals = { 2035 = 0.5 }

[[targets]]
key = "all_seats"
name = "座位总数"
kind = "count"
service = "library"
measure = "capacity"
goals = { 2035 = 200 }

[[targets]]
key = "loans"
name = "借阅"
kind = "entered"
unit = "万册"
unit_en = "10,000 books"
base = 10
goals = { 2035 = 20 }
"""


@pytest.fixture(scope="module")
def elsewhere(tiny_city):
    """A tiny city with libraries at places of the plan of another city."""
    places = tiny_city.population.geometry.iloc[[0, 3, 15]]
    libraries = gpd.GeoDataFrame(
        {
            "id": ["L1", "L2", "L3"],
            "service": "library",
            "name": ["一馆", "二馆", "三馆"],
            "tier": ["main", "branch", "branch"],
            "capacity": [60.0, 40.0, 20.0],
            "opened": pd.array([2028, 2031, 2033], dtype="Int64"),
            "closed": pd.array([pd.NA, pd.NA, pd.NA], dtype="Int64"),
            "status": "existing",
            "venue": ["", "学校", "学校"],
            "source": "",
        },
        geometry=list(places),
        crs=4326,
    )
    return replace(tiny_city, facilities=libraries)


def test_another_citys_plan_works_by_tables_alone(tmp_path, elsewhere):
    (tmp_path / "plan.toml").write_text(OTHER, encoding="utf-8")
    (tmp_path / "values.csv").write_text("指标,2031,2032,2033\nloans,13,15,18\n", encoding="utf-8")
    plan = load_plan(tmp_path / "plan.toml")
    history = read_values(tmp_path / "values.csv", plan, elsewhere)
    told = monitor(elsewhere, 2033, plan=plan, history=history)
    # One in the south-west (2028), one in the south-east (2031), one in the north-east (2033).
    assert told["everywhere"].state == "off_course"
    assert told["everywhere"].goal.year == 2032
    assert told["everywhere"].missing()["name"].tolist() == ["西北街道"]
    assert told["everywhere"].value == 3 / 4
    # Nobody opened a branch in the west.
    assert (told["branches"].state, told["branches"].value) == ("off_course", 0.5)
    parts = told["branches"].parts.set_index("key")["value"]
    assert parts.to_dict() == {"main": 1.0, "branch": 0.5}
    people = elsewhere.population["residents"].sum()
    assert told["seats"].value == pytest.approx(1000 * 120 / people)
    assert told["schools"].value == pytest.approx(2 / 3)
    assert told["schools"].judgement.series == pytest.approx(
        {2030: 0.0, 2031: 0.5, 2032: 0.5, 2033: 2 / 3}
    )
    assert told["schools"].goal.value == 0.5
    assert told["all_seats"].judgement.series == {2030: 60, 2031: 100, 2032: 100, 2033: 120}
    assert told["served"].value == pytest.approx(told["served"].coverage().total()["rate"])
    assert told["loans"].judgement.series == {2030: 10, 2031: 13, 2032: 15, 2033: 18}
    assert told["loans"].judgement.prediction.level == 0.9
    assert told["loans"].target.figure(18, "en") == "18 10,000 books"


def test_what_a_city_has_no_units_or_rows_for_is_not_measured(tmp_path, elsewhere):
    words = OTHER.replace('branch = "district"', 'branch = "community"')
    (tmp_path / "plan.toml").write_text(words, encoding="utf-8")
    plan = load_plan(tmp_path / "plan.toml")
    told = monitor(elsewhere, 2033, plan=plan)
    assert (told["branches"].state, told["branches"].value) == ("not_measurable", None)
    assert told["branches"].parts["value"].isna().tolist() == [False, True]
    bare = replace(elsewhere, facilities=elsewhere.facilities.iloc[:0])
    empty = monitor(bare, 2033, plan=plan)
    assert set(empty.table()["state"]) == {"not_measurable"}
    assert json.dumps(empty.as_dict(), allow_nan=False)


def test_facilities_without_a_capacity_are_told(tmp_path, elsewhere):
    (tmp_path / "plan.toml").write_text(OTHER, encoding="utf-8")
    some = elsewhere.facilities["capacity"].where(elsewhere.facilities["id"] != "L2")
    city = replace(elsewhere, facilities=elsewhere.facilities.assign(capacity=some))
    told = monitor(city, 2033, plan=load_plan(tmp_path / "plan.toml"))
    assert told["all_seats"].value == 80
    for key in ("all_seats", "seats"):
        (alert,) = [alert for alert in told[key].alerts if alert.code == "no_capacity"]
        assert "1处" in alert.message("zh")
    assert "no_capacity" not in [alert.code for alert in told["everywhere"].alerts]


def test_the_city_is_left_as_it_is(elsewhere):
    before = elsewhere.facilities.copy()
    plan = replace(load_plan(), base_year=2020)
    monitor(elsewhere, 2023, plan=plan)
    assert before.equals(elsewhere.facilities)
    assert shapely.equals_exact(before.geometry, elsewhere.facilities.geometry, 0).all()
