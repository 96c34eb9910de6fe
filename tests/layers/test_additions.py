import geopandas as gpd
import pytest
import shapely

from layers import City, Provenance
from layers.additions import grow, kept
from layers.errors import LayerError
from layers.facilities import conform

ORIGIN = Provenance(source="民政局; 表.csv", licence="内部", date="2025", made="表.csv,service=x")


@pytest.fixture
def brought(tiny_city):
    points = tiny_city.facilities.geometry.iloc[:3]
    return conform(
        gpd.GeoDataFrame(
            {
                "id": ["M1", "home_care_centre-00001", "M1-gate"],
                "service": "mother_baby_room",
                "name": ["新一号", "新二号", ""],
                "entrance_of": [None, None, "M1"],
            },
            geometry=points.array,
            crs=4326,
        )
    )


def test_added_ones_stand_beside_the_others_under_free_ids(tiny_city, brought):
    before = tiny_city.facilities.copy()
    made = grow(tiny_city, brought, how="add", origin=ORIGIN)
    assert (made.added, made.gone, made.left_out) == (3, 0, 0)
    sites = made.city.facilities
    assert len(sites) == len(before) + 3
    assert sites["id"].is_unique
    own = sites[sites["name"] == "新一号"].iloc[0]
    assert own["id"] == "mother_baby_room-00001"
    assert sites["entrance_of"].dropna().tolist() == [own["id"]]
    # The city itself and what was brought are as they were.
    assert tiny_city.facilities.equals(before)
    assert brought["id"].tolist() == ["M1", "home_care_centre-00001", "M1-gate"]


def test_replaced_are_those_of_the_services_brought_alone(tiny_city, brought):
    made = grow(tiny_city, brought, how="replace", origin=ORIGIN, name="新城")
    own = tiny_city.facilities
    assert made.gone == (own["service"] == "mother_baby_room").sum() == 2
    sites = made.city.facilities
    others = own[own["service"] != "mother_baby_room"]
    assert sites["id"].tolist() == [*others["id"], *brought["id"]]
    assert (made.city.name, made.city.name_en) == ("新城", "新城")
    assert made.city.path is None
    assert len(kept(tiny_city, brought, "replace")) == len(others)


def test_some_are_left_out(tiny_city, brought):
    made = grow(tiny_city, brought, how="add", origin=ORIGIN, without=["home_care_centre-00001"])
    assert (made.added, made.left_out) == (2, 1)
    assert "新二号" not in set(made.city.facilities["name"])


def test_provenance_says_both_and_stays_modelled_while_anything_is(tiny_city, brought, tmp_path):
    modelled = {**tiny_city.provenance, "facilities": Provenance(source="model", modelled=True)}
    city = City.of(**tiny_city.layers(), name="小城", crs=4549, provenance=modelled)
    told = grow(city, brought, how="add", origin=ORIGIN).city.provenance["facilities"]
    assert told.modelled
    assert told.source == "model; 民政局; 表.csv"
    assert told.licence == "内部"
    assert "表.csv,service=x" in told.made
    assert "加入设施 3 处" in told.notes[-1]
    assert "3 facilities added" in told.notes[-1]
    every = brought.assign(service="menopause_clinic", id=["a", "b", "c"], entrance_of=None)
    only = City.of(
        **{**tiny_city.layers(), "facilities": every}, name="小城", crs=4549, provenance=modelled
    )
    alone = grow(only, every, how="replace", origin=ORIGIN).city
    assert not alone.provenance["facilities"].modelled
    assert alone.provenance["facilities"].source == ORIGIN.source
    saved = alone.save(tmp_path / "city")
    assert City.open(saved.path).provenance["facilities"].rows == 3


def test_an_unknown_service_and_impossible_years_are_refused(tiny_city, brought):
    with pytest.raises(LayerError, match="mother_baby_room"):
        grow(tiny_city, brought, how="add", origin=ORIGIN, services=["menopause_clinic"])
    wrong = brought.assign(opened=2024, closed=2020)
    with pytest.raises(LayerError, match="年份"):
        grow(tiny_city, wrong, how="add", origin=ORIGIN)


def test_into_a_city_without_facilities(tiny_city, brought):
    bare = City.of(
        **{**tiny_city.layers(), "facilities": tiny_city.facilities.iloc[:0]}, name="小城", crs=4549
    )
    made = grow(bare, brought.assign(geometry=shapely.Point(120.1, 30.2)), how="add", origin=ORIGIN)
    assert made.city.facilities["id"].tolist() == brought["id"].tolist()
    assert made.city.provenance["facilities"].source == ORIGIN.source
