"""A column of choices that answers while a slider moves."""

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
_LONGEST = 300
_JS = Path(__file__).parent / "js"


class Form(pn.custom.JSComponent):
    """Labelled radios, menus, rows of buttons, sliders, numbers and words, for any view.

    Parameters
    ----------
    chosen
        Called with a field's name, its new value and whether the reader has settled on it
        (False while a slider moves); may be a coroutine function. While it runs no
        further value is sent, then the latest one of each field. A slider's reset gives None.
    params
        As Panel's components take them.

    Attributes
    ----------
    fields
        A dict each: ``kind`` (``radio``, ``select``, ``buttons``, ``slider``, ``number``,
        ``text``, ``note``),
        ``name``, ``label``, ``value``; ``options`` (value and words; in a ``select`` the
        value None begins a group); of a slider ``min``, ``max`` of the track, ``most`` that
        may be typed, ``step``, ``unit`` and ``reset`` (words, or empty); of a number
        ``min``, ``max``, ``step``, ``unit``, and ``empty`` if it may be left out, which
        gives None; ``narrow`` for two in a row;
        of a field whose label is empty, ``says`` what it is to a screen reader.
    """

    fields = param.List(default=[], doc="What is to be chosen, top down.")

    _esm: ClassVar[str] = (_JS / "form.js").read_text(encoding="utf-8")
    _stylesheets: ClassVar[list[Any]] = [(_JS / "form.css").read_text(encoding="utf-8")]

    def __init__(self, chosen: Callable[[str, Any, bool], Any], **params: Any) -> None:
        super().__init__(**params)  # type: ignore[no-untyped-call]
        self._chosen = chosen

    def _handle_msg(self, data: Any) -> None:
        if isinstance(data, dict):
            pn.state.execute(partial(self._take, data))

    async def _take(self, data: dict[str, Any]) -> None:
        try:
            field = next((one for one in self.fields if one["name"] == data.get("name")), None)
            if field is not None and _fits(field, data.get("value")):
                answer = self._chosen(field["name"], data.get("value"), bool(data.get("final")))
                if inspect.isawaitable(answer):
                    await answer
        except Exception:  # noqa: BLE001 - logged whole
            _log.exception("A choice failed: %s", data)
        finally:
            self._send_msg({"answered": data.get("serial")})


def _fits(field: dict[str, Any], value: Any) -> bool:
    """Whether a value from a browser is one that the field offers."""
    if field["kind"] == "slider":
        if value is None:
            return bool(field.get("reset"))
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and 0 < value <= field["most"]
    if field["kind"] == "number":
        if value is None:
            return bool(field.get("empty"))
        number = isinstance(value, int | float) and not isinstance(value, bool)
        whole = field.get("step") != 1 or (number and value == int(value))
        return number and whole and field["min"] <= value <= field["max"]
    if field["kind"] == "text":
        return isinstance(value, str) and len(value) <= _LONGEST
    return any(value == offered for offered, _ in field.get("options", ()) if offered is not None)
