import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers import embedded
from planner import coverage
from planner.access import access
from planner.equity import equity, gini, lorenz, palma
from planner.settlement import settlement

ROWS = st.lists(
    st.tuples(st.floats(0, 50).map(lambda x: round(x, 2)), st.integers(1, 9)),
    min_size=1,
    max_size=15,
)


def columns(rows):
    return (np.array(part, dtype=float) for part in zip(*rows, strict=True))


@given(ROWS)
def test_gini_is_the_mean_difference(rows):
    values, people = columns(rows)
    total = people.sum()
    mean = (values * people).sum() / total
    if mean == 0:
        assert np.isnan(gini(values, people))
        return
    apart = np.abs(values[:, None] - values[None, :]) * people[:, None] * people[None, :]
    assert gini(values, people) == pytest.approx(apart.sum() / (2 * total**2 * mean), abs=1e-9)


@given(ROWS)
def test_weights_are_people_counted_one_by_one(rows):
    values, people = columns(rows)
    row = np.repeat(values, people.astype(int))
    if row.sum() > 0:
        assert gini(values, people) == pytest.approx(gini(row, np.ones(len(row))), abs=1e-9)


@given(ROWS)
def test_the_lorenz_curve_rises_below_equality(rows):
    values, people = columns(rows)
    share, held = lorenz(values, people)
    assert (share[0], share[-1]) == (0, pytest.approx(1))
    if values.any():
        assert held[-1] == pytest.approx(1)
        assert (np.diff(held) >= -1e-12).all()
        assert (held <= share + 1e-9).all()


def test_palma_of_ten_people():
    values = np.array([1.0, 1, 1, 1, 2, 2, 2, 2, 2, 6])
    assert palma(values, np.ones(10)) == pytest.approx(6 / 4)
    assert palma(np.array([0.0, 1.0]), np.array([40.0, 60.0])) == np.inf
    assert np.isnan(palma(np.zeros(3), np.ones(3)))


def test_units_and_settlements_of_the_tiny_city(tiny_city):
    result = coverage(tiny_city, "mother_baby_room", year=2023)
    told = equity(access(result))
    rates = result.by("district").set_index("code")["rate"]
    assert told.gap == pytest.approx(abs(rates["330191"] - rates["330192"]))
    towns = result.by("township").set_index("name")
    town = towns.loc[["西南街道", "西北街道", "东南街道"]].sum(numeric_only=True)
    country = towns.loc["东北镇"]
    assert told.settlement_gap == pytest.approx(
        town["served"] / town["people"] - country["served"] / country["people"]
    )
    assert told.settlements["settlement"].tolist() == ["town", "country"]
    figures = told.as_dict()
    assert figures["highest"]["rate"] - figures["lowest"]["rate"] == pytest.approx(told.gap)
    assert [figures["lorenz"][at][key] for at in (0, -1) for key in ("people", "access")] == [
        *(0, 0),
        *(1, pytest.approx(1)),
    ]


def test_no_facility_at_all(tiny_city):
    told = equity(access(coverage(tiny_city, "fitness_circle")))
    figures = told.as_dict()
    assert (figures["gini"], figures["palma"], figures["gap"]) == (None, None, 0)


def test_names_that_are_neither_town_nor_country():
    kinds = settlement(embedded("small").units.query("level == 'township'")["name"])
    assert set(kinds.dropna()) == {"town", "country"}
    # 75 subdistricts, 75 towns and 23 townships among 191 in 2023, the rest counted below.
    names = embedded("small").units.query("level == 'township'")["name"]
    assert (kinds == "town").sum() == names.str.endswith("街道").sum()
    assert (kinds == "country").sum() == names.str.endswith(("镇", "乡")).sum()
    assert kinds.isna().sum() == 0
