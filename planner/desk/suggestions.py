"""Suggestions: a siting model run from the desk, and its sites to accept."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, cast

import panel as pn

from planner import wording
from planner.changes import Base, Close
from planner.desk import siting_ask, style
from planner.desk.form import Form
from planner.desk.session import Cancelled
from planner.desk.siting_ask import Ask
from planner.maps import colours
from planner.maps.scene import Marker
from planner.maps.words import said
from planner.network import Network
from planner.siting.site import site
from planner.siting.siting import figure, measure_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from layers.messages import Language
    from planner.changes import Change, Outcome
    from planner.desk.session import Session, Task
    from planner.scenario import Scenario
    from planner.siting.control import Progress
    from planner.siting.siting import Siting

PREFIX = "suggested/"
"""What the ids of their markers begin with."""

_TELL_EVERY = 0.3


@dataclass(frozen=True, kw_only=True, eq=False)
class Suggested:
    """A change that a model suggests, one at a time to be accepted.

    Attributes
    ----------
    change
        The opening or closing; None for a facility that stays where it is.
    name
        What it is called.
    told
        What it does, in words.
    place
        Longitude and latitude of what would open; None of others.
    """

    change: Change | None
    name: str
    told: str
    place: tuple[float, float] | None = None


class Suggestions:
    """Controls that run a siting model and list its sites in the order of what each adds.

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

    Attributes
    ----------
    siting
        What the model gave; None before it ran, or once that is out of date.
    rows
        What it suggests, in the order of the list.
    left
        Places in the list that are not accepted yet, from 0.
    ask
        What is asked of the model.
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
    ) -> None:
        self.session = session
        self.siting: Siting | None = None
        self.rows: list[Suggested] = []
        self.left: list[int] = []
        self.ask = Ask()
        self._given: dict[int, str] = {}
        self._scenario, self._accept, self._changed = scenario, accept, changed
        self._tell_ask = asked
        self._task: Task | None = None
        self._movable: tuple[str, ...] = ()
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
        self.page = pn.Column(
            self._form,
            self._run,
            self._told,
            self._all,
            self._list,
            sizing_mode="stretch_width",
            margin=0,
        )

    @property
    def _lang(self) -> Language:
        return cast("Language", self.session.lang)

    def relabel(self) -> None:
        """Put every word into the session's language."""
        told = self.session.text
        self._form.fields = siting_ask.fields(self.ask, self._lang)
        self._run.name = told("desk.siting.stop" if self._task else "desk.siting.run")
        self._all.name = told("desk.siting.accept_all")
        if self.siting is not None:
            self.rows = self._suggested(self.siting)
        self._show()

    def clear(self) -> None:
        """Drop what is suggested; it was found for another service or scenario."""
        self.siting, self.rows, self.left, self._given = None, [], [], {}
        self._show()

    def follow(self, outcome: Outcome) -> None:
        """Offer again what was accepted and is made no longer, as after an undo."""
        if self.siting is None:
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

    async def run(self, *_events: Any) -> None:
        """Run the model; pressed again while it runs, stop it with the best so far."""
        session = self.session
        if self._task is not None:
            self._task.cancel()
            return
        asked = self._scenario(), session.service, self.ask, session.year or None
        told, grave = "", True
        self.clear()
        self._changed()
        try:
            working = session.text("desk.siting.running")
            found = await session.work(working, self._solve, *asked, stops_itself=True)
            if asked[1] == session.service and asked[3] == (session.year or None):
                self.siting, self._movable = found
                self.rows = self._suggested(self.siting)
                self.left = self._open_rows()
            grave = False
        except Cancelled:
            told, grave = session.text("desk.was_cancelled"), False
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            told = session.failure(wrong)
        self._task = None
        self.relabel()
        self._changed()
        session.say(told, grave=grave)

    def _solve(
        self, scenario: Scenario, service: str, ask: Ask, year: int | None, *, task: Task
    ) -> tuple[Siting, tuple[str, ...]]:
        self._task = task
        session, study = self.session, self.session.study
        pn.state.execute(self.relabel)
        standard = study.services[service].standard
        city = scenario.apply(study.city, services=study.services)
        if scenario.outcome(Base.of(study.city, study.services)).streets:
            # Of the streets that are left.
            network = Network.build(city.streets, standard.mode, crs=city.crs, **standard.pace)
            homes = network.locate(city.population)
        else:
            network, homes = study.bench.network(standard), study.bench.homes(standard)
        stated = siting_ask.state(
            ask,
            city,
            service,
            year=year,
            level=session.level if session.level != "city" else "district",
            standard=standard,
            network=network,
        )
        measure, last = measure_of(stated.problem), 0.0

        def tell(now: Progress) -> None:
            nonlocal last
            if time.monotonic() - last < _TELL_EVERY:
                return
            last = time.monotonic()
            best, bound = (
                "–"
                if value is None or not math.isfinite(value)
                else figure(value, measure, standard.unit, self._lang)
                for value in (now.best, now.bound)
            )
            gap = f"{now.gap:.2%}" if math.isfinite(now.gap) else "–"
            task.tell(what=session.text("desk.siting.progress", best=best, bound=bound, gap=gap))
            told = (best, bound, gap, f"{now.seconds:.0f} s")
            pn.state.execute(lambda: self._show_progress(told))

        siting = site(
            stated.city,
            stated.problem,
            services=study.services,
            network=network,
            homes=homes,
            progress=tell,
            cancelled=task.cancelled,
        )
        return siting, stated.movable

    def _suggested(self, siting: Siting) -> list[Suggested]:
        """List what a model suggests: openings, what stays, and closings."""
        told, sites, made = self.session.text, siting.sites, []
        changes = siting.scenario().changes
        for row, change in enumerate(changes):
            own = sites.iloc[row]
            part = own["part_en" if self._lang == "en" else "part"]
            part = part if isinstance(part, str) else str(own["name"] or own["id"])
            adds = told("desk.siting.adds", people=wording.people(own["people_new"]))
            words = f"{adds} · {wording.rate(own['rate'])}"
            stays = own["id"] in self._movable
            made.append(
                Suggested(
                    change=None if stays else change,
                    name=str(own["name"] or own["id"]) if stays else part,
                    told=words,
                    place=None if stays else (float(own["lon"]), float(own["lat"])),
                )
            )
        if siting.found:
            names = self.session.city.facilities.set_index("id")["name"]
            opened = self._scenario().changes
            new = {getattr(one, "id", ""): getattr(one, "name", "") for one in opened}
            kept = set(sites["id"])
            made += [
                Suggested(
                    change=Close(id=one),
                    name=str(names.get(one) or new.get(one) or one),
                    told=told("desk.siting.closes"),
                )
                for one in self._movable
                if one not in kept
            ]
        return made

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

    def _show_progress(self, told: tuple[str, ...]) -> None:
        if self._task is None:
            return
        names = ("best", "bound", "gap", "time")
        rows = "".join(
            f"<dt>{said(f'desk.siting.now_{name}', self._lang)}</dt>"
            f'<dd data-figure="now-{name}">{escape(value)}</dd>'
            for name, value in zip(names, told, strict=True)
        )
        self._told.object = f'<dl class="now" role="status">{rows}</dl>'

    def _show(self) -> None:
        siting, lang = self.siting, self._lang
        self._all.visible = len(self.left) > 1
        if siting is None:
            self._told.object = ""
            self._list[:] = []
            return
        words = list(siting.words(lang))
        seconds = siting.solved.solution.seconds
        words.append(self.session.text("desk.siting.took", seconds=f"{seconds:.1f}"))
        told = "".join(f"<p>{escape(line)}</p>" for line in words)
        self._told.object = f'<div class="hint" data-figure="status">{told}</div>'
        self._list[:] = [self._row(row) for row in range(len(self.rows))]

    def _row(self, row: int) -> Any:
        told, own, left = self.session.text, self.rows[row], row in self.left
        line = pn.pane.HTML(
            f'<div class="site" data-site="{row + 1}"><b>{row + 1}</b><span>{escape(own.name)}'
            f"<small>{escape(own.told)}</small></span></div>",
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


_STYLE = """
.hint p { margin: 2px 0; }
.now { display: grid; grid-template-columns: max-content 1fr; gap: 1px 10px; margin: 4px 0;
  font-size: 12px; } .now dt { color: var(--soft); } .now dd { margin: 0; font-weight: 550;
  text-align: right; font-variant-numeric: tabular-nums; }
.site { display: flex; gap: 8px; align-items: center; padding: 3px 0; }
.site b { flex: none; width: 22px; height: 22px; border-radius: 11px; text-align: center;
  font-size: 12px; line-height: 22px; color: #fff; background: #b5179e; }
.site span { line-height: 1.25; min-width: 0; }
.site small { display: block; color: var(--soft); font-size: 11.5px; }
"""
