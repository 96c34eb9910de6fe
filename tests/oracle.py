"""A plain, slow account of distances: points inserted into their streets, networkx."""

import math
from itertools import pairwise

import networkx as nx
import numpy as np
import pandas as pd


def distances(  # noqa: C901 - plain and in one piece, to be read at one go
    network, origins, targets, *, unit="m", towards="facility"
):
    """Distance of every target from its nearest origin, and from each origin it may be.

    Shares nothing with the program but the positions: each street is cut at every point
    on it, and the pieces are put into a directed graph.
    """
    graph = nx.DiGraph()
    # A junction is a place to arrive at and one to go on from, its delay in between.
    for node in range(network.nodes):
        wait = 0.0 if unit == "m" or network.delay is None else float(network.delay[node])
        graph.add_edge(("arrive", node), ("go", node), cost=wait)
    on_street = {}
    for kind, where in (("origin", origins), ("target", targets)):
        for row in range(len(where)):
            if where.edge[row] >= 0:
                place = (float(where.offset[row]), kind, row)
                on_street.setdefault(int(where.edge[row]), []).append(place)
    leg = 1.0 if unit == "m" else 60.0 / 1000.0 / network.access_speed_kmh

    def arc(a, b, cost):
        if not graph.has_edge(a, b) or graph[a][b]["cost"] > cost:
            graph.add_edge(a, b, cost=cost)

    for street in range(len(network.length)):
        length = float(network.length[street])
        there, back = (
            (1.0, 1.0)
            if unit == "m"
            else (
                float(network.minutes[street]) / length,
                float(network.minutes_back[street]) / length,
            )
        )
        u, v = int(network.u[street]), int(network.v[street])
        stops = [(0.0, ("arrive", u), ("go", u))]
        for number, (offset, kind, row) in enumerate(sorted(on_street.get(street, []))):
            stop = ("stop", street, number)
            stops.append((offset, stop, stop))
            where = origins if kind == "origin" else targets
            access = float(where.access[row]) * leg
            arc((kind, row), stop, access)
            arc(stop, (kind, row), access)
        stops.append((length, ("arrive", v), ("go", v)))
        for (low, to_low, from_low), (high, to_high, from_high) in pairwise(stops):
            gap = high - low
            if network.forward[street] or gap == 0.0:
                arc(from_low, to_high, gap * there)
            if network.backward[street] or gap == 0.0:
                arc(from_high, to_low, gap * back)
    if towards == "facility":
        graph = graph.reverse(copy=False)
    # A point is the end of a way, never a stop on one: a detour over its access leg
    # costs nothing less than the street it left, so it cannot shorten a distance.
    sources = {("origin", row) for row in range(len(origins)) if origins.edge[row] >= 0}
    found = nx.multi_source_dijkstra_path_length(graph, sources, weight="cost") if sources else {}
    return pd.Series(
        [
            np.nan if targets.edge[row] < 0 else found.get(("target", row), math.inf)
            for row in range(len(targets))
        ],
        index=targets.index,
        dtype="float64",
    )
