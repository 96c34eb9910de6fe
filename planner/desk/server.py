"""The server of the desk."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import panel as pn

from layers.messages import LANGUAGES, text
from planner.desk.desk import page
from planner.desk.study import Study
from planner.maps import STATIC_DIRS

if TYPE_CHECKING:
    from layers import City

_LOOPBACK = ("localhost", "127.0.0.1")


def serve(
    city: City,
    *,
    port: int = 5006,
    address: str = "localhost",
    show: bool = False,
    start: bool = True,
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

    Returns
    -------
    The server.
    """
    study = Study(city)
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
    )
