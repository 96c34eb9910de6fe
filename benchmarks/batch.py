"""Studies on Dask: speed-up, overhead, and what a city costs.

    python benchmarks/batch.py [--variants 50] [--city small]
    python benchmarks/batch.py --costs small city full

The first computes one study in this process and on local clusters of one and two workers,
holds the results against each other, and prints wall time, speed-up and what a partition
costs beyond its work. The second prints what a city costs in a process of its own: opening,
compiling its streets, five services, memory.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

from layers import embedded
from planner.batch import Place, Study, Variant, run
from planner.batch.run import KINDS
from planner.standards import load_services
from planner.workbench import Workbench


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=50)
    parser.add_argument("--city", default="small", choices=("small", "city", "full"))
    parser.add_argument("--costs", nargs="+", choices=("small", "city", "full"))
    options = parser.parse_args()
    if options.costs:
        costs(options.costs)
    else:
        speed_up(options.city, options.variants)


def study(size: str, count: int) -> Study:
    """Cutoffs from a tenth to twice the usual, of each service in turn."""
    services = load_services()
    variants = []
    for number in range(count):
        key = list(services)[number % len(services)]
        usual = services[key].standard
        cutoff = usual.cutoff * (0.1 + 1.9 * number / count)
        standard = {f"cutoff_{usual.unit}": cutoff}
        variants.append(Variant(f"{number} {key}", key, year=2023, standard=standard))
    place = Place(size, f"embedded:{size}")
    return Study(name="bench", cities=(place,), variants=tuple(variants), chunk=5)


def speed_up(size: str, count: int) -> None:
    """One process, one worker, two workers."""
    embedded(size).describe()
    asked = study(size, count)
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'workers':>8}{'wall':>9}{'work':>9}{'ratio':>8}{'beyond work':>13}  result")
        first, expected = 0.0, {}
        for workers in (0, 1, 2):
            out = Path(folder) / str(workers)
            outcome = run(asked, out, workers=workers)
            found = {
                (kind, file.name): file.read_bytes()
                for kind in KINDS
                for file in (out / kind).glob("*.parquet")
            }
            first, expected = first or outcome.seconds, expected or found
            beyond = outcome.seconds - outcome.work_seconds / max(workers, 1)
            same = "the same" if found == expected else "DIFFERS"
            print(
                f"{workers or 'none':>8}{outcome.seconds:8.1f}s{outcome.work_seconds:8.1f}s"
                f"{first / outcome.seconds:7.2f}x{beyond:12.1f}s  {same}"
            )


def costs(sizes: list[str]) -> None:
    """Print what each city costs, in a process of its own."""
    print(
        f"{'city':>8}{'junctions':>12}{'people at':>12}"
        f"{'open':>8}{'five':>8}{'again':>8}{'peak':>10}"
    )
    context = multiprocessing.get_context("spawn")
    for size in sizes:
        embedded(size)
        with context.Pool(1) as pool:
            pool.apply(_cost, (size,))


def _cost(size: str) -> None:
    begun = time.process_time()
    city = embedded(size)
    opened = time.process_time()
    bench = Workbench(city)
    for key in bench.services:
        bench.coverage(key).by("township")
    first = time.process_time()
    for key in bench.services:
        bench.coverage(key).by("township")
    again = time.process_time()
    junctions = len(bench.network(bench.services["fitness_circle"].standard).node_ids)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{size:>8}{junctions:12,}{len(city.population):12,}{opened - begun:7.1f}s"
        f"{first - opened:7.1f}s{again - first:7.1f}s{peak:7.0f} MB",
        flush=True,
    )


if __name__ == "__main__":
    main()
