"""Commands over a real PostGIS database."""

import json

import pytest

from layers import City
from planner.cli import main


@pytest.fixture(scope="module")
def address(postgres, tiny_city):
    where = postgres.address(postgres.database(), schema="hangzhou")
    tiny_city.save(where)
    return where


def run(capsys, *words):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_figures_are_the_same_from_a_database_and_a_folder(capsys, address, tiny_city, tmp_path):
    tiny_city.save(tmp_path / "city")
    asked = ("coverage", "--service", "menopause_clinic", "--json", "--city")
    _, from_tables, _ = run(capsys, *asked, address)
    _, from_folder, _ = run(capsys, *asked, tmp_path / "city")
    tables, folder = json.loads(from_tables), json.loads(from_folder)
    for told in (tables, folder):
        for figures in told["services"].values():
            for origin in figures["layers"].values():
                # A table's is taken over its content, a file's over its bytes.
                assert origin.pop("checksum")
    assert tables["services"] == folder["services"]
    assert run(capsys, "check", "--city", address, "--json")[0] == 0


def test_a_city_is_copied_there_and_back(capsys, postgres, address, tiny_city, tmp_path):
    status, out, _ = run(capsys, "copy", "--city", address, "--out", tmp_path / "back")
    assert status == 0
    assert "小城" in out
    there = address.replace("hangzhou", "copied")
    assert postgres.password in there
    status, out, err = run(capsys, "copy", "--city", tmp_path / "back", "--out", there)
    assert status == 0
    assert postgres.password not in out + err
    assert "schema=copied" in out
    assert City.open(there).describe()["layers"] == City.open(address).describe()["layers"]
    assert City.open(there).population.equals(tiny_city.population)


def test_build_out_of_and_into_a_database(capsys, postgres, address, tiny_city):
    there = address.replace("hangzhou", "built")
    tables = {key: f"{address}&table={key}" for key in tiny_city.layers()}
    given = [word for key, table in tables.items() for word in (f"--{key}", table)]
    status, out, _ = run(capsys, "build", *given, "--out", there, "--json")
    told = json.loads(out)["city"]
    assert status == 0
    assert (told["name"], told["residents"]) == ("built", 2860)
    assert postgres.password not in out
    assert City.open(there).facilities.equals(tiny_city.facilities)


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        (("schema=hangzhou", "schema=nowhere"), 2, "no city"),
        ((":s3cret", ":wr0ng"), 1, "password authentication failed"),
    ],
)
def test_what_fails_is_told_without_the_password(capsys, postgres, address, change, status, words):
    asked = address.replace(*change)
    assert asked != address
    code, _, err = run(capsys, "check", "--city", asked, "--lang", "en")
    assert code == status
    assert words in err
    assert postgres.password not in err
    assert "wr0ng" not in err


def test_an_address_misread_is_wrong_use(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["check", "--city", "postgresql://me:sec/ret@db/gis", "--lang", "en"])
    assert stop.value.code == 2
    told = capsys.readouterr().err
    assert "percent-encoded" in told
    assert "ret@" not in told
