"""The desk of one session: its head, its views, and the address that holds its state."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, cast, get_args
from urllib.parse import urlencode

import panel as pn

from layers.messages import Language
from planner.desk import style
from planner.desk.cities import Cities
from planner.desk.session import Cancelled, Session
from planner.desk.study import Study
from planner.desk.topbar import Connection, Progress, TopBar
from planner.desk.views import VIEWS
from planner.desk.views.view import View, restore, spoken
from planner.serving import LOCAL
from planner.wording import one_language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers import City
    from planner.serving import Identity

_NAMES: dict[Language, str] = {"zh": "中文", "en": "EN"}


def page(city: City | Study, identity: Identity = LOCAL) -> Any:
    """Make the desk of one session, in the state that the page's address tells.

    Parameters
    ----------
    city
        The city, or what sessions share of it.
    identity
        Who sits at the desk.

    Returns
    -------
    A Panel viewable.
    """
    pn.extension("tabulator")
    study = city if isinstance(city, Study) else Study(city)
    asked = {
        name: values[0].decode("utf-8", "replace")
        for name, values in (pn.state.session_args or {}).items()
        if values
    }
    cities = Cities(study, identity.name)
    key = asked.get("city", "")
    held = cities.study(key)
    session = Session(study if held is None else held, identity)
    session.param.update(cities=cities, city_key="" if held is None else key)
    desk = Desk(session, asked)
    pn.state.onload(desk.start)
    return desk.page


class Desk:
    """Head, views and address of one session.

    Parameters
    ----------
    session
        What its views share.
    asked
        What the address says.

    Attributes
    ----------
    page
        The whole page, a Panel viewable.
    views
        Views opened so far, by their keys.
    """

    def __init__(self, session: Session, asked: Mapping[str, str] | None = None) -> None:
        self.session = session
        self.views: dict[str, View] = {}
        self._asked = dict(asked or {})
        self._kinds = {kind.KEY: kind for kind in VIEWS}
        self._panels: dict[str, Any] = {}
        self._wrong = restore(session, self._asked, Session.ADDRESS)
        self._gone: tuple[str, str] | None = None
        tab = self._asked.get("tab", "")
        if tab and tab not in self._kinds:
            self._wrong.append("tab")
        self._top = TopBar(  # type: ignore[no-untyped-call]
            tab=tab if tab in self._kinds else next(iter(self._kinds)),
            lang=session.lang,
            theme=session.theme,
            langs=[[lang, _NAMES[lang]] for lang in get_args(Language)],
            sizing_mode="stretch_width",
            height=48,
            margin=0,
        )
        self._progress = Progress(margin=0)  # type: ignore[no-untyped-call]
        self._connection = Connection(sizing_mode="stretch_width", margin=0)  # type: ignore[no-untyped-call]
        # Apart from what the views say, which comes and goes with each answer.
        self._noted = pn.pane.HTML(
            "", visible=False, sizing_mode="stretch_width", margin=0, stylesheets=[style.TEXT]
        )
        self._told = pn.pane.HTML(
            "", visible=False, sizing_mode="stretch_width", margin=0, stylesheets=[style.TEXT]
        )
        self._place = pn.Column(sizing_mode="stretch_both", margin=0, stylesheets=[style.FILL])
        self.page = pn.Column(
            self._top,
            self._connection,
            self._noted,
            self._told,
            self._place,
            self._progress,
            sizing_mode="stretch_both",
            stylesheets=[style.PAGE],
            css_classes=[session.theme],
        )
        self._relabel()
        self._wrong += self._open()
        self._top.param.watch(self._choose_tab, "tab")
        self._top.param.watch(lambda event: session.param.update(lang=event.new), "lang")
        self._top.param.watch(lambda event: session.param.update(theme=event.new), "theme")
        session.param.watch(self._relabel, "lang")
        session.param.watch(self._recolour, "theme")
        session.param.watch(self._note_unsaved, "unsaved")
        session.param.watch(self._say, "told")
        session.param.watch(self._show_task, "task")
        session.param.watch(self._move, "moved")
        session.param.watch(self.note_address, list(Session.ADDRESS))
        self._progress.param.watch(self._cancel, "cancelled")
        self._note()

    @property
    def view(self) -> View:
        """The open view."""
        return self.views[self._top.tab]

    async def start(self) -> None:
        """Let the open view compute its first figures; called when the page has loaded."""
        wanted = self._asked.get("city", "")
        if wanted != self.session.city_key and not await self._open_city(wanted):
            return
        await self.view.opened()

    async def _open_city(self, key: str) -> bool:
        """Open the city that the address names and ask for its page; whether it failed."""
        session = self.session
        try:
            working = session.text("desk.data.cities.opening", name=key)
            await session.work(working, session.cities.open, key)
        except Cancelled:
            return True
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            self._gone = key, session.failure(wrong)
            self._note()
            return True
        session.move(key)
        return False

    def _move(self, event: Any) -> None:
        """Load the page anew with another city."""
        location = pn.state.location
        if location is None or event.new is None:
            return
        told = {**self.address(), "city": event.new}
        if event.new != self._asked.get("city", ""):
            # What else the address says is of the city before.
            told = {
                "tab": told["tab"],
                "lang": self.session.lang,
                "theme": self.session.theme,
                "city": event.new,
            }
        location.reload = True
        location.search = "?" + urlencode({key: value for key, value in told.items() if value})

    def address(self) -> dict[str, str]:
        """Tell the page's address: what the session shares, the tab, and its own state."""
        return {
            **({"city": self.session.city_key} if self.session.city_key else {}),
            "tab": self._top.tab,
            **spoken(self.session, Session.ADDRESS),
            **spoken(self.view, self.view.ADDRESS),
        }

    def note_address(self, *_events: Any) -> None:
        """Put the state into the page's address."""
        location = pn.state.location
        if location is not None and self._top.tab in self.views:
            location.search = "?" + urlencode(self.address(), safe=",")

    def _open(self) -> list[str]:
        """Show the chosen view, made when it is first opened and kept as it was left.

        Returns
        -------
        Names whose values in the address could not be used.
        """
        key, wrong = self._top.tab, []
        if key not in self.views:
            view = self._kinds[key](self.session)
            wrong = view.restore(self._asked)
            self.views[key] = view
            self._panels[key] = view.build()
            view.relabel()
            view.param.watch(self.note_address, list(view.ADDRESS) or ["name"])
            self._place.append(self._panels[key])
        for name, made in self._panels.items():
            made.visible = name == key
        self.note_address()
        return wrong

    async def _choose_tab(self, _event: Any) -> None:
        self.session.say("")
        # What the address says is of the tab that it names.
        self._wrong, self._gone = [], None
        self._note()
        self._open()
        await self.view.opened()

    def _note(self) -> None:
        """Say what of the link cannot be shown, until another tab is opened."""
        session, told, kind = self.session, [], "mild"
        if self._gone is not None:
            key, reason = self._gone
            told.append(session.text("desk.data.cities.gone", key=key, reason=reason))
            kind = "grave"
        if self._wrong:
            names = ", ".join(dict.fromkeys(self._wrong))
            told.append(session.text("desk.address_wrong", names=names))
        role = "alert" if kind == "grave" else "status"
        self._noted.object = f'<div class="{kind}" role="{role}">{escape(" ".join(told))}</div>'
        self._noted.visible = bool(told)

    def _note_unsaved(self, event: Any) -> None:
        self._top.unsaved = self._connection.unsaved = event.new

    def _say(self, *_events: Any) -> None:
        told, kind = self.session.told
        role = "alert" if kind == "grave" else "status"
        self._told.object = f'<div class="{kind}" role="{role}">{escape(told)}</div>'
        self._told.visible = bool(told)

    def _show_task(self, *_events: Any) -> None:
        task = self.session.task
        if task is None:
            self._progress.what = ""
            return
        number = id(task) % 2**31
        share = -1.0 if task.share is None else float(task.share)
        self._progress.param.update(what=task.what, share=share, serial=number)

    def _cancel(self, _event: Any) -> None:
        if self.session.task is not None:
            self.session.task.cancel()

    def _recolour(self, *_events: Any) -> None:
        self.page.css_classes = [self.session.theme]
        self._top.theme = self.session.theme

    def _relabel(self, *_events: Any) -> None:
        """Put every word into the language in force."""
        session, city = self.session, self.session.city
        lang = cast("Language", session.lang)
        self._top.lang = lang
        every = (note for entry in city.provenance.values() for note in entry.notes)
        notes = "\n".join(dict.fromkeys(one_language(note, lang) for note in every))
        words = ("views", "language", "light", "dark", "link", "copied", "not_copied", "title")
        self._top.words = {
            **{word: session.text(f"desk.{word}") for word in words},
            "place": city.name_en if lang == "en" else city.name,
            "user": session.identity.name,
            "out": session.text("desk.out"),
            "badges": [[session.text(f"label.{label}"), notes] for label in city.labels()],
        }
        self._top.tabs = [[key, session.text(f"desk.tab.{key}")] for key in self._kinds]
        self._progress.cancel = session.text("desk.cancel")
        parts = ("lost", "back", "unsaved", "again")
        self._connection.words = {part: session.text(f"desk.connection.{part}") for part in parts}
        self._note()
        for view in self.views.values():
            view.relabel()
