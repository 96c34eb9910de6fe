"""Tables of a real PostGIS database as sources."""

import sys

import pytest
from geopandas.testing import assert_geodataframe_equal
from shapely import Point

from layers import City
from layers.database import Address
from layers.errors import CityError, CrsError, SourceError
from layers.messages import speaking
from layers.sources import places
from layers.sources.build import build_city
from layers.sources.postgis import TableSource, parse_source


@pytest.fixture(scope="module")
def database(postgres):
    name = postgres.database()
    postgres.run(
        name,
        "CREATE TABLE clinics (name text, beds numeric, opened integer, open boolean,"
        " seen timestamp, at geometry(Point, 4549))",
        "INSERT INTO clinics VALUES"
        " ('一院', 12.5, 2019, true, '2020-01-02', ST_SetSRID(ST_Point(515000, 3351000), 4549)),"
        " ('二院', NULL, NULL, NULL, NULL, ST_SetSRID(ST_Point(515400, 3351300), 4549))",
        "CREATE TABLE rooms (名称 text, 经度 double precision, 纬度 text)",
        "INSERT INTO rooms VALUES ('甲', 120.15, '30.27'), ('乙', 120.16, '30.28')",
        "CREATE TABLE nothing (at geometry(Point, 4326))",
        "CREATE TABLE adrift (at geometry)",
        "INSERT INTO adrift VALUES (ST_Point(120.15, 30.27))",
        "CREATE TABLE mixed (at geometry)",
        "INSERT INTO mixed VALUES (ST_SetSRID(ST_Point(120, 30), 4326)),"
        " (ST_SetSRID(ST_Point(515000, 3351000), 4549))",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO planner",
    )
    return name


@pytest.fixture
def table(postgres, database):
    def parse(name, options=""):
        return parse_source(postgres.address(database, table=name) + options)

    return parse


def test_a_table_with_geometry(table):
    frame = table("clinics").read_features()
    assert frame.crs.to_epsg() == 4549
    assert frame.geometry.tolist() == [Point(515000, 3351000), Point(515400, 3351300)]
    assert frame["name"].tolist() == ["一院", "二院"]
    assert frame["beds"].iloc[0] == 12.5
    assert frame["beds"].isna().tolist() == [False, True]
    assert (frame["opened"].dtype, frame["opened"].iloc[0]) == ("Int64", 2019)
    assert frame["seen"].tolist() == ["2020-01-02 00:00:00", None]


def test_facilities_out_of_either_kind_of_table(table):
    read = places.read(table("clinics", ",service=menopause_clinic"))
    clinics = read.layer
    assert list(read.findings) == []
    assert clinics["name"].tolist() == ["一院", "二院"]
    assert clinics.crs.to_epsg() == 4326
    rooms = places.read(table("rooms", ",service=mother_baby_room,name=名称")).layer
    assert rooms.geometry.tolist() == [Point(120.15, 30.27), Point(120.16, 30.28)]
    assert rooms["name"].tolist() == ["甲", "乙"]


def test_a_city_built_out_of_tables_alone(tiny_city, postgres):
    name = postgres.database()
    where = postgres.address(name, schema="draft")
    tiny_city.save(where)

    def layer(key):
        return parse_source(f"{where}&table={key}")

    built = build_city(
        name="小城", streets=layer("streets"), units=[layer("units")],
        population=layer("population"), facilities=[layer("facilities")],
    )  # fmt: skip
    assert built.findings == ()
    for key, frame in built.city.layers().items():
        assert_geodataframe_equal(frame, tiny_city.layers()[key])
    assert {entry.source for entry in built.city.provenance.values()} == {
        "streets", "units", "population", "facilities",
    }  # fmt: skip
    again = built.city.save(postgres.address(name, schema="built"))
    assert postgres.password not in repr(again.describe())
    assert City.open(postgres.address(name, schema="built")).provenance == again.provenance


@pytest.mark.parametrize(
    ("name", "fault", "words"),
    [
        ("clinic", SourceError, "no table public.clinic.*clinics, .*rooms"),
        ("nothing", SourceError, "no rows"),
        ("rooms", SourceError, "geometry"),
        ("adrift", CrsError, "adrift"),
        ("mixed", CrsError, "4326, 4549"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(table, name, fault, words):
    with speaking("en"), pytest.raises(fault, match=words):
        table(name).read_features()


def test_a_reference_system_may_be_said(table):
    assert table("adrift", ",crs=4326").read_features().crs.to_epsg() == 4326


def test_without_the_driver_the_remedy_is_told(table, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with speaking("en"), pytest.raises(SourceError, match=r"coverage-planner\[postgis\]"):
        table("clinics").read_features()


def test_an_address_without_a_table(postgres):
    with speaking("en"), pytest.raises(SourceError, match="names no table") as told:
        parse_source(postgres.address("db", schema="x") + ",service=y")
    assert postgres.password not in str(told.value)


def test_addresses():
    full = "postgres://me:p%40ss@db.example:5433/gis%20x?schema=hz&table=t&sslmode=require"
    address = Address.parse(full)
    assert address.settings == {
        "user": "me", "password": "p@ss", "host": "db.example", "port": "5433",
        "dbname": "gis x", "sslmode": "require",
    }  # fmt: skip
    assert str(address) == "postgresql://me@db.example:5433/gis%20x?schema=hz&table=t"
    assert (address.schema, address.table, address.name) == ("hz", "t", "t")
    local = Address.parse("postgresql:///gis?host=/run/postgresql&password=hidden")
    assert local.settings["host"] == "/run/postgresql"
    assert "hidden" not in f"{local} {local!r}"
    assert Address.parse("postgresql://[::1]:5432/gis").settings["host"] == "::1"
    assert local.without_secrets("said hidden word") == "said *** word"


@pytest.mark.parametrize(
    "words",
    [
        "postgresql://me:sec/ret@db/gis",
        "postgresql://me:sec#ret@db/gis",
        "postgresql://me:sec?ret@db/gis",
        "postgresql://me:secret@db:54x2/gis",
        "postgresql://me:secret@db/gis?schema",
        "postgresql://me:[secret@db/gis",
        "postgresql://me:secret@db/gis/more",
    ],
)
def test_an_address_misread_does_not_give_away_its_password(words):
    with pytest.raises(CityError, match="postgresql://") as told:
        parse_source(words)
    assert "sec" not in str(told.value)


def test_a_table_source_shows_no_password(postgres):
    source = TableSource.parse(postgres.address("db", table="t"))
    assert postgres.password not in repr(source)
    assert source.path.name == "t"
