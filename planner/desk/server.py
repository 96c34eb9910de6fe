"""The server of the desk."""

from __future__ import annotations

import logging
import signal
import socket
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import panel as pn
from tornado.web import StaticFileHandler
from tornado.websocket import WebSocketClosedError

from layers.errors import PlannerError, StoreError
from layers.messages import LANGUAGES, text
from planner.desk.desk import page
from planner.desk.study import Study
from planner.jobs import Supervisor
from planner.maps import STATIC_DIRS
from planner.maps.basemaps import offered
from planner.maps.handler import PATTERN, TileHandler
from planner.serving.entry import identity_of, refuse_open_door
from planner.serving.headers import guard, origins
from planner.serving.metrics import Gauges, HealthHandler, MetricsHandler, note_answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from layers import City
    from layers.database import Address
    from planner.maps.basemaps import Basemap
    from planner.serving import Entry
    from planner.store import Store

_log = logging.getLogger(__name__)
_LOOPBACK = ("localhost", "127.0.0.1")


class _Leavers(logging.Filter):
    """Drops what asyncio reports of a reader who left while something was on its way.

    bokeh has heard of it and said so; that nobody awaits the same error once more is no
    fault, and its traceback would look like one.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is of anything else."""
        return not (record.exc_info and isinstance(record.exc_info[1], WebSocketClosedError))


_leavers = _Leavers()
# What a browser may send in one piece; larger ones end the connection before they are read.
_MOST_SENT = 64 * 2**20
# Nothing but the login's form comes in any other way.
_MOST_POSTED = 64 * 2**10


def serve(
    city: City,
    *,
    port: int = 5006,
    address: str = "localhost",
    show: bool = False,
    start: bool = True,
    basemaps: tuple[Basemap, ...] | None = None,
    entry: Entry | None = None,
    store: Store | None = None,
    allow_origin: Sequence[str] = (),
    prefix: str = "",
    behind_proxy: bool = False,
    place: Path | Address | None = None,
    job_runners: int = 1,
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
    entry
        Who may come in; everybody, on this machine alone, when None.
    store
        Where scenarios are kept; the usual place when None.
    allow_origin
        Further addresses whose pages may connect.
    prefix
        Path below which a proxy serves the desk.
    behind_proxy
        Whether to trust a proxy's word on who asks and by which scheme.
    place
        Where the city lies, for work done beside the server; the city's own folder when None.
    job_runners
        How many jobs run at once, each in a process of its own; with none, work that lasts
        is left to another server, if the city lies anywhere at all.

    Returns
    -------
    The server.

    Raises
    ------
    InputError
        Others would reach a desk that asks nobody who they are.
    """
    logging.getLogger("asyncio").addFilter(_leavers)
    proxied = bool(behind_proxy or prefix or allow_origin)
    refuse_open_door(address, entry, proxied=proxied)
    maps = offered() if basemaps is None else basemaps
    study = Study(city, basemaps=maps, store=store)
    here = (*_LOOPBACK, *_names())
    server = pn.serve(
        {"/": lambda: page(study, identity_of(entry, _request()))},
        title=" · ".join(text("desk.title", lang) for lang in LANGUAGES),
        port=port,
        address=address,
        websocket_origin=origins(address, port, allow_origin, here),
        websocket_max_message_size=_MOST_SENT,
        http_server_kwargs={"max_body_size": _MOST_POSTED},
        use_xheaders=behind_proxy,
        prefix=prefix,
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax"},
        show=False,
        start=False,
        verbose=False,
        extra_patterns=[
            # Panel would ask for the login, whose cookie a map's frame, which has no origin
            # of its own, does not send. It is a published library, no secret.
            *(
                (rf"/{route}/(.*)", StaticFileHandler, {"path": folder})
                for route, folder in STATIC_DIRS.items()
            ),
            (PATTERN, TileHandler, {"tiles": lambda: study.tiles}),
            ("/health", HealthHandler, {"well": lambda: _parts(study)}),
            (
                "/metrics",
                MetricsHandler,
                {"gauges": Gauges(lambda: _figures(server, study)), "may": _administrators(entry)},
            ),
        ],
        # Scripts and styles weigh a third of what they do unpacked.
        compress_response=True,
        log_function=note_answer,
        **(entry.settings(prefix) if entry is not None else {}),
    )
    images = [layer.url for basemap in maps for layer in basemap.layers]
    server._tornado.add_transform(guard(images))  # noqa: SLF001 - Bokeh hands it out nowhere else
    where = place or city.path
    if where is not None:
        try:
            study.jobs = Supervisor(study.store, where, runners=job_runners)
        except StoreError as wrong:
            # The desk shows maps without a store too, and says what it cannot keep.
            _log.warning("%s", wrong)
    if start:
        _run(server, study.jobs, show=show)
    return server


def _run(server: Any, jobs: Supervisor | None, *, show: bool) -> None:
    """Serve until stopped."""
    server.start()
    if show:
        server.io_loop.add_callback(server.show, "/")
    # Told to stop in either way, it ends the runners too.
    signal.signal(
        signal.SIGTERM, lambda *_: server.io_loop.add_callback_from_signal(server.io_loop.stop)
    )
    with jobs or nullcontext():
        server.io_loop.start()


def _request() -> Any:
    """Request that began the session."""
    document: Any = pn.state.curdoc
    return document.session_context.request


def _names() -> set[str]:
    """Names and addresses of this machine."""
    name = socket.gethostname()
    found = {name}
    with suppress(OSError):
        found |= {str(one[4][0]) for one in socket.getaddrinfo(name, None, socket.AF_INET)}
    return found


def _parts(study: Study) -> Mapping[str, bool]:
    """Tell which parts are well."""
    try:
        store = study.store.answers()
    except PlannerError:
        store = False
    return {"store": store}


def _figures(server: Any, study: Study) -> Mapping[str, tuple[str, float | Mapping[str, float]]]:
    """Tell how many desks are open and how many jobs there are."""
    sessions = server.get_sessions("/")
    connected = sum(session.connection_count > 0 for session in sessions)
    figures: dict[str, tuple[str, float | Mapping[str, float]]] = {
        "planner_sessions": (
            "Desks held in memory.",
            {"connected": connected, "left": len(sessions) - connected},
        )
    }
    with suppress(PlannerError):
        figures["planner_jobs"] = ("Jobs by state.", study.store.jobs.counts())
    return figures


def _administrators(entry: Entry | None) -> Any:
    """Make what tells whether a request is an administrator's."""

    def may(handler: Any) -> bool:
        return entry is not None and entry.may(handler, "administrator")

    return may
