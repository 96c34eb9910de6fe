"""What stands around a map: title, legend, scale, north, zoom, sources."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from layers.messages import Language, text
from planner.maps import words
from planner.maps.assets import Fragment, LocalMap, Script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.coverage import Coverage
    from planner.standards import Standard


@dataclass(frozen=True)
class Entry:
    """A line of the legend.

    Attributes
    ----------
    swatch
        SVG of the sign, or nothing for a remark that stands below the signs.
    words
        What it means, as plain text.
    view
        ``far`` or ``near`` where it is true of one of them alone.
    """

    swatch: str
    words: str
    view: str = ""


def line(colour: str, *, width: float = 3) -> str:
    """Swatch of a line."""
    return _svg(f'<path d="M1 7H23" stroke="{colour}" stroke-width="{width}"/>')


def patch(colour: str) -> str:
    """Swatch of an area."""
    box = f'<rect x="3" y="2" width="18" height="10" fill="{colour}" stroke="#77777a" '
    return _svg(box + 'stroke-width=".7"/>')


def dot(colour: str, *, radius: float = 5, ring: str = "none", opacity: float = 1) -> str:
    """Swatch of a dot."""
    side = max(14.0, 2 * radius + 2)
    circle = f'<circle cx="12" cy="{side / 2}" r="{radius}" fill="{colour}" stroke="{ring}" '
    return _svg(circle + f'stroke-width="1.5" fill-opacity="{opacity}"/>', height=side)


def add_legend(page: LocalMap, title: str, entries: Sequence[Entry]) -> None:
    """Add a legend below the map, where it hides nothing.

    Parameters
    ----------
    page
        The map.
    title
        Its heading, as plain text.
    entries
        Its lines; remarks come last.
    """
    html = legend_html(title, entries)
    strip = Fragment(f'<div class="strip legend">{html}</div>')
    page.figure.html.add_child(strip, name="legend")


def legend_html(title: str, entries: Sequence[Entry]) -> str:
    """Write a legend; see `add_legend`."""
    signs = "".join(
        f'<div class="{entry.view}">{entry.swatch}<span>{escape(entry.words)}</span></div>'
        for entry in entries
        if entry.swatch
    )
    remarks = "".join(
        f'<p class="{entry.view}">{escape(entry.words)}</p>'
        for entry in entries
        if not entry.swatch
    )
    return f"<h4>{escape(title)}</h4>{signs}{remarks}"


def add_frame(page: LocalMap, result: Coverage, lang: Language) -> None:
    """Add title with standard and labels, sources, scale bar, zoom buttons and north.

    Parameters
    ----------
    page
        The map.
    result
        What the map shows.
    lang
        Language.
    """
    head = head_html(result, lang)
    foot = sources(result, lang)
    html = page.figure.html
    html.add_child(Fragment(f'<div class="strip head">{head}</div>'), name="head")
    html.add_child(
        Fragment(f'<div class="strip foot" title="{escape(foot)}"><div>{escape(foot)}</div></div>'),
        name="foot",
    )
    page.add_child(
        Script(_FRAME, zoom_in=text("map.zoom_in", lang), zoom_out=text("map.zoom_out", lang))
    )
    north = (
        '<svg width="16" height="20" viewBox="0 0 16 20" aria-hidden="true">'
        '<path d="M8 0 14 19 8 15 2 19Z" fill="#333"/></svg>'
        f"<br>{words.said('map.north', lang)}"
    )
    page.add_child(Script(_CORNER, html=north, kind="north", position="topright"))


def head_html(result: Coverage, lang: Language, standard: Standard | None = None) -> str:
    """Write what a map shows: service, standard, group, year, and what the data are.

    Parameters
    ----------
    result
        What the map shows.
    lang
        Language.
    standard
        What counts as served, if not what the result says.
    """
    standard = standard or result.standard
    group = words.said(f"group.{standard.group}", lang)
    return (
        f"<b>{escape(result.service.title(lang))}</b>"
        f"<span>{escape(standard.words(lang))}</span>"
        f"<span>{group}</span>"
        f"<span>{escape(words.moment(result.year, lang))}</span>{words.badges(result, lang)}"
    )


def sources(result: Coverage, lang: Language) -> str:
    """Tell the sources of the layers with their dates, as plain text."""
    layers: dict[str, list[str]] = {}
    for key, entry in result.city.provenance.items():
        date = f" ({entry.date})" if entry.date else ""
        layers.setdefault(entry.source + date, []).append(text(f"layer.{key}", lang))
    comma = "、" if lang == "zh" else ", "
    told = [f"{comma.join(names)} {source}" for source, names in layers.items()]
    city = result.city.name_en if lang == "en" else result.city.name
    return text("map.sources", lang, city=city, found="; ".join(told))


def _svg(inner: str, *, height: float = 14) -> str:
    size = f'width="24" height="{height:g}" viewBox="0 0 24 {height:g}"'
    return f'<svg {size} fill="none" aria-hidden="true">{inner}</svg>'


_CORNER = """
var corner = L.control({position: data.position});
corner.onAdd = function () {
  var box = L.DomUtil.create("div", data.kind);
  box.innerHTML = data.html;
  L.DomEvent.disableClickPropagation(box).disableScrollPropagation(box);
  return box;
};
corner.addTo(map);
"""

_FRAME = """
L.control.zoom({zoomInTitle: data.zoom_in, zoomOutTitle: data.zoom_out}).addTo(map);
L.control.scale({imperial: false, maxWidth: 130}).addTo(map);
"""
