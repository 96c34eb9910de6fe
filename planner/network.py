"""The network: streets compiled for one travel mode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from layers import streets as street_layer
from layers.crs import GEOGRAPHIC, require_crs
from layers.errors import InputError
from layers.messages import text
from layers.streets import MODES, Mode
from planner import _search, delays, positions, reach, slopes, travel
from planner.ground import Ground
from planner.positions import Positions
from planner.standards import unknown_name

if TYPE_CHECKING:
    import os

    import geopandas as gpd
    import networkx as nx
    import pandas as pd
    from pyproj import CRS

    from layers.findings import Finding
    from planner._search import Floats, Ints, Rows
    from planner.reach import Reach, Towards
    from planner.slopes import Climb, Elevation

# What a network is made of besides directions and pace.
_SKELETON = ("mode", "ground", "row", "node_ids", "u", "v", "length", "climb", "node_delays")

# Below so many junctions a piece of network counts as cut off (GraphHopper's own default
# for sub-networks), and in a small network below this share of the largest piece.
_SMALL_PIECE = 200
_SMALL_SHARE = 0.1


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """Streets compiled for one travel mode.

    Make one with `build`. Junctions are numbered from zero so that near ones mostly have
    near numbers.

    Attributes
    ----------
    mode
        The travel mode.
    ground
        The street layer made ready, which networks of other modes may share.
    row
        Row of the street layer of each street that is open to the mode.
    node_ids
        Id of each junction.
    u, v
        Junction at each street's beginning and end.
    length
        Metres of each street.
    minutes, minutes_back
        Minutes that each street takes from u to v, and from v to u; slopes make the
        difference. Along a street the pace is even.
    forward, backward
        Whether each street is open from u to v, and from v to u.
    component
        Piece of network that each junction belongs to: junctions that all reach each other.
    access_speed_kmh
        Speed on access legs, which are walked whatever the mode.
    delay
        Minutes that passing each junction takes, or None where none takes any: whoever
        comes to a junction along a street and goes on along another, or along the same
        one again, waits there once. Nobody waits at the ends of a way, for a position
        lies on its street to the very end of it. Metres know no delay.
    climb
        Slopes along the streets, None where the city is flat.
    node_delays
        Seconds that passing single junctions takes besides, as `build` was given them.
    """

    mode: Mode
    ground: Ground
    row: Ints
    node_ids: Ints
    u: Ints
    v: Ints
    length: Floats
    minutes: Floats
    minutes_back: Floats
    forward: np.ndarray
    backward: np.ndarray
    component: Ints
    access_speed_kmh: float
    delay: Floats | None = None
    climb: Climb | None = None
    node_delays: pd.DataFrame | None = None

    @classmethod
    def build(
        cls,
        streets: gpd.GeoDataFrame | Ground,
        mode: Mode = "walk",
        *,
        crs: Any = None,
        speed_kmh: float | None = None,
        class_speeds: Any = None,
        limit_share: Any = None,
        junction_delay_s: Any = None,
        node_delays: pd.DataFrame | None = None,
        elevation: Elevation | str | os.PathLike[str] | None = None,
    ) -> Self:
        """Compile the streets that a mode may use.

        Parameters
        ----------
        streets
            Street layer, or the ground made of it, which saves making it for each mode.
        mode
            ``walk``, ``cycle`` or ``drive``.
        crs
            Projected reference system to measure access legs in; by where the streets
            lie if None. A ground has its own.
        speed_kmh
            Speed on every street; None for 4.8 km/h on foot, 15 km/h by cycle, and the
            street's own speed by car.
        class_speeds, limit_share, junction_delay_s
            Speeds by class of street (on foot and by cycle), average speeds in parts of
            the speed limit (by car), and seconds that passing a junction takes where
            three or more streets meet: ``usual`` for the program's table, a mapping of
            classes with ``other`` for the rest, or a number; see `planner.travel.figures`.
        node_delays
            Seconds that passing single junctions takes besides, with ``node``, ``mode``
            and ``seconds``, as `planner.barriers.apply` gives them.
        elevation
            Raster of heights in metres, which makes minutes uphill and downhill differ
            on foot and by cycle; see `planner.slopes`. The city is flat without it.

        Raises
        ------
        LayerError
            The street layer breaks its schema.
        InputError
            No street is open to the mode, a speed is not above zero, speeds are given
            twice, or the raster cannot be read or knows none of the streets.
        UnknownNameError
            There is no such mode.

        Examples
        --------
        >>> from layers import embedded
        >>> network = Network.build(embedded("small").streets, mode="walk")
        >>> network.mode, network.crs.to_epsg()
        ('walk', 4549)
        """
        if mode not in MODES:
            raise unknown_name("mode", mode, MODES)
        ground = streets if isinstance(streets, Ground) else Ground.of(streets, crs=crs)
        may = ground.streets[[f"{mode}_forward", f"{mode}_backward"]].to_numpy(dtype=bool)
        row = np.flatnonzero(may.any(axis=1))
        if not len(row):
            raise InputError(text("error.mode_closed", mode=text(f"mode.{mode}")))
        forward, backward = np.ascontiguousarray(may[row].T)
        # Only junctions that the mode comes to, in the order of the ground's.
        ends = ground.ends[row]
        known = np.zeros(len(ground.node_ids), dtype=bool)
        known[ends] = True
        u, v = (np.cumsum(known) - 1)[ends].T.copy()
        climb = None
        # Cars take no notice of slopes.
        if elevation is not None and mode != "drive":
            climb = slopes.along(ground.streets.iloc[row], elevation, crs=ground.crs)
        skeleton = {
            "mode": mode,
            "ground": ground,
            "row": row,
            "node_ids": ground.node_ids[known],
            "u": u,
            "v": v,
            "length": ground.streets["length"].to_numpy(dtype=np.float64)[row],
            "climb": climb,
            "node_delays": node_delays,
        }
        pieces = _pieces(int(known.sum()), *_arcs(u, v, forward, backward))
        pace = _pace(
            **skeleton,
            speed_kmh=speed_kmh,
            class_speeds=class_speeds,
            limit_share=limit_share,
            junction_delay_s=junction_delay_s,
        )
        ways = {"forward": forward, "backward": backward, "component": pieces}
        return cls(**skeleton, **ways, **pace)

    def at_pace(
        self,
        *,
        speed_kmh: float | None = None,
        class_speeds: Any = None,
        limit_share: Any = None,
        junction_delay_s: Any = None,
    ) -> Self:
        """Give the same streets other speeds and delays; positions hold on both.

        Parameters
        ----------
        speed_kmh, class_speeds, limit_share, junction_delay_s
            As `build` takes them.

        Raises
        ------
        InputError
            A speed is not above zero, or speeds are given twice.
        """
        pace = _pace(
            **{name: getattr(self, name) for name in _SKELETON},
            speed_kmh=speed_kmh,
            class_speeds=class_speeds,
            limit_share=limit_share,
            junction_delay_s=junction_delay_s,
        )
        return replace(self, **pace)

    @classmethod
    def from_networkx(
        cls, graph: nx.MultiDiGraph[Any], mode: Mode = "walk", **options: Any
    ) -> Self:
        """Compile a graph in osmnx's model; each of its edges is open to the mode.

        Parameters
        ----------
        graph
            As `layers.streets.from_networkx` takes it.
        mode, options
            As in `build`.
        """
        return cls.build(street_layer.from_networkx(graph, modes=(mode,)), mode, **options)

    def to_networkx(self) -> nx.MultiDiGraph[Any]:
        """Turn into a graph in osmnx's model.

        Returns
        -------
        Junctions by their ids with ``x``, ``y`` (degrees) and ``delay`` (s, where passing
        any takes time); an edge for each direction a street is open in, with ``osmid``
        (the street's label), ``length`` (m), ``speed_kph``, ``travel_time`` (s), ``name``,
        ``highway``, ``oneway``, ``reversed`` and ``geometry``.
        """
        import networkx as nx  # noqa: PLC0415 - nothing else needs it

        graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph(crs=GEOGRAPHIC.to_string())
        lines = self.streets.geometry
        ends = {}
        for u, v, line in zip(self.u, self.v, lines, strict=True):
            ends[u], ends[v] = line.coords[0], line.coords[-1]
        for node in range(self.nodes):
            wait = {} if self.delay is None else {"delay": float(self.delay[node] * 60)}
            graph.add_node(int(self.node_ids[node]), x=ends[node][0], y=ends[node][1], **wait)
        named = self.streets[["name", "highway"]].itertuples(index=False)
        for row, (line, label, words) in enumerate(
            zip(lines, self.streets.index, named, strict=True)
        ):
            u, v = int(self.node_ids[self.u[row]]), int(self.node_ids[self.v[row]])
            data = {
                "osmid": label,
                "length": float(self.length[row]),
                "name": words.name,
                "highway": words.highway,
                "oneway": not (self.forward[row] and self.backward[row]),
            }
            if self.forward[row]:
                pace = self._osmnx_pace(row, self.minutes)
                graph.add_edge(u, v, **data, **pace, geometry=line, reversed=False)
            if self.backward[row]:
                pace = self._osmnx_pace(row, self.minutes_back)
                graph.add_edge(v, u, **data, **pace, geometry=line.reverse(), reversed=True)
        return graph

    def _osmnx_pace(self, row: int, minutes: Floats) -> dict[str, float]:
        taken = float(minutes[row])
        return {"speed_kph": float(self.length[row]) * 0.06 / taken, "travel_time": taken * 60}

    def locate(
        self,
        points: gpd.GeoSeries | gpd.GeoDataFrame,
        *,
        limit: float = 300.0,
        islands: bool = False,
    ) -> Positions:
        """Place points on the nearest streets.

        Parameters
        ----------
        points
            Points in any reference system.
        limit
            Greatest access leg in metres, inclusive; a point farther from every street
            is refused.
        islands
            Whether a point may be placed on a piece of network that is cut off.

        Returns
        -------
        A position a point, aligned to the points' index; refused ones say why.

        Raises
        ------
        CrsError
            The points have no reference system.
        InputError
            The limit is below zero, or a geometry is no point.
        """
        require_crs(points)
        xy = positions.places(points.geometry, self.crs)
        return self.locate_places(points.index, xy, limit=limit, islands=islands)

    def locate_places(
        self, index: pd.Index[Any], xy: Floats, *, limit: float = 300.0, islands: bool = False
    ) -> Positions:
        """Place what lies at known coordinates; see `locate`.

        Parameters
        ----------
        index
            Labels of the places.
        xy
            Where they lie, in `crs`: a row a place, NaN for nowhere.
        limit, islands
            As in `locate`.

        Raises
        ------
        InputError
            The limit is below zero.
        """
        if not limit >= 0:
            raise InputError(text("error.limit_negative", found=limit))
        return positions.locate(self, index, xy, limit=float(limit), islands=islands)

    def positions_of(
        self, points: gpd.GeoSeries | gpd.GeoDataFrame | Positions, *, limit: float = 300.0
    ) -> Positions:
        """Positions as they are, or those of points.

        Raises
        ------
        InputError
            The positions lie on another network.
        """
        if not isinstance(points, Positions):
            return self.locate(points, limit=limit)
        if points.network is self:
            return points
        if points.network.row is not self.row:
            raise InputError(text("error.other_network"))
        return replace(points, network=self)

    def reach(
        self,
        points: gpd.GeoSeries | gpd.GeoDataFrame | Positions,
        *,
        cutoff: float | None = None,
        cutoff_min: float | None = None,
        towards: Towards = "facility",
        limit: float = 300.0,
    ) -> Reach:
        """Search from all points at once.

        Parameters
        ----------
        points
            The origins: points in any reference system, or positions on this network.
        cutoff, cutoff_min
            Greatest distance, inclusive, in metres or in minutes; without either every
            street is searched, in metres.
        towards
            ``facility``: people travel to the points; ``from``: away from them. One-way
            streets make the difference.
        limit
            Greatest access leg in metres, for points.

        Raises
        ------
        InputError
            Both cutoffs are given, or one below zero.

        Examples
        --------
        >>> from layers import embedded
        >>> city = embedded("small")
        >>> network = Network.build(city.streets)
        >>> reach = network.reach(city.facilities, cutoff=800)
        >>> bool((reach.at(city.facilities).dropna() <= 600).all())
        True
        """
        origins = self.positions_of(points, limit=limit)
        return reach.search(self, origins, cutoff=cutoff, cutoff_min=cutoff_min, towards=towards)

    @property
    def nodes(self) -> int:
        """Number of junctions."""
        return len(self.node_ids)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Streets whose slope is not known, or hardly believable."""
        return () if self.climb is None else self.climb.findings

    @property
    def crs(self) -> CRS:
        """Projected reference system in which access legs are measured."""
        return self.ground.crs

    @cached_property
    def streets(self) -> gpd.GeoDataFrame:
        """The streets that are open to the mode, in EPSG:4326, with the layer's index."""
        return self.ground.streets.iloc[self.row]

    @cached_property
    def labels(self) -> pd.Index[Any]:
        """Labels of the streets."""
        labels: pd.Index[Any] = self.ground.streets.index[self.row]
        return labels

    @cached_property
    def rank(self) -> Ints:
        """Number of each street of the layer among those open to the mode, -1 for none.

        One item more than there are streets, so that -1 stays -1.
        """
        rank = np.full(len(self.ground.streets) + 1, -1, dtype=np.int64)
        rank[self.row] = np.arange(len(self.row))
        return rank

    @property
    def places(self) -> Floats:
        """Where each junction lies, in `crs`: a row a junction."""
        place = np.empty((self.nodes, 2))
        place[np.column_stack([self.u, self.v])] = self.ground.end_places[self.row]
        return place

    @property
    def lines(self) -> np.ndarray:
        """Geometry of each street in `crs`."""
        return self.ground.lines[self.row]

    @cached_property
    def cut_off(self) -> np.ndarray:
        """Whether each street hangs on a piece so small that it is cut off.

        A piece is small below 200 junctions or a tenth of the largest piece, whichever
        is less. A street counts as cut off if either end lies in a small piece: from
        there, or to there, one cannot travel.
        """
        size = np.bincount(self.component)
        small = (size < min(_SMALL_PIECE, _SMALL_SHARE * size.max()))[self.component]
        return np.asarray(small[self.u] | small[self.v])

    def paces(self, unit: str, rows: Ints) -> tuple[Floats, Floats]:
        """Cost per metre of some streets from u to v, and from v to u, in ``m`` or ``min``."""
        if unit == "m":
            even = np.ones(len(rows))
            return even, even
        length = self.length[rows]
        there = self.minutes[rows] / length
        flat = self.minutes_back is self.minutes
        return there, there if flat else self.minutes_back[rows] / length

    def delays(self, unit: str) -> Floats | None:
        """Cost of passing each junction, in ``m`` or ``min``; None where none costs any."""
        return self.delay if unit == "min" else None

    def access_pace(self, unit: str) -> float:
        """Cost of an access leg per metre, in ``m`` or ``min``."""
        return 1.0 if unit == "m" else 0.06 / self.access_speed_kmh

    def rows(self, unit: str, towards: Towards) -> Rows:
        """Compressed rows to search: as people travel, or backwards from the facilities."""
        return self._rows[unit, towards]

    @cached_property
    def _rows(self) -> _Lazy:
        return _Lazy(self)

    def __repr__(self) -> str:
        pieces = int(self.component.max()) + 1
        away = f", {int(self.cut_off.sum()):,} streets cut off" if self.cut_off.any() else ""
        return (
            f"<Network {self.mode}: {self.nodes:,} junctions, {len(self.length):,} streets, "
            f"{self.length.sum() / 1000:,.0f} km, {pieces:,} pieces{away}>"
        )


def _arcs(u: Ints, v: Ints, forward: np.ndarray, backward: np.ndarray) -> tuple[Ints, Ints]:
    """Beginning and end of every street in each direction that it is open in."""
    return np.concatenate([u[forward], v[backward]]), np.concatenate([v[forward], u[backward]])


def _pace(
    *,
    mode: Mode,
    ground: Ground,
    row: Ints,
    node_ids: Ints,
    u: Ints,
    v: Ints,
    length: Floats,
    climb: Climb | None,
    node_delays: pd.DataFrame | None,
    speed_kmh: float | None,
    class_speeds: Any,
    limit_share: Any,
    junction_delay_s: Any,
) -> dict[str, Any]:
    """Minutes of each street in both directions, delays, and the speed on access legs."""
    streets = ground.streets[["highway", "speed_kmh"]].iloc[row]
    speed = travel.speeds(
        streets,
        mode,
        speed_kmh=speed_kmh,
        class_speeds=travel.figures("class_speeds", mode, class_speeds),
        limit_share=travel.figures("limit_share", mode, limit_share),
    )
    flat = length * 0.06 / speed
    there, back = (flat, flat) if climb is None else climb.minutes(mode, flat, speed)
    return {
        "minutes": there,
        "minutes_back": back,
        "access_speed_kmh": speed_kmh
        if mode == "walk" and speed_kmh
        else travel.DEFAULT_SPEED_KMH["walk"],
        "delay": delays.compiled(
            streets, u, v, node_ids, mode=mode, by_class=junction_delay_s, single=node_delays
        ),
    }


def _pieces(nodes: int, tail: Ints, head: Ints) -> Ints:
    graph = csr_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(nodes, nodes))
    return connected_components(graph, connection="strong")[1].astype(np.int64)


class _Lazy(dict[tuple[str, str], "Rows"]):
    """Compressed rows made when first wanted."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    def __missing__(self, key: tuple[str, str]) -> Rows:
        unit, towards = key
        network = self._network
        there, back = (
            (network.length, network.length)
            if unit == "m"
            else (network.minutes, network.minutes_back)
        )
        tail, head = _arcs(network.u, network.v, network.forward, network.backward)
        both = np.concatenate([there[network.forward], back[network.backward]])
        begin, end = (head, tail) if towards == "facility" else (tail, head)
        delay = network.delays(unit)
        if delay is not None:
            # A junction's distance is that of arriving there; who goes on, waits.
            both = both + delay[begin]
        made = self[key] = _search.compress(network.nodes, begin, end, both)
        return made
