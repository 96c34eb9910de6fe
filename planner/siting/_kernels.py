"""Compiled kernels of the distance models, and nothing else.

Rows are demand, each sorted by cost; prices are the multipliers of "everyone is served
once". Imported when a solve first runs (`planner.siting.bounds.kernels`): numba is slow
to import.
"""

import numpy as np

from planner._compiled import compiled


@compiled
def saved(start, site, cost, price, total):
    """Add up what each site would save at given prices: ``min(0, cost - price)``.

    Parameters
    ----------
    start, site, cost
        Compressed rows, each sorted by cost.
    price
        (n,) price of each row.
    total
        (m,) filled with the sums, of at most nought.
    """
    total[:] = 0.0
    for row in range(len(start) - 1):
        worth = price[row]
        for at in range(start[row], start[row + 1]):
            if cost[at] >= worth:
                break
            total[site[at]] += cost[at] - worth


@compiled
def shortfall(start, site, cost, price, chosen, short):
    """How far each row is from being served once by the chosen sites that save on it.

    Parameters
    ----------
    start, site, cost, price
        As for `saved`.
    chosen
        (m,) how far each site is chosen, 0 to 1.
    short
        (n,) filled: 1 less the chosen sites cheaper than the price.
    """
    for row in range(len(start) - 1):
        worth = price[row]
        left = 1.0
        for at in range(start[row], start[row + 1]):
            if cost[at] >= worth:
                break
            left -= chosen[site[at]]
        short[row] = left


@compiled
def nearest_two(start, site, cost, far, slot, row, found):
    """Find the cheapest two open sites of a row: their costs and slots in ``found``."""
    found[0] = far[row]
    found[1] = far[row]
    first = -1
    second = -1
    for at in range(start[row], start[row + 1]):
        if slot[site[at]] >= 0:
            if first < 0:
                first = slot[site[at]]
                found[0] = cost[at]
            else:
                second = slot[site[at]]
                found[1] = cost[at]
                break
    return first, second


@compiled
def halfway(start, site, cost, far, slot, price):
    """Fill prices halfway between each row's cheapest two open sites."""
    pair = np.empty(2)
    for row in range(len(far)):
        nearest_two(start, site, cost, far, slot, row, pair)
        price[row] = 0.5 * (pair[0] + pair[1])


@compiled
def _count(start, site, cost, row, one, two, first, slot, sign, gain, loss, extra):
    """Add a row's part to the tables of what exchanges would gain, or take it away."""
    if first >= 0:
        loss[first] += sign * (two - one)
    for at in range(start[row], start[row + 1]):
        if cost[at] >= two:
            break
        other = site[at]
        if slot[other] >= 0:
            continue
        if cost[at] < one:
            gain[other] += sign * (one - cost[at])
            if first >= 0:
                extra[other, first] += sign * (two - one)
        elif first >= 0:
            extra[other, first] += sign * (two - cost[at])


@compiled
def exchange(
    start,
    site,
    cost,
    far,
    opened,
    count,
    most_sites,
    may_open,
    may_close,
    price,
    budget,
    unit,
    most,
    least,
    clash_start,
    clash_site,
    moves,
):
    """Open and exchange sites one at a time for as long as that helps, the best move first.

    The tables of gains are kept from move to move and only the rows concerned are counted
    anew (Resende and Werneck 2003, a fast swap-based local search for p-median).

    Parameters
    ----------
    start, site, cost
        Compressed rows, each sorted by cost.
    far
        (n,) cost of a row without an open site near.
    opened
        (q,) open sites in the first ``count`` places; changed in place.
    count
        How many are open.
    most_sites
        How many may be, at most q.
    may_open, may_close
        (m,) flags.
    price, budget
        (m,) cost of opening each site, and how much may be spent.
    unit, most, least
        (m,) limited unit of each site or -1, and (u,) limits by unit.
    clash_start, clash_site
        Compressed rows by site: those that may not be open beside it.
    moves
        How many moves at most.

    Returns
    -------
    How many sites are open and how many moves were made.
    """
    rows = len(start) - 1
    sites = len(may_open)
    slots = len(opened)
    slot = np.full(sites, -1, np.int64)
    spent = 0.0
    held = np.zeros(len(most), np.int64)
    clashes = np.zeros(sites, np.int64)
    for at in range(count):
        this = opened[at]
        slot[this] = at
        spent += price[this]
        if unit[this] >= 0:
            held[unit[this]] += 1
        for k in range(clash_start[this], clash_start[this + 1]):
            clashes[clash_site[k]] += 1
    gain = np.zeros(sites)
    loss = np.zeros(slots)
    extra = np.zeros((sites, slots))
    first = np.empty(rows, np.int64)
    second = np.empty(rows, np.int64)
    one = np.empty(rows)
    two = np.empty(rows)
    pair = np.empty(2)
    whole = 0.0
    for row in range(rows):
        first[row], second[row] = nearest_two(start, site, cost, far, slot, row, pair)
        one[row] = pair[0]
        two[row] = pair[1]
        whole += pair[0]
        _count(start, site, cost, row, pair[0], pair[1], first[row], slot, 1.0, gain, loss, extra)
    made = 0
    while made < moves:
        # What adding up in another order may change is no gain.
        best = 1e-11 * abs(whole) + 1e-12
        into = -1
        out = -1
        for other in range(sites):
            if not may_open[other] or slot[other] >= 0:
                continue
            group = unit[other]
            if (
                count < most_sites
                and gain[other] > best
                and clashes[other] == 0
                and spent + price[other] <= budget
                and (group < 0 or held[group] < most[group])
            ):
                best = gain[other]
                into = other
                out = -1
            for at in range(count):
                value = gain[other] - loss[at] + extra[other, at]
                if value <= best:
                    continue
                this = opened[at]
                if not may_close[this] or spent - price[this] + price[other] > budget:
                    continue
                if unit[this] != group:
                    if group >= 0 and held[group] >= most[group]:
                        continue
                    if unit[this] >= 0 and held[unit[this]] <= least[unit[this]]:
                        continue
                left = clashes[other]
                if left > 0:
                    for k in range(clash_start[this], clash_start[this + 1]):
                        if clash_site[k] == other:
                            left -= 1
                if left > 0:
                    continue
                best = value
                into = other
                out = at
        if into < 0:
            break
        made += 1
        whole -= best
        adds = out < 0
        gone = -1
        if adds:
            out = count
            count += 1
        else:
            gone = opened[out]
        # Rows that the move concerns: taken off the tables as they were, put back as they are.
        concerned = np.zeros(rows, np.bool_)
        for row in range(rows):
            touched = not adds and (first[row] == out or second[row] == out)
            if not touched:
                for at in range(start[row], start[row + 1]):
                    if cost[at] >= two[row]:
                        break
                    if site[at] == into:
                        touched = True
                        break
            if touched:
                concerned[row] = True
                _count(
                    start, site, cost, row, one[row], two[row], first[row], slot, -1.0,
                    gain, loss, extra,
                )  # fmt: skip
        if gone >= 0:
            slot[gone] = -1
            spent -= price[gone]
            if unit[gone] >= 0:
                held[unit[gone]] -= 1
            for k in range(clash_start[gone], clash_start[gone + 1]):
                clashes[clash_site[k]] -= 1
        slot[into] = out
        opened[out] = into
        spent += price[into]
        if unit[into] >= 0:
            held[unit[into]] += 1
        for k in range(clash_start[into], clash_start[into + 1]):
            clashes[clash_site[k]] += 1
        # Nothing is left of these now but rounding.
        gain[into] = 0.0
        extra[into, :] = 0.0
        loss[out] = 0.0
        extra[:, out] = 0.0
        for row in range(rows):
            if concerned[row]:
                first[row], second[row] = nearest_two(start, site, cost, far, slot, row, pair)
                one[row] = pair[0]
                two[row] = pair[1]
                _count(
                    start, site, cost, row, pair[0], pair[1], first[row], slot, 1.0,
                    gain, loss, extra,
                )  # fmt: skip
    return count, made


@compiled
def packed(start, row, cost, load, room, price, usable, whole, value, relaxed, ratio, part):
    """Pack each site with the rows on which it saves most, within its capacity.

    Parameters
    ----------
    start, row, cost
        Compressed rows by site.
    load, room
        (r,) load of each row and (s,) capacity of each site.
    price
        (r,) price of each row.
    usable
        (s,) sites that may be open; the others stay empty.
    whole
        Whether loads are whole numbers and rows are served whole: then exactly, by dynamic
        programming; else in parts.
    value, relaxed
        (s,) filled: what each saves, and what it would save in parts.
    ratio
        (s,) filled: what one more unit of its capacity would save.
    part
        (k,) filled: how far each row is packed.
    """
    for site in range(len(room)):
        begin, end = start[site], start[site + 1]
        part[begin:end] = 0.0
        value[site] = 0.0
        relaxed[site] = 0.0
        ratio[site] = 0.0
        if not usable[site]:
            continue
        item = np.empty(end - begin, np.int64)
        density = np.empty(end - begin)
        items = 0
        heavy = 0.0
        for at in range(begin, end):
            gain = price[row[at]] - cost[at]
            if gain > 0.0:
                item[items] = at
                weight = load[row[at]]
                density[items] = -gain / weight if weight > 0.0 else -np.inf
                heavy += weight
                items += 1
        if heavy <= room[site]:
            for k in range(items):
                part[item[k]] = 1.0
                value[site] += price[row[item[k]]] - cost[item[k]]
            relaxed[site] = value[site]
            continue
        left = room[site]
        for k in np.argsort(density[:items]):
            at = item[k]
            weight = load[row[at]]
            share = 1.0 if weight <= left else left / weight
            relaxed[site] += share * (price[row[at]] - cost[at])
            left -= share * weight
            if not whole:
                part[at] = share
            if share < 1.0:
                ratio[site] = -density[k]
                break
        if not whole:
            value[site] = relaxed[site]
            continue
        size = int(np.floor(room[site]))
        best = np.zeros(size + 1)
        taken = np.zeros((items, size + 1), np.bool_)
        for k in range(items):
            weight = int(load[row[item[k]]])
            gain = price[row[item[k]]] - cost[item[k]]
            for held in range(size, weight - 1, -1):
                if best[held - weight] + gain > best[held]:
                    best[held] = best[held - weight] + gain
                    taken[k, held] = True
        value[site] = best[size]
        held = size
        for k in range(items - 1, -1, -1):
            if taken[k, held]:
                part[item[k]] = 1.0
                held -= int(load[row[item[k]]])


@compiled
def allot(table, far, load, room, order, rounds, at):
    """Allot rows whole to open sites: greedily, then by moves and by ejecting another row.

    Parameters
    ----------
    table
        (r, q) cost of each row at each open site, inf where it is not near.
    far
        (r,) cost of a row that nobody serves.
    load, room
        (r,) loads and (q,) capacities; what is left of these is kept in place.
    order
        Rows, those with most to lose first.
    rounds
        Rounds of improvement at most.
    at
        (r,) filled: place of the site that serves each row, -1 for none.
    """
    rows, places = table.shape
    for row in order:
        at[row] = -1
        least = far[row]
        for place in range(places):
            if table[row, place] < least and load[row] <= room[place]:
                least = table[row, place]
                at[row] = place
        if at[row] >= 0:
            room[at[row]] -= load[row]
    for _ in range(rounds):
        better = False
        for row in range(rows):
            mine = at[row]
            now = table[row, mine] if mine >= 0 else far[row]
            for place in range(places):
                if place == mine or table[row, place] >= now:
                    continue
                if load[row] <= room[place]:
                    if mine >= 0:
                        room[mine] += load[row]
                    room[place] -= load[row]
                    mine = place
                    at[row] = place
                    now = table[row, place]
                    better = True
                    continue
                # Somebody there goes elsewhere, so that the row may come.
                gain = 1e-9 * abs(now)
                who = -1
                goes = -1
                for other in range(rows):
                    if at[other] != place or room[place] + load[other] < load[row]:
                        continue
                    for to in range(places):
                        if to == place or np.isinf(table[other, to]):
                            continue
                        space = room[to] + (load[row] if to == mine else 0.0)
                        if load[other] > space:
                            continue
                        value = now - table[row, place] + table[other, place] - table[other, to]
                        if value > gain:
                            gain = value
                            who = other
                            goes = to
                if who >= 0:
                    room[place] += load[who] - load[row]
                    if mine >= 0:
                        room[mine] += load[row]
                    room[goes] -= load[who]
                    at[who] = goes
                    at[row] = place
                    mine = place
                    now = table[row, place]
                    better = True
        if not better:
            break


@compiled
def pour(start, site, is_open, load, room, order, part):
    """Pour rows into open sites, each into its cheapest with room, in parts if need be.

    Parameters
    ----------
    start, site
        Compressed rows, each sorted by cost.
    is_open
        (s,) which sites are open.
    load, room
        (r,) loads and (s,) capacities; what is left of these is kept in place.
    order
        Rows, those with most to lose first.
    part
        (k,) filled: how far each entry's row is served by its site.

    Returns
    -------
    How many rows did not fit wholly.
    """
    short = 0
    for row in order:
        left = 1.0
        for at in range(start[row], start[row + 1]):
            one = site[at]
            if not is_open[one]:
                continue
            if load[row] <= 0.0:
                part[at] = left
                left = 0.0
                break
            take = min(left, room[one] / load[row])
            if take <= 0.0:
                continue
            part[at] = take
            room[one] -= take * load[row]
            left -= take
            if left <= np.finfo(np.float64).eps:
                left = 0.0
                break
        if left > 0.0:
            short += 1
    return short
