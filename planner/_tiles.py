"""The compiled kernels of the search from all origins at once, and nothing else.

A bucket queue as those of `planner._kernels`, for a range of nodes of a folded graph
(`planner._folded`) at a time. What is
read next is fetched ahead, because a search from hundreds of origins touches memory in
no order at all.
"""

import numpy as np

from planner._compiled import compiled, fetch, grown, index

_AHEAD = 8
"""Nodes between fetching one's arcs and searching it; half of it for the arcs' heads."""
_FETCHED = 3
"""Arcs of a node whose heads are fetched ahead: few nodes have more."""
_WAITING = np.dtype([("cost", np.float64), ("node", np.int32), ("next", np.int32)])
"""An entry of a bucket, which fills one line of memory; `next` is the next of its bucket."""
_ABOUT = 1.0 + 1e-9
"""How far the cost of an arc along a chain may lie off the sum of its legs, and more."""


@compiled
def in_order(ends, seed_node, seed_cost, seed_origin, limit):
    """Sort seeds by the range that they lie in, and within each by their cost.

    Parameters
    ----------
    ends
        Where each range of nodes begins, and where the last one ends.
    seed_node, seed_cost, seed_origin
        Seeds in any order.
    limit
        Seeds beyond it are left out, and those whose cost is not finite.

    Returns
    -------
    Where each range's seeds begin, and the seeds: nodes, costs and origins.
    """
    ranges = len(ends) - 1
    begin = np.zeros(ranges + 1, np.int64)
    kept = np.empty(len(seed_node), np.int64)
    within = np.empty(len(seed_node), np.int64)
    count = 0
    for seed in range(len(seed_node)):
        if seed_cost[seed] <= limit and seed_cost[seed] < np.inf:
            low, high = 0, ranges
            while high - low > 1:
                middle = (low + high) >> 1
                if ends[middle] <= seed_node[seed]:
                    low = middle
                else:
                    high = middle
            kept[count] = seed
            within[count] = low
            begin[low + 1] += 1
            count += 1
    for turn in range(ranges):
        begin[turn + 1] += begin[turn]
    node = np.empty(count, np.int64)
    cost = np.empty(count, np.float64)
    origin = np.empty(count, np.int64)
    filled = begin.copy()
    for turn in np.argsort(seed_cost[kept[:count]]):
        to, seed = filled[within[turn]], kept[turn]
        filled[within[turn]] += 1
        node[to] = seed_node[seed]
        cost[to] = seed_cost[seed]
        origin[to] = seed_origin[seed]
    return begin, node, cost, origin


@compiled
def _there(here, leg, legs, arc):
    """Cost at the end of an arc along a chain, leg by leg as over nodes that are not folded."""
    for each in range(leg[arc], leg[arc + 1]):
        here += legs[each]
    return here


@compiled
def nearest(
    start,
    arcs,
    leg,
    legs,
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
        Compressed rows, those of the core where a graph is folded.
    leg, legs
        Costs that each of its arcs is made of; none where it is not folded.
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
        Room for the nodes of the range and one more; the first `reached` are those with a
        label.

    Returns
    -------
    How many nodes of the range have a label now.
    """
    first = np.full(buckets, -1, np.int32)
    wait = np.empty(1024, _WAITING)
    batch = np.empty(1024, _WAITING)
    free = np.int32(-1)
    used = 0
    waiting = 0
    mask = buckets - 1
    folded = len(leg) > 0
    per_width = 1.0 / width
    current = np.int64(0)
    seed = 0
    seeds = len(seed_node)
    while waiting > 0 or seed < seeds:
        if waiting == 0:
            current = max(current, np.int64(seed_cost[seed] * per_width))
        slot = index(current & mask)
        while seed < seeds and np.int64(seed_cost[seed] * per_width) <= current:
            node = index(seed_node[seed])
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
                    free = wait[index(entry)].next
                else:
                    if used == len(wait):
                        wait = grown(wait)
                    entry = np.int32(used)
                    used += 1
                wait[index(entry)].node = node
                wait[index(entry)].cost = cost
                wait[index(entry)].next = first[slot]
                first[slot] = entry
                waiting += 1
        while first[slot] >= 0:
            # Empty the bucket into a batch; what falls back into it makes the next one.
            if len(batch) < len(wait):
                batch = np.empty(len(wait), _WAITING)
            count = 0
            entry = first[slot]
            last = entry
            while entry >= 0:
                fetch(start, np.int64(wait[index(entry)].node))
                batch[count].node = wait[index(entry)].node
                batch[count].cost = wait[index(entry)].cost
                count += 1
                last = entry
                entry = wait[index(entry)].next
            wait[index(last)].next = free
            free = first[slot]
            first[slot] = -1
            waiting -= count
            for i in range(count):
                if i + _AHEAD < count:
                    soon = index(batch[i + _AHEAD].node)
                    fetch(arcs, np.int64(start[soon]))
                    fetch(label, 2 * soon)
                if i + _AHEAD // 2 < count and len(arcs) >= _FETCHED:
                    soon = index(batch[i + _AHEAD // 2].node)
                    # As many for each node: a loop of no one length is guessed wrongly.
                    arc = min(index(start[soon]), len(arcs) - _FETCHED)
                    fetch(label, 2 * np.int64(arcs[arc].head))
                    fetch(label, 2 * np.int64(arcs[arc + 1].head))
                    fetch(label, 2 * np.int64(arcs[arc + 2].head))
                node = index(batch[i].node)
                here = batch[i].cost
                if here != label[2 * node]:
                    continue
                source = label[2 * node + 1]
                for arc in range(index(start[node]), index(start[node + 1])):
                    head = index(arcs[arc].head)
                    if head < low or head >= high:
                        continue
                    cost = here + arcs[arc].cost
                    old = label[2 * head]
                    if folded and leg[arc + 1] > leg[arc]:
                        if cost > _ABOUT * min(old, limit):
                            continue
                        cost = _there(here, leg, legs, arc)
                    if cost > min(old, limit):
                        continue
                    if cost < old or source < label[2 * head + 1]:
                        touched[reached] = head
                        reached += old == np.inf
                        label[2 * head] = cost
                        label[2 * head + 1] = source
                        if free >= 0:
                            entry = free
                            free = wait[index(entry)].next
                        else:
                            if used == len(wait):
                                wait = grown(wait)
                            entry = np.int32(used)
                            used += 1
                        wait[index(entry)].node = head
                        wait[index(entry)].cost = cost
                        into = index(np.int64(cost * per_width) & mask)
                        wait[index(entry)].next = first[into]
                        first[into] = entry
                        waiting += 1
        current += 1
    return reached


@compiled
def crossing(arc, tail, arcs, leg, legs, limit, label, out_head, out_cost, out_origin):
    """Find what arcs between ranges have to offer to the nodes that they lead to.

    Parameters
    ----------
    arc, tail
        The arcs, and the nodes that they lead away from.
    arcs, leg, legs, limit, label
        As `nearest` takes them.
    out_head, out_cost, out_origin
        As long as the arcs; filled from the front with better labels than there are.

    Returns
    -------
    How many there are.
    """
    count = 0
    for turn in range(len(arc)):
        one = arc[turn]
        here, source = label[2 * tail[turn]], label[2 * tail[turn] + 1]
        if source < 0.0:
            continue
        head = np.int64(arcs[one].head)
        there = here + arcs[one].cost
        if len(leg) > 0 and leg[one + 1] > leg[one]:
            there = _there(here, leg, legs, one)
        old = label[2 * head]
        if there > limit or there > old:
            continue
        if there < old or source < label[2 * head + 1]:
            out_head[count] = head
            out_cost[count] = there
            out_origin[count] = np.int64(source)
            count += 1
    return count


@compiled
def harvest(low, high, touched, name, label, blank, distance, origin):
    """Take the labels of a range of nodes.

    Parameters
    ----------
    low, high
        The range.
    touched
        Nodes that have a label.
    name
        What each node is called in the outcome; none where nothing is folded.
    label
        As `nearest` takes it.
    blank
        Whether `distance` and `origin` are filled with inf and -1 already.
    distance, origin
        Filled for the range.
    """
    same = len(name) == 0
    if blank:
        for node in touched:
            to = node if same else name[node]
            distance[to] = label[2 * node]
            origin[to] = np.int64(label[2 * node + 1])
        return
    for node in range(low, high):
        to = node if same else name[node]
        distance[to] = label[2 * node]
        origin[to] = np.int64(label[2 * node + 1])


@compiled
def clear(low, high, touched, label, blank):
    """Leave inf and -1 in place of the labels of a range of nodes; as `harvest`."""
    if blank:
        for node in touched:
            label[2 * node] = np.inf
            label[2 * node + 1] = -1.0
        return
    for node in range(low, high):
        label[2 * node] = np.inf
        label[2 * node + 1] = -1.0
