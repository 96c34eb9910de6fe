"""Which process a runner is, and whether it is still at work."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def name_of(pid: int) -> str:
    """Tell what the runner with a process number is called by."""
    return f"{socket.gethostname()}:{pid}:{_born(pid)}"


def lives(runner: str) -> bool | None:
    """Whether a runner is at work; None for one of another machine."""
    host, pid, born = runner.rsplit(":", 2)
    if host != socket.gethostname():
        return None
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return None
    return _born(int(pid)) == born


def _born(pid: int) -> str:
    """When a process began, where the system tells: numbers of processes are used again."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return told.rpartition(")")[2].split()[19]
