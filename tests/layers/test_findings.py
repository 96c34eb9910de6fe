import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers.errors import InputError, LayerError, PlannerError
from layers.findings import Finding, in_order, refuse_errors
from layers.messages import speaking


def finding(severity="error", rows=(), code="value_missing", **values):
    return Finding(
        layer="population",
        code=code,
        severity=severity,
        rows=rows,
        values={"column": "women", **values},
    )


def test_says_it_in_both_languages():
    one = finding(rows=(3, "甲"))
    assert str(one).startswith("人口 · 错误: 列“women”有空值。")
    assert "3, 甲" in str(one)
    with speaking("en"):
        assert str(one).startswith("population · error: The column 'women' has missing values.")
        assert "[2 rows: 3, 甲]" in str(one)
        assert one.remedy == "Fill in these rows or remove them."
    assert one.words("message", "en") != one.words("message", "zh")


def test_many_rows_are_cut_but_counted():
    told = str(finding(rows=tuple(range(1000))))
    assert "1000" in told
    assert "7, …" in told
    assert "8" not in told.split("1000")[1]


def test_plain_values_for_json():
    plain = finding(rows=(1, "甲", np.int64(5), (1, 2))).as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["rows"] == [1, "甲", "5", "(1, 2)"]
    assert set(plain) == {"layer", "code", "severity", "rows", "message", "remedy"}


def test_places_show_as_bounds_and_leave_equality_alone():
    places = gpd.GeoSeries([shapely.Point(120.1, 30.2), shapely.Point(120.3, 30.1)], crs=4326)
    with_places = Finding(layer="units", code="units_gap", severity="info", places=places)
    assert with_places == Finding(layer="units", code="units_gap", severity="info")
    told = replace(finding(), places=places).as_dict()
    assert told["bounds"] == [120.1, 30.1, 120.3, 30.2]
    assert json.loads(json.dumps(told)) == told


def test_errors_come_first_and_the_rest_keeps_its_order():
    some = [finding(severity) for severity in ("info", "warning", "error", "info", "error")]
    ordered = in_order(some)
    assert [one.severity for one in ordered] == ["error", "error", "warning", "info", "info"]
    assert ordered[0] is some[2]


def test_errors_stop_the_work_and_carry_all_of_them():
    refuse_errors([finding("warning"), finding("info")])
    with pytest.raises(LayerError) as caught:
        refuse_errors([finding("warning"), finding(rows=(1,)), finding(rows=(2,))])
    assert isinstance(caught.value, InputError | PlannerError | ValueError)
    assert [one.rows for one in caught.value.findings] == [(1,), (2,)]
    assert str(caught.value).count("\n") == 1
