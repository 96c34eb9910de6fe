import re
import sqlite3
from contextlib import closing

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
from lxml import etree


@pytest.fixture(scope="module")
def path(written):
    return written.file("gpkg")


def query(path, words):
    with closing(sqlite3.connect(path)) as base:
        return base.execute(words).fetchall()


def test_every_layer_reads_back_as_it_was(path, report):
    assert {name for name, _ in pyogrio.list_layers(path)} - {"layer_styles"} == {
        layer.name for layer in report.layers if len(layer.frame)
    }
    for layer in report.layers:
        if layer.frame.empty:
            continue
        back = gpd.read_file(path, layer=layer.name, engine="pyogrio")
        assert len(back) == len(layer.frame)
        assert back.crs == layer.frame.crs
        assert list(back.columns) == list(layer.frame.columns)


def test_figures_are_those_of_json(path, written):
    for sheet in written.told["sheets"]:
        for table in sheet["tables"]:
            if not table["key"].endswith(".units"):
                continue
            _compare(path, sheet["key"], table)


def _compare(path, service, table):
    keys = [column["key"] for column in table["columns"]]
    for level, word in (("district", "区县"), ("township", "乡镇街道")):
        back = gpd.read_file(path, layer=f"{service}_{level}", engine="pyogrio")
        told = [row for row in table["rows"] if row[0]["zh"] == word and row[1]["zh"]]
        assert len(back) == len(told) > 0
        for (_, found), row in zip(back.iterrows(), told, strict=True):
            for key, column, value in zip(keys, table["columns"], row, strict=True):
                name = key.replace(".", "_")
                if column["kind"] == "band":
                    low, high = value or (None, None)
                    pairs = [(found[f"{name}_low"], low), (found[f"{name}_high"], high)]
                elif column["kind"] == "words":
                    pairs = [(found[name], value["zh"]), (found[f"{name}_en"], value["en"])]
                elif column["kind"] == "code":
                    pairs = [(found[name], value["zh"])]
                else:
                    pairs = [(found[name], value)]
                for seen, wanted in pairs:
                    if wanted is None:
                        assert seen is None or np.isnan(seen)
                    else:
                        assert seen == wanted, (service, level, key)


def test_gap_and_stretches_add_up_to_the_figures(path, report, results):
    for result in results:
        total = result.total()
        key = result.service.key
        gap = gpd.read_file(path, layer=f"{key}_gap", engine="pyogrio")
        assert gap["people"].sum() == total["gap"]
        cut = gpd.read_file(path, layer=f"{key}_stretches", engine="pyogrio")
        own = result.stretches()
        by_served = [frame.groupby("served")["length_m"].sum() for frame in (cut, own)]
        assert by_served[0].to_dict() == pytest.approx(by_served[1].to_dict())
        drawn = cut.to_crs(result.city.crs).length.sum()
        assert drawn == pytest.approx(own.to_crs(result.city.crs).length.sum())
        sites = gpd.read_file(path, layer=f"{key}_facilities", engine="pyogrio")
        assert len(sites) == total["facilities"]
    assert report.layers


def test_each_layer_has_a_style_of_its_own_columns(path, report):
    styles = query(path, "SELECT f_table_name, styleQML, useAsDefault FROM layer_styles")
    drawn = {layer.name for layer in report.layers if len(layer.frame)}
    assert {name for name, _, _ in styles} == drawn
    assert all(default for _, _, default in styles)
    for name, words, _ in styles:
        root = etree.fromstring(words)
        columns = {row[1] for row in query(path, f'PRAGMA table_info("{name}")')}
        rules = root.findall("./renderer-v2/rules/rule")
        symbols = {symbol.get("name") for symbol in root.findall("./renderer-v2/symbols/symbol")}
        assert {rule.get("symbol") for rule in rules} == symbols != set()
        for rule in rules:
            assert set(re.findall(r'"(\w+)"', rule.get("filter") or "")) <= columns
            assert " / " in rule.get("label") or "%" in rule.get("label")
        named = {alias.get("field"): alias.get("name") for alias in root.findall("./aliases/alias")}
        assert set(named) == columns - {"fid", "geom"}


def test_every_rate_meets_one_rule_alone(path):
    """SQLite reads the filters as QGIS does: comparisons and NULL."""
    (words,) = query(
        path,
        "SELECT styleQML FROM layer_styles WHERE f_table_name = 'menopause_clinic_township'",
    )[0]
    rules = etree.fromstring(words).findall("./renderer-v2/rules/rule")
    for rate in (0, 0.25, 0.4999, 0.5, 0.75, 0.9, 1, None):
        with closing(sqlite3.connect(":memory:")) as base:
            base.execute("CREATE TABLE units (rate REAL)")
            base.execute("INSERT INTO units VALUES (?)", (rate,))
            met = [
                base.execute("SELECT 1 FROM units WHERE " + rule.get("filter")).fetchall()  # noqa: S608
                for rule in rules
            ]
        assert sum(map(len, met)) == 1


def test_columns_have_names_for_readers_in_both_languages(path):
    told = dict(
        query(
            path,
            "SELECT column_name, title FROM gpkg_data_columns"
            " WHERE table_name = 'menopause_clinic_district'",
        )
    )
    assert told["rate"] == "覆盖率 / Rate"
    assert told["rate_low" if "rate_low" in told else "band_low"].startswith("区间下限")
    kinds = {row[0] for row in query(path, "SELECT extension_name FROM gpkg_extensions")}
    assert "gpkg_schema" in kinds
    titles = dict(query(path, "SELECT table_name, identifier FROM gpkg_contents"))
    assert "更年期保健规范化专科门诊" in titles["menopause_clinic_gap"]
