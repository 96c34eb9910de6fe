"""Pictures of the desk for README and docs, taken of the modelled city in headless Chromium.

    python scripts/screenshots.py [NAME …] [--size small]

Serves the embedded city in a process of its own, opens each view by its address, and writes
docs/pictures/NAME.webp, small and without loss, for a colour that changes may change its
meaning. Only loopback is used, and everything to be seen is modelled: the pictures may be
published.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.planner.desk.chromium import chromium, serving, until  # noqa: E402 - after the path

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.planner.desk.chromium import Page

OUT = ROOT / "docs" / "pictures"
WIDE, HIGH = 1280, 720
_REST_S = 4.0
_LONG_S = 300.0

SERVE = """
import sys
from layers import embedded
from planner.desk import serve
serve(embedded(sys.argv[1]), port=int(sys.argv[2]), address="127.0.0.1")
"""
_FIGURE = "return all.some((one) => one.dataset.figure === 'rate' && seen(one));"
_ROWS = "return all.filter((one) => one.matches('.tabulator-row') && seen(one)).length;"
_REPORT = "return all.some((one) => one.matches('iframe[srcdoc]') && seen(one));"
_WORD = "return all.some((one) => seen(one) && one.textContent.includes(arguments[0]));"


def first_figures(page: Page) -> None:
    """Wait for figures and for the map beside them."""
    until(lambda: page.js(_FIGURE) and page.frame(), what="figures")


def suggestions(page: Page) -> None:
    """Let the model suggest sites and accept none."""
    first_figures(page)
    page.press("运行模型")
    patiently(lambda: page.js(_WORD, "全部采纳"), "suggestions")


def rows(page: Page) -> None:
    """Wait for a table."""
    patiently(lambda: page.js(_ROWS), "rows")


def report(page: Page) -> None:
    """Make the report of coverage and wait until it is shown."""
    page.press("生成报告")
    patiently(lambda: page.js(_REPORT), "the report")


VIEWS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "desk": ("service=menopause_clinic&year=2023", first_figures),
    "gap": ("service=menopause_clinic&year=2023&show=gap", first_figures),
    "district": ("service=menopause_clinic&year=2023&unit=330127&show=rates", first_figures),
    "place": (
        "service=mother_baby_room&year=2023&at=120.165,30.255&look=120.165,30.255,15",
        first_figures,
    ),
    "compare": ("service=menopause_clinic&year=2023&versus=year-2021", first_figures),
    "siting": ("tab=siting&service=menopause_clinic&year=2023", suggestions),
    "plan": ("tab=plan&until=2023&target=clinics_by_district", rows),
    "report": ("tab=report&kind=coverage&until=2023", report),
    "english": ("service=fitness_circle&year=2023&lang=en", first_figures),
}
"""What each picture shows: the address, and what to do and wait for."""


def patiently(probe: Callable[[], object], what: str) -> None:
    """Wait for what takes minutes."""
    end = time.monotonic() + _LONG_S
    while not probe():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.5)


def save(name: str, taken: bytes) -> None:
    """Write a picture."""
    OUT.mkdir(exist_ok=True)
    file = OUT / f"{name}.webp"
    Image.open(io.BytesIO(taken)).convert("RGB").save(file, lossless=True, quality=100, method=6)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1e3:.0f} kB")


def main() -> None:
    """Take the pictures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*VIEWS, "check")))
    parser.add_argument("--size", default="city", choices=["small", "city", "full"])
    options = parser.parse_args()
    wanted = options.names or [*VIEWS, "check"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if set(wanted) & set(VIEWS):
            with serving(SERVE, options.size, log=folder / "log") as address:
                for name in (one for one in wanted if one in VIEWS):
                    query, ready = VIEWS[name]
                    with chromium(folder / name, size=(WIDE, HIGH)) as page:
                        page.open(f"{address}?{query}", size=(WIDE, HIGH))
                        ready(page)
                        time.sleep(_REST_S)
                        save(name, page.driver.get_screenshot_as_png())
        if "check" in wanted:
            told = folder / "check.html"
            command = [sys.executable, "-m", "planner.cli", "check", "--html", str(told)]
            subprocess.run(command, check=True, cwd=ROOT, capture_output=True)  # noqa: S603
            with chromium(folder / "check", size=(WIDE, HIGH)) as page:
                page.open(told.as_uri(), size=(WIDE, HIGH))
                time.sleep(_REST_S)
                save("check", page.driver.get_screenshot_as_png())


if __name__ == "__main__":
    main()
