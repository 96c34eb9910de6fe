"""What a source file is and how it is to be read, as a user writes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from layers.crs import known
from layers.datum import TO_WGS84
from layers.errors import CrsError, SourceError
from layers.messages import text

_SHOWN = 8

_STATED = ("source", "licence", "date")
"""Options that every source may have: what the user says of where it comes from."""

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
        """Whether it is a table of text rather than a file of geometry."""
        return self.path.suffix.lower() in {".csv", ".tsv", ".txt"}

    def read_features(self, layer: str | None = None) -> gpd.GeoDataFrame:
        """Read a file of geometry, any that GDAL knows, or GeoParquet.

        Of several layers the named one is read, else the first with geometry. The option
        ``crs`` names the reference system where the file does not.

        Raises
        ------
        SourceError
            It is not there or not readable, or holds no geometry.
        CrsError
            Neither the file nor the option names a known reference system.
        """
        self._must_exist()
        try:
            if self._is_parquet:
                frame = gpd.read_parquet(self.path)
            else:
                named = layer or self.options.get("layer") or self._first_layer()
                frame = gpd.read_file(self.path, layer=named)
        except (DataSourceError, DataLayerError, OSError, ValueError) as wrong:
            raise self._unreadable(wrong) from wrong
        if getattr(frame, "active_geometry_name", None) is None:
            raise SourceError(text("error.no_geometry", path=str(self.path)))
        if "crs" in self.options:
            return frame.set_crs(known(self.options["crs"]), allow_override=True)
        if frame.crs is None:
            raise CrsError(text("error.file_no_crs", path=str(self.path)))
        return frame

    def read_column(self, layer: str, column: str) -> pd.Series | None:
        """Column of a layer beside the others; None where the file has no such layer.

        Raises
        ------
        SourceError
            The layer is there and lacks the column.
        """
        if self._is_parquet or layer not in self._layers()[:, 0]:
            return None
        fields = pyogrio.read_info(self.path, layer=layer)["fields"]
        if column not in fields:
            raise self._no_column("layer", f"{layer}.{column}", fields)
        frame: pd.DataFrame = pyogrio.read_dataframe(
            self.path, layer=layer, columns=[column], read_geometry=False
        )
        return frame[column]

    @property
    def _is_parquet(self) -> bool:
        return self.path.suffix.lower() in {".parquet", ".geoparquet"}

    def _layers(self) -> Any:
        try:
            return pyogrio.list_layers(self.path)
        except (DataSourceError, DataLayerError) as wrong:
            raise self._unreadable(wrong) from wrong

    def _first_layer(self) -> str:
        for name, kind in self._layers():
            if kind is not None:
                return str(name)
        raise SourceError(text("error.no_geometry", path=str(self.path)))

    def read_table(self) -> pd.DataFrame:
        """Read a table of text in UTF-8 or GB18030, every cell as it stands.

        Returns
        -------
        The table without its blank lines; the index is each row's line in the file,
        whose first line is the header.

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
            frame = pd.read_csv(
                BytesIO(content),
                encoding=encoding,
                sep="\t" if self.path.suffix.lower() == ".tsv" else ",",
                dtype="str",
                keep_default_na=False,
                skip_blank_lines=False,
                index_col=False,
            ).fillna("")
            frame.index = pd.RangeIndex(2, len(frame) + 2)
            return frame[(frame != "").any(axis=1)]
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
        raise self._no_column(option, named or ", ".join(usual), frame.columns)

    def numbers(self, frame: pd.DataFrame, column: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Column of a table of text as numbers; empty cells count as NaN.

        Raises
        ------
        SourceError
            A cell is neither empty nor a finite number; the message names its line.
        """
        # Full-width digits and signs are what Chinese keyboards write.
        cells = frame[column].str.normalize("NFKC").str.strip()
        values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
        wrong = ~np.isfinite(values) & (cells != "").to_numpy()
        if wrong.any():
            raise SourceError(
                text(
                    "error.not_numbers",
                    path=str(self.path),
                    column=column,
                    rows=lines(frame, wrong),
                    found=", ".join(repr(cell) for cell in cells[wrong].unique()[:4]),
                )
            )
        return values

    def read_points(self) -> tuple[pd.DataFrame, gpd.GeoSeries]:
        """Read a table with coordinates, moved to WGS-84 from its ``datum``.

        Returns
        -------
        The table and its points, row for row.

        Raises
        ------
        SourceError
            Coordinates are missing; the message names the lines.
        """
        if not self.is_table:
            frame = self.read_features()
            points = frame.to_crs(4326).geometry
            return pd.DataFrame(frame.drop(columns=frame.geometry.name)), points
        frame = self.read_table()
        lon = self.numbers(frame, self.column(frame, "lon", _LON))
        lat = self.numbers(frame, self.column(frame, "lat", _LAT))
        lost = np.isnan(lon) | np.isnan(lat)
        if lost.any():
            raise self.no_coordinates(frame, lost)
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
                    path=str(self.path),
                    found=datum,
                    known=", ".join(TO_WGS84),
                )
            )
        return TO_WGS84[datum](lon, lat)

    def no_coordinates(self, frame: pd.DataFrame, lost: Any) -> SourceError:
        """Make the error that rows of a table, given as a mask, have no coordinates."""
        told = {"count": int(lost.sum()), "rows": lines(frame, lost)}
        return SourceError(text("error.no_coordinates", path=str(self.path), **told))

    def _no_column(self, option: str, wanted: str, columns: Iterable[Any]) -> SourceError:
        return SourceError(
            text(
                "error.column_not_found",
                path=str(self.path),
                option=option,
                wanted=wanted,
                columns=", ".join(map(str, columns)),
            )
        )

    def _must_exist(self) -> None:
        # A geodatabase is a folder.
        if not (self.path.is_file() or self.path.suffix.lower() == ".gdb"):
            raise SourceError(text("error.file_missing", path=str(self.path)))

    def _unreadable(self, reason: Exception) -> SourceError:
        return SourceError(text("error.file_unreadable", path=str(self.path), reason=str(reason)))


def lines(frame: pd.DataFrame, rows: Any) -> str:
    """Name the lines in the file of a table's rows, the first few of them."""
    some = frame.index[rows]
    return ", ".join(map(str, some[:_SHOWN])) + (", …" if len(some) > _SHOWN else "")
