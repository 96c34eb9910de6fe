"""Cities in a real PostGIS database."""
# ruff: noqa: S608 - the statements are the tests' own

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

from layers import City, embedded
from layers.city_tables import checksum
from layers.errors import CityDamagedError, CityError, CityMissingError, InputError
from layers.messages import speaking


@pytest.fixture(scope="module")
def database(postgres):
    return postgres.database()


@pytest.fixture
def address(postgres, database, request):
    schema = f"s{abs(hash(request.node.nodeid))}"
    return postgres.address(database, schema=schema)


def schema_of(address):
    return address.rpartition("=")[2]


def assert_same(one, other):
    assert (one.name, one.name_en, one.crs) == (other.name, other.name_en, other.crs)
    assert one.layers().keys() == other.layers().keys()
    for key, layer in one.layers().items():
        assert_geodataframe_equal(layer, other.layers()[key])
    for key, entry in one.provenance.items():
        assert replace(entry, checksum="", rows=0) == replace(
            other.provenance[key], checksum="", rows=0
        )


def test_a_city_comes_back_as_it_was(tiny_city, address):
    saved = tiny_city.save(address)
    opened = City.open(address)
    assert_same(opened, tiny_city)
    assert opened.provenance == saved.provenance
    assert opened.path is None


def test_the_embedded_city_comes_back_and_into_a_folder(address, tmp_path):
    city = embedded("small")
    city.save(address)
    from_tables = City.open(address)
    assert_same(from_tables, city)
    from_tables.save(tmp_path / "city")
    assert_same(City.open(tmp_path / "city"), city)


def test_labels_of_rows_and_missing_values_come_back(tiny_city, address):
    people = tiny_city.population.set_axis([f"r{n}" for n in range(len(tiny_city.population))])
    streets = tiny_city.streets.iloc[::-1]
    changed = replace(tiny_city, population=people, streets=streets)
    changed.save(address)
    assert_same(City.open(address), changed)


def test_tables_are_as_a_gis_wants_them(tiny_city, postgres, database, address):
    tiny_city.save(address)
    schema = schema_of(address)
    tiny_city.save(address)  # replaced: names of indexes must not wander
    rows = postgres.run(
        database,
        "SELECT f_table_name, type, srid FROM geometry_columns"
        f" WHERE f_table_schema = '{schema}' ORDER BY 1",
    )
    assert rows == [
        ("facilities", "POINT", 4326),
        ("population", "POINT", 4326),
        ("streets", "LINESTRING", 4326),
        ("units", "POLYGON", 4326),
    ]
    made = postgres.run(
        database,
        f"SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = '{schema}' ORDER BY 1",
    )
    assert [name for name, _ in made][:2] == ["facilities_geometry", "facilities_row"]
    assert all("USING gist" in how for name, how in made if name.endswith("_geometry"))
    ((area,),) = postgres.run(
        database,
        f"SELECT sum(ST_Length(geometry::geography)) FROM {schema}.streets WHERE name = '天桥'",
    )
    assert area == pytest.approx(2000, rel=1e-3)


def test_an_earlier_city_is_replaced_with_all_its_layers(tiny_city, postgres, database, address):
    pond = gpd.GeoDataFrame(
        {"name": ["湖"]}, geometry=[shapely.box(120.15, 30.27, 120.151, 30.271)], crs=4326
    )
    wet = City.of(
        name="小城", streets=tiny_city.streets, units=tiny_city.units, water=pond,
        population=tiny_city.population, facilities=tiny_city.facilities,
    )  # fmt: skip
    wet.save(address)
    assert City.open(address).water is not None
    tiny_city.save(address)
    assert City.open(address).water is None
    tables = postgres.run(
        database,
        f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema_of(address)}' ORDER BY 1",
    )
    assert [name for (name,) in tables] == ["city", "facilities", "population", "streets", "units"]


def test_what_was_changed_by_hand_is_noticed(tiny_city, postgres, database, address):
    schema = schema_of(address)
    for change in (
        "UPDATE {}.population SET residents = residents + 1 WHERE row = 3",
        "DELETE FROM {}.facilities WHERE row = 1",
        "UPDATE {}.streets SET geometry = ST_Reverse(geometry) WHERE row = 0",
        "ALTER TABLE {}.units DROP COLUMN geometry",
        "UPDATE {}.city SET head = '{{}}'",
        "DELETE FROM {}.city",
    ):
        tiny_city.save(address)
        postgres.run(database, change.format(schema))
        with pytest.raises(CityDamagedError, match=schema):
            City.open(address)
    tiny_city.save(address)
    postgres.run(database, f"DROP TABLE {schema}.units")
    with pytest.raises(CityMissingError, match="units"):
        City.open(address)


def test_another_table_is_not_overwritten(tiny_city, postgres, database, address):
    schema = schema_of(address)
    postgres.run(
        database,
        f"CREATE SCHEMA {schema} AUTHORIZATION planner",
        f"CREATE TABLE {schema}.streets (note text)",
        f"INSERT INTO {schema}.streets VALUES ('keep')",
    )
    with pytest.raises(InputError, match="streets"):
        tiny_city.save(address)
    assert postgres.run(database, f"SELECT * FROM {schema}.streets") == [("keep",)]


def test_a_view_on_a_layer_is_named_rather_than_dropped(tiny_city, postgres, database, address):
    schema = schema_of(address)
    tiny_city.save(address)
    postgres.run(database, f"CREATE VIEW {schema}.roads AS SELECT name FROM {schema}.streets")
    with pytest.raises(InputError, match="roads"):
        tiny_city.save(address)
    assert_same(City.open(address), tiny_city)


_SAVE = """
import os, signal, sys
from dataclasses import replace
from layers import City, city_tables

folder, address, moment = sys.argv[1:]
write, swap = city_tables.write_table, city_tables._swap

def dying_write(made, schema, table, layer):
    if moment == table:
        os.kill(os.getpid(), signal.SIGKILL)
    write(made, schema, table, layer)

def dying_swap(*given, **more):
    swap(*given, **more)
    os.kill(os.getpid(), signal.SIGKILL)

city_tables.write_table, city_tables._swap = dying_write, dying_swap
replace(City.open(folder), name="新城").save(address)
"""


@pytest.mark.parametrize("moment", ["streets__new", "population__new", "swap"])
def test_a_save_that_is_killed_leaves_the_old_city(
    tiny_city, postgres, database, address, tmp_path, moment
):
    tiny_city.save(tmp_path / "city")
    tiny_city.save(address)
    done = subprocess.run(
        [sys.executable, "-c", _SAVE, str(tmp_path / "city"), address, moment],
        check=False, capture_output=True, timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert_same(City.open(address), tiny_city)
    # Neither a lock nor a table is left behind.
    replace(tiny_city, name="再城").save(address)
    assert City.open(address).name == "再城"
    left = postgres.run(
        database,
        f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema_of(address)}'"
        " AND tablename LIKE '%new%'",
    )
    assert left == []


def test_a_reader_sees_one_city_while_another_is_written(tiny_city, address):
    fewer = replace(
        tiny_city, name="少城", population=tiny_city.population.iloc[:5].copy(),
        facilities=tiny_city.facilities.iloc[:2].copy(),
    )  # fmt: skip
    cities = {"小城": tiny_city, "少城": fewer}
    tiny_city.save(address)
    stop, wrong = threading.Event(), []

    def write():
        try:
            while not stop.is_set():
                for city in (fewer, tiny_city):
                    city.save(address)
        except CityError as fault:
            wrong.append(fault)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = set()
        for _ in range(12):
            city = City.open(address)
            seen.add(city.name)
            assert len(city.population) == len(cities[city.name].population)
            assert len(city.facilities) == len(cities[city.name].facilities)
    finally:
        stop.set()
        writer.join()
    assert not wrong
    assert seen <= set(cities)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wr0ng-word"}, "password authentication failed"),
        ({"user": "nobody"}, "nobody"),
        ({"database": "nowhere"}, '"nowhere" does not exist'),
    ],
)
def test_why_a_connection_fails_is_told_without_the_password(
    postgres, database, tiny_city, change, words
):
    address = postgres.address(**{"database": database, **change})
    with speaking("en"), pytest.raises(CityError, match=words) as told:
        City.open(address)
    with speaking("en"), pytest.raises(CityError, match="Check host"):
        tiny_city.save(address)
    for secret in ("wr0ng-word", postgres.password):
        assert secret not in str(told.value)
        assert secret not in repr(told.value)


def test_no_server_no_postgis_no_schema(postgres, database, tiny_city):
    with speaking("en"):
        with pytest.raises(CityError, match=r"Cannot connect to postgresql://a@127\.0\.0\.1:1/b"):
            City.open("postgresql://a:pass@127.0.0.1:1/b")
        bare = postgres.address(postgres.database(postgis=False))
        with pytest.raises(CityError, match="CREATE EXTENSION postgis"):
            tiny_city.save(bare)
        with pytest.raises(CityError, match="CREATE EXTENSION postgis"):
            City.open(bare)
        with pytest.raises(CityMissingError, match=r"no city in .*schema=none_such"):
            City.open(postgres.address(database, schema="none_such"))


def test_a_user_without_rights_is_told(postgres, database, tiny_city):
    postgres.run(database, "CREATE SCHEMA closed")
    with speaking("en"), pytest.raises(CityError, match="permission denied"):
        tiny_city.save(postgres.address(database, schema="closed"))


def test_a_password_may_come_from_the_environment(postgres, tiny_city, address, monkeypatch):
    tiny_city.save(address)
    monkeypatch.setenv("PGPASSWORD", postgres.password)
    assert_same(City.open(address.replace(f":{postgres.password}", "")), tiny_city)


def test_postgis_may_live_in_a_schema_of_its_own(postgres, tiny_city):
    name = postgres.database(postgis=False)
    postgres.run(
        name,
        "CREATE SCHEMA gis",
        "GRANT USAGE ON SCHEMA gis TO planner",
        "CREATE EXTENSION postgis SCHEMA gis",
    )
    where = postgres.address(name, schema="Städte 1".replace(" ", "%20"))
    tiny_city.save(where)
    assert_same(City.open(where), tiny_city)


def test_the_checksum_holds_every_value(tiny_city):
    people = tiny_city.population
    sums = {checksum(people), checksum(people.iloc[::-1]), checksum(people.iloc[1:])}
    sums.add(checksum(people.assign(women=people["women"] + 1)))
    sums.add(checksum(people.set_geometry(people.geometry.translate(1e-12))))
    sites = tiny_city.facilities
    sums.add(checksum(sites))
    sums.add(checksum(sites.assign(opened=sites["opened"].fillna(0))))
    names = sites["name"].tolist()
    sums.add(checksum(sites.assign(name=[names[0] + names[1], "", *names[2:]])))
    assert len(sums) == 8
    assert checksum(people.astype({"women": "Int64"})) == checksum(people)
    assert checksum(pd.concat([sites])) == checksum(sites)
