"""Small problems of every kind."""

import numpy as np
from hypothesis import strategies as st

from planner.siting.instance import Instance, Pairs, Role
from planner.siting.limits import Limits

_WEIGHTS = st.sampled_from([0.0, 1.0, 1.0, 2.0, 3.0, 5.0, 0.25, 1 / 3, 17.5])
_ROLES = st.sampled_from(
    [*[Role.CANDIDATE] * 6, Role.CANDIDATE, Role.EXISTING, Role.REQUIRED, Role.FORBIDDEN]
)


@st.composite
def instances(draw, most_sites=7, most_rows=9, capacities=False):
    m = draw(st.integers(1, most_sites))
    n = draw(st.integers(1, most_rows))
    density = draw(st.sampled_from([0.15, 0.3, 0.5]))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    distance = rng.integers(1, 5, (n, m)).astype(float)
    distance[rng.random((n, m)) > density] = np.inf

    def several(values, size):
        return draw(st.lists(values, min_size=size, max_size=size))

    capacity = None
    if capacities:
        capacity = several(st.sampled_from([0.0, 1.0, 2.5, 4.0, 6.0, np.inf]), m)
    return Instance.of(
        Pairs.from_dense(distance),
        people=several(_WEIGHTS, n),
        role=several(_ROLES, m),
        cost=several(st.sampled_from([0.0, 1.0, 1.0, 2.0, 2.5, 4.0]), m),
        capacity=capacity,
        unit=several(st.integers(-1, 2), m),
        area=several(st.integers(-1, 2), n),
    )


@st.composite
def limits(draw, instance, floors=True):
    m = instance.sites

    def perhaps(strategy):
        return draw(st.one_of(st.none(), strategy))

    units = st.integers(0, 2)
    number = perhaps(st.integers(0, m))
    apart = [
        (a, b)
        for a, b in draw(
            st.lists(st.tuples(st.integers(0, m - 1), st.integers(0, m - 1)), max_size=3)
        )
        if a != b
    ]
    some = st.dictionaries(units, st.integers(0, 2), max_size=2)
    return Limits(
        number=number,
        exactly=number is not None and draw(st.sampled_from([False, False, True])),
        budget=perhaps(st.sampled_from([0.0, 1.0, 2.5, 4.0, 6.0])),
        at_most=draw(some) if draw(st.booleans()) else {},
        at_least=draw(st.dictionaries(units, st.integers(0, 1), max_size=1)),
        apart=tuple(zip(*apart, strict=True)) if apart else ((), ()),
        floors=draw(st.dictionaries(units, st.sampled_from([0.0, 0.3, 0.5, 1.0]), max_size=2))
        if floors
        else {},
    )
