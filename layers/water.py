"""The water: areas that maps show behind the streets. A city may do without."""

import geopandas as gpd
import pandera.pandas as pa

from layers.findings import Finding
from layers.schema import conformed, layer_findings, words

SCHEMA = pa.DataFrameSchema({"name": pa.Column(checks=words())})
"""Columns: name."""


def conform(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make a water layer with its name, in EPSG:4326."""
    return conformed(frame, SCHEMA, {"name": ""})


def check(water: gpd.GeoDataFrame) -> list[Finding]:
    """Find what stops the work: schema and geometry."""
    return layer_findings(
        "water", water, SCHEMA, kinds=("Polygon", "MultiPolygon"), may_be_empty=True
    )
