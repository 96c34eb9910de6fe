"""A place where a reader drops a file, which comes in pieces and no larger than allowed."""

from __future__ import annotations

import base64
import binascii
import inspect
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import param

from layers.errors import PlannerError
from layers.sources.uploads import KINDS, USUAL, refuse_size, safe_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from layers.sources.uploads import Limits

_log = logging.getLogger(__name__)
_JS = Path(__file__).parent / "js"


class Dropzone(pn.custom.JSComponent):
    """Takes one file at a time, dropped or chosen.

    Parameters
    ----------
    taken
        Called with the name and the content of a file that has come whole; may be a
        coroutine function. Neither is to be trusted.
    refused
        Called with why a file is not taken.
    limits
        How much it may be.
    params
        As Panel's components take them.

    Attributes
    ----------
    words
        ``title``, ``hint``, ``sending`` with ``{share}``, ``name`` of the file there is.
    """

    words = param.Dict(default={}, doc="Texts.")
    kinds = param.String(default=",".join(KINDS), doc="Endings that are offered.")
    most = param.Integer(default=USUAL.size, doc="Bytes that a file may have.")

    _esm: ClassVar[str] = (_JS / "dropzone.js").read_text(encoding="utf-8")
    _stylesheets: ClassVar[list[Any]] = [(_JS / "dropzone.css").read_text(encoding="utf-8")]

    def __init__(
        self,
        taken: Callable[[str, bytes], Any],
        refused: Callable[[PlannerError], Any],
        *,
        limits: Limits = USUAL,
        **params: Any,
    ) -> None:
        super().__init__(most=limits.size, **params)  # type: ignore[no-untyped-call]
        self._taken, self._refused, self._limits = taken, refused, limits
        self._name, self._size, self._held = "", -1, bytearray()

    def _handle_msg(self, data: Any) -> None:
        """Take a message from the browser: a reader's own, and not to be trusted."""
        if isinstance(data, dict):
            pn.state.execute(partial(self._take, data))

    async def _take(self, data: dict[str, Any]) -> None:
        try:
            done = self._piece(data)
            if done:
                name, content = self._name, bytes(self._held)
                self._drop()
                answer = self._taken(name, content)
                if inspect.isawaitable(answer):
                    await answer
        except PlannerError as wrong:
            self._drop()
            self._send_msg({"stop": True})
            self._refused(wrong)
        except (ValueError, TypeError, binascii.Error):
            self._drop()
            self._send_msg({"stop": True})
            _log.warning("A file came in pieces that do not fit")
        except Exception:  # noqa: BLE001 - logged whole
            _log.exception("A file could not be taken")

    def _piece(self, data: dict[str, Any]) -> bool:
        """Take the beginning or a piece; whether the file is whole."""
        if "begin" in data:
            self._drop()
            name, size = safe_name(str(data["begin"])), int(data["size"])
            refuse_size(name, size, limits=self._limits)
            self._name, self._size = name, max(size, 0)
        elif self._size >= 0 and int(data["at"]) == len(self._held):
            self._held += base64.b64decode(str(data["piece"]), validate=True)
            refuse_size(self._name, len(self._held), limits=self._limits)
            if len(self._held) > self._size:
                raise ValueError(data["at"])
        else:
            return False
        if len(self._held) == self._size:
            self._send_msg({"whole": True})
            return True
        self._send_msg({"next": len(self._held)})
        return False

    def _drop(self) -> None:
        self._size, self._held = -1, bytearray()
