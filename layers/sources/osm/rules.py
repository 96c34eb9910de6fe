"""What a way's tags say: who may go which way along it, how fast, and at what grade."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

from layers.errors import SourceError
from layers.messages import text
from layers.resources import data_path
from layers.streets import MODES, Mode

KEYS = (
    "highway", "route", "access", "foot", "bicycle", "vehicle", "motor_vehicle", "motorcar",
    "motorroad", "oneway", "oneway:foot", "oneway:bicycle", "cycleway", "cycleway:left",
    "cycleway:right", "cycleway:both", "cycleway:left:oneway", "cycleway:right:oneway",
    "cycleway:both:oneway", "junction", "conveying", "sidewalk", "sidewalk:both",
    "sidewalk:left", "sidewalk:right", "service", "area", "maxspeed", "maxspeed:forward",
    "maxspeed:backward", "bridge", "tunnel", "layer",
)  # fmt: skip
"""The keys that a verdict depends on; a street's name does not."""

_CYCLEWAYS = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")
_SIDEWALKS = ("sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right")
_ON = frozenset({"yes", "1", "true"})
_BACK = frozenset({"-1", "reverse"})
_NOT_RAISED = frozenset({"", "no"})
_NOT_DEEP = frozenset({"", "no", "culvert"})
_KMH_PER_MPH = 1.609344
_KMH_PER_KNOT = 1.852
_LIMIT = re.compile(r"(\d+(?:\.\d+)?)\s*(km/?h|kph|kmph|mph|knots)?")

Open = tuple[bool, bool]
"""Whether open along the way and against it."""


class Verdict(NamedTuple):
    """What a way is to a traveller; two ways with one verdict may be joined."""

    walk: Open
    cycle: Open
    drive: Open
    speed_kmh: float
    highway: str
    bridge: bool
    tunnel: bool
    layer: int

    @property
    def open(self) -> bool:
        """Whether anybody may use it."""
        return any((*self.walk, *self.cycle, *self.drive))

    @property
    def modes(self) -> frozenset[Mode]:
        """Modes that may use it, in one direction at least."""
        return frozenset(mode for mode in MODES if any(getattr(self, mode)))

    def without(self, modes: Iterable[Mode]) -> "Verdict":
        """Close it to some modes."""
        shut = frozenset(modes)
        walk, cycle, drive = (
            (False, False) if mode in shut else getattr(self, mode) for mode in MODES
        )
        return self._replace(walk=walk, cycle=cycle, drive=drive)

    def turned(self) -> "Verdict":
        """Look at it from the other end."""
        return self._replace(walk=self.walk[::-1], cycle=self.cycle[::-1], drive=self.drive[::-1])


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A verdict, or why there is none, and what in the tags was not understood.

    Attributes
    ----------
    verdict
        None for what is no street.
    speed_unread
        A limit that could not be read; the class's usual speed stands in.
    reversible
        Whether its direction changes with the hour, which closes it to vehicles.
    outline
        Whether it is the edge of an area, such as a square.
    """

    verdict: Verdict | None
    speed_unread: str = ""
    reversible: bool = False
    outline: bool = False


@dataclass(frozen=True, kw_only=True)
class Class:
    """A class of street: who may use it by default, and how fast a car goes there."""

    walk: bool
    cycle: bool
    drive: bool
    kmh: float
    oneway: bool = False


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The table that tags are judged by.

    Attributes
    ----------
    classes
        Classes of street by the value of ``highway``, and ``ferry``.
    keys
        Access keys by mode, the most particular first.
    general
        Those of them that may close a way but not open it.
    opens, closes
        Values of access keys.
    private, lanes
        Values that keep out all but those who live there, and the classes of street that
        such a value leaves open to a mode.
    barriers
        Modes that a kind of barrier keeps out.
    sidewalk_opens, sidewalk_closes
        Values of ``sidewalk``.
    service_closes
        Values of ``service`` that are closed to drivers.
    limits
        Limits in words, in km/h.
    facilities
        For each service tests of which one must hold: keys and values, all together.
    """

    classes: Mapping[str, Class]
    keys: Mapping[Mode, tuple[str, ...]]
    general: frozenset[str]
    opens: frozenset[str]
    closes: frozenset[str]
    private: frozenset[str]
    lanes: Mapping[Mode, frozenset[str]]
    barriers: Mapping[str, frozenset[Mode]]
    sidewalk_opens: frozenset[str]
    sidewalk_closes: frozenset[str]
    service_closes: frozenset[str]
    limits: Mapping[str, float]
    facilities: Mapping[str, tuple[tuple[tuple[str, str], ...], ...]]

    @classmethod
    def read(cls, path: Path | None = None) -> Self:
        """Read the table.

        Parameters
        ----------
        path
            Another table than the ``osm.toml`` that ships with the program.

        Raises
        ------
        SourceError
            It cannot be read, or lacks something.

        Examples
        --------
        >>> Rules.read().classes["steps"].walk
        True
        """
        path = path or data_path("osm.toml")
        try:
            table: Any = tomllib.loads(path.read_text(encoding="utf-8"))
            access, private, sidewalk = table["access"], table["private"], table["sidewalk"]
            return cls(
                classes={name: _class(**given) for name, given in table["class"].items()},
                keys={mode: tuple(access[mode]) for mode in MODES},
                general=frozenset(access["general"]),
                opens=frozenset(access["open"]),
                closes=frozenset(access["closed"]),
                private=frozenset(private["values"]),
                lanes={mode: frozenset(private[mode]) for mode in MODES},
                barriers={kind: _modes(shut) for kind, shut in table["barrier"].items()},
                sidewalk_opens=frozenset(sidewalk["open"]),
                sidewalk_closes=frozenset(sidewalk["closed"]),
                service_closes=frozenset(table["service"]["closed_to_drive"]),
                limits={word: _above_zero(kmh) for word, kmh in table["maxspeed"].items()},
                facilities={
                    service: tuple(_test(words) for words in tests)
                    for service, tests in table.get("facility", {}).items()
                },
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise SourceError(
                text("error.osm_table_wrong", path=str(path), reason=str(wrong))
            ) from wrong

    def judge(self, tags: Mapping[str, str]) -> Judged:
        """Judge a way by its tags.

        Examples
        --------
        >>> judged = Rules.read().judge({"highway": "residential", "oneway": "yes"})
        >>> judged.verdict.walk, judged.verdict.drive
        ((True, True), (True, False))
        """
        highway = tags.get("highway", "")
        if highway not in self.classes and tags.get("route") == "ferry":
            highway = "ferry"
        usual = self.classes.get(highway)
        if usual is None:
            return Judged(verdict=None)
        area = tags.get("area") == "yes"
        speed, unread = self._speed(tags, usual)
        verdict = Verdict(
            walk=_both(self._walks(tags, usual)),
            # Nobody rides or drives along the edge of a square.
            cycle=_both(self._rides(tags, usual) and not area),
            drive=_both(self._drives(tags, usual) and not area),
            speed_kmh=speed,
            highway=highway,
            bridge=tags.get("bridge", "") not in _NOT_RAISED,
            tunnel=tags.get("tunnel", "") not in _NOT_DEEP,
            layer=_layer(tags.get("layer", "0")),
        )
        return replace(self._directed(verdict, tags, usual), speed_unread=unread, outline=area)

    def _walks(self, tags: Mapping[str, str], usual: Class) -> bool:
        may = usual.walk and tags.get("motorroad") != "yes"
        beside = {tags[key] for key in _SIDEWALKS if key in tags}
        if beside & self.sidewalk_opens:
            may = True
        elif beside & self.sidewalk_closes:
            may = False
        return self._access("walk", tags, default=may)

    def barred(self, tags: Mapping[str, str]) -> frozenset[Mode]:
        """Modes that a barrier at a node keeps out.

        Examples
        --------
        >>> sorted(Rules.read().barred({"barrier": "bollard"}))
        ['drive']
        >>> sorted(Rules.read().barred({"barrier": "gate", "access": "private", "foot": "yes"}))
        ['cycle', 'drive']
        """
        usual = self.barriers.get(tags["barrier"], self.barriers["other"])
        if tags.get("locked") == "yes":
            usual = frozenset(MODES)
        return frozenset(
            mode for mode in MODES if not self._access(mode, tags, default=mode not in usual)
        )

    def _rides(self, tags: Mapping[str, str], usual: Class) -> bool:
        return self._access("cycle", tags, default=usual.cycle and tags.get("motorroad") != "yes")

    def _drives(self, tags: Mapping[str, str], usual: Class) -> bool:
        closed = tags.get("service") in self.service_closes
        return self._access("drive", tags, default=usual.drive and not closed)

    def _access(self, mode: Mode, tags: Mapping[str, str], *, default: bool) -> bool:
        for key in self.keys[mode]:
            value = tags.get(key)
            if value in self.private and self._is_lane(mode, tags):
                return default
            if value in self.closes:
                return False
            if value in self.opens:
                return default or key not in self.general
        return default

    def _is_lane(self, mode: Mode, tags: Mapping[str, str]) -> bool:
        """Whether a private way, or the gate before it, is open to a mode all the same."""
        return (
            bool(self.lanes[mode]) if "barrier" in tags else tags.get("highway") in self.lanes[mode]
        )

    def _directed(self, both: Verdict, tags: Mapping[str, str], usual: Class) -> Judged:
        """Close the directions that one-way rules close."""
        said = tags.get("oneway", "")
        round_ = tags.get("junction") in {"roundabout", "circular"}
        if said in _ON or (said not in _BACK | {"no"} and (round_ or usual.oneway)):
            way: Open = (True, False)
        elif said in _BACK:
            way = (False, True)
        else:
            way = (True, True)
        reversible = said == "reversible"
        if reversible:
            way = (False, False)
        on_cycle = _said(tags.get("oneway:bicycle"), way)
        contrary = any(tags.get(key, "").startswith("opposite") for key in _CYCLEWAYS) or any(
            tags.get(f"{key}:oneway") in {"no", *_BACK} for key in _CYCLEWAYS[1:]
        )
        if contrary and not reversible:
            on_cycle = (True, True)
        # A rule for vehicles binds nobody on foot.
        on_foot = _said(tags.get("oneway:foot"), _carried(tags.get("conveying")))
        verdict = both._replace(
            walk=_and(both.walk, on_foot),
            cycle=_and(both.cycle, on_cycle),
            drive=_and(both.drive, way),
        )
        return Judged(verdict=verdict, reversible=reversible)

    def _speed(self, tags: Mapping[str, str], usual: Class) -> tuple[float, str]:
        """Find the speed, and the limit that could not be read if there is one."""
        unread = ""
        for key in ("maxspeed", "maxspeed:forward", "maxspeed:backward"):
            said = tags.get(key)
            if said is None:
                continue
            speed = self.limit(said)
            if speed is not None:
                return speed, ""
            unread = unread or said
        return usual.kmh, unread

    def limit(self, said: str) -> float | None:
        """Read a limit in km/h; None where it says nothing. Of several the lowest holds.

        Examples
        --------
        >>> rules = Rules.read()
        >>> rules.limit("50"), round(rules.limit("30 mph"), 2), rules.limit("CN:urban")
        (50.0, 48.28, 50.0)
        """
        found = [self._one_limit(part.strip()) for part in re.split(r"[;|]", said)]
        known = [limit for limit in found if limit is not None]
        return min(known, default=None)

    def _one_limit(self, said: str) -> float | None:
        for word in (said, said.rpartition(":")[2]):
            if word in self.limits:
                return self.limits[word]
        # CN:zone30 and the like.
        number = _LIMIT.fullmatch(said) or re.fullmatch(r"\w+:(?:zone:?)?(\d+)()", said)
        if number is None:
            return None
        unit = {"mph": _KMH_PER_MPH, "knots": _KMH_PER_KNOT}.get(number[2] or "", 1.0)
        return float(number[1]) * unit or None


def _class(*, kmh: float, oneway: bool = False, **may: bool) -> Class:
    if not all(isinstance(flag, bool) for flag in (*may.values(), oneway)):
        raise TypeError(f"walk, cycle, drive, oneway: {may}, {oneway}")
    return Class(kmh=_above_zero(kmh), oneway=oneway, **may)


def _modes(names: Iterable[str]) -> frozenset[Mode]:
    shut = frozenset(mode for mode in MODES if mode in names)
    if isinstance(names, str) or len(shut) != len(set(names)):
        raise ValueError(f"[barrier] {names!r}: {', '.join(MODES)}")
    return shut


def _test(words: str) -> tuple[tuple[str, str], ...]:
    parts = [part.strip().partition("=") for part in words.split("&")]
    if not all(key and equals and value for key, equals, value in parts):
        raise ValueError(f"[facility] {words!r}: key=value")
    return tuple((key, value) for key, _, value in parts)


def _above_zero(kmh: float) -> float:
    if isinstance(kmh, bool) or not 0 < kmh < float("inf"):
        raise ValueError(f"km/h: {kmh}")
    return float(kmh)


def _both(may: bool) -> Open:
    return may, may


def _and(one: Open, other: Open) -> Open:
    return one[0] and other[0], one[1] and other[1]


def _said(value: str | None, default: Open) -> Open:
    if value in _ON:
        return True, False
    if value in _BACK:
        return False, True
    return (True, True) if value == "no" else default


def _carried(conveying: str | None) -> Open:
    """Directions in which an escalator takes people."""
    return {"forward": (True, False), "backward": (False, True)}.get(conveying or "", (True, True))


def _layer(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        return 0
