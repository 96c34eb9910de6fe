"""A look at a table that somebody brings: all that is shown before it is taken in."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Semaphore
from typing import TYPE_CHECKING, Any, Self

from layers import City
from layers.errors import CrsError, InputError, PlannerError, SourceError
from layers.messages import language, speaking, text
from layers.sources.files import Source
from planner.ground import Ground
from planner.intake import columns, parts, repeated, take_in
from planner.review.backdrop import Backdrop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from layers.additions import How
    from layers.database import Address
    from layers.messages import Language
    from planner.intake import Intake

LARGE = 1 << 20
"""Bytes from which a file is looked at in a process of its own."""

# Each holds a city and a table.
_AT_ONCE = Semaphore(2)
_TICK_S = 0.2
# Below the desks.
_NICE = 10


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Look:
    """What a table holds as it was read.

    Attributes
    ----------
    options
        How it was read.
    parts, columns
        As `planner.intake.parts` and `planner.intake.columns` tell them.
    told
        What would be taken; None where nothing could.
    wrong
        Why nothing could.
    pairs
        As `planner.intake.repeated` tells them.
    lost
        The rejected rows as a file.
    """

    options: Mapping[str, str]
    parts: tuple[str, tuple[str, ...]] = ("sheet", ())
    columns: tuple[str, ...] = ()
    told: Intake | None = None
    wrong: PlannerError | None = None
    pairs: list[tuple[str, str]] = field(default_factory=list)
    lost: bytes = b""

    @classmethod
    def at(cls, source: Source, city: City, backdrop: Callable[[], Backdrop], how: How) -> Self:
        """Look at a table; what is wrong with it is told, not raised.

        Parameters
        ----------
        source
            The file; of several sheets or layers the first is read unless the options say.
        city
            Where its rows should lie.
        backdrop
            Gives the city's streets.
        how
            As `planner.intake.repeated` takes it.
        """
        seen = cls(options=dict(source.options))
        try:
            option, names = own = parts(source)
            seen = replace(seen, parts=own)
            if len(names) > 1 and option not in source.options:
                source = Source(source.path, {**source.options, option: names[0]})
                seen = replace(seen, options=dict(source.options))
            seen = replace(seen, columns=columns(source))
            told = take_in(source, city, backdrop())
            pairs = repeated(city, told.places, how)
        except PlannerError as wrong:
            return replace(seen, wrong=wrong)
        rejected = told.places.rejected
        lost = b"" if rejected is None else rejected.as_csv()
        return replace(seen, told=told, pairs=pairs, lost=lost)

    def __repr__(self) -> str:
        return f"<Look: {self.wrong or self.told!r}>"


@dataclass(frozen=True, kw_only=True)
class _Asked:
    source: Source
    place: Path | Address
    # Of the layers, so that none but the city that is meant is held against the table.
    sums: Mapping[str, str]
    how: How
    lang: Language


def look_beside(
    source: Source,
    city: City,
    place: Path | Address,
    how: How,
    *,
    cancelled: Callable[[], bool] = lambda: False,
) -> Look | None:
    """Look at a table in a process of its own, which leaves this one free.

    A large table keeps the interpreter busy for seconds in which nobody else is answered.

    Parameters
    ----------
    source, city, how
        As `Look.at` takes them.
    place
        Where the city lies.
    cancelled
        Tells whether nobody wants it any more.

    Returns
    -------
    What was seen; None where another city lies in that place now.

    Raises
    ------
    SourceError
        Nobody wants it any more, or the process ended before it had seen anything, perhaps
        for want of memory.
    """
    asked = _Asked(source=source, place=place, sums=_sums(city), how=how, lang=language())
    given: bytes | None = pickle.dumps(asked)
    with _AT_ONCE:
        child = subprocess.Popen(
            [sys.executable, "-m", "planner.look"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with child:
            try:
                while True:
                    try:
                        seen, _ = child.communicate(given, timeout=_TICK_S)
                        break
                    except subprocess.TimeoutExpired:
                        given = None
                    if cancelled():
                        raise SourceError(text("desk.was_cancelled"))
            finally:
                child.kill()
    if child.returncode:
        raise SourceError(text("import.look_died", path=source.path.name))
    # It comes from a child of ours.
    found: Look | None = pickle.loads(seen)  # noqa: S301
    return found


def _sums(city: City) -> dict[str, str]:
    return {name: origin.checksum for name, origin in city.provenance.items()}


def _plain(wrong: PlannerError | None) -> PlannerError | None:
    """Make an error that can be sent."""
    if wrong is None:
        return None
    kind = next((one for one in (CrsError, SourceError) if isinstance(wrong, one)), InputError)
    return kind(str(wrong))


def main() -> int:
    """Look at the table that standard input names, and write what was seen."""
    # Whatever a library prints shall not come between.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(AttributeError, OSError):
        os.nice(_NICE)
    asked: Any = pickle.load(sys.stdin.buffer)  # noqa: S301 - of the server that began it
    with speaking(asked.lang):
        seen = None
        city = City.open(asked.place)
        if _sums(city) == asked.sums:
            ground = Ground.of(city.streets, crs=city.crs)
            seen = Look.at(asked.source, city, lambda: Backdrop(ground), asked.how)
            seen = replace(seen, wrong=_plain(seen.wrong))
    pickle.dump(seen, out, protocol=pickle.HIGHEST_PROTOCOL)
    out.close()
    return 0


if __name__ == "__main__":
    # Under its own name, so that what is sent is known at the other end.
    from planner.look import main as looked

    sys.exit(looked())
