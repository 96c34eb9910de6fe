import os
from pathlib import Path

import pytest

from layers.sources.build import build_city
from layers.sources.files import Source
from planner.network import Network

_ROOT = Path(__file__).resolve().parents[2]
_SHARED = Path(os.environ.get("PLANNER_SHARED", _ROOT.parent / "shared" / "data"))
_GRID = "hangzhou_poi_count_grid500m_23cat_2015.csv"
_CORE = {
    "streets": "hangzhou_core_osm_drive_network.gpkg",
    "units": "hangzhou_13districts_2021_wgs84.geojson",
    "population": f"{_GRID},weight=房地产,datum=bd09",
}
_CORE_FACILITIES = [
    "hangzhou_metro_stations_2017_wgs84.csv,service=mother_baby_room,unique=station,stands_for=地铁站",
    f"{_GRID},service=womens_activity_centre,datum=bd09,column=政府机构,min=30,stands_for=政府机构密集处",
    f"{_GRID},service=fitness_circle,datum=bd09,column=运动健身,stands_for=运动场所所在格",
    "hangzhou_bus_stops_baidu2015_wgs84.csv,service=home_care_centre,unique=name,stands_for=公交站",
    f"{_GRID},service=menopause_clinic,datum=bd09,column=医疗,min=20,stands_for=医疗机构密集处",
]


@pytest.fixture(scope="session")
def tiny_network(tiny_city):
    return Network.build(tiny_city.streets, "walk", crs=tiny_city.crs)


@pytest.fixture(scope="session")
def hangzhou_core():
    """The city that the builder makes of the real files, stand-ins for all five services."""

    def source(words):
        made = Source.parse(f"{_SHARED}/hangzhou/{words}")
        if not made.path.exists():
            pytest.skip(f"{made.path.name} is not in {_SHARED / 'hangzhou'}")
        return made

    return build_city(
        name="杭州核心区",
        streets=source(_CORE["streets"]),
        units=[source(_CORE["units"])],
        population=source(_CORE["population"]),
        facilities=[source(words) for words in _CORE_FACILITIES],
        area="streets",
    ).city
