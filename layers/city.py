"""A city: checked layers with their provenance, in a folder or a database's schema."""

import hashlib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Self, TypeVar

import geopandas as gpd
import pandas as pd
import tomli_w
from pyproj import CRS

from layers import city_tables, facilities, population, streets, units, water
from layers.crs import measuring_crs, projected
from layers.database import Address, located
from layers.errors import CityDamagedError, CityError, CityMissingError, CrsError, InputError
from layers.findings import Finding, in_order, refuse_errors
from layers.folder import Held, read_whole, replacing
from layers.messages import text

LAYERS = ("streets", "units", "population", "facilities")
OPTIONAL_LAYERS = ("water",)

_MODULES: dict[str, Any] = {
    "streets": streets,
    "units": units,
    "population": population,
    "facilities": facilities,
    "water": water,
}
_Content = TypeVar("_Content")
_TOML = "city.toml"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a layer comes from.

    Attributes
    ----------
    source, licence, date
        What it was made from, under which licence, and of when.
    modelled
        Made by a model rather than surveyed.
    stand_in
        Real, but standing in for something else.
    made
        How it was made of that: the program with its version, and the options.
    notes
        What was done to it on the way, a sentence each.
    rows, checksum
        Number of rows and SHA-256 of the file, as saved.
    """

    source: str
    licence: str = ""
    date: str = ""
    modelled: bool = False
    stand_in: bool = False
    made: str = ""
    notes: tuple[str, ...] = ()
    rows: int = 0
    checksum: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for TOML and JSON."""
        return {**vars(self), "notes": list(self.notes)}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class City:
    """A city: streets, units, population, facilities, and where each comes from.

    Layers lie in EPSG:4326 and are measured in `crs`. Treat them as read-only: a
    scenario is a list of changes beside the city, never a change of it.

    Attributes
    ----------
    name, name_en
        What it is called.
    crs
        Projected reference system that it is measured in.
    streets, units, population, facilities
        The layers, as the modules of those names describe them.
    water
        Areas of water for the background of maps, or None.
    provenance
        Of each layer, by its name.
    path
        Folder it was opened from, or None: it lies in none, or in a database.

    Examples
    --------
    >>> from layers import embedded
    >>> city = embedded("small")
    >>> city.crs.to_epsg()
    4549
    """

    name: str
    name_en: str
    crs: CRS
    streets: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    population: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    water: gpd.GeoDataFrame | None = None
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    path: Path | None = None

    @classmethod
    def of(
        cls,
        *,
        name: str,
        streets: gpd.GeoDataFrame,
        units: gpd.GeoDataFrame,
        population: gpd.GeoDataFrame,
        facilities: gpd.GeoDataFrame,
        water: gpd.GeoDataFrame | None = None,
        name_en: str = "",
        crs: Any = None,
        provenance: Mapping[str, Provenance] | None = None,
    ) -> Self:
        """Make a city of layers, brought into their columns and checked.

        Parameters
        ----------
        name, name_en
            What it is called; the English name defaults to the Chinese.
        streets, units, population, facilities, water
            The layers in any reference system.
        crs
            Projected reference system to measure in; by where the city lies if None.
        provenance
            Of each layer; "not stated" where it is silent.

        Raises
        ------
        CrsError
            A layer has no reference system, or `crs` is none to measure in.
        LayerError
            A layer has findings that stop the work.
        """
        given = {
            "streets": streets,
            "units": units,
            "population": population,
            "facilities": facilities,
            "water": water,
        }
        layers = {}
        for key, layer in given.items():
            if layer is None:
                continue
            if getattr(layer, "crs", None) is None:
                raise CrsError(text("error.layer_no_crs", layer=text(f"layer.{key}")))
            layers[key] = _MODULES[key].conform(layer)
        refuse_errors(_schema_findings(layers))
        stated = provenance or {}
        return cls(
            name=name,
            name_en=name_en or name,
            crs=projected(crs) if crs is not None else measuring_crs(layers["units"]),
            provenance={key: stated.get(key, Provenance(source="not stated")) for key in layers},
            **layers,
        )

    @classmethod
    def open(cls, path: str | os.PathLike[str] | Address, *, check: bool = True) -> Self:
        """Open a city's folder, or its schema in a PostGIS database.

        Parameters
        ----------
        path
            The folder, or the database's address
            (``postgresql://user@host/database?schema=…``).
        check
            Refuse layers with findings that stop the work. Without it they open as they
            are, for `findings` to tell what is wrong.

        Raises
        ------
        CityMissingError
            The folder or one of its files, the schema or one of its tables is not there.
        CityDamagedError
            A file or table is truncated or was changed by hand.
        CityError
            The disk or the database refuses.
        LayerError
            A layer breaks its schema; the message names every row and the remedy.
        """
        where = located(path)
        if isinstance(where, Address):
            head, stated, layers = _read_tables(where)
        else:
            head, stated, layers = _read(where)
            head["path"] = where
        if check:
            refuse_errors(_schema_findings(layers))
        return cls(**head, provenance=stated, **layers)

    @staticmethod
    def fingerprint(path: str | os.PathLike[str] | Address) -> str:
        """Tell a saved city's content from any other, without reading its layers.

        Parameters
        ----------
        path
            The folder or the database's address.

        Raises
        ------
        CityError
            As `open` raises it.
        """
        where = located(path)
        if isinstance(where, Address):
            head, entries = city_tables.stated(where, list(_MODULES))
            told = {**head, "layers": entries}
        else:
            told = _opened(where, _read_toml)
        try:
            crs = str(told["crs"])
            sums = [f"{key} {told['layers'][key]['checksum']}" for key in sorted(told["layers"])]
        except (KeyError, TypeError) as wrong:
            told = {"file": str(where), "reason": f"{type(wrong).__name__}: {wrong}"}
            raise CityDamagedError(text("error.city_toml_wrong", **told)) from wrong
        return _checksum("\n".join([crs, *sums]).encode())

    def save(self, path: str | os.PathLike[str] | Address) -> Self:
        """Save into a folder, or a schema of a PostGIS database, whole or not at all.

        Everything is written beside the target and moved into place at the end; a city
        already there is replaced only then.

        Parameters
        ----------
        path
            The folder to make, or a city's folder to replace; or a database's address.

        Returns
        -------
        This city with its path and the layers' checksums.

        Raises
        ------
        InputError
            Something that is no city stands in the way.
        CityError
            The disk or the database refuses; what was there is unchanged.
        """
        where = located(path)
        if isinstance(where, Address):
            return replace(self, provenance=self._write_tables(where), path=None)
        folder = where.resolve()
        try:
            if folder.exists() and not (folder.is_dir() and _holds_city_alone(folder)):
                raise InputError(text("error.city_in_the_way", path=str(path)))
            with replacing(folder) as fresh:
                stated = self._write(fresh)
        except OSError as wrong:
            reason = wrong.strerror or str(wrong)
            raise CityError(
                text("error.city_not_written", path=str(path), reason=reason)
            ) from wrong
        return replace(self, provenance=stated, path=where)

    def _write(self, fresh: Path) -> dict[str, Provenance]:
        stated = {}
        for key, layer in self.layers().items():
            target = fresh / f"{key}.parquet"
            layer.to_parquet(target)
            stated[key] = replace(
                self.provenance.get(key, Provenance(source="not stated")),
                rows=len(layer),
                checksum=_checksum(target.read_bytes()),
            )
        (fresh / _TOML).write_text(tomli_w.dumps(self._table(stated)), encoding="utf-8")
        return stated

    def _write_tables(self, address: Address) -> dict[str, Provenance]:
        # What a folder would give back, so that both hold the same.
        layers = {key: _MODULES[key].conform(layer) for key, layer in self.layers().items()}
        stated = {
            key: replace(
                self.provenance.get(key, Provenance(source="not stated")),
                rows=len(layer),
                checksum=city_tables.checksum(layer),
            )
            for key, layer in layers.items()
        }
        table = self._table(stated)
        told = table.pop("layers")
        city_tables.write(address, table, told, layers, names=list(_MODULES))
        return stated

    def layers(self) -> dict[str, gpd.GeoDataFrame]:
        """Return the layers it has, by name."""
        every = {key: getattr(self, key) for key in (*LAYERS, *OPTIONAL_LAYERS)}
        return {key: layer for key, layer in every.items() if layer is not None}

    def findings(self, *, services: tuple[str, ...] | None = None) -> list[Finding]:
        """Everything wrong with its layers, errors first.

        Parameters
        ----------
        services
            Keys of the known services, to name facilities of others.
        """
        found = _schema_findings(self.layers())
        if any(finding.severity == "error" for finding in found):
            return in_order(found)
        found += streets.review(self.streets)
        found += units.review(self.units, self.crs)
        found += population.review(self.population)
        if services is not None:
            found += facilities.review(self.facilities, services)
        return in_order(found + self._outside())

    @property
    def modelled(self) -> bool:
        """Whether any layer is made by a model rather than surveyed."""
        return any(entry.modelled for entry in self.provenance.values())

    @property
    def stand_in(self) -> bool:
        """Whether any layer stands in for something else."""
        return any(entry.stand_in for entry in self.provenance.values())

    def labels(self) -> list[str]:
        """Name what must be written on everything made from it: ``modelled``, ``stand_in``."""
        return [key for key in ("modelled", "stand_in") if getattr(self, key)]

    def describe(self) -> dict[str, Any]:
        """Name, reference system, rows, provenance and totals, as plain values."""
        return {
            "name": self.name,
            "name_en": self.name_en,
            "crs": self.crs.to_string(),
            "modelled": self.modelled,
            "stand_in": self.stand_in,
            "residents": float(self.population["residents"].sum()),
            "street_km": float(self.streets["length"].sum() / 1000),
            "units": self.units["level"].value_counts(sort=False).to_dict(),
            "layers": self.origins(),
        }

    def origins(self) -> dict[str, dict[str, Any]]:
        """Provenance of each layer as plain values, with the rows that it has now.

        Everything made from the city carries it.
        """
        silent = Provenance(source="not stated")
        return {
            key: {**self.provenance.get(key, silent).as_dict(), "rows": len(layer)}
            for key, layer in self.layers().items()
        }

    def __repr__(self) -> str:
        labels = "".join(f", {label}" for label in self.labels())
        return (
            f"<City {self.name}: {len(self.streets):,} streets, {len(self.units):,} units, "
            f"{self.population['residents'].sum():,.0f} residents at {len(self.population):,} "
            f"points, {len(self.facilities):,} facilities{labels}>"
        )

    @cached_property
    def population_units(self) -> pd.DataFrame:
        """Units in which each row of the population lies, as `layers.units.assign` tells."""
        return units.named(self.population_numbers, self.population.index)

    @cached_property
    def population_numbers(self) -> units.Numbered:
        """The same by number, as `layers.units.numbers` tells."""
        return units.numbers(self.population.geometry, self.units)

    def _outside(self) -> list[Finding]:
        found = []
        astray = units.assign(self.facilities.geometry, self.units).isna().all(axis=1)
        if astray.any():
            rows = tuple(self.facilities.loc[astray, "id"])
            found.append(
                Finding(layer="facilities", code="facility_outside", severity="warning", rows=rows)
            )
        homeless = self.population_units.isna().all(axis=1)
        if homeless.any():
            people = float(self.population.loc[homeless, "residents"].sum())
            found.append(
                Finding(
                    layer="population",
                    code="people_outside",
                    severity="warning",
                    rows=tuple(self.population.index[homeless]),
                    values={"people": people},
                )
            )
        return found

    def _table(self, stated: Mapping[str, Provenance]) -> dict[str, Any]:
        """Everything but the layers' rows, as plain values."""
        return {
            "format": _FORMAT,
            "name": self.name,
            "name_en": self.name_en,
            "crs": self.crs.to_string(),
            "layers": {key: entry.as_dict() for key, entry in stated.items()},
        }


def _schema_findings(layers: Mapping[str, gpd.GeoDataFrame]) -> list[Finding]:
    return [finding for key, layer in layers.items() for finding in _MODULES[key].check(layer)]


Contents = tuple[dict[str, Any], dict[str, Provenance], dict[str, gpd.GeoDataFrame]]


def _read(folder: Path) -> Contents:
    """Name and reference system, provenance and layers of the city in a folder."""
    return _opened(folder, _read_from)


def _opened(folder: Path, read: Callable[[Held], _Content]) -> _Content:
    try:
        return read_whole(folder, read)
    except CityError:
        raise
    except FileNotFoundError as missing:
        raise CityMissingError(text("error.city_missing", path=str(folder))) from missing
    except OSError as wrong:
        reason = wrong.strerror or str(wrong)
        raise CityError(text("error.city_not_read", path=str(folder), reason=reason)) from wrong


def _read_from(place: Held) -> Contents:
    try:
        head, stated = _head_and_provenance(_read_toml(place))
    except ValueError as wrong:
        raise _toml_error(place, str(wrong)) from wrong
    layers = {key: _read_layer(place, key, entry.checksum) for key, entry in stated.items()}
    return head, stated, layers


def _head_and_provenance(table: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Provenance]]:
    """Read what is told of a city and its layers; ValueError says what is wrong."""
    try:
        stated = {
            key: Provenance(**{**entry, "notes": tuple(entry.get("notes", ()))})
            for key, entry in table["layers"].items()
        }
        head: dict[str, Any] = {key: str(table[key]) for key in ("name", "name_en")}
        head["crs"] = projected(table["crs"])
    except (KeyError, TypeError, AttributeError, CrsError) as wrong:
        raise ValueError(f"{type(wrong).__name__}: {wrong}") from wrong
    if not set(LAYERS) <= set(stated) <= set(_MODULES):
        raise ValueError(f"layers: {', '.join(sorted(stated))}")
    return head, stated


def _read_tables(address: Address) -> Contents:
    """Name and reference system, provenance and layers of the city in a schema."""

    def changed(table: str) -> CityDamagedError:
        told = {"address": str(address), "table": f"{address.schema}.{table}"}
        return CityDamagedError(text("error.database_table_changed", **told))

    told, entries, tables = city_tables.read(address, list(_MODULES))
    try:
        head, stated = _head_and_provenance({**told, "layers": entries})
    except ValueError as wrong:
        raise changed(city_tables.HEAD) from wrong
    layers = {}
    for key, frame in tables.items():
        try:
            layers[key] = _MODULES[key].conform(frame)
        except (CrsError, AttributeError) as wrong:
            raise changed(key) from wrong
        if city_tables.checksum(layers[key]) != stated[key].checksum:
            raise changed(key)
    return head, stated, layers


def _read_toml(place: Held) -> dict[str, Any]:
    try:
        table = tomllib.loads(_content(place, _TOML).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise _toml_error(place, str(wrong)) from wrong
    if table.get("format") != _FORMAT:
        raise _toml_error(place, f"format = {table.get('format')!r}")
    return table


def _toml_error(place: Held, reason: str) -> CityDamagedError:
    file = str(place.path / _TOML)
    return CityDamagedError(text("error.city_toml_wrong", file=file, reason=reason))


def _read_layer(place: Held, key: str, checksum: str) -> gpd.GeoDataFrame:
    file = f"{key}.parquet"
    content = _content(place, file)
    changed = CityDamagedError(text("error.city_file_changed", file=str(place.path / file)))
    if _checksum(content) != checksum:
        raise changed
    try:
        return gpd.read_parquet(BytesIO(content))
    except (ValueError, OSError, KeyError) as wrong:
        # The checksum was changed by hand as well.
        raise changed from wrong


def _content(place: Held, file: str) -> bytes:
    try:
        return place.content(file)
    except FileNotFoundError as missing:
        message = text("error.city_file_missing", path=str(place.path), file=file)
        raise CityMissingError(message) from missing
    except OSError as wrong:
        reason = wrong.strerror or str(wrong)
        told = text("error.city_not_read", path=str(place.path / file), reason=reason)
        raise CityError(told) from wrong


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _holds_city_alone(folder: Path) -> bool:
    """Whether replacing the folder loses nothing but a city."""
    ours = {_TOML, *(f"{key}.parquet" for key in _MODULES)}
    names = {entry.name for entry in folder.iterdir()}
    return not names or (_TOML in names and names <= ours)
