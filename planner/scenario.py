"""A scenario: changes over a city that stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers import facilities as facility_layer
from layers.errors import InputError
from layers.messages import text
from layers.streets import MODES
from planner.changes import Base, Change, Open, Outcome, in_words, make, plain, read, refuse

if TYPE_CHECKING:
    from layers import City
    from layers.messages import Language
    from layers.population import Group
    from layers.units import Level
    from planner.standards import Services

_VERSION = 1


@dataclass(frozen=True, repr=False)
class Scenario:
    """Changes over a city, in their order; the city itself stays as it is.

    Attributes
    ----------
    changes
        The changes.
    name
        What the scenario is called.

    Raises
    ------
    InputError
        A place lies outside the globe, a capacity is below zero.
    UnknownNameError
        There is no such mode.

    Examples
    --------
    >>> from layers import embedded
    >>> city = embedded("small")
    >>> plan = Scenario((Open(service="fitness_circle", place=(120.2, 30.25), name="江边"),))
    >>> changed = plan.apply(city)
    >>> len(changed.facilities) - len(city.facilities)
    1
    >>> Scenario.from_dict(plan.as_dict()) == plan
    True
    """

    changes: tuple[Change, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", tuple(_named(self.changes)))
        for number, change in enumerate(self.changes, start=1):
            refuse(change, number)

    def then(self, *changes: Change) -> Self:
        """Make further changes.

        Returns
        -------
        A scenario of these changes and the further ones.
        """
        return replace(self, changes=(*self.changes, *changes))

    def undone(self, count: int = 1) -> Self:
        """Take back the last changes.

        Returns
        -------
        A scenario without them.
        """
        return replace(self, changes=self.changes[: max(len(self.changes) - count, 0)])

    def outcome(self, base: Base) -> Outcome:
        """Tell what the changes come to in a city.

        Parameters
        ----------
        base
            What the city has.

        Raises
        ------
        InputError
            A change cannot be made: no facility of that id, or it has closed before; an
            id that is taken; no such street, or it is closed already. The message
            names the change.
        """
        made = Outcome()
        for number, change in enumerate(self.changes, start=1):
            make(change, number, made, base)
        return made

    def apply(self, city: City, *, services: Services | None = None) -> City:
        """Make the changes to a copy of a city.

        Parameters
        ----------
        city
            The city, which stays as it is.
        services
            The services that facilities may open for; the program's own when None.

        Returns
        -------
        The city with its facilities and streets as the scenario leaves them. New
        facilities exist and have neither year; closed ones are gone. Closed streets stay
        in the layer, with no permission left. The provenance of both layers says so.

        Raises
        ------
        InputError
            As `outcome` raises it.
        """
        made = self.outcome(Base.of(city, services))
        told = " / ".join(
            text("scenario.note", lang, name=self.name or "—", count=len(self.changes))
            for lang in ("zh", "en")
        )
        provenance = dict(city.provenance)
        for layer in ("facilities", "streets"):
            if layer in provenance and self.changes:
                entry = provenance[layer]
                provenance[layer] = replace(entry, notes=(*entry.notes, told))
        changed = replace(
            city,
            facilities=_facilities(city.facilities, made),
            streets=_streets(city.streets, made),
            provenance=provenance,
            path=None,
        )
        # No change concerns where people live: that need not be found again.
        if "population_units" in vars(city):
            vars(changed)["population_units"] = city.population_units
        return changed

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the version of their form."""
        return {
            "version": _VERSION,
            "name": self.name,
            "changes": [plain(change) for change in self.changes],
        }

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Self:
        """Make a scenario of what `as_dict` gave.

        Raises
        ------
        InputError
            It is of another version, or a change is not as it should be; the message
            names it.
        """
        if not isinstance(table, Mapping) or table.get("version") != _VERSION:
            found = table.get("version") if isinstance(table, Mapping) else None
            raise InputError(text("error.scenario_version", found=found, known=_VERSION))
        changes, name = table.get("changes"), table.get("name", "")
        if not isinstance(changes, list | tuple) or not isinstance(name, str):
            raise InputError(text("error.scenario_form"))
        return cls(tuple(read(entry, n) for n, entry in enumerate(changes, start=1)), name)

    def words(self, lang: Language | None = None) -> list[str]:
        """Each change in words.

        Parameters
        ----------
        lang
            ``zh`` or ``en``; the reader's when None.
        """
        return [in_words(change, lang) for change in self.changes]

    def __len__(self) -> int:
        return len(self.changes)

    def __repr__(self) -> str:
        kinds = pd.Series([change.kind for change in self.changes], dtype=object).value_counts()
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "no changes"
        return f"<Scenario {self.name}: {told}>" if self.name else f"<Scenario: {told}>"


class Tabled(Protocol):
    """What tells figures by unit: a coverage, computed once or kept up to date."""

    def by(self, level: Level = "district", group: Group | None = None) -> pd.DataFrame:
        """Figures of each unit of a level."""


def compare(
    before: Tabled, after: Tabled, level: Level = "district", group: Group | None = None
) -> pd.DataFrame:
    """Set the rates of units before and after side by side.

    Parameters
    ----------
    before, after
        Coverage of the base and of the changed city, by the same service.
    level, group
        As `planner.Coverage.by` takes them.

    Returns
    -------
    A row a unit in the order of codes: ``code, name, name_en, level, people``, then
    ``served, rate, facilities`` each with ``_before`` and ``_after``, then ``served_more``
    (people) and ``rate_more`` (a share of one).

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import coverage
    >>> city = embedded("small")
    >>> here = city.population.geometry.iloc[0]
    >>> plan = Scenario((Open(service="menopause_clinic", place=(here.x, here.y)),))
    >>> service = "menopause_clinic"
    >>> table = compare(coverage(city, service), coverage(plan.apply(city), service))
    >>> bool((table["served_more"] >= 0).all()), int(table["facilities_after"].sum())
    (True, 41)
    """
    head = ["code", "name", "name_en", "level", "people"]
    figures = ["served", "rate", "facilities"]
    one, other = (which.by(level, group) for which in (before, after))
    sides = {"_before": one, "_after": other}
    if all(one[name].equals(other[name]) for name in ("code", "people")):
        # Nearly always, and a merge takes longer than most changes.
        named = {name: one[name] for name in head}
        told = {name + when: own[name] for when, own in sides.items() for name in figures}
        table = pd.DataFrame({**named, **told})
    else:
        # Who lies in no unit has a row only where there is anybody or anything.
        one, other = (own[[*head, *figures]] for own in sides.values())
        table = one.merge(other, on=head, how="outer", suffixes=("_before", "_after"))
        for name in ("served", "facilities"):
            for when in sides:
                table[name + when] = table[name + when].fillna(0).astype(one[name].dtype)
        last = (table["code"] == "").to_numpy()
        table = pd.concat([table[~last], table[last]], ignore_index=True)
    for name in ("served", "rate"):
        table[f"{name}_more"] = table[f"{name}_after"] - table[f"{name}_before"]
    return table


def _named(changes: Iterable[Change]) -> Iterable[Change]:
    """Give ids to new facilities that lack one."""
    changes = tuple(changes)
    taken = {change.id for change in changes if isinstance(change, Open)}
    number = 0
    for change in changes:
        if isinstance(change, Open) and not change.id:
            number += 1
            while f"new-{number}" in taken:
                number += 1
            yield replace(change, id=f"new-{number}")
        else:
            yield change


def _facilities(base: gpd.GeoDataFrame, made: Outcome) -> gpd.GeoDataFrame:
    """Facilities as an outcome leaves them, new ones last."""
    ids = base["id"].to_numpy()
    kept = base.copy()
    row = pd.Series(np.arange(len(base)), index=ids)
    shapes = np.asarray(base.geometry.array).copy()
    for facility, place in made.moved.items():
        shapes[row[facility]] = shapely.Point(place)
    kept = kept.set_geometry(gpd.GeoSeries(shapes, index=base.index, crs=base.crs))
    for facility, capacity in made.resized.items():
        kept.iloc[row[facility], kept.columns.get_loc("capacity")] = capacity
    kept = kept[~np.isin(ids, list(made.closed))]
    if not made.opened:
        return kept
    opened = list(made.opened.values())
    fresh = facility_layer.conform(
        gpd.GeoDataFrame(
            {
                "id": [one.id for one in opened],
                "service": [one.service for one in opened],
                "name": [one.name for one in opened],
                "capacity": [np.nan if one.capacity is None else one.capacity for one in opened],
                "source": [text("scenario.source", "zh")] * len(opened),
            },
            geometry=[shapely.Point(one.place) for one in opened],
            crs=base.crs,
            index=_labels(base.index, [one.id for one in opened]),
        )
    )
    return gpd.GeoDataFrame(pd.concat([kept, fresh]), crs=base.crs) if len(kept) else fresh


def _labels(index: pd.Index[Any], ids: list[str]) -> list[Any]:
    """Labels for new rows that no row of the base has."""
    if pd.api.types.is_integer_dtype(index):
        first = int(index.max()) + 1 if len(index) else 0
        return list(range(first, first + len(ids)))
    taken, fresh = set(index), []
    for name in ids:
        label = name
        while label in taken:
            label += "+"
        taken.add(label)
        fresh.append(label)
    return fresh


def _streets(base: gpd.GeoDataFrame, made: Outcome) -> gpd.GeoDataFrame:
    """Streets without the permissions that an outcome takes away."""
    if not made.streets:
        return base
    streets = base.copy()
    for mode in MODES:
        shut = [street for street, modes in made.streets.items() if mode in modes]
        streets.loc[shut, [f"{mode}_forward", f"{mode}_backward"]] = False
    return streets
