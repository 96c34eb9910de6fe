import tomllib

import pytest

from layers.errors import PlannerError, StandardError, UnknownNameError
from layers.resources import data_path
from planner.standards import Standard, load_services

WHOLE = """
[a]
name = "甲"
name_en = "a"
group = "women"
mode = "walk"
cutoff_m = 500
source = "made up"
"""


def read(tmp_path, words):
    path = tmp_path / "services.toml"
    path.write_text(words, encoding="utf-8")
    return load_services(path)


def test_the_five_services_and_their_standards():
    services = load_services()
    told = {
        key: (s.standard.mode, s.standard.cutoff, s.standard.unit, s.standard.group)
        for key, s in services.items()
    }
    assert told == {
        "mother_baby_room": ("walk", 800, "m", "women_15_49"),
        "womens_activity_centre": ("drive", 30, "min", "women"),
        "fitness_circle": ("walk", 10, "min", "residents"),
        "home_care_centre": ("walk", 15, "min", "age_60_plus"),
        "menopause_clinic": ("drive", 30, "min", "women_45_59"),
    }
    assert all(service.clause and service.standard.source for service in services.values())
    assert repr(services).startswith("<Services: mother_baby_room")


def test_metres_of_the_walking_standards_are_the_plans():
    walks = {
        key: s.standard.cutoff * s.standard.speed_kmh / 0.06
        for key, s in load_services().items()
        if s.standard.speed_kmh
    }
    assert walks == pytest.approx({"fitness_circle": 800, "home_care_centre": 900})


def test_quotas_by_year():
    clinic = load_services()["menopause_clinic"].standard
    due = {year: clinic.quota("district", year) for year in (2020, 2021, 2022, 2023, 2025)}
    assert due[2020] is None
    assert [due[year].facilities for year in (2021, 2022, 2023, 2025)] == [1, 1, 3, 3]
    assert clinic.quota("city").facilities == 50
    assert clinic.quota("township") is None


def test_words_in_both_languages():
    standard = load_services()["home_care_centre"].standard
    assert standard.words("zh") == "步行 15 分钟 (3.6 km/h)"
    assert standard.words("en") == "walk 15 min (3.6 km/h)"
    assert "老年人" in standard.origin("zh")
    assert "old" in standard.origin("en")


def test_a_further_service_needs_no_code(tmp_path):
    services = read(tmp_path, WHOLE)
    assert services["a"].standard.cutoff == 500
    assert services["a"].title("en") == "a"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("cutoff_m = 500", "cutoff_m = 500\ncutoff_min = 5", "cutoff_min"),
        ("cutoff_m = 500", "", "cutoff_m"),
        ("cutoff_m = 500", "cutoff_m = -5", "-5"),
        ("cutoff_m = 500", "cutoff_m = nan", "nan"),
        ("cutoff_m = 500", "cutoff_m = true", "True"),
        ("cutoff_m = 500", 'cutoff_m = "far"', "far"),
        ("cutoff_m = 500", "cutof_m = 500", "cutof_m"),
        ('mode = "walk"', 'mode = "swim"', "swim"),
        ('mode = "walk"', 'mode = "drive"\nspeed_kmh = 30', "speed_kmh"),
        ('group = "women"', 'group = "men"', "men"),
        ('group = "women"', 'group = "women"\nalso = ["men"]', "men"),
        ('name = "甲"', "", "name"),
        ('name = "甲"', "name = 3", "name"),
        ('source = "made up"', "", "source"),
        (
            "cutoff_m = 500",
            "cutoff_m = 500\nquotas = [{ level = 'city', year = 2021, facilities = 1 }]",
            "plan_2021_2025.toml",
        ),
        ("[a]", "a = 3\n[b]", "[a]"),
        ("[a]", "[a", "services.toml"),
    ],
)
def test_what_it_does_not_know_is_refused_by_name(tmp_path, old, new, named):
    assert old in WHOLE
    with pytest.raises(StandardError) as caught:
        read(tmp_path, WHOLE.replace(old, new))
    assert named in str(caught.value)


def test_missing_or_empty_file(tmp_path):
    with pytest.raises(StandardError, match="nowhere"):
        load_services(tmp_path / "nowhere.toml")
    with pytest.raises(StandardError):
        read(tmp_path, "# nothing\n")


def test_unknown_key_is_a_key_error_that_names_the_known():
    with pytest.raises(KeyError, match="fitness_circle") as caught:
        load_services()["gym"]
    assert isinstance(caught.value, UnknownNameError)
    assert isinstance(caught.value, PlannerError)
    assert "gym" not in load_services()


def test_a_standard_made_in_code_is_held_to_the_same_rules():
    with pytest.raises(StandardError):
        Standard(mode="walk", group="women", source="", cutoff_m=1, cutoff_min=1)
    with pytest.raises(StandardError):
        Standard(mode="walk", group="women", source="", cutoff_m=0)


def test_the_table_is_plain_toml():
    with data_path("services.toml").open("rb") as file:
        assert set(tomllib.load(file)) == set(load_services())
