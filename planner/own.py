"""Cities of a reader's own: where they lie, and a free place beside the others."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from layers.folder import alone_in

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY = re.compile(r"[\w-]{1,80}")
# Hidden, so that it is no city; who holds its lock chooses names.
_NAMES = ".names"
_placing = Lock()


def own_folder(user: str = "") -> Path:
    """Folder of a reader's cities: ``PLANNER_CITIES``, else one in the user's folder.

    Parameters
    ----------
    user
        Who is logged in, who then has a folder of their own below it.
    """
    told = os.environ.get("PLANNER_CITIES")
    root = Path(told) if told else user_data_path("coverage-planner", appauthor=False) / "cities"
    return root / f"user-{user.encode().hex()}" if user else root


def is_key(name: str) -> bool:
    """Whether a city's folder may be called so."""
    return _KEY.fullmatch(name) is not None


def free(folder: Path, name: str) -> Path:
    """Folder that a city of that name may be saved into, which is not there yet.

    Examples
    --------
    >>> free(Path("/nowhere"), "../杭州 + 居家养老").name
    '杭州-居家养老'
    """
    folded = unicodedata.normalize("NFKC", name)
    stem = re.sub(r"[^\w-]+", "-", folded).strip("-_")[:60] or "city"
    number = 1
    while True:
        key = stem if number == 1 else f"{stem}-{number}"
        if not (folder / key).exists():
            return folder / key
        number += 1


@contextmanager
def placing(folder: Path, name: str) -> Iterator[Path]:
    """Choose a free folder for a city, which no other process chooses meanwhile.

    What saves that were killed have begun to write in the folder is removed before.

    Parameters
    ----------
    folder
        A reader's folder; made if need be.
    name
        What the city is called.

    Yields
    ------
    The folder to save it into, as `free` gives it.
    """
    guard = folder / _NAMES
    guard.mkdir(parents=True, exist_ok=True)
    # Some disks know no locks, but the desks of one server never share a name.
    with _placing, alone_in(guard):
        _clear(folder)
        yield free(folder, name)


def _clear(folder: Path) -> None:
    """Remove halves, none of which is being written while nobody else saves here."""
    with alone_in(folder):
        for left in folder.glob(".*.new-*"):
            shutil.rmtree(left, ignore_errors=True)
    for table in folder.glob("*-rejected/.*.csv"):
        table.unlink(missing_ok=True)
