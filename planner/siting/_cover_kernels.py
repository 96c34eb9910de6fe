"""The compiled kernels of covering, and nothing else.

Rows are compressed: ``start`` says where each row's sites begin in ``site``. The mirror
of it, rows by site, comes as ``by_start`` and ``by_row``. Imported when first needed
(`planner.siting.reduction.kernels`): numba is slow to import.
"""

import numpy as np

from planner._compiled import compiled

_SHORT = 32


@compiled
def signatures(start, site, usable, alive, key_a, key_b, hash_a, hash_b, count):
    """Fingerprint of each row's set of usable sites, whatever their order, and its size."""
    for row in range(len(start) - 1):
        a = np.uint64(0)
        b = np.uint64(0)
        many = 0
        if alive[row]:
            for at in range(start[row], start[row + 1]):
                here = site[at]
                if usable[here]:
                    a += key_a[here]
                    b += key_b[here]
                    many += 1
        hash_a[row] += a
        hash_b[row] += b
        count[row] = many


@compiled
def rows_sorted(row, site, distance, start, new_site, new_distance, sites):
    """Bring pairs into rows, each sorted by distance, then site; the first row with a pair twice.

    -1 if none has.
    """
    free = start[:-1].copy()
    for at in range(len(row)):
        place = free[row[at]]
        free[row[at]] += 1
        new_site[place] = site[at]
        new_distance[place] = distance[at]
    seen = np.full(sites, -1, np.int64)
    for one in range(len(start) - 1):
        begin, end = start[one], start[one + 1]
        for at in range(begin, end):
            if seen[new_site[at]] == one:
                return one
            seen[new_site[at]] = one
        if end - begin > _SHORT:
            by_site = np.argsort(new_site[begin:end])
            some_site = new_site[begin:end][by_site]
            some_distance = new_distance[begin:end][by_site]
            order = np.argsort(some_distance, kind="mergesort")
            new_site[begin:end] = some_site[order]
            new_distance[begin:end] = some_distance[order]
            continue
        for at in range(begin + 1, end):
            here, away, place = new_site[at], new_distance[at], at
            while place > begin and (
                new_distance[place - 1] > away
                or (new_distance[place - 1] == away and new_site[place - 1] > here)
            ):
                new_site[place] = new_site[place - 1]
                new_distance[place] = new_distance[place - 1]
                place -= 1
            new_site[place] = here
            new_distance[place] = away
    return -1


@compiled
def differing(start, site, usable, leader, area, by_area, sites):
    """Rows whose set of usable sites is not that of the row they are merged into."""
    seen = np.full(sites, -1, np.int64)
    wrong = np.zeros(len(leader), np.bool_)
    for row in range(len(leader)):
        other = leader[row]
        if other < 0 or other == row:
            continue
        if by_area and area[row] != area[other]:
            wrong[row] = True
            continue
        mine = 0
        for at in range(start[row], start[row + 1]):
            if usable[site[at]]:
                seen[site[at]] = row
                mine += 1
        for at in range(start[other], start[other + 1]):
            if usable[site[at]]:
                mine -= 1
                if seen[site[at]] != row:
                    wrong[row] = True
        if mine != 0:
            wrong[row] = True
    return wrong


@compiled
def levels(start, site, usable, value, base, people, count, new_start, new_site, new_weight, of):
    """Split rows served in part into rows served wholly or not.

    The value of the best open site is the sum of the steps between the sorted values of
    the row's sites: a step is earned by whichever of the sites above it is open. Called
    with ``count`` first (a row's number of steps and entries), then to fill in.
    """
    fill = len(new_weight) > 0
    made = 0
    entry = 0
    longest = 0
    for row in range(len(start) - 1):
        longest = max(longest, start[row + 1] - start[row])
    order = np.empty(longest, np.int64)
    for row in range(len(start) - 1):
        if people[row] <= 0.0:
            continue
        many = 0
        for at in range(start[row], start[row + 1]):
            if usable[site[at]] and value[at] > base[row]:
                place = many
                while place > 0 and value[order[place - 1]] < value[at]:
                    order[place] = order[place - 1]
                    place -= 1
                order[place] = at
                many += 1
        for last in range(many):
            below = base[row] if last + 1 == many else value[order[last + 1]]
            step = value[order[last]] - below
            if step <= 0.0:
                continue
            if fill:
                new_start[made] = entry
                new_weight[made] = people[row] * step
                of[made] = row
                for one in range(last + 1):
                    new_site[entry + one] = site[order[one]]
            made += 1
            entry += last + 1
    if fill:
        new_start[made] = entry
    count[0] = made
    count[1] = entry


@compiled
def dominated(by_start, by_row, start, site, droppable, may_replace, group, cost):
    """Sites that another site can stand in for: it covers all that they cover.

    ``group`` is -1 for a site that may replace one of any unit, else its unit.
    """
    sites = len(by_start) - 1
    out = np.zeros(sites, np.bool_)
    for one in range(sites):
        begin, end = by_start[one], by_start[one + 1]
        if not droppable[one]:
            continue
        if begin == end:
            out[one] = True
            continue
        # Whoever covers all of it covers its row with the fewest sites.
        rarest = by_row[begin]
        for at in range(begin, end):
            row = by_row[at]
            if start[row + 1] - start[row] < start[rarest + 1] - start[rarest]:
                rarest = row
        for near in range(start[rarest], start[rarest + 1]):
            other = site[near]
            size, theirs = end - begin, by_start[other + 1] - by_start[other]
            if other == one or not may_replace[other] or theirs < size:
                continue
            if cost[other] > cost[one]:
                continue
            if group[other] >= 0 and group[other] != group[one]:
                continue
            # Of two alike the first stays.
            alike = theirs == size and cost[other] == cost[one]
            mutual = alike and droppable[other] and may_replace[one]
            mutual = mutual and (group[one] < 0 or group[one] == group[other])
            if mutual and other > one:
                continue
            at, place, inside = begin, by_start[other], True
            while at < end:
                while place < by_start[other + 1] and by_row[place] < by_row[at]:
                    place += 1
                if place == by_start[other + 1] or by_row[place] != by_row[at]:
                    inside = False
                    break
                at += 1
            if inside:
                out[one] = True
                break
    return out


@compiled
def open_site(by_start, by_row, start, site, weight, area, covered, gain, served, one):
    """Open a site: what others would add falls by what it covers first."""
    for at in range(by_start[one], by_start[one + 1]):
        row = by_row[at]
        if covered[row] == 0:
            served[area[row]] += weight[row]
            for near in range(start[row], start[row + 1]):
                gain[site[near]] -= weight[row]
        covered[row] += 1


@compiled
def close_site(by_start, by_row, start, site, weight, area, covered, gain, served, one):
    """Close it again."""
    for at in range(by_start[one], by_start[one + 1]):
        row = by_row[at]
        covered[row] -= 1
        if covered[row] == 0:
            served[area[row]] -= weight[row]
            for near in range(start[row], start[row + 1]):
                gain[site[near]] += weight[row]


@compiled
def lower_prices(start, site, weight, price, slope, step, worth):
    """One step down the slope, and what each site is worth at the new prices.

    A row's price lies between nought and its weight; it falls where more sites than one
    are chosen near the row and rises where none is.
    """
    for one in range(len(worth)):
        worth[one] = 0.0
    for row in range(len(start) - 1):
        now = price[row] - step * weight[row] * slope[row]
        now = min(max(now, 0.0), weight[row])
        price[row] = now
        for at in range(start[row], start[row + 1]):
            worth[site[at]] += now


@compiled
def slopes(start, site, weight, price, chosen, slope, memory):
    """Slope at the chosen sites, mixed with the one before; its weighted square."""
    square = 0.0
    for row in range(len(start) - 1):
        near = 0
        for at in range(start[row], start[row + 1]):
            near += chosen[site[at]]
        now = near - 1.0
        # A price that stands at its end is not pushed beyond it.
        if (now > 0.0 and price[row] <= 0.0) or (now < 0.0 and price[row] >= weight[row]):
            now = 0.0
        slope[row] = now + memory * slope[row]
        square += weight[row] * slope[row] * slope[row]
    return square


@compiled
def packing(start, site, order, cost):
    """Prices of rows such that no site's rows are worth more than the site; their sum.

    No set of sites that covers all rows is cheaper than that sum.
    """
    left = cost.copy()
    total = 0.0
    for row in order:
        least = np.inf
        for at in range(start[row], start[row + 1]):
            least = min(least, left[site[at]])
        if 0.0 < least < np.inf:
            total += least
            for at in range(start[row], start[row + 1]):
                left[site[at]] -= least
    return total
