"""The population out of points, rasters and tables, as a city is built with it."""

from io import StringIO

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from layers import units
from layers.errors import SourceError
from layers.messages import speaking
from layers.population import GROUPS, WITHIN
from layers.sources import census
from layers.sources.build import build_city
from layers.sources.files import Source
from layers.sources.postgis import parse_source


@pytest.fixture
def files(tiny_city, tmp_path):
    """The tiny city's streets and units, its districts under codes of the census."""
    renamed = {"330191": "330102", "330192": "330105"}
    areas = tiny_city.units.copy()
    for old, new in renamed.items():
        for column in ("code", "parent"):
            areas[column] = areas[column].str.replace(old, new)
    tiny_city.streets.to_file(tmp_path / "streets.gpkg")
    areas.to_file(tmp_path / "units.geojson")
    return tmp_path


def build(folder, people, **more):
    return build_city(
        name="小城",
        streets=Source.parse(f"{folder}/streets.gpkg"),
        units=[Source.parse(f"{folder}/units.geojson")],
        population=parse_source(f"{folder}/{people}"),
        facilities=[],
        **more,
    )


def grid(city, folder, name="p.tif", values=None):
    west, south, east, north = city.units.total_bounds
    values = np.arange(1.0, 97).reshape(8, 12) if values is None else values
    high, wide = values.shape
    with rasterio.open(
        folder / name, "w", driver="GTiff", width=wide, height=high, count=1, dtype="float64",
        crs="EPSG:4326",
        transform=Affine((east - west) / wide, 0, west, 0, (south - north) / high, north),
    ) as made:  # fmt: skip
        made.write(values, 1)
    return values


def sums(city, level="district"):
    home = units.assign(city.population.geometry, city.units)[level]
    return city.population.drop(columns="geometry").groupby(home).sum()


def codes(built):
    return {one.code: one for one in built.findings}


def assert_mixed_as_the_census(found):
    known = census.groups()
    for code, row in found.iterrows():
        share = known.loc[code] / known.loc[code, "residents"]
        assert (row / row["residents"])[list(GROUPS)].tolist() == pytest.approx(
            share[list(GROUPS)].tolist()
        )


def test_a_raster_of_residents_is_filled_in_by_the_census(files, tiny_city):
    values = grid(tiny_city, files)
    built = build(files, "p.tif")
    people = built.city.population
    # The city's edge is not quite that of the raster, along degrees.
    assert people["residents"].sum() == pytest.approx(values.sum(), rel=5e-3)
    assert_mixed_as_the_census(sums(built.city))
    told = codes(built)["groups_by_census"]
    assert "women_60_plus" in told.message
    assert any("普查" in note for note in built.city.provenance["population"].notes)
    assert built.city.provenance["population"].source == "p.tif"


def test_a_study_area_cuts_cells_exactly(files, tiny_city):
    grid(tiny_city, files, values=np.full((2, 2), 100.0))
    west, south, east, north = tiny_city.units.total_bounds
    box = (west, south, west + (east - west) * 0.3, north)
    built = build(files, "p.tif", area=",".join(f"{edge:.17g}" for edge in box))
    shape = shapely.union_all(built.city.units.geometry.to_numpy())
    share = shape.area / ((east - west) * (north - south))
    assert 0.29 < share < 0.31
    assert built.city.population["residents"].sum() == pytest.approx(400 * share)
    assert "residents_outside_area" not in codes(built)


def test_the_census_over_a_raster_is_met_by_district_and_nests(files, tiny_city):
    grid(tiny_city, files)
    built = build(files, "p.tif,weight=1")
    wanted = census.groups().loc[["330102", "330105"]]
    pd.testing.assert_frame_equal(
        sums(built.city)[list(GROUPS)], wanted[list(GROUPS)].astype(float), check_names=False
    )
    for part, whole in WITHIN:
        assert (built.city.population[part] <= built.city.population[whole] + 1e-6).all()
    assert "2020 census" in built.city.provenance["population"].source


TABLE = (
    "街道,常住人口,女性\n西南街道,1000,600\n西北街道,2000,900\n东南街道,3000,1500\n东北镇,500,200\n"
)


def test_a_table_by_unit_over_streets(files):
    (files / "towns.csv").write_text(TABLE, encoding="gb18030")
    built = build(files, "towns.csv,over=streets")
    found = sums(built.city, "township")
    assert found["residents"].tolist() == pytest.approx([1000, 2000, 3000, 500], rel=1e-12)
    assert found["women"].tolist() == pytest.approx([600, 900, 1500, 200], rel=1e-12)
    assert built.city.provenance["population"].source == "towns.csv; streets"
    for part, whole in WITHIN:
        assert (built.city.population[part] <= built.city.population[whole] + 1e-9).all()


def test_weights_that_end_within_a_unit_are_told(files, tiny_city):
    (files / "towns.csv").write_text(TABLE, encoding="utf-8")
    assert "people_squeezed" not in codes(build(files, "towns.csv,over=streets"))
    shapes = tiny_city.units.to_crs(4549)
    wide = shapes.set_geometry(shapes.geometry.scale(6, 1, origin=(514_000, 3_350_000)))
    wide.to_crs(4326).to_file(files / "units.geojson")
    words = TABLE.replace("女性", "备注")
    full = dict.fromkeys(GROUPS[1:], 1)
    table = pd.read_csv(StringIO(words)).assign(**full)
    table.to_csv(files / "towns.csv", index=False)
    told = codes(build(files, "towns.csv,over=streets"))
    # All streets lie in the west now, and the east has none.
    assert told["people_squeezed"].rows == ("330191001", "330191002")
    assert told["people_at_a_point"].rows == ("330192001", "330192002")


def test_points_under_chinese_names(files):
    (files / "points.csv").write_text(
        "经度,纬度,常住人口,女性人口\n120.15,30.27,100,60\n120.151,30.271,50,20\n", encoding="utf-8"
    )
    built = build(files, "points.csv")
    assert built.city.population["residents"].tolist() == [100, 50]
    assert built.city.population["women"].tolist() == [60, 20]
    told = codes(built)["groups_by_census"].words("message", "en")
    assert told.endswith(": " + ", ".join(GROUPS[2:]) + ".")


def test_groups_that_nothing_tells_are_refused(files, tiny_city):
    tiny_city.units.to_file(files / "units.geojson")  # codes that the census does not know
    grid(tiny_city, files)
    (files / "points.csv").write_text("lon,lat,人口\n120.15,30.27,100\n", encoding="utf-8")
    (files / "empty.csv").write_text("lon,lat,人口\n120.15,30.27,\n", encoding="utf-8")
    with speaking("en"):
        for people in ("p.tif", "points.csv"):
            with pytest.raises(SourceError, match=r"lacks the groups women.*: 西区"):
                build(files, people)
        with pytest.raises(SourceError, match="line 2: the column '人口' is empty"):
            build(files, "empty.csv")
        with pytest.raises(SourceError, match="bands, datum"):
            build(files, "p.tif,datum=bd09,bands=2")


@settings(max_examples=25)
@given(
    rows=st.lists(st.tuples(st.integers(0, 5000), *[st.floats(0, 1)] * 2), min_size=1, max_size=8)
)
def test_groups_filled_in_nest_and_keep_what_was_given(rows):
    residents = np.array([row[0] for row in rows], dtype=float)
    women = residents * [row[1] for row in rows]
    old = residents * [row[2] for row in rows]
    mix = census.atoms().iloc[[0] * len(rows)].reset_index(drop=True)
    for given_ in (
        {"residents": residents},
        {"residents": residents, "women": women},
        {"residents": residents, "women": women, "age_60_plus": old},
    ):
        filled = census.complete(pd.DataFrame(given_), mix)
        for group, people in given_.items():
            assert filled[group].tolist() == people.tolist()
        for part, whole in WITHIN:
            assert (filled[part] <= filled[whole] + 1e-3).all(), (part, whole)
        assert np.isfinite(filled).all(axis=None)


def test_a_census_filled_in_by_itself_stays_as_it_is():
    known = census.groups()
    for group in GROUPS[1:]:
        filled = census.complete(known[["residents", group]].astype(float), census.atoms())
        pd.testing.assert_frame_equal(
            filled[list(GROUPS)], known[list(GROUPS)], check_dtype=False, rtol=1e-9
        )


def test_a_unit_s_people_out_of_a_database(files, postgres, tiny_city):
    name = postgres.database()
    postgres.run(
        name,
        'CREATE TABLE towns ("街道" text, "常住人口" integer)',
        "INSERT INTO towns VALUES ('西南街道', 1000), ('东北镇', 500)",
        "CREATE TABLE houses (floors integer, at geometry(Point, 4326))",
        "INSERT INTO houses SELECT 3, ST_SetSRID(ST_Point(120.145 + n * 0.0001, 30.27), 4326)"
        " FROM generate_series(1, 5) n",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO planner",
    )
    over = postgres.address(name, table="houses")
    source = parse_source(f"{postgres.address(name, table='towns')},over={over}")
    built = build_city(
        name="小城",
        streets=Source.parse(f"{files}/streets.gpkg"),
        units=[Source.parse(f"{files}/units.geojson")],
        population=source,
        facilities=[],
    )
    found = sums(built.city, "township")["residents"]
    assert found.to_dict() == pytest.approx({"330102001": 1000, "330105002": 500})
    assert built.city.provenance["population"].source == "towns; houses"
    inside = gpd.GeoSeries([shapely.box(120.14, 30.26, 120.15, 30.275)], crs=4326).iloc[0]
    near = built.city.population.within(inside)
    assert near.sum() >= 5
    assert codes(built)["people_on_streets"].rows == ("330105002",)
    assert codes(built)["people_no_row"].rows == ("330102002", "330105001")


@pytest.mark.parametrize(
    ("head", "share", "told"),
    [
        ("常住人口", 1.0, {}),
        ("常住人口", 2.0, {"table_off": "warning"}),
        ("常住人口（万人）", 1e-4, {"counts_scaled": "info"}),
        ("residents (thousands)", 1e-3, {"counts_scaled": "info"}),
    ],
)
def test_a_table_in_thousands_is_turned_into_people(files, head, share, told):
    wanted = census.groups().loc[["330102", "330105"], "residents"]
    frame = pd.DataFrame({"code": wanted.index, head: (wanted * share).to_numpy()})
    frame.to_csv(files / "p.csv", index=False)
    option = "" if head.startswith("常住") else f",residents={head}"
    built = build(files, f"p.csv,over=streets{option}")
    factor = 1.0 if "counts_scaled" in told else share
    found = sums(built.city)["residents"]
    assert found.to_dict() == pytest.approx((wanted * factor).to_dict())
    seen = {code: one.severity for code, one in codes(built).items()}
    assert {code: seen.get(code) for code in told} == told
    assert {"table_off", "counts_scaled"} & set(seen) == set(told)


def test_a_table_whose_unit_is_not_told_is_refused(files):
    wanted = census.groups().loc[["330102", "330105"], "residents"]
    frame = pd.DataFrame({"code": wanted.index, "常住人口": (wanted / 1e4).to_numpy()})
    frame.to_csv(files / "p.csv", index=False)
    told = codes(build(files, "p.csv,over=streets"))["table_off"]
    assert told.severity == "error"
    assert "万人" in told.words("remedy", "zh")


def test_townships_are_held_against_their_district_where_all_are_there(files):
    towns = ["330102001", "330102002", "330105001", "330105002"]
    wanted = census.groups().loc[["330102", "330105"], "residents"].sum()
    for rows, told in ((towns, {"table_off"}), (towns[:1], set())):
        frame = pd.DataFrame({"code": rows, "residents": [wanted * 2.0 / len(rows)] * len(rows)})
        frame.to_csv(files / "p.csv", index=False)
        assert {"table_off"} & set(codes(build(files, "p.csv,over=streets"))) == told
