"""Tiles for ``panel serve``, which takes this module as a plug-in.

panel serve app.py --static-dirs $(python -m planner.maps) --plugins planner.desk.routes
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.maps.handler import PATTERN, TileHandler

if TYPE_CHECKING:
    from planner.desk.study import Study
    from planner.maps.tiles import Tiles

_shared: list[Study] = []


def share(study: Study) -> Study:
    """Answer for the tiles of a study, whose sessions this server serves."""
    _shared[:] = [study]
    return study


def _tiles() -> Tiles:
    if not _shared:
        raise KeyError("study")
    return _shared[0].tiles


ROUTES: list[tuple[str, Any, dict[str, Any]]] = [(PATTERN, TileHandler, {"tiles": _tiles})]
"""What Panel adds to its server."""
