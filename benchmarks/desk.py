"""The desk in a real browser on a modelled city: how long a planner waits, and for how much.

    python benchmarks/desk.py full --slides 60
    python benchmarks/desk.py full --edits 200

Serves the city in a process of its own, opens it in headless Chromium and measures: the
first map after the server is warm, the slider until new figures stand on the page, tiles as
the browser sees them, and the bytes of the first view. With ``--edits`` it works in the view
of siting instead: facilities opened, dragged, closed and taken back by the pointer, how long
the figures take to follow, and the memory of server and browser before and after. Only
loopback is used.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from desk_edits import edit
from selenium import webdriver

SERVE = """
import sys
from layers import embedded
from planner.desk import serve
serve(embedded(sys.argv[1]), port=int(sys.argv[2]), address="127.0.0.1")
"""
FLAGS = (
    "headless no-sandbox disable-gpu no-first-run disable-background-networking"
    " disable-component-update disable-sync"
)
EVERY = """
const every = (root) => [...root.querySelectorAll("*")].flatMap(
  (one) => one.shadowRoot ? [one, ...every(one.shadowRoot)] : [one]);
const all = every(document);
"""
RATE = EVERY + "return all.find((one) => one.dataset.figure === 'rate')?.textContent;"
FRAME = EVERY + "return all.find((one) => one.matches('.box:not(.blank) > iframe'));"
# Moves the slider and waits, within the page, until other figures stand there.
SLIDE = (
    EVERY
    + """
const done = arguments[1];
const range = all.find((one) => one.matches("input[type=range]"));
const pane = all.find((one) => one.dataset.figure === "served").getRootNode();
const served = () => pane.querySelector("[data-figure=served]").textContent;
const before = served(), begun = performance.now();
range.value = arguments[0];
range.dispatchEvent(new Event("input", {bubbles: true}));
const look = () => {
  if (served() !== before) requestAnimationFrame(() => done(performance.now() - begun));
  else if (performance.now() - begun > 5000) done(-1);
  else setTimeout(look, 2);
};
look();
"""
)
DRAWN = """
const canvases = [...document.querySelectorAll("[data-layer=field] .leaflet-tile-loaded")];
const whole = [...document.querySelectorAll("[data-layer=field] canvas")];
return whole.length > 0 && canvases.length === whole.length;
"""
TILES = """
return performance.getEntriesByType("resource").filter((one) => one.name.includes("/tiles/"))
  .map((one) => [one.name, one.responseStart ? one.responseEnd - one.requestStart : one.duration,
    one.transferSize]);
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", nargs="?", default="full", choices=["small", "city", "full"])
    parser.add_argument("--slides", type=int, default=60)
    parser.add_argument("--edits", type=int, help="edits in the view of siting, nothing else")
    parser.add_argument("--service", default="menopause_clinic", help="that is edited")
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        # Nobody's own scenarios are touched.
        environment = {**os.environ, "PLANNER_STORE": str(Path(folder) / "store.sqlite")}
        command = [sys.executable, "-c", SERVE, options.size, str(port)]
        with subprocess.Popen(command, env=environment) as server:
            try:
                address = f"http://127.0.0.1:{port}/"
                if options.edits:
                    wait_for(address)
                    with browser(Path(folder) / "edits") as driver:
                        edit(driver, address, options.service, options.edits, server.pid)
                else:
                    measure(address, options.slides)
            finally:
                server.terminate()


def measure(address: str, slides: int) -> None:
    """Open the desk twice, the second time with a warm server, and measure that."""
    wait_for(address)
    with tempfile.TemporaryDirectory() as folder:
        with browser(Path(folder) / "one") as driver:
            first_map(driver, address)
        with browser(Path(folder) / "two") as driver:
            seconds, drawn = first_map(driver, address)
            print(f"first figures {seconds:.2f} s, first map whole {drawn:.2f} s after the address")
            weigh(driver)
            tiles(driver)
            slide(driver, slides)


def wait_for(address: str) -> None:
    """Wait until the server answers."""
    while True:
        with suppress(URLError, ConnectionError), urlopen(address) as page:  # noqa: S310
            page.read()
            return
        time.sleep(0.5)


def browser(profile: Path) -> webdriver.Chrome:
    """Start a headless browser with an empty profile."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS.split(), "window-size=1280,720", f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService("/usr/bin/chromedriver")
    )
    driver.set_script_timeout(60)
    return driver


def first_map(driver: webdriver.Chrome, address: str) -> tuple[float, float]:
    """Seconds from the address to figures, and to every tile of the streets drawn."""
    begun = time.perf_counter()
    driver.get(address)
    while not driver.execute_script(RATE):
        time.sleep(0.02)
    figures = time.perf_counter() - begun
    while True:
        with suppress(Exception):
            driver.switch_to.frame(driver.execute_script(FRAME))
            if driver.execute_script(DRAWN):
                break
        driver.switch_to.default_content()
        time.sleep(0.05)
    driver.switch_to.default_content()
    return figures, time.perf_counter() - begun


def weigh(driver: webdriver.Chrome) -> None:
    """Print what was transferred for the first view."""
    total, sockets, largest = 0.0, 0.0, []
    asked = {}
    for line in driver.get_log("performance"):
        message = json.loads(line["message"])["message"]
        inner = message["params"]
        if message["method"] == "Network.requestWillBeSent":
            asked[inner["requestId"]] = inner["request"]["url"]
        elif message["method"] == "Network.loadingFinished":
            url = asked.get(inner["requestId"], "")
            if url.startswith("http"):
                total += inner["encodedDataLength"]
                largest.append((inner["encodedDataLength"], url))
        elif message["method"] == "Network.webSocketFrameReceived":
            sockets += len(inner["response"]["payloadData"].encode())
    in_frame = sum(size for _, _, size in seen(driver))
    largest.sort(reverse=True)
    print(
        f"first view {(total + sockets + in_frame) / 1e6:.2f} MB, of which the map's tiles"
        f" {in_frame / 1e6:.2f} MB, messages {sockets / 1e6:.2f} MB"
    )
    for size, url in largest[:8]:
        print(f"  {size / 1e3:8.0f} kB {url.split('?')[0][-60:]}")


def seen(driver: webdriver.Chrome) -> list[tuple[str, float, float]]:
    """Tiles that the frame has loaded, with milliseconds and bytes."""
    driver.switch_to.frame(driver.execute_script(FRAME))
    try:
        return [tuple(row) for row in driver.execute_script(TILES)]
    finally:
        driver.switch_to.default_content()


def tiles(driver: webdriver.Chrome) -> None:
    """Ask for tiles that nobody asked for before, one after the other, and print the times."""
    name = next(url for url, _, _ in seen(driver) if "wgs84" in url and "?" not in url)
    head, datum, *_ = name.partition("/wgs84/")
    times = {}
    for zoom in range(8, 18):
        span = 2**zoom
        x, y = int((120.2 / 360 + 0.5) * span), int(0.41224 * span)
        took = []
        for dx in (0, 1):
            for sharp in ("", "@2x"):
                begun = time.perf_counter()
                with urlopen(f"{head}{datum}{zoom}/{x + dx}/{y}{sharp}") as tile:  # noqa: S310
                    tile.read()
                took.append((time.perf_counter() - begun) * 1000)
        times[zoom] = took
    every = sorted(value for took in times.values() for value in took)
    worst = {zoom: round(max(took)) for zoom, took in times.items()}
    print(
        f"tiles, one at a time: median {statistics.median(every):.0f} ms,"
        f" 95th percentile {every[int(len(every) * 0.95)]:.0f} ms, worst by zoom {worst}"
    )


def slide(driver: webdriver.Chrome, count: int) -> None:
    """Move the slider step by step and print how long the figures took."""
    took = [driver.execute_async_script(SLIDE, 5 + (number * 7) % 80) for number in range(count)]
    took = sorted(value for value in took if value >= 0)
    print(
        f"slider to figures: median {statistics.median(took):.0f} ms,"
        f" 95th percentile {took[int(len(took) * 0.95)]:.0f} ms of {len(took)} moves"
    )


if __name__ == "__main__":
    main()
