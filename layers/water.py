"""The water: areas that maps show behind the streets. A city may do without."""

import geopandas as gpd
import pandera.pandas as pa

from layers.crs import in_degrees
from layers.findings import Finding
from layers.schema import layer_findings, words

SCHEMA = pa.DataFrameSchema({"name": pa.Column(checks=words())})
"""Columns: name."""


def conform(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Water layer with its name, in EPSG:4326."""
    water = in_degrees(frame)
    if "name" not in water:
        water["name"] = ""
    return water[[*SCHEMA.columns, "geometry"]]


def check(water: gpd.GeoDataFrame) -> list[Finding]:
    """Findings that stop the work: schema and geometry."""
    return layer_findings(
        "water", water, SCHEMA, kinds=("Polygon", "MultiPolygon"), may_be_empty=True
    )
