"""What a source file is and how it is to be read, as a user writes it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.crs import in_degrees, known
from layers.datum import TO_WGS84
from layers.errors import CrsError, SourceError
from layers.messages import text
from layers.sources import columns, coordinates, features, points, tables

_SHOWN = 8

# Options that name columns.
_NAMING = ("lon", "lat", "x", "y", "coordinates", "name", "unique", "column", "weight")
_STATED = ("source", "licence", "date")
"""Options that every source may have: what the user says of where it comes from."""


@dataclass(frozen=True)
class Source:
    """A file and the options to read it with.

    Attributes
    ----------
    path
        The file.
    options
        Words after the path: ``service=mother_baby_room``, ``datum=bd09`` and so on.

    Examples
    --------
    >>> Source.parse("stops.csv,service=home_care_centre,datum=gcj02").options["datum"]
    'gcj02'
    """

    path: Path
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, words: str) -> Self:
        """Read ``FILE[,option=value]…`` as the command line has it.

        Raises
        ------
        SourceError
            A part after the path is no ``option=value``.
        """
        path, *parts = words.split(",")
        # A comma may belong to the path itself.
        while parts and "=" not in parts[0]:
            path = f"{path},{parts.pop(0)}"
        options = {}
        for part in parts:
            key, equals, value = part.partition("=")
            if not equals or not key:
                raise SourceError(text("error.option_wrong", words=words, part=part))
            options[key.strip()] = value.strip()
        return cls(Path(path), options)

    def need(self, option: str) -> str:
        """Value of an option that must be there.

        Raises
        ------
        SourceError
            It is not.
        """
        if option not in self.options:
            raise SourceError(text("error.option_missing", path=str(self.path), option=option))
        return self.options[option]

    def number(self, option: str, default: float) -> float:
        """Value of an option that is a number.

        Raises
        ------
        SourceError
            It is something else.
        """
        value = self.options.get(option)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            told = {"words": str(self.path), "part": f"{option}={value}"}
            raise SourceError(text("error.option_wrong", **told))
        return number

    def allow(self, *options: str) -> None:
        """Refuse options that the reader does not know.

        Raises
        ------
        SourceError
            There is one.
        """
        unknown = set(self.options) - {*options, *_STATED}
        if unknown:
            raise SourceError(
                text(
                    "error.option_unknown",
                    path=str(self.path),
                    found=", ".join(sorted(unknown)),
                    known=", ".join(options),
                )
            )

    @property
    def words(self) -> str:
        """Name of the file and the options, as on the command line."""
        options = (f",{key}={value}" for key, value in self.options.items())
        return self.path.name + "".join(options)

    @property
    def is_table(self) -> bool:
        """Whether it is a table of cells rather than a file of geometry."""
        return tables.is_table(self.path)

    def features(self, layer: str | None = None) -> features.Features:
        """Read a file of geometry as it stands, with what the reader complained of.

        Raises
        ------
        SourceError
            It is not there or not readable.
        """
        self._must_exist()
        named = layer or self.options.get("layer")
        return features.read(self.path, named, self.options.get("encoding", ""))

    def read_features(self, layer: str | None = None) -> gpd.GeoDataFrame:
        """Read a file of geometry: any that GDAL knows, a shapefile in a zip, GeoParquet.

        Of several layers the named one is read, else the first with geometry. The option
        ``crs`` names the reference system where the file does not.

        Raises
        ------
        SourceError
            It is not there or not readable, or holds no geometry.
        CrsError
            Neither the file nor the option names a known reference system.
        """
        return self.with_crs(self.features(layer).frame)

    def with_crs(self, frame: pd.DataFrame) -> gpd.GeoDataFrame:
        """Give rows of a file of geometry the reference system that the option names.

        Raises
        ------
        SourceError
            The rows have no geometry.
        CrsError
            Neither they nor the option name a known reference system.
        """
        if getattr(frame, "active_geometry_name", None) is None:
            raise SourceError(text("error.no_geometry", path=str(self.path)))
        shapes = gpd.GeoDataFrame(frame)
        if "crs" in self.options:
            return shapes.set_crs(known(self.options["crs"]), allow_override=True)
        if shapes.crs is None:
            raise CrsError(text("error.file_no_crs", path=str(self.path)))
        return shapes

    def in_wgs84(self, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Move shapes to WGS-84 from the datum that the options name, vertex by vertex.

        Raises
        ------
        SourceError
            The datum is not one of those known, or the shapes are not in degrees.
        """
        if self.datum in {"", "wgs84"}:
            return frame
        if frame.crs is not None and not frame.crs.is_geographic:
            raise SourceError(text("error.crs_and_datum", path=str(self.path)))
        shapes = in_degrees(frame)
        moved = shapely.transform(shapes.geometry.to_numpy(), self.to_wgs84, interleaved=False)
        return shapes.set_geometry(gpd.GeoSeries(moved, index=shapes.index, crs=shapes.crs))

    def layers(self) -> dict[str, bool]:
        """Layers of a file of geometry, and whether each has any.

        Raises
        ------
        SourceError
            It is not there or not readable.
        """
        self._must_exist()
        return {} if features.is_parquet(self.path) else features.layers(self.path)

    def read_column(self, layer: str, column: str) -> pd.Series | None:
        """Column of a layer beside the others; None where the file has no such layer.

        Raises
        ------
        SourceError
            The layer is there and lacks the column.
        """
        if features.is_parquet(self.path) or layer not in features.layers(self.path):
            return None
        fields = features.fields(self.path, layer)
        if column not in fields:
            raise self.no_column("layer", f"{layer}.{column}", fields)
        return features.read_column(self.path, layer, column)

    def table(self) -> tables.Table:
        """Read a table of text or a sheet of a workbook, every cell as it stands.

        Options: ``sheet``, ``header`` (number of the row of headings), ``encoding``.

        Raises
        ------
        SourceError
            It is not there or not readable.
        """
        self._must_exist()
        return tables.read(
            self.path,
            is_heading=columns.known(self.options.get(name, "") for name in _NAMING),
            sheet=self.options.get("sheet", ""),
            header=int(self.number("header", 0)),
            encoding=self.options.get("encoding", ""),
        )

    def read_table(self) -> pd.DataFrame:
        """Read a table that must be whole.

        Returns
        -------
        The table without its blank lines; the index is each row's number in the file.

        Raises
        ------
        SourceError
            It is not there or not readable, or rows have cells beyond the headings; the
            message names them.
        """
        table = self.table()
        if table.ragged.any():
            told = {"count": int(table.ragged.sum()), "rows": lines(table.frame, table.ragged)}
            raise SourceError(text("error.table_ragged", path=str(self.path), **told))
        return table.frame

    def read_points(self) -> tuple[pd.DataFrame, gpd.GeoSeries]:
        """Read rows that must each have a place, moved to WGS-84.

        Where some may lack one, `layers.sources.points.locate` keeps them and goes on.

        Returns
        -------
        The table and its points, row for row; of a file of geometry, its shapes of
        whatever kind.

        Raises
        ------
        SourceError
            The file is not readable, or anything about its coordinates wants a look; the
            message names the rows.
        """
        if not self.is_table:
            frame = self.in_wgs84(self.read_features())
            return pd.DataFrame(frame.drop(columns=frame.geometry.name)), in_degrees(frame).geometry
        located = points.locate(self, "population")
        doubts = [str(one) for one in located.findings if one.severity == "warning"]
        if doubts:
            raise SourceError("\n".join(doubts))
        return located.table, located.points

    def column(self, frame: pd.DataFrame, option: str, usual: Iterable[str]) -> str:
        """Name of the column an option names, or of the first usual one that is there.

        Raises
        ------
        SourceError
            There is none.
        """
        named = self.options.get(option)
        wanted = (named,) if named else tuple(usual)
        found = columns.find(frame.columns, wanted)
        if found is None:
            more = ", …" if len(wanted) > _SHOWN else ""
            raise self.no_column(option, ", ".join(wanted[:_SHOWN]) + more, frame.columns)
        return found

    def numbers(self, frame: pd.DataFrame, column: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Column of a table of text as numbers; empty cells count as NaN.

        Raises
        ------
        SourceError
            A cell is neither empty nor a finite number; the message names its row.
        """
        values, wrong = coordinates.numbers(frame[column])
        if wrong.any():
            raise SourceError(
                text(
                    "error.not_numbers",
                    path=str(self.path),
                    column=column,
                    rows=lines(frame, wrong),
                    found=", ".join(repr(cell) for cell in frame.loc[wrong, column].unique()[:4]),
                )
            )
        return values

    @property
    def datum(self) -> str:
        """Datum that the options name, or nothing.

        Raises
        ------
        SourceError
            It is not one of those known.
        """
        datum = self.options.get("datum", "").lower().replace("-", "")
        if datum and datum not in TO_WGS84:
            told = {"path": str(self.path), "found": datum, "known": ", ".join(TO_WGS84)}
            raise SourceError(text("error.datum_unknown", **told))
        return datum

    def to_wgs84(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        """Move coordinates to WGS-84 from the datum that the options name.

        Raises
        ------
        SourceError
            The datum is not one of those known.
        """
        return TO_WGS84[self.datum or "wgs84"](lon, lat)

    def no_coordinates(self, frame: pd.DataFrame, lost: Any) -> SourceError:
        """Make the error that rows of a table, given as a mask, have no coordinates."""
        told = {"count": int(lost.sum()), "rows": lines(frame, lost)}
        return SourceError(text("error.no_coordinates", path=str(self.path), **told))

    def no_column(self, option: str, wanted: str, there: Iterable[Any]) -> SourceError:
        """Make the error that a column is wanted that is not there."""
        return SourceError(
            text(
                "error.column_not_found",
                path=str(self.path),
                option=option,
                wanted=wanted,
                columns=", ".join(map(str, there)),
            )
        )

    def _must_exist(self) -> None:
        # A geodatabase is a folder.
        if not (self.path.is_file() or self.path.suffix.lower() == ".gdb"):
            raise SourceError(text("error.file_missing", path=str(self.path)))


def lines(frame: pd.DataFrame, rows: Any) -> str:
    """Name the rows of a table as they are numbered in the file, the first few of them."""
    some = frame.index[rows]
    return ", ".join(map(str, some[:_SHOWN])) + (", …" if len(some) > _SHOWN else "")
