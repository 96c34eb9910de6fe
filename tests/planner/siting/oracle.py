"""Every choice of sites looked at, one by one, in plain Python."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
from scipy.optimize import linprog

from planner.siting.instance import Role

EPS = 1e-6


def choices(instance, limits):
    """Every set of new sites that keeps the limits on sites."""
    sites = range(instance.sites)
    free = [s for s in sites if instance.role[s] == Role.CANDIDATE]
    must = [s for s in sites if instance.role[s] == Role.REQUIRED]
    for many in range(len(free) + 1):
        for some in combinations(free, many):
            new = tuple(sorted([*must, *some]))
            if keeps(instance, limits, new):
                yield new


def keeps(instance, limits, new):
    existing = [s for s in range(instance.sites) if instance.role[s] == Role.EXISTING]
    inside = [int(instance.unit[s]) for s in new]
    return (
        (limits.number is None or len(new) <= limits.number)
        and (not limits.exactly or len(new) == limits.number)
        and (limits.budget is None or sum(instance.cost[s] for s in new) <= limits.budget + EPS)
        and all(inside.count(unit) <= most for unit, most in limits.at_most.items())
        and all(inside.count(unit) >= least for unit, least in limits.at_least.items())
        and not any(
            (a in new and b in (*new, *existing)) or (b in new and a in (*new, *existing))
            for a, b in zip(*limits.apart, strict=True)
        )
    )


def near(instance):
    """For each demand row, its sites with the position of the pair."""
    start = instance.pairs.start
    return [
        {int(instance.pairs.site[at]): at for at in range(start[row], start[row + 1])}
        for row in range(instance.demands)
    ]


def is_open(instance, new):
    return {*new, *(s for s in range(instance.sites) if instance.role[s] == Role.EXISTING)}


def shares(instance, new, value=None):
    """Share of each demand row served, without capacities."""
    there = is_open(instance, new)
    return [
        max((1.0 if value is None else value[at] for s, at in row.items() if s in there), default=0)
        for row in near(instance)
    ]


def people(instance, share, area=None):
    return sum(
        weight * part
        for weight, part, here in zip(instance.people, share, instance.area, strict=True)
        if area is None or here == area
    )


def everyone(instance, area=None):
    return people(instance, [1.0] * instance.demands, area)


def floors_kept(instance, limits, share):
    return all(
        people(instance, share, area) >= floor * everyone(instance, area) - EPS
        for area, floor in limits.floors.items()
    )


def feasible(instance, limits, value=None):
    """Choices that keep every limit, with the share of each row that they serve."""
    for new in choices(instance, limits):
        share = shares(instance, new, value)
        if floors_kept(instance, limits, share):
            yield new, share


def maximal(instance, limits, value=None):
    found = [people(instance, share) for _, share in feasible(instance, limits, value)]
    return max(found, default=None)


def reachable(instance):
    may = [s for s in range(instance.sites) if instance.role[s] != Role.FORBIDDEN]
    return [any(s in may for s in row) for row in near(instance)]


def fewest(instance, limits, share=None, cheapest=False, value=None):
    can = reachable(instance)
    found = []
    for new, served in feasible(instance, limits, value):
        if share is None:
            enough = all(
                part >= 1
                for part, possible, weight in zip(served, can, instance.people, strict=True)
                if possible and weight > 0
            )
        else:
            enough = people(instance, served) >= share * everyone(instance) - EPS
        if enough:
            found.append(sum(instance.cost[s] for s in new) if cheapest else len(new))
    return min(found, default=None)


def allocation(instance, limits, new, value=None, least=0.0, everyone_reached=False):
    """Most people served by a choice within the capacities, floors kept; None if it cannot."""
    there = is_open(instance, new)
    columns = [
        (i, s, at) for i, row in enumerate(near(instance)) for s, at in row.items() if s in there
    ]
    worth = np.array([1.0 if value is None else value[at] for _, _, at in columns])
    upper, bounds = [], []
    for row in range(instance.demands):
        upper.append([1.0 if i == row else 0.0 for i, _, _ in columns])
        bounds.append(instance.people[row])
    for site in there:
        if np.isfinite(instance.capacity[site]):
            upper.append([1.0 if s == site else 0.0 for _, s, _ in columns])
            bounds.append(instance.capacity[site])
    for area, floor in limits.floors.items():
        inside = np.array([1.0 if instance.area[i] == area else 0.0 for i, _, _ in columns])
        upper.append(-inside * worth)
        bounds.append(EPS / 2 - floor * everyone(instance, area))
    upper.append(-worth)
    bounds.append(EPS / 2 - least)
    if everyone_reached:
        for row, can in enumerate(reachable(instance)):
            if can:
                upper.append([-1.0 if i == row else 0.0 for i, _, _ in columns])
                bounds.append(EPS / 2 - instance.people[row])
    if not columns:
        return 0.0 if all(bound >= 0 for bound in bounds) else None
    found = linprog(-worth, A_ub=np.array(upper, dtype=float), b_ub=bounds)
    return -found.fun if found.status == 0 else None


def capacitated(instance, limits, value=None):
    found = [allocation(instance, limits, new, value) for new in choices(instance, limits)]
    return max((people for people in found if people is not None), default=None)


def capacitated_fewest(instance, limits, share=None, cheapest=False):
    found = []
    for new in choices(instance, limits):
        least = 0.0 if share is None else share * everyone(instance)
        served = allocation(instance, limits, new, None, least, share is None)
        if served is not None:
            found.append(sum(instance.cost[s] for s in new) if cheapest else len(new))
    return min(found, default=None)


def twice(instance, new, asked):
    there = is_open(instance, new)
    return sum(
        weight
        for weight, row, wanted in zip(instance.people, near(instance), asked, strict=True)
        if wanted and len(there & set(row)) > 1
    )


def backup(instance, limits, asked, cheapest=False):
    """The fewest, and the most covered twice with as few; None if there is no choice."""
    best = fewest(instance, limits, cheapest=cheapest)
    if best is None:
        return None
    can = reachable(instance)
    found = [
        twice(instance, new, asked)
        for new, share in feasible(instance, limits)
        if (sum(instance.cost[s] for s in new) if cheapest else len(new)) <= best + EPS
        and all(
            part >= 1
            for part, possible, weight in zip(share, can, instance.people, strict=True)
            if possible and weight > 0
        )
    ]
    return best, max(found)


def rates(instance, share):
    areas = sorted(
        {int(a) for a, w in zip(instance.area, instance.people, strict=True) if a >= 0 and w > 0}
    )
    return [people(instance, share, area) / everyone(instance, area) for area in areas]


def fair(instance, limits, value=None):
    """The best rates from the worst up, and the most people with these."""
    found = [
        ([round(rate, 7) for rate in sorted(rates(instance, share))], people(instance, share))
        for _, share in feasible(instance, limits, value)
    ]
    return max(found, default=None)


def served_within(instance, new, beyond):
    """Least distance of each row to an open site, inf where none is within ``beyond``."""
    there = is_open(instance, new)
    distance = instance.pairs.distance
    return [
        min(
            (distance[at] for s, at in row.items() if s in there and distance[at] <= limit),
            default=np.inf,
        )
        for row, limit in zip(near(instance), beyond, strict=True)
    ]


def within_kept(instance, limits, away, within):
    """Whether enough people of each area go no further than that."""
    last = np.full(instance.demands, np.inf) if within is None else np.asarray(within)
    last = np.broadcast_to(last, instance.demands)
    share = [float(np.isfinite(one) and one <= most) for one, most in zip(away, last, strict=True)]
    return floors_kept(instance, limits, share)


def median(instance, limits, beyond=None, within=None):
    """The least sum of people times distance; None if no choice serves whom it must."""
    limit = np.full(instance.demands, np.inf) if beyond is None else beyond
    found = []
    for new in choices(instance, limits):
        away = served_within(instance, new, limit)
        if not within_kept(instance, limits, away, within):
            continue
        total = sum(
            weight * min(one, last)
            for weight, one, last in zip(instance.people, away, limit, strict=True)
            if weight > 0
        )
        found.append(total)
    return min((total for total in found if np.isfinite(total)), default=None)


def centre(instance, limits, weighted=False, within=None):
    """The least greatest distance, of people times distance if weighted."""
    found = []
    for new in choices(instance, limits):
        away = served_within(instance, new, np.full(instance.demands, np.inf))
        if not within_kept(instance, limits, away, within):
            continue
        found.append(
            max(
                (
                    one * (weight if weighted else 1.0)
                    for weight, one in zip(instance.people, away, strict=True)
                    if weight > 0
                ),
                default=0.0,
            )
        )
    return min((total for total in found if np.isfinite(total)), default=None)


def capacitated_median(instance, limits, load, split, beyond=None, within=np.inf):
    """The least sum of people times distance within the capacities."""
    limit = np.full(instance.demands, np.inf) if beyond is None else beyond
    allotted = _in_parts if split else _in_whole
    found = [
        allotted(instance, limits, new, load, limit, within) for new in choices(instance, limits)
    ]
    return min((total for total in found if total is not None), default=None)


def _near_enough(instance, new, beyond):
    there, distance = is_open(instance, new), instance.pairs.distance
    return [
        {s: distance[at] for s, at in row.items() if s in there and distance[at] <= limit}
        for row, limit in zip(near(instance), beyond, strict=True)
    ]


def _in_whole(instance, limits, new, load, beyond, within):
    """Every way of sending each row to one site, or to none."""
    counted = [i for i in range(instance.demands) if instance.people[i] > 0 or load[i] > 0]
    options = [
        [*row.items(), *([(None, limit)] if np.isfinite(limit) else [])]
        for row, limit in zip(_near_enough(instance, new, beyond), beyond, strict=True)
    ]
    best = None
    for sent in product(*(options[i] for i in counted)):
        used = dict.fromkeys(is_open(instance, new), 0.0)
        share = [1.0] * instance.demands
        total = 0.0
        for i, (site, away) in zip(counted, sent, strict=True):
            total += instance.people[i] * away
            share[i] = float(site is not None and away <= within)
            if site is not None:
                used[site] += load[i]
        fits = all(amount <= instance.capacity[site] + EPS for site, amount in used.items())
        if (best is None or total < best) and fits and floors_kept(instance, limits, share):
            best = total
    return best


def _in_parts(instance, limits, new, load, beyond, within):
    """A transport program, solved by scipy."""
    counted = [i for i in range(instance.demands) if instance.people[i] > 0 or load[i] > 0]
    there = _near_enough(instance, new, beyond)
    columns = [(i, s, away) for i in counted for s, away in there[i].items()]
    columns += [(i, None, beyond[i]) for i in counted if np.isfinite(beyond[i])]
    if not columns:
        return None if counted else 0.0
    price = [instance.people[i] * away for i, _, away in columns]
    equal = [[float(i == row) for i, _, _ in columns] for row in counted]
    upper, bounds = [], []
    for site in is_open(instance, new):
        if np.isfinite(instance.capacity[site]):
            upper.append([load[i] * (s == site) for i, s, _ in columns])
            bounds.append(instance.capacity[site])
    for area, floor in limits.floors.items():
        inside = [instance.people[i] * (instance.area[i] == area) for i, _, _ in columns]
        upper.append(
            [
                -p * (s is not None and away <= within)
                for p, (_, s, away) in zip(inside, columns, strict=True)
            ]
        )
        whole = everyone(instance, area)
        bounds.append(EPS / 2 - floor * whole)
    found = linprog(
        price,
        A_ub=np.array(upper, dtype=float) if upper else None,
        b_ub=bounds or None,
        A_eq=np.array(equal),
        b_eq=np.ones(len(counted)),
    )
    return found.fun if found.status == 0 else None


def capacitated_worst(instance, limits):
    """The best rate of the worst area within the capacities; None if there is no choice."""
    areas = sorted(
        {int(a) for a, w in zip(instance.area, instance.people, strict=True) if a >= 0 and w > 0}
    )
    # The worst rate is at least a floor for all areas alike: the greatest such, by halving.
    best = None
    for new in choices(instance, limits):
        low, high = -1.0, 1.0
        if allocation(instance, limits, new) is None:
            continue
        while high - low > 1e-9:
            middle = (low + high) / 2
            floors = {
                area: max(middle, limits.floors.get(area, 0.0)) for area in (*areas, *limits.floors)
            }
            raised = replace(limits, floors={a: min(1.0, max(0.0, f)) for a, f in floors.items()})
            if middle <= 0 or allocation(instance, raised, new) is not None:
                low = middle
            else:
                high = middle
        best = low if best is None else max(best, low)
    return best
