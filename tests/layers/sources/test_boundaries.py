import geopandas as gpd
import pytest
from shapely import Polygon, box

from layers import units
from layers.errors import LayerError, SourceError
from layers.sources.boundaries import join_levels, read
from layers.sources.files import Source

CITY = {"city_name": "杭州", "city_name_en": "Hangzhou"}


def write(tmp_path, *options, name="areas.geojson", **columns):
    given = {"adcode": [330102, 330106], "name": ["上城区", "西湖区"], **columns}
    shapes = given.pop("geometry", [box(120, 30, 121, 31), box(121, 30, 122, 31)])
    path = tmp_path / name
    gpd.GeoDataFrame(given, geometry=shapes, crs=4326).to_file(path)
    return Source.parse(",".join([str(path), *options]))


def test_districts_by_default(tmp_path):
    made = read(write(tmp_path))
    assert units.check(made) == []
    assert made["code"].tolist() == ["330102", "330106"]
    assert set(made["level"]) == {"district"}


def test_the_file_s_level_unless_one_is_given(tmp_path):
    columns = {"level": ["district", "township"]}
    assert read(write(tmp_path, **columns))["level"].tolist() == columns["level"]
    assert set(read(write(tmp_path, "level=community", **columns))["level"]) == {"community"}
    with pytest.raises(SourceError, match="galaxy"):
        read(write(tmp_path, "level=galaxy"))


def test_columns_by_option(tmp_path):
    source = write(
        tmp_path, "code=ref", "name=label", "name_en=english", "parent=above",
        ref=["a", "b"], label=["甲", "乙"], english=["A", "B"], above=["b", None],
    )  # fmt: skip
    made = read(source)
    assert made[["code", "name", "name_en"]].to_numpy().tolist() == [
        ["a", "甲", "A"],
        ["b", "乙", "B"],
    ]
    assert made["parent"].iloc[0] == "b"
    with pytest.raises(SourceError, match="nothing"):
        read(write(tmp_path, "code=nothing"))
    with pytest.raises(SourceError, match="colour"):
        read(write(tmp_path, "colour=red"))


def test_missing_codes_and_names_are_left_for_the_check_to_name(tmp_path):
    made = read(write(tmp_path, adcode=[330102, None]))
    assert [(one.code, one.rows) for one in units.check(made)] == [("value_missing", (1,))]


def test_levels_join_under_their_city(tmp_path):
    districts = read(write(tmp_path))
    towns = read(
        write(
            tmp_path, "level=township", name="towns.geojson",
            adcode=["330102001", "330106002"],
        )
    )  # fmt: skip
    made = join_levels([districts, towns], **CITY)
    assert units.check(made) == []
    parents = dict(zip(made["code"], made["parent"].fillna(""), strict=True))
    assert parents == {
        "330100": "", "330102": "330100", "330106": "330100",
        "330102001": "330102", "330106002": "330106",
    }  # fmt: skip
    city = made[made["level"] == "city"].iloc[0]
    assert (city["name"], city["name_en"]) == ("杭州", "Hangzhou")
    assert city.geometry.area == pytest.approx(2)
    assert made.set_index("code").loc["330102", "name_en"] == "Shangcheng District"


def test_a_city_given_is_kept_and_several_make_none(tmp_path):
    districts = read(write(tmp_path))
    given = read(
        write(tmp_path, "level=city", name="city.geojson", adcode=["330100", "330200"], name_en="X")
    )
    made = join_levels([given.iloc[:1], districts], **CITY)
    assert (made["level"] == "city").sum() == 1
    mixed = read(write(tmp_path, adcode=["330102", "320102"]))
    assert set(join_levels([mixed], **CITY)["level"]) == {"district"}


def test_invalid_areas_are_named_before_they_are_joined(tmp_path):
    bowtie = Polygon([(120, 30), (121, 31), (121, 30), (120, 31)])
    broken = read(write(tmp_path, geometry=[bowtie, box(121, 30, 122, 31)]))
    with pytest.raises(LayerError) as caught:
        join_levels([broken], **CITY)
    (one,) = caught.value.findings
    assert (one.code, one.rows) == ("geometry_invalid", ("330102",))


def test_one_code_in_two_files_is_named(tmp_path):
    again = join_levels([read(write(tmp_path)), read(write(tmp_path))], **CITY)
    assert [one.code for one in units.check(again)] == ["value_duplicated"]


def test_the_real_districts(shared):
    path = shared("hangzhou", "hangzhou_13districts_2021_wgs84.geojson")
    made = join_levels([read(Source.parse(str(path)))], **CITY)
    assert units.check(made) == []
    assert len(made) == 14
    assert [one.code for one in units.review(made, 4549) if one.severity == "error"] == []


def test_boundaries_in_another_datum_are_moved(tmp_path, shared):
    """Amap's districts as they are published, and the same converted by others."""
    raw = shared("hangzhou", "hangzhou_13districts_2021_gcj02_raw.geojson")
    ours = read(Source(raw, {"datum": "gcj02"})).set_index("code").to_crs(4549)
    theirs = read(Source(shared("hangzhou", "hangzhou_13districts_2021_wgs84.geojson"), {}))
    theirs = theirs.set_index("code").to_crs(4549)
    assert len(ours) == 13
    for code in theirs.index:
        one, other = (layer.geometry[code] for layer in (ours, theirs))
        assert one.hausdorff_distance(other) < 0.2
    metres = tmp_path / "metres.gpkg"
    gpd.GeoDataFrame(theirs.reset_index()).to_file(metres)
    with pytest.raises(SourceError, match="metres"):
        read(Source(metres, {"datum": "gcj02"}))
