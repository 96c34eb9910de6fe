"""The view of coverage: who is served, who is not, unit by unit and street by street."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import param
import shapely

from layers.messages import text
from planner.desk import figures, style, table
from planner.desk.map import CityMap
from planner.desk.session import Cancelled
from planner.desk.study import YEARS, Answer, Choice
from planner.desk.views.view import View
from planner.maps import SHOWS, colours, furniture, live, shapes, words
from planner.maps.events import Clicked
from planner.maps.furniture import Entry
from planner.maps.scene import Lines

if TYPE_CHECKING:
    from planner.desk.session import Session


class CoverageView(View):
    """Choices on the left, the map, and figures with the table of units beside it."""

    KEY: ClassVar[str] = "coverage"
    ADDRESS: ClassVar[tuple[str, ...]] = ("show", "unit")

    show: Any = param.Selector(objects=list(SHOWS), default=SHOWS[0], doc="What the map shows.")
    unit: Any = param.String(default="", doc="Code of the chosen unit.")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.answer: Answer | None = None
        self._asked = 0

    @property
    def choice(self) -> Choice:
        """What is asked now."""
        session = self.session
        return Choice(
            service=session.service,
            level=session.level,
            year=session.year or None,
            show=self.show,
            lang=self.lang,
        )

    async def opened(self) -> None:
        """Compute what is asked, unless it is shown already."""
        if self.answer is None or self.answer.choice != self.choice:
            await self.ask()

    async def ask(self, *_events: Any) -> None:
        """Compute what is asked and show it, unless something else was asked meanwhile."""
        choice, session = self.choice, self.session
        self._asked += 1
        number = self._asked
        self._set_busy(busy=True)
        told, grave = "", True
        try:
            working = text("desk.working", choice.lang)
            answer = await session.work(working, session.study.answer, choice)
            if number != self._asked:
                return
            self._show(answer)
            told, grave = self._empty(answer), False
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
        plain = {"margin": 0, "stylesheets": [style.TEXT]}
        wide = {"sizing_mode": "stretch_width", "stylesheets": [style.CONTROL], "margin": 0}
        self._services = pn.widgets.RadioBoxGroup(inline=False, **wide)
        self._levels = pn.widgets.Select(**wide)
        self._years = pn.widgets.Select(**wide)
        self._shows = pn.widgets.RadioButtonGroup(stylesheets=[style.SWITCH], margin=0, height=34)
        self._all = pn.widgets.Button(stylesheets=[style.SWITCH], margin=0, width=96, height=34)
        self._all.on_click(lambda _event: self._choose_unit(""))
        self._service_label = pn.pane.HTML("", sizing_mode="stretch_width", **plain)
        self._hint = pn.pane.HTML(
            "", sizing_mode="stretch_width", margin=(0, 14), stylesheets=[style.TEXT]
        )
        self._figures = pn.pane.HTML(
            "", sizing_mode="stretch_width", stylesheets=[figures.STYLE], margin=(10, 14, 8, 14)
        )
        self._shown_table: Any = None
        self._table = pn.Column(sizing_mode="stretch_both", margin=(0, 6, 0, 8))
        self.map = CityMap(session)
        self.map.bridge.on(Clicked, self._clicked)
        for widget, target, name in (
            (self._services, session, "service"),
            (self._levels, session, "level"),
            (self._years, session, "year"),
            (self._shows, self, "show"),
        ):
            self._bind(widget, target, name)
        session.param.watch(self.ask, ["service", "level", "year", "theme"])
        self.param.watch(self.ask, ["show"])
        left = pn.Column(
            self._service_label,
            self._services,
            self._levels,
            self._years,
            width=196,
            sizing_mode="stretch_height",
            stylesheets=[style.LEFT],
        )
        middle = pn.Column(
            pn.Row(
                self._shows,
                pn.Spacer(sizing_mode="stretch_width"),
                self._all,
                sizing_mode="stretch_width",
                stylesheets=[style.BAR],
                height=46,
            ),
            self.map.bridge,
            sizing_mode="stretch_both",
            min_width=300,
        )
        right = pn.Column(
            self._figures,
            self._hint,
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
            stylesheets=[":host { min-height: 0; }"],
        )

    def relabel(self) -> None:
        """Put every word into the language in force."""
        session, lang = self.session, self.lang
        study = session.study
        options: list[tuple[Any, dict[str, Any], Any]] = [
            (
                self._services,
                {s.title(lang): key for key, s in study.services.items()},
                session.service,
            ),
            (self._levels, {text(f"level.{x}", lang): x for x in study.levels}, session.level),
            (
                self._years,
                {text("desk.any_year", lang): 0, **{str(y): y for y in YEARS}},
                session.year,
            ),
            (self._shows, {text(f"map.show.{show}", lang): show for show in SHOWS}, self.show),
        ]
        for widget, offered, value in options:
            if widget.options != offered:
                widget.param.update(options=offered, value=value)
        self._levels.name, self._years.name = session.text("desk.level"), session.text("desk.year")
        self._all.name = session.text("desk.to_all")
        self._service_label.object = f'<div class="label">{words.said("desk.service", lang)}</div>'
        self._hint.object = f'<div class="hint">{words.said("desk.row_hint", lang)}</div>'
        if self.answer is not None:
            self._shown_table = None
            self._show(self.answer.in_language(lang))

    def _bind(self, widget: Any, target: param.Parameterized, name: str) -> None:
        def chosen(event: Any) -> None:
            if event.new in target.param[name].objects:
                target.param.update(**{name: event.new})

        def changed(event: Any) -> None:
            if widget.options and widget.value != event.new:
                widget.value = event.new

        widget.param.watch(chosen, "value")
        target.param.watch(changed, name)

    def _show(self, answer: Answer) -> None:
        before = self.answer
        self.answer = answer
        lang = answer.choice.lang
        self._figures.object = figures.key_figures(answer)
        same = (
            self._shown_table is not None
            and before is not None
            and table.quota(before.units) == table.quota(answer.units)
        )
        if same:
            self._shown_table.value = table.rows(answer.units, lang)
        else:
            self._shown_table = table.make(answer.units, lang)
            self._shown_table.on_click(self._go_to_row)
            self._table[:] = [self._shown_table]
        self._draw(answer)

    def _draw(self, answer: Answer) -> None:
        bridge, result, lang = self.map.bridge, answer.result, answer.choice.lang
        level, shows, theme = answer.choice.level, answer.choice.show, self.session.theme
        units = self.session.study.plain_units(level)
        bridge.put(live.unit_areas(units, answer.units, lang, shaded=shows == "rates", theme=theme))
        labels = live.unit_labels(units, answer.units, lang) if shows == "rates" else None
        if labels is None:
            bridge.take(live.LABELS)
        else:
            bridge.put(labels)
        bridge.put(live.facility_dots(result.facilities, lang))
        entries = [
            Entry(
                furniture.dot(colours.FACILITY, radius=5, ring=colours.FACILITY_RING),
                text("map.facilities", lang, count=f"{len(result.facilities):,}"),
            )
        ]
        if shows == "rates":
            bridge.take("served")
            bridge.take("unserved")
            entries += live.rate_legend(answer.units, lang)
        else:
            cut = result.stretches()
            ranks = shapes.rank(result.city.streets["highway"].loc[cut["street"]])
            drawn, _ = shapes.thin(cut.assign(rank=ranks))
            for served in (False, True):
                colour = colours.SERVED if served else colours.UNSERVED
                bridge.put(
                    Lines(
                        id="served" if served else "unserved",
                        order=30,
                        shapes=list(drawn.geometry[drawn["served"] == served]),
                        style={"color": colour, "weight": 1.5},
                    )
                )
            entries.append(live.border_legend(level, lang, theme))
        self.map.explain(result, text(f"map.show.{shows}", lang), entries)
        self._light()

    def _empty(self, answer: Answer) -> str:
        if len(answer.result.facilities):
            return ""
        return text(
            "desk.no_facilities",
            answer.choice.lang,
            service=answer.result.service.title(answer.choice.lang),
            moment=words.moment(answer.choice.year, answer.choice.lang),
        )

    def _set_busy(self, *, busy: bool) -> None:
        self._figures.styles = self._table.styles = {"opacity": "0.45" if busy else "1"}
        self.map.bridge.busy = (
            self.session.text("desk.working") if busy and self.answer is None else ""
        )

    def _clicked(self, event: Clicked) -> None:
        if event.layer == live.UNITS and event.feature:
            self._choose_unit(event.feature, go=False)

    def _go_to_row(self, event: Any) -> None:
        assert self.answer is not None
        self._choose_unit(str(self.answer.units["code"].iloc[event.row]))

    def _choose_unit(self, code: str, *, go: bool = True) -> None:
        self.unit = code
        self._light()
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
        self.map.bridge.light(live.UNITS, self.unit or None)
        if self._shown_table is not None and self.answer is not None:
            rows = self.answer.units.index[self.answer.units["code"] == self.unit]
            self._shown_table.selection = [int(row) for row in rows] if self.unit else []
