import pytest

from layers import population
from layers.errors import SourceError
from layers.population import GROUPS
from layers.sources.files import Source
from layers.sources.inhabitants import read

CHINESE = "小区,经度,纬度,常住人口,女性,育龄妇女,45-59岁女性,60岁及以上人口,60岁及以上女性,0-3岁\n"


def source(tmp_path, content, options=""):
    path = tmp_path / "people.csv"
    path.write_text(content, encoding="utf-8")
    return Source.parse(f"{path}{options}")


def test_groups_under_chinese_names(tmp_path):
    rows = '甲,120.15,30.27,"1,200",600,３００,100,200人,110,30\n乙,,,300,150,70,20,50,30,9\n'
    people, found, rejected = read(source(tmp_path, CHINESE + rows))
    assert population.check(people) == []
    assert people[list(GROUPS)].iloc[0].tolist() == [1200, 600, 300, 100, 200, 110, 30]
    told = {one.code: one for one in found}
    assert told["row_missing"].rows == (3,)
    assert "300" in told["people_in_rejected"].message
    assert len(rejected) == 1


def test_groups_that_the_user_names(tmp_path):
    content = CHINESE.replace("常住人口", "人数（人）") + "甲,120.15,30.27,1200,6,3,1,2,1,0\n"
    people, found, _ = read(source(tmp_path, content, ",residents=人数"))
    assert people["residents"].tolist() == [1200]
    assert found == []
    with pytest.raises(SourceError, match="总数"):
        read(source(tmp_path, content, ",residents=总数"))


def test_counts_that_are_no_numbers_name_their_rows(tmp_path):
    with pytest.raises(SourceError, match=r"常住人口.*3.*约三百"):
        read(source(tmp_path, CHINESE + "甲,120,30,1,1,1,1,1,1,1\n乙,120,30,约三百,1,1,1,1,1,1\n"))


def test_a_group_that_is_missing_is_found_by_the_check(tmp_path):
    people, _, _ = read(source(tmp_path, "lon,lat,residents\n120,30,5\n"))
    assert {one.code for one in population.check(people)} == {"column_missing"}


def test_counts_in_ten_thousands_are_turned_into_people(tmp_path):
    content = CHINESE.replace("常住人口", "常住人口（万人）")
    rows = "甲,120.15,30.27,0.12,600,300,100,200,110,30\n乙,,,0.03,150,70,20,50,30,9\n"
    people, found, _ = read(source(tmp_path, content + rows))
    assert people[list(GROUPS)].iloc[0].tolist() == [1200, 600, 300, 100, 200, 110, 30]
    told = {one.code: one for one in found}
    assert "10,000" in told["counts_scaled"].message
    assert "300" in told["people_in_rejected"].message
