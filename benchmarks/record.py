"""The record of the bench: a line a job and version, and a plot of how ratios went.

    planner bench --size small --json > bench.json
    python benchmarks/record.py add bench.json
    python benchmarks/record.py add earlier.json --commit 583c9ff
    python benchmarks/record.py draw

A ratio to another program, measured in the same run, tells about the code; seconds tell about
the machine and stand beside it. A run of the same version, commit and size replaces the former.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RECORD = HERE / "record.csv"
PLOT = HERE / "record.svg"
COLUMNS = (
    *("date", "version", "commit", "nodes", "job", "peer"),
    *("own_s", "peer_s", "ratio", "least", "most"),
)


def lines_of(bench: dict[str, Any], **made: str) -> list[dict[str, Any]]:
    """Turn what `planner bench --json` prints into lines of the record.

    Parameters
    ----------
    bench
        The bench's JSON.
    made
        ``date``, ``version`` and ``commit``.
    """
    return [
        {name: {**made, "nodes": bench["nodes"], **row}.get(name) for name in COLUMNS}
        for row in bench["rows"]
    ]


def about(commit: str) -> dict[str, str]:
    """Date, version and short name of a commit."""

    def git(*words: str) -> str:
        command = ["git", *words]
        told = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True)
        return told.stdout.strip()

    project = tomllib.loads(git("show", f"{commit}:pyproject.toml"))["project"]
    date, name = git("show", "--no-patch", "--format=%cs %h", commit).split()
    return {"date": date, "version": project["version"], "commit": name}


def joined(before: list[dict[str, Any]], fresh: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put fresh lines into a record, in place of those of the same commit and size."""
    ours = {(one["version"], one["commit"], str(one["nodes"])) for one in fresh}
    kept = [one for one in before if (one["version"], one["commit"], str(one["nodes"])) not in ours]
    return [*kept, *fresh]


def read(path: Path) -> list[dict[str, Any]]:
    """Read a record; an empty one where there is none yet."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, lines: list[dict[str, Any]]) -> None:
    """Write a record whole."""
    beside = path.with_suffix(".part")
    with beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    beside.replace(path)


def draw(lines: list[dict[str, Any]], path: Path) -> None:
    """Draw each job's ratio over the versions, with the range of its runs."""
    import matplotlib as mpl  # noqa: PLC0415 - not for adding

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "record"
    import matplotlib.pyplot as plt  # noqa: PLC0415 - after the backend

    compared = [one for one in lines if one["ratio"] not in (None, "")]
    whens = list(dict.fromkeys((one["date"], one["version"], one["commit"]) for one in compared))
    sizes = sorted({int(one["nodes"]) for one in compared})
    figure, axes = plt.subplots(
        len(sizes) or 1, figsize=(9, 4.2 * (len(sizes) or 1)), squeeze=False, layout="constrained"
    )
    for axis, size in zip(axes[:, 0], sizes, strict=False):
        series: dict[str, list[tuple[int, float, float, float]]] = {}
        for one in compared:
            if int(one["nodes"]) == size:
                at = whens.index((one["date"], one["version"], one["commit"]))
                values = (float(one["ratio"]), float(one["least"]), float(one["most"]))
                series.setdefault(f"{one['job']} · {one['peer']}", []).append((at, *values))
        for number, (name, points) in enumerate(series.items()):
            x, ratio, least, most = zip(*points, strict=True)
            colour = plt.cm.tab20(number % 20)
            axis.fill_between(x, least, most, alpha=0.15, color=colour)
            axis.plot(x, ratio, marker="o", color=colour, label=name)
        axis.axhline(1, color="0.6", linewidth=0.8)
        axis.set(yscale="log", ylabel="times faster than the peer", title=f"{size:,} junctions")
        axis.set_xticks(
            range(len(whens)), [f"{number}\n{commit}\n{date}" for date, number, commit in whens]
        )
        axis.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Add a run, or draw the record again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=["add", "draw"])
    parser.add_argument("bench", nargs="?", type=Path, help="JSON of planner bench")
    parser.add_argument("--commit", default="HEAD", help="what was measured")
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--plot", type=Path, default=PLOT)
    options = parser.parse_args()
    lines = read(options.record)
    if options.task == "add":
        if options.bench is None:
            parser.error("add wants the JSON of a run")
        made = about(options.commit)
        bench = json.loads(options.bench.read_text(encoding="utf-8"))
        lines = joined(lines, lines_of(bench, **made))
        write(options.record, lines)
    draw(lines, options.plot)
    print(f"{len(lines)} lines: {options.record}, {options.plot}", file=sys.stderr)


if __name__ == "__main__":
    main()
