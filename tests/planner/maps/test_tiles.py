import gc
import gzip
import io
import json

import numpy as np
import pytest
from PIL import Image

from layers import embedded
from layers.errors import InputError
from planner import coverage
from planner.desk.study import Choice, Study
from planner.maps.basemaps import offered
from planner.maps.fields import mercator
from planner.maps.tiles import Asked, Ground, Points, Tile, Tiles


@pytest.fixture(scope="module")
def city():
    return embedded("small")


def points_of(tile):
    return [] if tile is None else json.loads(gzip.decompress(tile.body))["points"]


def all_points(source, zoom, **options):
    """Points of every tile that may hold any, around Hangzhou."""
    span = 2**zoom
    west, east = (int((lon / 360 + 0.5) * span) for lon in (118.0, 121.0))
    north, south = int(0.4 * span), int(0.43 * span)
    found = []
    for x in range(west, east + 1):
        for y in range(north, south + 1):
            found += points_of(source.tile(Asked("wgs84", zoom, x, y), options))
    return found


@pytest.mark.parametrize("zoom", [8, 10, 11])
@pytest.mark.parametrize("beyond", [0.0, 12.0, 30.0])
def test_people_on_the_map_are_those_of_the_gap(city, zoom, beyond):
    study = Study(city)
    choice = Choice(service="menopause_clinic", level="district", cutoff=beyond or None)
    answer = study.answer(choice)
    found = all_points(answer.measured.gap("women_45_59"), zoom, beyond=str(answer.standard.cutoff))
    assert sum(point[2] for point in found) == pytest.approx(
        answer.total["gap"], abs=0.01 * len(found)
    )


def test_every_facility_is_in_one_tile_and_joined_ones_are_counted(city):
    result = coverage(city, "mother_baby_room")
    table = result.facilities
    source = Points(
        table.geometry.x.to_numpy(),
        table.geometry.y.to_numpy(),
        np.ones(len(table)),
        apart=64,
        ids=list(table["id"]),
    )
    far = all_points(source, 9)
    assert sum(point[3] for point in far) == len(table)
    assert max(point[3] for point in far) > 5
    near = all_points(source, 12)
    assert sum(point[3] for point in near) == len(table)
    known = set(table["id"])
    assert all(point[4] in known for point in near if point[3] == 1)


def test_tiles_are_drawn_once_and_held_within_bounds():
    calls = []

    class Source:
        key = "ab12"

        def tile(self, asked, options):
            calls.append((asked, options))
            return Tile(b"x" * 1000, "text/plain")

    tiles = Tiles(most=5_000)
    source = Source()
    address = tiles.add(source, lang="zh")
    assert address.startswith(f"tiles/{tiles.token}/ab12/{{datum}}/{{z}}/{{x}}/{{y}}")
    asked = Asked("wgs84", 3, 1, 2)
    assert tiles.get("ab12", asked, {}) is tiles.get("ab12", asked, {})
    assert len(calls) == 1
    for x in range(8):
        tiles.get("ab12", Asked("wgs84", 3, x, 2), {})
    assert tiles.size <= 5_000
    with pytest.raises(ValueError, match="Asked"):
        tiles.get("ab12", Asked("wgs84", 3, 8, 0), {})
    del source
    gc.collect()
    with pytest.raises(KeyError):
        tiles.get("ab12", Asked("wgs84", 4, 1, 2), {})


def test_the_citys_own_basemap_shows_its_water(city):
    ground = Ground(city)
    lake = city.water.geometry.union_all().representative_point()
    x, y = (int(part * 2**11) for part in place(lake))
    plain = Image.open(
        io.BytesIO(gzip.decompress(ground.tile(Asked("wgs84", 11, x, y), {}).body))
    ).convert("RGBA")
    row, column = (int(part * 2**11 % 1 * 256) for part in reversed(place(lake)))
    assert plain.getpixel((column, row))[:3] == (0xCB, 0xDF, 0xEC)
    dark = ground.tile(Asked("wgs84", 11, x, y), {"theme": "dark"})
    assert dark.body != ground.tile(Asked("wgs84", 11, x, y), {}).body
    sharp = Image.open(
        io.BytesIO(gzip.decompress(ground.tile(Asked("wgs84", 11, x, y, 512), {}).body))
    )
    assert sharp.size == (512, 512)


def place(point):
    return [float(part) for part in mercator(np.array(point.x), np.array(point.y))]


def test_basemaps_of_others_are_offered_only_when_asked_for(monkeypatch):
    for name in ("TIANDITU_KEY", "OSM", "BASEMAP", "BASEMAP_DATUM"):
        monkeypatch.delenv(f"PLANNER_{name}", raising=False)
    assert offered() == ()
    monkeypatch.setenv("PLANNER_TIANDITU_KEY", "k3y")
    monkeypatch.setenv("PLANNER_BASEMAP", "http://maps.intranet/{z}/{x}/{y}.png")
    monkeypatch.setenv("PLANNER_BASEMAP_DATUM", "gcj02")
    sky, other = offered()
    assert [layer.id for layer in sky.layers] == ["basemap-vec", "basemap-cva"]
    assert all("tk=k3y" in layer.url for layer in sky.layers)
    assert (sky.datum, other.datum) == ("wgs84", "gcj02")
    with pytest.raises(InputError, match=r"\{z\}"):
        offered(address="http://maps.intranet/x.png")
    with pytest.raises(InputError, match="bd09"):
        offered(datum="bd09")
