import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from layers import population
from layers.errors import SourceError
from layers.population import WITHIN
from layers.sources import cells, census
from layers.sources.files import Source

HEAD = "x0,y0,x1,y1,homes\n"


def source(tmp_path, *rows, head=HEAD, options=""):
    path = tmp_path / "cells.csv"
    path.write_text(head + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return Source.parse(f"{path}{options}")


def districts(*codes, west=120.0):
    return gpd.GeoDataFrame(
        {"code": list(codes), "name": [f"区{code}" for code in codes], "level": "district",
         "parent": None},
        geometry=[box(west + step, 30, west + step + 1, 31) for step in range(len(codes))],
        crs=4326,
    )  # fmt: skip


def grid(counts, width=0.01):
    west = 120 + width * np.arange(len(counts))
    areas = [box(x, 30.5, x + width, 30.5 + width) for x in west]
    return cells.Cells(np.asarray(counts, dtype=float), gpd.GeoSeries(areas, crs=4326))


def test_read(tmp_path):
    made = cells.read(source(tmp_path, "120,30,120.5,30.5,3", "120.5,30,121,30.5,"), "homes")
    assert made.count.tolist() == [3, 0]
    assert made.areas.iloc[0].equals(box(120, 30, 120.5, 30.5))
    assert made.middles.iloc[1].coords[0] == (120.75, 30.25)


def test_corners_move_with_their_datum(tmp_path):
    row = "120.15,30.27,120.155,30.275,1"
    plain = cells.read(source(tmp_path, row), "homes").middles.iloc[0]
    moved = cells.read(source(tmp_path, row, options=",datum=bd09"), "homes").middles.iloc[0]
    assert 0.006 < plain.distance(moved) < 0.02


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("120,30,,30.5,3", "3"),
        ("120,30,east,30.5,3", "east"),
        ("120,30,120.5,30.5,-3", "homes"),
        ("120,30,120.5,30.5,many", "many"),
        ("120,30,120.5,30.5,inf", "inf"),
    ],
)
def test_bad_cells_name_their_line(tmp_path, row, words):
    good = "120,30,120.5,30.5,3"
    with pytest.raises(SourceError, match=words) as caught:
        cells.read(source(tmp_path, good, row), "homes")
    assert "第3行" in str(caught.value)


def test_missing_columns_are_named(tmp_path):
    with pytest.raises(SourceError, match="shops"):
        cells.read(source(tmp_path), "shops")
    with pytest.raises(SourceError, match="y1"):
        cells.read(source(tmp_path, head="x0,y0,x1,homes\n"), "homes")


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(any),
    st.lists(st.integers(0, 5000), min_size=len(census.ATOMS), max_size=len(census.ATOMS)),
)
def test_spread_is_exact_and_parts_lie_within_wholes(counts, people):
    atoms = pd.DataFrame([people], index=["330102"], columns=list(census.ATOMS))
    layer, found = cells.spread(grid(counts), districts("330102"), atoms)
    assert found == []
    wanted = census.groups_of(atoms).iloc[0]
    for group in population.GROUPS:
        assert layer[group].sum() == wanted[group]
    for part, whole in WITHIN:
        assert (layer[part] <= layer[whole]).all()
    assert (layer["residents"] > 0).all()


def test_spread_follows_the_counts():
    atoms = pd.DataFrame(100, index=["330102"], columns=list(census.ATOMS))
    layer, _ = cells.spread(grid([1, 0, 3]), districts("330102"), atoms)
    assert layer["residents"].tolist() == [225, 675]
    assert population.check(layer) == []


def test_what_could_not_be_spread_is_told():
    atoms = pd.DataFrame(100, index=["330102", "330105"], columns=list(census.ATOMS))
    layer, found = cells.spread(
        grid([1, 2], width=0.1), districts("330102", "330105", "999999"), atoms
    )
    told = {one.code: one for one in found}
    assert set(told) == {"people_unspread", "people_unknown"}
    assert told["people_unspread"].rows == ("330105",)
    assert "900" in told["people_unspread"].message
    assert told["people_unknown"].rows == ("999999",)
    assert layer["residents"].sum() == 900
    _, (one,) = cells.spread(grid([1] * 150), districts("330102"), atoms)
    assert (one.code, one.severity) == ("weights_outside", "info")
    assert "50" in one.message


def test_nothing_to_spread_over():
    atoms = pd.DataFrame(100, index=["330102"], columns=list(census.ATOMS))
    for weights, areas in (
        (grid([0, 0]), districts("330102")),
        (grid([1]), districts("330102", west=100.0)),
        (grid([1]), districts("999999")),
        (grid([1]), districts()),
    ):
        with pytest.raises(SourceError):
            cells.spread(weights, areas, atoms)


def test_districts_that_cells_cover_only_partly_are_told():
    weights = grid([1, 1], width=0.5)
    areas = districts("330102", "330105")
    share = cells.covered_share(weights, areas, 4549)
    assert share.tolist() == pytest.approx([0.5, 0], abs=0.01)
    (one,) = cells.squeezed(share.drop("330105"), areas)
    assert one.rows == ("330102",)
    assert "50%" in one.message
    assert cells.squeezed(pd.Series([1.0], index=["330102"]), areas) == []
