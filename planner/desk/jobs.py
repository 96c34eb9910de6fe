"""A line on the desk for work that is done beside the server: asked for, followed, cancelled."""

from __future__ import annotations

import asyncio
import time
from html import escape
from typing import TYPE_CHECKING, Any, cast

import panel as pn

from layers.errors import PlannerError, RoleError
from layers.messages import Language, speaking, text
from planner.desk import style
from planner.jobs import ask_about

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from planner.desk.session import Session
    from planner.jobs import Supervisor
    from planner.store import Job, Role

# What is quick is seen at once, what takes long now and then.
_SOONEST_S, _LATEST_S, _SHARE = 0.05, 0.7, 0.1
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
        Called with a job that is done, when it is.
    entry
        Tells what an earlier job is called in the list.
    words
        Table of the catalogue that the words are in, besides those of ``desk.job``.
    role
        What whoever asks must be at least.
    chosen
        Called with a job that is chosen among the earlier; `done` when None.
    joins
        Tells whether a job that is at work when the view is opened is to be followed.
    changed
        Called when a job begins to be followed, and when it is over.
    lasting
        Whether the newest job is told of when the view is opened, though it is over, and
        those that failed stand among the earlier ones.

    Attributes
    ----------
    page
        A Panel viewable; empty where no work is done beside the server.
    """

    def __init__(
        self,
        session: Session,
        *,
        kind: str,
        done: Callable[[Job], None],
        entry: Callable[[Job], str],
        words: str,
        role: Role = "viewer",
        chosen: Callable[[Job], Awaitable[None]] | None = None,
        joins: Callable[[Job], bool] | None = None,
        changed: Callable[[], None] | None = None,
        lasting: bool = False,
    ) -> None:
        self.session = session
        self._kind, self._done, self._entry, self._words = kind, done, entry, words
        self._role: Role = role
        self._chosen, self._joins, self._changed = chosen, joins, changed
        self._job: Job | None = None
        self._closed, self._lasting = False, lasting
        self._listed = {"done", "failed"} if lasting else {"done"}
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
        self._earlier = pn.widgets.Select(
            options=[""], value="", visible=False, stylesheets=[style.CONTROL], **wide
        )
        self._cancel.on_click(self.stop)
        self._earlier.param.watch(self._choose, "value")
        self.page = pn.Column(self._state, self._cancel, self._earlier, **wide)

    @property
    def going(self) -> bool:
        """Whether a job that is not over is followed."""
        return self._job is not None and not self._job.over

    def close(self) -> None:
        """Follow nothing any more; the jobs go on."""
        self._closed = True

    def forget(self) -> None:
        """Say no more of a job that is over."""
        if not self.going:
            self._job = None
            self._show()

    def relabel(self) -> None:
        """Put every word into the session's language."""
        self._cancel.name = self.session.text(f"{self._words}.cancel")
        self._earlier.name = self.session.text(f"{self._words}.earlier")
        self._show()
        self._offer()

    async def ask(self, asked: Any, *, file: Path | None = None) -> None:
        """Ask for a job, on a file if it is about one, and follow it until it is over."""
        session, beside = self.session, self._beside

        def submit() -> Job:
            session.require(self._role)
            whose = {"city": beside.place, "who": session.identity.name}
            if file is None:
                job = beside.store.jobs.ask(self._kind, asked, **whose)
            else:
                job = ask_about(beside.store, self._kind, asked, file, **whose)
            beside.look()
            return job

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
        joins = self._joins or (lambda _: True)
        going = [job for job in self._jobs if not job.over and joins(job)]
        if going and not self.going:
            # Whoever opens the view does not wait for that.
            self._following = asyncio.ensure_future(self._follow(going[0]))
        elif self._lasting and self._job is None and self._jobs:
            self._look_back(self._jobs[0])

    def _look_back(self, job: Job) -> None:
        """Tell of a job that is over."""
        self._job = job
        self._show()
        if job.state == "done":
            self._done(job)

    @property
    def _beside(self) -> Supervisor:
        beside = self.session.study.jobs
        assert beside is not None
        return beside

    async def _follow(self, job: Job) -> None:
        """Show how a job fares until it is over, or another one is followed."""
        self._job, begun = job, time.monotonic()
        jobs = self._beside.store.jobs
        self._tell()
        while not self._closed and self._job is not None and self._job.id == job.id:
            self._job = job
            self._show()
            if job.over:
                if job.state == "done":
                    self._done(job)
                self._tell()
                await self.refresh()
                return
            pause = max(_SHARE * (time.monotonic() - begun), _SOONEST_S)
            await asyncio.sleep(min(pause, _LATEST_S))
            # A store that is busy for a moment is asked again.
            job = await self._try(lambda: jobs.get(job.id), say=False) or job  # noqa: B023

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed()

    def _show(self) -> None:
        job = self._job
        self._state.visible = job is not None
        self._cancel.visible = job is not None and not job.over
        if job is None:
            return
        # What it tells is in the language that it was asked for in; why it failed is told in
        # that one too rather than not at all.
        told = job.told if job.lang == self.session.lang or job.state == "failed" else ""
        state = "at_work" if job.state == "running" and not told else job.state
        words = self.session.text(f"desk.job.{state}", told=told)
        if self._lasting:
            words = f"{self._entry(job)}: {words}"
        grave = "grave" if job.state == "failed" else "mild"
        self._state.object = (
            f'<div class="{grave}" role="status" data-job="{job.state}">{escape(words)}</div>'
        )

    def _offer(self) -> None:
        lang = cast("Language", self.session.lang)
        options = {text("desk.job.choose", lang): ""}
        for job in [one for one in self._jobs if one.state in self._listed][:_SHOWN]:
            state = "" if job.state == "done" else f" · {text(f'job.state.{job.state}', lang)}"
            options[f"{self._entry(job)}{state}"] = job.id
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
        if job is None or job.kind != self._kind or job.state not in self._listed:
            return
        if self._lasting and not self.going:
            self._look_back(job)
        elif job.state == "done":
            if self._chosen is None:
                self._done(job)
            else:
                await self._chosen(job)

    async def stop(self, *_events: Any) -> None:
        """Ask the job that is followed to stop."""
        job, beside = self._job, self._beside
        if job is None:
            return
        who = self.session.identity.name

        def cancel() -> Job:
            stopped = beside.store.jobs.cancel(job.id, who=who)
            beside.look()
            return stopped

        stopped = await self._try(cancel)
        if stopped is not None and self._job is not None and self._job.id == job.id:
            self._job = stopped
            self._show()

    async def _try(self, function: Callable[[], Any], *, say: bool = True) -> Any:
        """Ask the store in a thread; None where it refuses, which is said."""
        lang = cast("Language", self.session.lang)

        def speak() -> Any:
            with speaking(lang):
                return function()

        try:
            return await asyncio.to_thread(speak)
        except RoleError as wrong:
            self.session.say(str(wrong), grave=True)
        except PlannerError as wrong:
            if say:
                self.session.say(self.session.failure(wrong), grave=True)
        return None
