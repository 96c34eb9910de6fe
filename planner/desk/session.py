"""What the views of one reader's desk share: choices, language, work in hand, what is said."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

import param

from layers.errors import PlannerError
from layers.messages import LANGUAGES, Language, language, speaking, text
from planner.desk.study import YEARS, Study
from planner.serving import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.serving import Identity
    from planner.store import Role

_log = logging.getLogger(__name__)
_FIRST = "menopause_clinic"
_TICK = 0.1

# Apart from the threads of what is quick, which must not wait behind long work of others.
_SLOW = ThreadPoolExecutor(32, "desk")

Made = TypeVar("Made")


@dataclass
class Task:
    """Work in hand, as whoever does it and whoever waits for it see it.

    Attributes
    ----------
    what
        What is being done, in the reader's language.
    share
        Part done, None where that is not known.
    begun
        When it began, of `time.monotonic`.
    """

    what: str
    share: float | None = None
    begun: float = field(default_factory=time.monotonic)
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)

    def tell(self, share: float | None = None, what: str | None = None) -> None:
        """Say how far the work has come; safe from any thread."""
        self.share = share
        self.what = what or self.what

    def cancel(self) -> None:
        """Ask the work to stop."""
        self._stop.set()

    def cancelled(self) -> bool:
        """Whether the reader wants no more of it; ask often."""
        return self._stop.is_set()


class Cancelled(Exception):  # noqa: N818 - nothing went wrong
    """The reader wanted no more of the work."""


class Session(param.Parameterized):
    """Choices that hold for every view of one reader's desk.

    A view watches what it needs of them (`Session.param.watch`) and changes them, so that a
    service chosen in one view is the one that the next view opens with.

    Parameters
    ----------
    study
        What all sessions share.
    identity
        Who sits at the desk.
    """

    service: Any = param.Selector(doc="Key of the service.")
    level: Any = param.Selector(doc="Level of the units.")
    year: Any = param.Selector(doc="Year at whose end facilities are taken, 0 for now.")
    lang: Any = param.Selector(objects=list(LANGUAGES), doc="Language.")
    theme: Any = param.Selector(objects=["light", "dark"], default="light", doc="Colours.")
    told: Any = param.Tuple(default=("", "mild"), doc="What the strip says, and how grave it is.")
    task: Any = param.Parameter(default=None, doc="Work in hand, or None.")
    cities: Any = param.Parameter(default=None, doc="Cities that the reader may open, or None.")
    city_key: Any = param.String(default="", doc="Which of them is open, empty for none of them.")
    unsaved: Any = param.Boolean(default=False, doc="Whether leaving would lose changes.")
    moved: Any = param.Parameter(default=None, doc="Key of the city whose page is wanted, or None.")

    ADDRESS = ("service", "level", "year", "lang", "theme")

    def __init__(self, study: Study, identity: Identity = LOCAL) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.study = study
        self.identity = identity
        offered: dict[str, list[Any]] = {
            "service": list(study.services),
            "level": study.levels,
            "year": [0, *YEARS],
        }
        for name, values in offered.items():
            self.param[name].objects = values
        first = {"service": _FIRST, "lang": language()}
        self.param.update(**{name: values[0] for name, values in offered.items()})
        self.param.update(
            **{name: value for name, value in first.items() if value in self.param[name].objects}
        )

    @property
    def city(self) -> Any:
        """The city that all sessions look at."""
        return self.study.city

    def require(self, role: Role) -> None:
        """Refuse what wants a role that the reader lacks; ask wherever something changes.

        A button that is hidden or off is no protection: a browser may send what it likes.

        Raises
        ------
        RoleError
            They lack it now, whatever they had when the desk was opened.
        """
        with speaking(cast("Language", self.lang)):
            self.identity.require(role)

    def text(self, key: str, /, **values: Any) -> str:
        """Words of the catalogue in the reader's language, plain."""
        return text(key, cast("Language", self.lang), **values)

    def move(self, city: str) -> None:
        """Ask for the page of another city, by its key; empty for the server's own."""
        self.param.update(moved=city)

    def say(self, told: str, *, grave: bool = False) -> None:
        """Say something in the strip above the views; nothing clears it."""
        self.told = (told, "grave" if grave else "mild")

    async def work(
        self,
        what: str,
        function: Callable[..., Made],
        *args: Any,
        stops_itself: bool = False,
        **more: Any,
    ) -> Made:
        """Run a function in a thread, with progress and a button to cancel if it takes long.

        Parameters
        ----------
        what
            What is being done, in the reader's language.
        function
            Called in a thread with `args` and `more`; if it has a parameter ``task`` it is
            given the `Task`, to tell how far it is and to ask whether it shall stop.
        stops_itself
            Whether the function, when cancelled, comes back soon with the best that it
            has; that is waited for and returned.

        Raises
        ------
        Cancelled
            The reader cancelled; what the thread still finishes is dropped.
        """
        task = Task(what)
        if "task" in getattr(getattr(function, "__code__", None), "co_varnames", ()):
            more["task"] = task
        lang = cast("Language", self.lang)

        def speak() -> Made:
            with speaking(lang):
                return function(*args, **more)

        self.task = task
        loop, inside = asyncio.get_running_loop(), contextvars.copy_context()
        running = loop.run_in_executor(_SLOW, inside.run, speak)
        try:
            while True:
                done, _ = await asyncio.wait({running}, timeout=_TICK)
                if task.cancelled() and not stops_itself:
                    running.add_done_callback(_drop)
                    raise Cancelled
                if done:
                    return running.result()
                if self.task is task:
                    self.param.trigger("task")
        finally:
            if self.task is task:
                self.task = None

    def failure(self, wrong: BaseException) -> str:
        """Say in words what went wrong, and log what nobody foresaw."""
        if isinstance(wrong, PlannerError):
            return self.text("desk.refused", reason=str(wrong))
        _log.error("The desk failed", exc_info=wrong)
        return self.text("desk.failed", reason=f"{type(wrong).__name__}: {wrong}")


def _drop(running: asyncio.Future[Any]) -> None:
    """Take note of how cancelled work ended, so that nobody complains of it."""
    if not running.cancelled():
        running.exception()
