"""Layers of a report's GeoPackage: units with their figures, gap, facilities, streets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.report.model import Column, Layer
from planner.report.phrase import Phrase, entry, phrase
from planner.report.values import Band

if TYPE_CHECKING:
    from planner.report.coverage import ServiceReport
    from planner.report.values import Value

_CELL = 0.05
"""Degrees: side of the cells by which streets of a layer are joined."""


def service_layers(service: ServiceReport) -> list[Layer]:
    """Make the layers of a service: units, gap, facilities, stretches.

    Parameters
    ----------
    service
        What is told of the service.
    """
    return [*_units(service), _gap(service), _facilities(service), _stretches(service)]


def _units(service: ServiceReport) -> list[Layer]:
    made = []
    units = service.result.city.units.set_index("code")
    columns = {column.key: column for column in service.units.columns}
    numbers = {key: place for place, key in enumerate(columns)}
    for level in [
        level for level in service.result.levels if level != "city"
    ] or service.result.levels:
        rows = [service.units.rows[number] for number in service.rows_of(level)]
        rows = [row for row in rows if _code(row[numbers["code"]])]
        told: dict[str, list[Any]] = {}
        aliases: dict[str, Phrase] = {}
        for key, column in columns.items():
            for name, alias, values in _flat(column, [row[numbers[key]] for row in rows]):
                told[name], aliases[name] = values, alias
        shapes = units.geometry.loc[told["code"]].reset_index(drop=True)
        frame = _framed(told, shapes)
        title = phrase("layer.rates", service=service.name, level=entry(f"level.{level}"))
        made.append(
            Layer(
                name=f"{service.key}_{level}",
                title=title,
                frame=frame,
                aliases=aliases,
                style="rates",
            )
        )
    return made


def _gap(service: ServiceReport) -> Layer:
    gap = service.result.gap()
    told = {
        "people": gap["people"].tolist(),
        "distance": gap["distance"].where(np.isfinite(gap["distance"])).tolist(),
        "facility": gap["facility"].tolist(),
        "reason": gap["reason"].tolist(),
    }
    aliases = {
        "people": service.group_head("people"),
        "distance": phrase("alias.distance", unit=service.unit),
        "facility": phrase("alias.nearest"),
        "reason": phrase("alias.reason"),
    }
    return Layer(
        name=f"{service.key}_gap",
        title=phrase("layer.gap", service=service.name),
        frame=_framed(told, gap.geometry.reset_index(drop=True)),
        aliases=aliases,
        style="gap",
    )


def _facilities(service: ServiceReport) -> Layer:
    sites = service.result.facilities
    names = ["id", "name", "status", "opened", "closed", "capacity", "venue", "source"]
    names += ["access", "reason"]
    told = {name: sites[name].tolist() for name in names if name in sites}
    return Layer(
        name=f"{service.key}_facilities",
        title=phrase("layer.facilities", service=service.name),
        frame=_framed(told, sites.geometry.reset_index(drop=True)),
        aliases={name: phrase(f"alias.{name}") for name in told},
        style="facilities",
    )


def _stretches(service: ServiceReport) -> Layer:
    """Streets by served or not, joined by class and by cells of the map.

    Stretch by stretch the streets of a city would make a file that nobody can send.
    """
    cut = service.result.stretches()
    kind = service.result.city.streets["highway"].loc[cut["street"]].to_numpy()
    cell = np.floor(shapely.get_coordinates(shapely.centroid(cut.geometry.array)) / _CELL)
    keys = pd.DataFrame({"served": cut["served"].to_numpy(), "highway": kind})
    keys[["east", "north"]] = cell.astype(np.int64)
    number = keys.groupby(list(keys.columns), sort=True).ngroup().to_numpy()
    order = np.argsort(number, kind="stable")
    first = order[np.unique(number[order], return_index=True)[1]]
    joined = shapely.multilinestrings(
        cut.geometry.array[order], indices=number[order].astype(np.intp)
    )
    told = {
        "served": keys["served"].to_numpy()[first].tolist(),
        "highway": kind[first].tolist(),
        "length_m": np.bincount(number, weights=cut["length_m"]).tolist(),
    }
    shapes = gpd.GeoSeries(shapely.line_merge(joined), crs=cut.crs)
    return Layer(
        name=f"{service.key}_stretches",
        title=phrase("layer.stretches", service=service.name),
        frame=_framed(told, shapes),
        aliases={name: phrase(f"alias.{name}") for name in told},
        style="stretches",
    )


def _flat(column: Column, values: list[Value]) -> list[tuple[str, Phrase, list[Any]]]:
    """Split a column into plain columns of a layer: one a language for names, two for a band."""
    name = column.key.replace(".", "_")
    if column.kind == "band":
        return [
            (
                f"{name}_{end}",
                phrase(f"alias.{end}", head=column.head),
                [getattr(value, end) if isinstance(value, Band) else None for value in values],
            )
            for end in ("low", "high")
        ]
    if column.kind == "words":
        words = [value if isinstance(value, Phrase) else Phrase("", "") for value in values]
        return [
            (name, phrase("alias.zh", head=column.head), [one.zh for one in words]),
            (f"{name}_en", phrase("alias.en", head=column.head), [one.en for one in words]),
        ]
    if column.kind == "code":
        return [(name, column.head, [_code(value) for value in values])]
    return [(name, column.head, list(values))]


def _framed(told: dict[str, list[Any]], shapes: Any) -> Any:
    return gpd.GeoDataFrame(told, geometry=shapes.array, crs=shapes.crs)


def _code(value: Value) -> str:
    return value.zh if isinstance(value, Phrase) else ""
