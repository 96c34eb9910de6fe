import pytest

from planner.states import judge
from planner.targets import Goal, Target

TO_50 = Target(key="a", name="甲", kind="entered", goals=(Goal(year=2025, value=50.0),))
TWO = Target(
    key="b",
    name="乙",
    kind="entered",
    goals=(Goal(year=2021, value=10.0), Goal(year=2023, value=30.0)),
)
LIMIT = Target(
    key="c",
    name="丙",
    kind="entered",
    direction="at_most",
    goals=(Goal(year=2025, value=7.0),),
)


def state(target, year, series):
    told = judge(target, year, lambda _: series)
    return told.state, told.reason


@pytest.mark.parametrize(
    ("series", "year", "wanted"),
    [
        ({2020: 0, 2021: 10, 2022: 20, 2023: 30, 2025: 50}, 2025, ("met", "reached")),
        ({2020: 0, 2021: 10, 2022: 20, 2023: 30, 2025: 49}, 2025, ("off_course", "missed")),
        ({2020: 0, 2021: 12, 2022: 23, 2023: 35}, 2023, ("on_course", "interval")),
        ({2020: 0, 2021: 16, 2022: 23, 2023: 32}, 2023, ("at_risk", "interval")),
        ({2020: 0, 2021: 5, 2022: 10, 2023: 14}, 2023, ("off_course", "interval")),
        ({2020: 0, 2021: 10}, 2021, ("on_course", "pace")),
        ({2020: 0, 2021: 9}, 2021, ("at_risk", "pace")),
        ({2021: 9}, 2021, ("not_measurable", "one_value")),
        ({2020: 0, 2021: 9}, 2022, ("not_measurable", "no_value")),
        ({2020: 0, 2021: 55, 2022: 60}, 2022, ("met", "reached")),
        # Later values are not looked at.
        ({2020: 0, 2021: 9, 2022: 60}, 2021, ("at_risk", "pace")),
    ],
)
def test_states_of_one_goal(series, year, wanted):
    assert state(TO_50, year, series) == wanted


@pytest.mark.parametrize(
    ("series", "year", "wanted", "goal"),
    [
        ({2020: 0, 2021: 9}, 2021, ("off_course", "missed"), 2021),
        ({2020: 0, 2021: 12}, 2021, ("on_course", "pace"), 2023),
        ({2020: 0, 2021: 12, 2022: 31}, 2022, ("met", "reached"), 2023),
        ({2020: 0, 2021: 9, 2022: 14, 2023: 31}, 2023, ("met", "reached"), 2023),
        ({2020: 0, 2021: 12, 2022: 20, 2023: 28}, 2023, ("off_course", "missed"), 2023),
        ({2020: 0, 2021: 12, 2022: 20, 2023: 28, 2024: 32}, 2024, ("met", "reached"), 2023),
    ],
)
def test_the_goal_that_is_due_counts_before_the_one_to_come(series, year, wanted, goal):
    told = judge(TWO, year, lambda _: series)
    assert ((told.state, told.reason), told.goal.year) == (wanted, goal)


def test_less_is_better_under_a_limit():
    assert state(LIMIT, 2023, {2020: 9, 2021: 8.5, 2022: 8.1, 2023: 7.6}) == (
        "on_course",
        "interval",
    )
    assert state(LIMIT, 2023, {2020: 9, 2021: 9.5, 2022: 10.1, 2023: 10.6}) == (
        "off_course",
        "interval",
    )
    assert state(LIMIT, 2025, {2025: 7.0}) == ("met", "reached")
    assert state(LIMIT, 2025, {2025: 7.1}) == ("off_course", "missed")


def test_words_are_never_scored():
    target = Target(key="d", name="丁", kind="entered", words="保持")
    told = judge(target, 2023, lambda _: {2020: 33.07, 2023: 40.0})
    assert (told.state, told.reason, told.value, told.goal) == ("not_measurable", "words", 40, None)


def test_what_is_done_in_a_year_is_judged_by_that_year():
    target = Target(
        key="e", name="戊", kind="entered", yearly=True, goals=(Goal(year=2021, value=3000.0),)
    )
    assert state(target, 2020, {}) == ("not_measurable", "not_due")
    assert state(target, 2021, {2021: 2999}) == ("off_course", "missed")
    assert state(target, 2023, {2021: 3100}) == ("met", "reached")
    assert state(target, 2023, {2023: 3100}) == ("not_measurable", "no_value")
