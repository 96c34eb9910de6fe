"""A net of blocks that grow smaller where people live closer, as nodes and edges.

The plane is divided into square blocks, a block again into four where there are people
enough, and so on. The sides of the blocks are the streets; those on the coarser lines are
the greater roads. Blocks may have arms reaching in from the middle of their sides: dead-end
streets and footways. Nothing crosses, whatever bends the plane afterwards without folding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FINE: Final = 8
"""Smallest block in units of the lattice: room for arms twice over."""
LEVELS: Final = 7
ROOT: Final = FINE << (LEVELS - 1)
"""Greatest block in units of the lattice."""

SIDE, ARM, FOOTWAY = 0, 1, 2
"""Kinds of edge: side of a block, street into a block, footway."""

_SETTLED: Final = 4 * FINE
"""Greatest block that streets reach into: open country has none."""
_STRIDE: Final = 1 << 20


@dataclass(frozen=True)
class Lattice:
    """Nodes and edges in units of the lattice.

    Attributes
    ----------
    nodes
        Column and row of each node.
    ends
        First and second node of each edge; the second lies east or north.
    upright
        Whether an edge runs north.
    kind
        `SIDE`, `ARM` or `FOOTWAY`.
    """

    nodes: Ints
    ends: Ints
    upright: Bools
    kind: npt.NDArray[np.int8]


@dataclass(frozen=True)
class Arms:
    """How blocks are crossed.

    Attributes
    ----------
    one, two, four
        Shares of inhabited blocks with one street reaching in, two that meet, four.
    footways
        Share of inhabited blocks whose other sides send in footways.
    finer
        Share of their quarters divided once more by footways.
    paths
        Width in units of the greatest block that footways reach into.
    """

    one: float
    two: float
    four: float
    footways: float
    finer: float
    paths: int


def grow(
    shape: tuple[int, int],
    wanted: Callable[[Floats, int], Floats],
    arms: Arms,
    rng: np.random.Generator,
) -> Lattice:
    """Divide blocks until they are as small as is wanted.

    Parameters
    ----------
    shape
        Columns and rows of the greatest blocks.
    wanted
        Given the middles of blocks in units and their width in units, returns the width that
        is wanted there; nought or less where there is to be no block at all.
    arms
        How blocks are crossed.
    rng
        Where the random numbers come from.

    Returns
    -------
    Lattice
        Nodes and edges.
    """
    column, row = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]))
    blocks = np.column_stack([column.ravel(), row.ravel()]) * ROOT
    corners: list[Ints] = []
    widths: list[Ints] = []
    width = ROOT
    while True:
        want = wanted((blocks + width / 2.0).astype(np.float64), width)
        kept = want > 0
        blocks, want = blocks[kept], want[kept]
        split = (want * rng.uniform(0.8, 1.25, len(want)) < width) & (width > FINE)
        corners.append(blocks[~split])
        widths.append(np.full(int((~split).sum()), width))
        if not split.any():
            break
        width //= 2
        steps = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * width
        blocks = (blocks[split][:, None, :] + steps).reshape(-1, 2)
    return _edges(np.concatenate(corners), np.concatenate(widths), arms, rng)


def _edges(corner: Ints, width: Ints, arms: Arms, rng: np.random.Generator) -> Lattice:
    x, y = corner.T
    flat = [(y, x, x + width, SIDE), (y + width, x, x + width, SIDE)]
    upright = [(x, y, y + width, SIDE), (x + width, y, y + width, SIDE)]
    # Only blocks of towns and villages are crossed; open country is not.
    settled = width <= max(_SETTLED, arms.paths)
    middle = _middle_arms(x[settled], y[settled], width[settled] // 2, arms, rng)
    flat += middle[0]
    upright += middle[1]
    spots = np.concatenate(
        [
            np.concatenate([_key(a, line) for line, a, _, _ in flat]),
            np.concatenate([_key(b, line) for line, _, b, _ in flat]),
            np.concatenate([_key(line, a) for line, a, _, _ in upright]),
            np.concatenate([_key(line, b) for line, _, b, _ in upright]),
        ]
    )
    key = np.unique(spots)
    nodes = np.column_stack([key // _STRIDE, key % _STRIDE])
    first, kind_flat = _joined(nodes[:, 1], nodes[:, 0], flat)
    second, kind_upright = _joined(nodes[:, 0], nodes[:, 1], upright)
    return Lattice(
        nodes=nodes,
        ends=np.concatenate([first, second], axis=1),
        upright=np.repeat([False, True], [first.shape[1], second.shape[1]]),
        kind=np.concatenate([kind_flat, kind_upright]),
    )


_Segments = list[tuple[Ints, Ints, Ints, int]]


def _middle_arms(
    x: Ints, y: Ints, half: Ints, arms: Arms, rng: np.random.Generator
) -> tuple[_Segments, _Segments]:
    """Let streets and footways reach from the sides of blocks to their middles."""
    count = len(x)
    draw = rng.random(count)
    number = np.select(
        [draw < arms.one, draw < arms.one + arms.two, draw < arms.one + arms.two + arms.four],
        [1, 2, 4],
        0,
    )
    number[half * 2 > _SETTLED] = 0
    order = np.argsort(rng.random((count, 4)), axis=1)
    street = order < number[:, None]
    walked = rng.random(count) < arms.footways
    foot = walked[:, None] & ~street
    flat: _Segments = []
    upright: _Segments = []
    for chosen, kind in ((street, ARM), (foot, FOOTWAY)):
        west, east, south, north = chosen.T
        flat.append(((y + half)[west], x[west], (x + half)[west], kind))
        flat.append(((y + half)[east], (x + half)[east], (x + 2 * half)[east], kind))
        upright.append(((x + half)[south], y[south], (y + half)[south], kind))
        upright.append(((x + half)[north], (y + half)[north], (y + 2 * half)[north], kind))
    if arms.finer:
        quarter = np.repeat(walked & (half >= FINE // 2), 4)
        steps = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
        qx = (x[:, None] + half[:, None] * steps[:, 0]).ravel()
        qy = (y[:, None] + half[:, None] * steps[:, 1]).ravel()
        chosen = quarter & (rng.random(len(qx)) < arms.finer)
        qh = np.repeat(half, 4)[chosen] // 2
        qx, qy = qx[chosen], qy[chosen]
        flat.append((qy + qh, qx, qx + 2 * qh, FOOTWAY))
        upright.append((qx + qh, qy, qy + 2 * qh, FOOTWAY))
    return flat, upright


def _key(x: Ints, y: Ints) -> Ints:
    return x * _STRIDE + y


def _joined(line: Ints, place: Ints, segments: _Segments) -> tuple[Ints, npt.NDArray[np.int8]]:
    """Join neighbours on a line wherever a segment lies between them."""
    key = _key(line, place)
    order = np.argsort(key)
    ordered = key[order]
    best = np.full(len(key), 127, dtype=np.int8)
    for kind in (FOOTWAY, ARM, SIDE):
        change = np.zeros(len(key) + 1, dtype=np.int64)
        for on, start, end, of_kind in segments:
            if of_kind == kind:
                np.add.at(change, np.searchsorted(ordered, _key(on, start)), 1)
                np.add.at(change, np.searchsorted(ordered, _key(on, end)), -1)
        best[np.cumsum(change)[:-1] > 0] = kind
    joined = np.flatnonzero(best < 127)  # noqa: PLR2004 - none of the kinds
    return np.stack([order[joined], order[joined + 1]]), best[joined]
