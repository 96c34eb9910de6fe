"""The compiled kernels that search from several origins side by side, and nothing else.

Origins near each other reach much the same nodes. A node holds one distance for each
origin of a batch, and an arc lowers all of them at once (`planner._vectors`). Nodes wait in
buckets; one is taken again whenever any of its distances has fallen, so that in the end
each is that of Dijkstra's algorithm to the last bit, whatever the batch.

Imported when first wanted (`planner._search.kernels`): numba is slow to import.
"""

import numpy as np

from planner._compiled import compiled
from planner._vectors import LANES, add, below, fill, lower


@compiled
def _room(count):
    """Work space of `_flood` for so many slots."""
    node, key, bucket = np.empty(count, np.int32), np.empty(count), np.empty(count, np.int64)
    # A slot may wait in several buckets at once.
    wait_next, wait_slot = np.empty(2 * count, np.int32), np.empty(2 * count, np.int32)
    return node, key, bucket, np.empty(LANES * count), wait_next, wait_slot


@compiled
def _flood(
    start,
    arcs,
    seed_start,
    seed_node,
    seed_cost,
    batch,
    top,
    per_width,
    first,
    slot,
    node,
    lanes,
    key,
    bucket,
    wait_next,
    wait_slot,
):
    """Search from the origins of a batch.

    Parameters
    ----------
    start, arcs, seed_start, seed_node, seed_cost
        As `sums` takes them.
    batch
        The origins, at most `LANES`.
    top
        The next number above the greatest distance: what the lanes begin with, so that
        nothing beyond the limit ever makes one fall.
    per_width
        Buckets a unit of cost.
    first
        First entry of each bucket: -1, and left so.
    slot
        Slot of each node: -1; those of the nodes that are reached are filled in.
    node, lanes, key, bucket
        Room for the node of each slot, its distances, and the cost and the bucket that it
        waits at.
    wait_next, wait_slot
        Room for the entries of the buckets.

    Returns
    -------
    How many slots there are; -1 if the room was short, with everything as it was.
    """
    mask = len(first) - 1
    count = used = waiting = 0
    free = np.int32(-1)
    current = np.int64(1) << 62
    short = False
    for lane in range(len(batch)):
        for seed in range(seed_start[batch[lane]], seed_start[batch[lane] + 1]):
            tail = seed_node[seed]
            if count == len(node) or used == len(wait_next):
                short = True
                break
            own = np.int64(slot[tail])
            if own < 0:
                own = count
                count += 1
                slot[tail] = own
                node[own] = tail
                bucket[own] = -1
                fill(lanes, own, top)
            come = seed_cost[seed]
            if not come < lanes[LANES * own + lane]:
                continue
            lanes[LANES * own + lane] = come
            turn = np.int64(come * per_width)
            current = min(current, turn)
            if 0 <= bucket[own] <= turn:
                continue
            bucket[own], key[own] = turn, come
            wait_slot[used] = own
            wait_next[used] = first[turn & mask]
            first[turn & mask] = used
            used += 1
            waiting += 1
    while waiting > 0 and not short:
        place = current & mask
        while first[place] >= 0:
            entry = first[place]
            first[place] = wait_next[entry]
            wait_next[entry] = free
            free = entry
            waiting -= 1
            tail = np.int64(wait_slot[entry])
            # What has moved to an earlier bucket leaves its old entry behind.
            if bucket[tail] != current:
                continue
            bucket[tail] = -1
            here = key[tail]
            begin, end = start[node[tail]], start[node[tail] + 1]
            if count + end - begin > len(node) or used + end - begin > len(wait_next):
                short = True
                break
            for arc in range(begin, end):
                to = arcs[arc].head
                own = np.int64(slot[to])
                if own < 0:
                    own = count
                    fill(lanes, own, top)
                if lower(lanes, tail, lanes, own, arcs[arc].cost) == 0:
                    continue
                if own == count:
                    count += 1
                    slot[to] = own
                    node[own] = to
                    bucket[own] = -1
                # About the least of the distances that fell: it is for the order alone.
                come = here + arcs[arc].cost
                turn = max(np.int64(come * per_width), current)
                if 0 <= bucket[own] <= turn:
                    continue
                bucket[own], key[own] = turn, come
                if free >= 0:
                    entry = free
                    free = wait_next[entry]
                else:
                    entry = np.int32(used)
                    used += 1
                wait_slot[entry] = own
                wait_next[entry] = first[turn & mask]
                first[turn & mask] = entry
                waiting += 1
        current += 1
    if not short:
        return count
    first[:] = -1
    for own in range(count):
        slot[node[own]] = -1
    return -1


@compiled
def _behind(
    count,
    node,
    lanes,
    batch,
    top,
    door_start,
    door_target,
    door_cost,
    beside_start,
    beside_target,
    beside_cost,
    met,
    target,
    best,
):
    """Lower the distances of the targets behind the doors of what a batch has reached.

    Parameters
    ----------
    count, node, lanes
        Slots, their nodes and distances.
    batch, top
        As `_flood` takes them.
    door_start, door_target, door_cost, beside_start, beside_target, beside_cost
        As `sums` takes them.
    met
        Place of each target among those found: -1; those found are filled in.
    target, best
        Room for the targets found and their distances.

    Returns
    -------
    How many targets were found; -1 if the room was short, with `met` as it was.
    """
    found = 0
    short = False
    for own in range(count):
        begin, end = door_start[node[own]], door_start[node[own] + 1]
        if found + end - begin > len(target):
            short = True
            break
        for door in range(begin, end):
            one = door_target[door]
            if met[one] < 0:
                met[one] = found
                target[found] = one
                fill(best, found, top)
                found += 1
            lower(lanes, own, best, met[one], door_cost[door])
    for lane in range(len(batch)):
        begin, end = beside_start[batch[lane]], beside_start[batch[lane] + 1]
        if short or found + end - begin > len(target):
            short = True
            break
        for door in range(begin, end):
            one = beside_target[door]
            if met[one] < 0:
                met[one] = found
                target[found] = one
                fill(best, found, top)
                found += 1
            place = LANES * met[one] + lane
            best[place] = min(best[place], beside_cost[door])
    if not short:
        return found
    for own in range(found):
        met[target[own]] = -1
    return -1


@compiled
def sums(
    start,
    arcs,
    seed_start,
    seed_node,
    seed_cost,
    limit,
    width,
    buckets,
    order,
    door_start,
    door_target,
    door_cost,
    beside_start,
    beside_target,
    beside_cost,
    weight,
    total,
):
    """Add up the weights of the targets that each of some origins reaches.

    Parameters
    ----------
    start, arcs
        Compressed rows.
    seed_start, seed_node, seed_cost
        Where each origin's seeds begin; the seeds, none beyond the limit.
    limit
        Greatest distance, inclusive.
    width, buckets
        Width of a bucket; how many there are, a power of two that holds the dearest arc
        and the dearest seed.
    order
        The origins to search from, near ones one after the other.
    door_start, door_target, door_cost
        Where each node's doors begin; the targets behind them, and the cost from the node.
    beside_start, beside_target, beside_cost
        The same for each origin: targets it reaches without passing a node.
    weight
        A row a target, a column a kind of weight.
    total
        A row an origin; filled with the sums.
    """
    top = np.nextafter(limit, np.inf)
    kinds = weight.shape[1]
    first = np.full(buckets, -1, np.int32)
    slot = np.full(len(start) - 1, -1, np.int32)
    met = np.full(len(weight), -1, np.int32)
    added = np.empty(LANES * kinds)
    room, shelf = 1 << 12, 1 << 12
    at, size = 0, LANES
    node, key, bucket, lanes, wait_next, wait_slot = _room(room)
    target, best = np.empty(shelf, np.int64), np.empty(LANES * shelf)
    while at < len(order):
        batch = order[at : at + size]
        count = _flood(
            *(start, arcs, seed_start, seed_node, seed_cost, batch, top, 1.0 / width, first, slot),
            *(node, lanes, key, bucket, wait_next, wait_slot),
        )
        if count < 0:
            room *= 2
            node, key, bucket, lanes, wait_next, wait_slot = _room(room)
            continue
        found = _behind(
            *(count, node, lanes, batch, top, door_start, door_target, door_cost),
            *(beside_start, beside_target, beside_cost, met, target, best),
        )
        reached = 0
        for own in range(count):
            slot[node[own]] = -1
            reached += below(lanes, own, top)
        if found < 0:
            shelf *= 2
            target, best = np.empty(shelf, np.int64), np.empty(LANES * shelf)
            continue
        added[:] = 0.0
        for own in range(found):
            met[target[own]] = -1
            for kind in range(kinds):
                add(added, kind, weight[target[own], kind], best, own, top)
        for lane in range(len(batch)):
            for kind in range(kinds):
                total[batch[lane], kind] = added[LANES * kind + lane]
        at += len(batch)
        # Where origins have little in common, fewer at a time keep what is searched small.
        if 3 * reached < count * len(batch):
            size = max(size // 2, 1)
        elif 5 * reached > 3 * count * len(batch):
            size = min(2 * size, LANES)
