"""A report as GeoPackage: layers with styles and names of columns that QGIS opens with."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pyogrio

from planner.report.qml import qml

if TYPE_CHECKING:
    from pathlib import Path

    from planner.report.model import Layer, Report

_STYLES = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
  f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
  useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
  update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
INSERT INTO gpkg_contents (table_name, data_type, identifier)
  VALUES ('layer_styles', 'attributes', 'layer_styles');
"""
"""The table that QGIS keeps styles in, and its entry among the contents."""

_COLUMNS = """
CREATE TABLE IF NOT EXISTS gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT,
  description TEXT, mime_type TEXT, constraint_name TEXT,
  CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
  CONSTRAINT gdc_tn UNIQUE (table_name, name));
"""
"""The standard's own table of what columns are called (OGC 12-128, extension schema)."""
_EXTENSION = "http://www.geopackage.org/spec121/#extension_schema"


def write_gpkg(report: Report, path: Path) -> None:
    """Write a report's layers into a new GeoPackage.

    Parameters
    ----------
    report
        The report.
    path
        The file to make.
    """
    written: list[Layer] = []
    for layer in report.layers:
        if layer.frame.empty:
            # A file's type of geometry cannot be told of nothing.
            continue
        kind = _geometry_type(layer)
        pyogrio.write_dataframe(
            layer.frame,
            path,
            layer=layer.name,
            driver="GPKG",
            append=bool(written),
            geometry_type=kind,
            promote_to_multi=kind.startswith("Multi"),
            layer_options={"SPATIAL_INDEX": "YES", "DESCRIPTION": str(layer.title)},
        )
        written.append(layer)
    with closing(sqlite3.connect(path)) as base, base:
        base.executescript(_STYLES + _COLUMNS)
        base.executemany(
            "INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_schema', ?, 'read-write')",
            [(name, _EXTENSION) for name in ("gpkg_data_columns", "gpkg_data_column_constraints")],
        )
        for layer in written:
            _describe(base, layer, report)


def _describe(base: sqlite3.Connection, layer: Layer, report: Report) -> None:
    """Add a layer's title, names of columns and style."""
    labels = "; ".join(str(words) for words in report.labels)
    base.execute(
        "UPDATE gpkg_contents SET identifier = ?, description = ? WHERE table_name = ?",
        (str(layer.title), labels or str(layer.title), layer.name),
    )
    base.executemany(
        "INSERT INTO gpkg_data_columns (table_name, column_name, name, title) VALUES (?, ?, ?, ?)",
        [(layer.name, column, column, str(alias)) for column, alias in layer.aliases.items()],
    )
    base.execute(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name,"
        " f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner)"
        " VALUES ('', '', ?, 'geom', ?, ?, '', 1, ?, '')",
        (layer.name, layer.style, qml(layer), str(layer.title)),
    )


def _geometry_type(layer: Layer) -> str:
    kinds = set(layer.frame.geometry.geom_type)
    (plain,) = {kind.removeprefix("Multi") for kind in kinds}
    return plain if kinds == {plain} else f"Multi{plain}"
