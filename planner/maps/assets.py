"""Leaflet from the program's own installation, and the map that uses nothing else.

``panel serve`` wants the folder on its command line; this prints what it wants::

    panel serve app.py --static-dirs $(python -m planner.maps)
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folium
from jinja2 import Template

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUTE = "leaflet"
"""Below which the application serves Leaflet, relative to its page."""

STATIC_DIRS: Mapping[str, str] = {ROUTE: str(import_module("xstatic.pkg.leaflet").BASE_DIR)}
"""Folders that an application must serve for the maps to work, by route."""

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


class LocalMap(folium.Map):
    """Folium map whose page loads Leaflet from the application and nothing else.

    Parameters
    ----------
    bounds
        What it shows at first.
    fits
        Whether it fits itself to the bounds whenever its size changes.
    """

    def __init__(self, bounds: Bounds, *, fits: bool = True) -> None:
        west, south, east, north = bounds
        self.bounds = [[south, west], [north, east]]
        super().__init__(
            location=((south + north) / 2, (west + east) / 2),
            zoom_start=11,
            tiles=None,
            min_zoom=7,
            max_zoom=19,
            prefer_canvas=True,
            zoom_control=False,
            attribution_control=False,
            zoom_snap=0.25,
            zoom_delta=1,
        )
        localise(self)
        self.figure.header.add_child(Fragment(_STYLE), name="planner_style")
        if fits:
            self.add_child(Script(_FIT, bounds=self.bounds))

    @property
    def figure(self) -> Any:
        """The page that the map stands on."""
        return self.get_root()

    def html(self) -> str:
        """Write the page."""
        return str(self.figure.render())


def localise(page: folium.Map, *, inline: bool = False) -> None:
    """Make a folium map load Leaflet from here, and nothing from elsewhere.

    Parameters
    ----------
    page
        The map, which is changed.
    inline
        Whether the page carries Leaflet within it; otherwise the application serves it.
    """
    page.default_js = [] if inline else [("leaflet", f"{ROUTE}/leaflet.js")]
    page.default_css = [] if inline else [("leaflet_css", f"{ROUTE}/leaflet.css")]
    if inline:
        folder = Path(STATIC_DIRS[ROUTE])
        code = (folder / "leaflet.js").read_text(encoding="utf-8").partition("//# sourceMapping")[0]
        style = _IMAGE.sub(
            lambda found: f"url(data:image/png;base64,{_base64(folder / found[1])})",
            (folder / "leaflet.css").read_text(encoding="utf-8"),
        )
        root: Any = page.get_root()
        header = root.header
        header.add_child(Fragment(f"<style>{style}</style>"), name="leaflet_css")
        header.add_child(
            Fragment(f"<script>{code.replace(_END, _ESCAPED)}</script>"), name="leaflet_js"
        )


_END, _ESCAPED = "</script", "<\\/script"
_IMAGE = re.compile(r"url\((images/[\w.-]+\.png)\)")


def _base64(path: Path) -> str:
    return b64encode(path.read_bytes()).decode("ascii")


class Fragment(folium.Element):
    """Piece of HTML that stands in the page as it is.

    Parameters
    ----------
    html
        The piece; whoever makes it has escaped what came from data.
    """

    _template = Template("{{ this.html }}")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html


class Script(folium.MacroElement):
    """Piece of JavaScript run on the map.

    Parameters
    ----------
    code
        Body of a function of ``map`` and ``data``.
    data
        What ``data`` holds: plain values. They cannot break out of the script.
    """

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "(function (map, data) { {{ this.code }} })"
        "({{ this._parent.get_name() }}, {{ this.data }});"
        "{% endmacro %}"
    )

    def __init__(self, code: str, **data: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.code = code
        self.data = script_safe(data)


def script_safe(value: Any) -> str:
    """Write JSON that may stand within a script element.

    Examples
    --------
    >>> "<" in script_safe("</script>")
    False
    """
    made = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        made = made.replace(character, f"\\u{ord(character):04x}")
    return made


_STYLE = """<style>
html, body { height: 100%; margin: 0; overflow: hidden; }
body { display: flex; flex-direction: column; background: #f3f3f1; color: #222;
  font: 13px/1.45 "Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei",
    system-ui, sans-serif; }
.folium-map { flex: 1 1 auto; min-height: 0; height: auto !important; order: 1; z-index: 0; }
.folium-map.leaflet-container { background: #f3f3f1; font: inherit; }
.folium-map .leaflet-control-scale-line { font-size: 11px; line-height: 1.3; }
.leaflet-tooltip { font-size: 12px; line-height: 1.45; white-space: nowrap; }
.strip { flex: none; box-sizing: border-box; background: #fff; padding: 4px 10px; }
.strip.head { order: 0; border-bottom: 1px solid #d8d8d6; font-size: 13px; }
.strip.head b { margin-right: .5em; }
.strip.head span { color: #555; margin-right: .6em; }
.strip.foot { order: 3; color: #666; font-size: 10.5px; padding: 0 10px 4px; }
.strip.foot div { line-height: 14px; display: -webkit-box; -webkit-line-clamp: 3;
  -webkit-box-orient: vertical; overflow: hidden; overflow-wrap: anywhere; }
.badge { display: inline-block; padding: 0 7px; border-radius: 9px; background: #fff3cd;
  color: #5f4700; border: 1px solid #e0c56a; font-size: 11.5px; line-height: 17px; }
.strip.legend { order: 2; display: flex; flex-wrap: wrap; align-items: center; gap: 1px 14px;
  border-top: 1px solid #d8d8d6; font-size: 12px; }
.legend h4 { margin: 0; font-size: 12px; }
.legend div { display: flex; align-items: center; gap: 5px; white-space: nowrap; }
.legend svg { flex: none; }
.legend p { margin: 0; color: #555; font-size: 11px; line-height: 1.35; flex-basis: 100%; }
.north { background: rgba(255, 255, 255, .9); border-radius: 4px; padding: 3px 6px 1px;
  text-align: center; font-size: 11px; line-height: 1; }
.unit-label div { transform: translate(-50%, -50%); position: absolute; text-align: center;
  font-size: 12px; line-height: 1.3; color: #111; white-space: nowrap; padding: 1px 6px;
  border-radius: 3px; background: rgba(255, 255, 255, .86); }
</style>"""

_FIT = """
var moved = false, ours = false;
function fit() {
  var size = map.getSize();
  if (moved || !size.x || !size.y) return;
  ours = true; map.fitBounds(data.bounds, {animate: false, padding: [8, 8]}); ours = false;
}
map.on("movestart", function () { if (!ours) moved = true; });
new ResizeObserver(function () {
  ours = true; map.invalidateSize({animate: false}); ours = false; fit();
}).observe(map.getContainer());
fit();
"""
