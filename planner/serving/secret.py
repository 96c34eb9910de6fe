"""The secret that signs cookies and sessions: one for all servers of a user, never shown."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from layers.errors import InputError
from layers.messages import text

if TYPE_CHECKING:
    from pathlib import Path

_LEAST = 32


def cookie_secret(file: Path | None = None) -> str:
    """Tell the secret: of ``PLANNER_COOKIE_SECRET``, else of a file made when first wanted.

    Parameters
    ----------
    file
        The file, which its owner alone may read; one in the user's folder when None.

    Raises
    ------
    InputError
        It is too short to be one, or the file cannot be read or written.
    """
    told = os.environ.get("PLANNER_COOKIE_SECRET", "")
    if told:
        return _long_enough(told, "PLANNER_COOKIE_SECRET")
    place = file or user_data_path("coverage-planner") / "cookie-secret"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "w", encoding="ascii") as fresh:
                fresh.write(secrets.token_urlsafe(48))
        place.chmod(0o600)
        kept = place.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as wrong:
        reason = getattr(wrong, "strerror", None) or type(wrong).__name__
        raise InputError(text("error.file_unreadable", path=str(place), reason=reason)) from wrong
    return _long_enough(kept, str(place))


def _long_enough(secret: str, place: str) -> str:
    if len(secret) < _LEAST:
        raise InputError(text("entry.short_secret", place=place, least=_LEAST))
    return secret
