"""Rows of a table that could not be placed, kept for somebody to complete."""

import csv
import io
import itertools
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from layers.errors import CityError
from layers.findings import Finding
from layers.formulas import defused
from layers.messages import LANGUAGES, text

REASONS = (
    "row_ragged",
    "row_missing",
    "row_unreadable",
    "row_zero",
    "row_out_of_range",
    "row_off_crs",
    "row_no_geometry",
    "row_no_point",
    "row_far",
)
"""Why a row is not placed; each the code of a finding."""

_SAMPLE = 4


@dataclass(frozen=True, repr=False)
class Rejected:
    """Rows of one file that were not placed.

    Attributes
    ----------
    path
        The file.
    rows
        The rows with all their columns; the index is their number in the file.
    reasons
        Why each was not placed, one of `REASONS`.
    cells
        What stood where coordinates should, a row each.
    """

    path: Path
    rows: pd.DataFrame
    reasons: pd.Series
    cells: pd.Series

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        counts = ", ".join(f"{code} {count}" for code, count in self.counts().items())
        return f"<Rejected of {self.path.name}: {counts or 'none'}>"

    def counts(self) -> dict[str, int]:
        """How many rows there are of each reason."""
        return {code: int(count) for code in REASONS if (count := (self.reasons == code).sum())}

    def findings(self, layer: str) -> list[Finding]:
        """One finding a reason, with the rows' numbers in the file."""
        found = []
        for code, count in self.counts().items():
            of_it = self.reasons == code
            sample = dict.fromkeys(self.cells[of_it])
            told = ", ".join(list(sample)[:_SAMPLE]) + (", …" if len(sample) > _SAMPLE else "")
            values = {"path": self.path.name, "count": count, "found": told}
            rows = tuple(int(row) for row in self.rows.index[of_it])
            found.append(
                Finding(layer=layer, code=code, severity="warning", rows=rows, values=values)
            )
        return found

    def table(self) -> pd.DataFrame:
        """Return the rows as they stood, before them why and their number in the file."""
        own = {
            text(f"rejected.{column}", lang) for column in ("reason", "row") for lang in LANGUAGES
        }
        rest = self.rows.drop(columns=[name for name in self.rows if name in own])
        reasons = [text(f"rejected.{code}") for code in self.reasons]
        rest.insert(0, text("rejected.reason"), np.array(reasons, dtype=object))
        rest.insert(0, text("rejected.row"), self.rows.index)
        return rest

    def as_csv(self) -> bytes:
        """Write the table so that Excel opens it as it is; no cell of it is a formula."""
        lines = io.StringIO(newline="")
        writer = csv.writer(lines)
        table = self.table()
        writer.writerow([defused(str(name)) for name in table.columns])
        for row in table.itertuples(index=False, name=None):
            writer.writerow([defused(cell) if isinstance(cell, str) else cell for cell in row])
        return lines.getvalue().encode("utf-8-sig", "replace")


def write(all_rejected: Sequence[Rejected], folder: Path) -> dict[Path, int]:
    """Write rows that were not placed, a table a file, which Excel opens as it is.

    Nothing is ever written over: somebody may be completing an earlier one. A table that
    is there already, the same to the byte, is left as it is.

    Parameters
    ----------
    all_rejected
        Of each file.
    folder
        Where to; made if need be.

    Returns
    -------
    How many rows each file has.

    Raises
    ------
    CityError
        The disk refuses.
    """
    written: dict[Path, int] = {}
    for rejected in all_rejected:
        if not len(rejected):
            continue
        content = rejected.as_csv()
        try:
            written[_place(folder, rejected.path.stem, content)] = len(rejected)
        except OSError as wrong:
            told = {"path": str(folder), "reason": wrong.strerror or str(wrong)}
            raise CityError(text("error.rejected_not_written", **told)) from wrong
    return written


def _place(folder: Path, stem: str, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(prefix=f".{stem}-", suffix=".csv", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).chmod(0o644)
        for number in itertools.count(1):
            target = folder / (f"{stem}.csv" if number == 1 else f"{stem}-{number}.csv")
            if not target.exists():
                Path(fresh).rename(target)
                break
            if target.is_file() and target.read_bytes() == content:
                break
        return target
    finally:
        Path(fresh).unlink(missing_ok=True)
