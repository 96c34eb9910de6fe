"""The compiled kernels of search, and nothing else.

Each is a bucket queue: nodes wait in buckets by distance, each bucket about as wide as a
common arc, and are taken in whatever order they lie in a bucket. A node whose distance
falls once more is taken once more, so the distances are those of Dijkstra's algorithm to
the last bit; buckets merely make that rare.

Imported when a search first runs (`planner._search.kernels`): numba is slow to import.
"""

import numpy as np

from planner._compiled import compiled, index


@compiled
def compress(tail, head, cost, start, filled, arcs):
    """Sort arcs by their tails and then heads, keeping the cheapest of parallel ones.

    Parameters
    ----------
    tail, head, cost
        The arcs.
    start
        Noughts, one more than there are nodes; filled with where each node's arcs begin.
    filled
        Room for a number a node.
    arcs
        As many as there are arcs; filled from the front.

    Returns
    -------
    How many arcs are kept.
    """
    nodes = len(start) - 1
    for arc in range(len(tail)):
        start[tail[arc] + 1] += 1
    for node in range(nodes):
        start[node + 1] += start[node]
        filled[node] = start[node]
    for arc in range(len(tail)):
        node = tail[arc]
        begin, at = start[node], filled[node]
        end = at
        # A node has a handful of arcs: each is put in its place among them.
        while at > begin and arcs[at - 1].head > head[arc]:
            at -= 1
        if at > begin and arcs[at - 1].head == head[arc]:
            arcs[at - 1].cost = min(arcs[at - 1].cost, cost[arc])
            continue
        for later in range(end, at, -1):
            arcs[later].head = arcs[later - 1].head
            arcs[later].cost = arcs[later - 1].cost
        arcs[at].head = head[arc]
        arcs[at].cost = cost[arc]
        filled[node] += 1
    kept = 0
    for node in range(nodes):
        begin = start[node]
        start[node] = kept
        for arc in range(begin, filled[node]):
            arcs[kept].head = arcs[arc].head
            arcs[kept].cost = arcs[arc].cost
            kept += 1
    start[nodes] = kept
    return kept


@compiled
def _ball(
    start,
    arcs,
    seed_node,
    seed_cost,
    limit,
    per_width,
    first,
    wait_next,
    wait_node,
    wait_cost,
    distance,
    touched,
    most,
):
    """Search from one origin; as `nearest`, but it leaves alone what it does not reach.

    Nor does it go past a node further than that node's `most`, where there are any.

    Returns
    -------
    How many nodes it reached, listed in `touched`; -1 where the room did not suffice.
    """
    mask = len(first) - 1
    bounded = len(most) > 0
    free = np.int32(-1)
    used = 0
    waiting = 0
    count = 0
    current = np.int64(limit * per_width) if limit < np.inf else np.int64(1) << 60
    for seed in range(len(seed_node)):
        node = index(seed_node[seed])
        cost = seed_cost[seed]
        if cost < distance[node]:
            if distance[node] == np.inf:
                touched[count] = node
                count += 1
            if used == len(wait_node):
                return -1
            distance[node] = cost
            wait_node[used] = node
            wait_cost[used] = cost
            bucket = np.int64(cost * per_width)
            current = min(current, bucket)
            wait_next[used] = first[bucket & mask]
            first[bucket & mask] = used
            used += 1
            waiting += 1
    while waiting > 0:
        slot = index(current & mask)
        while first[slot] >= 0:
            entry = index(first[slot])
            first[slot] = wait_next[entry]
            wait_next[entry] = free
            free = np.int32(entry)
            waiting -= 1
            node = index(wait_node[entry])
            here = wait_cost[entry]
            if here != distance[node]:
                continue
            for arc in range(index(start[node]), index(start[node + 1])):
                cost = here + arcs[arc].cost
                head = index(arcs[arc].head)
                old = distance[head]
                if cost >= old or cost > limit:
                    continue
                if bounded and cost > most[head]:
                    continue
                touched[count] = head
                count += old == np.inf
                distance[head] = cost
                if free >= 0:
                    entry = index(free)
                    free = wait_next[entry]
                elif used < len(wait_node):
                    entry = index(used)
                    used += 1
                else:
                    return -1
                wait_node[entry] = head
                wait_cost[entry] = cost
                into = index(np.int64(cost * per_width) & mask)
                wait_next[entry] = first[into]
                first[into] = entry
                waiting += 1
        current += 1
    return count


@compiled
def balls(
    start, arcs, seed_start, seed_node, seed_cost, limit, width, buckets, room, ends, node, cost
):
    """List what each of some origins reaches, one origin after the other.

    Parameters
    ----------
    start, arcs, limit, width, buckets, room
        As `nearest` takes them.
    seed_start, seed_node, seed_cost
        Where each origin's seeds begin; the seeds, none beyond the limit.
    ends
        Filled with where each origin's list ends.
    node, cost
        Filled with the nodes and their distances, as far as they hold them.

    Returns
    -------
    How many origins were searched before the lists were full; -1 if the room was short.
    """
    distance = np.full(len(start) - 1, np.inf)
    touched = np.empty(len(start) - 1, np.int64)
    first = np.full(buckets, -1, np.int32)
    wait_next, wait_node = np.empty(room, np.int32), np.empty(room, np.int32)
    wait_cost, nowhere = np.empty(room), np.empty(0)
    filled = 0
    for origin in range(len(seed_start) - 1):
        begin, end = seed_start[origin], seed_start[origin + 1]
        count = _ball(
            start,
            arcs,
            seed_node[begin:end],
            seed_cost[begin:end],
            limit,
            1.0 / width,
            first,
            wait_next,
            wait_node,
            wait_cost,
            distance,
            touched,
            nowhere,
        )
        if count < 0:
            return -1
        if filled + count > len(node):
            return origin
        for at in range(count):
            node[filled] = touched[at]
            cost[filled] = distance[touched[at]]
            distance[touched[at]] = np.inf
            filled += 1
        ends[origin] = filled
    return len(seed_start) - 1


@compiled
def _meet(
    count, touched, distance, limit, door_start, door_target, door_cost, target, cost, best, met
):
    """List the targets behind the doors that a ball came to, and those next to its origin.

    Returns
    -------
    How many there are, listed in `met`, their distances in `best`.
    """
    found = 0
    for at in range(count + 1):
        # The last turn is for the targets that need no junction.
        beside = at == count
        node = 0 if beside else index(touched[at])
        here = 0.0 if beside else distance[node]
        first = 0 if beside else index(door_start[node])
        last = len(target) if beside else index(door_start[node + 1])
        for door in range(first, last):
            whole = here + (cost[door] if beside else door_cost[door])
            one = index(target[door] if beside else door_target[door])
            if whole > limit or whole >= best[one]:
                continue
            if best[one] == np.inf:
                met[found] = one
                found += 1
            best[one] = whole
    return found


@compiled
def meetings(
    start,
    arcs,
    seed_start,
    seed_node,
    seed_cost,
    limit,
    width,
    buckets,
    room,
    door_start,
    door_target,
    door_cost,
    beside_start,
    beside_target,
    beside_cost,
    targets,
    most,
    near,
    ends,
    target,
    cost,
):
    """List the targets that each of some origins reaches.

    Parameters
    ----------
    start, arcs, seed_start, seed_node, seed_cost, limit, width, buckets, room
        As `balls` takes them.
    door_start, door_target, door_cost
        Where each node's doors begin; the targets behind them, and the cost from the node.
    beside_start, beside_target, beside_cost
        The same for each origin: targets it reaches along its own street.
    targets
        Number of targets.
    most, near
        Distance past which each node, and each target, is of no interest; none for no
        such bounds.
    ends, target, cost
        Filled with where each origin's list ends, and the lists as far as they hold them.

    Returns
    -------
    How many origins were searched before the lists were full; -1 if the room was short.
    """
    distance = np.full(len(start) - 1, np.inf)
    touched = np.empty(len(start) - 1, np.int64)
    best, met = np.full(targets, np.inf), np.empty(targets, np.int64)
    first = np.full(buckets, -1, np.int32)
    wait_next, wait_node = np.empty(room, np.int32), np.empty(room, np.int32)
    wait_cost = np.empty(room)
    filled = 0
    for origin in range(len(seed_start) - 1):
        begin, end = seed_start[origin], seed_start[origin + 1]
        count = _ball(
            start,
            arcs,
            seed_node[begin:end],
            seed_cost[begin:end],
            limit,
            1.0 / width,
            first,
            wait_next,
            wait_node,
            wait_cost,
            distance,
            touched,
            most,
        )
        if count < 0:
            return -1
        begin, end = beside_start[origin], beside_start[origin + 1]
        found = _meet(
            count,
            touched,
            distance,
            limit,
            door_start,
            door_target,
            door_cost,
            beside_target[begin:end],
            beside_cost[begin:end],
            best,
            met,
        )
        if filled + found > len(target):
            return origin
        for at in range(found):
            one = met[at]
            if len(near) > 0 and best[one] > near[one]:
                best[one] = np.inf
                continue
            target[filled] = one
            cost[filled] = best[one]
            filled += 1
            best[one] = np.inf
        ends[origin] = filled
        for at in range(count):
            distance[touched[at]] = np.inf
    return len(seed_start) - 1


@compiled
def _offer(distance, origin, node, cost, source):
    """Put an origin among a node's nearest ones; whether it belongs there and is news."""
    most = distance.shape[1]
    last = most - 1
    if cost > distance[node, last] or (
        cost == distance[node, last] and 0 <= origin[node, last] <= source
    ):
        return False
    # Where it stands now, or where the farthest falls out.
    hole = last
    for place in range(most):
        if origin[node, place] == source:
            if distance[node, place] <= cost:
                return False
            hole = place
            break
        if origin[node, place] < 0:
            hole = place
            break
    while hole > 0 and (
        distance[node, hole - 1] > cost
        or (distance[node, hole - 1] == cost and origin[node, hole - 1] > source)
    ):
        distance[node, hole] = distance[node, hole - 1]
        origin[node, hole] = origin[node, hole - 1]
        hole -= 1
    distance[node, hole] = cost
    origin[node, hole] = source
    return True


@compiled
def several(
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
    room,
    distance,
    origin,
):
    """Search from all origins at once, keeping the nearest few of every node of a range.

    Parameters
    ----------
    start, arcs, low, high, seed_node, seed_cost, seed_origin, limit, width, buckets
        As `planner._tiles.nearest` takes them.
    room
        How many labels may wait at one time.
    distance, origin
        A row a node, a column a rank; inf and -1 where none has come yet. What is there
        already stays among the nearest unless nearer ones come.

    Returns
    -------
    Whether the room sufficed; if not, the outcome is void.
    """
    mask = buckets - 1
    per_width = 1.0 / width
    first = np.full(buckets, -1, np.int32)
    wait_next, wait_node = np.empty(room, np.int32), np.empty(room, np.int32)
    wait_cost, wait_origin = np.empty(room), np.empty(room, np.int64)
    free = np.int32(-1)
    used = 0
    waiting = 0
    current = np.int64(0)
    seed = 0
    seeds = len(seed_node)
    while waiting > 0 or seed < seeds:
        if waiting == 0:
            current = max(current, np.int64(seed_cost[seed] * per_width))
        slot = current & mask
        while seed < seeds and np.int64(seed_cost[seed] * per_width) <= current:
            node, source = np.int64(seed_node[seed]), np.int64(seed_origin[seed])
            cost = seed_cost[seed]
            seed += 1
            if not _offer(distance, origin, node, cost, source):
                continue
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
            wait_origin[entry] = source
            wait_next[entry] = first[slot]
            first[slot] = entry
            waiting += 1
        while first[slot] >= 0:
            entry = first[slot]
            first[slot] = wait_next[entry]
            wait_next[entry] = free
            free = entry
            waiting -= 1
            node, source = np.int64(wait_node[entry]), wait_origin[entry]
            here = wait_cost[entry]
            stale = True
            for place in range(distance.shape[1]):
                if origin[node, place] == source:
                    stale = distance[node, place] != here
                    break
            if stale:
                continue
            for arc in range(start[node], start[node + 1]):
                cost = here + arcs[arc].cost
                head = arcs[arc].head
                if head < low or head >= high:
                    continue
                if cost > limit or not _offer(distance, origin, head, cost, source):
                    continue
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
                wait_origin[entry] = source
                into = np.int64(cost * per_width) & mask
                wait_next[entry] = first[into]
                first[into] = entry
                waiting += 1
        current += 1
    return True


@compiled
def blank(distance, origin):
    """Write inf and -1 into every place, for `several`."""
    for node in range(len(distance)):
        for place in range(distance.shape[1]):
            distance[node, place] = np.inf
            origin[node, place] = -1


@compiled
def crossing(arc, tail, arcs, limit, distance, origin, out_head, out_cost, out_origin):
    """Find what arcs between ranges have to offer to the nodes that they lead to.

    Parameters
    ----------
    arc, tail
        The arcs, and the nodes that they lead away from.
    arcs, limit, distance, origin
        As `several` takes them.
    out_head, out_cost, out_origin
        As long as the arcs times the ranks; filled from the front with labels that belong
        among a node's nearest and are not there.

    Returns
    -------
    How many there are.
    """
    count = 0
    last = distance.shape[1] - 1
    for turn in range(len(arc)):
        node, cost = np.int64(arcs[arc[turn]].head), arcs[arc[turn]].cost
        for rank in range(last + 1):
            source = origin[tail[turn], rank]
            there = distance[tail[turn], rank] + cost
            # The ranks after it have no more to offer.
            if source < 0 or there > limit or there > distance[node, last]:
                break
            if there == distance[node, last] and 0 <= origin[node, last] <= source:
                continue
            known = False
            for place in range(last + 1):
                if origin[node, place] == source:
                    known = distance[node, place] <= there
                    break
            if not known:
                out_head[count] = node
                out_cost[count] = there
                out_origin[count] = source
                count += 1
    return count


@compiled
def few(
    near_distance,
    near_origin,
    node,
    door_cost,
    beside_start,
    beside_origin,
    beside_cost,
    limit,
    distance,
    origin,
):
    """Find the nearest few origins of each of some targets, from those of nodes.

    Parameters
    ----------
    near_distance, near_origin
        What `several` found for the nodes.
    node, door_cost
        A row a target, a column for either end of its street: the node, and the cost from
        it, inf where the street is not open from there.
    beside_start, beside_origin, beside_cost
        Where each target's own origins begin, those that it reaches along its street;
        the origins, and their cost.
    limit
        Greatest distance, inclusive.
    distance, origin
        inf and -1, a row a target, a column a rank; filled with the outcome.
    """
    for target in range(len(node)):
        for end in range(2):
            for place in range(near_distance.shape[1]):
                cost = near_distance[node[target, end], place] + door_cost[target, end]
                # Without a limit, what is out of reach is not beyond it.
                if cost <= limit and cost < np.inf:
                    source = near_origin[node[target, end], place]
                    _offer(distance, origin, target, cost, source)
        for at in range(beside_start[target], beside_start[target + 1]):
            if beside_cost[at] <= limit:
                _offer(distance, origin, target, beside_cost[at], beside_origin[at])


@compiled
def rank(start, target, cost, first, distance, origin):
    """Put what each of some origins reaches among its targets' nearest few.

    Parameters
    ----------
    start, target, cost
        Where each origin's list begins; the targets and their distances.
    first
        Number of the first origin; none of a greater number was put in before.
    distance, origin
        A row a target, a column a rank, nearest first; inf and -1 where there are fewer.
    """
    last = distance.shape[1] - 1
    for own in range(len(start) - 1):
        for at in range(start[own], start[own + 1]):
            row = target[at]
            if cost[at] >= distance[row, last]:
                continue
            hole = last
            while hole > 0 and distance[row, hole - 1] > cost[at]:
                distance[row, hole] = distance[row, hole - 1]
                origin[row, hole] = origin[row, hole - 1]
                hole -= 1
            distance[row, hole] = cost[at]
            origin[row, hole] = first + own
