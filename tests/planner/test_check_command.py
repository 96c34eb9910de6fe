"""The check on the command line, with its page."""

import json

import pandas as pd
import pytest

from planner.cli import main


@pytest.fixture
def folder(tiny_city, tmp_path):
    return tiny_city.save(tmp_path / "city").path


def test_the_page_is_written_beside_the_table(folder, tmp_path, capsys):
    page = tmp_path / "out" / "check.html"
    assert main(["check", "--city", str(folder), "--html", str(page)]) == 0
    told = capsys.readouterr()
    assert "孤立" in told.out or "不连通" in told.out
    assert "check.html" in told.err
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(["check", "--city", str(folder), "--html", str(page), "--lang", "en"]) == 0
    assert "Check of the city Tiny city" in page.read_text(encoding="utf-8")


def test_the_page_can_be_had_with_json(folder, tmp_path, capsys):
    page = tmp_path / "check.html"
    assert main(["check", "--city", str(folder), "--json", "--html", str(page)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["city"]["layers"]["streets"]["source"] == "made by hand"
    assert len(told["city"]["layers"]["streets"]["checksum"]) == 64
    assert told["findings"]
    assert page.exists()


def test_a_page_that_cannot_be_written_is_told(folder, capsys):
    assert main(["check", "--city", str(folder), "--html", str(folder)]) == 1
    told = capsys.readouterr().err
    assert "无法写入" in told
    assert "Traceback" not in told


def test_a_built_city_has_its_page_and_says_how_it_was_made(tiny_city, tmp_path, capsys):
    sources = {}
    for key in ("streets", "units", "population"):
        sources[key] = tmp_path / f"{key}.gpkg"
        tiny_city.layers()[key].to_file(sources[key], layer=key)
    stops = tmp_path / "stops.csv"
    points = tiny_city.facilities.geometry
    pd.DataFrame({"name": tiny_city.facilities["name"], "lon": points.x, "lat": points.y}).to_csv(
        stops, index=False
    )
    page, out = tmp_path / "report.html", tmp_path / "built"
    command = ["build", "--name", "小城", "--out", str(out), "--report", str(page), "--json"]
    for key, path in sources.items():
        command += [f"--{key}", f"{path}"]
    said = "service=fitness_circle,licence=ODbL-1.0,date=2024-05,source=某局"
    assert main([*command, "--facilities", f"{stops},{said}"]) == 0
    told = json.loads(capsys.readouterr().out)
    layers = told["city"]["layers"]
    assert layers["facilities"]["licence"] == "ODbL-1.0"
    assert layers["facilities"]["date"] == "2024-05"
    assert layers["facilities"]["source"] == "某局; stops.csv"
    assert layers["facilities"]["made"].startswith("coverage-planner ")
    assert "stops.csv,service=fitness_circle" in layers["facilities"]["made"]
    assert "units.gpkg" in layers["units"]["made"]
    codes = [finding["code"] for finding in told["findings"]]
    # What only a network tells is among them, and nothing is told twice.
    assert "people_unplaced" in codes
    assert codes.count("people_outside") <= 1
    assert "某局" in page.read_text(encoding="utf-8")

    assert main(["coverage", "--city", str(out), "--service", "fitness_circle", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["services"]["fitness_circle"]
    assert figures["layers"] == layers
