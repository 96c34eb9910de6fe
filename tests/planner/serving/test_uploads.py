"""Files that attack, handed in through the Data view of a real server over its own socket."""

import asyncio
import base64
import csv
import html
import io
import re
import struct
import zipfile
from pathlib import Path

import pytest
import requests

from layers import City
from layers.messages import text
from planner.store import Store
from tests.planner.serving.conftest import PASSWORDS
from tests.planner.serving.reader import PIECE, reader
from tests.planner.serving.server import desk, environment
from tests.planner.serving.test_attacks import FORMULA, SCRIPT, run

MEGABYTE = 2**20
DATA = "?tab=data&part=import&service=mother_baby_room"
# What the server may grow by: a file of the largest size, as it comes, whole and decoded.
ROOM = 400 * MEGABYTE


@pytest.fixture(scope="module")
def open_desk(house, village):
    """A desk with a login, all of whose files lie in the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        (house / "temporary").mkdir()
        patch.setenv("TMPDIR", str(house / "temporary"))
        patch.setenv("PLANNER_CITIES", str(house / "cities"))
        with desk(house, village, "--login") as url:
            yield url


def most_held(url):
    """Bytes of memory that the server of an address has held at most."""
    port = url.rstrip("/").rpartition(":")[2]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "serve" in words and port in words:
            told = (folder / "status").read_text(encoding="utf-8")
            return int(re.search(r"VmHWM:\s+(\d+)", told)[1]) * 1024
    raise AssertionError(url)


def as_planner(url, query=DATA):
    return reader(url, "qian", PASSWORDS["qian"], query)


def bomb(*, lying):
    """A shapefile in an archive of a few MB that unpacks into 3 GB, and may deny that."""
    held, size = io.BytesIO(), 1536 * MEGABYTE
    nothing = bytes(16 * MEGABYTE)
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for ending in (".shp", ".dbf") if not lying else (".shp",):
            with packed.open(f"点位{ending}", "w") as part:
                for _ in range(size // len(nothing)):
                    part.write(nothing)
    made = held.getvalue()
    assert len(made) < 32 * MEGABYTE
    return made.replace(struct.pack("<I", size), struct.pack("<I", 1000)) if lying else made


@pytest.mark.parametrize("lying", [False, True])
def test_a_shapefile_that_unpacks_into_gigabytes_is_refused(open_desk, lying):
    content, before = bomb(lying=lying), most_held(open_desk)
    # What is unpacked ends at the size that it claims, and is then not what it should be.
    words = "文件“点位.zip”无法读取" if lying else "“点位.zip”解开后超过 256 MB"

    async def attack():
        async with as_planner(open_desk) as own:
            await own.hand_in("点位.zip", content)
            await own.says(words)

    asyncio.run(attack())
    assert most_held(open_desk) - before < ROOM
    assert requests.get(open_desk + "health", timeout=30).json()["status"] == "ok"


def test_a_table_of_a_gigabyte_is_refused_before_it_comes(open_desk):
    async def attack():
        async with as_planner(open_desk) as own:
            zone = await own.wait(lambda: own.named("class_name", "Dropzone"))
            await own.message(zone, begin="大表.csv", size=1024 * MEGABYTE)
            await own.says("1024.0 MB")
            assert any('"stop"' in one for one in own.heard)

    asyncio.run(attack())


def test_a_table_of_a_gigabyte_that_denies_it_is_cut_off(open_desk):
    before = most_held(open_desk)
    piece = base64.b64encode(b"120.1,30.2,name\n" * (PIECE // 16)).decode()

    async def attack():
        async with as_planner(open_desk) as own:
            zone = await own.wait(lambda: own.named("class_name", "Dropzone"))
            # Not whole pieces, so that the end that it claims never comes.
            await own.message(zone, begin="大表.csv", size=64 * MEGABYTE - 1)
            sent = 0
            while sent < 1024 * MEGABYTE and not any('"stop"' in one for one in own.heard):
                answers = len(own.heard)
                await own.message(zone, at=sent, piece=piece)
                sent += PIECE
                # As a page does, which is asked for each piece.
                await own.wait(lambda seen=answers: len(own.heard) > seen)
            return sent

    assert asyncio.run(attack()) <= 65 * MEGABYTE
    assert most_held(open_desk) - before < ROOM
    assert requests.get(open_desk + "health", timeout=30).json()["status"] == "ok"


def test_what_a_planner_takes_in_harms_nobody(open_desk, house, village, tmp_path):
    """A path for a name, scripts and formulas in cells: to the city, its report and tables."""
    city = City.open(village)
    x, y = city.facilities.geometry.iloc[0].coords[0]
    held = io.StringIO()
    rows = csv.writer(held)
    rows.writerow(["name", "lon", "lat"])
    rows.writerows([[SCRIPT, x + 0.001, y], [FORMULA, x + 0.002, y], [FORMULA, "", ""]])

    async def attack():
        async with as_planner(open_desk) as own:
            await own.hand_in("../../../../evil.csv", held.getvalue().encode())
            await own.says("evil.csv")
            await own.wait(lambda: own.models[own.named("label", _accept())].get("visible", True))
            await own.says("HYPERLINK")
            (file,) = house.rglob("evil*")
            assert file.parent.parent == house / "temporary"
            await own.press(_accept())
            await own.says("已写成")
            with Store(environment(house)["PLANNER_STORE"]) as store:
                (job,) = store.jobs.every(who="qian")
                assert (job.kind, job.state) == ("import", "done")
            # Panel escapes what its panes of HTML show once more on the way.
            shown = [html.unescape(one["text"]) for one in own.models.values() if "text" in one]
            assert any("&lt;img src=x" in one for one in shown)
            assert not any("<img src=x" in one for one in shown)

    asyncio.run(attack())
    assert not list(house.parent.glob("evil*"))
    (folder,) = (one.parent for one in (house / "cities").rglob("city.toml"))
    made = City.open(folder)
    assert {SCRIPT, FORMULA} <= set(made.facilities["name"])
    for table in folder.parent.rglob("*.csv"):
        for row in csv.reader(io.StringIO(table.read_text(encoding="utf-8-sig"))):
            assert not [cell for cell in row if cell.startswith(("=", "+", "@"))]
    out = tmp_path / "out"
    common = ["--city", str(folder), "--lang", "zh", "--kind", "coverage", "--year", "2023"]
    run(tmp_path, "report", *common, "--out", str(out), "--format", "html")
    (page,) = out.rglob("*.html")
    assert "<img src=x" not in page.read_text(encoding="utf-8")


def test_a_viewer_who_calls_an_editors_actions_is_refused(open_desk, house):
    refused = "sun的角色是查看者"

    async def attack():
        async with reader(open_desk, "sun", PASSWORDS["sun"], DATA) as own:
            await own.hand_in("表.csv", "name,lon,lat\n甲,120.0,30.28\n".encode())
            await own.says(refused)
            await own.press(_accept())
            await asyncio.sleep(1)
        for button in ("desk.siting.save", "desk.siting.run"):
            async with reader(open_desk, "sun", PASSWORDS["sun"], "?tab=siting") as own:
                since = len(own.heard)
                await own.press(text(button, "zh"))
                await own.says(refused, since=since)

    with Store(environment(house)["PLANNER_STORE"]) as store:
        before, jobs = sorted((house / "cities").rglob("city.toml")), store.jobs.every()
        asyncio.run(attack())
        assert sorted((house / "cities").rglob("city.toml")) == before
        assert store.records() == []
        assert store.jobs.every() == jobs


def test_one_who_is_a_planner_no_more_starts_no_job(open_desk, house):
    """The desk was opened by a planner, and a table handed in; then the role was taken away."""
    with Store(environment(house)["PLANNER_STORE"]) as store:
        store.accounts.add("wu", "planner", PASSWORDS["qian"])
        jobs = store.jobs.every()

        async def attack():
            async with reader(open_desk, "wu", PASSWORDS["qian"], DATA) as own:
                await own.hand_in("表.csv", "name,lon,lat\n甲,120.0,30.28\n".encode())
                await own.wait(
                    lambda: own.models[own.named("label", _accept())].get("visible", True)
                )
                store.accounts.set_role("wu", "viewer")
                await own.press(_accept())
                await own.says("wu的角色是查看者")
            async with reader(open_desk, "wu", PASSWORDS["qian"], "?tab=siting") as own:
                await own.press(text("desk.siting.run", "zh"))
                await own.says("wu的角色是查看者")

        asyncio.run(attack())
        assert store.jobs.every() == jobs
    assert not list(house.rglob("*.asked"))


def _accept():
    return text("desk.data.import.accept", "zh")
