import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers.errors import InputError, SourceError, UnknownNameError
from planner import Apart, Decay, Junctions, Listed, Points, Problem, Upgrades, Year, site
from planner.network import Network
from planner.siting.places import Ground, sites_of, thinned
from planner.siting.sources import read_places, read_problem
from planner.standards import load_services
from tests.planner.siting.subsets import EAST, NORTH, SERVICE, candidates


@pytest.fixture(scope="module")
def ground(tiny_city):
    network = Network.build(tiny_city.streets, "walk", crs=tiny_city.crs)
    layer = tiny_city.facilities
    there = layer[(layer["service"] == SERVICE) & (layer["id"] == "H2")]
    return Ground(tiny_city, load_services()[SERVICE], network, there)


def test_it_says_what_is_asked():
    told = Problem(
        service=SERVICE,
        model="MCLP",
        p=5,
        exactly=True,
        budget=12,
        floors={"district": 0.6},
        at_most={"district": 2},
        apart=Apart(500),
        phases=(Year(2023, 2), Year(2024, budget=8)),
        decay=Decay.linear(5, 10),
        candidates=candidates(),
    )
    for words in ("mclp", "p = 5", "budget 12", "district 60%", "at most district 2", "2023=2"):
        assert words in repr(told)
    assert "apart 500 m straight" in repr(told)
    assert "6 rows" in repr(told)
    assert told.as_dict()["floors"] == {"district": 0.6}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "magic", "p": 1}, "magic"),
        ({"p": -1}, "p 应不小于零"),
        ({"p": 1.5}, "整数"),
        ({}, "开设个数"),
        ({"model": "mclp", "p": 1, "share": 0.5}, "lscp"),
        ({"model": "lscpb", "decay": Decay.linear(1, 2)}, "mclp"),
        ({"p": 1, "floors": {"district": 90}}, "90"),
        ({"p": 1, "reach": 500.0}, "p-median"),
        ({"p": 1, "required": ["A"], "forbidden": ["A"]}, "A"),
        ({"p": 1, "level": "street"}, "street"),
        ({"p": 1, "candidates": ["stations.csv"]}, "str"),
        ({"exactly": True, "budget": 3}, "exactly"),
    ],
)
def test_what_makes_no_sense_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        Problem(service=SERVICE, **options)


def test_unknown_options_and_names(tiny_city):
    with pytest.raises(InputError, match="pp"):
        site(tiny_city, SERVICE, pp=3)
    with pytest.raises(UnknownNameError, match="月球"):
        site(tiny_city, SERVICE, p=1, floors={"月球": 0.5}, candidates=candidates())
    with pytest.raises(UnknownNameError, match="S9"):
        site(tiny_city, SERVICE, p=1, required=["S9"], candidates=candidates())
    nested = {"district": 0.5, "330191001": 0.5}
    with pytest.raises(InputError, match="330191"):
        site(tiny_city, SERVICE, p=1, floors=nested, candidates=candidates())
    with pytest.raises(InputError, match="community"):
        site(tiny_city, SERVICE, p=1, floors={"community": 0.5}, candidates=candidates())


def test_a_unit_goes_before_its_level(tiny_city):
    floors = {"330192": 0.0, "district": 0.01}
    plan = site(tiny_city, SERVICE, p=2, floors=floors, candidates=candidates())
    codes = plan.setting.areas.codes
    told = {codes[number]: rate for number, rate in plan.setting.limits.floors.items()}
    assert told == {"330191": 0.01, "330192": 0.0}


def test_columns_by_their_usual_names(ground):
    frame = gpd.GeoDataFrame(
        {
            "编号": ["甲", "", None, "丁"],
            "机构名称": ["一院", None, "三院", "四院"],
            "角色": ["必选", "", "排除", "候选"],
            "造价（万元）": ["1,200", "", "３００", "5"],
            "床位数": [20, np.nan, 30, 40],
        },
        geometry=[shapely.Point(EAST + 100 * k, NORTH) for k in range(4)],
        crs=4549,
    )
    sites = sites_of([Points(frame=frame, cost=7)], ground)
    assert sites["id"].tolist() == ["甲", "P2", "P3", "丁"]
    assert sites["name"].tolist() == ["一院", "", "三院", "四院"]
    assert sites["role"].tolist() == [2, 0, 3, 0]
    assert sites["cost"].tolist() == [1200, 7, 300, 5]
    assert sites["capacity"].fillna(-1).tolist() == [20, -1, 30, 40]
    assert sites.crs.to_epsg() == 4326


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("cost", ["1", "贵"], "1"),
        ("cost", ["1", "-2"], "1"),
        ("role", ["候选", "已有"], "已有"),
        ("upgrades", ["H2", "H99"], "H99"),
    ],
)
def test_bad_rows_are_named(ground, column, values, words):
    points = [shapely.Point(EAST, NORTH), shapely.Point(EAST + 9, NORTH)]
    frame = gpd.GeoDataFrame({column: values}, geometry=points, crs=4549)
    with pytest.raises(InputError, match=words):
        sites_of([Points(frame=frame)], ground)


def test_areas_count_by_a_point_inside(ground):
    area = shapely.box(EAST, NORTH, EAST + 50, NORTH + 50)
    frame = gpd.GeoDataFrame(geometry=[area], crs=4549)
    (point,) = sites_of([Points(frame=frame)], ground).to_crs(4549).geometry
    assert area.contains(point)


def test_junctions_thinned_lie_apart_and_leave_none_out(ground):
    for spacing in (400.0, 500.0, 900.0):
        sites = Junctions(spacing=spacing).on(ground).to_crs(4549)
        xy = np.column_stack([sites.geometry.x, sites.geometry.y])
        apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
        assert (apart[~np.eye(len(xy), dtype=bool)] > spacing - 0.01).all()
        every = ground.network.places[~np.isin(ground.network.node_ids, [8, 9])]
        away = np.hypot(*(every[:, None] - xy[None]).transpose(2, 0, 1)).min(axis=1)
        assert (away < spacing).all()
    assert any("路" in name for name in sites["name"])
    assert len(thinned(np.zeros((3, 2)), 1.0, [2, 1, 0])) == 1


def test_what_the_city_lists(ground, tiny_city):
    sites = sites_of([Listed()], ground)
    # A new facility needs an id of its own.
    assert sites["id"].tolist() == ["H3+"]
    plan = site(tiny_city, SERVICE, p=1, candidates=Listed())
    assert plan.scenario().changes[0].name == "三号照料中心"
    with pytest.raises(InputError, match="existing"):
        Listed(statuses=("existing",))


def test_only_within_areas(tiny_city):
    west = tiny_city.units[tiny_city.units["code"] == "330191"]
    plan = site(tiny_city, SERVICE, p=2, spacing=400, within=west)
    assert set(plan.sites["district"]) == {"330191"}
    whole = plan.setting.sites.iloc[: plan.setting.candidates]
    assert set(whole["district"]) == {"330191"}


def test_an_upgrade_resizes_what_exists(tiny_city):
    plan = site(
        tiny_city, SERVICE, model="cmclp", p=1, candidates=Upgrades(capacity=90, ids=("H2",))
    )
    (change,) = plan.scenario().changes
    assert (change.kind, change.id, change.capacity) == ("resize", "H2", 90)
    held = plan.scenario().apply(tiny_city).facilities.set_index("id").loc["H2", "capacity"]
    assert held == 90
    # It serves what it held before and what has come to it, and no more.
    assert plan.objective == pytest.approx(90)
    assert plan.by("district")["counted"].sum() == pytest.approx(90)
    with pytest.raises(InputError, match="cmclp"):
        site(tiny_city, SERVICE, p=1, candidates=Upgrades(capacity=90))
    small = Upgrades(capacity=40, ids=("H2",))
    with pytest.raises(InputError, match="H2"):
        site(tiny_city, SERVICE, model="cmclp", p=1, candidates=small)


def test_candidates_off_every_street_are_told(tiny_city):
    frame = candidates()
    far = frame.geometry.translate(0, 0).copy()
    far.iloc[0] = shapely.Point(EAST - 5000, NORTH)
    plan = site(tiny_city, SERVICE, p=1, candidates=frame.set_geometry(far))
    assert plan.setting.refused["id"].tolist() == ["S0"]
    assert "1个候选点未能定位" in " ".join(plan.words("zh"))
    with pytest.raises(InputError, match="S0"):
        site(tiny_city, SERVICE, p=1, candidates=frame.set_geometry(far), required=["S0"])


def test_a_problem_in_a_file(tmp_path, tiny_city):
    candidates().to_crs(4326).to_file(tmp_path / "places.geojson")
    tiny_city.units[tiny_city.units["level"] == "district"].to_file(tmp_path / "areas.gpkg")
    file = tmp_path / "problem.toml"
    file.write_text(
        f"""
        service = "{SERVICE}"
        model = "mclp"
        p = 3
        floors = {{ district = 0.1 }}
        apart = {{ metres = 300, along = "network" }}
        within = "areas.gpkg"
        candidates = ["places.geojson,cost=2", "junctions,spacing=900"]
        phases = [{{ year = 2023, number = 1 }}, {{ year = 2024, budget = 4 }}]
        decay = {{ bands = [[8, 1.0], [16, 0.5]] }}
        standard = {{ cutoff_min = 12 }}
        """,
        encoding="utf-8",
    )
    usual = {key: one.standard for key, one in load_services().items()}
    problem = read_problem(file, usual=usual).problem
    assert problem.standard.cutoff == 12
    assert problem.standard.group == "age_60_plus"
    assert problem.apart == Apart(300, "network")
    assert problem.phases == (Year(2023, 1), Year(2024, budget=4))
    assert problem.decay == Decay.of_bands([(8, 1), (16, 0.5)])
    assert [type(one) for one in problem.candidates] == [Points, Junctions]
    assert site(tiny_city, problem).found


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("p = 1", "service"),
        (f'service = "{SERVICE}"\nnumber = 3', "number"),
        (f'service = "{SERVICE}"\np = "three"', "problem.toml"),
        (f'service = "{SERVICE}"\np = 1\nphases = 3', "phases"),
        (f'service = "{SERVICE}"\np = 1\napart = {{ meters = 3 }}', "apart"),
        ("service =", "problem.toml"),
    ],
)
def test_a_file_that_makes_no_sense(tmp_path, words, told):
    file = tmp_path / "problem.toml"
    file.write_text(words, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        read_problem(file)
    with pytest.raises(SourceError, match="nowhere"):
        read_problem(tmp_path / "nowhere.toml")


def test_candidates_in_words(tmp_path):
    table = tmp_path / "地铁站.csv"
    table.write_text("站名,经度,纬度,钱,need\n甲,120.1,30.2,3,必选\n乙,120.2,30.2,,候选\n")
    read = read_places(f"{table},cost=钱,role=need")
    assert read.places.frame.columns.tolist()[:1] == ["站名"]
    assert {"cost", "role"} <= set(read.places.frame.columns)
    assert read_places("listed,statuses=planned").places == Listed(statuses=("planned",))
    assert read_places("upgrades,capacity=80,ids=H1+H2").places.ids == ("H1", "H2")
    with pytest.raises(SourceError, match="spacing"):
        read_places("junctions")
    with pytest.raises(SourceError, match="colour"):
        read_places("junctions,spacing=3,colour=red")
