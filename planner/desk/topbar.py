"""The head of the page, and what stands over every view: work in hand, a lost server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import panel as pn
import param

_JS = Path(__file__).parent / "js"


class TopBar(pn.custom.JSComponent):
    """Head of the page."""

    words = param.Dict(default={}, doc="Texts, and badges with their notes.")
    tabs = param.List(default=[], doc="Key and name of each view.")
    tab = param.String(default="", doc="Key of the open view.")
    langs = param.List(default=[], doc="Key and name of each language.")
    lang = param.String(default="zh", doc="Key of the language.")
    theme = param.String(default="light", doc="``light`` or ``dark``.")
    unsaved = param.Boolean(default=False, doc="Whether the browser asks before it leaves.")

    _esm: ClassVar[str] = (_JS / "topbar.js").read_text(encoding="utf-8")
    _stylesheets: ClassVar[list[Any]] = [(_JS / "topbar.css").read_text(encoding="utf-8")]


class Progress(pn.custom.JSComponent):
    """Strip over a view: what is being done, how far it is, and a button to cancel.

    It shows only once the work has taken a second.
    """

    what = param.String(default="", doc="What is being done, empty for nothing.")
    share = param.Number(default=-1.0, doc="Part done, below zero where not known.")
    serial = param.Integer(default=0, doc="Which piece of work it is.")
    cancel = param.String(default="", doc="Words of the button.")
    cancelled = param.Integer(default=0, doc="Serial of the work that the reader wants no more of.")

    _esm: ClassVar[str] = (_JS / "progress.js").read_text(encoding="utf-8")
    _stylesheets: ClassVar[list[Any]] = [(_JS / "progress.css").read_text(encoding="utf-8")]


class Connection(pn.custom.JSComponent):
    """Says over the views that the server cannot be reached, and loads the page anew.

    The server can say nothing by then, so the browser has the words beforehand.
    """

    words = param.Dict(default={}, doc="``lost``, ``back``, ``unsaved`` and ``again``.")
    unsaved = param.Boolean(default=False, doc="Whether loading anew loses changes.")

    _esm: ClassVar[str] = (_JS / "connection.js").read_text(encoding="utf-8")
    _stylesheets: ClassVar[list[Any]] = [(_JS / "connection.css").read_text(encoding="utf-8")]
