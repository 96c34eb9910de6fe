"""Random networks and positions on them, small enough for a plain oracle."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import strategies as st

from layers import streets
from planner.network import Network
from planner.positions import Positions

_EAST, _NORTH = 512_000.0, 3_350_000.0


@st.composite
def networks(draw, mode="walk"):
    """Planar or not, one-way or not, whole or in islands, with loops and parallels."""
    count = draw(st.integers(2, 9))
    spots = draw(
        st.lists(
            st.tuples(st.integers(0, 20), st.integers(0, 20)),
            min_size=count,
            max_size=count,
            unique=True,
        )
    )
    ends = draw(
        st.lists(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)),
            min_size=1,
            max_size=16,
        )
    )
    ways = draw(
        st.lists(
            st.sampled_from(["both", "both", "forward", "backward"]),
            min_size=len(ends),
            max_size=len(ends),
        )
    )
    whole = draw(st.booleans())
    lengths = draw(
        st.lists(
            st.integers(1, 40).map(float) if whole else st.floats(0.5, 500),
            min_size=len(ends),
            max_size=len(ends),
        )
    )
    speeds = draw(
        st.lists(st.sampled_from([5.0, 30.0, 60.0]), min_size=len(ends), max_size=len(ends))
    )
    lines = [_line(spots[a], spots[b], row) for row, (a, b) in enumerate(ends)]
    frame = gpd.GeoDataFrame(
        {
            "u": [a + 100 for a, _ in ends],
            "v": [b + 100 for _, b in ends],
            "length": lengths,
            "speed_kmh": speeds,
        },
        geometry=lines,
        crs=4549,
    ).to_crs(4326)
    for name in ("walk", "cycle", "drive"):
        frame[f"{name}_forward"] = [way != "backward" for way in ways]
        frame[f"{name}_backward"] = [way != "forward" for way in ways]
    return Network.build(streets.conform(frame), mode, crs=4549)


@st.composite
def hindered(draw, mode="walk"):
    """Networks on slopes, each street at two paces, with delays at some junctions."""
    network = draw(networks(mode))
    factors = st.sampled_from([0.5, 1.0, 1.0, 1.75]) | st.floats(0.3, 4)
    delays = st.sampled_from([0.0, 0.0, 0.5, 5.0]) | st.floats(0, 10)

    def drawn(values, count):
        return np.array(draw(st.lists(values, min_size=count, max_size=count)))

    return replace(
        network,
        minutes=network.minutes * drawn(factors, len(network.length)),
        minutes_back=network.minutes * drawn(factors, len(network.length)),
        delay=drawn(delays, network.nodes),
    )


@st.composite
def positions(draw, network, least=0, most=8, *, refused=True):
    """Positions on streets: within, at both ends, at equal places, some refused."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(-1 if refused else 0, len(network.length) - 1),
                st.sampled_from([0.0, 0.25, 0.5, 0.5, 0.75, 1.0]) | st.floats(0, 1),
                st.sampled_from([0.0, 0.0, 1.0, 12.5]) | st.floats(0, 50),
            ),
            min_size=least,
            max_size=most,
        )
    )
    edge = np.array([row[0] for row in rows], dtype=np.int64)
    placed = edge >= 0
    share = np.array([row[1] for row in rows])
    access = np.where(placed, np.array([row[2] for row in rows]), np.nan)
    offset = np.where(placed, share * network.length[edge], np.nan)
    index = pd.Index([f"p{number}" for number in range(len(rows))], dtype=object)
    return Positions(network, index, edge, offset, access, np.where(placed, -1, 1))


def _line(a, b, row):
    start, end = (np.array([_EAST + 40.0 * x, _NORTH + 40.0 * y]) for x, y in (a, b))
    if a == b:
        out, up = np.array([5.0 + row, 0.0]), np.array([0.0, 9.0])
        return shapely.LineString([start, start + out, start + out + up, start])
    # A bend of its own keeps parallel streets apart.
    middle = (start + end) / 2 + [3.0 + row, 1.0]
    return shapely.LineString([start, middle, end])
