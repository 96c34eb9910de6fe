"""Layer schemas in pandera: columns brought into their types, and what breaks them told."""

from collections.abc import Iterable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pandera.pandas as pa
import shapely
from pandera.errors import SchemaErrors

from layers.crs import GEOGRAPHIC, in_degrees
from layers.findings import Finding

_SAMPLE = 6
_NUMBERS = ("int64", "Int64", "float64", "number")


def finite_positive() -> pa.Check:
    """Values above zero and below infinity."""
    return pa.Check(lambda s: _finite(s) & (s > 0), name="value_not_positive")


def finite_not_negative() -> pa.Check:
    """Values of at least zero and below infinity."""
    return pa.Check(lambda s: _finite(s) & (s >= 0), name="value_negative")


def one_of(known: Iterable[str]) -> pa.Check:
    """Values out of a list."""
    listed = tuple(known)
    return pa.Check(
        lambda s: s.isin(listed), name="value_unknown", statistics={"known": ", ".join(listed)}
    )


def words() -> pa.Check:
    """Strings, whatever pandas stores them as."""
    return pa.Check(lambda s: ~_no_words(s), name="column_type")


def years() -> pa.Check:
    """Calendar years that a plan may speak of."""
    # A part of a year is a fault of its type.
    return pa.Check(lambda s: s.between(1900, 2100) | (s % 1 != 0), name="years_impossible")


def conformed(
    frame: gpd.GeoDataFrame, schema: pa.DataFrameSchema, defaults: Mapping[str, Any]
) -> gpd.GeoDataFrame:
    """Copy of a layer with the columns of its schema, in EPSG:4326, on the plane.

    Values are never mended. A column takes its type where every value allows it and
    otherwise stays as it is, for `layer_findings` to name the rows.

    Parameters
    ----------
    frame
        The layer in any reference system. Heights are left out, and a collection of one
        geometry becomes that geometry.
    schema
        The columns wanted. One without a type and without a check of its own is words.
    defaults
        What columns that are absent as a whole hold. Words whose default is empty are
        also empty where a row lacks them.

    Raises
    ------
    CrsError
        The layer has no reference system.
    """
    layer = in_degrees(frame)
    if not layer.columns.is_unique:
        return layer
    columns: dict[str, Any] = {}
    for name, column in schema.columns.items():
        if name in layer:
            values = layer[name]
        elif name in defaults:
            values = pd.Series([defaults[name]] * len(layer), layer.index)
        else:
            continue
        columns[name] = _typed(values, _kind(column), fill=defaults.get(name))
    plane = shapely.force_2d(layer.geometry.array)
    one = (shapely.get_type_id(plane) >= 4) & (shapely.get_num_geometries(plane) == 1)  # noqa: PLR2004 - collections
    plane[one] = shapely.get_geometry(plane[one], 0)
    return gpd.GeoDataFrame(columns, index=layer.index, geometry=plane, crs=layer.crs)


def layer_findings(
    layer: str,
    frame: gpd.GeoDataFrame,
    schema: pa.DataFrameSchema,
    *,
    kinds: tuple[str, ...],
    label: str | None = None,
    may_be_empty: bool = False,
) -> list[Finding]:
    """Hold a layer against its schema.

    Parameters
    ----------
    layer
        Its name, for the findings.
    frame
        The layer.
    schema
        Its columns. A check's name is the code of the finding that it gives.
    kinds
        Kinds of geometry it may hold.
    label
        Column by which a reader knows a row; the index where a row lacks it.
    may_be_empty
        Whether having no rows is worth only a warning.

    Returns
    -------
    Findings, all of them rather than the first.
    """
    found: list[Finding] = []

    def add(code: str, rows: Any = None, **values: Any) -> None:
        severity: Any = "warning" if code == "empty" and may_be_empty else "error"
        named = () if rows is None else labels(frame, rows, label)
        found.append(Finding(layer=layer, code=code, severity=severity, rows=named, values=values))

    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()]
        add("column_duplicated", found=_sample(twice))
        return found
    if not frame.index.is_unique:
        add("index_duplicated", frame.index.duplicated(keep=False))
        return found
    if getattr(frame, "active_geometry_name", None) is None:
        add("column_missing", column="geometry")
        return found
    if frame.empty:
        add("empty")
    for code, rows, values in _geometry_faults(frame, kinds):
        add(code, rows, **values)
    try:
        schema.validate(pd.DataFrame(frame.drop(columns=frame.geometry.name)), lazy=True)
    except SchemaErrors as broken:
        for code, rows, values in _column_faults(frame, schema, broken.failure_cases):
            add(code, rows, **values)
    return found


def labels(frame: pd.DataFrame, rows: Any, column: str | None = None) -> tuple[Any, ...]:
    """Name rows as a reader knows them: by a column where they have it, else by their index.

    Parameters
    ----------
    frame
        The layer.
    rows
        Which rows, as a mask.
    column
        The column.
    """
    index = frame.index[rows]
    if column is None or column not in frame:
        return tuple(index)
    known = frame[column][rows]
    has = known.notna() & (known.astype("str") != "")
    return tuple(name if there else row for name, there, row in zip(known, has, index, strict=True))


Fault = tuple[str, Any, dict[str, Any]]


def _column_faults(
    frame: pd.DataFrame, schema: pa.DataFrameSchema, cases: pd.DataFrame
) -> Iterable[Fault]:
    """Tell what pandera found, as code, rows and values of a finding each."""
    told = set()
    for (column, check), group in cases.groupby(["column", "check"], dropna=False, sort=False):
        if check == "column_in_dataframe":
            for absent in group["failure_case"]:
                yield "column_missing", None, {"column": str(absent)}
            continue
        name, rows = str(column), frame.index.isin(group["index"])
        sample = _sample(group["failure_case"])
        if check == "not_nullable":
            yield "value_missing", rows, {"column": name}
        elif check == "field_uniqueness":
            yield "value_duplicated", rows, {"column": name, "found": sample}
        elif str(check).startswith(("dtype", "column_type")) or not rows.any():
            # A check that stumbles over a type names no rows; it is the same fault.
            if name not in told:
                yield from _type_faults(frame[name], schema.columns[name])
            told.add(name)
        elif check == "value_unknown":
            rule = next(c for c in schema.columns[name].checks if c.name == check)
            yield "value_unknown", rows, {"column": name, "found": sample, **rule.statistics}
        elif check == "years_impossible":
            yield "years_impossible", rows, {}
        else:
            code = (
                str(check) if check in {"value_negative", "value_not_positive"} else "value_wrong"
            )
            yield code, rows, {"column": name, "found": sample}


def _type_faults(values: pd.Series, column: pa.Column) -> Iterable[Fault]:
    kind = _kind(column)
    if kind == "bool":
        wrong = ~values.isin([0, 1]).to_numpy(bool)
    elif kind in _NUMBERS:
        numbers = _numbers(values)
        wrong = numbers.isna().to_numpy()
        if kind in {"int64", "Int64"}:
            wrong = wrong | ~(numbers % 1 == 0).to_numpy(bool, na_value=False)
    else:
        wrong = _no_words(values).to_numpy(bool)
    missing = values.isna().to_numpy()
    stray = wrong & ~missing
    said = {"column": values.name, "wanted": kind}
    if stray.any():
        yield "column_type", stray, {**said, "found": _sample(values[stray])}
    elif not missing.any():
        yield "column_type", None, {**said, "found": str(values.dtype)}


def _geometry_faults(frame: gpd.GeoDataFrame, kinds: tuple[str, ...]) -> Iterable[Fault]:
    geometry = frame.geometry
    if frame.crs is None:
        yield "no_crs", None, {}
    elif frame.crs != GEOGRAPHIC:
        yield "other_crs", None, {"found": frame.crs.to_string()}
    wrong = ~geometry.geom_type.isin(kinds).to_numpy() | geometry.is_empty.to_numpy()
    if wrong.any():
        yield "geometry_kind", wrong, {"wanted": " / ".join(kinds)}
    # A street may cross itself; only areas and broken coordinates are invalid in earnest.
    bad = ~wrong & ~geometry.is_valid.to_numpy()
    if bad.any():
        reasons = geometry[bad].is_valid_reason()
        yield "geometry_invalid", bad, {"found": _sample(reasons)}
    bounds = geometry.bounds.to_numpy()
    within = (bounds >= [-180, -90, -180, -90]) & (bounds <= [180, 90, 180, 90])
    off = ~wrong & ~bad & ~within.all(axis=1)
    if off.any() and frame.crs == GEOGRAPHIC:
        yield "outside_world", off, {}


def _kind(column: pa.Column) -> str:
    """Type a column wants: pandas' name of it, ``number`` for any, ``text``."""
    if column.dtype is not None:
        return str(column.dtype)
    names = {check.name for check in column.checks}
    return "number" if names & {"value_negative", "value_not_positive"} else "text"


def _typed(values: pd.Series, kind: str, *, fill: Any) -> pd.Series:
    """Cast a column to its type if every value allows it."""
    if kind == "text":
        return _text(values, fill)
    if kind == "bool":
        flags = values.isin([0, 1]).to_numpy(bool)
        return values.astype("bool") if flags.all() else values
    numbers = _numbers(values)
    if (numbers.isna() & values.notna()).any():
        return values
    if kind in {"number", "float64"}:
        return numbers.astype("float64") if kind == "float64" else numbers
    whole = (numbers % 1 == 0).to_numpy(bool, na_value=False)
    if kind == "Int64":
        whole = whole | numbers.isna().to_numpy()
    if not whole.all():
        return numbers
    return numbers.astype("Int64") if kind == "Int64" else numbers.astype("int64")


def _numbers(values: pd.Series) -> pd.Series:
    """Values as numbers, NaN where they are none; flags and dates are none."""
    if values.dtype.kind in "bmM":
        return pd.Series(np.nan, values.index)
    if values.dtype == object:
        values = values.where(~values.map(lambda value: isinstance(value, bool)))
    return pd.to_numeric(values, errors="coerce")


def _text(values: pd.Series, fill: Any) -> pd.Series:
    """Values as words: whole numbers in digits; what is missing stays so, or is empty."""
    if pd.api.types.is_numeric_dtype(values) and values.dtype.kind != "b":
        known = values.notna().to_numpy() & np.isfinite(values.to_numpy("float64", na_value=np.nan))
        numbers = values[known]
        digits = numbers.astype("int64") if (numbers % 1 == 0).all() else numbers
        written = np.full(len(values), None, dtype=object)
        written[known] = digits.astype("str").to_numpy(dtype=object)
        values = pd.Series(written, values.index)
    if fill == "":
        values = values.astype("object").where(values.notna(), "")
    else:
        values = values.astype("object").where(values.notna() & (values != ""), None)
    # As a file gives words back, missing ones too.
    return values.astype("str") if not _no_words(values).any() else values.infer_objects()


def _no_words(values: pd.Series) -> pd.Series:
    """Which values are no strings; told from the type where it says so."""
    strings = isinstance(values.dtype, pd.StringDtype) or (
        pd.api.types.infer_dtype(values, skipna=False) == "string"
    )
    if strings:
        return values.isna()
    return values.map(lambda value: not isinstance(value, str)).astype("bool")


def _finite(values: pd.Series) -> Any:
    if values.dtype.kind == "b":
        raise TypeError("flags are no numbers")
    return np.isfinite(values)


def _sample(values: Iterable[Any]) -> str:
    shown = list(dict.fromkeys(str(value) for value in values))
    return ", ".join(shown[:_SAMPLE]) + (", …" if len(shown) > _SAMPLE else "")
