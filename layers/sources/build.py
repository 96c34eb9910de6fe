"""A city out of source files."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import CRS

from layers import facilities as facility_layer
from layers import population as population_layer
from layers import streets as street_layer
from layers import units as unit_layer
from layers.city import City, Provenance
from layers.crs import measuring_crs
from layers.errors import SourceError
from layers.findings import Finding, in_order, refuse_errors
from layers.messages import text
from layers.sources import (
    boundaries,
    cells,
    census,
    dasymetric,
    inhabitants,
    osm,
    people,
    places,
    raster,
    router,
)
from layers.sources.fetch.record import Record
from layers.sources.files import Source
from layers.sources.rejected import Rejected
from layers.sources.zones import Bounds

_WHOLE = 0.995
# Share of a district that lies among or near homes at least, unless homes are missing.
_SETTLED = 0.8
_UNSPREAD = ("people_unspread", "people_unknown")

# Homes lie within this distance of a street where streets form a network.
_NEAR_M = 400.0


@dataclass(frozen=True, kw_only=True)
class Built:
    """A city and what was found on the way to it.

    Attributes
    ----------
    city
        The city, checked.
    findings
        What was left out, clipped or squeezed, and what its layers' checks found.
    rejected
        Rows of its tables that could not be placed.
    """

    city: City
    findings: tuple[Finding, ...]
    rejected: tuple[Rejected, ...] = ()


def build_city(
    *,
    name: str,
    streets: Source,
    units: Sequence[Source],
    population: Source,
    facilities: Sequence[Source],
    name_en: str = "",
    area: str = "",
    services: tuple[str, ...] | None = None,
) -> Built:
    """Build a city out of source files.

    Parameters
    ----------
    name, name_en
        What it is called.
    streets
        A file of OpenStreetMap; a street layer with the columns of `layers.streets`; or a
        car router's network. Options of the first: ``margin``, the metres around a study
        area given in degrees within which streets are kept, and ``tags``, a table in
        place of ``osm.toml``.
    units
        Files of areas, one or more; of a file of OpenStreetMap the administrative
        boundaries, option ``levels``, such as ``6:district+8:township``.
    population
        Points with a column a group. Or, with the option ``weight``, cells whose counts
        in that column the census of 2020 is spread over by district. Option ``datum``
        says what the coordinates are in. Or a file of OpenStreetMap, over whose homes it
        is spread by their floor space. Or a raster, or, with the option ``over``, a table
        by unit; see `layers.sources.people`.
    facilities
        Tables of places, each of one service, or files of OpenStreetMap, whose tags say
        what a place is; none makes an empty layer.
    area
        Study area: empty for all, ``streets`` for where the streets form a network, or
        ``west,south,east,north`` in degrees. Units are clipped to it; people and
        facilities outside are left out and counted.
    services
        Keys of the known services.

    Raises
    ------
    SourceError
        A file cannot be read or become its layer.
    LayerError
        A layer has findings that stop the work.
    """
    box = None if area in {"", "streets"} else _box(area)
    ways, met, origin = read_streets(streets, box)
    city_name = {"city_name": name, "city_name_en": name_en or name}
    drawn, broken = _read_units(units)
    areas = boundaries.join_levels(drawn, **city_name)
    # A fault must be told before the row it is in counts as outside the study area.
    refuse_errors([*street_layer.check(ways), *unit_layer.check(areas)])
    crs = measuring_crs(areas)
    within = areas
    west, south, east, north = (float(side) for side in areas.total_bounds)
    near = (west, south, east, north)
    if area:
        box = box or _where_streets_are(ways, crs)
        within, clipped = _clip_units(areas, box, crs)
    residents, found, share, lost = _read_people(population, areas, within, ways, crs)
    sites, repeated, astray = _read_facilities(facilities, near)
    refuse_errors([*population_layer.check(residents), *facility_layer.check(sites)])
    if area:
        areas = within
        everybody = len(residents)
        residents, fewer = _within(residents, box, "population")
        if everybody and len(areas) and not len(residents):
            raise SourceError(text("error.area_nobody", count=everybody))
        sites, less = _within(sites, box, "facilities")
        found = [*_about(found, areas), *clipped, *fewer, *less]
    found += [*met, *broken, *cells.squeezed(share, areas), *repeated]
    made = City.of(
        name=name,
        name_en=name_en,
        streets=ways,
        units=areas,
        population=residents,
        facilities=sites,
        crs=crs,
        provenance=_stated(
            _provenance(origin, units, population, facilities, found),
            {
                "streets": [streets],
                "units": units,
                "population": [population],
                "facilities": facilities,
            },
            area,
        ),
    )
    told = in_order([*found, *made.findings(services=services)])
    return Built(city=made, findings=tuple(told), rejected=(*lost, *astray))


def read_streets(source: Source, box: Any) -> tuple[gpd.GeoDataFrame, list[Finding], Provenance]:
    """Read the streets: the layer, what was found on the way, and where it comes from."""
    origin = _origin([source])
    if osm.is_osm(source.path):
        source.allow("margin", "tags")
        margin = source.number("margin", osm.MARGIN_M)
        read = osm.read_streets(source.path, area=box, margin=margin, rules=_rules(source))
        return read.streets, list(read.findings), replace(origin, date=read.date or origin.date)
    head = source.read_features()
    if not {"u", "v", "speed_kmh"} <= set(head.columns):
        return router.read(source), [], origin
    source.allow("layer", "crs", "datum")
    router.refuse_unknown_nodes(source, head, "u", "v")
    return street_layer.conform(source.in_wgs84(head)), [], origin


def _read_units(sources: Sequence[Source]) -> tuple[list[gpd.GeoDataFrame], list[Finding]]:
    """Read the units: a layer a source, and what was found on the way."""
    layers, found = [], []
    for source in sources:
        if not osm.is_osm(source.path):
            layers.append(boundaries.read(source))
            continue
        source.allow("levels", "tags")
        wanted = osm.levels(source.options.get("levels", osm.USUAL_LEVELS))
        layer, more = osm.read_units(source.path, wanted=wanted, table=_tags(source))
        layers.append(layer)
        found += more
    return layers, found


def _is_spread(source: Source) -> bool:
    """Whether the census is spread over cells rather than people given."""
    cells_given = "weight" in source.options or osm.is_osm(source.path)
    return cells_given and "over" not in source.options


def _read_people(
    source: Source,
    areas: gpd.GeoDataFrame,
    within: gpd.GeoDataFrame,
    ways: gpd.GeoDataFrame,
    crs: CRS,
) -> tuple[gpd.GeoDataFrame, list[Finding], pd.Series, list[Rejected]]:
    """Read the people; `within` are the units as the study area clips them."""
    whole = pd.Series(dtype="float64")
    if raster.is_raster(source.path):
        return *people.from_raster(source, areas, within, ways, crs), whole, []
    if "over" in source.options:
        return *people.from_units(source, areas, ways, crs), []
    if not _is_spread(source):
        west, south, east, north = (float(side) for side in areas.total_bounds)
        layer, told, lost = inhabitants.read(source, near=(west, south, east, north))
        if set(population_layer.GROUPS) <= set(layer.columns):
            return layer, told, whole, [lost]
        # Groups that it does not count have their share of the census.
        return *people.from_points(source, areas), whole, []
    districts = areas[areas["level"] == "district"]
    if osm.is_osm(source.path):
        source.allow("tags")
        homes, met = osm.read_homes(source.path, table=osm.HomeTable.read(_tags(source)))
        floors = cells.Cells(homes["weight"].to_numpy(), homes.geometry)
        housed, found = cells.spread(floors, districts, census.atoms())
        # Homes leave hills and water free; those of a file that was cut lie in a corner.
        drawn = dasymetric.Weights(points=floors.middles, amount=floors.count)
        share = dasymetric.reach(drawn, districts["code"], districts, crs)
        return housed, [*met, *found], _spread_over(share[share < _SETTLED], found), []
    source.allow("weight", *cells.OPTIONS)
    weights = cells.read(source, source.need("weight"))
    spread, found = cells.spread(weights, districts, census.atoms())
    share = cells.covered_share(weights, districts, crs)
    return spread, found, _spread_over(share, found), []


def _spread_over(share: pd.Series, found: Sequence[Finding]) -> pd.Series:
    """Shares of the units whose people were spread at all."""
    nobody = {code for one in found if one.code in _UNSPREAD for code in one.rows}
    return share[~share.index.isin(nobody)]


def _read_facilities(
    sources: Sequence[Source], near: Bounds
) -> tuple[gpd.GeoDataFrame, list[Finding], list[Rejected]]:
    if not sources:
        empty = gpd.GeoDataFrame({"id": [], "service": []}, geometry=[], crs=4326)
        return facility_layer.conform(empty), [], []
    layers, found, astray = [], [], []
    numbered: Counter[str] = Counter()
    for source in sources:
        if osm.is_osm(source.path):
            layer, told = _from_tags(source)
        else:
            read = places.read(source, near=near)
            layer, told = read.layer, list(read.findings)
            astray += [read.rejected] if read.rejected is not None else []
        found += told
        service = source.options.get("service")
        if service is not None and not osm.is_osm(source.path):
            # Several files may give one service: number through all of them.
            first = numbered[service] + 1
            numbered[service] += len(layer)
            layer["id"] = [f"{service}-{n:05d}" for n in range(first, first + len(layer))]
        layers.append(layer)
    joined = pd.concat(layers, ignore_index=True)
    return facility_layer.conform(joined), found, astray


def _from_tags(source: Source) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Read facilities out of a file of OpenStreetMap."""
    source.allow("service", "tags", "stands_for")
    service = source.options.get("service")
    layer, found = osm.read_places(source.path, service=service, rules=_rules(source))
    if stand_in := source.options.get("stands_for"):
        layer["venue"] = stand_in
    return layer, found


def _rules(source: Source) -> osm.Rules:
    return osm.Rules.read(_tags(source))


def _tags(source: Source) -> Path | None:
    """Table of tags that a source's options name."""
    return Path(source.options["tags"]) if "tags" in source.options else None


def _box(words: str) -> Any:
    """Study area out of ``west,south,east,north``."""
    try:
        west, south, east, north = (float(part) for part in words.split(","))
    except ValueError as wrong:
        raise SourceError(text("error.area_wrong", found=words)) from wrong
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):  # noqa: PLR2004 - degrees
        raise SourceError(text("error.area_wrong", found=words))
    return shapely.box(west, south, east, north)


def _where_streets_are(ways: gpd.GeoDataFrame, crs: CRS) -> Any:
    """Where streets form a network: near one, but not along a lone road that leads out."""
    lines = ways.to_crs(crs).geometry.array
    near = shapely.union_all(shapely.buffer(lines, _NEAR_M, quad_segs=2))
    wide = near.buffer(-_NEAR_M - 50).buffer(_NEAR_M)
    filled = [shapely.Polygon(part.exterior) for part in shapely.get_parts(wide)]
    if not filled:
        raise SourceError(text("error.area_no_network"))
    whole = gpd.GeoSeries([shapely.union_all(filled)], crs=crs).simplify(25)
    return whole.to_crs(ways.crs).iloc[0]


def _clip_units(
    areas: gpd.GeoDataFrame, box: Any, crs: CRS
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    met = areas[areas.intersects(box)]
    shapes = shapely.intersection(met.geometry.array, box)
    # A clip may leave points and lines where a border only touches.
    solid = [_polygons(shape) for shape in shapes]
    clipped = met.set_geometry(gpd.GeoSeries(solid, index=met.index, crs=areas.crs))
    share = clipped.to_crs(crs).area / met.to_crs(crs).area
    kept = clipped[share > 0].reset_index(drop=True)
    # Borders need not nest to the metre: a parent may be left wholly outside.
    kept["parent"] = kept["parent"].where(kept["parent"].isin(kept["code"]), None)
    partly = (share > 0) & (share < _WHOLE)
    told = ", ".join(
        f"{unit} {part:.0%}" for unit, part in zip(met["name"][partly], share[partly], strict=True)
    )
    if not told:
        return kept, []
    rows = tuple(met["code"][partly])
    return kept, [
        Finding(
            layer="units",
            code="unit_clipped",
            severity="warning",
            rows=rows,
            values={"found": told},
        )
    ]


def _polygons(shape: Any) -> Any:
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def _within(layer: gpd.GeoDataFrame, box: Any, key: str) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    inside = layer.intersects(box)
    if inside.all():
        return layer, []
    left = layer[~inside]
    values, code = {"count": len(left)}, "rows_outside_area"
    if "residents" in left:
        values, code = {**values, "people": left["residents"].sum()}, "residents_outside_area"
    return layer[inside].reset_index(drop=True), [
        Finding(layer=key, code=code, severity="info", values=values)
    ]


def _about(found: list[Finding], areas: gpd.GeoDataFrame) -> list[Finding]:
    """Keep the findings that still speak of a unit there is."""
    codes = set(areas["code"])
    kept = []
    for finding in found:
        rows = tuple(row for row in finding.rows if row in codes)
        if rows or not finding.rows:
            kept.append(replace(finding, rows=rows))
    return kept


def _origin(sources: Sequence[Source]) -> Provenance:
    """Name source files, with what is known of them: where they were downloaded, whose they are."""
    paths = list(dict.fromkeys(source.path for source in sources))
    records = [record for path in paths if (record := Record.of_whole(path))]
    theirs = any(osm.is_osm(path) for path in paths)

    def every(key: str, *usual: str) -> str:
        said = dict.fromkeys([*usual, *(getattr(record, key) for record in records)])
        return "; ".join(word for word in said if word)

    names = ", ".join(dict.fromkeys(path.name for path in paths))
    whose = every("source", osm.AUTHORS if theirs else "")
    return Provenance(
        source=f"{names}; {whose}" if whose else names,
        licence=every("licence", osm.LICENCE if theirs else ""),
        date=min((record.date[:10] for record in records if record.date), default=""),
        notes=tuple(note for record in records for note in record.notes()),
    )


def _provenance(
    streets: Provenance,
    units: Sequence[Source],
    population: Source,
    facilities: Sequence[Source],
    found: Sequence[Finding],
) -> dict[str, Provenance]:
    def notes(layer: str) -> tuple[str, ...]:
        return tuple(
            f"{finding.words('message', 'zh')} / {finding.words('message', 'en')}"
            for finding in found
            if finding.layer == layer
        )

    stand_ins = [
        f"{source.options.get('service', '')}: {source.options['stands_for']}"
        for source in facilities
        if source.options.get("stands_for")
    ]
    stand_in_notes = tuple(
        text("source.stands_for", "zh", found=told)
        + " / "
        + text("source.stands_for", "en", found=told)
        for told in stand_ins
    )
    spread = _is_spread(population)
    drawn, counted, sites = (_origin(one) for one in (units, [population], facilities))
    made = f"{counted.source}; 2020 census" if spread else counted.source
    if "over" in population.options:
        made = f"{made}; {people.over(population)}"
    return {
        "streets": replace(streets, notes=(*streets.notes, *notes("streets"))),
        "units": replace(drawn, notes=(*drawn.notes, *notes("units"))),
        "population": replace(
            counted,
            source=made,
            date="2020" if spread else counted.date,
            notes=(*counted.notes, *notes("population")),
        ),
        "facilities": replace(
            sites,
            stand_in=bool(stand_ins),
            notes=(*sites.notes, *stand_in_notes, *notes("facilities")),
        ),
    }


def _stated(
    known: dict[str, Provenance], sources: dict[str, Sequence[Source]], area: str
) -> dict[str, Provenance]:
    """Add how each layer was made, and what the user says of its sources."""
    program = f"coverage-planner {version('coverage-planner')}"
    within = f"; area {area}" if area else ""
    told = {}
    for key, entry in known.items():
        said = {
            option: "; ".join(
                dict.fromkeys(one.options[option] for one in sources[key] if option in one.options)
            )
            for option in ("source", "licence", "date")
        }
        if said["source"]:
            said["source"] = f"{said['source']}; {entry.source}"
        used = "; ".join(one.words for one in sources[key])
        told[key] = replace(
            entry,
            source=said["source"] or entry.source,
            licence=said["licence"] or entry.licence,
            date=said["date"] or entry.date,
            made=f"{program}: {used}{within}",
        )
    return told
