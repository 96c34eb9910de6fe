import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from layers import facilities
from layers.facilities import open_in


def layer(**columns):
    given = {"id": ["a", "b"], "service": ["clinic", "clinic"], **columns}
    geometry = given.pop("geometry", [shapely.Point(120, 30), shapely.Point(120, 31)])
    return gpd.GeoDataFrame(given, geometry=geometry, crs=4326)


def codes(frame):
    return {one.code: one.rows for one in facilities.check(facilities.conform(frame))}


def test_defaults_are_existing_ever_since():
    made = facilities.conform(layer())
    needed = [name for name, column in facilities.SCHEMA.columns.items() if column.required]
    assert list(made) == [*needed, "geometry"]
    assert facilities.check(made) == []
    assert made["status"].tolist() == ["existing", "existing"]
    assert made[["capacity", "opened", "closed"]].isna().all(axis=None)
    assert (made[["name", "tier", "venue", "source"]] == "").all(axis=None)


def test_none_at_all_is_worth_a_warning():
    nothing = gpd.GeoDataFrame({"id": [], "service": []}, geometry=[], crs=4326)
    (one,) = facilities.check(facilities.conform(nothing))
    assert (one.code, one.severity) == ("empty", "warning")
    assert facilities.review(facilities.conform(nothing), ("clinic",)) == []
    assert len(open_in(facilities.conform(nothing), 2023)) == 0


@pytest.mark.parametrize(
    ("columns", "code", "rows"),
    [
        ({"id": ["a", "a"]}, "value_duplicated", ("a", "a")),
        ({"id": ["a", None]}, "value_missing", (1,)),
        ({"id": [7, 7]}, "value_duplicated", ("7", "7")),
        ({"service": ["clinic", None]}, "value_missing", ("b",)),
        ({"service": ["clinic", 3.5]}, "column_type", ("b",)),
        ({"status": ["existing", "closed"]}, "value_unknown", ("b",)),
        ({"status": ["existing", None]}, "value_missing", ("b",)),
        ({"capacity": [-1, 3]}, "value_negative", ("a",)),
        ({"capacity": [np.inf, 3]}, "value_negative", ("a",)),
        ({"capacity": ["thirty", 3]}, "column_type", ("a",)),
        ({"opened": [1800, 2020]}, "years_impossible", ("a",)),
        ({"opened": ["2020年", 2020]}, "column_type", ("a",)),
        ({"closed": [2020.5, None]}, "column_type", ("a",)),
        ({"opened": [2020, 2020], "closed": [2019, 2020]}, "years_impossible", ("a",)),
        ({"geometry": [shapely.Point(), shapely.Point(120, 31)]}, "geometry_kind", ("a",)),
        ({"geometry": [None, shapely.Point(120, 31)]}, "geometry_kind", ("a",)),
        ({"geometry": [shapely.Point(31, 120), shapely.Point(120, 31)]}, "outside_world", ("a",)),
    ],
)
def test_bad_facilities_are_named(columns, code, rows):
    assert codes(layer(**columns)) == {code: rows}


@pytest.mark.parametrize("column", ["id", "service"])
def test_missing_columns_are_named(column):
    (one,) = facilities.check(facilities.conform(layer().drop(columns=column)))
    assert one.code == "column_missing"
    assert f"“{column}”" in one.message


def test_services_that_nobody_knows_are_named():
    made = facilities.conform(layer(service=["clinic", "zoo"]))
    (one,) = facilities.review(made, ("clinic", "school"))
    assert (one.code, one.severity, one.rows) == ("service_unknown", "error", ("b",))
    assert "zoo" in one.message
    assert "clinic, school" in one.message
    assert facilities.review(made, ("clinic", "zoo")) == []


STANDING = [
    # status, opened, closed: open at the end of 2019, 2020, 2023 and now
    ("existing", None, None, True, True, True, True),
    ("existing", 2020, None, False, True, True, True),
    ("existing", 2020, 2023, False, True, False, False),
    ("existing", None, 2020, True, False, False, False),
    ("existing", 2020, 2020, False, False, False, False),
    ("planned", 2019, None, False, False, False, False),
    ("candidate", None, None, False, False, False, False),
]


@pytest.mark.parametrize(("status", "opened", "closed", "y2019", "y2020", "y2023", "now"), STANDING)
def test_open_in_a_year(status, opened, closed, y2019, y2020, y2023, now):
    one = facilities.conform(layer(status=status, opened=opened, closed=closed).iloc[:1])
    for year, standing in ((2019, y2019), (2020, y2020), (2023, y2023), (None, now)):
        assert len(open_in(one, year)) == standing


def test_open_in_keeps_the_index_and_the_layer(tiny_city):
    before = tiny_city.facilities.copy()
    some = open_in(tiny_city.facilities, 2022)
    assert some["id"].tolist() == ["M1", "M2", "C1"]
    assert some.index.isin(before.index).all()
    pd.testing.assert_frame_equal(pd.DataFrame(tiny_city.facilities), pd.DataFrame(before))
