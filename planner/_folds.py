"""The compiled kernels that fold a graph and unfold what was found, and nothing else.

Most junctions of a street network are places where a street merely goes on, or dead ends.
They are folded away before a search: trees that hang on the rest by one node, and chains
between two nodes along which one may go both ways. A search then meets the rest alone (the
core), and each folded node gets its label afterwards. Along a chain costs are added one by
one, so all distances are those of Dijkstra's algorithm on the whole graph to the last bit.

Imported when first wanted (`planner._search.kernels`): numba is slow to import.
"""

import numpy as np

from planner._compiled import compiled, grown

_PASSING = 2
"""Degree of a node at which a street merely goes on."""
_NEVER = np.int32(1 << 30)
"""Degree of a node that is never folded; taking away neighbours leaves it large."""


@compiled
def _degrees(start, arcs):
    """Count the neighbours of each node; `_NEVER` where an arc has no counterpart."""
    nodes = len(start) - 1
    come = np.zeros(nodes, np.int32)
    for node in range(nodes):
        for arc in range(start[node], start[node + 1]):
            if arcs[arc].head != node:
                come[arcs[arc].head] += 1
    degree = np.zeros(nodes, np.int32)
    for node in range(nodes):
        go = both = 0
        for arc in range(start[node], start[node + 1]):
            head = arcs[arc].head
            if head == node:
                continue
            go += 1
            for back in range(start[head], start[head + 1]):
                if arcs[back].head == node:
                    both += 1
                    break
        degree[node] = both if go == both and come[node] == both else _NEVER
    return degree


@compiled
def _trees(start, arcs, degree, node, parent, up, down):
    """Take away nodes with a single neighbour for as long as there are any.

    Parameters
    ----------
    start, arcs
        Compressed rows.
    degree
        What `_degrees` counted; -1 for nodes taken away.
    node, parent, up, down
        As long as there are nodes; filled from the front with those taken away, each before
        its parent: what they hang on, and the cost there and back.

    Returns
    -------
    How many were taken away.
    """
    count = 0
    for first in range(len(degree)):
        leaf = first
        while degree[leaf] == 1:
            for arc in range(start[leaf], start[leaf + 1]):
                head = arcs[arc].head
                if head != leaf and degree[head] >= 0:
                    parent[count] = head
                    up[count] = arcs[arc].cost
                    for back in range(start[head], start[head + 1]):
                        if arcs[back].head == leaf:
                            down[count] = arcs[back].cost
            node[count] = leaf
            degree[leaf] = -1
            leaf = np.int64(parent[count])
            degree[leaf] -= 1
            count += 1
    return count


@compiled
def _follow(start, arcs, degree, tail, node, chain, place, inner, at):
    """List the nodes of a chain from one of its ends, and mark them.

    Returns
    -------
    The other end, and where the list ends.
    """
    before = tail
    while degree[node] == _PASSING:
        place[node] = chain
        inner[at] = node
        at += 1
        after = np.int64(-1)
        for arc in range(start[node], start[node + 1]):
            head = np.int64(arcs[arc].head)
            if head not in (before, node) and degree[head] >= 0:
                after = head
                break
        before, node = node, after
    return node, at


@compiled
def _leg(start, arcs, tail, head):
    """Cost of an arc that is there."""
    for arc in range(start[tail], start[tail + 1]):
        if arcs[arc].head == head:
            return arcs[arc].cost
    return np.inf


@compiled
def outline(start, arcs, place, inner, chain_start, chain_ends, tree, parent, up, down):
    """Tell apart what is core, chain and tree.

    Parameters
    ----------
    start, arcs
        Compressed rows.
    place
        Filled: number of each core node, counted upwards, -1 for nodes of trees, -2 and less
        for those of chains (-2 less the number of the chain).
    inner, chain_start, chain_ends
        Room for a number, and for two, a node; filled with the nodes of the chains one after
        the other, where each chain begins among them, and the core nodes at its ends.
    tree, parent, up, down
        As `_trees` takes them.

    Returns
    -------
    How many nodes are core, how many chains, nodes of chains and nodes of trees there are,
    and how many arcs the core has.
    """
    nodes = len(start) - 1
    degree = _degrees(start, arcs)
    trees = _trees(start, arcs, degree, tree, parent, up, down)
    chains = at = 0
    place[:] = -1
    # The second time for rings in which every node merely passes on.
    for ring in (False, True):
        for node in range(nodes):
            if ring and degree[node] == _PASSING and place[node] == -1:
                degree[node] = _NEVER
            elif ring or degree[node] < 0 or degree[node] == _PASSING:
                continue
            for arc in range(start[node], start[node + 1]):
                head = np.int64(arcs[arc].head)
                if degree[head] == _PASSING and place[head] == -1:
                    chain_start[chains] = at
                    other, at = _follow(
                        start, arcs, degree, node, head, -2 - chains, place, inner, at
                    )
                    chain_ends[chains, 0], chain_ends[chains, 1] = node, other
                    chains += 1
    chain_start[chains] = at
    core = arcs_there = 0
    for node in range(nodes):
        if degree[node] >= 0 and place[node] == -1:
            place[node] = core
            core += 1
            for arc in range(start[node], start[node + 1]):
                head = arcs[arc].head
                arcs_there += head != node and degree[head] >= 0
    return core, chains, at, trees, arcs_there


@compiled
def fill(
    start, arcs, place, inner, chain_start, chain_ends, core, begin, made, leg, legs, chain_legs
):
    """Write the arcs of the core.

    Parameters
    ----------
    start, arcs, place, inner, chain_start, chain_ends
        As `outline` filled them.
    core
        Filled with the node that each of the core is.
    begin, made
        Filled with where the arcs of each begin, and the arcs.
    leg, legs
        Filled with where the costs begin that each arc along a chain is made of, one more
        than there are arcs, and with those costs.
    chain_legs
        Filled with where those along each chain begin, there and back.
    """
    count = put = number = 0
    for node in range(len(start) - 1):
        if place[node] < 0:
            continue
        core[number] = node
        begin[number] = count
        number += 1
        for arc in range(start[node], start[node + 1]):
            head = np.int64(arcs[arc].head)
            if head == node or place[head] == -1:
                continue
            leg[count] = put
            if place[head] >= 0:
                made[count].head = place[head]
                made[count].cost = arcs[arc].cost
                count += 1
                continue
            chain = -2 - place[head]
            first, last = chain_start[chain], chain_start[chain + 1] - 1
            forth = chain_ends[chain, 0] == node and inner[first] == head
            chain_legs[chain, 0 if forth else 1] = put
            whole, tail = 0.0, node
            for step in range(last - first + 2):
                if step == last - first + 1:
                    to = chain_ends[chain, 1 if forth else 0]
                else:
                    to = inner[first + step if forth else last - step]
                legs[put] = _leg(start, arcs, tail, to)
                whole += legs[put]
                put += 1
                tail = to
            made[count].head = place[to]
            made[count].cost = whole
            count += 1
    begin[number] = count
    leg[count] = put


@compiled
def settle(place, inner, tree, parent, cut):
    """Let the places of folded nodes say where they stand: -1 for the first, and so on down.

    Parameters
    ----------
    place
        As `outline` filled it; changed for folded nodes.
    inner
        Nodes of the chains, which stand first.
    tree, parent
        Nodes of the trees, each after its parent.
    cut
        Filled: whether the trees may be cut before each node, none of whose followers then
        hangs on one before it.
    """
    for at in range(len(inner)):
        place[inner[at]] = -1 - at
    for at in range(len(tree)):
        place[tree[at]] = -1 - len(inner) - at
    least = np.int64(len(tree))
    for at in range(len(tree) - 1, -1, -1):
        above = -1 - np.int64(place[parent[at]]) - len(inner)
        if above >= 0:
            least = min(least, above)
        cut[at] = least >= at


@compiled
def crossing(begin, made, ends):
    """List the core's arcs that lead from one range of nodes to another.

    Parameters
    ----------
    begin, made
        What `fill` filled.
    ends
        Where each range begins, and where the last one ends.

    Returns
    -------
    The arcs, and the nodes that they lead away from.
    """
    arc = np.empty(16, np.int64)
    tail = np.empty(16, np.int32)
    count = 0
    for part in range(len(ends) - 1):
        low, high = ends[part], ends[part + 1]
        for node in range(low, high):
            for one in range(begin[node], begin[node + 1]):
                if low <= made[one].head < high:
                    continue
                if count == len(arc):
                    arc, tail = grown(arc), grown(tail)
                arc[count], tail[count] = one, node
                count += 1
    return arc[:count].copy(), tail[:count].copy()


@compiled
def enter(
    place,
    chain_start,
    chain_ends,
    chain_legs,
    legs,
    parent,
    up,
    limit,
    seed_node,
    seed_cost,
    seed_origin,
):
    """Bring seeds from folded nodes to the core.

    Parameters
    ----------
    place, chain_start, chain_ends, chain_legs, legs, parent, up
        The folds.
    limit
        Greatest distance, inclusive.
    seed_node, seed_cost, seed_origin
        The seeds.

    Returns
    -------
    Seeds of the core within the limit, and labels to be held against those that unfolding
    finds: node of the core or position of the folded node, cost and origin of each.
    """
    inside = chain_start[len(chain_start) - 1]
    out = np.empty(2 * len(seed_node), np.int64)
    out_cost = np.empty(2 * len(seed_node))
    out_origin = np.empty(2 * len(seed_node), np.int64)
    held, held_cost = np.empty(16, np.int64), np.empty(16)
    held_origin = np.empty(16, np.int64)
    come = count = 0
    for seed in range(len(seed_node)):
        node, cost, origin = np.int64(seed_node[seed]), seed_cost[seed], seed_origin[seed]
        if not cost < np.inf:
            continue
        while place[node] < 0 and cost <= limit:
            if count == len(held):
                held, held_cost, held_origin = grown(held), grown(held_cost), grown(held_origin)
            at = -1 - np.int64(place[node])
            held[count], held_cost[count], held_origin[count] = at, cost, origin
            count += 1
            if at < inside:
                break
            cost += up[at - inside]
            node = np.int64(parent[at - inside])
        if cost > limit:
            continue
        if place[node] >= 0:
            out[come], out_cost[come], out_origin[come] = place[node], cost, origin
            come += 1
            continue
        at = -1 - np.int64(place[node])
        chain = np.searchsorted(chain_start, at, side="right") - 1
        size = chain_start[chain + 1] - chain_start[chain]
        for end in range(2):
            before, after = at - chain_start[chain] + 1, chain_start[chain + 1] - at
            passed = before if end == 1 else after
            begin = chain_legs[chain, 1 - end]
            there = cost
            for leg in range(begin + passed, begin + size + 1):
                there += legs[leg]
            if there <= limit:
                out[come], out_cost[come] = chain_ends[chain, end], there
                out_origin[come] = origin
                come += 1
    return (
        out[:come],
        out_cost[:come],
        out_origin[:come],
        held[:count],
        held_cost[:count],
        held_origin[:count],
    )


@compiled
def _against(held, held_cost, held_origin, turn, here, source):
    """Hold a label against all that are held for its position; the better, and the next turn."""
    at = held[turn]
    while turn < len(held) and held[turn] == at:
        cost, who = held_cost[turn], held_origin[turn]
        turn += 1
        if cost < here or (cost == here and who < source):
            here, source = cost, who
    return here, source, turn


@compiled
def chains(
    first,
    last,
    chain_start,
    chain_ends,
    chain_legs,
    legs,
    inner,
    label,
    limit,
    held,
    held_cost,
    held_origin,
    blank,
    distance,
    origin,
):
    """Label the nodes of some chains from those at their ends.

    Parameters
    ----------
    first, last
        The chains, from `first` until before `last`.
    chain_start, chain_ends, chain_legs, legs, inner
        The folds.
    label
        What the search of the core found: distance and origin of each node side by side.
    limit
        Greatest distance, inclusive.
    held, held_cost, held_origin
        What `enter` holds, in the order of the positions.
    blank
        Whether `distance` and `origin` are filled with inf and -1 already.
    distance, origin
        Filled for the nodes of the chains.
    """
    turn = np.searchsorted(held, chain_start[first])
    for chain in range(first, last):
        begin, end = chain_start[chain], chain_start[chain + 1]
        left, right = np.int64(chain_ends[chain, 0]), np.int64(chain_ends[chain, 1])
        own = turn < len(held) and held[turn] < end
        here, source = label[2 * left], np.int64(label[2 * left + 1])
        there, whose = label[2 * right], np.int64(label[2 * right + 1])
        if blank and not own and here == np.inf and there == np.inf:
            continue
        leg = chain_legs[chain, 0]
        for at in range(begin, end):
            here += legs[leg]
            leg += 1
            if here > limit or source < 0:
                here, source = np.inf, np.int64(-1)
            if turn < len(held) and held[turn] == at:
                here, source, turn = _against(held, held_cost, held_origin, turn, here, source)
            distance[inner[at]] = here
            origin[inner[at]] = source
        leg = chain_legs[chain, 1]
        for at in range(end - 1, begin - 1, -1):
            there += legs[leg]
            leg += 1
            if there > limit or whose < 0:
                there, whose = np.inf, np.int64(-1)
            node = inner[at]
            cost, who = distance[node], origin[node]
            if there < cost or (there == cost and whose < who):
                distance[node] = there
                origin[node] = whose
            elif own:
                there, whose = cost, who
            else:
                # What came from the other end is better from here on.
                break


@compiled
def trees(
    first,
    last,
    inside,
    tree,
    parent,
    down,
    limit,
    held,
    held_cost,
    held_origin,
    blank,
    distance,
    origin,
):
    """Label the nodes of some trees from those that they hang on.

    Parameters
    ----------
    first, last
        The nodes, from `first` until before `last`, cut off where they may be.
    inside
        How many nodes of chains stand before them.
    tree, parent, down
        The folds.
    limit, held, held_cost, held_origin, blank
        As `chains` takes them.
    distance, origin
        Filled for the nodes of the trees, those that they hang on being filled.
    """
    turn = np.searchsorted(held, inside + first)
    for at in range(first, last):
        here = distance[parent[at]] + down[at]
        source = origin[parent[at]]
        if here > limit or source < 0:
            here, source = np.inf, np.int64(-1)
        if turn < len(held) and held[turn] == inside + at:
            here, source, turn = _against(held, held_cost, held_origin, turn, here, source)
        if here < np.inf or not blank:
            distance[tree[at]] = here
            origin[tree[at]] = source
