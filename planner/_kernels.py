"""The compiled kernels of search, and nothing else.

Each is a bucket queue: nodes wait in buckets by distance, each bucket about as wide as a
common arc, and are taken in whatever order they lie in a bucket. A node whose distance
falls once more is taken once more, so the distances are those of Dijkstra's algorithm to
the last bit; buckets merely make that rare. What is read next is fetched ahead, because
a search from hundreds of origins touches a city's memory in no order at all.

Imported when a search first runs (`planner._search.kernels`): numba is slow to import.
"""

from typing import Any

import numpy as np

from planner._compiled import compiled, fetch

_AHEAD = 8
"""Nodes between fetching one's arcs and searching it; half of it for the arcs' heads."""


@compiled
def nearest(
    start: Any,
    arcs: Any,
    seed_node: Any,
    seed_cost: Any,
    seed_origin: Any,
    limit: float,
    width: float,
    buckets: int,
    room: int,
    distance: Any,
    origin: Any,
) -> bool:
    """Search from all origins at once.

    Of origins at exactly the same distance the first wins, so that the outcome does not
    hang on the order in which nodes are taken.

    Parameters
    ----------
    start, arcs
        Compressed rows.
    seed_node, seed_cost, seed_origin
        Seeds in the order of their cost, none beyond the limit.
    limit
        Greatest distance, inclusive.
    width, buckets
        Width of a bucket; how many there are, a power of two that holds the dearest arc.
    room
        Nodes that may wait at one time.
    distance, origin
        Filled with the outcome, inf and -1 where no origin comes.

    Returns
    -------
    Whether the room sufficed; if not, the outcome is void.
    """
    nodes = len(start) - 1
    # Distance and origin side by side: one line of memory instead of two.
    label = np.empty(2 * nodes)
    for node in range(nodes):
        label[2 * node] = np.inf
        label[2 * node + 1] = -1.0
    first = np.full(buckets, -1, np.int32)
    wait_next = np.empty(room, np.int32)
    wait_node = np.empty(room, np.int32)
    wait_cost = np.empty(room)
    batch_node = np.empty(room, np.int32)
    batch_cost = np.empty(room)
    free = np.int32(-1)
    used = 0
    waiting = 0
    mask = buckets - 1
    per_width = 1.0 / width
    current = np.int64(0)
    seed = 0
    seeds = len(seed_node)
    while waiting > 0 or seed < seeds:
        if waiting == 0:
            current = max(current, np.int64(seed_cost[seed] * per_width))
        slot = current & mask
        while seed < seeds and np.int64(seed_cost[seed] * per_width) <= current:
            node = np.int64(seed_node[seed])
            cost = seed_cost[seed]
            source = np.float64(seed_origin[seed])
            seed += 1
            old = label[2 * node]
            if cost < old or (cost == old and source < label[2 * node + 1]):
                label[2 * node] = cost
                label[2 * node + 1] = source
                if free >= 0:
                    entry = free
                    free = wait_next[entry]
                elif used < room:
                    entry = np.int32(used)
                    used += 1
                else:
                    return False
                wait_node[entry] = node
                wait_cost[entry] = cost
                wait_next[entry] = first[slot]
                first[slot] = entry
                waiting += 1
        while first[slot] >= 0:
            # Empty the bucket into a batch; what falls back into it makes the next one.
            count = 0
            entry = first[slot]
            last = entry
            while entry >= 0:
                node = np.int64(wait_node[entry])
                fetch(label, 2 * node)
                fetch(start, node)
                batch_node[count] = node
                batch_cost[count] = wait_cost[entry]
                count += 1
                last = entry
                entry = wait_next[entry]
            wait_next[last] = free
            free = first[slot]
            first[slot] = -1
            waiting -= count
            for i in range(count):
                if i + _AHEAD < count:
                    fetch(arcs, np.int64(start[batch_node[i + _AHEAD]]))
                node = np.int64(batch_node[i])
                here = batch_cost[i]
                if here != label[2 * node]:
                    continue
                source = label[2 * node + 1]
                if i + _AHEAD // 2 < count:
                    soon = batch_node[i + _AHEAD // 2]
                    for arc in range(start[soon], start[soon + 1]):
                        fetch(label, 2 * arcs[arc].head)
                for arc in range(start[node], start[node + 1]):
                    cost = here + arcs[arc].cost
                    head = arcs[arc].head
                    old = label[2 * head]
                    if cost > old or cost > limit:
                        continue
                    if cost < old or source < label[2 * head + 1]:
                        label[2 * head] = cost
                        label[2 * head + 1] = source
                        if free >= 0:
                            entry = free
                            free = wait_next[entry]
                        elif used < room:
                            entry = np.int32(used)
                            used += 1
                        else:
                            return False
                        wait_node[entry] = head
                        wait_cost[entry] = cost
                        into = np.int64(cost * per_width) & mask
                        wait_next[entry] = first[into]
                        first[into] = entry
                        waiting += 1
        current += 1
    for node in range(nodes):
        distance[node] = label[2 * node]
        origin[node] = np.int64(label[2 * node + 1])
    return True
