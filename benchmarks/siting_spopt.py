"""Siting held against spopt's: the same problem, the same optimum, time and memory.

Each solve runs in a process of its own. Time counts from the matrix of distances to the
answer, models built on the way included; libraries and compiled code are loaded before.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SIDE_M = 25_000.0
BEHIND = 1e-6

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A problem scattered over a square: its model and size."""

    model: str
    demands: int
    sites: int
    number: int = 0
    radius: float = 0.0

    @property
    def name(self) -> str:
        """What it is called in the table."""
        more = f", p = {self.number}" if self.number else ""
        return f"{self.model}, {self.demands:,} × {self.sites:,}{more}"

    def save(self, path: Path) -> None:
        """Scatter people and sites, and write their distances."""
        rng = np.random.default_rng(1)
        homes = rng.uniform(0, SIDE_M, (self.demands, 2))
        places = rng.uniform(0, SIDE_M, (self.sites, 2))
        gap = homes[:, None] - places[None]
        distance = np.rint(np.hypot(gap[..., 0], gap[..., 1]))
        if self.radius:
            # Everyone can be reached by somebody, as spopt's models of full cover want.
            distance[np.arange(self.demands), distance.argmin(axis=1)] = np.minimum(
                distance.min(axis=1), self.radius
            )
        people = rng.integers(1, 100, self.demands)
        np.savez(path, distance=distance, people=people)


CASES = (
    Case("maximal cover", 20_000, 500, 20, 1_000.0),
    Case("set cover", 20_000, 500, radius=1_500.0),
    Case("backup cover", 2_000, 200, radius=2_500.0),
    Case("p-median", 1_000, 200, 15),
    Case("p-centre", 100, 40, 5),
)


def ours(case: Case, given: Arrays) -> tuple[float, str]:
    """Solve with this program: objective, and what else it says."""
    from planner.siting.backup import backup_cover  # noqa: PLC0415 - not in a peer's process
    from planner.siting.centre import p_centre  # noqa: PLC0415
    from planner.siting.covering import maximal_cover, set_cover  # noqa: PLC0415
    from planner.siting.instance import Instance, Pairs  # noqa: PLC0415
    from planner.siting.limits import Limits  # noqa: PLC0415
    from planner.siting.median import p_median  # noqa: PLC0415

    people = given["people"]
    pairs = Pairs.from_dense(given["distance"], cutoff=case.radius or np.inf)
    limits = Limits(number=case.number or None)
    weighted = Instance.of(pairs, people=people)
    if case.model == "maximal cover":
        found = maximal_cover(weighted, limits)
    elif case.model == "set cover":
        found = set_cover(Instance.of(pairs), limits)
    elif case.model == "backup cover":
        found = backup_cover(Instance.of(pairs), limits).backup
    elif case.model == "p-median":
        found = p_median(weighted, limits)
    else:
        found = p_centre(Instance.of(pairs), limits)
    return found.objective, found.status


def spopts(case: Case, given: Arrays) -> tuple[float, str]:
    """Solve with spopt and the solver that PuLP brings: objective, and what else it says."""
    import pulp  # noqa: PLC0415 - a peer, not there in this program's process
    from spopt.locate import LSCP, LSCPB, MCLP, PCenter, PMedian  # noqa: PLC0415

    matrix, people = given["distance"], given["people"]
    solver = pulp.PULP_CBC_CMD(msg=False)
    if case.model == "maximal cover":
        model = MCLP.from_cost_matrix(matrix, people, case.radius, case.number)
    elif case.model == "set cover":
        model = LSCP.from_cost_matrix(matrix, case.radius)
    elif case.model == "backup cover":
        model = LSCPB.from_cost_matrix(matrix, case.radius, solver)
    elif case.model == "p-median":
        model = PMedian.from_cost_matrix(matrix, people, case.number)
    else:
        model = PCenter.from_cost_matrix(matrix, case.number)
    model.solve(solver)
    opened = np.array([bool(served) for served in model.fac2cli])
    return worth(case, given, opened), pulp.LpStatus[model.problem.status]


def worth(case: Case, given: Arrays, opened: np.ndarray) -> float:
    """Work out a choice's objective by plain arithmetic: the same yardstick for both."""
    distance, people = given["distance"], given["people"]
    there = distance[:, opened]
    if case.model == "maximal cover":
        return float(people[there.min(axis=1) <= case.radius].sum())
    if case.model == "set cover":
        return float(opened.sum())
    if case.model == "backup cover":
        return float(((there <= case.radius).sum(axis=1) > 1).sum())
    if case.model == "p-median":
        return float(people @ there.min(axis=1))
    return float(there.min(axis=1).max())


def work(who: str, case: Case, path: Path, warm: Path) -> None:
    """Solve in this process, once all is loaded, and print figures as JSON."""
    solve = ours if who == "ours" else spopts
    small = Case(case.model, 12, 5, 2 if case.number else 0, case.radius)
    small.save(warm)
    solve(small, np.load(warm))
    given = {name: np.asarray(values) for name, values in np.load(path).items()}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    objective, status = solve(case, given)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = {"objective": objective, "status": status, "seconds": seconds}
    print(json.dumps({**told, "peak_mb": peak / 1024, "more_mb": (peak - before) / 1024}))


def run(python: str, who: str, number: int, folder: Path) -> dict[str, float]:
    """Have a case solved in a process of its own."""
    command = [python, __file__, "--work", who, str(number), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> int:
    """Run the cases and print a table; 1 if any two objectives differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", default=sys.executable, help="the Python that has spopt")
    parser.add_argument("--repeat", type=int, default=3, help="runs of this program's")
    parser.add_argument("--cases", type=int, nargs="*", default=list(range(len(CASES))))
    parser.add_argument("--plot", type=Path, help="picture to draw, SVG")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        who, number, folder = options.work
        place = Path(folder)
        work(who, CASES[int(number)], place / f"{number}.npz", place / "warm.npz")
        return 0
    rows, differ = [], False
    print("| problem | objective | spopt s | ours s | ratio | spopt MB | ours MB |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in options.cases:
            case = CASES[number]
            case.save(folder / f"{number}.npz")
            here = [run(sys.executable, "ours", number, folder) for _ in range(options.repeat)]
            theirs = run(options.peer, "spopt", number, folder)
            took = statistics.median(one["seconds"] for one in here)
            peak = statistics.median(one["peak_mb"] for one in here)
            mine, other = here[0]["objective"], theirs["objective"]
            same = abs(mine - other) <= BEHIND * abs(other)
            differ |= not same
            told = f"{mine:,.10g}" if same else f"{mine:,.10g}, spopt's {other:,.10g}"
            rows.append((case.name, theirs["seconds"], took))
            print(
                f"| {case.name} | {told} | {theirs['seconds']:.2f} | {took:.3f} "
                f"| {theirs['seconds'] / took:.0f} × | {theirs['peak_mb']:.0f} | {peak:.0f} |",
                flush=True,
            )
    if options.plot:
        options.plot.write_text(drawing(rows), encoding="utf-8")
    return int(differ)


def drawing(rows: list[tuple[str, float, float]]) -> str:
    """Draw seconds as bars on a logarithmic scale."""
    left, width, tall = 250, 420, 46
    ticks = [0.01, 0.1, 1.0, 10.0, 100.0]
    low, high = np.log10(ticks[0]), np.log10(max(ticks[-1], *(row[1] for row in rows)) * 1.5)

    def along(seconds: float) -> float:
        return left + width * (np.log10(max(seconds, ticks[0])) - low) / (high - low)

    bottom = tall * len(rows) + 30
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12" '
            f'viewBox="0 0 {left + width + 70} {bottom + 30}">'
        ),
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for tick in ticks:
        x = along(tick)
        parts.append(f'<path d="M{x:.1f} 20V{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{tick:g} s</text>')
    for row, (name, theirs, mine) in enumerate(rows):
        y = 24 + tall * row
        parts.append(f'<text x="{left - 8}" y="{y + 22}" text-anchor="end">{name}</text>')
        bars: list[tuple[float, str, str]] = [(theirs, "#999", "spopt"), (mine, "#0a6", "")]
        for at, (seconds, colour, who) in enumerate(bars):
            top = y + 4 + 17 * at
            parts.append(
                f'<rect x="{left}" y="{top}" width="{along(seconds) - left:.1f}" height="14" '
                f'fill="{colour}"/><text x="{along(seconds) + 4:.1f}" y="{top + 11}">'
                f"{seconds:.3g} s {who}</text>"
            )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    sys.exit(main())
