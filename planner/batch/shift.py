"""What a worker does: the variants of one city, to tables and what went wrong."""

from __future__ import annotations

import io
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa

from layers.crs import GEOGRAPHIC
from layers.errors import PlannerError
from layers.messages import speaking
from planner.batch.study import Place
from planner.changes import CloseStreet
from planner.coverage import coverage
from planner.scenario import Scenario
from planner.siting.site import site
from planner.siting.sources import changed, problem_of
from planner.standards import load_services
from planner.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layers.messages import Language
    from planner.batch.study import Shift
    from planner.coverage import Coverage
    from planner.standards import Service, Services

_HELD = 2
"""Cities that a worker keeps open: of one it is given several partitions in a row."""
_lock = threading.Lock()
_benches: OrderedDict[tuple[str, str], Workbench] = OrderedDict()


@dataclass(frozen=True)
class Task:
    """A partition that is to be computed.

    Attributes
    ----------
    shift
        Its work.
    digest
        What tells its result from any other.
    fingerprint
        What tells the city's content from that of another day.
    """

    shift: Shift
    digest: str
    fingerprint: str


@dataclass(frozen=True, repr=False)
class Made:
    """What came of a partition.

    Attributes
    ----------
    tables
        Content of a GeoParquet file by kind of result: ``coverage``, ``sitings``,
        ``sites``.
    rows
        Rows of each.
    failed
        Why, of each variant that could not be computed, by its name.
    seconds
        How long it took.
    labels
        What the city has to be marked with: modelled, a stand-in.
    """

    tables: Mapping[str, bytes]
    rows: Mapping[str, int]
    failed: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    labels: Sequence[str] = ()

    def __repr__(self) -> str:
        rows = ", ".join(f"{count} {kind}" for kind, count in self.rows.items())
        return f"<Made: {rows or 'nothing'}, {len(self.failed)} failed, {self.seconds:.1f} s>"


def work(plain: Mapping[str, Any], fingerprint: str, lang: Language) -> Made:
    """Compute a partition.

    Parameters
    ----------
    plain
        What to do, as `Shift.plain` gives it.
    fingerprint
        What tells the city's content from that of an earlier day.
    lang
        Language of what is said where something cannot be computed.

    Returns
    -------
    The tables. A variant that cannot be computed is told by its name, and the others are
    computed all the same; a city that cannot be opened is told under no name.
    """
    begun = time.perf_counter()
    # Two threads would each open the city and share its processors.
    with _lock, speaking(lang):
        try:
            path = plain["services"]
            services = load_services(None if path is None else Path(path))
            bench = _bench(Place(**plain["city"]), fingerprint, services)
        except PlannerError as wrong:
            return Made({}, {}, {"": str(wrong)}, time.perf_counter() - begun)
        found: dict[str, list[gpd.GeoDataFrame]] = {}
        failed: dict[str, str] = {}
        worlds: dict[str, tuple[Scenario, Workbench]] = {}
        for variant in plain["variants"]:
            try:
                for kind, table in _computed(variant, plain, bench, services, worlds).items():
                    table.insert(0, "variant", variant["name"])
                    table.insert(0, "place", plain["city"]["name"])
                    found.setdefault(kind, []).append(table)
            except PlannerError as wrong:
                failed[variant["name"]] = str(wrong)
        tables = {kind: _together(some) for kind, some in found.items()}
        return Made(
            tables={kind: _parquet(table) for kind, table in tables.items()},
            rows={kind: len(table) for kind, table in tables.items()},
            failed=failed,
            seconds=time.perf_counter() - begun,
            labels=tuple(bench.city.labels()),
        )


def _bench(place: Place, fingerprint: str, services: Services) -> Workbench:
    key = (place.where, fingerprint)
    if key in _benches:
        _benches.move_to_end(key)
    else:
        while len(_benches) >= _HELD:
            _benches.popitem(last=False)
        _benches[key] = Workbench(place.open(), services=services)
    return _benches[key]


def _computed(
    variant: Mapping[str, Any],
    plain: Mapping[str, Any],
    bench: Workbench,
    services: Services,
    worlds: dict[str, tuple[Scenario, Workbench]],
) -> dict[str, gpd.GeoDataFrame]:
    """Tables by kind of result."""
    if variant.get("siting") is not None:
        return _sited(variant, plain, bench, services)
    key = str(variant["scenario"])
    if key not in worlds:
        # The last alone is kept: variants of one scenario come one after the other, or
        # cost no more than a copy of the facilities.
        worlds.clear()
        worlds[key] = _world(Scenario.from_dict(variant["scenario"]), bench, services)
    scenario, own = worlds[key]
    service = services[variant["service"]]
    result = _covered(own, service, variant)
    table = result.by(plain["level"], plain["group"])
    standard = result.standard
    head = {
        "service": service.key,
        "scenario": scenario.name,
        "year": variant.get("year"),
        "standard": standard.words("zh"),
        "mode": standard.mode,
        "cutoff": standard.cutoff,
        "unit": standard.unit,
        "group": plain["group"] or standard.group,
    }
    return {"coverage": _placed(table, head, bench)}


def _world(scenario: Scenario, bench: Workbench, services: Services) -> tuple[Scenario, Workbench]:
    """City under a scenario; its streets are compiled again only where some are closed."""
    if not scenario.changes:
        return scenario, bench
    city = scenario.apply(bench.city, services=services)
    if any(isinstance(change, CloseStreet) for change in scenario.changes):
        return scenario, Workbench(city, services=services)
    return scenario, bench.of(city)


def _covered(bench: Workbench, service: Service, variant: Mapping[str, Any]) -> Coverage:
    standard = service.standard
    if variant["standard"]:
        standard = changed(standard, variant["standard"])
    return coverage(
        bench.city,
        service,
        standard=standard,
        year=variant.get("year"),
        network=bench.network(standard),
        homes=bench.homes(standard),
    )


def _sited(
    variant: Mapping[str, Any],
    plain: Mapping[str, Any],
    bench: Workbench,
    services: Services,
) -> dict[str, gpd.GeoDataFrame]:
    west, south, east, north = bench.city.units.total_bounds
    problem = problem_of(
        variant["siting"],
        Path(plain["folder"]) / variant["name"],
        near=(west, south, east, north),
        usual={key: service.standard for key, service in services.items()},
    ).problem
    standard = problem.standard or services[problem.service].standard
    result = site(
        bench.city,
        problem,
        services=services,
        network=bench.network(standard),
        homes=bench.homes(standard),
        **variant["solver"],
    )
    head = {
        "service": problem.service,
        "model": problem.model,
        "status": result.status,
        "objective": result.objective,
        "bound": result.bound,
        "gap": result.gap,
        "told": " ".join(result.words("zh")),
    }
    rates = _placed(result.by(plain["level"]), head, bench)
    sites = result.sites.to_crs(GEOGRAPHIC).reset_index(drop=True)
    # The words of the answer stand once, beside the rates.
    for name in reversed(("service", "model", "status")):
        sites.insert(0, name, head[name])
    return {"sitings": rates, "sites": sites}


def _placed(table: pd.DataFrame, head: Mapping[str, Any], bench: Workbench) -> gpd.GeoDataFrame:
    """Figures of units with their areas and what they are figures of."""
    units = bench.city.units
    areas = units.drop_duplicates("code").set_index("code").geometry.to_crs(GEOGRAPHIC)
    shapes = gpd.GeoSeries(areas.reindex(table["code"]).to_numpy(), crs=GEOGRAPHIC)
    before = pd.DataFrame(
        {
            name: pd.Series([value] * len(table), dtype="Int64" if name == "year" else None)
            for name, value in head.items()
        }
    )
    table = pd.concat([before, table.reset_index(drop=True)], axis=1)
    return gpd.GeoDataFrame(table, geometry=shapes, crs=GEOGRAPHIC)


def _together(tables: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Join tables in their order; a column may be missing, or be empty, in some of them."""
    parts = [
        pa.Table.from_pandas(pd.DataFrame(table.drop(columns="geometry")), preserve_index=False)
        for table in tables
    ]
    joined = pa.concat_tables(parts, promote_options="permissive")
    # Words that stand nowhere in this file may stand in the next.
    kinds = [
        one.with_type(pa.string()) if pa.types.is_null(one.type) else one for one in joined.schema
    ]
    joined = joined.cast(pa.schema(kinds))
    # A missing number of sites or facilities does not make the others fractions.
    whole = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    table = joined.to_pandas(types_mapper=whole.get, ignore_metadata=True)
    shapes = np.concatenate([np.asarray(table.geometry.array) for table in tables])
    return gpd.GeoDataFrame(table, geometry=shapes, crs=GEOGRAPHIC)


def _parquet(table: gpd.GeoDataFrame) -> bytes:
    stream = io.BytesIO()
    table.to_parquet(stream, index=False)
    return stream.getvalue()
