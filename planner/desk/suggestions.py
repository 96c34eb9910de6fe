"""Suggestions: a siting model run from the desk, and its sites to accept."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, cast

import panel as pn

from layers.errors import PlannerError
from layers.messages import text
from planner import wording
from planner.changes import Close
from planner.desk import siting_ask, style
from planner.desk.form import Form
from planner.desk.jobs import JobLine
from planner.desk.session import Cancelled
from planner.jobs import SITING
from planner.maps import colours
from planner.maps.scene import Marker
from planner.siting.advice import Advice, advise
from planner.siting.ask import Ask
from planner.siting.question import Question
from planner.siting.siting import plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from layers.messages import Language
    from planner.changes import Change, Outcome
    from planner.desk.session import Session, Task
    from planner.scenario import Scenario
    from planner.siting.advice import Suggested
    from planner.store import Job

PREFIX = "suggested/"
"""What the ids of their markers begin with."""


class Suggestions:
    """Controls that run a siting model and list its sites in the order of what each adds.

    The model runs beside the server, where work is done there, and else in a thread of it.

    Parameters
    ----------
    session
        What the views of one reader share.
    scenario
        Tells what is changed already: the model adds to it.
    accept
        Called with the changes that the reader takes over; gives the ids that they have.
    changed
        Called when other sites are suggested than before.
    asked
        Called when something else is asked of the model.
    take_up
        Makes the desk look at what a question is about.

    Attributes
    ----------
    advice
        What the model suggests; None before it ran, or once that is out of date.
    left
        Places in its list that are not accepted yet, from 0.
    ask
        What is asked of the model.
    line
        Tells how a run beside the server fares, and lists the earlier ones.
    page
        A Panel viewable.
    """

    def __init__(
        self,
        session: Session,
        *,
        scenario: Callable[[], Scenario],
        accept: Callable[[Sequence[Change]], Awaitable[list[str]]],
        changed: Callable[[], None],
        asked: Callable[[Ask], None],
        take_up: Callable[[Question], Awaitable[None]],
    ) -> None:
        self.session = session
        self.advice: Advice | None = None
        self.left: list[int] = []
        self.ask = Ask()
        self._notes: list[str] = []
        self._given: dict[int, str] = {}
        self._scenario, self._accept, self._changed = scenario, accept, changed
        self._tell_ask, self._take_up = asked, take_up
        self._task: Task | None = None
        self.line = JobLine(
            session,
            kind=SITING,
            done=self._found,
            entry=self._entry,
            words="desk.job.siting",
            role="planner",
            chosen=self._reopen,
            joins=self._fits,
            changed=self.relabel,
        )
        self._form = Form(self._asked, margin=0, sizing_mode="stretch_width")
        button = {"stylesheets": [style.SWITCH, style.BUTTON], "sizing_mode": "stretch_width"}
        self._run = pn.widgets.Button(margin=(8, 0, 4, 0), height=32, **button)
        self._all = pn.widgets.Button(margin=(4, 0, 2, 0), height=32, visible=False, **button)
        self._told = pn.pane.HTML(
            "", sizing_mode="stretch_width", margin=0, stylesheets=[style.TEXT, _STYLE]
        )
        self._list = pn.Column(sizing_mode="stretch_width", margin=0)
        self._run.on_click(self.run)
        self._all.on_click(self.accept_all)
        if pn.state.curdoc is not None:
            pn.state.on_session_destroyed(lambda _session: self.line.close())
        self.page = pn.Column(
            self._form,
            self._run,
            self._told,
            self._all,
            self._list,
            # What it tells of a run stands alone: nothing is suggested meanwhile.
            self.line.page,
            sizing_mode="stretch_width",
            margin=0,
        )

    @property
    def _lang(self) -> Language:
        return cast("Language", self.session.lang)

    @property
    def rows(self) -> tuple[Suggested, ...]:
        """What the model suggests, in the order of the list."""
        return () if self.advice is None else self.advice.rows

    def relabel(self) -> None:
        """Put every word into the session's language."""
        told = self.session.text
        self._form.fields = siting_ask.fields(self.ask, self._lang)
        self._run.name = told("desk.job.siting.cancel" if self._task else "desk.siting.run")
        self._run.visible = not self.line.going
        self._all.name = told("desk.siting.accept_all")
        self.line.relabel()
        self._show()

    def clear(self) -> None:
        """Drop what is suggested; it was found for another service or scenario."""
        self.advice, self.left, self._given, self._notes = None, [], {}, []
        self.line.forget()
        self._show()

    async def refresh(self) -> None:
        """List the reader's earlier runs, and follow one that is not over."""
        await self.line.refresh()

    def make_ready(self) -> None:
        """Have ready beside the server what a run begins with."""
        beside = self.session.study.jobs
        if beside is not None and self.session.identity.may("planner"):
            beside.make_ready(self.session.service)

    def follow(self, outcome: Outcome) -> None:
        """Offer again what was accepted and is made no longer, as after an undo."""
        if self.advice is None:
            return
        made = {*outcome.opened, *outcome.closed}
        left = [row for row in self._open_rows() if self._given.get(row) not in made]
        if left != self.left:
            self.left = left
            self._show()

    def _open_rows(self) -> list[int]:
        """Rows that there is something to accept of."""
        return [row for row, one in enumerate(self.rows) if one.change is not None]

    def _asked(self, name: str, value: Any, _final: bool) -> None:
        self.ask = self.ask.with_value(name, value)
        self._form.fields = siting_ask.fields(self.ask, self._lang)
        self._tell_ask(self.ask)
        self.make_ready()

    async def run(self, *_events: Any) -> None:
        """Run the model; pressed again while it runs, stop it with the best so far."""
        session = self.session
        if self._task is not None:
            self._task.cancel()
            return
        if self.line.going:
            await self.line.stop()
            return
        try:
            session.require("planner")
        except PlannerError as wrong:
            session.say(session.failure(wrong), grave=True)
            return
        question = Question(
            service=session.service,
            ask=self.ask,
            year=session.year or None,
            level=session.level if session.level != "city" else "district",
            scenario=self._scenario(),
        )
        self.clear()
        self._changed()
        if session.study.jobs is not None:
            await self.line.ask(question.as_dict())
            return
        told, grave = "", True
        try:
            working = session.text("desk.siting.running")
            advice = await session.work(working, self._solve, question, stops_itself=True)
            grave = False
            if self._about(question):
                self._take_over(advice)
                told, grave = self._in_vain(advice), True
        except Cancelled:
            told, grave = session.text("desk.was_cancelled"), False
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            told = session.failure(wrong)
        self._task = None
        self.relabel()
        session.say(told, grave=grave)

    def _solve(self, question: Question, *, task: Task) -> Advice:
        self._task = task
        pn.state.execute(self.relabel)
        return advise(
            question,
            self.session.study.bench,
            tell=lambda words: task.tell(what=words),
            cancelled=task.cancelled,
        )

    # What a run came to.

    def _about(self, question: Question) -> bool:
        """Whether the desk looks at what a question is about."""
        asked = self.session.service, self.session.year or None
        return asked == (question.service, question.year)

    def _fits(self, job: Job) -> bool:
        """Whether a run that is at work is of what the desk looks at."""
        question = _question(job)
        return question is not None and self._about(question)

    def _entry(self, job: Job) -> str:
        """Say what a run is called in the list of earlier ones."""
        services, lang, made = self.session.study.services, self._lang, job.made.astimezone()
        service, model, question = "–", "–", _question(job)
        if question is not None:
            service = question.service
            service = services[service].title(lang) if service in services else service
            model = text(f"site.model.{question.ask.model}", lang)
        told = {"service": service, "model": model, "made": f"{made:%m-%d %H:%M:%S}"}
        return text("desk.job.siting.entry", lang, **told)

    def _found(self, job: Job) -> None:
        """Show what a run gave, unless the desk looks at something else by now."""
        advice = self._read(job)
        if advice is not None and self._about(advice.question):
            self._take_over(advice, job)
            self.session.say(self._in_vain(advice), grave=True)

    def _in_vain(self, advice: Advice) -> str:
        """Say for the strip that a run found nothing; the list may be out of sight."""
        return "" if advice.found else advice.words[self._lang][0]

    async def _reopen(self, job: Job) -> None:
        """Show what an earlier run gave, on the scenario that it was asked about."""
        self.clear()
        self._changed()
        advice = self._read(job)
        if advice is None:
            return
        await self._take_up(advice.question)
        if self._about(advice.question):
            self.ask = advice.question.ask
            self._tell_ask(self.ask)
            self._take_over(advice, job)
            self.relabel()

    def _read(self, job: Job) -> Advice | None:
        """Read what a run gave; None for one that another version of the program has kept."""
        try:
            return Advice.from_dict(job.result["advice"])
        except (PlannerError, LookupError, TypeError) as wrong:
            self.session.say(self.session.failure(wrong), grave=True)
            return None

    def _take_over(self, advice: Advice, job: Job | None = None) -> None:
        study, beside = self.session.study, self.session.study.jobs
        self.advice, self._given, self._notes = advice, {}, []
        self.left = self._open_rows()
        if advice.question.scenario.changes != self._scenario().changes:
            self._notes.append("desk.siting.other_scenario")
        standard = plain(study.services[advice.question.service].standard.as_dict())
        ours = job is None or beside is None or job.result["fingerprint"] == beside.fingerprint
        if not ours or advice.standard != standard:
            self._notes.append("desk.siting.other_city")
        self.line.forget()
        self._show()
        self._changed()

    def markers(self) -> list[Marker]:
        """Pins of the sites that are not accepted yet, numbered as in the list."""
        return [
            Marker(
                id=f"{PREFIX}{row}",
                lon=place[0],
                lat=place[1],
                label=self.session.text("desk.siting.suggested", number=row + 1),
                colour=colours.SUGGESTED,
                sign=str(row + 1),
            )
            for row in self.left
            if (place := self.rows[row].place) is not None
        ]

    async def accept(self, row: int) -> None:
        """Take one site over into the scenario."""
        if row in self.left:
            await self._take([row])

    async def accept_all(self, *_events: Any) -> None:
        """Take all sites over that are left."""
        if self.left:
            await self._take(list(self.left))

    async def _take(self, rows: list[int]) -> None:
        taken = [change for row in rows if (change := self.rows[row].change) is not None]
        given = await self._accept(taken)
        if given:
            self._given.update(zip(rows, given, strict=True))
            self.left = [row for row in self.left if row not in rows]
            self._show()
            self._changed()

    def _show(self) -> None:
        advice, lang = self.advice, self._lang
        self._all.visible = len(self.left) > 1
        if advice is None:
            self._told.object = ""
            self._list[:] = []
            return
        notes = [f'<p role="alert">⚠ {escape(text(note, lang))}</p>' for note in self._notes]
        told = "".join([*notes, *(f"<p>{escape(line)}</p>" for line in advice.words[lang])])
        kind = "hint" if advice.found else "grave"
        self._told.object = f'<div class="{kind}" data-figure="status"><div>{told}</div></div>'
        self._list[:] = [self._row(row) for row in range(len(self.rows))]

    def _words(self, own: Suggested) -> str:
        """Say what a row does."""
        if own.people_new is None:
            return self.session.text("desk.siting.closes")
        adds = self.session.text("desk.siting.adds", people=wording.people(own.people_new))
        return f"{adds} · {wording.rate(float('nan') if own.rate is None else own.rate)}"

    def _row(self, row: int) -> Any:
        told, own, left = self.session.text, self.rows[row], row in self.left
        line = pn.pane.HTML(
            f'<div class="site" data-site="{row + 1}"><b>{row + 1}</b>'
            f"<span>{escape(own.names[self._lang])}"
            f"<small>{escape(self._words(own))}</small></span></div>",
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[style.TEXT, _STYLE],
        )
        closes = isinstance(own.change, Close)
        word = "stays" if own.change is None else "accept" if left else "accepted"
        word = "accept_close" if left and closes else word
        button = pn.widgets.Button(
            label=told(f"desk.siting.{word}"),
            disabled=not left,
            stylesheets=[style.SWITCH, style.BUTTON],
            height=30,
            width=72,
            margin=(4, 0, 0, 4),
        )

        async def take(_event: Any) -> None:
            await self.accept(row)

        button.on_click(take)
        return pn.Row(line, button, sizing_mode="stretch_width", margin=0)


def _question(job: Job) -> Question | None:
    """Read what a run was asked; None for what another version of the program has kept."""
    try:
        return Question.from_dict(job.asked)
    except PlannerError:
        return None


_STYLE = """
.hint p, .grave p { margin: 2px 0; } .grave { padding: 6px 10px; font-size: 12.5px; }
.site { display: flex; gap: 8px; align-items: center; padding: 3px 0; }
.site b { flex: none; width: 22px; height: 22px; border-radius: 11px; text-align: center;
  font-size: 12px; line-height: 22px; color: #fff; background: #b5179e; }
.site span { line-height: 1.25; min-width: 0; }
.site small { display: block; color: var(--soft); font-size: 11.5px; }
"""
