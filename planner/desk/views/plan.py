"""The view of the plan: its targets with their states, and one of them by year and unit."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd
import panel as pn
import param
from bokeh.models.widgets.tables import HTMLTemplateFormatter

from layers.messages import text
from planner.desk import indicator as shown
from planner.desk import style
from planner.desk.session import Cancelled
from planner.desk.views.view import View
from planner.maps.words import said
from planner.targets import PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.desk.session import Session
    from planner.indicators import Indicator, Monitoring
    from planner.plan import Plan

_COLUMNS = ("state", "target", "value", "goal")
_WIDTHS = {"state": 104, "value": 92, "goal": 158}


class PlanView(View):
    """Year and counts on the left, the list of targets, and the chosen one beside it."""

    KEY: ClassVar[str] = "plan"
    ADDRESS: ClassVar[tuple[str, ...]] = ("target", "until")

    target: Any = param.String(default="", doc="Key of the chosen target.")
    until: Any = param.Integer(default=0, doc="Year at whose end the plan is looked at, 0: 2023.")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.told: Monitoring | None = None
        self._asked = 0
        self._keys: list[str] = []
        self._table: Any = None

    @property
    def plan(self) -> Plan:
        """The plan that is followed."""
        return self.session.study.plan

    @property
    def year(self) -> int:
        """Year asked for: the one chosen, else the middle of the plan."""
        years = self.plan.years
        return int(self.until) if self.until in years else years[len(years) // 2]

    def restore(self, told: Mapping[str, str]) -> list[str]:
        """Take what an address says; year and target must be the plan's."""
        wrong = super().restore(told)
        if self.until and self.until not in self.plan.years:
            self.until = 0
            wrong.append("until")
        if self.target and self.target not in self.plan.targets:
            self.target = ""
            wrong.append("target")
        return wrong

    def build(self) -> Any:
        """Make every part once; what changes is filled in later."""
        self._years = pn.widgets.Select(
            sizing_mode="stretch_width", stylesheets=[style.CONTROL], margin=0
        )
        self._counts = pn.pane.HTML(
            "", sizing_mode="stretch_width", margin=(8, 0), stylesheets=[style.TEXT, shown.STYLE]
        )
        self._list = pn.Column(sizing_mode="stretch_both", margin=(6, 8), stylesheets=[style.FILL])
        self._detail = pn.pane.HTML(
            "", sizing_mode="stretch_width", margin=(12, 14, 4, 14), stylesheets=[shown.STYLE]
        )
        self._units = pn.pane.HTML(
            "", sizing_mode="stretch_width", margin=(0, 14, 12, 14), stylesheets=[shown.STYLE]
        )
        self._years.param.watch(self._choose_year, "value")
        self.param.watch(self.ask, "until")
        self.param.watch(self._show_target, "target")
        self.session.param.watch(self._show_target, "level")
        left = pn.Column(
            self._years,
            self._counts,
            width=196,
            sizing_mode="stretch_height",
            stylesheets=[style.LEFT],
        )
        right = pn.Column(
            self._detail,
            self._units,
            sizing_mode="stretch_height",
            width=452,
            stylesheets=[style.RIGHT, ":host { overflow-y: auto; overflow-x: hidden; }"],
        )
        return pn.Row(
            left,
            self._list,
            right,
            sizing_mode="stretch_both",
            stylesheets=[style.SIDES],
        )

    async def opened(self) -> None:
        """Follow the plan, unless what is shown is up to date."""
        if self.told is None or self.told.year != self.year:
            await self.ask()

    async def ask(self, *_events: Any) -> None:
        """Follow the plan in the year asked for and show it."""
        session, year = self.session, self.year
        self._asked += 1
        number = self._asked
        told, grave = "", True
        try:
            working = session.text("plan.working", year=year)
            found = await session.work(working, session.study.monitoring, year)
            if number != self._asked:
                return
            self.told = found
            self._show()
            grave = False
        except Cancelled:
            told, grave = session.text("desk.was_cancelled"), False
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            told = session.failure(wrong)
        if number == self._asked:
            session.say(told, grave=grave)

    def relabel(self) -> None:
        """Put every word into the language in force."""
        self._years.name = self.session.text("plan.until")
        offered = {str(year): year for year in self.plan.years}
        if self._years.options != offered or self._years.value != self.year:
            self._years.param.update(options=offered, value=self.year)
        self._show()

    def _choose_year(self, event: Any) -> None:
        if event.new in self.plan.years and event.new != self.year:
            self.until = event.new

    def _show(self) -> None:
        """Fill in the counts, the list and the chosen target."""
        if self.told is None:
            wait = said("plan.waiting", self.lang)
            self._detail.object = f'<p class="remark">{wait}</p>'
            return
        if self._years.value != self.told.year:
            self._years.value = self.told.year
        self._counts.object = _counts(self.told, self.lang)
        rows = []
        self._keys = []
        for part in PARTS:
            own = [one for one in self.told if one.target.part == part]
            if own:
                heading = dict.fromkeys(_COLUMNS, "")
                rows.append({**heading, "target": text(f"monitor.part.{part}", self.lang)})
                self._keys.append("")
            rows += [self._row(one) for one in own]
            self._keys += [one.target.key for one in own]
        table = self._table = pn.widgets.Tabulator(
            pd.DataFrame(rows, columns=list(_COLUMNS)),
            show_index=False,
            disabled=True,
            layout="fit_columns",
            pagination=None,
            sizing_mode="stretch_both",
            theme="simple",
            titles={name: text(f"monitor.column.{name}", self.lang) for name in _COLUMNS},
            widths=_WIDTHS,
            formatters={
                "target": HTMLTemplateFormatter(template=_TARGET),
                "state": HTMLTemplateFormatter(template=_STATE),
                "goal": HTMLTemplateFormatter(template=_WORDS),
            },
            configuration={
                "columnDefaults": {"resizable": False, "headerSort": False, "vertAlign": "middle"},
            },
            stylesheets=[_TABLE],
            margin=0,
        )
        table.on_click(self._choose_row)
        self._list[:] = [table]
        if not self.target or self.target not in self._keys:
            worst = self.told.alerts()
            self.target = worst[0][0].target.key if worst else next(filter(None, self._keys))
        self._show_target()

    def _row(self, indicator: Indicator) -> dict[str, str]:
        target, lang = indicator.target, self.lang
        value = target.figure(indicator.value, lang)
        if target.kind == "quota" and indicator.value is not None:
            city = indicator.by("city").iloc[0]
            value = f"{city['units_met']}/{city['units']}"
        elif indicator.value is None and target.base is not None:
            value = text(
                "monitor.base",
                lang,
                value=target.figure(target.base, lang),
                year=self.plan.base_year,
            )
        return {
            "state": f"{indicator.state}\n{shown.SIGNS[indicator.state]}\n"
            f"{indicator.judgement.words(lang)}",
            "target": f"{target.title(lang)}\n{target.clause}",
            "value": value,
            "goal": shown.goal_words(indicator, lang),
        }

    def _choose_row(self, event: Any) -> None:
        self.target = self._keys[event.row] or self.target
        self._show_target()

    def _show_target(self, *_events: Any) -> None:
        if self.told is None or self.target not in self._keys:
            return
        self._table.selection = [self._keys.index(self.target)]
        indicator = self.told[self.target]
        self._detail.object = shown.detail(indicator, self.plan, self.lang)
        own, asked = indicator.target.level, self.session.level
        levels = self.session.study.levels
        level = own if own in levels and own != "city" else asked
        self._units.object = (
            shown.years_by_unit(indicator, self.plan, level, self.lang) if level in levels else ""
        )


def _counts(told: Monitoring, lang: Any) -> str:
    """Count targets by state, as HTML."""
    rows = "".join(
        f'<dt class="state {state}">{shown.SIGNS[state]} {said(f"monitor.state.{state}", lang)}'
        f'</dt><dd data-count="{state}">{count}</dd>'
        for state, count in told.states().items()
    )
    method = said("monitor.method", lang, level=told.plan.confidence)
    return (
        f'<div class="label">{said("plan.counts", lang)}</div><dl>{rows}</dl>'
        f'<p class="remark">{escape(told.plan.title(lang))}</p><p class="remark">{method}</p>'
    )


_TARGET = """<% var part = String(value).split("\\n"); %>
<% if (part.length < 2) { %><b class="part"><%- value %></b><% } else { %>
<div class="name" title="<%- part[0] %>"><%- part[0] %><br><small><%- part[1] %></small></div>
<% } %>"""
_STATE = """<% var part = String(value).split("\\n"); %>
<% if (part.length > 1) { %><span class="state <%- part[0] %>"><%- part[1] %> <%- part[2] %></span>
<% } %>"""
_WORDS = """<div class="words" title="<%- value %>"><%- value %></div>"""

_TABLE = """
:host { font: 12.5px/1.4 var(--font); }
.tabulator, .tabulator .tabulator-header, .tabulator .tabulator-header .tabulator-col,
.tabulator .tabulator-tableholder, .tabulator .tabulator-tableholder .tabulator-table,
.tabulator-row, .tabulator-row.tabulator-row-even { background: var(--paper) !important;
  color: var(--ink) !important; border: 0; }
.tabulator .tabulator-header { border-bottom: 1px solid var(--rule-strong); }
.tabulator-row { border-bottom: 1px solid var(--rule) !important; cursor: pointer; }
.tabulator-col, .tabulator-cell { border-right: 0 !important; }
.tabulator-col-title { display: block; }
.tabulator-col-title::first-letter { text-transform: uppercase; }
.part { font-size: 13px; }
.tabulator-row:hover { background: var(--hover) !important; }
.tabulator-row.tabulator-selected { background: var(--chosen) !important; }
.tabulator-row .tabulator-cell { padding: 4px 6px; border: 0; font-size: 12.5px;
  height: 42px !important; font-variant-numeric: tabular-nums; }
.name { line-height: 1.25; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  width: 100%; }
.name small { color: var(--soft); font-size: 10.5px; }
.words { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; width: 100%; }
.state { font-weight: 600; } .state.met, .state.on_course { color: var(--good); }
.state.off_course, .state.at_risk { color: var(--bad); }
.state.not_measurable { color: var(--soft); font-weight: 400; }
"""
