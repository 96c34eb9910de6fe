"""Services and their standards, read from ``data/services.toml``.

Quotas stand in the plan (``data/plan_2021_2025.toml``) and come to a service from there.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from layers.errors import InputError, StandardError, UnknownNameError
from layers.messages import Language, language, text
from layers.population import GROUPS, Group
from layers.resources import data_path
from layers.streets import MODES, Mode
from layers.units import Level
from planner import travel
from planner.quotas import Quota as Quota  # noqa: PLC0414 - handed on
from planner.quotas import quotas_of
from planner.travel import DEFAULT_SPEED_KMH, FIGURES, ByClass, figures

_FIELDS = {
    "name",
    "name_en",
    "clause",
    "group",
    "also",
    "mode",
    "cutoff_m",
    "cutoff_min",
    "speed_kmh",
    "class_speeds",
    "limit_share",
    "junction_delay_s",
    "source",
    "source_en",
}
_NEEDED = {"name", "name_en", "group", "mode", "source"}
PLAN = "plan_2021_2025.toml"
"""The program's own plan, below ``data/``."""


@dataclass(frozen=True, kw_only=True)
class Standard:
    """How near counts as served.

    Attributes
    ----------
    mode
        How people travel.
    cutoff_m, cutoff_min
        Metres along the streets, or minutes; one of the two. Both ends' access legs
        count, and the cutoff itself is still served.
    speed_kmh
        Pace of the group on foot or by cycle; None for the mode's default and for cars.
    class_speeds, limit_share, junction_delay_s
        Speeds by class of street, average speeds of cars in parts of the limit, and
        seconds at junctions, as `planner.travel.figures` takes them; None for none.
    group
        Whom the rate is for.
    also
        Groups whose rates stand beside it.
    quotas
        Facilities that units must have by the plan.
    source, source_en
        Where the figure comes from; in English the same when not given.
    """

    mode: Mode
    group: Group
    source: str
    source_en: str = ""
    cutoff_m: float | None = None
    cutoff_min: float | None = None
    speed_kmh: float | None = None
    class_speeds: ByClass | None = None
    limit_share: ByClass | None = None
    junction_delay_s: ByClass | None = None
    also: tuple[Group, ...] = ()
    quotas: tuple[Quota, ...] = ()

    def __post_init__(self) -> None:
        if (self.cutoff_m is None) == (self.cutoff_min is None):
            raise StandardError(text("error.cutoff_one"))
        for value in (self.cutoff_m, self.cutoff_min, self.speed_kmh):
            if value is not None and not 0 < value < float("inf"):
                raise StandardError(text("error.number_positive", found=value))
        try:
            for name in FIGURES:
                # Frozen, but not yet handed out: as everybody else will see it.
                object.__setattr__(self, name, figures(name, self.mode, getattr(self, name)))
            travel.refuse_clash(self.mode, self.speed_kmh, self.class_speeds, self.limit_share)
        except InputError as wrong:
            raise StandardError(str(wrong)) from wrong

    @property
    def pace(self) -> dict[str, Any]:
        """Options of `Network.build` that say how fast people travel, those given."""
        speed = self.speed_kmh
        if speed is None and self.class_speeds is None:
            speed = DEFAULT_SPEED_KMH.get(self.mode)
        told: dict[str, Any] = {"speed_kmh": speed}
        told |= {name: getattr(self, name) for name in FIGURES}
        return {name: value for name, value in told.items() if value is not None}

    @property
    def cutoff(self) -> float:
        """The cutoff, in `unit`."""
        value = self.cutoff_m if self.cutoff_m is not None else self.cutoff_min
        assert value is not None
        return value

    @property
    def unit(self) -> Literal["m", "min"]:
        """``m`` or ``min``."""
        return "m" if self.cutoff_m is not None else "min"

    def quota(self, level: Level, year: int | None = None) -> Quota | None:
        """Find the quota that a level has to meet.

        Parameters
        ----------
        level
            Level of the units.
        year
            The last quota due by the end of this year; without one the last of all.
        """
        due = [q for q in self.quotas if q.level == level and (year is None or q.year <= year)]
        return max(due, key=lambda quota: quota.year, default=None)

    def words(self, lang: Language | None = None) -> str:
        """Say the standard as a reader would: 步行 800 米; 驾车 30 分钟."""
        unit = text(f"unit.{self.unit}", lang)
        speed = f" ({self.speed_kmh:g} km/h)" if self.speed_kmh else ""
        told = [text(f"travel.{name}", lang) for name in FIGURES if getattr(self, name)]
        besides = f" ({', '.join(told)})" if told else ""
        return f"{text(f'mode.{self.mode}', lang)} {self.cutoff:g} {unit}{speed}{besides}"

    def origin(self, lang: Language | None = None) -> str:
        """Where the figure comes from, in a language."""
        english = (lang or language()) == "en" and self.source_en
        return self.source_en if english else self.source

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "mode": self.mode,
            "cutoff_m": self.cutoff_m,
            "cutoff_min": self.cutoff_min,
            "speed_kmh": self.speed_kmh,
            **{
                name: None if getattr(self, name) is None else getattr(self, name).as_dict()
                for name in FIGURES
            },
            "group": self.group,
            "also": list(self.also),
            "quotas": [vars(quota) for quota in self.quotas],
            "source": self.source,
            "source_en": self.source_en or self.source,
        }


@dataclass(frozen=True, kw_only=True)
class Service:
    """A kind of facility and its standard.

    Attributes
    ----------
    key
        What facilities name it by.
    name, name_en
        What it is called.
    clause
        Where the plan demands it.
    standard
        How near counts as served.
    """

    key: str
    name: str
    name_en: str
    standard: Standard
    clause: str = ""

    def title(self, lang: Language | None = None) -> str:
        """Name in a language."""
        return self.name_en if (lang or language()) == "en" else self.name


@dataclass(frozen=True, repr=False)
class Services(Mapping[str, Service]):
    """Services by their keys, in the order of their table.

    Examples
    --------
    >>> services = load_services()
    >>> services["fitness_circle"].standard.words("en")
    'walk 10 min (4.8 km/h)'
    """

    entries: Mapping[str, Service] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Service:
        try:
            return self.entries[key]
        except KeyError:
            raise unknown_name("service", key, self.entries) from None

    def __iter__(self) -> Any:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, key: object) -> bool:
        return key in self.entries

    def __repr__(self) -> str:
        return f"<Services: {', '.join(self.entries)}>"

    def bound(self, quotas: Mapping[str, tuple[Quota, ...]]) -> "Services":
        """Return the same services under a plan's quotas, instead of those that they have.

        Parameters
        ----------
        quotas
            Of each service, by its key; the others have none.
        """
        return Services(
            {
                key: replace(
                    service, standard=replace(service.standard, quotas=quotas.get(key, ()))
                )
                for key, service in self.entries.items()
            }
        )


def load_services(path: str | os.PathLike[str] | None = None) -> Services:
    """Read a table of services, and what the program's own plan demands of them.

    Another plan's quotas come with its services: ``load_plan(file).services``.

    Parameters
    ----------
    path
        TOML file; the program's own when None.

    Raises
    ------
    StandardError
        The file cannot be read, or says something unknown; the message names the
        service, the field and what is allowed.
    """
    file = Path(path) if path is not None else data_path("services.toml")
    try:
        with file.open("rb") as stream:
            table = tomllib.load(stream)
    except FileNotFoundError as missing:
        raise StandardError(text("error.file_missing", path=str(file))) from missing
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise StandardError(
            text("error.file_unreadable", path=str(file), reason=str(wrong))
        ) from wrong
    if not table:
        raise StandardError(text("error.no_services", path=str(file)))
    plan = tomllib.loads(data_path(PLAN).read_text(encoding="utf-8"))
    return services_of(table, file.name).bound(quotas_of(plan))


def services_of(table: Mapping[str, Any], where: str) -> Services:
    """Make services of a table that was read.

    Parameters
    ----------
    table
        A table a service, as in ``data/services.toml``.
    where
        What errors call the table.

    Raises
    ------
    StandardError
        It says something unknown.
    """
    return Services({key: _service(f"{where} [{key}]", key, entry) for key, entry in table.items()})


def unknown_name(kind: str, found: object, known: Iterable[str]) -> UnknownNameError:
    """Error on a name that nothing has; ``kind`` is a key below ``kind`` in the catalogue."""
    return UnknownNameError(
        text(
            "error.unknown_name",
            kind=text(f"kind.{kind}"),
            found=str(found),
            known=", ".join(known),
        )
    )


def _service(where: str, key: str, entry: Any) -> Service:
    if not isinstance(entry, dict):
        raise StandardError(text("error.not_a_table", where=where))
    if "quotas" in entry:
        raise StandardError(text("error.quotas_in_plan", where=where))
    _refuse(where, "error.fields_unknown", set(entry) - _FIELDS, _FIELDS)
    _refuse(where, "error.fields_missing", _NEEDED - set(entry), _NEEDED)
    _choose(where, "mode", entry["mode"], MODES)
    also = entry.get("also", [])
    for group in (entry["group"], *also):
        _choose(where, "group", group, GROUPS)
    for name in ("name", "name_en", "source", "source_en", "clause"):
        if not isinstance(entry.get(name, ""), str):
            raise StandardError(text("error.not_text", where=where, field=name))
    numbers: dict[str, Any] = {
        name: _number(where, entry, name) for name in ("cutoff_m", "cutoff_min", "speed_kmh")
    }
    numbers |= {name: entry.get(name) for name in FIGURES}
    if entry["mode"] == "drive" and numbers["speed_kmh"] is not None:
        raise StandardError(f"{where}: {text('error.speed_for_cars')}")
    try:
        standard = Standard(
            mode=entry["mode"],
            group=entry["group"],
            also=tuple(also),
            source=entry["source"],
            source_en=entry.get("source_en", ""),
            **numbers,
        )
    except StandardError as wrong:
        raise StandardError(f"{where}: {wrong}") from wrong
    return Service(
        key=key,
        name=entry["name"],
        name_en=entry["name_en"],
        clause=entry.get("clause", ""),
        standard=standard,
    )


def _number(where: str, entry: Mapping[str, Any], name: str) -> float | None:
    value = entry.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StandardError(f"{where}: {text('error.number_positive', found=value)}")
    return float(value)


def _choose(where: str, kind: str, found: object, known: Iterable[str]) -> None:
    if found not in tuple(known):
        raise StandardError(f"{where}: {unknown_name(kind, found, known)}")


def _refuse(where: str, key: str, fields: set[str], known: set[str]) -> None:
    if fields:
        found, allowed = ", ".join(sorted(fields)), ", ".join(sorted(known))
        raise StandardError(text(key, where=where, found=found, known=allowed))
