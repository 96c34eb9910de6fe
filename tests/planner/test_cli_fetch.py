import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from layers import City
from layers.sources.fetch import Record
from planner.cli import main
from tests.layers.sources.fetch.server import Answer, Server, World, a_file

ROOT = Path(__file__).resolve().parents[2]
WORLD = World()


@pytest.fixture
def server(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Server() as made:
        yield made


def words(server, folder, *more, path="/api"):
    return [
        "fetch", "小城", f"--area={WORLD.area}", "--margin=0", "--out", str(folder / "down"),
        "--overpass", server.address + path, "--pause=0", "--longest=0.01", *more,
    ]  # fmt: skip


def start(arguments):
    """Start the program in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "planner.cli", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.communicate()


def wait_for(what, seconds=30.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.002)
    raise AssertionError("what was waited for did not come")


def test_what_is_fetched_is_built_as_told(server, tmp_path, capsys):
    server.plan("/api", WORLD)
    assert main([*words(server, tmp_path), "--lang", "en"]) == 0
    told = capsys.readouterr().out
    command = shlex.split(told[told.index("planner build") :])
    assert command[0] == "planner"
    command[command.index("--out") + 1] = str(tmp_path / "city")
    assert main(command[1:]) == 0
    city = City.open(tmp_path / "city")
    assert city.population["residents"].sum() > 0
    assert set(city.units["code"]) == {"330100", "330106", "330108"}
    for key in ("streets", "units", "population", "facilities"):
        said = city.provenance[key]
        assert "OpenStreetMap contributors" in said.source
        assert "ODbL" in said.licence
        assert any(server.address in note for note in said.notes)
    assert city.provenance["streets"].date == "2026-07-04"
    assert city.facilities["service"].tolist() == ["home_care_centre"]


def test_fetching_and_building_at_once(server, tmp_path, capsys):
    server.plan("/api", WORLD)
    assert main(words(server, tmp_path, "--build", str(tmp_path / "city"), "--json")) == 0
    assert json.loads(capsys.readouterr().out)["city"]["name"] == "小城"
    assert City.open(tmp_path / "city").name == "小城"


def test_figures_for_machines(server, tmp_path, capsys):
    server.plan("/x.osm", a_file(WORLD.whole()))
    extract = f"--extract={server.address}/x.osm"
    assert main(words(server, tmp_path, extract, "--json")) == 0
    figures = json.loads(capsys.readouterr().out)
    (streets, units) = figures["files"]
    assert streets["address"] == f"{server.address}/x.osm"
    assert streets["sha256"] == Record.beside(Path(streets["path"])).sha256
    assert units["licence"] == "ODbL 1.0"
    assert figures["command"][:2] == ["planner", "build"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["fetch", "atlantis"], 2), (["fetch", "x", "--area", "1,2"], 1)],
)
def test_wrong_use(arguments, status, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == status
    assert capsys.readouterr().err
    assert not any(path.is_file() for path in tmp_path.rglob("[!.]*"))


def test_a_server_that_is_down_is_told_in_the_terminal(server, tmp_path, capsys):
    server.plan("/api", Answer(status=504))
    assert main(words(server, tmp_path, "--tries=2")) == 1
    assert "服务器繁忙" in capsys.readouterr().err


def test_a_fetch_killed_anywhere_goes_on(server, tmp_path):
    """Killed after every few tiles, while the merge is written, and at the end."""
    total = 6
    server.plan("/api", lambda handler: _slowly(WORLD(handler)))
    down = tmp_path / "down"
    for tiles in (1, 4):
        process = start(words(server, tmp_path))
        wait_for(lambda most=tiles: len(_whole(down)) >= most)
        kill(process)
        assert not (down / "小城.osm.pbf").exists()
        assert all(Record.beside(path).fits(path) for path in _whole(down))
    process = start(words(server, tmp_path))
    wait_for(lambda: (down / ".part-小城.osm.pbf").exists() or (down / "小城.osm.pbf").exists())
    kill(process)
    before = len(server.requests)
    assert main(words(server, tmp_path)) == 0
    # Every tile came once; the one that was under way at a kill is asked for again.
    assert before <= total + 2
    assert len(server.requests) == before
    whole = tmp_path / "whole"
    assert main([*words(server, whole)]) == 0
    one, two = (Record.beside(folder / "小城.osm.pbf") for folder in (down, whole / "down"))
    assert one.sha256 == two.sha256


def _slowly(answer):
    answer.slowly = 0.15
    return answer


def _whole(folder):
    return [
        path
        for path in (folder / "overpass").glob("[!.]*.osm.gz")
        if (path.parent / f"{path.name}.source.toml").exists()
    ]


def test_an_extract_killed_half_way_goes_on(server, tmp_path):
    content = World(columns=60, rows=40).whole()

    def drip(handler):
        answer = a_file(content)(handler)
        if answer.status == 200:
            # The line stays open with only half of it through.
            answer.content, answer.length = answer.content[: len(content) // 2], len(content)
            handler.wfile = _Dripping(handler.wfile)
        return answer

    server.plan("/x.osm", drip)
    arguments = words(server, tmp_path, f"--extract={server.address}/x.osm")
    part = tmp_path / "down" / ".part-x.osm"
    process = start(arguments)
    wait_for(lambda: part.exists() and part.stat().st_size >= len(content) // 4)
    kill(process)
    assert not (tmp_path / "down" / "x.osm").exists()
    size = part.stat().st_size
    assert main(arguments) == 0
    asked = [headers.get("Range") for path, headers in server.requests if path == "/x.osm"]
    assert asked == [None, f"bytes={size}-"]
    assert (tmp_path / "down" / "x.osm").read_bytes() == content


class _Dripping:
    """A stream that stops after what it was given, without closing."""

    def __init__(self, stream):
        self.stream = stream

    def write(self, content):
        self.stream.write(content)
        self.stream.flush()
        if len(content) > 10_000:
            time.sleep(2)

    def flush(self):
        self.stream.flush()

    def close(self):
        self.stream.close()

    @property
    def closed(self):
        return self.stream.closed


def test_a_build_killed_anywhere_leaves_no_half_city(tmp_path):
    source = tmp_path / "some.osm"
    source.write_bytes(WORLD.whole())
    out = tmp_path / "cities" / "city"
    given = [f"--{layer}={source}" for layer in ("streets", "units", "population", "facilities")]
    arguments = ["build", "--name", "小城", *given, "--out", str(out)]

    def scratch():
        return list(out.parent.glob(".city.new-*"))

    def files():
        return [path for folder in scratch() for path in folder.iterdir()]

    # At the first moments of the save, in its middle, towards its end.
    for wanted in (0, 2, 5):
        process = start(arguments)
        wait_for(lambda most=wanted: (scratch() and len(files()) >= most) or out.exists())
        kill(process)
        assert _whole_or_absent(out)
    # At moments that the save knows nothing of.
    for _ in range(2):
        process = start(arguments)
        time.sleep(np.random.default_rng().uniform(0.5, 2.5))
        kill(process)
        assert _whole_or_absent(out)
    assert main(arguments) == 0
    assert City.open(out).name == "小城"
    assert [path.name for path in out.parent.iterdir()] == ["city"]


def _whole_or_absent(out):
    """Whether a city can be opened, with every checksum right, or is not there at all."""
    return not out.exists() or City.open(out).name == "小城"
