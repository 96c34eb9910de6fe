"""What README and docs tell to type: the blocks of code, and a place to type them in."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from layers import embedded
from layers.embedded import default_cache
from layers.sources.modelled import MODEL_VERSION

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
]
_PATIENCE_S = 120

_FENCE = re.compile(
    r"(?:^<!-- (?P<mark>[\w-]+) -->\n)?^```(?P<lang>\w*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

_PLANNER = """#!/usr/bin/env bash
# What a reader types as `planner`. A server answers once and stops; a report is computed
# whole but written as JSON alone unless the page says in which formats: tests/planner/report
# reads all of them back.
if [ "$1" = serve ]; then exec "{python}" -m tests.documents "$@"; fi
case "$*" in
  report*--format*) ;;
  report*) set -- "$@" --format json ;;
esac
exec "{python}" -m planner.cli "$@"
"""


@dataclass(frozen=True)
class Block:
    """A block of code of a page, by its mark where it has one."""

    page: str
    mark: str
    lang: str
    code: str
    line: int

    def __str__(self):
        return f"{self.page}:{self.line}"


def blocks(page):
    """Return the blocks of a page in their order."""
    whole = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            page,
            found["mark"] or "",
            found["lang"],
            found["code"],
            whole.count("\n", 0, found.start("lang")) + 1,
        )
        for found in _FENCE.finditer(whole)
    ]


def block(page, mark):
    """Return the code behind a mark."""
    found = [one.code for one in blocks(page) if one.mark == mark]
    assert len(found) == 1, f"{page} has {len(found)} blocks {mark}"
    return found[0]


def shell(folder, commands, **environment):
    """Run commands as a page has them, with this program."""
    tools = folder / ".venv" / "bin"
    if not tools.exists():
        tools.mkdir(parents=True)
        (tools / "planner").write_text(_PLANNER.format(python=sys.executable), encoding="utf-8")
        (tools / "planner").chmod(0o755)
        # By a script, for a link to the interpreter would forget its packages.
        python = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
        (tools / "python").write_text(python, encoding="utf-8")
        (tools / "python").chmod(0o755)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "PATH": os.pathsep.join([str(tools), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            **environment,
        },
    )


def small_cache(folder):
    """Make a cache in which the embedded city of any page is the small one."""
    city = embedded("small").path
    real = default_cache()
    cache = folder / "coverage-planner"
    cache.mkdir(parents=True)
    for entry in real.iterdir():
        if not entry.name.startswith("hangzhou-"):
            (cache / entry.name).symlink_to(entry)
    for size in ("small", "city", "full"):
        shutil.copytree(city, cache / f"hangzhou-{size}-{MODEL_VERSION}")
    return folder


def serve_once(arguments):
    """Serve on a free port until the first page has come, then stop."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "planner.cli", *arguments, "--port", str(port)]
    with subprocess.Popen(command) as server:
        try:
            end = time.monotonic() + _PATIENCE_S
            while server.poll() is None and time.monotonic() < end:
                with (
                    suppress(URLError, ConnectionError),
                    urlopen(f"http://127.0.0.1:{port}/", timeout=_PATIENCE_S) as page,
                ):
                    return 0 if b"<html" in page.read().lower() else 1
                time.sleep(0.2)
            return 1
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.exit(serve_once(sys.argv[1:]))
