"""The part of the server that answers for tiles."""

from __future__ import annotations

import asyncio
import hmac
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, get_args

from tornado.web import HTTPError, RequestHandler

from layers.datum import Datum
from planner.maps.tiles import ROUTE, Asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.maps.tiles import Tiles

PATTERN = rf"/{ROUTE}/([\w-]+)/([0-9a-f]+)/(\w+)/(\d{{1,2}})/(\d{{1,7}})/(\d{{1,7}})(@2x)?"
_DATUMS = get_args(Datum)
_OPTIONS = ("beyond", "lang", "theme")
_THREADS = ThreadPoolExecutor(2, "tiles")


class TileHandler(RequestHandler):
    """Answers for one tile, in a thread, to whoever knows the token."""

    def initialize(self, tiles: Callable[[], Tiles]) -> None:
        """Take what finds the tiles."""
        self._tiles = tiles

    def set_default_headers(self) -> None:
        """Let the map's frame, which has no origin of its own, read what it asks for."""
        self.set_header("Access-Control-Allow-Origin", "*")
        self.set_header("Timing-Allow-Origin", "*")
        self.set_header("X-Content-Type-Options", "nosniff")

    async def get(self, token: str, key: str, datum: str, *rest: Any) -> None:
        """Answer with a tile, or with nothing where there is nothing to see."""
        zoom, x, y, sharp = rest
        try:
            tiles = self._tiles()
        except KeyError:
            raise HTTPError(404) from None
        if not hmac.compare_digest(token, tiles.token) or datum not in _DATUMS:
            raise HTTPError(404)
        asked = Asked(datum, int(zoom), int(x), int(y), 512 if sharp else 256)  # type: ignore[arg-type]
        options = {name: value for name in _OPTIONS if (value := self.get_query_argument(name, ""))}
        try:
            loop = asyncio.get_running_loop()
            tile = await loop.run_in_executor(_THREADS, tiles.get, key, asked, options)
        except (KeyError, ValueError):
            raise HTTPError(404) from None
        # The address names the content: it never changes.
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        if tile is None:
            self.set_status(204)
            return
        self.set_header("Content-Type", tile.kind)
        self.set_header("Content-Encoding", "gzip")
        self.finish(tile.body)
