import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Point, box

from layers import units
from layers.messages import speaking
from layers.units import assign

NAMES = ["code", "name", "level", "parent"]


def layer(*rows, crs=4326):
    return gpd.GeoDataFrame(
        [row[:4] for row in rows], columns=NAMES, geometry=[row[4] for row in rows], crs=crs
    )


def city():
    return layer(
        ("3301", "市", "city", None, box(120, 30, 122, 31)),
        ("330102", "东", "district", "3301", box(121, 30, 122, 31)),
        ("330101", "西", "district", "3301", box(120, 30, 121, 31)),
        ("330101001", "南", "township", "330101", box(120, 30, 121, 30.5)),
        # Its border was drawn a little into the other district.
        ("330101002", "北", "township", "330101", box(120, 30.5, 121.01, 31)),
    )


def codes(frame):
    return {one.code: one.rows for one in units.check(units.conform(frame))}


def series(*places):
    return gpd.GeoSeries([Point(place) for place in places], crs=4326)


def test_conform_takes_codes_as_numbers_and_names_in_english():
    frame = city().assign(code=[3301, 330102, 330101, 330101001, 330101002])
    frame["parent"] = [np.nan, 3301, 3301, 330101, 330101]
    made = units.conform(frame)
    assert made["code"].tolist() == city()["code"].tolist()
    assert made["parent"].tolist()[1:] == city()["parent"].tolist()[1:]
    assert made["parent"].isna().tolist() == [True, False, False, False, False]
    assert made["name_en"].tolist() == made["name"].tolist()
    assert units.check(made) == []


def test_parents_default_to_none_and_empty_ones_are_none():
    assert units.conform(city().drop(columns="parent"))["parent"].isna().all()
    assert units.check(units.conform(city().drop(columns="parent"))) == []
    made = units.conform(city().assign(parent=["", "3301", "3301", "330101", "330101"]))
    assert made["parent"].isna().sum() == 1


BOWTIE = shapely.Polygon([(120, 30), (121, 31), (121, 30), (120, 31)])


@pytest.mark.parametrize(
    ("column", "value", "code", "rows"),
    [
        ("code", "3301", "value_duplicated", ("3301", "3301")),
        ("code", None, "value_missing", (1,)),
        ("code", "", "value_missing", (1,)),
        ("name", None, "value_missing", ("330102",)),
        ("level", "county", "value_unknown", ("330102",)),
        ("level", None, "value_missing", ("330102",)),
        ("parent", "9999", "parent_unknown", ("330102",)),
        ("parent", "330102", "parent_not_coarser", ("330102",)),
        ("parent", "330101001", "parent_not_coarser", ("330102",)),
        ("geometry", BOWTIE, "geometry_invalid", ("330102",)),
        ("geometry", None, "geometry_kind", ("330102",)),
        ("geometry", shapely.Polygon(), "geometry_kind", ("330102",)),
        ("geometry", Point(120, 30), "geometry_kind", ("330102",)),
        ("geometry", box(30, 119, 31, 122), "outside_world", ("330102",)),
    ],
)
def test_bad_units_are_named(column, value, code, rows):
    frame = city()
    cells = list(frame[column])
    cells[1] = value
    frame = (
        frame.set_geometry(gpd.GeoSeries(cells, crs=4326))
        if column == "geometry"
        else frame.assign(**{column: cells})
    )
    assert codes(frame) == {code: rows}


@pytest.mark.parametrize("column", ["code", "name", "level"])
def test_missing_columns_are_named(column):
    assert set(codes(city().drop(columns=column))) == {"column_missing"}


def test_invalid_geometry_says_what_is_wrong_and_how_to_mend_it():
    frame = city().set_geometry(gpd.GeoSeries([BOWTIE] * 5, crs=4326))
    (one,) = units.check(units.conform(frame))
    assert "Self-intersection" in one.message
    assert "make_valid" in one.remedy
    with speaking("en"):
        assert "make_valid" in one.remedy


def test_overlaps_are_graded_by_their_size():
    def pair(east):
        return units.conform(
            layer(
                ("a", "甲", "district", None, box(120, 30, 120.1, 30.1)),
                ("b", "乙", "district", None, box(120.1 - east, 30, 120.2, 30.1)),
                ("c", "丙", "township", "a", box(120, 30, 120.1, 30.1)),
            )
        )

    assert units.review(pair(0), 4549) == []
    assert units.review(pair(1e-6), 4549) == []
    (slight,) = units.review(pair(0.0005), 4549)
    (grave,) = units.review(pair(0.05), 4549)
    assert (slight.severity, grave.severity) == ("warning", "error")
    assert slight.rows == grave.rows == ("a", "b")
    assert slight.values["area"] == pytest.approx(0.0005 * 96.3 * 0.1 * 110.9, rel=0.01)
    assert "a–b" in grave.message
    assert str(grave)


def test_the_finest_unit_decides_and_its_parents_follow():
    places = series((120.2, 30.2), (120.2, 30.8), (121.005, 30.8), (121.5, 30.2), (125, 30))
    places.index = list("pqrst")
    found = assign(places, units.conform(city()))
    assert list(found) == ["city", "district", "township"]
    assert list(found.index) == list("pqrst")
    assert found["township"].tolist() == ["330101001", "330101002", "330101002", None, None]
    # The third lies in the eastern district but in a township of the western one.
    assert found["district"].tolist() == ["330101", "330101", "330101", "330102", None]
    assert found["city"].tolist() == ["3301"] * 4 + [None]


def test_on_a_shared_border_the_lower_code_counts():
    found = assign(series((121, 30.2), (120.5, 30.5), (120, 30)), units.conform(city()))
    assert found["district"].tolist() == ["330101", "330101", "330101"]
    assert found["township"].tolist() == ["330101001", "330101001", "330101001"]


def test_every_point_of_a_lattice_is_in_one_unit_and_sums_agree():
    x, y = (
        axis.ravel() for axis in np.meshgrid(np.linspace(120, 122, 41), np.linspace(30, 31, 41))
    )
    found = assign(gpd.GeoSeries(gpd.points_from_xy(x, y), crs=4326), units.conform(city()))
    assert found["district"].notna().all()
    of_west = found[found["township"].notna()]
    assert (of_west["district"] == "330101").all()
    assert found["district"].value_counts().sum() == 41 * 41


def test_points_without_a_place_are_in_no_unit():
    points = gpd.GeoSeries([None, Point(), Point(120.2, 30.2)], crs=4326)
    assert assign(points, units.conform(city()))["district"].tolist() == [None, None, "330101"]
    nothing = assign(gpd.GeoSeries([], crs=4326), units.conform(city()))
    assert nothing.shape == (0, 3)


def test_tiny_city(tiny_city):
    assert units.check(tiny_city.units) == []
    assert units.review(tiny_city.units, tiny_city.crs) == []
    home = assign(tiny_city.population.geometry, tiny_city.units)
    assert home.notna().all(axis=None)
    for level in ("city", "district", "township"):
        assert tiny_city.population["residents"].groupby(home[level]).sum().sum() == 2860
