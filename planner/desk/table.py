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

_WIDTHS = {"people": 70, "served": 70, "rate": 76, "facilities": 44, "missing": 68}
_COLUMNS = ("name", *_WIDTHS)


def rows(units: pd.DataFrame, lang: Language) -> pd.DataFrame:
    """Pick the columns shown; one of what is missing only where a quota is.

    The name carries the code below it. All units of a level have the same quota, which
    stands in the heading.

    Parameters
    ----------
    units
        What `Coverage.by` returns.
    lang
        Language of the names.
    """
    name = units["name_en"] if lang == "en" else units["name"]
    wanted = [name for name in _COLUMNS if name != "missing" or units["quota"].notna().any()]
    made = units.assign(name=name + _BREAK + units["code"])[wanted]
    whole = {name: "float64" for name in ("facilities", "missing") if name in wanted}
    return made.astype(whole)


def quota(units: pd.DataFrame) -> int | None:
    """Facilities that each of the units must have, or None."""
    held = units["quota"].dropna()
    return int(held.iloc[0]) if len(held) else None


def make(units: pd.DataFrame, lang: Language) -> Any:
    """Make the widget.

    Parameters
    ----------
    units
        What `Coverage.by` returns.
    lang
        Language of names and headings.
    """
    whole = NumberFormatter(format="0,0", text_align="right", nan_format="–")
    return pn.widgets.Tabulator(
        rows(units, lang),
        show_index=False,
        disabled=True,
        layout="fit_columns",
        pagination=None,
        sizing_mode="stretch_both",
        min_height=120,
        theme="simple",
        titles={column: text(f"column.{column}", lang, quota=quota(units)) for column in _COLUMNS},
        widths=_WIDTHS,
        formatters={
            "name": HTMLTemplateFormatter(template=_NAME),
            "people": whole,
            "served": whole,
            "facilities": whole,
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
_NAME = """<% var part = String(value).split("\\n"); %>
<div class="name" title="<%- value %>"><%- part[0] %><br><small><%- part[1] %></small></div>"""
_RATE = """<div class="bar"><% if (value === null || isNaN(value)) { %>–<% } else { %>
<i style="width:<%= (value * 100).toFixed(1) %>%"></i>
<span><%= value < 1 && value >= .9995 ? "99.9" : (value * 100).toFixed(1) %>%</span><% } %></div>"""
_MISSING = """<% if (value === null || isNaN(value)) { %>–<% } else if (value > 0) { %>
<b class="missed">{short} <%= value %></b><% } else { %><span class="met">{ok}</span><% } %>"""

STYLE = """
:host { font: 12.5px/1.4 var(--font); }
.tabulator { border: 0; background: #fff; }
.tabulator .tabulator-cell, .tabulator .tabulator-col-title { font-size: 12.5px; }
.tabulator .tabulator-header { background: #fff; border-bottom: 1px solid #bbb; }
.tabulator .tabulator-header .tabulator-col { background: #fff; border-right: 0; }
.tabulator .tabulator-header .tabulator-col .tabulator-col-content { padding: 4px 5px; }
.tabulator .tabulator-header .tabulator-col.tabulator-sortable[aria-sort="none"]
  .tabulator-col-title { padding-right: 0; }
.tabulator .tabulator-header .tabulator-col .tabulator-col-title { white-space: normal;
  font-weight: 600; }
.tabulator-row .tabulator-cell { padding: 4px 5px; border-right: 0;
  font-variant-numeric: tabular-nums; }
.tabulator-row { border-bottom: 1px solid #eee; cursor: pointer; }
.tabulator-row .tabulator-cell { height: 37px !important; }
.tabulator-cell:is([tabulator-field="people"], [tabulator-field="served"],
  [tabulator-field="facilities"]) { justify-content: flex-end; }
.tabulator-col:is([tabulator-field="people"], [tabulator-field="served"],
  [tabulator-field="facilities"]) .tabulator-col-title { text-align: right; }
.tabulator .tabulator-col, .tabulator .tabulator-cell { border-right: 0 !important; }
.name { width: 100%; line-height: 1.2; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.name small { color: #777; font-size: 10.5px; }
.tabulator-col[aria-sort="none"] .tabulator-col-sorter { display: none !important; }
.bar { width: 100%; position: relative; height: 18px; background: #f0f0ee; border-radius: 2px; }
.bar i { position: absolute; inset: 0 auto 0 0; background: #a9c6e2; border-radius: 2px; }
.bar span { position: absolute; right: 4px; line-height: 18px; color: #111; }
.missed { color: #a33a22; font-weight: 600; } .met { color: #2a6b3c; }
"""
