import numpy as np
import pytest

from layers import embedded
from planner.coverage import coverage
from planner.report.coverage import ServiceReport, curve
from planner.report.values import Band


@pytest.fixture(scope="module")
def clinic():
    return coverage(embedded("small"), "menopause_clinic", year=2023)


def test_the_curve_is_the_share_of_people_within_each_distance(clinic):
    within = [0.0, 5.0, 12.5, 30.0, 60.0]
    people = clinic.city.population["women_45_59"].to_numpy()
    far = clinic.demand["distance"].to_numpy()
    wanted = [people[far <= cutoff + 1e-6].sum() / people.sum() for cutoff in within]
    assert np.allclose(curve(clinic, within), wanted)
    assert np.isclose(curve(clinic, [30.0])[0], clinic.total()["rate"])


def test_townships_add_up_to_districts_and_to_the_city(clinic):
    told = ServiceReport(clinic).units
    for column in ("people", "served", "gap", "facilities"):
        by_level = {}
        levels = [level.zh for level in told.values("level")]
        for level, value in zip(levels, told.values(column), strict=True):
            by_level[level] = by_level.get(level, 0) + value
        assert set(by_level) == {"全市", "区县", "乡镇街道"}
        assert len(set(by_level.values())) == 1


def test_every_district_that_misses_the_quota_is_named(clinic):
    table = clinic.by("district")
    short = table[table["missing"] > 0]
    assert 0 < len(short) < len(table)
    (told,) = [one for one in ServiceReport(clinic).sentences() if one.role == "warning"]
    for row in table.itertuples():
        assert (f"{row.name}（缺{row.missing}处）" in told.words.zh) == (row.missing > 0)
        assert (f"{row.name_en} ({row.missing} short)" in told.words.en) == (row.missing > 0)
    assert f"共缺{short['missing'].sum()}处" in told.words.zh


def test_the_table_of_districts_shows_what_the_sheet_holds(clinic):
    service = ServiceReport(clinic)
    table = service.district_table()
    frame = clinic.by("district")
    assert [name.zh for name in table.values("name")[:-1]] == frame["name"].tolist()
    assert table.values("rate")[:-1] == frame["rate"].tolist()
    low, high = frame["rate_low"].iloc[0], frame["rate_high"].iloc[0]
    assert table.values("band")[0] == Band(low, high)
    assert table.totals == {len(table.rows) - 1}
    assert table.values("people")[-1] == clinic.total()["people"]
    assert len(service.township_table().rows) == len(clinic.by("township")) == 191


def test_a_column_without_figures_is_left_out():
    city = embedded("small")
    service = ServiceReport(coverage(city, "mother_baby_room", year=2023))
    assert {"quota", "missing"}.isdisjoint(
        column.key for column in service.district_table().columns
    )
