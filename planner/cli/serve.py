"""``planner serve``: the desk in a browser."""

import argparse

from layers.messages import text
from planner.cli.options import Commands, open_city, share
from planner.cli.screen import DONE, stderr


def register(commands: Commands) -> None:
    """Add the command to the parser."""
    serve = commands.add("serve", run)
    share(serve, "city")
    serve.add_argument("--port", type=int, default=5006, help=text("cli.serve.port"))
    serve.add_argument("--address", default="localhost", help=text("cli.serve.address"))
    serve.add_argument("--tianditu-key", metavar="KEY", help=text("cli.serve.tianditu"))
    serve.add_argument("--osm", action="store_true", default=None, help=text("cli.serve.osm"))
    serve.add_argument("--basemap", metavar="URL", help=text("cli.serve.basemap"))
    serve.add_argument(
        "--basemap-datum", choices=["wgs84", "gcj02"], help=text("cli.serve.basemap_datum")
    )
    serve.add_argument("--open", action="store_true", help=text("cli.serve.open"))


def run(options: argparse.Namespace) -> int:
    """Serve until stopped."""
    from planner.desk import serve  # noqa: PLC0415 - Panel is slow to import
    from planner.maps.basemaps import offered  # noqa: PLC0415 - so is folium

    maps = offered(
        tianditu=options.tianditu_key,
        osm=options.osm,
        address=options.basemap,
        datum=options.basemap_datum,
    )
    city = open_city(options.city)
    told = text("cli.serve.started", address=options.address, port=options.port)
    stderr().print(told, highlight=False)
    serve(city, port=options.port, address=options.address, show=options.open, basemaps=maps)
    return DONE
