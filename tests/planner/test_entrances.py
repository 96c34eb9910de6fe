import numpy as np
import pandas as pd
import pytest

from layers import City
from planner.coverage import coverage
from tests import oracle


@pytest.fixture(scope="module")
def city(tiny_city):
    """The tiny city; its first room has a second entrance far off, and one on no street."""
    further = tiny_city.facilities[tiny_city.facilities["id"].isin(["M1", "M1", "H2"])].copy()
    places = tiny_city.population.geometry.iloc[[3, 17]]
    further["id"], further["service"] = ["M1-b", "M1-c"], "mother_baby_room"
    further["opened"], further["entrance_of"] = pd.NA, "M1"
    further = further.set_geometry(places.to_numpy(), crs=4326)
    both = pd.concat([tiny_city.facilities, further], ignore_index=True)
    given = {name: getattr(tiny_city, name) for name in ("streets", "units", "population")}
    return City.of(name="小城", facilities=both, crs=4549, **given)


def test_the_nearest_entrance_counts_and_the_facility_once(city, tiny_city):
    plain = coverage(tiny_city, "mother_baby_room")
    result = coverage(city, "mother_baby_room")
    assert result.total()["facilities"] == plain.total()["facilities"] == 2
    assert result.by("township")["facilities"].sum() == 2
    assert result.facilities["id"].tolist() == ["M1", "M2"]
    assert result.facilities.columns.is_unique
    assert set(result.demand["facility"].dropna()) <= {"M1", "M2"}
    assert result.total()["served"] > plain.total()["served"]
    assert result.demand["facility"].iloc[3] == "M1"
    where = result.network.locate(city.population)
    expected = oracle.distances(result.network, result.reach.origins, where, unit="m")
    np.testing.assert_allclose(result.demand["distance"], expected, atol=1e-9)
    assert len(result.as_dict()["units"]) == 2


def test_an_entrance_on_no_street_does_not_unplace_its_facility(city):
    result = coverage(city, "mother_baby_room")
    assert result.reach.origins.refused.sum() == 1
    assert result.facilities["reason"].isna().all()
    assert result.unplaced["facilities"].sum() == 0


def test_without_the_column_the_table_is_as_before(tiny_city):
    result = coverage(tiny_city, "mother_baby_room")
    assert "entrance_of" not in result.facilities
    origins = result.reach.origins
    np.testing.assert_array_equal(result.facilities["access"], origins.access)
