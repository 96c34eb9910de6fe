"""The map of a view: the city's live map, in the reader's language and colours."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, cast

from planner.maps import furniture
from planner.maps.bridge import MapBridge
from planner.maps.coverage import extent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers.messages import Language
    from planner.coverage import Coverage
    from planner.desk.session import Session
    from planner.maps.furniture import Entry


class CityMap:
    """Live map of the session's city; what lies on it is the view's own.

    Parameters
    ----------
    session
        What the views of one reader share.

    Attributes
    ----------
    bridge
        Takes layers and tells what the reader does; the viewable to put on a page.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.bridge = MapBridge(
            extent(session.city), inline=False, sizing_mode="stretch_both", margin=0
        )
        session.param.watch(self.relabel, ["lang", "theme"])
        self.relabel()

    def relabel(self, *_events: Any) -> None:
        """Put what stands on the map into the reader's language and colours."""
        said = self.session.text
        self.bridge.label = said("desk.map_frame")
        self.bridge.failure = said("desk.map_failed")
        self.bridge.dark = self.session.theme == "dark"
        keys = {"zoom_in": "map.zoom_in", "zoom_out": "map.zoom_out", "north": "map.north"}
        self.bridge.surround(
            words={
                **{name: said(key) for name, key in keys.items()},
                "label": said("desk.map_frame"),
                "lang": self.session.lang,
            },
            theme=self.session.theme,
        )

    def explain(self, result: Coverage, title: str, entries: Sequence[Entry]) -> None:
        """Set title, legend and sources of what the map shows.

        Parameters
        ----------
        result
            What the map is of.
        title
            Heading of the legend, plain text.
        entries
            Lines of the legend.
        """
        lang = cast("Language", self.session.lang)
        foot = furniture.sources(result, lang)
        self.bridge.surround(
            head=furniture.head_html(result, lang),
            legend=furniture.legend_html(title, entries),
            foot=f'<div title="{escape(foot)}">{escape(foot)}</div>',
        )
