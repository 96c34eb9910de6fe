"""What a scenario makes of the rates, as figures and as a table of units."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.models.widgets.tables import HTMLTemplateFormatter

from layers.messages import text
from planner import wording
from planner.desk import table
from planner.maps.words import said

if TYPE_CHECKING:
    import pandas as pd

    from layers.messages import Language
    from planner.desk.trial import Comparison

_WIDTHS = {"rate_before": 58, "rate_after": 66, "rate_more": 76, "served_more": 84}
_TENTH = 0.05
"""Percentage points that round to a tenth at least."""
_COLUMNS = ("name", *_WIDTHS)


def key_figures(found: Comparison, lang: Language) -> str:
    """Rates of the whole city before and after, people and facilities won, as HTML.

    Parameters
    ----------
    found
        What to show.
    lang
        Language of the words.
    """
    before, after = found.before, found.after
    served = after["served"] - before["served"]
    opened = int(after["facilities"]) - int(before["facilities"])
    rows = (
        ("served", "people_more", f"{arrow(served)} {wording.people(abs(served))}"),
        (
            "facilities",
            "facilities",
            f"{int(before['facilities']):,} → {int(after['facilities']):,} ({opened:+,})",
        ),
        ("gap", "gap_left", wording.people(after["gap"])),
    )
    told = "".join(
        f'<dt>{said(f"desk.siting.{key}", lang)}</dt><dd data-figure="{name}">{escape(value)}</dd>'
        for name, key, value in rows
    )
    change = after["rate"] - before["rate"]
    return (
        f'<div class="rates"><span><small>{said("desk.siting.base", lang)}</small>'
        f'<b class="base" data-figure="base">{wording.rate(before["rate"])}</b></span>'
        f"<span><small>{said('desk.siting.scenario', lang)}</small>"
        f'<b data-figure="rate">{wording.rate(after["rate"])}</b></span>'
        f"<span><small>{said('desk.siting.difference', lang)}</small>"
        f'<b class="{_sense(change)}" data-figure="difference">{escape(points(change, lang))}</b>'
        f"</span></div><dl>{told}</dl>"
    )


def points(change: float, lang: Language) -> str:
    """Difference of two rates in percentage points, with an arrow.

    Examples
    --------
    >>> points(0.031, "en"), points(-0.2, "en"), points(0.0, "en"), points(float("nan"), "en")
    ('▲ 3.1 pts', '▼ 20.0 pts', '0.0 pts', '–')
    >>> points(0.0004, "en"), points(-0.000001, "en")
    ('▲ 0.04 pts', '▼ <0.01 pts')
    """
    if change != change:  # noqa: PLR0124 - nobody lives there
        return "–"
    size = abs(100 * change)
    # What changed is never told as nothing.
    told = f"{size:.1f}" if size >= _TENTH or not size else f"{size:.2f}"
    value = text("wording.points", lang, value="<0.01" if told == "0.00" else told)
    return f"{arrow(change)} {value}".strip()


def arrow(change: float) -> str:
    """Sign of a change; none where there is no change."""
    return "▲" if change > 0 else "▼" if change < 0 else ""


def _sense(change: float) -> str:
    return "up" if change > 0 else "down" if change < 0 else "same"


def rows(units: pd.DataFrame, lang: Language) -> pd.DataFrame:
    """Pick the columns shown; the name carries the code below it.

    Parameters
    ----------
    units
        What `planner.compare` returns.
    lang
        Language of the names.
    """
    name = units["name_en"] if lang == "en" else units["name"]
    return units.assign(name=name + "\n" + units["code"])[list(_COLUMNS)]


def make(units: pd.DataFrame, lang: Language) -> Any:
    """Make the table of units.

    Parameters
    ----------
    units
        What `planner.compare` returns.
    lang
        Language of names and headings.
    """
    rate = HTMLTemplateFormatter(template=_RATE)
    return pn.widgets.Tabulator(
        rows(units, lang),
        **table.LOOK,
        titles={
            "name": text("column.name", lang),
            "rate_before": text("desk.siting.base", lang),
            "rate_after": text("desk.siting.scenario", lang),
            "rate_more": text("desk.siting.points", lang),
            "served_more": text("desk.siting.served_more", lang),
        },
        widths=_WIDTHS,
        formatters={
            "name": HTMLTemplateFormatter(template=table.NAME),
            "rate_before": rate,
            "rate_after": rate,
            "rate_more": HTMLTemplateFormatter(
                template=_CHANGE.replace("{shown}", "(Math.abs(value) * 100).toFixed(1)")
            ),
            "served_more": HTMLTemplateFormatter(
                template=_CHANGE.replace(
                    "{shown}", 'Math.round(Math.abs(value)).toLocaleString("en-US")'
                )
            ),
        },
        header_filters={
            "name": {"type": "input", "func": "like", "placeholder": text("desk.filter", lang)}
        },
        configuration={
            "columnDefaults": {"headerTooltip": True, "resizable": False, "vertAlign": "middle"},
            "placeholder": "–",
        },
        stylesheets=[table.STYLE, _STYLE],
        margin=0,
    )


_RATE = """<% if (value === null || isNaN(value)) { %>–<% } else { %>
<%= value < 1 && value >= .9995 ? "99.9" : (value * 100).toFixed(1) %>%<% } %>"""
_CHANGE = """<% if (value === null || isNaN(value)) { %>–<% } else if (value > 0) { %>
<b class="up">▲ <%= {shown} %></b><% } else if (value < 0) { %>
<b class="down">▼ <%= {shown} %></b><% } else { %><span class="same">0</span><% } %>"""

_STYLE = """
.tabulator, .tabulator .tabulator-header, .tabulator .tabulator-header .tabulator-col,
.tabulator-row, .tabulator-row.tabulator-row-even { background: var(--paper) !important;
  color: var(--ink); }
.tabulator-row { border-bottom: 1px solid var(--rule); }
.tabulator-row:hover { background: var(--hover) !important; }
.tabulator-row.tabulator-selected { background: var(--chosen) !important; color: var(--ink); }
.tabulator .tabulator-header { border-bottom: 1px solid var(--rule-strong); }
.tabulator-cell:not([tabulator-field="name"]) { justify-content: flex-end; }
.tabulator-col:not([tabulator-field="name"]) .tabulator-col-title { text-align: right; }
.name small { color: var(--soft); }
.up { color: var(--good); font-weight: 600; } .down { color: var(--bad); font-weight: 600; }
.same { color: var(--soft); }
"""

STYLE = """
:host { font: 13px/1.45 var(--font); color: var(--ink); }
.rates { display: flex; gap: 22px; margin: 0 0 6px; }
.rates span { display: flex; flex-direction: column; }
.rates small { color: var(--soft); font-size: 11.5px; }
.rates b { font-size: 25px; line-height: 1.2; font-weight: 650; color: var(--main);
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.rates b.base, .rates b.same { color: var(--soft); }
.rates b.up { color: var(--good); } .rates b.down { color: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; font-weight: 550; font-variant-numeric: tabular-nums; }
"""
