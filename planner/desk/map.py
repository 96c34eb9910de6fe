"""The map of a view: the city's live map, in the reader's language and colours."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from planner.maps import basemaps, furniture
from planner.maps.bridge import MapBridge
from planner.maps.coverage import extent
from planner.maps.scene import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        self._basemap = basemaps.OWN
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
        self.lay(self._basemap)

    def explain(self, head: str, title: str, entries: Sequence[Entry], foot: str) -> None:
        """Set title, legend and sources of what the map shows.

        Parameters
        ----------
        head
            What the map shows, HTML.
        title
            Heading of the legend, plain text.
        entries
            Lines of the legend.
        foot
            Sources, plain text.
        """
        self.bridge.surround(
            head=head,
            legend=furniture.legend_html(title, entries),
            foot=f'<div title="{escape(foot)}">{escape(foot)}</div>',
        )

    def lay(self, key: str) -> None:
        """Lay a basemap below everything: the city's own, another's, or none."""
        self._basemap, study = key, self.session.study
        chosen = next((one for one in study.basemaps if one.key == key), None)
        for layer in self.bridge.layers:
            if layer.startswith("basemap"):
                self.bridge.take(layer)
        self.bridge.datum = "wgs84" if chosen is None else chosen.datum
        if chosen is not None:
            for picture in chosen.layers:
                self.bridge.put(picture)
        elif key != basemaps.NONE:
            url = study.tiles.add(study.ground, theme=self.session.theme)
            self.bridge.put(Picture(id="basemap", order=0, url=url, most_zoom=19))
