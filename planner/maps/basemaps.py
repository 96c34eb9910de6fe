"""Basemaps: the city's own, which needs no network, and those of others as options."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from layers.errors import InputError
from layers.messages import LANGUAGES, text
from planner.maps.scene import Picture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.datum import Datum
    from layers.messages import Language

OWN = "own"
"""Key of the basemap made of the city's own layers."""

NONE = "none"
"""Key of no basemap at all."""

_TIANDITU = (
    "https://t{s}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0"
    "&LAYER={layer}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles"
    "&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk="
)
_OSM = "https://tile.openstreetmap.org/{z}/{x}/{y}.png"


@dataclass(frozen=True, kw_only=True)
class Basemap:
    """A basemap that tiles of others make.

    Attributes
    ----------
    key
        What the address calls it.
    name
        What a reader calls it, by language.
    layers
        Its layers, lowest first.
    datum
        What its positions are in: ``wgs84`` (as good as CGCS2000) or ``gcj02``.
    """

    key: str
    name: Mapping[Language, str]
    layers: tuple[Picture, ...]
    datum: Datum = "wgs84"


def offered(
    *,
    tianditu: str | None = None,
    osm: bool | None = None,
    address: str | None = None,
    datum: str | None = None,
) -> tuple[Basemap, ...]:
    """Choose the basemaps of others that a desk offers; none unless asked for.

    What is None is taken from the environment: ``PLANNER_TIANDITU_KEY``, ``PLANNER_OSM``
    (``1``), ``PLANNER_BASEMAP`` and ``PLANNER_BASEMAP_DATUM``.

    Parameters
    ----------
    tianditu
        Key for 天地图, which its service asks for.
    osm
        Whether to offer the tiles of openstreetmap.org.
    address
        Address of any other tiles, with ``{z}``, ``{x}``, ``{y}``.
    datum
        Datum of those: ``wgs84`` or ``gcj02``.

    Raises
    ------
    InputError
        The address lacks a part, or there is no such datum.

    Examples
    --------
    >>> [basemap.key for basemap in offered(osm=True, tianditu="", address="")]
    ['osm']
    """
    tianditu = os.environ.get("PLANNER_TIANDITU_KEY", "") if tianditu is None else tianditu
    osm = os.environ.get("PLANNER_OSM", "") == "1" if osm is None else osm
    address = os.environ.get("PLANNER_BASEMAP", "") if address is None else address
    datum = datum or os.environ.get("PLANNER_BASEMAP_DATUM", "") or "wgs84"
    if datum not in {"wgs84", "gcj02"}:
        raise InputError(text("error.map_datum", found=datum))
    made = []
    if tianditu:
        made.append(
            Basemap(
                key="tianditu",
                name=_named("tianditu"),
                layers=tuple(
                    _picture(
                        f"basemap-{layer}", _TIANDITU.replace("{layer}", layer) + tianditu, "天地图"
                    )
                    for layer in ("vec", "cva")
                ),
            )
        )
    if osm:
        layer = _picture("basemap-osm", _OSM, "© OpenStreetMap contributors")
        made.append(Basemap(key="osm", name=_named("osm"), layers=(layer,)))
    if address:
        if not all(part in address for part in ("{z}", "{x}", "{y}")):
            raise InputError(text("error.basemap_address", found=address))
        layer = _picture("basemap-other", address, "")
        made.append(
            Basemap(key="other", name=_named("other"), layers=(layer,), datum=cast("Datum", datum))
        )
    return tuple(made)


def _named(key: str) -> dict[Language, str]:
    return {lang: text(f"basemap.{key}", lang) for lang in LANGUAGES}


def _picture(key: str, url: str, attribution: str) -> Picture:
    order = 1 if key.endswith("cva") else 0
    return Picture(id=key, order=order, url=url, attribution=attribution, subdomains="01234567")
