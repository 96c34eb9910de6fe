"""What a source file is and how it is to be read, as a user writes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pyogrio.errors import DataSourceError

from layers.datum import TO_WGS84
from layers.errors import SourceError
from layers.messages import text

_LON = ("lon", "lng", "longitude", "经度", "x")
_LAT = ("lat", "latitude", "纬度", "y")


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
            return float(value)
        except ValueError as wrong:
            raise SourceError(
                text("error.option_wrong", words=str(self.path), part=f"{option}={value}")
            ) from wrong

    def allow(self, *options: str) -> None:
        """Refuse options that the reader does not know.

        Raises
        ------
        SourceError
            There is one.
        """
        unknown = set(self.options) - set(options)
        if unknown:
            raise SourceError(
                text(
                    "error.option_unknown",
                    path=str(self.path), found=", ".join(sorted(unknown)), known=", ".join(options),
                )
            )

    @property
    def is_table(self) -> bool:
        """Whether it is a table of text rather than a file of geometry."""
        return self.path.suffix.lower() in {".csv", ".tsv", ".txt"}

    def read_features(self, layer: str | None = None) -> gpd.GeoDataFrame:
        """Read a file of geometry, any that GDAL knows, or GeoParquet.

        Of several layers the named one is read, else the first.

        Raises
        ------
        SourceError
            It is not there or not readable, or holds no geometry.
        """
        self._must_exist()
        try:
            if self.path.suffix.lower() in {".parquet", ".geoparquet"}:
                frame = gpd.read_parquet(self.path)
            else:
                named = layer or self.options.get("layer")
                first = pyogrio.list_layers(self.path)[0, 0]
                frame = gpd.read_file(self.path, layer=named or first)
        except (DataSourceError, OSError, ValueError) as wrong:
            raise self._unreadable(wrong) from wrong
        if not isinstance(frame, gpd.GeoDataFrame):
            raise SourceError(text("error.no_geometry", path=str(self.path)))
        return frame

    def read_table(self) -> pd.DataFrame:
        """Read a table of text in UTF-8 or GB18030, every cell as it stands.

        Raises
        ------
        SourceError
            It is not there or not readable.
        """
        self._must_exist()
        content = self.path.read_bytes()
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                content.decode(encoding)
            except UnicodeDecodeError:
                continue
            break
        else:
            raise self._unreadable(ValueError("neither UTF-8 nor GB18030"))
        try:
            return pd.read_csv(
                self.path, encoding=encoding, sep="\t" if self.path.suffix == ".tsv" else ",",
                dtype="str", keep_default_na=False,
            )
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as wrong:
            raise self._unreadable(wrong) from wrong

    def column(self, frame: pd.DataFrame, option: str, usual: Iterable[str]) -> str:
        """Name of the column an option names, or of the first usual one that is there.

        Raises
        ------
        SourceError
            There is none.
        """
        named = self.options.get(option)
        lower = {str(column).lower(): str(column) for column in frame.columns}
        for name in (named,) if named else usual:
            if name.lower() in lower:
                return lower[name.lower()]
        raise SourceError(
            text(
                "error.column_not_found",
                path=str(self.path), option=option, wanted=named or ", ".join(usual),
                columns=", ".join(map(str, frame.columns)),
            )
        )

    def numbers(self, frame: pd.DataFrame, column: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Column of a table of text as numbers; empty cells count as NaN.

        Raises
        ------
        SourceError
            A cell is neither empty nor a number; the message names its row in the file.
        """
        cells = frame[column].astype("str").str.strip()
        values = pd.to_numeric(cells, errors="coerce")
        wrong = values.isna() & (cells != "")
        if wrong.any():
            # The file's first line is its header and people count from one.
            lines = [str(int(row) + 2) for row in np.flatnonzero(wrong)]
            raise SourceError(
                text(
                    "error.not_numbers",
                    path=str(self.path), column=column, rows=", ".join(lines[:8]),
                    found=", ".join(repr(cell) for cell in cells[wrong].unique()[:4]),
                )
            )
        return values.to_numpy(dtype=np.float64)

    def read_points(self) -> tuple[pd.DataFrame, gpd.GeoSeries]:
        """Read a table with coordinates, moved to WGS-84 from its ``datum``.

        Returns
        -------
        The table and its points, row for row.

        Raises
        ------
        SourceError
            Coordinates are missing; the message names the rows.
        """
        if not self.is_table:
            frame = self.read_features()
            if frame.crs is None:
                raise SourceError(text("error.no_crs"))
            return pd.DataFrame(frame.drop(columns=frame.geometry.name)), frame.to_crs(4326).geometry
        frame = self.read_table()
        lon = self.numbers(frame, self.column(frame, "lon", _LON))
        lat = self.numbers(frame, self.column(frame, "lat", _LAT))
        lost = np.isnan(lon) | np.isnan(lat)
        if lost.any():
            lines = ", ".join(str(int(row) + 2) for row in np.flatnonzero(lost)[:8])
            raise SourceError(
                text("error.no_coordinates", path=str(self.path), count=int(lost.sum()), rows=lines)
            )
        x, y = self.to_wgs84(lon, lat)
        return frame, gpd.GeoSeries(gpd.points_from_xy(x, y), index=frame.index, crs=4326)

    def to_wgs84(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        """Move coordinates to WGS-84 from the datum that the options name.

        Raises
        ------
        SourceError
            The datum is not one of those known.
        """
        datum = self.options.get("datum", "wgs84").lower().replace("-", "")
        if datum not in TO_WGS84:
            raise SourceError(
                text(
                    "error.datum_unknown",
                    path=str(self.path), found=datum, known=", ".join(TO_WGS84),
                )
            )
        return TO_WGS84[datum](lon, lat)

    def _must_exist(self) -> None:
        if not self.path.is_file():
            raise SourceError(text("error.file_missing", path=str(self.path)))

    def _unreadable(self, reason: Exception) -> SourceError:
        return SourceError(text("error.file_unreadable", path=str(self.path), reason=str(reason)))
