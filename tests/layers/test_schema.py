import geopandas as gpd
import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
import shapely

from layers.errors import CrsError
from layers.messages import speaking
from layers.schema import (
    conformed,
    finite_not_negative,
    finite_positive,
    labels,
    layer_findings,
    one_of,
    words,
    years,
)

SCHEMA = pa.DataFrameSchema(
    {
        "key": pa.Column(checks=words(), unique=True),
        "note": pa.Column(checks=words()),
        "node": pa.Column("int64"),
        "length": pa.Column("float64", finite_positive()),
        "people": pa.Column(checks=finite_not_negative()),
        "open": pa.Column("bool"),
        "year": pa.Column("Int64", years(), nullable=True),
        "kind": pa.Column(checks=one_of(("a", "b"))),
    }
)
DEFAULTS = {"note": "", "open": True, "year": pd.NA}


def layer(index=None, crs=4326, geometry=None, **columns):
    given = {
        "key": ["x", "y", "z"],
        "note": ["", "some", "thing"],
        "node": [1, 2, 3],
        "length": [1.0, 2.0, 3.0],
        "people": [0, 1, 2],
        "open": [True, False, True],
        "year": [2020, None, 2021],
        "kind": ["a", "b", "a"],
        **columns,
    }
    points = geometry or [shapely.Point(120, 30 + step) for step in range(3)]
    made = {name: column for name, column in given.items() if column is not None}
    return gpd.GeoDataFrame(made, geometry=points, index=index, crs=crs)


def found(frame, *, conform=True, **options):
    if conform:
        frame = conformed(frame, SCHEMA, DEFAULTS)
    findings = layer_findings("streets", frame, SCHEMA, kinds=("Point",), label="key", **options)
    for finding in findings:
        for lang in ("zh", "en"):
            with speaking(lang):
                assert finding.message
                assert finding.remedy
                assert str(finding)
    return {(one.code, one.values.get("column")): one.rows for one in findings}  # noqa: PD011 - no frame


def test_a_good_layer_has_nothing():
    assert found(layer()) == {}
    assert found(layer(index=["p", "q", "r"])) == {}


def test_absent_columns_take_their_defaults_and_others_go():
    frame = conformed(layer(note=None, open=None, year=None, more=[1, 2, 3]), SCHEMA, DEFAULTS)
    assert found(frame) == {}
    assert list(frame) == [*SCHEMA.columns, "geometry"]
    assert frame["note"].tolist() == ["", "", ""]
    assert frame["open"].all()
    assert frame["year"].isna().all()


@pytest.mark.parametrize(
    ("column", "cells", "wanted"),
    [
        ("node", ["1", "2", "9007199254740993"], [1, 2, 9007199254740993]),
        ("node", [1.0, 2.0, 3.0], [1, 2, 3]),
        ("length", ["1.5", 2, "3e1"], [1.5, 2.0, 30.0]),
        ("people", ["1", "2", "3"], [1, 2, 3]),
        ("open", [1, 0, 1.0], [True, False, True]),
        ("open", pd.array([True, False, True], dtype="boolean"), [True, False, True]),
        ("open", np.array([True, 0, 1], dtype=object), [True, False, True]),
        ("year", ["2020", "2021", "2022"], [2020, 2021, 2022]),
        ("year", [2020.0, 2021.0, 2022.0], [2020, 2021, 2022]),
        ("key", [330102, 330105, 330106], ["330102", "330105", "330106"]),
        ("key", [330102.0, 330105.0, 330106.0], ["330102", "330105", "330106"]),
        ("note", ["a", None, np.nan], ["a", "", ""]),
        ("note", [1, 2, 3], ["1", "2", "3"]),
        ("kind", pd.Categorical(["a", "b", "a"]), ["a", "b", "a"]),
    ],
)
def test_columns_take_their_types(column, cells, wanted):
    frame = conformed(layer(**{column: cells}), SCHEMA, DEFAULTS)
    assert frame[column].tolist() == wanted
    assert found(frame) == {}


@pytest.mark.parametrize(
    ("column", "cells", "code", "rows"),
    [
        ("key", ["x", "y", "x"], "value_duplicated", ("x", "x")),
        ("key", ["x", None, ""], "value_missing", (1, 2)),
        ("key", [7, 8.0, np.nan], "value_missing", (2,)),
        ("key", ["x", 7, "z"], "column_type", (7,)),
        ("key", [True, "y", "z"], "column_type", (True,)),
        ("note", ["", b"\xff", ""], "column_type", ("y",)),
        ("node", [1, None, 3], "value_missing", ("y",)),
        ("node", [1, 2.5, 3], "column_type", ("y",)),
        ("node", ["n1", 2, 3], "column_type", ("x",)),
        ("node", [1, np.inf, 3], "column_type", ("y",)),
        ("node", [True, False, True], "column_type", ("x", "y", "z")),
        ("length", [1, np.nan, 3], "value_missing", ("y",)),
        ("length", [0, 1, -3], "value_not_positive", ("x", "z")),
        ("length", [1, np.inf, -np.inf], "value_not_positive", ("y", "z")),
        ("length", [1, "two", "3"], "column_type", ("y",)),
        ("length", pd.to_datetime(["2020-01-01"] * 3), "column_type", ("x", "y", "z")),
        ("people", [1, -1, 2], "value_negative", ("y",)),
        ("people", [1, np.nan, 2], "value_missing", ("y",)),
        ("people", [1, "many", 2], "column_type", ("y",)),
        ("people", [1, np.inf, 2], "value_negative", ("y",)),
        ("people", [True, False, True], "column_type", ("x", "y", "z")),
        ("open", [True, None, False], "value_missing", ("y",)),
        ("open", ["yes", True, False], "column_type", ("x",)),
        ("open", [0, 1, 2], "column_type", ("z",)),
        ("year", [2020, 20210, None], "years_impossible", ("y",)),
        ("year", [2020, 2020.5, None], "column_type", ("y",)),
        ("year", [2020, "二〇二一", None], "column_type", ("y",)),
        ("kind", ["a", "c", "b"], "value_unknown", ("y",)),
        ("kind", ["a", None, "b"], "value_missing", ("y",)),
        ("kind", ["a", 3, "b"], "value_unknown", ("y",)),
    ],
)
def test_every_fault_of_a_column_names_its_rows(column, cells, code, rows):
    told = found(layer(**{column: cells}))
    expected = None if code == "years_impossible" else column
    assert told == {(code, expected): rows}


def test_a_missing_column_is_named():
    told = found(layer(node=None, kind=None))
    assert told == {("column_missing", "node"): (), ("column_missing", "kind"): ()}


def test_a_column_stored_as_another_type_is_told():
    frame = conformed(layer(), SCHEMA, DEFAULTS)
    frame["node"] = frame["node"].astype("float64")
    assert found(frame, conform=False) == {("column_type", "node"): ()}


def test_every_fault_is_told_at_once():
    told = found(layer(length=[0, 1, 2], node=[1, None, 3], kind=["q", "a", "b"]))
    assert set(told) == {
        ("value_not_positive", "length"),
        ("value_missing", "node"),
        ("value_unknown", "kind"),
    }


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (None, "geometry_kind"),
        (shapely.Point(), "geometry_kind"),
        (shapely.LineString([(120, 30), (121, 30)]), "geometry_kind"),
        (shapely.MultiPoint([(120, 30), (121, 30)]), "geometry_kind"),
        (shapely.GeometryCollection(), "geometry_kind"),
        (shapely.Point(30, 120), "outside_world"),
        (shapely.Point(514_000, 3_350_000), "outside_world"),
        (shapely.Point(np.inf, 30), "geometry_invalid"),
    ],
)
def test_faults_of_geometry_name_their_rows(geometry, code):
    good = shapely.Point(120, 30)
    assert found(layer(geometry=[good, geometry, good])) == {(code, None): ("y",)}


def test_coordinates_that_are_no_numbers():
    good = shapely.Point(120, 30)
    told = found(layer(geometry=[good, shapely.Point(np.nan, 30), good]))
    assert list(told.values()) == [("y",)]


def test_heights_go_and_a_collection_of_one_is_that_one():
    frame = conformed(
        layer(
            geometry=[
                shapely.Point(120, 30, 8),
                shapely.MultiPoint([(120, 30)]),
                shapely.GeometryCollection([shapely.Point(120, 30, np.nan)]),
            ]
        ),
        SCHEMA,
        DEFAULTS,
    )
    assert found(frame) == {}
    assert set(frame.geometry.to_wkt()) == {"POINT (120 30)"}


def test_repeated_labels_and_columns():
    assert found(layer(index=[5, 6, 5])) == {("index_duplicated", None): ("x", "z")}
    twice = layer(index=[5, 6, 7])
    twice = pd.concat([twice, twice[["node"]]], axis=1)
    assert found(twice) == {("column_duplicated", None): ()}


def test_reference_systems():
    with pytest.raises(CrsError, match="坐标"):
        conformed(layer(crs=None), SCHEMA, DEFAULTS)
    plain = conformed(layer(), SCHEMA, DEFAULTS)
    assert found(plain.set_crs(None, allow_override=True), conform=False) == {("no_crs", None): ()}
    assert found(plain.to_crs(4549), conform=False) == {("other_crs", None): ()}
    assert conformed(layer().to_crs(4549), SCHEMA, DEFAULTS).crs.to_epsg() == 4326


def test_geometry_under_another_name():
    frame = layer().rename_geometry("shape").assign(geometry="not this one")
    made = conformed(frame, SCHEMA, DEFAULTS)
    assert made.geometry.name == "geometry"
    assert found(made) == {}


def test_no_geometry_at_all():
    frame = gpd.GeoDataFrame(layer().drop(columns="geometry"))
    told = layer_findings("streets", frame, SCHEMA, kinds=("Point",))
    assert [one.code for one in told] == ["column_missing"]


def test_no_rows():
    nothing = layer().iloc[:0]
    assert found(nothing) == {("empty", None): ()}
    frame = conformed(nothing, SCHEMA, DEFAULTS)
    (one,) = layer_findings("water", frame, SCHEMA, kinds=("Point",), may_be_empty=True)
    assert one.severity == "warning"
    bare = gpd.GeoDataFrame({name: [] for name in SCHEMA.columns}, geometry=[], crs=4326)
    assert found(bare) == {("empty", None): ()}


def test_labels_are_what_a_reader_knows_rows_by():
    frame = layer(key=["x", None, ""], index=[7, 8, 9])
    assert labels(frame, [True, True, True], "key") == ("x", 8, 9)
    assert labels(frame, [True, False, True]) == (7, 9)
    assert labels(frame, [True, False, True], "absent") == (7, 9)


def test_the_layer_handed_in_is_left_alone():
    frame = layer(node=["1", "2", "3"])
    before = frame.copy()
    conformed(frame, SCHEMA, DEFAULTS)
    pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(before))
