"""The ear of a runner: what the server that started it says on its standard input."""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

LOOK = b"look\n"
"""That there is something new in the store."""

_READY = b"ready "


def ready(service: str) -> bytes:
    """Word that somebody is about to site a service."""
    return _READY + service.encode() + b"\n"


class Ear:
    """Hears the server until it ends, and ends this process then.

    Attributes
    ----------
    wanted
        Services that somebody is about to site.
    """

    def __init__(self) -> None:
        self.wanted: deque[str] = deque(maxlen=8)
        self._heard: set[threading.Event] = set()

    def listen(self) -> threading.Event:
        """Make what is set whenever the server says something."""
        heard = threading.Event()
        self._heard = {*self._heard, heard}
        return heard

    def leave(self, heard: threading.Event) -> None:
        """Let go what `listen` made."""
        self._heard = self._heard - {heard}

    def start(self, source: int = 0) -> None:
        """Begin to hear a file descriptor, in a thread of its own."""
        threading.Thread(target=self._run, args=(os.fdopen(source, "rb"),), daemon=True).start()

    def _run(self, source: BinaryIO) -> None:
        for line in source:
            if line.startswith(_READY):
                self.wanted.append(line.removeprefix(_READY).decode(errors="replace").strip())
            for heard in self._heard:
                heard.set()
        os._exit(0)
