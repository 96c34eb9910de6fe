"""The bridge: a live map in Panel that tells Python what its reader does, and takes changes.

The map is a folium page in a frame of its own. What a reader does on it comes to Python as
the typed events of `planner.maps.events`; what Python changes (layers, markers, the view)
is changed in place: the frame is never loaded again and keeps its zoom.
"""

from __future__ import annotations

import inspect
import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import folium
import numpy as np
import panel as pn
import param

from layers.datum import gcj02_to_wgs84
from layers.errors import InputError
from layers.messages import text
from planner.maps import colours
from planner.maps.assets import Fragment, LocalMap, Script, localise
from planner.maps.events import (
    Clicked,
    Event,
    FrameReady,
    MarkerDragged,
    MarkerDropped,
    ShapeDrawn,
    ViewMoved,
    parse,
)
from planner.maps.scene import Areas, Field, Layer, Marker, shifted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from layers.datum import Datum
    from planner.maps.assets import Bounds
    from planner.maps.events import Shape

_log = logging.getLogger(__name__)
_JS = Path(__file__).parent / "js"

Told = TypeVar("Told", bound=Event)


class MapBridge(pn.custom.JSComponent):
    """Live map whose events reach Python and whose layers change without a reload.

    Only kinds of events that somebody listens to are sent, at most one unanswered of a
    kind (and marker) at a time; of those that come meanwhile the latest is kept.

    Parameters
    ----------
    page
        A folium map, or west, south, east, north of what is shown at first.
    inline
        Whether the page carries Leaflet within it, as a notebook needs; otherwise the
        application serves it, see `planner.maps.STATIC_DIRS`.
    drag_every
        Least milliseconds between two places told of a marker that is being dragged.
    params
        As Panel's components take them, such as ``height``.

    Examples
    --------
    >>> bridge = MapBridge((120.0, 30.0, 120.4, 30.4), height=400)
    >>> stop = bridge.on(Clicked, lambda event: bridge.mark(
    ...     Marker(id="here", lon=event.lon, lat=event.lat, draggable=True)))
    >>> bridge.listens
    ['click']
    """

    page = param.String(default="", doc="The map's page, made once.")
    label = param.String(default="", doc="What the frame is called to those who cannot see it.")
    busy = param.String(default="", doc="Words over the dimmed map while figures are computed.")
    failure = param.String(default="", doc="Words for a page that does not draw its map.")
    dark = param.Boolean(default=False, doc="Whether the page stands on dark ground.")

    _esm: ClassVar[str] = (_JS / "frame.js").read_text(encoding="utf-8")
    _stylesheets: ClassVar[list[Any]] = [(_JS / "frame.css").read_text(encoding="utf-8")]

    def __init__(
        self,
        page: folium.Map | Bounds,
        *,
        inline: bool = True,
        drag_every: int = 60,
        **params: Any,
    ) -> None:
        made = page if isinstance(page, folium.Map) else LocalMap(page, fits=False)
        localise(made, inline=inline)
        style = (_JS / "map.css").read_text(encoding="utf-8")
        header: Any = made.get_root()
        header.header.add_child(Fragment(f"<style>{style}</style>"), name="bridge_style")
        made.add_child(
            Script(
                (_JS / "map.js").read_text(encoding="utf-8"),
                bounds=getattr(made, "bounds", None),
                every=drag_every,
                accent=colours.ACCENT,
            ),
            name="bridge",
        )
        super().__init__(page=str(made.get_root().render()), **params)  # type: ignore[no-untyped-call]
        self._handlers: dict[type[Event], list[Callable[[Any], Any]]] = {}
        self._layers: dict[str, Layer] = {}
        self._markers: dict[str, Marker] = {}
        self._kept: dict[str, dict[str, Any]] = {}
        self._around: dict[str, Any] = {}
        self._datum: Datum = "wgs84"
        self._view: ViewMoved | None = None
        self.loads = 0

    # What the map tells.

    def on(self, event: type[Told], handler: Callable[[Told], Any]) -> Callable[[], None]:
        """Listen to a kind of event.

        Parameters
        ----------
        event
            The kind, one of `planner.maps.events`.
        handler
            Called with each event; may be a coroutine function. While it runs no further
            event of the kind is sent.

        Returns
        -------
        A function that ends the listening.
        """
        held = self._handlers.setdefault(event, [])
        held.append(handler)
        self._listen()

        def stop() -> None:
            held.remove(handler)
            self._listen()

        return stop

    @property
    def listens(self) -> list[str]:
        """Kinds of events that the map is asked to send."""
        return sorted(kind.KIND for kind, held in self._handlers.items() if held)

    def _handle_msg(self, data: Any) -> None:
        """Take a message from the browser: a reader's own, and not to be trusted."""
        key = data.get("key") if isinstance(data, dict) else None
        try:
            event = parse(data)
        except InputError as wrong:
            _log.warning("A map sent what is no event: %s", wrong)
            return
        pn.state.execute(partial(self._dispatch, event, key))

    async def _dispatch(self, event: Event, key: Any) -> None:
        try:
            if isinstance(event, FrameReady):
                self.loads = event.loads
                self._replay()
            event = self._in_wgs84(event)
            if isinstance(event, ViewMoved):
                self._view = event
            for handler in tuple(self._handlers.get(type(event), ())):
                answer = handler(event)
                if inspect.isawaitable(answer):
                    await answer
        except Exception:  # noqa: BLE001 - logged whole
            # The page goes on; whoever handles events says their own failures in words.
            _log.exception("A handler of %s failed", event)
        finally:
            self._send_msg({"answered": key})

    def _in_wgs84(self, event: Event) -> Event:
        if self._datum == "wgs84":
            return event

        def back(*places: tuple[float, float]) -> list[tuple[float, float]]:
            lon, lat = gcj02_to_wgs84(*np.asarray(places, dtype=float).T)
            return list(zip(lon.tolist(), lat.tolist(), strict=True))

        made: dict[str, Any] = dict(vars(event))
        if isinstance(event, Clicked | MarkerDragged | MarkerDropped | ViewMoved):
            made["lon"], made["lat"] = back((event.lon, event.lat))[0]
        if isinstance(event, ViewMoved):
            west, south, east, north = event.bounds
            (west, south), (east, north) = back((west, south), (east, north))
            made["bounds"] = (west, south, east, north)
        if isinstance(event, ShapeDrawn):
            made["points"] = tuple(back(*event.points))
        return type(event)(**made)

    # What the map is told.

    def put(self, layer: Layer) -> None:
        """Put a layer on the map, in the place of the one with its id if there is one.

        The one before goes when the new one is drawn. A layer equal to it changes nothing.
        """
        if self._layers.get(layer.id) is layer:
            return
        self._layers[layer.id] = layer
        self._tell("put", what=layer.plain(self._datum))

    def take(self, layer: str) -> None:
        """Take a layer away; one that is not there is no fault."""
        if self._layers.pop(layer, None) is not None:
            self._tell("take", id=layer)

    @property
    def layers(self) -> Mapping[str, Layer]:
        """Layers on the map by their ids."""
        return dict(self._layers)

    def recolour(self, layer: str, *, stops: Sequence[float], colours: Sequence[str]) -> None:
        """Colour a field of distances anew, without asking for its tiles again."""
        before = self._layers[layer]
        assert isinstance(before, Field)
        self._layers[layer] = replace(before, stops=tuple(stops), colours=tuple(colours))
        self._tell("recolour", id=layer, stops=list(stops), colours=list(colours))

    def restyle(
        self, layer: str, *, fills: Sequence[str] | None = None, tips: Sequence[str] | None = None
    ) -> None:
        """Fill areas anew and change their words, without sending their shapes again."""
        before = self._layers[layer]
        assert isinstance(before, Areas)
        changed: dict[str, Any] = {
            name: list(value) for name, value in (("fills", fills), ("tips", tips)) if value
        }
        self._layers[layer] = replace(before, **changed)
        self._tell("restyle", id=layer, **changed)

    def mark(self, marker: Marker) -> None:
        """Put a marker, in the place of the one with its id if there is one."""
        self._markers[marker.id] = marker
        self._tell("mark", what=marker.plain(self._datum))

    def move(self, marker: str, lon: float, lat: float) -> None:
        """Move a marker (degrees, WGS-84)."""
        self._markers[marker] = replace(self._markers[marker], lon=lon, lat=lat)
        lon, lat = shifted((lon, lat), self._datum)
        self._tell("move", id=marker, lon=lon, lat=lat)

    def unmark(self, marker: str) -> None:
        """Take a marker away; one that is not there is no fault."""
        if self._markers.pop(marker, None) is not None:
            self._tell("unmark", id=marker)

    @property
    def markers(self) -> Mapping[str, Marker]:
        """Markers on the map by their ids."""
        return dict(self._markers)

    def go(self, bounds: Bounds | None) -> None:
        """Show west, south, east, north, or all that was shown at first when None."""
        self._kept.pop("view", None)
        if bounds is None:
            self._tell("view", zoom=None)
            return
        west, south, east, north = bounds
        corners = [shifted(place, self._datum) for place in ((west, south), (east, north))]
        self._keep("view", bounds=[[lat, lon] for lon, lat in corners])

    def look(self, lon: float, lat: float, zoom: float) -> None:
        """Show a place (degrees, WGS-84) at a zoom."""
        lon, lat = shifted((lon, lat), self._datum)
        self._keep("view", lon=lon, lat=lat, zoom=zoom, still=True)

    def light(
        self, layer: str, feature: str | None, style: Mapping[str, Any] | None = None
    ) -> None:
        """Set one of a layer's areas apart from the others, and the one before back."""
        style = dict(style or {"color": colours.ACCENT, "weight": 3, "dashArray": None})
        self._keep("light", layer=layer, feature=feature, style=style)

    def swipe(
        self,
        left: Sequence[str] | None,
        right: Sequence[str] = (),
        *,
        words: tuple[str, str] = ("", ""),
        label: str = "",
    ) -> None:
        """Show some layers left of a line that can be moved, and some right of it.

        Parameters
        ----------
        left, right
            Ids of layers; None for no line.
        words
            What stands on either side of the line.
        label
            What the line is called to those who cannot see it.
        """
        told = None
        if left is not None:
            told = {"left": list(left), "right": list(right), "words": list(words), "label": label}
        self._keep("swipe", what=told)

    def draw(self, shape: Shape | None) -> None:
        """Let the reader draw a shape, which comes as `ShapeDrawn`; None ends drawing."""
        self._tell("draw", shape=shape)

    def surround(self, **told: Any) -> None:
        """Set what stands around the map.

        Parameters
        ----------
        told
            ``head``, ``legend``, ``foot``: HTML of the strips, empty for none. ``words``:
            plain texts ``zoom_in``, ``zoom_out``, ``north``, ``label`` and ``lang``.
            ``theme``: ``light`` or ``dark``. What is left out stays.
        """
        self._around.update(told)
        self._tell("surround", **told)

    @property
    def datum(self) -> Datum:
        """Datum of the basemap; whatever lies on it is moved to fit."""
        return self._datum

    @datum.setter
    def datum(self, datum: Datum) -> None:
        if datum == self._datum:
            return
        if datum == "bd09":
            raise InputError(text("error.map_datum", found=datum))
        self._datum = datum
        self._replay()

    def _listen(self) -> None:
        self._tell("listen", kinds=self.listens)

    def _keep(self, do: str, **rest: Any) -> None:
        self._kept[do] = rest
        self._tell(do, **rest)

    def _replay(self) -> None:
        """Tell a page that was just loaded, or moved to another datum, all that there is."""
        self._listen()
        if self._around:
            self._tell("surround", **self._around)
        for layer in self._layers.values():
            self._tell("put", what=layer.plain(self._datum))
        for marker in self._markers.values():
            self._tell("mark", what=marker.plain(self._datum))
        for do, rest in self._kept.items():
            self._tell(do, **rest)

    def _tell(self, do: str, **rest: Any) -> None:
        if self.loads:
            self._send_msg({"do": do, **rest})
