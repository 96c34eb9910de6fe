"""A table whose rows are chosen with the pointer or the keyboard, for any view."""

from __future__ import annotations

import inspect
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import param

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)
_JS = Path(__file__).parent / "js"


class Listing(pn.custom.JSComponent):
    """Rows in groups, one of which is chosen; some may have a box to tick.

    Parameters
    ----------
    chosen
        Called with the id of a row that the reader has chosen; may be a coroutine function.
    ticked
        Called with a row's id and whether its box is ticked now.
    params
        As Panel's components take them.

    Attributes
    ----------
    columns
        A dict each: ``label``; ``right`` for figures; ``whole`` for words that are not broken;
        ``width`` where wanted.
    rows
        A dict each: ``id``, ``cells`` (plain texts; what follows a line break is small),
        and where wanted ``tone`` (``error``, ``warning``, ``info``), ``box`` (ticked or
        not), ``tip``. A row with ``group`` alone is the heading of those below it.
    chosen
        Id of the row that is chosen.
    label
        What the table is called to those who cannot see it.
    empty
        What stands there when there are no rows.
    """

    columns = param.List(default=[], doc="Headings.")
    rows = param.List(default=[], doc="Rows.")
    chosen = param.String(default="", doc="Id of the chosen row.")
    label = param.String(default="", doc="What the table is called.")
    empty = param.String(default="", doc="Words in the place of rows.")

    _esm: ClassVar[str] = (_JS / "listing.js").read_text(encoding="utf-8")
    _stylesheets: ClassVar[list[Any]] = [(_JS / "listing.css").read_text(encoding="utf-8")]

    def __init__(
        self,
        choose: Callable[[str], Any] | None = None,
        *,
        tick: Callable[[str, bool], Any] | None = None,
        **params: Any,
    ) -> None:
        super().__init__(**params)  # type: ignore[no-untyped-call]
        self._choose, self._tick = choose, tick

    def _handle_msg(self, data: Any) -> None:
        """Take a message from the browser: a reader's own, and not to be trusted."""
        if isinstance(data, dict):
            pn.state.execute(partial(self._take, data))

    async def _take(self, data: dict[str, Any]) -> None:
        row = next((one for one in self.rows if one.get("id") == data.get("id")), None)
        if row is None or "id" not in row:
            return
        try:
            answer = None
            if data.get("do") == "choose" and self._choose is not None:
                answer = self._choose(row["id"])
            elif data.get("do") == "tick" and self._tick is not None and "box" in row:
                answer = self._tick(row["id"], bool(data.get("on")))
            if inspect.isawaitable(answer):
                await answer
        except Exception:  # noqa: BLE001 - logged whole
            _log.exception("A row failed: %s", data)
