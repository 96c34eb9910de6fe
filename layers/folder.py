"""A folder that is read and replaced as a whole, whoever else reads or replaces it.

A save writes into ``.name.new-…``, moves the earlier folder to ``.name.previous``, the
new one into place, and removes the earlier. Stopped anywhere, one of the two is whole:
a reader finds it where it lies, and the next save puts things in order.
"""

import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

if sys.platform != "win32":
    import fcntl

Read = TypeVar("Read")

_TRIES = 20


@dataclass(frozen=True)
class Held:
    """A folder held open: it stays the same one though another takes its name.

    Attributes
    ----------
    path
        Where it lay when it was opened.
    handle
        The system's handle on it, or None where the system has none for folders.
    """

    path: Path
    handle: int | None

    def content(self, file: str) -> bytes:
        """Read a file of the folder.

        Raises
        ------
        OSError
            It is not there, or the disk refuses.
        """
        if self.handle is None:
            return (self.path / file).read_bytes()
        with open(file, "rb", opener=self._open) as stream:
            return stream.read()

    def is_replaced(self, folder: Path) -> bool:
        """Tell whether another folder has the name by now."""
        if self.handle is None:
            return False
        own = os.fstat(self.handle)
        try:
            now = _place(folder).stat()
        except (FileNotFoundError, _Replaced):
            return True
        return (now.st_dev, now.st_ino) != (own.st_dev, own.st_ino)

    def _open(self, file: str, flags: int) -> int:
        return os.open(file, flags, dir_fd=self.handle)


def read_whole(folder: Path, read: Callable[[Held], Read]) -> Read:
    """Read a folder all of one state, though saves replace it meanwhile.

    Parameters
    ----------
    folder
        The folder.
    read
        Reads what is wanted; called again, with saves kept waiting, if it fails on a
        folder that was replaced meanwhile.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    Exception
        What `read` raises on a folder that nobody replaced.
    """
    try:
        return _read_once(folder, read)
    except _Replaced:
        pass
    for _ in range(_TRIES):
        # Once, but for disks that know no locks.
        with suppress(_Replaced), alone_in(folder.resolve().parent, shared=True):
            return _read_once(folder, read)
    raise FileNotFoundError(str(folder))


class _Replaced(Exception):  # noqa: N818 - a signal between two functions, not an error
    """The folder was moved while it was looked for or read."""


def _read_once(folder: Path, read: Callable[[Held], Read]) -> Read:
    path = _place(folder)
    try:
        handle = _handle(path)
    except FileNotFoundError as moved:
        raise _Replaced from moved
    held = Held(path, handle)
    try:
        return read(held)
    except Exception as wrong:
        if held.is_replaced(folder):
            raise _Replaced from wrong
        raise
    finally:
        if handle is not None:
            os.close(handle)


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Write a folder anew, whole or not at all.

    Parameters
    ----------
    folder
        The folder to make or replace, as an absolute path without links.

    Yields
    ------
    A folder beside it to write into; it takes the name at the end, unless the block
    raises, and then all stays as it was.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with alone_in(folder.parent):
        _clear_up(folder)
        fresh = Path(tempfile.mkdtemp(prefix=_scratch(folder), dir=folder.parent))
        try:
            yield fresh
            for file in fresh.iterdir():
                _flush(file)
            fresh.chmod(0o755)
            _swap(fresh, folder)
            _flush(folder.parent)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _handle(path: Path) -> int | None:
    if os.open not in os.supports_dir_fd:
        return None
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY)


def _flush(path: Path) -> None:
    """Have the disk take what was written, a file's content or a folder's names."""
    if path.is_dir() and os.open not in os.supports_dir_fd:
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _scratch(folder: Path) -> str:
    return f".{folder.name}.new-"


def _previous(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.previous")


def _place(folder: Path) -> Path:
    """Where a folder lies now: a save may be between its two moves."""
    previous = _previous(folder.resolve())
    for place in (folder, previous, folder):
        if place.is_dir():
            return place
    # Two saves may have moved it about between the looks.
    if any(folder.resolve().parent.glob(f"{glob.escape(_scratch(folder))}*")):
        raise _Replaced
    raise FileNotFoundError(str(folder))


@contextmanager
def alone_in(parent: Path, *, shared: bool = False) -> Iterator[None]:
    """Keep other saves in a folder waiting; the lock ends with the process that holds it.

    Shared, it keeps out saves but no other readers.
    """
    if sys.platform == "win32":
        yield
        return
    handle = os.open(parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network disks know no locks
            fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _clear_up(folder: Path) -> None:
    """Put in order what a save left that was stopped."""
    previous = _previous(folder)
    if previous.is_dir() and not folder.exists():
        previous.rename(folder)
    for left in folder.parent.glob(f"{glob.escape(_scratch(folder))}*"):
        shutil.rmtree(left, ignore_errors=True)
    shutil.rmtree(previous, ignore_errors=True)


def _swap(fresh: Path, folder: Path) -> None:
    """Put a folder in another's place; a stop in between loses neither."""
    previous = _previous(folder)
    if not folder.exists():
        fresh.rename(folder)
        return
    folder.rename(previous)
    try:
        fresh.rename(folder)
    except OSError:
        previous.rename(folder)
        raise
    # Out of a reader's sight before it is taken apart.
    previous.rename(fresh)
