"""Every set of new sites in the tiny city, each told by `coverage` of the changed city."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, combinations

import geopandas as gpd
import numpy as np
import shapely
from scipy.optimize import linprog

from planner import Open, Scenario, Standard, coverage, load_services
from planner.standards import Services

SERVICE = "home_care_centre"
EPS = 1e-6

# Metres east and north of the tiny city's south-west junction.
_PLACES = [(40, 810), (410, 1190), (830, 390), (1190, 820), (1600, 1210), (1230, 10)]
EAST, NORTH = 514_000.0, 3_350_000.0


def candidates(**columns):
    points = [shapely.Point(EAST + x, NORTH + y) for x, y in _PLACES]
    ids = [f"S{number}" for number in range(len(points))]
    return gpd.GeoDataFrame({"id": ids, **columns}, geometry=points, crs=4549)


@dataclass(frozen=True, eq=False)
class Subsets:
    """What each set of the six sites comes to."""

    city: object
    service: object

    @classmethod
    def of(cls, city, **standard):
        own = load_services()[SERVICE]
        told = Standard(group="age_60_plus", source="made by hand", **standard)
        return cls(city, replace(own, standard=told))

    @property
    def services(self):
        return Services({SERVICE: self.service})

    @cached_property
    def degrees(self):
        return candidates().to_crs(4326).geometry

    def opened(self, some, city=None):
        here = city or self.city
        changes = [
            Open(service=SERVICE, place=(self.degrees[s].x, self.degrees[s].y), id=f"S{s}")
            for s in some
        ]
        return coverage(Scenario(tuple(changes)).apply(here), self.service)

    @cached_property
    def every(self):
        """Coverage by set of sites."""
        sites = range(len(_PLACES))
        sets = chain.from_iterable(combinations(sites, many) for many in range(len(sites) + 1))
        return {some: self.opened(some) for some in sets}

    @cached_property
    def alone(self):
        """(sites + existing, rows) distance to each alone: the six, then what exists."""
        layer = self.city.facilities
        empty = replace(self.city, facilities=layer[layer["service"] != SERVICE])
        rows = [self.opened([s], empty).demand["distance"] for s in range(len(_PLACES))]
        for one in self.existing:
            only = layer[(layer["service"] != SERVICE) | (layer["id"] == one)]
            here = coverage(replace(self.city, facilities=only), self.service)
            rows.append(here.demand["distance"])
        return np.nan_to_num(np.array(rows), nan=np.inf)

    @cached_property
    def existing(self):
        return list(self.every[()].facilities["id"])

    @cached_property
    def people(self):
        return self.city.population["age_60_plus"].to_numpy(float)

    @property
    def cutoff(self):
        return self.service.standard.cutoff

    def served(self, some):
        return float(self.every[some].total()["served"])

    def rates(self, some, level):
        table = self.every[some].by(level)
        return dict(zip(table["code"], table["rate"], strict=True))

    def distance(self, some):
        return np.nan_to_num(self.every[some].demand["distance"].to_numpy(), nan=np.inf)

    def near(self, some):
        """(sites, rows) which of the open sites come near which rows."""
        there = [*some, *range(len(_PLACES), len(self.alone))]
        return self.alone[there] <= self.cutoff + EPS

    def allocated(self, some, capacity, *, cost=None, everyone=False, least=0.0, floors=()):
        """Most people served within capacities, or the least cost of serving everyone."""
        there = [*some, *range(len(_PLACES), len(self.alone))]
        reach = np.inf if cost is not None else self.cutoff + EPS
        entries = [
            (at, row)
            for at, s in enumerate(there)
            for row in np.flatnonzero((self.alone[s] <= reach) & np.isfinite(self.alone[s]))
        ]
        can = np.isfinite(self.alone).any(axis=0)
        if cost is None:
            can = (self.alone <= reach).any(axis=0)
        upper, bound, equal, exact = [], [], [], []
        for at, s in enumerate(there):
            if np.isfinite(capacity[s]):
                upper.append([float(a == at) for a, _ in entries])
                bound.append(capacity[s])
        for row, many in enumerate(self.people):
            part = [float(r == row) for _, r in entries]
            if everyone and can[row]:
                equal.append(part)
                exact.append(many)
            else:
                upper.append(part)
                bound.append(many)
        if least:
            upper.append([-1.0] * len(entries))
            bound.append(EPS / 2 - least)
        for unit, rate in dict(floors).items():
            inside = (self.city.population_units == unit).any(axis=1).to_numpy()
            upper.append(
                [
                    -float(inside[r] and self.alone[there[a], r] <= self.cutoff + EPS)
                    for a, r in entries
                ]
            )
            bound.append(EPS / 2 - rate * self.people[inside].sum())
        price = [self.alone[there[a], r] if cost is not None else -1.0 for a, r in entries]
        if not entries:
            return 0.0 if not everyone and not least else None
        found = linprog(
            price,
            A_ub=np.array(upper) if upper else None,
            b_ub=bound or None,
            A_eq=np.array(equal) if equal else None,
            b_eq=exact or None,
        )
        if found.status != 0:
            return None
        return found.fun if cost is not None else -found.fun
