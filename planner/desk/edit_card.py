"""The card of the facility that is chosen in the view of siting, and what can be done with it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import panel as pn

from planner.changes import Close, Resize
from planner.desk import style

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from planner.changes import Change
    from planner.desk.session import Session


class EditCard:
    """Name of a facility, and buttons that close or resize it; made once and filled in again.

    Parameters
    ----------
    session
        What the views of one reader share.
    change
        Called with a change that the reader wants.

    Attributes
    ----------
    page
        A Panel viewable.
    head, size
        Its words, and the field of its capacity.
    """

    def __init__(self, session: Session, change: Callable[[Change], Awaitable[Any]]) -> None:
        self.session, self._change = session, change
        self._name, self._capacity = "", 0.0
        near = (2, 6, 0, 0)
        button: dict[str, Any] = {
            "stylesheets": [style.SWITCH, style.BUTTON],
            "height": 32,
            "margin": near,
        }
        self.head = pn.pane.HTML(
            "", sizing_mode="stretch_width", margin=0, stylesheets=[style.TEXT]
        )
        self._close = pn.widgets.Button(**button)
        self.size = pn.widgets.FloatInput(
            start=0, width=110, stylesheets=[style.CONTROL], margin=near
        )
        self._resize = pn.widgets.Button(**button)
        self._close.on_click(self._shut)
        self._resize.on_click(self._grow)
        self.page = pn.Column(
            self.head,
            pn.Row(self._close, self.size, self._resize, margin=0),
            sizing_mode="stretch_width",
            margin=(0, 14, 6, 14),
            visible=False,
        )

    def show(self, name: str, label: str, capacity: float | None) -> None:
        """Show a facility.

        Parameters
        ----------
        name, label
            Its id, and what it is called.
        capacity
            How many it serves; None where that is not known and cannot be changed.
        """
        told = self.session.text
        self._name = name
        self.head.object = (
            f'<div class="label" data-figure="chosen">{escape(label)}</div>'
            f'<div class="hint">{escape(told("desk.siting.drag_hint"))}</div>'
        )
        self._close.label, self._resize.label = (
            told("desk.siting.close"),
            told("desk.siting.resize"),
        )
        self.size.visible = self._resize.visible = capacity is not None
        if capacity is not None:
            self._capacity = self.size.value = capacity
        self.page.visible = True

    def hide(self) -> None:
        """Show nothing."""
        self.page.visible = False

    async def _shut(self, _event: Any) -> None:
        await self._change(Close(id=self._name))

    async def _grow(self, _event: Any) -> None:
        wanted = self.size.value
        if wanted is not None and wanted != self._capacity:
            await self._change(Resize(id=self._name, capacity=float(wanted)))
