"""What tests of every part share: the real files beside the project, and a tiny city."""

import os
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from hypothesis import settings

from layers import City, Provenance
from tests.postgres import postgres

__all__ = ["postgres"]

# A busy machine is no fault of the code's. What decides whether a change may enter (CI=1)
# tries the same cases each time; at a desk every run tries others.
settings.register_profile("unhurried", deadline=None)
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable" if os.environ.get("CI") else "unhurried")

_ROOT = Path(__file__).resolve().parent.parent
_SHARED = Path(os.environ.get("PLANNER_SHARED", _ROOT.parent / "shared" / "data"))

# South-west junction of the tiny city, in EPSG:4549, and the length of its blocks.
_EAST, _NORTH, _BLOCK = 514_000.0, 3_350_000.0, 400.0


@pytest.fixture(scope="session", autouse=True)
def in_chinese():
    """Messages are Chinese whatever the environment says, in other threads and processes too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANNER_LANG", "zh")
        yield


@pytest.fixture
def shared():
    """Path of a real file beside the project; the test skips, naming it, where it is absent."""

    def path(*parts):
        wanted = _SHARED.joinpath(*parts)
        if not wanted.exists():
            pytest.skip(f"{Path(*parts)} is not in {_SHARED}")
        return wanted

    return path


@pytest.fixture(scope="session")
def tiny_city():
    """Two districts of two townships each around a grid of five by five junctions.

    Blocks are 400 m. Junction ``10 * column + row`` lies at that column and row. One
    street is one-way for all (12 to 22), one for cars alone (34 to 44), one for all but
    cars (03 to 04). A bridge of 2000 m leads from 00 to 43 over five streets without
    meeting them. Two junctions (8, 9) are an island. Ten people live too far from any
    street.
    """
    return City.of(
        name="小城",
        name_en="Tiny city",
        streets=_streets(),
        units=_units(),
        population=_population(),
        facilities=_facilities(),
        crs=4549,
        provenance={
            key: Provenance(source="made by hand", licence="MIT", date="2024")
            for key in ("streets", "units", "population", "facilities")
        },
    )


def _at(x, y):
    return _EAST + x, _NORTH + y


def _streets():
    rows = []

    def add(u, v, *along, **more):
        line = shapely.LineString([_at(*place) for place in along])
        usual = {"highway": "residential", "bridge": False, "layer": 0}
        rows.append({"u": u, "v": v, "length": line.length, "geometry": line, **usual, **more})

    for column in range(5):
        for row in range(5):
            here, x, y = 10 * column + row, column * _BLOCK, row * _BLOCK
            if column < 4:
                add(here, here + 10, (x, y), (x + _BLOCK, y), name=f"{row}横路")
            if row < 4:
                add(here, here + 1, (x, y), (x, y + _BLOCK), name=f"{column}纵路")
    add(0, 43, (0, 0), (1600, 1200), name="天桥", bridge=True, layer=1, highway="secondary")
    add(8, 9, (1350, 200), (1450, 200), name="孤路")
    streets = gpd.GeoDataFrame(rows, crs=4549)
    streets["speed_kmh"] = 30.0
    for mode in ("walk", "cycle", "drive"):
        for way in ("forward", "backward"):
            streets[f"{mode}_{way}"] = True

    def between(u, v):
        return (streets["u"] == u) & (streets["v"] == v)

    streets.loc[between(12, 22), ["walk_backward", "cycle_backward", "drive_backward"]] = False
    slow = ["walk_forward", "walk_backward", "cycle_forward", "cycle_backward"]
    streets.loc[between(34, 44), slow] = False
    streets.loc[between(34, 44), ["highway", "speed_kmh"]] = ["trunk", 80.0]
    streets.loc[between(3, 4), ["drive_forward", "drive_backward"]] = False
    streets.loc[between(3, 4), ["highway", "speed_kmh"]] = ["footway", 5.0]
    return streets


def _units():
    west, middle, east, south, centre, north = -600, 1000, 1800, -200, 1000, 1800
    shapes = {
        ("330100", "小城", "Tiny city", "city", None): (west, south, east, north),
        ("330191", "西区", "West", "district", "330100"): (west, south, middle, north),
        ("330192", "东区", "East", "district", "330100"): (middle, south, east, north),
        ("330191001", "西南街道", "South-west", "township", "330191"): (
            west,
            south,
            middle,
            centre,
        ),
        ("330191002", "西北街道", "North-west", "township", "330191"): (
            west,
            centre,
            middle,
            north,
        ),
        ("330192001", "东南街道", "South-east", "township", "330192"): (
            middle,
            south,
            east,
            centre,
        ),
        ("330192002", "东北镇", "North-east", "township", "330192"): (middle, centre, east, north),
    }
    return gpd.GeoDataFrame(
        list(shapes),
        columns=["code", "name", "name_en", "level", "parent"],
        geometry=[shapely.box(*_at(*box[:2]), *_at(*box[2:])) for box in shapes.values()],
        crs=4549,
    )


def _population():
    places = [
        (column * _BLOCK + 100, row * _BLOCK + 30, 100 + 10 * column + 40 * row)
        for row in range(4)
        for column in range(4)
    ]
    places += [(1400, 210, 50), (-500, -100, 10)]
    rows = []
    for x, y, residents in places:
        women = residents // 2
        rows.append(
            {
                "residents": residents,
                "women": women,
                "women_15_49": women // 2,
                "women_45_59": women // 5,
                "age_60_plus": residents // 5,
                "women_60_plus": women // 5,
                "children_0_3": residents // 20,
                "geometry": shapely.Point(_at(x, y)),
            }
        )
    return gpd.GeoDataFrame(rows, crs=4549)


def _facilities():
    rows = [
        ("M1", "mother_baby_room", "一号母婴室", "existing", None, None, 780, 410),
        ("M2", "mother_baby_room", "二号母婴室", "existing", 2022, None, 1210, 1230),
        ("H1", "home_care_centre", "一号照料中心", "existing", 2015, 2022, 20, 640),
        ("H2", "home_care_centre", "二号照料中心", "existing", 2023, None, 1180, 350),
        ("H3", "home_care_centre", "三号照料中心", "planned", 2025, None, 390, 1580),
        ("C1", "menopause_clinic", "一号门诊", "existing", 2020, None, 1590, 620),
        ("C2", "menopause_clinic", "候选门诊", "candidate", None, None, 30, 1210),
    ]
    names = ["id", "service", "name", "status", "opened", "closed"]
    return gpd.GeoDataFrame(
        [row[:6] for row in rows],
        columns=names,
        geometry=[shapely.Point(_at(*row[6:])) for row in rows],
        crs=4549,
    ).assign(capacity=40.0)
