"""The wheel carries all it needs: installed elsewhere it computes and serves."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Folder with the installed wheel, and the environment to run it in."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    install = ["pip", "install", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, "-m", *install], check=True, capture_output=True)
    return folder, {**os.environ, "PYTHONPATH": str(site), "PLANNER_LANG": "zh"}


def run(elsewhere, *words):
    folder, environment = elsewhere
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_the_wheel_that_runs(elsewhere):
    folder, _ = elsewhere
    told = run(elsewhere, "-c", "import layers, planner; print(layers.__file__, planner.__file__)")
    assert all(path.startswith(str(folder)) for path in told.split())
    assert (folder / "site" / "share" / "coverage-planner" / "app.py").is_file()


def test_it_computes_on_the_embedded_city(elsewhere):
    code = (
        "from layers import embedded; from planner import coverage;"
        "print(coverage(embedded('small'), 'menopause_clinic', year=2023).total()['people'])"
    )
    assert float(run(elsewhere, "-c", code)) == 1_281_601


def test_it_serves(elsewhere, tiny_city):
    folder, environment = elsewhere
    tiny_city.save(folder / "tiny")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "planner.cli", "serve", "--city", "tiny", "--port", str(port)]
    server = subprocess.Popen(
        [sys.executable, *words], cwd=folder, env=environment, stderr=subprocess.PIPE
    )
    try:
        page = _fetch(f"http://localhost:{port}/", server)
        assert "Bokeh" in page or "panel" in page
    finally:
        server.terminate()
        server.wait(20)
        server.stderr.close()


def test_its_table_is_json(elsewhere, tiny_city):
    folder, _ = elsewhere
    tiny_city.save(folder / "tiny")
    told = run(elsewhere, "-m", "planner.cli", "coverage", "--city", "tiny", "--json")
    assert len(json.loads(told)["services"]) == 5


def _fetch(address, server):
    for _ in range(120):
        assert server.poll() is None, server.stderr.read().decode()
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - loopback
                return answer.read().decode()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    pytest.fail(f"nothing answers at {address}")
