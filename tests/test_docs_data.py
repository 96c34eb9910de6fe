"""What docs/data.md tells to type does what it says, on a table as messy as it says."""

import csv
import io
import json
import re

import pandas as pd
import pytest

from layers import City, datum
from layers.errors import SourceError
from layers.sources.files import Source
from layers.sources.osm import is_osm
from tests.documents import ROOT, block, shell

PAGE = "docs/data.md"
DOC = (ROOT / PAGE).read_text(encoding="utf-8")
STOPS = 200
PEOPLE = {"上城区": 1_323_467, "拱墅区": 1_120_985, "西湖区": 1_112_992, "余杭区": 1_226_673}


@pytest.fixture(scope="module")
def messy():
    """Make a table of home-care centres as sub-districts send one."""

    def write(folder, stops):
        within = stops["lon"].between(120.05, 120.2) & stops["lat"].between(30.25, 30.35)
        stops = stops[within].drop_duplicates("name").head(STOPS)
        x, y = datum.wgs84_to_gcj02(stops["lon"], stops["lat"])
        rows = [
            [name, f"{lon:.6f}", f"{lat:.6f}"]
            for name, lon, lat in zip(stops["name"], x, y, strict=True)
        ]
        for row in rows[:3]:
            row[1:] = row[:0:-1]
        rows[5][1:] = ["", ""]
        rows[6][1] = "待补"
        rows[7][1:] = ["0", "0"]
        digits = str.maketrans("0123456789.", "０１２３４５６７８９．")
        rows[8][1] = rows[8][1].translate(digits)
        rows.append(list(rows[9]))
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerows([["居家养老服务中心一览表", "", ""], ["机构名称", "经度", "纬度"], *rows])
        (folder / "居家养老.csv").write_bytes(text.getvalue().encode("gb18030"))
        people = "".join(f"{name},{count}\n" for name, count in PEOPLE.items())
        (folder / "人口.csv").write_bytes(f"区县,常住人口\n{people}".encode("gb18030"))

    return write


def test_a_city_within_the_hour(tmp_path, shared, messy):
    data = shared("hangzhou", "hangzhou_core_osm_drive_network.gpkg").parent
    messy(tmp_path, pd.read_csv(shared("hangzhou", "hangzhou_bus_stops_baidu2015_wgs84.csv")))

    def run(mark):
        done = shell(tmp_path, block(PAGE, mark).replace("../shared/data/hangzhou", str(data)))
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    told = run("first")
    assert "经度与纬度填反" in told
    assert "以第2行为表头" in told
    assert "像是" not in told
    city = City.open(tmp_path / "cities" / "pilot")
    assert len(city.facilities) <= STOPS + 1 - 3
    first, twice = len(city.facilities), int(city.facilities["name"].duplicated().sum())
    assert "区民政局" in city.provenance["facilities"].source
    assert city.provenance["streets"].licence == "ODbL"
    assert "<h1>" in (tmp_path / "build.html").read_text(encoding="utf-8")

    left = tmp_path / "cities" / "pilot-rejected" / "居家养老.csv"
    table = pd.read_csv(left, dtype=str, encoding="utf-8-sig")
    assert len(table) == 3
    table[["经度", "纬度"]] = ["120.15", "30.28"]
    table.to_csv(left, index=False, encoding="utf-8-sig")

    run("second")
    city = City.open(tmp_path / "cities" / "pilot")
    # Three completed; the repetition left out.
    assert len(city.facilities) == first + 3 - twice
    assert not city.facilities["name"].duplicated().any()
    assert "人口.csv" in city.provenance["population"].source
    findings = json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))
    assert not [one for one in findings["findings"] if one["severity"] == "error"]
    assert set(findings["city"]["layers"]) >= {"streets", "units", "population", "facilities"}


def test_every_option_named_exists():
    """An option of the page is one that the program names in its help or its readers."""
    named = {
        word.split("=")[0]
        for cell in re.findall(r"^\|(.*)\|$", DOC, re.MULTILINE)
        for word in re.findall(r"`([a-z_]+)(?:=[^`]*)?`", cell)
    }
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "layers").rglob("*.py"))
    assert named >= {"service", "datum", "over", "margin"}
    assert all(f'"{word}"' in source or f"'{word}'" in source for word in named)


@pytest.mark.parametrize("name", re.findall(r"`(\.osm[.a-z0-9]*)`", DOC))
def test_endings_of_openstreetmap(tmp_path, name):
    assert is_osm(tmp_path / f"some{name}")
    with pytest.raises(SourceError):
        Source(tmp_path / f"some{name}", {}).read_features()
