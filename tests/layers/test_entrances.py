"""Facilities with several entrances: rows that say whose entrance they are."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from layers import City, facilities
from layers.errors import LayerError


@pytest.fixture
def layer():
    rows = [
        ("A", None, 1, None),
        ("A-north", "A", 2, None),
        ("A-new", "A", 3, 2024),
        ("B", None, 4, 2024),
        ("B-east", "B", 5, None),
    ]
    return facilities.conform(
        gpd.GeoDataFrame(
            {
                "id": [row[0] for row in rows],
                "service": "mother_baby_room",
                "entrance_of": [row[1] for row in rows],
                "opened": pd.array([row[3] for row in rows], dtype="Int64"),
            },
            geometry=[shapely.Point(120 + row[2] / 1000, 30) for row in rows],
            crs=4326,
        )
    )


def test_a_facility_is_selected_once_and_its_open_entrances_with_it(layer):
    assert not facilities.check(layer)
    assert facilities.open_in(layer, 2023)["id"].tolist() == ["A"]
    assert facilities.open_in(layer)["id"].tolist() == ["A", "B"]
    some = facilities.open_in(layer, 2023, entrances=True)
    assert some["id"].tolist() == ["A", "A-north"]
    assert facilities.owners(some).tolist() == ["A", "A"]
    assert len(facilities.open_in(layer, entrances=True)) == 5


def test_a_layer_without_the_column_is_as_before(layer):
    plain = facilities.conform(layer.drop(columns="entrance_of"))
    assert "entrance_of" not in plain
    assert not facilities.check(plain)
    assert facilities.owners(plain).tolist() == plain["id"].tolist()
    assert len(facilities.open_in(plain, entrances=True)) == 5


@pytest.mark.parametrize(
    "change",
    [{"entrance_of": "nowhere"}, {"entrance_of": "A-north"}, {"service": "home_care_centre"}],
)
def test_entrances_of_nothing_are_refused(layer, change):
    layer.loc[2, list(change)] = list(change.values())
    found = facilities.check(layer)
    assert [(finding.code, finding.rows) for finding in found] == [("entrance_astray", ("A-new",))]


def test_a_city_keeps_them(layer, tiny_city, tmp_path):
    more = layer.iloc[:2].to_crs(4326)
    both = pd.concat([tiny_city.facilities, more], ignore_index=True)
    given = {name: getattr(tiny_city, name) for name in ("streets", "units", "population")}
    city = City.of(name="小城", facilities=both, crs=4549, **given)
    again = City.open(city.save(tmp_path / "city").path)
    assert again.facilities["entrance_of"].isna().tolist() == [True] * 8 + [False]
    with pytest.raises(LayerError, match="entrance_of"):
        City.of(name="小城", facilities=both.assign(entrance_of="X"), crs=4549, **given)
