"""Parts: what becomes of streets that are cut, and the layer put together of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.ops import substring

from layers.crs import GEOGRAPHIC
from layers.streets import MODES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layers.findings import Finding
    from layers.streets import Mode
    from planner._search import Ints

CRUMB_M = 1e-3
"""Places on a street nearer to each other, or to its end, are one."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Barred:
    """Streets after barriers.

    Attributes
    ----------
    streets
        Street layer. A street keeps its row for the modes that pass unhindered; for the
        others the parts that remain are rows of their own at the end, with new labels.
        Where a street is cut each side has a node of its own, a dead end.
    whole
        Label of the street that each part of one is from, by the part's own label.
    delays
        What passing a delaying point takes: ``node`` (id), ``mode``, ``seconds``.
    cuts, removed_m
        Places at which streets were cut for some mode, and metres that were taken away.
    findings
        Barriers that met no street.
    """

    streets: gpd.GeoDataFrame
    whole: pd.Series[Any]
    delays: pd.DataFrame
    cuts: int
    removed_m: float
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "cuts": self.cuts,
            "removed_m": self.removed_m,
            "delays": int(self.delays["node"].nunique()),
        }

    def __repr__(self) -> str:
        return (
            f"<Barred: {len(self.streets):,} streets, {self.cuts:,} cuts, "
            f"{self.removed_m:,.0f} m removed, {self.delays['node'].nunique():,} delays>"
        )


@dataclass(frozen=True)
class _Ledger:
    """What has been decided of streets so far."""

    shut: dict[Mode, np.ndarray]
    origin: list[int] = field(default_factory=list)
    part: list[tuple[int, int, float, float]] = field(default_factory=list)
    shared: list[tuple[Mode, ...]] = field(default_factory=list)
    delays: dict[tuple[int, int, Mode], float] = field(default_factory=dict)


def rebuilt(
    streets: gpd.GeoDataFrame,
    lines: Any,
    marks: pd.DataFrame,
    modes: tuple[Mode, ...],
    crs: Any,
    findings: tuple[Finding, ...],
) -> Barred:
    """Put streets together again, a row for each part and the modes that share it.

    Parameters
    ----------
    streets
        Street layer.
    lines
        Its geometry in `crs`.
    marks
        What befalls which street: ``row`` (the barrier), ``street`` (its row), ``start``
        and ``stop`` (m along it; the same for a cut), ``seconds`` (of a delay, else NaN)
        and a flag a mode.
    modes
        The modes that matter.
    crs
        Projected reference system.
    findings
        Handed on.
    """
    length = streets["length"].to_numpy(dtype=np.float64)
    ends = streets[["u", "v"]].to_numpy()
    may = {
        mode: streets[[f"{mode}_forward", f"{mode}_backward"]].to_numpy(dtype=bool).any(axis=1)
        for mode in modes
    }
    ledger = _Ledger({mode: np.zeros(len(streets), dtype=bool) for mode in modes})
    fresh, cuts, removed = int(ends.max(initial=0)) + 1, 0, 0.0
    for number, own in marks.groupby("street"):
        row = int(cast("int", number))
        u, v = (int(node) for node in ends[row])
        for group, mine in _alike(own, [mode for mode in modes if may[mode][row]]):
            plan = Plan.of(mine, length[row])
            at_ends = {0.0: u, plan.length: v}
            pieces: list[tuple[int, int, float, float]] = []
            inner: dict[float, int] = {}
            if not plan.whole:
                pieces, inner, fresh = plan.pieces(u, v, fresh)
                cuts += len(plan.cut)
                kept = sum(stop - start for _, _, start, stop in pieces)
                removed += max(float(length[row]) - kept, 0.0) if plan.gone else 0.0
                ledger.origin.extend([row] * len(pieces))
                ledger.part.extend(pieces)
                ledger.shared.extend([group] * len(pieces))
            for mode in group:
                ledger.shut[mode][row] |= not plan.whole
                for barrier, at, seconds in plan.waits:
                    # However many streets end at a junction, the barrier there is one.
                    node = at_ends.get(at, inner.get(at))
                    if node is not None:
                        ledger.delays[barrier, node, mode] = seconds
    delays = [(node, mode, seconds) for (_, node, mode), seconds in ledger.delays.items()]
    rest = _layer(streets, lines, ledger, crs)
    parts = rest.index[len(rest) - len(ledger.origin) :]
    return Barred(
        streets=rest,
        whole=pd.Series(streets.index[ledger.origin], index=parts, name="street"),
        delays=pd.DataFrame(delays, columns=["node", "mode", "seconds"]).astype(
            {"node": "int64", "seconds": "float64"}
        ),
        cuts=cuts,
        removed_m=float(removed),
        findings=findings,
    )


def _alike(marks: pd.DataFrame, modes: list[Mode]) -> list[tuple[tuple[Mode, ...], pd.DataFrame]]:
    """Modes that the same marks of a street concern, with those marks."""
    groups: dict[tuple[int, ...], list[Mode]] = {}
    for mode in modes:
        rows = tuple(np.flatnonzero(marks[mode].to_numpy(dtype=bool)).tolist())
        if rows:
            groups.setdefault(rows, []).append(mode)
    return [(tuple(group), marks.iloc[list(rows)]) for rows, group in groups.items()]


@dataclass(frozen=True)
class Plan:
    """What becomes of one street: where it is cut, what is taken away, where one waits."""

    length: float
    cut: tuple[float, ...]
    gone: tuple[tuple[float, float], ...]
    waits: tuple[tuple[int, float, float], ...]

    @classmethod
    def of(cls, marks: pd.DataFrame, length: float) -> Plan:
        """Read the marks of a street."""
        gone: list[tuple[float, float]] = []
        cut: list[float] = []
        waits = []
        marks = marks.sort_values(["start", "stop"])
        columns = (marks[name].tolist() for name in ("row", "start", "stop", "seconds"))
        for row, start, stop, seconds in zip(*columns, strict=True):
            if not np.isnan(seconds):
                waits.append((row, start, seconds))
            elif stop > start:
                if gone and start <= gone[-1][1] + CRUMB_M:
                    gone[-1] = (gone[-1][0], max(gone[-1][1], stop))
                else:
                    gone.append((start, stop))
            elif not cut or start > cut[-1] + CRUMB_M:
                cut.append(start)
        # What an area merely grazes stays.
        taken = tuple(part for part in gone if part[1] - part[0] > CRUMB_M)
        return cls(length, tuple(cut), taken, tuple(waits))

    @property
    def whole(self) -> bool:
        """Whether the street stays in one piece, with the nodes that it has."""
        inside = any(0.0 < at < self.length for _, at, _ in self.waits)
        return not (self.cut or self.gone or inside)

    def pieces(
        self, u: int, v: int, fresh: int
    ) -> tuple[list[tuple[int, int, float, float]], dict[float, int], int]:
        """Divide the street.

        Returns
        -------
        Nodes, start and stop of each piece that remains; the node of each delay within
        the street; the next node id that is free.
        """
        apart = [*self.cut, *(edge for interval in self.gone for edge in interval)]
        places = sorted({0.0, self.length, *apart, *(at for _, at, _ in self.waits)})
        kept = places[:1]
        for place in places[1:]:
            if place - kept[-1] > CRUMB_M:
                kept.append(place)
        kept[-1] = self.length
        joint: list[int | None] = []
        for place in kept:
            known = u if place == 0.0 else v if place == self.length else fresh
            free = self._near(place, apart)
            joint.append(None if free else known)
            fresh += not free and known == fresh
        pieces = []
        for number, (start, stop) in enumerate(pairwise(kept)):
            middle = (start + stop) / 2
            if any(low <= middle <= high for low, high in self.gone):
                continue
            ends = []
            for node in joint[number : number + 2]:
                # At a cut each side has a node of its own.
                ends.append(fresh if node is None else node)
                fresh += node is None
            pieces.append((ends[0], ends[1], start, stop))
        inner = {
            at: node
            for _, at, _ in self.waits
            for place, node in zip(kept[1:-1], joint[1:-1], strict=True)
            if node is not None and abs(at - place) <= CRUMB_M
        }
        return pieces, inner, fresh

    @staticmethod
    def _near(place: float, places: Iterable[float]) -> bool:
        return any(abs(place - other) <= CRUMB_M for other in places)


def _layer(
    streets: gpd.GeoDataFrame,
    lines: Any,
    ledger: _Ledger,
    crs: Any,
) -> gpd.GeoDataFrame:
    """Street layer without what was shut, its parts at the end."""
    rest = streets.copy()
    touched = np.zeros(len(streets), dtype=bool)
    for mode, rows in ledger.shut.items():
        touched |= rows
        for way in ("forward", "backward"):
            rest[f"{mode}_{way}"] = rest[f"{mode}_{way}"].to_numpy() & ~rows
    ways = [f"{mode}_{way}" for mode in MODES for way in ("forward", "backward")]
    rest = rest[rest[ways].to_numpy(dtype=bool).any(axis=1) | ~touched]
    if not ledger.origin:
        return rest
    rows = np.array(ledger.origin)
    pieces = streets.iloc[rows].copy()
    pieces["u"], pieces["v"] = [p[0] for p in ledger.part], [p[1] for p in ledger.part]
    start, stop = np.array([p[2] for p in ledger.part]), np.array([p[3] for p in ledger.part])
    whole = streets["length"].to_numpy(dtype=np.float64)[rows]
    pieces["length"] = stop - start
    shapes = [
        substring(line, low, high, normalized=True)
        for line, low, high in zip(lines[rows], start / whole, stop / whole, strict=True)
    ]
    back = gpd.GeoSeries(shapes, crs=crs).to_crs(GEOGRAPHIC)
    pieces[pieces.geometry.name] = np.asarray(back.array)
    for mode in MODES:
        mine = np.array([mode in group for group in ledger.shared])
        for way in ("forward", "backward"):
            pieces[f"{mode}_{way}"] = pieces[f"{mode}_{way}"].to_numpy() & mine
    pieces.index = _labels(streets.index, rows)
    return cast("gpd.GeoDataFrame", pd.concat([rest, pieces]))


def _labels(index: pd.Index[Any], rows: Ints) -> pd.Index[Any]:
    """Labels for the parts of streets that no street has."""
    if pd.api.types.is_integer_dtype(index.dtype):
        return pd.Index(np.arange(len(rows)) + int(index.max()) + 1)
    taken, made = set(index), []
    for row in rows:
        number = 1
        while (label := f"{index[row]}/{number}") in taken:
            number += 1
        taken.add(label)
        made.append(label)
    return pd.Index(made, dtype=index.dtype)
