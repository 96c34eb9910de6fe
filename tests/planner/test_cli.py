import json
import subprocess
import sys
from dataclasses import replace

import geopandas as gpd
import pytest
import shapely

from layers import City
from layers.messages import text
from planner import coverage, load_services
from planner.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_city):
    path = tmp_path_factory.mktemp("cities") / "tiny"
    tiny_city.save(path)
    return path


def run(capsys, *words):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_what_bends_the_rates_is_told_below_the_tables(capsys, folder, tiny_city):
    note = "单元只有一部分在研究范围内: 西区 1%。 / Only partly in the area: West 1%."
    units = replace(tiny_city.provenance["units"], notes=(note,), modelled=False)
    told = {key: replace(one, modelled=False) for key, one in tiny_city.provenance.items()}
    replace(tiny_city, provenance={**told, "units": units}).save(folder.with_name("cut"))
    words = ["coverage", "--city", str(folder.with_name("cut")), "--service", "menopause_clinic"]
    for lang, part in (("zh", "西区 1%"), ("en", "West 1%")):
        assert main(["--lang", lang, *words]) == 0
        shown = capsys.readouterr().out
        assert shown.rstrip().splitlines()[-1].endswith(part + ("。" if lang == "zh" else "."))
    assert main(["coverage", "--city", str(folder), "--service", "menopause_clinic"]) == 0
    assert text("cli.coverage.caution") not in capsys.readouterr().out


def test_coverage_as_json_is_coverage(capsys, folder, tiny_city):
    status, out, _ = run(capsys, "coverage", "--city", folder, "--json", "--level", "township")
    told = json.loads(out)
    assert status == 0
    assert told["city"]["name"] == "小城"
    assert list(told["services"]) == list(load_services())
    for key, figures in told["services"].items():
        result = coverage(tiny_city, key)
        units = result.by("township")
        assert [unit["code"] for unit in figures["units"]] == units["code"].tolist()
        assert [unit["served"] for unit in figures["units"]] == units["served"].tolist()
        assert figures["city"]["served"] == result.total()["served"]
        assert figures["city"]["served"] == sum(unit["served"] for unit in figures["units"])
        assert {"code", "name", "level", "people", "served", "rate", "facilities"} <= set(
            figures["units"][0]
        )
        assert figures["standard"]["mode"] == result.standard.mode


def test_one_service_in_one_year(capsys, folder):
    words = ["--city", folder, "--service", "menopause_clinic", "--year", "2023", "--json"]
    status, out, _ = run(capsys, "coverage", *words)
    figures = json.loads(out)["services"]
    assert (status, list(figures)) == (0, ["menopause_clinic"])
    assert [unit["quota"] for unit in figures["menopause_clinic"]["units"]] == [3, 3]
    assert figures["menopause_clinic"]["year"] == 2023


def test_table_speaks_both_languages(capsys, folder):
    _, zh, _ = run(capsys, "coverage", "--city", folder, "--service", "fitness_circle")
    _, en, _ = run(
        capsys, "--lang", "en", "coverage", "--city", folder, "--service", "fitness_circle"
    )
    assert "西区" in zh
    assert "覆盖率" in zh
    assert "West" in en
    assert "rate" in en
    assert "西区" not in en
    assert "未能定位" in zh
    assert "not placed" in en


def test_check_tells_and_stops_on_errors(capsys, folder, tiny_city, tmp_path):
    status, out, _ = run(capsys, "check", "--city", folder, "--json")
    assert status == 0
    assert {"streets_detached", "people_unplaced"} <= {
        f["code"] for f in json.loads(out)["findings"]
    }
    bad = tmp_path / "bad"
    ids = tiny_city.facilities.assign(id="same")
    replace(tiny_city, facilities=ids).save(bad)
    status, out, _ = run(capsys, "check", "--city", bad, "--json")
    assert status == 1
    finding = json.loads(out)["findings"][0]
    assert (finding["layer"], finding["severity"]) == ("facilities", "error")
    assert len(finding["rows"]) == len(ids)
    assert "same" in finding["message"]
    status, _, err = run(capsys, "coverage", "--city", bad)
    assert status == 1
    assert "same" in err


def build(capsys, folder, tiny_city, rooms, *more):
    for key, layer in tiny_city.layers().items():
        if key != "facilities":
            layer.to_parquet(folder / f"{key}.parquet")
    words = ["build", "--name", "新城", "--out", folder / "city", *more]
    for key in ("streets", "units", "population"):
        words += [f"--{key}", folder / f"{key}.parquet"]
    return run(capsys, *words, "--facilities", f"{rooms},service=mother_baby_room")


def test_build_keeps_rows_that_it_cannot_place_and_takes_them_back(capsys, tmp_path, tiny_city):
    where = tiny_city.facilities.geometry.iloc[0]
    lines = ["名称,经度,纬度", f"甲,{where.x},{where.y}", "乙,,", f"丙,{where.y},{where.x}"]
    rooms = tmp_path / "母婴室.csv"
    rooms.write_bytes("\n".join(lines).encode("gb18030"))
    status, out, err = build(capsys, tmp_path, tiny_city, rooms)
    assert status == 0
    left = tmp_path / "city-rejected" / "母婴室.csv"
    assert str(left) in err.replace("\n", "")
    assert len(City.open(tmp_path / "city").facilities) == 2
    rows = left.read_text(encoding="utf-8-sig").splitlines()
    assert rows == ["行号,原因,名称,经度,纬度", "3,没有坐标,乙,,"]
    left.write_text(f"{rows[0]}\n{rows[1][:-1]}{where.x},{where.y + 0.001}\n", encoding="utf-8-sig")
    status, out, _ = build(
        capsys, tmp_path, tiny_city, left, "--json", "--rejected", tmp_path / "still"
    )
    assert status == 0
    assert json.loads(out)["rejected"] == {}
    assert not (tmp_path / "still").exists()
    assert City.open(tmp_path / "city").facilities["name"].tolist() == ["乙"]


def test_build_tells_machines_what_it_left_out(capsys, tmp_path, tiny_city):
    where = tiny_city.facilities.geometry.iloc[0]
    rooms = tmp_path / "rooms.csv"
    rooms.write_text(f"name,lon,lat\na,{where.x},{where.y}\nb,0,0\nc,0,0\n")
    status, out, _ = build(
        capsys, tmp_path, tiny_city, rooms, "--json", "--rejected", tmp_path / "left"
    )
    told = json.loads(out)
    assert status == 0
    assert told["rejected"] == {str(tmp_path / "left" / "rooms.csv"): 2}
    assert [one["rows"] for one in told["findings"] if one["code"] == "row_zero"] == [[3, 4]]


def test_build_makes_a_city(capsys, tmp_path, tiny_city):
    for key, layer in tiny_city.layers().items():
        if key != "facilities":
            layer.to_parquet(tmp_path / f"{key}.parquet")
    table = tiny_city.facilities[["id", "name"]].assign(
        lon=tiny_city.facilities.geometry.x, lat=tiny_city.facilities.geometry.y
    )
    table.to_csv(tmp_path / "rooms.csv", index=False)
    status, out, _ = run(
        capsys,
        "build",
        "--name",
        "新城",
        "--streets",
        tmp_path / "streets.parquet",
        "--units",
        tmp_path / "units.parquet",
        "--population",
        tmp_path / "population.parquet",
        "--facilities",
        f"{tmp_path / 'rooms.csv'},service=mother_baby_room,stands_for=试点",
        "--out",
        tmp_path / "city",
    )
    assert status == 0
    assert "新城" in out
    city = City.open(tmp_path / "city")
    assert len(city.facilities) == len(table)
    assert city.labels() == ["stand_in"]
    assert city.population["residents"].sum() == tiny_city.population["residents"].sum()


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["coverage", "--city", "{folder}", "--service", "gym"], 2, "fitness_circle"),
        (["coverage", "--city", "{folder}", "--level", "community"], 2, "township"),
        (["coverage", "--city", "nowhere"], 2, "nowhere"),
        (["check", "--city", "nowhere"], 2, "nowhere"),
        (["coverage", "--city", "{folder}", "--services", "nowhere.toml"], 1, "nowhere.toml"),
        (
            [
                "build",
                "--streets",
                "no.gpkg",
                "--units",
                "no.geojson",
                "--population",
                "no.csv",
                "--out",
                "{folder}-new",
            ],
            1,
            "no.gpkg",
        ),
    ],
)
def test_wrong_use_is_told_without_a_traceback(capsys, folder, words, status, told):
    found, out, err = run(capsys, *(word.format(folder=folder) for word in words))
    assert (found, out) == (status, "")
    assert told in err
    assert "Traceback" not in err


def test_words_that_are_no_command_exit_with_two():
    for words in (["swim"], [], ["coverage", "--level", "ward"]):
        done = subprocess.run(
            [sys.executable, "-m", "planner.cli", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert "usage" in done.stderr


def test_a_reader_may_stop_reading(folder):
    command = f"{sys.executable} -m planner.cli coverage --json --city {folder} | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_barriers_and_the_band_are_shown(capsys, folder, tmp_path):
    wall = tmp_path / "wall.geojson"
    line = shapely.LineString([(515_000, 3_349_000), (515_000, 3_352_000)])
    gpd.GeoDataFrame(geometry=[line], crs=4549).to_crs(4326).to_file(wall)
    words = ["coverage", "--city", str(folder), "--service", "fitness_circle"]
    status, out, _ = run(capsys, *words, "--barriers", str(wall))
    assert status == 0
    assert "切断5处" in out
    assert "%" in out
    assert "敏感性区间" in out
    status, out, _ = run(capsys, *words, "--barriers", str(wall), "--json")
    assert json.loads(out)["travel"]["barriers"]["cuts"] == 5
    status, _, err = run(capsys, *words, "--elevation", str(tmp_path / "none.tif"))
    assert status == 1
    assert "none.tif" in err
