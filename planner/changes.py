"""Changes: what a scenario is made of, and what they come to in a city."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args

import numpy as np

from layers.errors import InputError, UnknownNameError
from layers.messages import text
from layers.streets import MODES, Mode
from planner.standards import Services, load_services, unknown_name

if TYPE_CHECKING:
    import pandas as pd

    from layers import City
    from layers.messages import Language

Place = tuple[float, float]
"""Longitude and latitude in EPSG:4326."""


@dataclass(frozen=True, kw_only=True)
class Open:
    """A new facility opens.

    Attributes
    ----------
    service
        Key of its service.
    place
        Longitude and latitude in EPSG:4326.
    id
        Its id, which no other facility may have; a scenario gives one that lacks it.
    name
        What it is called.
    capacity
        How many it serves, None where that is not known.
    """

    kind: ClassVar[str] = "open"
    service: str
    place: Place
    id: str = ""
    name: str = ""
    capacity: float | None = None


@dataclass(frozen=True, kw_only=True)
class Close:
    """A facility closes, with all its entrances.

    Attributes
    ----------
    id
        Its id.
    """

    kind: ClassVar[str] = "close"
    id: str


@dataclass(frozen=True, kw_only=True)
class Move:
    """A facility moves; any further entrances that it had stay behind and count no more.

    Attributes
    ----------
    id
        Its id.
    place
        Longitude and latitude in EPSG:4326 of where it goes.
    """

    kind: ClassVar[str] = "move"
    id: str
    place: Place


@dataclass(frozen=True, kw_only=True)
class Resize:
    """A facility takes more people than before, or fewer.

    Attributes
    ----------
    id
        Its id.
    capacity
        How many it serves from now on.
    """

    kind: ClassVar[str] = "resize"
    id: str
    capacity: float


@dataclass(frozen=True, kw_only=True)
class CloseStreet:
    """A street closes, to everybody or to one travel mode.

    Attributes
    ----------
    street
        Its label in the street layer.
    mode
        ``walk``, ``cycle`` or ``drive``; None for all of them.
    """

    kind: ClassVar[str] = "close_street"
    street: int | str
    mode: Mode | None = None


Change = Open | Close | Move | Resize | CloseStreet
_KINDS: dict[str, type[Change]] = {kind.kind: kind for kind in get_args(Change)}


@dataclass(frozen=True)
class Outcome:
    """What a scenario comes to once all its changes are made.

    Attributes
    ----------
    opened
        New facilities in the order in which they opened, as they are in the end.
    closed
        Ids of facilities of the base that have closed, and of entrances that went with them.
    moved
        Where facilities of the base have gone, by id.
    resized
        New capacities of facilities of the base, by id.
    streets
        Modes that streets are closed to, by label.
    """

    opened: dict[str, Open] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    moved: dict[str, Place] = field(default_factory=dict)
    resized: dict[str, float] = field(default_factory=dict)
    streets: dict[int | str, set[Mode]] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Base:
    """What a city has that changes can be made to.

    Attributes
    ----------
    ids
        Of its facilities.
    entrances
        Ids of the further entrances of each facility that has any.
    services
        Keys of the services that facilities may open for.
    streets
        Row of each street, by label.
    allowed
        A column a mode: whether each street is open to it in either direction.
    """

    ids: frozenset[str]
    entrances: Mapping[str, tuple[str, ...]]
    services: tuple[str, ...]
    streets: pd.Index[Any]
    allowed: dict[Mode, np.ndarray]

    @classmethod
    def of(cls, city: City, services: Services | None = None) -> Self:
        """Take stock of a city; the services are the program's own when None."""
        offered = {*(services or load_services()), *city.facilities["service"].unique()}
        ways, sites = city.streets, city.facilities
        entrances: dict[str, tuple[str, ...]] = {}
        if "entrance_of" in sites:
            further = sites[sites["entrance_of"].notna()]
            for name, own in further.groupby("entrance_of", sort=False)["id"]:
                entrances[str(name)] = tuple(own)
        return cls(
            ids=frozenset(sites["id"].tolist()),
            entrances=entrances,
            services=tuple(sorted(offered)),
            streets=ways.index,
            allowed={
                mode: (ways[f"{mode}_forward"] | ways[f"{mode}_backward"]).to_numpy()
                for mode in MODES
            },
        )


def refuse(change: Change, number: int) -> None:
    """Refuse a change that can be made in no city."""
    where = text("scenario.where", number=number)
    if isinstance(change, Open | Move):
        lon, lat = change.place
        if not (abs(lon) <= 180 and abs(lat) <= 90):  # noqa: PLR2004 - the globe's
            raise InputError(text("error.scenario_place", where=where, lon=lon, lat=lat))
    if isinstance(change, Open | Resize):
        capacity = change.capacity
        if capacity is not None and not (isfinite(capacity) and capacity >= 0):
            raise InputError(text("error.scenario_capacity", where=where, found=capacity))
    if isinstance(change, CloseStreet) and change.mode not in {None, *MODES}:
        raise unknown_name("mode", str(change.mode), MODES)


def make(change: Change, number: int, made: Outcome, base: Base) -> None:
    """Add a change to an outcome; `Scenario.outcome` tells what is refused."""
    where = text("scenario.where", number=number)
    if isinstance(change, CloseStreet):
        _close_street(change, where, made, base)
    elif isinstance(change, Open):
        _open(change, where, made, base)
    elif change.id in made.opened:
        _alter_opened(change, made)
    elif change.id not in base.ids:
        raise UnknownNameError(text("error.scenario_id_unknown", where=where, id=change.id))
    elif change.id in made.closed:
        raise InputError(text("error.scenario_id_closed", where=where, id=change.id))
    elif isinstance(change, Close):
        made.closed.update((change.id, *base.entrances.get(change.id, ())))
    elif isinstance(change, Move):
        made.closed.update(base.entrances.get(change.id, ()))
        made.moved[change.id] = change.place
    else:
        made.resized[change.id] = change.capacity


def _open(change: Open, where: str, made: Outcome, base: Base) -> None:
    if change.service not in base.services:
        known = ", ".join(base.services)
        raise UnknownNameError(
            text("error.scenario_service", where=where, found=change.service, known=known)
        )
    if change.id in made.opened or change.id in base.ids:
        raise InputError(text("error.scenario_id_taken", where=where, id=change.id))
    made.opened[change.id] = change


def _alter_opened(change: Close | Move | Resize, made: Outcome) -> None:
    """Change a facility that the scenario itself has opened."""
    own = made.opened[change.id]
    if isinstance(change, Close):
        del made.opened[change.id]
    elif isinstance(change, Move):
        made.opened[change.id] = replace(own, place=change.place)
    else:
        made.opened[change.id] = replace(own, capacity=change.capacity)


def _close_street(change: CloseStreet, where: str, made: Outcome, base: Base) -> None:
    try:
        row = base.streets.get_loc(change.street)
    except KeyError as wrong:
        raise UnknownNameError(
            text("error.scenario_street_unknown", where=where, street=change.street)
        ) from wrong
    shut = made.streets.get(change.street, set())
    wanted = set(MODES) if change.mode is None else {change.mode}
    open_to = {mode for mode in wanted - shut if base.allowed[mode][row]}
    if not open_to:
        raise InputError(text("error.scenario_street_closed", where=where, street=change.street))
    made.streets[change.street] = shut | open_to


def plain(change: Change) -> dict[str, Any]:
    """Plain values of a change for JSON."""
    values = {
        key: list(map(float, value))
        if isinstance(value, tuple)
        else (value.item() if isinstance(value, np.generic) else value)
        for key, value in asdict(change).items()
    }
    return {"kind": change.kind, **values}


def read(entry: Any, number: int) -> Change:
    """Make a change of plain values."""
    where = text("scenario.where", number=number)
    if not isinstance(entry, Mapping) or entry.get("kind") not in _KINDS:
        found = entry.get("kind") if isinstance(entry, Mapping) else entry
        known = ", ".join(_KINDS)
        raise InputError(text("error.scenario_kind", where=where, found=found, known=known))
    kind = _KINDS[entry["kind"]]
    given = {key: value for key, value in entry.items() if key != "kind"}
    known_fields = {one.name: one for one in fields(kind)}
    needed = {name for name, one in known_fields.items() if one.default is MISSING}
    if not needed <= set(given) <= set(known_fields):
        raise InputError(
            text(
                "error.scenario_fields",
                where=where,
                found=", ".join(map(str, given)),
                known=", ".join(known_fields),
            )
        )
    for name, value in given.items():
        if not _fits(name, value, may_lack=known_fields[name].default is None):
            raise InputError(text("error.scenario_value", where=where, field=name, found=value))
    if "place" in given:
        given["place"] = tuple(map(float, given["place"]))
    return kind(**given)


def _fits(name: str, value: Any, *, may_lack: bool) -> bool:
    """Whether a value is of its field's type."""
    if value is None:
        return may_lack
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == "place":
        return (
            isinstance(value, list | tuple)
            and len(value) == 2  # noqa: PLR2004 - longitude and latitude
            and all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)
        )
    if name == "capacity":
        return number
    if name == "street":
        return isinstance(value, str) or (number and isinstance(value, int))
    return isinstance(value, str)


def in_words(change: Change, lang: Language | None) -> str:
    """Say a change in a sentence."""
    values = asdict(change)
    if isinstance(change, Open | Move):
        values["lon"], values["lat"] = change.place
    if isinstance(change, CloseStreet):
        whom = "scenario.everybody" if change.mode is None else f"mode.{change.mode}"
        values["mode"] = text(whom, lang)
    if isinstance(change, Open):
        values["name"] = change.name or change.id
    return text(f"scenario.{change.kind}", lang, **values)
