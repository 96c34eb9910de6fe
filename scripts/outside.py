"""Whether a folder of pages asks anything of another host when it is opened.

    python scripts/outside.py site

Links that a reader may follow are no matter; scripts, styles, pictures, fonts and frames are.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
# A link to a page is not loaded.
FOLLOWED = {"canonical", "next", "prev", "alternate", "author", "license"}
_IN_CSS = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)")


class Loads(HTMLParser):
    """What a page loads from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element loads."""
        told = dict(attrs)
        if set((told.get("rel") or "").split()) & FOLLOWED:
            return
        wanted = told.get(LOADS.get(tag, ""))
        if wanted and re.match(r"(https?:)?//", wanted):
            self.found.append(wanted)


def outside(folder: Path) -> list[str]:
    """List what pages and styles of a folder load from elsewhere."""
    found = []
    for path in sorted(folder.rglob("*.html")):
        page = Loads()
        page.feed(path.read_text(encoding="utf-8"))
        found += [f"{path}: {wanted}" for wanted in page.found]
    for path in sorted(folder.rglob("*.css")):
        style = path.read_text(encoding="utf-8")
        found += [f"{path}: {wanted}" for wanted in _IN_CSS.findall(style)]
    return found


def main() -> int:
    """Print what is loaded from elsewhere; 1 where anything is."""
    found = outside(Path(sys.argv[1]))
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
