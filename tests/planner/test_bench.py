import json

import numpy as np
import pytest
import shapely

from layers.messages import text
from planner import bench
from planner.cli import main


@pytest.fixture
def brief(monkeypatch):
    """A bench that places few points."""
    monkeypatch.setattr(bench, "POINTS", 50)


def test_every_job_is_measured(tiny_city, brief):
    begun = []
    made = bench.run(tiny_city.streets, city=tiny_city, repeat=2, points=50, progress=begun.append)
    assert {row.job for row in made.rows} == set(begun)
    against_scipy = [row for row in made.rows if row.peer == "scipy"]
    assert len(against_scipy) == len(bench.LIMITS_M) + 2
    for row in against_scipy:
        assert row.own_s > 0
        assert row.peer_s > 0
        assert 0 < row.least <= row.ratio <= row.most
        assert len(row.words()) == 6
    assert sum(row.peer == "networkx" for row in made.rows) == 1


def test_peers_answer_the_same_question(tiny_network):
    rivals = bench._Rivals(tiny_network, with_pandana=False)
    for limit in bench.LIMITS_M:
        own, _ = rivals.own(limit)
        np.testing.assert_array_equal(rivals.nearest(limit)["scipy"](), own)
    found = rivals.nearest(1000.0)["networkx"]()
    own, _ = rivals.own(1000.0)
    assert found == {node: own[node] for node in np.flatnonzero(np.isfinite(own))}
    np.testing.assert_array_equal(np.concatenate(rivals.scipy_sums()), rivals.own_sums())
    around_all = rivals.all_sums()["scipy"]()
    np.testing.assert_array_equal(np.concatenate(around_all), rivals.own_all_sums())
    np.testing.assert_array_equal(rivals.own_all_sums()[rivals._sample], rivals.own_sums())
    for own, other in zip(rivals.own_set_up(), rivals.own(bench._SET_UP_WITHIN_M), strict=True):
        np.testing.assert_array_equal(own, other)


def test_a_file_of_streets_alone(tmp_path, tiny_city, brief, capsys):
    tiny_city.streets.to_parquet(tmp_path / "streets.parquet")
    words = ["bench", "--streets", str(tmp_path / "streets.parquet"), "--repeat", "1", "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    jobs = {row["job"] for row in told["rows"]}
    assert told["nodes"] == 27
    assert text("cli.bench.job.services") not in jobs
    assert text("cli.bench.job.place") in jobs


def test_every_bend_a_junction(tmp_path, tiny_city, brief, capsys):
    bent = tiny_city.streets.copy()
    bent.geometry = shapely.segmentize(bent.geometry, 1e-4)
    bent.to_parquet(tmp_path / "streets.parquet")
    words = ["bench", "--streets", str(tmp_path / "streets.parquet"), "--repeat", "1", "--json"]
    assert main([*words, "--bends"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["nodes"] > 3 * 27


def test_the_table_and_the_json(tmp_path, tiny_city, brief, capsys):
    tiny_city.save(tmp_path / "tiny")
    words = ["bench", "--city", str(tmp_path / "tiny"), "--repeat", "1"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "scipy" in shown
    assert "MB" in shown
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["nodes"] == 27
    assert {"job", "own_s", "peer", "peer_s", "ratio", "least", "most"} == set(told["rows"][0])


def test_a_ratio_is_the_median_of_runs_side_by_side(monkeypatch):
    # One warm run, then own and peer in turn.
    taken = iter([9.0, 1.0, 4.0, 2.0, 4.0, 1.0, 3.0])
    monkeypatch.setattr(bench, "_seconds", lambda _: next(taken))
    (row,) = bench._compare("job", lambda: None, {"scipy": lambda: None}, 3)
    assert (row.own_s, row.peer_s) == (1.0, 4.0)
    assert (row.least, row.ratio, row.most) == (2.0, 3.0, 4.0)


def test_memory_and_time_of_a_process_of_its_own(tmp_path, tiny_city):
    tiny_city.save(tmp_path / "tiny")
    alone = bench.alone(tmp_path / "tiny")
    assert alone.seconds > 0
    # The libraries alone take more than this, and far less than the limit.
    assert 50 < alone.peak_mb < bench.SERVICES_MB
    assert not bench.Alone(bench.SERVICES_S + 1, 100.0).held
    assert not bench.Alone(1.0, bench.SERVICES_MB + 1).held
    assert bench.Alone(1.0, 100.0).held
