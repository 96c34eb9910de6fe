import pytest
import shapely

from layers.crs import measuring_crs
from layers.errors import SourceError
from layers.resources import data_path
from layers.sources.osm import HomeTable, read_homes, read_places
from tests.layers.sources.osmxml import xml

TABLE = HomeTable.read()


def square(first, x, y):
    """Nodes of a square of 0.0002 degrees and the way around it."""
    step = 2e-4
    corners = [(x, y), (x + step, y), (x + step, y + step), (x, y + step)]
    nodes = {first + n: corner for n, corner in enumerate(corners)}
    return nodes, [*nodes, first]


@pytest.fixture
def read(tmp_path):
    def read(buildings, **options):
        nodes, ways = {}, []
        for n, tags in enumerate(buildings):
            corners, ring = square(1 + 10 * n, 120 + 0.001 * n, 30.0)
            nodes |= corners
            ways.append((ring, tags))
        path = tmp_path / "some.osm"
        path.write_text(xml(ways, nodes=nodes), encoding="utf-8")
        return read_homes(path, **options)

    return read


def test_floor_space_is_outline_times_storeys_times_share(read):
    homes, found = read(
        [
            {"building": "apartments", "building:levels": "11"},
            {"building": "yes", "building:levels": "4"},
            {"building": "house"},
            {"building": "house", "building:levels": "tall"},
            {"building": "office", "building:levels": "30"},
            {"building": "yes", "shop": "mall"},
            {"building": "retail", "building:use": "retail;residential", "building:levels": "2"},
        ]
    )
    assert list(homes.columns) == ["weight", "geometry"]
    outline = homes.to_crs(measuring_crs(homes)).area
    per_outline = (homes["weight"] / outline).round(9).tolist()
    kinds = TABLE.kinds
    assert per_outline == pytest.approx(
        [11, 4 * kinds["yes"].homes, kinds["house"].levels, kinds["house"].levels, 2]
    )
    told = {one.code: one.values for one in found}
    assert told["osm_levels_unread"]["found"] == "w4 tall"
    assert told["osm_levels_usual"] == {"count": 2, "total": 5}


def test_an_area_keeps_what_touches_it(read):
    flats = [{"building": "apartments"}] * 3
    homes, _ = read(flats, area=shapely.box(119.9, 29.9, 120.0005, 30.1))
    assert len(homes) == 1


def test_a_file_without_homes_is_refused(read):
    with pytest.raises(SourceError):
        read([{"building": "garage"}])


@pytest.mark.parametrize(
    ("old", "new"),
    [("homes = 1.0", "homes = 2"), ("levels = 6", "levels = 0"), ("[home]", "[houses]")],
)
def test_a_table_that_is_wrong_is_told(tmp_path, old, new):
    path = tmp_path / "mine.toml"
    table = data_path("osm.toml").read_text(encoding="utf-8")
    path.write_text(table.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SourceError, match=r"mine\.toml"):
        HomeTable.read(path)


def test_homes_of_a_real_file(shared):
    homes, _ = read_homes(shared("osm", "Helsinki.osm.pbf"))
    assert (homes["weight"] > 0).all()
    assert len(homes) > 300


def test_things_that_are_there_twice_count_once(tmp_path):
    ways = [([0, 10, 11, 1, 0], {"building": "apartments"}), ([20, 30], {"highway": "path"})]
    text = xml(ways, tags={20: {"amenity": "nursing_home"}})
    node = next(line for line in text.split("<node") if 'id="20"' in line)
    twice = tmp_path / "twice.osm"
    twice.write_text(text.replace("<node" + node, ("<node" + node) * 2), encoding="utf-8")
    layer, (found,) = read_places(twice)
    assert layer["id"].tolist() == ["home_care_centre-n20"]
    assert (found.code, found.values["found"]) == ("osm_things_repeated", "n20")
