"""One facility moved, one street closed: how much quicker than computing the coverage anew.

    python benchmarks/changes.py [small|city|full] [--moves 20]

For each service it prints, over random moves of one facility by about a kilometre and over
random closures of one street, the median and the worst time from the change to the new rates
by district, and by how much that beats `coverage(...).by("district")` of the changed city,
with its network compiled and everybody placed beforehand.
"""

import argparse
import statistics
import time

import numpy as np

from layers import embedded
from planner import CloseStreet, LiveCoverage, Move, Scenario
from planner.workbench import Workbench


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("city", nargs="?", default="small", choices=("small", "city", "full"))
    parser.add_argument("--service", action="append", help="some services only")
    parser.add_argument("--moves", type=int, default=20)
    options = parser.parse_args()
    city = embedded(options.city)
    bench = Workbench(city)
    print(
        f"{'service':24}{'change':9}{'median':>10}{'worst':>10}{'anew':>10}{'ratio':>8}{'least':>8}"
    )
    for key in options.service or bench.services:
        live = bench.live(key)
        live.by("district")
        for name, changes in {
            "move": _moves(live, options.moves),
            "close": _closures(live, options.moves),
        }.items():
            # The first change compiles or gathers what the others find.
            times = [_taken(live, change) for change in changes][1:]
            anew = [_anew(bench, key) for _ in range(3)]
            middle, worst, whole = statistics.median(times), max(times), statistics.median(anew)
            figures = f"{middle * 1e3:8.1f}ms{worst * 1e3:8.1f}ms{whole * 1e3:8.0f}ms"
            print(
                f"{key:24}{name:9}{figures}{whole / middle:7.0f}x{whole / worst:7.0f}x", flush=True
            )


def _moves(live: LiveCoverage, count: int) -> list[Scenario]:
    rng = np.random.default_rng(3)
    sites = live.city.facilities
    own = sites[(sites["service"] == live.service.key) & (sites["status"] == "existing")]
    chosen = rng.choice(len(own), count + 1)
    away = rng.normal(0, 0.007, (count + 1, 2))
    return [
        Scenario((Move(id=own["id"].iloc[row], place=(point.x + east, point.y + north)),))
        for row, point, (east, north) in zip(chosen, own.geometry.iloc[chosen], away, strict=True)
    ]


def _closures(live: LiveCoverage, count: int) -> list[Scenario]:
    rng = np.random.default_rng(4)
    labels = live.network.labels
    chosen = labels[rng.choice(len(labels), count + 1)]
    return [Scenario((CloseStreet(street=label),)) for label in chosen.tolist()]


def _taken(live: LiveCoverage, scenario: Scenario) -> float:
    begun = time.perf_counter()
    live.update(scenario)
    live.by("district")
    taken = time.perf_counter() - begun
    live.update(Scenario())
    return taken


def _anew(bench: Workbench, key: str) -> float:
    begun = time.perf_counter()
    bench.coverage(key).by("district")
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
