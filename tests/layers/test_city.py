import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
import tomli_w

from layers import City, Provenance
from layers import city as city_module
from layers import folder as folder_module
from layers.errors import (
    CityDamagedError,
    CityError,
    CityMissingError,
    CrsError,
    InputError,
    LayerError,
    PlannerError,
)
from layers.messages import speaking

LAYERS = ("streets", "units", "population", "facilities")
SERVICES = ("mother_baby_room", "home_care_centre", "menopause_clinic")


@pytest.fixture
def saved(tiny_city, tmp_path):
    return tiny_city.save(tmp_path / "小城")


def same(one, other):
    for key in one.layers():
        a, b = (pd.DataFrame(city.layers()[key]) for city in (one, other))
        pd.testing.assert_frame_equal(a.drop(columns="geometry"), b.drop(columns="geometry"))
        assert (one.layers()[key].geometry == other.layers()[key].geometry).all()
        assert one.layers()[key].crs == other.layers()[key].crs
    return set(one.layers()) == set(other.layers())


def remade(city, **changes):
    """The city built anew with layers changed."""
    given = {**city.layers(), "name": city.name, "crs": city.crs, **changes}
    return City.of(**given)


def refused(make, error, *words):
    """The error in each language, which must name the words and be no bare traceback."""
    for lang in ("zh", "en"):
        with speaking(lang), pytest.raises(error) as caught:
            make()
        assert isinstance(caught.value, PlannerError)
        for word in words:
            assert word in str(caught.value)
    return caught.value


# --- saving and opening -------------------------------------------------------------------


def test_there_and_back(tiny_city, saved):
    again = City.open(saved.path)
    assert same(again, tiny_city)
    assert (again.name, again.name_en, again.crs) == ("小城", "Tiny city", tiny_city.crs)
    assert again.provenance == saved.provenance
    assert again.path == saved.path
    assert again.describe() == saved.describe()
    assert repr(again) == repr(tiny_city)


def test_a_saved_city_tells_its_rows_and_checksums(saved):
    table = tomllib.loads((saved.path / "city.toml").read_text(encoding="utf-8"))
    assert table["crs"] == "EPSG:4549"
    for key in LAYERS:
        entry = table["layers"][key]
        assert entry["rows"] == len(saved.layers()[key])
        assert len(entry["checksum"]) == 64
        assert entry["source"] == "made by hand"
    assert sorted(path.name for path in saved.path.iterdir()) == sorted(
        ["city.toml", *(f"{key}.parquet" for key in LAYERS)]
    )


def test_provenance_and_labels_survive(tiny_city, tmp_path):
    stated = {
        **tiny_city.provenance,
        "streets": Provenance(source="a", licence="b", date="c", modelled=True, notes=("d", "e")),
        "facilities": Provenance(source="f", stand_in=True),
    }
    again = City.open(replace(tiny_city, provenance=stated).save(tmp_path / "city").path)
    assert again.labels() == ["modelled", "stand_in"]
    assert again.provenance["streets"].notes == ("d", "e")
    assert again.describe()["layers"]["facilities"]["stand_in"] is True
    assert repr(again).endswith("modelled, stand_in>")


def test_water_is_optional(tiny_city, tmp_path):
    water = gpd.GeoDataFrame(
        {"name": ["湖"]}, geometry=[shapely.box(120.1, 30.2, 120.2, 30.3)], crs=4326
    )
    wet = remade(tiny_city, water=water)
    folder = tmp_path / "city"
    assert City.open(wet.save(folder).path).water["name"].tolist() == ["湖"]
    assert City.open(tiny_city.save(folder).path).water is None
    assert not (folder / "water.parquet").exists()


def test_an_index_survives(tiny_city, tmp_path):
    named = tiny_city.streets.set_axis([f"s{row}" for row in range(len(tiny_city.streets))])
    again = City.open(remade(tiny_city, streets=named).save(tmp_path / "city").path)
    assert again.streets.index.tolist() == named.index.tolist()


def test_saving_replaces_a_city_and_leaves_nothing_beside(saved, tiny_city):
    fewer = remade(tiny_city, population=tiny_city.population.iloc[:3])
    fewer.save(saved.path)
    assert len(City.open(saved.path).population) == 3
    assert [path.name for path in saved.path.parent.iterdir()] == [saved.path.name]


def test_saving_into_an_empty_folder_and_below_new_ones(tiny_city, tmp_path):
    (tmp_path / "empty").mkdir()
    tiny_city.save(tmp_path / "empty")
    tiny_city.save(tmp_path / "a" / "b")
    assert same(City.open(tmp_path / "empty"), City.open(tmp_path / "a" / "b"))


def test_saving_by_a_relative_path(tiny_city, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tiny_city.save("city").path == Path("city")
    assert same(City.open("city"), tiny_city)


@pytest.mark.parametrize("kind", ["file", "folder", "city_with_more"])
def test_saving_over_something_else_is_refused(kind, tiny_city, tmp_path):
    target = tmp_path / "mine"
    if kind == "file":
        target.write_text("dear diary")
    elif kind == "folder":
        target.mkdir()
        (target / "diary.txt").write_text("dear diary")
    else:
        tiny_city.save(target)
        (target / "diary.txt").write_text("dear diary")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    refused(lambda: tiny_city.save(target), InputError, str(target))
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_disk_that_refuses(tiny_city, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    refused(lambda: tiny_city.save(tmp_path / "file" / "city"), CityError, "file")
    kept = tiny_city.save(tmp_path / "city")

    def full(_path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module, "_flush", full)
    refused(lambda: tiny_city.save(kept.path), CityError, "No space left")
    assert same(City.open(kept.path), tiny_city)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["city", "file"]


# --- damage -------------------------------------------------------------------------------


def test_no_folder(tmp_path):
    error = refused(lambda: City.open(tmp_path / "nowhere"), CityMissingError, "nowhere")
    assert isinstance(error, FileNotFoundError)
    (tmp_path / "file").write_text("")
    refused(lambda: City.open(tmp_path / "file"), CityMissingError, "file")


@pytest.mark.parametrize("file", ["city.toml", *(f"{key}.parquet" for key in LAYERS)])
def test_a_file_is_missing(saved, file):
    (saved.path / file).unlink()
    refused(lambda: City.open(saved.path), CityMissingError, file)


@pytest.mark.parametrize("key", LAYERS)
@pytest.mark.parametrize("damage", ["truncated", "empty", "changed", "other"])
def test_a_file_is_damaged(saved, key, damage):
    path = saved.path / f"{key}.parquet"
    content = path.read_bytes()
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    path.write_bytes(
        {
            "truncated": content[:-100],
            "empty": b"",
            "changed": bytes(changed),
            "other": b"PAR1 but no parquet",
        }[damage]
    )
    for check in (True, False):
        refused(lambda check=check: City.open(saved.path, check=check), CityDamagedError, path.name)


def rewrite(folder, change):
    path = folder / "city.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    change(table)
    path.write_text(tomli_w.dumps(table), encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.pop("name"),
        lambda table: table.pop("crs"),
        lambda table: table.update(crs="EPSG:nonsense"),
        lambda table: table.update(crs="EPSG:4326"),
        lambda table: table.update(format=2),
        lambda table: table.pop("format"),
        lambda table: table.pop("layers"),
        lambda table: table.update(layers=[1]),
        lambda table: table["layers"].pop("units"),
        lambda table: table["layers"].update(moon=table["layers"]["units"]),
        lambda table: table["layers"].update(units="gone"),
        lambda table: table["layers"]["units"].update(colour="red"),
        lambda table: table["layers"]["units"].pop("source"),
        lambda table: table["layers"]["units"].update(notes=3),
    ],
)
def test_the_table_says_something_wrong(saved, change):
    rewrite(saved.path, change)
    refused(lambda: City.open(saved.path), CityDamagedError, "city.toml")


@pytest.mark.parametrize("content", [b"", b"name = ", b"\xff\xfe", b"[layers"])
def test_the_table_is_broken(saved, content):
    (saved.path / "city.toml").write_bytes(content)
    refused(lambda: City.open(saved.path), CityDamagedError, "city.toml")


def test_the_table_is_cut_anywhere(saved):
    path = saved.path / "city.toml"
    content = path.read_bytes()
    for length in range(0, len(content) - 1, 97):
        path.write_bytes(content[:length])
        with pytest.raises(CityError):
            City.open(saved.path)


def test_checksum_changed_along_with_a_file_that_is_none(saved):
    path = saved.path / "units.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    digest = city_module._checksum(path.read_bytes())
    rewrite(saved.path, lambda table: table["layers"]["units"].update(checksum=digest))
    refused(lambda: City.open(saved.path), CityDamagedError, "units.parquet")


def test_a_folder_in_the_place_of_a_file(saved):
    (saved.path / "units.parquet").unlink()
    (saved.path / "units.parquet").mkdir()
    refused(lambda: City.open(saved.path), CityError, "units.parquet")


def test_bad_rows_saved_by_another_hand_are_refused_or_shown(saved):
    path = saved.path / "population.parquet"
    people = saved.population.copy()
    people.loc[3, "women"] = -1
    people.to_parquet(path)
    digest = city_module._checksum(path.read_bytes())
    rewrite(saved.path, lambda table: table["layers"]["population"].update(checksum=digest))
    refused(lambda: City.open(saved.path), LayerError, "women", "-1", "3")
    city = City.open(saved.path, check=False)
    (one,) = city.findings(services=SERVICES)
    assert (one.layer, one.code, one.rows) == ("population", "value_negative", (3,))


# --- stopped and concurrent saves ---------------------------------------------------------


def test_a_save_stopped_between_its_two_moves(saved, tiny_city):
    previous = saved.path.with_name(f".{saved.path.name}.previous")
    half = saved.path.with_name(f".{saved.path.name}.new-abc")
    saved.path.rename(previous)
    half.mkdir()
    (half / "streets.parquet").write_bytes(b"half")
    assert same(City.open(saved.path), tiny_city)
    assert not saved.path.exists()  # reading moves nothing
    tiny_city.save(saved.path)
    assert [path.name for path in saved.path.parent.iterdir()] == [saved.path.name]
    assert same(City.open(saved.path), tiny_city)


def test_leftovers_of_a_stopped_save_go_with_the_next(saved, tiny_city):
    beside = saved.path.parent
    for name in (f".{saved.path.name}.new-1", f".{saved.path.name}.previous", ".other.new-1"):
        (beside / name).mkdir()
        (beside / name / "streets.parquet").write_bytes(b"half")
    assert same(City.open(saved.path), tiny_city)
    tiny_city.save(saved.path)
    assert sorted(path.name for path in beside.iterdir()) == [".other.new-1", saved.path.name]


_SAVER = """
import sys, time
from pathlib import Path
from layers import City
folder, first, second, ready = map(Path, sys.argv[1:])
cities = [City.open(first), City.open(second)]
ready.touch()
for turn in range(10_000):
    cities[turn % 2].save(folder)
"""


def saver(*paths):
    root = Path(city_module.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root), "PLANNER_LANG": "zh"}
    words = [sys.executable, "-c", _SAVER, *map(str, paths)]
    return subprocess.Popen(words, env=environment, cwd=root)


def until(there, process):
    for _ in range(1200):
        if there.exists():
            return
        assert process.poll() is None
        time.sleep(0.05)
    pytest.fail("the saver did not start")


@pytest.fixture
def old_and_new(tiny_city, tmp_path):
    old = tiny_city.save(tmp_path / "old")
    new = remade(tiny_city, population=tiny_city.population.iloc[:5]).save(tmp_path / "new")
    return old, new


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a word of POSIX")
def test_killed_at_any_moment_the_old_or_the_new_city_stands(old_and_new, tmp_path):
    folder = tmp_path / "there" / "city"
    old, new = old_and_new
    old.save(folder)
    chance = random.Random(7)  # noqa: S311 - any moment will do
    for kill in range(15):
        ready = tmp_path / f"ready{kill}"
        process = saver(folder, old.path, new.path, ready)
        try:
            until(ready, process)
            time.sleep(chance.uniform(0.0, 0.12))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        found = City.open(folder)
        assert same(found, old if len(found.population) == len(old.population) else new)
    old.save(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["city"]


@pytest.mark.skipif(sys.platform == "win32", reason="nothing there keeps two saves apart")
def test_readers_and_two_savers_at_once(old_and_new, tmp_path):
    folder = tmp_path / "there" / "city"
    old, new = old_and_new
    old.save(folder)
    processes = [saver(folder, old.path, new.path, tmp_path / f"ready{n}") for n in range(2)]
    try:
        for number, process in enumerate(processes):
            until(tmp_path / f"ready{number}", process)
        seen = {len(City.open(folder).population) for _ in range(12)}
        assert all(process.poll() is None for process in processes)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert seen <= {len(old.population), len(new.population)}


# --- making -------------------------------------------------------------------------------


def test_layers_in_any_reference_system(tiny_city):
    moved = {key: layer.to_crs(4549) for key, layer in tiny_city.layers().items()}
    city = remade(tiny_city, **moved, crs=None)
    assert city.crs.to_epsg() == 4549
    for layer in city.layers().values():
        assert layer.crs.to_epsg() == 4326
    assert city.units.geometry.geom_equals_exact(tiny_city.units.geometry, 1e-9).all()


@pytest.mark.parametrize("key", LAYERS)
def test_a_layer_without_reference_system_is_named(tiny_city, key):
    bare = tiny_city.layers()[key].set_crs(None, allow_override=True)
    refused(lambda: remade(tiny_city, **{key: bare}), CrsError, "EPSG:4326")
    with speaking("en"), pytest.raises(CrsError, match=key):
        remade(tiny_city, **{key: bare})
    with pytest.raises(CrsError):
        remade(tiny_city, **{key: pd.DataFrame(bare)})


def test_a_reference_system_that_does_not_measure(tiny_city):
    refused(lambda: remade(tiny_city, crs=4326), CrsError, "EPSG:4326")
    refused(lambda: remade(tiny_city, crs="nonsense"), CrsError, "nonsense")


def test_every_layer_s_faults_are_told_at_once(tiny_city):
    bad = {
        "streets": tiny_city.streets.assign(length=0.0),
        "population": tiny_city.population.assign(women=None),
        "units": tiny_city.units.assign(code="same"),
    }
    with pytest.raises(LayerError) as caught:
        remade(tiny_city, **bad)
    assert {one.layer for one in caught.value.findings} == set(bad)
    assert len(str(caught.value).splitlines()) == len(caught.value.findings)


@pytest.mark.parametrize("key", LAYERS)
def test_an_empty_layer(tiny_city, key):
    def make():
        return remade(tiny_city, **{key: tiny_city.layers()[key].iloc[:0]})

    if key == "facilities":
        assert make().findings()[0].code == "empty"
    else:
        refused(make, LayerError)


# --- findings -----------------------------------------------------------------------------


def test_the_tiny_city_is_in_order(tiny_city):
    assert tiny_city.findings(services=SERVICES) == []


def test_what_lies_outside_every_unit_is_told(tiny_city):
    far = shapely.Point(121, 31)
    people, sites = tiny_city.population.copy(), tiny_city.facilities.copy()
    people.loc[[0, 1], "geometry"] = far
    sites.loc[2, "geometry"] = far
    found = {
        one.code: one for one in remade(tiny_city, population=people, facilities=sites).findings()
    }
    assert found["people_outside"].rows == (0, 1)
    assert "210" in found["people_outside"].message
    assert found["facility_outside"].rows == ("H1",)
    assert {one.severity for one in found.values()} == {"warning"}


def test_unknown_services_stop_and_come_first(tiny_city):
    people = tiny_city.population.copy()
    people.loc[0, "geometry"] = shapely.Point(121, 31)
    city = remade(tiny_city, population=people)
    first, second = city.findings(services=SERVICES[:2])
    assert (first.code, first.severity) == ("service_unknown", "error")
    assert first.rows == ("C1", "C2")
    assert second.code == "people_outside"


def test_overlapping_units_are_told(tiny_city):
    units = tiny_city.units.copy()
    east = units.index[units["code"] == "330192"][0]
    units.loc[east, "geometry"] = units.geometry[units["code"] == "330191"].iloc[0]
    (one,) = remade(tiny_city, units=units).findings(services=SERVICES)
    assert (one.code, one.rows) == ("units_overlap", ("330191", "330192"))


def test_describe_is_plain(saved):
    told = saved.describe()
    assert told["residents"] == 2860
    assert told["units"] == {"city": 1, "district": 2, "township": 4}
    assert told["street_km"] == pytest.approx(18.1)
    assert set(told["layers"]) == set(LAYERS)


def test_a_folder_moved_away_while_the_city_is_open(saved):
    city = City.open(saved.path)
    shutil.rmtree(saved.path)
    assert city.population["residents"].sum() == 2860
    with pytest.raises(CityMissingError):
        City.open(saved.path)


def test_every_layer_says_where_it_comes_from_and_how_it_was_made(tiny_city, tmp_path):
    stated = {
        **tiny_city.provenance,
        "streets": Provenance(source="a", licence="b", date="c", made="planner 1, datum=bd09"),
    }
    city = City.open(replace(tiny_city, provenance=stated).save(tmp_path / "city").path)
    assert city.provenance["streets"].made == "planner 1, datum=bd09"
    origins = city.origins()
    assert list(origins) == list(city.layers())
    assert origins == city.describe()["layers"]
    wanted = {"source", "licence", "date", "made", "checksum", "rows", "modelled", "stand_in"}
    assert all(wanted <= set(origin) for origin in origins.values())
    silent = replace(tiny_city, provenance={}).origins()
    assert {origin["source"] for origin in silent.values()} == {"not stated"}


def test_a_city_saved_before_layers_said_how_they_were_made_opens(tiny_city, tmp_path):
    path = tiny_city.save(tmp_path / "city").path
    toml = path / "city.toml"
    lines = toml.read_text(encoding="utf-8").splitlines()
    older = [line for line in lines if not line.startswith("made = ")]
    assert len(older) < len(lines)
    toml.write_text("\n".join(older), encoding="utf-8")
    assert City.open(path).provenance["streets"].made == ""
