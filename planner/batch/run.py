"""Running a study: partition after partition, here or on Dask, going on where it stopped."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from glob import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from layers.errors import InputError, PlannerError
from layers.messages import language, text
from layers.saving import save_bytes, save_text
from planner.batch.shift import Made, Task, work

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from planner.batch.study import Shift, Study

_RECEIPTS = "receipts"
KINDS = ("coverage", "sitings", "sites")
"""Folders of results: rates by unit, rates before and after new sites, and the sites."""


@dataclass(frozen=True, repr=False)
class Outcome:
    """What came of a run.

    Attributes
    ----------
    out
        Folder of the results: a GeoParquet file a partition in ``coverage``, ``sitings``
        and ``sites``.
    computed, kept
        Partitions computed now, and found as an earlier run left them.
    failed
        What could not be computed, and why, by city and variant; of a whole partition
        the variant is empty.
    seconds
        How long it took.
    work_seconds
        How long the computed partitions took, one with the other.
    rows
        Rows of each kind of result, those kept included.
    """

    out: Path
    computed: int
    kept: int
    failed: Mapping[tuple[str, str], str]
    seconds: float
    work_seconds: float
    rows: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "out": str(self.out),
            "computed": self.computed,
            "kept": self.kept,
            "failed": [
                {"city": city, "variant": variant, "why": why}
                for (city, variant), why in self.failed.items()
            ],
            "seconds": self.seconds,
            "work_seconds": self.work_seconds,
            "rows": dict(self.rows),
        }

    def __repr__(self) -> str:
        return (
            f"<Outcome: {self.computed} computed, {self.kept} kept, {len(self.failed)} failed, "
            f"{self.seconds:.1f} s>"
        )


def run(
    study: Study,
    out: str | os.PathLike[str],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Compute a study into a folder.

    Each partition is written when it is done. A study that was stopped, or to which
    cities and variants were added, goes on: what is there and has not changed (the city,
    files, options, the program's version) is kept.

    Parameters
    ----------
    study
        The study.
    out
        The folder; nothing else should lie there.
    workers
        Processes of a local cluster, one for each processor when None; with 0 all is
        computed in this process, one partition after the other.
    scheduler
        Address of a Dask scheduler (``tcp://host:8786``) instead. Its workers need the
        same version of the program, one thread each, and see the cities and files under
        the same paths; results come back to this process, which writes them.
    progress
        Called with the number of partitions that are done, and of all.

    Returns
    -------
    What was computed and what was not. A variant that cannot be computed stops no other.

    Raises
    ------
    InputError
        Dask is not installed, the scheduler does not answer, or the disk refuses.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from planner.batch import Place, Study, Variant
    >>> study = Study(
    ...     name="radius",
    ...     cities=(Place("杭州", "embedded:small"),),
    ...     variants=(Variant("as it is", "menopause_clinic"),),
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     first = run(study, folder, workers=0)
    ...     again = run(study, folder, workers=0)
    >>> first.computed, again.computed, again.kept, first.rows
    (1, 0, 1, {'coverage': 13})
    """
    begun, target = time.perf_counter(), Path(out)
    shifts, todo, kept = list(study.shifts()), [], []
    failed: dict[tuple[str, str], str] = {}
    own = version("coverage-planner")
    for place in study.cities:
        mine = [shift for shift in shifts if shift.place == place]
        try:
            fingerprint = place.fingerprint()
            digests = [shift.digest(own, fingerprint) for shift in mine]
        except PlannerError as wrong:
            failed[(place.name, "")] = str(wrong)
            continue
        for shift, digest in zip(mine, digests, strict=True):
            receipt = _receipt(target, shift, digest)
            if receipt is None:
                todo.append(Task(shift, digest, fingerprint))
            else:
                kept.append(receipt)
    done, spent = len(kept) + len(shifts) - len(kept) - len(todo), 0.0
    tell = progress or (lambda _done, _all: None)
    tell(done, len(shifts))
    _tidy(target, shifts)
    receipts = list(kept)
    with _worked(todo, workers, scheduler) as results:
        for task, made in results:
            shift = task.shift
            if isinstance(made, Made):
                receipts.append(_write(target, shift, task.digest, made))
                failed |= {(shift.place.name, name): why for name, why in made.failed.items()}
                spent += made.seconds
            else:
                failed[(shift.place.name, "")] = str(made)
            done += 1
            tell(done, len(shifts))
    rows: dict[str, int] = {}
    for receipt in receipts:
        for kind, count in receipt["rows"].items():
            rows[kind] = rows.get(kind, 0) + count
    return Outcome(
        out=target,
        computed=len(receipts) - len(kept),
        kept=len(kept),
        failed=failed,
        seconds=time.perf_counter() - begun,
        work_seconds=spent,
        rows=rows,
    )


@contextmanager
def _worked(
    todo: list[Task], workers: int | None, scheduler: str | None
) -> Iterator[Iterable[tuple[Task, Made | InputError]]]:
    """Give each piece of work with what came of it, in the order in which they are done."""
    if not todo:
        yield ()
    elif workers == 0 and scheduler is None:
        lang = language()
        yield ((task, work(task.shift.plain(), task.fingerprint, lang)) for task in todo)
    else:
        try:
            from planner.batch import cluster  # noqa: PLC0415 - Dask is an extra
        except ModuleNotFoundError as missing:
            raise InputError(text("batch.no_dask", name=missing.name)) from missing
        with cluster.client(workers, scheduler, len(todo)) as client:
            yield cluster.worked(client, todo)


def _receipt(target: Path, shift: Shift, digest: str) -> dict[str, Any] | None:
    """Read what an earlier run wrote of a partition, if it is the same and all is there."""
    try:
        told = json.loads((target / _RECEIPTS / f"{shift.name}.json").read_text(encoding="utf-8"))
        same = told["digest"] == digest and not told["failed"]
        there = all((target / kind / f"{shift.name}.parquet").is_file() for kind in told["rows"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return told if same and there else None


def _write(target: Path, shift: Shift, digest: str, made: Made) -> dict[str, Any]:
    """Write a partition; its receipt holds once all else stands."""
    receipt = {
        "digest": digest,
        "city": shift.place.name,
        "labels": list(made.labels),
        "variants": [one.name for one in shift.variants],
        "rows": dict(made.rows),
        "failed": dict(made.failed),
        "seconds": made.seconds,
        "version": version("coverage-planner"),
        "made": pd.Timestamp.now(tz="UTC").isoformat(timespec="seconds"),
    }
    told = target / _RECEIPTS / f"{shift.name}.json"
    # Until all tables stand, what an earlier run wrote of this partition holds no more.
    _save(told, receipt | {"digest": ""})
    for kind in KINDS:
        file = target / kind / f"{shift.name}.parquet"
        if kind in made.tables:
            save_bytes(file, made.tables[kind])
        else:
            file.unlink(missing_ok=True)
    _save(told, receipt)
    return receipt


def _save(file: Path, receipt: Mapping[str, Any]) -> None:
    save_text(file, json.dumps(receipt, ensure_ascii=False, indent=1))


def _tidy(target: Path, shifts: list[Shift]) -> None:
    """Remove partitions that the study has no longer, and what a killed run left of a file."""
    names = {shift.name for shift in shifts}
    before = {file.stem for file in (target / _RECEIPTS).glob("*.json")}
    for name in before | names:
        for kind in KINDS:
            _remove((target / kind).glob(f".{escape(name)}.parquet.*"))
        _remove((target / _RECEIPTS).glob(f".{escape(name)}.json.*"))
    for name in before - names:
        _remove(target / kind / f"{name}.parquet" for kind in KINDS)
        # Last, for it tells whose the others are.
        _remove([target / _RECEIPTS / f"{name}.json"])


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
