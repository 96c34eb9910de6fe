"""Slip roads: where two doubled roads cross, cars turn right without reaching the crossing."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from layers.sources.modelled.net import BACKWARD, CLASS, FORWARD

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_NEAREST: Final = 22.0
_FARTHEST: Final = 38.0
_ROOM: Final = 150.0


@dataclass(frozen=True)
class Slips:
    """Where slip roads leave and join.

    Attributes
    ----------
    code
        Ends of all edges, those of the cut carriageways replaced, the new ones added.
    source
        For each edge the one whose class, way and name it has; a slip road has those of the
        carriageway it leaves.
    slip
        Whether an edge is a slip road.
    way
        Way of each slip road.
    corner
        For each new node the code of the corner it lies beside.
    shift
        Metres east and north of that corner.
    """

    code: Ints
    source: Ints
    slip: Bools
    way: Ints
    corner: Ints
    shift: Floats


def cut(
    code: Ints,
    upright: Bools,
    metres: Floats,
    both: Bools,
    *,
    first: int,
    share: float,
    rng: np.random.Generator,
) -> Slips:
    """Lead slip roads across the corners of crossings of doubled roads.

    Parameters
    ----------
    code
        Ends of each edge: four times the node, plus one for its eastern and two for its
        northern copy. Only as many as `upright` has are carriageways and streets.
    upright
        Whether a street runs north.
    metres
        How long each street is, about.
    both
        Whether a node is doubled east and west, and north and south.
    first
        The first code that is free.
    share
        Share of corners that have a slip road.
    rng
        Where the random numbers come from.

    Returns
    -------
    Slips
        The edges with slip roads.
    """
    count = len(upright)
    crossing = both[0] & both[1]
    # The edge along each axis that leaves each corner; there is one at most.
    leaving = np.full((2, 4 * both.shape[1]), -1)
    side = np.zeros_like(leaving)
    for end in (0, 1):
        at = code[end, :count]
        good = crossing[at // 4] & (metres > _ROOM)
        leaving[upright[good].astype(np.int64), at[good]] = np.flatnonzero(good)
        side[upright[good].astype(np.int64), at[good]] = end
    corner = np.flatnonzero((leaving >= 0).all(axis=0))
    corner = corner[rng.random(len(corner)) < share]
    away = rng.uniform(_NEAREST, _FARTHEST, len(corner))
    east, north = corner % 2, corner // 2 % 2
    nodes = first + np.arange(2 * len(corner)).reshape(2, -1)
    new = code.copy()
    short = []
    for axis in (0, 1):
        edge, end = leaving[axis, corner], side[axis, corner]
        new[end, edge] = nodes[axis]
        ends = np.stack([nodes[axis], nodes[axis]])
        ends[end, np.arange(len(corner))] = corner
        short.append(ends)
    nought = np.zeros(len(corner))
    return Slips(
        code=np.concatenate([new, *short, nodes], axis=1),
        source=np.concatenate([np.arange(code.shape[1]), *leaving[:, corner], leaving[0, corner]]),
        slip=np.arange(code.shape[1] + 3 * len(corner)) >= code.shape[1] + 2 * len(corner),
        # Cars keep right: at the south-western and north-eastern corner they leave the road
        # that runs east or west, at the others the one that runs north or south.
        way=np.where(east == north, FORWARD, BACKWARD),
        corner=np.concatenate([corner, corner]),
        shift=np.concatenate(
            [
                np.column_stack([(2 * east - 1) * away, nought]),
                np.column_stack([nought, (2 * north - 1) * away]),
            ]
        ),
    )


SLIP_CLASS: Final = CLASS["secondary"]
"""Class of a slip road on the ground."""
