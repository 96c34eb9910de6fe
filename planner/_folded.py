"""A graph with its chains and trees folded away, in ranges that are searched one by one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from planner._threads import processors

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from planner._search import Floats, Ints, Shorts

TILE = 1 << 17
"""Nodes of a tile, whose arcs and labels a processor's cache still holds."""
LEAST_TILE = 1 << 14
_FEWEST = {2: LEAST_TILE, 4: 1 << 15}
"""Tiles that a graph has at least if each holds so many nodes: some take twice as long."""
MOST_BUCKETS = 1 << 16
_NARROWEST = 2.0**-1000
"""Width of a bucket that can still be divided by."""
LEAST_PART = 1 << 15
"""Nodes worth a thread of their own."""


@dataclass(frozen=True, eq=False)
class Tiles:
    """Ranges of nodes that are searched each for itself, and what leads from one to another.

    Attributes
    ----------
    ends
        Where each range begins, and where the last one ends.
    crowd
        How many nodes of each lie around any of them, as one range is to another.
    arc, tail
        Arcs between ranges, and the nodes that they lead away from.
    """

    ends: Ints
    crowd: Floats
    arc: Ints
    tail: Shorts

    @classmethod
    def over(cls, start: Ints, arcs: NDArray[Any], kernels: ModuleType) -> Self:
        """Cut the nodes of a graph into ranges.

        Parameters
        ----------
        start, arcs
            Compressed rows.
        kernels
            The compiled kernels that fold.
        """
        nodes = len(start) - 1
        fewest = [min(count, nodes // least) for count, least in _FEWEST.items()]
        count = max(-(-nodes // TILE), *fewest, 1)
        # With as many arcs each, which is what a search goes through.
        ends = np.searchsorted(start, np.linspace(0, len(arcs), count + 1))
        ends[0], ends[-1] = 0, nodes
        pieces = [arcs["cost"][start[low] : start[high]] for low, high in pairwise(ends)]
        common = np.array([_common(piece) for piece in pieces])
        return cls(ends, (common.min() / common) ** 2, *kernels.crossing(start, arcs, ends))

    @property
    def count(self) -> int:
        """Number of ranges."""
        return len(self.ends) - 1

    @cached_property
    def ranges(self) -> list[tuple[int, int]]:
        """First node of each range, and the one after its last."""
        return list(pairwise(self.ends.tolist()))


def _threads(nodes: int) -> int:
    return min(processors(), 1 + nodes // LEAST_PART)


def _common(cost: Floats) -> float:
    """Cost of a common arc, never zero."""
    finite = cost[np.isfinite(cost)]
    return float(finite.mean()) or 1.0 if len(finite) else 1.0


def widths(cost: Floats) -> tuple[float, float]:
    """Cost of a common arc and of the dearest; neither is zero."""
    finite = cost[np.isfinite(cost)]
    if not len(finite) or finite.max() == 0.0:
        return 1.0, 1.0
    most = float(finite.max())
    # The mean, not the median: all distances together then span no more buckets than
    # there are arcs, however unlike the arcs are.
    return max(float(finite.mean()), most / MOST_BUCKETS, _NARROWEST), most


@dataclass(frozen=True, eq=False)
class Chains:
    """Chains of nodes between two nodes of the core.

    Attributes
    ----------
    start
        Where each chain's nodes begin in `inner`, one more than there are chains.
    ends
        Nodes of the core at the two ends of each.
    legs
        Where the costs along each begin in the folded graph's `legs`, there and back.
    inner
        The nodes.
    """

    start: Shorts
    ends: Shorts
    legs: Shorts
    inner: Shorts

    @cached_property
    def parts(self) -> list[tuple[int, int]]:
        """Ranges of chains with about as many nodes each, one for each thread."""
        if not len(self.ends):
            return []
        wanted = np.linspace(0, len(self.inner), _threads(len(self.inner)) + 1)[1:-1]
        cuts = np.unique(np.searchsorted(self.start, wanted, side="right") - 1)
        return list(pairwise([0, *cuts[cuts > 0].tolist(), len(self.ends)]))


@dataclass(frozen=True, eq=False)
class Trees:
    """Nodes that hang on the rest by one other node, each after what it hangs on.

    Attributes
    ----------
    node, parent
        The nodes, and what each hangs on.
    up, down
        Cost to its parent and from it.
    cut
        Whether none from each on hangs on one before it.
    """

    node: Shorts
    parent: Shorts
    up: Floats
    down: Floats
    cut: NDArray[np.bool_]

    @cached_property
    def parts(self) -> list[tuple[int, int]]:
        """Ranges of nodes that can be labelled each for itself, one for each thread."""
        allowed = np.flatnonzero(self.cut)
        if not len(allowed):
            return []
        wanted = np.linspace(0, len(self.node), _threads(len(self.node)) + 1)[:-1]
        cuts = np.unique(allowed[np.searchsorted(allowed, wanted).clip(max=len(allowed) - 1)])
        return list(pairwise([*cuts.tolist(), len(self.node)]))


@dataclass(frozen=True, eq=False)
class Folded:
    """A graph with its chains and trees folded away.

    Attributes
    ----------
    core
        The nodes that are left, in their order.
    place
        Where each node of the graph stands: its number in the core, or -1 for the first
        node of the chains, -2 for the next, and so on through the trees.
    start, arcs
        The core as compressed rows.
    leg, legs
        Costs that an arc along a chain is made of, and where each arc's begin; one that is
        not along a chain has none.
    chains, trees
        What is folded away.
    widths
        Cost of a common arc and of the dearest.
    tiles
        Ranges of the core that are searched each for itself.
    """

    core: Shorts
    place: Shorts
    start: Ints
    arcs: NDArray[Any]
    leg: Shorts
    legs: Floats
    chains: Chains
    trees: Trees
    widths: tuple[float, float]
    tiles: Tiles

    @classmethod
    def of(cls, start: Ints, arcs: NDArray[Any], kernels: ModuleType) -> Self:
        """Fold a graph.

        Parameters
        ----------
        start, arcs
            Compressed rows.
        kernels
            The compiled kernels that fold.
        """
        nodes = len(start) - 1
        place, inner, tree, parent = np.empty((4, nodes), dtype=np.int32)
        chain_start = np.empty(nodes + 1, dtype=np.int32)
        chain_ends = np.empty((nodes, 2), dtype=np.int32)
        up, down = np.empty((2, nodes))
        core, chains, inside, leaves, count = kernels.outline(
            start, arcs, place, inner, chain_start, chain_ends, tree, parent, up, down
        )
        inner, chain_ends = inner[:inside].copy(), chain_ends[:chains].copy()
        chain_start = chain_start[: chains + 1].copy()
        own, begin = np.empty(core, dtype=np.int32), np.empty(core + 1, dtype=np.int64)
        made, leg = np.empty(count, dtype=arcs.dtype), np.empty(count + 1, dtype=np.int32)
        legs = np.empty(2 * (inside + chains))
        chain_legs = np.empty((chains, 2), dtype=np.int32)
        kernels.fill(
            *(start, arcs, place, inner, chain_start, chain_ends),
            *(own, begin, made, leg, legs, chain_legs),
        )
        # Each was taken away before what it hangs on, and is found after it.
        tree, parent = (column[:leaves][::-1].copy() for column in (tree, parent))
        up, down = (column[:leaves][::-1].copy() for column in (up, down))
        cut = np.empty(leaves, dtype=np.bool_)
        numbers = place[chain_ends]
        kernels.settle(place, inner, tree, parent, cut)
        return cls(
            *(own, place, begin, made, leg, legs),
            Chains(chain_start, numbers, chain_legs, inner),
            Trees(tree, parent, up, down, cut),
            widths(np.ascontiguousarray(made["cost"])),
            Tiles.over(begin, made, kernels),
        )
