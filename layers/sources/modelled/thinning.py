"""Which streets of a full net of blocks are missing, as some always are."""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from layers.sources.modelled.net import CLASS, chain_ends, chains
from layers.sources.modelled.style import Style

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

TOWN: Final = 1200.0
"""People on a km² from which land counts as town."""

_MOUNTAIN: Final = 0.45
_WILD: Final = 0.78


def chances(classes: Ints, people: Floats, relief: Floats, style: Style) -> Floats:
    """Return how likely each street is to be missing.

    Parameters
    ----------
    classes
        Place of each street's class in the list of classes.
    people, relief
        Residents per km² and relief at both ends of each street.
    style
        What the streets are like.

    Returns
    -------
    NDArray
        A share for each street: great roads stay, mountain roads are few.
    """
    town = people.mean(axis=0) >= TOWN
    share = np.select(
        [classes <= CLASS["primary"], classes == CLASS["secondary"], classes == CLASS["tertiary"]],
        [0.0, style.thin_secondary, style.thin_tertiary],
        style.thin_residential,
    )
    share = np.where(town, share, np.maximum(share, style.thin_country))
    wild = relief.mean(axis=0) > _MOUNTAIN
    return np.asarray(np.where(wild & ~town, _WILD, share))


def kept(
    ends: Ints,
    may_go: Bools,
    driven: Bools,
    share: Floats,
    cost: Floats,
    rng: np.random.Generator,
) -> Bools:
    """Thin the streets out, but never so that cars no longer get everywhere they could.

    Parameters
    ----------
    ends
        First and second node of each street.
    may_go
        Streets that may go.
    driven
        Streets for cars.
    share
        How likely each is to go.
    cost
        What it costs to keep one: the dear ones are called back last.
    rng
        Where the random numbers come from.

    Returns
    -------
    NDArray
        True for what stays.
    """
    rows = np.flatnonzero(driven)
    nodes, index = np.unique(ends[:, rows], return_inverse=True)
    index = index.reshape(2, -1)
    degree = np.bincount(index.ravel(), minlength=len(nodes))
    # A street is a chain of edges from one junction of streets to the next: it goes or stays
    # as a whole, however many footways leave it on the way.
    chain = chains(index, degree)
    count = int(chain.max()) + 1
    fixed = np.bincount(chain, weights=~may_go[rows], minlength=count) > 0
    edges_in = np.bincount(chain, minlength=count)
    chance = np.bincount(chain, weights=share[rows], minlength=count) / edges_in
    gone = ~fixed & (rng.random(count) < chance)
    metres = np.bincount(chain, weights=cost[rows], minlength=count)
    # Staying streets are all but free, so that the tree calls back as few as it can.
    weight = np.where(gone, metres * rng.uniform(0.6, 1.4, count) + 1.0, 1e-3 + 1e-9 * metres)
    street, a, b = chain_ends(index, degree, chain)
    key = np.minimum(a, b) * np.int64(len(nodes)) + np.maximum(a, b)
    order = np.argsort(weight[street], kind="stable")
    _, first = np.unique(key[order], return_index=True)
    chosen = order[first]
    # Not every version of scipy takes wider numbers of nodes here.
    pairs = a[chosen].astype(np.int32), b[chosen].astype(np.int32)
    graph = coo_array((weight[street[chosen]], pairs), (len(nodes), len(nodes)))
    tree = minimum_spanning_tree(graph.tocsr()).tocoo()
    spanning = np.sort(np.stack([tree.row, tree.col]).astype(np.int64), axis=0)
    needed = np.zeros(count, dtype=bool)
    needed[street[chosen][np.isin(key[chosen], spanning[0] * len(nodes) + spanning[1])]] = True
    stays = np.ones(len(may_go), dtype=bool)
    stays[rows] = (~gone | needed)[chain]
    return stays
