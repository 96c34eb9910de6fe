"""Damaged and odd files of OpenStreetMap: refused in plain words, or read into sound layers."""

import bz2
import gzip
from functools import cache

import numpy as np
import osmium
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers import facilities, population, streets, units
from layers.errors import PlannerError
from layers.messages import LANGUAGES, speaking
from layers.sources.osm import read_homes, read_places, read_streets, read_units
from layers.sources.osm.rules import KEYS
from tests.layers.sources.fetch.server import World
from tests.layers.sources.harm import harm, share
from tests.layers.sources.osmxml import xml

KINDS = ("osm", "osm.gz", "osm.bz2", "osm.pbf")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz_osm")


@cache
def whole():
    """A small world as text."""
    return World(columns=4, rows=4).whole()


def packed(folder, kind, content):
    """Text as a file of a kind holds it."""
    if kind == "osm.pbf":
        (folder / "same.osm").write_bytes(content)
        to = folder / "same.osm.pbf"
        with osmium.SimpleWriter(str(to), overwrite=True) as writer:
            for entity in osmium.FileProcessor(str(folder / "same.osm")):
                writer.add(entity)
        return to.read_bytes()
    return {"osm": bytes, "osm.gz": gzip.compress, "osm.bz2": bz2.compress}[kind](content)


def tried(path, content):
    """Read a file in every way; what loads passes the checks of its layer."""
    path.write_bytes(content)
    readers = {streets: _streets, units: read_units, facilities: read_places, population: _homes}
    for layer, reader in readers.items():
        try:
            with speaking("en" if len(content) % 2 else "zh"):
                made, findings = reader(path)
        except PlannerError as refused:
            assert path.name in str(refused)  # noqa: PT017 - either will do
            continue
        for one in findings:
            assert all(
                one.words(part, lang) for part in ("message", "remedy") for lang in LANGUAGES
            )
        if layer is population:
            assert np.isfinite(made["weight"]).all()
            assert (made["weight"] > 0).all()
        elif layer is not units:
            # Boundaries may cross themselves, which the builder refuses with their names.
            assert not [one for one in layer.check(made) if one.severity == "error"]


def _streets(path):
    read = read_streets(path)
    return read.streets, read.findings


def _homes(path):
    return read_homes(path)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_read(folder, kind):
    path = folder / f"good.{kind}"
    path.write_bytes(packed(folder, kind, whole()))
    assert len(read_streets(path).streets)
    assert len(read_units(path)[0]) == 2
    assert len(read_homes(path)[0]) == 9


@pytest.mark.parametrize("kind", KINDS)
@share(0.03)
@given(harms=st.lists(harm(), min_size=1, max_size=2))
def test_damaged_files(folder, kind, harms):
    content = packed(folder, kind, whole())
    for befall in harms:
        content = befall(content)
    tried(folder / f"some.{kind}", content)


@pytest.mark.parametrize("kind", ["osm.gz", "osm.bz2"])
@share(0.02)
@given(befall=harm())
def test_files_damaged_before_they_were_packed(folder, kind, befall):
    tried(folder / f"packed.{kind}", packed(folder, kind, befall(whole())))


_VALUES = (
    "yes no -1 reversible residential pedestrian motorway ferry x private separate both 50 1e9 nan "
    "0 -5 CN:urban multipolygon boundary administrative 6 8 330106 apartments 99 area nursing_home "
    "opposite forward 2;3 30|50 gate bollard"
)
_VALUE = st.one_of(
    st.sampled_from([*_VALUES.split(), "50 mph", ""]),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=6),
)
_OTHERS = (
    "name type boundary admin_level ref building building:levels amenity barrier locked leisure"
)
_KEY = st.sampled_from([*KEYS, *_OTHERS.split(" ")])
_TAGS = st.one_of(
    st.dictionaries(_KEY, _VALUE, max_size=5),
    st.fixed_dictionaries({"highway": st.just("residential")}, optional={"oneway": _VALUE}),
    st.just({"highway": "pedestrian", "area": "yes"}),
    st.just({"building": "yes"}),
)
_REF = st.integers(1, 24)
_DEGREE = st.one_of(
    st.integers(0, 4).map(lambda n: n / 1000), st.sampled_from([0.0, 1e-7, -1e-7, 5.0, 59.9])
)
_WAY = st.one_of(
    st.lists(_REF, max_size=7),
    st.lists(_REF, min_size=3, max_size=6, unique=True).map(lambda refs: [*refs, refs[0]]),
)
_AREA = st.sampled_from(
    [
        {"type": "multipolygon", "highway": "pedestrian"},
        {"type": "boundary", "boundary": "administrative", "admin_level": "6", "name": "区"},
        {"type": "multipolygon", "building": "apartments", "building:levels": "6"},
    ]
)


@pytest.mark.parametrize("kind", ["osm", "osm.pbf"])
@share(0.03)
@given(
    ways=st.lists(st.tuples(_WAY, _TAGS), min_size=1, max_size=8),
    places=st.dictionaries(_REF, st.tuples(_DEGREE, _DEGREE), max_size=24),
    of_nodes=st.dictionaries(_REF, _TAGS, max_size=4),
    relations=st.lists(
        st.tuples(
            st.lists(
                st.tuples(st.integers(1, 9), st.sampled_from(["outer", "inner", ""])), max_size=4
            ),
            _AREA | _TAGS,
        ),
        max_size=3,
    ),
)
def test_files_of_any_things(folder, kind, ways, places, of_nodes, relations):
    nodes = {ref: (120 + x, 30 + y) for ref, (x, y) in sorted(places.items())}
    content = xml(ways, nodes=nodes or {99: (1, 1)}, tags=of_nodes, relations=relations)
    tried(folder / f"things.{kind}", packed(folder, kind, content.encode()))


@share(0.03)
@given(
    content=st.binary(max_size=300),
    start=st.sampled_from(
        [b"", b"<osm>", b'<?xml version="1.0"?>', b"\x1f\x8b", b"BZh9", b"\x00\x00\x00\x0d"]
    ),
    kind=st.sampled_from(KINDS),
)
def test_files_of_any_bytes(folder, content, start, kind):
    tried(folder / f"bytes.{kind}", start + content)


def test_shapes_that_are_read_are_lines(folder):
    path = folder / "lines.osm"
    path.write_bytes(whole())
    assert (shapely.get_type_id(read_streets(path).streets.geometry.array) == 1).all()
