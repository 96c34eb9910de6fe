"""The server of the desk."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import panel as pn

from layers.messages import LANGUAGES, text
from planner.desk.desk import page
from planner.desk.study import Study
from planner.maps import STATIC_DIRS
from planner.maps.basemaps import offered
from planner.maps.handler import PATTERN, TileHandler

if TYPE_CHECKING:
    from layers import City
    from planner.maps.basemaps import Basemap

_LOOPBACK = ("localhost", "127.0.0.1")


def serve(
    city: City,
    *,
    port: int = 5006,
    address: str = "localhost",
    show: bool = False,
    start: bool = True,
    basemaps: tuple[Basemap, ...] | None = None,
) -> Any:
    """Serve the desk; every reader has a session of their own.

    Parameters
    ----------
    city
        The city.
    port, address
        Where to listen.
    show
        Open a browser.
    start
        Serve until stopped. Without it the server is returned, bound but not started.
    basemaps
        Basemaps of others to choose from; those that the environment names when None, see
        `planner.maps.basemaps.offered`.

    Returns
    -------
    The server.
    """
    study = Study(city, basemaps=offered() if basemaps is None else basemaps)
    origins = {f"{host}:{port}" for host in (*_LOOPBACK, address, socket.gethostname())}
    return pn.serve(
        {"/": lambda: page(study)},
        title=" · ".join(text("desk.title", lang) for lang in LANGUAGES),
        port=port,
        address=address,
        websocket_origin=sorted(origins),
        show=show,
        start=start,
        verbose=False,
        static_dirs=dict(STATIC_DIRS),
        extra_patterns=[(PATTERN, TileHandler, {"tiles": lambda: study.tiles})],
        # Scripts and styles weigh a third of what they do unpacked.
        compress_response=True,
    )
