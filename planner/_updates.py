"""The compiled kernels of change: labels that follow a change, and nothing else.

A label is a distance and an origin. Nodes are settled by a heap in the order of their
labels, distance first and origin second, so that each hands on its last label only: the
outcome is the same whichever changes led to it, to the last bit.

Imported when labels are first held (`planner._search.kernels`): numba is slow to import.
"""

import numpy as np

from planner._compiled import compiled, grown, index

_WAYS = 4
"""Children of a place in the heap; four lie side by side in memory."""
_ENTRY = np.dtype([("cost", np.float64), ("origin", np.int32), ("node", np.int32)])


@compiled
def _raise(heap, at, cost, origin, node):
    """Put an entry at a place of the heap, and let it rise to where it belongs."""
    at = index(at)
    while at > 0:
        above = index(at - 1) // _WAYS
        held = heap[above].cost
        if held < cost or (held == cost and heap[above].origin <= origin):
            break
        heap[at].cost = held
        heap[at].origin = heap[above].origin
        heap[at].node = heap[above].node
        at = above
    heap[at].cost = cost
    heap[at].origin = origin
    heap[at].node = node


@compiled
def _sink(heap, count):
    """Let the last entry of the heap take the place of the first and sink."""
    count = index(count)
    cost, origin, node = heap[count].cost, heap[count].origin, heap[count].node
    at = index(0)
    while True:
        child = index(_WAYS * at + 1)
        if child >= count:
            break
        least = child
        held = heap[least].cost
        for other in range(child + 1, min(child + _WAYS, count)):
            here = heap[other].cost
            if here < held or (here == held and heap[other].origin < heap[least].origin):
                least = other
                held = here
        if cost < held or (cost == held and origin <= heap[least].origin):
            break
        heap[at].cost = held
        heap[at].origin = heap[least].origin
        heap[at].node = heap[least].node
        at = least
    heap[at].cost = cost
    heap[at].origin = origin
    heap[at].node = node


@compiled
def dependents(start, head, cost, distance, origin, first, lost):
    """Mark every node whose label may have come by way of some nodes.

    Those are reached from them over arcs that fit exactly: the label at the head is the
    label at the tail and the arc's cost, for the same origin.

    Parameters
    ----------
    start, head, cost
        Compressed rows, as they were when the labels came about.
    distance, origin
        The labels.
    first
        The nodes to begin from.
    lost
        Marks, added to.
    """
    stack = np.empty(max(len(first), 1024), np.int64)
    count = 0
    for node in first:
        if not lost[node]:
            lost[node] = True
            stack[count] = node
            count += 1
    while count > 0:
        count -= 1
        node = index(stack[count])
        here, source = distance[node], origin[node]
        for arc in range(index(start[node]), index(start[node + 1])):
            to = index(head[arc])
            if not lost[to] and origin[to] == source and here + cost[arc] == distance[to]:
                lost[to] = True
                if count == len(stack):
                    stack = grown(stack)
                stack[count] = to
                count += 1


@compiled
def repair(
    start,
    head,
    cost,
    back_start,
    back_head,
    back_cost,
    distance,
    origin,
    lost_nodes,
    arc_tail,
    arc_head,
    arc_cost,
    seed_node,
    seed_cost,
    seed_origin,
    limit,
    slot,
):
    """Search again what a change can affect.

    Parameters
    ----------
    start, head, cost
        Compressed rows after the change.
    back_start, back_head, back_cost
        The same arcs, by their heads.
    distance, origin
        Labels before the change, turned into those after it; inf and -1 where none comes.
    lost_nodes
        Nodes whose labels have lost what they came from, with all their dependents.
    arc_tail, arc_head, arc_cost
        Arcs that have become cheaper.
    seed_node, seed_cost, seed_origin
        All seeds after the change, none beyond the limit.
    limit
        Greatest distance, inclusive.
    slot
        -1 for every node; work space, left as it was found.

    Returns
    -------
    Nodes whose labels have changed, and their distances before.
    """
    touched = np.empty(1024, np.int64)
    old_cost = np.empty(1024)
    old_origin = np.empty(1024, np.int64)
    count = 0
    heap = np.empty(1024, _ENTRY)
    waiting = 0
    doubtful = np.empty(16, np.int64)
    doubts = 0
    lost = lost_nodes
    for turn in range(2):
        for node in lost:
            if slot[node] < 0:
                if count == len(touched):
                    touched, old_cost = grown(touched), grown(old_cost)
                    old_origin = grown(old_origin)
                slot[node] = count
                touched[count] = node
                old_cost[count] = distance[node]
                old_origin[count] = origin[node]
                count += 1
            distance[node] = np.inf
            origin[node] = -1
        # What is offered to the lost: from around them, over new arcs, by seeds. All is
        # gathered before any of it is believed: only last labels may be handed on.
        offers = len(lost) + len(arc_tail) + len(seed_node)
        offer_cost = np.empty(offers)
        offer_label = np.empty((offers, 2), np.int64)
        for at in range(len(lost)):
            node = index(lost[at])
            best, which = np.inf, np.int64(-1)
            for arc in range(index(back_start[node]), index(back_start[node + 1])):
                tail = index(back_head[arc])
                come = distance[tail] + back_cost[arc]
                if come < best or (come == best and come < np.inf and origin[tail] < which):
                    best, which = come, origin[tail]
            offer_cost[at] = best
            offer_label[at, 0] = which
            offer_label[at, 1] = node
        at = len(lost)
        for arc in range(len(arc_tail)):
            offer_cost[at] = distance[arc_tail[arc]] + arc_cost[arc]
            offer_label[at, 0] = origin[arc_tail[arc]]
            offer_label[at, 1] = arc_head[arc]
            at += 1
        for seed in range(len(seed_node)):
            offer_cost[at] = seed_cost[seed]
            offer_label[at, 0] = seed_origin[seed]
            offer_label[at, 1] = seed_node[seed]
            at += 1
        offered = 0
        tail = np.int64(-1)
        # The offers first, then what the settled nodes hand on.
        while offered < offers or waiting > 0:
            begin, end = np.int64(0), np.int64(1)
            if offered < offers:
                tail = np.int64(-1)
            else:
                here, source = heap[0].cost, np.int64(heap[0].origin)
                tail = np.int64(heap[0].node)
                waiting -= 1
                if waiting > 0:
                    _sink(heap, waiting)
                if here != distance[tail] or source != origin[tail]:
                    continue
                begin, end = start[index(tail)], start[index(tail) + 1]
            for arc in range(index(begin), index(end)):
                if tail < 0:
                    come, source = offer_cost[offered], offer_label[offered, 0]
                    to = index(offer_label[offered, 1])
                    offered += 1
                else:
                    come, to = here + cost[arc], index(head[arc])
                if come > limit or come == np.inf:
                    continue
                if come > distance[to] or (come == distance[to] and source >= origin[to]):
                    # Where rounding makes a shorter way no shorter from here on, the node's
                    # origin may be one that its neighbour has just let go.
                    if turn == 0 and tail >= 0 and slot[tail] >= 0:
                        was = slot[tail]
                        if (
                            old_cost[was] > here
                            and origin[to] == old_origin[was]
                            and old_cost[was] + cost[arc] == distance[to]
                        ):
                            if doubts == len(doubtful):
                                doubtful = grown(doubtful)
                            doubtful[doubts] = to
                            doubts += 1
                    continue
                if slot[to] < 0:
                    if count == len(touched):
                        touched, old_cost = grown(touched), grown(old_cost)
                        old_origin = grown(old_origin)
                    slot[to] = count
                    touched[count] = to
                    old_cost[count] = distance[to]
                    old_origin[count] = origin[to]
                    count += 1
                distance[to] = come
                origin[to] = source
                if waiting == len(heap):
                    heap = grown(heap)
                _raise(heap, waiting, come, source, to)
                waiting += 1
        if doubts == 0:
            break
        marks = np.zeros(len(distance), np.bool_)
        dependents(start, head, cost, distance, origin, doubtful[:doubts], marks)
        lost = np.flatnonzero(marks)
        # Distances are right by now; only origins may change, which raises no more doubts.
        doubts = 0
    changed = 0
    for at in range(count):
        node = index(touched[at])
        slot[node] = -1
        if old_cost[at] != distance[node] or old_origin[at] != origin[node]:
            touched[changed] = node
            old_cost[changed] = old_cost[at]
            changed += 1
    return touched[:changed].copy(), old_cost[:changed].copy()


@compiled
def joined(start, head, cost, back_start, back_head, back_cost, source, target):
    """Whether a way leads from one node to another over arcs of finite cost.

    It is sought from both ends by turns, so that a detour around the block is found at
    once and a dead end as well.
    """
    if source == target:
        return True
    # Marks in dictionaries: a city-wide array would cost more than the search.
    ahead, behind = {source: True}, {target: True}
    out, back = [source], [target]
    next_out, next_back = 0, 0
    while next_out < len(out) and next_back < len(back):
        node = out[next_out]
        next_out += 1
        for arc in range(start[node], start[node + 1]):
            to = head[arc]
            if cost[arc] < np.inf and to not in ahead:
                if to in behind:
                    return True
                ahead[to] = True
                out.append(to)
        node = back[next_back]
        next_back += 1
        for arc in range(back_start[node], back_start[node + 1]):
            to = back_head[arc]
            if back_cost[arc] < np.inf and to not in behind:
                if to in ahead:
                    return True
                behind[to] = True
                back.append(to)
    return False


@compiled
def grouped(key, count):
    """Rows by their key, as compressed rows; keys below zero are left out.

    Returns
    -------
    Where each key's rows begin, and the rows.
    """
    begin = np.zeros(count + 2, np.int64)
    for row in range(len(key)):
        if key[row] >= 0:
            begin[key[row] + 2] += 1
    for number in range(2, count + 2):
        begin[number] += begin[number - 1]
    rows = np.empty(begin[count + 1], np.int64)
    for row in range(len(key)):
        if key[row] >= 0:
            rows[begin[key[row] + 1]] = row
            begin[key[row] + 1] += 1
    return begin[: count + 1], rows


@compiled
def _holds(numbers, number):
    """Whether a number is among ascending ones."""
    rank = np.searchsorted(numbers, number)
    return rank < len(numbers) and numbers[rank] == number


@compiled
def lost_nodes(start, head, origin, seeds, gone, lost, marked):
    """Nodes that are marked, or whose label came from an origin that is gone.

    Labels came from node to node, so that those of an origin lie in one piece around its
    seeds: only that is gone through, over arcs of any cost, closed ones too.

    Parameters
    ----------
    start, head
        Compressed rows.
    origin
        Label of each node.
    seeds
        Nodes that the labels began from.
    gone
        Origins that have gone, in ascending order.
    lost, marked
        Marks, taken away, and whether there are any.
    """
    found = np.empty(1024, np.int64)
    count = 0
    # Mostly it is one that is gone.
    only = gone[0] if len(gone) == 1 else np.int64(-1)
    for at in range(len(seeds)):
        own = origin[seeds[at]]
        if own != only and not _holds(gone, own):
            continue
        if not lost[seeds[at]]:
            lost[seeds[at]] = True
            if count == len(found):
                found = grown(found)
            found[count] = seeds[at]
            count += 1
    at = 0
    while at < count:
        node = found[at]
        at += 1
        for arc in range(start[node], start[node + 1]):
            to = head[arc]
            own = origin[to]
            if lost[to] or own < 0 or (own != only and (only >= 0 or not _holds(gone, own))):
                continue
            lost[to] = True
            if count == len(found):
                found = grown(found)
            found[count] = to
            count += 1
    if marked:
        count = 0
        for node in range(len(origin)):
            if lost[node]:
                if count == len(found):
                    found = grown(found)
                found[count] = node
                count += 1
    for at in range(count):
        lost[found[at]] = False
    return found[:count].copy()


@compiled
def _is_served(door, distance, delay, delayed, limit):
    """Whether somebody behind a door is served; the very sums of `planner.reach.measure`."""
    if door["direct"] <= limit:
        return True
    node = door["over_u"]
    if node >= 0:
        cost = distance[node] + door["cost_u"]
        if delayed:
            cost += delay[node]
        if cost + door["leg"] <= limit:
            return True
    node = door["over_v"]
    if node >= 0:
        cost = distance[node] + door["cost_v"]
        if delayed:
            cost += delay[node]
        if cost + door["leg"] <= limit:
            return True
    return False


@compiled
def serve(rows, doors, distance, delay, delayed, limit, served):
    """Turn the flags of some people who are served now and were not, or the other way round.

    Parameters
    ----------
    rows
        Of the people.
    doors
        For everybody the junctions at either end of the street that they may leave over,
        -1 where they may not, what it costs to get there, the access leg, and the whole
        distance from a facility on the same street, inf where there is none.
    distance
        Of each junction.
    delay, delayed
        Cost of passing each junction, and whether any costs anything.
    limit
        Greatest distance, inclusive.
    served
        Flags, turned where they are wrong.

    Returns
    -------
    Rows that were turned.
    """
    turned = np.empty(256, np.int64)
    count = 0
    for row in rows:
        now = _is_served(doors[row], distance, delay, delayed, limit)
        if now != served[row]:
            served[row] = now
            if count == len(turned):
                turned = grown(turned)
            turned[count] = row
            count += 1
    return turned[:count].copy()


@compiled
def furthest(begin, hung, doors):
    """How much further than each node anybody is who hangs on it; minus inf for nobody.

    Parameters
    ----------
    begin, hung, doors
        As `serve_around` takes them; the cost of passing the node is left out.
    """
    far = np.full(len(begin) - 1, -np.inf)
    for node in range(len(far)):
        for at in range(begin[node], begin[node + 1]):
            door = doors[hung[at]]
            if door["over_u"] == node:
                far[node] = max(far[node], door["cost_u"] + door["leg"])
            if door["over_v"] == node:
                far[node] = max(far[node], door["cost_v"] + door["leg"])
    return far


@compiled
def serve_around(
    begin, hung, nodes, before, far, hair, doors, distance, delay, delayed, limit, served
):
    """Turn the flags of those who hang on some nodes; as `serve`.

    Parameters
    ----------
    begin, hung
        Rows of the people by the junctions at their streets' ends, as `grouped` made them.
    nodes, before
        The nodes, and their distances before.
    far
        What `furthest` found: where a node lay so near before, and lies so near now, that
        whoever leaves over it is served, nobody is looked at.
    hair
        By how much that has to hold, for sums are rounded.
    """
    turned = np.empty(256, np.int64)
    count = 0
    for which in range(len(nodes)):
        node = nodes[which]
        least = max(before[which], distance[node]) + far[node] + hair
        if delayed:
            least += delay[node]
        if least <= limit:
            continue
        for at in range(begin[node], begin[node + 1]):
            row = hung[at]
            now = _is_served(doors[row], distance, delay, delayed, limit)
            if now != served[row]:
                served[row] = now
                if count == len(turned):
                    turned = grown(turned)
                turned[count] = row
                count += 1
    return turned[:count].copy()
