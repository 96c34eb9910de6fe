"""Many desks at once on one server: how long each waits for its answer, and what it costs.

    python benchmarks/load.py city --desks 20 --seconds 120

Serves the modelled city in a process of its own and opens as many desks over the real
websocket protocol. For the first half of the time each moves the slider of the coverage
view, for the second it drags a facility in the siting view and lets it go now and then;
each waits for its answer, then for a moment as a hand does. Measured is the time from
sending an action to its answer. Only loopback is used.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from layers import embedded

SERVE = """
import sys
from layers import embedded
from planner.desk import serve
serve(embedded(sys.argv[1]), port=int(sys.argv[2]), address="127.0.0.1")
"""
SERVICE = "menopause_clinic"
MOST = 2**28
PATIENCE_S = 300.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", nargs="?", default="city", choices=["small", "city", "full"])
    parser.add_argument("--desks", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two actions")
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    facilities = embedded(options.size).facilities
    open_ = facilities[facilities["service"] == SERVICE]
    places = [(row.id, row.geometry.x, row.geometry.y) for row in open_.itertuples()]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        environment = {**os.environ, "PLANNER_STORE": f"{folder}/store.sqlite"}
        with log.open("wb") as out:
            server = subprocess.Popen(
                [sys.executable, "-c", SERVE, options.size, str(port)],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
            )
        try:
            load = Load(f"http://127.0.0.1:{port}/", server.pid, places, options)
            wait_for(f"http://127.0.0.1:{port}/", server)
            asyncio.run(load.run())
            load.tell(log.read_text())
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(15)
            server.kill()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    while True:
        if server.poll() is not None:
            raise SystemExit("the server has stopped")
        with suppress(URLError, ConnectionError), urlopen(f"{url}health", timeout=10):  # noqa: S310 - loopback
            return
        time.sleep(0.3)


def page_of(url: str) -> str:
    """Load a page."""
    with urlopen(url, timeout=120) as answer:  # noqa: S310 - loopback
        return answer.read().decode()


def memory_of(pid: int) -> float:
    """Memory that a process holds, in GiB."""
    told = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmRSS:\s+(\d+)", told)[1]) / 2**20


class Desk:
    """A desk as the server sees it: its socket, and what is needed of its document."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sent = 0
        self.models: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.answers: dict[object, asyncio.Future[None]] = {}
        self.figures = 0

    async def open(self) -> None:
        """Load the page and open its socket, as a browser does."""
        page = await asyncio.to_thread(page_of, self.url)
        token = re.search(r'"token":"([^"]+)"', page)[1]
        headers = {
            "Origin": self.url.rstrip("/"),
            "Sec-WebSocket-Protocol": f"bokeh, {token}",
        }
        asked = HTTPRequest(self.url.replace("http", "ws", 1) + "ws", headers=headers)
        self.socket = await websocket_connect(
            asked, subprotocols=["bokeh", token], max_message_size=MOST
        )
        await self.receive()
        await self.send("PULL-DOC-REQ", {})
        _, content = await self.receive()
        self.note(content["doc"])
        self.reading = asyncio.ensure_future(self.read())
        await self.happen("document_ready", {})

    async def send(self, kind: str, content: object) -> None:
        """Send a message: a header, no metadata, and the content."""
        for part in ({"msgid": uuid4().hex, "msgtype": kind}, {}, content):
            await self.socket.write_message(json.dumps(part))

    async def happen(self, name: str, values: dict[str, object]) -> None:
        """Send an event of a browser's."""
        told = {"type": "event", "name": name, "values": values}
        event = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": told}
        await self.send("PATCH-DOC", {"events": [event]})

    async def receive(self) -> tuple[dict[str, object], dict[str, object]]:
        """Read a whole message."""
        parts = [await self.socket.read_message() for _ in range(3)]
        if None in parts:
            raise ConnectionError("the server closed the socket")
        header = json.loads(parts[0])
        for _ in range(2 * header.get("num_buffers", 0)):
            await self.socket.read_message()
        return header, json.loads(parts[2])

    async def read(self) -> None:
        """Take note of everything that the server sends."""
        while True:
            header, content = await self.receive()
            if header["msgtype"] == "ERROR":
                raise RuntimeError(str(content))
            for event in content.get("events", ()):
                self.note(event)
                if "data-figure" in str(event.get("new", "")):
                    self.figures += 1

    def note(self, value: object) -> None:
        """Find models and answers anywhere in what was sent."""
        if isinstance(value, list):
            for one in value:
                self.note(one)
        elif isinstance(value, dict):
            held = value.get("attributes")
            if isinstance(held, dict) and "class_name" in held and "data" in held:
                self.models[held["class_name"]].append((value["id"], held["data"]["id"]))
            if isinstance(value.get("entries"), list):
                for entry in value["entries"]:
                    if isinstance(entry, list) and entry[0] == "answered":
                        waiting = self.answers.pop(entry[1], None)
                        if waiting is not None and not waiting.done():
                            waiting.set_result(None)
            for one in value.values():
                self.note(one)

    async def act(self, model: str, message: dict[str, object], key: object) -> float:
        """Send a message to a part of the page; the seconds until it is answered."""
        answered = self.answers[key] = asyncio.get_running_loop().create_future()
        begun = time.perf_counter()
        data = {"type": "map", "entries": list(message.items())}
        await self.happen("data_event", {"model": {"id": model}, "data": data})
        await asyncio.wait_for(answered, 60)
        return time.perf_counter() - begun

    async def until_figures(self, seen: int) -> None:
        """Wait until further figures stand on the page."""
        end = time.perf_counter() + PATIENCE_S
        while self.figures <= seen:
            if time.perf_counter() > end:
                raise TimeoutError("no figures come")
            await asyncio.sleep(0.02)


class Load:
    """Desks that are used at once."""

    def __init__(self, url, pid, places, options) -> None:  # noqa: ANN001 - as `main` has them
        self.url, self.pid, self.places, self.options = url, pid, places, options
        self.times: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []
        self.memory: list[float] = []
        self.cpu = 0.0
        self.changed = self.dragged = 0

    async def run(self) -> None:
        """Open all, use them, and sample the server's memory meanwhile."""
        first = Desk(self.url)
        # What all sessions share is computed once, by whoever comes first.
        await first.open()
        await first.until_figures(0)
        await self.to_siting(first)
        desks = [Desk(self.url) for _ in range(self.options.desks)]
        begun = time.perf_counter()
        await asyncio.gather(*(desk.open() for desk in desks))
        await asyncio.gather(*(one.until_figures(0) for one in desks))
        self.opened = time.perf_counter() - begun
        watching = asyncio.ensure_future(self.watch())
        before, begun = self.spent(), time.perf_counter()
        half = self.options.seconds / 2
        await asyncio.gather(*(self.slide(desk, number, half) for number, desk in enumerate(desks)))
        await asyncio.gather(*(self.drag(desk, number, half) for number, desk in enumerate(desks)))
        self.cpu = (self.spent() - before) / (time.perf_counter() - begun)
        watching.cancel()
        for desk in [first, *desks]:
            if desk.reading.done() and desk.reading.exception():
                self.errors.append(repr(desk.reading.exception()))
            desk.reading.cancel()
            desk.socket.close()
        await asyncio.sleep(0.5)

    async def slide(self, desk: Desk, number: int, seconds: float) -> None:
        """Move the slider of the coverage view to and fro."""
        chance = random.Random(number)  # noqa: S311 - when and where to
        form = desk.models["Form"][0][0]
        seen, before = desk.figures, desk.sent
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            desk.sent += 1
            value = chance.randrange(5, 60) if desk.sent % 10 else None
            key = f"{number}-{desk.sent}"
            message = {"name": "cutoff", "value": value, "final": desk.sent % 5 == 0, "serial": key}
            await self.timed("slider", desk.act(form, message, key))
            await asyncio.sleep(chance.uniform(0.5, 1.5) * self.options.pause)
        self.refuse_idle("slider", desk.figures - seen, desk.sent - before)

    async def to_siting(self, desk: Desk) -> str:
        """Open the siting view; gives its map."""
        there, seen = len(desk.models["MapBridge"]), desk.figures
        bar = desk.models["TopBar"][0][1]
        change = {"kind": "ModelChanged", "model": {"id": bar}, "attr": "tab", "new": "siting"}
        await desk.send("PATCH-DOC", {"events": [change]})
        end = time.perf_counter() + PATIENCE_S
        while len(desk.models["MapBridge"]) == there:
            if time.perf_counter() > end:
                raise TimeoutError("the siting view does not open")
            await asyncio.sleep(0.05)
        await desk.until_figures(seen)
        return desk.models["MapBridge"][-1][0]

    async def drag(self, desk: Desk, number: int, seconds: float) -> None:
        """Drag a facility about in the siting view and let it go now and then."""
        chance = random.Random(number)  # noqa: S311 - as above
        end = time.perf_counter() + seconds
        begun = time.perf_counter()
        try:
            bridge = await self.to_siting(desk)
        except TimeoutError as late:
            self.errors.append(repr(late))
            return
        self.times["siting view opened"].append(time.perf_counter() - begun)
        marker, lon, lat = self.places[number % len(self.places)]
        seen, before = desk.figures, desk.sent
        while time.perf_counter() < end:
            desk.sent += 1
            kind = "drag" if desk.sent % 8 else "drop"
            lon += chance.uniform(-0.003, 0.003)
            lat += chance.uniform(-0.003, 0.003)
            key = f"{number}-{desk.sent}"
            message = {"kind": kind, "marker": marker, "lon": lon, "lat": lat, "key": key}
            await self.timed(kind, desk.act(bridge, message, key))
            await asyncio.sleep(chance.uniform(0.5, 1.5) * self.options.pause)
        # A facility that serves as many from its new place leaves every figure as it was.
        self.changed += desk.figures - seen
        self.dragged += desk.sent - before

    def refuse_idle(self, what: str, changed: int, asked: int) -> None:
        """Count answers that bring no figures as errors."""
        if changed < asked / 2:
            self.errors.append(f"{what}: figures changed {changed} times for {asked} actions")

    async def timed(self, what: str, action) -> None:  # noqa: ANN001 - an awaitable of seconds
        """Keep how long an action took."""
        try:
            self.times[what].append(await action)
        except (TimeoutError, ConnectionError) as wrong:
            self.errors.append(f"{what}: {wrong!r}")

    async def watch(self) -> None:
        """Sample the server's memory."""
        while True:
            self.memory.append(memory_of(self.pid))
            await asyncio.sleep(1)

    def spent(self) -> float:
        """Seconds of processor that the server has used."""
        told = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")

    def tell(self, log: str) -> None:
        """Print the table."""
        errors = [line for line in log.splitlines() if "Traceback" in line or "ERROR" in line]
        print(f"{self.options.desks} desks, {self.options.seconds:g} s, {self.options.size}")
        print(f"all open after {self.opened:.1f} s; server {self.cpu:.2f} processors")
        third = max(1, len(self.memory) // 3)
        first, last = max(self.memory[:third]), max(self.memory[-third:])
        print(f"memory {first:.2f} GiB in the first third, {last:.2f} GiB in the last")
        print(f"{'action':<20}{'count':>7}{'median ms':>11}{'p95 ms':>9}{'worst ms':>10}")
        for what, found in self.times.items():
            ordered = sorted(found)
            p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
            middle = statistics.median(ordered)
            figures = f"{middle * 1e3:>11.0f}{p95 * 1e3:>9.0f}{ordered[-1] * 1e3:>10.0f}"
            print(f"{what:<20}{len(found):>7}{figures}")
        print(f"{self.changed} of {self.dragged} drags changed a figure")
        print(f"errors: {len(self.errors) + len(errors)}")
        for line in (self.errors + errors)[:10]:
            print("  ", line)


if __name__ == "__main__":
    main()
