"""Walking distances of this program against Valhalla's and OSRM's, on the same file.

    python benchmarks/router_distances.py FILE --peers PYTHON [--pairs 300]

Random pairs of junctions, so that no access leg counts. Where a router's way lies on streets
that are open to walkers here, the way found here can be no longer than that one; the rest is
sorted by what explains it. PYTHON has pyvalhalla, osrm-bindings or both.
"""

import argparse
import gzip
import json
import subprocess
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import shapely

from layers.sources.build import read_streets
from layers.sources.files import Source
from planner.network import Network

# Routers give ways in whole metres or tenths, of streets rounded to a metre or a decimetre.
_SHARE, _METRES = 0.002, 3.0
_BESIDE_M = 1.0


def main() -> None:
    """Ask, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--peers", required=True, help="a Python that has the routers")
    parser.add_argument("--pairs", type=int, default=300)
    options = parser.parse_args()
    streets, _, _ = read_streets(Source.parse(str(options.file)), None)
    network = Network.build(streets, "walk")
    places = gpd.GeoSeries(shapely.points(network.places), crs=network.crs)
    main_piece = np.bincount(network.component).argmax()
    rng = np.random.default_rng(2)
    ends = rng.choice(np.flatnonzero(network.component == main_piece), (options.pairs, 2))
    degrees = shapely.get_coordinates(places.to_crs(4326).array)
    own = np.array([_metres(network, places, *pair) for pair in ends])
    with tempfile.TemporaryDirectory() as folder:
        file = _as_pbf(options.file, Path(folder))
        helper = Path(__file__).with_name("router_peers.py")
        asked = json.dumps(np.hstack([degrees[ends[:, 0]], degrees[ends[:, 1]]]).tolist())
        run = [options.peers, str(helper), str(file), folder]
        out = subprocess.run(run, input=asked, check=True, capture_output=True, text=True).stdout
    for name, found in json.loads(out[out.index("{") :]).items():
        _compare(name, own, found, network)


def _metres(network: Network, places: gpd.GeoSeries, one: int, other: int) -> float:
    reach = network.reach(places.iloc[[one]], towards="from")
    return float(reach.node_distance[other])


def _compare(name: str, own: np.ndarray, found: list, network: Network) -> None:
    known = np.array([one is not None for one in found])
    theirs = np.array([np.nan if one is None else one[0] for one in found])
    tree = shapely.STRtree(network.lines)
    off = np.array([one is not None and _off(one[1], tree, network) for one in found])
    near = np.abs(theirs - own) <= _METRES + _SHARE * own
    shorter = known & (own < theirs) & ~near
    longer = known & (own > theirs) & ~near
    gap, more = np.abs(theirs - own)[near], ((theirs - own) / own)[shorter]
    print(
        f"{name}: {known.sum()} pairs, {near.sum()} alike (median {np.median(gap):.1f} m apart, "
        f"most {gap.max():.1f} m)\n"
        f"  {(longer & off).sum()} longer here: their way uses what is closed to walkers here\n"
        f"  {(longer & ~off).sum()} longer here, unexplained\n"
        f"  {shorter.sum()} shorter here"
        + (f", by {np.median(more):.1%} in the middle" if len(more) else "")
        + ": they close what is open here, or prefer another street"
    )


def _off(way: list, tree: shapely.STRtree, network: Network) -> bool:
    """Whether a way leaves the streets of the network."""
    line = gpd.GeoSeries([shapely.LineString(way)], crs=4326).to_crs(network.crs)
    xy = shapely.get_coordinates(line.array)
    middles = shapely.points((xy[1:] + xy[:-1]) / 2)
    beside = tree.query(middles, predicate="dwithin", distance=_BESIDE_M)[0]
    return len(np.unique(beside)) < len(middles)


def _as_pbf(file: Path, folder: Path) -> Path:
    """Turn a packed XML file into the form that the routers read."""
    if file.suffix == ".pbf":
        return file
    plain, made = folder / "plain.osm", folder / "plain.osm.pbf"
    plain.write_bytes(gzip.decompress(file.read_bytes()))
    with osmium.SimpleWriter(str(made)) as writer:
        for item in osmium.FileProcessor(str(plain)):
            writer.add(item)
    return made


if __name__ == "__main__":
    main()
