"""Import with preview: what becomes of a table, before any of it is written."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from html import escape
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import panel as pn

from layers.additions import HOWS
from layers.datum import DATUMS
from layers.errors import CrsError, PlannerError
from layers.messages import speaking, text
from layers.sources.files import Source
from layers.sources.uploads import MEGABYTE, USUAL, check_upload
from planner.desk import preview, style
from planner.desk.dropzone import Dropzone
from planner.desk.form import Form
from planner.desk.jobs import JobLine
from planner.desk.session import Cancelled
from planner.desk.views.data_layers import SCROLL, TOLD
from planner.desk.views.data_map import told_tiles
from planner.intake import REPEATS
from planner.jobs import IMPORT
from planner.look import LARGE, Look, look_beside
from planner.maps import plain
from planner.maps.words import said
from planner.order import Filled, Order, fill

if TYPE_CHECKING:
    from layers.sources.places import Places
    from planner.desk.session import Task
    from planner.desk.views.data import DataView
    from planner.intake import Intake
    from planner.store import Job

_BY_TABLE = "-"
_ZONES = {"EPSG:4549": "120°E", "EPSG:4548": "117°E", "EPSG:4528": "40"}
_NAMING = ("lon", "lat", "name")


class ImportPane:
    """A file dropped, how it is read, what comes of it, and the city that it becomes.

    Parameters
    ----------
    view
        Whose part it is.

    Attributes
    ----------
    told
        What the file holds as it is read now, or None.
    """

    def __init__(self, view: DataView) -> None:
        self.view, self.session = view, view.session
        self._folder: TemporaryDirectory[str] | None = None
        self._file: Path | None = None
        self._options: dict[str, str] = {}
        self._how, self._repeats = HOWS[0], REPEATS[0]
        self._columns: tuple[str, ...] = ()
        self._parts: tuple[str, tuple[str, ...]] = ("sheet", ())
        self._wrong: PlannerError | None = None
        self._pairs: list[tuple[str, str]] = []
        self._lost_rows = b""
        self._made: Filled | None = None
        self._asked = 0
        self.told: Intake | None = None
        self._own: Any = None
        wide: dict[str, Any] = {"sizing_mode": "stretch_width"}
        self._drop = Dropzone(self.take, self._refused, margin=(12, 14, 6, 14), **wide)
        self._form = Form(self._chosen, margin=(0, 14), visible=False, **wide)
        html: dict[str, Any] = {"stylesheets": [style.TEXT, TOLD, preview.STYLE], **wide}
        self._state = pn.pane.HTML("", margin=(8, 14, 4, 14), **html)
        button: dict[str, Any] = {
            "stylesheets": [style.SWITCH, style.BUTTON],
            "css_classes": ["solid"],
            "height": 32,
        }
        self._use = pn.widgets.Button(margin=(2, 14), width=180, visible=False, **button)
        self._use.on_click(self._use_fitting)
        self._lost = pn.widgets.FileDownload(
            callback=self._rejected,
            filename="rejected.csv",
            embed=False,
            auto=True,
            margin=(2, 14),
            width=230,
            visible=False,
            **button,
        )
        self._rest = pn.pane.HTML("", margin=(4, 14), **html)
        field: dict[str, Any] = {"stylesheets": [style.CONTROL], "margin": 0, **wide}
        self._name = pn.widgets.TextInput(**field)
        self._stated = {
            key: pn.widgets.TextInput(**{**field, "margin": (0, 4, 0, 4)})
            for key in ("source", "licence", "date")
        }
        self._accept_head = pn.pane.HTML("", margin=(6, 0, 0, 0), **html)
        self._accept = pn.widgets.Button(color="primary", margin=(10, 0, 4, 0), height=34, **wide)
        self._accept.on_click(self.accept)
        self._last = pn.Column(
            self._accept_head,
            self._name,
            pn.Row(*self._stated.values(), margin=(0, -4), **wide),
            self._accept,
            margin=(0, 14),
            visible=False,
            **wide,
        )
        self._line = JobLine(
            self.session,
            kind=IMPORT,
            done=self._came_of,
            entry=self._entry,
            words="desk.job.import",
            role="planner",
            changed=self.relabel,
            lasting=True,
        )
        self._done = pn.pane.HTML("", margin=(4, 14), **html)
        self._left = pn.widgets.FileDownload(
            callback=self._left_out,
            filename="rejected.csv",
            embed=False,
            auto=True,
            margin=(2, 14),
            visible=False,
            **{**button, **wide},
        )
        self._open = pn.widgets.Button(
            color="primary", margin=(2, 14, 16, 14), height=34, visible=False, **wide
        )
        self._open.on_click(self._open_made)
        if pn.state.curdoc is not None:
            pn.state.on_session_destroyed(lambda _session: self._leave())
        self.page = pn.Column(
            self._drop,
            self._form,
            self._state,
            pn.Row(self._use, self._lost, **wide),
            self._rest,
            self._last,
            pn.Column(self._line.page, margin=(6, 14), **wide),
            self._done,
            self._left,
            self._open,
            sizing_mode="stretch_both",
            stylesheets=[SCROLL],
        )

    # What the reader does.

    async def take(self, name: str, content: bytes) -> None:
        """Take a file that came whole, and show what would become of it."""
        lang = self.view.lang

        def check() -> str:
            with speaking(lang):
                self.session.require("planner")
                return check_upload(name, content)

        try:
            # Other desks are answered meanwhile.
            safe = await asyncio.to_thread(check)
        except PlannerError as wrong:
            self._refused(wrong)
            return
        # A folder a file: its side files of before are none of the new one's.
        self.close()
        self._line.forget()
        self._folder = TemporaryDirectory(prefix="planner-import-")
        self._file = Path(self._folder.name) / safe
        await asyncio.to_thread(self._file.write_bytes, content)
        self._options = {"service": self.session.service}
        self._name.value = ""
        await self.read()

    async def refresh(self) -> None:
        """Tell how the reader's last import fares, wherever it was asked for."""
        if self.session.cities is not None:
            await self._line.refresh()

    def _leave(self) -> None:
        self._line.close()
        self.close()

    def close(self) -> None:
        """Forget the file and remove it from the disk."""
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = self._file = None

    async def read(self) -> None:
        """Read the file as it is to be read now."""
        session, file = self.session, self._file
        if file is None:
            return
        self._asked += 1
        number = self._asked
        self._set_busy(busy=True)
        working = session.text("desk.data.import.working", path=file.name)
        try:
            found = await session.work(working, self._look, Source(file, dict(self._options)))
        except Cancelled:
            session.say(session.text("desk.was_cancelled"))
            self._set_busy(busy=False)
            return
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            session.say(session.failure(wrong), grave=True)
            self._set_busy(busy=False)
            return
        if number != self._asked:
            return
        seen, self._own = found
        option = seen.parts[0]
        if option in seen.options:
            # The first one, until the reader says another; what was chosen meanwhile stays.
            self._options.setdefault(option, seen.options[option])
        self._columns, self._parts, self._pairs = seen.columns, seen.parts, seen.pairs
        self.told, self._wrong, self._lost_rows = seen.told, seen.wrong, seen.lost
        self._made = None
        session.say("")
        self._set_busy(busy=False)
        self.relabel()
        self.view.draw()
        if self.told is not None:
            west, south, east, north = map(float, self.told.places.layer.total_bounds)
            self.view.map.bridge.go((west, south, east, north))

    def _look(self, source: Source, *, task: Task) -> tuple[Look, Any]:
        """Look at a file in a thread, or in a process where it is large."""
        session, survey = self.session, self.view.survey
        study, city, seen = session.study, session.city, None
        place = city.path if study.jobs is None else study.jobs.city
        if place is not None and source.path.stat().st_size > LARGE:
            seen = look_beside(source, city, place, self._how, cancelled=task.cancelled)
        if seen is None:
            seen = Look.at(source, city, survey.backdrop, self._how)
        if seen.told is None:
            return seen, None
        before = city.facilities
        before = before[before["service"].isin(seen.told.places.layer["service"].unique())]
        told_tiles(study, seen.told)
        return seen, (plain.facility_tiles(before, survey.services), len(before))

    async def accept(self, *_events: Any) -> None:
        """Have the city written that the opened one and the table make.

        It is written beside the server, where work is done there, and else in a thread of it.
        """
        session, told, file = self.session, self.told, self._file
        if told is None or file is None or session.cities is None:
            return
        order, beside = self._order(told.source, file), session.study.jobs
        if beside is not None:
            if not self._line.going:
                asked = replace(order, fingerprint=beside.fingerprint)
                await self._line.ask(asked.as_dict(), file=file)
            return
        self._accept.disabled = True
        told_words, grave = "", True
        try:
            session.require("planner")
            working = session.text("desk.data.import.accepting")
            self._made = await session.work(working, self._write, order, told.places)
            grave = False
        except Cancelled:
            told_words, grave = session.text("desk.was_cancelled"), False
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            told_words = session.failure(wrong)
        finally:
            self._accept.disabled = False
        session.say(told_words, grave=grave)
        self.relabel()
        self.view.cities_changed()

    def _order(self, source: Source, file: Path) -> Order:
        """Say what is wanted, as it stands on the page now."""
        said_too = {
            key: words for key, one in self._stated.items() if (words := (one.value or "").strip())
        }
        name = (self._name.value or "").strip()
        usual = self._usual_names()
        names = (name, usual[1] if name == usual[0] else name) if name else usual
        return Order(
            file=file.name,
            options={**source.options, **said_too},
            how=self._how,
            repeats=self._repeats,
            name=names[0],
            name_en=names[1],
        )

    def _write(self, order: Order, places: Places) -> Filled:
        """Make and save the city."""
        return fill(
            order,
            self.session.city,
            Source(Path(order.file), order.options),
            places,
            folder=self.session.cities.folder,
            services=tuple(self.view.survey.services),
        )

    def _came_of(self, job: Job) -> None:
        """Show what came of an import beside the server."""
        try:
            self._made = Filled.from_dict(job.result)
        except TypeError as wrong:
            # Another version of the program has kept it.
            self.session.say(self.session.failure(wrong), grave=True)
            return
        self.relabel()
        self.view.cities_changed()

    def _entry(self, job: Job) -> str:
        """Say what an import is called among the earlier ones."""
        lang, made = self.view.lang, f"{job.made.astimezone():%m-%d %H:%M:%S}"
        file = name = "–"
        with suppress(PlannerError):
            order = Order.from_dict(job.asked)
            file, name = order.file, order.name_en if lang == "en" else order.name
        return text("desk.job.import.entry", lang, file=file, name=name, made=made)

    async def _open_made(self, *_events: Any) -> None:
        if self._made is not None:
            await self.view.open_city(self._made.key)

    def _chosen(self, name: str, value: Any, _final: bool) -> None:
        if name == "how":
            self._how = value
        elif name == "repeats":
            self._repeats = value
            self.relabel()
            return
        elif name == "crs":
            self._options.pop("datum", None)
            self._set("crs", value)
        elif name == "service" and value == _BY_TABLE:
            self._options.pop("service", None)
        else:
            self._set(name, value)
        # A form holds back what is chosen until it is answered; a file may take long to read.
        pn.state.execute(self.read)

    def _set(self, name: str, value: str) -> None:
        if value:
            self._options[name] = value
        else:
            self._options.pop(name, None)

    async def _use_fitting(self, *_events: Any) -> None:
        if self.told is not None and self.told.fitting is not None:
            self._options["datum"] = self.told.fitting
            await self.read()

    def _refused(self, wrong: PlannerError) -> None:
        self._file, self.told, self._wrong, self._made = None, None, wrong, None
        self._columns, self._pairs = (), []
        self.relabel()
        self.view.draw()

    def _rejected(self) -> BytesIO:
        return BytesIO(b"" if self.told is None else self._lost_rows)

    def _left_out(self) -> BytesIO:
        """Read the rejected rows of a city that was written."""
        try:
            return BytesIO(self._place_of_lost().read_bytes())
        except OSError:
            return BytesIO(b"")

    def _place_of_lost(self) -> Path:
        lost = "" if self._made is None else self._made.lost
        folder: Path = self.session.cities.folder
        return folder / lost

    # What is shown.

    def relabel(self) -> None:
        """Put every word into the language in force."""
        session = self.session
        word = self._word
        self._drop.words = {
            "title": word("drop"),
            "hint": word("hint", most=USUAL.size / MEGABYTE),
            "again": word("again"),
            "sending": word("sending", share="{share}"),
            "name": "" if self._file is None else self._file.name,
        }
        self._form.visible = self._file is not None
        if self._file is not None:
            self._form.fields = self._fields()
        self._state.object = self._state_html()
        told = self.told
        fitting = None if told is None else told.fitting
        self._use.visible = told is not None and fitting not in {None, told.said}
        if fitting is not None:
            self._use.name = word("use", datum=preview.short(fitting))
        lost = 0 if told is None or told.places.rejected is None else len(told.places.rejected)
        self._lost.visible = lost > 0
        self._lost.label = word("take_rejected", count=f"{lost:,}")
        self._lost.filename = f"{self._file.stem}-rejected.csv" if self._file else "rejected.csv"
        self._rest.object = (
            ""
            if told is None
            else preview.details(told, self._pairs, session.city, self._how, self.view.lang)
        )
        self._last.visible = told is not None and self._made is None
        self._accept_head.object = f"<h3>{escape(word('accept_title'))}</h3>"
        self._name.name = word("city")
        self._name.placeholder = (
            "" if self._file is None else self._usual_names()[1 if self.view.lang == "en" else 0]
        )
        for key, widget in self._stated.items():
            widget.name = word(key)
        self._accept.name = word("accept")
        self._accept.disabled = self._line.going
        self._line.relabel()
        self._open.name = word("open")
        self._open.visible = self._made is not None
        self._done.object = "" if self._made is None else self._done_html(self._made)
        self._left.visible = self._made is not None and self._place_of_lost().is_file()
        if self._made is not None:
            self._left.label = word("take_rejected", count=f"{self._made.rejected:,}")
            self._left.filename = Path(self._made.lost).name or "rejected.csv"

    def _word(self, key: str, **more: Any) -> str:
        return self.session.text(f"desk.data.import.{key}", **more)

    def _usual_names(self) -> tuple[str, str]:
        city, file = self.session.city, "" if self._file is None else self._file.stem
        key = "desk.data.import.city_name"
        en = text(key, "en", city=city.name_en, file=file)
        return text(key, "zh", city=city.name, file=file), en

    def _fields(self) -> list[dict[str, Any]]:
        """Choices of how the file is read."""
        session, lang, options = self.session, self.view.lang, self._options
        word = self._word
        services = [[key, one.title(lang)] for key, one in self.view.survey.services.items()]
        if "service" in self._columns:
            services.append([_BY_TABLE, word("by_table")])
        made = [
            _select("service", word("service"), services, options.get("service", _BY_TABLE)),
            _buttons("how", word("how"), [[how, word(how)] for how in HOWS], self._how),
        ]
        option, names = self._parts
        if len(names) > 1:
            parts = [[name, name] for name in names]
            made.append(_select(option, word(option), parts, options.get(option, names[0])))
        if self._columns or self.told is not None:
            made += self._column_fields()
        if "crs" not in options:
            datums = [["", word("auto")], *([one, session.text(f"datum.{one}")] for one in DATUMS)]
            made.append(_select("datum", word("datum"), datums, options.get("datum", "")))
        if isinstance(self._wrong, CrsError) or "crs" in options:
            zones = [
                [code, f"{word('zone', where=where)} · {code}"] for code, where in _ZONES.items()
            ]
            crs = [["", word("degrees")], *zones]
            made.append(_select("crs", word("crs"), crs, options.get("crs", "")))
        if self._pairs:
            repeats = [[one, word(one)] for one in REPEATS]
            made.append(_buttons("repeats", word("repeats"), repeats, self._repeats))
        return made

    def _column_fields(self) -> list[dict[str, Any]]:
        """Which column is which: as found, or as the reader says."""
        word = self._word
        located = None if self.told is None else self.told.places.located
        axes = None if located is None else located.axes
        found = {
            "lon": "" if axes is None else axes.lon,
            "lat": "" if axes is None else axes.lat,
            "name": "" if self.told is None else self.told.places.named,
        }
        made = []
        for role in _NAMING:
            own_shapes = role != "name" and located is not None and axes is None
            if own_shapes:
                usual = word("own_shapes")
            elif found[role] and role not in self._options:
                usual = word("found", column=found[role])
            else:
                usual = word("auto" if role in self._options else "not_found")
            offered = [["", usual]]
            if not own_shapes:
                offered += [[one, one] for one in self._columns]
            made.append(_select(role, word(role), offered, self._options.get(role, "")))
        return made

    def _state_html(self) -> str:
        """Say what was made of the file, or why nothing."""
        lang = self.view.lang
        if self._wrong is not None:
            reason = self._word("refused", reason=_plainly(self._wrong, self._file))
            return f'<p class="no" role="alert" data-figure="refused">⚠ {escape(reason)}</p>'
        if self.told is None:
            return f'<p class="hint">{said("desk.data.import.empty", lang)}</p>'
        return preview.counts(self.told, self._pairs, lang)

    def _done_html(self, made: Filled) -> str:
        numbers = {"added": made.added, "gone": made.gone, "left": made.left_out}
        folder = self.session.cities.folder
        lines = [self._word("done", name=made.title(self.view.lang), **numbers)]
        lines.append(self._word("where", path=str(folder / made.key)))
        if made.lost:
            lines.append(self._word("left", path=str(folder / made.lost)))
        return preview.done(lines)

    def layers(self) -> tuple[Any, Any] | None:
        """Tell what lies on the map: the service's own facilities, and what would be taken."""
        return None if self.told is None else (self._own, self.told)

    def _set_busy(self, *, busy: bool) -> None:
        dimmed = {"opacity": "0.45" if busy else "1", "transition": "opacity .15s"}
        for part in (self._state, self._rest, self._last):
            part.styles = dimmed
        self._accept.disabled = busy or self._line.going


def _select(name: str, label: str, options: list[list[str]], value: str) -> dict[str, Any]:
    """Menu in half the breadth."""
    kind = {"kind": "select", "name": name, "label": label, "value": value}
    return {**kind, "options": options, "narrow": True}


def _buttons(name: str, label: str, options: list[list[str]], value: str) -> dict[str, Any]:
    return {**_select(name, label, options, value), "kind": "buttons"}


def _plainly(wrong: PlannerError, file: Path | None) -> str:
    """Say an error with the file's name alone: where the server keeps it is nobody's matter."""
    words = str(wrong)
    return words if file is None else words.replace(str(file), file.name)
