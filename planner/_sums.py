"""The compiled kernels of adding up by unit, and nothing else.

Imported when first wanted (`planner._search.kernels`): numba is slow to import.
"""

import math

import numpy as np

from planner._compiled import compiled

_ROOT_HALF = math.sqrt(0.5)
_SURE = 9.0
"""Standard deviations beyond which the normal distribution is 1 to the last bit."""


@compiled
def spread(distance, people, home, mean, middle, far):
    """Mean, median and 90th percentile of distances by unit, weighted by people.

    Parameters
    ----------
    distance, people, home
        Of those who count: finite, above zero, and the number of the unit.
    mean, middle, far
        NaN, an item a unit; filled where anybody counts. A percentile is the least
        distance within which that share of the people lives.
    """
    count = len(mean)
    start = np.zeros(count + 1, np.int64)
    for at in range(len(home)):
        start[home[at] + 1] += 1
    for unit in range(count):
        start[unit + 1] += start[unit]
    filled = start[:-1].copy()
    own_distance, own_people = np.empty(len(home)), np.empty(len(home))
    for at in range(len(home)):
        into = filled[home[at]]
        own_distance[into] = distance[at]
        own_people[into] = people[at]
        filled[home[at]] += 1
    for unit in range(count):
        first, last = start[unit], start[unit + 1]
        if first == last:
            continue
        order = np.argsort(own_distance[first:last], kind="mergesort")
        whole, weighted = 0.0, 0.0
        for at in order:
            whole += own_people[first + at]
            weighted += own_people[first + at] * own_distance[first + at]
        mean[unit] = weighted / whole
        reached = 0.0
        for at in order:
            reached += own_people[first + at]
            # A hair's breadth keeps rounding from skipping past an exact half.
            if np.isnan(middle[unit]) and reached / whole >= 0.5 - 1e-12:
                middle[unit] = own_distance[first + at]
            if reached / whole >= 0.9 - 1e-12:
                far[unit] = own_distance[first + at]
                break


@compiled
def _likely(distance, cutoff, sigma, slack):
    """How likely a distance known up to a normal error lies within a cutoff."""
    if sigma <= slack:
        return 1.0 if distance <= cutoff + slack else 0.0
    z = (cutoff - distance) / sigma
    if z > _SURE:
        return 1.0
    return 0.5 * math.erfc(-z * _ROOT_HALF)


@compiled
def expected(
    distance, people, home, cutoff, slack, sigma, speed, whole, rate, middle, slow, fast, served
):
    """Add up expected rates by unit, at three paces, and how likely each home is served.

    Parameters
    ----------
    distance, people, home
        Of each home; a distance that is not finite is never served.
    cutoff, slack
        Greatest distance, inclusive to the slack.
    sigma, speed
        Standard deviation of the distances; part by which the pace may differ.
    whole, rate, middle, slow, fast
        Noughts, an item a unit: filled with the people, and with the shares of them
        that are served, are expected to be, and would be at either other pace.
    served
        Filled with the probability of each home.
    """
    for at in range(len(home)):
        whole[home[at]] += people[at]
    for at in range(len(home)):
        unit, away = home[at], distance[at]
        served[at] = 0.0
        if not away < np.inf or whole[unit] <= 0.0:
            continue
        share = people[at] / whole[unit]
        if away <= cutoff + slack:
            rate[unit] += share
        served[at] = _likely(away, cutoff, sigma, slack)
        middle[unit] += share * served[at]
        if speed > 0.0:
            slow[unit] += share * _likely(away, cutoff * (1 - speed), sigma, slack)
            fast[unit] += share * _likely(away, cutoff * (1 + speed), sigma, slack)


@compiled
def variance(people, home, served, whole, middle, u, square):
    """Variance of the expected rates by unit; see `planner.certainty.band`.

    Parameters
    ----------
    people, home, served, whole, middle
        As `expected` takes and fills them.
    u
        Squared standard error of the people at a point, in parts of them.
    square
        Noughts, an item a unit; filled with the variance.
    """
    for at in range(len(home)):
        unit = home[at]
        if whole[unit] > 0.0:
            share, off = people[at] / whole[unit], served[at] - middle[unit]
            own = (1 + u) * served[at] * (1 - served[at]) + u * off * off
            square[unit] += share * share * own
