"""The compiled kernels of positions: what junctions' distances say of places on streets.

Imported when first wanted (`planner._search.kernels`): numba is slow to import.
"""

import numpy as np

from planner._compiled import compiled


@compiled
def over_ends(
    edge,
    offset,
    u,
    v,
    length,
    there,
    back,
    may_u,
    may_v,
    delay,
    node_distance,
    node_origin,
    distance,
    origin,
):
    """Distance of each position over the ends of its street, and the nearest origin.

    Of equally near ones the end u counts.

    Parameters
    ----------
    edge, offset
        The positions: street or -1, metres along it.
    u, v, length
        Of each street.
    there, back
        Cost of each street from u to v and from v to u; empty where a metre costs 1.
    may_u, may_v
        Whether each street is open towards u and towards v, as the position is left;
        or from there, as it is come to: then `there` and `back` are changed over.
    delay
        Of each junction; empty for none.
    node_distance, node_origin
        Of each junction, inf and -1 out of reach.
    distance, origin
        Filled in without the access leg; inf and -1 where there is no way, NaN and -1
        where the position was refused.
    """
    even = len(there) == 0
    waits = len(delay) > 0
    for at in range(len(edge)):
        street = edge[at]
        origin[at] = -1
        if street < 0:
            distance[at] = np.nan
            continue
        best = np.inf
        along = offset[at]
        rest = length[street] - along
        if may_u[street] or along == 0.0:
            node = u[street]
            pace = 1.0 if even else back[street] / length[street]
            cost = node_distance[node] + along * pace
            if waits:
                cost += delay[node]
            if cost < best:
                best = cost
                origin[at] = node_origin[node]
        if may_v[street] or rest == 0.0:
            node = v[street]
            pace = 1.0 if even else there[street] / length[street]
            cost = node_distance[node] + rest * pace
            if waits:
                cost += delay[node]
            if cost < best:
                best = cost
                origin[at] = node_origin[node]
        distance[at] = best


@compiled
def settle(access, leg_pace, cutoff, slack, distance, origin):
    """Add access legs to distances; what then lies beyond the cutoff is out of reach.

    Parameters
    ----------
    access, leg_pace
        Metres of each access leg; the cost of one.
    cutoff, slack
        Greatest distance, inclusive to the slack.
    distance, origin
        As `over_ends` fills them; changed in place.
    """
    for at in range(len(distance)):
        # Those that were refused stay NaN.
        if distance[at] == distance[at]:
            total = distance[at] + access[at] * leg_pace
            if total <= cutoff + slack:
                distance[at] = min(total, cutoff)
            else:
                distance[at] = np.inf
                origin[at] = -1
