"""The streets on the ground: blocks bent into place, thinned, and the main roads doubled."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from layers.sources.modelled import banks, lattice
from layers.sources.modelled.ground import Ground
from layers.sources.modelled.net import BACKWARD, BOTH, CLASS, FORWARD, Edges, Net, grouped_lines
from layers.sources.modelled.net import straight
from layers.sources.modelled.noise import Warp
from layers.sources.modelled.settings import Setting

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NAMED: Final = 1000
"""Roads of the lattice are numbered from here."""

_BLOCK: Final = 200.0
"""Width of the smallest block of the real city, in metres."""

_WAVES: Final = ((30_000.0, 2400.0), (9000.0, 650.0), (2500.0, 130.0), (420.0, 12.0))


@dataclass(frozen=True)
class Style:
    """Figures that give the streets their statistics; chosen to meet those of real streets.

    Attributes
    ----------
    block, at_people, power
        Width of blocks in metres where so many people live on a km², and how fast blocks
        widen where fewer do.
    one, two, four
        Shares of blocks with one, two or four streets reaching in.
    thin_residential, thin_tertiary, thin_secondary, thin_country
        Shares of streets that are missing, by class in town, and in the country.
    dual_primary, dual_secondary
        People on a km² from which such roads have two carriageways.
    carriageways
        Metres between them.
    stagger
        Share of crossings of minor streets whose arms do not quite meet.
    dead_end
        Least and greatest share of their way to the middle of a block that dead ends go.
    uneven
        How far a line of streets may lie from the middle between its neighbours.
    """

    block: float = 378.2
    at_people: float = 1.2e04
    power: float = 0.4124
    one: float = 0.3605
    two: float = 0.3509
    four: float = 0.02155
    thin_residential: float = 0.2485
    thin_tertiary: float = 0.2407
    thin_secondary: float = 0.02944
    thin_country: float = 0.35
    dual_primary: float = 988.2
    dual_secondary: float = 1.263e04
    carriageways: float = 27.92
    stagger: float = 1
    dead_end: tuple[float, float] = (0.12, 0.5)
    uneven: float = 0.16


_STAGGER: Final = (7.0, 24.0)
_TOWN: Final = 1200.0
_MOUNTAIN: Final = 0.45
_SPAN: Final = 330.0
_LONGEST_LINK: Final = 4000.0
_MID_EVERY: Final = 110.0
_MOST_MIDS: Final = 14


def lay(
    ground: Ground, water: Any, setting: Setting, style: Style, rng: np.random.Generator
) -> Net:
    """Lay the streets on the ground.

    Parameters
    ----------
    ground
        Districts, relief and people.
    water
        All water as one area.
    setting
        The model's size.
    style
        What the streets are like.
    rng
        Where the random numbers come from.

    Returns
    -------
    Net
        The streets without the crossings of the main river; it may be in pieces.
    """
    plan = _Plan.of(ground, setting, style, rng)
    grid = plan.grow(rng)
    xy = plan.place(grid.nodes.astype(np.float64))
    inside = ground.district.ravel()[ground.cell(xy)] > 0
    keep = inside[grid.ends].all(axis=0)
    ends, kind, upright = grid.ends[:, keep], grid.kind[keep], grid.upright[keep]
    cut = banks.cut(xy, ends, water, longest_link=_LONGEST_LINK * setting.coarse**0.5)
    ends, kind, upright = cut.ends, kind[cut.edge], upright[cut.edge]
    # A cut edge may have lost the end that tells its line, so look it up on the old one.
    source = grid.ends[0, keep][cut.edge]
    line = np.where(upright, grid.nodes[source, 0], grid.nodes[source, 1])
    people = ground.people.ravel()[ground.cell(cut.xy)]
    relief = ground.relief.ravel()[ground.cell(cut.xy)]
    classes = _classes(line, kind, people[ends].mean(axis=0), rng)
    metres = np.hypot(*(cut.xy[ends[0]] - cut.xy[ends[1]]).T)

    spans, span_class = _spans(cut, classes, rng)
    every = np.concatenate([ends, cut.links, spans], axis=1)
    may_go = np.zeros(every.shape[1], dtype=bool)
    may_go[: len(kind)] = kind == lattice.SIDE
    thin = np.zeros(every.shape[1])
    thin[: len(kind)] = _thinning(classes, people[ends], relief[ends], style)
    long_way = np.concatenate(
        [metres, shapely.length(cut.link_lines), np.full(spans.shape[1], 9.0)]
    )
    kept = _keep(every, may_go, thin, long_way * (1.0 + 2.0 * relief[every].max(axis=0)), rng)
    on_grid, on_link, on_span = np.split(kept, [len(kind), len(kind) + cut.links.shape[1]])

    net = plan.build(
        grid.nodes,
        cut,
        ends[:, on_grid],
        classes[on_grid],
        upright[on_grid],
        cut.beside[on_grid],
        people,
        line[on_grid],
        rng,
    )
    links = Edges.of(
        *cut.links[:, on_link],
        cut.link_lines[on_link],
        np.where(
            people[cut.links[:, on_link]].max(axis=0) > _TOWN,
            CLASS["tertiary"],
            CLASS["unclassified"],
        ),
    )
    over = spans[:, on_span]
    bridges = Edges.of(
        *over,
        straight(cut.xy, *over),
        span_class[on_span],
        layer=1,
    )
    # Bank nodes keep their numbers behind the copies of the lattice's nodes.
    return net.joined_at_banks(links, bridges)


def _classes(line: Ints, kind: Any, people: Floats, rng: np.random.Generator) -> Ints:
    """Say what class each street is: the coarser its line, the greater."""
    rank = np.select(
        [line % (width * lattice.FINE) == 0 for width in (8, 4, 2)],
        [CLASS["primary"], CLASS["secondary"], CLASS["tertiary"]],
        CLASS["residential"],
    )
    country = people < _TOWN
    rank = np.where(country & (rank == CLASS["tertiary"]), CLASS["unclassified"], rank)
    rank = np.where(country & (rank == CLASS["secondary"]), CLASS["tertiary"], rank)
    rank = np.where(country & (rank == CLASS["primary"]), CLASS["secondary"], rank)
    chance = rng.random(len(line))
    arm = np.where(chance < 0.35, CLASS["service"], CLASS["residential"])  # noqa: PLR2004
    foot = np.where(country, CLASS["path"], CLASS["footway"])
    return np.select([kind == lattice.ARM, kind == lattice.FOOTWAY], [arm, foot], rank)


def _spans(cut: banks.Banked, classes: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Choose the streets that go on over narrow water."""
    metres = np.hypot(*(cut.xy[cut.spans[0]] - cut.xy[cut.spans[1]]).T)
    by_edge = np.full(int(cut.edge.max(initial=0)) + 1, CLASS["path"])
    by_edge[cut.edge] = classes
    of_span = by_edge[cut.span_edge]
    chance = np.where(of_span <= CLASS["tertiary"], 1.0, 0.25)
    good = (metres < _SPAN) & (metres > 1.0) & (rng.random(len(metres)) < chance)
    return cut.spans[:, good], of_span[good]


def _thinning(classes: Ints, people: Floats, relief: Floats, style: Style) -> Floats:
    town = people.mean(axis=0) >= _TOWN
    share = np.select(
        [classes <= CLASS["primary"], classes == CLASS["secondary"], classes == CLASS["tertiary"]],
        [0.0, style.thin_secondary, style.thin_tertiary],
        style.thin_residential,
    )
    share = np.where(town, share, np.maximum(share, style.thin_country))
    wild = relief.mean(axis=0) > _MOUNTAIN
    return np.asarray(np.where(wild & ~town, 0.78, share))


def _keep(
    ends: Ints, may_go: Bools, share: Floats, cost: Floats, rng: np.random.Generator
) -> Bools:
    """Thin the streets out, but never so that a piece of the network falls off."""
    gone = may_go & (rng.random(len(may_go)) < share)
    count = int(ends.max()) + 1
    # Staying edges are all but free, so that the tree calls back as few as it can.
    weight = np.where(gone, cost * rng.uniform(0.6, 1.4, len(cost)) + 1.0, 1e-3 + 1e-9 * cost)
    low, high = ends.min(axis=0), ends.max(axis=0)
    order = np.argsort(weight, kind="stable")
    _, first = np.unique(low[order] * np.int64(count) + high[order], return_index=True)
    chosen = order[first]
    graph = coo_array((weight[chosen], (low[chosen], high[chosen])), (count, count)).tocsr()
    tree = minimum_spanning_tree(graph).tocoo()
    needed = np.isin(
        low * np.int64(count) + high,
        np.asarray(tree.row, dtype=np.int64) * count + np.asarray(tree.col, dtype=np.int64),
    )
    return np.asarray(~gone | (needed & may_go))


@dataclass(frozen=True)
class _Plan:
    """How the lattice lies on the ground."""

    ground: Ground
    setting: Setting
    style: Style
    unit: float
    shape: tuple[int, int]
    columns: Floats
    rows: Floats
    warp: Warp

    @classmethod
    def of(
        cls, ground: Ground, setting: Setting, style: Style, rng: np.random.Generator
    ) -> "_Plan":
        unit = _BLOCK * setting.coarse / lattice.FINE
        west, south, east, north = ground.bounds
        shape = (
            int((east - west) / (unit * lattice.ROOT)) + 1,
            int((north - south) / (unit * lattice.ROOT)) + 1,
        )
        lines = [_uneven(count * lattice.ROOT, style.uneven, rng) * unit for count in shape]
        warp = Warp.over(ground.bounds, _WAVES, rng)
        return cls(ground, setting, style, unit, shape, lines[0], lines[1], warp)

    def place(self, spot: Floats, offset: Floats | None = None) -> Floats:
        """Return where lattice units lie, in metres."""
        steps = np.arange(len(self.columns)), np.arange(len(self.rows))
        x = np.interp(spot[:, 0], steps[0], self.columns)
        y = np.interp(spot[:, 1], steps[1], self.rows)
        flat = np.column_stack([x, y]) + np.array(self.ground.origin)
        return self.warp(flat if offset is None else flat + offset)

    def grow(self, rng: np.random.Generator) -> lattice.Lattice:
        """Divide the blocks by how many people live there."""
        style, ground = self.style, self.ground
        people = np.maximum(ground.people, 1.0)
        city = ground.district > 0
        pooled: dict[int, tuple[Floats, Bools]] = {}
        width = lattice.ROOT
        while width >= lattice.FINE:
            cells = max(int(np.ceil(width * self.unit / ground.step)) // 2 * 2 + 1, 1)
            pooled[width] = (
                ndimage.maximum_filter(people, cells, mode="constant").ravel(),
                ndimage.maximum_filter(city, cells + 2, mode="constant").ravel(),
            )
            width //= 2

        def wanted(middle: Floats, width: int) -> Floats:
            cell = ground.cell(self.place(middle))
            densest, there = (surface[cell] for surface in pooled[width])
            metres = style.block * (style.at_people / np.maximum(densest, 1.0)) ** style.power
            metres *= self.setting.coarse / self.unit
            return np.where(there, np.maximum(metres, lattice.FINE * 0.5), 0.0)

        arms = lattice.Arms(
            style.one, style.two, style.four, self.setting.footways, self.setting.finer
        )
        return lattice.grow(self.shape, wanted, arms, rng)

    def build(
        self,
        nodes: Ints,
        cut: banks.Banked,
        ends: Ints,
        classes: Ints,
        upright: Bools,
        beside: Bools,
        people: Floats,
        line: Ints,
        rng: np.random.Generator,
    ) -> "_Banked":
        """Double the main roads' nodes and edges, and draw every street."""
        count = len(nodes)
        dense = people[:count]
        twin = []
        for axis in (0, 1):
            place = nodes[:, axis]
            great = place % (8 * lattice.FINE) == 0
            middle = place % (4 * lattice.FINE) == 0
            twin.append(
                (great & (dense > self.style.dual_primary))
                | (middle & (dense > self.style.dual_secondary))
            )
        # Bank nodes are never doubled.
        both = np.zeros((2, len(cut.xy)), dtype=bool)
        both[0, :count], both[1, :count] = twin
        slant = self._staggered(ends, both, rng)
        half = np.where(
            slant > 0, rng.uniform(*_STAGGER, len(cut.xy)), self.style.carriageways / 2.0
        )
        cross = np.where(upright, 1, 0)
        own = both[1 - cross[None, :].repeat(2, 0), ends]
        own &= (classes <= CLASS["tertiary"])[None, :]
        doubled = own.any(axis=0)
        pieces = []
        for lane in (0, 1):
            rows = np.flatnonzero(doubled | (lane == 0))
            pieces.append(self._lane(lane, rows, ends, classes, upright, doubled, both, slant))
        code = np.concatenate([piece[0] for piece in pieces], axis=1)
        kind = np.concatenate([piece[1] for piece in pieces])
        way = np.concatenate([piece[2] for piece in pieces])
        near = np.concatenate([beside[piece[3]] for piece in pieces])
        number = np.where(classes <= CLASS["secondary"], NAMED + 2 * line + upright, -1)
        road = np.concatenate([number[piece[3]] for piece in pieces])
        extra, extra_kind, extra_way = self._connectors(code, kind, both, slant, rng)
        code = np.concatenate([code, extra], axis=1)
        kind = np.concatenate([kind, extra_kind])
        way = np.concatenate([way, extra_way])
        near = np.concatenate([near, np.ones(extra.shape[1], dtype=bool)])
        road = np.concatenate([road, np.full(extra.shape[1], -1)])
        used, index = np.unique(code, return_inverse=True)
        index = index.reshape(2, -1)
        spot = np.full((len(used), 2), np.nan)
        base, sx, sy = used // 4, used % 2, used // 2 % 2
        on_grid = base < count
        spot[on_grid] = nodes[base[on_grid]]
        spot = self._shortened(spot, index, kind, rng)
        offset = np.column_stack(
            [
                np.where(both[0, base] | (slant[base] > 0), (2 * sx - 1) * half[base], 0.0),
                np.where(both[1, base], (2 * sy - 1) * half[base], 0.0),
            ]
        )
        xy = cut.xy[base].copy()
        xy[on_grid] = self.place(spot[on_grid], offset[on_grid])
        lines = self._draw(xy, spot, offset, index, near)
        edges = Edges.of(index[0], index[1], lines, kind, way=way, road=road)
        bank_code = np.arange(count, len(cut.xy)) * 4
        place = np.searchsorted(used, bank_code)
        place = np.where(
            (place < len(used)) & (used[np.minimum(place, len(used) - 1)] == bank_code), place, -1
        )
        return _Banked(Net(xy, edges), cut.xy, count, place)

    def _lane(
        self,
        lane: int,
        rows: Ints,
        ends: Ints,
        classes: Ints,
        upright: Bools,
        doubled: Bools,
        both: Bools,
        slant: Ints,
    ) -> tuple[Ints, Ints, Ints, Ints]:
        """Return one lane of edges: codes of its ends, class, way, row.

        People drive on the right: the lane north of a road runs west, the one east of it
        runs north.
        """
        a, b = ends[:, rows]
        up, twice = upright[rows], doubled[rows]
        codes = []
        for node, towards in ((a, 1), (b, 0)):
            sx = np.where(up, lane, towards) * both[0, node]
            # Where the arms do not meet, the one from the south lies opposite the one to the north.
            aside = np.where(up, (slant[node] == 1) == (towards == 1), towards)
            sx = np.where(slant[node] > 0, aside, sx)
            sy = np.where(up, towards, lane) * both[1, node]
            codes.append(node * 4 + sx + 2 * sy)
        with_line = np.where(up, lane == 1, lane == 0)
        way = np.where(~twice, BOTH, np.where(with_line, FORWARD, BACKWARD))
        return np.stack(codes), classes[rows], way, rows

    def _shortened(self, spot: Floats, ends: Ints, kind: Ints, rng: np.random.Generator) -> Floats:
        """Draw dead-end streets back from the middle of their blocks."""
        degree = np.bincount(ends.ravel(), minlength=len(spot))
        minor = (kind >= CLASS["residential"]) & ~np.isnan(spot[ends]).any(axis=(0, 2))
        moved = spot.copy()
        for end in (0, 1):
            edge = np.flatnonzero(minor & (degree[ends[end]] == 1) & (degree[ends[1 - end]] > 1))
            tip, root = ends[end, edge], ends[1 - end, edge]
            share = rng.uniform(*self.style.dead_end, len(edge))[:, None]
            moved[tip] = spot[root] + share * (spot[tip] - spot[root])
        return moved

    def _staggered(self, ends: Ints, both: Bools, rng: np.random.Generator) -> Ints:
        """Choose crossings of minor streets whose arms do not meet; 1 and 2 say which way."""
        degree = np.bincount(ends.ravel(), minlength=both.shape[1])
        chosen = (degree == 4) & ~both.any(axis=0)  # noqa: PLR2004 - a crossing
        chosen &= rng.random(len(degree)) < self.style.stagger
        return np.where(chosen, rng.integers(1, 3, len(degree)), 0)

    def _connectors(
        self, code: Ints, kind: Ints, both: Bools, slant: Ints, rng: np.random.Generator
    ) -> tuple[Ints, Ints, Ints]:
        """Join the two carriageways of a road where another crosses it, or where it ends."""
        used = np.unique(code)
        base, side = used // 4, used % 4
        aside = np.flatnonzero(slant)
        wanted = [
            (
                np.stack([aside * 4, aside * 4 + 1]),
                np.zeros(len(aside), dtype=np.int64),
                np.full(len(aside), BOTH),
            )
        ]
        present = np.zeros((len(both[0]), 4), dtype=bool)
        present[base, side] = True
        best = np.full((len(both[0]), 4), CLASS["path"])
        np.minimum.at(best, (code // 4, code % 4), np.stack([kind, kind]))
        wanted[0] = (wanted[0][0], best[aside].min(axis=1), wanted[0][2])
        degree = np.zeros((len(both[0]), 4), dtype=np.int64)
        np.add.at(degree, (code // 4, code % 4), 1)
        for axis in (0, 1):
            step = 1 if axis == 0 else 2
            other = 2 if axis == 0 else 1
            for far in (0, 1):
                low = far * other
                pair = present[:, low] & present[:, low + step] & both[axis]
                crossing = both[1 - axis]
                if far:
                    pair &= crossing
                least = np.minimum(degree[:, low], degree[:, low + step])
                # An ending carriageway must let people turn; a crossing lets them over.
                ending = least == 1
                through = least >= 3  # noqa: PLR2004 - the road itself has two
                lucky = rng.random(len(pair)) < 0.75  # noqa: PLR2004
                join = pair & (
                    crossing | ending | (through & lucky) | (rng.random(len(pair)) < 0.12)
                )  # noqa: PLR2004
                node = np.flatnonzero(join)
                start = node * 4 + low
                rank = np.maximum(
                    np.where(crossing[node], CLASS["secondary"], CLASS["tertiary"]),
                    np.minimum(best[node, low], best[node, low + step]),
                )
                flow = FORWARD if (far == 0) == (axis == 0) else BACKWARD
                way = np.where(crossing[node], flow, BOTH)
                wanted.append((np.stack([start, start + step]), rank, way))
        return (
            np.concatenate([w[0] for w in wanted], axis=1),
            np.concatenate([w[1] for w in wanted]),
            np.concatenate([w[2] for w in wanted]),
        )

    def _draw(self, xy: Floats, spot: Floats, offset: Floats, ends: Ints, near: Bools) -> Any:
        """Draw the streets, long ones bent as the plane is bent."""
        metres = np.hypot(*(xy[ends[0]] - xy[ends[1]]).T)
        mids = np.clip(metres // _MID_EVERY, 0, _MOST_MIDS).astype(np.int64)
        mids[near | np.isnan(spot[ends]).any(axis=(0, 2))] = 0
        count = mids + 2
        row = np.repeat(np.arange(len(count)), count)
        step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        share = (step / (count[row] - 1.0))[:, None]
        points = xy[ends[0]][row] * (step == 0)[:, None] + xy[ends[1]][row] * (step > 0)[:, None]
        inner = (step > 0) & (step < count[row] - 1)
        a, b = ends[0][row[inner]], ends[1][row[inner]]
        t = share[inner]
        points[inner] = self.place(
            spot[a] * (1 - t) + spot[b] * t, offset[a] * (1 - t) + offset[b] * t
        )
        return grouped_lines(points, count)


@dataclass(frozen=True)
class _Banked:
    """A network whose bank nodes still wait for the roads along the water."""

    net: Net
    all_xy: Floats
    count: int
    place: Ints

    def joined_at_banks(self, links: Edges, bridges: Edges) -> Net:
        """Join the roads along the water and the bridges over it."""
        missing = np.flatnonzero(self.place < 0)
        place = self.place.copy()
        place[missing] = len(self.net.xy) + np.arange(len(missing))
        more = Edges.joined([links, bridges])
        moved = Edges.of(
            place[more.u - self.count],
            place[more.v - self.count],
            more.lines,
            more.kind,
            layer=more.layer,
        )
        return self.net.with_edges(moved, self.all_xy[self.count :][missing])


def _uneven(count: int, share: float, rng: np.random.Generator) -> Floats:
    """Return places of lines, each near the middle between those of the coarser net."""
    lines = np.arange(count + 1, dtype=np.float64)
    step = lattice.ROOT // 2
    while step >= 1:
        odd = np.arange(step, count, 2 * step)
        middle = (lines[odd - step] + lines[odd + step]) / 2.0
        width = lines[odd + step] - lines[odd - step]
        lines[odd] = middle + width * rng.uniform(-share, share, len(odd)) * 0.8
        step //= 2
    return lines
