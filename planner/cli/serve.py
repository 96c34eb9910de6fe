"""``planner serve``: the desk in a browser."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from layers.errors import InputError
from layers.messages import text
from planner.cli.options import Commands, open_city, place, share
from planner.cli.screen import DONE, STOPPED, stderr
from planner.store.accounts import ROLES

if TYPE_CHECKING:
    import argparse

    from planner.serving import Entry, OAuth
    from planner.store import Store


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    serve = commands.add("serve", run)
    share(serve, "city")
    add = serve.add_argument
    add("--port", type=int, default=5006, help=text("cli.serve.port"))
    add("--address", default="localhost", help=text("cli.serve.address"))
    add("--tianditu-key", metavar="KEY", help=text("cli.serve.tianditu"))
    add("--osm", action="store_true", default=None, help=text("cli.serve.osm"))
    add("--basemap", metavar="URL", help=text("cli.serve.basemap"))
    add("--basemap-datum", choices=["wgs84", "gcj02"], help=text("cli.serve.basemap_datum"))
    add("--open", action="store_true", help=text("cli.serve.open"))
    told = {name: text(f"cli.serve_entry.{name}") for name in _ENTRY}
    add("--login", action="store_true", help=told["login"])
    add("--store", type=place, metavar="PATH|URL", help=told["store"])
    add("--allow-origin", action="append", default=[], metavar="URL", help=told["allow_origin"])
    add("--prefix", default="", metavar="PATH", help=told["prefix"])
    add("--behind-proxy", action="store_true", help=told["behind_proxy"])
    add("--workers", type=int, default=1, metavar="N", help=told["workers"])
    add("--job-runners", type=int, default=1, metavar="N", help=text("cli.serve_job.runners"))
    add("--oauth-issuer", metavar="URL", help=told["oauth_issuer"])
    add("--oauth-provider", metavar="NAME", help=told["oauth_provider"])
    add("--oauth-key", metavar="KEY", help=told["oauth_key"])
    add("--oauth-redirect", metavar="URL", help=told["oauth_redirect"])
    add(
        "--oauth-extra", action="append", default=[], metavar="NAME=VALUE", help=told["oauth_extra"]
    )
    add("--oauth-user", metavar="KEY", help=told["oauth_user"])
    add("--oauth-role", choices=ROLES, help=told["oauth_role"])
    serve.set_defaults(refuse=serve.error)


_ENTRY = (
    "login",
    "store",
    "allow_origin",
    "prefix",
    "behind_proxy",
    "workers",
    "oauth_issuer",
    "oauth_provider",
    "oauth_key",
    "oauth_redirect",
    "oauth_extra",
    "oauth_user",
    "oauth_role",
)


def run(options: argparse.Namespace) -> int:
    """Serve until stopped."""
    from planner.desk import serve  # noqa: PLC0415 - Panel is slow to import
    from planner.maps.basemaps import offered  # noqa: PLC0415 - so is folium
    from planner.serving.entry import refuse_open_door  # noqa: PLC0415 - and this imports Panel
    from planner.store import Store  # noqa: PLC0415 - other commands need no database

    store = Store(options.store)
    entry = _entry(options, store)
    prefix = f"/{stripped}" if (stripped := options.prefix.strip("/")) else ""
    proxied = bool(options.behind_proxy or prefix or options.allow_origin)
    # Before a city is opened, which may take minutes.
    refuse_open_door(options.address, entry, proxied=proxied)
    if entry is not None:
        entry.settings(prefix)
    if options.workers > 1:
        return _several(options)
    maps = offered(
        tianditu=options.tianditu_key,
        osm=options.osm,
        address=options.basemap,
        datum=options.basemap_datum,
    )
    city = open_city(options.city)
    told = text("cli.serve.started", address=options.address, port=options.port)
    stderr().print(told, highlight=False)
    serve(
        city,
        port=options.port,
        address=options.address,
        show=options.open,
        basemaps=maps,
        entry=entry,
        store=store,
        allow_origin=options.allow_origin,
        prefix=prefix,
        behind_proxy=options.behind_proxy,
        place=options.city,
        job_runners=options.job_runners,
    )
    return DONE


def _entry(options: argparse.Namespace, store: Store) -> Entry | None:
    """Read who may come in; None for everybody on this machine."""
    from planner.serving import Entry  # noqa: PLC0415 - as above
    from planner.serving.secret import cookie_secret  # noqa: PLC0415

    oauth = _oauth(options)
    if not options.login and oauth is None:
        return None
    return Entry(accounts=store.accounts, secret=cookie_secret(), oauth=oauth)


def _oauth(options: argparse.Namespace) -> OAuth | None:
    from planner.serving import OAuth  # noqa: PLC0415 - as above

    if options.oauth_provider is None and options.oauth_issuer is None:
        return None
    # On the command line every user of the machine could read it.
    secret = os.environ.get("PLANNER_OAUTH_SECRET", "")
    if not options.oauth_key or not options.oauth_redirect or not secret:
        raise InputError(text("cli.serve_entry.oauth_incomplete"))
    if any("=" not in pair for pair in options.oauth_extra):
        options.refuse(text("cli.serve_entry.oauth_pair"))
    return OAuth.of(
        options.oauth_provider or "openid",
        key=options.oauth_key,
        secret=secret,
        redirect=options.oauth_redirect,
        issuer=options.oauth_issuer,
        extra=dict(pair.split("=", 1) for pair in options.oauth_extra),
        user=options.oauth_user,
        role=options.oauth_role,
    )


def _several(options: argparse.Namespace) -> int:
    """Run this command once for each port, one server each."""
    from planner.serving.workers import keep_running  # noqa: PLC0415 - this way alone

    # A city that has to be built is built once.
    open_city(options.city)
    ports = range(options.port, options.port + options.workers)
    own = [*sys.argv[1:], "--workers", "1"]
    commands = [["-m", "planner.cli", *own, "--port", str(port)] for port in ports]
    for command in commands[1:]:
        # The first looks after the jobs of all.
        command += ["--job-runners", "0"]

    def stopped(which: int) -> None:
        told = text("cli.serve_entry.stopped", port=ports[which])
        stderr().print(told, highlight=False)

    return STOPPED if keep_running(commands, stopped=stopped) else DONE
