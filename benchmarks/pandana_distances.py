"""Distances held against pandana's, with every point at a junction.

pandana snaps points to junctions, so both are given points that lie on one. It rounds
street lengths to a millimetre; a way over n streets may differ by n / 2 millimetres.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandana
import pandas as pd
import shapely

from layers import City, embedded
from planner import Network
from planner.positions import Positions

FACILITIES, CUTOFF_M, MILLIMETRES_A_STREET = 600, 3000.0, 0.5


def at_junctions(network: Network, nodes: np.ndarray) -> Positions:
    """Positions at junctions: at the end of some street that meets there."""
    street = np.full(network.nodes, -1)
    street[network.v] = np.arange(len(network.v))
    at_v = street[nodes] >= 0
    begins = np.full(network.nodes, -1)
    begins[network.u] = np.arange(len(network.u))
    edge = np.where(at_v, street[nodes], begins[nodes])
    offset = np.where(at_v, network.length[edge], 0.0)
    zero = np.zeros(len(nodes))
    return Positions(network, pd.RangeIndex(len(nodes)), edge, offset, zero, zero.astype(int) - 1)


def main() -> int:
    """Compare and print; 1 if any distance is further apart than rounding explains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path)
    parser.add_argument("--mode", default="walk")
    options = parser.parse_args()
    city = City.open(options.city) if options.city else embedded()
    network = Network.build(city.streets, options.mode, crs=city.crs)
    ends = shapely.get_point(network.lines, 0), shapely.get_point(network.lines, -1)
    place = np.zeros((network.nodes, 2))
    for node, points in ((network.u, ends[0]), (network.v, ends[1])):
        place[node] = shapely.get_coordinates(points)
    tail = np.concatenate([network.u[network.forward], network.v[network.backward]])
    head = np.concatenate([network.v[network.forward], network.u[network.backward]])
    length = np.concatenate([network.length[network.forward], network.length[network.backward]])
    chosen = np.random.default_rng(1).choice(network.nodes, FACILITIES, replace=False)

    begun = time.perf_counter()
    peer = pandana.Network(
        pd.Series(place[:, 0]),
        pd.Series(place[:, 1]),
        pd.Series(tail),
        pd.Series(head),
        pd.DataFrame({"length": length}),
        twoway=False,
    )
    peer.set_pois("f", CUTOFF_M, 1, place[chosen, 0], place[chosen, 1])
    built = time.perf_counter()
    theirs = peer.nearest_pois(CUTOFF_M, "f", num_pois=1)[1].to_numpy()
    asked = time.perf_counter()

    every = at_junctions(network, np.arange(network.nodes))
    facilities = every.take(chosen)
    # Compiled code is loaded once a process; what is measured is a search.
    network.reach(facilities, cutoff=CUTOFF_M)
    started = time.perf_counter()
    # pandana travels from the junction to the facility.
    reach = network.reach(facilities, cutoff=CUTOFF_M, towards="facility")
    ours = reach.node_distance
    done = time.perf_counter()

    both = np.isfinite(ours) & (theirs < CUTOFF_M)
    apart = np.abs(ours[both] - theirs[both])
    streets = np.ceil(CUTOFF_M / np.median(network.length))
    bound = streets * MILLIMETRES_A_STREET / 1000
    # Just at the cutoff rounding may decide differently.
    differ = np.isfinite(ours) != (theirs < CUTOFF_M)
    edge_cases = np.abs(np.where(np.isfinite(ours), ours, theirs)[differ] - CUTOFF_M)
    print(f"{city.name} {options.mode}: {network.nodes:,} junctions, {FACILITIES} facilities")
    print(f"both within {CUTOFF_M:g} m: {both.sum():,}; greatest difference {apart.max():.6f} m")
    print(f"one only: {differ.sum()}, all within {edge_cases.max(initial=0):.6f} m of the cutoff")
    theirs_took = f"build {built - begun:.2f} s, query {asked - built:.3f} s"
    print(f"pandana {theirs_took}; ours {done - started:.3f} s")
    wrong = apart.max() > bound or edge_cases.max(initial=0) > bound
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
