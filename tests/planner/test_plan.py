import re

import pytest

from layers.errors import PlanError, UnknownNameError
from layers.messages import speaking
from layers.resources import data_path
from planner import load_plan, load_services

WHOLE = """\
[plan]
name = "小城规划"
base_year = 2030
first_year = 2031
last_year = 2035
reviews = { mid_term = 2033 }

[services.library]
name = "图书馆"
name_en = "libraries"
group = "residents"
mode = "walk"
cutoff_m = 1000
source = "made up"

[[targets]]
key = "libraries"
name = "每个乡镇的图书馆"
kind = "quota"
service = "library"
level = "township"
quotas = { 2031 = 1, 2035 = 2 }

[[targets]]
key = "served"
name = "图书馆可及"
kind = "reach"
service = "library"
goals = { 2035 = 0.8 }

[[targets]]
key = "readers"
name = "读者"
row = 1
kind = "entered"
unit = "人"
base = 100
words = "逐步提高"
"""


def read(tmp_path, words):
    path = tmp_path / "plan.toml"
    path.write_text(words, encoding="utf-8")
    return load_plan(path)


def test_the_programs_own_plan_says_what_the_document_says():
    plan = load_plan()
    assert (plan.base_year, plan.first_year, plan.last_year) == (2020, 2021, 2025)
    assert dict(plan.reviews) == {"mid_term": 2023, "final": 2025}
    quotas = {
        key: [(goal.year, goal.quota) for goal in plan[key].goals]
        for key in ("clinics_by_district", "activity_centres", "home_care_by_township")
    }
    assert quotas == {
        "clinics_by_district": [(2021, 1), (2023, 3)],
        "activity_centres": [(2025, 1)],
        "home_care_by_township": [(2025, 1)],
    }
    goals = {
        key: (plan[key].last.year, plan[key].last.value)
        for key in (
            *("clinics_in_city", "age_friendly_institutions", "geriatric_departments"),
            *("family_care_beds", "home_adaptations"),
        )
    }
    assert goals == {
        "clinics_in_city": (2025, 50),
        "age_friendly_institutions": (2025, 0.8),
        "geriatric_departments": (2025, 0.6),
        "family_care_beds": (2023, 800),
        "home_adaptations": (2021, 3000),
    }
    assert all(target.clause for target in plan.values())
    assert all(target.name_en for target in plan.values())


def test_the_thirteen_key_indicators_as_printed():
    rows = {target.row: target for target in load_plan().values() if target.row}
    told = {
        row: (target.base, target.last.value if target.goals else target.words)
        for row, target in sorted(rows.items())
    }
    assert told == {
        1: (85.13, 85.2),
        2: (94.48, 95),
        3: (70.04, 73),
        4: (50.36, "相适应"),
        5: (34.92, "高于上一届比例"),
        6: (33.07, "保持"),
        7: (100, "换届后当年达到100％，平时保持在85％以上"),
        8: (100, "换届后当年达到100％，平时保持在85％以上"),
        9: (227.26, 235),
        10: (403.81, 415),
        11: (232.36, 240),
        12: (3291, "应援尽援"),
        13: (1.0, 1.0),
    }


def test_every_word_of_a_target_stands_in_the_plans_document(shared):
    path = shared("..", "plan", "000_f483563db2f0f95e.txt")
    document = re.sub(r"\s", "", path.read_text(encoding="utf-8"))
    for target in load_plan().values():
        assert re.sub(r"\s", "", target.words) in document, target.key


def test_one_source_of_quotas():
    assert "quotas" not in data_path("services.toml").read_text(encoding="utf-8").split("\n[")[1]
    plan = load_plan()
    for key, service in load_services().items():
        assert service.standard.quotas == plan.services[key].standard.quotas


def test_a_plan_of_tables_alone(tmp_path):
    plan = read(tmp_path, WHOLE)
    assert list(plan) == ["libraries", "served", "readers"]
    assert plan.services["library"].standard.quota("township", 2032).facilities == 1
    assert plan.services["library"].standard.quota("township", 2035).facilities == 2
    # The services at hand are under this plan's quotas, which has none of theirs.
    assert plan.services["menopause_clinic"].standard.quotas == ()
    assert plan["readers"].wording("en") == "逐步提高"
    with pytest.raises(UnknownNameError, match="libraries"):
        plan["nowhere"]


@pytest.mark.parametrize(
    ("old", "new", "line", "named"),
    [
        ("2035 = 2", "2035 = 1, 2033 = 3", 22, "3"),
        ("2031 = 1", "2030 = 1", 22, "2030"),
        ("2035 = 0.8", "2036 = 0.8", 29, "2036"),
        ("2035 = 0.8", "2035 = 1.8", 29, "1.8"),
        ("2035 = 0.8", '2035 = "many"', 29, "many"),
        ("2035 = 0.8", "2035 = nan", 29, "nan"),
        ("2035 = 0.8", "soon = 0.8", 29, "soon"),
        ("2035 = 2", "2035 = 1.5", 22, "1.5"),
        ("2035 = 2", "2035 = 0", 22, "0"),
        ('level = "township"', 'level = "ward"', 21, "ward"),
        ('service = "library"\nlevel', 'service = "libary"\nlevel', 20, "libary"),
        ('service = "library"\ngoals', 'service = "library"\ngroups = ["men"]\ngoals', 29, "men"),
        ('kind = "reach"', 'kind = "rich"', 27, "rich"),
        ('words = "逐步提高"', 'words = "逐步提高"\ngoals = { 2035 = 120 }', 39, "words"),
        ('words = "逐步提高"', "", 31, "goals"),
        ('key = "served"', 'key = "libraries"', 24, "libraries"),
        ('key = "served"', 'key = "served"\nrow = 1', 32, "served"),
        ('unit = "人"\nbase = 100', 'unit = "%"\nbase = 100.5', 37, "100.5"),
        ("base = 100", "base = -3", 37, "-3"),
        ("row = 1", "row = 0", 34, "0"),
        ("row = 1", "rwo = 1", 34, "rwo"),
        ("row = 1", 'level = "city"', 34, "level"),
        ("first_year = 2031", "first_year = 2029", 5, "2029"),
        ("mid_term = 2033", "mid_term = 2043", 6, "2043"),
        ("base_year = 2030\n", "", 1, "base_year"),
        ("[services.library]", "[services.fitness_circle]", 8, "fitness_circle"),
        ("cutoff_m = 1000", "cutof_m = 1000", 8, "cutof_m"),
        ('[[targets]]\nkey = "served"', '[[goals]]\nkey = "served"', 24, "goals"),
        ('kind = "reach"', 'kind = "share"', 24, "whole"),
        ('kind = "reach"', 'kind = "tiers"\ntiers = { a = "ward" }', 28, "ward"),
        ("goals = { 2035 = 0.8 }", "goals = 3", 29, "goals"),
        ("goals = { 2035 = 0.8 }", "quotas = { 2035 = 1 }", 24, "goals"),
        ('name = "读者"', "name = 3", 33, "3"),
    ],
)
def test_contradictions_are_refused_by_line(tmp_path, old, new, line, named):
    assert old in WHOLE
    with pytest.raises(PlanError) as caught:
        read(tmp_path, WHOLE.replace(old, new, 1))
    told = str(caught.value)
    assert f"plan.toml 第{line}行" in told, told
    assert named in told, told


def test_everything_wrong_is_named_at_once_and_in_english(tmp_path):
    words = (
        WHOLE.replace("0.8", "8").replace("2031 = 1", "2029 = 1").replace("row = 1", "row = 'a'")
    )
    with pytest.raises(PlanError) as caught, speaking("en"):
        read(tmp_path, words)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "plan.toml, line 22",
        "plan.toml, line 29",
        "plan.toml, line 34",
    ]


def test_the_same_thing_twice_is_refused(tmp_path):
    again = WHOLE.split("[[targets]]")[1].replace('"libraries"', '"again"')
    with pytest.raises(PlanError, match=r"第40行: again 与第16行的 libraries"):
        read(tmp_path, f"{WHOLE}\n[[targets]]{again}")


def test_what_is_done_in_a_year_may_fall(tmp_path):
    words = WHOLE.replace('words = "逐步提高"', "goals = { 2031 = 300, 2032 = 200 }")
    with pytest.raises(PlanError, match="yearly"):
        read(tmp_path, words)
    plan = read(tmp_path, words.replace("row = 1", "yearly = true"))
    assert [goal.value for goal in plan["readers"].goals] == [300, 200]


def test_a_limit_may_fall_but_not_rise(tmp_path):
    words = WHOLE.replace(
        'words = "逐步提高"', 'direction = "at_most"\ngoals = { 2031 = 9, 2035 = 7 }'
    )
    assert read(tmp_path, words)["readers"].is_met(6.5, read(tmp_path, words)["readers"].last)
    with pytest.raises(PlanError, match="第39行"):
        read(tmp_path, words.replace("2035 = 7", "2035 = 11"))


def test_unreadable_files(tmp_path):
    with pytest.raises(PlanError, match="nowhere"):
        load_plan(tmp_path / "nowhere.toml")
    with pytest.raises(PlanError, match="line 2"):
        read(tmp_path, "[plan]\nname = 小城\n")
    with pytest.raises(PlanError, match=r"\[plan\]"):
        read(tmp_path, "")
    with pytest.raises(PlanError, match="targets"):
        read(tmp_path, WHOLE.split("[[targets]]", maxsplit=1)[0])
