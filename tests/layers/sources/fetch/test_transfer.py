import hashlib
import struct
from datetime import UTC, datetime

import pytest

from layers.errors import SourceError
from layers.messages import speaking
from layers.sources.fetch import sound
from layers.sources.fetch.client import Client, GaveUpError, Pace, retry_after
from layers.sources.fetch.record import Record, checksum
from layers.sources.fetch.transfer import Wanted, download
from tests.layers.sources.fetch.server import BUSY, GATEWAY, PAGE, Answer, a_file
from tests.layers.sources.osmxml import xml

QUICK = Pace(tries=4, pause=0, first=0.001, longest=1, connect=2, read=2)
CONTENT = xml([([n, n + 1], {"highway": "residential"}) for n in range(0, 2000, 2)]).encode()
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def get(server, tmp_path):
    """Download what is planned for a path, with only whole files left in the folder."""

    def get(*answers, path="/some.osm", address="", sound=sound.openstreetmap, **more):
        address = address or server.plan(path, *answers)
        wanted = Wanted(address=address, path=tmp_path / "some.osm", sound=sound, **more)
        try:
            return download(Client(pace=QUICK), wanted)
        finally:
            record = Record.beside(wanted.path)
            assert record is None or not wanted.path.exists() or record.fits(wanted.path)

    return get


def ranges(server):
    return [headers.get("Range") for _, headers in server.requests]


def test_a_file_comes_with_its_record(get, tmp_path, server):
    record = get(a_file(CONTENT), source="somebody", licence="ODbL 1.0")
    assert (tmp_path / "some.osm").read_bytes() == CONTENT
    assert record == Record.of_whole(tmp_path / "some.osm")
    assert (record.sha256, record.size, record.licence) == (SHA, len(CONTENT), "ODbL 1.0")
    assert record.address == server.address + "/some.osm"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["some.osm", "some.osm.source.toml"]
    assert server.requests[0][1]["User-Agent"].startswith("coverage-planner/")
    for lang in ("zh", "en"):
        with speaking(lang):
            assert SHA in record.notes()[0]


@pytest.mark.parametrize(
    "bad",
    [
        [BUSY],
        [GATEWAY],
        [BUSY, GATEWAY, PAGE],
        [PAGE],
        [Answer(status=503)],
        [Answer(CONTENT[:5000], length=len(CONTENT), after=5000)],
        [Answer(CONTENT[:5000])],
        [Answer(CONTENT[:5000], length=-1)],
        [Answer(CONTENT, length=5000)],
        [Answer(b"", length=0)],
        [Answer(b"garbage" * 100)],
        [Answer(CONTENT, headers={"Content-Encoding": "gzip"}, length=7)],
    ],
    ids=[
        "429", "504", "several", "page", "503", "breaks off", "half, length of the half",
        "half without length", "too much", "nothing", "garbage", "wrong encoding",
    ],
)  # fmt: skip
def test_a_bad_answer_is_followed_by_a_good_one(get, tmp_path, bad):
    get(*bad, a_file(CONTENT))
    assert (tmp_path / "some.osm").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (BUSY, "busy (429)"),
        (GATEWAY, "busy (504)"),
        (PAGE, "Log in please"),
        (Answer(CONTENT[:5000]), "came twice and is unsound"),
        (Answer(b"garbage" * 100), "came twice and is unsound"),
        (Answer(CONTENT[:5000], length=len(CONTENT), after=5000), "broke off"),
        (Answer(b"<b>gone</b>", status=410), "410 gone"),
        (Answer(status=302, headers={"Location": "/some.osm"}), "redirects"),
        (Answer(status=429, headers={"Retry-After": "7200"}), "asks to wait 7200 s"),
    ],
    ids=["429", "504", "page", "half", "garbage", "breaks off", "gone", "loop", "long wait"],
)
def test_bad_answers_alone_end_in_words(get, tmp_path, bad, told):
    with speaking("en"), pytest.raises(SourceError) as wrong:
        get(bad)
    assert told in str(wrong.value)
    assert not (tmp_path / "some.osm").exists()
    assert not (tmp_path / "some.osm.source.toml").exists()


def test_nobody_there(get):
    # Nobody listens at port 9 of this machine.
    with speaking("en"), pytest.raises(GaveUpError, match="cannot be reached"):
        get(address="http://127.0.0.1:9/some.osm")


@pytest.mark.parametrize("address", ["some.osm", "ftp://127.0.0.1/some.osm", "http://", "http://["])
def test_no_address(get, address):
    with pytest.raises(SourceError):
        get(address=address)


def test_what_broke_off_goes_on(get, server, tmp_path):
    get(a_file(CONTENT, after=7000), a_file(CONTENT, after=9000), a_file(CONTENT))
    assert (tmp_path / "some.osm").read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=7000-", "bytes=16000-"]


def test_what_broke_off_goes_on_at_another_time(get, server, tmp_path):
    with pytest.raises(GaveUpError):
        get(a_file(CONTENT, after=7000), a_file(CONTENT, after=0))
    get(a_file(CONTENT))
    assert ranges(server)[-1] == "bytes=7000-"
    assert (tmp_path / "some.osm").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (a_file(CONTENT[::-1], after=7000), a_file(CONTENT, tag='"two"')),
        (a_file(CONTENT[::-1], after=7000, tag=""), a_file(CONTENT, tag="")),
        (a_file(CONTENT[::-1], after=7000, tag='W/"one"'), a_file(CONTENT, tag='W/"one"')),
        (a_file(CONTENT, after=7000), a_file(CONTENT, ranges=False)),
        (
            a_file(CONTENT, after=7000),
            Answer(CONTENT[6000:], 206, headers={"Content-Range": "bytes 6000-9999/10000"}),
        ),
        (a_file(CONTENT, after=7000), Answer(status=416)),
    ],
    ids=["changed", "no tag", "weak tag", "no ranges", "another range", "no such range"],
)
def test_halves_of_two_files_are_never_put_together(get, tmp_path, first, second):
    get(first, second, a_file(CONTENT))
    assert (tmp_path / "some.osm").read_bytes() == CONTENT


def test_what_is_there_is_asked_for_once_more_and_kept(get, server):
    first = get(a_file(CONTENT))
    assert get(a_file(CONTENT)) == first
    assert server.requests[-1][1]["If-None-Match"] == '"one"'
    newer = CONTENT.replace(b"residential", b"tertiary")
    assert get(a_file(newer, tag='"two"')).sha256 != first.sha256


def test_what_is_there_is_kept_while_the_server_is_away(get):
    first = get(a_file(CONTENT))
    assert get(GATEWAY) == first


def test_what_was_changed_by_hand_is_fetched_again(get, tmp_path):
    get(a_file(CONTENT))
    (tmp_path / "some.osm").write_bytes(CONTENT[:-1])
    get(a_file(CONTENT))
    assert (tmp_path / "some.osm").read_bytes() == CONTENT


def test_redirects_are_followed(get, server, tmp_path):
    server.plan("/there.osm", a_file(CONTENT))
    get(Answer(status=302, headers={"Location": "/there.osm"}))
    assert (tmp_path / "some.osm").read_bytes() == CONTENT


def test_a_checksum_must_fit(get, server, tmp_path):
    get(a_file(CONTENT[::-1]), a_file(CONTENT), sha256=SHA.upper())
    asked = len(server.requests)
    # Whole and of that sum: nobody need be asked.
    get(GATEWAY, sha256=SHA)
    assert len(server.requests) == asked
    with speaking("en"), pytest.raises(SourceError, match="in place of 0000"):
        get(a_file(CONTENT), sha256="0" * 64)
    assert Record.of_whole(tmp_path / "some.osm").sha256 == SHA


def test_a_sum_beside_the_file_must_fit(get, server, tmp_path):
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    server.plan("/some.osm.md5", Answer(f"{md5}  some.osm\n".encode()))
    other = CONTENT.replace(b"residential", b"tertiary")
    get(a_file(other, tag='"two"'), a_file(CONTENT), md5_beside=True)
    assert checksum(tmp_path / "some.osm", "md5") == md5
    server.plan("/some.osm.md5", Answer(b"no such thing", status=404))
    get(a_file(other, tag='"two"'), md5_beside=True)
    assert (tmp_path / "some.osm").read_bytes() == other


def test_when_to_come_back():
    now = datetime(2026, 7, 4, 12, 0, tzinfo=UTC)
    assert retry_after("Sat, 04 Jul 2026 12:01:30 GMT", now) == 90
    assert retry_after("Sat, 04 Jul 2026 11:00:00 GMT", now) == 0


def tiff(order="<", *, big=False, directories=1):
    """A raster of two strips a directory, its values after its entries."""
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}H", 43 if big else 42)
    head += struct.pack(f"{order}HHQ", 8, 0, 16) if big else struct.pack(f"{order}I", 8)
    wide, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    body = head
    for number in range(directories):
        at = len(body)
        after = at + struct.calcsize(f"={count}") + 2 * entry + struct.calcsize(f"={wide}")
        lists = after + 4 * 4
        data = [lists, lists + 50]
        end = lists + 100
        table = struct.pack(f"{order}{count}", 2)
        field = (f"{order}HH{wide}{wide}", f"{order}HH{wide}II")[big]
        for tag, where, values in ((273, after, data), (279, after + 8, (50, 50))):
            if big:
                table += struct.pack(field, tag, 4, 2, *values)
            else:
                table += struct.pack(field, tag, 4, 2, where)
        table += struct.pack(f"{order}{wide}", end if number + 1 < directories else 0)
        body += table + struct.pack(f"{order}4I", *data, 50, 50) + bytes(100)
    return body


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("directories", [1, 2])
def test_a_raster_is_whole_or_it_is_not(tmp_path, order, big, directories):
    path = tmp_path / "people.tif"
    content = tiff(order, big=big, directories=directories)
    path.write_bytes(content)
    sound.raster(path)
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with pytest.raises(SourceError, match=r"people\.tif"):
            sound.raster(path)
