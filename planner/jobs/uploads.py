"""Files that somebody hands in with a job: kept beside the store until the job is over."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from layers.errors import InputError, RecordMissingError
from layers.folder import replacing
from layers.messages import text
from layers.sources.uploads import check_upload
from planner.jobs.places import folder_of
from planner.store.jobs import new_id

if TYPE_CHECKING:
    from pathlib import Path

    from planner.store import Job, Store

# How long a file may wait for its job to be told of, which comes at once if it ever comes.
_ALONE_S = 24 * 3600.0


def upload_of(store: Store, job: str) -> Path:
    """Tell the folder of what was handed in with a job."""
    return folder_of(store) / f".{job}.asked"


def ask_about(store: Store, kind: str, asked: Any, file: Path, *, city: str, who: str = "") -> Job:
    """Ask for work on a file, of which a copy is kept until the job is over.

    Parameters
    ----------
    store
        Where jobs are kept.
    kind, asked, city, who
        As `planner.store.Jobs.ask` takes them.
    file
        The file, no larger and no other than `layers.sources.uploads.check_upload` allows.

    Raises
    ------
    SourceError
        The file is refused.
    InputError
        As many jobs of this user wait already as may, or the disk refuses.
    """
    job = new_id()
    place = upload_of(store, job)
    try:
        content = file.read_bytes()
        safe = check_upload(file.name, content)
        with replacing(place.resolve()) as fresh:
            (fresh / safe).write_bytes(content)
            (fresh / safe).chmod(0o600)
    except OSError as wrong:
        told = {"path": file.name, "reason": wrong.strerror or str(wrong)}
        raise InputError(text("error.file_not_written", **told)) from wrong
    try:
        return store.jobs.ask(kind, asked, city=city, who=who, called=job)
    except InputError:
        shutil.rmtree(place, ignore_errors=True)
        raise


def clear_up(store: Store) -> None:
    """Remove what nobody wants any more of jobs that are over, or that were never asked for.

    Killed runners leave what they had begun to write: a job that is taken up again clears
    its own folder; one that was given up or cancelled meanwhile has nobody else to do so.
    """
    for hidden in folder_of(store).glob(".*"):
        # Also what was being written, ``..job.asked.new-…``.
        job, _, rest = hidden.name.lstrip(".").partition(".")
        try:
            if store.jobs.get(job).over:
                shutil.rmtree(hidden, ignore_errors=True)
        except RecordMissingError:
            with suppress(OSError):
                if rest and time.time() - hidden.stat().st_mtime > _ALONE_S:
                    shutil.rmtree(hidden, ignore_errors=True)
