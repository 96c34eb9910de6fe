"""The view of data: the city's layers, what is wrong with them, and import with preview."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import param

from layers.messages import text
from planner.desk import style
from planner.desk.form import Form
from planner.desk.survey import Survey, survey_of
from planner.desk.views import data_map
from planner.desk.views.data_check import CheckPane
from planner.desk.views.data_import import ImportPane
from planner.desk.views.data_layers import NOTHING, LayersPane
from planner.desk.views.view import MapView
from planner.maps import words
from planner.maps.events import Clicked
from planner.maps.furniture import Entry

if TYPE_CHECKING:
    from planner.desk.session import Session

PARTS = ("layers", "check", "import")


class DataView(MapView):
    """The map, and beside it one of three parts: layers, check, import."""

    KEY: ClassVar[str] = "data"
    ADDRESS: ClassVar[tuple[str, ...]] = ("part", "shown", "layer", "finding", "look")

    part: Any = param.Selector(objects=list(PARTS), default=PARTS[0], doc="What is looked at.")
    shown: Any = param.String(default="units,facilities", doc="Layers on the map.")
    layer: Any = param.String(default="", doc="Layer whose source is told.")
    finding: Any = param.String(default="", doc="Finding that is marked.")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._ready = False

    @property
    def survey(self) -> Survey:
        """What all sessions know of the city's layers."""
        return survey_of(self.session.study)

    @property
    def names(self) -> list[str]:
        """Layers on the map."""
        return [name for name in self.shown.split(",") if name in data_map.DRAWN]

    def restore(self, told: Any) -> list[str]:
        """Take what an address says; layers must be layers."""
        wrong = super().restore(told)
        known = {NOTHING, *data_map.DRAWN}
        if not set(self.shown.split(",")) <= known:
            self.shown = "units,facilities"
            wrong.append("shown")
        if self.layer and self.layer not in self.session.city.layers():
            self.layer = ""
            wrong.append("layer")
        return wrong

    def build(self) -> Any:
        """Make every part once; what changes is filled in later."""
        session = self.session
        wide: dict[str, Any] = {"sizing_mode": "stretch_width"}
        self._parts = Form(self._chosen, margin=0, width=270, stylesheets=[_PARTS])
        self._hint = pn.pane.HTML("", margin=0, stylesheets=[_HINT], **wide)
        self._all = pn.widgets.Button(
            stylesheets=[style.SWITCH, style.BUTTON], margin=0, width=92, height=30
        )
        self._all.on_click(lambda _event: self.map.bridge.go(None))
        self.map = self.lay_map()
        self.map.bridge.on(Clicked, self._clicked)
        self.panes: dict[str, Any] = {
            "layers": LayersPane(self),
            "check": CheckPane(self),
            "import": ImportPane(self),
        }
        for name, pane in self.panes.items():
            pane.page.visible = name == self.part
        self.param.watch(self._other_part, "part")
        self.param.watch(self._other_layers, "shown")
        session.param.watch(self._other_theme, "theme")
        middle = pn.Column(
            pn.Row(self._parts, self._hint, self._all, stylesheets=[style.BAR], height=43, **wide),
            self.map.bridge,
            sizing_mode="stretch_both",
            stylesheets=[style.FILL],
        )
        right = pn.Column(
            *(pane.page for pane in self.panes.values()),
            sizing_mode="stretch_height",
            width=520,
            stylesheets=[style.RIGHT, _RIGHT],
        )
        return pn.Row(middle, right, sizing_mode="stretch_both", stylesheets=[style.SIDES, _SIDES])

    async def opened(self) -> None:
        """Draw what is looked at, and begin what it needs."""
        await self._prepare()
        await self.panes["import"].refresh()
        if self.part == "check":
            await self.panes["check"].ask()

    def relabel(self) -> None:
        """Put every word into the language in force."""
        session = self.session
        self._parts.fields = [
            {
                "kind": "buttons",
                "name": "part",
                "label": "",
                "value": self.part,
                "options": [[one, text(f"desk.data.parts.{one}", self.lang)] for one in PARTS],
            }
        ]
        hint = words.said(f"desk.data.hint_{self.part}", self.lang)
        self._hint.object = f'<div class="hint">{hint}</div>'
        self._all.label = session.text("desk.to_all")
        for pane in self.panes.values():
            pane.relabel()
        if self._ready:
            self.draw()

    def draw(self) -> None:
        """Put on the map what is looked at."""
        if not self._ready:
            return
        study, lang, theme = self.session.study, self.lang, self.session.theme
        title_key = "desk.data.parts.layers"
        wanted: list[Any] = []
        entries: list[Entry] = []
        if self.part == "check":
            title_key = "desk.data.check.legend_title"
            marked = self.panes["check"].marked
            wanted, entries = data_map.layers(study, self.survey, ["units"], lang, theme)
            if marked is not None:
                more, signs = data_map.finding(study, marked, lang, theme)
                wanted, entries = [*wanted, *more], [*signs, *entries]
            else:
                entries.append(Entry("", text("desk.data.check.legend_none", lang)))
        elif self.part == "import" and (held := self.panes["import"].layers()):
            title_key = "desk.data.import.legend"
            wanted, entries = data_map.intake(study, held[0], held[1], lang, theme)
        else:
            wanted, entries = data_map.layers(study, self.survey, self.names, lang, theme)
            if not entries:
                entries = [Entry("", text("desk.data.map_nothing", lang))]
        title = text(title_key, lang)
        data_map.show(self.map, wanted)
        origins = self.session.city.provenance
        named = "; ".join(
            dict.fromkeys(
                one.source if one.source != "not stated" else text("page.not_stated", lang)
                for one in origins.values()
            )
        )
        city = self.session.city
        name = city.name_en if lang == "en" else city.name
        badges = "".join(
            f' <span class="badge">{words.said(f"label.{label}", lang)}</span>'
            for label in city.labels()
        )
        head = f"<b>{escape(name)}</b> · {escape(title)}{badges}"
        foot = text("map.sources", lang, city=name, found=named)
        self.map.explain(head, title, entries, foot)

    def pin(self, place: Any, label: str = "") -> None:
        """Stick a pin into a place, or take it away."""
        data_map.pin(self.map, place, label)

    def cities_changed(self) -> None:
        """List the reader's cities anew."""
        self.panes["layers"].list_cities()

    async def open_city(self, key: str) -> None:
        """Open a city of the reader's own."""
        await self.panes["layers"].open(key)

    async def _prepare(self) -> None:
        """Make the tiles of what is drawn, in a thread."""
        session, survey = self.session, self.survey
        wanted = [name for name in self.names if name != "units"]
        self.map.bridge.busy = "" if self._ready else session.text("desk.data.reading_layers")
        try:
            for name in wanted:
                await session.work(session.text("desk.data.reading_layers"), survey.tiles, name)
            self._ready = True
            self.draw()
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            session.say(session.failure(wrong), grave=True)
        finally:
            self.map.bridge.busy = ""

    async def _chosen(self, name: str, value: Any, _final: bool) -> None:
        if name == "part":
            self.part = value

    async def _other_part(self, _event: Any) -> None:
        for name, pane in self.panes.items():
            pane.page.visible = name == self.part
        self.pin(None)
        self.relabel()
        if self.part == "check":
            await self.panes["check"].ask()
        elif self.part == "import":
            await self.panes["import"].refresh()

    async def _other_layers(self, _event: Any) -> None:
        self.panes["layers"].relabel()
        await self._prepare()

    def _other_theme(self, _event: Any) -> None:
        self.pin(None)
        self.draw()

    def _clicked(self, event: Clicked) -> None:
        if event.layer in {"marked-points", "marked-areas"} and event.feature:
            self.panes["check"].show_place(event.feature)


_PARTS = """
.field { padding-top: 0 !important; } .buttons button { padding: 5px 12px !important; }
"""
_HINT = """
:host { flex: 1 1 auto; min-width: 0; padding: 0 10px; align-self: center; }
.hint { font: 11.5px/1.3 var(--font); color: var(--soft); display: -webkit-box;
  -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
@media (max-width: 1100px) { .hint { display: none; } :host { padding: 0; } }
"""
_RIGHT = """
:host { width: clamp(500px, 41vw, 720px) !important; }
@media (max-width: 1100px) { :host { width: 420px !important; } }
@media (max-width: 900px) { :host { width: auto !important; } }
"""
_SIDES = "@media (max-width: 900px) { :host { grid-template-columns: minmax(0, 1fr); } }"
