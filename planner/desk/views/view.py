"""What every view of the desk is: a tab with a page of its own below the shared head."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, cast

import param

from planner.desk.map import CityMap
from planner.maps.events import ViewMoved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.messages import Language
    from planner.desk.session import Session

_MOST_NORTH = 85.0
"""Latitude to which a map in the projection of the web reaches."""


class View(param.Parameterized):
    """One tab of the desk.

    A subclass sets `KEY` and the words ``desk.tab.KEY``, and defines `build` and `relabel`.
    The desk makes one object a session, when its tab is first opened, and keeps it: what a
    view shows stays as it was left when the reader goes to another tab and comes back.

    What several views follow (service, level, year, language, theme) is in the session:
    read ``self.session.service``, change it, watch it with ``self.session.param.watch``.
    What is the view's own is a parameter of the view; the names in `ADDRESS` are kept in the
    page's address, so that a link brings them back.

    Long work goes through ``await self.session.work(words, function, …)``, which shows
    progress and a button to cancel after a second; what fails is said with
    ``self.session.say(self.session.failure(error), grave=True)``. A map is made with
    `planner.desk.map.CityMap`.

    Parameters
    ----------
    session
        What the views of one reader share.

    Attributes
    ----------
    KEY
        What the tab is called in the address and in the catalogue.
    ADDRESS
        Parameters of the view whose values, where they differ from their defaults, stand
        in the address.
    """

    KEY: ClassVar[str]
    ADDRESS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, session: Session) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.session = session

    @property
    def lang(self) -> Language:
        """The reader's language."""
        return cast("Language", self.session.lang)

    def build(self) -> Any:
        """Make the page, once; a Panel viewable that fills its place."""
        raise NotImplementedError

    def relabel(self) -> None:
        """Put every word into the session's language; called after `build` and when it changes."""
        raise NotImplementedError

    async def opened(self) -> None:
        """Answer that the tab was opened, for the first time or again."""

    def restore(self, told: Mapping[str, str]) -> list[str]:
        """Take what an address says of this view, before `build`.

        Returns
        -------
        Names whose values could not be used.
        """
        return restore(self, told, self.ADDRESS)


class MapView(View):
    """A tab with a map, whose view a link brings back.

    Attributes
    ----------
    PLACES
        Parameters of the view that hold a longitude and a latitude first.
    map
        The map, once `build` has made it with `lay_map`.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("look",)

    look: Any = param.Tuple(default=None, length=3, doc="View: longitude, latitude, zoom.")

    def restore(self, told: Mapping[str, str]) -> list[str]:
        """Take what an address says; places must be places."""
        wrong = super().restore(told)
        for name in self.PLACES:
            value = getattr(self, name)
            if value and not (all(map(math.isfinite, value)) and abs(value[1]) < _MOST_NORTH):
                setattr(self, name, None)
                wrong.append(name)
        return wrong

    def lay_map(self) -> CityMap:
        """Make the map, where it was looked at last."""
        made = CityMap(self.session)
        if self.look:
            made.bridge.look(*self.look)
        made.bridge.on(ViewMoved, self._moved)
        return made

    def _moved(self, event: ViewMoved) -> None:
        self.look = (round(event.lon, 5), round(event.lat, 5), round(event.zoom, 2))


def restore(
    target: param.Parameterized, told: Mapping[str, str], names: tuple[str, ...]
) -> list[str]:
    """Set parameters from the texts of an address; return the names that did not fit."""
    wrong = []
    for name in names:
        if name not in told:
            continue
        parameter = target.param[name]
        try:
            value = _value(parameter, told[name])
            target.param.update(**{name: value})
        except (ValueError, TypeError):
            wrong.append(name)
    return wrong


def spoken(target: param.Parameterized, names: tuple[str, ...]) -> dict[str, str]:
    """Say the parameters that differ from their first values as texts of an address."""
    made = {}
    for name in names:
        value = getattr(target, name)
        if value in (None, "") or value == target.param[name].default:
            continue
        made[name] = ",".join(
            f"{part:.10g}" if isinstance(part, float) else str(part)
            for part in (value if isinstance(value, tuple) else (value,))
        )
    return made


def _value(parameter: param.Parameter[Any], told: str) -> Any:
    if isinstance(parameter, param.Selector):
        for value in parameter.objects:
            if str(value) == told:
                return value
        raise ValueError(told)
    if isinstance(parameter, param.Boolean):
        if told not in {"True", "False"}:
            raise ValueError(told)
        return told == "True"
    if isinstance(parameter, param.Integer):
        return int(told)
    if isinstance(parameter, param.Number):
        return float(told)
    if isinstance(parameter, param.Tuple):
        return tuple(float(part) for part in told.split(","))
    return told
