"""Rasters of people, held against areas worked out cell by cell with shapely."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from layers import units
from layers.errors import CrsError, SourceError
from layers.messages import speaking
from layers.sources import raster
from layers.sources.files import Source

WEST, SOUTH, WIDE = 120.0, 30.0, 0.06


def write(path, *bands, transform=None, crs=4326, nodata=None, **more):
    values = np.stack([np.asarray(band) for band in bands])
    _, height, width = values.shape
    frame = transform or Affine(WIDE / width, 0, WEST, 0, -WIDE / height, SOUTH + WIDE)
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=len(values),
        dtype=values.dtype, crs=crs and f"EPSG:{crs}", transform=frame, nodata=nodata,
    ) as made:  # fmt: skip
        made.write(values)
        for band, words in more.get("described", {}).items():
            made.set_band_description(band, words)
    return path


def city(*districts, townships=()):
    """Districts, and townships of the first."""
    shapes = [shapely.union_all(districts), *districts, *townships]
    below = [f"33010200{n}" for n in range(len(townships))]
    codes = ["330100", *(f"33010{n + 2}" for n in range(len(districts))), *below]
    parents = [None, *["330100"] * len(districts), *["330102"] * len(townships)]
    levels = ["city", *["district"] * len(districts), *["township"] * len(townships)]
    return gpd.GeoDataFrame(
        {"code": codes, "name": [f"单元{code}" for code in codes], "level": levels,
         "parent": parents},
        geometry=shapes, crs=4326,
    )  # fmt: skip


def whole():
    return city(shapely.box(WEST, SOUTH, WEST + WIDE, SOUTH + WIDE))


def read(path, areas=None, options=""):
    source = Source.parse(f"{path}{options}")
    return raster.read(source, raster.bands_of_groups(source), whole() if areas is None else areas)


def by_unit(pieces, areas):
    home = units.assign(pieces.points, areas)
    return {
        code: pieces.counts[home[level] == code].sum()
        for code, level in zip(areas["code"], areas["level"], strict=True)
    }


def oracle(values, frame, shape, crs):
    """Sum over cells of the value times the share of the cell that lies in the shape."""
    drawn = gpd.GeoSeries([shape], crs=4326).segmentize(0.0005).to_crs(crs).iloc[0]
    total = 0.0
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
            cell = shapely.Polygon([frame @ corner for corner in corners])
            total += value * cell.intersection(drawn).area / cell.area
    return total


@st.composite
def grids(draw):
    """A grid that may be turned or stand on its head, in either of two systems."""
    height, width = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    values = np.array(
        draw(st.lists(st.integers(0, 900), min_size=height * width, max_size=height * width)),
        dtype="float64",
    ).reshape(height, width)
    crs = draw(st.sampled_from([4326, 4549]))
    west, south, size = (WEST, SOUTH, WIDE) if crs == 4326 else (500_000.0, 3_320_500.0, 5_500.0)
    middle = Affine.translation(west + size / 2, south + size / 2)
    turn = Affine.rotation(draw(st.sampled_from([0, 0, 17, 90, 203])))
    up = Affine.scale(1, draw(st.sampled_from([1, -1])))
    grow = draw(st.floats(0.5, 1.5))
    cells = Affine.scale(grow * size / width, grow * size / height)
    return values, middle @ turn @ up @ cells @ Affine.translation(-width / 2, -height / 2), crs


@st.composite
def cities(draw):
    """Two districts with a jagged border and two townships in a part of the first."""
    along = draw(st.lists(st.floats(0.2, 0.8), min_size=2, max_size=6))
    border = [(WEST + WIDE * x, SOUTH + WIDE * n / (len(along) - 1)) for n, x in enumerate(along)]
    left = shapely.Polygon([(WEST, SOUTH), *border, (WEST, SOUTH + WIDE)])
    right = shapely.Polygon([(WEST + WIDE, SOUTH), *border, (WEST + WIDE, SOUTH + WIDE)])
    cut = SOUTH + WIDE * draw(st.floats(0.3, 0.7))
    top = SOUTH + WIDE * draw(st.floats(0.75, 1))
    low = left.intersection(shapely.box(WEST, SOUTH, WEST + WIDE, cut))
    high = left.intersection(shapely.box(WEST, cut, WEST + WIDE, top))
    return city(left, right, townships=(low, high))


@settings(max_examples=40)
@given(grid=grids(), areas=cities())
def test_sums_by_unit_are_exact(tmp_path_factory, grid, areas):
    values, frame, crs = grid
    path = write(tmp_path_factory.mktemp("r") / "p.tif", values, transform=frame, crs=crs)
    wanted = {
        code: oracle(values, frame, shape, crs)
        for code, shape in zip(areas["code"], areas.geometry, strict=True)
    }
    if not wanted["330100"]:
        return
    found = by_unit(read(path, areas), areas)
    # Borders are drawn in finer steps there than here: 1e-9 in degrees, a centimetre in metres.
    near = 1e-9 if crs == 4326 else 2e-6
    for code, people in wanted.items():
        assert found[code]["residents"] == pytest.approx(people, abs=near * values.sum() + 1e-9)


def test_a_piece_lies_in_the_middle_of_its_part(tmp_path):
    path = write(tmp_path / "p.tif", [[8.0]])
    middle = WEST + WIDE / 4
    areas = city(
        shapely.box(WEST, SOUTH, middle, SOUTH + WIDE),
        shapely.box(middle, SOUTH, WEST + WIDE, SOUTH + WIDE),
    )
    pieces = read(path, areas)
    assert pieces.counts["residents"].tolist() == pytest.approx([2, 6])
    assert pieces.points.x.tolist() == pytest.approx([WEST + WIDE / 8, WEST + WIDE * 5 / 8])
    assert pieces.points.y.tolist() == pytest.approx([SOUTH + WIDE / 2] * 2)


def test_a_piece_of_a_hollow_unit_lies_inside_it(tmp_path):
    outer = shapely.box(WEST, SOUTH, WEST + WIDE, SOUTH + WIDE)
    inner = outer.centroid.buffer(WIDE / 3, quad_segs=2)
    areas = city(outer.difference(inner), inner)
    found = by_unit(read(write(tmp_path / "p.tif", [[100.0]]), areas), areas)
    assert found["330103"]["residents"] == pytest.approx(100 * inner.area / outer.area)
    assert found["330102"]["residents"] == pytest.approx(100 - found["330103"]["residents"])


def test_units_that_overlap_share_nobody(tmp_path):
    areas = city(
        shapely.box(WEST, SOUTH, WEST + WIDE * 0.6, SOUTH + WIDE),
        shapely.box(WEST + WIDE * 0.4, SOUTH, WEST + WIDE, SOUTH + WIDE),
    )
    found = by_unit(read(write(tmp_path / "p.tif", [[100.0]]), areas), areas)
    assert found["330102"]["residents"] == pytest.approx(60)
    assert found["330103"]["residents"] == pytest.approx(40)


def test_blocks_join_without_a_seam(tmp_path):
    rng = np.random.default_rng(7)
    values = rng.integers(0, 5, (300, 530)).astype("int16")
    edge = shapely.Point(WEST + WIDE / 2, SOUTH + WIDE / 2).buffer(WIDE * 0.49)
    pieces = read(write(tmp_path / "p.tif", values), city(edge))
    frame = Affine(WIDE / 530, 0, WEST, 0, -WIDE / 300, SOUTH + WIDE)
    row, column = np.nonzero(values)
    x, y = frame @ (column.astype(float), row.astype(float))
    cells = shapely.box(x, y + frame.e, x + frame.a, y)
    share = shapely.area(shapely.intersection(cells, edge)) / (frame.a * -frame.e)
    wanted = (share * values[row, column]).sum()
    assert pieces.counts["residents"].sum() == pytest.approx(wanted, rel=1e-9)
    assert len(pieces.points) == (share > 1e-9).sum()


@pytest.mark.parametrize(
    ("values", "nodata"),
    [
        ([[np.nan, 3.0], [4.0, 5.0]], None),
        ([[np.nan, 3.0], [4.0, 5.0]], np.nan),
        ([[-99999.0, 3.0], [4.0, 5.0]], -99999),
        ([[255, 3], [4, 5]], 255),
    ],
)
def test_no_data_is_nobody(tmp_path, values, nodata):
    kind = "uint8" if nodata == 255 else "float32"
    pieces = read(write(tmp_path / "p.tif", np.array(values, dtype=kind), nodata=nodata))
    assert pieces.counts["residents"].sum() == 12
    assert len(pieces.points) == 3
    assert pieces.findings == ()


def test_a_negative_value_that_nobody_declared_is_told(tmp_path):
    pieces = read(write(tmp_path / "p.tif", np.float32([[-99999, 3], [-99999, 5]])))
    assert pieces.counts["residents"].sum() == 8
    (finding,) = pieces.findings
    assert finding.code == "raster_sentinel"
    assert finding.words("message", "en").startswith("2 cells of the raster 'p.tif' hold -99999,")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[1.0, 2.0], [-0.25, 3.0]], "-0.25 at row 1, column 0"),
        ([[1.0, -9.0], [-8.0, 3.0]], "row"),
        ([[1.0, np.inf], [2.0, 3.0]], "inf at row 0, column 1"),
    ],
)
def test_values_that_count_nobody_are_refused(tmp_path, values, words):
    with speaking("en"), pytest.raises(SourceError, match=words):
        read(write(tmp_path / "p.tif", values))


def test_one_band_a_group_or_one_file_a_group(tmp_path):
    people, women, old = [[10.0, 20.0]], [[4.0, 9.0]], [[1.0, 2.0]]
    both = write(tmp_path / "both.tif", people, women)
    write(tmp_path / "w.tif", women)
    write(tmp_path / "o1.tif", old)
    write(tmp_path / "o2.tif", old)
    wanted = pd.DataFrame({"residents": people[0], "women": women[0]})
    for options in (",residents=1,women=2", ",residents=1,women=w.tif"):
        pd.testing.assert_frame_equal(read(both, options=options).counts, wanted)
    summed = read(both, options=",residents=1,age_60_plus=o1.tif+o2.tif").counts
    assert summed["age_60_plus"].tolist() == [2, 4]
    named = write(tmp_path / "n.tif", women, people, described={1: "women", 2: "residents"})
    pd.testing.assert_frame_equal(read(named).counts, wanted)


def test_what_is_wrong_with_a_raster_is_told(tmp_path):
    both = write(tmp_path / "both.tif", [[1.0, 2.0]], [[1.0, 2.0]])
    wide = write(tmp_path / "wide.tif", [[1.0, 2.0, 3.0]])
    bare = write(tmp_path / "bare.tif", [[1.0, 2.0]], crs=None)
    text = tmp_path / "text.tif"
    text.write_text("no raster")
    far = city(shapely.box(10, 50, 11, 51))
    broken = tmp_path / "broken.tif"
    write(broken, np.random.default_rng(1).random((400, 400)))
    broken.write_bytes(broken.read_bytes()[:200_000])
    with speaking("en"):
        for path, options, areas, fault, words in (
            (both, "", None, SourceError, "which band"),
            (both, ",residents=3", None, SourceError, "no band 3; it has 2"),
            (both, ",residents=1,women=wide.tif", None, SourceError, "another grid"),
            (both, ",residents=1,women=none.tif", None, SourceError, "none.tif"),
            (bare, "", None, CrsError, "bare.tif"),
            (text, "", None, SourceError, "text.tif"),
            (broken, "", None, SourceError, "broken.tif"),
            (tmp_path / "gone.tif", "", None, SourceError, "gone.tif"),
            (wide, "", far, SourceError, "meets none"),
        ):
            with pytest.raises(fault, match=words):
                read(path, areas, options)
    assert read(bare, options=",crs=4326").counts["residents"].sum() == 3


def test_units_beyond_the_raster_are_told(tmp_path):
    path = write(tmp_path / "p.tif", [[10.0]])
    areas = city(
        shapely.box(WEST, SOUTH, WEST + WIDE, SOUTH + WIDE),
        shapely.box(WEST + WIDE, SOUTH, WEST + 2 * WIDE, SOUTH + WIDE),
    )
    (finding,) = read(path, areas).findings
    assert finding.rows == ("330103",)
    assert "0%" in finding.words("message", "en")


def test_an_area_with_a_spike_keeps_its_body():
    # GEOS's densifying keeps the spike alone of such a polygon.
    rest = shapely.Polygon(
        [
            (120, 30.06), (120.03612589619516, 30.06), (120.03791151019988, 30.045),
            (120.03643247296638, 30.057424610494643), (120, 30.057424610494643),
        ]
    )  # fmt: skip
    assert rest.is_valid
    assert rest.covers(shapely.Point(120.01, 30.059))
    shapes = gpd.GeoSeries([rest], crs=4326)
    dense = raster._densified(shapes).iloc[0]
    assert dense.area == pytest.approx(rest.area, rel=1e-9)
    assert shapely.get_num_coordinates(dense) > shapely.get_num_coordinates(rest)
