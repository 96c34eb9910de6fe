"""The shelf: a scenario's name and author, what the store keeps, and opening it again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import panel as pn

from layers.errors import PlannerError, RecordMissingError, RevisionConflictError
from layers.messages import text
from planner.desk import style
from planner.desk.session import Cancelled
from planner.maps.words import said
from planner.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from planner.desk.session import Session
    from planner.store import Record, Store


class Shelf:
    """Controls that keep scenarios in the store and open them.

    Parameters
    ----------
    session
        What the views of one reader share.
    scenario
        Tells what is to be kept.
    unsaved
        Tells whether it has changes that are not kept.
    kept
        Called with what the store now has of it, and the scenario that this is.
    opened
        Called with a record and the scenario that it holds.

    Attributes
    ----------
    record
        What is worked on, as the store had it last; None for what was never kept.
    page
        A Panel viewable.
    """

    def __init__(
        self,
        session: Session,
        *,
        scenario: Callable[[], Scenario],
        unsaved: Callable[[], bool],
        kept: Callable[[Record, Scenario], None],
        opened: Callable[[Record, Scenario], Awaitable[None]],
    ) -> None:
        self.session = session
        self.record: Record | None = None
        self._scenario, self._unsaved = scenario, unsaved
        self._kept, self._opened = kept, opened
        wide = {"sizing_mode": "stretch_width", "stylesheets": [style.CONTROL], "margin": 0}
        button = {
            "stylesheets": [style.SWITCH, style.BUTTON],
            "height": 32,
            "sizing_mode": "stretch_width",
        }
        self.name, self.author = pn.widgets.TextInput(**wide), pn.widgets.TextInput(**wide)
        self.saved = pn.widgets.Select(**wide)
        # Whoever has entered signs with the name that they entered by.
        self.author.param.update(value=session.identity.name, visible=not session.identity.name)
        self._save = pn.widgets.Button(margin=(8, 3, 0, 0), **button)
        self._copy = pn.widgets.Button(margin=(8, 0, 0, 3), **button)
        self._open = pn.widgets.Button(margin=(6, 0, 0, 0), **button)
        self._warning = pn.pane.HTML(
            "", sizing_mode="stretch_width", margin=0, stylesheets=[style.TEXT]
        )
        self._drop = pn.widgets.Button(margin=(6, 3, 0, 0), **button)
        self._stay = pn.widgets.Button(margin=(6, 0, 0, 3), **button)
        self._question = pn.Column(
            self._warning,
            pn.Row(self._drop, self._stay, sizing_mode="stretch_width", margin=0),
            sizing_mode="stretch_width",
            margin=(6, 0, 0, 0),
            visible=False,
        )
        self._drop.on_click(self._open_anyway)
        self._stay.on_click(lambda _event: self._hide_question())
        self._save.on_click(self.save)
        self._copy.on_click(self.copy)
        self._open.on_click(self._open_chosen)
        self._records: list[Record] = []
        self.page = pn.Column(
            self.name,
            self.author,
            pn.Row(self._save, self._copy, sizing_mode="stretch_width", margin=0),
            self.saved,
            self._open,
            self._question,
            sizing_mode="stretch_width",
            margin=0,
        )

    def relabel(self) -> None:
        """Put every word into the session's language."""
        said_ = self.session.text
        self.name.name, self.author.name = said_("desk.siting.name"), said_("desk.siting.author")
        self._save.name, self._copy.name = said_("desk.siting.save"), said_("desk.siting.copy")
        warning = said("desk.siting.drop_asked", self.session.lang)
        self._warning.object = f'<div class="mild" role="alert">{warning}</div>'
        self._drop.name, self._stay.name = said_("desk.siting.drop"), said_("desk.siting.stay")
        self.saved.name, self._open.name = said_("desk.siting.saved"), said_("desk.siting.open")
        self._offer()

    async def refresh(self) -> None:
        """List what the store keeps of the city."""
        study = self.session.study
        found = await self._work("reading", lambda: study.store.records("scenario"))
        if found is not None:
            here = {"", self.session.city.name}
            self._records = [record for record in found if record.city in here]
            self._offer()

    async def save(self, *_events: Any) -> None:
        """Keep the scenario, as a new revision of what was opened or as a new record."""
        await self._keep(self.record)

    async def copy(self, *_events: Any) -> None:
        """Keep the scenario as a new record, whatever was opened."""
        await self._keep(None)

    async def open(self, record: str) -> bool:
        """Open what is kept; whether that went well."""
        study = self.session.study
        found = await self._work("reading", lambda: _read(study.store, record))
        if found is None:
            return False
        if isinstance(found, RecordMissingError):
            session = self.session
            session.say(session.text("desk.siting.not_kept", record=record), grave=True)
            return False
        try:
            await self._opened(*found)
        except PlannerError as wrong:
            # It was kept of a city that had what this one lacks.
            self.session.say(self.session.failure(wrong), grave=True)
            return False
        self._hold(found[0])
        return True

    async def _open_chosen(self, *_events: Any) -> None:
        """Open what is chosen, but ask first where changes would be lost."""
        if not self.saved.value:
            return
        if self._unsaved():
            self._question.visible = True
            return
        await self._open_anyway()

    async def _open_anyway(self, *_events: Any) -> None:
        self._hide_question()
        await self.open(self.saved.value)

    def _hide_question(self) -> None:
        self._question.visible = False

    async def _keep(self, before: Record | None) -> None:
        session, study = self.session, self.session.study
        try:
            session.require("planner")
        except PlannerError as wrong:
            session.say(session.failure(wrong), grave=True)
            return
        name = str(self.name.value).strip()
        # What a browser says of its author counts only where nobody enters.
        author = session.identity.name or str(self.author.value).strip()
        if not name or not author:
            session.say(session.text("desk.siting.unnamed"), grave=True)
            return
        scenario = Scenario(self._scenario().changes, name)
        body = scenario.as_dict()
        city = session.city.name

        def keep() -> Record | RevisionConflictError:
            store = study.store
            if before is None:
                return store.create("scenario", name, body, author=author, city=city)
            try:
                return store.save(
                    before.id, body, author=author, based_on=before.revision, name=name
                )
            except RevisionConflictError as both:
                return both

        made = await self._work("keeping", keep)
        if made is None:
            return
        if isinstance(made, RevisionConflictError):
            told, record, grave = str(made), made.own, True
        else:
            told = session.text("desk.siting.kept", name=made.name, revision=made.revision)
            record, grave = made, False
        self._hold(record)
        self._hide_question()
        self._kept(record, replace(scenario, name=record.name))
        await self.refresh()
        session.say(told, grave=grave)

    async def _work(self, doing: str, function: Callable[[], Any]) -> Any:
        """Ask the store in a thread; None where it fails, which is said."""
        session = self.session
        try:
            return await session.work(session.text(f"desk.siting.{doing}"), function)
        except Cancelled:
            session.say(session.text("desk.was_cancelled"))
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            session.say(session.failure(wrong), grave=True)
        return None

    def _hold(self, record: Record) -> None:
        self.record = record
        self.name.value = record.name
        if not self.author.value:
            self.author.value = record.author

    def _offer(self) -> None:
        lang = self.session.lang
        options: dict[str, str] = {text("desk.siting.choose_saved", lang): ""}
        for record in self._records:
            words = text(
                "desk.siting.entry",
                lang,
                name=record.name,
                author=record.author,
                at=f"{record.at:%Y-%m-%d %H:%M}",
                revision=record.revision,
            )
            while words in options:
                words += " ·"
            options[words] = record.id
        held = self.record.id if self.record is not None else ""
        value = held if held in options.values() else ""
        self.saved.param.update(options=options, value=value)


def _read(store: Store, record: str) -> tuple[Record, Scenario] | RecordMissingError:
    try:
        found = store.get(record)
    except RecordMissingError as missing:
        return missing
    return found, Scenario.from_dict(found.body)
