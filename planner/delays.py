"""Delays: what passing a junction costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.travel import figures

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from layers.streets import Mode
    from planner._search import Floats, Ints
    from planner.network import Network
    from planner.travel import ByClass

_MEETING = 3
"""Ends of streets that make a junction: where two meet, the street merely goes on."""


def at_junctions(u: Ints, v: Ints, nodes: int, seconds: Floats) -> Floats | None:
    """Delay of each junction by the streets that meet there.

    A junction delays where three or more ends of streets with a delay above zero meet;
    a loop brings two. It delays by the longest of theirs.

    Parameters
    ----------
    u, v
        Junction at each street's beginning and end.
    nodes
        Number of junctions.
    seconds
        Delay that each street brings to its junctions.

    Returns
    -------
    Minutes of each junction, or None where none delays.

    Examples
    --------
    >>> at_junctions(np.array([0, 0, 0]), np.array([1, 2, 3]), 4, np.array([6.0, 6.0, 12.0]))
    array([0.2, 0. , 0. , 0. ])
    """
    ends, brought = np.concatenate([u, v]), np.concatenate([seconds, seconds])
    counted = brought > 0
    meeting = np.bincount(ends[counted], minlength=nodes)
    longest = np.zeros(nodes)
    np.maximum.at(longest, ends, brought)
    delay = np.where(meeting >= _MEETING, longest, 0.0) / 60.0
    return delay if delay.any() else None


def compiled(
    streets: gpd.GeoDataFrame,
    u: Ints,
    v: Ints,
    node_ids: Ints,
    *,
    mode: Mode,
    by_class: Any,
    single: pd.DataFrame | None,
) -> Floats | None:
    """Delay of each junction of a network, by its streets and of its own; in minutes.

    Parameters
    ----------
    streets
        The streets that are open to the mode.
    u, v
        Junction at each street's beginning and end.
    node_ids
        Id of each junction.
    mode
        How people travel.
    by_class
        Seconds by class of street, as `planner.travel.figures` takes them.
    single
        Seconds of single junctions: ``node`` (id), ``mode``, ``seconds``; several at one
        junction add up.
    """
    delay = None
    table = figures("junction_delay_s", mode, by_class)
    if table is not None:
        delay = at_junctions(u, v, len(node_ids), table.of(streets["highway"]))
    if single is not None:
        own = single[(single["mode"] == mode) & single["node"].isin(node_ids)]
        if len(own):
            order = np.argsort(node_ids)
            rows = order[np.searchsorted(node_ids, own["node"], sorter=order)]
            delay = np.zeros(len(node_ids)) if delay is None else delay
            np.add.at(delay, rows, own["seconds"].to_numpy() / 60.0)
    return delay


class Waits:
    """Delays of single junctions when some of their streets have closed.

    Parameters
    ----------
    network
        The streets, none of them closed.
    by_class
        What each class of street brings to its junctions, which the network was made with.

    Attributes
    ----------
    known
        Whether that, with the delays of single junctions, is what the network's delays are.
    """

    def __init__(self, network: Network, by_class: ByClass | None) -> None:
        self._network = network
        streets = network.ground.streets["highway"].iloc[network.row]
        self._seconds = None if by_class is None else by_class.of(streets)
        single = network.node_delays
        self._single: dict[int, list[float]] = {}
        if single is not None:
            own = single[(single["mode"] == network.mode) & single["node"].isin(network.node_ids)]
            row = np.argsort(network.node_ids)
            rank = row[np.searchsorted(network.node_ids, own["node"], sorter=row)]
            for node, seconds in zip(rank.tolist(), own["seconds"].tolist(), strict=True):
                self._single.setdefault(node, []).append(seconds)
        held = np.zeros(network.nodes) if network.delay is None else network.delay
        every = np.arange(network.nodes)
        self.known = bool(np.array_equal(self.at(every, np.arange(len(network.length))), held))

    def at(self, nodes: Ints, streets: Ints) -> Floats:
        """Minutes of some junctions, if these are the streets that meet there."""
        delay = np.zeros(len(nodes))
        if self._seconds is not None and len(streets):
            ends = np.stack([self._network.u[streets], self._network.v[streets]])
            own, number = np.unique(ends, return_inverse=True)
            u, v = number.reshape(ends.shape)
            found = at_junctions(u, v, len(own), self._seconds[streets])
            if found is not None:
                where = np.searchsorted(own, nodes)
                where[where == len(own)] = 0
                delay = np.where(own[where] == nodes, found[where], 0.0)
        if self._single:
            for row, node in enumerate(nodes.tolist()):
                for seconds in self._single.get(node, ()):
                    delay[row] += seconds / 60.0
        return delay
