"""A line on the desk for work that is done beside the server: asked for, followed, cancelled."""

from __future__ import annotations

import asyncio
from html import escape
from typing import TYPE_CHECKING, Any, cast

import panel as pn

from layers.errors import PlannerError, RoleError
from layers.messages import Language, speaking, text
from planner.desk import style

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.desk.session import Session
    from planner.jobs import Supervisor
    from planner.store import Job

_LOOK_S = 0.7
_SHOWN = 20


class JobLine:
    """What became of the last job of a kind, a button to cancel it, and the earlier ones.

    Parameters
    ----------
    session
        What the views of one reader share.
    kind
        The kind of job.
    done
        Called with a job that is done, when it is, or when it is chosen among the earlier.

    Attributes
    ----------
    page
        A Panel viewable; empty where no work is done beside the server.
    """

    def __init__(self, session: Session, *, kind: str, done: Callable[[Job], None]) -> None:
        self.session = session
        self._kind, self._done = kind, done
        self._job: Job | None = None
        self._closed = False
        self._following: asyncio.Future[None] | None = None
        self._jobs: list[Job] = []
        wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
        self._state = pn.pane.HTML("", visible=False, stylesheets=[style.TEXT], **wide)
        self._cancel = pn.widgets.Button(
            visible=False,
            height=30,
            stylesheets=[style.SWITCH, style.BUTTON],
            sizing_mode="stretch_width",
            margin=(4, 0, 0, 0),
        )
        self._earlier = pn.widgets.Select(visible=False, stylesheets=[style.CONTROL], **wide)
        self._cancel.on_click(self._stop)
        self._earlier.param.watch(self._choose, "value")
        self.page = pn.Column(self._state, self._cancel, self._earlier, **wide)

    def close(self) -> None:
        """Follow nothing any more; the jobs go on."""
        self._closed = True

    def relabel(self) -> None:
        """Put every word into the session's language."""
        self._cancel.name = self.session.text("desk.job.cancel")
        self._earlier.name = self.session.text("desk.job.earlier")
        self._show()
        self._offer()

    async def ask(self, asked: Any) -> None:
        """Ask for a job and follow it until it is over."""
        session, beside = self.session, self._beside
        lang = cast("Language", session.lang)

        def submit() -> Job:
            with speaking(lang):
                session.require("viewer")
                who = session.identity.name
                return beside.store.jobs.ask(self._kind, asked, city=beside.place, who=who)

        job = await self._try(submit)
        if job is not None:
            session.say("")
            await self._follow(job)

    async def refresh(self) -> None:
        """List the reader's jobs, and follow one that is not over."""
        if self.session.study.jobs is None:
            return
        beside = self._beside
        name = self.session.identity.name
        found = await self._try(lambda: beside.store.jobs.every(who=name, city=beside.place))
        if found is None:
            return
        self._jobs = [job for job in found if job.kind == self._kind]
        self._offer()
        going = [job for job in self._jobs if not job.over]
        if going and (self._job is None or self._job.over):
            # Whoever opens the view does not wait for that.
            self._following = asyncio.ensure_future(self._follow(going[0]))

    @property
    def _beside(self) -> Supervisor:
        beside = self.session.study.jobs
        assert beside is not None
        return beside

    async def _follow(self, job: Job) -> None:
        """Show how a job fares until it is over, or another one is followed."""
        self._job = job
        jobs = self._beside.store.jobs
        while not self._closed and self._job is not None and self._job.id == job.id:
            self._job = job
            self._show()
            if job.over:
                await self.refresh()
                if job.state == "done":
                    self._done(job)
                return
            await asyncio.sleep(_LOOK_S)
            # A store that is busy for a moment is asked again.
            job = await self._try(lambda: jobs.get(job.id), say=False) or job  # noqa: B023

    def _show(self) -> None:
        job = self._job
        self._state.visible = job is not None
        self._cancel.visible = job is not None and not job.over
        if job is None:
            return
        # What it tells is in the language that it was asked for in.
        told = job.told if job.lang == self.session.lang else ""
        words = self.session.text(f"desk.job.{job.state}", told=told)
        grave = "grave" if job.state == "failed" else "mild"
        self._state.object = (
            f'<div class="{grave}" role="status" data-job="{job.state}">{escape(words)}</div>'
        )

    def _offer(self) -> None:
        lang = cast("Language", self.session.lang)
        options = {text("desk.job.choose", lang): ""}
        for job in [one for one in self._jobs if one.state == "done"][:_SHOWN]:
            kind = self.session.text(f"desk.report.kind.{job.asked['kind']}")
            made = f"{job.made.astimezone():%m-%d %H:%M:%S}"
            year = job.asked["year"]
            options[text("desk.job.entry", lang, year=year, kind=kind, made=made)] = job.id
        self._earlier.visible = len(options) > 1
        if self._earlier.options != options:
            self._earlier.param.update(options=options, value="")

    async def _choose(self, event: Any) -> None:
        if not event.new:
            return
        session, jobs = self.session, self._beside.store.jobs

        def look() -> Job:
            job = jobs.get(str(event.new))
            # A browser may send the id of anybody's.
            if job.who != session.identity.name:
                session.require("administrator")
            return job

        job = await self._try(look)
        if job is not None and job.state == "done":
            self._done(job)

    async def _stop(self, _event: Any) -> None:
        job, jobs = self._job, self._beside.store.jobs
        if job is None:
            return
        who = self.session.identity.name
        stopped = await self._try(lambda: jobs.cancel(job.id, who=who))
        if stopped is not None and self._job is not None and self._job.id == job.id:
            self._job = stopped
            self._show()

    async def _try(self, function: Callable[[], Any], *, say: bool = True) -> Any:
        """Ask the store in a thread; None where it refuses, which is said."""
        try:
            return await asyncio.to_thread(function)
        except RoleError as wrong:
            self.session.say(str(wrong), grave=True)
        except PlannerError as wrong:
            if say:
                self.session.say(self.session.failure(wrong), grave=True)
        return None
