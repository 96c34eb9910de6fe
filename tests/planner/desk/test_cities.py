"""Cities of a reader's own: which there are, and none but these."""

import pytest

from layers.errors import CityDamagedError, CityMissingError
from planner.desk.cities import Cities
from planner.desk.study import Study
from planner.own import own_folder, placing


@pytest.fixture
def cities(city, tmp_path, monkeypatch):
    monkeypatch.setenv("PLANNER_CITIES", str(tmp_path / "cities"))
    monkeypatch.setenv("PLANNER_STORE", str(tmp_path / "store.sqlite"))
    return Cities(Study(city))


def save(cities, city):
    with placing(cities.folder, city.name) as folder:
        return city.save(folder).path


def test_a_city_is_saved_beside_the_others_and_opened(cities, city):
    assert cities.all() == []
    first, second = save(cities, city), save(cities, city)
    assert [first.name, second.name] == ["小村", "小村-2"]
    assert [(one.key, one.title("en")) for one in cities.all()] == [
        ("小村", "Hamlet"),
        ("小村-2", "Hamlet"),
    ]
    assert cities.study("小村") is None
    study = cities.open("小村")
    assert study.city.path == first
    assert cities.open("小村") is study
    assert cities.study("小村") is study
    # The server answers for one table of tiles.
    assert study.tiles is cities.home.tiles
    assert cities.study("") is cities.home


@pytest.mark.parametrize("key", ["../小村", "/etc", "..", ".", "a/b", "a\0b", "none", "x" * 300])
def test_nothing_else_is_opened(cities, city, key):
    save(cities, city)
    with pytest.raises(CityMissingError):
        cities.open(key)


def test_what_is_no_city_is_passed_over_and_a_damaged_one_refused(cities, city):
    folder = save(cities, city)
    (cities.folder / "other").mkdir()
    (cities.folder / "broken").mkdir()
    (cities.folder / "broken" / "city.toml").write_text("name = [")
    assert [one.key for one in cities.all()] == ["小村"]
    (folder / "facilities.parquet").write_bytes(b"PAR1")
    with pytest.raises(CityDamagedError):
        cities.open("小村")


def test_every_user_has_a_folder(cities, city, monkeypatch):
    save(cities, city)
    theirs = Cities(cities.home, "../李工")
    assert theirs.folder.parent == own_folder()
    assert theirs.all() == []
    with pytest.raises(CityMissingError):
        theirs.open("小村")


def test_few_stay_open(cities, city):
    for _ in range(4):
        save(cities, city)
    keys = [one.key for one in cities.all()]
    for key in keys:
        cities.open(key)
    assert [cities.study(key) is not None for key in keys] == [False, True, True, True]
