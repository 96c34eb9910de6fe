"""A look at a table, here and in a process of its own."""

import pandas as pd
import pytest
from geopandas.testing import assert_geodataframe_equal

from layers import City
from layers.errors import CrsError, SourceError
from layers.messages import speaking
from layers.sources.files import Source
from planner.ground import Ground
from planner.look import Look, look_beside
from planner.review.backdrop import Backdrop
from tests.planner.maps.hamlet import hamlet

OPTIONS = {"service": "mother_baby_room"}


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    return City.open(hamlet().save(tmp_path_factory.mktemp("city") / "hamlet").path.resolve())


@pytest.fixture
def here(village):
    backdrop = Backdrop(Ground.of(village.streets, crs=village.crs))

    def look(source):
        return Look.at(source, village, lambda: backdrop, "add")

    return look


@pytest.fixture
def source(village, tmp_path):
    own = village.facilities
    points = own.geometry
    table = pd.DataFrame({"名称": own["name"], "经度": points.x, "纬度": points.y})
    table = pd.concat([table, pd.DataFrame({"名称": ["@乙"]})], ignore_index=True)
    with pd.ExcelWriter(tmp_path / "表.xlsx") as to:
        for sheet in ("甲表", "乙表"):
            table.to_excel(to, sheet_name=sheet, index=False)
    return Source(tmp_path / "表.xlsx", OPTIONS)


def test_a_look_beside_sees_what_one_here_sees(village, here, source):
    seen, wanted = look_beside(source, village, village.path, "add"), here(source)
    assert seen.options == wanted.options == {**OPTIONS, "sheet": "甲表"}
    assert (seen.parts, seen.columns) == (("sheet", ("甲表", "乙表")), ("名称", "经度", "纬度"))
    assert_geodataframe_equal(seen.told.places.layer, wanted.told.places.layer)
    assert seen.pairs == wanted.pairs
    assert len(seen.pairs) == (village.facilities["service"] == "mother_baby_room").sum()
    assert seen.lost == wanted.lost
    assert "'@乙" in seen.lost.decode("utf-8-sig")
    assert (seen.told.said, seen.told.fitting) == (wanted.told.said, wanted.told.fitting)
    assert seen.told.places.rejected.counts() == {"row_missing": 1}


def test_what_is_wrong_is_told_in_the_reader_s_language(village, here, tmp_path):
    for content, kind, words in (
        ("名称\n甲\n", SourceError, "no columns of coordinates"),
        ("名称,X,Y\n甲,514000,3350000\n", CrsError, "crs"),
    ):
        path = tmp_path / "表.csv"
        path.write_text(content, encoding="utf-8")
        with speaking("en"):
            seen, wanted = look_beside(Source(path, OPTIONS), village, village.path, "add"), None
            wanted = here(Source(path, OPTIONS))
        assert isinstance(seen.wrong, kind)
        assert isinstance(wanted.wrong, kind)
        assert str(seen.wrong) == str(wanted.wrong)
        assert words in str(seen.wrong)


def test_another_city_in_the_place_is_no_ground_for_a_look(village, source, tmp_path):
    other = hamlet()
    other.facilities.loc[other.facilities.index[0], "name"] = "another"
    place = other.save(tmp_path / "other").path
    assert look_beside(source, village, place, "add") is None


def test_a_look_that_nobody_wants_or_that_dies_ends_in_words(village, source, tmp_path):
    with pytest.raises(SourceError):
        look_beside(source, village, village.path, "add", cancelled=lambda: True)
    with pytest.raises(SourceError, match="意外停止"):
        look_beside(source, village, tmp_path / "nowhere", "add")
