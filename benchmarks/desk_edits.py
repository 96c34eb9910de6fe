"""Edits in the desk's view of siting: how soon the figures follow, and what memory they leave."""

from __future__ import annotations

import statistics
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from selenium.webdriver import ActionChains

EVERY = """
const every = (root) => [...root.querySelectorAll("*")].flatMap(
  (one) => one.shadowRoot ? [one, ...every(one.shadowRoot)] : [one]);
const all = every(document);
const seen = (one) => one.checkVisibility();
"""
FRAME = EVERY + ("return all.find((one) => one.matches('.box:not(.blank) > iframe') && seen(one));")
FIGURES = EVERY + (
    "return all.find((one) => one.dataset.figure === 'gap' && seen(one))?.textContent;"
)
BUTTON = EVERY + (
    "const found = all.find((one) => one.matches('button, .bk-btn') && seen(one)"
    " && !one.disabled && one.textContent.trim() === arguments[0]);"
    "if (found && arguments[1]) found.click(); return !!found;"
)
# Notes, within the page, when the map or a button says something and when figures change.
WATCH = (
    EVERY
    + """
const root = all.find((one) => one.dataset.figure === "gap" && seen(one)).getRootNode();
const figures = () => root.querySelector("[data-figure=gap]")?.textContent
  + root.querySelector("[data-figure=served]")?.textContent;
const noted = window.edits = {said: null, took: null, what: null};
window.addEventListener("message", (event) => {
  const kind = event.data && event.data.kind;
  if (["drag", "drop", "click"].includes(kind) && noted.armed && noted.said === null) {
    noted.said = performance.now(); noted.what = kind;
  }
});
document.addEventListener("click", () => {
  if (noted.armed && noted.said === null) { noted.said = performance.now(); noted.what = "button"; }
}, true);
window.arm = () => Object.assign(noted, {armed: true, said: null, took: null, before: figures()});
const look = () => {
  if (noted.armed && noted.said !== null && figures() !== noted.before) {
    noted.armed = false;
    const said = noted.said;
    requestAnimationFrame(() => { noted.took = performance.now() - said; });
  }
  setTimeout(look, 2);
};
look();
"""
)
MAP = """
const name = Object.keys(window).find((one) => /^map_[0-9a-f]{32}$/.test(one));
const map = window[name];
"""
PIN = MAP + (
    "let at = null; map.eachLayer((one) => { if (one.options.title === arguments[0])"
    " { const p = map.latLngToContainerPoint(one.getLatLng()); at = [p.x, p.y]; } }); return at;"
)
PATIENCE = 2.0
WARM = 30
"""Edits before memory is weighed first: libraries, caches and the browser's own settle."""


def edit(driver: Any, address: str, service: str, count: int, server: int) -> None:
    """Open, drag, close and take back facilities, and print how long the figures took.

    Parameters
    ----------
    driver
        Of a browser.
    address, service
        Of the desk, and what is edited.
    count
        How many edits are measured, after some that warm up.
    server
        Id of the server's process.
    """
    driver.get(f"{address}?tab=siting&service={service}&lang=en")
    wait(lambda: driver.execute_script(FIGURES), 120)
    wait(lambda: driver.execute_script(FRAME), 60)
    time.sleep(2)
    driver.execute_script(WATCH)
    hand = _Hand(driver)
    hand.round(WARM)
    before = weigh(driver, server)
    hand.took.clear()
    begun = time.perf_counter()
    hand.round(count)
    seconds = time.perf_counter() - begun
    after = weigh(driver, server)
    print(f"{count} edits of {service} in {seconds:.0f} s, {hand.unmoved} left every figure alone")
    for kind, took in hand.took.items():
        took.sort()
        print(
            f"  {kind}: median {statistics.median(took):.0f} ms, 95th percentile"
            f" {took[int(len(took) * 0.95)]:.0f} ms, worst {took[-1]:.0f} ms of {len(took)}"
        )
    for name, held in before.items():
        change = after[name] / held - 1
        print(f"  {name}: {held / 2**20:.1f} → {after[name] / 2**20:.1f} MiB ({change:+.1%})")


class _Hand:
    """A pointer that edits."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.took: dict[str, list[float]] = {}
        self.unmoved = 0
        self._number = 0
        self._size = driver.execute_script(FRAME).size

    def round(self, count: int) -> None:
        """Make so many edits: one is opened, dragged, dropped, undone and redone, and closed."""
        done = 0
        while done < count:
            x = self._size["width"] * (0.25 + 0.02 * (self._number % 11))
            y = self._size["height"] * (0.50 + 0.03 * (self._number % 7))
            self._number += 1
            self.press("Add")
            self.measured("added", lambda x=x, y=y: self.at(x, y).click().perform())
            self.drag(x, y)
            for name, kind in (("↶ Undo", "undone"), ("↷ Redo", "redone")):
                self.measured(kind, lambda name=name: self.press(name))
            # What was opened last is still the chosen one.
            self.measured("closed", lambda: self.press("Close it"))
            while self.driver.execute_script(BUTTON, "↶ Undo", False):
                self.measured("undone", lambda: self.press("↶ Undo"))
                done += 1
            done += 5

    def drag(self, x: float, y: float) -> None:
        """Drag the pin at a place in steps and let it go."""
        chain = self.at(x, y - 15)
        chain.click_and_hold().perform()
        for step in range(4):
            by = ActionChains(self.driver, duration=0).move_by_offset(14, 9 * (-1) ** step)
            self.measured("dragged", by.perform)
        ActionChains(self.driver, duration=0).move_by_offset(10, 3).perform()
        self.measured("dropped", ActionChains(self.driver, duration=0).release().perform)

    def measured(self, kind: str, act: Any) -> None:
        """Act, and note how long the figures took to follow."""
        self.driver.execute_script("window.arm();")
        act()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            took = self.driver.execute_script("return window.edits.took;")
            if took is not None:
                # A button is shown as it is now a moment after the figures.
                time.sleep(0.05)
                self.took.setdefault(kind, []).append(took)
                return
            time.sleep(0.004)
        self.unmoved += 1

    def press(self, name: str) -> None:
        """Press a button; one that stays off, as after a click that opened nothing, is let be."""
        with suppress(TimeoutError):
            wait(lambda: self.driver.execute_script(BUTTON, name, True), PATIENCE)

    def at(self, x: float, y: float) -> ActionChains:
        """Put a pointer over a place of the map, in pixels."""
        frame = self.driver.execute_script(FRAME)
        return ActionChains(self.driver, duration=0).move_to_element_with_offset(
            frame, x - self._size["width"] / 2, y - self._size["height"] / 2
        )


def wait(probe: Any, seconds: float) -> Any:
    """Wait until a probe finds something."""
    end = time.monotonic() + seconds
    while True:
        with suppress(Exception):
            if found := probe():
                return found
        if time.monotonic() > end:
            raise TimeoutError(probe)
        time.sleep(0.02)


def weigh(driver: Any, server: int) -> dict[str, float]:
    """Bytes that the server and the browser hold, after rubbish has been collected."""
    driver.execute_cdp_cmd("HeapProfiler.enable", {})
    for _ in range(3):
        driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        time.sleep(0.5)
    driver.execute_cdp_cmd("Performance.enable", {})
    told = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    metrics = {one["name"]: one["value"] for one in told}
    # Chromedriver began the browser, which began a process for every page and frame.
    own = set(below(driver.service.process.pid))
    return {
        "server": private(server),
        "browser": sum(private(one) for one in own),
        "page's scripts": metrics["JSHeapUsedSize"],
    }


def below(pid: int) -> list[int]:
    """Ids of the processes that one has begun, and those below."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            for child in (task / "children").read_text().split():
                found += [int(child), *below(int(child))]
    return found


def private(pid: int) -> float:
    """Bytes of memory that are a process's own part."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1]) * 1024
    return 0.0
