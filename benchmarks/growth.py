"""How the time of a search grows with the network, and how far it lies above the floor.

Lattices with a share of streets left out and lengths of their own stand in for cities of
any size; facilities keep their density. The floor is the time that reading and writing
once what a search reads and writes takes at the memory's speed, measured in the same run.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from planner import _search
from planner._curve import along_curve

SIZES = (50_000, 100_000, 250_000, 500_000, 1_000_000, 2_000_000)
LIMITS_M = (1000.0, np.inf)
JUNCTIONS_A_FACILITY = 1_000
LEFT_OUT = 0.2
SPACING_M = 120.0


def lattice(junctions: int, rng: np.random.Generator) -> _search.Rows:
    """Make a lattice of streets, a share of them left out, along a space-filling curve."""
    side = round(junctions**0.5)
    node = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [
            np.column_stack([node[:, :-1].ravel(), node[:, 1:].ravel()]),
            np.column_stack([node[:-1].ravel(), node[1:].ravel()]),
        ]
    )
    pairs = pairs[rng.random(len(pairs)) >= LEFT_OUT]
    order = along_curve(np.column_stack([node.ravel() % side, node.ravel() // side]).astype(float))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    tail, head = rank[pairs].T
    cost = SPACING_M * rng.uniform(0.6, 1.4, len(pairs))
    both = np.concatenate([tail, head]), np.concatenate([head, tail]), np.tile(cost, 2)
    return _search.compress(side * side, *both)


def seconds(work: Callable[[], object], repeat: int) -> float:
    """Median seconds of some runs."""
    work()
    taken = []
    for _ in range(repeat):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def main() -> None:
    """Print a table, and draw it where matplotlib is at hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--plot", type=Path, help="picture to draw")
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    rows: list[tuple[int, list[float], float]] = []
    print("junctions   1 km (s)  unlimited (s)  floor (s)  unlimited / floor  ns a junction")
    for size in SIZES:
        graph = lattice(size, rng)
        count = graph.nodes // JUNCTIONS_A_FACILITY
        sites = np.sort(rng.choice(graph.nodes, count, replace=False))
        seeds = sites, np.zeros(count), np.arange(count)

        search = partial(_search.nearest_origin, graph, *seeds, count)
        taken = [seconds(partial(search, limit), options.repeat) for limit in LIMITS_M]
        size_read = graph.start.nbytes + graph.arcs.nbytes + 4 * 8 * graph.nodes
        source, target = np.ones(size_read // 16), np.ones(size_read // 16)
        floor = seconds(partial(np.copyto, target, source), options.repeat)
        rows.append((graph.nodes, taken, floor))
        print(
            f"{graph.nodes:9,}  {taken[0]:9.4f}  {taken[1]:13.4f}  {floor:9.5f}"
            f"  {taken[1] / floor:17.1f}  {taken[1] / graph.nodes * 1e9:13.1f}"
        )
    nodes = np.array([row[0] for row in rows], dtype=float)
    for number, limit in enumerate(LIMITS_M):
        times = np.array([row[1][number] for row in rows])
        doublings = np.diff(np.log2(nodes))
        growth = (times[1:] / times[:-1]) ** (1 / doublings)
        print(f"a doubling costs, within {limit:g} m:", ", ".join(f"{g:.2f} ×" for g in growth))
    if options.plot:
        draw(rows, options.plot)


def draw(rows: list[tuple[int, list[float], float]], path: Path) -> None:
    """Draw seconds against junctions."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - a picture is an extra

    nodes = [row[0] for row in rows]
    figure, axes = plt.subplots(figsize=(6, 4.5), layout="constrained")
    for number, name in enumerate(("within 1 km", "unlimited")):
        axes.loglog(nodes, [row[1][number] for row in rows], marker="o", label=name)
    axes.loglog(nodes, [row[2] for row in rows], linestyle="--", label="floor of memory")
    axes.set_xlabel("junctions")
    axes.set_ylabel("seconds")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
