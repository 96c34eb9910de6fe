"""A report as one page of HTML: maps to move about in, and nothing asked of a network."""

from __future__ import annotations

import base64
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.maps import coverage_map
from planner.maps.assets import ROUTE, STATIC_DIRS, script_safe
from planner.report.model import Explorer, Paragraph, Picture, Table
from planner.report.outline import Captioned, Heading, outline
from planner.report.phrase import entry, phrase
from planner.report.values import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.messages import Language
    from planner.report.model import Report

_MOST_COORDINATES = 120_000
"""Of streets on a map: five services stand on one page."""
_SHORT = 25
"""A longer table scrolls within its own frame on the screen."""

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'"
)
"""What the browser is told to refuse: everything that is not in the page itself."""


def write_html(report: Report, pictures: Mapping[str, bytes], lang: Language) -> bytes:
    """Write a report as a page.

    Parameters
    ----------
    report
        The report.
    pictures
        PNG of each picture, by its key.
    lang
        Language.

    Returns
    -------
    Content of the file, in UTF-8.
    """
    title = escape(report.title.said(lang))
    items = outline(report)
    contents = "".join(
        f'<a class="depth-{item.depth}" href="#{item.anchor}">{escape(item.words.said(lang))}</a>'
        for item in items
        if isinstance(item, Heading)
    )
    lines = "".join(f"<p>{escape(words.said(lang))}</p>" for words in report.subtitle)
    labels = "".join(
        f'<p class="warning">{escape(words.said(lang))}</p>' for words in report.labels
    )
    body = "".join(_item(item, pictures, lang) for item in items)
    maps = {item.key: _maps(item, lang) for item in items if isinstance(item, Explorer)}
    script = _SCRIPT.replace("@MAPS@", script_safe(maps)).replace("@LEAFLET@", _leaflet())
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}"><head>'
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
        f"<nav><b>{escape(phrase('contents').said(lang))}</b>{contents}</nav>"
        f"<main><header><h1>{title}</h1>{lines}{labels}</header>{body}</main>"
        f"<script>{script}</script></body></html>\n"
    ).encode()


def _item(item: Any, pictures: Mapping[str, bytes], lang: Language) -> str:
    if isinstance(item, Heading):
        level = item.depth + 1
        return f'<h{level} id="{item.anchor}">{escape(item.words.said(lang))}</h{level}>'
    if isinstance(item, Paragraph):
        return f'<p class="{item.role}">{escape(item.words.said(lang))}</p>'
    if isinstance(item, Explorer):
        return _explorer(item, lang)
    assert isinstance(item, Captioned)
    caption = escape(item.caption.said(lang))
    if isinstance(item.block, Picture):
        drawn = base64.b64encode(pictures[item.block.key]).decode()
        return (
            f'<figure><img src="data:image/png;base64,{drawn}" alt="{caption}">'
            f"<figcaption>{caption}</figcaption></figure>"
        )
    return _table(item.block, caption, lang)


def _table(table: Table, caption: str, lang: Language) -> str:
    heads = "".join(f"<th>{escape(column.head.said(lang))}</th>" for column in table.columns)
    kinds = ["" if column.is_text else ' class="n"' for column in table.columns]
    rows = []
    for number, row in enumerate(table.rows):
        cells = "".join(
            f"<td{kind}>{escape(shown(value, column.kind, lang))}</td>"
            for value, column, kind in zip(row, table.columns, kinds, strict=True)
        )
        rows.append(f"<tr{' class=total' if number in table.totals else ''}>{cells}</tr>")
    notes = "".join(f'<p class="note">{escape(note.said(lang))}</p>' for note in table.notes)
    long = " long" if len(table.rows) > _SHORT else ""
    return (
        f'<div class="table{long}"><table id="{escape(table.key)}"><caption>{caption}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>{notes}"
    )


def _explorer(item: Explorer, lang: Language) -> str:
    buttons = "".join(
        f'<button data-show="{show}">{escape(label)}</button>'
        for show, label in _shows(item, lang).items()
    )
    caption = escape(item.caption.said(lang))
    return (
        f'<figure class="explorer" data-key="{escape(item.key)}"><div class="tabs">{buttons}</div>'
        f'<iframe title="{caption}"></iframe><figcaption>{caption}</figcaption></figure>'
    )


def _shows(item: Explorer, lang: Language) -> dict[str, str]:
    """Name what the map may show, by key: rates of each level, gap, streets."""
    levels = [level for level in item.result.levels if level != "city"] or item.result.levels
    told = {
        f"rates.{level}": phrase("explorer.rates", level=entry(f"level.{level}")).said(lang)
        for level in levels
        if level != "community"
    }
    told |= {show: phrase(f"explorer.{show}").said(lang) for show in ("gap", "streets")}
    return told


def _maps(item: Explorer, lang: Language) -> dict[str, str]:
    """Page of each map, without Leaflet, which all of them share."""
    coarse = next((level for level in item.result.levels if level != "city"), "city")
    made = {}
    for key in _shows(item, lang):
        show, _, level = key.partition(".")
        page = coverage_map(
            item.result,
            level=level or coarse,  # type: ignore[arg-type]
            show=show,  # type: ignore[arg-type]
            lang=lang,
            most=_MOST_COORDINATES,
        ).html()
        page = page.replace(f'<script src="{ROUTE}/leaflet.js"></script>', "@SCRIPT@")
        made[key] = page.replace(f'<link rel="stylesheet" href="{ROUTE}/leaflet.css"/>', "@STYLE@")
        if "@SCRIPT@" not in made[key] or "@STYLE@" not in made[key]:
            raise AssertionError("the page of a map loads Leaflet in another way")
    return made


def _leaflet() -> str:
    """Leaflet's script and style as a value of JavaScript."""
    folder = Path(STATIC_DIRS[ROUTE])
    code = (folder / "leaflet.js").read_text(encoding="utf-8")
    code = re.sub(r"//# sourceMappingURL=.*", "", code)
    style = (folder / "leaflet.css").read_text(encoding="utf-8")
    # Its pictures are of controls that the maps do not have.
    style = re.sub(r"url\([^)]*\)", "none", style)
    return script_safe({"script": code, "style": style})


_SCRIPT = """
(function (maps, leaflet) {
  function page(key, show) {
    // Functions, for a replacement's own signs must stay as they are.
    return maps[key][show]
      .replace("@STYLE@", function () { return "<style>" + leaflet.style + "</style>"; })
      .replace("@SCRIPT@", function () { return "<script>" + leaflet.script + "<\\/script>"; });
  }
  function turn(figure, show) {
    figure.querySelectorAll("button").forEach(function (button) {
      button.setAttribute("aria-pressed", button.dataset.show === show);
    });
    figure.querySelector("iframe").srcdoc = page(figure.dataset.key, show);
  }
  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting) return;
      seen.unobserve(entry.target);
      turn(entry.target, entry.target.querySelector("button").dataset.show);
    });
  }, {rootMargin: "400px"});
  document.querySelectorAll(".explorer").forEach(function (figure) {
    seen.observe(figure);
    figure.addEventListener("click", function (event) {
      if (event.target.dataset.show) turn(figure, event.target.dataset.show);
    });
  });
})(@MAPS@, @LEAFLET@);
"""

_STYLE = """
:root { --song: "Noto Serif SC", "Noto Serif CJK SC", "Songti SC", SimSun, serif;
  --hei: "Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
* { box-sizing: border-box; }
body { margin: 0; display: flex; color: #1a1a1a; background: #fff;
  font: 15px/1.75 var(--song); }
nav { position: sticky; top: 0; align-self: flex-start; flex: 0 0 250px; height: 100vh;
  overflow: auto; padding: 24px 18px; background: #f6f6f4; border-right: 1px solid #dcdcd8;
  font: 13px/1.5 var(--hei); }
nav b { display: block; margin-bottom: 8px; }
nav a { display: block; padding: 3px 0; color: #33475b; text-decoration: none; }
nav a:hover { text-decoration: underline; }
nav .depth-2 { padding-left: 14px; font-size: 12.5px; color: #566; }
main { flex: 1; min-width: 0; max-width: 1060px; margin: 0 auto; padding: 32px 40px 80px; }
header { text-align: center; border-bottom: 1px solid #dcdcd8; margin-bottom: 24px; }
header p { margin: 4px 0; color: #444; }
h1, h2, h3, th, caption, figcaption, .total td { font-family: var(--hei); }
h1 { font-size: 27px; font-weight: 600; } h2 { font-size: 21px; margin: 44px 0 12px;
  font-weight: 600; } h3 { font-size: 17px; margin: 30px 0 8px; font-weight: 600; }
p { margin: 8px 0; } p.point { padding-left: 1.4em; position: relative; }
p.point::before { content: "•"; position: absolute; left: .3em; }
.warning { color: #9c2f1b; } .note { font-size: 12.5px; color: #555; margin: 3px 0; }
.table { overflow: auto; margin: 14px 0 4px; } .table.long { max-height: 78vh; }
table { border-collapse: collapse; width: 100%; font-size: 13px; line-height: 1.45; }
caption, figcaption { font-size: 13px; padding: 6px 0; color: #222; text-align: center; }
th, td { border: 1px solid #c9c9c6; padding: 4px 7px; }
thead th { background: #e4eaf2; position: sticky; top: 0; font-weight: 500; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.total td { background: #f4f4f2; }
figure { margin: 18px 0; text-align: center; } img { max-width: 100%; height: auto; }
.explorer iframe { width: 100%; height: 620px; border: 1px solid #cfcfcb; display: block; }
.tabs { display: flex; gap: 6px; margin-bottom: 6px; flex-wrap: wrap; }
.tabs button { font: 13px var(--hei); padding: 5px 12px; border: 1px solid #b9c3cf;
  background: #fff; border-radius: 4px; cursor: pointer; color: #234; }
.tabs button[aria-pressed="true"] { background: #2166ac; border-color: #2166ac; color: #fff; }
@media (max-width: 1000px) { nav { display: none; } main { padding: 20px; } }
@media print { nav, .explorer { display: none; } .table.long { max-height: none; }
  thead { display: table-header-group; } tr, figure { break-inside: avoid; } }
"""
