"""Distances of the engine against a plain account by networkx, on real and large networks.

    python benchmarks/exactness.py FILE|small|city|full [--origins 50] [--targets 2000]

Random points a few metres beside streets are origins and targets. The account (`tests/oracle.py`)
cuts each street at every point on it and shares nothing with the engine but the positions.
Printed is the greatest difference, on foot in metres and by car in minutes with the usual
delays at junctions, to the facilities and away from them.
"""

import argparse
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from layers import embedded
from layers.sources.build import read_streets
from layers.sources.files import Source
from planner.ground import Ground
from planner.network import Network

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests import oracle


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("city")
    parser.add_argument("--origins", type=int, default=50)
    parser.add_argument("--targets", type=int, default=2000)
    options = parser.parse_args()
    if Path(options.city).exists():
        streets, _, _ = read_streets(Source.parse(options.city), None)
    else:
        streets = embedded(options.city).streets
    ground = Ground.of(streets)
    for mode, unit, pace in (("walk", "m", {}), ("drive", "min", {"junction_delay_s": "usual"})):
        network = Network.build(ground, mode, **pace)
        rng = np.random.default_rng(5)
        origins, targets = (
            network.locate(_beside(network, count, rng))
            for count in (options.origins, options.targets)
        )
        for towards in ("facility", "from"):
            bound = {"cutoff" if unit == "m" else "cutoff_min": np.inf}
            found = network.reach(origins, towards=towards, **bound).at(targets).to_numpy()
            told = oracle.distances(network, origins, targets, unit=unit, towards=towards)
            expected = told.to_numpy()
            same = np.isfinite(found) == np.isfinite(expected)
            both = np.isfinite(found) & np.isfinite(expected)
            apart = np.abs(found - expected)[both].max(initial=0.0)
            print(
                f"{mode} {unit} {towards}: {network.nodes:,} junctions, {both.sum():,} of "
                f"{len(found):,} targets reached, {(~same).sum()} by one alone, "
                f"greatest distance {expected[both].max():,.1f}, greatest difference {apart:.2e}",
                flush=True,
            )


def _beside(network: Network, count: int, rng: np.random.Generator) -> gpd.GeoSeries:
    """Points some ten metres beside random streets."""
    lines = network.lines[rng.integers(len(network.length), size=count)]
    along = shapely.line_interpolate_point(lines, rng.random(count), normalized=True)
    xy = shapely.get_coordinates(along) + rng.normal(0, 10.0, (count, 2))
    return gpd.GeoSeries(shapely.points(xy), crs=network.crs)


if __name__ == "__main__":
    main()
