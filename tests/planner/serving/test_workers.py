"""Several servers behind a proxy that ends https and serves them below a path."""

import os
import re
import signal
import subprocess
import time

import pytest
import requests

from tests.planner.serving.conftest import PASSWORDS
from tests.planner.serving.server import connect, desk, login, token_of, well

OUTSIDE = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
OPTIONS = [
    *("--login", "--workers", "2", "--prefix", "/planner", "--behind-proxy"),
    *("--allow-origin", "https://planner.example"),
]


@pytest.fixture(scope="module")
def office(house, village):
    with desk(house, village, *OPTIONS, prefix="/planner", ports=2) as url:
        yield url


def next_port(url):
    return re.sub(r":(\d+)/", lambda found: f":{int(found[1]) + 1}/", url)


def entered(url, name):
    _, answer = login(url, name, PASSWORDS[name], headers=OUTSIDE)
    assert answer.status_code == 303
    return answer, {"planner_session": answer.cookies["planner_session"]}


def test_both_serve_below_the_path_and_share_their_logins(office):
    answer, cookies = entered(office, "qian")
    told = answer.headers["Set-Cookie"]
    assert "Secure" in told
    assert "Path=/planner/" in told
    assert answer.headers["Location"] == "/planner/"
    assert "Strict-Transport-Security" in answer.headers
    for url in (office, next_port(office)):
        page = requests.get(url, cookies=cookies, headers=OUTSIDE, timeout=60)
        assert page.status_code == 200
        token = token_of(page.text)
        opened = connect(url, token, origin="https://planner.example", cookies=cookies)
        assert opened["msgtype"] == "ACK"
        assert connect(url, token, origin="https://planner.evil", cookies=cookies) == 403
        # Whatever the page asks for lies below the path too.
        script = re.search(r'src="([^"]*bokeh[^"]*\.js[^"]*)"', page.text)[1]
        assert requests.get(requests.compat.urljoin(url, script), timeout=60).status_code == 200


def test_figures_are_for_this_machine_and_administrators(office):
    assert requests.get(office + "metrics", timeout=30).status_code == 200
    assert requests.get(office + "metrics", headers=OUTSIDE, timeout=30).status_code == 403
    for name, status in (("qian", 403), ("zhao", 200)):
        _, cookies = entered(office, name)
        got = requests.get(office + "metrics", headers=OUTSIDE, cookies=cookies, timeout=30)
        assert got.status_code == status


def test_a_server_that_dies_is_started_again(office):
    port = re.search(r":(\d+)/", next_port(office))[1]
    told = subprocess.run(
        ["pgrep", "-f", f"serve .*--port {port}( |$)"], capture_output=True, text=True, check=True
    )
    os.kill(int(told.stdout.split()[0]), signal.SIGKILL)
    time.sleep(0.5)
    end = time.monotonic() + 120
    while not well(next_port(office)):
        assert time.monotonic() < end
        time.sleep(0.1)
