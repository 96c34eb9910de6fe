"""A hamlet small enough to reckon by hand: one street of ten stretches, two districts."""

from itertools import pairwise

import geopandas as gpd
from shapely import LineString, Point, box

from layers import City, Provenance
from layers.population import GROUPS

CRS = 4549
EAST, NORTH = 500_000, 3_350_000
NASTY = "<script>alert('母婴')</script>\"&"


def at(x, y=0.0):
    return Point(EAST + x, NORTH + y)


def hamlet(*, name="小村", facility="卫生院", west="西区"):
    """Ten stretches of 400 m from west to east; clinics in the west, people along it all."""
    ends = [at(400 * number) for number in range(11)]
    streets = gpd.GeoDataFrame(
        {
            "u": range(10),
            "v": range(1, 11),
            "speed_kmh": 6.0,
            "highway": ["primary"] * 5 + ["residential"] * 5,
        },
        geometry=[LineString(pair) for pair in pairwise(ends)],
        crs=CRS,
    )
    units = gpd.GeoDataFrame(
        {
            "code": ["33", "3301", "3302"],
            "name": [name, west, "东区"],
            "name_en": ["Hamlet", "West", "East"],
            "level": ["city", "district", "district"],
            "parent": [None, "33", "33"],
        },
        geometry=[
            box(EAST - 100, NORTH - 900, EAST + 4100, NORTH + 900),
            box(EAST - 100, NORTH - 900, EAST + 2000, NORTH + 900),
            box(EAST + 2000, NORTH - 900, EAST + 4100, NORTH + 900),
        ],
        crs=CRS,
    )
    places = [at(200 + 400 * number) for number in range(10)] + [at(3000, 800)]
    population = gpd.GeoDataFrame(
        {group: [1000.0 + 100 * number for number in range(11)] for group in GROUPS},
        geometry=places,
        crs=CRS,
    )
    facilities = gpd.GeoDataFrame(
        {
            "id": ["m1", "m2", "c1"],
            "service": ["mother_baby_room", "mother_baby_room", "menopause_clinic"],
            "name": [facility, "东站", "医院"],
            "opened": [2020, 2024, 2020],
        },
        geometry=[at(100), at(3500), at(100)],
        crs=CRS,
    )
    return City.of(
        name=name,
        name_en="Hamlet",
        streets=streets,
        units=units,
        population=population,
        facilities=facilities,
        crs=CRS,
        provenance={"streets": Provenance(source="made by hand", date="2020", modelled=True)},
    )
