"""An order: the city that a planner wants made of a table of facilities, as plain values."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self, get_args

from layers.additions import How
from layers.errors import CityError, InputError
from layers.messages import text
from layers.saving import save_text
from layers.sources import rejected
from layers.sources.files import Source
from layers.sources.uploads import safe_name
from planner.intake import Repeats, accept, read
from planner.own import placing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from layers import City
    from layers.messages import Language
    from layers.sources.places import Places


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to become of a table, once somebody has seen what it holds.

    Attributes
    ----------
    file
        Name of the file.
    options
        How it is read, as `layers.sources.places.read` takes them.
    how, repeats
        As `planner.intake.accept` takes them.
    name, name_en
        What the new city is called.
    fingerprint
        Of the city that it was looked at with; see `layers.City.fingerprint`.

    Examples
    --------
    >>> order = Order(file="表.csv", options={"service": "fitness_circle"}, name="杭州")
    >>> Order.from_dict(order.as_dict()) == order
    True
    """

    file: str
    options: Mapping[str, str]
    how: How = "add"
    repeats: Repeats = "skip"
    name: str
    name_en: str = ""
    fingerprint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "options": dict(self.options)}

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Self:
        """Make one of what `as_dict` gave.

        Raises
        ------
        InputError
            It is no such thing, or the file's name leads elsewhere.
        """
        try:
            made = cls(**table)
            words = [made.file, made.name, made.name_en, made.fingerprint]
            words += [word for pair in made.options.items() for word in pair]
            fit = (
                all(isinstance(word, str) for word in words)
                and made.how in get_args(How)
                and made.repeats in get_args(Repeats)
                and bool(made.name and made.file)
                and safe_name(made.file) == made.file
            )
        except (AttributeError, TypeError) as wrong:
            raise InputError(text("import.order", found=wrong)) from wrong
        if not fit:
            raise InputError(text("import.order", found=json.dumps(table, ensure_ascii=False)))
        return made

    def read(self, city: City, folder: Path) -> tuple[Source, Places]:
        """Read the file, which lies in a folder, for a city.

        Raises
        ------
        SourceError, CrsError
            As `planner.intake.take_in` raises them.
        """
        source = Source(folder / self.file, self.options)
        return source, read(source, city)


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A city that was written as somebody ordered.

    Attributes
    ----------
    key
        Name of its folder among the reader's own.
    name, name_en
        What it is called.
    added, gone, left_out
        As of `layers.additions.Grown`.
    rejected
        Rows of the table that were not placed.
    lost
        Where these are written, as a path below the reader's folder; empty for none.
    """

    key: str
    name: str
    name_en: str
    added: int
    gone: int
    left_out: int
    rejected: int = 0
    lost: str = ""

    def title(self, lang: Language) -> str:
        """Name in a language."""
        return self.name_en if lang == "en" else self.name

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Self:
        """Make one of what `as_dict` gave.

        Raises
        ------
        TypeError
            It is no such thing.
        """
        return cls(**table)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """A note of what an order is about to become, by which its city is known again.

    Attributes
    ----------
    file
        Where the note lies.
    mark
        Words that the provenance of the city's facilities holds, and that of no other.
    """

    file: Path
    mark: str

    def write(self, filled: Filled) -> None:
        """Note what is about to be written.

        Raises
        ------
        InputError
            The disk refuses.
        """
        save_text(self.file, json.dumps(filled.as_dict(), ensure_ascii=False))

    def filled(self, folder: Path) -> Filled | None:
        """Tell what the order has become; None where its city does not stand.

        Parameters
        ----------
        folder
            The reader's folder.
        """
        try:
            noted = Filled.from_dict(json.loads(self.file.read_text(encoding="utf-8")))
            words = (folder / noted.key / "city.toml").read_text(encoding="utf-8")
            made = tomllib.loads(words)["layers"]["facilities"]["made"]
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return noted if self.mark in made else None


def fill(
    order: Order,
    city: City,
    source: Source,
    brought: Places,
    *,
    folder: Path,
    services: Sequence[str],
    receipt: Receipt | None = None,
    ready: Callable[[], None] = lambda: None,
) -> Filled:
    """Write the city that another and a table make, whole or not at all, and once.

    Parameters
    ----------
    order
        What is wanted.
    city
        The city, which stays as it is.
    source, brought
        Of `Order.read`.
    folder
        The reader's folder.
    services
        Keys of the known services; others are refused.
    receipt
        Where it is noted, so that a city that stands already is not written once more.
    ready
        Called before anything is written.

    Raises
    ------
    LayerError
        The facilities are not valid; the message names them.
    CityError
        The disk refuses.
    """
    grown = accept(
        city,
        source,
        brought,
        how=order.how,
        repeats=order.repeats,
        name=order.name,
        name_en=order.name_en,
        services=services,
    )
    lost = [] if brought.rejected is None or not len(brought.rejected) else [brought.rejected]
    try:
        with placing(folder, order.name) as place:
            stands = None if receipt is None else receipt.filled(folder)
            if stands is not None:
                return stands
            ready()
            beside = place.with_name(f"{place.name}-rejected")
            tables = rejected.write(lost, beside)
            filled = Filled(
                key=place.name,
                name=grown.city.name,
                name_en=grown.city.name_en,
                added=grown.added,
                gone=grown.gone,
                left_out=grown.left_out,
                rejected=sum(tables.values()),
                lost=next((path.relative_to(folder).as_posix() for path in tables), ""),
            )
            made = grown.city
            if receipt is not None:
                receipt.write(filled)
                made = _marked(made, receipt.mark)
            made.save(place)
    except OSError as wrong:
        told = {"path": str(folder), "reason": wrong.strerror or str(wrong)}
        raise CityError(text("error.city_not_written", **told)) from wrong
    return filled


def _marked(city: City, mark: str) -> City:
    origin = city.provenance["facilities"]
    marked = replace(origin, made=f"{origin.made}; {mark}")
    return replace(city, provenance={**city.provenance, "facilities": marked})
