"""Several servers at ports one after another, each started again should it stop."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LOOK_S = 0.5
# One that does not even start is not started for ever.
_LEAST_LIFE_S = 5.0
_SHORT_LIVES = 5
_PATIENCE_S = 15.0


def keep_running(
    commands: Sequence[Sequence[str]], *, stopped: Callable[[int], None] = lambda _which: None
) -> int:
    """Run programs until this one is told to stop, and start again those that stop.

    Parameters
    ----------
    commands
        What follows the name of Python for each.
    stopped
        Told which one has stopped and is started again.

    Returns
    -------
    0 when told to stop, 1 when one of them stops soon after every start.
    """
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda told, _frame: asked.append(told))
    begun = [time.monotonic() for _ in commands]
    short = [0 for _ in commands]
    running = [_start(command) for command in commands]
    try:
        while not asked:
            for which, process in enumerate(running):
                if process.poll() is None:
                    continue
                lived = time.monotonic() - begun[which]
                short[which] = short[which] + 1 if lived < _LEAST_LIFE_S else 0
                if short[which] >= _SHORT_LIVES:
                    return 1
                stopped(which)
                running[which], begun[which] = _start(commands[which]), time.monotonic()
            time.sleep(_LOOK_S)
    finally:
        _stop(running)
    return 0


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *command])  # noqa: S603 - this program's own


def _stop(running: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in running:
        process.terminate()
    end = time.monotonic() + _PATIENCE_S
    for process in running:
        try:
            process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
