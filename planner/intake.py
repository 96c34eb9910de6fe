"""A table of facilities that somebody brings: read, tested and compared before it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from layers.additions import Grown, grow, kept
from layers.city import Provenance
from layers.datum import DATUMS
from layers.sources import features, places, tables, workbooks
from planner.review.datum import datum_test
from planner.review.readings import AS_IS, Reading
from planner.review.sites import across

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers import City
    from layers.additions import How
    from layers.datum import Datum
    from layers.sources.files import Source
    from layers.sources.places import Places
    from planner.review.backdrop import Backdrop
    from planner.review.datum import DatumTest

Repeats = Literal["skip", "keep"]
REPEATS: tuple[Repeats, ...] = get_args(Repeats)
"""What becomes of facilities that are there already: left out, or taken all the same."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Intake:
    """A table of facilities as it would be taken.

    Attributes
    ----------
    source
        The file, and how it was read.
    places
        What became of its rows.
    test
        Which datum fits its points to the streets.
    """

    source: Source
    places: Places
    test: DatumTest

    @property
    def said(self) -> Datum:
        """Datum that the coordinates were read in."""
        located = self.places.located
        named = located.datum if located is not None else ""
        return next((datum for datum in DATUMS if datum == named), "wgs84")

    @property
    def fitting(self) -> Datum | None:
        """Datum that the streets confirm, None where they confirm none."""
        reading = self.test.reading
        return (
            None
            if reading is None or reading not in self._readings()
            else (self.said if reading.right else reading.truth)
        )

    def medians(self) -> dict[Datum, float]:
        """Median distance in metres from its points to the nearest street, by datum.

        NaN where the test had too few points, or cells of a grid.
        """
        fits = self.test.fits
        by_datum = zip(DATUMS, self._readings(), strict=True)
        return {datum: float(fits.loc[[one]].iloc[0]["median"]) for datum, one in by_datum}

    def rows(self, most: int) -> pd.DataFrame:
        """First rows that were placed, with every column as it stood."""
        located = self.places.located
        return pd.DataFrame() if located is None else located.table.head(most)

    def _readings(self) -> list[Reading]:
        """Say how the file was read, had it been in each datum."""
        return [AS_IS if one == self.said else Reading(one, self.said) for one in DATUMS]

    def __repr__(self) -> str:
        return f"<Intake of {self.source.words}: {self.places!r}>"


def take_in(source: Source, city: City, backdrop: Backdrop) -> Intake:
    """Read a table of facilities for a city, and test its datum.

    Parameters
    ----------
    source
        The file; options as `layers.sources.places.read` takes them.
    city
        Where its rows should lie.
    backdrop
        The city's streets.

    Raises
    ------
    SourceError
        It cannot be read, or no row of it can be placed; the message says what to do.
    CrsError
        Coordinates are in metres and nothing says of which reference system.
    """
    found = read(source, city)
    return Intake(source=source, places=found, test=datum_test(found.layer.geometry, backdrop))


def read(source: Source, city: City) -> Places:
    """Read a table of facilities for a city, as `take_in` does, and test nothing.

    Raises
    ------
    SourceError, CrsError
        As `take_in` raises them.
    """
    west, south, east, north = (float(side) for side in city.units.total_bounds)
    return places.read(source, near=(west, south, east, north))


def columns(source: Source) -> tuple[str, ...]:
    """Names of a file's columns, also where its rows cannot be placed.

    Raises
    ------
    SourceError
        It cannot be read.
    """
    if source.is_table:
        return tuple(source.table().frame.columns)
    frame = source.features().frame
    shape = getattr(frame, "active_geometry_name", None)
    return tuple(str(name) for name in frame.columns if name != shape)


def parts(source: Source) -> tuple[str, tuple[str, ...]]:
    """Name the sheets of a workbook or the layers of a file, and which option chooses one.

    Raises
    ------
    SourceError
        It cannot be read.
    """
    if not source.is_table:
        found = features.shapes(source.path) if not features.is_parquet(source.path) else []
        return "layer", tuple(found)
    if tables.is_table(source.path) and workbooks.is_workbook(content := source.path.read_bytes()):
        return "sheet", workbooks.sheets(source.path, content)
    return "sheet", ()


def repeated(city: City, brought: Places, how: How) -> list[tuple[str, str]]:
    """Pair facilities of the table with those of the city that they repeat.

    Returns
    -------
    Id of the table's and of the city's, of one service, within 100 m under one name, or at
    one place where one of them has none; each of the table's once.
    """
    own, come = kept(city, brought.layer, how), brought.layer
    found = dict(reversed(across(come, own, city.crs)))
    new_ids, old_ids = come["id"].tolist(), own["id"].tolist()
    return [(new_ids[new], old_ids[old]) for new, old in sorted(found.items())]


def accept(
    city: City,
    source: Source,
    brought: Places,
    *,
    how: How,
    repeats: Repeats = "skip",
    name: str = "",
    name_en: str = "",
    services: Sequence[str] | None = None,
) -> Grown:
    """Make a city of another and of a table that was taken in; nothing is written yet.

    Parameters
    ----------
    city
        The city.
    source, brought
        The file, and what `read` made of it.
    how
        Whether the facilities stand beside those of their services, or in their place.
    repeats
        What becomes of those that the city has already.
    name, name_en, services
        As `layers.additions.grow` takes them.

    Raises
    ------
    LayerError
        The facilities are not valid; the message names them.
    """
    again = repeated(city, brought, how) if repeats == "skip" else []
    options, named = source.options, source.path.name
    said = options.get("source", "")
    origin = Provenance(
        source=f"{said}; {named}" if said else named,
        licence=options.get("licence", ""),
        date=options.get("date", ""),
        stand_in=bool(options.get("stands_for")),
        made=source.words,
    )
    return grow(
        city,
        brought.layer,
        how=how,
        origin=origin,
        without=[new for new, _ in again],
        name=name,
        name_en=name_en,
        services=services,
        findings=brought.findings,
    )
