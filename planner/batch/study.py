"""A study: which cities are computed, and in which variants."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from layers import City
from layers.database import Address, located
from layers.embedded import Size
from layers.errors import InputError, PlannerError, SourceError
from layers.messages import text
from layers.population import GROUPS
from layers.units import LEVELS
from planner.scenario import Scenario
from planner.standards import Services, load_services

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from layers.population import Group
    from layers.units import Level

_FIELDS = (
    *("name", "level", "group", "services", "years", "services_file", "chunk"),
    *("cities", "scenarios", "standards", "sitings"),
)
_STANDARD = ("mode", "cutoff_m", "cutoff_min", "speed_kmh", "group")
_SOLVER = {"gap": 0.001, "seconds": 60.0}
_SEVERAL = ("p", "budget", "share", "cost", "capacity")
"""Figures of a siting of which a list makes a variant each."""
_FILES = ("candidates", "within")
_NAME = re.compile(r"[^\w\-（）()]+")
_EMBEDDED = "embedded:"


@dataclass(frozen=True)
class Place:
    """A city of a study.

    Attributes
    ----------
    name
        What it is called in results; no two of a study share one.
    where
        A folder, the address of a database's schema, or ``embedded:SIZE``. Whoever
        computes must find the city there.
    """

    name: str
    where: str

    @property
    def file(self) -> str:
        """The name as files carry it."""
        return _NAME.sub("_", self.name)

    def open(self) -> City:
        """Open the city.

        Raises
        ------
        CityError
            It is not there or damaged.
        """
        if self.where.startswith(_EMBEDDED):
            from layers import embedded  # noqa: PLC0415 - slow to import, seldom needed

            size: Any = self.where.removeprefix(_EMBEDDED)
            return embedded(size)
        return City.open(self.where)

    def fingerprint(self) -> str:
        """Tell the city's content from that of another day.

        Raises
        ------
        CityError
            As `open` raises it.
        """
        if self.where.startswith(_EMBEDDED):
            from layers.sources import modelled  # noqa: PLC0415 - as above

            return f"{self.where} {modelled.MODEL_VERSION}"
        return City.fingerprint(self.where)


@dataclass(frozen=True)
class Variant:
    """One question to a city, as plain values that any process understands.

    Attributes
    ----------
    name
        What it is called in results; no two of a study share one.
    scenario
        Changes, as `Scenario.as_dict` gives them.
    service
        Key of the service.
    year
        Year at whose end facilities are taken, or None.
    standard
        Fields of the service's standard that differ.
    siting
        Fields of a problem as its file has them, to choose new sites; None for coverage.
    solver
        Where the search for sites stops: ``gap`` and ``seconds``.
    """

    name: str
    service: str
    scenario: Mapping[str, Any] = field(default_factory=lambda: Scenario().as_dict())
    year: int | None = None
    standard: Mapping[str, Any] = field(default_factory=dict)
    siting: Mapping[str, Any] | None = None
    solver: Mapping[str, float] = field(default_factory=lambda: dict(_SOLVER))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, repr=False, kw_only=True)
class Study:
    """Cities and the variants that each of them is computed in.

    Attributes
    ----------
    name
        What the study is called.
    cities
        The cities.
    variants
        The variants, of every city.
    level
        Units that results are told by.
    group
        Group of people; each standard's own when None.
    folder
        Where files named by the variants lie.
    services
        A file of services instead of the program's own.
    chunk
        Variants that are computed together and stand in one file.

    Raises
    ------
    InputError
        There is no city or no variant, or a name comes twice.

    Examples
    --------
    >>> study = Study(
    ...     name="radius",
    ...     cities=(Place("杭州", "embedded:small"),),
    ...     variants=tuple(
    ...         Variant(f"{metres} m", "mother_baby_room", standard={"cutoff_m": metres})
    ...         for metres in (500, 800, 1000)
    ...     ),
    ... )
    >>> study
    <Study radius: 1 cities, 3 variants, 1 partitions>
    """

    name: str
    cities: tuple[Place, ...]
    variants: tuple[Variant, ...]
    level: Level = "district"
    group: Group | None = None
    folder: Path = Path()
    services: Path | None = None
    chunk: int = 10

    def __post_init__(self) -> None:
        if not self.cities or not self.variants:
            raise InputError(text("batch.nothing"))
        if self.chunk < 1:
            raise InputError(text("batch.chunk", found=self.chunk))
        for names in ([one.file for one in self.cities], [one.name for one in self.variants]):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise InputError(text("batch.twice", found=", ".join(twice)))

    def shifts(self) -> Iterator[Shift]:
        """Give the work of each partition: one city and some variants, in their order."""
        for place in self.cities:
            for number, first in enumerate(range(0, len(self.variants), self.chunk)):
                yield Shift(self, place, number, self.variants[first : first + self.chunk])

    def __len__(self) -> int:
        return len(self.cities) * -(-len(self.variants) // self.chunk)

    def __repr__(self) -> str:
        return (
            f"<Study {self.name}: {len(self.cities)} cities, {len(self.variants)} variants, "
            f"{len(self)} partitions>"
        )


@dataclass(frozen=True)
class Shift:
    """The work of one partition, which one process does in one go.

    Attributes
    ----------
    study
        The study.
    place
        The city.
    number
        Which of the city's partitions.
    variants
        What is computed.
    """

    study: Study
    place: Place
    number: int
    variants: tuple[Variant, ...]

    @property
    def name(self) -> str:
        """Name of the partition's files."""
        return f"{self.place.file}-{self.number:04d}"

    def plain(self) -> dict[str, Any]:
        """All that decides the result but the city, as plain values for another process."""
        study = self.study
        return {
            "city": vars(self.place),
            "variants": [one.as_dict() for one in self.variants],
            "level": study.level,
            "group": study.group,
            "folder": str(study.folder),
            "services": None if study.services is None else str(study.services),
        }

    def digest(self, version: str, fingerprint: str) -> str:
        """SHA-256 over all that decides the result, the content of files included.

        Parameters
        ----------
        version
            Version of the program.
        fingerprint
            That of the city.

        Raises
        ------
        SourceError
            A file is not there.
        """
        told = [version, fingerprint, self.plain()]
        parts = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        files = [] if self.study.services is None else [self.study.services]
        for one in self.variants:
            files += [self.study.folder / name for name in _named_files(one.siting or {})]
        for path in files:
            parts.update(hashlib.sha256(_content(path)).digest())
        return parts.hexdigest()


def read_study(path: Path) -> Study:
    """Read a study out of a TOML file.

    ``[[cities]]`` have a ``path`` (a folder or a database) or ``embedded`` (a size), and
    a ``name``. Every service of ``services`` (all when left out) is computed in every
    year of ``years``, under every one of ``[[scenarios]]`` (``name`` and ``file``; the
    city as it is when left out) and of ``[[standards]]`` (``name`` and what differs,
    ``service`` for one alone). ``[[sitings]]`` have the fields of a problem, or
    ``problem``, a file with them, and ``gap`` and ``seconds``; a list of ``p``,
    ``budget``, ``share``, ``cost`` or ``capacity`` makes a variant each. Files are looked
    for beside it.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        It cannot be read, or says something unknown; the message names the field.
    """
    table = _toml(path)
    _known(table, _FIELDS, path.name)
    folder = path.resolve().parent
    chosen = table.get("services_file")
    services = load_services(None if chosen is None else folder / chosen)
    level, group = table.get("level", "district"), table.get("group")
    for name, value, known in (("level", level, LEVELS), ("group", group, (None, *GROUPS))):
        if value not in known:
            raise _wrong(path.name, name, value)
    try:
        variants = (*_coverages(table, services, folder), *_sitings(table, services, folder))
        return Study(
            name=str(table.get("name", path.stem)),
            cities=tuple(_place(entry, folder) for entry in table.get("cities", ())),
            variants=variants,
            level=level,
            group=group,
            folder=folder,
            services=None if chosen is None else folder / chosen,
            chunk=int(table.get("chunk", 10)),
        )
    except (TypeError, ValueError, KeyError, AttributeError) as wrong:
        if isinstance(wrong, PlannerError):
            raise
        raise SourceError(text("batch.form", path=path.name, reason=str(wrong))) from wrong


def _place(entry: Mapping[str, Any], folder: Path) -> Place:
    _known(entry, ("name", "path", "embedded"), "cities")
    if "embedded" in entry:
        if entry["embedded"] not in get_args(Size):
            raise _wrong("cities", "embedded", entry["embedded"])
        return Place(entry.get("name", "杭州（模拟）"), _EMBEDDED + entry["embedded"])
    if "path" not in entry:
        raise _wrong("cities", "path", "—")
    where = located(str(entry["path"]))
    if isinstance(where, Address):
        return Place(str(entry.get("name", where.name)), str(entry["path"]))
    return Place(str(entry.get("name", where.name)), str(folder / where))


def _coverages(table: Mapping[str, Any], services: Services, folder: Path) -> Iterator[Variant]:
    keys = table.get("services", [] if "sitings" in table else list(services))
    standards: Sequence[Mapping[str, Any]] = table.get("standards", [{"name": ""}])
    for one in standards:
        _known(one, ("name", "service", *_STANDARD), "standards")
    scenarios = list(_scenarios(table, folder))
    for key, year, scenario, standard in product(
        keys, table.get("years", [None]), scenarios, standards
    ):
        # Asked for by name, so that a wrong one is told now.
        service = services[key]
        if standard.get("service", key) != key:
            continue
        parts = (key, year, scenario.name, standard.get("name", ""))
        yield Variant(
            name=" · ".join(str(part) for part in parts if part),
            service=service.key,
            scenario=scenario.as_dict(),
            year=year,
            standard={name: standard[name] for name in _STANDARD if name in standard},
        )


def _scenarios(table: Mapping[str, Any], folder: Path) -> Iterator[Scenario]:
    for entry in table.get("scenarios", [{"name": ""}]):
        _known(entry, ("name", "file"), "scenarios")
        if "file" not in entry:
            yield Scenario((), str(entry.get("name", "")))
            continue
        file = folder / entry["file"]
        try:
            made = Scenario.from_dict(json.loads(_content(file)))
        except ValueError as wrong:
            raise SourceError(text("batch.form", path=file.name, reason=str(wrong))) from wrong
        yield Scenario(made.changes, str(entry.get("name", made.name or file.stem)))


def _sitings(table: Mapping[str, Any], services: Services, folder: Path) -> Iterator[Variant]:
    for number, entry in enumerate(table.get("sitings", ()), start=1):
        own = dict(entry)
        name = str(own.pop("name", f"siting {number}"))
        solver = {key: float(own.pop(key, usual)) for key, usual in _SOLVER.items()}
        if "problem" in own:
            own = {**_toml(folder / own.pop("problem")), **own}
        if "service" not in own:
            raise _wrong("sitings", "service", "—")
        lists = {key: own[key] for key in _SEVERAL if isinstance(own.get(key), list)}
        for values in product(*lists.values()):
            chosen = dict(zip(lists, values, strict=True))
            yield Variant(
                name=" ".join([name, *(f"{key}={value:g}" for key, value in chosen.items())]),
                service=services[own["service"]].key,
                year=own.get("year"),
                siting=own | chosen,
                solver=solver,
            )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_content(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise SourceError(
            text("error.file_unreadable", path=str(path), reason=str(wrong))
        ) from wrong


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as missing:
        raise SourceError(text("error.file_missing", path=str(path))) from missing
    except OSError as wrong:
        told = {"path": str(path), "reason": wrong.strerror or str(wrong)}
        raise SourceError(text("error.file_unreadable", **told)) from wrong


def _known(entry: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    stray = sorted(set(entry) - set(known))
    if stray:
        told = {"found": ", ".join(stray), "known": ", ".join(known)}
        raise SourceError(text("batch.fields", where=where, **told))


def _wrong(where: str, name: str, found: Any) -> SourceError:
    return SourceError(text("batch.value", where=where, field=name, found=found))


def _named_files(siting: Mapping[str, Any]) -> list[str]:
    """Files that a problem names in its words."""
    words = [siting.get(name, ()) for name in _FILES]
    each = [one for some in words for one in ([some] if isinstance(some, str) else some)]
    names = [one.split(",", maxsplit=1)[0] for one in each]
    return [name for name in names if name not in {"junctions", "listed", "upgrades"}]
