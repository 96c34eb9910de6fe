"""The view of reports: choose one, have it made, look at it, take its files away."""

from __future__ import annotations

from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import param

from planner.desk import style
from planner.desk.jobs import JobLine
from planner.desk.session import Cancelled
from planner.desk.views.view import View
from planner.jobs import files_of
from planner.maps.words import said
from planner.report.model import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.desk.session import Session, Task
    from planner.store import Job

_KINDS = [kind for kind in KINDS if kind != "siting"]
_FORMATS = ("docx", "pdf", "xlsx", "gpkg", "html", "json")
_FIRST = ["docx", "pdf", "xlsx", "html"]
_SPOKEN = ("zh", "en", "both")


class ReportView(View):
    """Choices on the left, the report as a page, and its files."""

    KEY: ClassVar[str] = "report"
    ADDRESS: ClassVar[tuple[str, ...]] = ("kind", "until")

    kind: Any = param.Selector(objects=_KINDS, default="annual", doc="What the report is for.")
    until: Any = param.Integer(default=0, doc="Year that it speaks of, 0: the middle of the plan.")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._folder = TemporaryDirectory(prefix="planner-report-")
        self._files: list[Path] = []
        self._line = JobLine(
            session, kind="report", done=self._open_job, entry=self._entry, words="desk.job.report"
        )

    @property
    def year(self) -> int:
        """Year asked for."""
        years = self.session.study.plan.years
        return int(self.until) if self.until in years else years[len(years) // 2]

    def restore(self, told: Mapping[str, str]) -> list[str]:
        """Take what an address says; the year must be the plan's."""
        wrong = super().restore(told)
        if self.until and self.until not in self.session.study.plan.years:
            self.until = 0
            wrong.append("until")
        return wrong

    def build(self) -> Any:
        """Make every part once; what changes is filled in later."""
        wide = {"sizing_mode": "stretch_width", "stylesheets": [style.CONTROL, _LIGHT], "margin": 0}
        self._kinds = pn.widgets.RadioBoxGroup(inline=False, **wide)
        self._years = pn.widgets.Select(**wide)
        self._spoken = pn.widgets.RadioBoxGroup(inline=False, **wide)
        self._formats = pn.widgets.CheckBoxGroup(inline=False, **wide)
        self._formats.param.update(
            options={name.upper(): name for name in _FORMATS}, value=list(_FIRST)
        )
        self._make = pn.widgets.Button(
            button_type="primary",
            sizing_mode="stretch_width",
            stylesheets=[style.SWITCH, style.BUTTON],
            margin=(12, 0, 6, 0),
            height=34,
        )
        self._labels = [
            pn.pane.HTML("", sizing_mode="stretch_width", margin=0, stylesheets=[style.TEXT])
            for _ in range(3)
        ]
        self._taken = pn.Column(sizing_mode="stretch_width", margin=0)
        self._page = pn.pane.HTML(
            "", sizing_mode="stretch_both", margin=0, stylesheets=[style.TEXT, _FRAME]
        )
        self._make.on_click(self.make)
        self._kinds.param.watch(lambda event: self.param.update(kind=event.new), "value")
        self._years.param.watch(lambda event: self.param.update(until=event.new), "value")
        if pn.state.curdoc is not None:
            pn.state.on_session_destroyed(lambda _session: self._close())
        first, second, third = self._labels
        left = pn.Column(
            first,
            self._kinds,
            self._years,
            second,
            self._spoken,
            third,
            self._formats,
            self._make,
            self._line.page,
            self._taken,
            width=232,
            sizing_mode="stretch_height",
            stylesheets=[style.LEFT],
        )
        return pn.Row(
            left,
            self._page,
            sizing_mode="stretch_both",
            stylesheets=[":host { min-height: 0; }"],
        )

    async def opened(self) -> None:
        """Follow what was asked for before, from this desk or another."""
        await self._line.refresh()

    def _close(self) -> None:
        self._line.close()
        self._folder.cleanup()

    def relabel(self) -> None:
        """Put every word into the language in force."""
        session, lang = self.session, self.lang
        kinds = {session.text(f"desk.report.kind.{kind}"): kind for kind in _KINDS}
        spoken = {session.text(f"desk.report.spoken.{name}"): name for name in _SPOKEN}
        if self._kinds.options != kinds:
            self._kinds.param.update(options=kinds, value=self.kind)
            self._spoken.param.update(options=spoken, value=self._spoken.value or lang)
        years = {str(year): year for year in session.study.plan.years}
        if self._years.options != years:
            self._years.param.update(options=years, value=self.year)
        self._years.name = session.text("plan.until")
        self._make.name = session.text("desk.report.make")
        self._line.relabel()
        for pane, key in zip(self._labels, ("what", "spoken_in", "formats"), strict=True):
            pane.object = f'<div class="label">{said(f"desk.report.{key}", lang)}</div>'
        self._offer()
        if not self._files:
            self._page.object = f'<p class="empty">{said("desk.report.empty", lang)}</p>'

    async def make(self, *_events: Any) -> None:
        """Make the report that is chosen, show it, and offer its files."""
        session = self.session
        asked = self.kind, self.year, self._spoken.value, tuple(self._formats.value)
        if session.study.jobs is not None:
            kind, year, spoken, formats = asked
            await self._line.ask(
                {"kind": kind, "year": year, "spoken": spoken, "formats": [*formats, "html"]}
            )
            return
        told, grave = "", True
        self._make.disabled = True
        try:
            working = session.text("desk.report.working")
            self._files = await session.work(working, self._written, *asked)
            self._show()
            grave = False
        except Cancelled:
            told, grave = session.text("desk.was_cancelled"), False
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            told = session.failure(wrong)
        finally:
            self._make.disabled = False
        session.say(told, grave=grave)

    def _written(
        self, kind: Any, year: int, spoken: Any, formats: tuple[Any, ...], *, task: Task
    ) -> list[Path]:
        """Make it and write it: what was chosen, and the page that is shown."""
        from planner.report.writing import (  # noqa: PLC0415 - its libraries are slow to import
            write_report,
        )

        report = self.session.study.report(kind, year, progress=lambda told: task.tell(what=told))
        task.tell(what=self.session.text("cli.report.writing"))
        return write_report(
            report,
            Path(self._folder.name),
            formats={*formats, "html"},
            lang=spoken,
            replace=True,
        )

    def _entry(self, job: Job) -> str:
        """Say what a report is called in the list of earlier ones."""
        kind = self.session.text(f"desk.report.kind.{job.asked['kind']}")
        made = f"{job.made.astimezone():%m-%d %H:%M:%S}"
        return self.session.text(
            "desk.job.report.entry", year=job.asked["year"], kind=kind, made=made
        )

    def _open_job(self, job: Job) -> None:
        """Show the report that a job has made."""
        self._files = files_of(self.session.study.store, job)
        self._formats.value = [name for name in job.asked["formats"] if name in _FORMATS]
        self._show()

    def _show(self) -> None:
        pages = [file for file in self._files if file.suffix == ".html"]
        own = [file for file in pages if file.stem.endswith(f"-{self.lang}")] or pages
        if not own:
            self._page.object = f'<p class="empty">{said("desk.report.gone", self.lang)}</p>'
            self._offer()
            return
        page = escape(own[0].read_text(encoding="utf-8"))
        title = said("desk.report.preview", self.lang)
        # The page of a report has maps that run scripts, but no right to the desk around it.
        self._page.object = (
            f'<iframe title="{title}" sandbox="allow-scripts" srcdoc="{page}"></iframe>'
        )
        self._offer()

    def _offer(self) -> None:
        """Offer the files that there are, by their names."""
        wanted = set(self._formats.value)
        self._taken[:] = [
            pn.widgets.FileDownload(
                file=str(file),
                filename=file.name,
                label=f"{self.session.text('desk.report.take')} {file.name}",
                embed=False,
                auto=True,
                button_type="default",
                sizing_mode="stretch_width",
                stylesheets=[style.SWITCH, style.BUTTON],
                margin=(2, 0),
            )
            for file in self._files
            if file.suffix.removeprefix(".") in wanted
        ]


_LIGHT = """
label:has(input) { font-weight: 400 !important; padding: 2px 0 !important; min-width: 62px; }
"""

_FRAME = """
:host > div, .bk-clearfix { height: 100%; }
iframe { border: 0; width: 100%; height: 100%; background: #fff; display: block; }
.empty { color: var(--soft); padding: 18px 22px; }
"""
