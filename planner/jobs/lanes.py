"""Lanes: which jobs wait behind which."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lane:
    """Kinds of jobs that wait for the same runners.

    Attributes
    ----------
    name
        What it is called by.
    kinds
        Its kinds of jobs; all that no other lane has when empty.
    more
        Runners besides those that the server was told to keep.
    """

    name: str
    kinds: tuple[str, ...] = ()
    more: int = 0

    @property
    def others(self) -> tuple[str, ...]:
        """Kinds that other lanes have, which this one leaves alone."""
        return () if self.kinds else tuple(kind for lane in LANES for kind in lane.kinds)


SITING = "siting"
"""Kind of the runs of siting models."""

IMPORT = "import"
"""Kind of the imports of a table."""

# Whoever asks a model sits before the desk and waits, so a report of minutes is never in the
# way; nor is the long proof of somebody else, for there is one runner more. An import takes
# seconds, and waits for neither.
LANES = (Lane("answers", (SITING,), more=1), Lane("imports", (IMPORT,)), Lane("papers"))
"""Every lane."""


def lane_of(name: str) -> Lane:
    """Find a lane by its name.

    Examples
    --------
    >>> lane_of("papers").others
    ('siting', 'import')
    """
    return next(lane for lane in LANES if lane.name == name)
