"""Polygons of service areas, drawn from the stretches of street within reach.

A place belongs to the area where a served stretch lies within `width` metres and no other
stretch of street lies nearer. Beside a street that is not served the border so runs between
the two: no nearer to the served one than a quarter of the gap. The whole of every served
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

from layers.crs import GEOGRAPHIC
from layers.errors import InputError
from layers.messages import text
from planner._threads import in_threads
from planner.areas import Parts, cut
from planner.positions import Positions, labels_at
from planner.reach import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner._search import Floats, Ints
    from planner.network import Network
    from planner.reach import Reach

EDGE_M = 0.5
"""How near to a served street one beyond the cutoff may lie inside an area."""

_GROWTH = 3.0
_TILE_M = 300.0
_GRID_M = 0.001
"""Vertices lie on a grid of millimetres, which keeps every union and difference valid."""
_ARC = 4
"""Segments of a quarter of a circle."""
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
        part = cut(reach, cutoff)
        lines, owner = part.lines(reach.network), np.where(part.served, 0, -1)
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
    alone serves the streets around it. Where two areas meet, they may overlap by two
    millimetres, for corners lie on a grid of one.

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
            part = cut(alone, cutoff)
            lines, owner = part.lines(network), np.where(part.served, row, -1)
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

    in_threads(draw, len(parts), 16)
    of = owner[[part[0] for part in parts]]
    # Most parts touch no other: they are put together without looking at each other.
    return {int(one): shapely.disjoint_subset_union_all(made[of == one]) for one in np.unique(of)}


def _around(lines: Any, owner: Ints, part: Ints, tree: shapely.STRtree, radii: Floats) -> Any:
    """Draw the area around some lines of one owner.

    What lies within a radius of its lines and not within it of others is nearer to its own;
    all radii together make the area, but for a hair along the border.
    """
    width = radii[-1]
    mine = lines[part]
    found = tree.query(mine, predicate="dwithin", distance=2 * width)
    found = found[:, owner[found[1]] != owner[part[0]]]
    widest = _strip(mine, width)
    if not found.size:
        return widest
    # Farther apart they cannot contend for a place.
    beside = mine[np.unique(found[0])]
    more = np.array([-2.0, -2.0, 2.0, 2.0]) * width
    others = shapely.clip_by_rect(
        lines[np.unique(found[1])], *(shapely.total_bounds(beside) + more)
    )
    own = [*(_strip(beside, radius) for radius in radii[:-1]), widest]
    pieces = shapely.difference(own, [_strip(others, radius) for radius in radii])
    # Lines that no other comes near lie within the widest piece as they are.
    return shapely.union_all([own[0], *pieces])


def _strip(lines: Any, radius: float) -> Any:
    """All within a radius of some lines; one after the other is quicker than all at once."""
    return shapely.union_all(shapely.buffer(lines, radius, quad_segs=_ARC))


def _finish(shape: Any, lines: Any, owner: Ints, width: float, fill: float, water: Any) -> Any:
    """Fill blocks and leave water out; lines of owner 0 are served, all others are not."""
    if shape.is_empty:
        return shape
    if fill > width:
        shape = _filled(shape, lines[owner != 0], width, fill)
    if water is not None:
        own = lines[owner == 0]
        crossing = own[np.unique(shapely.STRtree(own).query(water, predicate="intersects")[1])]
        shape = _less(shape, shapely.multipolygons(water))
        shape = _more(shape, shapely.buffer(crossing, EDGE_M, quad_segs=_ARC))
    return shape


def _filled(shape: Any, others: Any, width: float, fill: float) -> Any:
    """Fill the holes of a shape that no other street enters and that are not too wide."""
    parts = shapely.get_parts(shape)
    rings, of = shapely.get_rings(parts, return_index=True)
    hole = of == np.append(-1, of[:-1])
    inner = np.flatnonzero(hole)
    blocks = shapely.polygons(rings[inner])
    narrow = shapely.is_empty(shapely.buffer(blocks, width - fill))
    inner, blocks = inner[narrow], blocks[narrow]
    crossed = shapely.STRtree(others).query(blocks, predicate="intersects")[0]
    free = np.setdiff1d(np.arange(len(inner)), crossed)
    if not len(free):
        return shape
    kept = hole.copy()
    kept[inner[free]] = False
    whole = shapely.polygons(rings[~hole])
    for one in np.unique(of[kept]):
        whole[one] = shapely.polygons(rings[~hole][one], rings[kept & (of == one)])
    # What lies in a filled block is part of it now.
    spots = shapely.point_on_surface(parts)
    taken = shapely.STRtree(blocks[free]).query(spots, predicate="within")[0]
    return shapely.multipolygons(np.delete(whole, taken))


def _flat(water: gpd.GeoDataFrame | None, network: Network) -> Any:
    """Polygons of the water in the network's reference system."""
    if water is None:
        return None
    whole = shapely.make_valid(np.asarray(water.geometry.to_crs(network.crs).array))
    return shapely.get_parts(whole)


def _less(shape: Any, other: Any) -> Any:
    """Take one shape from another, looking at those of its parts alone that it meets."""
    parts, others = shapely.get_parts(shape), shapely.get_parts(other)
    met, by = shapely.STRtree(others).query(parts, predicate="intersects")
    own, first = np.unique(met, return_index=True)
    if not len(own):
        return _polygons(shape)
    boxes = shapely.bounds(parts[own]) + np.array([-1.0, -1.0, 1.0, 1.0])
    near = np.empty(len(own), dtype=object)
    left = np.empty(len(own), dtype=object)
    groups = np.split(by, first[1:])

    def take(some: slice) -> None:
        for row in range(some.start, some.stop):
            # What is far from the part costs time and changes nothing. Clipping by a
            # rectangle would be quicker, but gives broken rings or none at all.
            beside = shapely.intersection(others[groups[row]], shapely.box(*boxes[row]))
            near[row] = shapely.union_all(beside, grid_size=_GRID_M)
        left[some] = shapely.difference(parts[own[some]], near[some], grid_size=_GRID_M)

    in_threads(take, len(own), 1 + len(own) // 8)
    return _together([*np.delete(parts, own), *left])


def _more(shape: Any, added: Any) -> Any:
    """Join shapes to another, looking at those of its parts alone that they meet."""
    if not len(added):
        return shape
    parts = shapely.get_parts(shape)
    met = np.unique(shapely.STRtree(added).query(parts, predicate="intersects")[0])
    joined = shapely.union_all([*parts[met], *added], grid_size=_GRID_M)
    return _together([*np.delete(parts, met), joined])


def _together(shapes: list[Any]) -> Any:
    """Make one shape of some that do not overlap, but for a hair along their borders."""
    made = _polygons(shapely.geometrycollections(shapes))
    if not made.is_valid:
        made = _polygons(shapely.union_all(shapely.get_parts(made), grid_size=_GRID_M))
    return made


def _polygons(shape: Any) -> Any:
    """Polygons of a shape, without the lines and points that a difference may leave."""
    parts = shapely.get_parts(shapely.get_parts(shapely.get_parts(shape)))
    return shapely.multipolygons(parts[shapely.get_type_id(parts) == 3])  # noqa: PLR2004 - polygons


def _in_degrees(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows that are not empty, in EPSG:4326 and valid there as well."""
    table = table[~table.geometry.is_empty].reset_index(drop=True).to_crs(GEOGRAPHIC)
    shapes = np.asarray(table.geometry.array).copy()
    for row in np.flatnonzero(~shapely.is_valid(shapes)):
        parts = shapely.get_parts(shapes[row])
        # Rounding crosses borders that run side by side; few parts have such.
        broken = ~shapely.is_valid(parts)
        parts[broken] = shapely.make_valid(parts[broken])
        mended = _polygons(shapely.geometrycollections(parts))
        shapes[row] = mended if mended.is_valid else _polygons(shapely.make_valid(mended))
    return table.set_geometry(gpd.GeoSeries(shapes, index=table.index, crs=table.crs))


def _owned(reach: Reach, cutoff: float) -> tuple[Any, Ints]:
    """Stretches cut where the nearest origin changes, and the row of that origin or -1."""
    part = cut(reach, cutoff)
    street, at = _turns(reach)
    table = pd.DataFrame(
        {
            "street": part.street,
            "row": np.arange(len(part.street)),
            "begin": part.start,
            "end": part.stop,
        }
    )
    turns = table[part.served].merge(pd.DataFrame({"street": street, "at": at}), on="street")
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
    stop[last] = part.stop[row[last]]
    seen = stop - start > _CRUMB_M
    row, start, stop = row[seen], start[seen], stop[seen]
    pieces = Parts(part.street[row], start, stop, part.served[row])
    middle = Positions(
        reach.network,
        pd.RangeIndex(len(row)),
        pieces.street,
        (start + stop) / 2,
        np.zeros(len(row)),
        np.full(len(row), -1),
    )
    owner = np.where(pieces.served, measure(reach, middle)[1], -1)
    return pieces.lines(reach.network), owner.astype(np.int64)


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
