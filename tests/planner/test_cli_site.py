import json
import os
import signal
import subprocess
import sys
import time

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from layers import embedded
from planner import Scenario, coverage, site
from planner.cli import main
from tests.planner.siting.subsets import SERVICE, candidates


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_city):
    path = tmp_path_factory.mktemp("cities") / "tiny"
    tiny_city.save(path)
    candidates(name=[f"{number}号点" for number in range(6)], cost=[1, 2, 1, 2, 1, 2]).to_file(
        path.parent / "places.gpkg"
    )
    return path


def run(capsys, *words):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def words(folder, *more):
    places = folder.parent / "places.gpkg"
    return ["site", "--city", folder, "--service", SERVICE, "--candidates", places, *more]


def test_the_json_is_the_siting(capsys, folder, tiny_city):
    status, out, _ = run(capsys, *words(folder, "--model", "mclp", "-p", 2, "--json"))
    told = json.loads(out)
    plan = site(tiny_city, SERVICE, p=2, candidates=candidates())
    assert status == 0
    assert [one["id"] for one in told["sites"]] == plan.sites["id"].tolist()
    assert (told["objective"], told["bound"], told["gap"]) == (plan.objective, plan.bound, 0)
    assert told["status"] == "optimal"
    assert told["standard"]["mode"] == "walk"
    after = coverage(Scenario.from_dict(told["scenario"]).apply(tiny_city), SERVICE)
    for when, result in (("before", coverage(tiny_city, SERVICE)), ("after", after)):
        table = result.by("district")
        assert [unit["code"] for unit in told["units"]] == table["code"].tolist()
        assert [unit[f"rate_{when}"] for unit in told["units"]] == table["rate"].tolist()
        assert told[when]["served"] == result.total()["served"]
    assert told["city"]["modelled"] is False
    assert set(told["layers"]) == {"streets", "units", "population", "facilities"}
    assert told["version"]


def test_every_option_reaches_the_problem(capsys, folder, tmp_path, tiny_city):
    areas = tmp_path / "areas.geojson"
    tiny_city.units[tiny_city.units["level"] == "city"].to_file(areas)
    more = [
        *(
            "--budget",
            9,
            "--exactly",
            "-p",
            3,
            "--floor",
            "district=0.01",
            "--floor",
            "330191=0.02",
        ),
        *("--at-most", "district=2", "--at-least", "西区=1", "--apart", "300,network"),
        *("--phases", "2023=1,2024=1", "--phase-budgets", "2023=5,2024=5,2025=9"),
        *("--within", areas, "--spacing", 900, "--required", "S1,S3", "--forbidden", "S0"),
        *("--cutoff-m", 450, "--group", "women", "--cost", 0.5, "--level", "township"),
        *("--candidates", "listed", "--gap", 0.001, "--seconds", 60, "--json"),
    ]
    status, out, err = run(capsys, *words(folder, *more))
    assert status == 0, err
    told = json.loads(out)
    problem = told["problem"]
    assert problem["floors"] == {"district": 0.01, "330191": 0.02}
    assert problem["at_most"] == {"district": 2}
    assert problem["at_least"] == {"西区": 1}
    assert problem["apart"] == {"metres": 300, "along": "network"}
    assert [year["year"] for year in problem["phases"]] == [2023, 2024, 2025]
    assert [year["number"] for year in problem["phases"]] == [1, 1, None]
    assert told["standard"]["cutoff_m"] == 450
    assert told["standard"]["group"] == "women"
    assert told["level"] == "township"
    assert {one["id"] for one in told["sites"]} >= {"S1", "S3"}
    assert told["candidates"]["kinds"]["listed"] == 1
    assert len(told["years"]) == 3


def test_decay_and_models_by_their_aliases(capsys, folder):
    for more in (
        ["--bands", "8=1,16=0.5"],
        ["--decay", "linear,8,16"],
        ["--model", "p_center"],
        ["--model", "maximal-cover"],
    ):
        status, out, _ = run(capsys, *words(folder, "-p", 1, "--json", *more))
        assert status == 0
        assert json.loads(out)["status"] == "optimal"


def test_the_table_speaks_both_languages(capsys, folder):
    more = words(folder, "-p", 2, "--phases", "2023=1,2024=1")
    _, zh, _ = run(capsys, *more)
    _, en, _ = run(capsys, "--lang", "en", *more)
    for told in ("最大覆盖", "最优（已证明）", "新增覆盖", "2024", "西区", "仍未覆盖"):
        assert told in zh
    for told in ("maximal cover", "Optimal, proved", "newly served", "2024", "West"):
        assert told in en
    assert "西区" not in en


def test_files_for_desk_and_office(capsys, folder, tmp_path, tiny_city):
    out = tmp_path / "plan"
    status, _, err = run(capsys, *words(folder, "-p", 2, "--out", out))
    assert status == 0
    assert "sites.gpkg" in err
    plan = site(tiny_city, SERVICE, p=2, candidates=candidates())
    scenario = Scenario.from_dict(json.loads((out / "scenario.json").read_text("utf-8")))
    assert [change.place for change in scenario.changes] == [
        change.place for change in plan.scenario().changes
    ]
    sites = pd.read_csv(out / "sites.csv", encoding="utf-8-sig")
    assert sites["id"].tolist() == plan.sites["id"].tolist()
    assert sites["people_new"].tolist() == plan.sites["people_new"].tolist()
    rates = pd.read_csv(out / "rates.csv", encoding="utf-8-sig", dtype={"code": str})
    assert rates["rate_after"].tolist() == plan.by("district")["rate_after"].tolist()
    layers = dict(pyogrio.list_layers(out / "sites.gpkg"))
    assert layers == {
        "sites": "Point", "served": "Point", "lines": "LineString", "unreached": "Point",
        "about": None,
    }  # fmt: skip
    lines = gpd.read_file(out / "sites.gpkg", layer="lines")
    served = plan.served_demand()
    assert lines["people"].sum() == served["people"].sum()
    assert len(lines) == len(served)
    assert not [file.name for file in out.iterdir() if file.name.startswith(".")]


def test_a_modelled_city_is_marked_everywhere(capsys, tmp_path):
    out = tmp_path / "plan"
    city = embedded("small")
    more = ["--service", "menopause_clinic", "-p", 2, "--out", out]
    status, told, _ = run(capsys, "site", "--city", city.path, *more)
    assert status == 0
    assert "模拟数据" in told
    assert (pd.read_csv(out / "sites.csv")["data"] == "模拟数据 / modelled data").all()
    about = pyogrio.read_dataframe(out / "sites.gpkg", layer="about").set_index("name")["value"]
    assert "modelled" in about["data"]
    assert "GB" in about["standard_source"] or about["standard_source"]


def test_an_infeasible_problem_stops_and_says_why(capsys, folder):
    status, out, _ = run(capsys, *words(folder, "-p", 1, "--at-least", "district=1", "--json"))
    told = json.loads(out)
    assert status == 1
    assert told["status"] == "infeasible"
    kinds = [one["kind"] for one in told["conflict"]["limits"]]
    assert kinds == ["number", "at_least", "at_least"]
    status, out, _ = run(capsys, *words(folder, "-p", 1, "--at-least", "district=1"))
    assert status == 1
    assert "相互矛盾" in out
    assert "改为2" in out


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--floor", "district"], "--floor"),
        (["--floor", "district=high"], "--floor"),
        (["--at-most", "district=1.5"], "--at-most"),
        (["--phases", "2023"], "--phases"),
        (["--decay", "linear,3"], "--decay"),
        (["--apart", "far"], "--apart"),
        (["--model", "magic"], "magic"),
        (["--candidates", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_wrong_words_are_told(capsys, folder, more, told):
    status, _, err = run(capsys, *words(folder, "-p", 1, *more))
    assert status in {1, 2}
    assert told in err


def test_it_needs_a_service(capsys, folder):
    status, _, err = run(capsys, "site", "--city", folder, "-p", 1)
    assert status == 1
    assert "--service" in err


def test_options_go_before_the_file(capsys, folder, tmp_path):
    file = tmp_path / "problem.toml"
    file.write_text(f'service = "{SERVICE}"\np = 1\ncandidates = "junctions,spacing=500"\n')
    status, out, _ = run(capsys, "site", "--city", folder, "--problem", file, "-p", 2, "--json")
    told = json.loads(out)
    assert status == 0
    assert told["problem"]["p"] == 2
    assert told["candidates"]["places"] == ["Junctions(spacing=500.0, cost=None, capacity=None)"]


def test_interrupted_it_gives_the_best_so_far(tmp_path):
    """A real process, stopped by a signal once it has found something."""
    command = [
        *(sys.executable, "-m", "planner.cli", "--lang", "en", "site"),
        *("--city", str(embedded("small").path), "--service", SERVICE),
        *("--model", "fair", "-p", "10", "--json"),
    ]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (tmp_path / "told.json").open("w+") as told, (tmp_path / "err").open("w+") as err:
        process = subprocess.Popen(command, stdout=told, stderr=err, env=environment)
        begun = time.monotonic()
        while process.poll() is None and time.monotonic() - begun < 120:
            lines = [x for x in (tmp_path / "err").read_text("utf-8").splitlines() if "best" in x]
            if lines and "best –" not in lines[-1]:
                break
            time.sleep(0.2)
        assert process.poll() is None, (tmp_path / "err").read_text("utf-8")
        process.send_signal(signal.SIGINT)
        pressed = time.monotonic()
        status = process.wait(timeout=60)
    assert status == 0, (tmp_path / "err").read_text("utf-8")
    figures = json.loads((tmp_path / "told.json").read_text("utf-8"))
    assert figures["status"] == "feasible"
    assert figures["stopped"] == "interrupt"
    assert 0 < figures["gap"] < 100
    assert figures["objective"] < figures["bound"]
    assert len(figures["sites"]) <= 10
    assert time.monotonic() - pressed < 30


def test_barriers_and_slopes_count_as_for_coverage(capsys, folder, tmp_path):
    wall = tmp_path / "wall.geojson"
    line = shapely.LineString([(515_000, 3_349_000), (515_000, 3_352_000)])
    gpd.GeoDataFrame(geometry=[line], crs=4549).to_crs(4326).to_file(wall)
    more = ["--barriers", wall, "--json"]
    asked = ["coverage", "--city", folder, "--service", SERVICE]
    _, out, _ = run(capsys, *asked, *more)
    before = json.loads(out)
    status, out, _ = run(capsys, *words(folder, "-p", 2, *more))
    told = json.loads(out)
    assert status == 0
    assert told["travel"] == before["travel"]
    assert told["travel"]["barriers"]["cuts"] == 5
    assert told["before"]["served"] == before["services"][SERVICE]["city"]["served"]
    status, _, err = run(capsys, *words(folder, "-p", 2, "--elevation", tmp_path / "none.tif"))
    assert status == 1
    assert "none.tif" in err
