"""How the time of a search grows with the network, and how far it lies above the floor.

Lattices with a share of streets left out and lengths of their own stand in for cities of
any size; facilities keep their density. The sizes are run by turns, so that whatever else
the machine does falls on all of them. The floor is the time that reading and writing once
what a search reads and writes takes at the memory's speed, measured in the same run with
as many threads.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from planner import _search
from planner._curve import along_curve
from planner._threads import in_threads

SIZES = (50_000, 100_000, 250_000, 500_000, 1_000_000, 2_000_000)
LIMITS_M = (1000.0, np.inf)
KINDS = ("within 1 km", "unlimited", "floor of memory")
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


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of one run by the clock, and those of all processors together."""
    begun, spent = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begun, time.process_time() - spent


def jobs(junctions: int, rng: np.random.Generator) -> tuple[int, list[Callable[[], object]], int]:
    """Make a lattice: its size, its searches and then the floor, and the bytes of the floor."""
    graph = lattice(junctions, rng)
    count = graph.nodes // JUNCTIONS_A_FACILITY
    sites = np.sort(rng.choice(graph.nodes, count, replace=False))
    search = partial(_search.nearest_origin, graph, sites, np.zeros(count), np.arange(count), count)
    # Arcs and where they begin, a label and an outcome of a distance and an origin each.
    size = graph.start.nbytes + graph.arcs.nbytes + 4 * 8 * graph.nodes
    # A copy both reads and writes.
    source, target = np.ones(size // 16), np.ones(size // 16)

    def copy(part: slice) -> None:
        target[part] = source[part]

    floor = partial(in_threads, copy, len(source), -(-len(source) // (2 * (os.cpu_count() or 1))))
    return graph.nodes, [*(partial(search, limit) for limit in LIMITS_M), floor], size


def main() -> None:
    """Print a table, and draw it where matplotlib is at hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--plot", type=Path, help="picture to draw")
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    made = [jobs(size, rng) for size in SIZES]
    every: list[list[list[tuple[float, float]]]] = [[[] for _ in work] for _, work, _ in made]
    for turn in range(options.repeat + 1):
        for (_, work, _), taken in zip(made, every, strict=True):
            for job, times in zip(work, taken, strict=True):
                once = seconds(job)
                # The first turn warms up.
                if turn:
                    times.append(once)
    rows = []
    print("| junctions | 1 km, s | processors | unlimited, s | processors | ns each | floor, s |")
    print("|---|---|---|---|---|---|---|")
    for (nodes, _, size), taken in zip(made, every, strict=True):
        # By the clock, and what the processors spent, which others on the machine disturb less.
        clock, spent = (
            [statistics.median(t[kind] for t in each) for each in taken] for kind in (0, 1)
        )
        rows.append((nodes, clock, spent))
        print(
            f"| {nodes:,} | {clock[0]:.4f} | {spent[0]:.4f} | {clock[1]:.4f} | {spent[1]:.4f} | "
            f"{spent[1] / nodes * 1e9:.0f} | {spent[2]:.4f} ({size / 1e6:.0f} MB) |"
        )
    sizes = np.array([row[0] for row in rows], dtype=float)
    for kind, what in ((1, "by the clock"), (2, "in processors' time")):
        for number, name in enumerate(KINDS[:-1]):
            times = np.array([row[kind][number] for row in rows])
            growth = (times[1:] / times[:-1]) ** (1 / np.diff(np.log2(sizes)))
            told = ", ".join(f"{one:.2f} ×" for one in growth)
            print(f"a doubling costs, {name}, {what}: {told}")
    above = rows[-1][2][1] / rows[-1][2][2]
    print(f"unlimited, of the largest: {above:.1f} × the floor in processors' time")
    if options.plot:
        draw([(nodes, spent) for nodes, _, spent in rows], options.plot)


def draw(rows: list[tuple[int, list[float]]], path: Path) -> None:
    """Draw seconds of the processors against junctions."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - a picture is an extra

    nodes = [row[0] for row in rows]
    figure, axes = plt.subplots(figsize=(6, 4.5), layout="constrained")
    for number, name in enumerate(KINDS):
        axes.loglog(nodes, [row[1][number] for row in rows], marker="o", label=name)
    each = rows[-1][1][1] / nodes[-1]
    axes.loglog(nodes, [each * node for node in nodes], linestyle=":", label="linear")
    axes.set_xlabel("junctions")
    axes.set_ylabel("seconds of all processors")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    main()
