import numpy as np
import pytest

from layers.errors import InputError, StandardError
from planner import travel
from planner.network import Network
from planner.standards import Standard, load_services

TABLE = """
[hospital]
name = "医院"
name_en = "hospitals"
group = "residents"
mode = "drive"
cutoff_min = 15
source = "示例"
"""


def test_every_usual_table_names_its_source_and_holds_for_every_class(tiny_city):
    classes = [*sorted(set(tiny_city.streets["highway"])), "motorway", "a class of its own"]
    assert {what for _, what in travel.usual()} == set(travel.FIGURES)
    for table in travel.usual().values():
        assert table.origin("zh")
        assert table.origin("en")
        assert (table.of(classes) >= 0).all()


def test_a_link_goes_by_its_road_unless_it_has_a_figure_of_its_own():
    table = travel.figures("limit_share", "drive", {"other": 1, "trunk": 0.7, "primary_link": 0.5})
    found = table.of(["trunk_link", "primary", "primary_link", "x"])
    assert found.tolist() == [0.7, 1.0, 0.5, 1.0]


def test_cycling_by_class(tiny_city):
    network = Network.build(tiny_city.streets, "cycle", class_speeds="usual")
    speed = network.length * 0.06 / network.minutes
    own = dict(zip(network.streets["highway"], speed, strict=True))
    assert own["residential"] == pytest.approx(18)
    assert own["footway"] == pytest.approx(6)
    assert network.access_speed_kmh == 4.8


def test_cars_go_at_a_share_of_the_limit(tiny_city):
    limits = Network.build(tiny_city.streets, "drive")
    usual = Network.build(tiny_city.streets, "drive", limit_share="usual")
    np.testing.assert_allclose(usual.minutes, limits.minutes / 0.8)
    table = {"other": 0.5, "trunk": 1.0}
    own = Network.build(tiny_city.streets, "drive", limit_share=table)
    trunk = own.streets["highway"].to_numpy() == "trunk"
    np.testing.assert_allclose(own.minutes, limits.minutes * np.where(trunk, 1, 2))


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("drive", {"class_speeds": "usual"}),
        ("walk", {"class_speeds": "usual"}),
        ("walk", {"limit_share": 0.8}),
        ("cycle", {"class_speeds": "usual", "speed_kmh": 12}),
        ("drive", {"limit_share": {"trunk": 0.8}}),
        ("drive", {"limit_share": 0}),
        ("drive", {"limit_share": {"other": 1, "trunk": float("nan")}}),
        ("drive", {"junction_delay_s": -1}),
        ("drive", {"junction_delay_s": True}),
        ("drive", {"junction_delay_s": "often"}),
    ],
)
def test_wrong_figures_are_refused(tiny_city, mode, options):
    with pytest.raises(InputError):
        Network.build(tiny_city.streets, mode, **options)


def test_a_standard_carries_them_to_the_network(tmp_path, tiny_city):
    path = tmp_path / "services.toml"
    words = 'junction_delay_s = "usual"\nlimit_share = { other = 0.9, trunk = 0.7 }\n'
    path.write_text(TABLE + words, encoding="utf-8")
    standard = load_services(path)["hospital"].standard
    network = Network.build(tiny_city.streets, standard.mode, **standard.pace)
    assert network.delay is not None
    told = standard.as_dict()
    assert told["limit_share"] == {"other": 0.9, "classes": {"trunk": 0.7}, "source": ""}
    assert "Jaakkonen" in told["junction_delay_s"]["source"]
    assert told["class_speeds"] is None
    assert "delays" in standard.words("en")
    assert hash(standard)


def test_a_table_that_says_nonsense_is_refused_by_its_service(tmp_path):
    path = tmp_path / "services.toml"
    for words in ("class_speeds = 20\n", 'limit_share = "slow"\n', "junction_delay_s = [1]\n"):
        path.write_text(TABLE + words, encoding="utf-8")
        with pytest.raises(StandardError, match=r"services\.toml \[hospital\]"):
            load_services(path)


def test_without_them_nothing_changes():
    for service in load_services().values():
        options = set(service.standard.pace)
        assert options <= {"speed_kmh"}
    plain = Standard(mode="cycle", group="residents", source="", cutoff_min=10)
    assert plain.pace == {"speed_kmh": 15.0}
