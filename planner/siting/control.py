"""Control: how long a solve may take, who hears of it, and how it is stopped."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from layers.errors import InputError
from layers.messages import text

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

Stop = Literal["time", "gap", "interrupt", "size"]
Sense = Literal["max", "min"]

_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a solve has come.

    Attributes
    ----------
    best
        Objective of the best found so far, None before there is one.
    bound
        No choice of sites can do better than this; None before it is known.
    seconds
        Time taken so far.
    what
        What is being done: a key of the catalogue's table ``siting.stage``.
    """

    best: float | None
    bound: float | None
    seconds: float
    what: str

    @property
    def gap(self) -> float:
        """Relative gap between the two, inf before both are known."""
        return relative_gap(self.best, self.bound)


@dataclass(frozen=True, kw_only=True, eq=False)
class Control:
    """Limits of a solve's time and accuracy.

    Attributes
    ----------
    progress
        Called now and then.
    gap
        Stop once the best is proved to be this near the optimum, relatively; 0 for the
        optimum itself.
    seconds
        Stop after this time with the best so far.
    cancelled
        Asked now and then whether to stop with the best so far, as Ctrl-C does.
    """

    progress: Callable[[Progress], None] | None = None
    gap: float = 0.0
    seconds: float = float("inf")
    cancelled: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        for name in ("gap", "seconds"):
            if not getattr(self, name) >= 0:
                found = getattr(self, name)
                raise InputError(text("siting.limit_negative", name=name, found=found))


class Watch:
    """One solve under control, as a context: its clock and whether it should stop.

    Within the block Ctrl-C (SIGINT) does not raise but asks for the best so far; a
    second one raises `KeyboardInterrupt` as usual. Outside the main thread, where
    signals are not heard, `Control.cancelled` serves.

    Parameters
    ----------
    control
        Limits; none when None.

    Attributes
    ----------
    control
        Limits.
    stopped
        Why the solve was asked to stop, None if it was not.
    """

    def __init__(self, control: Control | None = None) -> None:
        self.control = control or Control()
        self.stopped: Stop | None = None
        self._begun = time.perf_counter()
        self._before: Any = None
        self._pressed = False

    def __enter__(self) -> Self:
        self._begun = time.perf_counter()
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
            signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _press(self, *_: object) -> None:
        if self._pressed:
            raise KeyboardInterrupt
        self._pressed = True

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.perf_counter() - self._begun

    @property
    def left(self) -> float:
        """Time left."""
        return max(0.0, self.control.seconds - self.seconds)

    def should_stop(self) -> bool:
        """Whether to stop now; ask often. `stopped` then says why."""
        if self.stopped is None:
            asked = self.control.cancelled
            if self._pressed or (asked is not None and asked()):
                self.stopped = "interrupt"
            elif self.seconds >= self.control.seconds:
                self.stopped = "time"
        return self.stopped is not None

    def near_enough(self, best: float | None, bound: float | None) -> bool:
        """Whether the gap is within what is wanted; says so in `stopped` if it is not nought."""
        gap = relative_gap(best, bound)
        if gap <= self.control.gap and self.stopped is None and gap > 0:
            self.stopped = "gap"
        return gap <= self.control.gap

    def tell(self, best: float | None, bound: float | None, what: str) -> None:
        """Tell whoever listens how far it has come."""
        if self.control.progress is not None:
            self.control.progress(Progress(best, bound, self.seconds, what))


def relative_gap(best: float | None, bound: float | None) -> float:
    """|bound - best| / |best|, inf where one is not known and 0 where both are equal."""
    if best is None or bound is None:
        return float("inf")
    if best == bound:
        return 0.0
    return abs(bound - best) / max(abs(best), _TINY)
