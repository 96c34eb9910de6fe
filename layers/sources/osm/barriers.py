"""Gates and bollards: where a way is cut for those whom they keep out.

A barrier stands at a node, but who may pass is a matter of streets. The metre of way
beside the node becomes a street of its own, closed to those who may not pass; lengths and
lines stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from layers.sources.osm.chains import Flags, Floats, Ints
from layers.streets import MODES, Mode

_METRE = 1.0
# Two barriers on one stretch must leave some of it between them.
_SHARE = 1 / 3
_METRES_PER_DEGREE = 111_195.0

BITS: Mapping[Mode, int] = {mode: 1 << n for n, mode in enumerate(MODES)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs:
    """Runs of points along ways.

    Attributes
    ----------
    ref, xy
        Node and place of each point.
    run
        Run of each point, from zero.
    of
        What each run is a part of: its number before the cut.
    shut
        Modes that a barrier keeps out of each run, as bits.
    cut
        Nodes at which a way was cut.
    """

    ref: Ints
    xy: Floats
    run: Ints
    of: Ints
    shut: Ints
    cut: int = 0


def bits(modes: Any) -> int:
    """Modes as bits.

    Examples
    --------
    >>> bits({"walk", "drive"})
    5
    """
    return sum(BITS[mode] for mode in modes)


def cut(ref: Ints, xy: Floats, run: Ints, may: Ints, barriers: Mapping[int, int]) -> Runs:
    """Cut runs beside barriers.

    Parameters
    ----------
    ref, xy, run
        Node, place and run of each point; runs ascend from zero.
    may
        Modes that may use each run, as bits.
    barriers
        Modes that each node keeps out, as bits.

    Returns
    -------
    The runs with a metre closed on all but one of the arms that meet at a barrier, so
    that no way through it is left and nothing is closed at a dead end. New nodes have
    ids below zero. Where nothing may pass at all the metre is left out.
    """
    point, ahead, mask = _arms(ref, xy, run, may, barriers)
    if not len(point):
        runs = len(may)
        return Runs(ref=ref, xy=xy, run=run, of=np.arange(runs), shut=np.zeros(runs, np.int64))
    count = len(np.unique(ref[point]))
    # Along the ways; of two on one stretch the one that leads away from its barrier first.
    order = np.lexsort((~ahead, point + ahead))
    point, ahead, mask = point[order], ahead[order], mask[order]
    made = _between(xy[point], xy[point + np.where(ahead, 1, -1)])
    fresh = -1 - np.arange(len(point))
    at = np.insert(np.arange(len(ref)), point + ahead, fresh)
    where = np.flatnonzero(at < 0)
    barrier = where + np.where(ahead, -1, 1)
    ref, xy, run = ref[at], xy[at], run[at]
    ref[where], xy[where] = fresh, made
    run[where] = run[barrier]
    breaks = np.zeros(len(at), bool)
    breaks[where] = breaks[barrier] = True
    shut = np.zeros(len(at), np.int64)
    shut[np.where(ahead, barrier, where)] = mask
    return _broken(ref, xy, run, breaks, shut, may, count)


def _arms(
    ref: Ints, xy: Floats, run: Ints, may: Ints, barriers: Mapping[int, int]
) -> tuple[Ints, Flags, Ints]:
    """Arms to be closed: the point at the barrier, whether the arm leads on, for whom."""
    known = np.array(sorted(barriers), dtype=np.int64)
    masks = np.array([barriers[int(node)] for node in known], dtype=np.int64)
    point = np.flatnonzero(np.isin(ref, known)) if len(known) else np.zeros(0, np.int64)
    point = point[np.argsort(ref[point], kind="stable")]
    mask = masks[np.searchsorted(known, ref[point])] & may[run[point]]
    point, mask = np.repeat(point, 2), np.repeat(mask, 2)
    ahead = np.arange(len(point)) % 2 == 0
    other = np.clip(point + np.where(ahead, 1, -1), 0, len(ref) - 1)
    leads = (run[other] == run[point]) & (xy[other] != xy[point]).any(axis=1) & (mask > 0)
    point, ahead, mask = point[leads], ahead[leads], mask[leads]
    again = np.zeros(len(point), bool)
    again[1:] = ref[point[1:]] == ref[point[:-1]]
    return point[again], ahead[again], mask[again]


def _between(here: Floats, there: Floats) -> Floats:
    """Places a metre on the way from some places to others, or a third of the way."""
    across = (there - here) * _METRES_PER_DEGREE
    across[:, 0] *= np.cos(np.radians(here[:, 1]))
    share = np.minimum(_METRE / np.hypot(across[:, 0], across[:, 1]), _SHARE)
    made: Floats = here + (there - here) * share[:, None]
    return made


def _broken(
    ref: Ints, xy: Floats, run: Ints, breaks: Flags, shut: Ints, may: Ints, count: int
) -> Runs:
    """Begin a run at every break, and leave out those that nobody may use."""
    # A point that ends one run and begins the next is there twice.
    at = np.repeat(np.arange(len(ref)), 1 + breaks)
    second = np.zeros(len(at), bool)
    second[1:] = at[1:] == at[:-1]
    begins = second.copy()
    begins[0] = True
    begins[1:] |= run[at[1:]] != run[at[:-1]]
    first = np.flatnonzero(begins)
    size = np.diff(first, append=len(at))
    of = run[at[first]]
    closed = np.where(second[first], shut[at[first]], 0)
    kept = (size > 1) & (may[of] & ~closed > 0)
    at = at[np.repeat(kept, size)]
    return Runs(
        ref=ref[at],
        xy=xy[at],
        run=np.repeat(np.arange(int(kept.sum())), size[kept]),
        of=of[kept],
        shut=closed[kept],
        cut=count,
    )
