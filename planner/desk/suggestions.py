"""Suggestions: a siting model run from the desk, and its sites to accept."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, cast

import panel as pn

from planner import wording
from planner.changes import Base
from planner.desk import style
from planner.desk.session import Cancelled
from planner.maps import colours
from planner.maps.scene import Marker
from planner.maps.words import said
from planner.siting.site import site

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Sequence

    from layers.messages import Language
    from planner.changes import Open
    from planner.desk.session import Session, Task
    from planner.scenario import Scenario
    from planner.siting.control import Progress
    from planner.siting.siting import Siting

MOST = 50
"""Most sites that may be asked for at once."""
PREFIX = "suggested/"
"""What the ids of their markers begin with."""


class Suggestions:
    """Controls that run maximal cover and list its sites in the order of what each adds.

    Parameters
    ----------
    session
        What the views of one reader share.
    scenario
        Tells what is changed already: the model adds to it.
    accept
        Called with the openings that the reader takes over; gives the ids that they have.
    changed
        Called when other sites are suggested than before.

    Attributes
    ----------
    siting
        What the model gave; None before it ran, or once that is out of date.
    left
        Places in the list that are not accepted yet, from 0.
    page
        A Panel viewable.
    """

    def __init__(
        self,
        session: Session,
        *,
        scenario: Callable[[], Scenario],
        accept: Callable[[Sequence[Open]], Awaitable[list[str]]],
        changed: Callable[[], None],
    ) -> None:
        self.session = session
        self.siting: Siting | None = None
        self.left: list[int] = []
        self._given: dict[int, str] = {}
        self._scenario, self._accept, self._changed = scenario, accept, changed
        self._task: Task | None = None
        self._number = pn.widgets.IntInput(
            value=5,
            start=1,
            end=MOST,
            sizing_mode="stretch_width",
            stylesheets=[style.CONTROL],
            margin=0,
        )
        button = {"stylesheets": [style.SWITCH, style.BUTTON], "sizing_mode": "stretch_width"}
        self._run = pn.widgets.Button(margin=(8, 0, 4, 0), height=32, **button)
        self._all = pn.widgets.Button(margin=(4, 0, 2, 0), height=32, visible=False, **button)
        self._head, self._told = (
            pn.pane.HTML(
                "", sizing_mode="stretch_width", margin=0, stylesheets=[style.TEXT, _STYLE]
            )
            for _ in range(2)
        )
        self._list = pn.Column(sizing_mode="stretch_width", margin=0)
        self._run.on_click(self.run)
        self._all.on_click(self.accept_all)
        self.page = pn.Column(
            self._head,
            self._number,
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
        self._head.object = f'<div class="label">{said("desk.siting.model", self._lang)}</div>'
        self._number.name = told("desk.siting.number")
        self._run.name = told("desk.siting.stop" if self._task else "desk.siting.run")
        self._all.name = told("desk.siting.accept_all")
        self._show()

    def clear(self) -> None:
        """Drop what is suggested; it was found for another service or scenario."""
        self.siting, self.left, self._given = None, [], {}
        self._show()

    def follow(self, opened: Container[str]) -> None:
        """Offer again what was accepted and is open no longer, as after an undo."""
        if self.siting is None:
            return
        rows = range(len(self.siting.sites))
        left = [row for row in rows if self._given.get(row) not in opened]
        if left != self.left:
            self.left = left
            self._show()

    async def run(self, *_events: Any) -> None:
        """Run the model; pressed again while it runs, stop it with the best so far."""
        session = self.session
        if self._task is not None:
            self._task.cancel()
            return
        number = int(self._number.value or 1)
        asked = self._scenario(), session.service, number, session.year or None
        told, grave = "", True
        self.clear()
        self._changed()
        try:
            working = session.text("desk.siting.running")
            found = await session.work(working, self._solve, *asked, stops_itself=True)
            if asked[1] == session.service and asked[3] == (session.year or None):
                self.siting = found
                self.left = list(range(len(found.sites)))
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
        self, scenario: Scenario, service: str, number: int, year: int | None, *, task: Task
    ) -> Siting:
        self._task = task
        pn.state.execute(self.relabel)

        def tell(now: Progress) -> None:
            task.tell(
                what=self.session.text(
                    "desk.siting.progress",
                    best="–" if now.best is None else wording.people(now.best),
                    bound="–" if now.bound is None else wording.people(now.bound),
                    gap="–" if now.gap == float("inf") else f"{now.gap:.2%}",
                )
            )

        study = self.session.study
        standard, held = study.services[service].standard, {}
        if not scenario.outcome(Base.of(study.city, study.services)).streets:
            # Where streets are closed the network is made of those that are left.
            with study.lock:
                held = {
                    "network": study.bench.network(standard),
                    "homes": study.bench.homes(standard),
                }
        return site(
            scenario.apply(study.city, services=study.services),
            service,
            services=study.services,
            model="mclp",
            p=number,
            year=year,
            progress=tell,
            cancelled=task.cancelled,
            **held,  # type: ignore[arg-type]
        )

    def markers(self) -> list[Marker]:
        """Pins of the sites that are not accepted yet, numbered as in the list."""
        if self.siting is None:
            return []
        sites = self.siting.sites
        return [
            Marker(
                id=f"{PREFIX}{row}",
                lon=float(sites["lon"].iloc[row]),
                lat=float(sites["lat"].iloc[row]),
                label=self.session.text("desk.siting.suggested", number=row + 1),
                colour=colours.SUGGESTED,
                sign=str(row + 1),
            )
            for row in self.left
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
        assert self.siting is not None
        changes = self.siting.scenario().changes
        taken = [cast("Open", changes[row]) for row in rows]
        given = await self._accept(taken)
        if given:
            self._given.update(zip(rows, given, strict=True))
            self.left = [row for row in self.left if row not in rows]
            self._show()
            self._changed()

    def _show(self) -> None:
        siting, lang = self.siting, self._lang
        self._all.visible = bool(self.left)
        if siting is None:
            hint = said("desk.siting.model_hint", lang)
            self._told.object = f'<div class="hint">{hint}</div>'
            self._list[:] = []
            return
        words = "".join(f"<p>{escape(line)}</p>" for line in siting.words(lang))
        self._told.object = f'<div class="hint" data-figure="status">{words}</div>'
        self._list[:] = [self._row(row) for row in range(len(siting.sites))]

    def _row(self, row: int) -> Any:
        assert self.siting is not None
        told, lang = self.session.text, self._lang
        own = self.siting.sites.iloc[row]
        part = own["part_en"] if lang == "en" else own["part"]
        part = part if isinstance(part, str) else str(own["name"] or own["id"])
        adds = told("desk.siting.adds", people=wording.people(own["people_new"]))
        line = pn.pane.HTML(
            f'<div class="site" data-site="{row + 1}"><b>{row + 1}</b><span>{escape(part)}'
            f"<small>{escape(adds)} · {wording.rate(own['rate'])}</small></span></div>",
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[style.TEXT, _STYLE],
        )
        left = row in self.left
        button = pn.widgets.Button(
            label=told("desk.siting.accept" if left else "desk.siting.accepted"),
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
.site { display: flex; gap: 8px; align-items: center; padding: 3px 0; }
.site b { flex: none; width: 22px; height: 22px; border-radius: 11px; text-align: center;
  font-size: 12px; line-height: 22px; color: #fff; background: #b5179e; }
.site span { line-height: 1.25; min-width: 0; }
.site small { display: block; color: var(--soft); font-size: 11.5px; }
"""
