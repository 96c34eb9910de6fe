"""The view of data in a real browser: layers, findings as the command tells them, import."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
import zipfile

import numpy as np
import pandas as pd
import pytest
import shapely

from layers import City, embedded
from layers.datum import FROM_WGS84
from tests.planner.desk.chromium import NEEDS_CHROMIUM, WORDS, serving, until

pytestmark = NEEDS_CHROMIUM

SERVE = """
import sys
from layers import City
from planner.desk import serve
serve(City.open(sys.argv[1]), port=int(sys.argv[2]), address="127.0.0.1")
"""
FOUND = (
    "return all.filter((one) => one.matches('tr[data-id]') && seen(one)"
    " && one.getRootNode().querySelector('table').ariaLabel === arguments[0])"
    ".map((row) => [row.dataset.id, ...[...row.cells].map((cell) => cell.innerText.trim())]);"
)
CHOOSE = (
    "all.find((one) => one.matches(`tr[data-id='${arguments[0]}']`) && seen(one)"
    " && one.getRootNode().querySelector('table').ariaLabel === arguments[1]).click();"
)
WRONG = 5


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return embedded("small").save(tmp_path_factory.mktemp("city") / "small")


@pytest.fixture(scope="module")
def own_cities(tmp_path_factory):
    return tmp_path_factory.mktemp("cities")


@pytest.fixture(scope="module")
def address(city, own_cities, tmp_path_factory):
    log = tmp_path_factory.mktemp("server") / "log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANNER_CITIES", str(own_cities))
        patch.setenv("PLANNER_STORE", str(log.with_name("store.sqlite")))
        with serving(SERVE, city.path, log=log) as url:
            yield url


@pytest.fixture(scope="module")
def told(city):
    """What ``planner check --json`` finds."""
    answer = subprocess.run(
        [sys.executable, "-m", "planner.cli", "check", "--json", "--city", str(city.path)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PLANNER_LANG": "zh"},
    )
    return json.loads(answer.stdout)["findings"]


@pytest.fixture(scope="module")
def table(city, tmp_path_factory):
    """A table as offices send it: GB18030, GCJ-02, a title, faults, two that are there already."""
    every = len(city.streets) // 60
    lines = city.streets.geometry.iloc[::every][:60]
    points = shapely.line_interpolate_point(lines.array, 0.5, normalized=True)
    own = city.facilities[city.facilities["service"] == "home_care_centre"].iloc[:2]
    xy = np.concatenate([shapely.get_coordinates(points), shapely.get_coordinates(own.geometry)])
    lon, lat = FROM_WGS84["gcj02"](*xy.T)
    names = [*(f"{number}号照料中心" for number in range(60)), *own["name"]]
    rows = [[n, f"{x:.6f}", f"{y:.6f}", ""] for n, x, y in zip(names, lon, lat, strict=True)]
    rows[5][1] = ""
    rows[7][1:3] = ["0", "0"]
    rows[9][1] = "不详"
    rows[11][1:3] = ["116.4", "39.9"]
    rows[13][1] = "=1+2"
    # Longitude and latitude exchanged: put right, not rejected.
    rows[15][1:3] = rows[15][2:0:-1]
    rows[17][0] = "<b>script</b>=HYPERLINK(1)"
    path = tmp_path_factory.mktemp("table") / "居家养老.csv"
    content = pd.DataFrame(rows, columns=["名称", "经度", "纬度", "备注"]).to_csv(index=False)
    path.write_bytes(f"2025年居家养老一览\n{content}".encode("gb18030"))
    return path


@pytest.fixture
def chrome(chrome):
    """A page that is closed when nothing is on its way to it, which the server would log."""
    yield chrome
    time.sleep(2)


def counts(page):
    found = page.js(
        "return all.filter((one) => one.dataset.count && seen(one))"
        ".map((one) => [one.dataset.count, Number(one.textContent)]);"
    )
    return dict(found)


def upload(page, path):
    field = until(
        lambda: page.js("return all.find((one) => one.matches('.zone input') && seen(one));"),
        what="the place to drop a file",
    )
    field.send_keys(str(path))


def downloaded(page, folder, words, pattern):
    page.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)}
    )
    page.js(
        "all.find((one) => one.matches('a') && seen(one) && one.textContent.trim()"
        " === arguments[0]).click();",
        words,
    )
    (path,) = until(lambda: [*folder.glob(pattern)], what=words)
    until(lambda: path.stat().st_size, what="its content")
    return path


def in_english(words):
    """Leave out names and words that come from the data, and the other language's button."""
    return [
        one
        for one in words
        if re.search(r"[\u4e00-\u9fff]", one)
        and not re.search(r"Units (in which|with a quota)|中文|居家养老|照料中心|不详", one)
        and not re.fullmatch(r"(名称|经度|纬度|备注)( \(found\))?", one)
    ]


def test_layers_tell_their_provenance_and_a_link_restores_it(address, city, chrome):
    page = chrome.open(f"{address}?tab=data&layer=facilities&shown=facilities,population")
    rows = until(lambda: page.js(FOUND, "城市的图层"), what="the layers")
    assert [row[0] for row in rows] == list(city.layers())
    assert [int(row[2].replace(",", "")) for row in rows] == [
        len(layer) for layer in city.layers().values()
    ]
    assert {row[5] for row in rows} == {"模拟"}
    entry = city.provenance["facilities"]
    words = " ".join(page.driver.execute_script(WORDS))
    assert entry.checksum in words
    assert entry.source in words
    assert entry.notes[0].partition(" / ")[0] in words
    ticked = page.js(
        "return all.filter((one) => one.matches('td input:checked') && seen(one))"
        ".map((one) => one.closest('tr').dataset.id);"
    )
    assert ticked == ["population", "facilities"]
    page.js(
        "all.find((one) => one.matches('td input') && seen(one)"
        " && one.closest('tr').dataset.id === 'streets').click();"
    )
    until(lambda: "streets" in page.driver.current_url, what="streets in the address")
    page.js(CHOOSE, "units", "城市的图层")
    until(lambda: "layer=units" in page.driver.current_url, what="the layer in the address")
    assert page.asked_hosts(address) == {address.split("/")[2]}
    assert page.complaints() == []


def test_findings_are_those_of_the_command(address, city, told, chrome, tmp_path):
    page = chrome.open(f"{address}?tab=data&part=check")
    wanted = dict.fromkeys(("error", "warning", "info"), 0)
    for one in told:
        wanted[one["severity"]] += 1
    until(lambda: counts(page) == wanted, what="counts by severity")
    rows = until(lambda: page.js(FOUND, "检查发现"), what="the findings")
    shown = sorted((row[2], row[3].replace(",", "")) for row in rows)
    assert shown == sorted((one["message"], str(len(one["rows"]) or "–")) for one in told)

    lost = next(one for one in told if one["code"] == "people_unplaced")
    page.js(CHOOSE, "people_unplaced", "检查发现")
    listed = until(lambda: page.js(FOUND, "涉及的行"), what="its rows")
    assert [row[1] for row in listed] == [str(row) for row in lost["rows"][:200]]
    until(lambda: lost["remedy"] in " ".join(page.driver.execute_script(WORDS)), what="the remedy")
    until(lambda: "finding=people_unplaced" in page.driver.current_url, what="its address")
    before, loads = page.view(), page.loads()
    page.js(CHOOSE, "3", "涉及的行")
    place = city.population.geometry.loc[lost["rows"][3]]
    until(
        lambda: (
            np.allclose(page.view()[1:], [place.y, place.x], atol=2e-3)
            and page.view()[0] > before[0]
        ),
        what="the row on the map",
    )
    assert page.loads() == loads

    written = downloaded(page, tmp_path, "下载 CSV", "*.csv")
    lines = list(csv.reader(io.StringIO(written.read_text(encoding="utf-8-sig"))))
    assert len(lines) - 1 == sum(max(len(one["rows"]), 1) for one in told)
    assert {line[3] for line in lines[1:]} == {one["message"] for one in told}
    whole = downloaded(page, tmp_path, "下载 HTML 报告", "*.html").read_text(encoding="utf-8")
    assert whole.count("<article") == len(told)
    assert page.complaints() == []


def test_a_table_with_faults_becomes_a_city_of_one_s_own(
    address, city, own_cities, table, chrome, tmp_path
):
    page = chrome.open(f"{address}?tab=data&part=import&service=home_care_centre")
    upload(page, table)
    until(lambda: page.figure("placed") == str(62 - WRONG), what="rows that are taken")
    assert page.figure("rejected") == str(WRONG)
    assert page.figure("repeated") == "0"
    assert "GCJ-02" in page.figure("datum")
    page.press("改用 GCJ-02")
    until(lambda: page.figure("datum") == "✓ 与街道相符", what="the datum agrees")
    assert page.figure("repeated") == "2"
    lost = downloaded(page, tmp_path, f"下载未载入的 {WRONG} 行", "*.csv")
    lines = list(csv.reader(io.StringIO(lost.read_text(encoding="utf-8-sig"))))
    assert [line[1] for line in lines[1:]] == [
        "没有坐标",
        "坐标为 0, 0",
        "坐标无法理解",
        "距本市过远",
        "坐标无法理解",
    ]
    assert lines[5][3] == "'=1+2"
    before = (city.path / "city.toml").read_bytes()
    page.press("写成新城市")
    done = until(lambda: page.figure("done"), what="the new city")
    assert f"加入 {62 - WRONG - 2} 处" in done
    (folder,) = [one.parent for one in own_cities.glob("*/city.toml")]
    assert (city.path / "city.toml").read_bytes() == before
    made = City.open(folder)
    own = made.facilities[made.facilities["source"] == table.name]
    assert len(own) == 62 - WRONG - 2
    lines = city.streets.geometry.iloc[:: len(city.streets) // 60][:60]
    here = own[own["name"] == "20号照料中心"].geometry.iloc[0]
    assert here.distance(lines.iloc[20].interpolate(0.5, normalized=True)) < 2e-6
    assert "datum=gcj02" in made.provenance["facilities"].made
    assert made.provenance["facilities"].modelled
    assert len([*folder.with_name(f"{folder.name}-rejected").glob("*.csv")]) == 1

    page.press("打开新城市")
    until(lambda: "city=" in page.driver.current_url, what="its address")
    rows = until(
        lambda: [row for row in page.js(FOUND, "城市的图层") if row[0] == "facilities"],
        what="its layers",
    )
    assert rows[0][2] == f"{len(made.facilities):,}"
    assert page.complaints() == []
    time.sleep(2)
    # Whoever has the link, also a server that has not opened it yet, comes to the same.
    page.open(page.driver.current_url)
    until(lambda: f"{len(made.facilities):,}" in str(page.js(FOUND, "城市的图层")), what="it again")


def test_what_cannot_be_read_is_said_where_it_happens(address, chrome, tmp_path):
    page = chrome.open(f"{address}?tab=data&part=import&service=home_care_centre")
    bare = tmp_path / "无坐标.csv"
    bare.write_text("名称,地址\n甲,文一路\n", encoding="utf-8")
    upload(page, bare)
    told = until(lambda: page.figure("refused"), what="why not")
    assert "没有坐标列" in told
    assert "地址" in told
    assert str(tmp_path) not in told
    assert "planner-import" not in told
    bomb = tmp_path / "a.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../a.shp", b"\0" * 1000)
    upload(page, bomb)
    until(lambda: "指向包外" in (page.figure("refused") or ""), what="the archive refused")
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(65 << 20)
    begun = time.monotonic()
    upload(page, large)
    until(lambda: "超过 64 MB" in (page.figure("refused") or ""), what="the large file refused")
    # It was never sent.
    assert time.monotonic() - begun < 15
    assert page.complaints() == []


def test_columns_are_chosen_where_they_are_not_found(address, city, chrome, tmp_path):
    page = chrome.open(f"{address}?tab=data&part=import&service=home_care_centre")
    places = city.facilities.geometry.iloc[:3]
    path = tmp_path / "点位.csv"
    rows = [f"甲{n},{p.x:.6f},{p.y:.6f}" for n, p in enumerate(places)]
    path.write_text("\n".join(["叫法,东,北", *rows]), encoding="utf-8")
    upload(page, path)
    until(lambda: page.figure("refused"), what="why not")
    # A quick hand: each waits until the one before is answered, and none is lost.
    page.js(
        "for (const [name, column] of arguments[0]) {"
        "  const one = all.find((one) => one.id === 'f-' + name && seen(one));"
        "  one.value = column; one.dispatchEvent(new Event('change'));"
        "}",
        [["lon", "东"], ["lat", "北"], ["name", "叫法"]],
    )
    until(lambda: page.figure("placed") == "3", what="three places")
    until(lambda: "甲0" in " ".join(page.driver.execute_script(WORDS)), what="the first rows")
    assert page.complaints() == []


def test_the_language_leaves_no_word_behind(address, table, chrome):
    page = chrome.open(f"{address}?tab=data&layer=streets")
    until(lambda: page.js(FOUND, "城市的图层"), what="the layers")
    page.press("检查")
    until(lambda: counts(page), what="the findings")
    page.press("导入")
    upload(page, table)
    until(lambda: page.figure("placed"), what="the preview")
    page.press("EN")
    for part, sign in (
        ("Import", "Test of the datum"),
        ("Check", "Download CSV"),
        ("Layers", "Layers of the city"),
    ):
        page.press(part)
        until(lambda sign=sign: sign in page.driver.execute_script(WORDS), what=part)
        until(lambda: in_english(page.words()) == [], what=f"{part} in English")
    assert page.complaints() == []
