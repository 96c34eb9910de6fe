"""How long one desk waits for its slider while another looks at a table of the largest size.

    python benchmarks/preview.py small --rows 200000

Serves the modelled city in a process of its own. One desk moves its slider all the time; at
another a table of so many rows is handed in, looked at and written as a city. Measured
is the slider's answer, by what the other desk is at. Only loopback is used.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import numpy as np
from load import Desk, memory_of, wait_for

from layers import embedded
from layers.sources.uploads import USUAL

PIECE = 384 * 1024
SAVE = (
    "import sys; from layers import City; from planner.desk import serve;"
    "serve(City.open(sys.argv[1]), port=int(sys.argv[2]), address='127.0.0.1')"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", nargs="?", default="small", choices=["small", "city", "full"])
    parser.add_argument("--rows", type=int, default=USUAL.rows)
    parser.add_argument("--patience", type=float, default=280.0, help="seconds in all")
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    city = embedded(options.size)
    content = table_of(city, options.rows)
    rows = content.count(b"\n")
    print(f"{len(content) / 2**20:.0f} MB, {rows:,} rows, {options.size}")
    with tempfile.TemporaryDirectory() as folder:
        place = city.save(Path(folder) / "city").path
        log = Path(folder) / "log"
        own = {"PLANNER_STORE": f"{folder}/store.sqlite", "PLANNER_CITIES": f"{folder}/cities"}
        with log.open("wb") as out:
            server = subprocess.Popen(
                [sys.executable, "-c", SAVE, str(place), str(port)],
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **own},
            )
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_for(url, server)
            watch = Watch(url, server.pid, options.patience)
            asyncio.run(watch.run(content))
            watch.tell()
            print(log.read_text()[-2000:])
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(15)
            server.kill()


def table_of(city, count: int) -> bytes:  # noqa: ANN001 - a city
    """Make a table of places about the middles of streets."""
    chance = np.random.default_rng(1)
    metric = city.streets.geometry.to_crs(city.crs)
    middles = metric.interpolate(0.5, normalized=True).to_crs(4326)
    rows = chance.integers(0, len(middles), count)
    lon = middles.x.to_numpy()[rows] + chance.normal(0, 0.0005, count)
    lat = middles.y.to_numpy()[rows] + chance.normal(0, 0.0005, count)
    lines = [
        f"{n:07d}号照料中心,{x:.6f},{y:.6f}" for n, (x, y) in enumerate(zip(lon, lat, strict=True))
    ]
    return ("名称,经度,纬度\n" + "\n".join(lines) + "\n").encode()


class Watch:
    """A desk that slides, and one that hands in."""

    def __init__(self, url: str, pid: int, patience: float) -> None:
        self.url, self.pid, self.patience = url, pid, patience
        self.phase, self.begun = "nothing", time.perf_counter()
        self.times: dict[str, list[float]] = defaultdict(list)
        self.spans: dict[str, float] = {}
        self.memory = 0.0

    async def run(self, content: bytes) -> None:
        """Slide all the while."""
        slider = Desk(self.url)
        await slider.open()
        await slider.until_figures(0)
        sliding = asyncio.ensure_future(self.slide(slider))
        await asyncio.sleep(8)
        try:
            await asyncio.wait_for(self.hand_in(content), self.patience)
        except TimeoutError:
            print("not done in time, at:", self.phase)
        sliding.cancel()
        slider.reading.cancel()

    async def hand_in(self, content: bytes) -> None:
        """Hand the table in, wait for its preview, and have the city written."""
        opened = Teller(f"{self.url}?tab=data&part=import&service=home_care_centre", self.url)
        self.begin("opening")
        await opened.open()
        zone = await opened.wait(lambda: opened.models.get("Dropzone"))
        await asyncio.sleep(3)
        self.begin("sending")
        await opened.message(zone[0][0], begin="表.csv", size=len(content))
        for at in range(0, len(content), PIECE):
            piece = base64.b64encode(content[at : at + PIECE]).decode()
            heard = opened.heard
            await opened.message(zone[0][0], at=at, piece=piece)
            await opened.wait(lambda heard=heard: opened.heard > heard)
        self.begin("looking")
        await opened.wait(lambda: "placed" in opened.words)
        self.begin("shown")
        await asyncio.sleep(5)
        self.begin("writing")
        await opened.press("写成新城市")
        await opened.wait(lambda: "已写成" in opened.words)
        self.begin("written")
        await asyncio.sleep(3)
        self.begin("end")
        opened.reading.cancel()

    def begin(self, phase: str) -> None:
        """Tell what is being done from now on."""
        now = time.perf_counter()
        self.spans[self.phase] = now - self.begun
        self.phase, self.begun = phase, now

    async def slide(self, desk: Desk) -> None:
        """Move the slider to and fro."""
        chance = random.Random(1)  # noqa: S311 - where to
        form = desk.models["Form"][0][0]
        number = 0
        while True:
            number += 1
            message = {"name": "cutoff", "value": chance.randrange(5, 60), "final": False}
            key = f"s{number}"
            phase = self.phase
            took = await desk.act(form, {**message, "serial": key}, key)
            self.times[phase].append(took)
            self.memory = max(self.memory, memory_of(self.pid))
            await asyncio.sleep(0.1)

    def tell(self) -> None:
        """Print the table."""
        print(
            f"{'the other desk':<16}{'s':>7}{'slides':>8}{'median ms':>11}{'p95 ms':>9}{'worst':>8}"
        )
        for phase, found in self.times.items():
            ordered = sorted(found)
            p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
            took = self.spans.get(phase, 0.0)
            print(
                f"{phase:<16}{took:>7.1f}{len(found):>8}{statistics.median(ordered) * 1e3:>11.0f}"
                f"{p95 * 1e3:>9.0f}{ordered[-1] * 1e3:>8.0f}"
            )
        print(f"memory at most {self.memory:.2f} GiB")


class Teller(Desk):
    """A desk whose words are kept."""

    def __init__(self, url: str, origin: str) -> None:
        super().__init__(origin)
        self.page, self.words, self.heard = url, "", 0
        self.labels: dict[str, str] = {}

    async def open(self) -> None:
        """As a desk, at a page of its own."""
        import load  # noqa: PLC0415 - its own

        usual, page = load.page_of, self.page
        load.page_of = lambda _url: usual(page)
        try:
            await super().open()
        finally:
            load.page_of = usual

    def note(self, value: object) -> None:
        """Keep words and buttons too."""
        if isinstance(value, dict):
            held = value.get("attributes")
            if isinstance(held, dict) and isinstance(held.get("label"), str):
                self.labels[held["label"]] = value["id"]
            if value.get("kind") == "ModelChanged" and value.get("attr") == "label":
                self.labels[str(value["new"])] = value["model"]["id"]
            if "kind" in value:
                self.heard += 1
                if value.get("attr") in {"text", "object"}:
                    self.words += str(value.get("new"))
        super().note(value)

    async def wait(self, condition):  # noqa: ANN001, ANN201 - anything
        """Wait until something holds."""
        while not (found := condition()):  # noqa: ASYNC110 - of many kinds
            await asyncio.sleep(0.01)
        return found

    async def message(self, model: str, **data: object) -> None:
        """Send a message to a component."""
        told = {"type": "map", "entries": list(data.items())}
        await self.happen("data_event", {"model": {"id": model}, "data": told})

    async def press(self, label: str) -> None:
        """Press a button."""
        await self.happen("button_click", {"model": {"id": self.labels[label]}})


if __name__ == "__main__":
    main()
