"""Layer schemas in pandera, and what breaks them told as findings."""

from collections.abc import Callable, Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from layers.crs import GEOGRAPHIC
from layers.findings import Finding

_SAMPLE = 6


def finite_positive() -> pa.Check:
    """Values above zero and below infinity."""
    return pa.Check(lambda s: np.isfinite(s) & (s > 0), name="value_not_positive")


def finite_not_negative() -> pa.Check:
    """Values of at least zero and below infinity."""
    return pa.Check(lambda s: np.isfinite(s) & (s >= 0), name="value_negative")


def one_of(known: Iterable[str]) -> pa.Check:
    """Values out of a list."""
    return pa.Check.isin(list(known), name="value_unknown")


def words() -> pa.Check:
    """Strings, whatever pandas stores them as."""
    return pa.Check(lambda value: isinstance(value, str), element_wise=True, name="column_type")


def years() -> pa.Check:
    """Whole calendar years that a plan may speak of."""
    return pa.Check(lambda s: s.between(1900, 2100) & (s % 1 == 0), name="years_impossible")


def layer_findings(
    layer: str,
    frame: gpd.GeoDataFrame,
    schema: pa.DataFrameSchema,
    *,
    kinds: tuple[str, ...],
    label: Callable[[pd.Index], Iterable[Any]] = tuple,
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
        Turns index labels into what a reader knows a row by.
    may_be_empty
        Whether having no rows is worth only a warning.

    Returns
    -------
    Findings, all of them rather than the first.
    """
    found: list[Finding] = []

    def add(code: str, rows: Iterable[Any] = (), **values: Any) -> None:
        severity: Any = "warning" if code == "empty" and may_be_empty else "error"
        found.append(
            Finding(layer=layer, code=code, severity=severity, rows=tuple(rows), values=values)
        )

    if not frame.index.is_unique:
        repeated = frame.index[frame.index.duplicated()].unique()
        add("index_duplicated", repeated)
        return found
    if frame.empty:
        add("empty")
    found += _geometry_findings(layer, frame, kinds, label)
    try:
        schema.validate(pd.DataFrame(frame.drop(columns=frame.geometry.name)), lazy=True)
    except SchemaErrors as broken:
        cases = broken.failure_cases
        for (column, check), group in cases.groupby(["column", "check"], dropna=False, sort=False):
            name = str(column) if isinstance(column, str) else str(group["failure_case"].iloc[0])
            rows = label(pd.Index(group["index"].dropna()))
            sample = _sample(group["failure_case"])
            wanted = schema.columns.get(name)
            kind = str(wanted.dtype) if wanted is not None and wanted.dtype else "text"
            if check == "column_in_dataframe":
                add("column_missing", column=name)
            elif check == "not_nullable":
                add("value_missing", rows, column=name)
            elif check == "field_uniqueness":
                add("value_duplicated", rows, column=name, found=sample)
            elif str(check).startswith(("dtype", "column_type")) or sample.startswith("TypeError"):
                add("column_type", rows, column=name, wanted=kind)
            elif check == "value_unknown":
                known = next(c for c in wanted.checks if c.name == check).statistics
                allowed = ", ".join(map(str, known["allowed_values"]))
                add("value_unknown", rows, column=name, found=sample, known=allowed)
            elif check in {"value_negative", "value_not_positive"}:
                add(str(check), rows, column=name, found=sample)
            elif check == "years_impossible":
                add("years_impossible", rows)
            else:
                add("value_wrong", rows, column=name, found=sample)
    return found


def _geometry_findings(
    layer: str,
    frame: gpd.GeoDataFrame,
    kinds: tuple[str, ...],
    label: Callable[[pd.Index], Iterable[Any]],
) -> list[Finding]:
    found: list[Finding] = []

    def add(code: str, rows: Iterable[Any] = (), **values: Any) -> None:
        found.append(
            Finding(layer=layer, code=code, severity="error", rows=tuple(rows), values=values)
        )

    geometry = frame.geometry
    if frame.crs is None:
        add("no_crs")
    elif frame.crs != GEOGRAPHIC:
        add("other_crs", found=frame.crs.to_string())
    wrong = ~geometry.geom_type.isin(kinds).to_numpy() | geometry.is_empty.to_numpy()
    if wrong.any():
        add("geometry_kind", label(frame.index[wrong]), wanted=" / ".join(kinds))
    bad = ~wrong & ~geometry.is_valid.to_numpy()
    # A street may cross itself; only areas and broken coordinates are invalid in earnest.
    if bad.any():
        reasons = geometry[bad].is_valid_reason()
        add("geometry_invalid", label(frame.index[bad]), found=_sample(reasons))
    bounds = geometry.bounds.to_numpy()
    off = ~wrong & ~(
        (bounds[:, 0] >= -180) & (bounds[:, 1] >= -90)  # noqa: PLR2004 - degrees
        & (bounds[:, 2] <= 180) & (bounds[:, 3] <= 90)  # noqa: PLR2004
    )
    if off.any() and frame.crs == GEOGRAPHIC:
        add("outside_world", label(frame.index[off]))
    return found


def _sample(values: Iterable[Any]) -> str:
    shown = list(dict.fromkeys(str(value) for value in values))
    return ", ".join(shown[:_SAMPLE]) + (", …" if len(shown) > _SAMPLE else "")
