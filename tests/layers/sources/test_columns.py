import pytest

from layers.population import GROUPS
from layers.sources import columns


def test_the_table_names_every_group_and_bare_names_once():
    assert set(columns.names()["group"]) == set(GROUPS)
    for roles in columns.names().values():
        for names in roles.values():
            assert len(set(names)) == len(names)
    position = columns.names()["position"]
    every = [name for names in position.values() for name in names]
    assert len(set(every)) == len(every)
    # They are looked up in this form.
    assert [columns.bare(name) for name in every] == every


@pytest.mark.parametrize(
    ("given", "datum", "expected"),
    [
        (["x", "y", "经度", "纬度"], "", ("经度", "纬度", "")),
        (["lat", "lon"], "", ("lon", "lat", "")),
        (["WGS84_经度", "WGS84_纬度", "lon", "lat"], "", ("WGS84_经度", "WGS84_纬度", "wgs84")),
        (["gcj_lon", "gcj_lat", "lon", "lat"], "gcj02", ("gcj_lon", "gcj_lat", "gcj02")),
        (["gcj_lon", "gcj_lat", "lon", "lat"], "bd09", ("lon", "lat", "")),
        (["经度（高德）", "纬度（高德）"], "", ("经度（高德）", "纬度（高德）", "gcj02")),
        (["经度（BD-09）", "纬度（BD-09）", "经度", "纬度"], "", ("经度", "纬度", "")),
        (["经度(2023)", "纬度(度)"], "", ("经度(2023)", "纬度(度)", "")),
        (["高德坐标"], "", ("高德坐标", "高德坐标", "gcj02")),
        (["坐标", "lon"], "", ("坐标", "坐标", "")),
        (["lon", "bd_lat"], "", None),
        (["经度"], "", None),
        ([], "", None),
    ],
)
def test_axes(given, datum, expected):
    found = columns.axes(given, datum=datum)
    assert (found and (found.lon, found.lat, found.datum)) == expected
    assert found is None or found.is_one == (found.lon == found.lat)


def test_find_takes_the_exact_name_before_the_loose_one():
    assert columns.find(["NAME", "name"], ("name",)) == "name"
    assert columns.find(["NAME", "名称"], ("name", "名称")) == "名称"
    assert columns.find(["N A M E"], ("name",)) == "N A M E"
    assert columns.find(["other"], ("name",)) is None


def test_headings():
    is_heading = columns.known(["落点X"])
    assert all(map(is_heading, ["经度", "经度_84", "ＬＯＮ", "机构名称 ", "落点x"]))
    assert not any(map(is_heading, ["", "120.15", "杭州市一览表"]))
