"""A city with facilities that somebody brought: added to its own, or in their place."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from layers import facilities as layer
from layers.city import City, Provenance
from layers.findings import refuse_errors
from layers.messages import LANGUAGES, text

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    import geopandas as gpd

    from layers.findings import Finding

How = Literal["add", "replace"]
HOWS: tuple[How, ...] = get_args(How)
"""Beside the facilities that a service has, or in their place."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Grown:
    """A city with other facilities than before, and what became of them.

    Attributes
    ----------
    city
        The city, which lies in no folder yet.
    added
        Facilities that came.
    gone
        Facilities of the same services that gave way.
    left_out
        Facilities that did not come, for they are there already.
    """

    city: City
    added: int
    gone: int
    left_out: int

    def __repr__(self) -> str:
        return f"<Grown: {self.added:,} added, {self.gone:,} gone, {self.left_out:,} left out>"


def kept(city: City, brought: gpd.GeoDataFrame, how: How) -> gpd.GeoDataFrame:
    """Select the city's facilities that stay when others are brought.

    Parameters
    ----------
    city
        The city.
    brought
        Facility layer.
    how
        ``add``: all stay; ``replace``: those of the services brought give way.
    """
    own = city.facilities
    if how == "add":
        return own
    return own[~own["service"].isin(brought["service"].unique())]


def grow(
    city: City,
    brought: gpd.GeoDataFrame,
    *,
    how: How,
    origin: Provenance,
    without: Collection[Hashable] = (),
    name: str = "",
    name_en: str = "",
    services: Sequence[str] | None = None,
    findings: Sequence[Finding] = (),
) -> Grown:
    """Make a city of another and of facilities brought; neither is changed.

    Parameters
    ----------
    city
        The city.
    brought
        Facility layer; an id that is taken is replaced by a free one.
    how
        Whether they stand beside the city's own of their services, or in their place.
    origin
        Where they come from; it is joined to what the city says of its facilities, and the
        city stays *modelled* as long as any facility of before stays.
    without
        Ids of those brought that are left out.
    name, name_en
        What the new city is called; as the other when empty.
    services
        Keys of the known services; others are refused.
    findings
        What was found when they were read, which the city keeps as notes.

    Raises
    ------
    LayerError
        The facilities that come of it are not valid; the message names them.

    Examples
    --------
    >>> from layers import embedded
    >>> city = embedded("small")
    >>> own = city.facilities[city.facilities["service"] == "menopause_clinic"]
    >>> grow(city, own.head(2), how="replace", origin=Provenance(source="a table")).added
    2
    """
    stay = kept(city, brought, how)
    come = brought[~brought["id"].isin(list(without))]
    come = _with_free_ids(come, set(stay["id"]))
    joined: Any = pd.concat([stay, come], ignore_index=True) if len(stay) else come
    sites = layer.conform(joined.reset_index(drop=True))
    found = layer.check(sites)
    if services is not None and not found:
        found = layer.review(sites, tuple(services))
    refuse_errors(found)
    gone = len(city.facilities) - len(stay)
    counts = {"added": len(come), "gone": gone, "left": len(brought) - len(come)}
    notes = [
        " / ".join(text("source.grown", lang, found=origin.source, **counts) for lang in LANGUAGES),
        *(
            " / ".join(one.words("message", lang) for lang in LANGUAGES)
            for one in findings
            if one.layer == "facilities"
        ),
    ]
    stated = dict(city.provenance)
    before = stated.get("facilities", Provenance(source="not stated"))
    stated["facilities"] = _joined(before if len(stay) else None, origin, notes)
    made = replace(
        city,
        name=name or city.name,
        name_en=name_en or (name or city.name_en),
        facilities=sites,
        provenance=stated,
        path=None,
    )
    return Grown(city=made, added=counts["added"], gone=gone, left_out=counts["left"])


def _with_free_ids(come: gpd.GeoDataFrame, taken: set[str]) -> gpd.GeoDataFrame:
    """Give those whose ids are taken others, and their entrances too."""
    clash = come["id"].isin(taken)
    if not clash.any():
        return come
    used = taken | set(come["id"])
    numbers: dict[str, itertools.count[int]] = {}
    fresh = {}
    for old, service in zip(come.loc[clash, "id"], come.loc[clash, "service"], strict=True):
        count = numbers.setdefault(service, itertools.count(1))
        fresh[old] = next(f"{service}-{n:05d}" for n in count if f"{service}-{n:05d}" not in used)
        used.add(fresh[old])
    made = come.assign(id=come["id"].map(lambda one: fresh.get(one, one)))
    if "entrance_of" in made:
        made["entrance_of"] = made["entrance_of"].map(
            lambda one: fresh.get(one, one), na_action="ignore"
        )
    return made


def _joined(before: Provenance | None, origin: Provenance, notes: Sequence[str]) -> Provenance:
    program = f"coverage-planner {version('coverage-planner')}"
    made = f"{program}: {origin.made}" if origin.made else program
    if before is None:
        return replace(origin, made=made, notes=(*origin.notes, *notes), rows=0, checksum="")
    every = {
        part: "; ".join(
            word
            for word in Counter([getattr(before, part), getattr(origin, part)])
            if word not in {"", "not stated"}
        )
        for part in ("source", "licence", "date")
    }
    return Provenance(
        source=every["source"] or "not stated",
        licence=every["licence"],
        date=every["date"],
        modelled=before.modelled or origin.modelled,
        stand_in=before.stand_in or origin.stand_in,
        made="; ".join(word for word in (before.made, made) if word),
        notes=(*before.notes, *origin.notes, *notes),
    )
