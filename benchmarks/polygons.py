"""Polygons of service areas against the streets: how much they hold too much or too little.

    python benchmarks/polygons.py [small|city|full] [--cutoffs 10] [--service NAME]

For each service, at random cutoffs up to half again as far as its standard, the whole city's
area is drawn (blocks filled, water left out) and read back in metres. It prints how long that
takes, the metres of street beyond the cutoff inside the polygon, but for what lies within the
stated width of a served street, the metres of served street outside it, whether the geometry
is valid, and the metres of either kind that there are.
"""

import argparse
import time

import numpy as np
import shapely

from layers import embedded
from planner.areas import cut
from planner.polygons import EDGE_M, area
from planner.workbench import Workbench

_TILE_M = 400.0
# Coordinates come back from degrees.
_HAIR_M = 0.005


def main() -> None:
    """Draw, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("city", nargs="?", default="small", choices=("small", "city", "full"))
    parser.add_argument("--cutoffs", type=int, default=10)
    parser.add_argument("--service", action="append", help="some services only")
    options = parser.parse_args()
    city = embedded(options.city)
    bench = Workbench(city)
    keys = options.service or list(bench.services)
    print(
        f"{'service':24}{'cutoff':>9}{'draw':>8}{'too much':>10}{'too little':>11}"
        f"{'valid':>7}{'served km':>11}{'beyond km':>11}{'vertices':>10}"
    )
    worst, rng = [0.0, 0.0], np.random.default_rng(7)
    for share in rng.uniform(0.1, 1.5, options.cutoffs):
        for key in keys:
            result = bench.coverage(key)
            cutoff = share * result.standard.cutoff
            begun = time.perf_counter()
            drawn = area(result.reach, cutoff, fill=120.0, water=city.water)
            taken = time.perf_counter() - begun
            crs = result.network.crs
            part = cut(result.reach, cutoff)
            lines = part.lines(result.network)
            served, beyond = lines[part.served], lines[~part.served]
            # Rounding crosses some borders on the way back from degrees.
            parts = shapely.get_parts(drawn.to_crs(crs).geometry.array)
            tiles = _tiles(shapely.make_valid(parts))
            many, few = too_much(beyond, served, tiles), too_little(served, tiles)
            worst = [max(worst[0], many), max(worst[1], few)]
            lengths = [shapely.length(some).sum() / 1000 for some in (served, beyond)]
            valid = bool(drawn.geometry.is_valid.all())
            size = int(shapely.get_num_coordinates(drawn.geometry.array).sum())
            print(
                f"{key:24}{cutoff:7.1f}{result.standard.unit:>3}{taken:7.1f}s{many:9.3f}m"
                f"{few:10.3f}m{valid!s:>7}{lengths[0]:11.1f}{lengths[1]:11.1f}{size:10,}",
                flush=True,
            )
    print(f"worst: {worst[0]:.3f} m too much, {worst[1]:.3f} m too little")


def too_much(beyond: np.ndarray, served: np.ndarray, tiles: np.ndarray) -> float:
    """Metres of streets beyond the cutoff that lie inside, save beside a served street."""
    line, tile = shapely.STRtree(tiles).query(beyond, predicate="intersects")
    held = shapely.intersection(beyond[line], tiles[tile])
    held = held[shapely.length(held) > 0]
    tree = shapely.STRtree(served)
    row, near = tree.query(held, predicate="dwithin", distance=EDGE_M + _HAIR_M)
    strips = shapely.buffer(served[near], EDGE_M + _HAIR_M)
    total = float(shapely.length(held[np.setdiff1d(np.arange(len(held)), row)]).sum())
    own, first = np.unique(row, return_index=True)
    for one, around in zip(own, np.split(strips, first[1:]), strict=True):
        total += float(shapely.length(shapely.difference(held[one], shapely.union_all(around))))
    return total


def too_little(served: np.ndarray, tiles: np.ndarray) -> float:
    """Metres of served streets that lie outside."""
    line, tile = shapely.STRtree(tiles).query(served, predicate="intersects")
    inside = np.zeros(len(served))
    np.add.at(inside, line, shapely.length(shapely.intersection(served[line], tiles[tile])))
    missing = shapely.length(served) - inside
    # Sums of lengths are rounded.
    return float(missing[missing > 1e-6].sum())


def _tiles(shapes: np.ndarray) -> np.ndarray:
    """Cut shapes into small parts, to look places up in."""
    done: list[shapely.Geometry] = []
    todo = list(shapely.get_parts(shapes))
    while todo:
        one = todo.pop()
        west, south, east, north = shapely.bounds(one)
        if max(east - west, north - south) <= _TILE_M:
            done.append(one)
            continue
        if east - west > north - south:
            middle = (west + east) / 2
            boxes = (west, south, middle, north), (middle, south, east, north)
        else:
            middle = (south + north) / 2
            boxes = (west, south, east, middle), (west, middle, east, north)
        for box in boxes:
            parts = shapely.get_parts(shapely.clip_by_rect(one, *box))
            todo.extend(parts[shapely.area(parts) > 0])
    return np.array(done, dtype=object)


if __name__ == "__main__":
    main()
