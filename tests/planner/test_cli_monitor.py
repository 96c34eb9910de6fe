import json

import pytest

from planner import monitor
from planner.cli import main
from planner.proposal import proposal

VALUES = "指标,年份,数值,填报人,来源\nlife_expectancy,2023,85.4,王某,卫健委\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_city):
    path = tmp_path_factory.mktemp("cities") / "tiny"
    tiny_city.save(path)
    return path


def run(capsys, *words):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_json_is_what_monitor_gives(capsys, folder, tiny_city):
    status, out, _ = run(capsys, "monitor", "--city", folder, "--year", "2023", "--json")
    told = json.loads(out)
    assert status == 0
    wanted = monitor(tiny_city, 2023)
    assert told["states"] == wanted.states()
    assert [entry["key"] for entry in told["indicators"]] == list(wanted.plan)
    for entry, indicator in zip(told["indicators"], wanted, strict=True):
        assert (entry["state"], entry["value"]) == (indicator.state, indicator.value)
        assert len(entry["units"]) == len(indicator.as_dict()["units"])
        assert {"target", "value", "state", "units", "warnings", "goal"} <= set(entry)


def test_tables_and_warnings_in_both_languages(capsys, folder):
    words = ["monitor", "--city", folder, "--year", "2023"]
    status, zh, _ = run(capsys, *words)
    _, en, _ = run(capsys, "--lang", "en", *words)
    assert status == 0
    assert "中期评估" in zh
    assert "mid-term evaluation" in en
    # The tiny city has one clinic, in the east.
    assert "偏离" in zh
    assert "西区 0/3、东区 1/3" in zh
    assert "West 0/3, East 1/3" in en
    assert "相适应" in zh
    assert "in keeping" in en
    assert "（2020年 85.13岁）" in zh


def test_one_target_with_its_details_and_entered_values(capsys, folder, tmp_path):
    values = tmp_path / "values.csv"
    values.write_text(VALUES, encoding="utf-8")
    words = ["monitor", "--city", folder, "--year", "2023", "--values", values]
    status, out, _ = run(capsys, *words, "--target", "life_expectancy")
    assert status == 0
    assert "已达标" in out
    assert "王某 · 卫健委" in out
    _, out, _ = run(capsys, *words, "--target", "clinics_by_district", "--level", "township")
    assert "东南街道" in out


def test_places_for_what_is_missing(capsys, folder, tiny_city):
    words = ["monitor", "--city", folder, "--year", "2023", "--target", "home_care_by_township"]
    status, out, _ = run(capsys, *words, "--propose")
    assert status == 0
    told = monitor(tiny_city, 2023, keys=("home_care_by_township", "clinics_by_district"))
    made = proposal(told["home_care_by_township"])
    # One stands in the south-east.
    assert sorted(made.sites["township"]) == ["330191001", "330191002", "330192002"]
    assert "为所缺3处选址" in out
    for name in made.sites["id"]:
        assert f"（{name}）" in out
    _, out, _ = run(capsys, *words, "--propose", "--json")
    (entry,) = json.loads(out)["indicators"]
    assert [site["id"] for site in entry["proposal"]["sites"]] == made.sites["id"].tolist()


def test_units_without_enough_places_are_told(capsys, folder, tiny_city):
    words = ["monitor", "--city", folder, "--year", "2023", "--target", "clinics_by_district"]
    status, out, _ = run(capsys, *words, "--propose")
    assert status == 0
    assert "无法为所缺设施选址" in out
    told = monitor(tiny_city, 2023, keys=("clinics_by_district",))["clinics_by_district"]
    made = proposal(told, spacing=50)
    assert made.sites["district"].value_counts().to_dict() == {"330191": 3, "330192": 2}


def test_nothing_is_proposed_where_nothing_is_missing_or_counted(tiny_city):
    told = monitor(tiny_city, 2023, keys=("life_expectancy", "fitness_reach", "clinics_in_city"))
    assert proposal(told["life_expectancy"]) is None
    assert proposal(told["fitness_reach"]) is None
    # 49 places more than this city has.
    assert not proposal(told["clinics_in_city"]).found


@pytest.mark.parametrize(
    ("words", "status", "named"),
    [
        (["--year", "2023", "--target", "nothing"], 2, "nothing"),
        (["--year", "2031"], 1, "2031"),
        (["--year", "2023", "--plan", "nowhere.toml"], 1, "nowhere.toml"),
        (["--year", "2023", "--values", "nowhere.csv"], 1, "nowhere.csv"),
        (["--year", "2023", "--city", "nowhere"], 2, "nowhere"),
    ],
)
def test_exit_status_tells_wrong_use_from_wrong_input(capsys, folder, words, status, named):
    city = [] if "--city" in words else ["--city", folder]
    got, _, told = run(capsys, "monitor", *city, *words)
    assert got == status
    assert named in told


def test_a_year_must_be_given(capsys, folder):
    with pytest.raises(SystemExit) as caught:
        main(["monitor", "--city", str(folder)])
    assert caught.value.code == 2


def test_recording_correcting_and_seeing(capsys, tmp_path, folder):
    path = tmp_path / "history.jsonl"
    words = ["record", "--history", path, "--target", "legal_aid", "--year", "2023"]
    signed = ["--by", "王某", "--source", "司法局"]
    status, out, _ = run(capsys, *words, "--value", "3300", *signed)
    assert (status, path.exists()) == (0, True)
    assert "3,300人" in out
    status, _, told = run(capsys, *words, "--value", "3310", *signed)
    assert status == 1
    assert "3300" in told
    status, out, _ = run(capsys, *words, "--value", "3310", *signed, "--reason", "漏计")
    assert status == 0
    assert "3,300人" in out
    assert "漏计" in out
    status, out, _ = run(capsys, "record", "--history", path, "--json")
    told = json.loads(out)["records"]
    assert [(r["value"], r["superseded"]) for r in told] == [(3300, True), (3310, False)]
    monitored = ["monitor", "--city", folder, "--year", "2023", "--values", path]
    _, out, _ = run(capsys, *monitored, "--target", "legal_aid")
    assert "原值 3,300人" in out
    assert "3,310人" in out


@pytest.mark.parametrize(
    ("more", "status", "named"),
    [
        (["--target", "legal_aid", "--value", "3"], 2, "--year"),
        (["--target", "nothing", "--year", "2023", "--value", "3"], 2, "nothing"),
        (["--target", "legal_aid", "--year", "2033", "--value", "3"], 1, "2033"),
        (["--target", "legal_aid", "--year", "2023", "--value", "-3"], 1, "-3"),
        (["--target", "legal_aid", "--year", "2023", "--withdraw"], 1, "--by"),
    ],
)
def test_records_that_are_refused(capsys, tmp_path, more, status, named):
    path = tmp_path / "history.jsonl"
    got, _, told = run(capsys, "record", "--history", path, *more)
    assert got == status
    assert named in told
    assert not path.exists()


def test_equity_in_json_and_words(capsys, folder):
    words = ["equity", "--city", folder, "--service", "mother_baby_room", "--year", "2023"]
    status, out, _ = run(capsys, *words, "--json")
    told = json.loads(out)["services"]["mother_baby_room"]
    assert status == 0
    assert 0 < told["gini"] < 1
    assert {"gap", "palma", "lorenz", "settlements", "access"} <= set(told)
    _, zh, _ = run(capsys, *words)
    _, en, _ = run(capsys, "--lang", "en", *words, "--enhanced")
    assert "基尼系数" in zh
    assert "Gini" in en


def test_coverage_under_another_plans_quotas_and_services(capsys, folder, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(
        """\
[plan]
name = "甲"
base_year = 2020
first_year = 2021
last_year = 2025
[services.clinic]
name = "门诊"
name_en = "clinics"
group = "women"
mode = "walk"
cutoff_m = 500
source = "made up"
[[targets]]
key = "a"
name = "甲"
kind = "quota"
service = "menopause_clinic"
level = "district"
quotas = { 2022 = 7 }
""",
        encoding="utf-8",
    )
    words = ["coverage", "--city", folder, "--plan", plan, "--json", "--year", "2023"]
    _, out, _ = run(capsys, *words)
    told = json.loads(out)["services"]
    assert [unit["quota"] for unit in told["menopause_clinic"]["units"]] == [7, 7]
    assert "clinic" not in told
    _, out, _ = run(capsys, *words, "--service", "clinic")
    assert list(json.loads(out)["services"]) == ["clinic"]
