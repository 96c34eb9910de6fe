"""Entries of a plan's table: each looked at, and whatever is wrong noted with its line."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

from layers.errors import PlanError
from layers.messages import text
from layers.population import GROUPS
from layers.units import LEVELS
from planner.targets import DIRECTIONS, KINDS, MEASURES, PARTS, SHARES, Goal, Selection, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layers.toml_lines import Path

_YEARS = range(1990, 2101)
_HEAD = ("name", "name_en", "source", "source_en")
_HEAD_YEARS = ("base_year", "first_year", "last_year")
_REVIEWS = ("mid_term", "final")

_TEXTS = ("key", "name", "name_en", "clause", "words", "words_en", "note", "note_en")
_OF_ALL = frozenset({*_TEXTS, "part", "row", "kind", "direction", "yearly", "goals"})
_OF_KIND: dict[str, frozenset[str]] = {
    "quota": frozenset({"service", "tiers", "venues", "level", "quotas", "base"}),
    "count": frozenset({"service", "tiers", "venues", "level", "measure", "base"}),
    "share": frozenset({"service", "tiers", "venues", "whole", "measure", "base"}),
    "venues": frozenset({"service", "venues", "base"}),
    "tiers": frozenset({"service", "tiers", "base"}),
    "reach": frozenset({"service", "tiers", "venues", "groups", "base"}),
    "capacity": frozenset({"service", "tiers", "venues", "groups", "base"}),
    "entered": frozenset({"unit", "unit_en", "base"}),
}
_NEEDED_OF_KIND: dict[str, tuple[str, ...]] = {
    "quota": ("service", "level"),
    "count": ("service",),
    "share": ("service", "whole"),
    "venues": ("service", "venues"),
    "tiers": ("service", "tiers"),
    "reach": ("service",),
    "capacity": ("service", "groups"),
    "entered": (),
}


class _Wrong(Exception):  # noqa: N818 - a signal within this module, not an error
    """An entry is so wrong that nothing can be made of it; noted already."""


class Entries:
    """The table of a plan, and what is wrong with it.

    Parameters
    ----------
    table
        As `tomllib` reads it.
    lines
        Line of each of its keys, as `layers.toml_lines.lines_of` finds them.
    name
        What errors call the file.
    """

    def __init__(self, table: Mapping[str, Any], lines: Mapping[Path, int], name: str) -> None:
        self.table, self.name = table, name
        self._lines = lines
        self._problems: list[tuple[int, str]] = []
        self._years: tuple[int, int] = _YEARS.start, _YEARS.stop - 1
        for key in set(table) - {"plan", "services", "targets"}:
            self.note((key,), text("error.plan.field", found=key, known="plan, services, targets"))

    def note(self, path: Path, message: str) -> None:
        """Note that something is wrong, at the line of a key or of what holds it."""
        self._problems.append((self._line(path), message))

    def refuse(self) -> None:
        """Raise if anything was noted.

        Raises
        ------
        PlanError
            The message names every problem in the order of lines.
        """
        if self._problems:
            told = [
                text("error.plan.at_line", file=self.name, line=line, message=message)
                for line, message in sorted(set(self._problems))
            ]
            raise PlanError("\n".join(told))

    def head(self) -> dict[str, Any]:
        """Name and years of the plan."""
        try:
            return self._head()
        except _Wrong:
            self._give_up()

    def targets(self, services: Iterable[str], head: Mapping[str, Any]) -> list[Target]:
        """Targets of the plan, those that something can be made of.

        Parameters
        ----------
        services
            Keys of the services it may speak of.
        head
            What `head` gave.
        """
        self._years = head["first_year"], head["last_year"]
        stated = self.table.get("targets")
        if not isinstance(stated, list) or not stated:
            self.note(("targets",), text("error.plan.no_targets"))
            return []
        known, made = tuple(services), []
        for number, entry in enumerate(stated):
            try:
                made.append(self._target(("targets", number), entry, known))
            except _Wrong:
                continue
        self._note_doubles(made)
        return made

    def _line(self, path: Path) -> int:
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _wrong(self, path: Path, key: str, **values: Any) -> NoReturn:
        self.note(path, text(f"error.plan.{key}", **values))
        raise _Wrong

    def _give_up(self) -> NoReturn:
        self.refuse()
        raise AssertionError

    def _head(self) -> dict[str, Any]:
        path: Path = ("plan",)
        stated = self.table.get("plan")
        if not isinstance(stated, dict):
            self._wrong(path, "no_head", known=", ".join(("name", *_HEAD_YEARS)))
        known = (*_HEAD, *_HEAD_YEARS, "reviews", "confidence")
        self._note_fields(path, stated, known)
        self._note_missing(path, stated, ("name", *_HEAD_YEARS))
        made: dict[str, Any] = {name: self._text(path, stated, name) for name in _HEAD}
        for name in _HEAD_YEARS:
            made[name] = self._year((*path, name), stated.get(name))
        base, first, last = (made[name] for name in _HEAD_YEARS)
        if not base <= first <= last:
            self._wrong((*path, "last_year"), "years_order", base=base, first=first, last=last)
        reviews = stated.get("reviews", {})
        if not isinstance(reviews, dict):
            self._wrong((*path, "reviews"), "not_a_table")
        self._note_fields((*path, "reviews"), reviews, _REVIEWS)
        for kind, year in reviews.items():
            if self._year((*path, "reviews", kind), year) not in range(first, last + 1):
                self._outside((*path, "reviews", kind), year, first, last)
        made["reviews"] = dict(reviews)
        confidence = self._number((*path, "confidence"), stated.get("confidence", 0.8))
        if not 0 < confidence < 1:
            self.note((*path, "confidence"), text("error.plan.confidence", found=confidence))
        made["confidence"] = confidence
        return made

    def _target(self, path: Path, entry: Any, services: tuple[str, ...]) -> Target:
        if not isinstance(entry, dict):
            self._wrong(path, "not_a_table")
        self._note_missing(path, entry, ("key", "name", "kind"))
        kind = self._one_of(path, entry, "kind", KINDS)
        self._note_fields(path, entry, _OF_ALL | _OF_KIND[kind], kind)
        self._note_missing(path, entry, _NEEDED_OF_KIND[kind], kind)
        texts = (*_TEXTS, "unit", "unit_en")
        made: dict[str, Any] = {name: self._text(path, entry, name) for name in texts}
        for name, known, usual in (
            ("part", PARTS, "stated"),
            ("direction", DIRECTIONS, "at_least"),
            ("measure", MEASURES, "facilities"),
            ("level", LEVELS, "city"),
        ):
            made[name] = self._one_of(path, entry, name, known, usual)
        if kind == "count" and made["level"] != "city":
            self.note((*path, "level"), text("error.plan.count_level"))
        made["kind"], made["line"] = kind, self._line(path)
        made["row"] = self._row(path, entry)
        made["yearly"] = self._bool(path, entry, "yearly")
        made["groups"] = self._names(path, entry, "groups", "group", GROUPS)
        if kind == "tiers":
            made["tiers"] = self._tier_levels(path, entry)
        if kind != "entered":
            made["chosen"] = self._selection(path, entry, services, tiers=kind != "tiers")
        if kind == "share":
            made["whole"] = self._whole(path, entry, services)
        target = Target(**made)
        return self._with_goals(path, entry, target)

    def _with_goals(self, path: Path, entry: Mapping[str, Any], target: Target) -> Target:
        which = "quotas" if target.kind == "quota" else "goals"
        if target.kind == "quota" and "goals" in entry:
            self._wrong((*path, "goals"), "goals_of_quota")
        if bool(target.words) == (which in entry):
            self._wrong(
                (*path, which) if which in entry else path,
                "words_and_number" if target.words else "no_goal",
                field=which,
            )
        made = vars(target) | {"goals": self._goals((*path, which), entry.get(which), target)}
        base = entry.get("base")
        if base is not None:
            made["base"] = self._number((*path, "base"), base)
            self._note_bounds((*path, "base"), made["base"], target)
        return Target(**made)

    def _goals(self, path: Path, stated: Any, target: Target) -> tuple[Goal, ...]:
        if stated is None:
            return ()
        if not isinstance(stated, dict) or not stated:
            self._wrong(path, "goals_table", field=path[-1])
        goals: list[Goal] = []
        places: dict[int, Path] = {}
        for key, value in stated.items():
            place = (*path, key)
            year = self._year(place, int(key) if key.isdecimal() else key)
            first, last = self._years
            if not first <= year <= last:
                self._outside(place, year, first, last)
            number = self._number(place, value)
            if target.kind == "quota":
                if number < 1 or number % 1:
                    self._wrong(place, "quota", found=value)
                goals.append(Goal(year=year, value=1.0, quota=int(number)))
            else:
                self._note_bounds(place, number, target)
                goals.append(Goal(year=year, value=number))
            places[year] = place
        goals.sort(key=lambda goal: goal.year)
        if not target.yearly:
            self._note_turns(goals, places, target)
        return tuple(goals)

    def _note_turns(self, goals: list[Goal], places: Mapping[int, Path], target: Target) -> None:
        """Note goals that fall where more is better, or rise where less is."""
        for before, after in pairwise(goals):
            earlier, later = (
                goal.value if goal.quota is None else goal.quota for goal in (before, after)
            )
            fell = later < earlier if target.direction == "at_least" else later > earlier
            if fell:
                self.note(
                    places[after.year],
                    text(
                        f"error.plan.{'falls' if target.direction == 'at_least' else 'rises'}",
                        key=target.key,
                        earlier=f"{earlier:g}",
                        later=f"{later:g}",
                        before=before.year,
                        after=after.year,
                    ),
                )

    def _note_bounds(self, path: Path, value: float, target: Target) -> None:
        low, high = target.bounds
        if not low <= value <= high:
            share = "share" if target.kind in SHARES else "percent" if high == 100 else "negative"  # noqa: PLR2004 - per cent
            self.note(path, text(f"error.plan.{share}", found=value))

    def _note_doubles(self, targets: list[Target]) -> None:
        keys: dict[Any, Target] = {}
        for target in targets:
            own: list[tuple[str, Any]] = [("key_twice", target.key)]
            if target.row is not None:
                own.append(("row_twice", target.row))
            if target.kind != "entered":
                meant = (
                    *(target.kind, target.chosen, target.whole, target.measure, target.level),
                    *(target.groups, tuple(target.tiers.items()), target.direction),
                )
                own.append(("same_twice", meant))
            for key, found in own:
                earlier = keys.setdefault((key, found), target)
                if earlier is not target:
                    self._problems.append(
                        (
                            target.line,
                            text(
                                f"error.plan.{key}",
                                key=target.key,
                                row=target.row,
                                other=earlier.key,
                                line=earlier.line,
                            ),
                        )
                    )

    def _selection(
        self, path: Path, entry: Mapping[str, Any], services: tuple[str, ...], *, tiers: bool
    ) -> Selection:
        service = self._text(path, entry, "service")
        if service not in services:
            self._unknown((*path, "service"), "service", service, services)
        return Selection(
            service=service,
            tiers=self._names(path, entry, "tiers") if tiers else (),
            venues=self._names(path, entry, "venues"),
        )

    def _whole(self, path: Path, entry: Mapping[str, Any], services: tuple[str, ...]) -> Selection:
        place, stated = (*path, "whole"), entry["whole"]
        if not isinstance(stated, dict):
            self._wrong(place, "not_a_table")
        self._note_fields(place, stated, ("service", "tiers", "venues"))
        self._note_missing(place, stated, ("service",))
        return self._selection(place, stated, services, tiers=True)

    def _tier_levels(self, path: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
        place, stated = (*path, "tiers"), entry["tiers"]
        if not isinstance(stated, dict) or not stated:
            self._wrong(place, "tiers_table")
        for tier, level in stated.items():
            if level not in LEVELS:
                self._unknown((*place, tier), "level", level, LEVELS)
        return dict(stated)

    def _row(self, path: Path, entry: Mapping[str, Any]) -> int | None:
        row = entry.get("row")
        if row is None:
            return None
        if isinstance(row, bool) or not isinstance(row, int) or row < 1:
            self._wrong((*path, "row"), "whole_number", field="row", found=row)
        return row

    def _bool(self, path: Path, entry: Mapping[str, Any], name: str) -> bool:
        value = entry.get(name, False)
        if not isinstance(value, bool):
            self._wrong((*path, name), "not_a_bool", found=value)
        return value

    def _names(
        self,
        path: Path,
        entry: Mapping[str, Any],
        name: str,
        kind: str = "",
        known: tuple[str, ...] = (),
    ) -> tuple[str, ...]:
        stated = entry.get(name, [])
        if not isinstance(stated, list) or not all(isinstance(word, str) for word in stated):
            self._wrong((*path, name), "not_a_list", field=name)
        if len(set(stated)) < len(stated):
            self._wrong((*path, name), "list_twice", field=name)
        for number, word in enumerate(stated):
            if known and word not in known:
                self._unknown((*path, name, number), kind, word, known)
        return tuple(stated)

    def _text(self, path: Path, entry: Mapping[str, Any], name: str) -> str:
        value = entry.get(name, "")
        if not isinstance(value, str):
            self._wrong((*path, name), "not_text", field=name, found=value)
        return value.strip()

    def _one_of(
        self,
        path: Path,
        entry: Mapping[str, Any],
        name: str,
        known: tuple[str, ...],
        usual: str = "",
    ) -> str:
        value = entry.get(name, usual)
        if value not in known:
            self._unknown((*path, name), name, value, known)
        return str(value)

    def _unknown(self, path: Path, kind: str, found: object, known: Iterable[str]) -> NoReturn:
        self._wrong(
            path,
            "unknown",
            kind=text(f"kind.{kind}"),
            found=found,
            known=", ".join(known),
        )

    def _outside(self, path: Path, year: int, first: int, last: int) -> NoReturn:
        self._wrong(path, "year_outside", found=year, first=first, last=last)

    def _year(self, path: Path, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value not in _YEARS:
            self._wrong(path, "not_a_year", found=value)
        return value

    def _number(self, path: Path, value: Any) -> float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not abs(value) < float("inf"):
            self._wrong(path, "not_a_number", found=value)
        return float(value)

    def _note_fields(
        self, path: Path, entry: Mapping[str, Any], known: Iterable[str], kind: str = ""
    ) -> None:
        listed = ", ".join(sorted(known))
        for name in entry:
            if name not in known:
                key = "field_of_kind" if kind else "field"
                told = text(f"error.plan.{key}", found=name, known=listed, kind=kind)
                self.note((*path, name), told)

    def _note_missing(
        self, path: Path, entry: Mapping[str, Any], needed: Iterable[str], kind: str = ""
    ) -> None:
        lacking = [name for name in needed if entry.get(name) in (None, "", [], {})]
        if lacking:
            self._wrong(path, "missing", found=", ".join(lacking), kind=kind)
