"""Where a job's city, store and files lie, and how a runner is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from platformdirs import user_data_path

from layers.database import Address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.store import Job, Store

CITY, LANE, STORE = "PLANNER_JOB_CITY", "PLANNER_JOB_LANE", "PLANNER_STORE"


def surroundings(city: Path | Address, store: Path | Address, lane: str) -> Mapping[str, str]:
    """Make the environment of a runner: passwords in it are seen by its own user alone."""
    return {**os.environ, CITY: _whole(city), STORE: _whole(store), LANE: lane}


def folder_of(store: Store) -> Path:
    """Tell the folder of what jobs write: ``PLANNER_JOBS``, else beside the store."""
    told = os.environ.get("PLANNER_JOBS")
    if told:
        return Path(told)
    if isinstance(store.place, Address):
        return user_data_path("coverage-planner") / "jobs"
    return store.place.with_name(f"{store.place.stem}-jobs")


def files_of(store: Store, job: Job) -> list[Path]:
    """List the files that a job wrote and that are still there."""
    folder = folder_of(store) / job.id
    names = (job.result or {}).get("files", []) if job.state == "done" else []
    return [folder / name for name in names if (folder / name).is_file()]


def _whole(place: Path | Address) -> str:
    """Words that `layers.database.located` reads back, passwords too."""
    if isinstance(place, Address):
        return "postgresql:///?" + urlencode({**place.settings, "schema": place.schema})
    return str(place)
