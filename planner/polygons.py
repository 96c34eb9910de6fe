"""Polygons of service areas, drawn from the stretches of street within reach.

A place belongs to the area where a served stretch lies within `width` metres and no other
stretch of street lies nearer. Beside a street that is not served the border so runs between
the two: no nearer to the served one than two fifths of the gap. The whole of every served
stretch lies inside, in a strip of `EDGE_M` to either side; where it meets or crosses a
street that is not served, or runs nearer to one than that, the strip goes through. A street
beyond the cutoff hence lies inside nowhere but within `EDGE_M` of one that is served, be it
on a bridge above it or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.ops import substring

from layers.crs import GEOGRAPHIC
from layers.errors import InputError
from layers.messages import text
from planner._threads import in_threads
from planner.areas import stretches
from planner.positions import Positions, labels_at
from planner.reach import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner._search import Floats, Ints
    from planner.network import Network
    from planner.reach import Reach

EDGE_M = 0.5
"""How near to a served street one beyond the cutoff may lie inside an area."""

_GROWTH = 1.5
_TILE_M = 1000.0
_GRID_M = 0.001
"""Vertices lie on a grid of millimetres, which keeps every union and difference valid."""
_ARC = 4
"""Segments of a quarter of a circle."""
_ROUND = 16
"""The same where a circle must not fall short by more than half a percent."""
_CRUMB_M = 1e-6


def area(
    reach: Reach,
    cutoff: float,
    *,
    width: float = 25.0,
    fill: float = 0.0,
    water: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Draw what lies within a cutoff of any origin.

    Parameters
    ----------
    reach
        Distances from the origins, within at least the cutoff.
    cutoff
        Greatest distance, inclusive, in the reach's unit.
    width
        Metres that the area extends to either side of a served street.
    fill
        Blocks that served streets enclose and no other street enters are filled where no
        place in them lies farther than this from the streets around, in metres.
    water
        Areas that are left out, but for the strips of served streets that cross them.

    Returns
    -------
    One row, or none where nothing is served: ``cutoff`` and a polygon or several in
    EPSG:4326.

    Raises
    ------
    InputError
        The width is no greater than `EDGE_M`, or `fill` is below zero.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner import coverage
    >>> result = coverage(embedded("small"), "womens_activity_centre")
    >>> drawn = area(result.reach, 2.0)
    >>> bool(drawn.geometry.is_valid.all()), len(drawn)
    (True, 1)
    """
    return bands(reach, [cutoff], width=width, fill=fill, water=water).drop(columns="above")


def bands(
    reach: Reach,
    cutoffs: Sequence[float],
    *,
    width: float = 25.0,
    fill: float = 0.0,
    water: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Draw what lies between each cutoff and the one before.

    Parameters
    ----------
    reach, width, fill, water
        As `area` takes them; the reach extends to the greatest cutoff.
    cutoffs
        Greatest distances, inclusive, in the reach's unit.

    Returns
    -------
    A row a band that is not empty, nearest first: ``above`` (0 for the first) and
    ``cutoff``, geometry in EPSG:4326. Bands do not overlap.

    Raises
    ------
    InputError
        As `area` raises it.
    """
    _refuse(width, fill)
    rows, inner, above = [], shapely.Polygon(), 0.0
    for cutoff in sorted(set(cutoffs)):
        cut = stretches(reach, cutoff)
        lines = np.asarray(cut.geometry.to_crs(reach.network.crs).array)
        owner = np.where(cut["served"], 0, -1)
        outer = _draw(lines, owner, width).get(0, shapely.Polygon())
        outer = _finish(outer, lines, owner, width, fill, _flat(water, reach.network))
        rows.append((above, cutoff, _less(outer, inner)))
        inner, above = outer, cutoff
    made = gpd.GeoDataFrame(
        rows, columns=["above", "cutoff", "geometry"], geometry="geometry", crs=reach.network.crs
    )
    return _in_degrees(made)


def by_facility(
    reach: Reach,
    cutoff: float,
    *,
    overlapping: bool = False,
    width: float = 25.0,
    fill: float = 0.0,
    water: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Draw what lies within a cutoff of each origin.

    Parameters
    ----------
    reach, cutoff, width, fill, water
        As `area` takes them.
    overlapping
        Draw for each origin all that it serves, rather than only where it is the nearest.
        Each is then searched alone, which takes its time.

    Returns
    -------
    A row an origin that serves anything, in their order: ``origin`` (its label) and
    ``cutoff``, geometry in EPSG:4326. Unless overlapping, a street that is nearer to
    another origin counts as one beyond the cutoff, and a block is filled where one origin
    alone serves the streets around it.

    Raises
    ------
    InputError
        As `area` raises it.
    """
    _refuse(width, fill)
    network, wet = reach.network, _flat(water, reach.network)
    shapes: dict[int, Any] = {}
    if overlapping:
        for row in np.flatnonzero(reach.origins.edge >= 0):
            alone = network.reach(
                reach.origins.take(np.array([row])),
                towards=reach.towards,
                **{"cutoff" if reach.unit == "m" else "cutoff_min": cutoff},
            )
            cut = stretches(alone, cutoff)
            lines = np.asarray(cut.geometry.to_crs(network.crs).array)
            owner = np.where(cut["served"], row, -1)
            for own, shape in _draw(lines, owner, width).items():
                shapes[own] = _finish(shape, lines, owner - row, width, fill, wet)
    else:
        lines, owner = _owned(reach, cutoff)
        drawn = _draw(lines, owner, width)
        names, taken = list(drawn), shapely.STRtree(list(drawn.values()))
        for own, shape in drawn.items():
            mine = np.where(owner == own, 0, -1)
            whole = _finish(shape, lines, mine, width, fill, wet)
            # The strips of two origins' streets cross where the streets do.
            before = [names[row] for row in taken.query(whole) if names[row] < own]
            shapes[own] = _less(whole, shapely.union_all([shapes[other] for other in before]))
    rows = np.array(sorted(shapes), dtype=np.int64)
    made = gpd.GeoDataFrame(
        {
            "origin": labels_at(reach.origins.index, rows, pd.RangeIndex(len(rows))),
            "cutoff": np.full(len(rows), float(cutoff)),
        },
        geometry=[_polygons(shapes[one]) for one in rows],
        crs=network.crs,
    )
    return _in_degrees(made)


def _refuse(width: float, fill: float) -> None:
    if not (EDGE_M < width < np.inf and fill >= 0):
        raise InputError(text("error.area_width", least=EDGE_M, width=width, fill=fill))


def _draw(lines: Any, owner: Ints, width: float) -> dict[int, Any]:
    """Draw the area of each owner of lines; -1 owns none.

    Some lines are drawn at a time, against all of other owners that come near them; what
    has been drawn is then joined.
    """
    own = np.flatnonzero(owner >= 0)
    if not len(own):
        return {}
    middle = shapely.bounds(lines[own]).reshape(-1, 2, 2).mean(axis=1) // _TILE_M
    _, group = np.unique(np.column_stack([owner[own], middle]), axis=0, return_inverse=True)
    order = np.argsort(group, kind="stable")
    parts = np.split(own[order], np.flatnonzero(np.diff(group[order])) + 1)
    tree = shapely.STRtree(lines)
    steps = int(np.ceil(np.log(width / EDGE_M) / np.log(_GROWTH)))
    radii = np.geomspace(EDGE_M, width, steps + 1)
    made = np.empty(len(parts), dtype=object)

    def draw(some: slice) -> None:
        for number in range(some.start, some.stop):
            made[number] = _around(lines, owner, parts[number], tree, radii)

    in_threads(draw, len(parts), 4)
    of = owner[[part[0] for part in parts]]
    return {
        int(one): shapely.union_all(made[of == one], grid_size=_GRID_M) for one in np.unique(of)
    }


def _around(lines: Any, owner: Ints, part: Ints, tree: shapely.STRtree, radii: Floats) -> Any:
    """Draw the area around some lines of one owner.

    What lies within a radius of its lines and not within it of others is nearer to its own;
    all radii together make the area, but for a hair along the border.
    """
    width = radii[-1]
    found = tree.query(lines[part], predicate="dwithin", distance=2 * width)
    found = found[:, owner[found[1]] != owner[part[0]]]
    mine = shapely.line_merge(shapely.multilinestrings(lines[part]))
    if not found.size:
        return shapely.buffer(mine, width, quad_segs=_ARC)
    near = shapely.multilinestrings(lines[part[np.unique(found[0])]])
    others = shapely.multilinestrings(lines[np.unique(found[1])])
    # Farther apart they cannot contend for a place.
    reach = 2 * width + 1.0
    others = shapely.intersection(others, shapely.buffer(near, reach, quad_segs=_ROUND))
    near = shapely.intersection(near, shapely.buffer(others, reach, quad_segs=_ROUND))
    near, others = shapely.line_merge(near), shapely.line_merge(others)
    own = np.append(np.full(len(radii) - 1, near, dtype=object), mine)
    pieces = shapely.difference(
        shapely.buffer(own, radii, quad_segs=_ARC), shapely.buffer(others, radii, quad_segs=_ARC)
    )
    strip = shapely.buffer(mine, radii[0], quad_segs=_ARC)
    return shapely.union_all([strip, *pieces])


def _finish(shape: Any, lines: Any, owner: Ints, width: float, fill: float, water: Any) -> Any:
    """Fill blocks and leave water out; lines of owner 0 are served, all others are not."""
    if shape.is_empty:
        return shape
    if fill > width:
        rings = shapely.get_rings(shapely.get_parts(shape))
        inner = shapely.polygons(rings[_is_hole(shape, len(rings))])
        inner = inner[shapely.is_empty(shapely.buffer(inner, width - fill))]
        crossed = shapely.STRtree(lines[owner != 0]).query(inner, predicate="intersects")[0]
        free = np.setdiff1d(np.arange(len(inner)), crossed)
        shape = shapely.union_all([shape, *inner[free]], grid_size=_GRID_M)
    if water is not None:
        # What is far from the shape costs time and changes nothing.
        wet = water[shapely.STRtree(water).query(shape, predicate="intersects")]
        if len(wet):
            strips = shapely.buffer(lines[owner == 0], EDGE_M, quad_segs=_ARC)
            crossing = strips[np.unique(shapely.STRtree(strips).query(wet, "intersects")[1])]
            shape = _less(shape, shapely.union_all(wet, grid_size=_GRID_M))
            shape = shapely.union_all([shape, *crossing], grid_size=_GRID_M)
    return shape


def _is_hole(shape: Any, count: int) -> Any:
    """Which of the rings of a shape's polygons, in their order, are holes."""
    flags = np.ones(count, dtype=bool)
    each = shapely.get_num_interior_rings(shapely.get_parts(shape)) + 1
    flags[np.append(0, np.cumsum(each)[:-1])] = False
    return flags


def _less(shape: Any, other: Any) -> Any:
    return _polygons(shapely.difference(shape, other, grid_size=_GRID_M))


def _flat(water: gpd.GeoDataFrame | None, network: Network) -> Any:
    """Polygons of the water in the network's reference system."""
    if water is None:
        return None
    whole = shapely.make_valid(np.asarray(water.geometry.to_crs(network.crs).array))
    return shapely.get_parts(whole)


def _polygons(shape: Any) -> Any:
    """Polygons of a shape, without the lines and points that a difference may leave."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.multipolygons(parts[shapely.get_type_id(parts) == 3])  # noqa: PLR2004 - polygons


def _in_degrees(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows that are not empty, in EPSG:4326 and valid there as well."""
    table = table[~table.geometry.is_empty].reset_index(drop=True).to_crs(GEOGRAPHIC)
    broken = ~table.geometry.is_valid
    if broken.any():
        mended = [_polygons(shape) for shape in shapely.make_valid(table.geometry[broken].array)]
        table.loc[broken, "geometry"] = gpd.GeoSeries(
            mended, index=table.index[broken], crs=table.crs
        )
    return table


def _owned(reach: Reach, cutoff: float) -> tuple[Any, Ints]:
    """Stretches cut where the nearest origin changes, and the row of that origin or -1."""
    network = reach.network
    cut = stretches(reach, cutoff)
    lines = np.asarray(cut.geometry.to_crs(network.crs).array)
    rank = pd.Index(network.labels).get_indexer(cut["street"]).astype(np.int64)
    street, at = _turns(reach)
    table = pd.DataFrame({"street": rank, "row": np.arange(len(cut)), "begin": cut["start"]})
    table["end"] = cut["stop"]
    turns = table[cut["served"].to_numpy()].merge(
        pd.DataFrame({"street": street, "at": at}), on="street"
    )
    inside = (turns["at"] > turns["begin"] + _CRUMB_M) & (turns["at"] < turns["end"] - _CRUMB_M)
    marks = pd.concat(
        [
            table[["row", "begin"]].set_axis(["row", "at"], axis=1),
            turns.loc[inside, ["row", "at"]],
        ]
    ).sort_values(["row", "at"], ignore_index=True)
    row, start = marks["row"].to_numpy(), marks["at"].to_numpy()
    stop = np.append(start[1:], 0.0)
    last = np.append(row[1:] != row[:-1], True)
    stop[last] = table["end"].to_numpy()[row[last]]
    seen = stop - start > _CRUMB_M
    row, start, stop = row[seen], start[seen], stop[seen]
    nobody = np.zeros(len(row))
    middle = Positions(
        network,
        pd.RangeIndex(len(row)),
        rank[row],
        (start + stop) / 2,
        nobody,
        np.full(len(row), -1),
    )
    owner = np.where(cut["served"].to_numpy()[row], measure(reach, middle)[1], -1)
    pieces = lines[row]
    begin, end = table["begin"].to_numpy()[row], table["end"].to_numpy()[row]
    for number in np.flatnonzero((start > begin) | (stop < end)):
        share = (np.array([start[number], stop[number]]) - begin[number]) / (
            end[number] - begin[number]
        )
        pieces[number] = substring(lines[row[number]], *share, normalized=True)
    return pieces, owner.astype(np.int64)


def _turns(reach: Reach) -> tuple[Ints, Floats]:
    """Places on streets where the nearest origin may change: rows of streets, metres along.

    Going up a street the distance rises from node u and from each origin on the street,
    going down it from node v and from each of them: the nearest changes only where a rising
    distance crosses a falling one, and at the origins themselves.
    """
    network, origins = reach.network, reach.origins
    every = np.arange(len(network.length))
    there, back = network.paces(reach.unit, every)
    up, down = (there, back) if reach.towards == "from" else (back, there)
    distance, delay = reach.node_distance, network.delays(reach.unit)
    if delay is not None:
        distance = distance + delay
    on = np.flatnonzero(origins.edge >= 0)
    edge, at = origins.edge[on], origins.offset[on]
    leg = origins.access[on] * network.access_pace(reach.unit)
    rising = pd.DataFrame(
        {
            "street": np.concatenate([every, edge]),
            "up": np.concatenate([distance[network.u], leg - at * up[edge]]),
        }
    )
    falling = pd.DataFrame(
        {
            "street": np.concatenate([every, edge]),
            "down": np.concatenate(
                [distance[network.v] + network.length * down, leg + at * down[edge]]
            ),
        }
    )
    pairs = rising.merge(falling, on="street")
    pairs = pairs[np.isfinite(pairs["up"]) & np.isfinite(pairs["down"])]
    street = pairs["street"].to_numpy()
    crossing = (pairs["down"] - pairs["up"]).to_numpy() / (up + down)[street]
    return np.concatenate([street, edge]), np.concatenate([crossing, at])
