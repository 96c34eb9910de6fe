"""The desk of one session: its choices, and what they show."""

from __future__ import annotations

import asyncio
import logging
from html import escape
from typing import TYPE_CHECKING, Any, cast, get_args

import panel as pn
import param
import shapely

from layers.errors import PlannerError
from layers.messages import LANGUAGES, Language, language, speaking, text
from planner.desk import figures, table
from planner.desk.frame import MapFrame
from planner.desk.study import YEARS, Answer, Choice, Study
from planner.maps import SHOWS, words

if TYPE_CHECKING:
    from layers import City

_log = logging.getLogger(__name__)
_NAMES: dict[Language, str] = {"zh": "中文", "en": "English"}


def page(city: City | Study) -> Any:
    """Make the desk of one session.

    Parameters
    ----------
    city
        The city, or what sessions share of it.

    Returns
    -------
    A Panel viewable.
    """
    pn.extension("tabulator")
    study = city if isinstance(city, Study) else Study(city)
    return Desk(study).view()


class Desk(param.Parameterized):
    """Choices of one session and the views that follow them.

    Parameters
    ----------
    study
        What sessions share.
    """

    service: Any = param.Selector(doc="Key of the service.")
    level: Any = param.Selector(doc="Level of the units.")
    year: Any = param.Selector(doc="Year at whose end facilities are taken, 0 for now.")
    show: Any = param.Selector(objects=list(SHOWS), default=SHOWS[0], doc="What the map shows.")
    lang: Any = param.Selector(objects=list(LANGUAGES), doc="Language.")

    _frame: Any
    _shown_table: Any = None
    _table: Any

    def __init__(self, study: Study) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.study = study
        self.answer: Answer | None = None
        self._asked = 0
        offered: dict[str, list[Any]] = {
            "service": list(study.services),
            "level": study.levels,
            "year": [0, *YEARS],
        }
        for name, values in offered.items():
            self.param[name].objects = values
        first = {"service": "menopause_clinic", "lang": language()}
        self.param.update(**{name: values[0] for name, values in offered.items()})
        self.param.update(
            **{name: value for name, value in first.items() if value in self.param[name].objects}
        )
        self._make()
        self._relabel()
        self.param.watch(self._ask, ["service", "level", "year", "show", "lang"])

    @property
    def choice(self) -> Choice:
        """What is asked now."""
        return Choice(
            service=self.service,
            level=self.level,
            year=self.year or None,
            show=self.show,
            lang=self.lang,
        )

    def view(self) -> Any:
        """Hand out the page, which computes its first figures when it has loaded."""
        pn.state.onload(self._ask)
        return self._page

    async def _ask(self, *_events: Any) -> None:
        """Compute what is asked and show it, unless something else was asked meanwhile."""
        choice = self.choice
        self._asked += 1
        number = self._asked
        self._relabel()
        self._set_busy(text("desk.working", choice.lang))
        told, grave = "", True
        try:
            with speaking(choice.lang):
                answer = await asyncio.to_thread(self.study.answer, choice)
            if number != self._asked:
                return
            self._show(answer)
            told, grave = self._empty(answer), False
        except PlannerError as refused:
            told = text("desk.refused", choice.lang, reason=str(refused))
        except Exception as failed:  # noqa: BLE001 - said in words, and logged whole
            _log.exception("The desk could not answer %s", choice)
            told = text("desk.failed", choice.lang, reason=f"{type(failed).__name__}: {failed}")
        if number == self._asked:
            self._say(told, grave=grave)
            self._set_busy("")

    def _show(self, answer: Answer) -> None:
        choice, before = answer.choice, self.answer
        self.answer = answer
        self._figures.object = figures.key_figures(answer)
        same = (
            before is not None
            and before.choice.lang == choice.lang
            and table.quota(before.units) == table.quota(answer.units)
        )
        if same:
            self._shown_table.value = table.rows(answer.units, choice.lang)
        else:
            self._shown_table = table.make(answer.units, choice.lang)
            self._shown_table.on_click(self._go_to_row)
            self._table[:] = [self._shown_table]
        self._frame.page = answer.page

    def _empty(self, answer: Answer) -> str:
        if len(answer.result.facilities):
            return ""
        return text(
            "desk.no_facilities",
            answer.choice.lang,
            service=answer.result.service.title(answer.choice.lang),
            moment=words.moment(answer.choice.year, answer.choice.lang),
        )

    def _say(self, told: str, *, grave: bool) -> None:
        kind = "grave" if grave else "mild"
        self._notice.object = f'<div class="{kind}" role="alert">{escape(told)}</div>'
        self._notice.visible = bool(told)

    def _set_busy(self, told: str) -> None:
        self._frame.busy = told
        dimmed = {"opacity": "0.4"} if told else {"opacity": "1"}
        self._figures.styles = self._table.styles = dimmed

    def _go_to_row(self, event: Any) -> None:
        assert self.answer is not None
        code = self.answer.units["code"].iloc[event.row]
        units = self.study.city.units
        shape = units.geometry[units["code"] == code]
        if shape.empty:
            return
        streets = shapely.box(*self.study.city.streets.total_bounds)
        within = shapely.intersection(shape.iloc[0], streets)
        west, south, east, north = (within if not within.is_empty else shape.iloc[0]).bounds
        self._go([[south, west], [north, east]])

    def _go(self, bounds: list[list[float]] | None) -> None:
        number = self._frame.target[0] + 1 if self._frame.target else 1
        self._frame.target = [number, bounds]

    def _make(self) -> None:
        """Make every part once; what changes is filled in later."""
        radio = {"sizing_mode": "stretch_width", "stylesheets": [_CONTROL], "margin": 0}
        self._services = pn.widgets.RadioBoxGroup(inline=False, **radio)
        self._levels = pn.widgets.Select(**radio)
        self._years = pn.widgets.Select(**radio)
        self._shows = pn.widgets.RadioButtonGroup(stylesheets=[_SWITCH], margin=0, height=34)
        self._langs = pn.widgets.RadioButtonGroup(
            options={_NAMES[lang]: lang for lang in get_args(Language)},
            stylesheets=[_SWITCH],
            margin=(8, 12, 0, 0),
            width=130,
            height=32,
        )
        self._all = pn.widgets.Button(stylesheets=[_SWITCH], margin=0, width=100, height=34)
        self._all.on_click(lambda _event: self._go(None))
        for widget, name in (
            (self._services, "service"),
            (self._levels, "level"),
            (self._years, "year"),
            (self._shows, "show"),
            (self._langs, "lang"),
        ):
            widget.value = None
            self._bind(widget, name)
        plain = {"margin": 0, "stylesheets": [_TEXT]}
        self._head = pn.pane.HTML("", sizing_mode="stretch_width", **plain)
        self._labels = {
            name: pn.pane.HTML("", sizing_mode="stretch_width", **plain)
            for name in ("service", "level", "year", "row_hint")
        }
        self._notice = pn.pane.HTML("", visible=False, sizing_mode="stretch_width", **plain)
        self._figures = pn.pane.HTML(
            "", sizing_mode="stretch_width", stylesheets=[figures.STYLE], margin=(10, 14, 8, 14)
        )
        self._table = pn.Column(sizing_mode="stretch_both", margin=(0, 6, 0, 8))
        self._frame = MapFrame(sizing_mode="stretch_both", margin=0)  # type: ignore[no-untyped-call]
        left = pn.Column(
            self._labels["service"],
            self._services,
            self._labels["level"],
            self._levels,
            self._labels["year"],
            self._years,
            width=184,
            sizing_mode="stretch_height",
            stylesheets=[_LEFT],
        )
        middle = pn.Column(
            pn.Row(
                self._shows,
                pn.Spacer(sizing_mode="stretch_width"),
                self._all,
                sizing_mode="stretch_width",
                stylesheets=[_BAR],
                height=46,
            ),
            self._notice,
            self._frame,
            sizing_mode="stretch_both",
            min_width=300,
        )
        right = pn.Column(
            self._figures,
            self._labels["row_hint"],
            self._table,
            sizing_mode="stretch_height",
            width=452,
            stylesheets=[_RIGHT],
        )
        self._page = pn.Column(
            pn.Row(
                self._head, self._langs, sizing_mode="stretch_width", height=48, stylesheets=[_HEAD]
            ),
            pn.Row(left, middle, right, sizing_mode="stretch_both", stylesheets=[_BODY]),
            sizing_mode="stretch_both",
            stylesheets=[_PAGE],
        )

    def _bind(self, widget: Any, name: str) -> None:
        def chosen(event: Any) -> None:
            if event.new in self.param[name].objects:
                self.param.update(**{name: event.new})

        widget.param.watch(chosen, "value")

    def _relabel(self) -> None:
        """Put every word of the controls into the language in force."""
        lang = cast("Language", self.lang)
        city = self.study.city
        options = {
            "service": {s.title(lang): key for key, s in self.study.services.items()},
            "level": {text(f"level.{level}", lang): level for level in self.study.levels},
            "year": {text("desk.any_year", lang): 0, **{str(year): year for year in YEARS}},
            "show": {text(f"map.show.{show}", lang): show for show in SHOWS},
        }
        widgets = {
            "service": self._services,
            "level": self._levels,
            "year": self._years,
            "show": self._shows,
        }
        for name, widget in widgets.items():
            if widget.options != options[name]:
                with param.parameterized.discard_events(self):
                    widget.param.update(options=options[name], value=getattr(self, name))
        self._langs.value = lang
        self._all.name = text("desk.to_all", lang)
        for name, label in self._labels.items():
            label.object = f'<div class="label {name}">{words.said(f"desk.{name}", lang)}</div>'
        notes = [note for entry in city.provenance.values() for note in entry.notes]
        badges = "".join(
            f'<span class="badge" title="{escape(chr(10).join(notes))}">'
            f"{words.said(f'label.{label}', lang)}</span>"
            for label in city.labels()
        )
        place = city.name_en if lang == "en" else city.name
        self._head.object = (
            f'<div class="title"><b>{words.said("desk.title", lang)}</b>'
            f"<span>{escape(place)}</span>{badges}</div>"
        )
        self._frame.label = text("desk.map_frame", lang)
        self._frame.failure = text("desk.map_failed", lang)


_FONT = (
    '"Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif'
)
_PAGE = (
    ":host { --desk-font: " + _FONT + "; --design-primary-color: #2166ac; height: 100vh; "
    "background: #fff; font-family: var(--desk-font); overflow: hidden; }"
)
_HEAD = ":host { border-bottom: 1px solid #cfcfcc; background: #fff; }"
_BODY = ":host { min-height: 0; }"
_LEFT = ":host { border-right: 1px solid #dededb; padding: 4px 12px; background: #fafaf9; }"
_RIGHT = (
    ":host { border-left: 1px solid #dededb; min-height: 0; flex: none !important; "
    "width: clamp(452px, 31vw, 580px) !important; }"
)
_BAR = ":host { padding: 6px 10px; border-bottom: 1px solid #dededb; }"
_TEXT = """
:host { font: 13px/1.45 var(--desk-font); color: #222; }
.title { display: flex; align-items: center; gap: 12px; height: 48px; padding: 0 14px; }
.title b { font-size: 17px; font-weight: 650; } .title span { color: #444; }
.title .badge { padding: 0 9px; border-radius: 10px; background: #fff3cd; color: #5f4700;
  border: 1px solid #e0c56a; font-size: 12px; line-height: 19px; cursor: help; }
.label { font-weight: 600; margin: 12px 0 4px; }
.label.row_hint { font-weight: 400; font-size: 11.5px; color: #666; margin: 0 14px 2px; }
.grave, .mild { padding: 7px 12px; }
.grave { background: #fbe6e1; color: #7c2413; border-bottom: 1px solid #d6604d; }
.mild { background: #fff7dd; color: #5f4700; border-bottom: 1px solid #e0c56a; }
"""
_CONTROL = """
:host { font: 13px/1.45 var(--desk-font); }
label { font: 13px/1.35 var(--desk-font); padding: 3px 0; cursor: pointer; display: flex;
  align-items: flex-start; gap: 6px; white-space: normal; }
label input { margin: 2px 0 0; flex: none; }
select.bk-input { font: 13px/1.4 var(--desk-font); height: 32px; }
"""
_SWITCH = """
:host { font: 13px/1.45 var(--desk-font); }
.bk-btn { font: 13px/1.4 var(--desk-font); padding: 4px 12px; }
.bk-btn.bk-btn-default { background: #fff; border: 1px solid #b9b9b6; color: #222; }
.bk-btn.bk-btn-default:hover { background: #eef3f8; }
.bk-btn-group .bk-btn.bk-btn-default.bk-active { background: #2166ac; color: #fff;
  border-color: #2166ac; box-shadow: none; }
.bk-btn:focus-visible { outline: 2px solid #111; outline-offset: 1px; }
"""
