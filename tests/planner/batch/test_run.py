"""Studies give the same here and on Dask, whoever is killed, and go on where they stopped."""

import json
import os
import signal
import subprocess
import sys
import time

import geopandas as gpd
import pytest
from distributed import LocalCluster
from pandas.testing import assert_frame_equal

from layers import embedded
from layers.errors import InputError
from planner import Close, CloseStreet, Scenario, coverage
from planner.batch import Place, Study, Variant, run
from planner.batch.run import KINDS
from planner.cli import main
from planner.standards import load_services

batch = sys.modules["planner.batch.run"]

SMALL = Place("杭州（模拟）", "embedded:small")


def tables(out):
    """Content of the results, in the order of their files."""
    return {
        file.relative_to(out).as_posix(): file.read_bytes()
        for kind in KINDS
        for file in sorted((out / kind).glob("*.parquet"))
    }


def fifty():
    """Ten cutoffs of five services."""
    variants = []
    for key, service in load_services().items():
        usual = service.standard
        for share in range(1, 11):
            cutoff = {f"cutoff_{usual.unit}": usual.cutoff * share / 5}
            variants.append(Variant(f"{key} × {share}", key, year=2023, standard=cutoff))
    return Study(name="fifty", cities=(SMALL,), variants=tuple(variants), chunk=5)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    embedded("small")
    out = tmp_path_factory.mktemp("serial")
    outcome = run(fifty(), out, workers=0)
    assert (outcome.computed, outcome.kept, outcome.failed) == (10, 0, {})
    return out


def test_the_result_is_that_of_a_coverage_alone(serial):
    made = gpd.read_parquet(serial / "coverage")
    city = embedded("small")
    assert len(made) == 50 * 13
    rows = made[made["variant"] == "menopause_clinic × 5"].reset_index(drop=True)
    alone = coverage(city, "menopause_clinic", year=2023).by("district")
    figures = ["code", "people", "served", "gap", "rate", "rate_low", "rate_high", "facilities"]
    assert_frame_equal(rows[figures], alone[figures], check_dtype=False, check_exact=True)
    assert rows.crs.to_epsg() == 4326
    areas = city.units.set_index("code").geometry.loc[alone["code"]].to_crs(4326)
    assert rows.geometry.geom_equals(areas.reset_index(drop=True)).all()
    assert made.groupby(made["variant"].str.split(" ").str[0])["cutoff"].nunique().eq(10).all()


def test_a_worker_killed_half_way_changes_nothing(serial, tmp_path):
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
    ) as cluster:
        killed = []

        def kill(done, _):
            if done == 3 and not killed:
                killed.append(cluster.workers[0].pid)
                os.kill(killed[0], signal.SIGKILL)

        outcome = run(fifty(), tmp_path, scheduler=cluster.scheduler_address, progress=kill)
        assert killed
    assert (outcome.computed, outcome.failed) == (10, {})
    assert tables(tmp_path) == tables(serial)


def test_a_stopped_study_goes_on(serial, tmp_path):
    def stop(done, _):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(fifty(), tmp_path, workers=0, progress=stop)
    assert len(list((tmp_path / "coverage").iterdir())) == 4
    outcome = run(fifty(), tmp_path, workers=2)
    assert (outcome.computed, outcome.kept, outcome.rows) == (6, 4, {"coverage": 650})
    assert tables(tmp_path) == tables(serial)


@pytest.fixture
def tiny(tmp_path, tiny_city):
    tiny_city.save(tmp_path / "city")
    return Place("小城", str(tmp_path / "city"))


def some(*variants, **options):
    return Study(name="some", variants=variants, **options)


def test_what_changed_is_computed_again_and_what_is_no_more_goes(tmp_path, tiny, tiny_city):
    out = tmp_path / "out"
    one, other = Variant("a", "fitness_circle"), Variant("b", "mother_baby_room")
    assert run(some(one, other, cities=(tiny,), chunk=1), out, workers=0).computed == 2
    for mine in ("notes.txt", "mine.parquet"):
        (out / "coverage" / mine).write_text("mine")
    outcome = run(some(one, cities=(tiny,), chunk=1), out, workers=0)
    assert (outcome.computed, outcome.kept) == (0, 1)
    assert sorted(file.name for file in (out / "coverage").iterdir()) == [
        "mine.parquet",
        "notes.txt",
        "小城-0000.parquet",
    ]
    (out / "coverage" / "小城-0000.parquet").unlink()
    assert run(some(one, cities=(tiny,), chunk=1), out, workers=0).computed == 1
    street = tiny_city.streets.index[0]
    Scenario((CloseStreet(street=street),)).apply(tiny_city).save(tiny.where)
    assert run(some(one, cities=(tiny,), chunk=1), out, workers=0).computed == 1


def test_tables_of_a_stopped_run_are_never_taken_for_those_of_an_earlier_one(
    tmp_path, tiny, monkeypatch
):
    out = tmp_path / "out"
    near, far = (
        some(
            Variant("v", "mother_baby_room", standard={"cutoff_m": metres}),
            cities=(tiny,),
        )
        for metres in (300, 900)
    )
    run(near, out, workers=0)
    expected = tables(out)

    def stopped(file, receipt):
        if receipt["digest"]:
            raise KeyboardInterrupt
        save(file, receipt)

    save = batch._save
    monkeypatch.setattr(batch, "_save", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(far, out, workers=0)
    monkeypatch.undo()
    assert tables(out) != expected
    assert run(near, out, workers=0).computed == 1
    assert tables(out) == expected


def test_scenarios_are_those_of_a_changed_city(tmp_path, tiny, tiny_city):
    shut = tiny_city.facilities["id"].iloc[0]
    service = tiny_city.facilities["service"].iloc[0]
    street = tiny_city.streets.index[3]
    for change in (Close(id=shut), CloseStreet(street=street)):
        plan = Scenario((change,), "plan")
        study = some(
            Variant("base", service),
            Variant("plan", service, scenario=plan.as_dict()),
            Variant("again", service),
            cities=(tiny,),
        )
        run(study, tmp_path / change.kind, workers=0)
        made = gpd.read_parquet(tmp_path / change.kind / "coverage")
        for name, city in [("base", tiny_city), ("plan", plan.apply(tiny_city))]:
            alone = coverage(city, service).by("district")
            rows = made[made["variant"] == name].reset_index(drop=True)
            figures = ["code", "served", "gap", "facilities", "median"]
            assert_frame_equal(rows[figures], alone[figures], check_dtype=False, check_exact=True)
        again = made[made["variant"] == "again"].drop(columns="variant").reset_index(drop=True)
        base = made[made["variant"] == "base"].drop(columns="variant").reset_index(drop=True)
        assert_frame_equal(again, base)


def test_sitings_give_sites_and_rates(tmp_path, tiny):
    siting = {
        "service": "mother_baby_room",
        "model": "mclp",
        "candidates": ["junctions,spacing=400"],
    }
    study = some(
        *(Variant(f"p={p}", "mother_baby_room", siting={**siting, "p": p}) for p in (1, 2)),
        cities=(tiny,),
    )
    outcome = run(study, tmp_path / "out", workers=0)
    assert outcome.failed == {}
    sites = gpd.read_parquet(tmp_path / "out" / "sites")
    assert sites.groupby("variant").size().to_dict() == {"p=1": 1, "p=2": 2}
    rates = gpd.read_parquet(tmp_path / "out" / "sitings")
    assert set(rates["status"]) == {"optimal"}
    assert rates["told"].str.len().gt(0).all()


def test_one_that_fails_stops_no_other(tmp_path, tiny, capsys):
    wrong = Scenario((Close(id="nobody"),), "wrong").as_dict()
    (tmp_path / "wrong.json").write_text(json.dumps(wrong), encoding="utf-8")
    (tmp_path / "study.toml").write_text(
        'services = ["fitness_circle"]\n[[cities]]\nname = "小城"\npath = "city"\n'
        '[[cities]]\nname = "无"\npath = "nowhere"\n'
        '[[scenarios]]\nname = "as it is"\n[[scenarios]]\nname = "wrong"\nfile = "wrong.json"\n',
        encoding="utf-8",
    )
    command = ["batch", str(tmp_path / "study.toml"), "--out", str(tmp_path / "out"), "--json"]
    for _ in range(2):
        # What failed is tried again each time.
        assert main([*command, "--workers", "0"]) == 1
        told = json.loads(capsys.readouterr().out)
        assert told["computed"] == 1
        assert {(one["city"], one["variant"]) for one in told["failed"]} == {
            ("小城", "fitness_circle · wrong"),
            ("无", ""),
        }
        assert any("nobody" in one["why"] for one in told["failed"])
    assert len(gpd.read_parquet(tmp_path / "out" / "coverage")) == 2


def test_killed_while_it_writes_nothing_is_half_there(tmp_path, tiny):
    (tmp_path / "study.toml").write_text(
        f"years = {list(range(1960, 2020))}\nchunk = 1\n"
        'services = ["fitness_circle"]\n[[cities]]\npath = "city"\n',
        encoding="utf-8",
    )
    out = tmp_path / "out"
    command = ["batch", str(tmp_path / "study.toml"), "--out", str(out), "--workers", "0"]
    code = f"from planner.cli import main; main({command!r})"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        while not len(list(out.glob("receipts/*.json"))) > 5:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    # The receipt of what was being written just then stands without its digest.
    receipts = [json.loads(file.read_text("utf-8")) for file in out.glob("receipts/*.json")]
    there = sum(bool(receipt["digest"]) for receipt in receipts)
    assert 5 <= there < 60
    for file in out.glob("coverage/*.parquet"):
        assert len(gpd.read_parquet(file)) == 2
    study = some(
        *(Variant(f"fitness_circle · {y}", "fitness_circle", year=y) for y in range(1960, 2020)),
        cities=(Place("city", tiny.where),),
        chunk=1,
        folder=tmp_path.resolve(),
    )
    outcome = run(study, out, workers=0)
    assert (outcome.kept, outcome.computed) == (there, 60 - there)
    assert not [file for file in out.rglob("*") if file.name.startswith(".")]


def test_no_scheduler_is_said(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr("planner.batch.cluster._WAIT", "1s")
    study = some(Variant("a", "fitness_circle"), cities=(tiny,))
    with pytest.raises(InputError, match=r"tcp://127\.0\.0\.1:9"):
        run(study, tmp_path / "out", scheduler="tcp://127.0.0.1:9")


def test_without_dask_it_says_what_to_install(tmp_path, tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    # As a process that has not asked for it yet.
    monkeypatch.delitem(sys.modules, "planner.batch.cluster", raising=False)
    monkeypatch.delattr("planner.batch.cluster", raising=False)
    study = some(Variant("a", "fitness_circle"), cities=(tiny,))
    with pytest.raises(InputError, match=r"coverage-planner\[batch\]"):
        run(study, tmp_path / "out", workers=2)
