"""The bench: how fast the engine is, as ratios to others measured in the same run.

Every job is run by turns with the same job of each peer that is installed; what counts is
the median, and the least and greatest ratio of two neighbouring runs show the spread.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from layers import City
from layers.crs import transformed
from layers.messages import text
from planner import _meetings, _search
from planner.network import Network
from planner.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner._search import Ints

FACILITIES = 600
LIMITS_M = (500.0, 1000.0, 3000.0, 20_000.0, np.inf)
POINTS = 1_000_000
_SAMPLE = 2000
_FEW, _FEW_WITHIN_M = 10, 2000.0
_SUM_WITHIN_M = 1000.0
_SET_UP_WITHIN_M = 1000.0
# How far a point to be placed lies from somebody's home.
_ASTRAY_M = 60.0
# Peers so much slower that a single run tells enough, and beyond which limit they are left out.
_SLOW_WITHIN_M = {"networkx": 1000.0, "pandana": 3000.0}
SERVICES_S, SERVICES_MB = 10.0, 2**31 / 1e6
"""What all services of a whole municipality may take."""
_SEED = 1
_LONG_S, _ONCE_S = 20.0, 5.0
_EVERY = 100_000
"""Junctions up to which scipy, too, adds up around every one."""


@dataclass(frozen=True)
class Timing:
    """One job, against one peer or none.

    Attributes
    ----------
    job
        What was done, in words.
    own_s
        Median seconds of the engine.
    peer
        Whom it is compared with, empty for none.
    peer_s
        The peer's median seconds.
    ratio
        How many times faster the engine is: the median over runs side by side.
    least, most
        Least and greatest of those runs' ratios.
    """

    job: str
    own_s: float
    peer: str = ""
    peer_s: float | None = None
    ratio: float | None = None
    least: float | None = None
    most: float | None = None

    def words(self) -> list[str]:
        """Cells of the table: job, peer, seconds, their seconds, ratio, its range."""
        cells = [self.job, self.peer, f"{self.own_s:.4f}"]
        if self.peer_s is None:
            return [*cells, "", "", ""]
        return [
            *cells,
            f"{self.peer_s:.4f}",
            f"{self.ratio:.1f} ×",
            f"{self.least:.1f}–{self.most:.1f}",
        ]


@dataclass(frozen=True)
class Alone:
    """All services in a process of its own, as a user's command runs.

    Attributes
    ----------
    seconds
        From the opened city to the tables by district, nothing being compiled before
        but what is kept from earlier runs.
    peak_mb
        Most memory of the process in megabytes, opening the city included; NaN where
        the system does not tell.
    """

    seconds: float
    peak_mb: float

    @property
    def held(self) -> bool:
        """Whether both stay within what a municipality may take."""
        return self.seconds <= SERVICES_S and self.peak_mb <= SERVICES_MB


@dataclass
class Bench:
    """What a run of the bench found.

    Attributes
    ----------
    nodes, streets
        Size of the network.
    rows
        The jobs.
    missing
        Peers that are not installed.
    alone
        All services in a process of its own, for a city that lies in a folder.
    """

    nodes: int
    streets: int
    rows: list[Timing] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    alone: Alone | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def run(
    streets: gpd.GeoDataFrame,
    *,
    city: City | None = None,
    crs: Any = None,
    repeat: int = 5,
    points: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Bench:
    """Measure the engine on a street layer.

    Parameters
    ----------
    streets
        Street layer; where one may walk is searched.
    city
        The city that they belong to, to compute all services for and to place points
        around its people's homes; without it they are placed around junctions.
    crs
        Projected reference system to measure in; by where the streets lie if None.
    repeat
        How often each job is run; peers that are far slower are run once.
    points
        How many points are placed; a million when None.
    progress
        Called with the job that begins.
    """
    network = Network.build(streets, "walk", crs=crs)
    made = Bench(network.nodes, len(network.length))
    if find_spec("pandana") is None:
        made.missing.append("pandana")

    def add(key: str, own: Callable[[], Any], /, **peers: Callable[[], Any]) -> None:
        told = text(f"cli.bench.job.{key}", **words)
        progress(told)
        made.rows.extend(_compare(told, own, peers, repeat))

    words: dict[str, str] = {}
    add("compile", lambda: _compile(streets, crs))
    where = _scattered(city, network, POINTS if points is None else points)
    add("place", lambda: network.locate(where))
    if city is not None:
        add("services", lambda: _all_services(city))
        if city.path is not None:
            progress(text("cli.bench.job.services"))
            made.alone = alone(city.path)
    rivals = _Rivals(network, with_pandana=not made.missing)
    for limit in LIMITS_M:
        words = {"limit": "∞" if np.isinf(limit) else f"{limit / 1000:g} km"}
        add("nearest", partial(rivals.own, limit), **rivals.nearest(limit))
    words = {}
    add("floor", partial(rivals.own, np.inf), memory=rivals.read_once)
    add("set_up", rivals.own_set_up, **rivals.set_up())
    add("few", rivals.own_few, **rivals.few())
    add("sums", rivals.own_sums, scipy=rivals.scipy_sums)
    add("all_sums", rivals.own_all_sums, **rivals.all_sums())
    return made


def alone(path: Path) -> Alone:
    """Compute all services of a city in a process of its own.

    Parameters
    ----------
    path
        The city's folder.
    """
    program = f"from planner.bench import _tell_alone; _tell_alone({str(path)!r})"
    told = subprocess.run(  # noqa: S603 - this very program
        [sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, text=True
    )
    seconds, peak = told.stdout.split()
    return Alone(float(seconds), float(peak))


def _tell_alone(path: str) -> None:
    city = City.open(path)
    seconds = _seconds(lambda: _all_services(city))
    print(seconds, _peak_mb())  # noqa: T201 - to the process that asked


def _peak_mb() -> float:
    """Most memory that this process has had, in megabytes."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            # In place of getrusage's figure, which takes in the process that began this one.
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    return float("nan")


def _compare(
    job: str, own: Callable[[], Any], peers: dict[str, Callable[[], Any]], repeat: int
) -> list[Timing]:
    slow = {name for name in peers if name in _SLOW_WITHIN_M}
    # What is compiled or read once is not what is measured; a long job hardly feels it.
    warm = _seconds(own)
    if warm > _LONG_S:
        repeat = 1
    mine: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in peers}
    for turn in range(repeat):
        mine.append(_seconds(own))
        for name, rival in peers.items():
            if turn == 0 or (name not in slow and theirs[name][0] < _ONCE_S):
                theirs[name].append(_seconds(rival))
    middle = statistics.median(mine)
    if not peers:
        return [Timing(job, middle)]
    found = []
    for name, taken in theirs.items():
        ratios = [other / one for one, other in zip(mine, taken, strict=False)]
        times, ratio = statistics.median(taken), statistics.median(ratios)
        found.append(Timing(job, middle, name, times, ratio, min(ratios), max(ratios)))
    return found


def _seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _compile(streets: gpd.GeoDataFrame, crs: Any) -> None:
    """Everything that the first question about a city has to wait for."""
    network = Network.build(streets, "walk", crs=crs)
    network.rows("m", "facility")
    _ = network.ground.grid, network.cut_off


def _scattered(city: City | None, network: Network, count: int) -> gpd.GeoSeries:
    """Points around people's homes or junctions, in the network's own reference system."""
    rng = np.random.default_rng(_SEED)
    homes = network.places if city is None else transformed(city.population.geometry, network.crs)
    at = homes[rng.integers(0, len(homes), count)] + rng.normal(0, _ASTRAY_M, (count, 2))
    return gpd.GeoSeries(shapely.points(at), crs=network.crs)


def _all_services(city: City) -> None:
    bench = Workbench(city)
    for service in bench.services:
        bench.coverage(service).by("district")


class _Rivals:
    """The same questions, put to the engine and to its peers.

    Parameters
    ----------
    network
        The streets.
    with_pandana
        Whether pandana is installed.
    """

    def __init__(self, network: Network, *, with_pandana: bool) -> None:
        rng = np.random.default_rng(_SEED)
        self._rows = network.rows("m", "facility")
        nodes = network.nodes
        chosen = min(FACILITIES, nodes)
        self._sites = np.sort(rng.choice(nodes, chosen, replace=False)).astype(np.int64)
        self._seeds = self._sites, np.zeros(chosen), np.arange(chosen)
        self._sample = rng.choice(nodes, min(_SAMPLE, nodes), replace=False).astype(np.int64)
        self._weight = rng.integers(0, 100, (nodes, 1)).astype(np.float64)
        # scipy is given what it likes best: contiguous 32-bit rows, made beforehand.
        self._graph = csr_array(
            (
                np.ascontiguousarray(self._rows.cost),
                self._rows.head.astype(np.int32),
                self._rows.start.astype(np.int32),
            ),
            shape=(nodes, nodes),
        )
        tail = np.repeat(np.arange(nodes), np.diff(self._rows.start))
        self._edges = tail, self._rows.head.copy(), np.ascontiguousarray(self._rows.cost)
        self._places = network.places
        size = (self._rows.start.nbytes + self._rows.arcs.nbytes + 4 * 8 * nodes) // 16
        self._source, self._target = np.ones(size), np.ones(size)
        self._nx = self._networkx_graph()
        self._pandana = self._pandana_network() if with_pandana else None

    def own(self, limit: float) -> Any:
        """Nearest facility of every junction."""
        return _search.nearest_origin(self._rows, *self._seeds, len(self._sites), limit)

    def own_few(self) -> Any:
        """Nearest few facilities of every junction."""
        return _search.nearest_origins(self._rows, *self._seeds, _FEW, _FEW_WITHIN_M)

    def own_sums(self) -> Any:
        """Add up weights around some junctions."""
        count = len(self._sample)
        seeds = self._sample, np.zeros(count), np.arange(count)
        return _meetings.sums_within(self._rows, *seeds, count, _SUM_WITHIN_M, self._weight)

    def scipy_sums(self, around: Ints | None = None) -> Any:
        """Add up weights around some junctions, by scipy."""
        chosen = self._sample if around is None else around
        # In chunks, as whoever cannot hold a dense matrix does.
        return [
            np.isfinite(dijkstra(self._graph, indices=part, limit=_SUM_WITHIN_M)) @ self._weight
            for part in np.array_split(chosen, max(len(chosen) // 20, 1))
        ]

    def read_once(self) -> None:
        """Read and write once what a search reads and writes, at the memory's speed."""
        nodes = self._rows.nodes
        size = self._rows.start.nbytes + self._rows.arcs.nbytes + 4 * 8 * nodes
        # A copy both reads and writes.
        np.copyto(self._target[: size // 16], self._source[: size // 16])

    def own_set_up(self) -> Any:
        """Make rows of the table of edges, and find the nearest facility."""
        rows = _search.compress(self._rows.nodes, *self._edges)
        return _search.nearest_origin(rows, *self._seeds, len(self._sites), _SET_UP_WITHIN_M)

    def own_all_sums(self) -> Any:
        """Add up weights around every junction."""
        every = np.arange(self._rows.nodes)
        seeds = every, np.zeros(len(every)), every
        return _meetings.sums_within(self._rows, *seeds, len(every), _SUM_WITHIN_M, self._weight)

    def set_up(self) -> dict[str, Callable[[], Any]]:
        """Peers that begin with the table of edges too."""
        if self._pandana is None:
            return {}
        return {"pandana": lambda: self._pandana_network().nearest_pois(_SET_UP_WITHIN_M, "sites")}

    def all_sums(self) -> dict[str, Callable[[], Any]]:
        """Peers that add up around every junction."""
        peers: dict[str, Callable[[], Any]] = {}
        if self._rows.nodes <= _EVERY:
            peers["scipy"] = partial(self.scipy_sums, np.arange(self._rows.nodes))
        peer = self._pandana
        if peer is None:
            return peers

        def aggregate() -> Any:
            peer.precompute(_SUM_WITHIN_M)
            peer.set(np.arange(self._rows.nodes), variable=self._weight[:, 0], name="people")
            return peer.aggregate(_SUM_WITHIN_M, type="sum", decay="flat", name="people")

        return {**peers, "pandana": aggregate}

    def nearest(self, limit: float) -> dict[str, Callable[[], Any]]:
        """Peers that answer within a limit."""
        peers: dict[str, Callable[[], Any]] = {
            "scipy": lambda: dijkstra(self._graph, indices=self._sites, limit=limit, min_only=True)
        }
        if limit == _SLOW_WITHIN_M["networkx"]:
            peers["networkx"] = lambda: nx.multi_source_dijkstra_path_length(
                self._nx, set(self._sites.tolist()), cutoff=limit
            )
        peer = self._pandana
        if peer is not None and limit <= _SLOW_WITHIN_M["pandana"]:
            peers["pandana"] = lambda: peer.nearest_pois(limit, "sites", num_pois=1)
        return peers

    def few(self) -> dict[str, Callable[[], Any]]:
        """Peers that find the nearest few."""
        peer = self._pandana
        if peer is None:
            return {}
        return {"pandana": lambda: peer.nearest_pois(_FEW_WITHIN_M, "sites", num_pois=_FEW)}

    def _networkx_graph(self) -> Any:
        graph = nx.DiGraph()
        graph.add_nodes_from(range(self._rows.nodes))
        graph.add_weighted_edges_from(zip(*(part.tolist() for part in self._edges), strict=True))
        return graph

    def _pandana_network(self) -> Any:
        import pandana  # noqa: PLC0415 - a peer, which few have
        import pandas as pd  # noqa: PLC0415

        tail, head, cost = self._edges
        # pandana travels away from a junction; these rows lead away from the facilities.
        made = pandana.Network(
            *(pd.Series(column) for column in self._places.T),
            pd.Series(head),
            pd.Series(tail),
            pd.DataFrame({"length": cost}),
            twoway=False,
        )
        made.set_pois("sites", 3000.0, _FEW, *self._places[self._sites].T)
        return made
