"""Writing a file whole or not at all."""

import os
import tempfile
from pathlib import Path

from layers.errors import InputError
from layers.messages import text


def save_text(path: Path, content: str) -> None:
    """Write a file of text in UTF-8, whole or not at all.

    Parameters
    ----------
    path, content
        As `save_bytes` takes them.

    Raises
    ------
    InputError
        As `save_bytes` raises it.
    """
    # As a file opened for text would end its lines.
    save_bytes(path, content.replace("\n", os.linesep).encode("utf-8"))


def save_bytes(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    path
        The file; one already there is replaced only once the new one is complete.
    content
        What it is to hold.

    Raises
    ------
    InputError
        The disk refuses; what was there is unchanged.
    """
    scratch = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        # A scratch file is for its owner alone, unlike what a user makes.
        mask = os.umask(0)
        os.umask(mask)
        Path(scratch).chmod(0o666 & ~mask)
        Path(scratch).replace(path)
    except OSError as wrong:
        reason = wrong.strerror or str(wrong)
        raise InputError(text("error.file_not_written", path=str(path), reason=reason)) from wrong
    finally:
        # Gone already where it has taken the file's place.
        if scratch is not None:
            Path(scratch).unlink(missing_ok=True)
