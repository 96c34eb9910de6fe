"""The view of siting: facilities opened, moved and closed on the map, rates following."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd
import panel as pn
import param
import shapely

from layers.errors import PlannerError
from layers.messages import text
from planner.changes import Base, CloseStreet, Move, Open, Outcome
from planner.desk import difference, style, table
from planner.desk.draft import Draft
from planner.desk.edit_card import EditCard
from planner.desk.session import Cancelled
from planner.desk.shelf import Shelf
from planner.desk.study import YEARS
from planner.desk.suggestions import PREFIX, Suggestions
from planner.desk.trial import Trial
from planner.desk.views.view import MapView
from planner.maps import colours, furniture, live, words
from planner.maps.events import Clicked, MarkerDragged, MarkerDropped
from planner.maps.furniture import Entry
from planner.maps.scene import Areas, Dots, Lines, Marker
from planner.siting.ask import Ask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from planner.changes import Change, Place
    from planner.desk.session import Session
    from planner.desk.trial import Comparison
    from planner.scenario import Scenario
    from planner.siting.question import Question
    from planner.store import Record

ACTS = ("choose", "add", "shut")
"""What a click on the map does: choose a facility, open one there, close the street there."""

PARTS = ("model", "shelf")
"""What stands below the choices: the siting model, or what keeps and opens scenarios."""

_CLOSED, _SHUT = "closed", "shut"


class SitingView(MapView):
    """Choices, model and store on the left, the map, and what comes of it beside it."""

    KEY: ClassVar[str] = "siting"
    ADDRESS: ClassVar[tuple[str, ...]] = ("record", "act", "part", "wanted", "look")

    record: Any = param.String(default="", doc="Id of the scenario that is open.")
    act: Any = param.Selector(objects=list(ACTS), default=ACTS[0], doc="What a click does.")
    chosen: Any = param.String(default="", doc="Id of the chosen facility.")
    wanted: Any = param.String(default="", doc="What is asked of the model; see `Ask.spoken`.")
    part: Any = param.Selector(objects=list(PARTS), default=PARTS[0], doc="What stands left.")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.draft = Draft()
        self.trial: Trial | None = None
        self.found: Comparison | None = None
        self.outcome = Outcome()
        self._base = Base.of(session.city, session.study.services)
        self._asked: tuple[str, int] | None = None
        self._turn = asyncio.Lock()
        self._table: Any = None

    def restore(self, told: Mapping[str, str]) -> list[str]:
        """Take what an address says; what is asked of a model must be what the form takes."""
        wrong = super().restore(told)
        try:
            Ask.read(self.wanted)
        except ValueError:
            self.wanted = ""
            wrong.append("wanted")
        return wrong

    # The page.

    def build(self) -> Any:
        """Make every part once; what changes is filled in later."""
        session = self.session
        wide = {"sizing_mode": "stretch_width", "stylesheets": [style.CONTROL], "margin": 0}
        self._services = pn.widgets.Select(**wide)
        self._levels, self._years = pn.widgets.Select(**wide), pn.widgets.Select(**wide)
        self._acts = pn.widgets.RadioButtonGroup(
            stylesheets=[style.SWITCH, style.BUTTON], margin=0, height=34
        )
        self._parts = pn.widgets.RadioButtonGroup(
            stylesheets=[style.SWITCH, style.BUTTON],
            margin=(10, 0, 2, 0),
            height=32,
            sizing_mode="stretch_width",
        )
        button: dict[str, Any] = {"stylesheets": [style.SWITCH, style.BUTTON], "height": 34}
        self._undo = pn.widgets.Button(width=92, margin=(0, 6, 0, 0), **button)
        self._redo = pn.widgets.Button(width=92, margin=0, **button)
        self._undo.on_click(self.undo)
        self._redo.on_click(self.redo)
        self.suggestions = Suggestions(
            session,
            scenario=lambda: self.draft.scenario,
            accept=self._accept,
            changed=self._mark,
            asked=self._asked_model,
            take_up=self._take_up,
        )
        self.suggestions.ask = Ask.read(self.wanted)
        self.shelf = Shelf(
            session,
            scenario=lambda: self.draft.scenario,
            unsaved=lambda: self.draft.changed,
            kept=self._kept,
            opened=self._reopen,
        )
        self.map = self.lay_map()
        self.map.bridge.on(Clicked, self._clicked)
        self.map.bridge.on(MarkerDragged, self._dragged)
        self.map.bridge.on(MarkerDropped, self._dropped)
        self._figures = pn.pane.HTML(
            "", sizing_mode="stretch_width", stylesheets=[difference.STYLE], margin=(10, 14, 6, 14)
        )
        self.card = EditCard(session, self.change)
        self._changes = pn.pane.HTML(
            "", sizing_mode="stretch_width", stylesheets=[style.TEXT, _LIST], margin=(0, 14, 6, 14)
        )
        self._units = pn.Column(sizing_mode="stretch_both", margin=(0, 6, 0, 8))
        for widget, target, name in (
            (self._services, session, "service"),
            (self._levels, session, "level"),
            (self._years, session, "year"),
            (self._acts, self, "act"),
            (self._parts, self, "part"),
        ):
            self._bind(widget, target, name)
        session.param.watch(self._asked_anew, ["service", "year"])
        session.param.watch(self._redrawn, ["level", "theme"])
        self.param.watch(self._show_chosen, "chosen")
        self.param.watch(self._show_part, "part")
        self._show_part()
        left = pn.Column(
            self._services,
            pn.Row(self._levels, pn.Spacer(width=8), self._years, sizing_mode="stretch_width"),
            self._parts,
            self.suggestions.page,
            self.shelf.page,
            width=244,
            sizing_mode="stretch_height",
            stylesheets=[style.LEFT],
        )
        middle = pn.Column(
            pn.Row(
                self._acts,
                pn.Spacer(sizing_mode="stretch_width"),
                self._undo,
                self._redo,
                sizing_mode="stretch_width",
                stylesheets=[style.BAR],
                height=46,
            ),
            self.map.bridge,
            sizing_mode="stretch_both",
            stylesheets=[style.FILL],
        )
        right = pn.Column(
            self._figures,
            self.card.page,
            self._changes,
            self._units,
            sizing_mode="stretch_height",
            width=452,
            stylesheets=[style.RIGHT],
        )
        self._page = pn.Row(
            left,
            middle,
            right,
            sizing_mode="stretch_both",
            stylesheets=[style.SIDES],
        )
        return self._page

    def relabel(self) -> None:
        """Put every word into the language in force."""
        session, lang = self.session, self.lang
        study, told = session.study, session.text
        options: list[tuple[Any, dict[str, Any], Any]] = [
            (
                self._services,
                {s.title(lang): key for key, s in study.services.items()},
                session.service,
            ),
            (self._levels, {text(f"level.{x}", lang): x for x in study.levels}, session.level),
            (
                self._years,
                {told("desk.any_year"): 0, **{str(year): year for year in YEARS}},
                session.year,
            ),
            (self._acts, {told(f"desk.siting.act.{act}"): act for act in ACTS}, self.act),
            (self._parts, {told(f"desk.siting.part_{part}"): part for part in PARTS}, self.part),
        ]
        for widget, offered, value in options:
            if widget.options != offered:
                widget.param.update(options=offered, value=value)
        self._services.name = told("desk.service")
        self._levels.name, self._years.name = told("desk.level"), told("desk.year")
        self._undo.name, self._redo.name = told("desk.siting.undo"), told("desk.siting.redo")
        self.suggestions.relabel()
        self.shelf.relabel()
        self._table = None
        if self.found is not None:
            self._show(self.found)

    def _bind(self, widget: Any, target: param.Parameterized, name: str) -> None:
        def chosen(event: Any) -> None:
            if event.new in target.param[name].objects:
                target.param.update(**{name: event.new})

        def changed(event: Any) -> None:
            if widget.options and widget.value != event.new:
                widget.value = event.new

        widget.param.watch(chosen, "value")
        target.param.watch(changed, name)

    # What is asked.

    async def opened(self) -> None:
        """Open the scenario that the address names, and follow what is drafted."""
        await self.ask()
        if self.record and self.shelf.record is None and not await self.shelf.open(self.record):
            self.record = ""
        await self.shelf.refresh()
        await self.suggestions.refresh()

    async def ask(self, *_events: Any) -> None:
        """Begin to follow the service and year that are chosen, unless they are followed."""
        session = self.session
        asked = session.service, session.year
        if asked == self._asked:
            return
        self._asked = asked
        self.map.bridge.busy = session.text("desk.working") if self.trial is None else ""
        told, grave = "", True
        try:
            working = session.text("desk.working")
            begin = partial(Trial.begin, session.study, asked[0], asked[1] or None)
            trial = await session.work(working, begin)
            if asked != self._asked:
                return
            self.trial, self.chosen = trial, ""
            self.suggestions.clear()
            self.suggestions.make_ready()
            await self._follow()
            told, grave = "", False
        except Cancelled:
            told, grave = session.text("desk.was_cancelled"), False
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            told = session.failure(wrong)
        if asked == self._asked:
            if told:
                self._asked = None
            session.say(told, grave=grave)
            self.map.bridge.busy = ""

    async def _asked_anew(self, *_events: Any) -> None:
        # A view that nobody looks at follows when it is opened again.
        if self._page.visible:
            await self.ask()

    async def _redrawn(self, *_events: Any) -> None:
        if self.trial is not None:
            self._table = None
            await self._follow()

    # Changes.

    async def change(self, *changes: Change) -> bool:
        """Make changes, or say why they cannot be made; whether they were made."""
        return await self._try(lambda draft: draft.then(*changes))

    async def undo(self, *_events: Any) -> None:
        """Take the last change back."""
        await self._try(Draft.undone)

    async def redo(self, *_events: Any) -> None:
        """Make the change again that was taken back last."""
        await self._try(Draft.redone)

    async def add(self, place: Place) -> None:
        """Open a facility of the service at a place (degrees, WGS-84)."""
        service, opened = self.session.service, ""

        def step(draft: Draft) -> Draft:
            nonlocal opened
            opened = draft.fresh(self._base.ids)
            number = opened.removeprefix("new-")
            name = self.session.text("desk.siting.new_name", number=number)
            return draft.then(Open(service=service, place=place, id=opened, name=name))

        if await self._try(step):
            self.chosen = opened

    async def _try(self, step: Callable[[Draft], Draft]) -> bool:
        if self.trial is None:
            return False
        try:
            await self._follow(step)
        except PlannerError as wrong:
            self.session.say(str(wrong), grave=True)
            return False
        self.session.say("")
        return True

    async def _follow(self, step: Callable[[Draft], Draft] | None = None) -> None:
        """Go on from the draft that is worked on, and show what it comes to.

        The step, if there is one, begins at the draft as it is once the turn has come: what
        waited before, as a link's scenario or another click, is not undone.
        """
        async with self._turn:
            draft = self.draft if step is None else step(self.draft)
            outcome = draft.scenario.outcome(self._base)
            found = await self._compared(draft.scenario)
            self.draft, self.outcome = draft, outcome
            self.suggestions.follow(outcome)
            self._show(found)

    async def _compared(self, scenario: Scenario) -> Comparison:
        assert self.trial is not None
        return await asyncio.to_thread(self.trial.compare, scenario, self.session.level)

    def _asked_model(self, ask: Ask) -> None:
        self.wanted = ask.spoken()

    async def _accept(self, changes: Sequence[Change]) -> list[str]:
        """Make changes that a model suggests; an id that is taken is replaced."""
        given: list[str] = []

        def step(draft: Draft) -> Draft:
            for change in changes:
                own = change
                if isinstance(change, Open):
                    opened = draft.scenario.outcome(self._base).opened
                    if change.id in self._base.ids or change.id in opened:
                        own = replace(change, id=draft.fresh(self._base.ids))
                given.append(str(getattr(own, "id", "")))
                draft = draft.then(own)
            return draft

        return given if await self._try(step) else []

    def _kept(self, record: Record, scenario: Scenario) -> None:
        self.draft = self.draft.kept(scenario)
        self.record = record.id
        self._show_changes()

    async def _reopen(self, record: Record, scenario: Scenario) -> None:
        """Take a kept scenario up in the place of the draft."""
        scenario.outcome(self._base)
        self.record = record.id
        self.suggestions.clear()
        own = [change.service for change in scenario.changes if isinstance(change, Open)]
        known = [key for key in own if key in self.session.study.services]
        draft = Draft.of(replace(scenario, name=record.name))
        if known and self.session.service not in known:
            self.draft = draft
            self.session.service = known[0]
            await self.ask()
        elif self.trial is None:
            self.draft = draft
        else:
            await self._try(lambda _before: draft)

    async def _take_up(self, question: Question) -> None:
        """Look at what a siting model was asked about; a scenario of the reader's own stays."""
        session = self.session
        known = {"service": question.service, "year": question.year or 0}
        if all(value in session.param[name].objects for name, value in known.items()):
            session.param.update(**known)
            await self.ask()
            if not self.draft.scenario.changes and question.scenario.changes:
                await self.change(*question.scenario.changes)

    # What the map tells.

    async def _clicked(self, event: Clicked) -> None:
        place = event.lon, event.lat
        if event.layer == "markers" and event.feature:
            if event.feature.startswith(PREFIX):
                await self.suggestions.accept(int(event.feature.removeprefix(PREFIX)))
            else:
                self.chosen = event.feature
        elif event.layer == live.FACILITIES and event.feature:
            self.chosen = event.feature
        elif self.act == "add":
            await self.add(place)
        elif self.act == "shut":
            await self._shut(place)
        else:
            self.chosen = ""

    async def _shut(self, place: Place) -> None:
        assert self.trial is not None
        street = self.trial.street(place)
        if street is None:
            self.session.say(self.session.text("desk.siting.no_street"), grave=True)
            return
        await self.change(CloseStreet(street=street))

    async def _dragged(self, event: MarkerDragged) -> None:
        """Show what the facility would do where it is held now; the draft stays."""
        if event.marker.startswith(PREFIX) or self.trial is None:
            return
        moved = self.draft.scenario.then(Move(id=event.marker, place=(event.lon, event.lat)))
        async with self._turn:
            try:
                found = await self._compared(moved)
            except PlannerError:
                return
            self._show_figures(found)

    async def _dropped(self, event: MarkerDropped) -> None:
        if not await self.change(Move(id=event.marker, place=(event.lon, event.lat))):
            # Back to where it was, with the figures of there.
            self.map.bridge.unmark(event.marker)
            await self._follow()

    # What is shown.

    def _show(self, found: Comparison) -> None:
        self._show_figures(found)
        self._undo.disabled = not self.draft.scenario.changes
        self._redo.disabled = not self.draft.ahead
        if self.chosen and self._facility(self.chosen) is None:
            self.chosen = ""
        self._draw()
        self._mark()
        self._show_card()
        self._show_changes()

    def _show_figures(self, found: Comparison) -> None:
        """Fill figures, table and shades; quick enough to follow a hand."""
        self.found, lang = found, self.lang
        self._figures.object = difference.key_figures(found, lang)
        if self._table is None:
            self._table = difference.make(found.units, lang)
            self._units[:] = [self._table]
        else:
            table.refresh(self._table, difference.rows(found.units, lang))
        units = self.session.study.plain_units(self.session.level)
        areas = live.unit_areas(units, found.rates, lang, shaded=True, theme=self.session.theme)
        bridge, before = self.map.bridge, self.map.bridge.layers.get(live.UNITS)
        plain = replace(areas, fills=None, tips=None)
        if isinstance(before, Areas) and replace(before, fills=None, tips=None) == plain:
            bridge.restyle(live.UNITS, fills=areas.fills, tips=areas.tips)
        else:
            bridge.put(areas)
        labels = live.unit_labels(units, found.rates, lang)
        if labels is None:
            bridge.take(live.LABELS)
        elif labels != bridge.layers.get(live.LABELS):
            bridge.put(labels)

    def _draw(self) -> None:
        """Put facilities, closed streets and the legend on the map."""
        assert self.trial is not None
        lang, outcome, theme = self.lang, self.outcome, self.session.theme
        palette = colours.PALETTES[theme]
        base = self.trial.base.facilities
        pinned = {*outcome.moved, self.chosen}
        gone = base["id"].isin(outcome.closed)
        stay = base[~gone & ~base["id"].isin(pinned)]
        self._put(live.facility_dots(stay, lang, theme=theme))
        closed = live.facility_dots(base[gone], lang, theme=theme)
        ring = {
            "color": palette.unserved,
            "weight": 2,
            "fillColor": palette.ring,
            "fillOpacity": 1,
        }
        self._put(replace(closed, id=_CLOSED, order=59, style=ring))
        streets = self.session.city.streets
        lines = list(streets.geometry.loc[list(outcome.streets)])
        bar = {"color": palette.unserved, "weight": 5, "dashArray": "2 6"}
        self._put(Lines(id=_SHUT, order=50, shapes=lines, style=bar))
        entries = [
            Entry(
                furniture.dot(palette.facility, radius=5, ring=palette.ring),
                text("map.facilities", lang, count=f"{len(stay):,}"),
            ),
            Entry(
                furniture.dot(palette.accent, radius=5, ring=palette.ring),
                text("desk.siting.legend", lang),
            ),
        ]
        if self.found is not None:
            entries += live.rate_legend(self.found.rates, lang)
        title = text("desk.siting.map_title", lang)
        head = furniture.head_html(self.trial.base, lang)
        self.map.explain(head, title, entries, furniture.sources(self.trial.base, lang))

    def _put(self, layer: Dots | Lines) -> None:
        """Put a layer, unless it is there as it is; without anything on it, take it away."""
        bridge = self.map.bridge
        empty = not (layer.ids if isinstance(layer, Dots) else layer.shapes)
        if empty:
            bridge.take(layer.id)
        elif bridge.layers.get(layer.id) != layer:
            bridge.put(layer)

    def _mark(self) -> None:
        """Pin what is chosen, moved, opened or suggested; pins that stay are not touched."""
        bridge = self.map.bridge
        wanted = {marker.id: marker for marker in (*self._pins(), *self.suggestions.markers())}
        for name in set(bridge.markers) - set(wanted):
            bridge.unmark(name)
        for name, marker in wanted.items():
            before = bridge.markers.get(name)
            if before is None or replace(before, lon=marker.lon, lat=marker.lat) != marker:
                bridge.mark(marker)
            elif before != marker:
                bridge.move(name, marker.lon, marker.lat)

    def _pins(self) -> list[Marker]:
        outcome, told = self.outcome, []
        service, palette = self.session.service, colours.PALETTES[self.session.theme]
        ids = [one.id for one in outcome.opened.values() if one.service == service]
        for name in dict.fromkeys([*outcome.moved, *ids, self.chosen]):
            found = self._facility(name)
            if found is None:
                continue
            label, place, _ = found
            changed = name in outcome.moved or name in outcome.opened
            told.append(
                Marker(
                    id=name,
                    lon=place[0],
                    lat=place[1],
                    label=label,
                    colour=palette.accent if changed else palette.facility,
                    ink=palette.ring,
                    sign="+" if name in outcome.opened else "",
                    draggable=True,
                )
            )
        return told

    def _facility(self, name: str) -> tuple[str, Place, float | None] | None:
        """Name, place and capacity of a facility as the draft leaves it; None for none."""
        own = self.outcome.opened.get(name)
        if own is not None:
            return own.name or own.id, own.place, own.capacity
        if self.trial is None or name in self.outcome.closed:
            return None
        rows = self.trial.base.facilities
        rows = rows[rows["id"] == name]
        if rows.empty or rows.geometry.iloc[0] is None or rows.geometry.iloc[0].is_empty:
            return None
        row, base = rows.iloc[0], self.session.city.facilities
        x, y = shapely.get_coordinates(rows.geometry.iloc[0])[0]
        capacity = base.loc[base["id"] == name, "capacity"].iloc[0]
        capacity = self.outcome.resized.get(name, capacity)
        place = self.outcome.moved.get(name, (float(x), float(y)))
        return str(row["name"] or name), place, None if pd.isna(capacity) else float(capacity)

    def _show_part(self, *_events: Any) -> None:
        self.suggestions.page.visible = self.part == "model"
        self.shelf.page.visible = self.part == "shelf"

    def _show_chosen(self, *_events: Any) -> None:
        """Set apart what is chosen now."""
        if self.trial is not None:
            self._draw()
            self._mark()
            self._show_card()

    def _show_card(self) -> None:
        """Show what is chosen and what can be done with it."""
        found = self._facility(self.chosen) if self.chosen else None
        if found is None:
            self.card.hide()
        else:
            self.card.show(self.chosen, found[0], found[2])

    def _show_changes(self) -> None:
        """List the changes in words."""
        self.session.unsaved = self.draft.changed
        told = [escape(line) for line in self.draft.scenario.words(self.lang)]
        if not told:
            hint = words.said("desk.siting.empty", self.lang)
            self._changes.object = f'<div class="hint">{hint}</div>'
            return
        count = words.said("desk.siting.changes", self.lang, count=len(told))
        unsaved = words.said("desk.siting.unsaved", self.lang) if self.draft.changed else ""
        lines = "".join(f"<li>{line}</li>" for line in told)
        self._changes.object = (
            f"<details><summary>{count} <em>{unsaved}</em></summary><ol>{lines}</ol></details>"
        )


_LIST = """
summary { cursor: pointer; font-weight: 600; } summary em { color: var(--accent);
  font-style: normal; font-weight: 400; }
ol { margin: 4px 0; padding-left: 22px; max-height: 130px; overflow-y: auto; font-size: 12px; }
"""
