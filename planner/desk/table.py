"""The table of units beside the map."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.models.widgets.tables import HTMLTemplateFormatter, NumberFormatter

from layers.messages import text

if TYPE_CHECKING:
    import pandas as pd

    from layers.messages import Language

_WIDTHS = {"people": 64, "served": 64, "rate": 58, "facilities": 42, "change": 54, "missing": 62}
_COLUMNS = ("name", *(name for name in _WIDTHS if name != "change"))

LOOK: dict[str, Any] = {
    "show_index": False,
    "disabled": True,
    "layout": "fit_columns",
    "pagination": None,
    "sizing_mode": "stretch_both",
    "min_height": 120,
    "theme": "simple",
}
"""Options of every table of units: all of it is there, and nothing of it can be typed over."""


def rows(units: pd.DataFrame, lang: Language, *, other: pd.DataFrame | None = None) -> pd.DataFrame:
    """Pick the columns shown; one of what is missing only where a quota is.

    The name carries the code below it. All units of a level have the same quota, which
    stands in the heading.

    Parameters
    ----------
    units
        What `Coverage.by` returns.
    lang
        Language of the names.
    other
        Figures to compare the rates with, or None; then the change stands in the place of
        the facilities.
    """
    name = units["name_en"] if lang == "en" else units["name"]
    wanted = [name for name in _COLUMNS if name != "missing" or units["quota"].notna().any()]
    if other is not None:
        theirs = other.set_index("code")["rate"].reindex(units["code"]).to_numpy()
        units = units.assign(change=(units["rate"] - theirs) * 100)
        wanted = ["change" if name == "facilities" else name for name in wanted]
    made = units.assign(name=name + _BREAK + units["code"])[wanted]
    whole = {name: "float64" for name in ("facilities", "missing") if name in wanted}
    return made.astype(whole)


def quota(units: pd.DataFrame) -> int | None:
    """Facilities that each of the units must have, or None."""
    held = units["quota"].dropna()
    return int(held.iloc[0]) if len(held) else None


def refresh(widget: Any, made: pd.DataFrame) -> None:
    """Put other figures of the same units into the table; its order and place stay.

    Parameters
    ----------
    widget
        What `make` made.
    made
        What `rows` made of them.
    """
    before = widget.value
    changed = {
        name: [(slice(0, len(made)), made[name].to_numpy())]
        for name in made.columns
        if not made[name].equals(before[name])
    }
    if changed:
        widget.patch(changed)


def make(made: pd.DataFrame, units: pd.DataFrame, lang: Language) -> Any:
    """Make the widget.

    Parameters
    ----------
    made
        What `rows` made.
    units
        What `Coverage.by` returns.
    lang
        Language of names and headings.
    """
    whole = NumberFormatter(format="0,0", text_align="right", nan_format="–")
    return pn.widgets.Tabulator(
        made,
        **LOOK,
        titles={
            column: text(f"column.{column}", lang, quota=quota(units)) for column in made.columns
        },
        header_filters={
            "name": {"type": "input", "func": "like", "placeholder": text("desk.filter", lang)}
        },
        widths=_WIDTHS,
        formatters={
            "name": HTMLTemplateFormatter(template=NAME),
            "people": whole,
            "served": whole,
            "facilities": whole,
            "change": HTMLTemplateFormatter(template=_CHANGE),
            "rate": HTMLTemplateFormatter(template=_RATE),
            "missing": HTMLTemplateFormatter(
                template=_MISSING.replace("{ok}", escape(text("desk.quota_ok", lang))).replace(
                    "{short}", escape(text("desk.quota_short", lang))
                )
            ),
        },
        configuration={
            "columnDefaults": {"headerTooltip": True, "resizable": False, "vertAlign": "middle"},
            "placeholder": "–",
        },
        stylesheets=[STYLE],
        margin=0,
    )


_BREAK = "\n"
NAME = """<% var part = String(value).split("\\n"); %>
<div class="name" title="<%- value %>"><%- part[0] %><br><small><%- part[1] %></small></div>"""
_RATE = """<div class="bar"><% if (value === null || isNaN(value)) { %>–<% } else { %>
<i style="width:<%= (value * 100).toFixed(1) %>%"></i>
<span><%= value < 1 && value >= .9995 ? "99.9" : (value * 100).toFixed(1) %>%</span><% } %></div>"""
_CHANGE = """<% if (value === null || isNaN(value)) { %>–<% } else { %>
<span class="<%= value > 0.05 ? "met" : value < -0.05 ? "missed" : "" %>"><%=
Math.abs(value) < 0.05 ? "＝" : value > 0 ? "▲" : "▼" %>
<%= Math.abs(value).toFixed(1) %></span><% } %>"""
_MISSING = """<% if (value === null || isNaN(value)) { %>–<% } else if (value > 0) { %>
<b class="missed">{short} <%= value %></b><% } else { %><span class="met">{ok}</span><% } %>"""

STYLE = """
:host { font: 12.5px/1.4 var(--font); color: var(--ink); }
.tabulator, .tabulator .tabulator-tableholder, .tabulator .tabulator-table,
.tabulator .tabulator-header, .tabulator .tabulator-header .tabulator-col,
.tabulator .tabulator-tableholder .tabulator-table .tabulator-row {
  background: var(--paper) !important; color: var(--ink) !important; border: 0; }
.tabulator .tabulator-cell, .tabulator .tabulator-col-title { font-size: 12.5px; }
.tabulator .tabulator-header { border-bottom: 1px solid var(--rule-strong); }
.tabulator .tabulator-header .tabulator-col .tabulator-col-content { padding: 3px 5px; }
.tabulator .tabulator-header .tabulator-col.tabulator-sortable:hover { background: var(--hover); }
.tabulator .tabulator-header .tabulator-col.tabulator-sortable[aria-sort="none"]
  .tabulator-col-title { padding-right: 0; }
.tabulator .tabulator-header .tabulator-col .tabulator-col-title { white-space: normal;
  font-weight: 600; }
.tabulator .tabulator-header-filter { margin-top: 1px; }
.tabulator .tabulator-header-filter input { font: 11.5px/1.2 var(--font); color: var(--ink);
  background: var(--paper); border: 1px solid var(--rule); border-radius: 3px; height: 20px;
  padding: 0 4px !important; }
.tabulator-row .tabulator-cell { padding: 3px 5px; font-variant-numeric: tabular-nums; }
.tabulator .tabulator-tableholder .tabulator-table .tabulator-row {
  border-bottom: 1px solid var(--rule); cursor: pointer; }
.tabulator .tabulator-tableholder .tabulator-table .tabulator-row:hover {
  background: var(--hover) !important; }
.tabulator .tabulator-tableholder .tabulator-table .tabulator-row.tabulator-selected {
  background: var(--chosen) !important; box-shadow: inset 3px 0 var(--accent); }
.tabulator-row .tabulator-cell { height: 35px !important; }
.tabulator-cell:is([tabulator-field="people"], [tabulator-field="served"],
  [tabulator-field="facilities"], [tabulator-field="change"]) { justify-content: flex-end; }
.tabulator-col:is([tabulator-field="people"], [tabulator-field="served"],
  [tabulator-field="facilities"], [tabulator-field="change"]) .tabulator-col-title {
  text-align: right; }
.tabulator .tabulator-col, .tabulator .tabulator-cell { border-right: 0 !important; }
.name { width: 100%; line-height: 1.2; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
/* Names in English are long: where one takes two lines, its code is in the tip alone. */
.name:lang(en) { white-space: normal; font-size: 12px; line-height: 15px; max-height: 30px; }
.tabulator-row .tabulator-cell[tabulator-field="name"] { padding-right: 1px; }
.name small { color: var(--soft); font-size: 10.5px; }
.tabulator-col[aria-sort="none"] .tabulator-col-sorter { display: none !important; }
.bar { width: 100%; position: relative; height: 18px; background: var(--bar-back);
  border-radius: 2px; }
.bar i { position: absolute; inset: 0 auto 0 0; background: var(--bar); border-radius: 2px; }
.bar span { position: absolute; right: 4px; line-height: 18px; color: var(--ink); }
.missed { color: var(--bad); font-weight: 600; } .met { color: var(--good); }
"""
