"""Tables of a PostGIS database as sources of layers."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

import geopandas as gpd
import pandas as pd

from layers.crs import known
from layers.database import Address, absent, located, read_table, session
from layers.errors import CrsError, SourceError
from layers.messages import text
from layers.sources import tables
from layers.sources.features import Features
from layers.sources.files import Source


@dataclass(frozen=True)
class TableSource(Source):
    """A table of a database, and the options to read it with.

    Attributes
    ----------
    path
        What names it in messages and provenance, without a password.
    address
        Where it is.
    """

    address: Address = field(default_factory=Address)

    @classmethod
    def parse(cls, words: str) -> Self:
        """Read ``postgresql://user@host/database?schema=…&table=…[,option=value]…``.

        Raises
        ------
        CityError
            The address is none.
        SourceError
            It names no table, or a part after it is no ``option=value``.
        """
        url, comma, rest = words.partition(",")
        address = Address.parse(url)
        if not address.table:
            raise SourceError(text("error.database_table_needed", address=str(address)))
        host = address.settings.get("host", "localhost").strip("/").replace("/", "-")
        shown = Path(host, address.settings.get("dbname", ""), address.schema, address.table)
        return cls(shown, Source.parse(f"{shown.name}{comma}{rest}").options, address)

    @property
    def is_table(self) -> bool:
        """Whether it has no column of geometry."""
        return not isinstance(self._frame, gpd.GeoDataFrame)

    def read_features(self, layer: str | None = None) -> gpd.GeoDataFrame:
        """Read a table with geometry; the option ``crs`` serves where it states none.

        Raises
        ------
        SourceError
            The database refuses, or the table is not there, is empty or has no geometry.
        CrsError
            Neither the table nor the option names a known reference system.
        """
        del layer  # a table has but one
        if not isinstance(self._frame, gpd.GeoDataFrame):
            raise SourceError(text("error.no_geometry", path=str(self.path)))
        frame = self._frame.copy()
        if "crs" in self.options:
            return frame.set_crs(known(self.options["crs"]), allow_override=True)
        if frame.crs is None:
            raise CrsError(text("error.file_no_crs", path=str(self.path)))
        return frame

    def layers(self) -> dict[str, bool]:
        """Tell of no layers: a table is one."""
        return {}

    def features(self, layer: str | None = None) -> Features:
        """Read the table as it stands.

        Raises
        ------
        SourceError
            The database refuses, or the table is not there or is empty.
        """
        del layer  # a table has but one
        return Features(self._frame.copy())

    def table(self) -> tables.Table:
        """Read a table without geometry, every cell as words; see `read_table`."""
        return tables.of_frame(self.read_table())

    def read_table(self) -> pd.DataFrame:
        """Read a table without geometry, every cell as words, empty where it is NULL.

        Raises
        ------
        SourceError
            The database refuses, or the table is not there or is empty.
        """
        frame = self._frame
        if isinstance(frame, gpd.GeoDataFrame):
            frame = pd.DataFrame(frame.drop(columns=frame.geometry.name))
        table = frame.astype("object").where(frame.notna(), "").map(str)
        table.index = pd.RangeIndex(1, len(table) + 1)
        return table

    def read_column(self, layer: str, column: str) -> pd.Series | None:
        """Tell of a layer beside this one: a table has none."""
        del layer, column
        return None

    @cached_property
    def _frame(self) -> pd.DataFrame:
        schema, table = self.address.schema, self.address.table
        with session(self.address, fault=SourceError) as db:
            if not db.columns(schema, table):
                raise SourceError(absent(db, schema, table))
            frame = read_table(db, schema, table)
        if not len(frame):
            raise SourceError(text("error.database_table_empty", table=f"{schema}.{table}"))
        return frame


def parse_source(words: str) -> Source:
    """Tell a table of a database from a file, as the command line has them.

    Raises
    ------
    SourceError
        A part after the file or address is no ``option=value``, or no table is named.
    CityError
        It begins as an address and is none.

    Examples
    --------
    >>> parse_source("stops.csv,service=home_care_centre").path.name
    'stops.csv'
    >>> parse_source("postgresql://u:secret@db/gis?table=clinics,service=clinic").path.name
    'clinics'
    """
    in_tables = isinstance(located(words.partition(",")[0]), Address)
    return (TableSource if in_tables else Source).parse(words)
