"""The card beside the map: what is known of the place or the facility that was clicked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import panel as pn

from planner.desk import place
from planner.desk.session import Cancelled
from planner.desk.views import coverage_map
from planner.reach import SLACK

if TYPE_CHECKING:
    from collections.abc import Callable

    from layers.messages import Language
    from planner.desk.map import CityMap
    from planner.desk.session import Session
    from planner.desk.study import Answer
    from planner.reliance import Reliance


class PlaceCard:
    """Asks about places and facilities, and shows what is found, on the map too.

    Parameters
    ----------
    session
        What the views of one reader share.
    page
        The map.
    answer
        Tells which service is asked about, under which standard; None before it is known.
    settled
        Called with the place that is asked about, or None.

    Attributes
    ----------
    page
        A Panel viewable.
    """

    def __init__(
        self,
        session: Session,
        page: CityMap,
        *,
        answer: Callable[[], Answer | None],
        settled: Callable[[tuple[float, float] | None], None],
    ) -> None:
        self.session, self._map = session, page
        self._answer, self._settled = answer, settled
        self._asked = 0
        self._found: place.Found | None = None
        self._facility: Reliance | None = None
        self._words = pn.pane.HTML(
            "", stylesheets=[place.STYLE], margin=(4, 40, 6, 14), sizing_mode="stretch_width"
        )
        self._close = pn.widgets.Button(
            label="×",
            width=28,
            height=24,
            margin=(2, 10, 0, 0),
            align="start",
            stylesheets=[_CLOSE],
        )
        self._close.on_click(lambda _event: self.leave())
        self.page = pn.Row(
            self._words,
            self._close,
            visible=False,
            stylesheets=[_PLACE],
            sizing_mode="stretch_width",
        )

    async def ask(self, lon: float, lat: float, *, in_hand: bool = False) -> None:
        """Find the facilities nearest to a place (degrees, WGS-84) and show them.

        Parameters
        ----------
        lon, lat
            The place.
        in_hand
            Whether its pin is being dragged, so that it is left to the hand.
        """
        answer = self._answer()
        if answer is None:
            return
        found = await self._work("desk.place_working", place.look, answer, lon, lat)
        if found is None:
            return
        self._found, self._facility = found, None
        self.show(in_hand=in_hand)
        if not in_hand:
            self._settled((round(lon, 6), round(lat, 6)))

    async def ask_facility(self, key: str) -> None:
        """Find whom a facility serves and show it."""
        answer = self._answer()
        if answer is None:
            return
        found = await self._work("desk.facility_working", place.ask_facility, answer, key)
        if found is None:
            return
        self._found, self._facility = None, found
        self._settled(None)
        coverage_map.draw_place(self._map, None, place.LETTERS)
        self.show()

    async def again(self) -> None:
        """Ask again after the answer has changed."""
        answer, held = self._answer(), self._facility
        if held is not None and answer is not None:
            if held.facility in set(answer.measured.result.facilities["id"]):
                await self.ask_facility(held.facility)
            else:
                self.leave()
        elif self._found is not None:
            await self.ask(self._found.lon, self._found.lat)

    def leave(self) -> None:
        """Show nothing any more."""
        self._asked += 1
        self._found = self._facility = None
        self._settled(None)
        self.page.visible = False
        coverage_map.draw_place(self._map, None, place.LETTERS)

    def show(self, *, in_hand: bool = False) -> None:
        """Show what was found, in the language and colours in force."""
        answer, lang = self._answer(), cast("Language", self.session.lang)
        self._close.description = self.session.text("desk.place_close")
        if answer is None:
            return
        if self._facility is not None:
            self._words.object = place.facility_told(answer, self._facility, lang)
            self.page.visible = True
        if self._found is None:
            return
        near = self._found.near
        served = bool(near) and near[0].way.distance <= answer.standard.cutoff + SLACK
        self._found = replace(self._found, served=served)
        self._words.object = place.told(answer, self._found, lang)
        self.page.visible = True
        label = self.session.text("desk.place")
        coverage_map.draw_place(self._map, self._found, place.LETTERS, label, in_hand=in_hand)

    def redraw(self) -> None:
        """Draw the place anew, as after a change of colours."""
        coverage_map.draw_place(self._map, None, place.LETTERS)
        self.show()

    async def _work(self, doing: str, function: Any, *args: Any) -> Any:
        """Run in a thread; None where it fails, or where something else was asked meanwhile."""
        self._asked += 1
        number, session = self._asked, self.session
        try:
            found = await session.work(session.text(doing), function, *args)
        except Cancelled:
            return None
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            session.say(session.failure(wrong), grave=True)
            return None
        return found if number == self._asked else None


_PLACE = ":host { border-top: 1px solid var(--rule); background: var(--panel); }"
_CLOSE = (
    ".bk-btn { color: var(--soft) !important; padding: 0 !important; background: none !important;"
    " font-size: 18px; line-height: 22px; } .bk-btn:hover { color: var(--ink) !important; }"
)
