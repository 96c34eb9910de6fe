"""Files of geometry: any that GDAL knows, shapefiles in a zip, GeoParquet."""

import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow.parquet
import pyogrio

from layers.errors import SourceError
from layers.messages import text
from layers.sources import encodings, tables

_PARQUET = frozenset({".parquet", ".geoparquet", ".pq"})
_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_GREATEST = 2 << 30
# A zip names its files in the code page of old, unless it says UTF-8.
_UTF8_NAME = 0x800
# Bytes one to one, so that they can be decoded after.
_RAW = "ISO-8859-1"


@dataclass(frozen=True, repr=False)
class Features:
    """What a file of geometry holds.

    Attributes
    ----------
    frame
        Its rows; without a column of geometry if it has none.
    complaints
        What the library had to say about it while it read.
    """

    frame: pd.DataFrame
    complaints: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Features: {len(self.frame):,} rows, {len(self.complaints)} complaints>"


def is_parquet(path: Path) -> bool:
    """Tell by the name whether a file is one of (Geo)Parquet."""
    return path.suffix.lower() in _PARQUET


def layers(path: Path) -> dict[str, bool]:
    """Layers of a file, by name, and whether each has geometry.

    Raises
    ------
    SourceError
        It is not readable.
    """
    with _reading(path), _opened(path, "") as place:
        return {str(name): kind is not None for name, kind in pyogrio.list_layers(place)}


def shapes(path: Path) -> list[str]:
    """Name the layers of a file, or the shapefiles of an archive, that have geometry.

    Raises
    ------
    SourceError
        It is not readable.
    """
    if path.suffix.lower() == ".zip":
        with _reading(path), zipfile.ZipFile(path) as archive:
            return list(_shapes(archive))
    return [name for name, has in layers(path).items() if has]


def read(path: Path, layer: str | None = None, encoding: str = "") -> Features:
    """Read a file of geometry.

    Parameters
    ----------
    path
        The file.
    layer
        Which layer; without it the first that has geometry.
    encoding
        Of a shapefile's words; found without it, whatever its ``.cpg`` claims.

    Raises
    ------
    SourceError
        It is not readable, or has no such layer.
    """
    said: list[str] = []
    with _reading(path, said):
        if is_parquet(path):
            return Features(_parquet(path))
        with _opened(path, layer or "") as place:
            if place.suffix.lower() == ".shp":
                frame = _shapefile(place, encoding)
            else:
                frame = gpd.read_file(place, layer=layer or _first(path, place))
    return Features(frame, tuple(dict.fromkeys(said)))


def read_column(path: Path, layer: str, column: str) -> pd.Series:
    """Column of a layer without its geometry.

    Raises
    ------
    SourceError
        It is not readable.
    """
    with _reading(path):
        frame: pd.DataFrame = pyogrio.read_dataframe(
            path, layer=layer, columns=[column], read_geometry=False
        )
        return frame[column]


def fields(path: Path, layer: str) -> list[str]:
    """Names of a layer's columns.

    Raises
    ------
    SourceError
        It is not readable.
    """
    with _reading(path):
        return [str(name) for name in pyogrio.read_info(path, layer=layer)["fields"]]


@contextmanager
def _reading(path: Path, said: list[str] | None = None) -> Iterator[None]:
    """Make an error of ours of whatever a library raises on a damaged file."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        if said is not None:
            said.extend(str(one.message) for one in caught if one.category is RuntimeWarning)
    except SourceError:
        raise
    except Exception as wrong:  # GDAL, Arrow, zip and JSON each have errors of their own
        # GDAL's advice on its drivers helps nobody here.
        reason = str(wrong).split("; It might help")[0].rstrip(".")
        told = {"path": str(path), "reason": reason or type(wrong).__name__}
        raise SourceError(text("error.file_unreadable", **told)) from wrong


def _first(path: Path, place: Path) -> str:
    for name, kind in pyogrio.list_layers(place):
        if kind is not None:
            return str(name)
    raise SourceError(text("error.no_geometry", path=str(path)))


def _parquet(path: Path) -> pd.DataFrame:
    # Reading checks no text: damaged letters would raise wherever a word is first looked at.
    pyarrow.parquet.read_table(path).validate(full=True)
    if b"geo" in (pyarrow.parquet.read_schema(path).metadata or {}):
        located: pd.DataFrame = gpd.read_parquet(path)
        return located
    return pd.read_parquet(path)


def _shapefile(place: Path, encoding: str) -> pd.DataFrame:
    """Read a shapefile whose words are in what they are in, not in what it claims."""
    raw: pd.DataFrame = pyogrio.read_dataframe(place, encoding=_RAW)
    claim = place.with_suffix(".cpg")
    claimed = claim.read_text(encoding="ascii", errors="replace").strip() if claim.is_file() else ""
    shape = getattr(raw, "active_geometry_name", None)
    own = [str(name) for name in raw.columns if name != shape]
    texts = [name for name in own if pd.api.types.is_string_dtype(raw[name])]
    cells = [name.encode(_RAW) for name in own]
    cells += [cell.encode(_RAW) for name in texts for cell in raw[name].dropna().unique()]
    real = encoding or encodings.readable(cells, claimed)

    def decoded(words: Any) -> Any:
        if not isinstance(words, str):
            return words
        # A field as wide as the file allows may cut its last character in two.
        return words.encode(_RAW).decode(real, "replace").rstrip("\ufffd")

    frame = raw.assign(**{name: raw[name].map(decoded) for name in texts})
    # Damaged or decoded otherwise, two names may be one.
    named = tables.unlike([str(shape), *map(decoded, own)])[1:]
    return frame.rename(columns=dict(zip(own, named, strict=True)))


@contextmanager
def _opened(path: Path, layer: str) -> Iterator[Path]:
    """Place where GDAL finds a file: itself, or a shapefile taken out of a zip."""
    if path.suffix.lower() != ".zip":
        yield path
        return
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        shapes = _shapes(archive)
        shape = _choose(path, shapes, layer)
        parts = shapes[shape]
        if sum(part.file_size for part in parts.values()) > _GREATEST:
            raise SourceError(text("error.zip_too_large", path=str(path)))
        # Names of our own: one in an archive may lead out of the folder.
        for suffix, part in parts.items():
            with archive.open(part) as source, (Path(folder) / f"shape{suffix}").open("wb") as to:
                shutil.copyfileobj(source, to)
        yield Path(folder) / "shape.shp"


def _shapes(archive: zipfile.ZipFile) -> dict[str, dict[str, zipfile.ZipInfo]]:
    """Parts of each shapefile in an archive, by its name without folders."""
    found: dict[str, dict[str, zipfile.ZipInfo]] = {}
    for part in archive.infolist():
        name = PurePosixPath(_name(part).replace("\\", "/"))
        if name.suffix.lower() in _PARTS and "__MACOSX" not in name.parts:
            found.setdefault(str(name.with_suffix("")), {})[name.suffix.lower()] = part
    whole = {name: parts for name, parts in found.items() if ".shp" in parts}
    short = {PurePosixPath(name).name: parts for name, parts in whole.items()}
    return short if len(short) == len(whole) else whole


def _name(part: zipfile.ZipInfo) -> str:
    if part.flag_bits & _UTF8_NAME:
        return part.filename
    try:
        raw = part.filename.encode("cp437")
    except UnicodeEncodeError:
        return part.filename
    return raw.decode(encodings.readable([raw]), "replace")


def _choose(path: Path, shapes: dict[str, Any], layer: str) -> str:
    told = {"path": str(path), "layers": ", ".join(shapes)}
    if not shapes:
        raise SourceError(text("error.zip_empty", path=str(path)))
    if layer:
        if layer not in shapes:
            raise SourceError(text("error.layer_missing", layer=layer, **told))
        return layer
    return one_of_several(path, list(shapes))


def one_of_several(path: Path, names: Sequence[str]) -> str:
    """Take the only layer there is.

    Raises
    ------
    SourceError
        There are several: the user must say which.
    """
    if len(names) > 1:
        told = {"path": str(path), "layers": ", ".join(names)}
        raise SourceError(text("error.layers_several", **told))
    return names[0]
