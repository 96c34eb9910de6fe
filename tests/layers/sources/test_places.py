import geopandas as gpd
import pytest
import shapely

from layers import facilities
from layers.errors import SourceError
from layers.sources.files import Source
from layers.sources.places import read


def source(tmp_path, content, options):
    path = tmp_path / "places.csv"
    path.write_text(content, encoding="utf-8")
    return Source.parse(f"{path},{options}" if options else str(path))


def both(given):
    made = read(given)
    return made.layer, list(made.findings)


STOPS = "name,line,lon,lat\n甲站,1,120.1,30.1\n乙站,1,120.2,30.2\n甲站,2,120.1,30.1\n"


def test_points_of_one_service(tmp_path):
    layer, found = both(source(tmp_path, STOPS, "service=clinic,stands_for=stations"))
    assert facilities.check(layer) == []
    assert [(one.code, one.rows) for one in found] == [("rows_same", (4,))]
    assert layer["id"].tolist() == ["clinic-00001", "clinic-00002", "clinic-00003"]
    assert layer["name"].tolist() == ["甲站", "乙站", "甲站"]
    assert set(layer["venue"]) == {"stations"}
    assert set(layer["source"]) == {"places.csv"}


def test_repeated_rows_go_when_asked_and_are_counted(tmp_path):
    layer, (one,) = both(source(tmp_path, STOPS, "service=clinic,unique=name"))
    assert layer["name"].tolist() == ["甲站", "乙站"]
    assert (one.code, one.severity, one.rows) == ("rows_repeated", "info", (4,))
    assert "1" in one.message


def test_cells_that_count_enough(tmp_path):
    content = (
        "x0,y0,x1,y1,sport\n120,30,120.1,30.1,0\n120.1,30,120.2,30.1,2\n120.2,30,120.3,30.1,5\n"
    )
    layer, _ = both(source(tmp_path, content, "service=gym,column=sport"))
    assert layer["name"].tolist() == ["sport 2", "sport 5"]
    layer, _ = both(source(tmp_path, content, "service=gym,column=sport,min=3"))
    assert layer.geometry.iloc[0].distance(shapely.Point(120.25, 30.05)) < 1e-9


def test_a_table_with_a_facility_layer_s_columns(tmp_path):
    content = (
        "id,service,name,opened,capacity,status,lon,lat\n"
        "a,clinic,甲,2020,,existing,120.1,30.1\n"
        "a,zoo,乙,,30,planned,120.2,30.2\n"
    )
    layer, _ = both(source(tmp_path, content, ""))
    assert layer["service"].tolist() == ["clinic", "zoo"]
    assert layer["opened"].iloc[0] == 2020
    assert layer["opened"].isna().tolist() == [False, True]
    assert layer["capacity"].iloc[1] == 30
    assert [one.code for one in facilities.check(layer)] == ["value_duplicated"]
    assert facilities.review(layer, ("clinic",))[0].rows == ("a",)


def test_a_file_of_geometry(tmp_path):
    places = [shapely.Point(120.1, 30.1), None]
    gpd.GeoDataFrame({"name": ["甲", None]}, geometry=places, crs=4326).to_file(tmp_path / "p.gpkg")
    made = read(Source.parse(f"{tmp_path / 'p.gpkg'},service=clinic"))
    assert made.layer["name"].tolist() == ["甲"]
    assert [(one.code, one.rows) for one in made.findings] == [("row_no_geometry", (2,))]
    assert made.rejected.table().columns.tolist() == ["行号", "原因", "经度", "纬度", "name"]
    assert made.rejected.rows.index.tolist() == [2]


REPEATED = """name,lon,lat
甲院,120.1,30.1
甲院,120.1000001,30.1
乙院,120.1,30.1
甲院,120.2,30.2
"""


def test_what_repeats_is_noticed_and_goes_when_asked(tmp_path):
    layer, found = both(source(tmp_path, REPEATED, "service=clinic"))
    assert len(layer) == 4
    told = [(one.code, one.severity, one.rows) for one in found]
    assert told == [("rows_same", "warning", (3,)), ("rows_one_place", "info", (4,))]
    layer, found = both(source(tmp_path, REPEATED, "service=clinic,repeats=drop"))
    assert layer["name"].tolist() == ["甲院", "乙院", "甲院"]
    assert [(one.code, one.rows) for one in found] == [
        ("rows_dropped", (3,)),
        ("rows_one_place", (4,)),
    ]
    with pytest.raises(SourceError, match="repeats=some"):
        read(source(tmp_path, REPEATED, "service=clinic,repeats=some"))


def test_rows_without_a_name_do_not_agree_in_it(tmp_path):
    content = "name,lon,lat\n,120.1,30.1\n,120.2,30.2\n甲,120.3,30.3\n甲,120.4,30.4\n"
    layer, found = both(source(tmp_path, content, "service=clinic,unique=name"))
    assert layer["name"].tolist() == ["", "", "甲"]
    assert [(one.code, one.rows) for one in found] == [("rows_repeated", (5,))]


def test_two_services_at_one_place_repeat_nothing(tmp_path):
    content = "id,service,name,lon,lat\na,clinic,甲,120,30\nb,room,甲,120,30\n"
    assert both(source(tmp_path, content, ""))[1] == []


@pytest.mark.parametrize(
    ("options", "word"),
    [("", "service"), ("service=a,colour=red", "colour"), ("service=a,unique=x", "unique"),
     ("service=a,column=sport", "x0"), ("service=a,name=x", "x"), ("service=a,datum=x", "datum")],
)  # fmt: skip
def test_wrong_options_are_refused(tmp_path, options, word):
    with pytest.raises(SourceError, match=word if word != "datum" else "x"):
        read(source(tmp_path, STOPS, options))


def test_the_real_stations(shared):
    path = shared("hangzhou", "hangzhou_metro_stations_2017_wgs84.csv")
    layer, _ = both(Source.parse(f"{path},service=mother_baby_room,unique=station"))
    assert facilities.check(layer) == []
    assert layer["name"].is_unique
