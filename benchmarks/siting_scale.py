"""Siting on the largest modelled city: a million people's homes, thousands of sites.

Times of the network (compiled streets, places, distances) stand apart from those of the
solve; the solve's count from the distances, arrays and reductions included, to the proved
gap. Memory is the whole process's peak.
"""

import argparse
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from layers import City, embedded
from planner import Network
from planner.distances import nearest_rows, pairs
from planner.positions import Positions
from planner.siting.control import Control, Progress
from planner.siting.covering import maximal_cover
from planner.siting.instance import Instance, Pairs
from planner.siting.limits import Limits
from planner.siting.median import p_median
from planner.siting.solution import Solution

GROUP = "residents"
COVER = {"sites": 2_000, "number": 50, "gap": 0.01, "seconds": 60.0}
MEDIAN = {"homes": 200_000, "sites": 1_000, "number": 50, "gap": 0.02, "seconds": 120.0}
NEAREST = 60
GIB = 2**20


@contextmanager
def told(what: str) -> Iterator[None]:
    """Print how long something took, and the peak of memory after it."""
    begun = time.perf_counter()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIB
    print(f"{what:42} {time.perf_counter() - begun:7.1f} s   peak {peak:.2f} GiB", flush=True)


def candidates(homes: Positions, people: np.ndarray, count: int) -> Positions:
    """Homes drawn by their people stand in for places where something could be built."""
    rng = np.random.default_rng(1)
    drawn = rng.choice(len(people), count, replace=False, p=people / people.sum())
    return homes.take(np.sort(drawn))


def shown(found: Solution, seconds: float, limits: dict[str, float], more: str = "") -> None:
    """Print a solve's figures beside what is asked of it."""
    print(
        f"  {found!r}\n  bound {found.bound:,.8g}, gap {found.gap:.3%} (at most "
        f"{limits['gap']:.0%}) in {seconds:.1f} s of {limits['seconds']:.0f} s{more}",
        flush=True,
    )


def news(progress: Progress) -> None:
    """Print how far a solve has come."""
    if progress.best is not None and progress.bound is not None:
        print(f"    {progress.seconds:6.1f} s  {progress.what:10} gap {progress.gap:.3%}")


def cover(
    network: Network, homes: Positions, people: np.ndarray, cutoff: float, listen: Control
) -> None:
    """Serve most people with fifty of two thousand sites."""
    sites = candidates(homes, people, int(COVER["sites"]))
    print(f"maximal cover within {cutoff:g} m: {len(people):,} homes, {len(sites):,} sites, p = 50")
    with told("  distances between sites and homes"):
        parts = list(pairs(network, sites, homes, cutoff=cutoff))
        rows = np.concatenate([part.target for part in parts])
        site = np.concatenate([part.origin for part in parts])
        away = np.concatenate([part.distance for part in parts])
        del parts
    begun = time.perf_counter()
    with told("  solve, from distances to proof"):
        near = Pairs.of(rows, site, away, demands=len(people), number_of_sites=len(sites))
        del rows, site, away
        found = maximal_cover(
            Instance.of(near, people=people),
            Limits(number=int(COVER["number"])),
            control=listen,
        )
    shown(found, time.perf_counter() - begun, COVER, f"; {len(near.site):,} pairs")


def median(network: Network, homes: Positions, people: np.ndarray, listen: Control) -> None:
    """Place fifty of a thousand sites nearest to two hundred thousand homes."""
    rng = np.random.default_rng(2)
    drawn = np.sort(rng.choice(len(people), min(len(people), int(MEDIAN["homes"])), replace=False))
    homes, people = homes.take(drawn), people[drawn]
    sites = candidates(homes, people, int(MEDIAN["sites"]))
    print(f"p-median: {len(people):,} homes, {len(sites):,} sites, p = 50, {NEAREST} nearest each")
    with told(f"  distances to the nearest {NEAREST}"):
        distance, origin = nearest_rows(network, sites, homes, NEAREST)
    begun = time.perf_counter()
    with told("  solve, from distances to proof"):
        row, rank = np.nonzero(origin >= 0)
        near = Pairs.of(
            row,
            origin[row, rank],
            distance[row, rank],
            demands=len(people),
            number_of_sites=len(sites),
        )
        # Whoever has none of the nearest counts with the last of them: no bound is
        # too high for that.
        last = np.where(origin >= 0, distance, 0.0).max(axis=1)
        reached = origin[:, 0] >= 0
        found = p_median(
            Instance.of(near, people=np.where(reached, people, 0.0)),
            Limits(number=int(MEDIAN["number"])),
            beyond=last,
            control=listen,
        )
    seconds = time.perf_counter() - begun
    reach = network.reach(sites.take(found.sites), towards="facility")
    whole = float(people[reached] @ reach.at(homes).to_numpy()[reached])
    true_gap = (whole - found.bound) / whole
    shown(found, seconds, MEDIAN, f"; with every way counted {whole:,.8g}, gap {true_gap:.3%}")
    if not reached.all():
        print(f"  {people[~reached].sum():,.0f} people reach no site by the streets: left out")


def main() -> None:
    """Print figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="full", choices=["small", "city", "full"])
    parser.add_argument("--only", choices=["cover", "median"])
    parser.add_argument("--cutoffs", type=float, nargs="+", default=[1_000.0])
    parser.add_argument("--tell", action="store_true", help="print progress")
    options = parser.parse_args()
    with told("open the city"):
        city: City = embedded(options.size)
    with told("compile the streets"):
        network = Network.build(city.streets, mode="walk", crs=city.crs)
    with told("place the homes"):
        homes = network.locate(city.population)
    placed = homes.placed.to_numpy()
    people = city.population[GROUP].to_numpy(dtype=float)[placed]
    homes = homes.take(np.flatnonzero(placed))
    print(f"{len(people):,} homes placed of {len(placed):,}")
    del city

    def control(limits: dict[str, float]) -> Control:
        tell = news if options.tell else None
        return Control(gap=limits["gap"], seconds=limits["seconds"] - 5, progress=tell)

    if options.only != "median":
        for cutoff in options.cutoffs:
            cover(network, homes, people, cutoff, control(COVER))
    if options.only != "cover":
        median(network, homes, people, control(MEDIAN))


if __name__ == "__main__":
    main()
