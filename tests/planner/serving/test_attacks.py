"""Attacks on what a desk shows, writes and takes, on a real server and in a real browser."""

import asyncio
import csv
import io
import json
import re
import socket
import subprocess
import sys
import zipfile

import openpyxl
import pytest
import requests
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from layers.errors import SourceError
from layers.sources.uploads import check_upload
from tests.planner.desk.chromium import NEEDS_CHROMIUM, chromium, until
from tests.planner.maps.hamlet import NASTY, hamlet
from tests.planner.serving.conftest import PASSWORDS
from tests.planner.serving.server import desk, environment, leave, login, token_of

FORMULA = '=HYPERLINK("http://evil.example","x")'
SCRIPT = '<img src=x onerror="top.pwned=1;window.pwned=1"><script>window.pwned=1</script>'


@pytest.fixture(scope="module")
def nasty(tmp_path_factory):
    """A city whose facility and district have scripts and formulas for names."""
    city = hamlet(facility=SCRIPT + NASTY, west=FORMULA)
    return city.save(tmp_path_factory.mktemp("nasty") / "city").path


@pytest.fixture(scope="module")
def exposed(tmp_path_factory, nasty):
    """A desk of that city, on loopback."""
    with desk(tmp_path_factory.mktemp("exposed"), nasty) as url:
        yield url


class TestBrowser:
    pytestmark = NEEDS_CHROMIUM

    @pytest.mark.parametrize("tab", ["coverage", "siting", "plan"])
    def test_a_script_in_a_name_is_mere_text(self, exposed, tmp_path, tab):
        with chromium(tmp_path) as page:
            page.open(f"{exposed}?tab={tab}&service=mother_baby_room")
            until(lambda: "HYPERLINK" in " ".join(page.words()), what="the district's name")
            assert not page.driver.execute_script("return window.pwned")
            assert page.complaints() == []

    def test_behind_the_login_the_desk_works_with_its_headers(self, guarded, tmp_path):
        with chromium(tmp_path) as page:
            page.open(f"{guarded}?tab=coverage")
            assert "login" in page.driver.current_url
            page.driver.find_element("name", "username").send_keys("qian")
            page.driver.find_element("name", "password").send_keys(PASSWORDS["qian"] + "\n")
            until(lambda: page.figure("rate"), what="the rate")
            until(page.frame, what="the map")
            assert "qian" in page.words()
            # A script's request to elsewhere never leaves.
            told = page.driver.execute_async_script(
                "const done = arguments[0];"
                "document.addEventListener('securitypolicyviolation',"
                " (event) => done('policy: ' + event.violatedDirective));"
                "fetch('http://127.0.0.1:9/').then(() => done('sent'), () => {});"
            )
            assert told.startswith("policy: connect-src")


def test_a_message_beyond_every_measure_closes_the_socket_unread(guarded):
    browser, _ = login(guarded, "qian", PASSWORDS["qian"])
    token = token_of(browser.get(guarded, timeout=60).text)

    async def send():
        headers = {
            "Origin": guarded.rstrip("/"),
            "Cookie": f"planner_session={browser.cookies['planner_session']}",
            "Sec-WebSocket-Protocol": f"bokeh, {token}",
        }
        asked = HTTPRequest(guarded.replace("http", "ws", 1) + "ws", headers=headers)
        client = await websocket_connect(asked, subprotocols=["bokeh", token])
        for _ in range(3):
            await client.read_message()
        # A frame that says it is a gigabyte long, of which nothing has been sent yet.
        client.protocol.stream.write(b"\x81\xff" + (2**30).to_bytes(8, "big") + b"\0\0\0\0")
        told = await asyncio.wait_for(client.read_message(), 30)
        await leave(client)
        return told

    assert asyncio.run(send()) is None
    assert requests.get(guarded + "health", timeout=30).json()["status"] == "ok"


def test_paths_lead_nowhere(guarded):
    browser, _ = login(guarded, "qian", PASSWORDS["qian"])
    host = guarded.removeprefix("http://").rstrip("/").split(":")
    for path in (
        "/leaflet/../../../../../../etc/passwd",
        "/leaflet/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%2f..%2f..%2fetc/passwd",
        "/components/panel.io.server/../../etc/passwd",
    ):
        with socket.create_connection((host[0], int(host[1])), timeout=30) as knock:
            cookie = f"Cookie: planner_session={browser.cookies['planner_session']}\r\n"
            knock.sendall(
                f"GET {path} HTTP/1.1\r\nHost: x\r\n{cookie}Connection: close\r\n\r\n".encode()
            )
            told = b"".join(iter(lambda: knock.recv(65536), b""))
        assert re.match(rb"HTTP/1.1 (400|403|404)", told), path
        assert b"root:" not in told


def test_what_is_handed_in_is_refused_before_it_is_read():
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.csv", b"0" * 300_000_000)
    climbing = io.BytesIO()
    with zipfile.ZipFile(climbing, "w") as packed:
        packed.writestr("../../etc/cron.d/x.csv", "a")
    for name, content in (("a.zip", bomb.getvalue()), ("b.zip", climbing.getvalue())):
        with pytest.raises(SourceError):
            check_upload(name, content)
    assert check_upload("../../../etc/表.csv", b"a,b\n1,2\n") == "表.csv"


def run(folder, *words):
    told = subprocess.run(
        [sys.executable, "-m", "planner.cli", *words],
        capture_output=True,
        text=True,
        env=environment(folder),
        check=False,
    )
    assert told.returncode in {0, 1}, told.stderr
    return told.stdout


def test_reports_and_the_check_page_hold_no_script_and_no_formula(nasty, tmp_path):
    out = tmp_path / "out"
    common = ["--city", str(nasty), "--lang", "zh"]
    run(
        tmp_path,
        "report",
        *common,
        "--kind",
        "coverage",
        "--year",
        "2023",
        "--out",
        str(out),
        "--format",
        "html,xlsx",
    )
    run(tmp_path, "check", *common, "--html", str(tmp_path / "check.html"))
    pages = [*out.rglob("*.html"), tmp_path / "check.html"]
    assert len(pages) == 2
    for page in pages:
        told = page.read_text(encoding="utf-8")
        assert "<img src=x" not in told
        assert "<script>window.pwned" not in told
        assert "<script>alert" not in told
    (book,) = out.rglob("*.xlsx")
    cells = [
        cell
        for sheet in openpyxl.load_workbook(book)
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str)
    ]
    assert any("HYPERLINK" in cell.value for cell in cells)
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert not [cell for cell in cells if cell.value == FORMULA and not cell.quotePrefix]
    for table in out.rglob("*.csv"):
        for row in csv.reader(io.StringIO(table.read_text(encoding="utf-8-sig"))):
            assert not [cell for cell in row if cell.startswith(("=", "+", "@"))]
    assert json.loads(run(tmp_path, "coverage", *common, "--json"))
