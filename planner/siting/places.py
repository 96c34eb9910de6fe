"""Places where a facility might open: junctions, points of a table, what a city lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from layers.crs import GEOGRAPHIC, in_degrees, require_crs
from layers.errors import InputError
from layers.facilities import STATUSES, Status
from layers.messages import text
from layers.sources import columns, coordinates
from planner.reach import SLACK
from planner.siting.instance import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers import City
    from planner.network import Network
    from planner.siting.instance import Floats, Ints
    from planner.standards import Service

Kind = Literal["junction", "point", "listed", "upgrade"]
KINDS: tuple[Kind, ...] = get_args(Kind)

COLUMNS = ("id", "name", "kind", "role", "cost", "capacity", "upgrades")
"""Columns of a table of sites, besides the geometry.

``role`` is a `planner.siting.instance.Role`; ``cost`` and ``capacity`` are NaN where the
table does not say; ``upgrades`` is the id of the facility that the site enlarges, or None.
"""

_SHOWN = 5


@dataclass(frozen=True)
class Ground:
    """What places are looked for on.

    Attributes
    ----------
    city, service, network
        The city, the service to be sited and the streets.
    existing
        Facilities of the service that are open, each once.
    """

    city: City
    service: Service
    network: Network
    existing: gpd.GeoDataFrame


class Places(Protocol):
    """A kind of place where a facility might open."""

    def on(self, ground: Ground) -> gpd.GeoDataFrame:
        """Give the sites with `COLUMNS`, in EPSG:4326."""


@dataclass(frozen=True, kw_only=True)
class Junctions:
    """Junctions of the streets, thinned.

    No two lie nearer to each other than the spacing, in a straight line, and every
    junction lies nearer than that to one of them; where more streets meet is taken first.

    Attributes
    ----------
    spacing
        Metres.
    cost, capacity
        Of each; None for the problem's own.

    Raises
    ------
    InputError
        The spacing is not above zero.
    """

    spacing: float
    cost: float | None = None
    capacity: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.spacing < np.inf:
            raise InputError(text("site.spacing", found=self.spacing))

    def on(self, ground: Ground) -> gpd.GeoDataFrame:
        """Give the sites; see `Places.on`."""
        network = ground.network
        nodes, xy, kept = _junctions(network, self.spacing)
        points = gpd.GeoSeries(gpd.points_from_xy(*xy[kept].T), crs=network.crs)
        return _table(
            points,
            id=[f"J{network.node_ids[nodes[at]]}" for at in kept],
            name=_meeting(network, nodes[kept]),
            kind="junction",
            cost=self.cost,
            capacity=self.capacity,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Points of a table, such as public buildings or metro stations.

    Columns go by their usual names, Chinese or English (``data/columns.toml``): ``id``,
    ``name``, ``role`` (candidate, required, forbidden), ``cost``, ``capacity`` and
    ``upgrades``, the id of the existing facility that the row enlarges to its capacity.
    All may be missing. Of an area its inner point counts.

    Attributes
    ----------
    frame
        The table, in any reference system.
    cost, capacity
        Of each row that does not say; None for the problem's own.
    source
        What to call the table, such as its file's name.
    prefix
        What ids begin with where the table has none.
    """

    frame: gpd.GeoDataFrame = field(repr=False)
    cost: float | None = None
    capacity: float | None = None
    source: str = ""
    prefix: str = "P"

    def __repr__(self) -> str:
        return f"Points({self.source + ': ' if self.source else ''}{len(self.frame):,} rows)"

    def on(self, ground: Ground) -> gpd.GeoDataFrame:
        """Give the sites; see `Places.on`.

        Raises
        ------
        InputError
            A row has no geometry, or what it says of role, cost or capacity makes no
            sense; the message names the rows.
        """
        frame = self.frame
        require_crs(frame)
        shapes = in_degrees(gpd.GeoDataFrame(geometry=frame.geometry)).geometry
        lost = shapes.isna() | shapes.is_empty
        if lost.any():
            raise InputError(text("site.no_geometry", rows=_rows(frame, lost)))
        areas = shapes.geom_type != "Point"
        shapes = shapes.where(~areas, shapes.representative_point())
        ids = self._words("id")
        numbers = range(1, len(frame) + 1)
        counted = pd.Series([f"{self.prefix}{row}" for row in numbers], frame.index)
        upgrades = self._words("upgrades")
        sites = _table(
            shapes.reset_index(drop=True),
            id=ids.where(ids != "", counted).to_numpy(),
            name=self._words("name").to_numpy(),
            kind=np.where(upgrades != "", "upgrade", "point"),
            role=self._roles().to_numpy(),
            cost=self._numbers("cost", self.cost),
            capacity=self._numbers("capacity", self.capacity),
            upgrades=upgrades.where(upgrades != "", None).to_numpy(),
        )
        return _moved_to(sites, ground.existing)

    def _column(self, role: str) -> pd.Series | None:
        kind = "place" if role == "name" else "site"
        named = columns.find(self.frame.columns, columns.usual(kind, role))
        return None if named is None else self.frame[named]

    def _words(self, role: str) -> pd.Series:
        values = self._column(role)
        if values is None:
            return pd.Series("", self.frame.index, dtype=object)
        return values.map(_word).astype(object)

    def _numbers(self, role: str, own: float | None) -> Floats:
        usual = np.nan if own is None else own
        values = self._column(role)
        if values is None:
            return np.full(len(self.frame), usual)
        numbers, wrong = coordinates.numbers(values.map(_word).astype("str"))
        wrong |= numbers < 0
        if wrong.any():
            told = {"column": values.name, "rows": _rows(self.frame, wrong)}
            raise InputError(text("site.numbers", **told))
        return np.where(np.isnan(numbers), usual, numbers)

    def _roles(self) -> pd.Series:
        values = self._column("role")
        if values is None:
            return pd.Series(int(Role.CANDIDATE), self.frame.index)
        usual = columns.names()["site_role"]
        known = {columns.bare(w): Role[role.upper()] for role, ws in usual.items() for w in ws}
        plain = values.map(_word).map(columns.bare)
        roles = plain.map({**known, "": Role.CANDIDATE})
        wrong = roles.isna()
        if wrong.any():
            raise InputError(
                text(
                    "site.role",
                    rows=_rows(self.frame, wrong),
                    found=", ".join(sorted(set(plain[wrong]))[:_SHOWN]),
                    known=", ".join(word for words in usual.values() for word in words),
                )
            )
        return roles.astype(int)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Facilities of the service that the city lists as candidates or planned.

    Attributes
    ----------
    statuses
        Which of the layer's ``planned`` and ``candidate``.
    cost
        Of each; None for the problem's own. Capacities are the layer's.
    """

    statuses: tuple[Status, ...] = ("planned", "candidate")
    cost: float | None = None

    def __post_init__(self) -> None:
        known = tuple(status for status in STATUSES if status != "existing")
        wrong = [status for status in self.statuses if status not in known]
        if wrong:
            raise InputError(text("site.statuses", found=", ".join(wrong), known=", ".join(known)))

    def on(self, ground: Ground) -> gpd.GeoDataFrame:
        """Give the sites; see `Places.on`."""
        layer = ground.city.facilities
        chosen = (layer["service"] == ground.service.key) & layer["status"].isin(self.statuses)
        if "entrance_of" in layer:
            chosen &= layer["entrance_of"].isna()
        rows = layer[chosen]
        return _table(
            rows.geometry.reset_index(drop=True),
            id=rows["id"].to_numpy(),
            name=rows["name"].to_numpy(),
            kind="listed",
            cost=self.cost,
            capacity=rows["capacity"].to_numpy(dtype=float),
        )


@dataclass(frozen=True, kw_only=True)
class Upgrades:
    """Existing facilities that may be enlarged.

    Attributes
    ----------
    capacity
        What each holds afterwards.
    cost
        Of each; None for the problem's own.
    ids
        Which; all that are open and hold less when empty.
    """

    capacity: float
    cost: float | None = None
    ids: tuple[str, ...] = ()

    def on(self, ground: Ground) -> gpd.GeoDataFrame:
        """Give the sites; see `Places.on`.

        Raises
        ------
        InputError
            There is no open facility of such an id.
        """
        there = ground.existing
        stray = [one for one in self.ids if one not in set(there["id"])]
        if stray:
            raise InputError(text("site.upgrade_unknown", found=", ".join(stray[:_SHOWN])))
        chosen = there["id"].isin(self.ids) if self.ids else there["capacity"] < self.capacity
        rows = there[chosen]
        return _table(
            rows.geometry.reset_index(drop=True),
            id=[f"{one}+" for one in rows["id"]],
            name=rows["name"].to_numpy(),
            kind="upgrade",
            cost=self.cost,
            capacity=self.capacity,
            upgrades=rows["id"].to_numpy(),
        )


def widened(network: Network, spacing: float, *, most: int) -> float:
    """Widen the spacing of junctions until there are not many more than so many.

    Parameters
    ----------
    network
        The streets.
    spacing
        To begin with, in metres.
    most
        How many junctions.
    """
    while (count := len(_junctions(network, spacing)[2])) > most:
        # Rounded up, so that it reads well.
        spacing = float(np.ceil(spacing * max(np.sqrt(count / most), 1.05) / 50) * 50)
    return spacing


def _junctions(network: Network, spacing: float) -> tuple[Ints, Floats, Ints]:
    """Junctions of streets that are not cut off, where they lie, and which are kept."""
    usable = ~network.cut_off
    ends = np.concatenate([network.u[usable], network.v[usable]])
    nodes, streets = np.unique(ends, return_counts=True)
    xy = network.places[nodes]
    return nodes, xy, thinned(xy, spacing, np.lexsort((nodes, -streets)))


def _meeting(network: Network, nodes: Ints) -> list[str]:
    """Names of the streets that meet at each junction, two at most."""
    named = network.streets["name"].fillna("").to_numpy(dtype=object)
    place = np.full(network.nodes, -1, dtype=np.int64)
    place[nodes] = np.arange(len(nodes))
    names: list[dict[str, None]] = [{} for _ in nodes]
    for street in np.flatnonzero(
        (named != "") & ((place[network.u] >= 0) | (place[network.v] >= 0))
    ):
        for end in (network.u[street], network.v[street]):
            if place[end] >= 0:
                names[place[end]][named[street]] = None
    return [" / ".join(list(some)[:2]) for some in names]


def thinned(xy: Floats, spacing: float, order: Ints | Sequence[int]) -> Ints:
    """Keep points so that no two lie nearer than a spacing, and none could be added.

    Parameters
    ----------
    xy
        (n, 2) where they lie, in metres.
    spacing
        In metres; exactly so far apart is far enough.
    order
        In which they are taken.

    Returns
    -------
    Rows of those kept, in that order.

    Examples
    --------
    >>> thinned(np.array([[0.0, 0], [3, 0], [5, 0]]), 4, [0, 1, 2])
    array([0, 2])
    """
    tree = cKDTree(xy)
    free = np.ones(len(xy), dtype=bool)
    kept = []
    # What lies exactly at the spacing stays.
    radius = spacing - SLACK
    for row in order:
        if free[row]:
            kept.append(int(row))
            free[tree.query_ball_point(xy[row], max(radius, 0.0))] = False
    return np.array(kept, dtype=np.int64)


def sites_of(several: Sequence[Places], ground: Ground) -> gpd.GeoDataFrame:
    """Put the sites of several kinds of places into one table.

    Ids that a facility of the city has already, or that stand twice, get a ``+``, for a
    new facility needs one of its own.

    Parameters
    ----------
    several
        The places.
    ground
        What they are looked for on.

    Raises
    ------
    InputError
        A row makes no sense; the message names it.
    """
    tables = [one.on(ground) for one in several]
    whole = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    taken = set(ground.city.facilities["id"])
    ids = []
    for name in whole["id"]:
        own = str(name)
        while own in taken:
            own += "+"
        taken.add(own)
        ids.append(own)
    return gpd.GeoDataFrame(whole.assign(id=ids), geometry="geometry", crs=GEOGRAPHIC)


def _table(points: gpd.GeoSeries, **values: object) -> gpd.GeoDataFrame:
    usual = {"name": "", "role": int(Role.CANDIDATE), "upgrades": None}
    table = gpd.GeoDataFrame({**usual, **values}, geometry=points, index=range(len(points)))
    if points.crs != GEOGRAPHIC:
        table = table.to_crs(GEOGRAPHIC)
    return table[[*COLUMNS, "geometry"]].astype(
        {"cost": float, "capacity": float, "role": int, "upgrades": object}
    )


def _moved_to(sites: gpd.GeoDataFrame, existing: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Put rows that enlarge a facility where it stands."""
    grows = sites["upgrades"].notna()
    if not grows.any():
        return sites
    place = existing.set_index("id").geometry
    stray = grows & ~sites["upgrades"].isin(place.index)
    if stray.any():
        found = ", ".join(sites.loc[stray, "upgrades"].head(_SHOWN))
        raise InputError(text("site.upgrade_unknown", found=found))
    shapes = np.asarray(sites.geometry.array).copy()
    shapes[grows.to_numpy()] = place.loc[sites.loc[grows, "upgrades"]].to_numpy()
    return sites.set_geometry(gpd.GeoSeries(shapes, sites.index, crs=sites.crs))


def inside(sites: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> np.ndarray:
    """Whether each site lies within any of some areas, their borders included."""
    require_crs(areas)
    shapes = in_degrees(gpd.GeoDataFrame(geometry=areas.geometry)).geometry
    wrong = ~shapes.geom_type.isin(["Polygon", "MultiPolygon"])
    if wrong.any():
        raise InputError(text("site.no_area", rows=_rows(shapes.to_frame(), wrong)))
    found = shapely.STRtree(np.asarray(shapes.array)).query(
        np.asarray(sites.geometry.array), predicate="intersects"
    )[0]
    within = np.zeros(len(sites), dtype=bool)
    within[found] = True
    return within


def _rows(frame: pd.DataFrame, wrong: object) -> str:
    some = frame.index[np.asarray(wrong, dtype=bool)]
    return ", ".join(map(str, some[:_SHOWN])) + ("…" if len(some) > _SHOWN else "")


def _word(value: object) -> str:
    """Cell as a word; what is missing is empty, and a whole number has no decimals."""
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA:
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()
