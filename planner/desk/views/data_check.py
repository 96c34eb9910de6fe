"""Findings of the city's check: listed in words, marked on the map, to be taken away."""

from __future__ import annotations

from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any

import panel as pn
import shapely

from planner.desk import style
from planner.desk.listing import Listing
from planner.desk.session import Cancelled
from planner.desk.views.data_layers import TOLD
from planner.maps.words import said
from planner.report.check import check_page, counts_html
from planner.report.rows import RowWords, described, findings_csv

if TYPE_CHECKING:
    from layers.findings import Finding
    from planner.desk.survey import Marked
    from planner.desk.views.data import DataView

_LISTED = 200


class CheckPane:
    """What ``planner check`` finds, the chosen finding's remedy and its rows.

    Parameters
    ----------
    view
        Whose part it is.

    Attributes
    ----------
    findings
        In the order in which they are listed, None before they are known.
    marked
        Places of the chosen finding.
    """

    def __init__(self, view: DataView) -> None:
        self.view, self.session = view, view.session
        self.findings: list[Finding] | None = None
        self.marked: Marked | None = None
        self._failed = False
        wide: dict[str, Any] = {"sizing_mode": "stretch_width"}
        self._head = pn.pane.HTML(
            "", stylesheets=[style.TEXT, TOLD, _HEAD], margin=(10, 14, 4, 14), **wide
        )
        button: dict[str, Any] = {
            "stylesheets": [style.SWITCH, style.BUTTON],
            "css_classes": ["solid"],
            "height": 32,
        }
        self._again = pn.widgets.Button(width=130, margin=(2, 14), visible=False, **button)
        self._again.on_click(self.ask)
        self._taken = [
            pn.widgets.FileDownload(
                callback=make,
                filename=f"check.{kind}",
                embed=False,
                auto=True,
                width=178,
                margin=(2, 4),
                **button,
            )
            for kind, make in (("csv", self._csv), ("html", self._html))
        ]
        self._files = pn.Row(*self._taken, margin=(0, 10), visible=False, **wide)
        self._list = Listing(
            self._choose, sizing_mode="stretch_both", min_height=130, margin=(4, 8, 0, 8)
        )
        self._told = pn.pane.HTML("", stylesheets=[style.TEXT, TOLD], margin=(8, 14, 2, 14), **wide)
        self._rows = Listing(
            self._choose_row, sizing_mode="stretch_both", min_height=120, margin=(0, 8, 8, 8)
        )
        self.page = pn.Column(
            self._head,
            self._again,
            self._files,
            self._list,
            self._told,
            self._rows,
            sizing_mode="stretch_both",
            stylesheets=[style.FILL],
        )

    async def ask(self, *_events: Any) -> None:
        """Look the city over, unless it has been."""
        session, survey = self.session, self.view.survey
        if survey.checked is None:
            self._failed = False
            self.relabel()
            told, grave = "", True
            try:
                await session.work(session.text("desk.data.check.working"), survey.check)
                grave = False
            except Cancelled:
                told, grave, self._failed = session.text("desk.was_cancelled"), False, True
            except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
                told, self._failed = session.failure(wrong), True
            session.say(told, grave=grave)
        self.relabel()
        await self._mark()

    def relabel(self) -> None:
        """Put every word into the language in force."""
        lang, word = self.view.lang, self._word
        found = self.view.survey.checked
        self._again.name = word("again")
        self._again.visible = self._failed and found is None
        self._files.visible = found is not None
        for widget, kind in zip(self._taken, ("csv", "html"), strict=True):
            widget.label = word(kind)
            widget.filename = f"check-{lang}.{kind}"
        if found is None:
            waiting = word("failed" if self._failed else "waiting")
            self._head.object = f'<p class="remark">{escape(waiting)}</p>'
            self._list.param.update(rows=[], columns=[], label=word("label"))
            self._told.object, self._rows.rows, self._rows.columns = "", [], []
            return
        self._head.object = counts_html(found, lang)
        self._list.param.update(
            label=word("label"),
            empty=word("none"),
            columns=[
                {"label": word("layer"), "width": "21%"},
                {"label": word("finding")},
                {"label": word("rows"), "right": True},
            ],
            rows=self._lines(found),
            chosen=self.view.finding,
        )
        self._show_told()

    def _word(self, key: str) -> str:
        return self.session.text(f"desk.data.check.{key}")

    def keys(self) -> dict[str, int]:
        """Tell the number of each finding by what the address calls it: its code."""
        numbers: dict[str, int] = {}
        for number, one in enumerate(self.view.survey.checked or []):
            again = 1
            while (key := one.code if again == 1 else f"{one.code}-{again}") in numbers:
                again += 1
            numbers[key] = number
        return numbers

    @property
    def chosen(self) -> Finding | None:
        """The chosen finding."""
        number = self.keys().get(self.view.finding)
        found = self.view.survey.checked
        return None if number is None or found is None else found[number]

    def _lines(self, found: list[Finding]) -> list[dict[str, Any]]:
        session, lang = self.session, self.view.lang
        by_number = {number: key for key, number in self.keys().items()}
        lines: list[dict[str, Any]] = []
        for severity in ("error", "warning", "info"):
            own = [number for number, one in enumerate(found) if one.severity == severity]
            if not own:
                continue
            means = f"{session.text(f'page.count.{severity}')} · {len(own)}"
            explained = session.text(f"page.means.{severity}")
            lines.append({"group": f"{means}\n{explained}", "tone": severity})
            for number in sorted(own, key=lambda one: (found[one].code, one)):
                one = found[number]
                lines.append(
                    {
                        "id": by_number[number],
                        "tone": severity,
                        "cells": [
                            f"{session.text(f'layer.{one.layer}')}\n{one.code}",
                            one.words("message", lang),
                            f"{len(one.rows):,}" if one.rows else "–",
                        ],
                    }
                )
        return lines

    async def _choose(self, key: str) -> None:
        self.view.finding = key
        self._list.chosen = key
        await self._mark()

    async def _mark(self) -> None:
        """Find the places of the chosen finding and show them."""
        session, survey = self.session, self.view.survey
        number = self.keys().get(self.view.finding)
        self.marked = None
        if number is not None:
            working = session.text("desk.data.reading_layers")
            try:
                marked = await session.work(working, survey.marked, number)
            except Cancelled:
                return
            if self.keys().get(self.view.finding) != number:
                return
            self.marked = marked
        self.view.pin(None)
        self._show_told()
        self.view.draw()
        if self.marked is not None and self.view.part == "check":
            self._go(None)

    def _go(self, number: int | None) -> None:
        assert self.marked is not None
        bounds = self.marked.bounds(number)
        if bounds is not None:
            self.view.map.bridge.go(_roomy(bounds))

    def _choose_row(self, told: str) -> None:
        if self.marked is None or int(told) >= len(self.marked.shapes):
            return
        self._rows.chosen = told
        shape = self.marked.shapes.iloc[int(told)]
        if shape is None or shape.is_empty:
            return
        row = next((one for one in self._rows.rows if one["id"] == told), None)
        self.view.pin(shapely.point_on_surface(shape), row["cells"][0] if row else told)
        self._go(int(told))

    def show_place(self, told: str) -> None:
        """Choose the row whose place was clicked on the map."""
        if any(row["id"] == told for row in self._rows.rows):
            self._choose_row(told)

    def _show_told(self) -> None:
        session, lang, one = self.session, self.view.lang, self.chosen
        if one is None:
            hint = "none" if self.view.survey.checked == [] else "choose"
            self._told.object = f'<p class="hint">{said(f"desk.data.check.{hint}", lang)}</p>'
            self._rows.param.update(rows=[], columns=[], empty="")
            return
        names = {key: service.title(lang) for key, service in self.view.survey.services.items()}
        rows = None if self.marked is None else self.marked.rows
        table = described(one, rows, RowWords(lang, names), most=_LISTED)
        count = len(one.rows)
        line = session.text("desk.data.check.rows_none")
        if count:
            key = "rows_all" if count <= _LISTED else "rows_some"
            line = session.text(f"desk.data.check.{key}", shown=min(count, _LISTED), count=count)
        elif one.places is not None:
            line = session.text("desk.data.check.places")
        self._told.object = (
            f'<h3 data-finding="{escape(one.code)}">{escape(one.words("message", lang))}</h3>'
            f"<p><b>{said('page.remedy', lang)}</b> {escape(one.words('remedy', lang))}</p>"
            f'<p class="hint">{escape(line)}</p>'
        )
        right = {session.text(f"page.column.{name}") for name in ("lon", "lat", "length")}
        self._rows.param.update(
            label=session.text("desk.data.check.rows_label"),
            columns=[{"label": name, "right": name in right} for name in table.columns]
            if len(table)
            else [],
            rows=[
                {"id": str(number), "cells": list(cells)}
                for number, cells in enumerate(table.itertuples(index=False, name=None))
            ],
            chosen="",
        )

    def _csv(self) -> StringIO:
        survey = self.view.survey
        written = findings_csv(
            survey.city, survey.check(), services=survey.services, lang=self.view.lang
        )
        # Excel takes a table for UTF-8 only by the mark at its beginning.
        return StringIO("\ufeff" + written)

    def _html(self) -> StringIO:
        survey = self.view.survey
        return StringIO(
            check_page(survey.city, survey.check(), services=survey.services, lang=self.view.lang)
        )


def _roomy(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Leave room around a place that is small."""
    west, south, east, north = bounds
    spare = max(0.0, 0.004 - (east - west)) / 2, max(0.0, 0.003 - (north - south)) / 2
    return west - spare[0], south - spare[1], east + spare[0], north + spare[1]


_HEAD = """
.counts { list-style: none; display: flex; gap: 14px; margin: 0 0 2px; padding: 0; }
.counts b { font-size: 16px; font-variant-numeric: tabular-nums; }
.counts .error b { color: var(--bad); } .counts .warning b { color: var(--warn-ink); }
.verdict { margin: 0; font-size: 12px; color: var(--soft); }
.verdict.errors { color: var(--bad); font-weight: 600; }
.remark { color: var(--soft); }
"""
