"""The streets on the ground: blocks bent into place, thinned, and the main roads doubled."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage

from layers.sources.modelled import banks, corners, lattice
from layers.sources.modelled.ground import Ground
from layers.sources.modelled.net import (
    BACKWARD,
    BOTH,
    CLASS,
    FORWARD,
    Edges,
    Net,
    grouped_lines,
    straight,
)
from layers.sources.modelled.noise import Smooth, Warp
from layers.sources.modelled.settings import Setting
from layers.sources.modelled.style import Style
from layers.sources.modelled.thinning import TOWN, chances, kept

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NAMED: Final = 1000
"""Roads of the lattice are numbered from here."""

_BLOCK: Final = 100.0
"""Width of the smallest block of the real city, in metres."""

# Every so many units a line of the lattice is a greater road.
_PRIMARY: Final = 16 * lattice.FINE
_SECONDARY: Final = 8 * lattice.FINE
_TERTIARY: Final = 4 * lattice.FINE

_WAVES: Final = ((30_000.0, 2400.0), (9000.0, 650.0), (2500.0, 130.0), (420.0, 12.0))
"""Wavelength and amplitude, in metres, of the bends that all streets share."""

_WINDING: Final = (1500.0, 130.0)
# Shares of side streets that cross both carriageways, and of those that end at the nearer
# one but whose cars may turn into the farther.
_OVER: Final = 0.75
_TURN: Final = 0.2
_PASSING: Final = 2
_QUARTER: Final = 650.0
_STAGGER: Final = (3.5, 12.0)
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
    thin[: len(kind)] = chances(classes, people[ends], relief[ends], style)
    long_way = np.concatenate(
        [metres, shapely.length(cut.link_lines), np.full(spans.shape[1], 9.0)]
    )
    driven = np.ones(every.shape[1], dtype=bool)
    driven[: len(kind)] = kind != lattice.FOOTWAY
    stays = kept(
        every, may_go, driven, thin, long_way * (1.0 + 2.0 * relief[every].max(axis=0)), rng
    )
    on_grid, on_link, on_span = np.split(stays, [len(kind), len(kind) + cut.links.shape[1]])

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
        cut.links[0, on_link],
        cut.links[1, on_link],
        cut.link_lines[on_link],
        np.where(
            people[cut.links[:, on_link]].max(axis=0) > TOWN,
            CLASS["tertiary"],
            CLASS["unclassified"],
        ),
    )
    over = spans[:, on_span]
    bridges = Edges.of(
        over[0],
        over[1],
        straight(cut.xy, over[0], over[1]),
        span_class[on_span],
        layer=1,
    )
    # Bank nodes keep their numbers behind the copies of the lattice's nodes.
    return net.joined_at_banks(links, bridges)


def _classes(line: Ints, kind: Any, people: Floats, rng: np.random.Generator) -> Ints:
    """Say what class each street is: the coarser its line, the greater."""
    rank = np.select(
        [line % width == 0 for width in (_PRIMARY, _SECONDARY, _TERTIARY)],
        [CLASS["primary"], CLASS["secondary"], CLASS["tertiary"]],
        CLASS["residential"],
    )
    country = people < TOWN
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
    quarters: Smooth
    winding: tuple[Smooth, Smooth]

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
        quarters = Smooth.over(ground.bounds, _QUARTER * setting.coarse, rng)
        winding = (
            Smooth.over(ground.bounds, _WINDING[0], rng),
            Smooth.over(ground.bounds, _WINDING[0], rng),
        )
        return cls(ground, setting, style, unit, shape, lines[0], lines[1], warp, quarters, winding)

    def place(self, spot: Floats, offset: Floats | None = None) -> Floats:
        """Return where lattice units lie, in metres."""
        steps = np.arange(len(self.columns)), np.arange(len(self.rows))
        x = np.interp(spot[:, 0], steps[0], self.columns)
        y = np.interp(spot[:, 1], steps[1], self.rows)
        flat = np.column_stack([x, y]) + np.array(self.ground.origin)
        moved = self.warp(flat if offset is None else flat + offset)
        # Mountain roads wind; the relief is read smoothly, or neighbours would be torn apart.
        height = _WINDING[1] * self.ground.height(moved)
        x, y = moved.T
        return moved + np.column_stack([height * wave(x, y) for wave in self.winding])

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

        stretch = self._stretch()

        def wanted(middle: Floats, width: int) -> Floats:
            at = self.place(middle)
            cell = ground.cell(at)
            densest, there = (surface[cell] for surface in pooled[width])
            metres = style.block * (style.at_people / np.maximum(densest, 1.0)) ** style.power
            metres *= self.setting.coarse / self.unit
            metres *= np.exp(style.patchy * self.quarters(*at.T))
            column, row = (middle // _PRIMARY).astype(np.int64).T
            metres /= stretch[row, column]
            return np.where(there, np.maximum(metres, lattice.FINE * 0.5), 0.0)

        arms = lattice.Arms(
            style.one,
            style.two,
            style.four,
            self.setting.footways,
            self.setting.finer,
            self.setting.paths * lattice.FINE,
        )
        return lattice.grow(self.shape, wanted, arms, rng)

    def _stretch(self) -> Floats:
        """Return how much wider than drawn the bent plane makes blocks, place by place."""
        lines = [np.arange(0, count * lattice.ROOT + 1, _PRIMARY) for count in self.shape]
        column, row = np.meshgrid(*lines)
        spot = np.column_stack([column.ravel(), row.ravel()]).astype(np.float64)
        x, y = self.place(spot).T.reshape(2, *column.shape)
        across, along = np.gradient(np.stack([x, y]), axis=(2, 1))
        area = np.abs(across[0] * along[1] - across[1] * along[0])
        return np.asarray(np.sqrt(np.maximum(area, 1.0)) / (_PRIMARY * self.unit))

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
        both = self._twins(nodes, people[:count], len(cut.xy))
        slant = self._staggered(ends[:, classes < CLASS["footway"]], both, rng)
        half = np.where(
            slant > 0, rng.uniform(*_STAGGER, len(cut.xy)), self.style.carriageways / 2.0
        )
        own = both[1 - upright.astype(np.int64)[None, :].repeat(2, 0), ends]
        doubled = own.any(axis=0) & (classes <= CLASS["tertiary"])
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
        passed = np.zeros((2, 2, len(cut.xy)), dtype=bool)
        for end in (0, 1):
            passed[1 - upright.astype(np.int64), end, ends[end]] = True
        through = passed[:, 0] & passed[:, 1]
        extra, extra_kind, extra_way = self._connectors(code, kind, both, slant, through, rng)
        code = np.concatenate([code, extra], axis=1)
        kind = np.concatenate([kind, extra_kind])
        way = np.concatenate([way, extra_way])
        near = np.concatenate([near, np.ones(extra.shape[1], dtype=bool)])
        road = np.concatenate([road, np.full(extra.shape[1], -1)])
        turned = np.concatenate([upright[piece[3]] for piece in pieces])
        start, end = cut.xy[code[:, : len(turned)] // 4]
        slips = corners.cut(
            code,
            turned,
            np.hypot(*(start - end).T),
            both,
            first=4 * len(cut.xy),
            share=self.style.slips,
            rng=rng,
        )
        code = slips.code
        kind = np.where(slips.slip, corners.SLIP_CLASS, kind[slips.source])
        way = way[slips.source]
        way[slips.slip] = slips.way
        near, road = near[slips.source] | slips.slip, np.where(slips.slip, -1, road[slips.source])
        used, index = np.unique(code, return_inverse=True)
        index = index.reshape(2, -1)
        spot = np.full((len(used), 2), np.nan)
        beyond = used >= 4 * len(cut.xy)
        origin = used.copy()
        origin[beyond] = slips.corner[used[beyond] - 4 * len(cut.xy)]
        base, sx, sy = origin // 4, origin % 2, origin // 2 % 2
        on_grid = base < count
        spot[on_grid] = nodes[base[on_grid]]
        spot = self._shortened(spot, index, kind, rng)
        offset = np.column_stack(
            [
                np.where(both[0, base] | (slant[base] > 0), (2 * sx - 1) * half[base], 0.0),
                np.where(both[1, base], (2 * sy - 1) * half[base], 0.0),
            ]
        )
        offset[beyond] += slips.shift[used[beyond] - 4 * len(cut.xy)]
        xy = cut.xy[base].copy()
        xy[on_grid] = self.place(spot[on_grid], offset[on_grid])
        lines = self._draw(xy, spot, offset, index, near)
        edges = Edges.of(index[0], index[1], lines, kind, way=way, road=road)
        return _Banked.of(Net(xy, edges), used, cut.xy, count)

    def _twins(self, nodes: Ints, people: Floats, total: int) -> Bools:
        """Say which nodes lie on doubled roads that run north, and that run east."""
        both = np.zeros((2, total), dtype=bool)
        for axis in (0, 1):
            line = nodes[:, axis]
            great = (line % _PRIMARY == 0) & (people > self.style.dual_primary)
            middle = (line % _SECONDARY == 0) & (people > self.style.dual_secondary)
            # Bank nodes, which come after those of the lattice, are never doubled.
            both[axis, : len(nodes)] = great | middle
        return both

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
        driven = kind < CLASS["footway"]
        degree = np.bincount(ends[:, driven].ravel(), minlength=len(spot))
        minor = driven & (kind >= CLASS["residential"]) & ~np.isnan(spot[ends]).any(axis=(0, 2))
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
        self,
        code: Ints,
        kind: Ints,
        both: Bools,
        slant: Ints,
        through: Bools,
        rng: np.random.Generator,
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
        # A crossing of two doubled roads is a ring: one could not get round it with a gap.
        present[both.all(axis=0) & present.any(axis=1)] = True
        best = np.full((len(both[0]), 4), CLASS["path"])
        np.minimum.at(best, (code // 4, code % 4), np.stack([kind, kind]))
        wanted[0] = (wanted[0][0], best[aside].min(axis=1), wanted[0][2])
        degree = np.zeros((len(both[0]), 4), dtype=np.int64)
        driven = kind < CLASS["footway"]
        np.add.at(degree, (code[:, driven] // 4, code[:, driven] % 4), 1)
        walked = np.zeros_like(degree)
        np.add.at(walked, (code // 4, code % 4), 1)
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
                on_foot = np.minimum(walked[:, low], walked[:, low + step]) > least
                # An ending carriageway must let people turn; a crossing lets them over.
                most = np.maximum(degree[:, low], degree[:, low + step])
                chance = np.select([least > _PASSING, most > _PASSING], [_OVER, _TURN], 0.0)
                driven_over = (
                    crossing | (least <= 1) | ~through[axis] | (rng.random(len(pair)) < chance)
                )
                node = np.flatnonzero(pair & (driven_over | on_foot))
                start = node * 4 + low
                rank = np.maximum(
                    np.where(crossing[node], CLASS["secondary"], CLASS["tertiary"]),
                    np.minimum(best[node, low], best[node, low + step]),
                )
                rank = np.where(driven_over[node], rank, CLASS["footway"])
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
        mids = np.clip(metres // (_MID_EVERY * self.setting.coarse**0.5), 0, _MOST_MIDS).astype(
            np.int64
        )
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

    @classmethod
    def of(cls, net: Net, used: Ints, all_xy: Floats, count: int) -> "_Banked":
        """Find the bank nodes among the codes that the network uses."""
        code = np.arange(count, len(all_xy)) * 4
        place = np.minimum(np.searchsorted(used, code), len(used) - 1)
        return cls(net, all_xy, count, np.where(used[place] == code, place, -1))

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
