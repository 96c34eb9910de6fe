import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from layers import City, units
from layers.errors import LayerError, PlannerError, SourceError
from layers.messages import speaking
from layers.resources import data_path
from layers.sources import census
from layers.sources.build import build_city
from layers.sources.files import Source
from layers.sources.modelled.townships import districts
from layers.streets import geodesic_length
from tests.layers.sources.fetch.server import World

SERVICES = ("mother_baby_room", "home_care_centre", "menopause_clinic")


@pytest.fixture
def files(tiny_city, tmp_path):
    """The tiny city's layers as files that a builder may be given."""
    tiny_city.streets.to_file(tmp_path / "streets.gpkg", layer="edges")
    tiny_city.units.to_file(tmp_path / "units.geojson")
    tiny_city.population.to_file(tmp_path / "people.gpkg")
    sites = pd.DataFrame(tiny_city.facilities.drop(columns="geometry"))
    sites = sites.assign(lon=tiny_city.facilities.geometry.x, lat=tiny_city.facilities.geometry.y)
    sites.to_csv(tmp_path / "sites.csv", index=False)
    return tmp_path


def build(folder, **changes):
    given = {
        "name": "小城",
        "streets": Source.parse(str(folder / "streets.gpkg")),
        "units": [Source.parse(str(folder / "units.geojson"))],
        "population": Source.parse(str(folder / "people.gpkg")),
        "facilities": [Source.parse(str(folder / "sites.csv"))],
        "services": SERVICES,
        **changes,
    }
    return build_city(**given)


def codes(built):
    return {one.code: one for one in built.findings}


def test_layers_that_are_whole_pass_through(files, tiny_city):
    built = build(files)
    assert built.findings == ()
    city = built.city
    for key in ("streets", "units", "population", "facilities"):
        ours, theirs = (
            pd.DataFrame(one.layers()[key].drop(columns="geometry")) for one in (city, tiny_city)
        )
        pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)
    assert city.provenance["streets"].source == "streets.gpkg"


def test_an_area_clips_units_and_counts_what_it_leaves_out(files, tiny_city):
    west, south, east, north = tiny_city.units.total_bounds
    middle = (west + east) / 2
    built = build(files, area=f"{west},{south},{middle},{north}")
    found = codes(built)
    codes_left = {"rows_outside_area", "residents_outside_area"}
    assert set(found) >= {"unit_clipped", *codes_left}
    told = [one for one in built.findings if one.code in codes_left]
    assert sum(dict(one.values)["count"] for one in told) == (
        len(tiny_city.population) - len(built.city.population)
        + len(tiny_city.facilities) - len(built.city.facilities)
    )  # fmt: skip
    assert built.city.units.total_bounds[2] == pytest.approx(middle)
    notes = built.city.provenance["units"].notes
    assert any("研究范围" in note and "study area" in note for note in notes)


def test_the_area_of_the_streets(files, tiny_city):
    built = build(files, area="streets")
    # The hamlet half a kilometre off the streets is left out.
    assert built.city.population["residents"].sum() == 2850


@pytest.mark.parametrize(
    "area", ["west", "1,2,3", "121,30,120,31", "nan,30,121,31", "-999,30,121,31"]
)
def test_an_area_that_is_none(files, area):
    with pytest.raises(SourceError, match=area):
        build(files, area=area)


def test_an_area_without_anything_in_it(files):
    with pytest.raises(LayerError):
        build(files, area="100,20,101,21")


def test_people_who_all_live_elsewhere_are_refused_with_the_remedy(files, tiny_city):
    far = tiny_city.population.assign(geometry=tiny_city.population.translate(1.0, 0.0))
    far.to_file(files / "far.gpkg")
    with pytest.raises(SourceError, match=r"datum=.*--area"):
        build(files, area="streets", population=Source.parse(str(files / "far.gpkg")))


def test_no_facilities_is_worth_a_warning(files):
    found = codes(build(files, facilities=[]))
    assert {(code, one.severity) for code, one in found.items()} == {("empty", "warning")}


def test_facilities_of_several_files_are_numbered_through(files):
    (files / "stops.csv").write_text("name,lon,lat\n甲,120.15,30.27\n乙,120.151,30.27\n")
    stops = Source.parse(f"{files / 'stops.csv'},service=home_care_centre,stands_for=bus stops")
    built = build(files, facilities=[stops, stops, Source.parse(str(files / "sites.csv"))])
    ids = built.city.facilities["id"].tolist()
    assert ids[:4] == [f"home_care_centre-0000{number}" for number in range(1, 5)]
    assert ids[4:6] == ["M1", "M2"]
    assert built.city.labels() == ["stand_in"]
    assert any("bus stops" in note for note in built.city.provenance["facilities"].notes)


def test_an_unknown_service_is_an_error_among_the_findings(files):
    found = codes(build(files, services=SERVICES[:2]))
    assert found["service_unknown"].severity == "error"
    assert found["service_unknown"].rows == ("C1", "C2")


BAD_ROWS = [
    ("streets", {"length": 0.0}, "value_not_positive"),
    ("streets", {"length": None}, "value_missing"),
    ("streets", {"u": None}, "value_missing"),
    ("streets", {"geometry": None}, "geometry_kind"),
    ("population", {"women": -1}, "value_negative"),
    ("population", {"residents": None}, "value_missing"),
    ("units", {"code": "330191"}, "value_duplicated"),
    ("units", {"parent": "999999"}, "parent_unknown"),
    (
        "units",
        {"geometry": shapely.Polygon([(120, 30), (121, 31), (121, 30), (120, 31)])},
        "geometry_invalid",
    ),
]


@pytest.mark.parametrize(("key", "change", "code"), BAD_ROWS)
def test_bad_rows_in_files_stop_the_work_and_are_named(files, tiny_city, key, change, code):
    layer = tiny_city.layers()[key].copy()
    for column, value in change.items():
        cells = layer[column].tolist()
        cells[3] = value
        layer[column] = gpd.GeoSeries(cells, crs=4326) if column == "geometry" else cells
    name = {"streets": "streets.gpkg", "population": "people.gpkg", "units": "units.gpkg"}[key]
    (files / name).unlink(missing_ok=True)
    layer.to_file(files / name)
    change = {} if key != "units" else {"units": [Source.parse(str(files / name))]}
    for lang in ("zh", "en"):
        with speaking(lang), pytest.raises(LayerError) as caught:
            build(files, **change, area="streets" if key == "population" else "")
        told = {one.code: one for one in caught.value.findings}
        assert told[code].layer == key
        assert len(told[code].rows) in {1, 2}


def test_people_and_places_that_cannot_be_placed_are_kept_and_counted(files, tiny_city):
    people = tiny_city.population.copy()
    people.geometry = [None, *people.geometry[1:]]
    people.to_file(files / "people.gpkg")
    sites = (files / "sites.csv").read_text(encoding="utf-8").splitlines()
    sites.append(sites[1].replace("M1", "M9").rsplit(",", 2)[0] + ",,")
    sites.append(sites[1].replace("M1", "M10").rsplit(",", 2)[0] + ",108.3,22.8")
    (files / "sites.csv").write_text("\n".join(sites), encoding="utf-8")
    built = build(files)
    assert len(built.city.population) == len(people) - 1
    assert built.city.facilities["id"].tolist() == tiny_city.facilities["id"].tolist()
    found = codes(built)
    assert found["row_no_geometry"].rows == (1,)
    assert found["row_no_geometry"].layer == "population"
    assert dict(found["people_in_rejected"].values)["people"] == people["residents"].iloc[0]
    assert found["row_missing"].rows == (len(sites) - 1,)
    assert found["row_far"].rows == (len(sites),)
    assert [(one.path.name, len(one)) for one in built.rejected] == [
        ("people.gpkg", 1),
        ("sites.csv", 2),
    ]
    notes = built.city.provenance["facilities"].notes
    assert any("没有坐标" in note and "no coordinates" in note for note in notes)


def test_streets_without_reference_system(files, tiny_city):
    bare = tiny_city.streets.set_crs(None, allow_override=True)
    bare.to_parquet(files / "bare.parquet")
    for lang in ("zh", "en"):
        with speaking(lang), pytest.raises(PlannerError, match=r"bare\.parquet.*crs=EPSG"):
            build(files, streets=Source.parse(str(files / "bare.parquet")))
    built = build(files, streets=Source.parse(f"{files / 'bare.parquet'},crs=EPSG:4326"))
    assert built.findings == ()


def test_nodes_beside_streets_are_held_against_them(files, tiny_city):
    ids = sorted(set(tiny_city.streets["u"]) | set(tiny_city.streets["v"]))
    points = gpd.GeoDataFrame(
        {"osm_id": ids[1:]}, geometry=[shapely.Point(120, 30)] * (len(ids) - 1), crs=4326
    )
    points.to_file(files / "streets.gpkg", layer="nodes")
    with pytest.raises(LayerError, match="0"):
        build(files)


def test_people_in_a_table_of_text(files, tiny_city):
    people = pd.DataFrame(tiny_city.population.drop(columns="geometry"))
    people = people.assign(lon=tiny_city.population.geometry.x, lat=tiny_city.population.geometry.y)
    people.to_csv(files / "people.csv", index=False)
    built = build(files, population=Source.parse(str(files / "people.csv")))
    assert built.city.population["residents"].sum() == 2860
    people.astype("object").assign(women="many").to_csv(files / "people.csv", index=False)
    with pytest.raises(SourceError, match="women"):
        build(files, population=Source.parse(str(files / "people.csv")))


# --- the real one -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def core_at():
    return {}


@pytest.fixture
def core(shared, core_at):
    """Hangzhou core, built once."""
    if not core_at:
        grid = shared("hangzhou", "hangzhou_poi_count_grid500m_23cat_2015.csv")
        stations = shared("hangzhou", "hangzhou_metro_stations_2017_wgs84.csv")
        core_at["built"] = build_city(
            name="杭州核心区",
            name_en="Hangzhou core",
            streets=Source.parse(str(shared("hangzhou", "hangzhou_core_osm_drive_network.gpkg"))),
            units=[
                Source.parse(str(shared("hangzhou", "hangzhou_13districts_2021_wgs84.geojson")))
            ],
            population=Source.parse(f"{grid},weight=房地产,datum=bd09"),
            facilities=[
                Source.parse(
                    f"{stations},service=mother_baby_room,unique=station,stands_for=metro"
                ),
                Source.parse(
                    f"{grid},datum=bd09,service=fitness_circle,column=运动健身,stands_for=x"
                ),
            ],
            services=("mother_baby_room", "fitness_circle"),
        )
    return core_at["built"]


def test_hangzhou_core_is_sound(core, tmp_path):
    assert not [one for one in core.findings if one.severity == "error"]
    assert core.city.crs.to_epsg() == 4549
    assert core.city.labels() == ["stand_in"]
    assert len(core.city.units) == 14
    again = City.open(core.city.save(tmp_path / "core").path)
    assert again.describe()["residents"] == core.city.describe()["residents"]


def test_hangzhou_core_s_people_are_the_census_by_district(core):
    home = units.assign(core.city.population.geometry, core.city.units)["district"]
    found = core.city.population.drop(columns="geometry").groupby(home).sum()
    wanted = census.groups_of(census.atoms())
    pd.testing.assert_frame_equal(
        found, wanted.loc[found.index, found.columns], check_names=False, check_dtype=False
    )
    missing = set(wanted.index) - set(found.index)
    unspread = [one for one in core.findings if one.code == "people_unspread"]
    assert missing == {code for one in unspread for code in one.rows}


def test_hangzhou_core_says_what_was_done(core):
    found = {one.code for one in core.findings}
    assert {"people_squeezed", "rows_repeated"} <= found
    for one in core.findings:
        for lang in ("zh", "en"):
            with speaking(lang):
                assert str(one)
    assert np.isfinite(core.city.population["residents"]).all()


@pytest.fixture
def osm_streets(files, tiny_city):
    """The tiny city's streets as a file of OpenStreetMap, and one far to the east."""
    lines = ['<osm version="0.6">']
    rows = [*tiny_city.streets.itertuples()]
    ends = {}
    for row in rows:
        ends[row.u + 1], ends[row.v + 1] = row.geometry.coords[0], row.geometry.coords[-1]
    ends[900], ends[901] = (121.5, 30.2), (121.6, 30.2)
    lines += [f'<node id="{ref}" lon="{x}" lat="{y}"/>' for ref, (x, y) in ends.items()]
    pairs = [(row.u + 1, row.v + 1) for row in rows] + [(900, 901)]
    for number, (u, v) in enumerate(pairs, 1):
        lines.append(f'<way id="{number}"><nd ref="{u}"/><nd ref="{v}"/>')
        lines.append('<tag k="highway" v="residential"/></way>')
    path = files / "streets.osm"
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
    return path


def test_streets_out_of_openstreetmap(files, osm_streets, tiny_city):
    built = build(files, streets=Source.parse(str(osm_streets)))
    whole = tiny_city.streets.geometry.drop_duplicates()
    assert built.city.streets["length"].sum() > geodesic_length(whole).sum()
    origin = built.city.provenance["streets"]
    assert origin.source == "streets.osm; OpenStreetMap contributors"
    assert origin.licence.startswith("ODbL")


def test_streets_near_the_area_are_kept_beyond_it(files, osm_streets, tiny_city):
    west, south, east, north = tiny_city.units.total_bounds
    area = f"{west},{south},{(west + east) / 2},{north}"
    built = build(files, streets=Source.parse(str(osm_streets)), area=area)
    assert "1" in codes(built)["osm_ways_outside"].message
    assert built.city.streets.total_bounds[2] > (west + east) / 2
    assert any("3,000 m" in note for note in built.city.provenance["streets"].notes)
    narrow = build(files, streets=Source.parse(f"{osm_streets},margin=10"), area=area)
    assert len(narrow.city.streets) < len(built.city.streets)


def test_a_table_of_tags_of_ones_own(files, osm_streets):
    table = data_path("osm.toml").read_text(encoding="utf-8")
    slow = table.replace("drive = true, kmh = 25", "drive = true, kmh = 12")
    (files / "mine.toml").write_text(slow, encoding="utf-8")
    built = build(files, streets=Source.parse(f"{osm_streets},tags={files / 'mine.toml'}"))
    assert set(built.city.streets["speed_kmh"]) == {12}


@pytest.mark.parametrize("option", ["layer=edges", "margin=wide", "margin=-1", "tags=nowhere.toml"])
def test_options_that_openstreetmap_does_not_take(files, osm_streets, option):
    with pytest.raises(SourceError):
        build(files, streets=Source.parse(f"{osm_streets},{option}"), area="120,30,121,31")


def test_homes_of_a_file_that_was_cut_squeeze_a_districts_people(files):
    source = files / "world.osm"
    source.write_bytes(World().whole())
    districts().to_file(files / "districts.geojson")
    given = {"streets": Source.parse(str(source)), "facilities": []}
    built = build(
        files,
        **given,
        units=[Source.parse(str(files / "districts.geojson"))],
        population=Source.parse(str(source)),
    )
    found = codes(built)
    homes = units.assign(built.city.population.geometry, built.city.units)["district"]
    assert set(found["people_squeezed"].rows) == set(homes)
    # The file's own units lie within its homes.
    whole = Source.parse(str(source))
    built = build(files, **given, units=[whole], population=whole)
    assert "people_squeezed" not in codes(built)
