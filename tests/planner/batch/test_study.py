import json

import pytest

from layers.errors import InputError, SourceError, UnknownNameError
from layers.messages import speaking
from planner import Open, Scenario
from planner.batch import Place, Study, Variant, read_study

CITIES = '[[cities]]\nembedded = "small"\n'


def study(tmp_path, content):
    file = tmp_path / "study.toml"
    file.write_text(content, encoding="utf-8")
    return read_study(file)


def refused(make, *words, error=SourceError):
    for lang in ("zh", "en"):
        with speaking(lang), pytest.raises(error) as caught:
            make()
        for word in words:
            assert word in str(caught.value), (lang, str(caught.value))


def test_every_service_in_every_year_under_every_scenario_and_standard(tmp_path):
    plan = Scenario((Open(service="menopause_clinic", place=(120.2, 30.25), name="甲"),), "x")
    (tmp_path / "plan.json").write_text(json.dumps(plan.as_dict()), encoding="utf-8")
    made = study(
        tmp_path,
        f"""
        services = ["menopause_clinic", "mother_baby_room"]
        years = [2021, 2025]
        level = "township"
        {CITIES}
        [[scenarios]]
        name = "base"
        [[scenarios]]
        name = "plan"
        file = "plan.json"
        [[standards]]
        name = ""
        [[standards]]
        name = "600 m"
        service = "mother_baby_room"
        cutoff_m = 600
        """,
    )
    assert made.level == "township"
    assert len(made.variants) == 2 * 2 + 2 * 2 * 2
    (one,) = (v for v in made.variants if v.name == "mother_baby_room · 2025 · plan · 600 m")
    assert one.standard == {"cutoff_m": 600}
    assert one.scenario["changes"] == plan.as_dict()["changes"]
    assert [len(shift.variants) for shift in made.shifts()] == [10, 2]


def test_all_services_when_none_are_named(tmp_path):
    assert {one.service for one in study(tmp_path, CITIES).variants} >= {"fitness_circle"}


def test_a_list_makes_a_siting_each(tmp_path):
    (tmp_path / "p.toml").write_text('service = "menopause_clinic"\nmodel = "mclp"\n')
    made = study(
        tmp_path,
        f'{CITIES}[[sitings]]\nname = "s"\nproblem = "p.toml"\np = [2, 3]\nbudget = [5, 6.5]\n',
    )
    assert [one.name for one in made.variants] == [
        "s p=2 budget=5",
        "s p=2 budget=6.5",
        "s p=3 budget=5",
        "s p=3 budget=6.5",
    ]
    assert made.variants[3].siting == {
        "service": "menopause_clinic",
        "model": "mclp",
        "p": 3,
        "budget": 6.5,
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("= 3", ["study.toml"]),
        ("colour = 3", ["colour", "cities"]),
        (CITIES + 'level = "street"', ["level"]),
        ('level = "street"\n' + CITIES, ["level", "street"]),
        ('group = "cats"\n' + CITIES, ["group", "cats"]),
        ('[[cities]]\nembedded = "huge"', ["embedded", "huge"]),
        ('[[cities]]\nname = "x"', ["path"]),
        (CITIES + "[[scenarios]]\nfile = 'none.json'", ["none.json"]),
        (CITIES + "[[standards]]\nradius = 3", ["radius", "cutoff_m"]),
        (CITIES + "[[sitings]]\np = 3", ["service"]),
        (CITIES + "[[sitings]]\nproblem = 'none.toml'", ["none.toml"]),
        ("chunk = 'many'\n" + CITIES, ["study.toml", "many"]),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content, words):
    refused(lambda: study(tmp_path, content), *words)


def test_an_unknown_service_is_named(tmp_path):
    refused(lambda: study(tmp_path, 'services = ["spa"]\n' + CITIES), "spa", error=UnknownNameError)


def test_names_come_once():
    place, one = Place("甲/乙", "x"), Variant("v", "fitness_circle")
    for cities, variants in [((place, Place("甲 乙", "y")), (one,)), ((place,), (one, one))]:
        refused(
            lambda c=cities, v=variants: Study(name="s", cities=c, variants=v), error=InputError
        )
    refused(lambda: Study(name="s", cities=(), variants=(one,)), error=InputError)
    refused(
        lambda: Study(name="s", cities=(place,), variants=(one,), chunk=0), "0", error=InputError
    )


def test_the_digest_follows_what_decides_the_result(tmp_path, tiny_city):
    folder = tmp_path / "city"
    tiny_city.save(folder)
    (tmp_path / "sites.csv").write_text("id,lon,lat\na,120.15,30.27\n")

    def digest(*, version="1", **changed):
        siting = {"service": "fitness_circle", "candidates": ["sites.csv,cost=2"]}
        own = {
            "name": "s",
            "cities": (Place("甲", str(folder)),),
            "variants": (Variant("v", "fitness_circle", siting=siting),),
            "folder": tmp_path,
        }
        (shift,) = Study(**{**own, **changed}).shifts()
        return shift.digest(version, shift.place.fingerprint())

    first = digest()
    assert digest(name="another") == first
    assert digest(version="2") != first
    assert digest(level="township") != first
    assert digest(variants=(Variant("v", "fitness_circle"),)) != first
    (tmp_path / "sites.csv").write_text("id,lon,lat\nb,120.15,30.27\n")
    second = digest()
    assert second != first
    Scenario((Open(service="fitness_circle", place=(120.15, 30.27)),)).apply(tiny_city).save(folder)
    assert digest() != second
    (tmp_path / "sites.csv").unlink()
    refused(digest, "sites.csv")
