"""The view of coverage: who is served, who is not, unit by unit and street by street."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import panel as pn
import param
import shapely

from layers.errors import PlannerError
from layers.messages import text
from layers.streets import MODES
from planner.desk import chart, figures, style, table
from planner.desk.form import Form
from planner.desk.place_card import PlaceCard
from planner.desk.session import Cancelled
from planner.desk.study import Answer, Choice
from planner.desk.views import coverage_form, coverage_map
from planner.desk.views.coverage_map import SHOWS
from planner.desk.views.view import MapView
from planner.maps import basemaps, live, words
from planner.maps.events import Clicked, MarkerDragged, MarkerDropped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.desk.session import Session
    from planner.scenario import Scenario


class CoverageView(MapView):
    """Choices on the left, the map, and figures with the table of units beside it."""

    KEY: ClassVar[str] = "coverage"
    ADDRESS: ClassVar[tuple[str, ...]] = (
        *("show", "mode", "unit_of", "cutoff", "group", "scenario", "versus", "basemap"),
        *("unit", "at", "look"),
    )
    PLACES: ClassVar[tuple[str, ...]] = ("at", "look")

    show: Any = param.Selector(objects=list(SHOWS), default=SHOWS[0], doc="What the map shows.")
    mode: Any = param.Selector(objects=["", *MODES], default="", doc="Empty for the standard's.")
    unit_of: Any = param.Selector(objects=["", "m", "min"], default="", doc="Unit of the cutoff.")
    cutoff: Any = param.Number(default=0.0, bounds=(0, 65_000), doc="0 for the standard's own.")
    group: Any = param.Selector(objects=[""], default="", doc="Empty for the standard's own.")
    scenario: Any = param.String(default="", doc="Id of the kept scenario, empty for the base.")
    versus: Any = param.String(
        default="", doc="What it is compared with: year-…, service-…, scenario-… or scenario-."
    )
    basemap: Any = param.Selector(objects=[basemaps.OWN], default=basemaps.OWN, doc="Its key.")
    unit: Any = param.String(default="", doc="Code of the chosen unit.")
    at: Any = param.Tuple(default=None, length=2, doc="Place asked about: longitude, latitude.")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        study = session.study
        self.param["group"].objects = ["", *study.groups]
        own = [basemaps.OWN, basemaps.NONE]
        self.param["basemap"].objects = [*own, *(one.key for one in study.basemaps)]
        self.answer: Answer | None = None
        self.other: Answer | None = None
        self._asked = 0
        self._shown_table: Any = None
        self._kept: coverage_form.Kept = {}

    @property
    def choice(self) -> Choice:
        """What is asked now."""
        session = self.session
        return Choice(
            service=session.service,
            level=session.level,
            year=session.year or None,
            mode=self.mode or None,
            unit=self.unit_of or None,
            cutoff=self.cutoff or None,
            group=self.group or None,
            scenario=self._changes_of(self.scenario),
        )

    def _changes_of(self, record: str) -> Scenario | None:
        """Scenario of a record that is kept; None for the base."""
        return self._kept[record][1] if record in self._kept else None

    @property
    def compared(self) -> Choice | None:
        """What it is compared with: another year or scenario, or a service by its own standard."""
        kind, _, told = self.versus.partition("-")
        choice = self.choice
        if kind == "year":
            return replace(choice, year=int(told) or None)
        if kind == "scenario":
            return replace(choice, scenario=self._changes_of(told))
        if kind == "service":
            return Choice(
                service=told, level=choice.level, year=choice.year, scenario=choice.scenario
            )
        return None

    def restore(self, told: Mapping[str, str]) -> list[str]:
        """Take what an address says; what it is compared with must be there."""
        wrong = super().restore(told)
        kinds = {f"service-{key}" for key in self.session.study.services}
        kinds |= {f"year-{year}" for year in self.session.param["year"].objects}
        # Which scenarios are kept is known once the store has been asked.
        if self.versus and self.versus not in kinds and not self.versus.startswith("scenario-"):
            self.versus = ""
            wrong.append("versus")
        return wrong

    async def opened(self) -> None:
        """Compute what is asked, unless it is shown already."""
        asked = self.scenario or self.versus.startswith("scenario-")
        lost = await self._look_up(asked=bool(asked)) if asked else ""
        if self.answer is None or self.answer.choice != self.choice:
            await self.ask()
            if self.at:
                await self.card.ask(*self.at)
        if not asked:
            await self._look_up(asked=False)
        if lost:
            self.session.say(lost, grave=True)

    async def _look_up(self, *, asked: bool) -> str:
        """Find what scenarios are kept; what to say if one that is asked for is not."""
        session, told = self.session, ""
        try:
            found = await asyncio.to_thread(session.study.scenarios)
        except PlannerError as wrong:
            found = []
            told = session.text("desk.scenarios_lost", reason=str(wrong)) if asked else ""
        self._kept = {record.id: (record.name, scenario) for record, scenario in found}
        kind, _, versus = self.versus.partition("-")
        if self.scenario and self.scenario not in self._kept:
            self.scenario, told = "", told or session.text("desk.scenario_gone")
        if kind == "scenario" and versus and versus not in self._kept:
            self.versus, told = "", told or session.text("desk.scenario_gone")
        if self.versus == "scenario-" + self.scenario:
            self.versus = ""
        self._fill_forms()
        return told

    async def ask(self, *_events: Any) -> None:
        """Compute what is asked and show it, unless something else was asked meanwhile."""
        choice, compared, session = self.choice, self.compared, self.session
        study = session.study
        self._asked += 1
        number = self._asked
        told, grave = "", True
        try:
            answers: list[Answer] = []
            for one in (choice, compared):
                if one is None:
                    continue
                if study.has(one):
                    answers.append(study.answer(one))
                    continue
                self._set_busy(busy=True)
                service = study.services[one.service].title(self.lang)
                working = session.text("desk.measuring", service=service)
                answers.append(await session.work(working, study.answer, one))
            if number != self._asked:
                return
            self._show(answers[0], answers[1] if compared is not None else None)
            told, grave = self._empty(answers[0]), False
        except Cancelled:
            told, grave = session.text("desk.was_cancelled"), False
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            told = session.failure(wrong)
        if number == self._asked:
            session.say(told, grave=grave)
            self._set_busy(busy=False)

    def build(self) -> Any:
        """Make every part once; what changes is filled in later."""
        session = self.session
        wide = {"sizing_mode": "stretch_width"}
        self._form = Form(self._chosen, margin=0, **wide)
        self._shows = Form(self._chosen, margin=0, width=344, stylesheets=[_SHOWS])
        self._all = pn.widgets.Button(
            stylesheets=[style.SWITCH, style.BUTTON], margin=0, width=82, height=30
        )
        self._all.on_click(lambda _event: self._choose_unit("", go=True))
        self._hint = pn.pane.HTML("", margin=0, stylesheets=[_HINT], **wide)
        self._figures = pn.pane.HTML("", stylesheets=[figures.STYLE], margin=(8, 14, 4, 14), **wide)
        self._chart = pn.pane.HTML("", stylesheets=[chart.STYLE], margin=(2, 14, 4, 14), **wide)
        self._table = pn.Column(sizing_mode="stretch_both", margin=(0, 6, 0, 8))
        self.map = self.lay_map()
        self.map.lay(self.basemap)
        self.card = PlaceCard(
            session,
            self.map,
            answer=lambda: self.answer,
            settled=self._settled,
        )
        bridge = self.map.bridge
        bridge.on(Clicked, self._clicked)
        bridge.on(MarkerDragged, self._dragged)
        bridge.on(MarkerDropped, self._dragged)
        session.param.watch(self._other_service, "service")
        session.param.watch(self.ask, ["level", "year"])
        session.param.watch(self._other_theme, "theme")
        left = pn.Column(
            self._form, width=204, sizing_mode="stretch_height", stylesheets=[style.LEFT]
        )
        middle = pn.Column(
            pn.Row(
                self._shows,
                self._hint,
                self._all,
                stylesheets=[style.BAR],
                height=43,
                **wide,
            ),
            bridge,
            sizing_mode="stretch_both",
            stylesheets=[style.FILL],
        )
        right = pn.Column(
            self._figures,
            self._chart,
            self.card.page,
            self._table,
            sizing_mode="stretch_height",
            width=452,
            stylesheets=[style.RIGHT],
        )
        return pn.Row(
            left,
            middle,
            right,
            sizing_mode="stretch_both",
            stylesheets=[style.SIDES],
        )

    def relabel(self) -> None:
        """Put every word into the language in force."""
        self._fill_forms()
        said = self.session.text
        self._all.label = said("desk.to_all")
        self._hint.object = f'<div class="hint">{words.said("desk.hint_click", self.lang)}</div>'
        if self.answer is not None:
            self._shown_table = None
            self._show(self.answer, self.other)
            self.card.show()

    # What the reader does.

    async def _chosen(self, name: str, value: Any, final: bool) -> None:
        """Take a choice from a form."""
        session = self.session
        if name in {"service", "level"}:
            session.param.update(**{name: value})
        elif name == "year":
            session.year = int(value)
        elif name == "basemap":
            self.basemap = value
            self.map.lay(value)
        elif name == "show":
            self.show = value
            self._fill_forms()
            if self.answer is not None:
                self._draw()
        elif name == "cutoff" and value is None:
            self.param.update(mode="", unit_of="", cutoff=0.0)
            await self.ask()
        elif name == "cutoff":
            await self._slide(float(value), final=final)
        else:
            await self._other_standard(name, value)

    async def _other_standard(self, name: str, value: str) -> None:
        standard = self.session.study.standard(self.choice)
        own = self.session.study.services[self.session.service].standard
        if name == "mode":
            unit, cutoff = standard.unit, standard.cutoff
            _, most, _ = coverage_form.TRACKS[value, unit]
            self.param.update(mode=value, unit_of=unit, cutoff=min(cutoff, most))
        elif name == "unit":
            if value == standard.unit:
                return
            # At the group's own pace the two say about the same.
            pace = standard.pace.get("speed_kmh", _CAR_KMH) * 1000 / 60
            cutoff = standard.cutoff * pace if value == "m" else standard.cutoff / pace
            step = coverage_form.TRACKS[standard.mode, value][2]
            self.param.update(
                mode=standard.mode, unit_of=value, cutoff=max(step, round(cutoff / step) * step)
            )
        elif name == "group":
            self.group = "" if value == own.group else value
        elif name == "versus":
            self.versus = value
        elif name == "scenario":
            versus = "" if self.versus == f"scenario-{value}" else self.versus
            self.param.update(scenario=value, versus=versus)
        self._tidy_standard()
        await self.ask()
        if name != "versus":
            await self.card.again()

    async def _slide(self, cutoff: float, *, final: bool) -> None:
        """Answer while the slider moves: only figures, colours and shades change."""
        with param.parameterized.discard_events(self):
            standard = self.session.study.standard(self.choice)
            self.param.update(mode=standard.mode, unit_of=standard.unit, cutoff=cutoff)
            self._tidy_standard()
        choice, compared, study = self.choice, self.compared, self.session.study
        if self.answer is None or not study.has(choice) or (compared and not study.has(compared)):
            if final:
                await self.ask()
            return
        self._asked += 1
        answer = study.answer(choice)
        other = study.answer(compared) if compared is not None else None
        self.answer, self.other = answer, other
        self._show_figures()
        self._retouch()
        if final:
            self._fill_forms()
            self._draw()
            await self.card.again()
            self.param.trigger("cutoff")

    def _tidy_standard(self) -> None:
        """Write what is the standard's own as nothing, so that the address stays short."""
        study = self.session.study
        own, now = study.services[self.session.service].standard, study.standard(self.choice)
        if (now.mode, now.unit, now.cutoff) == (own.mode, own.unit, own.cutoff):
            self.param.update(mode="", unit_of="", cutoff=0.0)

    async def _other_service(self, _event: Any) -> None:
        """Another service has a standard of its own."""
        versus = "" if self.versus == f"service-{self.session.service}" else self.versus
        self.param.update(mode="", unit_of="", cutoff=0.0, group="", versus=versus)
        await self.ask()
        if self.at:
            await self.card.ask(*self.at)
        else:
            self.card.leave()

    def _other_theme(self, _event: Any) -> None:
        if self.answer is not None:
            self._draw()
            self.card.redraw()

    async def _clicked(self, event: Clicked) -> None:
        if event.layer == "markers":
            return
        if event.layer is not None and event.layer.startswith(_SITES) and event.feature:
            await self.card.ask_facility(event.feature)
            return
        if event.layer is not None and event.layer.startswith(live.UNITS) and event.feature:
            self._choose_unit(event.feature, go=False)
        await self.card.ask(event.lon, event.lat)

    async def _dragged(self, event: MarkerDragged | MarkerDropped) -> None:
        if event.marker == coverage_map.PLACE:
            await self.card.ask(event.lon, event.lat, in_hand=isinstance(event, MarkerDragged))

    def _settled(self, at: tuple[float, float] | None) -> None:
        self.at = at

    # What is shown.

    def _show(self, answer: Answer, other: Answer | None) -> None:
        self.answer, self.other = answer, other
        self._fill_forms()
        self._show_figures()
        self._draw()

    def _show_figures(self) -> None:
        answer, other, lang = self.answer, self.other, self.lang
        assert answer is not None
        name = "" if other is None else self._name(other)
        self._figures.object = figures.key_figures(answer, lang, versus=other, name=name)
        self._table_of(answer, other)
        self._show_curve()

    def _table_of(self, answer: Answer, other: Answer | None) -> None:
        made = table.rows(answer.units, self.lang, other=None if other is None else other.units)
        shape = (
            list(made.columns),
            len(made),
            self.lang,
            table.quota(answer.units),
            answer.choice.level,
        )
        held = self._shown_table
        if held is not None and held[1] == shape:
            table.refresh(held[0], made)
            return
        widget = table.make(made, answer.units, self.lang)
        widget.on_click(self._go_to_row)
        self._shown_table = (widget, shape)
        self._table[:] = [widget]
        self._light()

    def _show_curve(self) -> None:
        answer, other, lang = self.answer, self.other, self.lang
        assert answer is not None
        study, standard = self.session.study, answer.standard
        most = max(coverage_form.TRACKS[standard.mode, standard.unit][1], standard.cutoff) * 0.75
        most = max(most, standard.cutoff * 1.25)
        known = self.unit in set(answer.units["code"]) if self.unit else False
        cutoffs, people = study.curve(answer, self.unit if known else "", most=most)
        row = answer.units.loc[answer.units["code"] == self.unit].iloc[0] if known else answer.total
        against = None
        if other is not None and other.standard.unit == standard.unit and not known:
            _, theirs = study.curve(other, most=most)
            against = theirs / other.total["people"] if other.total["people"] > 0 else None
        name = "" if not known else str(row["name_en"] if lang == "en" else row["name"])
        title = words.said("desk.curve" if standard.unit == "m" else "desk.curve_time", lang)
        drawn = chart.curve(
            cutoffs,
            people,
            total=float(row["people"]),
            cutoff=standard.cutoff,
            unit=standard.unit,
            lang=lang,
            other=against,
        )
        place_name = f" · {escape(name)}" if name else ""
        self._chart.object = f"<h4>{title}{place_name}</h4>{drawn}"

    def _name(self, answer: Answer) -> str:
        """Name what an answer stands for beside the one it is compared with."""
        return coverage_form.versus_name(answer, self.versus, self.lang)

    def _draw(self) -> None:
        answer, other, lang = self.answer, self.other, self.lang
        assert answer is not None
        names = ("", "")
        if other is not None:
            names = (
                self._name(other),
                self._name(answer),
            )
        study = self.session.study
        coverage_map.draw(self.map, study, answer, self.show, lang, other=other, names=names)
        self._light()

    def _retouch(self) -> None:
        """Colour streets and shade units anew, nothing else."""
        bridge, theme = self.map.bridge, self.session.theme
        for answer, side in ((self.answer, ""), (self.other, "-other")):
            if answer is None:
                continue
            if "field" + side in bridge.layers:
                stops, ramp = coverage_map.colouring(answer.standard, self.show, theme)
                bridge.recolour("field" + side, stops=stops, colours=ramp)
            if live.UNITS + side in bridge.layers:
                units = self.session.study.plain_units(answer.choice.level)
                shown = answer.units.set_index("code").loc[units["code"]]
                fills = live.fills(shown) if self.show == "rates" else None
                bridge.restyle(live.UNITS + side, fills=fills, tips=live.tips(shown, self.lang))
        if self.answer is not None:
            coverage_map.explain(self.map, self.answer, self.show, self.lang)

    def _fill_forms(self) -> None:
        study, choice, lang = self.session.study, self.choice, self.lang
        standard = study.standard(choice)
        self._form.fields = coverage_form.fields(
            study,
            choice,
            standard,
            coverage_form.Shown(self.versus, self.basemap, self.scenario, self._kept),
            lang,
        )
        self._shows.fields = [
            {
                "kind": "buttons",
                "name": "show",
                "label": "",
                "says": text("desk.shows", lang),
                "value": self.show,
                "options": [[show, text(f"desk.show.{show}", lang)] for show in SHOWS],
            }
        ]

    def _empty(self, answer: Answer) -> str:
        if len(answer.measured.result.facilities):
            return ""
        lang = self.lang
        return text(
            "desk.no_facilities",
            lang,
            service=answer.measured.result.service.title(lang),
            moment=words.moment(answer.choice.year, lang),
        )

    def _set_busy(self, *, busy: bool) -> None:
        dimmed = {"opacity": "0.45" if busy else "1", "transition": "opacity .15s"}
        self._figures.styles = self._table.styles = self._chart.styles = dimmed
        first = busy and self.answer is None
        self.map.bridge.busy = self.session.text("desk.working") if first else ""

    def _go_to_row(self, event: Any) -> None:
        assert self.answer is not None
        self._choose_unit(str(self.answer.units["code"].iloc[event.row]), go=True)

    def _choose_unit(self, code: str, *, go: bool) -> None:
        self.unit = code
        self._light()
        if self.answer is not None:
            self._show_curve()
        if not go:
            return
        units = self.session.city.units
        shape = units.geometry[units["code"] == code]
        if not code or shape.empty:
            self.map.bridge.go(None)
            return
        streets = shapely.box(*self.session.city.streets.total_bounds)
        within = shapely.intersection(shape.iloc[0], streets)
        west, south, east, north = (within if not within.is_empty else shape.iloc[0]).bounds
        self.map.bridge.go((west, south, east, north))

    def _light(self) -> None:
        """Set the chosen unit apart on the map and in the table."""
        self.map.bridge.light(live.UNITS, self.unit or None)
        if self._shown_table is not None and self.answer is not None:
            rows = np.flatnonzero((self.answer.units["code"] == self.unit) & (self.unit != ""))
            self._shown_table[0].selection = [int(row) for row in rows]


_CAR_KMH = 40.0
_SITES = ("facilities", "changed")
"""What the ids of layers of facilities begin with."""
_SHOWS = """
.field { padding-top: 0 !important; } .buttons button { padding: 5px 12px !important; }
@media (max-width: 1100px) { :host { width: auto !important; min-width: 0 !important; }
  .buttons button { padding: 5px 8px !important; font-size: 12.5px; } }
"""
_HINT = """
:host { flex: 1 1 auto; min-width: 0; padding: 0 10px; align-self: center; }
.hint { font: 11.5px/1.3 var(--font); color: var(--soft); display: -webkit-box;
  -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
@media (max-width: 1100px) { .hint { display: none; } :host { padding: 0; } }
"""
