"""Readers of OpenStreetMap's files held against one another: what they give, time, memory.

Every reader runs in a process of its own, so that its peak memory is its own, imports
included in the memory and left out of the time. pyrosm reads PBF alone and is given other
files as such; osmnx reads XML alone and takes every way for a street, so it is given a file
already filtered by its own rules for the mode. Making those files is not counted. Lengths
are measured alike for all, on the ellipsoid.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import osmium
import shapely

from layers.streets import MODES, geodesic_length

PYROSM = {"walk": "walking", "cycle": "cycling", "drive": "driving"}
OSMNX = {"walk": "walk", "cycle": "bike", "drive": "drive"}
HEAD = (
    "reader",
    "file",
    "mode",
    "nodes",
    "edges",
    "points",
    "km",
    "pieces",
    "seconds",
    "cpu",
    "MB",
)


Told = tuple[dict[str, float], dict[str, dict[str, Any]]]


def spent(begun: tuple[float, float]) -> dict[str, float]:
    """Tell what a reader took since it began: time, processor, and memory at most."""
    seconds, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(seconds, 2), "cpu": round(cpu, 2), "MB": round(peak)}


def figures(u: Any, v: Any, lines: gpd.GeoSeries) -> dict[str, Any]:
    """Count what a network has, given as ends and lines, a row a street."""
    ends = np.stack([np.asarray(u), np.asarray(v)], axis=1)
    points = np.unique(shapely.get_coordinates(lines.array), axis=0)
    return {
        "nodes": len(np.unique(ends)),
        "edges": len(ends),
        "points": len(points),
        "km": round(geodesic_length(lines).sum() / 1000, 1),
        "pieces": nx.number_connected_components(nx.Graph(ends.tolist())),
    }


def ours(path: str, _: str) -> Told:
    """Read with this program: all modes in one pass."""
    from layers.sources.osm import read_streets  # noqa: PLC0415

    begun = time.perf_counter(), time.process_time()
    streets = read_streets(path).streets
    cost = spent(begun)
    found = {}
    for mode in MODES:
        part = streets[streets[f"{mode}_forward"] | streets[f"{mode}_backward"]]
        found[mode] = figures(part["u"], part["v"], part.geometry)
    return cost, found


def pyrosm(path: str, mode: str) -> Told:
    """Read with pyrosm: an edge for every two neighbouring nodes of a way."""
    import pyrosm as peer  # noqa: PLC0415

    if not path.endswith(".pbf"):
        path, given = str(Path(tempfile.mkdtemp()) / "same.osm.pbf"), path
        with osmium.SimpleWriter(path, overwrite=True) as writer:
            for entity in osmium.FileProcessor(given):
                writer.add(entity)
    begun = time.perf_counter(), time.process_time()
    _, edges = peer.OSM(path).get_network(PYROSM[mode], nodes=True)
    cost = spent(begun)
    return cost, {mode: figures(edges["u"], edges["v"], edges.geometry)}


def osmnx(path: str, mode: str) -> Told:
    """Read with osmnx, which splits and joins as this program does."""
    import osmnx as peer  # noqa: PLC0415

    filtered = str(Path(tempfile.mkdtemp()) / "filtered.osm")
    keep(path, filtered, peer._overpass._get_network_filter(OSMNX[mode]))  # noqa: SLF001 - its rules
    begun = time.perf_counter(), time.process_time()
    graph = peer.graph_from_xml(filtered, bidirectional=mode == "walk", retain_all=True)
    cost = spent(begun)
    edges = peer.graph_to_gdfs(peer.convert.to_undirected(graph), nodes=False).reset_index()
    return cost, {mode: figures(edges["u"], edges["v"], edges.geometry)}


def keep(path: str, to: str, rules: str) -> None:
    """Write the ways that pass a filter in Overpass' words, and their nodes."""
    wanted = re.findall(r'\["([^"]+)"(?:(!?~|!?=)"([^"]+)")?\]', rules)
    with osmium.BackReferenceWriter(to, ref_src=path, overwrite=True) as writer:
        for way in osmium.FileProcessor(path, osmium.osm.WAY):
            if all(passes(way.tags.get(key), sign, value) for key, sign, value in wanted):
                writer.add(way)


def passes(said: str | None, sign: str, value: str) -> bool:
    """Whether a tag's value passes one rule."""
    if not sign:
        return said is not None
    found = said is not None and re.search(value, said) is not None
    return not found if sign.startswith("!") else found


READERS = {"ours": ours, "pyrosm": pyrosm, "osmnx": osmnx}


def repeated(path: str, copies: int, to: str) -> None:
    """Write a file several times over, each copy with ids of its own and moved aside."""
    step = 1 << 36
    with osmium.SimpleWriter(to, overwrite=True) as writer:
        for copy in range(copies):
            for node in osmium.FileProcessor(path, osmium.osm.NODE):
                place = (node.location.lon + copy, node.location.lat)
                writer.add_node(node.replace(id=node.id + copy * step, location=place))
        for copy in range(copies):
            for way in osmium.FileProcessor(path, osmium.osm.WAY):
                refs = [node.ref + copy * step for node in way.nodes]
                writer.add_way(way.replace(id=way.id + copy * step, nodes=refs))


def projection(sizes: list[float], rows: list[dict[str, Any]], target: float) -> str:
    """Say what a larger file would take, by a line through those that were read."""
    told = []
    for key, unit in (("cpu", "s of processor"), ("MB", "MB of memory")):
        slope, rest = np.polyfit(sizes, [float(row[key]) for row in rows], 1)
        told.append(f"{slope:.2f} per MB and {rest:.0f}: {slope * target + rest:.0f} {unit}")
    return f"{target:.0f} MB by this program: " + "; ".join(told)


def child(reader: str, path: str, mode: str) -> None:
    """Run one reader and write what it found as JSON."""
    cost, found = READERS[reader](path, mode)
    print(json.dumps({**cost, "found": found}))


def run(reader: str, path: str, mode: str, *, wait: float) -> list[dict[str, Any]]:
    """Rows of the table of one reader, file and mode."""
    command = [sys.executable, __file__, "--child", reader, path, mode]
    row = {"reader": reader, "file": Path(path).name, "mode": mode}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=wait)
    except subprocess.CalledProcessError as wrong:
        last = (wrong.stderr.strip().splitlines() or [f"signal {-wrong.returncode}"])[-1]
        return [{**row, "seconds": f"fails: {last[:60]}"}]
    except subprocess.TimeoutExpired:
        return [{**row, "seconds": f"over {wait:.0f}"}]
    told = json.loads(done.stdout.splitlines()[-1])
    same = {key: told[key] for key in ("seconds", "cpu", "MB")}
    return [{**row, "mode": one, **found, **same} for one, found in told["found"].items()]


def main() -> int:
    """Compare the readers on the files and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--readers", nargs="+", choices=READERS, default=list(READERS))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--copies", nargs="+", type=int, default=[])
    parser.add_argument("--project", type=float, default=100.0, help="MB of a file to project to")
    parser.add_argument("--wait", type=float, default=600.0)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return 0
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
    with tempfile.TemporaryDirectory() as folder:
        files = list(options.files)
        for copies in options.copies:
            files.append(f"{folder}/{copies}x_{Path(options.files[0]).name}")
            repeated(options.files[0], copies, files[-1])
        sizes, own = [], []
        for path in files:
            for reader in options.readers:
                # One pass of ours gives every mode.
                for mode in MODES[:1] if reader == "ours" else options.modes:
                    rows = run(reader, path, mode, wait=options.wait)
                    if reader == "ours" and options.copies and path not in options.files[1:]:
                        sizes.append(Path(path).stat().st_size / 1e6)
                        own.append(rows[0])
                    for row in rows:
                        cells = (row.get(key, "") for key in HEAD)
                        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
        if own:
            print(projection(sizes, own, options.project))
    return 0


if __name__ == "__main__":
    sys.exit(main())
