"""Memo: values made once each, when first asked for, whatever threads ask."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Value = TypeVar("Value")


class Memo(Generic[Value]):
    """Values by their keys, each made by whoever asks first while others wait for that one alone.

    Different values are made at the same time: a slow one holds up nobody who does not want it.

    Parameters
    ----------
    most
        How many are held; the one used longest ago goes first. All when None.

    Examples
    --------
    >>> memo = Memo(most=1)
    >>> memo.get("a", lambda: 1), memo.get("a", lambda: 2), memo.get("b", lambda: 3)
    (1, 1, 3)
    >>> memo.peek("a") is None, memo.peek("b")
    (True, 3)
    """

    def __init__(self, *, most: int | None = None) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, Value] = OrderedDict()
        self._turns: dict[Hashable, Lock] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Find a value, or make it; what making it raises is raised, and nothing is held."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            turn = self._turns.setdefault(key, Lock())
        with turn:
            with self._lock:
                if key in self._held:
                    return self._held[key]
            made = make()
            with self._lock:
                self._held[key] = made
                self._turns.pop(key, None)
                while self._most is not None and len(self._held) > self._most:
                    self._held.popitem(last=False)
        return made

    def peek(self, key: Hashable) -> Value | None:
        """Find a value that is at hand; None where it is not, also while it is being made."""
        with self._lock:
            return self._held.get(key)

    def values(self) -> list[Value]:
        """Values at hand, the one used longest ago first."""
        with self._lock:
            return list(self._held.values())

    def __repr__(self) -> str:
        return f"<Memo of {len(self._held)} values>"
