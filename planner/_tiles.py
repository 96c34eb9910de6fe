"""The compiled kernels of the search from all origins at once, and nothing else.

A bucket queue as those of `planner._kernels`, for a range of nodes at a time. What is
read next is fetched ahead, because a search from hundreds of origins touches memory in
no order at all.
"""

import numpy as np

from planner._compiled import compiled, fetch, grown

_AHEAD = 8
"""Nodes between fetching one's arcs and searching it; half of it for the arcs' heads."""


@compiled
def nearest(
    start,
    arcs,
    low,
    high,
    seed_node,
    seed_cost,
    seed_origin,
    limit,
    width,
    buckets,
    label,
    touched,
    reached,
):
    """Search from all origins at once, within a range of nodes.

    Of origins at exactly the same distance the first wins, so that the outcome does not
    hang on the order in which nodes are taken.

    Parameters
    ----------
    start, arcs
        Compressed rows.
    low, high
        The range: nodes from `low` until before `high`; arcs that lead out are left alone.
    seed_node, seed_cost, seed_origin
        Seeds within the range, in the order of their cost, none beyond the limit.
    limit
        Greatest distance, inclusive.
    width, buckets
        Width of a bucket; how many there are, a power of two that holds the dearest arc.
    label
        Distance and origin of every node side by side, which is one line of memory
        instead of two; inf and -1 where none has come yet. What is there already stays
        unless a way from the seeds is better.
    touched
        Room for the nodes of the range; the first `reached` are those with a label.

    Returns
    -------
    How many nodes of the range have a label now.
    """
    first = np.full(buckets, -1, np.int32)
    room = 1024
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
                if old == np.inf:
                    touched[reached] = node
                    reached += 1
                label[2 * node] = cost
                label[2 * node + 1] = source
                if free >= 0:
                    entry = free
                    free = wait_next[entry]
                else:
                    if used == len(wait_node):
                        wait_next, wait_node = grown(wait_next), grown(wait_node)
                        wait_cost = grown(wait_cost)
                    entry = np.int32(used)
                    used += 1
                wait_node[entry] = node
                wait_cost[entry] = cost
                wait_next[entry] = first[slot]
                first[slot] = entry
                waiting += 1
        while first[slot] >= 0:
            # Empty the bucket into a batch; what falls back into it makes the next one.
            if len(batch_node) < len(wait_node):
                batch_node = np.empty(len(wait_node), np.int32)
                batch_cost = np.empty(len(wait_node))
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
                        fetch(label, 2 * np.int64(arcs[arc].head))
                for arc in range(start[node], start[node + 1]):
                    cost = here + arcs[arc].cost
                    head = np.int64(arcs[arc].head)
                    if cost > limit or head < low or head >= high:
                        continue
                    old = label[2 * head]
                    if cost > old:
                        continue
                    if cost < old or source < label[2 * head + 1]:
                        if old == np.inf:
                            touched[reached] = head
                            reached += 1
                        label[2 * head] = cost
                        label[2 * head + 1] = source
                        if free >= 0:
                            entry = free
                            free = wait_next[entry]
                        else:
                            if used == len(wait_node):
                                wait_next, wait_node = grown(wait_next), grown(wait_node)
                                wait_cost = grown(wait_cost)
                            entry = np.int32(used)
                            used += 1
                        wait_node[entry] = head
                        wait_cost[entry] = cost
                        into = np.int64(cost * per_width) & mask
                        wait_next[entry] = first[into]
                        first[into] = entry
                        waiting += 1
        current += 1
    return reached


@compiled
def crossing(tail, head, cost, limit, label, out_head, out_cost, out_origin):
    """Find what arcs between ranges have to offer to the nodes that they lead to.

    Parameters
    ----------
    tail, head, cost
        The arcs.
    limit, label
        As `nearest` takes them.
    out_head, out_cost, out_origin
        As long as the arcs; filled from the front with better labels than there are.

    Returns
    -------
    How many there are.
    """
    count = 0
    for arc in range(len(tail)):
        there = label[2 * tail[arc]] + cost[arc]
        old = label[2 * head[arc]]
        source = label[2 * tail[arc] + 1]
        if there > limit or there > old or source < 0.0:
            continue
        if there < old or source < label[2 * head[arc] + 1]:
            out_head[count] = head[arc]
            out_cost[count] = there
            out_origin[count] = np.int64(source)
            count += 1
    return count


@compiled
def harvest(low, high, label, touched, distance, origin):
    """Take the labels of a range of nodes, and leave inf and -1 in their place.

    Parameters
    ----------
    low, high, label
        As `nearest` takes them.
    touched
        Nodes that have a label.
    distance, origin
        Filled in the range.
    """
    # In the order of memory unless there are few.
    if len(touched) > (high - low) // 8:
        for node in range(low, high):
            distance[node] = label[2 * node]
            origin[node] = np.int64(label[2 * node + 1])
            label[2 * node] = np.inf
            label[2 * node + 1] = -1.0
        return
    distance[low:high] = np.inf
    origin[low:high] = -1
    for node in touched:
        distance[node] = label[2 * node]
        origin[node] = np.int64(label[2 * node + 1])
        label[2 * node] = np.inf
        label[2 * node + 1] = -1.0
