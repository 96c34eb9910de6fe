import fcntl
import os

import geopandas as gpd
import osmium
import pandas as pd
import pytest
import shapely

from layers.errors import SourceError, UnknownNameError
from layers.messages import speaking
from layers.sources.fetch import Addresses, Pace, Record, areas, fetch
from layers.sources.fetch.overpass import Question, tiles
from layers.sources.osm import Rules, read_homes, read_places, read_streets
from tests.layers.sources.fetch.server import BUSY, DATE, GATEWAY, PAGE, Answer, World, a_file
from tests.layers.sources.fetch.test_transfer import tiff

QUICK = Pace(tries=4, pause=0, first=0.001, longest=1, connect=2, read=2)
WORLD = World()


def remark(words):
    said = f"<remark> runtime error: {words} </remark>"
    content = f'<osm version="0.6"><meta osm_base="{DATE}"/>{said}</osm>'
    return Answer(content.encode(), kind="application/osm3s+xml")


@pytest.fixture
def ask(server, tmp_path):
    """Fetch the piece of the world from a server that answers as planned."""

    def ask(*answers, address="", **more):
        address = address or server.plan("/api", *answers)
        addresses = Addresses(overpass=address)
        given = {"area": WORLD.area, "addresses": addresses, "pace": QUICK, "margin": 0, **more}
        return fetch("小城", tmp_path / "down", **given)

    return ask


def asked(server):
    return len(server.requests)


def same(streets, other):
    """Whether two files give the same streets."""
    one, two = (
        read_streets(path).streets.sort_values(["u", "v", "length"], ignore_index=True)
        for path in (streets, other)
    )
    pd.testing.assert_frame_equal(
        pd.DataFrame(one.drop(columns="geometry")), pd.DataFrame(two.drop(columns="geometry"))
    )
    assert all(one.geometry.geom_equals_exact(two.geometry, 1e-9))


def test_tiles_put_together_are_the_whole(ask, server, tmp_path):
    done = ask(WORLD)
    whole = tmp_path / "whole.osm"
    whole.write_bytes(WORLD.whole())
    same(done.streets, whole)
    assert asked(server) == 6
    assert read_streets(done.streets).counts["repeated"] == 0
    assert len(read_homes(done.streets)[0]) == len(read_homes(whole)[0]) == 77
    assert read_places(done.streets)[0]["name"].tolist() == ["一号"]
    units = gpd.read_file(done.units)
    assert units["code"].tolist() == ["330106", "330108"]
    record = done.records[done.streets]
    assert (record.date, record.licence) == (DATE, "ODbL 1.0")
    assert read_streets(done.streets).date == DATE[:10]
    assert all(one.fits(path) for path, one in done.records.items())
    assert done.records[done.units].made_of == done.streets.name
    assert done.streets.name in done.records[done.units].notes()[0]


@pytest.mark.parametrize(
    "bad",
    [
        [BUSY],
        [GATEWAY, GATEWAY],
        [PAGE],
        [remark("open64: 0 Success /osm3s Dispatcher_Client::request_read_and_idx::timeout")],
        [Answer(b'<osm version="0.6"><node id="1" lat="30" lon="120"/>')],
        [Answer(b'<osm version="0.6"><node id="1" lat="30" lon="120"/>', length=9999)],
        [Answer(b"<osm><node id='x'></osm>")],
        [Answer(b"")],
    ],
    ids=["429", "504", "page", "remark", "half", "breaks off", "garbage", "nothing"],
)
def test_a_bad_tile_is_asked_for_again(ask, server, bad):
    ask(*bad, WORLD)
    assert asked(server) == 6 + len(bad)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (BUSY, "busy (429)"),
        (GATEWAY, "busy (504)"),
        (PAGE, "Log in please"),
        (remark("rate limited"), "rate limited"),
        (Answer(b'<osm version="0.6">'), "ends in the middle"),
        (Answer(b"parse error", status=400), "400 parse error"),
        (Answer(b'<osm version="0.6"></osm>'), "hold no way"),
    ],
    ids=["429", "504", "page", "remark", "half", "400", "empty"],
)
def test_a_bad_server_ends_in_words_and_leaves_nothing(ask, tmp_path, bad, told):
    with speaking("en"), pytest.raises(SourceError) as wrong:
        ask(bad)
    assert told in str(wrong.value)
    assert not list((tmp_path / "down").glob("[!.]*.pbf*"))


def test_nobody_there(ask):
    with speaking("en"), pytest.raises(SourceError, match="cannot be reached"):
        ask(address="http://127.0.0.1:9/api")


def test_what_came_is_not_asked_for_again(ask, server):
    with pytest.raises(SourceError):
        ask(WORLD, WORLD, WORLD, BUSY)
    assert asked(server) == 3 + QUICK.tries
    server.requests.clear()
    ask(WORLD)
    assert asked(server) == 3
    ask(BUSY)
    assert asked(server) == 3
    ask(WORLD, refresh=True)
    assert asked(server) == 3 + 6


def test_old_tiles_are_asked_for_again(ask, server, tmp_path):
    ask(WORLD)
    (old, *_) = (tmp_path / "down" / "overpass").glob("*.osm.gz")
    told = old.with_name(old.name + ".source.toml")
    year = Record.beside(old).fetched[:4]
    told.write_text(
        told.read_text(encoding="utf-8").replace(f'"{year}-', '"2020-'), encoding="utf-8"
    )
    ask(WORLD)
    assert asked(server) == 7


def test_a_tile_changed_by_hand_is_asked_for_again(ask, server, tmp_path):
    ask(WORLD)
    (one, *_) = (tmp_path / "down" / "overpass").glob("*.osm.gz")
    one.write_bytes(one.read_bytes()[:-20])
    ask(WORLD)
    assert asked(server) == 7


def test_what_is_too_much_is_asked_for_in_quarters(ask, server, tmp_path):
    done = ask(remark('Query timed out in "query" at line 3 after 181 seconds.'), WORLD)
    assert asked(server) == 1 + 4 + 5
    ask(BUSY)
    assert asked(server) == 10
    whole = tmp_path / "whole.osm"
    whole.write_bytes(WORLD.whole())
    same(done.streets, whole)
    with speaking("en"), pytest.raises(SourceError, match="too much for the server"):
        ask(remark("Query run out of memory using about 2048 MB of RAM."), refresh=True)


def test_the_folder_is_one_downloads_alone(ask, tmp_path):
    (tmp_path / "down").mkdir()
    handle = os.open(tmp_path / "down" / ".lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with speaking("en"), pytest.raises(SourceError, match="under way"):
            ask(WORLD)
    finally:
        os.close(handle)
    ask(WORLD)


def test_an_extract_and_a_raster(server, tmp_path):
    content = as_pbf(WORLD.whole(), tmp_path)
    addresses = Addresses(
        extract=server.plan("/z/zhejiang.osm.pbf", a_file(content)),
        population=server.plan("/p/chn_2020.tif", a_file(tiff())),
    )
    done = fetch("小城", tmp_path, area=WORLD.area, addresses=addresses, pace=QUICK)
    assert done.streets.name == "zhejiang.osm.pbf"
    assert done.population.name == "chn_2020.tif"
    assert server.paths() == ["/z/zhejiang.osm.pbf", "/z/zhejiang.osm.pbf.md5", "/p/chn_2020.tif"]
    assert set(done.records) == {done.streets, done.units, done.population}
    assert done.records[done.streets].address == addresses.extract
    assert done.records[done.streets].date == DATE
    again = fetch("小城", tmp_path, area=WORLD.area, addresses=addresses, pace=QUICK)
    assert again.records[again.streets] == done.records[done.streets]


def as_pbf(content, folder):
    """Content of a file of the other kind, with its date."""
    text, path = folder / "as.osm", folder / "as.osm.pbf"
    text.write_bytes(content)
    header = osmium.io.Header()
    header.set("osmosis_replication_timestamp", DATE)
    with osmium.SimpleWriter(str(path), header=header) as writer:
        for entity in osmium.FileProcessor(str(text)):
            writer.add(entity)
    return path.read_bytes()


def test_units_of_a_known_place_are_its_own(server, tmp_path):
    addresses = Addresses(extract=server.plan("/a.osm", a_file(WORLD.whole())))
    done = fetch("西湖区", tmp_path, addresses=addresses, pace=QUICK)
    # The world's districts bear the names but do not lie there.
    assert done.units is None
    assert [one.code for one in done.findings] == ["fetch_no_units"]
    assert done.command("x")[done.command("x").index("--units") + 1] == str(done.streets)


@pytest.mark.parametrize(
    "more", [{"area": "1,2,3"}, {"area": "nowhere.gpkg"}, {"tile": 0.0}, {"margin": -1.0}]
)
def test_what_is_asked_wrongly(ask, server, more):
    with pytest.raises(SourceError):
        ask(WORLD, **more)
    assert not server.requests


def test_an_address_that_is_no_extract(server, tmp_path):
    addresses = Addresses(extract=server.plan("/a.zip", a_file(b"PK")))
    with pytest.raises(SourceError, match=r"a\.zip"):
        fetch("小城", tmp_path, area=WORLD.area, addresses=addresses, pace=QUICK)


def test_places(tmp_path):
    assert areas.find("杭州").known
    assert areas.find("hangzhou").area.contains(areas.find("Xihu District").area.buffer(-1e-6))
    assert areas.find("xihu").key == areas.find("西湖").key == "xihu"
    with pytest.raises(UnknownNameError, match="西湖区"):
        areas.find("atlantis")
    path = tmp_path / "area.geojson"
    shape = shapely.Point(120, 30).buffer(0.1)
    gpd.GeoSeries([shape], crs=4326).to_crs(3857).to_file(path)
    assert areas.find("here", str(path)).area.equals_exact(shape, 1e-6)
    wide = areas.find("here", "120,30,120.1,30.1").wide(1000)
    assert wide.bounds == pytest.approx((119.98963, 29.99098, 120.11037, 30.10902), abs=1e-4)


def test_tiles_are_those_that_the_area_meets():
    round_ = shapely.Point(0.55, 0.55).buffer(0.35)
    found = tiles(round_, 0.1)
    assert len(found) == len(set(found))
    boxes = shapely.union_all([shapely.box(*one) for one in found])
    assert boxes.contains(round_)
    assert all(round_.intersects(shapely.box(*one)) for one in found)
    assert (0.2, 0.2, 0.3, 0.3) not in found


def test_the_question_asks_for_all_that_is_read():
    words = Question.of(Rules.read()).words((120, 30, 120.1, 30.1))
    assert 'nwr["diaper"="yes"];' in words
    assert 'nwr["amenity"="social_facility"]["social_facility:for"="senior"];' in words
    assert 'way["building"];' in words
    assert "building" not in Question.of(Rules.read(), buildings=False).words((0, 0, 1, 1))
    star = Question(places=((("diaper", "*"),),)).words((0, 0, 1, 1))
    assert 'nwr["diaper"]["diaper"!="no"];' in star


def test_addresses_come_from_options_then_the_environment():
    usual = {"PLANNER_OVERPASS_URL": "http://a", "PLANNER_EXTRACT_URL": "http://b"}
    found = Addresses.of({"overpass": "http://c", "extract": ""}, usual)
    assert (found.overpass, found.extract, found.population) == ("http://c", "http://b", "")
