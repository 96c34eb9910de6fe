"""The population: people of each group at points."""

from typing import Literal, get_args

import geopandas as gpd
import pandera.pandas as pa

from layers.findings import Finding
from layers.schema import conformed, finite_not_negative, layer_findings

Group = Literal[
    "residents",
    "women",
    "women_15_49",
    "women_45_59",
    "age_60_plus",
    "women_60_plus",
    "children_0_3",
]
GROUPS: tuple[Group, ...] = get_args(Group)

WITHIN: tuple[tuple[Group, Group], ...] = (
    ("women", "residents"),
    ("women_15_49", "women"),
    ("women_45_59", "women"),
    ("age_60_plus", "residents"),
    ("women_60_plus", "women"),
    ("women_60_plus", "age_60_plus"),
    ("children_0_3", "residents"),
)
"""Which group holds which."""

_SLACK = 0.5

SCHEMA = pa.DataFrameSchema(
    {group: pa.Column(checks=finite_not_negative()) for group in GROUPS},
)
"""Columns: people of each group, whole numbers or not."""


def conform(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make a population layer with a column a group, in EPSG:4326."""
    return conformed(frame, SCHEMA, {})


def check(population: gpd.GeoDataFrame) -> list[Finding]:
    """Find what stops the work: schema, geometry, people below zero."""
    return layer_findings("population", population, SCHEMA, kinds=("Point",))


def review(population: gpd.GeoDataFrame) -> list[Finding]:
    """Find groups that exceed the group that holds them."""
    found: list[Finding] = []
    for part, whole in WITHIN:
        more = population[part] > population[whole] + _SLACK
        if more.any():
            found.append(
                Finding(
                    layer="population",
                    code="group_exceeds",
                    severity="warning",
                    rows=tuple(population.index[more]),
                    values={"column": part, "whole": whole},
                )
            )
    return found
